"""The workbook that a unit fills in.

Its open tasks, what it has said so far, and cells for what is new.

A hidden key in every row says which task, in which version, and which period it is for: rows may be
sorted, filtered and deleted, and come home all the same.
"""

import datetime as dt
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from tracker import workflow
from tracker.domain import lights
from tracker.domain.choices import RUNNING_STATUSES
from tracker.domain.dates import DAY, Period, period_between
from tracker.domain.parsing import CLEAR_WORD, DONE, UNDONE
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import xlsx_writer
from tracker.excel.cell_text import row_height, safe_name, wrapped_lines
from tracker.excel.export_notes import ExportNotes
from tracker.excel.reading_notes_sheet import ReadingNote, list_reading_notes
from tracker.excel.sheets import Listing, add_choices, list_words, write_header
from tracker.excel.xlsx_writer import CellStyle, SheetWriter
from tracker.models import ChecklistItem, Organization, PolicyDocument, ProgressUpdate, Task
from tracker.models.task import TaskQuerySet
from tracker.reports.columns import (
    ITEM_COLUMNS,
    SHARE,
    TASK_COLUMNS,
    TEXT,
    WHOLE,
    Column,
    NativeValue,
    filled_in,
    number_value,
)

_KEY = re.compile(r"([^/]+)/([^/]+)/([0-9]{1,9})/([0-9-]{10})(?:_([0-9-]{10}))?(?:/([0-9]{1,18}))?")
MAX_SHOWN_TEXT = ("code", "measure", "title", "steps", "co_units", "deadline", "light")


@dataclass(frozen=True)
class Fault:
    """What cannot be read or taken: sheet, row, column, value and what is allowed."""

    sheet: str
    row: int
    column: str
    value: str
    words: str


FAULT_COLUMNS = number_value(
    (
        Column("sheet", gettext_lazy("sheet"), lambda fault, on: fault.sheet, 14),
        Column("row", gettext_lazy("row"), lambda fault, on: fault.row, 8, WHOLE),
        Column("column", gettext_lazy("column"), lambda fault, on: fault.column, 18),
        Column("value", gettext_lazy("value"), lambda fault, on: fault.value, 40),
        Column("words", gettext_lazy("what is wrong"), lambda fault, on: fault.words, 60),
    )
)


@dataclass
class FillInRow:
    """A task to fill in: for which period, on what its report goes on, and what was typed and is at
    fault.
    """

    task: Task
    period: Period
    base: ProgressUpdate | None
    unit: Organization | None = None  # that reports; the lead unit where none is named
    item: ChecklistItem | None = None
    key: str = ""
    typed: Mapping[str, NativeValue] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unit = self.unit or self.task.lead_unit
        self.key = self.key or self._key()

    @property
    def helps(self) -> bool:
        """Say whether it is a contribution of a co-operating unit."""
        return bool(self.unit and self.unit.pk != self.task.lead_unit_id)

    @property
    def version(self) -> int:
        """Return what tells of changes made meanwhile.

        Of a contribution they are those of its own unit alone.
        """
        if not self.helps:
            return self.task.version
        if self.base and self.base.period == self.period:
            return self.base.version
        return 0

    def _key(self) -> str:
        parts = [
            self.task.policy.slug,
            self.task.code,
            self.version,
            f"{self.period.start}_{self.period.end}",
        ]
        return "/".join(map(str, [*parts, self.unit.pk] if self.helps and self.unit else parts))


class RowKey(NamedTuple):
    """What a hidden cell names.

    A task, its version, a period by its days, and a unit that contributes.

    A workbook of before 0.2 names the first day of the period alone.
    """

    slug: str
    code: str
    version: int
    start: dt.date
    end: dt.date | None
    unit: int | None

    def period(self, cycle: str) -> Period | None:
        """Return the period; by its first day alone it is one of the cycle.

        None for days that are no period.
        """
        if self.end:
            return period_between(self.start, self.end)
        return Period(cycle, self.start)


def read_key(text: str) -> RowKey | None:
    """Read a key; None where it was spoilt."""
    found = _KEY.fullmatch(text)
    try:
        return found and RowKey(
            slug=found[1],
            code=found[2],
            version=int(found[3]),
            start=dt.date.fromisoformat(found[4]),
            end=dt.date.fromisoformat(found[5]) if found[5] else None,
            unit=int(found[6]) if found[6] else None,
        )
    except ValueError:
        return None


