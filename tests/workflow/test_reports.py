"""Progress reports: drafts, what they must say, the review, and what the task says afterwards."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain import lights
from tracker.domain.choices import ChangeSource, Cycle, Kind, ReportState
from tracker.domain.dates import Period, period_of
from tracker.models import (
    ChecklistItem,
    Evidence,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.workflow import ChangeContext, StaleVersion

JUNE = period_of(Cycle.MONTHLY, TODAY)
MAY = period_of(Cycle.MONTHLY, dt.date(2026, 5, 1))
JULY_5 = dt.date(2026, 7, 5)


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization, county: Organization) -> Task:
    task = make_task(
        policy,
        kind=Kind.QUANTIFIED,
        deadline=dt.date(2026, 12, 31),
        lead_unit=bureau,
        assigned_on=dt.date(2026, 5, 1),
        owed_from=dt.date(2026, 5, 1),
        status="not_started",
    )
    task.co_units.add(county)
    return task


@pytest.fixture
def helper(county: Organization) -> User:
    return User.objects.create_user("helper", is_liaison=True, organization=county)


def write(
    task: Task,
    act: ChangeContext,
    period: Period = JUNE,
    unit: Organization | None = None,
    **said: Any,
) -> ProgressUpdate:
    """Save a draft that says enough to be handed in."""
    report = workflow.open_report(Task.objects.get(pk=task.pk), unit or task.lead_unit, period)
    own = workflow.has_own_percent(task) and not report.contribution
    for name, value in {"progress": "built a road", "percent": 40 if own else None, **said}.items():
        setattr(report, name, value)
    workflow.save_draft(report, act, report.version if report.pk else None, today=TODAY)
    return report


def hand_in(
    task: Task, act: ChangeContext, period: Period = JUNE, today: dt.date = TODAY, **said: Any
) -> ProgressUpdate:
    report = write(task, act, period, **said)
    workflow.submit(report, act, today)
    return ProgressUpdate.objects.get(pk=report.pk)


def accepted(
    task: Task, act: ChangeContext, office: ChangeContext, period: Period = JUNE, **said: Any
) -> ProgressUpdate:
    report = hand_in(task, act, period, **said)
    workflow.accept(report, office, report.version, TODAY)
    return ProgressUpdate.objects.get(pk=report.pk)


def stored() -> Task:
    return Task.objects.get()


def faults(report: ProgressUpdate, act: ChangeContext, today: dt.date = TODAY) -> set[str]:
    """Hand a report in and return the fields at fault."""
    with pytest.raises(ValidationError) as caught:
        workflow.submit(report, act, today)
    return set(caught.value.message_dict)


def test_a_draft_changes_nothing_of_the_task(task: Task, unit_act: ChangeContext) -> None:
    before = Task.objects.values().get()
    write(task, unit_act)
    assert Task.objects.values().get() == before


def test_a_draft_is_in_no_history(task: Task, unit_act: ChangeContext) -> None:
    write(task, unit_act)
    assert ProgressUpdate.history.count() == 0


def test_a_draft_is_found_again(task: Task, unit_act: ChangeContext) -> None:
    report = write(task, unit_act)
    assert workflow.open_report(task, task.lead_unit, JUNE) == report


def test_a_draft_that_another_window_has_saved_is_stale(
    task: Task, unit_act: ChangeContext
) -> None:
    report = write(task, unit_act)
    workflow.save_draft(report, unit_act, 1, today=TODAY)
    with pytest.raises(StaleVersion):
        workflow.save_draft(report, unit_act, 1, today=TODAY)


def test_a_second_draft_of_a_period_finds_the_first(task: Task, unit_act: ChangeContext) -> None:
    second = workflow.open_report(task, task.lead_unit, JUNE)
    write(task, unit_act)
    with pytest.raises(StaleVersion):
        workflow.save_draft(second, unit_act, today=TODAY)


@pytest.mark.parametrize("who", ["leader", "administrator", "helper"])
def test_nobody_else_writes_the_lead_units_report(
    task: Task, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(PermissionDenied):
        write(task, ChangeContext(request.getfixturevalue(who), ChangeSource.PAGE))


def test_a_report_handed_in_starts_the_task(task: Task, unit_act: ChangeContext) -> None:
    hand_in(task, unit_act)
    assert stored().status == "in_progress"


def test_a_report_handed_in_counts_as_reported(task: Task, unit_act: ChangeContext) -> None:
    hand_in(task, unit_act)
    assert stored().reported_through == JUNE.end


def test_a_report_handed_in_moves_the_turning_dates(task: Task, unit_act: ChangeContext) -> None:
    before = task.turns_yellow_on
    hand_in(task, unit_act)
    assert stored().turns_yellow_on > before


def test_a_report_handed_in_leaves_the_percent_alone(task: Task, unit_act: ChangeContext) -> None:
    hand_in(task, unit_act, percent=60)
    assert (stored().percent, stored().latest_report) == (0, None)


def test_a_report_says_who_and_when(task: Task, unit_act: ChangeContext, liaison: User) -> None:
    report = hand_in(task, unit_act)
    assert (report.submitted_by, report.submitted_on) == (liaison, TODAY)


def test_a_report_is_handed_in_once(task: Task, unit_act: ChangeContext) -> None:
    report = hand_in(task, unit_act)
    with pytest.raises(ValidationError):
        workflow.submit(report, unit_act, TODAY)
    assert ProgressUpdate.history.count() == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"progress": " \n"}, "progress"),
        ({"percent": None}, "percent"),
        ({"needs_help": True}, "help_addressee"),
    ],
)
def test_what_a_report_lacks_is_said_beside_its_field(
    task: Task, unit_act: ChangeContext, said: Any, field: str
) -> None:
    assert faults(write(task, unit_act, **said), unit_act) == {field}


@pytest.mark.parametrize("kind", [Kind.QUALITATIVE, Kind.STANDING])
def test_a_task_without_a_percent_reports_none(
    task: Task, unit_act: ChangeContext, kind: Kind
) -> None:
    deadline = None if kind == Kind.STANDING else task.deadline
    Task.objects.update(kind=kind, deadline=deadline, original_deadline=deadline)
    assert faults(write(task, unit_act, percent=10), unit_act) == {"percent"}


def test_a_checklist_takes_the_percent_out_of_the_report(
    task: Task, unit_act: ChangeContext
) -> None:
    ChecklistItem.objects.create(task=task, number=1, title="Step")
    assert faults(write(task, unit_act, percent=10), unit_act) == {"percent"}


def test_the_periods_to_report_are_every_owed_one_that_has_ended_and_the_one_under_way(
    task: Task,
) -> None:
    later = [MAY, JUNE, JUNE.next(), JUNE.next().next()]
    assert lights.reportable(task, task.policy, dt.date(2026, 8, 15)) == later
    assert lights.reportable(task, task.policy, TODAY) == [MAY, JUNE]


def test_a_period_that_was_reported_is_not_offered_again(
    task: Task, unit_act: ChangeContext
) -> None:
    hand_in(task, unit_act, MAY)
    assert lights.reportable(stored(), task.policy, TODAY) == [JUNE]


def test_without_a_cycle_a_report_is_welcome_for_the_month(task: Task) -> None:
    task.policy.cycle = Cycle.NONE
    assert lights.reportable(task, task.policy, TODAY) == [JUNE]


def test_a_draft_of_a_period_that_is_no_longer_owed_is_not_handed_in(
    task: Task, unit_act: ChangeContext
) -> None:
    report = write(task, unit_act, MAY)
    hand_in(task, unit_act, JUNE)
    assert faults(report, unit_act, dt.date(2026, 7, 1)) == {"period"}


def test_acceptance_gives_the_task_its_percent_and_texts(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = accepted(task, unit_act, act, percent=60)
    assert (stored().percent, stored().latest_report) == (60, report)


def test_the_latest_period_accepted_counts_whatever_the_order_of_the_review(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    earlier = hand_in(task, unit_act, MAY, percent=30)
    later = accepted(task, unit_act, act, JUNE, percent=60)
    workflow.accept(earlier, act, earlier.version, TODAY)
    assert (stored().percent, stored().latest_report) == (60, later)


def test_a_second_report_of_a_period_may_follow_an_accepted_one(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    accepted(task, unit_act, act, percent=60)
    accepted(task, unit_act, act, percent=70)
    assert stored().percent == 70


def test_a_returned_report_counts_as_unreported_again(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = hand_in(task, unit_act)
    workflow.send_back(report, act, report.version, "too short", TODAY)
    assert stored().reported_through is None


def test_a_report_is_returned_with_a_reason(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = hand_in(task, unit_act)
    with pytest.raises(ValidationError):
        workflow.send_back(report, act, report.version, "  ", TODAY)


def test_a_returned_report_is_written_on_and_handed_in_again_even_late(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = hand_in(task, unit_act, MAY)
    workflow.send_back(report, act, report.version, "too short", TODAY)
    again = write(task, unit_act, MAY, progress="built two roads")
    workflow.submit(again, unit_act, dt.date(2026, 9, 1))
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED


def test_a_report_that_was_taken_back_cannot_be_accepted(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = hand_in(task, unit_act)
    workflow.withdraw(report, unit_act, TODAY)
    with pytest.raises(ValidationError):
        workflow.accept(report, act, report.version, TODAY)


def test_a_report_that_changed_since_it_was_shown_is_not_accepted(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = hand_in(task, unit_act)
    workflow.withdraw(report, unit_act, TODAY)
    again = write(task, unit_act, progress="something else")
    workflow.submit(again, unit_act, TODAY)
    with pytest.raises(StaleVersion):
        workflow.accept(report, act, report.version, TODAY)


def test_a_second_acceptance_changes_nothing(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = accepted(task, unit_act, act)
    before = ProgressUpdate.history.count()
    with pytest.raises(ValidationError):
        workflow.accept(report, act, report.version, TODAY)
    assert ProgressUpdate.history.count() == before


@pytest.mark.parametrize(("reason", "allowed"), [("", False), ("counted twice", True)])
def test_an_accepted_percent_falls_with_a_reason_only(
    task: Task, unit_act: ChangeContext, act: ChangeContext, reason: str, allowed: bool
) -> None:
    accepted(task, unit_act, act, MAY, percent=60)
    report = write(task, unit_act, percent=50, fall_reason=reason)
    if allowed:
        workflow.submit(report, unit_act, TODAY)
    else:
        assert faults(report, unit_act) == {"fall_reason"}


def test_a_co_operating_unit_contributes_beside_the_lead_unit(
    task: Task, unit_act: ChangeContext, helper: User, county: Organization
) -> None:
    mine = write(task, ChangeContext(helper, ChangeSource.PAGE), unit=county)
    workflow.submit(mine, ChangeContext(helper, ChangeSource.PAGE), TODAY)
    assert (stored().reported_through, ProgressUpdate.objects.get().contribution) == (None, True)


def unchanged(period: Period, act: ChangeContext, today: dt.date = TODAY) -> ProgressUpdate:
    """Report for the unit of the task that nothing has changed in a period."""
    task = stored()
    report = workflow.open_report(task, task.lead_unit, period)  # type: ignore[arg-type]
    workflow.submit_unchanged(report, act, today)
    return report


def test_no_change_takes_over_the_words_of_the_last_report(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    accepted(task, unit_act, act, MAY, progress="the road is open", percent=45)
    report = unchanged(JUNE, unit_act)
    found = ProgressUpdate.objects.get(pk=report.pk)
    assert (found.progress, found.percent, found.unchanged, found.period_start) == (
        "the road is open", 45, True, JUNE.start,
    )  # fmt: skip


def test_no_change_needs_an_earlier_report(task: Task, unit_act: ChangeContext) -> None:
    with pytest.raises(ValidationError):
        unchanged(JUNE, unit_act)


def test_no_change_is_reported_twice_in_a_row_at_most(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    accepted(task, unit_act, act, MAY, percent=45)
    for period in (JUNE, JUNE.next()):
        unchanged(period, unit_act, period.end)
    with pytest.raises(ValidationError):
        unchanged(JUNE.next().next(), unit_act, JUNE.next().next().end)


def test_a_call_for_help_is_answered_once(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = hand_in(task, unit_act, needs_help=True, help_addressee="the finance bureau")
    workflow.answer_help(report, act, "money comes", TODAY)
    assert ProgressUpdate.objects.get().help_answered_on == TODAY
    with pytest.raises(ValidationError):
        workflow.answer_help(report, act, "again", TODAY)


def test_calls_for_help_wait_until_they_are_answered(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = hand_in(task, unit_act, needs_help=True, help_addressee="the finance bureau")
    assert list(ProgressUpdate.objects.asking_for_help()) == [report]
    workflow.answer_help(report, act, "money comes", TODAY)
    assert list(ProgressUpdate.objects.asking_for_help()) == []


def test_evidence_comes_with_a_draft_and_counts_for_its_report(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = write(task, unit_act)
    proof = Evidence(name="photo", link="https://example.cn/photo")
    workflow.save_draft(report, unit_act, report.version, evidence=[proof], today=TODAY)
    workflow.submit(report, unit_act, TODAY)
    found = ProgressUpdate.objects.get()
    workflow.accept(found, act, found.version, TODAY)
    assert list(stored().latest_report.evidence.all()) == [proof]


def test_the_percent_follows_the_report_and_not_an_edit(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    accepted(task, unit_act, act, percent=60)
    found = stored()
    found.percent = 99
    workflow.save_task(found, act, found.version, today=TODAY)
    assert stored().percent == 60


def test_owing_are_the_tasks_with_no_report_for_the_period_under_way(
    task: Task, unit_act: ChangeContext
) -> None:
    assert list(Task.objects.owing(TODAY)) == [task]
    hand_in(task, unit_act)
    assert list(Task.objects.owing(TODAY)) == []


def test_a_leader_reviews_nothing(task: Task, unit_act: ChangeContext, leader: User) -> None:
    report = hand_in(task, unit_act)
    with pytest.raises(PermissionDenied):
        workflow.accept(report, ChangeContext(leader, ChangeSource.PAGE), report.version, TODAY)


def test_reports_of_another_policy_do_not_count(task: Task, unit_act: ChangeContext) -> None:
    other = make_task(
        make_policy("other"), lead_unit=task.lead_unit, assigned_on=TODAY, owed_from=TODAY
    )
    hand_in(other, unit_act)
    assert Task.objects.get(pk=task.pk).reported_through is None


@pytest.mark.parametrize("cycle", [Cycle.QUARTERLY, Cycle.WEEKLY, Cycle.NONE])
def test_another_cycle_renames_no_report(
    task: Task, unit_act: ChangeContext, act: ChangeContext, cycle: Cycle
) -> None:
    report = hand_in(task, unit_act, MAY)
    policy = PolicyDocument.objects.get()
    policy.cycle = cycle
    workflow.save_object(policy, act, policy.version)
    assert ProgressUpdate.objects.get(pk=report.pk).period.name(TODAY) == MAY.name(TODAY)


def test_a_month_and_the_quarter_that_begins_with_it_have_a_report_each(
    task: Task, unit_act: ChangeContext
) -> None:
    april = write(task, unit_act, period_of(Cycle.MONTHLY, dt.date(2026, 4, 1)))
    quarter = workflow.open_report(
        task, april.unit, period_of(Cycle.QUARTERLY, dt.date(2026, 4, 1))
    )
    workflow.save_draft(quarter, unit_act, today=TODAY)
    assert [report.period.cycle for report in ProgressUpdate.objects.order_by("pk")] == [
        Cycle.MONTHLY,
        Cycle.QUARTERLY,
    ]
