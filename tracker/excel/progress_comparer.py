"""Compare the rows of a fill-in workbook with their tasks: what each changes, and what is wrong."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from tracker import workflow
from tracker.domain import parsing, permissions
from tracker.domain.choices import STANDING_REPORT_STATES
from tracker.domain.dates import Period
from tracker.excel.grey_cells import GreyCells
from tracker.excel.import_feedback import Fault, ReadingNote, messages_by_field, notes_from
from tracker.excel.preview import MAX_SHOWN_TYPED, PreviewField, PreviewRow, preview_text
from tracker.excel.progress_columns import SO_FAR_SUFFIX, report_columns, step_columns
from tracker.excel.progress_rows import (
    FillInRow,
    RowKey,
    read_key,
    reported_so_far,
    states_percent,
    takes_reports,
)
from tracker.excel.progress_tasks import (
    fetch_compared_tasks,
    find_item,
    former_roles,
    keys_of,
    period_of_key,
    reports_by_task,
    tasks_for,
)
from tracker.models import (
    ChecklistItem,
    ImportBatch,
    Organization,
    ProgressUpdate,
    Task,
    User,
)
from tracker.reports.columns import SHARE_FORMAT, Column, filled_in
from tracker.workflow import ReportChange

SPOILT_KEY_TEXT = gettext_lazy(
    "The mark of the row is missing or was changed: copy the row from a newly downloaded workbook."
)


@dataclass
class ComparedRow:
    """A row of a workbook beside its task: `shown` is the row that a fresh workbook has."""

    row: dict[str, Any]
    key: RowKey
    shown: FillInRow
    change: ReportChange
    entry: PreviewRow
    faults: dict[str, str]

    @property
    def is_step(self) -> bool:
        """Say whether the row is one of the sheet of steps."""
        return bool(self.row["step"]) and not self.shown.helps

    @property
    def is_old(self) -> bool:
        """Say whether the task has changed since the workbook was made."""
        return self.key.version != self.shown.version

    @property
    def item(self) -> ChecklistItem | None:
        """Return the step that the row is of."""
        return find_item(self.change.task, self.row["step"])


class ProgressComparer:
    """Compares the rows of a batch with their tasks."""

    def __init__(
        self, batch: ImportBatch, user: User | None, today: dt.date, shown: bool = False
    ) -> None:
        """Fetch the tasks, with all that a row shows of them where they are `shown`.

        A fixed number of queries.
        """
        keys = keys_of(batch)
        codes = {key.code for key in keys}
        slugs = {key.slug for key in keys}
        visible = tasks_for(user).filter(policy__slug__in=slugs)
        tasks = fetch_compared_tasks(visible.filter(code__in=codes), shown)
        self.tasks = {(task.policy.slug, task.code): task for task in tasks}
        self.headers = {}
        for name, column in (report_columns() | step_columns()).items():
            self.headers[name] = str(column.header)
        self.changes: dict[str, ReportChange] = {}
        self.grey = GreyCells(today)
        self._today = today
        self._known = workflow.latest_reports(tasks)
        self._reports_of = reports_by_task(self._known)
        # A liaison's file is about the own unit, that of the office about any.
        self._own: Organization | None = None
        if user and not permissions.may_edit_policies(user):
            self._own = permissions.works_for(user)
        # Codes to suggest are only of use where a task is not found.
        lost = {(key.slug, key.code) for key in keys} - self.tasks.keys()
        self._codes: list[str] = []
        if lost:
            self._codes = sorted(visible.values_list("code", flat=True))
        self._former_roles: set[tuple[str, str, bool]] = set()
        if self._own:
            self._former_roles = former_roles(self._own, codes)
        self._near = parsing.NearNames()
        self._reading_notes = notes_from(batch.reading_notes)

    def notes(self) -> list[ReadingNote]:
        """Return the notes on the reading, and those on grey cells of the rows compared so far."""
        return [*self._reading_notes, *self.grey.notes()]

    def find(self, key: RowKey | None) -> tuple[Task, Organization] | None:
        """Return the task of a key and the unit that reports, where the account may report."""
        if not key:
            return None
        task = self.tasks.get((key.slug, key.code))
        if not task:
            return None
        units: Iterable[Organization | None] = [task.lead_unit]
        if key.unit:
            units = task.co_units.all()
        for unit in units:
            if unit and key.unit in (None, unit.pk):
                if self._own in (None, unit):
                    return task, unit
                return None
        return None

    def row_of(
        self,
        task: Task,
        unit: Organization,
        period: Period,
        item: ChecklistItem | None = None,
        **typed: Any,
    ) -> FillInRow:
        """Return the row of a task with the report that the unit's new one goes on from."""
        base = workflow.base_report(task, unit.pk, period, self._known)
        return FillInRow(task, period, base, unit, item, **typed)

    def compare(self, row: dict[str, Any]) -> PreviewRow:
        """Return how a row is shown; note the change that it makes."""
        entry = PreviewRow(row["sheet"], row["row"], row["code"], "fault")
        faults = dict(row["faults"])
        key = read_key(row["key"])
        found = self.find(key)
        if key and found:
            task, unit = found
            entry.title = task.title
            if key.unit:
                entry.title += _(" (contribution of %(unit)s)") % {"unit": unit.short_name}
            entry.state = self._compare_with_task(row, key, found, entry, faults)
        elif key and not faults:
            reason = self._why_moved(key)
            if reason:
                self._leave_out(entry, row, reason)
                return entry
            faults["code"] = self._unknown_task(key)
        for name, text in faults.items():
            value = row["typed"].get(name, "")[:MAX_SHOWN_TYPED]
            header = self.headers.get(name, "")
            entry.faults.append(Fault(row["sheet"], row["row"], header, value, text))
        if faults:
            entry.state = "fault"
        return entry

    def _why_moved(self, key: RowKey) -> str:
        """Say why a row is its unit's no longer, where it once was; empty where it never was."""
        if self._own and not self._had_role(self._own, key):
            return ""
        task = self.tasks.get((key.slug, key.code))
        if not task:
            if self._own:
                return _("The task was assigned to another unit.")
            return ""
        if key.unit:
            if task.lead_unit_id == key.unit:
                return _(
                    "The unit leads the task now: fill in its report in a newly downloaded "
                    "workbook."
                )
            return _("The unit no longer co-operates in this task.")
        lead_unit = "—"
        if task.lead_unit:
            lead_unit = task.lead_unit.short_name
        return _(
            "The task is led by %(unit)s now: fill in your contribution in a newly downloaded "
            "workbook."
        ) % {"unit": lead_unit}

    def _had_role(self, unit: Organization, key: RowKey) -> bool:
        """Say whether a unit has had the role of a key at any time."""
        if key.unit and key.unit != unit.pk:
            return False
        return (key.slug, key.code, bool(key.unit)) in self._former_roles

    def _leave_out(self, entry: PreviewRow, row: dict[str, Any], reason: str) -> None:
        """Show a row that is its unit's no longer, beside what was typed in it."""
        for name in row["values"]:
            typed = row["typed"].get(name, "")[:MAX_SHOWN_TYPED]
            entry.fields.append(PreviewField(self.headers.get(name, ""), "", reason, typed))
        entry.state = "unchanged"
        if entry.fields:
            entry.state = "moved"

    def _unknown_task(self, key: RowKey) -> str:
        near = pgettext("list", ", ").join(self._near.of(key.code, self._codes))
        if not near:
            return _("Your unit has no such task to report.")
        return _("Your unit has no such task to report; similar codes: %(near)s.") % {"near": near}

    def _compare_with_task(
        self,
        row: dict[str, Any],
        key: RowKey,
        found: tuple[Task, Organization],
        entry: PreviewRow,
        faults: dict[str, str],
    ) -> str:
        """Return the state of a row: whether it changes its task, or is stale, or at fault."""
        task, unit = found
        period = period_of_key(key, task)
        if not period:
            faults["key"] = str(SPOILT_KEY_TEXT)
            return "fault"
        change = ReportChange(task, unit, period, {}, [])
        shown = self.row_of(task, unit, period)
        compared = ComparedRow(row, key, shown, change, entry, faults)
        if compared.is_step:
            self._compare_step(compared)
        else:
            self._compare_report(compared)
        if not {"key", "code"} & set(row["faults"]):
            self._compare_grey(compared)
        return self._state_of(compared)

    def _state_of(self, compared: ComparedRow) -> str:
        change = compared.change
        faults = compared.faults
        if compared.is_old and not compared.is_step and not compared.row["faults"]:
            # Left out as it is: what else is wrong with it is of no use.
            faults.clear()
        changes_something = change.fields or change.ticks
        if not changes_something and not faults:
            return "unchanged"
        if not compared.is_old:
            self._check(compared)
        elif not faults:
            return "stale"
        if not faults:
            self._add_change(compared.row["key"], change)
        return "changed"

    def _add_change(self, key: str, change: ReportChange) -> None:
        """Note a change; the steps of a task go with its report."""
        first = self.changes.setdefault(key, change)
        if first is not change:
            first.ticks += change.ticks

    def _check(self, compared: ComparedRow) -> None:
        """Add what handing in would refuse to what is wrong already."""
        task = compared.change.task
        if not takes_reports(task):
            text = _("No report can be submitted: %(status)s.") % {
                "status": task.get_status_display()
            }
            compared.faults.setdefault("code", text)
        elif not compared.is_step:
            for name, text in self._lacking(compared.change, compared.faults).items():
                compared.faults.setdefault(name, text)

    def _compare_report(self, compared: ComparedRow) -> None:
        """Note the fields in which a row differs from the report that stands for its period."""
        values = compared.row["values"]
        faults = compared.faults
        has_percent = states_percent(compared.shown)
        for column in filled_in():
            is_given = column.name in values or column.name in faults
            if column.format == SHARE_FORMAT and is_given and not has_percent:
                # Before anything that is wrong with the number: none is asked for here.
                faults[column.name] = _no_percent(compared.shown)
            if column.name in values and column.name not in faults:
                self._compare_field(compared, column)

    def _compare_field(self, compared: ComparedRow, column: Column) -> None:
        change = compared.change
        new = compared.row["values"][column.name]
        now = reported_so_far(compared.shown, column)
        if column.format == SHARE_FORMAT and isinstance(now, float):
            now = round(100 * now)
        stored = now
        if stored is None:
            stored = ""
        # What is not handed in yet is a change, even with the same text.
        report = self._known.get((change.task.pk, change.unit.pk, change.period))
        if report and report.state in STANDING_REPORT_STATES and new == stored:
            return
        change.fields[column.name] = new
        then = compared.row["then"].get(f"{column.name}{SO_FAR_SUFFIX}", "")
        compared.entry.fields.append(
            PreviewField(
                str(column.header), _shown(then, column), _shown(now, column), _shown(new, column)
            )
        )

    def _compare_grey(self, compared: ComparedRow) -> None:
        """Note what was written over cells that only show something."""
        if not compared.is_old:
            item = None
            if compared.is_step:
                item = compared.item
            self.grey.compare(compared.row, compared.shown, item)
        elif not compared.row["step"]:
            self.grey.compare_old(compared.row, self._reports_of[compared.change.task.pk])

    @staticmethod
    def _compare_step(compared: ComparedRow) -> None:
        """Note a step that is to be ticked or unticked."""
        item = compared.item
        values = compared.row["values"]
        if not item:
            compared.faults.setdefault("number", _("This step is not on the checklist."))
        elif "done" in values and values["done"] != bool(item.done_on):
            compared.change.ticks.append((item, values["done"]))
            then = compared.row["then"].get(f"done{SO_FAR_SUFFIX}", "")
            now = parsing.tick_mark(bool(item.done_on))
            new = parsing.tick_mark(values["done"])
            compared.entry.fields.append(PreviewField(item.title, then, now, new))

    def _lacking(self, change: ReportChange, faults: Mapping[str, str]) -> dict[str, str]:
        """Say what the report would lack, as handing it in says it.

        What could not be read counts as given.
        """
        columns = {column.name for column in filled_in()}
        if not change.fields and not columns & set(faults):
            return {}
        report = workflow.report_for(change, self._known)
        others = []
        for field in ProgressUpdate._meta.fields:
            if field.name not in change.fields:
                others.append(field.name)
        try:
            report.clean_fields(exclude=others)
        except ValidationError as error:
            return messages_by_field(error)
        missing = workflow.missing_in_report(report, change.task, self._today)
        by_column = {}
        for name, text in missing.items():
            if name == "period":
                # The period has no column of its own: the key names it.
                by_column["key"] = text
            else:
                by_column[name] = text
        return by_column


def _no_percent(row: FillInRow) -> str:
    """Say why no percent is reported of a task."""
    task = row.task
    if row.helps:
        return _("A co-operating unit does not report a percentage: leave the cell empty.")
    if task.items.all():
        return _(
            "No percentage is reported for this task: it is calculated from its steps. Leave the "
            "cell empty."
        )
    if task.follows_indicator:
        return _(
            "No percentage is reported for this task: it is calculated from its indicator. Leave "
            "the cell empty."
        )
    return _(
        "No percentage is reported for tasks of the kind “%(kind)s”: leave the cell empty."
    ) % {"kind": task.get_kind_display()}


def _shown(value: object, column: Column) -> str:
    if column.format == SHARE_FORMAT and isinstance(value, int):
        return f"{value}%"
    return preview_text(value)
