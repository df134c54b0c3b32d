"""Hand in many reports and tick many steps: each as by itself, written together.

`submit`, `withdraw` and `tick` ask the database thirty times for one report. Here the tasks of all
reports are fetched once, every step is taken in memory with the same checks, versions and history
rows, and what has changed is written with a few statements at the end.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from tracker.domain.choices import Action, ReportState, RequestKind, RequestState
from tracker.models import (
    ChecklistItem,
    Evidence,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    TaskRequest,
    User,
)
from tracker.models.base import History, attach_related
from tracker.workflow.bulk import BATCH_SIZE, store_rows
from tracker.workflow.derivation import DERIVED, derive_change
from tracker.workflow.execution import check_transition
from tracker.workflow.report_checks import missing_in_report
from tracker.workflow.rows import ChangeContext, attach_context, history_type
from tracker.workflow.task_requests import follow_requests
from tracker.workflow.tasks import validate_change

# Plain lists: a queryset for every task costs more than the rows.
FIGURE_FIELDS = Prefetch("indicators", to_attr="indicators_fetched")
TASK_FIELDS = ("version", "status", "reported_through", *DERIVED)


class HistoryWriter:
    """Collects the history rows of a change of many rows, and writes them with a few statements."""

    def __init__(self, act: ChangeContext) -> None:
        self._act = act
        self._rows: dict[type[models.Model], list[models.Model]] = {}

    def add(self, row: models.Model, made: bool = False) -> None:
        """Note how a row is now; its foreign keys and many-to-many fields are at hand."""
        attach_context(row, self._act)
        record = History.records[type(row)].build_row(row, history_type(made))
        self._rows.setdefault(type(row), []).append(record)

    def write(self) -> None:
        """Write all that was noted."""
        for model, rows in self._rows.items():
            type(rows[0])._default_manager.bulk_create(rows, batch_size=BATCH_SIZE)
            if model is Task:
                self._write_units(rows)
        self._rows = {}

    @staticmethod
    def _write_units(rows: Sequence[Any]) -> None:
        """Write which units co-operate in the tasks of some history rows."""
        links: dict[int, list[Any]] = {}
        tasks = {row.id for row in rows}
        for link in Task.co_units.through.objects.filter(task__in=tasks).order_by("pk"):
            links.setdefault(link.task_id, []).append(link)
        history_model: Any = History.m2m_models[Task._meta.get_field("co_units")]
        records = []
        for row in rows:
            for link in links.get(row.id, ()):
                keys = {"task_id": link.task_id, "organization_id": link.organization_id}
                records.append(history_model(history=row, id=link.pk, **keys))
        history_model.objects.bulk_create(records, batch_size=BATCH_SIZE)


class ReportWriter:
    """Takes the steps of many reports in memory, in a transaction; `write` stores the result.

    Costs a fixed number of queries and about 1 ms a report.
    """

    def __init__(self, task_ids: Collection[int], act: ChangeContext, today: dt.date) -> None:
        """Lock the policies of some tasks, and fetch the tasks with all that a step reads."""
        self._act = act
        self._today = today
        policies = Task.objects.filter(pk__in=task_ids).order_by().values("policy")
        list(
            PolicyDocument.objects.select_for_update()
            .filter(pk__in=policies)
            .order_by("pk")
            .values_list("pk")
        )
        self.tasks = {task.pk: task for task in fetch_tasks(task_ids)}
        self.items: dict[int, ChecklistItem] = {}
        for task in self.tasks.values():
            for item in task.items.all():
                self.items[item.pk] = item
        self._history = HistoryWriter(act)
        self._moved: dict[int, Task] = {}
        self._ticked: dict[int, ChecklistItem] = {}
        self._new: list[ProgressUpdate] = []
        # Reports that were taken back and not handed in again, and evidence that was handed in.
        self._unsent: set[int] = set()
        self._handed_in: list[int] = []
        self._changed: dict[int, ProgressUpdate] = {}
        # Of each task the last days of the periods that the lead unit has reported.
        self._ends: dict[int, dict[int, dt.date]] = {}
        for key in self.tasks:
            self._ends[key] = {}
        standing = ProgressUpdate.objects.standing().filter(task__in=self.tasks).order_by()
        for task, report, end in standing.values_list("task", "pk", "period_end"):
            self._ends[task][report] = end
        asked = TaskRequest.objects.filter(
            task__in=self.tasks, kind=RequestKind.CLOSE, state=RequestState.OPEN
        )
        self._asked = set(asked.values_list("task", flat=True))

    def withdraw(self, report: ProgressUpdate) -> None:
        """Take back a report that waits."""
        before = self._begin(report.task, _action_of(report))
        if report.state != ReportState.SUBMITTED:
            raise ValidationError(
                _("The report is no longer awaiting review: it is %(state)s.")
                % {"state": report.get_state_display()}
            )
        report.state = ReportState.DRAFT
        report.version += 1
        self._changed[report.pk] = report
        self._unsent.add(report.pk)
        self._history.add(report)
        if before:
            self._ends[report.task_id].pop(report.pk, None)
            self._follow(report.task, before)

    def save_draft(self, report: ProgressUpdate) -> None:
        """Keep a report that is open, new or not."""
        check_transition(report.task, _action_of(report), self._act)
        if report.pk is None:
            report.version = 1
            self._new.append(report)
        else:
            report.version += 1
            self._changed[report.pk] = report

    def submit(self, report: ProgressUpdate) -> None:
        """Hand in a report that was saved, or say field by field what is missing."""
        before = self._begin(report.task, _action_of(report))
        if faults := missing_in_report(report, report.task, self._today):
            raise ValidationError(faults)
        first = not report.submitted_on
        report.state = ReportState.SUBMITTED
        report.submitted_by = self._act.user
        report.submitted_on = self._today
        report.version += 1
        report.rework = {}
        report.names.pop("unit", None)
        report.note_names()
        if report.pk:
            self._hand_in_evidence(report)
            self._history.add(report, first)
        if before:
            self._ends[report.task_id][report.pk or id(report)] = report.period_end
            self._follow(report.task, before)

    def _hand_in_evidence(self, report: ProgressUpdate) -> None:
        """Let the evidence of a draft enter the history with it."""
        self._unsent.discard(report.pk)
        for piece in report.evidence.filter(handed_in=False):
            self._handed_in.append(piece.pk)
            if not piece.history.exists():
                self._history.add(piece, True)

    def tick(self, task: Task, item_id: int, done_on: dt.date | None) -> dt.date | None:
        """Tick a step off, or take the tick away with None; return the day before."""
        before = self._begin(task, Action.TICK)
        item = self.items.get(item_id)
        if not item or item.task_id != task.pk:
            raise ValidationError(_("This step is no longer on the checklist."))
        stood = item.done_on
        if bool(stood) != bool(done_on):
            item.done_on = done_on
            item.done_by = None
            if done_on:
                item.done_by = self._act.user
            self._ticked[item.pk] = item
            self._history.add(item)
        if before:
            self._follow(task, before)
        return stood

    def write(self) -> None:
        """Store everything; ValidationError says which report the database refuses, and why."""
        columns = []
        for field in ProgressUpdate._meta.concrete_fields:
            if not field.primary_key:
                columns.append(field.name)
        try:
            with transaction.atomic():
                ProgressUpdate.objects.bulk_create(self._new, batch_size=BATCH_SIZE)
                store_rows(list(self._changed.values()), columns)
        except IntegrityError as error:
            raise self._refusal(error) from error
        Evidence.objects.filter(report__in=self._unsent).update(handed_in=False)
        Evidence.objects.filter(pk__in=self._handed_in).update(handed_in=True)
        store_rows(list(self._ticked.values()), ("done_on", "done_by"))
        store_rows(list(self._moved.values()), TASK_FIELDS)
        for report in self._new:
            if report.submitted_on:
                self._history.add(report, True)
        self._history.write()

    def _refusal(self, error: IntegrityError) -> ValidationError:
        """Name the report that the database refuses; asked one by one after the roll-back."""
        text = _("Rejected by the database: %(error)s") % {"error": error}
        for report in [*self._new, *self._changed.values()]:
            try:
                report.validate_constraints()
            except ValidationError as broken:
                return ValidationError(f"{report.task.code}: {' '.join(broken.messages)}")
        return ValidationError(text)

    def _begin(self, task: Task, action: Action) -> Task | None:
        """Check a step and move the status on; return the task as it was, None if unchanged."""
        step = check_transition(task, action, self._act)
        if not step.changes_task:
            return None
        before = copy(task)
        task.version += 1
        if step.target:
            task.status = step.target
        return before

    def _follow(self, task: Any, before: Task) -> None:
        """Bring a task in line with its reports and steps, and note it in the history."""
        task.reported_through = max(self._ends[task.pk].values(), default=None)
        validate_change(task, before, self._act.reason, self._today)
        # The units of a task are no matter of its reports; they are at hand, and none is asked for
        # anew.
        if task.pk in self._asked:
            follow_requests(task, before, self._act, self._today)
        derive_change(
            task, before, list(task.items.all()), task.indicators_fetched, self._act.reason
        )
        self._moved[task.pk] = task
        self._history.add(task)


def _action_of(report: ProgressUpdate) -> Action:
    if report.contribution:
        return Action.CONTRIBUTE
    return Action.REPORT


def fetch_tasks(keys: Collection[int]) -> list[Any]:
    """Fetch tasks with what their checks, their rules and their history rows read."""
    rows = Task.objects.filter(pk__in=keys).select_related("latest_report")
    found: list[Any] = list(rows.prefetch_related("items", "co_units", FIGURE_FIELDS))
    attach_related(found, "policy", PolicyDocument.objects.defer("full_text"))
    attach_related(found, "lead_unit", Organization.objects.all())
    attach_related(found, "measure", Measure.objects.select_related("section"))
    items = []
    for task in found:
        for item in task.items.all():
            item.task = task
            items.append(item)
    attach_related(items, "done_by", User.objects.all())
    return found
