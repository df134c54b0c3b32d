"""A change of the lead unit: the new lead can report, the former lead loses nothing."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.choices import Kind, Way
from tracker.dates import Period, period_of
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.workflow import Act

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


def write(task: Task, user: User, period: Period = JUNE, percent: int | None = None, words: str = "") -> ProgressUpdate:
    """Save a draft of the unit of an account."""
    unit = user.organization
    assert unit
    report = workflow.open_report(Task.objects.get(pk=task.pk), unit, period)
    report.progress, report.percent = words or f"words of {unit}", percent
    workflow.save_draft(report, Act(user, Way.PAGE), report.version if report.pk else None, today=TODAY)
    return report


def send(task: Task, user: User, percent: int | None = None, words: str = "") -> ProgressUpdate:
    report = write(task, user, percent=percent, words=words)
    workflow.submit(report, Act(user, Way.PAGE), TODAY)
    return ProgressUpdate.objects.get(pk=report.pk)


def change_lead(task: Task, act: Act, lead: Organization, *helping: Organization) -> None:
    """Let another unit lead, as the office does on the page of the task."""
    stored = Task.objects.get(pk=task.pk)
    stored.lead_unit = lead
    workflow.save_task(stored, act, stored.version, co_units=helping, today=TODAY)


def press(user: User, task: Task, **said: str) -> int:
    """Send the report form of a task, and return the status of the answer."""
    client = Client()
    client.force_login(user)
    return client.post(reverse("report", args=["rise", task.code]), {"submit": "1", **said}).status_code


def test_a_new_lead_that_has_begun_a_contribution_sends_the_report_of_the_task(
    task: Task, act: Act, helper: User, county: Organization
) -> None:
    write(task, helper)
    change_lead(task, act, county)
    assert press(helper, task, seen="1", progress="we lead now", percent="10") == 302
    assert ProgressUpdate.objects.standing().get().progress == "we lead now"


def test_a_new_lead_that_has_filed_a_contribution_sends_the_report_of_the_task(
    task: Task, act: Act, helper: User, county: Organization
) -> None:
    send(task, helper)
    change_lead(task, act, county)
    assert press(helper, task, progress="we lead now", percent="10") == 302
    assert ProgressUpdate.objects.standing().get().progress == "we lead now"


def test_a_former_leads_draft_does_not_stop_its_contribution(
    task: Task, act: Act, liaison: User, bureau: Organization, county: Organization
) -> None:
    write(task, liaison, percent=30)
    change_lead(task, act, county, bureau)
    assert press(liaison, task, seen="1", progress="we help now") == 302
    assert ProgressUpdate.objects.get(contribution=True).progress == "we help now"
