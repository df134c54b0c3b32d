"""Reports that come in by workbook: landed whole or not at all, and taken back the same way."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from tracker.choices import AT_HAND, STANDING, BatchState, ReportState
from tracker.dates import Period
from tracker.models import ChecklistItem, ImportBatch, Organization, PolicyDocument, ProgressUpdate, Task
from tracker.workflow.core import Act, delete, save, save_task
from tracker.workflow.reports import TEXTS, has_own_percent, in_role_of_today, save_draft, submit, withdraw
from tracker.workflow.steps import tick


@dataclass
class Change:
    """What a row of a workbook asks for: a unit's report of a task for a period, and steps to tick or untick."""

    task: Task
    unit: Organization
    period: Period
    fields: dict[str, Any]
    ticks: list[tuple[ChecklistItem, bool]]


# By task, unit and first day of the period.
Known = dict[tuple[int, int | None, dt.date | None], ProgressUpdate]


@dataclass
class Row:
    """A part of a policy that a workbook makes or changes: the thing as it will be, and what it was."""

    thing: Any
    new: bool
    before: dict[str, Any]
    co_units: list[Organization] | None


def at_hand(tasks: Collection[Task]) -> Known:
    """Return what units have reported, begun or handed in: the latest of each task, unit and period. One query.

    Under no period stands the latest of a unit that stands.
    """
    known: Known = {}
    by_key = {task.pk: task for task in tasks}
    drafts = []
    for each in ProgressUpdate.objects.filter(task__in=by_key).order_by("period_start", "pk"):
        if each.contribution == (each.unit_id != by_key[each.task_id].lead_unit_id):
            known[each.task_id, each.unit_id, each.period_start] = each
            if each.state in STANDING:
                known[each.task_id, each.unit_id, None] = each
        elif each.state == ReportState.DRAFT:
            drafts.append(each)
    for each in drafts:
        # Begun before the lead unit changed: it is written on in the role of today.
        key = each.task_id, each.unit_id, each.period_start
        if key not in known or known[key].state not in AT_HAND:
            known[key] = in_role_of_today([each], by_key[each.task_id]) or each
    return known


def base_of(task: Task, unit: int | None, period: Period, known: Known) -> ProgressUpdate | None:
    """Return the report that a unit's new one goes on from: the one at hand, else the latest that counts."""
    last = task.latest_report if unit == task.lead_unit_id else known.get((task.pk, unit, None))
    return known.get((task.pk, unit, period.start)) or last


def keep(batch: ImportBatch, now: dt.datetime) -> None:
    """Keep what was read of a workbook; nothing of it has landed."""
    batch.read_at = now
    batch.save()


def land(batch: ImportBatch, changes: Iterable[Change], act: Act, now: dt.datetime) -> None:
    """Hand in every report of a batch and tick its steps: all, or none with the words why."""
    with transaction.atomic():
        _claim(batch, BatchState.READ, _("This import has been confirmed already."))
        batch.made = [_land(change, act, now.date()) for change in changes]
        batch.state, batch.landed_at = BatchState.LANDED, now
        batch.save()


def undo(batch: ImportBatch, act: Act, now: dt.datetime) -> None:
    """Take back all that a batch has made: reports as they were before, ticks as they were. All, or none."""
    with transaction.atomic():
        _claim(batch, BatchState.LANDED, _("This import has been undone already, or was never confirmed."))
        for entry in reversed(batch.made):
            try:
                _take_back(entry, act, now.date())
            except PermissionDenied as error:
                task = Task.objects.select_related("lead_unit").get(pk=entry["task"])
                raise ValidationError(f"{task.code}: {_not_allowed(task)}") from error
        batch.state, batch.undone_at, batch.undone_by = BatchState.UNDONE, now, act.user
        batch.save()


def _claim(batch: ImportBatch, state: BatchState, words: str) -> None:
    """Hold a batch: two people who confirm it at once make one effect."""
    if ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk).state != state:
        raise ValidationError(words)


def _land(change: Change, act: Act, today: dt.date) -> dict[str, Any]:
    entry: dict[str, Any] = {"task": change.task.pk, "ticks": []}
    try:
        if change.fields:
            entry |= _report(change, act, today)
        for item, done in change.ticks:
            entry["ticks"].append([item.pk, item.done_on])
            tick(item, act, today if done else None, today)
    except ValidationError as error:
        raise ValidationError(f"{change.task.code}: {' '.join(error.messages)}") from error
    except PermissionDenied as error:
        raise ValidationError(f"{change.task.code}: {_not_allowed(change.task)}") from error
    return entry


def _not_allowed(task: Task) -> str:
    """Say why an account may not do what it could when the workbook was read or confirmed."""
    return _("your account may not report this task any more; its lead unit is %(unit)s now.") % {
        "unit": task.lead_unit.short_name if task.lead_unit else "—"
    }


def report_for(change: Change, known: Known) -> ProgressUpdate:
    """Return the report that a change makes: the one at hand, or a new one in the words of the last; not saved."""
    task, unit, period = change.task, change.unit, change.period
    report = known.get((task.pk, unit.pk, period.start))
    base, helps = base_of(task, unit.pk, period, known), unit.pk != task.lead_unit_id
    own = has_own_percent(task) and not helps
    if not report or report.state not in AT_HAND:
        report = ProgressUpdate(unit=unit, contribution=helps, period_start=period.start, period_end=period.end)
        for name in TEXTS:
            setattr(report, name, getattr(base, name, ""))
        report.percent = None
    # A draft that was begun in the other role has no percent yet, or one that no longer counts.
    if own and report.percent is None and base:
        report.percent = task.percent
    elif not own:
        report.percent = None
    if helps:
        report.figures = []
    report.task = task
    for name, value in change.fields.items():
        setattr(report, name, value)
    return report


def _report(change: Change, act: Act, today: dt.date) -> dict[str, Any]:
    known = at_hand([change.task])
    at, before = known.get((change.task.pk, change.unit.pk, change.period.start)), None
    if at and at.state in AT_HAND:
        before = {name: getattr(at, name) for name in (*change.fields, "state")}
        at.task = change.task
        if at.state == ReportState.SUBMITTED:
            withdraw(at, act, today)
            at.refresh_from_db(fields=["version", "state"])
    report = report_for(change, known)
    save_draft(report, act, report.version, today=today)
    submit(report, act, today)
    report.refresh_from_db(fields=["version"])
    return {"report": report.pk, "version": report.version, "before": before}


def _take_back(entry: dict[str, Any], act: Act, today: dt.date) -> None:
    for key, done_on in entry["ticks"]:
        item = ChecklistItem.objects.select_related("task__policy").get(pk=key)
        tick(item, act, dt.date.fromisoformat(done_on) if done_on else None, today)
    if "report" not in entry:
        return
    report = ProgressUpdate.objects.select_related("task__policy", "unit").filter(pk=entry["report"]).first()
    if not report or report.state != ReportState.SUBMITTED or report.version != entry["version"]:
        code = Task.objects.get(pk=entry["task"]).code
        raise ValidationError(_("%(code)s: its report has been reviewed or changed since.") % {"code": code})
    withdraw(report, act, today)
    report.refresh_from_db(fields=["version", "state"])
    before = entry["before"]
    if before is None:
        report.delete()
        return
    state = before.pop("state")
    for name, value in before.items():
        setattr(report, name, value)
    save_draft(report, act, report.version, today=today)
    if state in STANDING:
        submit(report, act, today)


def load(batch: ImportBatch, rows: Iterable[Row], act: Act, now: dt.datetime) -> None:
    """Load a checklist: policy, sections, measures, tasks, steps, in this order. All, or none."""
    with transaction.atomic():
        _claim(batch, BatchState.READ, _("This import has been confirmed already."))
        batch.made = [_load(row, act, now.date()) for row in rows]
        batch.state, batch.landed_at = BatchState.LANDED, now
        batch.save()


def unload(batch: ImportBatch, act: Act, now: dt.datetime) -> None:
    """Take back a checklist that was loaded: new parts go, changed ones are as before. All, or none."""
    with transaction.atomic():
        _claim(batch, BatchState.LANDED, _("This import has been undone already, or was never confirmed."))
        for entry in reversed(batch.made):
            _unload(entry, act, now.date())
        batch.state, batch.undone_at, batch.undone_by = BatchState.UNDONE, now, act.user
        # A policy that the import made is gone.
        batch.policy = PolicyDocument.objects.filter(pk__in=[batch.policy_id]).first()
        batch.save()


def _load(row: Row, act: Act, today: dt.date) -> dict[str, Any]:
    thing = row.thing
    units = [unit.pk for unit in thing.co_units.all()] if row.co_units is not None and not row.new else []
    # What an earlier row has just made has its number now.
    for field in thing._meta.concrete_fields:
        if field.is_relation and field.is_cached(thing) and getattr(thing, field.name):
            setattr(thing, field.name, getattr(thing, field.name))
    try:
        if isinstance(thing, Task):
            save_task(thing, act, None if row.new else thing.version, co_units=row.co_units, today=today)
        elif isinstance(thing, ChecklistItem):
            save_task(Task.objects.get(pk=thing.task_id), act, items=[thing], today=today)
        else:
            save(thing, act)
    except ValidationError as error:
        raise ValidationError(f"{thing}: {' '.join(error.messages)}") from error
    before = {name: value.pk if isinstance(value, Model) else value for name, value in row.before.items()}
    return {
        "model": thing._meta.model_name,
        "pk": thing.pk,
        "new": row.new,
        "before": before,
        "co_units": units if row.co_units is not None else None,
        "version": getattr(thing, "version", None),
    }


def _unload(entry: dict[str, Any], act: Act, today: dt.date) -> None:
    model = apps.get_model("tracker", entry["model"])
    thing = model._default_manager.filter(pk=entry["pk"]).first()
    if thing is None:
        raise ValidationError(_("A part that this import made is gone already."))
    if entry["new"]:
        try:
            delete(thing, act)
        except PermissionDenied as error:
            raise ValidationError(f"{thing}: {error}") from error
        return
    for name, value in entry["before"].items():
        field = model._meta.get_field(name)
        setattr(thing, field.attname, field.to_python(value) if not field.is_relation else value)
    units = None if entry["co_units"] is None else list(Organization.objects.filter(pk__in=entry["co_units"]))
    if isinstance(thing, Task):
        save_task(thing, act, co_units=units, today=today)
    elif isinstance(thing, ChecklistItem):
        save_task(Task.objects.get(pk=thing.task_id), act, items=[thing], today=today)
    else:
        save(thing, act)