def fillable(tasks: TaskQuerySet) -> TaskQuerySet:
    """Keep the tasks that a report can be handed in for."""
    return tasks.filter(
        status__in=RUNNING_STATUSES, assigned_on__isnull=False, lead_unit__isnull=False
    )


def takes_reports(task: Task) -> bool:
    """Say of one task what `fillable` asks of many."""
    return bool(task.status in RUNNING_STATUSES and task.assigned_on and task.lead_unit_id)


def fill_in_rows(
    tasks: TaskQuerySet, today: dt.date, unit: Organization | None = None
) -> list[FillInRow]:
    """Make the rows of some tasks, each for the period that is due and its lead unit or one that
    co-operates.
    """
    found = list(fillable(tasks).with_related().defer("policy__full_text"))
    known = workflow.latest_reports(found)
    periods = []
    for task in found:
        periods.append(lights.reportable(task, task.policy, today)[0])
    result = []
    for task, period in zip(found, periods, strict=True):
        result.append(
            FillInRow(
                task,
                period,
                workflow.base_report(task, unit.pk if unit else task.lead_unit_id, period, known),
                unit,
            )
        )
    return result


def states_percent(row: FillInRow) -> bool:
    """Say whether the report of a row has a percent of its own."""
    return workflow.has_own_percent(row.task) and not row.helps


def said_so_far(row: FillInRow, column: Column) -> NativeValue:
    """Return what the report says that a new one goes on from."""
    if column.format == SHARE:
        own = states_percent(row)
        if row.base and row.base.percent is not None:
            stated = row.base.percent
        else:
            stated = row.task.percent
        if own:
            return stated / 100
        return None
    return getattr(row.base, column.name, None)


def task_columns(column: Column) -> Column:
    """Show a fact of the task; it is not read back."""
    return replace(
        column, value=lambda row, on: column.value(row.task, on), parse=None, fills=False
    )


def so_far(column: Column) -> Column:
    """Show what was said so far, beside the cell for what is new."""
    header = format_lazy("{header}{mark}", header=column.header, mark=gettext_lazy(" (so far)"))
    width = max(column.width, 9.0)  # for the longer header
    return Column(
        f"{column.name}_so_far",
        header,
        lambda row, on: said_so_far(row, column),
        width,
        column.format,
    )


def columns_to_fill(column: Column) -> Column:
    """Leave a cell to fill in; what was typed before comes back in it."""
    return replace(column, value=lambda row, on: row.typed.get(column.name))


def state_of(row: FillInRow, on: dt.date) -> str:
    """Say for which period the row is, and how far its report has come."""
    if row.base and row.base.period == row.period:
        report = row.base
    else:
        report = None
    if report:
        state = report.get_state_display()
    else:
        state = _("not reported")
    if report and report.review_note:
        note = f" {report.review_note}"
    else:
        note = ""
    return f"{row.period.name(on)}\n{state}{note}"


def role_of(row: FillInRow, on: dt.date) -> str:
    """Say whether the unit leads, or whom it helps."""
    if not row.helps:
        return _("leads")
    return _("co-operates; lead unit: %(unit)s") % {
        "unit": row.task.lead_unit.short_name if row.task.lead_unit else ""
    }


KEY_COLUMN = Column("key", gettext_lazy("mark (leave it as it is)"), lambda row, on: row.key, 40)
FAULTS_COLUMN = Column(
    "faults", gettext_lazy("what is wrong"), lambda row, on: "\n".join(row.faults.values()), 30
)
ROLE_COLUMN = Column("role", gettext_lazy("role of the unit"), role_of, 11)
STATE_COLUMN = Column("state", gettext_lazy("this period"), state_of, 11)


def report_columns(marked: bool = False) -> dict[str, Column]:
    """Return the columns of the sheet of reports."""
    pairs = (each for column in filled_in() for each in (so_far(column), columns_to_fill(column)))
    shown = (task_columns(TASK_COLUMNS[name]) for name in MAX_SHOWN_TEXT)
    return number_value(
        (
            KEY_COLUMN,
            *shown,
            ROLE_COLUMN,
            STATE_COLUMN,
            *pairs,
            *([FAULTS_COLUMN] if marked else []),
        )
    )


def step_columns(marked: bool = False) -> dict[str, Column]:
    """Return the columns of the sheet of steps."""

    def of_item(column: Column) -> Column:
        return replace(column, value=lambda row, on: column.value(row.item, on), parse=None)

    done = ITEM_COLUMNS["done"]
    shown = (of_item(ITEM_COLUMNS[name]) for name in ("code", "task_title", "title", "due"))
    number = replace(of_item(ITEM_COLUMNS["number"]), parse=ITEM_COLUMNS["number"].parse)
    state = Column(
        "done_so_far", gettext_lazy("done so far"), lambda row, on: done.value(row.item, on), 9
    )
    fill = replace(done, value=lambda row, on: row.typed.get("done"), fills=True)
    return number_value(
        (KEY_COLUMN, *shown, number, state, fill, *([FAULTS_COLUMN] if marked else []))
    )


