"""The configuration of gunicorn that is shipped, as gunicorn reads it."""

import os

import pytest
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.config import Config

from tests.drills.lost_updates import ROOT


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Config:
    for name in ("PORT", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "sys.argv", ["gunicorn", "-c", str(ROOT / "tracker" / "gunicorn.conf.py"), "tracker.wsgi"]
    )
    return WSGIApplication().cfg


def test_slow_clients_find_more_threads_than_three_of_them_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cfg = read(monkeypatch)
    assert (cfg.worker_class_str, cfg.threads >= 4) == ("gthread", True)


def test_there_are_at_least_two_workers_and_no_more_than_eight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = []
    for cores in (1, 4, 64):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        workers.append(read(monkeypatch).workers)
    assert workers == [2, 4, 8]


def test_port_and_workers_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = read(monkeypatch, PORT="9001", WEB_CONCURRENCY="3")
    assert (cfg.bind, cfg.workers) == (["127.0.0.1:9001"], 3)


def test_workers_are_replaced_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = read(monkeypatch)
    assert 0 < cfg.max_requests_jitter < cfg.max_requests


def test_a_stop_leaves_an_export_the_time_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).graceful_timeout >= 30
