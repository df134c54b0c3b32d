"""The history in words: who, when, by which way, what from and what to."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Cycle, Kind, Status
from tracker.models import (
    ChecklistItem,
    Indicator,
    IndicatorValue,
    Measure,
    Organization,
    PolicyDocument,
    Task,
    User,
    history_triggers,
)
from tracker.reports.history import FieldChange, HistoryEvent, history_events
from tracker.workflow import ChangeContext

JULY = dt.date(2026, 7, 31)


@pytest.fixture(autouse=True)
def english() -> object:
    with override("en"):
        yield


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    return make_task(policy, kind=Kind.QUANTIFIED, lead_unit=bureau)


@contextmanager
def without_guard(model: type[models.Model]) -> Iterator[None]:
    """Take the guard of one history away, and set it up again."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        for end in history_triggers.TRIGGERS[connection.vendor]:
            of = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{end}{of}")
    yield
    history_triggers.make_triggers(apps.get_app_config("tracker"), "default")


def save(task: Task, act: ChangeContext, **facts: object) -> None:
    """Change a task as a person does."""
    for name in [name for name in facts if name not in ("co_units", "items", "removed")]:
        setattr(task, name, facts.pop(name))
    workflow.save_task(task, act, task.version, today=TODAY, **facts)


def latest(row: object) -> HistoryEvent:
    return history_events(row)[0]


def test_an_event_says_who_by_which_way_what_and_why(
    task: Task, act: ChangeContext, supervisor: User
) -> None:
    supervisor.first_name = "Wang"
    supervisor.save()
    save(task, act, title="New")
    event = latest(task)
    assert (event.who, event.way, event.what, event.reason) == (
        "Wang",
        "page",
        "changed",
        "because",
    )


def test_an_event_knows_its_moment(task: Task, act: ChangeContext, time_machine: object) -> None:
    moment = dt.datetime(2026, 6, 20, 8, 30, tzinfo=dt.UTC)
    time_machine.move_to(moment, tick=False)
    save(task, act, title="New")
    assert latest(task).when == moment


@pytest.mark.parametrize("way", list(ChangeSource))
def test_each_way_is_named(task: Task, supervisor: User, way: ChangeSource) -> None:
    save(task, ChangeContext(supervisor, way), title="New")
    assert latest(task).way == way.label


def test_what_no_person_did_was_done_by_the_system(task: Task) -> None:
    save(task, ChangeContext(None, ChangeSource.COMMAND), title="New")
    event = latest(task)
    assert (event.who, event.way, event.reason) == ("the system", "command", "")


def test_a_disabled_account_is_still_named(
    task: Task, act: ChangeContext, supervisor: User
) -> None:
    save(task, act, title="New")
    supervisor.is_active = False
    supervisor.save()
    assert latest(task).who == "supervisor"


def test_a_text_is_told_from_and_to(task: Task, act: ChangeContext) -> None:
    save(task, act, title="New")
    assert latest(task).changes == [FieldChange("task", "Task A1-01", "New")]


def test_a_text_that_was_empty_came_from_nothing(task: Task, act: ChangeContext) -> None:
    save(task, act, remark="Look")
    assert latest(task).changes == [FieldChange("remark", "", "Look")]


def test_a_text_that_is_taken_away_goes_to_nothing(task: Task, act: ChangeContext) -> None:
    save(task, act, remark="Look")
    save(task, act, remark="")
    assert latest(task).changes == [FieldChange("remark", "Look", "")]


def test_a_choice_is_told_in_its_words(task: Task, act: ChangeContext) -> None:
    save(task, act, status=Status.SUSPENDED)
    assert latest(task).changes == [FieldChange("status", "in progress", "suspended")]


def test_a_switch_is_told_as_yes_and_no(task: Task, act: ChangeContext) -> None:
    save(task, act, lead_is_proposed=True)
    assert latest(task).changes == [FieldChange("lead unit is a proposal", "no", "yes")]


def test_a_number_is_told(task: Task, act: ChangeContext) -> None:
    save(task, act, percent=40)
    assert latest(task).changes == [FieldChange("percent done", "0", "40")]


