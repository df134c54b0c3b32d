"""Many reports that are written together leave what each of them leaves by itself.

Rows, versions and history.
"""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, ReportState
from tracker.domain.dates import DAY, Period, now
from tracker.models import (
    ChecklistItem,
    ImportBatch,
    Indicator,
    IndicatorValue,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    TaskRequest,
    User,
)
from tracker.workflow import ChangeContext, ReportChange

MAY, JUNE = Period("monthly", dt.date(2026, 5, 1)), Period("monthly", dt.date(2026, 6, 1))
UNCOMPARED = {"history_id", "history_date", "m2m_history_id"}
IMPORT = "file.xlsx"


def make_tasks(policy: PolicyDocument, bureau: Organization, county: Organization) -> list[Task]:
    """Make tasks of every kind, with reports in every state."""
    begun = TODAY - 60 * DAY
    facts: dict[str, Any] = {"lead_unit": bureau, "assigned_on": begun, "owed_from": begun}
    late: dict[str, Any] = {"start": begun, "deadline": TODAY + 100 * DAY}
    tasks = [
        make_task(policy, "A1-01", kind=Kind.QUANTIFIED, **facts, **late),
        make_task(policy, "A1-02", kind=Kind.QUANTIFIED, status="not_started", **facts, **late),
        make_task(policy, "A1-03", kind=Kind.STANDING, **facts),
        make_task(policy, "A1-04", kind=Kind.QUALITATIVE, **facts, **late),
        make_task(policy, "A1-05", kind=Kind.QUANTIFIED, **facts, **late),
        make_task(policy, "A1-06", kind=Kind.QUANTIFIED, **facts, **late),
    ]
    tasks[0].co_units.add(county)
    for number in (1, 2, 3):
        ChecklistItem.objects.create(
            task=tasks[3], number=number, title=f"step {number}", weight=number
        )
    ends: dict[str, Any] = {
        "unit_of_measure": "x",
        "baseline": 0,
        "target": 100,
        "drives_percent": True,
    }
    indicator = Indicator.objects.create(task=tasks[4], name="x", **ends)
    IndicatorValue.objects.create(indicator=indicator, day=begun, value=30)
    workflow.refresh_tasks([policy.pk])
    return tasks


def hand_in_before(
    tasks: list[Task], bureau: Organization, act: ChangeContext, supervisor: User
) -> None:
    """Let one task have a draft, one a report that waits, one a returned one and an accepted one of
    May.
    """

    def save(task: Task, period: Period, percent: int | None) -> ProgressUpdate:
        report = workflow.open_report(Task.objects.get(pk=task.pk), bureau, period)
        report.progress, report.percent = "earlier words", percent
        workflow.save_draft(report, act, today=TODAY)
        return ProgressUpdate.objects.get(pk=report.pk)

    save(tasks[0], JUNE, 10)
    workflow.submit(save(tasks[1], JUNE, 20), act, TODAY)
    review = ChangeContext(supervisor, ChangeSource.PAGE)
    for period, percent in ((MAY, 30), (JUNE, 40)):
        report = save(tasks[5], period, percent)
        workflow.submit(report, act, TODAY)
        report.refresh_from_db()
        if period is MAY:
            workflow.accept(report, review, report.version, TODAY)
        else:
            workflow.send_back(report, review, report.version, "say more", TODAY)


def changes_of(tasks: list[Task], bureau: Organization, county: Organization) -> list[ReportChange]:
    """Ask for reports of all tasks, a contribution and ticks."""
    fresh = list(Task.objects.filter(pk__in=[task.pk for task in tasks]).order_by("code"))
    items = list(fresh[3].items.all())
    words = {"progress": "new words", "problems": "none"}
    return [
        ReportChange(fresh[0], bureau, JUNE, {**words, "percent": 50}, []),
        ReportChange(fresh[0], county, JUNE, dict(words), []),
        ReportChange(fresh[1], bureau, JUNE, {**words, "percent": 60}, []),
        ReportChange(fresh[2], bureau, JUNE, dict(words), []),
        ReportChange(fresh[3], bureau, MAY, dict(words), [(items[0], True), (items[2], True)]),
        ReportChange(fresh[4], bureau, JUNE, dict(words), []),
        ReportChange(fresh[5], bureau, JUNE, {**words, "percent": 70}, []),
    ]


