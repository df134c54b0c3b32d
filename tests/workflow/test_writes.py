"""The one write path: rights, versions, hand-over, deadlines, status, percent, history."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from tests.conftest import TODAY
from tests.factories import make_many, make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Cycle, Kind, Status
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext, StaleVersion

JULY = dt.date(2026, 7, 31)
AUGUST = dt.date(2026, 8, 31)


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    return make_task(policy, deadline=JULY, lead_unit=bureau)


@pytest.fixture
def handed_over(task: Task, act: ChangeContext) -> Task:
    workflow.hand_over(task, act, task.version, TODAY)
    return Task.objects.get()


def last_history(row: Task | ChecklistItem | PolicyDocument) -> object:
    return row.history.first()


def test_a_save_with_the_version_seen_raises_the_version(task: Task, act: ChangeContext) -> None:
    workflow.save_task(task, act, task.version, today=TODAY)
    assert Task.objects.get().version == 2


def test_a_save_with_an_older_version_is_stale_and_writes_nothing(
    task: Task, act: ChangeContext
) -> None:
    workflow.save_task(task, act, 1, today=TODAY)
    task.title = "mine"
    with pytest.raises(StaleVersion):
        workflow.save_task(task, act, 1, today=TODAY)
    assert Task.objects.get().title == "Task A1-01"


@pytest.mark.parametrize("who", ["liaison", "leader", "administrator"])
def test_only_supervisors_write_tasks(task: Task, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(PermissionDenied):
        workflow.save_task(
            task, ChangeContext(request.getfixturevalue(who), ChangeSource.PAGE), 1, today=TODAY
        )


def test_the_hand_over_sets_its_day_and_the_day_reports_are_owed_from(
    task: Task, act: ChangeContext
) -> None:
    workflow.hand_over(task, act, 1, TODAY)
    stored = Task.objects.get()
    assert (stored.assigned_on, stored.owed_from) == (TODAY, TODAY)


def test_the_hand_over_clears_the_mark_of_a_proposal(task: Task, act: ChangeContext) -> None:
    task.lead_is_proposed = True
    workflow.hand_over(task, act, 1, TODAY)
    assert Task.objects.get().lead_is_proposed is False


@pytest.mark.parametrize("missing", [{"lead_unit": None}, {"kind": ""}])
def test_the_hand_over_needs_a_lead_unit_and_a_kind(
    task: Task, act: ChangeContext, missing: dict
) -> None:
    for name, value in missing.items():
        setattr(task, name, value)
    with pytest.raises(ValidationError):
        workflow.hand_over(task, act, 1, TODAY)
    assert Task.objects.get().assigned_on is None


def test_a_task_is_handed_over_once(handed_over: Task, act: ChangeContext) -> None:
    with pytest.raises(ValidationError):
        workflow.hand_over(handed_over, act, handed_over.version, TODAY)


def test_before_the_hand_over_an_edit_sets_both_deadlines(task: Task, act: ChangeContext) -> None:
    workflow.set_deadline(task, act, 1, AUGUST, TODAY)
    stored = Task.objects.get()
    assert (stored.original_deadline, stored.deadline) == (AUGUST, AUGUST)


def test_after_the_hand_over_the_original_deadline_stays(
    handed_over: Task, act: ChangeContext
) -> None:
    workflow.set_deadline(handed_over, act, handed_over.version, AUGUST, TODAY)
    stored = Task.objects.get()
    assert (stored.original_deadline, stored.deadline) == (JULY, AUGUST)


def test_after_the_hand_over_a_deadline_moves_only_with_a_reason(
    handed_over: Task, supervisor: User
) -> None:
    with pytest.raises(ValidationError):
        workflow.set_deadline(
            handed_over,
            ChangeContext(supervisor, ChangeSource.PAGE),
            handed_over.version,
            AUGUST,
            TODAY,
        )


def test_a_standing_task_takes_no_deadline(policy: PolicyDocument, act: ChangeContext) -> None:
    standing = make_task(policy)
    with pytest.raises(ValidationError):
        workflow.set_deadline(standing, act, 1, JULY, TODAY)


def test_closing_after_a_request_counts_the_day_of_the_request(
    task: Task, act: ChangeContext
) -> None:
    workflow.set_status(task, act, 1, Status.CLOSING, TODAY)
    workflow.set_status(task, act, 2, Status.CLOSED, TODAY + dt.timedelta(days=60))
    stored = Task.objects.get()
    assert (stored.closed_on, stored.closing_requested_on) == (TODAY, None)


def test_a_refused_closing_empties_the_day_of_the_request(task: Task, act: ChangeContext) -> None:
    workflow.set_status(task, act, 1, Status.CLOSING, TODAY)
    workflow.set_status(task, act, 2, Status.IN_PROGRESS, TODAY)
    assert Task.objects.get().closing_requested_on is None


def test_closing_by_hand_asks_for_the_day(task: Task, act: ChangeContext) -> None:
    task.status = Status.CLOSED
    with pytest.raises(ValidationError) as caught:
        workflow.save_task(task, act, 1, today=TODAY)
    assert "closed_on" in caught.value.message_dict


def test_reopening_after_the_deadline_asks_for_a_new_one(task: Task, act: ChangeContext) -> None:
    workflow.set_status(task, act, 1, Status.CLOSED, TODAY)
    with pytest.raises(ValidationError):
        workflow.set_status(task, act, 2, Status.IN_PROGRESS, AUGUST)


def test_resuming_owes_reports_from_that_day_on(handed_over: Task, act: ChangeContext) -> None:
    workflow.set_status(handed_over, act, 2, Status.SUSPENDED, TODAY)
    later = TODAY + dt.timedelta(days=10)
    workflow.set_status(handed_over, act, 3, Status.IN_PROGRESS, later)
    assert Task.objects.get().owed_from == later


def test_the_lead_unit_does_not_cooperate_with_itself(
    task: Task, act: ChangeContext, bureau: Organization
) -> None:
    with pytest.raises(ValidationError):
        workflow.save_task(task, act, 1, co_units=[bureau], today=TODAY)
    assert Task.objects.get().version == 1


def test_a_tick_moves_the_percent_by_its_weight(task: Task, act: ChangeContext) -> None:
    light, heavy = (
        ChecklistItem.objects.create(task=task, number=n, title="x", weight=n) for n in (1, 2)
    )
    workflow.tick_item(heavy, act, TODAY, TODAY)
    assert Task.objects.get().percent == 66
    assert light.done_on is None


def test_a_tick_remembers_who_and_when(task: Task, act: ChangeContext, supervisor: User) -> None:
    item = ChecklistItem.objects.create(task=task, number=1, title="x")
    workflow.tick_item(item, act, TODAY, TODAY)
    stored = ChecklistItem.objects.get()
    assert (stored.done_on, stored.done_by) == (TODAY, supervisor)


def test_a_qualitative_task_without_checklist_keeps_no_percent(
    task: Task, act: ChangeContext
) -> None:
    task.percent = 40
    workflow.save_task(task, act, 1, today=TODAY)
    assert Task.objects.get().percent == 0


def test_a_save_brings_the_turning_dates_up_to_date(task: Task, act: ChangeContext) -> None:
    workflow.set_deadline(task, act, 1, AUGUST, TODAY)
    assert Task.objects.get().turns_red_on == dt.date(2026, 9, 1)


def test_a_change_of_thresholds_moves_turning_dates_and_no_version(
    task: Task, act: ChangeContext
) -> None:
    policy = task.policy
    policy.warn_days = 3
    workflow.save_object(policy, act, policy.version)
    stored = Task.objects.get()
    assert (stored.turns_yellow_on, stored.version) == (dt.date(2026, 7, 28), 1)


@pytest.mark.parametrize(
    "thresholds",
    [
        {"warn_days": 40},
        {"yellow_gap": 1, "red_gap": 2},
        {"grace_days": 30},
        {"cycle": Cycle.WEEKLY},
        {"cycle": Cycle.NONE},
    ],
)
def test_changed_thresholds_move_the_dates_of_every_task_as_deriving_it_whole_does(
    policy: PolicyDocument, act: ChangeContext, thresholds: dict[str, object]
) -> None:
    make_many(policy, 60)
    before = list(policy.tasks.values_list("turns_yellow_on", "turns_red_on"))
    for name, value in thresholds.items():
        setattr(policy, name, value)
    workflow.save_object(policy, act, policy.version)
    assert list(policy.tasks.values_list("turns_yellow_on", "turns_red_on")) != before
    assert workflow.refresh_tasks([policy.pk]) == 0


def test_changed_thresholds_make_no_object_of_a_task(
    policy: PolicyDocument, act: ChangeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_many(policy, 3)

    def refuse(*args: object) -> None:
        raise AssertionError("a task was fetched whole")

    monkeypatch.setattr(Task, "from_db", refuse)
    policy.grace_days = 9
    workflow.save_object(policy, act, policy.version)


@pytest.mark.parametrize(
    ("name", "value", "derives"),
    [
        ("title", "x", False),
        ("state", "draft", False),
        ("warn_days", 8, True),
        ("grace_days", 6, True),
    ],
)
def test_only_what_tasks_are_judged_by_derives_them_anew(
    task: Task, act: ChangeContext, name: str, value: object, derives: bool
) -> None:
    Task.objects.update(turns_red_on=None)  # a derived column, wrong on purpose
    setattr(task.policy, name, value)
    workflow.save_object(task.policy, act)
    task.refresh_from_db()
    assert bool(task.turns_red_on) is derives


def test_a_change_of_the_cycle_brings_reports_into_the_turning_dates(
    handed_over: Task, act: ChangeContext
) -> None:
    policy = PolicyDocument.objects.get()
    policy.cycle, policy.grace_days = Cycle.WEEKLY, 0
    workflow.save_object(policy, act, policy.version)
    assert Task.objects.get().turns_yellow_on == dt.date(2026, 6, 22)


def test_one_change_of_a_task_writes_one_history_row(
    task: Task, act: ChangeContext, supervisor: User, county: Organization
) -> None:
    before = task.history.count()
    workflow.save_task(task, act, 1, co_units=[county], today=TODAY)
    assert task.history.count() == before + 1
    row = task.history.first()
    assert (row.history_user, row.way, row.history_change_reason) == (
        supervisor,
        ChangeSource.PAGE,
        "because",
    )


def test_history_knows_the_cooperating_units(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    workflow.save_task(task, act, 1, co_units=[county], today=TODAY)
    assert [unit.organization for unit in task.history.first().co_units.all()] == [county]


def test_a_refused_change_leaves_no_history(handed_over: Task, supervisor: User) -> None:
    before = handed_over.history.count()
    with pytest.raises(ValidationError):
        workflow.set_deadline(
            handed_over, ChangeContext(supervisor, ChangeSource.PAGE), 2, AUGUST, TODAY
        )
    assert handed_over.history.count() == before


def test_a_save_outside_the_workflow_is_recorded_as_a_command(task: Task) -> None:
    task.save()
    assert task.history.first().way == ChangeSource.COMMAND


def test_a_handed_over_task_is_not_deleted(handed_over: Task, act: ChangeContext) -> None:
    with pytest.raises(PermissionDenied):
        workflow.delete_object(handed_over, act)


def test_many_are_changed_one_by_one_and_the_refused_are_listed(
    policy: PolicyDocument, task: Task, act: ChangeContext
) -> None:
    other = make_task(policy, "A1-02")
    outcome = workflow.apply_to_each(
        [(task, 1), (other, 1)], lambda t, seen: workflow.hand_over(t, act, seen, TODAY)
    )
    assert [t.code for t in outcome.changed] == ["A1-01"]
    assert [t.code for t, _why in outcome.refused] == ["A1-02"]


def test_a_stale_row_among_many_is_refused_alone(
    policy: PolicyDocument, task: Task, act: ChangeContext
) -> None:
    other = make_task(policy, "A1-02", kind=Kind.QUALITATIVE)
    outcome = workflow.apply_to_each(
        [(task, 7), (other, 1)], lambda t, seen: workflow.set_deadline(t, act, seen, JULY, TODAY)
    )
    assert [t.code for t in outcome.changed] == ["A1-02"]
    assert [t.code for t, _why in outcome.refused] == ["A1-01"]


def test_a_broken_constraint_is_said_in_words(policy: PolicyDocument, act: ChangeContext) -> None:
    task = make_task(policy, kind=Kind.QUANTIFIED)
    task.percent = 101
    with pytest.raises(ValidationError, match=r"0 (to|到) 100"):
        workflow.save_task(task, act, 1, today=TODAY)


def test_a_code_taken_meanwhile_is_said_in_words(task: Task, act: ChangeContext) -> None:
    twin = Task(policy=task.policy, measure=task.measure, code=task.code, title="twin")
    with pytest.raises(ValidationError) as caught:
        workflow.save_task(twin, act, today=TODAY)
    assert "constraint" not in " ".join(caught.value.messages).lower()


def test_a_task_is_judged_by_the_thresholds_in_force_not_by_those_it_was_read_with(
    task: Task, act: ChangeContext
) -> None:
    read_before = Task.objects.select_related("policy").get()
    policy = PolicyDocument.objects.get()
    policy.warn_days = 3
    workflow.save_object(policy, act, policy.version)
    workflow.save_task(read_before, act, 1, today=TODAY)
    assert Task.objects.get().turns_yellow_on == dt.date(2026, 7, 28)
