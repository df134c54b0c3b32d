"""A button pressed twice, or pressed on an old page, has one effect and says so."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import Kind, ReportState
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.workflow import ChangeContext

MAY, JUNE = "2026-05-01", "2026-06-01"


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    """Hand a task over in April; May and June are owed, April is reported and accepted."""
    return make_task(
        policy,
        kind=Kind.QUALITATIVE,
        deadline=dt.date(2026, 12, 31),
        lead_unit=bureau,
        assigned_on=dt.date(2026, 4, 1),
        owed_from=dt.date(2026, 4, 1),
    )


@pytest.fixture
def unit(client: Client, liaison: User) -> Client:
    client.force_login(liaison)
    return client


@pytest.fixture
def desk(supervisor: User) -> Client:
    client = Client()
    client.force_login(supervisor)
    return client


def report_page(task: Task, start: str = "") -> str:
    return reverse("report", args=["rise", task.code]) + (f"?period={start}" if start else "")


def hidden(client: Client, address: str, button: str) -> dict[str, Any]:
    """Return what the form of a button on a page sends beside what is typed."""
    return forms_of(client.get(address).content.decode())[button]


def forms_of(html: str) -> dict[str, dict[str, Any]]:
    """Return the hidden fields of each form of a page, by the name of each of its buttons."""
    from html.parser import HTMLParser

    found: dict[str, dict[str, Any]] = {}

    class Forms(HTMLParser):
        fields: dict[str, Any]
        inside = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            known = dict(attrs)
            if tag == "form":
                self.fields, self.inside = {}, True
            elif tag == "input" and known.get("type") == "hidden" and self.inside:
                self.fields[str(known["name"])] = known.get("value") or ""
            elif tag == "button" and self.inside and known.get("name"):
                found[str(known["name"])] = self.fields

    Forms().feed(html)
    return found


def messages_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def accepted(
    task: Task,
    act: ChangeContext,
    unit_act: ChangeContext,
    start: dt.date = dt.date(2026, 4, 1),
    **said: Any,
) -> ProgressUpdate:
    """Hand a report of a month in and accept it."""
    from tracker.domain.dates import period_of

    stored = Task.objects.get(pk=task.pk)
    report = workflow.open_report(stored, stored.lead_unit, period_of("monthly", start))  # type: ignore[arg-type]
    for name, value in {"progress": "the ground is bought", **said}.items():
        setattr(report, name, value)
    workflow.save_draft(report, unit_act, report.version if report.pk else None, today=TODAY)
    workflow.submit(report, unit_act, dt.date(2026, 5, 3))
    report = ProgressUpdate.objects.get(pk=report.pk)
    workflow.accept(report, act, report.version, TODAY)
    return ProgressUpdate.objects.get(pk=report.pk)


def filed() -> list[str]:
    found = ProgressUpdate.objects.filter(state=ReportState.SUBMITTED).order_by("period_start")
    return [f"{report.period_start}" for report in found]


def test_no_change_hands_in_the_period_that_the_page_showed(
    unit: Client, task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    accepted(task, act, unit_act)
    page = report_page(task, JUNE)
    unit.post(page, {**hidden(unit, page, "unchanged"), "unchanged": "1"})
    assert filed() == [JUNE]


def test_no_change_pressed_twice_hands_in_one_period(
    unit: Client, task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    accepted(task, act, unit_act)
    page = report_page(task, MAY)
    sent = {**hidden(unit, page, "unchanged"), "unchanged": "1"}
    unit.post(page, sent)
    answer = unit.post(page, sent, follow=True)
    assert filed() == [MAY]
    assert "未重复提交" in messages_of(answer)


def test_no_change_of_an_old_page_adds_nothing_after_the_acceptance(
    unit: Client, task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    accepted(task, act, unit_act)
    page = report_page(task, JUNE)
    sent = {**hidden(unit, page, "unchanged"), "unchanged": "1"}
    unit.post(page, sent)
    report = ProgressUpdate.objects.get(state=ReportState.SUBMITTED)
    workflow.accept(report, act, report.version, TODAY)
    unit.post(page, sent)
    assert ProgressUpdate.objects.filter(period_start=JUNE).count() == 1