def one_by_one(changes: list[ReportChange], act: ChangeContext) -> None:
    """Take the same steps as a person does on the pages."""
    for change in changes:
        task = Task.objects.get(pk=change.task.pk)
        known = workflow.latest_reports([task])
        at = known.get((task.pk, change.unit.pk, change.period))
        if at and at.state == ReportState.SUBMITTED:
            at.task = task
            workflow.withdraw(at, act, TODAY)
            at.refresh_from_db(fields=["version", "state"])
        report = workflow.report_for(
            ReportChange(task, change.unit, change.period, change.fields, []), known
        )
        workflow.save_draft(report, act, report.version, today=TODAY)
        workflow.submit(report, act, TODAY)
        for item, done in change.ticks:
            workflow.tick_item(
                ChecklistItem.objects.get(pk=item.pk), act, TODAY if done else None, TODAY
            )


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return all rows and their history, but for the moments of the history."""
    models = (Task, ProgressUpdate, ChecklistItem, TaskRequest)
    found = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    for model in models:
        rows = model.history.order_by("history_id").values()
        found[f"{model.__name__} history"] = [
            {name: value for name, value in row.items() if name not in UNCOMPARED} for row in rows
        ]
    return found


@pytest.fixture
def tasks(
    policy: PolicyDocument,
    bureau: Organization,
    county: Organization,
    liaison: User,
    supervisor: User,
) -> Any:
    made = make_tasks(policy, bureau, county)
    hand_in_before(made, bureau, ChangeContext(liaison, ChangeSource.PAGE), supervisor)
    return made


def land(changes: list[ReportChange], act: ChangeContext) -> ImportBatch:
    batch = ImportBatch.objects.create(kind="progress", file_name=IMPORT, read_at=now())
    workflow.apply_progress(batch, changes, act, now())
    return batch


@pytest.fixture
def office_act(supervisor: User) -> ChangeContext:
    return ChangeContext(supervisor, ChangeSource.IMPORT, IMPORT)


def test_rows_versions_and_history_are_those_of_one_by_one(
    tasks: list[Task], bureau: Organization, county: Organization, office_act: ChangeContext
) -> None:
    with transaction.atomic():
        one_by_one(changes_of(tasks, bureau, county), office_act)
        expected = everything()
        transaction.set_rollback(True)
    land(changes_of(tasks, bureau, county), office_act)
    found = everything()
    assert _without_keys(found) == _without_keys(expected)


def _without_keys(found: dict[str, list[dict[str, Any]]]) -> Any:
    """Leave out the keys of new reports, which no database gives twice."""
    reports = sorted(
        found["ProgressUpdate"],
        key=lambda row: (row["task_id"], row["unit_id"], row["period_start"]),
    )
    names = {row["id"]: number for number, row in enumerate(reports)}
    cleaned = dict(found)
    cleaned["ProgressUpdate"] = [{**row, "id": names[row["id"]]} for row in reports]
    history = [{**row, "id": names[row["id"]]} for row in found["ProgressUpdate history"]]
    cleaned["ProgressUpdate history"] = sorted(history, key=lambda row: (row["id"], row["version"]))
    tasks = found["Task history"]
    cleaned["Task history"] = sorted(tasks, key=lambda row: (row["id"], row["version"]))
    return cleaned


def test_derived_columns_are_those_of_deriving_every_task_whole(
    tasks: list[Task],
    bureau: Organization,
    county: Organization,
    office_act: ChangeContext,
    policy: PolicyDocument,
) -> None:
    land(changes_of(tasks, bureau, county), office_act)
    assert workflow.refresh_tasks([policy.pk]) == 0


def test_the_history_of_each_task_knows_its_cooperating_units(
    tasks: list[Task], bureau: Organization, county: Organization, office_act: ChangeContext
) -> None:
    land(changes_of(tasks, bureau, county), office_act)
    latest = Task.history.filter(code="A1-01").latest("history_id")
    assert [link.organization for link in latest.co_units.all()] == [county]


def test_whoever_may_not_report_a_task_lands_nothing(
    tasks: list[Task], bureau: Organization, county: Organization
) -> None:
    stranger = User.objects.create_user("stranger", is_liaison=True, organization=county)
    before = everything()
    with pytest.raises(ValidationError, match="A1-01"):
        land(
            changes_of(tasks, bureau, county), ChangeContext(stranger, ChangeSource.IMPORT, IMPORT)
        )
    assert everything() == before


def test_a_task_that_was_closed_meanwhile_is_named(
    tasks: list[Task], bureau: Organization, county: Organization, office_act: ChangeContext
) -> None:
    changes = changes_of(tasks, bureau, county)
    Task.objects.filter(code="A1-03").update(status="closed", closed_on=TODAY)
    with pytest.raises(ValidationError, match="A1-03"):
        land(changes, office_act)


def test_what_the_database_refuses_is_named_with_its_task(
    tasks: list[Task],
    bureau: Organization,
    county: Organization,
    office_act: ChangeContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = changes_of(tasks, bureau, county)
    changes[3].fields["percent"] = 400
    monkeypatch.setattr("tracker.workflow.report_writer.missing_in_report", lambda *args: {})
    with pytest.raises(ValidationError, match="A1-03: "):
        land(changes, office_act)


def test_a_hundred_reports_take_hardly_more_statements_than_ten(
    policy: PolicyDocument, bureau: Organization, office_act: ChangeContext
) -> None:
    counts = []
    for count in (10, 100):
        facts: dict[str, Any] = {
            "lead_unit": bureau,
            "assigned_on": TODAY - 60 * DAY,
            "owed_from": TODAY - 60 * DAY,
        }
        made = [
            Task(policy=policy, measure=policy.measures.first(), code=f"A1-{count}{n}", kind=Kind.STANDING, title="x",
                 status="in_progress", **facts)
            for n in range(count)
        ]  # fmt: skip
        for task in Task.objects.bulk_create(made):
            ChecklistItem.objects.create(task=task, number=1, title="x")
        changes = [
            ReportChange(task, bureau, JUNE, {"progress": "x"}, [(task.items.get(), True)])
            for task in made
        ]
        with CaptureQueriesContext(connection) as queries:
            land(changes, office_act)
        counts.append(len(queries))
    # SQLite takes 999 values a statement: of history rows some forty.
    assert counts[1] < counts[0] + 20
