"""Write tasks and steps of a checklist together, each checked and recorded by itself.

`save_task` makes twenty queries for one row. Here the tasks are fetched once, every row is checked
and derived in memory, and what has changed is written with a few statements.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.domain.choices import RequestState, Status
from tracker.domain.folding import fold
from tracker.domain.passages import ClauseFinder
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task, TaskRequest, User
from tracker.models.base import attach_related
from tracker.workflow import checks
from tracker.workflow.bulk import BATCH_SIZE, store_rows
from tracker.workflow.derivation import DERIVED, derive_change
from tracker.workflow.report_writer import HistoryWriter, fetch_tasks
from tracker.workflow.rows import ChangeContext, StaleVersion
from tracker.workflow.task_requests import follow_requests
from tracker.workflow.tasks import validate_change, validate_co_units


@dataclass
class ChecklistChange:
    """A part of a policy that a workbook makes or changes: as it will be, and as it was."""

    thing: Any
    new: bool
    before: dict[str, Any]
    co_units: list[Organization] | None


@contextmanager
def naming_row(thing: models.Model) -> Iterator[None]:
    """Name the row in what is refused about it."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError(f"{thing}: {' '.join(error.messages)}") from error


def refresh_links(thing: models.Model) -> None:
    """Set the keys of the rows that a row refers to, which may just have been saved."""
    for field in thing._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.is_cached(thing):
            target = getattr(thing, field.name)
            if target:
                setattr(thing, field.name, target)


