"""Two units become one, or the open tasks of one go to another: as one change, with a way back."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Cycle, Kind, Status, UnitMoveKind
from tracker.domain.dates import DAY, now, period_of
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, UnitMove, User
from tracker.workflow import ChangeContext

JUNE = period_of(Cycle.MONTHLY, TODAY)


@pytest.fixture
def tasks(policy: PolicyDocument, bureau: Organization, county: Organization) -> dict[str, Task]:
    """Return what the bureau leads, helps with and has closed.

    The county helps with what it leads.
    """
    facts: dict[str, Any] = {
        "kind": Kind.QUALITATIVE,
        "assigned_on": TODAY - 90 * DAY,
        "deadline": TODAY + 90 * DAY,
    }
    made = {
        "led": make_task(policy, "A1-01", lead_unit=bureau, acknowledged_on=TODAY, **facts),
        "helped": make_task(policy, "A1-02", lead_unit=county, **facts),
        "closed": make_task(
            policy, "A1-03", lead_unit=bureau, status=Status.CLOSED, closed_on=TODAY, **facts
        ),
    }
    made["led"].co_units.add(county)
    made["helped"].co_units.add(bureau)
    return made


def make(
    kind: UnitMoveKind, source: Organization, target: Organization, act: ChangeContext
) -> UnitMove:
    plan = workflow.plan_move(kind, source, target)
    return workflow.make_move(plan, act, plan.digest, now())


def merge(source: Organization, target: Organization, act: ChangeContext) -> UnitMove:
    return make(UnitMoveKind.MERGE, source, target, act)


def units_of(task: Task) -> tuple[str, list[str]]:
    found = Task.objects.get(pk=task.pk)
    return str(found.lead_unit), [str(unit) for unit in found.co_units.all()]


@pytest.mark.parametrize("kind", UnitMoveKind)
def test_open_tasks_go_and_closed_ones_stay(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    act: ChangeContext,
    kind: UnitMoveKind,
) -> None:
    make(kind, bureau, county, act)
    assert {name: units_of(task) for name, task in tasks.items()} == {
        "led": ("East", []),
        "helped": ("East", []),
        "closed": ("Science", []),
    }


def test_the_plan_names_what_goes(
    tasks: dict[str, Task], bureau: Organization, county: Organization, liaison: User
) -> None:
    plan = workflow.plan_move(UnitMoveKind.MERGE, bureau, county)
    assert (
        [task.code for task in plan.led],
        [task.code for task in plan.helped],
        plan.accounts,
        plan.aliases,
    ) == (
        ["A1-01"],
        ["A1-02"],
        [liaison],
        ["Bureau of Science", "Science", "Sci", "Tech"],
    )


def test_a_merged_unit_goes_out_of_office_and_its_accounts_to_the_new_one(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    liaison: User,
    act: ChangeContext,
) -> None:
    merge(bureau, county, act)
    assert Organization.objects.get(pk=bureau.pk).active is False
    assert User.objects.get(pk=liaison.pk).organization == county


def test_a_workbook_finds_the_new_unit_by_the_old_name(
    tasks: dict[str, Task], bureau: Organization, county: Organization, act: ChangeContext
) -> None:
    merge(bureau, county, act)
    for name in ("Bureau of Science", "Science", "Tech"):
        assert Organization.objects.all().named(name) == county


def test_a_move_of_tasks_leaves_the_unit_and_its_accounts(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    liaison: User,
    act: ChangeContext,
) -> None:
    make(UnitMoveKind.MOVE, bureau, county, act)
    assert Organization.objects.get(pk=bureau.pk).active is True
    assert User.objects.get(pk=liaison.pk).organization == bureau


def draft(task: Task, unit: Organization, state: str = "draft") -> ProgressUpdate:
    return ProgressUpdate.objects.create(
        task=task,
        unit=unit,
        contribution=unit.pk != task.lead_unit_id,
        state=state,
        period_start=JUNE.start,
        period_end=JUNE.end,
        progress="so far",
        submitted_on=None if state == "draft" else TODAY,
    )


def test_the_new_unit_writes_on_what_the_former_one_has_begun(
    tasks: dict[str, Task], bureau: Organization, county: Organization, act: ChangeContext
) -> None:
    report = draft(tasks["led"], bureau)
    merge(bureau, county, act)
    found = ProgressUpdate.objects.get(pk=report.pk)
    assert (found.unit, found.contribution) == (county, False)


def labels(move: UnitMove) -> list[str]:
    return [
        entry["label"] for entry in move.entries if entry["model"] in ("task", "progressupdate")
    ]


def test_a_batch_names_a_report_by_its_period(
    tasks: dict[str, Task], bureau: Organization, county: Organization, act: ChangeContext
) -> None:
    draft(tasks["led"], bureau)
    with override("en"):
        assert labels(merge(bureau, county, act))[-1] == "A1-01 2026, month 6 East"


def test_a_batch_of_one_policy_does_not_repeat_its_name(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    policy: PolicyDocument,
    act: ChangeContext,
) -> None:
    draft(tasks["led"], bureau)
    assert [label for label in labels(merge(bureau, county, act)) if policy.title in label] == []


def test_a_batch_of_several_policies_names_the_policy_of_each_row(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    policy: PolicyDocument,
    act: ChangeContext,
) -> None:
    other = make_policy(slug="other", title="Another policy")
    make_task(other, "A1-01", kind=Kind.QUALITATIVE, lead_unit=bureau)
    draft(tasks["led"], bureau)
    told = [label.rpartition(" — ")[2] for label in labels(merge(bureau, county, act))]
    assert sorted(told) == sorted([policy.title] * 3 + [other.title])


def test_the_list_of_batches_heads_their_numbers_in_words(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    act: ChangeContext,
    client: Client,
    supervisor: User,
) -> None:
    merge(bureau, county, act)
    client.force_login(supervisor)
    page = client.get(
        reverse("admin:tracker_unitmove_changelist"), headers={"accept-language": "en"}
    ).content.decode()
    assert "批次" in page
    assert ">PK<" not in page


@pytest.mark.parametrize("of_both", [True, False])
def test_what_waits_for_the_office_stays_with_the_unit_of_its_day(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    act: ChangeContext,
    of_both: bool,
) -> None:
    report = draft(tasks["led"], bureau, "submitted")
    if of_both:
        draft(tasks["led"], county)
    merge(bureau, county, act)
    assert ProgressUpdate.objects.get(pk=report.pk).unit == bureau


def test_every_row_says_why_and_in_which_batch(
    tasks: dict[str, Task], bureau: Organization, county: Organization, act: ChangeContext
) -> None:
    move = merge(bureau, county, act)
    for row in (tasks["led"], tasks["helped"], bureau, county):
        reason = row.history.first().history_change_reason
        assert "because" in reason
        assert str(move.pk) in reason


def test_what_has_changed_since_it_was_shown_is_not_moved(
    tasks: dict[str, Task], bureau: Organization, county: Organization, act: ChangeContext
) -> None:
    plan = workflow.plan_move(UnitMoveKind.MOVE, bureau, county)
    tasks["led"].title = "New"
    workflow.save_task(tasks["led"], act, tasks["led"].version, today=TODAY)
    with pytest.raises(workflow.StaleVersion):
        workflow.make_move(plan, act, plan.digest, now())
    assert units_of(tasks["helped"]) == ("East", ["Science"])


def test_a_merge_that_is_undone_leaves_all_as_it_was(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    liaison: User,
    act: ChangeContext,
) -> None:
    report = draft(tasks["led"], bureau)
    before = {name: units_of(task) for name, task in tasks.items()}
    workflow.undo_move(merge(bureau, county, act), act, now())
    assert {name: units_of(task) for name, task in tasks.items()} == before
    assert Task.objects.get(pk=tasks["led"].pk).acknowledged_on == TODAY
    assert User.objects.get(pk=liaison.pk).organization == bureau
    assert ProgressUpdate.objects.get(pk=report.pk).unit == bureau
    assert list(Organization.objects.values_list("active", "aliases")) == [
        (True, "Sci\nTech"),
        (True, ""),
    ]


def test_a_row_that_somebody_has_changed_since_stops_the_undo_and_is_named(
    tasks: dict[str, Task], bureau: Organization, county: Organization, act: ChangeContext
) -> None:
    move = merge(bureau, county, act)
    found = Task.objects.get(pk=tasks["helped"].pk)
    found.title = "New"
    workflow.save_task(found, act, found.version, today=TODAY)
    with pytest.raises(ValidationError, match="A1-02"):
        workflow.undo_move(move, act, now())
    assert units_of(tasks["led"]) == ("East", [])


def test_a_merge_is_undone_once(
    tasks: dict[str, Task], bureau: Organization, county: Organization, act: ChangeContext
) -> None:
    move = merge(bureau, county, act)
    workflow.undo_move(move, act, now())
    with pytest.raises(ValidationError):
        workflow.undo_move(move, act, now())


def test_no_administrator_moves_tasks(
    tasks: dict[str, Task], bureau: Organization, county: Organization, administrator: User
) -> None:
    with pytest.raises(PermissionDenied):
        merge(bureau, county, ChangeContext(administrator, ChangeSource.ADMIN, "because"))


def test_a_merge_needs_a_reason(
    tasks: dict[str, Task], bureau: Organization, county: Organization, supervisor: User
) -> None:
    with pytest.raises(ValidationError):
        merge(bureau, county, ChangeContext(supervisor, ChangeSource.ADMIN, " "))


def test_no_task_goes_to_a_unit_out_of_office(bureau: Organization, county: Organization) -> None:
    county.active = False
    with pytest.raises(ValidationError):
        workflow.plan_move(UnitMoveKind.MOVE, bureau, county)


def test_the_pages_show_make_and_undo_a_merge(
    client: Client,
    supervisor: User,
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
) -> None:
    client.force_login(supervisor)
    address = reverse("admin:tracker_organization_move", args=[bureau.pk])
    shown = client.get(address, {"kind": "merge", "target": county.pk})
    assert "A1-01" in shown.content.decode()
    sent = {"kind": "merge", "target": county.pk, "seen": shown.context["plan"].digest}
    client.post(address, {**sent, "reason": "reform", "confirm": "1"})
    move = UnitMove.objects.get()
    assert (move.reason, move.made_by) == ("reform", supervisor)
    client.post(reverse("admin:tracker_unitmove_undo", args=[move.pk]), {"reason": "a slip"})
    assert units_of(tasks["led"]) == ("Science", ["East"])


def test_what_is_written_on_after_a_merge_is_not_given_back(
    tasks: dict[str, Task],
    bureau: Organization,
    county: Organization,
    act: ChangeContext,
    time_machine: Any,
) -> None:
    report = draft(tasks["led"], bureau)
    move = merge(bureau, county, act)
    time_machine.move_to(dt.datetime(2026, 6, 16, tzinfo=dt.UTC))
    found = ProgressUpdate.objects.get(pk=report.pk)
    found.progress = "more"
    workflow.save_draft(found, act, found.version, today=TODAY)
    with pytest.raises(ValidationError):
        workflow.undo_move(move, act, now())
