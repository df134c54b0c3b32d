"""Exports that take long.

Made beside the pages, told of by one that reloads, and kept for their own person.
"""

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from tests.conftest import Inline
from tests.factories import make_task
from tests.views.conftest import Browser
from tracker.domain import dates
from tracker.domain.choices import BatchKind
from tracker.excel import ledger, workbook_import
from tracker.models import ImportBatch, PolicyDocument, User
from tracker.views import exports
from tracker.web import jobs

LEDGER = "/policies/rise/ledger.xlsx"
ADDRESSES = (
    LEDGER,
    "/policies/rise/fill-in.zip",
    "/policies/rise/checklist.xlsx",
    "/my/fill-in.xlsx",
)


class Later(Inline):
    """A thread whose work is done when the test says so."""

    waiting: list["Later"] = []

    def start(self) -> None:
        self.waiting.append(self)

    @classmethod
    def finish(cls) -> None:
        while cls.waiting:
            cls.waiting.pop()._work()


@pytest.fixture(autouse=True)
def long_exports(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Any:
    """Let every export count as long, and begin when the test says so."""
    settings.WORKING_DIR = tmp_path
    monkeypatch.setattr(exports, "LONG_EXPORT_ROWS", 0)
    monkeypatch.setattr(jobs, "Thread", Later)
    yield
    Later.finish()


@pytest.fixture
def policy(policy: PolicyDocument) -> PolicyDocument:
    make_task(policy)
    return policy


def begin(client: Client, address: str = LEDGER) -> str:
    """Ask for an export; return the address of its page."""
    answer = client.get(address)
    assert answer.status_code == 302
    return str(answer["Location"])


def test_an_export_that_is_made_at_once_is_sent_at_once(
    office: Client, policy: PolicyDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "Thread", Inline)
    answer = office.get(LEDGER)
    assert load_workbook(BytesIO(answer.getvalue())).sheetnames
    assert ".xlsx" in answer["Content-Disposition"]


def test_how_far_a_long_export_is_stands_on_a_page_that_reloads(
    office: Client, policy: PolicyDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = []
    page = begin(office)

    def save(scope: ledger.LedgerRequest, file: Any) -> None:
        scope.tell(1)
        pages.append(office.get(page))

    monkeypatch.setattr(ledger, "save_ledger", save)
    assert office.get(page)["Refresh"] == "2"
    Later.finish()
    assert "1 of 1 rows done, 100%" in pages[0].text


def test_how_far_a_marked_file_is_stands_on_its_page(
    browser: Browser, policy: PolicyDocument, liaison: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {
        "file_name": "back.xlsx",
        "read_by": liaison,
        "unit": liaison.organization,
        "read_at": dates.now(),
    }
    batch = ImportBatch.objects.create(kind=BatchKind.PROGRESS, rows=[{}, {}], **facts)
    client, pages = browser(liaison), []
    page = begin(client, reverse("marked", args=[batch.pk]))

    def save(*args: Any) -> None:
        args[-1](1)
        pages.append(client.get(page))

    monkeypatch.setattr(workbook_import, "save_marked_workbook", save)
    Later.finish()
    assert "1 of 2 rows done, 50%" in pages[0].text


@pytest.mark.parametrize("address", ADDRESSES)
def test_its_page_leads_to_the_file_in_the_end(
    browser: Browser, policy: PolicyDocument, liaison: User, address: str
) -> None:
    liaison.is_supervisor = True
    liaison.save()
    client = browser(liaison)
    page = begin(client, address)
    Later.finish()
    answer = client.get(page)
    assert "Refresh" not in answer
    assert f'href="{page}file/"' in answer.text
    assert client.get(f"{page}file/").getvalue()[:2] == b"PK"


def test_the_export_of_chosen_tasks_has_a_page_for_each_choice(
    browser: Browser, policy: PolicyDocument, administrator: User
) -> None:
    client, more = browser(administrator), make_task(policy, "A1-02")
    pages = []
    for keys in ([more.pk], [task.pk for task in policy.tasks.all()]):
        chosen = {"action": "export_ledger", "_selected_action": keys}
        answer = client.post(reverse("admin:tracker_task_changelist"), chosen)
        assert answer.status_code == 302
        pages.append(answer["Location"])
    Later.finish()
    assert len(set(pages)) == 2
    assert [client.get(f"{page}file/").getvalue()[:2] for page in pages] == [b"PK", b"PK"]


def test_the_file_of_an_export_that_is_under_way_is_not_found(
    office: Client, policy: PolicyDocument
) -> None:
    assert office.get(f"{begin(office)}file/").status_code == 404


def test_nobody_else_sees_an_export_or_its_file(
    office: Client, policy: PolicyDocument, browser: Browser, administrator: User
) -> None:
    page = begin(office)
    Later.finish()
    other = browser(administrator)
    assert [other.get(address).status_code for address in (page, f"{page}file/")] == [404, 404]


def test_an_export_that_was_asked_for_twice_is_made_once(
    office: Client, policy: PolicyDocument
) -> None:
    assert begin(office) == begin(office)
    assert len(Later.waiting) == 1


def test_a_fault_is_said_and_the_export_can_be_started_again(
    office: Client,
    policy: PolicyDocument,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("a fault")

    page = begin(office, f"{LEDGER}?section=1")
    monkeypatch.setattr(ledger, "save_ledger", fail)
    Later.finish()
    answer = office.get(page)
    assert "a program error" in answer.text
    assert f'href="{LEDGER}?section=1"' in answer.text
    assert "a fault" in caplog.text
    assert [path.name for path in jobs.result_path("x").parent.glob("*.made")] == []


KILLED = """
import os, signal, sys
import django
from django.conf import settings
settings.configure(WORKING_DIR=sys.argv[1])
django.setup()
from tracker.web import jobs
def work(tell):
    os.kill(os.getpid(), signal.SIGKILL)
jobs.start_job(sys.argv[2], 10, work, about={"address": "/again", "file": "x.xlsx"})
"""


def test_an_export_whose_worker_was_killed_says_so_and_can_be_started_again(
    office: Client, supervisor: User, settings: Any
) -> None:
    name = f"export-{supervisor.pk}-x"
    words = [sys.executable, "-c", KILLED, str(settings.WORKING_DIR), name]
    subprocess.run(words, check=False, capture_output=True)
    answer = office.get(f"/work/{name}/")
    assert "Refresh" not in answer
    assert "was interrupted" in answer.text
    assert 'href="/again"' in answer.text


def test_a_name_that_no_file_can_have_is_not_found(office: Client, supervisor: User) -> None:
    assert office.get(f"/work/export-{supervisor.pk}-{'x' * 1000}/").status_code == 404


def test_what_came_of_an_export_is_kept_for_an_hour(
    office: Client, policy: PolicyDocument, time_machine: Any
) -> None:
    page = begin(office)
    Later.finish()
    folder = jobs.result_path("x").parent
    before = dates.now().timestamp()
    for path in folder.glob("job-*"):
        os.utime(path, (before, before))
    jobs.sweep_jobs()
    assert office.get(page).status_code == 200
    time_machine.shift(3601)
    jobs.sweep_jobs()
    assert list(folder.glob("job-*")) == []


def test_a_slot_is_free_again_when_an_export_has_ended(
    office: Client, policy: PolicyDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.web.export_slots.HEAVY_ROWS", 0)
    for section in ("1", "2"):
        begin(office, f"{LEDGER}?section={section}")
    assert office.get(LEDGER).status_code == 503
    Later.finish()
    assert begin(office)
