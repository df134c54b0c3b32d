"""Reports and checklists from workbooks: applied as a whole or not at all, and reverted so."""

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from tracker.domain.choices import (
    EDITABLE_REPORT_STATES,
    STANDING_REPORT_STATES,
    BatchState,
    ReportState,
)
from tracker.domain.dates import Period
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.models import (
    ChecklistItem,
    ImportBatch,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.workflow.checklist_writer import (
    ChecklistChange,
    ChecklistWriter,
    naming_row,
    refresh_links,
)
from tracker.workflow.deletion import delete_all_unchecked, delete_object
from tracker.workflow.later_changes import note_versions, refuse_later_changes
from tracker.workflow.report_checks import has_own_percent
from tracker.workflow.report_writer import ReportWriter
from tracker.workflow.reports import REPORT_TEXTS, in_role_of_today, resume_rework
from tracker.workflow.rows import ChangeContext
from tracker.workflow.tasks import save_task
from tracker.workflow.writes import save_object


@dataclass
class ReportChange:
    """What a row of a workbook asks for.

    A unit's report of a task for a period, and steps to tick or untick.
    """

    task: Task
    unit: Organization
    period: Period
    fields: dict[str, Any]
    ticks: list[tuple[ChecklistItem, bool]]


# By task, unit and period: April and the second quarter begin on one day.
ReportsByKey = dict[tuple[int, int | None, Period | None], ProgressUpdate]


def latest_reports(tasks: Collection[Task]) -> ReportsByKey:
    """Return the latest report of each task, unit and period, a draft or not; one query.

    Under the period None is the latest report of a unit that was handed in or accepted.
    """
    known: ReportsByKey = {}
    by_key = {}
    for task in tasks:
        by_key[task.pk] = task
    drafts = []
    for each in ProgressUpdate.objects.filter(task__in=by_key).order_by("period_start", "pk"):
        each.task = by_key[each.task_id]
        resume_rework(each)
        if each.contribution == (each.unit_id != by_key[each.task_id].lead_unit_id):
            known[each.task_id, each.unit_id, each.period] = each
            if each.state in STANDING_REPORT_STATES:
                known[each.task_id, each.unit_id, None] = each
        elif each.state == ReportState.DRAFT:
            drafts.append(each)
    for each in drafts:
        # Begun before the lead unit changed: it is written on in the role of today.
        key = each.task_id, each.unit_id, each.period
        if key not in known or known[key].state not in EDITABLE_REPORT_STATES:
            known[key] = in_role_of_today([each], by_key[each.task_id]) or each
    return known


def base_report(
    task: Task, unit: int | None, period: Period, known: ReportsByKey
) -> ProgressUpdate | None:
    """Return the report that a unit's new one goes on from.

    The one at hand, else the latest that counts.
    """
    if unit == task.lead_unit_id:
        last = task.latest_report
    else:
        last = known.get((task.pk, unit, None))
    return known.get((task.pk, unit, period)) or last


def store_batch(batch: ImportBatch, now: dt.datetime) -> ImportBatch:
    """Keep what was read of a workbook; nothing of it has applied.

    Sent twice, it is the batch that waits already.
    """
    with transaction.atomic():
        # Of two that an account sends at once the second waits for the first.
        list(User.objects.select_for_update().filter(pk=batch.read_by_id).values_list("pk"))
        alike = {"kind": batch.kind, "file_name": batch.file_name, "read_by": batch.read_by}
        latest = ImportBatch.objects.filter(state=BatchState.READ, **alike).order_by("-pk").first()
        if latest and latest.rows == _as_stored(batch.rows):
            return latest
        batch.read_at = now
        batch.save()
    return batch


def _as_stored(rows: list[Any]) -> list[Any]:
    """Return rows as the database gives them back: a day is a text."""
    stored: list[Any] = json.loads(json.dumps(rows, cls=DjangoJSONEncoder))
    return stored


def apply_progress(
    batch: ImportBatch,
    changes: Collection[ReportChange],
    act: ChangeContext,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Hand in every report of a batch and tick its steps: all, or none with the words why."""
    with transaction.atomic():
        _lock_batch(batch, BatchState.READ, _("This import was already confirmed."))
        writer = ReportWriter({change.task.pk for change in changes}, act, now.date())
        known = latest_reports(writer.tasks.values())
        applied = []
        for number, change in enumerate(changes, 1):
            applied.append(_apply_row(change, writer, known, now.date()))
            tell(number)
        writer.write()
        batch.made = []
        for entry, report in applied:
            batch.made.append(entry | _made(report))
        batch.state = BatchState.LANDED
        batch.landed_at = now
        batch.save()


def revert_progress(
    batch: ImportBatch,
    act: ChangeContext,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Take back all that a batch has made: reports as they were before, ticks as they were.

    All, or none.
    """
    with transaction.atomic():
        _lock_batch(
            batch,
            BatchState.LANDED,
            _("This import was already undone, or was never confirmed."),
        )
        writer = ReportWriter({entry["task"] for entry in batch.made}, act, now.date())
        refuse_later_changes(batch)
        reports = _reports_of(batch, writer)
        gone = []
        for number, entry in enumerate(reversed(batch.made), 1):
            report = reports.get(entry.get("report", 0))
            try:
                _take_back(entry, report, writer)
            except PermissionDenied as error:
                task = writer.tasks[entry["task"]]
                raise ValidationError(f"{task.code}: {_not_allowed(task)}") from error
            if report and entry["before"] is None:
                gone.append(report)
            tell(number)
        writer.write()
        if gone:
            delete_all_unchecked(gone, act)
        batch.state = BatchState.UNDONE
        batch.undone_at = now
        batch.undone_by = act.user
        batch.save()


def _lock_batch(batch: ImportBatch, state: BatchState, words: str) -> None:
    """Lock a batch in a state, so that two people who confirm it at once apply it once."""
    if ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk).state != state:
        raise ValidationError(words)


def _apply_row(
    change: ReportChange, writer: ReportWriter, known: ReportsByKey, today: dt.date
) -> tuple[dict[str, Any], ProgressUpdate | None]:
    """Take the steps of a row; return what undoing it needs, and the report."""
    change = replace(change, task=writer.tasks[change.task.pk])
    entry: dict[str, Any] = {"task": change.task.pk, "ticks": []}
    report = None
    try:
        if change.fields:
            report, entry["before"] = _report(change, writer, known)
        for item, done in change.ticks:
            done_on = None
            if done:
                done_on = today
            before = writer.tick(change.task, item.pk, done_on)
            entry["ticks"].append([item.pk, _iso(before), _iso(done_on)])
    except ValidationError as error:
        raise ValidationError(f"{change.task.code}: {' '.join(error.messages)}") from error
    except PermissionDenied as error:
        raise ValidationError(f"{change.task.code}: {_not_allowed(change.task)}") from error
    return entry, report


def _iso(day: dt.date | None) -> str | None:
    if day:
        return day.isoformat()
    return None


def _made(report: ProgressUpdate | None) -> dict[str, Any]:
    if report:
        return {"report": report.pk, "version": report.version}
    return {}


def _not_allowed(task: Task) -> str:
    """Say why an account may not do what it could when the workbook was read or confirmed."""
    unit = "—"
    if task.lead_unit:
        unit = task.lead_unit.short_name
    text = _("your account may no longer report this task; its lead unit is %(unit)s now.")
    return text % {"unit": unit}


def report_for(change: ReportChange, known: ReportsByKey) -> ProgressUpdate:
    """Return the report of a change, not saved: the open one, or a new one with the last texts."""
    task = change.task
    unit = change.unit
    period = change.period
    report = known.get((task.pk, unit.pk, period))
    base = base_report(task, unit.pk, period, known)
    helps = unit.pk != task.lead_unit_id
    if not report or report.state not in EDITABLE_REPORT_STATES:
        report = ProgressUpdate(
            unit=unit, contribution=helps, period_start=period.start, period_end=period.end
        )
        for name in REPORT_TEXTS:
            setattr(report, name, getattr(base, name, ""))
        report.percent = None
    # A draft that was begun in the other role has no percent yet, or one that no longer counts.
    if helps or not has_own_percent(task):
        report.percent = None
    elif report.percent is None and base:
        report.percent = task.percent
    if helps:
        report.figures = []
    report.task = task
    for name, value in change.fields.items():
        setattr(report, name, value)
    return report


def _report(
    change: ReportChange, writer: ReportWriter, known: ReportsByKey
) -> tuple[ProgressUpdate, dict[str, Any] | None]:
    """Hand in the report of a row; return it, and the former values of an open one."""
    at = known.get((change.task.pk, change.unit.pk, change.period))
    before = None
    if at and at.state in EDITABLE_REPORT_STATES:
        before = {}
        for name in (*change.fields, "state"):
            before[name] = getattr(at, name)
        at.task = change.task
        at.unit = change.unit
        if at.state == ReportState.SUBMITTED:
            writer.withdraw(at)
    report = report_for(change, known)
    writer.save_draft(report)
    writer.submit(report)
    return report, before


def _reports_of(batch: ImportBatch, writer: ReportWriter) -> dict[int, ProgressUpdate]:
    """Return the reports that a batch has made, by key, each with its task from the writer."""
    keys = []
    for entry in batch.made:
        if "report" in entry:
            keys.append(entry["report"])
    found = ProgressUpdate.objects.filter(pk__in=keys).select_related(
        "unit", "submitted_by", "reviewed_by"
    )
    reports = {report.pk: report for report in found}
    for report in reports.values():
        report.task = writer.tasks[report.task_id]
    return reports


def _take_back(entry: dict[str, Any], report: ProgressUpdate | None, writer: ReportWriter) -> None:
    """Revert the ticks and the report of a row; a new report is left withdrawn."""
    for key, day, *_after in entry["ticks"]:
        done_on = None
        if day:
            done_on = dt.date.fromisoformat(day)
        writer.tick(writer.tasks[entry["task"]], key, done_on)
    if not report:
        return
    writer.withdraw(report)
    before = entry["before"]
    if before is None:
        return
    for name, value in before.items():
        if name != "state":
            setattr(report, name, value)
    writer.save_draft(report)
    if before["state"] in STANDING_REPORT_STATES:
        writer.submit(report)


def apply_checklist(
    batch: ImportBatch,
    rows: Iterable[ChecklistChange],
    act: ChangeContext,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Load a checklist: policy, sections, measures, tasks, steps, in this order. All, or none."""
    rows = list(rows)
    task_parts = [row for row in rows if isinstance(row.thing, Task | ChecklistItem)]
    policy_parts = [row for row in rows if not isinstance(row.thing, Task | ChecklistItem)]
    counter = count(1)
    with transaction.atomic():
        _lock_batch(batch, BatchState.READ, _("This import was already confirmed."))
        made = []
        for row in policy_parts:
            refresh_links(row.thing)
            with naming_row(row.thing):
                save_object(row.thing, act)
            made.append(_loaded(row, None))
            tell(next(counter))
        if task_parts:
            made += _write_tasks(task_parts, act, now.date(), lambda: tell(next(counter)))
        batch.made = note_versions(made)
        batch.state = BatchState.LANDED
        batch.landed_at = now
        batch.save()


def _write_tasks(
    rows: list[ChecklistChange], act: ChangeContext, today: dt.date, tell: Callable[[], object]
) -> list[dict[str, Any]]:
    """Write the tasks and steps of a checklist; return what undoing them needs."""
    tasks = [row for row in rows if isinstance(row.thing, Task)]
    steps = [row for row in rows if isinstance(row.thing, ChecklistItem)]
    if tasks:
        policy = tasks[0].thing.policy
    else:
        policy = steps[0].thing.task.policy
    writer = ChecklistWriter(policy.pk, act, today, tell)
    writer.save_tasks(tasks)
    writer.save_steps(steps)
    return [_loaded(row, writer.helpers_before(row.thing)) for row in [*tasks, *steps]]


def _loaded(row: ChecklistChange, helpers: list[int] | None) -> dict[str, Any]:
    """Return what undoing a row of a checklist needs."""
    thing = row.thing
    before = {}
    for name, value in row.before.items():
        if isinstance(value, Model):
            value = value.pk
        before[name] = value
    facts = None
    if isinstance(thing, ChecklistItem):
        # A step has no version: its own facts tell whether somebody has changed it since.
        columns = [field.attname for field in thing._meta.concrete_fields]
        facts = {name: getattr(thing, name) for name in columns}
    if row.co_units is None:
        helpers = None
    return {
        "model": thing._meta.model_name,
        "pk": thing.pk,
        "new": row.new,
        "before": before,
        "co_units": helpers,
        "facts": facts,
    }


def revert_checklist(
    batch: ImportBatch,
    act: ChangeContext,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Revert a checklist: delete new parts, restore changed ones. All, or none."""
    with transaction.atomic():
        _lock_batch(
            batch,
            BatchState.LANDED,
            _("This import was already undone, or was never confirmed."),
        )
        if batch.policy_id:
            # Locked while it is compared and taken back: nobody changes a part of it meanwhile.
            policy = PolicyDocument.objects.select_for_update().filter(pk=batch.policy_id)
            list(policy.values_list("pk"))
        refuse_later_changes(batch)
        for number, entry in enumerate(reversed(batch.made), 1):
            _unload(entry, act, now.date())
            tell(number)
        batch.state = BatchState.UNDONE
        batch.undone_at = now
        batch.undone_by = act.user
        # A policy that the import made is gone.
        batch.policy = PolicyDocument.objects.filter(pk__in=[batch.policy_id]).first()
        batch.save()


def _unload(entry: dict[str, Any], act: ChangeContext, today: dt.date) -> None:
    model = apps.get_model("tracker", entry["model"])
    thing = model._default_manager.filter(pk=entry["pk"]).first()
    if thing is None:
        raise ValidationError(_("Something created by this import no longer exists."))
    if entry["new"]:
        try:
            delete_object(thing, act)
        except PermissionDenied as error:
            raise ValidationError(f"{thing}: {error}") from error
        return
    for name, value in entry["before"].items():
        field = model._meta.get_field(name)
        if not field.is_relation:
            value = field.to_python(value)
        setattr(thing, field.attname, value)
    units = None
    if entry["co_units"] is not None:
        units = list(Organization.objects.filter(pk__in=entry["co_units"]))
    if isinstance(thing, Task):
        save_task(thing, act, co_units=units, today=today)
    elif isinstance(thing, ChecklistItem):
        save_task(Task.objects.get(pk=thing.task_id), act, items=[thing], today=today)
    else:
        save_object(thing, act)
