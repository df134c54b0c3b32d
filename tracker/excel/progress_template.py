"""The workbook that a unit fills in: its open tasks, what it has reported, and cells to fill in."""

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from tracker.domain.cells import CLEAR_WORD
from tracker.domain.dates import DAY
from tracker.domain.parsing import DONE_WORDS, UNDONE_WORDS
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import xlsx_writer
from tracker.excel.cell_text import row_height, safe_name, wrapped_lines
from tracker.excel.export_notes import ExportNotes
from tracker.excel.import_feedback import Fault, ReadingNote, list_faults, list_reading_notes
from tracker.excel.openpyxl_internals import new_book, save_book
from tracker.excel.progress_columns import report_columns, step_columns
from tracker.excel.progress_rows import FillInRow, fill_in_rows, fillable, states_percent
from tracker.excel.sheets import add_choices, is_centred, list_words, write_header
from tracker.excel.xlsx_writer import CellStyle, SheetWriter, WriterCell
from tracker.models import Organization, PolicyDocument, Task
from tracker.models.task import TaskQuerySet
from tracker.reports.columns import SHARE_FORMAT, Column

PERCENT_COLUMNS = ("percent", "fall_reason")
# What remains allowed on a protected sheet.
ALLOWED_ACTIONS = ("formatColumns", "formatRows", "sort", "autoFilter")


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
    """Ask for the workbook of a unit: what it leads among some tasks, then what it helps with."""
    rows = fill_in_rows(tasks.filter(lead_unit=unit), today)
    steps = []
    for row in rows:
        for item in row.task.items.all():
            steps.append(replace(row, item=item))
    contributions = fill_in_rows(tasks.filter(co_units=unit), today, unit)
    return FillInRequest(unit, rows + contributions, steps, today)


