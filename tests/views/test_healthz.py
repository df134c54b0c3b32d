"""What a monitor is told: whether the system can work, and nothing else."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from tracker.domain import disk
from tracker.views import healthz
from tracker.views.healthz import MigrationRecorder

WELL = {"database": "ok", "migrations": "ok", "disk": "ok"}


@pytest.mark.django_db
def test_a_system_that_works_says_so() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, WELL)


@pytest.mark.django_db
def test_a_monitor_gets_no_session_and_is_not_remembered() -> None:
    answer = Client().get("/healthz")
    assert (answer.cookies, answer.headers.get("Vary")) == ({}, None)
    assert "no-store" in answer.headers["Cache-Control"]


def test_one_query_is_asked(db: None, django_assert_num_queries: Any) -> None:
    Client().get("/healthz")
    with django_assert_num_queries(2):  # whether there is the table of migrations, and its rows
        Client().get("/healthz")


@pytest.mark.django_db
def test_a_monitor_asks_the_machine_by_its_number_and_without_https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["tracker.example"]
    assert Client(headers={"host": "10.0.0.7:8000"}).get("/healthz").status_code == 200


def test_a_database_that_does_not_answer_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(recorder: MigrationRecorder) -> Any:
        raise OperationalError("secret host")

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", gone)
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (
        503,
        WELL | {"database": "fault", "migrations": "fault"},
    )


def test_migrations_that_wait_are_a_fault(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthz, "_on_disk", lambda: frozenset({("tracker", "9999_future")}))
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (503, WELL | {"migrations": "fault"})


def test_little_room_is_a_fault(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (503, WELL | {"disk": "fault"})
