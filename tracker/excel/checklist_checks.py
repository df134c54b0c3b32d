"""What saving a row of a checklist would refuse, by column: found before anything is written."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.excel.checklist_parts import PARENT_COLUMNS
from tracker.excel.checklist_units import join_units
from tracker.excel.import_feedback import messages_by_field
from tracker.models import Organization, Task
from tracker.models.base import limited_fields

MAX_SMALL = 32_767  # what every database holds in a small whole number


def find_refusals(
    kind: str,
    part: models.Model,
    before: models.Model | None,
    co_units: list[Organization] | None,
    reason: str,
    today: dt.date,
) -> dict[str, str]:
    """Return what is wrong with a part as a row makes it, by the names of its columns.

    `before` is the part as it is stored, None for a new one; `co_units` are the co-operating units
    that the row gives a task, None where they stay.
    """
    refusals = _missing_parents(kind, part)
    refusals |= _field_errors(part, before)
    refusals |= _numbers_too_large(part)
    if isinstance(part, Task) and not refusals:
        stored = None
        if isinstance(before, Task):
            stored = before
        refusals |= _task_errors(part, stored, reason, today)
        for name, text in _unit_errors(part, stored, co_units).items():
            refusals.setdefault(name, text)
    return refusals


def _missing_parents(kind: str, part: models.Model) -> dict[str, str]:
    refusals = {}
    for child, name in PARENT_COLUMNS:
        field = name
        if kind == "checklistitem":
            field = "task"
        if child == kind and field not in part._state.fields_cache:
            refusals[name] = _("This is required for a new row.")
    return refusals


def _field_errors(part: models.Model, before: models.Model | None) -> dict[str, str]:
    """Return what the fields of a part refuse; a text that is too long already may stay."""
    unchecked = {field.name for field in part._meta.get_fields() if field.is_relation}
    if before:
        for name in limited_fields(type(part)):
            if getattr(before, name) == getattr(part, name):
                unchecked.add(name)
    try:
        part.clean_fields(exclude=unchecked)
    except ValidationError as error:
        return messages_by_field(error)
    return {}


def _numbers_too_large(part: models.Model) -> dict[str, str]:
    refusals = {}
    for field in part._meta.concrete_fields:
        value = getattr(part, field.attname)
        is_small = isinstance(field, models.PositiveSmallIntegerField)
        if is_small and isinstance(value, int) and value > MAX_SMALL:
            refusals[field.name] = _("At most %(most)d.") % {"most": MAX_SMALL}
    return refusals


def _task_errors(task: Task, before: Task | None, reason: str, today: dt.date) -> dict[str, str]:
    """Return what the workflow refuses of a task."""
    try:
        workflow.validate_change(task, before, reason, today)
    except ValidationError as error:
        return messages_by_field(error)
    return {}


def _unit_errors(
    task: Task, before: Task | None, co_units: list[Organization] | None
) -> dict[str, str]:
    """Return what is wrong with the units of a task: one in two roles, or no longer in office."""
    refusals = {}
    stored: list[Organization] = []
    if task.pk:
        stored = list(task.co_units.all())
    units = stored
    column = "lead_unit"
    if co_units is not None:
        units = co_units
        column = "co_units"
    if task.lead_unit in units:
        text = _("The lead unit cannot also be a co-operating unit: %(unit)s.")
        refusals[column] = text % {"unit": task.lead_unit}
    retired = _("No longer active: %(units)s.")
    if task.lead_unit and _is_newly_retired(task.lead_unit, before):
        refusals.setdefault("lead_unit", retired % {"units": task.lead_unit})
    gone = [unit for unit in units if not unit.active and unit not in stored]
    if gone:
        refusals.setdefault("co_units", retired % {"units": join_units(gone)})
    return refusals


def _is_newly_retired(lead: Organization, before: Task | None) -> bool:
    """Say whether a lead unit is out of office and has not led the task already."""
    return not lead.active and (before is None or before.lead_unit_id != lead.pk)
