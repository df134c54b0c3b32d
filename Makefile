# Two commands suffice: `make run` and `make test`. Everything lives in .venv and .data.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
SOURCES := manage.py tracker tests
PORT ?= 8000
# The tests start hundreds of processes, and each would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-all lint bench drill messages pictures prepare clean

run: prepare
	$(PY) manage.py runserver 127.0.0.1:$(PORT) --noreload

prepare: .venv/run.stamp
	$(PY) manage.py prepare

# What a newcomer runs: every behaviour, at small sizes, without browser and LibreOffice. docs/tests.md says more.
test: .venv/test.stamp
	$(PY) -m pytest -n auto --dist worksteal -m "not (browser or libreoffice or large or drill)"

# Everything, at large sizes; ONLY="database and not browser" chooses by marker.
test-all: .venv/test.stamp
	TEST_SIZES=large $(PY) -m pytest -n auto --dist worksteal -m "$(ONLY)"

lint: .venv/test.stamp
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m djlint --check --lint --quiet templates
	$(PY) -m mypy tracker

bench: .venv/bench.stamp
	$(PY) -m tests.benchmarks

drill: .venv/test.stamp
	$(PY) -m tests.drills.lost_updates --processes 8 --edits 200
	$(PY) -m tests.drills.kill --rounds 50
	$(PY) -m tests.drills.imports --rounds 50
	$(PY) -m tests.drills.crowd --writers 30 --edits 50
	$(PY) -m tests.drills.kill_commands --rounds 20
	$(PY) -m tests.drills.load --tasks 10000 --requests 20

pictures: .venv/test.stamp
	$(PY) -m tests.browser.pictures

messages: .venv/test.stamp
	$(PY) manage.py makemessages -l zh_Hans --no-obsolete --no-location --ignore '.venv/*' --ignore 'tests/*' --ignore 'migrations/*'
	$(PY) manage.py compilemessages -l zh_Hans --ignore '.venv/*'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with PYTHON=…")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test.stamp: requirements.txt tests/requirements.txt | .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

.venv/bench.stamp: .venv/test.stamp tests/benchmarks/requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r tests/benchmarks/requirements.txt
	@touch $@

clean:
	rm -rf .venv
