"""Checks that every change of a task passes: page, admin, bulk action, workbook, fixture."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.domain.choices import RUNNING_STATUSES, PolicyState, Status
from tracker.domain.dates import ZONE
from tracker.models import Organization, Task

# What the light and the rates of a closed task are read from.
JUDGED_FIELDS = (
    "kind",
    "lead_unit",
    "start",
    "original_deadline",
    "deadline",
    "closed_on",
    "percent",
    "assigned_on",
    "owed_from",
)
# From one of these a task is reopened or resumed.
ENDED_STATUSES = (Status.CLOSED, Status.SUSPENDED, Status.CANCELLED)


def check_task(
    task: Task, before: Task | None, co_units: Collection[Organization], added: set[int]
) -> None:
    """Check a task that a fixture brings against the stored one; raise ValidationError by field."""
    check_closed(task, before)
    check_hand_over(task, before)
    check_units_in_office(task, before, co_units, added)


def stays_closed(task: Task, before: Task | None) -> bool:
    """Say whether a task was closed and still is."""
    return bool(before and before.status == Status.CLOSED and task.status == Status.CLOSED)


def check_closed(task: Task, before: Task | None) -> None:
    """Refuse another value of a field by which a closed task was judged."""
    if before is None or not stays_closed(task, before):
        return
    moved = []
    for name in JUDGED_FIELDS:
        field: Any = task._meta.get_field(name)
        if getattr(task, field.attname) != getattr(before, field.attname):
            moved.append(name)
    if moved:
        raise ValidationError(dict.fromkeys(moved, closed_task_text()))


def closed_task_text() -> str:
    """Say why a judged fact of a closed task does not change, and how it is corrected."""
    return _(
        "The task is closed: the basis on which it was judged cannot be changed. To correct it, "
        "reopen the task with a reason."
    )


def check_closed_percent(task: Task, before: Task | None) -> None:
    """Refuse a change of checklist or indicators that moves the percent of a closed task."""
    if before and stays_closed(task, before) and task.percent != before.percent:
        raise ValidationError(closed_task_text())


def is_handed_over_now(task: Task, before: Task | None) -> bool:
    """Say whether the change from `before` hands the task over."""
    return bool(task.assigned_on) and not (before and before.assigned_on)


def check_hand_over(task: Task, before: Task | None) -> None:
    """Refuse to hand over a task that its unit cannot see."""
    if is_handed_over_now(task, before) and task.policy.state == PolicyState.DRAFT:
        raise ValidationError({"assigned_on": draft_policy_text()})


def draft_policy_text() -> str:
    """Say why a task of a draft is not handed over."""
    return _(
        "The policy is a draft that its units cannot see: publish it first, then hand over the "
        "task."
    )


def check_units_in_office(
    task: Task, before: Task | None, co_units: Collection[Organization], added: set[int]
) -> None:
    """Refuse to give a task to a unit that is out of office; what such a unit has stays with it.

    `added` are the keys of the co-operating units that are new. At the hand-over all units are
    checked.
    """
    if task.status in (Status.CLOSED, Status.CANCELLED):
        return
    new_lead = before is None or before.lead_unit_id != task.lead_unit_id
    if is_handed_over_now(task, before):
        new_lead = True
        added = {unit.pk for unit in co_units}
    faults = {}
    if new_lead and task.lead_unit and not task.lead_unit.active:
        faults["lead_unit"] = _out_of_office_text([task.lead_unit])
    closed_units = _closed_units(co_units, added)
    if closed_units:
        faults["co_units"] = _out_of_office_text(closed_units)
    if faults:
        raise ValidationError(faults)


def _closed_units(units: Collection[Organization], keys: Collection[int]) -> list[Organization]:
    """Return those of the named units that are out of office."""
    return [unit for unit in units if unit.pk in keys and not unit.active]


def _out_of_office_text(units: Collection[Organization]) -> str:
    names = pgettext("list", ", ").join(unit.name for unit in units)
    return _("Inactive units cannot take tasks: %(units)s. Choose the unit that replaces them.") % {
        "units": names
    }


def check_reopening(task: Task, before: Task, reason: str, today: dt.date) -> None:
    """Require a reason, and a deadline that has not passed, to reopen or resume a task."""
    if before.status not in ENDED_STATUSES or task.status not in RUNNING_STATUSES:
        return
    if not reason.strip():
        raise ValidationError({"reason": _("Give a reason.")})
    if task.deadline and task.deadline < today:
        raise ValidationError(
            {
                "deadline": _("Reopening and resuming require a new deadline, %(day)s or later.")
                % {"day": today}
            }
        )


def check_day_of_closing(task: Task, before: Task | None, reason: str, today: dt.date) -> None:
    """Refuse a closing day in the future, and another day of the request without a reason."""
    if (
        task.status == Status.CLOSED
        and task.closed_on
        and task.closed_on > today
        and not stays_closed(task, before)
    ):
        raise ValidationError({"closed_on": _("The day of closing cannot be in the future.")})
    if before is None or before.status != Status.CLOSING or task.status != Status.CLOSING:
        return
    if task.closing_requested_on != before.closing_requested_on and not reason.strip():
        text = _("The light is judged by the day of the request: give a reason for changing it.")
        raise ValidationError({"closing_requested_on": text})


def deadline_on(task: Task, day: dt.date) -> dt.date | None:
    """Return the deadline that was in force on a day of closing.

    A task that was reopened or resumed has a new deadline. Closed on a day before that, it is
    judged by the deadline of that time: so the correction of a closing keeps its light.
    """
    rows = task.history.order_by("-history_id")
    ended = rows.filter(status__in=ENDED_STATUSES).first()
    if not ended or not ended.deadline:
        return task.deadline
    reopened = task.history.filter(history_id__gt=ended.history_id).order_by("history_id").first()
    if reopened and day < reopened.history_date.astimezone(ZONE).date():
        return ended.deadline
    return task.deadline
