"""April and the second quarter begin on one day.

A report of one is never taken for one of the other.
"""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.excel.conftest import fill, fresh, headers, landed, row_of, sent
from tracker import workflow
from tracker.domain.choices import ChangeSource, Cycle, ReportState
from tracker.domain.dates import Period
from tracker.excel import progress_import
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.workflow import ChangeContext

APRIL, QUARTER = (
    Period(Cycle.MONTHLY, dt.date(2026, 4, 1)),
    Period(Cycle.QUARTERLY, dt.date(2026, 4, 1)),
)
OFFICE = ChangeContext(None, ChangeSource.COMMAND, "a new cycle")


def write(task: Task, unit: Organization, act: ChangeContext) -> ProgressUpdate:
    """Save a draft of April."""
    report = workflow.open_report(Task.objects.get(pk=task.pk), unit, APRIL)
    report.progress, report.percent = "said of April", None if report.contribution else 10
    workflow.save_draft(report, act, today=TODAY)
    return report


def make_quarterly(policy: PolicyDocument) -> None:
    stored = PolicyDocument.objects.get(pk=policy.pk)
    stored.cycle = Cycle.QUARTERLY
    workflow.save_object(stored, OFFICE)


def said() -> dict[tuple[Any, ...], str]:
    """Return the words of each report by its days and state."""
    rows = ProgressUpdate.objects.values_list("period_start", "period_end", "state", "progress")
    return {(start, end, state): words for start, end, state, words in rows}


def days(period: Period) -> tuple[dt.date, dt.date]:
    return period.start, period.end


@pytest.fixture
def handed_over(handed_over: list[Task]) -> list[Task]:
    """Let reports be owed from April on."""
    Task.objects.update(owed_from=APRIL.start)
    return list(Task.objects.order_by("code"))


@pytest.fixture
def task(
    handed_over: list[Task], policy: PolicyDocument, bureau: Organization, liaison: User
) -> Task:
    """Hand April in by the month; from then on the policy takes its reports by the quarter."""
    report = write(handed_over[0], bureau, ChangeContext(liaison, ChangeSource.PAGE))
    workflow.submit(report, ChangeContext(liaison, ChangeSource.PAGE), TODAY)
    make_quarterly(policy)
    return Task.objects.get(pk=handed_over[0].pk)


def test_a_workbook_of_the_quarter_leaves_the_report_of_april(
    task: Task, bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, task.code, percent_done=0.2, progress="said of the quarter")
    landed(sent(book, liaison), liaison)
    assert said() == {
        (*days(APRIL), ReportState.SUBMITTED): "said of April",
        (*days(QUARTER), ReportState.SUBMITTED): "said of the quarter",
    }


def test_the_page_of_the_quarter_leaves_the_report_of_april(
    task: Task, client: Client, liaison: User
) -> None:
    client.force_login(liaison)
    page = reverse("report", args=["rise", task.code]) + "?period=2026-04-01"
    client.post(
        page, {"progress": "said of the quarter", "percent": "20", "seen": "1", "submit": "1"}
    )
    assert said() == {
        (*days(APRIL), ReportState.SUBMITTED): "said of April",
        (*days(QUARTER), ReportState.SUBMITTED): "said of the quarter",
    }


def test_the_row_of_the_quarter_says_that_it_is_not_reported(
    task: Task, bureau: Organization
) -> None:
    book = fresh(bureau)
    place = headers(book)["this period"]
    assert book["Fill in"].cell(row_of(book, task.code), place).value == "quarter 2\nnot reported"


def test_the_workbook_of_a_contribution_of_the_quarter_leaves_that_of_april(
    handed_over: list[Task], policy: PolicyDocument, county: Organization
) -> None:
    helper = User.objects.create_user("helper", is_liaison=True, organization=county)
    handed_over[0].co_units.add(county)
    report = write(handed_over[0], county, ChangeContext(helper, ChangeSource.PAGE))
    workflow.submit(report, ChangeContext(helper, ChangeSource.PAGE), TODAY)
    make_quarterly(policy)
    book = fresh(county)
    fill(book, "A1-01", progress="said of the quarter")
    landed(sent(book, helper), helper)
    assert said() == {
        (*days(APRIL), ReportState.SUBMITTED): "said of April",
        (*days(QUARTER), ReportState.SUBMITTED): "said of the quarter",
    }


def test_a_workbook_of_april_is_not_taken_for_one_of_the_quarter(
    handed_over: list[Task], policy: PolicyDocument, bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.2, progress="said of April")
    make_quarterly(policy)
    faults = progress_import.preview_progress(sent(book, liaison), liaison, TODAY).faults
    assert [fault.words for fault in faults] == [
        "The period month 4 can no longer be reported; choose the current one."
    ]


def test_a_draft_of_april_is_not_handed_in_as_the_quarter(
    handed_over: list[Task], policy: PolicyDocument, bureau: Organization, liaison: User
) -> None:
    act = ChangeContext(liaison, ChangeSource.PAGE)
    report = write(handed_over[0], bureau, act)
    make_quarterly(policy)
    report.task = Task.objects.get(pk=report.task_id)
    assert set(workflow.missing_in_report(report, report.task, TODAY)) == {"period"}
