"""What a closed task was judged by is fixed, whichever way somebody tries to change it."""

import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import Action, Kind, Light, Rating, Status
from tracker.domain.dates import DAY
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task
from tracker.workflow import ChangeContext

LATE = TODAY - 5 * DAY


@pytest.fixture
def closed(policy: PolicyDocument, bureau: Organization) -> Task:
    """Return a task that was closed five days late."""
    return make_task(
        policy,
        kind=Kind.QUALITATIVE,
        lead_unit=bureau,
        assigned_on=TODAY - 90 * DAY,
        owed_from=TODAY - 90 * DAY,
        start=TODAY - 90 * DAY,
        deadline=TODAY - 10 * DAY,
        status=Status.CLOSED,
        closed_on=LATE,
    )


def light() -> Light:
    return Task.objects.select_related("policy").get().light_on(TODAY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("deadline", TODAY),
        ("original_deadline", TODAY),
        ("closed_on", TODAY - 20 * DAY),
        ("kind", Kind.QUANTIFIED),
        ("start", TODAY - 80 * DAY),
        ("lead_unit", None),
        ("percent", 50),
        ("assigned_on", TODAY - 80 * DAY),
        ("owed_from", TODAY - 80 * DAY),
    ],
)
def test_no_judged_fact_of_a_closed_task_changes(
    closed: Task, county: Organization, act: ChangeContext, name: str, value: Any
) -> None:
    setattr(closed, name, county if name == "lead_unit" else value)
    with pytest.raises(ValidationError) as caught:
        workflow.save_task(closed, act, closed.version, today=TODAY)
    assert (name in caught.value.message_dict, light()) == (True, Light.PURPLE)


def test_a_closed_task_gets_no_cooperating_unit(
    closed: Task, county: Organization, act: ChangeContext
) -> None:
    with pytest.raises(ValidationError):
        workflow.save_task(closed, act, closed.version, co_units=[county], today=TODAY)
    assert not closed.co_units.exists()


def test_a_change_of_the_checklist_moves_no_percent_of_a_closed_task(
    closed: Task, act: ChangeContext
) -> None:
    with pytest.raises(ValidationError):
        workflow.save_task(
            closed,
            act,
            closed.version,
            items=[ChecklistItem(number=1, title="Step", done_on=LATE)],
            today=TODAY,
        )
    assert not ChecklistItem.objects.exists()


def test_the_words_of_a_closed_task_can_still_be_mended(closed: Task, act: ChangeContext) -> None:
    closed.title = "Mended"
    workflow.save_task(closed, act, closed.version, co_units=[], today=TODAY)
    assert Task.objects.get().title == "Mended"


def test_the_bulk_change_of_deadlines_leaves_closed_tasks_alone(
    closed: Task, act: ChangeContext
) -> None:
    outcome = workflow.apply_to_each(
        [(closed, closed.version)],
        lambda task, seen: workflow.set_deadline(task, act, seen, TODAY, TODAY),
    )
    assert (len(outcome.refused), light()) == (1, Light.PURPLE)


def test_a_fixture_overwrites_no_judged_fact_of_a_closed_task(closed: Task, tmp_path: Path) -> None:
    path = tmp_path / "closed.yaml"
    path.write_text(
        "- model: tracker.task\n"
        "  fields: {policy: [rise], measure: [rise, A1], code: A1-01, title: Task, kind: "
        "qualitative,"
        f" lead_unit: [Bureau of Science], assigned_on: {TODAY - 90 * DAY}, owed_from: "
        f"{TODAY - 90 * DAY},"
        f" start: {TODAY - 90 * DAY}, original_deadline: {TODAY}, deadline: {TODAY}, status: "
        f"closed,"
        f" closed_on: {LATE}}}\n"
    )
    with pytest.raises(CommandError):
        call_command("loaddata", str(path), "--force", stdout=StringIO())
    assert light() == Light.PURPLE


def reopen(task: Task, act: ChangeContext) -> Task:
    return workflow.execute_transition(
        task, Action.REOPEN, act, TODAY, reason="a wrong day", deadline=TODAY + 30 * DAY
    )


def close(task: Task, act: ChangeContext, day: dt.date) -> None:
    workflow.execute_transition(
        task, Action.CLOSE, act, TODAY, on=day, rating=Rating.GOOD, note="mended"
    )


def test_a_closing_that_is_corrected_by_a_reopening_keeps_its_light(
    closed: Task, act: ChangeContext
) -> None:
    close(reopen(closed, act), act, LATE + DAY)
    assert (light(), Task.objects.get().deadline) == (Light.PURPLE, TODAY - 10 * DAY)


def test_what_is_done_after_a_reopening_is_judged_by_the_new_deadline(
    closed: Task, act: ChangeContext
) -> None:
    close(reopen(closed, act), act, TODAY)
    assert light() == Light.BLUE


def test_reopening_needs_a_reason_in_bulk_too(closed: Task, act: ChangeContext) -> None:
    closed.deadline = TODAY + 30 * DAY
    with pytest.raises(ValidationError):
        workflow.set_status(
            closed,
            ChangeContext(act.user, act.way),
            closed.version,
            Status.IN_PROGRESS,
            TODAY,
            TODAY,
        )


def test_a_backdated_bulk_change_reopens_nothing_under_a_deadline_that_has_passed(
    closed: Task, act: ChangeContext
) -> None:
    with pytest.raises(ValidationError):
        workflow.set_status(
            closed, act, closed.version, Status.IN_PROGRESS, TODAY - 60 * DAY, TODAY
        )


def test_the_day_of_a_request_changes_with_a_reason_alone(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    task = make_task(
        policy, deadline=TODAY - DAY, status=Status.CLOSING, closing_requested_on=TODAY
    )
    task.closing_requested_on = TODAY - 2 * DAY
    with pytest.raises(ValidationError) as caught:
        workflow.save_task(task, ChangeContext(act.user, act.way), task.version, today=TODAY)
    assert "closing_requested_on" in caught.value.message_dict


def test_no_task_is_closed_on_a_day_that_lies_ahead(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    task = make_task(policy, deadline=TODAY + 9 * DAY)
    task.status, task.closed_on = Status.CLOSED, TODAY + DAY
    with pytest.raises(ValidationError) as caught:
        workflow.save_task(task, act, task.version, today=TODAY)
    assert "closed_on" in caught.value.message_dict
