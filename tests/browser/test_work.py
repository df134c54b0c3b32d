"""The work of every month in a real browser.

A report in three pages, fifty reviews in a few requests.
"""

from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PASSWORD, log_in
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain.choices import BatchKind, ChangeSource, Kind, ReportState
from tracker.domain.dates import DAY, now, period_of, today
from tracker.models import ImportBatch, Organization, ProgressUpdate, Task, User
from tracker.web import jobs
from tracker.workflow import ChangeContext

pytestmark = pytest.mark.browser


@pytest.fixture
def liaison(transactional_db: None) -> User:
    unit = Organization.objects.create(name="Bureau of Science", short_name="Science")
    return User.objects.create_user(
        "liaison", password=PASSWORD, is_liaison=True, organization=unit
    )


def make(liaison: User, code: str) -> Task:
    policy = make_policy() if code == "A1-01" else Task.objects.get(code="A1-01").policy
    since = today() - 90 * DAY
    facts = {
        "kind": Kind.QUANTIFIED,
        "lead_unit": liaison.organization,
        "assigned_on": since,
        "owed_from": since,
    }
    return make_task(policy, code, deadline=today() + 90 * DAY, acknowledged_on=since, **facts)


@pytest.fixture
def requests(browser: Browser) -> Any:
    """Open a page that counts the documents it asks for, redirects apart."""
    context = browser.new_context()
    page = context.new_page()
    page.asked = []  # type: ignore[attr-defined]
    page.on("response", lambda answer: page.asked.append(answer))  # type: ignore[attr-defined]
    yield page
    context.close()


def loads(page: Any) -> int:
    """Count the pages that were loaded."""
    return sum(
        answer.request.resource_type == "document" and answer.status == 200 for answer in page.asked
    )


def test_a_liaison_reports_a_task_in_three_page_loads_after_the_login(
    requests: Page, live_server: LiveServer, liaison: User
) -> None:
    make(liaison, "A1-01")
    log_in(requests, live_server.url, "liaison")
    requests.asked.clear()  # type: ignore[attr-defined]
    requests.goto(f"{live_server.url}/my/")
    with requests.expect_navigation():
        requests.click("td.do a")
    requests.fill("[name=percent]", "40")
    requests.fill("[name=progress]", "两条道路已开工")
    with requests.expect_navigation():
        requests.click("[name=submit]")
    requests.wait_for_load_state()
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED
    assert loads(requests) <= 3


def test_a_draft_keeps_itself_while_it_is_written(
    requests: Page, live_server: LiveServer, liaison: User
) -> None:
    make(liaison, "A1-01")
    log_in(requests, live_server.url, "liaison")
    requests.goto(f"{live_server.url}/my/")
    with requests.expect_navigation():
        requests.click("td.do a")
    requests.fill("[name=progress]", "写了一半")
    requests.locator("[data-say]:not(:empty)").wait_for()
    report = ProgressUpdate.objects.get()
    assert (report.progress, report.state) == ("写了一半", ReportState.DRAFT)
    # Written on in the same window: no conflict with itself.
    requests.fill("[name=percent]", "10")
    requests.fill("[name=progress]", "写完了")
    with requests.expect_navigation():
        requests.click("[name=submit]")
    requests.wait_for_load_state()
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED


def test_a_supervisor_accepts_fifty_reports_in_sixty_requests(
    requests: Page, live_server: LiveServer, liaison: User
) -> None:
    act = ChangeContext(liaison, ChangeSource.PAGE)
    for number in range(1, 51):
        task = make(liaison, f"A1-{number:02}")
        report = workflow.open_report(task, liaison.organization, period_of("monthly", today()))
        report.progress, report.percent = f"第{number}项已完成", 50
        workflow.save_draft(report, act, today=today())
        workflow.submit(report, act, today())
    User.objects.create_user("office", password=PASSWORD, is_supervisor=True)
    log_in(requests, live_server.url)
    requests.asked.clear()  # type: ignore[attr-defined]
    requests.goto(f"{live_server.url}/review/")
    requests.click("[name=all]")
    with requests.expect_navigation():
        requests.click("[name=confirm]")
    requests.wait_for_load_state()
    assert ProgressUpdate.objects.filter(state=ReportState.ACCEPTED).count() == 50
    assert len(requests.asked) <= 60  # type: ignore[attr-defined]


COVERED = """() => [...document.querySelectorAll("main p")].filter(p => {
    const box = p.getBoundingClientRect();
    return !p.contains(document.elementFromPoint(box.left + 5, box.top + box.height / 2));
}).map(p => p.textContent)"""


@pytest.mark.parametrize("state", [jobs.JOB_RUNNING, jobs.JOB_DONE, jobs.JOB_FAILED])
def test_no_line_of_a_page_of_long_work_covers_another(
    requests: Page,
    live_server: LiveServer,
    liaison: User,
    settings: Any,
    tmp_path: Path,
    state: str,
) -> None:
    settings.WORKING_DIR = tmp_path
    facts = {
        "file_name": "back.xlsx",
        "read_by": liaison,
        "unit": liaison.organization,
        "read_at": now(),
    }
    batch = ImportBatch.objects.create(kind=BatchKind.PROGRESS, rows=[], **facts)
    names = (f"export-{liaison.pk}-abc", f"import-{batch.pk}")
    with ExitStack() as held:
        for name in names:
            if state == jobs.JOB_RUNNING:
                held.enter_context(jobs._take_lock(name) or nullcontext())
            about = {"file": "marked.xlsx", "address": "/imports/"}
            jobs._write(name, jobs.JobProgress(state, 3, 9, words="words of the end", about=about))
        log_in(requests, live_server.url, "liaison")
        for address in (f"/work/{names[0]}/", f"/imports/{batch.pk}/progress/"):
            requests.goto(f"{live_server.url}{address}")
            assert requests.locator("main p").count() > 1
            assert requests.evaluate(COVERED) == []