class ChecklistWriter:
    """Writes rows of one policy in a transaction: first all tasks, then all steps; 1 ms a row."""

    def __init__(
        self, policy_id: int, act: ChangeContext, today: dt.date, tell: Callable[[], object]
    ) -> None:
        """Lock the policy, as every save of a task does; `tell` is called for each row."""
        self._act = act
        self._today = today
        self._tell = tell
        self._asked: set[int] = set()
        self._policy = PolicyDocument.objects.select_for_update().get(pk=policy_id)
        self._text = ClauseFinder(self._policy.full_text)
        self._tasks: dict[int, Any] = {}
        # As they were before: the task, and the keys of its co-operating units.
        self._before: dict[int, Task] = {}
        self._helpers: dict[int, list[int]] = {}

    def helpers_before(self, task: Task) -> list[int]:
        """Return the keys of the units that co-operated in a task before its row was written."""
        return self._helpers.get(task.pk, [])

    def save_tasks(self, rows: Sequence[ChecklistChange]) -> None:
        """Save tasks, new or changed, with their co-operating units."""
        self._check_right(rows)
        self._hold([row.thing for row in rows if not row.new])
        known = self._known_codes()
        for row in rows:
            with naming_row(row.thing):
                self._check_task(row, known)
        self._store(rows)
        self._store_helpers(rows)
        self._fetch({row.thing.pk for row in rows})
        history = HistoryWriter(self._act)
        for row in rows:
            task = self._tasks[row.thing.pk]
            with naming_row(task):
                self._follow(task, self._before.get(task.pk))
            history.add(task, row.new)
            self._tell()
        store_rows([self._tasks[row.thing.pk] for row in rows], DERIVED)
        history.write()

    def save_steps(self, rows: Sequence[ChecklistChange]) -> None:
        """Save steps, new or changed; each raises the version of its task."""
        self._check_right(rows)
        for row in rows:
            refresh_links(row.thing)
        self._fetch({row.thing.task_id for row in rows} - set(self._tasks))
        for row in rows:
            row.thing.task = self._tasks[row.thing.task_id]
        attach_related([row.thing for row in rows], "done_by", User.objects.all())
        self._store(rows)
        steps: dict[int, dict[int, ChecklistItem]] = {}
        for key, task in self._tasks.items():
            steps[key] = {item.pk: item for item in task.items.all()}
        history = HistoryWriter(self._act)
        for row in rows:
            item = row.thing
            task = item.task
            steps[task.pk][item.pk] = item
            self._change_steps(item, list(steps[task.pk].values()))
            history.add(item, row.new)
            history.add(task)
            self._tell()
        changed = {row.thing.task_id for row in rows}
        store_rows([self._tasks[key] for key in changed], ("version", *DERIVED))
        history.write()

    def _change_steps(self, item: ChecklistItem, steps: list[ChecklistItem]) -> None:
        """Check and derive the task of a changed step in memory."""
        task = item.task
        before = copy(task)
        task.version += 1
        with naming_row(item):
            validate_change(task, before, self._act.reason, self._today)
            self._derive(task, before, steps)
            checks.check_closed_percent(task, before)

    def _check_right(self, rows: Sequence[ChecklistChange]) -> None:
        if rows and self._act.user and not permissions.may_edit(self._act.user, Task):
            raise PermissionDenied

    def _hold(self, tasks: Sequence[Task]) -> None:
        """Fetch tasks as stored; the lock of the policy keeps others from changing them."""
        for stored in fetch_tasks([task.pk for task in tasks]):
            self._before[stored.pk] = stored
            self._helpers[stored.pk] = [unit.pk for unit in stored.co_units.all()]
        for task in tasks:
            stored = self._before.get(task.pk)
            if stored is None or stored.version != task.version:
                raise StaleVersion(task)
            task.version += 1

    def _known_codes(self) -> dict[str, str]:
        codes = Task.objects.filter(policy=self._policy).order_by().values_list("code", flat=True)
        found = {}
        for code in codes:
            found[fold(code)] = code
        return found

    def _check_task(self, row: ChecklistChange, known: dict[str, str]) -> None:
        """Check a task as `save_task` does."""
        task = row.thing
        before = self._before.get(row.thing.pk)
        refresh_links(task)
        task.policy = self._policy
        validate_change(task, before, self._act.reason, self._today)
        twin = known.setdefault(fold(task.code), task.code)
        if twin != task.code:
            task.refuse_twin()
        if before:
            stored = list(before.co_units.all())
        else:
            stored = []
        if row.co_units is None:
            units = stored
        else:
            units = row.co_units
        validate_co_units(task, before, units, stored)

    def _store(self, rows: Sequence[ChecklistChange]) -> None:
        """Write rows of one model; raise ValidationError that names the row which is refused."""
        if not rows:
            return
        things = []
        for row in rows:
            things.append(row.thing)
        model = type(rows[0].thing)
        columns = []
        for field in model._meta.concrete_fields:
            if not field.primary_key:
                columns.append(field.name)
        new = [row.thing for row in rows if row.new]
        stored = [row.thing for row in rows if not row.new]
        try:
            with transaction.atomic():
                model._default_manager.bulk_create(new, batch_size=BATCH_SIZE)
                store_rows(stored, columns)
        except IntegrityError as error:
            raise _refusal(things, error) from error

    def _store_helpers(self, rows: Sequence[ChecklistChange]) -> None:
        """Set the co-operating units of the tasks whose row names them."""
        through = Task.co_units.through
        wanted = {}
        for row in rows:
            if row.co_units is not None:
                wanted[row.thing.pk] = [unit.pk for unit in row.co_units]
        links = through.objects.filter(task__in=wanted)
        gone = []
        for link in links:
            if link.organization_id not in wanted[link.task_id]:
                gone.append(link.pk)
        through.objects.filter(pk__in=gone).delete()
        new = []
        for key, units in wanted.items():
            for unit in units:
                if unit not in self._helpers.get(key, []):
                    new.append(through(task_id=key, organization_id=unit))
        through.objects.bulk_create(new, batch_size=BATCH_SIZE)

    def _fetch(self, keys: Collection[int]) -> None:
        """Fetch tasks with what their rules and history rows read, and their open requests."""
        for task in fetch_tasks(keys):
            task.policy = self._policy
            self._tasks[task.pk] = task
        asked = TaskRequest.objects.filter(task__in=keys, state=RequestState.OPEN)
        self._asked = set(asked.values_list("task", flat=True))

    def _follow(self, task: Any, before: Task | None) -> None:
        """Let requests and derived columns follow a task that was written."""
        moved = before and (before.deadline, before.status) != (task.deadline, task.status)
        if before and (moved or task.pk in self._asked or task.status == Status.CLOSING):
            follow_requests(task, before, self._act, self._today)
        self._derive(task, before, list(task.items.all()))

    def _derive(self, task: Any, before: Task | None, steps: Sequence[ChecklistItem]) -> None:
        derive_change(task, before, steps, task.indicators_fetched, self._act.reason, self._text)


def _refusal(rows: Sequence[models.Model], error: IntegrityError) -> ValidationError:
    """Name the row that the database refuses; asked one by one after the roll-back."""
    for row in rows:
        try:
            row.validate_unique()
            row.validate_constraints()
        except ValidationError as broken:
            return ValidationError(f"{row}: {' '.join(broken.messages)}")
    return ValidationError(_("Rejected by the database: %(error)s") % {"error": error})
