"""The one write path: check the right, check the version, save, derive, record history.

Every form, command and import ends here. Each public function is one transaction: all of a
change lands, with one history row for each object it touched, or nothing does.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from tracker import permissions, rules
from tracker.choices import RUNNING, Kind, Status, Way
from tracker.models import ChecklistItem, Measure, Organization, PolicyDocument, Section, Task, User
from tracker.models.base import History, Versioned

DERIVED = ("percent", "turns_yellow_on", "turns_red_on", "sort_key")
BATCH = 1000
# How a task leads to what its derived columns come from.
SOURCES: dict[type[models.Model], str] = {
    PolicyDocument: "policy",
    Section: "measure__section",
    Measure: "measure",
    Task: "pk",
    ChecklistItem: "items",
}
# From one of these a task is reopened or resumed.
ENDED = (Status.CLOSED, Status.SUSPENDED, Status.CANCELLED)


@dataclass(frozen=True)
class Act:
    """Who changes something, by which way, and why. No user: a command on the machine itself."""

    user: User | None
    way: Way
    reason: str = ""


class Stale(Exception):
    """Somebody has saved this row since the person at the form saw it; nothing was written."""


@dataclass
class Outcome:
    """What a change of many rows did: the rows it changed, and those it refused with the reason."""

    changed: list[Task]
    refused: list[tuple[Task, str]]


def save(row: Versioned, act: Act, seen: int | None = None) -> None:
    """Save a policy, section, measure, count, passage, unit or account; raise Stale on a newer version."""
    _check_right(row, act)
    with transaction.atomic():
        made = _claim(row, seen)
        _lay(row)
        _record(row, act, made)
        if not made:
            _refresh(_deriving_from([(type(row), row.pk)]))


def delete(row: models.Model, act: Act) -> None:
    """Delete a row; its history stays and says who did it."""
    if act.user and not permissions.may_delete(act.user, row):
        raise PermissionDenied(_("It is in force: cancel it instead of deleting it."))
    _sign(row, act)
    with transaction.atomic():
        row.delete()


def choose_password(user: User, password: str) -> None:
    """Store the password that a person has chosen for the own account; raise Stale as `save` does."""
    user.set_password(password)
    user.must_change_password = False
    with transaction.atomic():
        _claim(user, None)
        _lay(user)
        _record(user, Act(user, Way.PAGE), made=False)


def save_task(
    task: Task,
    act: Act,
    seen: int | None = None,
    *,
    co_units: Iterable[Organization] | None = None,
    items: Sequence[ChecklistItem] = (),
    removed: Sequence[ChecklistItem] = (),
    today: dt.date,
) -> None:
    """Save a task with its co-operating units and the checklist items that changed.

    `seen` is the version that the person saw, `today` the day of the change. Raises Stale,
    PermissionDenied, or ValidationError with the field at fault.
    """
    _check_right(task, act)
    with transaction.atomic():
        # Held first, as a change of thresholds holds it: neither derives by the other's old facts.
        task.policy = PolicyDocument.objects.select_for_update().defer("full_text").get(pk=task.policy_id)
        made = _claim(task, seen)
        before = None if made else Task.objects.get(pk=task.pk)
        units = list(co_units) if co_units is not None else None
        settle(task, before, act.reason, today)
        _check_units(task, units)
        _lay(task)
        if units is not None:
            with _quiet(task):
                task.co_units.set(units)
        for item in removed:
            delete(item, act)
        for item in items:
            item.task, new = task, item.pk is None
            _lay(item)
            _record(item, act, new)
        # Asked anew: what was prefetched with the task is from before the change.
        derive(task, list(ChecklistItem.objects.filter(task=task)))
        Task.objects.filter(pk=task.pk).update(**{name: getattr(task, name) for name in DERIVED})
        _record(task, act, made)


def settle(task: Task, before: Task | None, reason: str, today: dt.date) -> None:
    """Hold a changed task against what it was, and bring its facts in line, or say what is missing.

    `before` is the task as it was stored, or None for a new one. Changes `task` in place.
    """
    if before and before.assigned_on and _moved(task, before, "deadline", "original_deadline") and not reason.strip():
        raise ValidationError(
            {"deadline": _("The task has been handed over: give the reason for which a deadline changes.")}
        )
    if before and before.status in ENDED and task.status in RUNNING:
        if task.deadline and task.deadline < today:
            raise ValidationError(
                {"deadline": _("Reopening and resuming ask for a new deadline, %(day)s or later.") % {"day": today}}
            )
        if task.assigned_on and task.owed_from == before.owed_from:
            task.owed_from = today
    if task.assigned_on and not (before and before.assigned_on):
        task.lead_is_proposed = False
        task.owed_from = task.owed_from or task.assigned_on
    task.clean()


def hand_over(task: Task, act: Act, seen: int, on: dt.date) -> None:
    """Hand a task over to its lead unit on a day: from then on reports are owed."""
    if task.assigned_on:
        raise ValidationError(_("It was handed over on %(day)s already.") % {"day": task.assigned_on})
    task.assigned_on = task.owed_from = on
    save_task(task, act, seen, today=on)


def set_deadline(task: Task, act: Act, seen: int, deadline: dt.date, today: dt.date) -> None:
    """Set the current deadline; after the hand-over the original one stays and a reason is needed."""
    task.deadline = deadline
    save_task(task, act, seen, today=today)


def set_status(task: Task, act: Act, seen: int, status: Status, on: dt.date) -> None:
    """Set the status; closing and closed take `on` as the day of the request or of the closing."""
    if task.status == status:
        raise ValidationError(_("It has this status already."))
    if status == Status.CLOSING:
        task.closing_requested_on = on
    if status == Status.CLOSED:
        task.closed_on = task.closing_requested_on or on
    task.status = status
    save_task(task, act, seen, today=on)


def tick(item: ChecklistItem, act: Act, seen: int, done_on: dt.date | None, today: dt.date) -> None:
    """Tick an item off on a day, or take the tick away with None; the percent follows."""
    item.done_on, item.done_by = done_on, act.user if done_on else None
    save_task(item.task, act, seen, items=[item], today=today)


def each(tasks: Collection[tuple[Task, int]], change: Callable[[Task, int], None]) -> Outcome:
    """Change many tasks, each by itself: `change(task, seen)`; what cannot be done is listed, not lost."""
    outcome = Outcome([], [])
    for task, seen in tasks:
        try:
            change(task, seen)
            outcome.changed.append(task)
        except Stale:
            outcome.refused.append((task, _("somebody has changed it since the list was shown")))
        except (ValidationError, PermissionDenied) as error:
            messages = error.messages if isinstance(error, ValidationError) else [str(error)]
            outcome.refused.append((task, " ".join(messages)))
    return outcome


def derive(task: Task, items: Sequence[ChecklistItem]) -> bool:
    """Set percent, turning dates and sort key of a task from its facts; say whether anything changed."""
    before = [getattr(task, name) for name in DERIVED]
    if items:
        ticked = sum(item.weight for item in items if item.done_on)
        task.percent = 100 * ticked // sum(item.weight for item in items)
    elif task.kind != Kind.QUANTIFIED:
        task.percent = 0
    task.turns_yellow_on, task.turns_red_on = rules.turning_dates(task, task.policy)
    task.sort_key = task.place
    return before != [getattr(task, name) for name in DERIVED]


def refresh(policy_ids: Collection[int]) -> int:
    """Set every derived column anew for all tasks of some policies; return how many tasks changed.

    Derived columns are no edit: versions stay, and open forms stay good.
    """
    return _refresh(Q(policy__in=policy_ids))


def adopt(laid: Collection[tuple[type[models.Model], Any, bool]], act: Act) -> None:
    """Take in rows that a fixture laid raw: derive what follows from them, record each of them once.

    `laid` names model, primary key and whether the row is new.
    """
    touched = _deriving_from([(model, key) for model, key, _made in laid])
    refresh(set(Task.objects.filter(touched).values_list("policy_id", flat=True)))
    for model, key, made in laid:
        if model in History.records:
            _record(model._default_manager.get(pk=key), act, made)


def _deriving_from(rows: Collection[tuple[type[models.Model], Any]]) -> Q:
    """Ask for the tasks with a derived column that comes from one of some rows."""
    keys = {kind: [key for model, key in rows if model is kind] for kind in SOURCES}
    return reduce(or_, (Q(**{f"{way}__in": keys[kind]}) for kind, way in SOURCES.items() if keys[kind]), Q(pk__in=[]))


def _refresh(which: Q) -> int:
    tasks = Task.objects.filter(which).select_related("policy", "measure__section").prefetch_related("items")
    changed = [task for task in tasks.iterator(chunk_size=BATCH) if derive(task, list(task.items.all()))]
    Task.objects.bulk_update(changed, DERIVED, batch_size=BATCH)
    return len(changed)


def _check_right(row: models.Model, act: Act) -> None:
    if act.user and not permissions.may_edit(act.user, row._meta.model_name or ""):
        raise PermissionDenied


def _claim(row: Versioned, seen: int | None) -> bool:
    """Take the row for this change and raise its version; say whether it is new.

    One UPDATE that names the version seen: of two writers the second finds no such row, whatever
    the database and its isolation.
    """
    if row.pk is None:
        row.version = 1
        return True
    seen = row.version if seen is None else seen
    if not type(row)._default_manager.filter(pk=row.pk, version=seen).update(version=seen + 1):
        raise Stale(row)
    row.version = seen + 1
    return False


@contextmanager
def _quiet(row: models.Model) -> Iterator[None]:
    """Keep the automatic history silent: a change of several steps is recorded once, at its end."""
    row.skip_history_when_saving = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del row.skip_history_when_saving  # type: ignore[attr-defined]


def _lay(row: models.Model) -> None:
    """Save a row without history; what the database refuses is said in words."""
    try:
        with _quiet(row), transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise violation(row, error) from error


def violation(row: models.Model, error: IntegrityError) -> ValidationError:
    """Say in words which rule of the database a row breaks; to be asked after the roll-back."""
    try:
        row.validate_constraints()
    except ValidationError as broken:
        return broken
    return ValidationError(_("The database refuses it: %(error)s") % {"error": error})


def _sign(row: models.Model, act: Act) -> None:
    """Leave on a row what its next history row takes over."""
    row._history_user, row._change_reason, row._way = act.user, act.reason, act.way  # type: ignore[attr-defined]


def _record(row: models.Model, act: Act, made: bool) -> None:
    _sign(row, act)
    History.records[type(row)].create_historical_record(row, "+" if made else "~")


def _moved(task: Task, before: Task, *names: str) -> bool:
    return any(getattr(task, name) != getattr(before, name) for name in names)


def _check_units(task: Task, units: list[Organization] | None) -> None:
    if units is None:
        units = list(Organization.objects.filter(co_tasks=task)) if task.pk else []
    if task.lead_unit in units:
        raise ValidationError(
            {"co_units": _("The lead unit does not co-operate with itself: %(unit)s.") % {"unit": task.lead_unit}}
        )