def test_a_day_is_told(task: Task, act: ChangeContext) -> None:
    save(task, act, start=JULY)
    assert latest(task).changes == [FieldChange("start", "", "2026-07-31")]


def test_a_unit_is_told_by_its_name(task: Task, act: ChangeContext, county: Organization) -> None:
    save(task, act, lead_unit=county)
    assert latest(task).changes == [FieldChange("lead unit", "Science", "East")]


def test_a_unit_that_is_taken_away_goes_to_nothing(task: Task, act: ChangeContext) -> None:
    save(task, act, lead_unit=None)
    assert latest(task).changes == [FieldChange("lead unit", "Science", "")]


def test_a_measure_is_told_by_its_name(task: Task, act: ChangeContext) -> None:
    save(task, act, measure=Measure.objects.get(code="B1"))
    assert latest(task).changes == [FieldChange("measure", "A1 Measure A1", "B1 Measure B1")]


def test_a_row_that_is_gone_is_told_by_the_name_it_had(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    save(task, act, lead_unit=county)
    save(task, act, lead_unit=None)
    county.delete()
    assert latest(task).changes == [FieldChange("lead unit", "East", "")]


def rename(unit: Organization) -> None:
    unit.name = unit.short_name = "Renamed"
    unit.save()


def test_a_new_name_of_a_unit_rewrites_no_line(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    save(task, act, lead_unit=county)
    rename(county)
    assert latest(task).changes == [FieldChange("lead unit", "Science", "East")]


def test_a_new_name_of_a_unit_is_no_change_of_its_tasks(
    task: Task, act: ChangeContext, bureau: Organization
) -> None:
    rename(bureau)
    save(Task.objects.get(pk=task.pk), act, title="New")
    assert latest(task).changes == [FieldChange("task", "Task A1-01", "New")]


def test_a_new_name_of_a_cooperating_unit_rewrites_no_line(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    save(task, act, co_units=[county])
    rename(county)
    assert latest(task).changes == [FieldChange("co-operating units", "", "East")]


def test_a_new_name_of_a_cooperating_unit_is_no_change_of_its_tasks(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    save(task, act, co_units=[county])
    rename(county)
    save(Task.objects.get(pk=task.pk), act, title="New")
    assert [change.field for change in latest(task).changes] == ["task"]


def test_a_new_name_of_a_measure_rewrites_no_line(task: Task, act: ChangeContext) -> None:
    measure = Measure.objects.get(code="B1")
    save(task, act, measure=measure)
    measure.name = "Renamed"
    measure.save()
    assert latest(task).changes == [FieldChange("measure", "A1 Measure A1", "B1 Measure B1")]


def test_a_new_name_of_a_person_rewrites_no_line(
    task: Task, act: ChangeContext, supervisor: User
) -> None:
    save(task, act, title="New")
    supervisor.first_name = "Renamed"
    supervisor.save()
    assert latest(task).who == "supervisor"


def test_a_new_name_of_whoever_ticked_a_step_rewrites_no_line(
    task: Task, item: ChecklistItem, act: ChangeContext, supervisor: User
) -> None:
    workflow.tick_item(item, act, TODAY, TODAY)
    supervisor.first_name = "Renamed"
    supervisor.save()
    assert FieldChange("ticked by", "", "supervisor") in of_items(task)[0].changes


def test_a_new_name_of_an_indicator_rewrites_no_line(task: Task, act: ChangeContext) -> None:
    indicator = Indicator(name="Roads", unit_of_measure="km", target=10)
    save(task, act, items=[indicator])
    workflow.save_values(indicator, act, 1, [IndicatorValue(day=TODAY, value=3)], [], today=TODAY)
    indicator = Indicator.objects.get()
    indicator.name = "Renamed"
    save(Task.objects.get(pk=task.pk), act, items=[indicator])
    assert "value of an indicator Roads 2026-06-15" in {
        event.subject for event in history_events(task)
    }


def test_a_row_that_holds_no_name_of_its_day_is_told_by_todays(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    save(task, act, lead_unit=county)
    with without_guard(Task.history.model):
        Task.history.update(labels={})
    rename(county)
    assert latest(task).changes == [FieldChange("lead unit", "Science", "Renamed")]


def test_cooperating_units_are_told_from_and_to(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    other = Organization.objects.create(name="Office of Order", short_name="Order", order=30)
    save(task, act, co_units=[county])
    save(task, act, co_units=[county, other])
    save(task, act, co_units=[])
    told = [event.changes for event in history_events(task)[:3]]
    assert [(change.field, change.before, change.after) for (change,) in told] == [
        ("co-operating units", "East, Order", ""),
        ("co-operating units", "East", "East, Order"),
        ("co-operating units", "", "East"),
    ]


def test_units_that_stay_are_not_told(task: Task, act: ChangeContext, county: Organization) -> None:
    save(task, act, co_units=[county])
    save(task, act, title="New", co_units=[county])
    assert [change.field for change in latest(task).changes] == ["task"]


def test_several_changes_of_one_save_are_one_event(
    task: Task, act: ChangeContext, county: Organization
) -> None:
    before = len(history_events(task))
    save(task, act, title="New", percent=7, co_units=[county])
    assert len(history_events(task)) == before + 1
    assert {change.field for change in latest(task).changes} == {
        "task",
        "percent done",
        "co-operating units",
    }


def test_a_change_of_book_keeping_alone_is_no_event(task: Task, act: ChangeContext) -> None:
    before, rows = history_events(task), task.history.count()
    save(task, act)
    assert (task.history.count(), history_events(task)) == (rows + 1, before)


def test_the_first_event_tells_what_was_set_and_not_what_was_left(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    task = Task(policy=policy, measure=policy.measures.get(code="A1"), code="A1-07", title="Build")
    workflow.save_task(task, act, today=TODAY)
    event = latest(task)
    assert event.what == "added"
    assert {change.field: change.after for change in event.changes} == {
        "measure": "A1 Measure A1",
        "task code": "A1-07",
        "task": "Build",
    }


def test_events_stand_newest_first(task: Task, act: ChangeContext, time_machine: object) -> None:
    for day in (16, 17, 18):
        time_machine.move_to(dt.datetime(2026, 6, day, tzinfo=dt.UTC), tick=False)
        save(task, act, title=f"Title {day}")
    assert [event.changes[0].after for event in history_events(task)[:3]] == [
        "Title 18",
        "Title 17",
        "Title 16",
    ]


def test_no_more_events_than_asked_for(task: Task, act: ChangeContext) -> None:
    for number in range(5):
        save(task, act, title=f"Title {number}")
    assert len(history_events(task, limit=3)) == 3


def test_the_oldest_event_shown_still_knows_what_was_before(task: Task, act: ChangeContext) -> None:
    for number in range(5):
        save(task, act, title=f"Title {number}")
    assert history_events(task, limit=2)[-1].changes == [FieldChange("task", "Title 2", "Title 3")]


@pytest.fixture
def item(task: Task, act: ChangeContext) -> ChecklistItem:
    item = ChecklistItem(number=1, title="Lay the stone")
    save(task, act, items=[item])
    return item


def of_items(task: Task) -> list[HistoryEvent]:
    return [event for event in history_events(task) if event.subject]


def test_a_new_step_is_told_with_the_task(task: Task, item: ChecklistItem) -> None:
    (event,) = of_items(task)
    assert (event.what, event.subject) == ("added", "checklist item Lay the stone")


def test_a_ticked_step_is_told_with_the_day_and_who_ticked_it(
    task: Task, item: ChecklistItem, act: ChangeContext
) -> None:
    workflow.tick_item(item, act, TODAY, TODAY)
    event = of_items(task)[0]
    assert (event.what, event.who) == ("changed", "supervisor")
    assert event.changes == [
        FieldChange("done on", "", "2026-06-15"),
        FieldChange("ticked by", "", "supervisor"),
    ]


def test_a_tick_moves_the_percent_in_the_tasks_own_event(
    task: Task, item: ChecklistItem, act: ChangeContext
) -> None:
    workflow.tick_item(item, act, TODAY, TODAY)
    assert next(event.changes for event in history_events(task) if not event.subject) == [
        FieldChange("percent done", "0", "100")
    ]


def test_a_step_that_is_taken_away_is_still_told(
    task: Task, item: ChecklistItem, act: ChangeContext
) -> None:
    save(task, act, removed=[item])
    event = of_items(task)[0]
    assert (event.what, event.subject, event.who, event.changes) == (
        "deleted",
        "checklist item Lay the stone",
        "supervisor",
        [],
    )


def test_the_steps_of_another_task_are_not_told(task: Task, item: ChecklistItem) -> None:
    assert of_items(make_task(task.policy, "A1-02")) == []


def test_the_oldest_step_shown_is_not_told_as_if_it_were_new(
    task: Task, act: ChangeContext
) -> None:
    steps = [ChecklistItem(number=number, title=f"Step {number}") for number in (1, 2)]
    save(task, act, items=steps)
    for _day in range(3):
        for step in steps:
            step.weight += 1
            save(task, act, items=[step])
    told = [
        change
        for event in history_events(task, limit=2)
        if event.subject
        for change in event.changes
    ]
    assert {change.field for change in told} == {"weight"}


def test_a_deleted_row_keeps_its_history(task: Task, act: ChangeContext) -> None:
    key = task.pk
    workflow.delete_object(task, act)
    event = latest(Task(pk=key))
    assert (event.what, event.who, event.way, event.reason, event.changes) == (
        "deleted",
        "supervisor",
        "page",
        "because",
        [],
    )


def test_a_change_of_thresholds_is_told(policy: PolicyDocument, act: ChangeContext) -> None:
    policy.warn_days, policy.cycle = 3, Cycle.WEEKLY
    workflow.save_object(policy, act, policy.version)
    assert latest(policy).changes == [
        FieldChange("days of warning before the deadline", "7", "3"),
        FieldChange("reporting cycle", "monthly", "weekly"),
    ]


def test_a_change_of_roles_is_told(liaison: User, administrator: User) -> None:
    liaison.is_leader = True
    workflow.save_object(liaison, ChangeContext(administrator, ChangeSource.ADMIN), liaison.version)
    assert latest(liaison).changes == [FieldChange("leader", "no", "yes")]


def test_a_new_password_is_recorded_and_not_shown(liaison: User, administrator: User) -> None:
    before = len(history_events(liaison))
    liaison.set_password("quite another one")
    workflow.save_object(liaison, ChangeContext(administrator, ChangeSource.ADMIN), liaison.version)
    assert len(history_events(liaison)) == before + 1
    assert [change.field for change in latest(liaison).changes] == [
        "must choose a new password",
        "password set by somebody else on",
    ]


def queries(task: Task) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert history_events(task)
    return len(caught)


def test_the_number_of_queries_does_not_depend_on_the_number_of_changes(
    task: Task, act: ChangeContext, bureau: Organization, county: Organization, item: ChecklistItem
) -> None:
    others = [Organization.objects.create(name=f"Unit {n}", short_name=f"U{n}") for n in range(5)]
    save(task, act, lead_unit=county, co_units=[bureau])
    workflow.tick_item(item, act, TODAY, TODAY)
    few = queries(task)
    for unit in others:
        task.refresh_from_db()
        save(task, act, lead_unit=unit, co_units=[other for other in others if other != unit])
        workflow.tick_item(item, act, None, TODAY)
        workflow.tick_item(item, act, TODAY, TODAY)
    assert queries(task) == few


def test_the_history_of_one_row_is_not_that_of_another(task: Task, act: ChangeContext) -> None:
    other = make_task(make_policy("other"))
    save(other, act, title="New")
    assert [event.changes for event in history_events(task) if event.what == "changed"] == []


class Editor:
    """What the data migration needs of a schema editor, within the transaction of a test."""

    connection = connection

    def execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


def test_an_upgrade_names_the_rows_of_before(
    task: Task, act: ChangeContext, county: Organization, supervisor: User
) -> None:
    save(task, act, lead_unit=county, co_units=[Organization.objects.get(short_name="Science")])
    before = [row.labels for row in Task.history.order_by("history_id")]
    with without_guard(Task.history.model):
        Task.history.update(labels={})
    import_module("tracker.migrations.0008_history_labels").name_rows(apps, Editor())
    history_triggers.make_triggers(apps.get_app_config("tracker"), "default")
    named = [row.labels for row in Task.history.order_by("history_id")]
    assert named[-1] == before[-1] | {"as_of": "upgrade"}
