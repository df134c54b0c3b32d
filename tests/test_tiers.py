"""What `make test` runs and what `make test-all` adds.

The sizes, the markers, and that nothing is skipped in CI.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import pytest_runtest_makereport
from tests.sizes import SIZES, chosen

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs" / "tests.md").read_text(encoding="utf-8")


def test_sizes_are_small_unless_large_ones_are_asked_for() -> None:
    name = "QUERY_STRINGS"
    found = [
        chosen(name, environment)
        for environment in ({}, {"TEST_SIZES": ""}, {"TEST_SIZES": "large"})
    ]
    assert found == [SIZES[name].small, SIZES[name].small, SIZES[name].large]


def test_a_variable_sets_one_size_in_either_run() -> None:
    assert chosen("QUERY_STRINGS", {"QUERY_STRINGS": "7", "TEST_SIZES": "large"}) == 7


def test_an_unknown_word_for_the_sizes_is_refused() -> None:
    with pytest.raises(ValueError, match="huge"):
        chosen("QUERY_STRINGS", {"TEST_SIZES": "huge"})


def test_the_table_of_the_sizes_is_true() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d,]+) \| ([\d,]+) \| (.+) \|$", DOCS, re.MULTILINE)
    assert rows == [
        (name, f"{size.small:,}", f"{size.large:,}", size.what) for name, size in SIZES.items()
    ]


def test_every_marker_is_described(pytestconfig: pytest.Config) -> None:
    ours = re.findall(
        r'^    "(\w+): .+",$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    section = DOCS.partition("## Markers")[2].partition("##")[0]
    told = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)))
    assert sorted(told) == sorted(ours) != []


@pytest.mark.parametrize(("ci", "outcome"), [("", "skipped"), ("true", "failed")])
def test_a_skip_fails_in_ci_alone(
    monkeypatch: pytest.MonkeyPatch, request: Any, ci: str, outcome: str
) -> None:
    monkeypatch.setenv("CI", ci)
    report = pytest.TestReport(
        "x", ("x.py", 1, "x"), {}, "skipped", ("x.py", 1, "no browser"), "call"
    )
    made = pytest_runtest_makereport(request.node)
    next(made)
    with pytest.raises(StopIteration) as end:
        made.send(report)
    assert end.value.value.outcome == outcome


def test_a_module_that_names_a_database_of_its_own_is_marked() -> None:
    makers = ("import ROOT, database", "import database", '"DATABASE_URL", ""')
    unmarked = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if any(maker in (text := path.read_text(encoding="utf-8")) for maker in makers)
        and "mark.database" not in text
        and path != Path(__file__)
    ]
    assert unmarked == []
