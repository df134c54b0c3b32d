"""A full disk: what was typed is given back, reading goes on, administrators are warned in time."""

import errno
import sqlite3
from collections.abc import Callable
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from tests.conftest import TODAY
from tests.factories import make_task
from tests.views.conftest import Browser
from tracker.domain import disk, lights, scratch
from tracker.models import Evidence, Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.web import disk_checks, sqlite_files, uploads
from tracker.web.sessions import SessionStore

WORDS = "一段打好的文字\nsecond line <b>"
PDF = b"%PDF-1.4"


def no_space(*_arguments: Any, **_names: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def sqlite_full(*_arguments: Any, **_names: Any) -> Any:
    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise OperationalError("database or disk is full") from cause


def postgresql_full(*_arguments: Any, **_names: Any) -> Any:
    cause = Exception("could not extend file")
    cause.sqlstate = "53100"  # type: ignore[attr-defined]
    raise OperationalError("could not extend file") from cause


FULL = [no_space, sqlite_full, postgresql_full]


@pytest.fixture
def unit(browser: Browser, liaison: User) -> Client:
    client = browser(liaison)
    client.raise_request_exception = False
    return client


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    return make_task(
        policy,
        kind="qualitative",
        lead_unit=bureau,
        assigned_on=TODAY.replace(month=1),
        owed_from=TODAY.replace(month=1),
    )


def address_of(task: Task) -> str:
    """Return the address of the report of the first period that can be reported."""
    period = lights.reportable(task, task.policy, TODAY)[0]
    return f"{task.get_absolute_url()}report/?period={period.key(lights.cycle_of(task.policy))}"


def report(client: Client, task: Task, **fields: Any) -> Any:
    """Send a report, and remember its words."""
    return client.post(address_of(task), {"progress": WORDS, "seen": "", **fields})


@pytest.mark.parametrize("fault", FULL)
def test_what_was_typed_is_given_back_to_be_sent_again(
    unit: Client, task: Task, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Any]
) -> None:
    monkeypatch.setattr(ProgressUpdate, "save", fault)
    answer = report(unit, task)
    assert answer.status_code == 507
    assert "The server disk is full" in answer.text
    assert f'<input type="hidden" name="progress" value="{WORDS}">' in unescape(answer.text)
    assert f'action="{address_of(task)}"' in answer.text


def test_a_fault_of_another_kind_is_none_of_the_disk(
    unit: Client, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any, **_names: Any) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(ProgressUpdate, "save", broken)
    assert report(unit, task).status_code == 500


def test_a_page_that_saves_by_itself_is_told_in_its_own_way(
    unit: Client, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProgressUpdate, "save", no_space)
    answer = unit.post(
        address_of(task), {"progress": WORDS, "seen": ""}, headers={"X-Autosave": "1"}
    )
    assert answer.status_code == 507
    assert "disk" in answer.json()["faults"][0]


def test_an_upload_without_room_leaves_neither_file_nor_row(
    unit: Client, task: Task, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT, settings.WORKING_DIR = tmp_path / "evidence", tmp_path / "working"
    monkeypatch.setattr(uploads.os, "fsync", no_space)
    answer = report(unit, task, proofs=SimpleUploadedFile("proof.pdf", PDF))
    assert (answer.status_code, "proof.pdf" in answer.text, WORDS in unescape(answer.text)) == (
        507,
        True,
        True,
    )
    assert [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name not in (scratch.LOCK_NAME, "reserve")
    ] == []
    assert (Evidence.objects.count(), ProgressUpdate.objects.count()) == (0, 0)


def test_a_large_upload_without_room_leaves_the_text_beside_it(
    unit: Client, task: Task, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1
    monkeypatch.setattr(uploads, "ScratchUploadedFile", no_space)
    answer = report(unit, task, proofs=SimpleUploadedFile("proof.pdf", PDF))
    assert (answer.status_code, WORDS in unescape(answer.text)) == (507, True)
    assert "Files were not stored" in answer.text


def test_a_large_upload_is_kept_where_there_is_room(
    unit: Client, task: Task, settings: Any
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1
    report(unit, task, proofs=SimpleUploadedFile("proof.pdf", PDF))
    with Evidence.objects.get().file.open() as file:
        assert file.read() == PDF


def test_reading_goes_on_where_the_use_of_a_session_cannot_be_noted(
    unit: Client, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = unit.session
    session["seen"] -= 120
    session.save()
    monkeypatch.setattr("django.contrib.sessions.models.Session.save", sqlite_full)
    assert unit.get(task.get_absolute_url()).status_code == 200


def test_a_log_in_without_room_is_refused_in_words(
    stranger: Client, liaison: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.contrib.sessions.models.Session.save", sqlite_full)
    answer = stranger.post("/login/", {"username": "liaison", "password": "a long password"})
    assert (answer.status_code, "The server disk is full" in answer.text) == (507, True)
    assert "a long password" not in answer.text


@pytest.mark.django_db
def test_sessions_of_the_version_before_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.sessions.backends.db import SessionStore as Before

    before = Before()
    before["x"] = 1
    before.save()
    assert SessionStore(before.session_key)["x"] == 1


def test_a_file_appears_whole_under_its_name(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.WORKING_DIR = tmp_path / "evidence", tmp_path / "working"
    name = default_storage.save("a.pdf", ContentFile(PDF))
    assert (tmp_path / "evidence" / name).read_bytes() == PDF
    assert (tmp_path / "evidence" / name).stat().st_mode & 0o077 == 0


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=12 * disk.MEGABYTE)
    )


def test_administrators_are_warned_before_the_disk_is_full(
    low: None, browser: Browser, administrator: User
) -> None:
    assert "Only 12 MB are free" in browser(administrator).get("/").text


def test_nobody_else_is_troubled_with_the_disk(low: None, office: Client) -> None:
    assert "MB are free" not in office.get("/").text


def test_with_room_enough_no_page_speaks_of_the_disk(browser: Browser, administrator: User) -> None:
    assert "MB are free" not in browser(administrator).get("/").text


def test_the_check_warns_of_little_room(low: None) -> None:
    assert [message.id for message in disk_checks.check_free_space()] == ["tracker.W020"]


def test_the_check_names_a_restore_that_was_cut_off(settings: Any, tmp_path: Path) -> None:
    settings.WORKING_DIR = tmp_path
    assert disk_checks.check_restore() == []
    (tmp_path / "restore-ready").mkdir()
    assert [message.id for message in disk_checks.check_restore()] == ["tracker.W021"]


def test_a_start_without_room_gives_up_the_reserve(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, reserve = tmp_path / "db", tmp_path / "reserve"
    sqlite3.connect(database).close()
    database.touch()
    reserve.write_bytes(b"x")
    settings.WORKING_DIR, settings.SQLITE = tmp_path, True
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(database))
    monkeypatch.setattr(sqlite_files, "_kept", {})

    def reading(name: str) -> sqlite3.Connection:
        if reserve.exists():
            raise sqlite3.OperationalError("unable to open database file")
        return sqlite3.connect(":memory:")

    monkeypatch.setattr(sqlite_files, "_reading", reading)
    sqlite_files.keep_open()
    assert not reserve.exists()
