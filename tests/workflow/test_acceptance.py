"""An acceptance is taken back.

By whom, until when, and what becomes of the task and of its indicators.
"""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, ReportState, Status
from tracker.domain.dates import Period, period_of
from tracker.models import (
    Indicator,
    IndicatorValue,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.workflow import ChangeContext

MAY, JUNE = period_of("monthly", dt.date(2026, 5, 1)), period_of("monthly", TODAY)


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    return make_task(
        policy,
        kind=Kind.QUANTIFIED,
        start=dt.date(2026, 1, 1),
        deadline=dt.date(2026, 12, 31),
        percent=20,
        lead_unit=bureau,
        assigned_on=dt.date(2026, 5, 1),
        owed_from=dt.date(2026, 5, 1),
    )


def hand_in(
    task: Task, unit_act: ChangeContext, period: Period, percent: int | None = None, **said: object
) -> ProgressUpdate:
    stored = Task.objects.get(pk=task.pk)
    report = workflow.open_report(stored, stored.lead_unit, period)  # type: ignore[arg-type]
    report.progress, report.percent = f"done in {period.start}", percent
    for name, value in said.items():
        setattr(report, name, value)
    workflow.save_draft(report, unit_act, report.version if report.pk else None, today=TODAY)
    workflow.submit(report, unit_act, TODAY)
    return ProgressUpdate.objects.get(pk=report.pk)


def accept(
    task: Task,
    act: ChangeContext,
    unit_act: ChangeContext,
    period: Period,
    percent: int | None = None,
    **said: object,
) -> int:
    report = hand_in(task, unit_act, period, percent, **said)
    workflow.accept(report, act, report.version, TODAY)
    return report.pk


def withdraw(key: int, act: ChangeContext, reason: str = "pressed by mistake") -> None:
    report = ProgressUpdate.objects.get(pk=key)
    workflow.withdraw_acceptance(report, act, report.version, reason, TODAY)


def stored() -> Task:
    return Task.objects.get()


def test_the_report_waits_again(task: Task, act: ChangeContext, unit_act: ChangeContext) -> None:
    withdraw(accept(task, act, unit_act, MAY, 40), act)
    report = ProgressUpdate.objects.waiting().get()
    assert (report.reviewed_by, report.reviewed_on) == (None, None)


def test_the_task_has_the_percent_from_before_the_acceptance(
    task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    withdraw(accept(task, act, unit_act, MAY, 40), act)
    assert (stored().percent, stored().latest_report) == (20, None)


def test_the_earlier_accepted_report_counts_again(
    task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    earlier = accept(task, act, unit_act, MAY, 40)
    withdraw(accept(task, act, unit_act, JUNE, 60), act)
    assert (stored().percent, stored().latest_report_id) == (40, earlier)


def test_the_turning_dates_are_derived_anew(
    task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    before = workflow.open_report(task, task.lead_unit, MAY).task.turns_red_on  # type: ignore[arg-type]
    key = accept(task, act, unit_act, MAY, 90)
    assert stored().turns_red_on != before
    withdraw(key, act)
    waiting = stored()
    waiting.reported_through = None
    workflow.derive_task(waiting, [])
    assert waiting.turns_red_on == before


def test_the_period_still_counts_as_reported_while_the_report_waits(
    task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    withdraw(accept(task, act, unit_act, MAY, 40), act)
    assert stored().reported_through == MAY.end


def test_it_asks_for_a_reason(task: Task, act: ChangeContext, unit_act: ChangeContext) -> None:
    with pytest.raises(ValidationError) as caught:
        withdraw(accept(task, act, unit_act, MAY, 40), act, " ")
    assert set(caught.value.message_dict) == {"reason"}


def test_the_history_tells_who_and_why(
    task: Task, act: ChangeContext, unit_act: ChangeContext, supervisor: User
) -> None:
    key = accept(task, act, unit_act, MAY, 40)
    withdraw(key, act)
    row = ProgressUpdate.history.filter(id=key).latest("history_id")
    assert (row.history_user, row.history_change_reason) == (supervisor, "pressed by mistake")


def test_a_later_accepted_report_ends_it(
    task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    earlier = accept(task, act, unit_act, MAY, 40)
    accept(task, act, unit_act, JUNE, 60)
    with pytest.raises(ValidationError):
        withdraw(earlier, act)


@pytest.mark.parametrize("status", [Status.CLOSING, Status.CLOSED, Status.CANCELLED])
def test_a_task_that_is_closing_or_at_its_end_keeps_its_acceptance(
    task: Task, act: ChangeContext, unit_act: ChangeContext, status: Status
) -> None:
    key = accept(task, act, unit_act, MAY, 40)
    days = {Status.CLOSING: {"closing_requested_on": TODAY}, Status.CLOSED: {"closed_on": TODAY}}
    Task.objects.update(status=status, **days.get(status, {}))
    with pytest.raises(ValidationError):
        withdraw(key, act)


def test_taken_back_twice_it_is_taken_back_once(
    task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    key = accept(task, act, unit_act, MAY, 40)
    withdraw(key, act)
    with pytest.raises(ValidationError):
        withdraw(key, act)


@pytest.mark.parametrize("who", ["leader", "administrator", "liaison"])
def test_nobody_but_a_supervisor_takes_an_acceptance_back(
    task: Task,
    act: ChangeContext,
    unit_act: ChangeContext,
    who: str,
    request: pytest.FixtureRequest,
) -> None:
    key = accept(task, act, unit_act, MAY, 40)
    with pytest.raises(PermissionDenied):
        withdraw(key, ChangeContext(request.getfixturevalue(who), ChangeSource.PAGE))


def test_a_report_that_its_unit_has_followed_up_gives_way_to_the_new_one(
    task: Task, act: ChangeContext, unit_act: ChangeContext
) -> None:
    key = accept(task, act, unit_act, JUNE, 40)
    later = hand_in(task, unit_act, JUNE, 45)
    withdraw(key, act)
    assert ProgressUpdate.objects.get(pk=key).state == ReportState.SUPERSEDED
    assert list(ProgressUpdate.objects.waiting()) == [later]


def test_a_report_accepted_by_an_older_version_takes_the_percent_from_the_history(
    task: Task, act: ChangeContext, unit_act: ChangeContext, time_machine: object
) -> None:
    time_machine.move_to(dt.datetime(2026, 6, 15, 1, 0, 1, tzinfo=dt.UTC), tick=True)  # type: ignore[attr-defined]
    key = accept(task, act, unit_act, MAY, 40)
    ProgressUpdate.objects.update(percent_before=None)
    withdraw(key, act)
    assert stored().percent == 20


@pytest.fixture
def indicator(task: Task) -> Indicator:
    task.indicators.create(
        order=1, name="Roads", unit_of_measure="km", baseline=0, target=100, drives_percent=True
    )
    workflow.refresh_tasks([task.policy_id])
    return Indicator.objects.get()


def figure(indicator: Indicator, value: int) -> list[dict[str, object]]:
    return [indicator.figure(Decimal(value))]


def test_the_value_of_an_indicator_goes_with_the_acceptance(
    task: Task, indicator: Indicator, act: ChangeContext, unit_act: ChangeContext
) -> None:
    withdraw(accept(task, act, unit_act, MAY, figures=figure(indicator, 30)), act)
    assert not IndicatorValue.objects.exists()
    assert stored().percent == 0


def test_a_value_that_was_there_before_is_set_again(
    task: Task, indicator: Indicator, act: ChangeContext, unit_act: ChangeContext
) -> None:
    workflow.save_values(
        indicator, act, None, [IndicatorValue(day=MAY.end, value=Decimal(10))], today=TODAY
    )
    withdraw(accept(task, act, unit_act, MAY, figures=figure(indicator, 30)), act)
    assert IndicatorValue.objects.get().value == 10


def test_a_value_that_the_office_has_corrected_since_stays(
    task: Task, indicator: Indicator, act: ChangeContext, unit_act: ChangeContext
) -> None:
    key = accept(task, act, unit_act, MAY, figures=figure(indicator, 30))
    value = IndicatorValue.objects.get()
    value.value = Decimal(35)
    workflow.save_values(Indicator.objects.get(), act, None, [value], today=TODAY)
    withdraw(key, act)
    assert IndicatorValue.objects.get().value == 35


def test_the_page_of_an_accepted_report_takes_the_acceptance_back(
    client: Client, task: Task, act: ChangeContext, unit_act: ChangeContext, supervisor: User
) -> None:
    key = accept(task, act, unit_act, MAY, 40)
    client.force_login(supervisor)
    page = reverse("review", args=[key])
    assert page in client.get(task.get_absolute_url()).content.decode()
    version = ProgressUpdate.objects.get().version
    client.post(page, {"withdraw_acceptance": "1", "seen": version, "reason": "a slip"})
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED
