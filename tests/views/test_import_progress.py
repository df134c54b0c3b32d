"""Confirming and undoing a large import: done beside the pages, told of by one that reloads."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY, Inline
from tests.excel.conftest import english, fill, fresh, handed_over, sent
from tests.views.conftest import Browser
from tracker import workflow
from tracker.domain.choices import BatchKind, BatchState, ChangeSource
from tracker.excel import workbook_import
from tracker.models import ImportBatch, Organization, ProgressUpdate, Task, User
from tracker.views import imports
from tracker.web import jobs

__all__ = ["english", "handed_over"]


class Asleep(Inline):
    """A thread that has not begun yet."""

    def start(self) -> None:
        pass


@pytest.fixture(autouse=True)
def long_work(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """Take a file of one row for a large one."""
    settings.WORKING_DIR = tmp_path
    monkeypatch.setattr(imports, "LONG_IMPORT_ROWS", dict.fromkeys(BatchKind, 1))


@pytest.fixture
def batch(handed_over: list[Task], bureau: Organization, liaison: User) -> ImportBatch:
    book = fresh(bureau)
    for code in ("A1-01", "A1-02"):
        fill(book, code, percent_done=0.1, progress="words")
    return sent(book, liaison)


@pytest.fixture
def client(browser: Browser, liaison: User) -> Client:
    return browser(liaison)


def confirm(client: Client, batch: ImportBatch) -> str:
    page = client.get(batch.get_absolute_url())
    data = {"seen": page.context["preview"].digest}
    return client.post(batch.get_absolute_url(), data, follow=True).content.decode()


def test_a_large_import_is_confirmed_and_says_so_on_its_page(
    client: Client, batch: ImportBatch
) -> None:
    assert "The import is confirmed" in confirm(client, batch)
    assert ProgressUpdate.objects.count() == 2


def test_a_large_import_is_undone_and_says_so(client: Client, batch: ImportBatch) -> None:
    confirm(client, batch)
    page = client.post(batch.get_absolute_url(), {"undo": "1"}, follow=True).content.decode()
    assert "was undone" in page
    assert not ProgressUpdate.objects.exists()


def test_how_far_it_is_is_told_by_a_page_that_reloads(
    client: Client, batch: ImportBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = []

    def look(*args: Any) -> None:
        args[-1](1)
        pages.append(client.get(reverse("batch_progress", args=[batch.pk])))

    monkeypatch.setattr(workbook_import, "confirm_batch", look)
    client.post(batch.get_absolute_url(), {"seen": "x"})
    assert pages[0]["Refresh"] == "2"
    assert f"1 of {len(batch.rows)} rows done, 20%" in pages[0].content.decode()


def test_a_large_import_that_others_have_changed_leads_to_every_row(
    client: Client, batch: ImportBatch, supervisor: User
) -> None:
    confirm(client, batch)
    report = ProgressUpdate.objects.first()
    assert report
    workflow.accept(
        report, workflow.ChangeContext(supervisor, ChangeSource.PAGE), report.version, TODAY
    )
    page = client.post(batch.get_absolute_url(), {"undo": "1"}, follow=True).content.decode()
    address = f"{batch.get_absolute_url()}?changed=1"
    assert f'href="{address}"' in page
    assert report.task.code in client.get(address).content.decode()


def test_what_is_under_way_is_not_begun_again(
    client: Client, batch: ImportBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "Thread", Asleep)
    held = []
    monkeypatch.setattr(jobs, "try_lock", lambda file: not held and not held.append(file))
    for _press in range(2):
        answer = client.post(batch.get_absolute_url(), {"seen": "x"})
        assert answer["Location"] == reverse("batch_progress", args=[batch.pk])
    assert len(held) == 1
    held[0].close()


def test_its_page_leads_to_the_work_that_is_under_way(
    client: Client, batch: ImportBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = jobs._take_lock(f"import-{batch.pk}")
    jobs._write(f"import-{batch.pk}", jobs.JobProgress(jobs.JOB_RUNNING, 1, 5))
    assert client.get(batch.get_absolute_url()).status_code == 302
    lock.close()
    assert client.get(batch.get_absolute_url()).status_code == 200


def test_what_is_refused_is_said_and_nothing_is_written(client: Client, batch: ImportBatch) -> None:
    page = client.post(
        batch.get_absolute_url(), {"seen": "another preview"}, follow=True
    ).content.decode()
    assert "Something has changed in the meantime" in page
    batch.refresh_from_db()
    assert batch.state == BatchState.READ


def test_a_fault_of_the_program_ends_in_words(
    client: Client,
    batch: ImportBatch,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(workbook_import, "confirm_batch", fail)
    page = client.post(batch.get_absolute_url(), {"seen": "x"}, follow=True).content.decode()
    assert "a program error" in page
    assert "a fault" in caplog.text


KILLED = """
import os, signal, sys
import django
from django.conf import settings
settings.configure(WORKING_DIR=sys.argv[1])
django.setup()
from tracker.web import jobs
def work(tell):
    tell(3)
    os.kill(os.getpid(), signal.SIGKILL)
