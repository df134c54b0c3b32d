"""A fill-in workbook that comes back.

Read into a batch, compared with what is stored, and confirmed.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from tracker import workflow
from tracker.domain import lights, parsing, permissions
from tracker.domain.choices import STANDING_REPORT_STATES, BatchKind, ChangeSource
from tracker.domain.dates import Period
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import progress_template, xlsx_writer
from tracker.excel.grey_cells import GreyCells
from tracker.excel.preview import Preview, PreviewField, PreviewRow
from tracker.excel.progress_template import Fault
from tracker.excel.reader import WorkbookRefused
from tracker.excel.reading_notes import notes_from
from tracker.excel.reading_notes_sheet import ReadingNote
from tracker.excel.table_reader import (
    ReadingSteps,
    SheetKind,
    SheetRecord,
    Survey,
    Table,
    asks_to_clear,
    read_tables,
    refuse_lacking,
)
from tracker.models import (
    ChecklistItem,
    ImportBatch,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.models.base import History, attach_related
from tracker.models.task import TaskQuerySet
from tracker.reports.columns import SHARE, Column, filled_in
from tracker.reports.filters import shorten_value
from tracker.workflow import ChangeContext, ReportChange

SPOILT_KEY_TEXT = gettext_lazy(
    "The mark of the row is missing or was changed: copy the row from a fresh workbook."
)
FIRST_PROGRESS_SHEET = "reports"


def progress_sheet_kinds() -> dict[str, SheetKind]:
    """Return the sheets of a fill-in workbook as they are read: their keys and codes too."""
    needed = {"reports": {"key", "code", "progress"}, "steps": {"key", "code", "done"}}
    found = {}
    columns_of = {
        "reports": progress_template.report_columns(),
        "steps": progress_template.step_columns(),
    }
    titles = {"reports": xlsx_writer.FILL_IN, "steps": xlsx_writer.STEPS}
    for name, columns in columns_of.items():
        key = replace(columns["key"], parse=parsing.parse_light_mark)
        code = replace(columns["code"], parse=parsing.parse_code)
        filled = frozenset(column.name for column in columns.values() if column.fills)
        found[name] = SheetKind(
            titles[name],
            columns | {"key": key, "code": code},
            needed[name],
            filled_down=filled,
            hidden="key",
            titled=True,
        )
    return found


def read_progress(found: Survey, name: str, user: User | None) -> ReadingSteps[ImportBatch]:
    """Read a fill-in workbook into a batch, not saved yet.

    Refused says in words what cannot be read at all.
    """
    kinds = progress_sheet_kinds()
    headers = {}
    for each in kinds:
        headers[each] = found.find(each)
    refuse_lacking(found, kinds, [each for each, header in headers.items() if not header])
    if not headers[FIRST_PROGRESS_SHEET]:
        columns = kinds[FIRST_PROGRESS_SHEET].columns
        needed = kinds[FIRST_PROGRESS_SHEET].needed
        names = pgettext("list", ", ").join(
            str(columns[each].header) for each in columns if each in needed
        )
        raise WorkbookRefused(
            _(
                "No sheet has these headers in one row: %(names)s. Download the workbook anew "
                "and fill that in."
            )
            % {"names": names}
        )
    tables = []
    for each, header in headers.items():
        if header:
            tables.append(Table(header, kinds[each], partial(_row, kinds[each].columns)))
    rows, notes = yield from read_tables(found.book, tables)
    _mark_twice(rows)
    if user:
        unit = permissions.works_for(user)
    else:
        unit = None
    return ImportBatch(
        kind=BatchKind.PROGRESS,
        file_name=shorten_value(name),
        rows=rows,
        reading_notes=[note.as_json() for note in notes],
        read_by=user,
        unit=unit,
    )


def _row(read_of: Mapping[str, Column], record: SheetRecord) -> dict[str, Any]:
    """Return what is kept of a row: its key, what it says, what was said before, and its faults."""
    faults = dict(record.faults)
    text = str(record.values.get("key") or "")
    code = str(record.values.get("code") or "")
    key = progress_template.read_key(text)
    if not key:
        faults.setdefault("key", str(SPOILT_KEY_TEXT))
    elif code and "key" not in faults and code != key.code:
        faults["code"] = _(
            "The row belongs to the task %(code)s: a part of the columns was sorted or moved "
            "without the others."
        ) % {"code": key.code}
    values = {}
    for column in read_of.values():
        if column.fills and column.name in record.values:
            value = record.values[column.name]
            if asks_to_clear(value) and column.format == SHARE:
                faults[column.name] = _("A percent cannot be erased.")
            values[column.name] = "" if asks_to_clear(value) else value
    typed = record.typed()
    return {
        "sheet": record.sheet,
        "row": record.number,
        "key": text,
        "code": code or (key.code if key else ""),
        "step": str(record.values.get("number", "")),
        "values": values,
        "then": {name: text for name, text in typed.items() if name.endswith("_so_far")},
        "typed": typed,
        "faults": faults,
    }


def _mark_twice(rows: list[dict[str, Any]]) -> None:
    """Mark the rows of a task that stands in the file twice: nobody knows which one counts."""

    def named(row: dict[str, Any]) -> object:
        key = progress_template.read_key(row["key"])
        return key and (key.slug, key.code, key.unit, row["step"])

    names = [named(row) for row in rows]
    seen = Counter(names)
    for row, name in zip(rows, names, strict=True):
        if name and seen[name] > 1:
            row["faults"]["code"] = _("This task stands in the sheet more than once.")


def tasks_for(user: User | None) -> TaskQuerySet:
    """Return the tasks whose reports an account may send in by workbook; a command all of them."""
    if user is None:
        return Task.objects.all()
    return Task.objects.visible_to(user)


def preview_progress(
    batch: ImportBatch, user: User | None, today: dt.date, tell: ProgressCallback = ignore_progress
) -> Preview:
    """Hold every row against what is stored, and `tell` how far it is.

    A fixed number of queries.
    """
    holder = ProgressComparer(batch, user, today, shown=True)
    entries = []
    for number, row in enumerate(batch.rows, 1):
        entries.append(holder.hold(row))
        tell(number)
    return Preview(entries, list(holder.changes.values()), holder.notes())


class ProgressComparer:
    """Holds the rows of a batch against their tasks."""

    def __init__(
        self, batch: ImportBatch, user: User | None, today: dt.date, shown: bool = False
    ) -> None:
        """Fetch the tasks, with all that a row shows of them where they are `shown`."""
        keys = []
        for row in batch.rows:
            if key := progress_template.read_key(row["key"]):
                keys.append(key)
        # A liaison's file tells of the own unit, the office's of any.
        if user and not permissions.may_edit_policies(user):
            self._own = permissions.works_for(user)
        else:
            self._own = None
        visible = tasks_for(user).filter(policy__slug__in={key.slug for key in keys})
        wanted = visible.filter(code__in={key.code for key in keys})
        found = list(wanted.select_related("latest_report").prefetch_related("items", "co_units"))
        # Many tasks share a policy and a unit: joined, each would be made anew with every task.
        attach_related(found, "policy", PolicyDocument.objects.defer("full_text"))
        attach_related(found, "lead_unit", Organization.objects.all())
        if shown:
            attach_related(found, "measure", Measure.objects.select_related("section"))
        for task in found:
            task.keep_fetched()
        self.tasks = {(task.policy.slug, task.code): task for task in found}
        self._known = workflow.latest_reports(found)
        self._today = today
        self._said: dict[int, list[ProgressUpdate]] = defaultdict(list)
        for (task_key, _unit, _period), report in self._known.items():
            self._said[task_key].append(report)
        # Only where a code is not known is it of use which ones are.
        lost = any((key.slug, key.code) not in self.tasks for key in keys)
        if lost:
            self._codes = sorted(visible.values_list("code", flat=True))
        else:
            self._codes = []
        if self._own:
            self._former = self._taken_part({key.code for key in keys})
        else:
            self._former = set()
        self._near = parsing.NearNames()
        self.headers = {}
        for name, column in (
            progress_template.report_columns() | progress_template.step_columns()
        ).items():
            self.headers[name] = str(column.header)
        self.changes: dict[str, ReportChange] = {}
        self.grey = GreyCells(today)
        self._reading_notes = notes_from(batch.reading_notes)

    def notes(self) -> list[ReadingNote]:
        """Return what to know of the reading, and once all rows are held what was written over grey
        cells.
        """
        return [*self._reading_notes, *self.grey.notes()]

    def _taken_part(self, codes: set[str]) -> set[tuple[str, str, bool]]:
        """Return policy, code and role of the tasks that the unit has led or helped at any time.

        Two queries.
        """
        rows = Task.history.filter(code__in=codes, policy__isnull=False).order_by()
        led = rows.filter(lead_unit=self._own).values_list("policy__slug", "code").distinct()
        links = History.m2m_models[Task._meta.get_field("co_units")].objects.filter(
            organization=self._own
        )
        helped = (
            rows.filter(pk__in=links.values("history"))
            .values_list("policy__slug", "code")
            .distinct()
        )
        return {(*found, False) for found in led} | {(*found, True) for found in helped}

    def _moved(self, key: progress_template.RowKey) -> str:
        """Say why a row is its unit's no longer, where it once was; empty where it never was."""
        if key.unit and self._own and self._own.pk != key.unit:
            return ""
        if self._own and (key.slug, key.code, bool(key.unit)) not in self._former:
            return ""
        task = self.tasks.get((key.slug, key.code))
        if not task:
            if self._own:
                return _("The task was given to another unit.")
            return ""
        if key.unit and task.lead_unit_id == key.unit:
            return _("The unit leads the task now: fill its report in in a fresh workbook.")
        if key.unit:
            return _("The unit co-operates in this task no longer.")
        return _(
            "The task is led by %(unit)s now: fill your contribution in in a fresh workbook."
        ) % {"unit": task.lead_unit.short_name if task.lead_unit else "—"}

    def _leave_out(self, entry: PreviewRow, row: dict[str, Any], why: str) -> None:
        """Show a row that is its unit's no longer, beside what was typed in it; the others land."""
        for name in row["values"]:
            typed = row["typed"].get(name, "")
            entry.fields.append(PreviewField(self.headers.get(name, ""), "", why, typed[:200]))
        if entry.fields:
            entry.state = "moved"
        else:
            entry.state = "unchanged"

    def find(self, key: progress_template.RowKey | None) -> tuple[Task, Organization] | None:
        """Return the task of a key and the unit that reports, where they are the account's to
        report.
        """
        if key:
            task = self.tasks.get((key.slug, key.code))
        else:
            task = None
        if not key or not task:
            return None
        units: Iterable[Organization | None] = [task.lead_unit]
        if key.unit:
            units = task.co_units.all()
        unit = next((each for each in units if each and key.unit in (None, each.pk)), None)
        if unit and self._own in (None, unit):
            return (task, unit)
        return None

    def row_of(
        self,
        task: Task,
        unit: Organization,
        period: Period,
        item: ChecklistItem | None = None,
        **typed: Any,
    ) -> progress_template.FillInRow:
        """Return a task with what a unit's report goes on from."""
        base = workflow.base_report(task, unit.pk, period, self._known)
        return progress_template.FillInRow(task, period, base, unit, item, **typed)

    def hold(self, row: dict[str, Any]) -> PreviewRow:
        """Return how a row is shown; note the change that it makes."""
        entry = PreviewRow(row["sheet"], row["row"], row["code"], "fault")
        faults = dict(row["faults"])
        key = progress_template.read_key(row["key"])
        if found := self.find(key):
            entry.title = found[0].title
            if key and key.unit:
                entry.title += _(" (contribution of %(unit)s)") % {"unit": found[1].short_name}
        elif key and not faults and (why := self._moved(key)):
            self._leave_out(entry, row, why)
            return entry
        elif key and not faults:
            near = pgettext("list", ", ").join(self._near.of(key.code, self._codes))
            words = _("No such task is yours to report.")
            if near:
                words = _("No such task is yours to report; codes that come near: %(near)s.")
            faults["code"] = words % {"near": near}
        if key and found:
            entry.state = self._judge(row, key, *found, entry, faults)
        for name, words in faults.items():
            value = row["typed"].get(name, "")[:200]
            entry.faults.append(
                Fault(row["sheet"], row["row"], self.headers.get(name, ""), value, words)
            )
        if not faults:
            return entry
        return replace(entry, state="fault")

    def _judge(
        self,
        row: dict[str, Any],
        key: progress_template.RowKey,
        task: Task,
        unit: Organization,
        entry: PreviewRow,
        faults: dict[str, str],
    ) -> str:
        """Say whether a row changes its task, nothing, or was made before somebody else changed it."""
        try:
            period = key.period(lights.cycle_of(task.policy))
        except ValueError:
            period = None
        if not period:
            faults["key"] = str(SPOILT_KEY_TEXT)
            return "fault"
        change = ReportChange(task, unit, period, {}, [])
        held = self.row_of(task, unit, change.period)
        is_step = bool(row["step"]) and not held.helps
        if is_step:
            self._tick(row, change, entry, faults)
        else:
            self._report(row, change, held, entry, faults)
        if not {"key", "code"} & set(row["faults"]):
            self._compare_grey(row, held, self._item(change, row) if is_step else None, key)
        is_old = key.version != held.version
        if is_old and not is_step and not row["faults"]:
            # Left out as it is: what else is wrong with it is of no use.
            faults.clear()
        if not change.fields and not change.ticks and not faults:
            return "unchanged"
        if is_old and not faults:
            return "stale"
        if not is_old:
            self._check(change, faults, is_step)
        if not faults:
            first = self.changes.setdefault(row["key"], change)
            if first is not change:
                # The steps of a task go with its report.
                first.ticks += change.ticks
        return "changed"

    def _check(self, change: ReportChange, faults: dict[str, str], is_step: bool) -> None:
        """Add what handing in would refuse, beside what is wrong already."""
        if not progress_template.takes_reports(change.task):
            words = _("No report can be handed in: %(status)s.") % {
                "status": change.task.get_status_display()
            }
            faults.setdefault("code", words)
        elif not is_step:
            for name, words in self._lacking(change, faults).items():
                faults.setdefault(name, words)

    def _report(
        self,
        row: dict[str, Any],
        change: ReportChange,
        held: progress_template.FillInRow,
        entry: PreviewRow,
        faults: dict[str, str],
    ) -> None:
        """Note the fields in which a row differs from the report that stands for its period."""
        at = self._known.get((change.task.pk, change.unit.pk, change.period))
        for column in filled_in():
            has_value = column.name in row["values"]
            if (
                column.format == SHARE
                and (has_value or column.name in faults)
                and not progress_template.states_percent(held)
            ):
                # Before anything that is wrong with the number: none is asked for here.
                faults[column.name] = _no_percent(held)
            if not has_value or column.name in faults:
                continue
            new = row["values"][column.name]
            now = progress_template.said_so_far(held, column)
            if column.format == SHARE and isinstance(now, float):
                now = round(100 * now)
            else:
                now = now
            # What is not handed in yet is news, even in the same words.
            if at and at.state in STANDING_REPORT_STATES and new == ("" if now is None else now):
                continue
            change.fields[column.name] = new
            then = row["then"].get(f"{column.name}_so_far", "")
            entry.fields.append(
                PreviewField(
                    str(column.header), *(_shown(each, column) for each in (then, now, new))
                )
            )

    def _compare_grey(
        self,
        row: dict[str, Any],
        held: progress_template.FillInRow,
        item: ChecklistItem | None,
        key: progress_template.RowKey,
    ) -> None:
        """Note what was written over cells that only show something."""
        if key.version == held.version:
            self.grey.compare(row, held, item)
        elif not row["step"]:
            self.grey.compare_old(row, self._said[held.task.pk])

    @staticmethod
    def _item(change: ReportChange, row: dict[str, Any]) -> ChecklistItem | None:
        return next(
            (each for each in change.task.items.all() if str(each.number) == row["step"]), None
        )

    def _tick(
        self, row: dict[str, Any], change: ReportChange, entry: PreviewRow, faults: dict[str, str]
    ) -> None:
        """Note a step that is to be ticked or unticked."""
        item = self._item(change, row)
        if not item:
            faults.setdefault("number", _("This step is not on the checklist."))
        elif "done" in row["values"] and row["values"]["done"] != bool(item.done_on):
            change.ticks.append((item, row["values"]["done"]))
            marks = {True: parsing.DONE[0], False: parsing.UNDONE[0]}
            then = row["then"].get("done_so_far", "")
            now = marks[bool(item.done_on)]
            entry.fields.append(PreviewField(item.title, then, now, marks[row["values"]["done"]]))

    def _lacking(self, change: ReportChange, faults: Mapping[str, str]) -> dict[str, str]:
        """Say what the report would lack, as handing it in says it.

        What could not be read counts as said.
        """
        if not change.fields and not set(faults) & {column.name for column in filled_in()}:
            return {}
        report = workflow.report_for(change, self._known)
        others = []
        for each in ProgressUpdate._meta.fields:
            if each.name not in change.fields:
                others.append(each.name)
        try:
            report.clean_fields(exclude=others)
        except ValidationError as error:
            result = {}
            for name, words in error.message_dict.items():
                result[name] = " ".join(words)
            return result
        missing = workflow.missing_in_report(report, change.task, self._today)
        by_column = {}
        for name, text in missing.items():
            by_column["key" if name == "period" else name] = text
        return by_column


