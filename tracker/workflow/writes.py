"""Save and change rows of every kind: check the right and the version, save, derive, record."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from tracker.domain.choices import OPEN_STATUSES, PolicyState
from tracker.domain.dates import ZONE
from tracker.models import ChecklistItem, PolicyDocument, Task, User
from tracker.models.base import History, UniqueFolded, Versioned
from tracker.workflow.derivation import (
    changed_inputs,
    refresh_matching,
    refresh_tasks,
    refresh_turning_dates,
    tasks_derived_from,
)
from tracker.workflow.rows import (
    ChangeContext,
    StaleVersion,
    bump_version,
    check_edit_right,
    record_change,
    save_row,
)
from tracker.workflow.tasks import lock_task, save_task, write_task


@dataclass
class BulkOutcome:
    """What a change of many rows did: the rows it changed, and those it refused with the reason."""

    changed: list[Any]
    refused: list[tuple[Any, str]]


def save_object(row: Versioned, act: ChangeContext, seen: int | None = None) -> None:
    """Save a policy, section, measure, count, passage, unit or account.

    `seen` is the version that the person saw; raises StaleVersion on a newer one.
    """
    check_edit_right(row, act)
    if isinstance(row, User):
        row.check_roles()
    with transaction.atomic():
        before = None
        inputs: set[str] = set()
        is_new = bump_version(row, seen)
        if not is_new:
            # Compared while the row is locked; most changes, such as a new title, move no task.
            before = type(row)._default_manager.get(pk=row.pk)
            inputs = changed_inputs(row, before)
        if isinstance(row, UniqueFolded):
            row.refuse_twin()
        if isinstance(row, User):
            _check_unit_of_account(row, before)
        save_row(row, act, is_new)
        if isinstance(row, PolicyDocument) and before is not None:
            _follow_state(row, before, act)
        _refresh_tasks_of(row, inputs)


def _refresh_tasks_of(row: Versioned, inputs: set[str]) -> None:
    """Derive the tasks of a changed row again, by the fields that changed."""
    if not inputs:
        return
    if isinstance(row, PolicyDocument) and "full_text" not in inputs:
        refresh_turning_dates(row.pk)
    else:
        refresh_matching(tasks_derived_from([(type(row), row.pk)]))


def _check_unit_of_account(user: User, before: Any) -> None:
    unit = user.organization
    if unit and not unit.active and (before is None or before.organization_id != unit.pk):
        raise ValidationError({"organization": _("%(unit)s is inactive.") % {"unit": unit.name}})


def _follow_state(policy: PolicyDocument, before: Any, act: ChangeContext) -> None:
    """Let tasks that are handed over owe reports from the day on which their policy is published.

    A draft of before 0.2 may hold such tasks. A policy that has some is not made a draft again.
    """
    if policy.state == before.state:
        return
    handed_over = policy.tasks.filter(assigned_on__isnull=False)
    if policy.state == PolicyState.DRAFT:
        if count := handed_over.count():
            text = _(
                "Tasks of this policy are handed over (%(count)d): it cannot be a draft again."
            )
            raise ValidationError({"state": text % {"count": count}})
        return
    # The day of publishing is the one that the history has just noted.
    latest: Any = policy.history.order_by("-history_id")[0]
    today = latest.history_date.astimezone(ZONE).date()
    reason = act.reason or _("published: reports are required from now on")
    for task in handed_over.filter(
        Q(owed_from__lt=today) | Q(owed_from__isnull=True), status__in=OPEN_STATUSES
    ):
        before = lock_task(task, None)
        task.owed_from = today
        write_task(task, before, replace(act, reason=reason), today, by_request=True)


def save_objects(
    rows: Iterable[Versioned],
    act: ChangeContext,
    today: dt.date,
    steps: Mapping[str, Sequence[ChecklistItem]] | None = None,
) -> None:
    """Save new rows in order, all or none; `steps` are the checklists of new tasks by code."""
    with transaction.atomic():
        for row in rows:
            for field in row._meta.concrete_fields:
                # What it refers to was new as well when this row was made, and has its key by now.
                if isinstance(field, models.ForeignKey) and field.is_cached(row):
                    setattr(row, field.name, field.get_cached_value(row))
            if isinstance(row, Task):
                save_task(row, act, items=(steps or {}).get(row.code, ()), today=today)
            else:
                save_object(row, act)


def after_fixture_load(
    loaded: Collection[tuple[type[models.Model], Any, bool]], act: ChangeContext
) -> None:
    """Derive what follows from rows that a fixture saved raw, and record each of them once.

    `loaded` names model, primary key and whether the row is new.
    """
    condition = tasks_derived_from([(model, key) for model, key, _is_new in loaded])
    refresh_tasks(set(Task.objects.filter(condition).values_list("policy_id", flat=True)))
    for model, key, is_new in loaded:
        if model in History.records:
            record_change(model._default_manager.get(pk=key), act, is_new)


def apply_to_each(
    rows: Collection[tuple[Any, int]], change: Callable[[Any, int], None]
) -> BulkOutcome:
    """Call `change(row, seen)` for each row by itself; list those that are refused."""
    outcome = BulkOutcome([], [])
    for row, seen in rows:
        try:
            change(row, seen)
            outcome.changed.append(row)
        except StaleVersion:
            outcome.refused.append((row, _("somebody has changed it since the list was shown")))
        except (ValidationError, PermissionDenied) as error:
            messages = [str(error)]
            if isinstance(error, ValidationError):
                messages = error.messages
            outcome.refused.append((row, " ".join(messages)))
    return outcome
