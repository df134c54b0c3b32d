"""A change of the lead unit: the new lead can report, the former lead loses nothing."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from tests.conftest import TODAY
from tests.excel.conftest import fill, fresh, landed, sent
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, ReportState
from tracker.domain.dates import Period, now, period_of
from tracker.excel import progress_import
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.workflow import ChangeContext

JUNE = period_of("monthly", TODAY)


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization, county: Organization) -> Task:
    """Hand a task over to the bureau; the county co-operates."""
    task = make_task(
        policy,
        kind=Kind.QUANTIFIED,
        deadline=dt.date(2026, 12, 31),
        lead_unit=bureau,
        assigned_on=dt.date(2026, 6, 1),
        owed_from=dt.date(2026, 6, 1),
    )
    task.co_units.add(county)
    return task


@pytest.fixture
def helper(county: Organization) -> User:
    return User.objects.create_user("helper", is_liaison=True, organization=county)


def write(
    task: Task, user: User, period: Period = JUNE, percent: int | None = None, words: str = ""
) -> ProgressUpdate:
    """Save a draft of the unit of an account."""
    unit = user.organization
    assert unit
    report = workflow.open_report(Task.objects.get(pk=task.pk), unit, period)
    report.progress, report.percent = words or f"words of {unit}", percent
    workflow.save_draft(
        report,
        ChangeContext(user, ChangeSource.PAGE),
        report.version if report.pk else None,
        today=TODAY,
    )
    return report


def send(task: Task, user: User, percent: int | None = None, words: str = "") -> ProgressUpdate:
    report = write(task, user, percent=percent, words=words)
    workflow.submit(report, ChangeContext(user, ChangeSource.PAGE), TODAY)
    return ProgressUpdate.objects.get(pk=report.pk)


def change_lead(task: Task, act: ChangeContext, lead: Organization, *helping: Organization) -> None:
    """Let another unit lead, as the office does on the page of the task."""
    stored = Task.objects.get(pk=task.pk)
    stored.lead_unit = lead
    workflow.save_task(stored, act, stored.version, co_units=helping, today=TODAY)


def press(user: User, task: Task, **said: str) -> int:
    """Send the report form of a task, and return the status of the answer."""
    client = Client()
    client.force_login(user)
    return client.post(
        reverse("report", args=["rise", task.code]), {"submit": "1", "seen": "", **said}
    ).status_code


def test_a_new_lead_that_has_begun_a_contribution_sends_the_report_of_the_task(
    task: Task, act: ChangeContext, helper: User, county: Organization
) -> None:
    write(task, helper)
    change_lead(task, act, county)
    assert press(helper, task, seen="1", progress="we lead now", percent="10") == 302
    assert ProgressUpdate.objects.standing().get().progress == "we lead now"


def test_a_new_lead_that_has_filed_a_contribution_sends_the_report_of_the_task(
    task: Task, act: ChangeContext, helper: User, county: Organization
) -> None:
    send(task, helper)
    change_lead(task, act, county)
    assert press(helper, task, progress="we lead now", percent="10") == 302
    assert ProgressUpdate.objects.standing().get().progress == "we lead now"


def test_a_former_leads_draft_does_not_stop_its_contribution(
    task: Task, act: ChangeContext, liaison: User, bureau: Organization, county: Organization
) -> None:
    write(task, liaison, percent=30)
    change_lead(task, act, county, bureau)
    assert press(liaison, task, seen="1", progress="we help now") == 302
    assert ProgressUpdate.objects.get(contribution=True).progress == "we help now"


def test_a_filed_contribution_stays_as_it_was_said(
    task: Task, act: ChangeContext, helper: User, county: Organization
) -> None:
    filed = send(task, helper, words="we lent the trucks")
    change_lead(task, act, county)
    send(task, helper, percent=10, words="we lead now")
    assert list(ProgressUpdate.objects.filter(contribution=True)) == [filed]


def test_a_former_lead_that_takes_no_part_any_more_keeps_its_draft_to_copy_from(
    task: Task, act: ChangeContext, liaison: User, county: Organization
) -> None:
    write(task, liaison, percent=30, words="half of it is paved")
    change_lead(task, act, county)
    client = Client()
    client.force_login(liaison)
    assert "half of it is paved" in client.get(reverse("my")).content.decode()


def test_a_draft_that_was_left_is_shown_to_its_unit_alone(
    task: Task, act: ChangeContext, liaison: User, helper: User, county: Organization
) -> None:
    write(task, liaison, percent=30, words="half of it is paved")
    change_lead(task, act, county)
    client = Client()
    client.force_login(helper)
    for page in (
        reverse("my"),
        reverse("report", args=["rise", task.code]),
        task.get_absolute_url(),
    ):
        assert "half of it is paved" not in client.get(page).content.decode()


def test_the_percent_of_a_former_leads_draft_does_not_stop_its_contribution(
    task: Task, act: ChangeContext, liaison: User, bureau: Organization, county: Organization
) -> None:
    write(task, liaison, percent=30)
    change_lead(task, act, county, bureau)
    press(liaison, task, seen="1", progress="we help now")
    assert ProgressUpdate.objects.get(state=ReportState.SUBMITTED).percent is None


def test_a_report_that_the_former_lead_has_filed_still_waits_for_the_office(
    task: Task, act: ChangeContext, liaison: User, county: Organization
) -> None:
    filed = send(task, liaison, percent=30)
    change_lead(task, act, county)
    assert list(ProgressUpdate.objects.waiting()) == [filed]


def test_a_report_that_was_returned_to_the_former_lead_does_not_stop_the_new_one(
    task: Task,
    act: ChangeContext,
    liaison: User,
    helper: User,
    bureau: Organization,
    county: Organization,
) -> None:
    filed = send(task, liaison, percent=30)
    workflow.send_back(filed, act, filed.version, "too short", TODAY)
    change_lead(task, act, county, bureau)
    assert press(helper, task, progress="we lead now", percent="10") == 302
    assert press(liaison, task, progress="we help now") == 302


def test_a_lead_that_changes_and_comes_back_writes_on_in_its_draft(
    task: Task, act: ChangeContext, liaison: User, bureau: Organization, county: Organization
) -> None:
    write(task, liaison, percent=30, words="begun in May")
    change_lead(task, act, county)
    change_lead(task, act, bureau, county)
    again = workflow.open_report(Task.objects.get(), bureau, JUNE)
    assert (again.progress, again.percent, again.contribution) == ("begun in May", 30, False)


def test_a_form_that_was_opened_in_the_former_role_is_not_sent_in_the_new_one(
    task: Task, act: ChangeContext, liaison: User, bureau: Organization, county: Organization
) -> None:
    change_lead(task, act, county, bureau)
    assert press(liaison, task, role="lead", progress="we lead") == 200
    assert not ProgressUpdate.objects.exists()


def test_a_contribution_is_not_reviewed(task: Task, act: ChangeContext, helper: User) -> None:
    filed = send(task, helper)
    with pytest.raises(ValidationError):
        workflow.accept(filed, act, filed.version, TODAY)


@pytest.fixture
def english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize("filed", [False, True])
def test_a_new_lead_hands_in_by_workbook_what_it_had_begun_as_a_contribution(
    task: Task, act: ChangeContext, helper: User, county: Organization, filed: bool
) -> None:
    (send if filed else write)(task, helper)
    change_lead(task, act, county)
    book = fresh(county)
    fill(book, "A1-01", progress="we lead now", percent_done=0.1)
    landed(sent(book, helper), helper)
    report = ProgressUpdate.objects.standing().get()
    assert (report.progress, report.percent) == ("we lead now", 10)


@pytest.mark.usefixtures("english")
def test_a_task_that_was_given_away_leaves_the_rest_of_a_workbook_good(
    task: Task, act: ChangeContext, liaison: User, bureau: Organization, county: Organization
) -> None:
    facts: dict[str, Any] = {
        "lead_unit": bureau,
        "assigned_on": TODAY,
        "owed_from": dt.date(2026, 6, 1),
    }
    make_task(task.policy, "A1-02", kind=Kind.QUALITATIVE, deadline=dt.date(2026, 12, 31), **facts)
    book = fresh(bureau)
    fill(book, "A1-01", progress="of the task that went", percent_done=0.1)
    fill(book, "A1-02", progress="of the task that stayed")
    change_lead(task, act, county)
    preview = landed(sent(book, liaison), liaison)
    assert [entry.state for entry in preview.entries] == ["moved", "changed"]
    assert ProgressUpdate.objects.get().progress == "of the task that stayed"


@pytest.mark.usefixtures("english")
def test_a_row_of_a_former_lead_names_the_new_one(
    task: Task, act: ChangeContext, liaison: User, bureau: Organization, county: Organization
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", progress="words", percent_done=0.1)
    change_lead(task, act, county, bureau)
    (entry,) = progress_import.preview_progress(sent(book, liaison), liaison, TODAY).entries
    assert "led by East now" in entry.fields[0].now


@pytest.mark.usefixtures("english")
def test_an_import_of_a_former_lead_is_not_undone_by_it_and_says_why(
    task: Task, act: ChangeContext, liaison: User, bureau: Organization, county: Organization
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", progress="words", percent_done=0.1)
    batch = sent(book, liaison)
    landed(batch, liaison)
    change_lead(task, act, county)
    batch.refresh_from_db()
    with pytest.raises(ValidationError):
        workflow.revert_progress(batch, ChangeContext(liaison, ChangeSource.PAGE), now())
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED
