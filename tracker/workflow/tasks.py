"""Save a task with what belongs to it, after the checks that every change passes."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from tracker.domain.choices import OPEN_STATUSES, RUNNING_STATUSES, Status
from tracker.models import ChecklistItem, Indicator, Organization, PolicyDocument, Task
from tracker.models.base import Versioned
from tracker.workflow import checks
from tracker.workflow.checks import ENDED_STATUSES
from tracker.workflow.deletion import delete_object
from tracker.workflow.derivation import DERIVED, derive_change
from tracker.workflow.rows import (
    ChangeContext,
    bump_version,
    check_edit_right,
    record_change,
    save_row,
    without_history,
)
from tracker.workflow.task_requests import follow_requests
from tracker.workflow.transitions.table import office_may_set

TaskPart = ChecklistItem | Indicator


@dataclass(frozen=True)
class TaskParts:
    """What is saved with a task; `co_units` None leaves its co-operating units as they are."""

    co_units: Collection[Organization] | None = None
    items: Sequence[TaskPart] = ()
    removed: Sequence[TaskPart] = ()


def save_task(
    task: Task, act: ChangeContext, seen: int | None = None, *, today: dt.date, **parts: Any
) -> None:
    """Save a task with its co-operating units and the checklist items and indicators that changed.

    `seen` is the version that the person saw, `today` the day of the change, `parts` the fields of
    `TaskParts`. Raises StaleVersion, PermissionDenied, or ValidationError with the field at fault.
    """
    check_edit_right(task, act)
    with transaction.atomic():
        before = lock_task(task, seen)
        write_task(task, before, act, today, TaskParts(**parts))


def lock_task(task: Task, seen: int | None) -> Task | None:
    """Lock a task for a change; return it as it is stored, or None for a new one.

    Call it in a transaction.
    """
    # The policy first, as a change of thresholds locks it: neither derives from outdated facts.
    task.policy = (
        PolicyDocument.objects.select_for_update().defer("full_text").get(pk=task.policy_id)
    )
    if bump_version(task, seen):
        return None
    return Task.objects.get(pk=task.pk)


def write_task(
    task: Task,
    before: Task | None,
    act: ChangeContext,
    today: dt.date,
    parts: TaskParts | None = None,
    *,
    by_request: bool = False,
) -> None:
    """Write a locked task with its parts, its requests, its derived columns and its history.

    `by_request` says that the caller keeps the requests of the task.
    """
    parts = parts or TaskParts()
    validate_change(task, before, act.reason, today)
    if before is None or before.code != task.code:
        task.refuse_twin()
    validate_co_units(task, before, parts.co_units)
    save_row(task)
    if parts.co_units is not None:
        with without_history(task):
            task.co_units.set(parts.co_units)
    _write_parts(task, parts, act)
    if before and not by_request:
        follow_requests(task, before, act, today)
    # Queried again: what was prefetched with the task is from before the change.
    items = list(ChecklistItem.objects.filter(task=task))
    derive_change(task, before, items, list(Indicator.objects.filter(task=task)), act.reason)
    if parts.items or parts.removed:
        checks.check_closed_percent(task, before)
    Task.objects.filter(pk=task.pk).update(**{name: getattr(task, name) for name in DERIVED})
    record_change(task, act, before is None)


def _write_parts(task: Task, parts: TaskParts, act: ChangeContext) -> None:
    for part in parts.removed:
        delete_object(part, act)
    for part in parts.items:
        part.task = task
        is_new = None
        if isinstance(part, Versioned):
            is_new = bump_version(part, None)
        save_row(part, act, is_new)


def validate_change(task: Task, before: Task | None, reason: str, today: dt.date) -> None:
    """Check a changed task against the stored one, and set the fields that follow from the change.

    `before` is the task as it was stored, None for a new one. Raises ValidationError by field.
    """
    if before:
        _check_status_change(task, before)
        _check_deadline_reason(task, before, reason)
    checks.check_closed(task, before)
    checks.check_hand_over(task, before)
    checks.check_day_of_closing(task, before, reason, today)
    if before:
        checks.check_reopening(task, before, reason, today)
        _follow_status(task, before, today)
        if before.lead_unit_id != task.lead_unit_id:
            task.acknowledged_on = None
    if checks.is_handed_over_now(task, before):
        task.lead_is_proposed = False
        task.owed_from = task.owed_from or task.assigned_on
    task.clean()


def _check_status_change(task: Task, before: Task) -> None:
    if before.status == task.status or office_may_set(before.status, task.status):
        return
    text = _("The status cannot change from “%(before)s” to “%(after)s”.")
    names = {"before": before.get_status_display(), "after": task.get_status_display()}
    raise ValidationError({"status": text % names})


def _check_deadline_reason(task: Task, before: Task, reason: str) -> None:
    deadlines = (task.deadline, task.original_deadline)
    moved = deadlines != (before.deadline, before.original_deadline)
    if before.assigned_on and moved and not reason.strip():
        text = _("The task has been handed over: give a reason for changing a deadline.")
        raise ValidationError({"deadline": text})


def _follow_status(task: Task, before: Task, today: dt.date) -> None:
    """Set the days that follow from reopening or closing a task."""
    reopened = before.status in ENDED_STATUSES and task.status in RUNNING_STATUSES
    if reopened and task.assigned_on and task.owed_from == before.owed_from:
        task.owed_from = today
    closed = before.status in OPEN_STATUSES and task.status == Status.CLOSED
    if closed and task.closed_on and task.deadline:
        task.deadline = checks.deadline_on(task, task.closed_on)


def validate_co_units(
    task: Task,
    before: Task | None,
    units: Collection[Organization] | None,
    stored: Collection[Organization] | None = None,
) -> None:
    """Check the co-operating units of a task; `units` None means those that are stored.

    `stored` are those of now; queried where they are not given.
    """
    if stored is None:
        stored = []
        if task.pk:
            stored = list(Organization.objects.filter(co_tasks=task))
    if units is None:
        units = stored
    old_keys = {unit.pk for unit in stored}
    new_keys = {unit.pk for unit in units}
    if checks.stays_closed(task, before) and new_keys != old_keys:
        raise ValidationError({"co_units": checks.closed_task_text()})
    checks.check_units_in_office(task, before, units, new_keys - old_keys)
    if task.lead_unit in units:
        text = _("The lead unit cannot also be a co-operating unit: %(unit)s.")
        raise ValidationError({"co_units": text % {"unit": task.lead_unit}})


def hand_over(task: Task, act: ChangeContext, seen: int, on: dt.date) -> None:
    """Hand a task over to its lead unit on a day: from then on reports are owed."""
    if task.assigned_on:
        raise ValidationError(
            _("It was already handed over on %(day)s.") % {"day": task.assigned_on}
        )
    task.assigned_on = on
    task.owed_from = on
    save_task(task, act, seen, today=on)


def set_deadline(
    task: Task, act: ChangeContext, seen: int, deadline: dt.date, today: dt.date
) -> None:
    """Set the current deadline; after the hand-over the original one stays, with a reason."""
    task.deadline = deadline
    save_task(task, act, seen, today=today)


def set_status(
    task: Task,
    act: ChangeContext,
    seen: int,
    status: Status,
    on: dt.date,
    today: dt.date | None = None,
) -> None:
    """Set the status; closing and closed take `on` as the day of the request or of the closing."""
    if task.status == status:
        raise ValidationError(_("It already has this status."))
    if status == Status.CLOSING:
        task.closing_requested_on = on
    if status == Status.CLOSED:
        task.closed_on = task.closing_requested_on or on
    task.status = status
    save_task(task, act, seen, today=today or on)