def _no_percent(row: progress_template.FillInRow) -> str:
    """Say why no percent is reported of a task."""
    task = row.task
    if row.helps:
        return _("A co-operating unit has no percent of its own to report: leave the cell empty.")
    if task.items.all():
        return _(
            "No percent is reported of this task: it comes from its steps. Leave the cell empty."
        )
    if task.follows_indicator:
        return _(
            "No percent is reported of this task: it comes from its indicator. Leave the cell "
            "empty."
        )
    return _("No percent is reported of a task of the kind “%(kind)s”: leave the cell empty.") % {
        "kind": task.get_kind_display()
    }


def _shown(value: object, column: Column) -> str:
    if value is None or value == "":
        return "—"
    if column.format == SHARE and isinstance(value, int):
        return f"{value}%"
    return str(value)


def confirm_progress(
    batch: ImportBatch,
    user: User | None,
    seen: str,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> Preview | None:
    """Land what a person has seen in the preview, whole or not at all.

    Return the new preview where it differs.
    """
    with transaction.atomic():
        slugs = set()
        for row in batch.rows:
            slugs.add(row["key"].split("/")[0])
        # Held while it is compared and landed: what was seen stays true.
        list(
            PolicyDocument.objects.select_for_update()
            .filter(slug__in=slugs)
            .order_by("pk")
            .values_list("pk")
        )
        found = preview_progress(batch, user, now.date())
        if found.digest != seen or found.faults:
            return found
        workflow.apply_progress(
            batch,
            found.changes,
            ChangeContext(user, ChangeSource.IMPORT, batch.file_name),
            now,
            tell,
        )
    return None


def marked_progress(
    batch: ImportBatch, user: User | None, today: dt.date, tell: ProgressCallback = ignore_progress
) -> progress_template.FillInRequest:
    """Return the same rows as a fill-in workbook with the faults marked, and what was typed in its
    cells.

    `tell` is told how many rows are judged.
    """
    holder = ProgressComparer(batch, user, today, shown=True)
    rows: dict[bool, list[progress_template.FillInRow]] = {True: [], False: []}
    faults: list[Fault] = []
    names = {}
    for name, header in holder.headers.items():
        names[header] = name
    for number, row in enumerate(batch.rows, 1):
        entry = holder.hold(row)
        tell(number)
        faults += entry.faults
        if found := holder.find(progress_template.read_key(row["key"])):
            task, reporting = found
            item = next(
                (each for each in task.items.all() if str(each.number) == row["step"]), None
            )
            if item or not row["step"]:
                marks = {}
                for fault in entry.faults:
                    marks[names.get(fault.column, "code")] = fault.words
                period = lights.reportable(task, task.policy, today)[0]
                told = {"key": row["key"], "typed": row["typed"], "faults": marks}
                rows[bool(item)].append(holder.row_of(task, reporting, period, item, **told))
    units = (row.unit for row in (*rows[False], *rows[True]) if row.unit)
    return progress_template.FillInRequest(
        next(units, None), rows[False], rows[True], today, faults, holder.notes()
    )