@dataclass(frozen=True)
class FillInRequest:
    """What a fill-in workbook is asked for: these rows of a unit, on this day."""

    unit: Organization | None
    rows: Sequence[FillInRow]
    steps: Sequence[FillInRow]
    on: dt.date
    faults: Sequence[Fault] = ()
    reading_notes: Sequence[ReadingNote] = ()
    tell: ProgressCallback = ignore_progress  # called with the number of rows that are written


def scope_of(unit: Organization, tasks: TaskQuerySet, today: dt.date) -> FillInRequest:
    """Ask for the workbook of what a unit leads among some tasks, and below it of what it
    co-operates in.
    """
    rows = fill_in_rows(tasks.filter(lead_unit=unit), today)
    steps = []
    for row in rows:
        for item in row.task.items.all():
            steps.append(replace(row, item=item))
    return FillInRequest(
        unit, rows + fill_in_rows(tasks.filter(co_units=unit), today, unit), steps, today
    )


def save_progress_template(scope: FillInRequest, file: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write the workbook to a path or an open file."""
    book = xlsx_writer.new_book()
    notes = ExportNotes()
    title = _("%(unit)s: progress to fill in") % {"unit": scope.unit.name if scope.unit else ""}
    book.properties.title = notes.text(title)
    _sheet(
        book,
        xlsx_writer.FILL_IN,
        report_columns(bool(scope.faults)),
        scope.rows,
        scope,
        title,
        notes,
    )
    if scope.steps:
        _sheet(
            book,
            xlsx_writer.STEPS,
            step_columns(bool(scope.faults)),
            scope.steps,
            scope,
            title,
            notes,
        )
    if scope.faults:
        list_faults(book, scope.faults, scope.on, title, notes)
    list_reading_notes(book, scope.reading_notes, scope.on, title, notes)
    list_words(book, (DONE[0], UNDONE[0]))
    xlsx_writer.save_book(book, file)


def list_faults(
    book: Workbook, faults: Iterable[Fault], on: dt.date, heading: str, notes: ExportNotes
) -> None:
    """Write the sheet of faults: where, what, and what is allowed."""
    listing = Listing(book, xlsx_writer.FAULTS, FAULT_COLUMNS, heading, "faults")
    for fault in faults:
        listing.add(listing.row(fault, on, notes, str(xlsx_writer.FAULTS)))
    listing.close()


def of_all_units(policy: PolicyDocument, today: dt.date) -> Iterator[tuple[str, FillInRequest]]:
    """Yield name and scope of the workbook of each unit that leads an open task of a policy or
    co-operates in one.
    """
    tasks = Task.objects.filter(policy=policy)
    running = fillable(tasks).order_by()
    concerned = Q(pk__in=running.values("lead_unit")) | Q(pk__in=running.values("co_units"))
    for unit in Organization.objects.filter(concerned):
        yield progress_filename(unit, today), scope_of(unit, tasks, today)


def progress_filename(unit: Organization, on: dt.date) -> str:
    """Name the file of a unit."""
    return safe_name(
        _("%(unit)s_fill_in_%(day)s.xlsx") % {"unit": unit.short_name, "day": on.strftime("%Y%m%d")}
    )


def _instructions(scope: FillInRequest) -> Iterable[str]:
    """Say until when and to whom, and how the file is read."""
    ends = set()
    for row in scope.rows:
        ends.add(row.period.end + row.task.policy.grace_days * DAY)
    due = min((day for day in ends if day >= scope.on), default=scope.on)
    yield _("Hand in by %(day)s at the latest, to %(office)s. Contact: %(contact)s") % {
        "day": due.isoformat(),
        "office": settings.OPERATOR or _("the supervision office"),
        "contact": settings.CONTACT or "—",
    }
    yield _(
        "Fill in the light yellow cells. An empty cell changes nothing; %(word)s erases. Rows "
        "may be sorted and "
        "deleted; the hidden first column stays. Secret matters must not be entered."
    ) % {"word": CLEAR_WORD}
    if any(row.helps for row in scope.rows):
        yield _(
            "Where the unit co-operates, the row takes its contribution: it stands beside the "
            "report of the lead unit."
        )


def _sheet(
    book: Workbook,
    name: object,
    columns: Mapping[str, Column],
    rows: Sequence[FillInRow],
    scope: FillInRequest,
    title: str,
    notes: ExportNotes,
) -> None:
    widths = []
    for column in columns.values():
        widths.append(column.width)
    sheet = SheetWriter(book, name, widths, xlsx_writer.A3, heading=title)
    across = len(widths)
    told = list(_instructions(scope))
    # The hidden first column takes no part in what is merged.
    head = sheet.style(xlsx_writer.TITLE_FONT, 18, box=False)
    plain = sheet.style(box=False)
    sheet.append([(plain, None), (head, title), *repeat((head, None), across - 2)], 32)
    for words in told:
        tall = row_height(wrapped_lines(words, sum(widths[1:]), xlsx_writer.SIZE), xlsx_writer.SIZE)
        sheet.append([(plain, None), (plain, words), *repeat((plain, None), across - 2)], tall)
    for number in range(1, sheet.rows + 1):
        sheet.merge(2, across, number, number)
    write_header(sheet, [_header_of(column) for column in columns.values()], widths)
    top = sheet.rows
    looks = []
    for column in columns.values():
        looks.append(_looks(sheet, column))
    for number, row in enumerate(rows, 1):
        values = [
            notes.native(column.value(row, scope.on), row.task.code, column.header)
            for column in columns.values()
        ]
        counts = []
        for value, width in zip(values, widths, strict=True):
            if isinstance(value, str):
                counts.append(wrapped_lines(value, width, xlsx_writer.SIZE))
        chosen = []
        for look, column in zip(looks, columns.values(), strict=True):
            chosen.append(_look(look, column, row))
        sheet.append(
            zip(chosen, values, strict=True),
            row_height(max(counts[1:], default=1), xlsx_writer.SIZE),
        )
        scope.tell(number)
    _finish(sheet, columns, top)


def _header_of(column: Column) -> str:
    """Return a header; the mark of what was said so far stands on a line of its own, for no such
    column is so wide.
    """
    mark = _(" (so far)")
    return str(column.header).replace(mark, f"\n{mark.strip()}")


def _looks(sheet: SheetWriter, column: Column) -> tuple[CellStyle, CellStyle, CellStyle]:
    """Make the looks of a column: locked, open and at fault."""
    look: dict[str, Any] = {
        "format": column.format,
        "across": "center" if column.format != TEXT or column.width < 14 else "left",
    }
    locked = sheet.style(**look, fill=xlsx_writer.SHADE)
    wrong = sheet.style(**look, **xlsx_writer.FAULT_FILL, locked=not column.fills)
    return locked, sheet.style(**look, fill=xlsx_writer.OPEN, locked=False), wrong


def _look(
    looks: tuple[CellStyle, CellStyle, CellStyle], column: Column, row: FillInRow
) -> CellStyle:
    locked, to_write, wrong = looks
    if column.name in row.faults or (column.name == "faults" and row.faults):
        return wrong
    fits = column.name not in ("percent", "fall_reason") or states_percent(row)
    if column.fills and fits:
        return to_write
    return locked


def _finish(sheet: SheetWriter, columns: Mapping[str, Column], top: int) -> None:
    """Hide the key, keep the header in sight, guard the sheet against slips, and offer words by
    range.
    """
    ws = sheet.ws
    last = max(sheet.rows, top + 1)
    ws.column_dimensions["A"].hidden = True
    ws.freeze_panes = f"C{top + 1}"
    ws.print_title_rows = f"{top}:{top}"
    ws.auto_filter.ref = f"B{top}:{get_column_letter(len(columns))}{last}"
    ws.protection.sheet = True
    for name in ("formatColumns", "formatRows", "sort", "autoFilter"):
        setattr(ws.protection, name, False)
    for place, column in enumerate(columns.values(), 1):
        area = f"{get_column_letter(place)}{top + 1}:{get_column_letter(place)}{last}"
        if column.fills and column.format == SHARE:
            error = _("A percent from 0% to 100%.")
            add_choices(
                ws,
                area,
                type="decimal",
                operator="between",
                formula1="0",
                formula2="1",
                error=error,
            )
        elif column.name == "done":
            add_choices(
                ws,
                area,
                type="list",
                formula1=f"'{xlsx_writer.WORDS}'!$A$1:$A$2",
                error=f"{DONE[0]} / {UNDONE[0]}",
            )
        elif column.name == "light":
            sheet.colour_lights(place, top + 1)