def save_progress_template(scope: FillInRequest, file: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write the workbook to a path or an open file."""
    book = new_book()
    notes = ExportNotes()
    unit = ""
    if scope.unit:
        unit = scope.unit.name
    title = _("%(unit)s: progress to fill in") % {"unit": unit}
    book.properties.title = notes.text(title)
    marked = bool(scope.faults)
    reports = FillInSheet(book, xlsx_writer.FILL_IN, report_columns(marked), scope, title, notes)
    reports.write(scope.rows)
    if scope.steps:
        steps = FillInSheet(book, xlsx_writer.STEPS, step_columns(marked), scope, title, notes)
        steps.write(scope.steps)
    if scope.faults:
        list_faults(book, scope.faults, scope.on, title, notes)
    list_reading_notes(book, scope.reading_notes, scope.on, title, notes)
    list_words(book, (DONE_WORDS[0], UNDONE_WORDS[0]))
    save_book(book, file)


def of_all_units(policy: PolicyDocument, today: dt.date) -> Iterator[tuple[str, FillInRequest]]:
    """Yield name and content of the workbook of each unit with a part in an open task."""
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
    yield _("Submit to %(office)s by %(day)s. Contact: %(contact)s") % {
        "day": due.isoformat(),
        "office": settings.OPERATOR or _("the supervision office"),
        "contact": settings.CONTACT or "—",
    }
    yield _(
        "Fill in the light yellow cells. An empty cell changes nothing; %(word)s clears the value. "
        "Rows may be sorted and deleted; leave the hidden first column in place. Do not enter "
        "classified information."
    ) % {"word": CLEAR_WORD}
    if any(row.helps for row in scope.rows):
        yield _(
            "Where the unit co-operates, the row is for its contribution, which is shown next to "
            "the report of the lead unit."
        )


class RowStyles(NamedTuple):
    """The styles of the cells of one column."""

    locked: CellStyle
    to_fill: CellStyle
    wrong: CellStyle


class FillInSheet:
    """A sheet of a fill-in workbook: title, instructions, and a row for each task or step."""

    def __init__(
        self,
        book: Workbook,
        name: object,
        columns: Mapping[str, Column],
        scope: FillInRequest,
        title: str,
        notes: ExportNotes,
    ) -> None:
        self._columns = list(columns.values())
        self._widths = [column.width for column in self._columns]
        self._scope = scope
        self._title = title
        self._notes = notes
        self._sheet = SheetWriter(book, name, self._widths, xlsx_writer.A3, heading=title)

    def write(self, rows: Sequence[FillInRow]) -> None:
        """Write everything from the title to the last row."""
        self._write_head()
        headers = [_header_of(column) for column in self._columns]
        write_header(self._sheet, headers, self._widths)
        header_row = self._sheet.rows
        styles = [_row_styles(self._sheet, column) for column in self._columns]
        for number, row in enumerate(rows, 1):
            self._write_row(row, styles)
            self._scope.tell(number)
        self._finish(header_row)

    def _write_head(self) -> None:
        """Write the title and the instructions; the hidden first column takes no part in them."""
        sheet = self._sheet
        title = sheet.style(xlsx_writer.TITLE_FONT, 18, box=False)
        plain = sheet.style(box=False)
        across = len(self._widths)
        sheet.append([(plain, None), (title, self._title), *repeat((title, None), across - 2)], 32)
        for text in _instructions(self._scope):
            lines = wrapped_lines(text, sum(self._widths[1:]), xlsx_writer.FONT_SIZE)
            entries = [(plain, None), (plain, text), *repeat((plain, None), across - 2)]
            sheet.append(entries, row_height(lines, xlsx_writer.FONT_SIZE))
        for number in range(1, sheet.rows + 1):
            sheet.merge(2, across, number, number)

    def _write_row(self, row: FillInRow, styles: Sequence[RowStyles]) -> None:
        entries: list[WriterCell] = []
        lines = 1
        for place, (column, choice) in enumerate(zip(self._columns, styles, strict=True)):
            value = self._notes.native(
                column.value(row, self._scope.on), row.task.code, column.header
            )
            entries.append((_style_of(choice, column, row), value))
            # The first column is hidden.
            if place and isinstance(value, str):
                lines = max(lines, wrapped_lines(value, column.width, xlsx_writer.FONT_SIZE))
        self._sheet.append(entries, row_height(lines, xlsx_writer.FONT_SIZE))

    def _finish(self, header_row: int) -> None:
        """Hide the key, keep the header in sight, protect the sheet, and offer choices."""
        ws = self._sheet.ws
        last = max(self._sheet.rows, header_row + 1)
        ws.column_dimensions["A"].hidden = True
        ws.freeze_panes = f"C{header_row + 1}"
        ws.print_title_rows = f"{header_row}:{header_row}"
        ws.auto_filter.ref = f"B{header_row}:{get_column_letter(len(self._columns))}{last}"
        ws.protection.sheet = True
        for action in ALLOWED_ACTIONS:
            setattr(ws.protection, action, False)
        for place, column in enumerate(self._columns, 1):
            letter = get_column_letter(place)
            self._add_rule(column, f"{letter}{header_row + 1}:{letter}{last}")
            if column.name == "light":
                self._sheet.colour_lights(place, header_row + 1)

    def _add_rule(self, column: Column, area: str) -> None:
        """Say what may be typed into the cells of a column."""
        if column.fills and column.format == SHARE_FORMAT:
            add_choices(
                self._sheet.ws,
                area,
                type="decimal",
                operator="between",
                formula1="0",
                formula2="1",
                error=_("A percentage from 0% to 100%."),
            )
        elif column.name == "done":
            add_choices(
                self._sheet.ws,
                area,
                type="list",
                formula1=f"'{xlsx_writer.WORDS_SHEET}'!$A$1:$A$2",
                error=f"{DONE_WORDS[0]} / {UNDONE_WORDS[0]}",
            )


def _header_of(column: Column) -> str:
    """Return a header, the mark of what was reported so far on a line of its own.

    No such column is wide enough for both.
    """
    mark = _(" (so far)")
    return str(column.header).replace(mark, f"\n{mark.strip()}")


def _row_styles(sheet: SheetWriter, column: Column) -> RowStyles:
    look: dict[str, Any] = {"format": column.format, "across": "left"}
    if is_centred(column):
        look["across"] = "center"
    locked = sheet.style(**look, fill=xlsx_writer.SHADED_FILL)
    wrong = sheet.style(**look, **xlsx_writer.FAULT_FILL, locked=not column.fills)
    to_fill = sheet.style(**look, fill=xlsx_writer.OPEN_FILL, locked=False)
    return RowStyles(locked, to_fill, wrong)


def _style_of(styles: RowStyles, column: Column, row: FillInRow) -> CellStyle:
    if column.name in row.faults or (column.name == "faults" and row.faults):
        return styles.wrong
    if column.fills and (column.name not in PERCENT_COLUMNS or states_percent(row)):
        return styles.to_fill
    return styles.locked