jobs.start_job("import-7", 10, work)
"""


def test_the_work_of_a_killed_process_ends_in_words_and_can_be_started_again(
    db: None, settings: Any
) -> None:
    subprocess.run(
        [sys.executable, "-c", KILLED, str(settings.WORKING_DIR)], check=False, capture_output=True
    )
    found = jobs.read_job("import-7")
    assert found
    assert (found.state, found.done) == (jobs.JOB_FAILED, 3)
    assert "was interrupted" in found.words
    assert jobs.start_job("import-7", 1, lambda tell: "done")
    assert jobs.read_job("import-7") == jobs.JobProgress(jobs.JOB_DONE, 1, 1, "done")


def test_without_any_work_the_page_says_so(client: Client, batch: ImportBatch) -> None:
    assert (
        "This import is not being processed"
        in client.get(reverse("batch_progress", args=[batch.pk])).content.decode()
    )


@pytest.fixture
def long_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "LONG_PREVIEW", 1)


def test_a_long_preview_shows_what_a_short_one_shows(
    client: Client, batch: ImportBatch, liaison: User, long_preview: None
) -> None:
    page = client.get(batch.get_absolute_url())
    assert (
        page.context["preview"].digest
        == workbook_import.preview_batch(batch, liaison, TODAY).digest
    )
    assert "Confirm: write all changes" in page.text


def test_how_far_a_preview_is_is_told_by_a_page_that_reloads(
    client: Client,
    batch: ImportBatch,
    liaison: User,
    long_preview: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages, preview = [], workbook_import.preview_batch

    def look(*args: Any) -> workbook_import.Preview:
        args[-1](1)
        pages.append(client.get(reverse("batch_progress", args=[batch.pk])))
        return preview(*args)

    monkeypatch.setattr(workbook_import, "preview_batch", look)
    client.get(batch.get_absolute_url())
    assert pages[0]["Refresh"] == "2"
    assert f"1 of {len(batch.rows)} rows compared with the stored data, 20%" in pages[0].text


def test_a_preview_that_goes_on_leads_to_its_page(
    client: Client, batch: ImportBatch, long_preview: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "start_job", lambda *args, **options: True)
    assert client.get(batch.get_absolute_url())["Location"] == reverse(
        "batch_progress", args=[batch.pk]
    )


def test_a_preview_that_is_ready_leads_from_its_page_to_the_import(
    client: Client, batch: ImportBatch, liaison: User, long_preview: None
) -> None:
    name = imports._preview_name(batch, liaison)
    jobs._write(name, jobs.JobProgress(jobs.JOB_DONE, 5, 5))
    jobs.result_path(name).write_text('{"entries": [], "changes": 1, "notes": []}')
    page = reverse("batch_progress", args=[batch.pk])
    assert client.get(page)["Location"] == batch.get_absolute_url()
    assert client.get(batch.get_absolute_url()).context["preview"].counts.total() == 0
    # Shown once: the next look compares anew.
    assert client.get(batch.get_absolute_url()).context["preview"].counts.total() == len(batch.rows)


def test_a_preview_that_was_cut_off_says_so_and_can_be_started_again(
    client: Client, batch: ImportBatch, liaison: User, long_preview: None
) -> None:
    jobs._write(imports._preview_name(batch, liaison), jobs.JobProgress(jobs.JOB_RUNNING, 2, 5))
    assert "was interrupted" in client.get(reverse("batch_progress", args=[batch.pk])).text
    assert client.get(batch.get_absolute_url()).status_code == 200
