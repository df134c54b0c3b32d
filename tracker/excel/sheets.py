"""The sheets: the ledger to print, and listings to filter and to compute with."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

from tracker.domain.choices import Kind
from tracker.excel import xlsx_writer
from tracker.excel.cell_text import row_height, wrapped_lines
from tracker.excel.cover import banner, wide_row
from tracker.excel.export_notes import ExportNotes
from tracker.excel.openpyxl_internals import add_table
from tracker.excel.xlsx_writer import FONT_SIZE, CellStyle, SheetWriter, WriterCell
from tracker.models import Task
from tracker.reports.columns import (
    TASK_COLUMNS,
    TEXT_FORMAT,
    WHOLE_FORMAT,
    Column,
    NativeValue,
)

NUMBER_COLUMN = gettext_lazy("No.")
NUMBER_WIDTH = 5


def column_headers(columns: Iterable[Column]) -> list[str]:
    """Return the headers of a sheet with a running number and some columns."""
    headers = [str(NUMBER_COLUMN)]
    headers += [str(column.header) for column in columns]
    return headers


def column_widths(columns: Iterable[Column]) -> list[float]:
    """Return the widths of a sheet with a running number and some columns, in units of Excel."""
    widths: list[float] = [NUMBER_WIDTH]
    widths += [column.width for column in columns]
    return widths


SHEET_NAMES = list(TASK_COLUMNS)
COLUMN_WIDTHS = column_widths(TASK_COLUMNS.values())
CODE_PLACE = SHEET_NAMES.index("code") + 2
LIGHT_PLACE = SHEET_NAMES.index("light") + 2
BAND_COLUMNS = (SHEET_NAMES.index("section") + 2, SHEET_NAMES.index("measure") + 2)
FREEZE_TEMPLATE = get_column_letter(CODE_PLACE + 1) + "{}"  # right of the code, above a row
MORE_ROWS = 100  # empty rows of a template, formatted: what is typed there stays text
MAX_PAGE_BREAKS = 1_000  # Excel takes 1,026 in a sheet


@dataclass(frozen=True)
class SheetRow:
    """One object as its sheets show it: number and values by column, and the lines of each cell."""

    thing: Any
    values: list[NativeValue]
    counts: list[int]
    link: str


# What the printed sheet says where there is no value; the data sheet leaves the cell empty.
def _no_deadline(task: Task) -> str | None:
    if task.kind == Kind.STANDING:
        return str(Kind.STANDING.label)
    return None


ABSENT_TEXT: dict[int, Callable[[Task], str | None]] = {
    SHEET_NAMES.index("percent") + 1: lambda task: "—",
    SHEET_NAMES.index("original_deadline") + 1: _no_deadline,
    SHEET_NAMES.index("deadline") + 1: _no_deadline,
}


def is_centred(column: Column) -> bool:
    """Say whether the cells of a column are centred: short values are, prose is not."""
    return column.format != TEXT_FORMAT or column.width < 14


def body_styles(sheet: SheetWriter, columns: Iterable[Column], **look: Any) -> list[CellStyle]:
    """Make a style for the number of a row and for each column."""
    styles = [sheet.style(format=WHOLE_FORMAT, across="center", **look)]
    for column in columns:
        across = "left"
        if is_centred(column):
            across = "center"
        styles.append(sheet.style(format=column.format, across=across, **look))
    return styles


def code_style(sheet: SheetWriter) -> CellStyle:
    """Make the style of a code that leads to its task."""
    return sheet.style(across="center", link=True)


def write_header(sheet: SheetWriter, headers: Sequence[str], widths: Sequence[float]) -> float:
    """Write the header row; return its height."""
    style = sheet.style(xlsx_writer.HEAD_FONT, across="center", fill=xlsx_writer.SHADED_FILL)
    lines = 0
    for header, width in zip(headers, widths, strict=True):
        lines = max(lines, wrapped_lines(header, width, xlsx_writer.FONT_SIZE))
    tall = row_height(lines + 1, xlsx_writer.FONT_SIZE)
    sheet.append([(style, header) for header in headers], tall)
    return tall


@dataclass
class Band:
    """A cell that is merged over consecutive rows of one section or measure."""

    column: int
    first: int = 0
    height: float = 0.0

    def holds(self, row: SheetRow, other: SheetRow | None) -> bool:
        """Say whether two rows share the band: this column and those left of it are equal."""
        return other is not None and row.values[1 : self.column] == other.values[1 : self.column]

    def wants(self, row: SheetRow) -> float:
        """Return the height that the text of the band needs, in points."""
        return row_height(row.counts[self.column - 1], xlsx_writer.FONT_SIZE)


@dataclass(frozen=True)
class LedgerHead:
    """What the printed sheet says above its header: title, a line with two ends, a warning."""

    title: str
    left: str
    right: str
    demo: bool


class LedgerBook:
    """The sheet to print and to send up: title, scope, sections and measures as bands.

    Bands end with the page, so that every printed page names its section and measure and no
    text is cut in two between pages.
    """

    def __init__(self, book: Workbook, head: LedgerHead, *, banded: bool, paper: int) -> None:
        header_row = 3
        if head.demo:
            header_row = 4
        headers = column_headers(TASK_COLUMNS.values())
        freeze = FREEZE_TEMPLATE.format(header_row + 1)
        self.sheet = sheet = SheetWriter(book, xlsx_writer.LEDGER, COLUMN_WIDTHS, paper, freeze)
        sheet.ws.print_title_rows = f"{header_row}:{header_row}"
        self._write_head(head, len(headers))
        self._head = write_header(sheet, headers, COLUMN_WIDTHS)
        self._page = 0.0  # height of all rows above this page
        self._styles = body_styles(sheet, TASK_COLUMNS.values())
        self._code = code_style(sheet)
        self._bands: list[Band] = []
        if banded:
            self._bands = [Band(column, sheet.rows + 1) for column in BAND_COLUMNS]
        self._top = header_row + 1
        self._waiting: SheetRow | None = None

    def _write_head(self, head: LedgerHead, across: int) -> None:
        sheet = self.sheet
        style = sheet.style(
            xlsx_writer.TITLE_FONT, xlsx_writer.TITLE_SIZE, across="center", box=False
        )
        wide_row(sheet, style, head.title, across, 42)
        if head.demo:
            banner(sheet, across)
        plain = sheet.style(box=False, size=12)
        right_aligned = sheet.style(box=False, size=12, across="right")
        middle = across * 3 // 4
        tall = row_height(wrapped_lines(head.left, sum(COLUMN_WIDTHS[:middle]), 12), 12)
        blanks = repeat((plain, None), middle - 1)
        sheet.append([(plain, head.left), *blanks, (right_aligned, head.right)], tall)
        sheet.merge(1, middle, sheet.rows, sheet.rows)
        sheet.merge(middle + 1, across, sheet.rows, sheet.rows)

    def add(self, row: SheetRow) -> None:
        """Add the next task; it is written when the one after it is known, or at the end."""
        if self._waiting:
            self._write(self._waiting, row)
        self._waiting = row

    def close(self) -> None:
        """Write the last task, and colour the lights."""
        if self._waiting:
            self._write(self._waiting, None)
        else:
            wide_row(
                self.sheet,
                self.sheet.style(across="center"),
                _("No task matches."),
                len(COLUMN_WIDTHS),
                30,
            )
        self.sheet.colour_lights(LIGHT_PLACE, self._top)

    def _write(self, row: SheetRow, following: SheetRow | None) -> None:
        number = self.sheet.rows + 1
        ends_page = self._ends_page(row, following)
        ending = [band for band in self._bands if ends_page or not band.holds(row, following)]
        # No program grows a merged row: the last row of a band makes room for its text.
        tall = self._tall(row)
        for band in ending:
            tall = max(tall, band.wants(row) - band.height)
        entries = self._entries(row)
        for band in self._bands:
            if band.first < number:
                entries[band.column - 1] = (self._styles[band.column - 1], None)
            band.height += tall
        self.sheet.append(entries, tall)
        self._end_bands(ending, number)
        if ends_page:
            self.sheet.ws.row_breaks.append(Break(number))
            self._page = self.sheet.height - self._head

    def _entries(self, row: SheetRow) -> list[WriterCell]:
        """Return the cells of a row, with a text where there is no value."""
        entries: list[WriterCell] = []
        for place, (style, value) in enumerate(zip(self._styles, row.values, strict=True)):
            shown = value
            if value is None and place in ABSENT_TEXT:
                shown = ABSENT_TEXT[place](row.thing)
            entries.append((style, shown))
        if row.link:
            entries[CODE_PLACE - 1] = (self._code, row.values[CODE_PLACE - 1], row.link)
        return entries

    def _end_bands(self, ending: Iterable[Band], number: int) -> None:
        """Merge the cells of the bands that end with a row; the next row begins new ones."""
        for band in ending:
            if band.first < number:
                self.sheet.merge(band.column, band.column, band.first, number)
            band.first = number + 1
            band.height = 0.0

    def _tall(self, row: SheetRow) -> float:
        counts = row.counts
        if self._bands:
            counts = counts[len(BAND_COLUMNS) + 1 :]
        return row_height(max(counts), xlsx_writer.FONT_SIZE)

    def _ends_page(self, row: SheetRow, following: SheetRow | None) -> bool:
        """Say whether the next row, with room for its bands, does not fit on this page."""
        if not following or not self._bands or len(self.sheet.ws.row_breaks) >= MAX_PAGE_BREAKS:
            return False
        tall = self._tall(row)
        needed = self._tall(following)
        for band in self._bands:
            height = 0.0
            if band.holds(row, following):
                height = band.height + tall
            needed = max(needed, band.wants(following) - height)
        return self.sheet.height - self._page + tall + needed > self.sheet.page


def add_choices(ws: Any, area: str, **rule: Any) -> None:
    """Add a rule for an area: what may be typed, words to choose from, or a hint."""
    validation = DataValidation(**{"allow_blank": True, "showErrorMessage": True, **rule})
    validation.add(area)
    ws.data_validations.append(validation)


def list_words(book: Workbook, words: Iterable[str]) -> str:
    """Write words on a hidden sheet, for cells to choose from; return their range."""
    sheet = SheetWriter(book, xlsx_writer.WORDS_SHEET, (12,))
    plain = sheet.style()
    for word in words:
        sheet.append([(plain, word)], 15)
    sheet.ws.sheet_state = "hidden"
    return f"'{xlsx_writer.WORDS_SHEET}'!$A$1:$A${max(sheet.rows, 1)}"


class Listing:
    """A sheet to filter and to compute with: one row a thing, nothing merged, a native table."""

    def __init__(
        self,
        book: Workbook,
        name: object,
        columns: Mapping[str, Column],
        heading: str,
        table: str,
        open_rows: bool = False,
    ) -> None:
        """Create a sheet with its header.

        With `open_rows` further rows may be written below: they are formatted, and the last column
        is hidden.
        """
        self._open_rows = open_rows
        self.columns = list(columns.values())
        self.table = table
        self._sources = [0] * len(self.columns)
        self.headers = column_headers(self.columns)
        self.widths = column_widths(self.columns)
        place = {name: number for number, name in enumerate(columns, 2)}
        self._code = place.get("code", 0)
        self._light = place.get("light", 0)
        first_free = 3
        if self._code:
            first_free = self._code + 1
        freeze = f"{get_column_letter(first_free)}2"
        self.sheet = SheetWriter(book, name, self.widths, freeze=freeze, heading=heading)
        self.sheet.ws.print_title_rows = "1:1"
        write_header(self.sheet, self.headers, self.widths)
        self._styles = body_styles(self.sheet, self.columns)
        self._linked = code_style(self.sheet)

    def share_values_with(self, other: "Listing") -> None:
        """Take the values of columns that another sheet shows too from its rows.

        `row` does so where it is given the row of that sheet.
        """
        for place, column in enumerate(self.columns):
            if column in other.columns:
                self._sources[place] = other.columns.index(column) + 1

    def row(
        self,
        thing: Any,
        on: dt.date,
        notes: ExportNotes,
        place: str,
        link: str = "",
        of: SheetRow | None = None,
    ) -> SheetRow:
        """Make the row of a thing from clean values; its number is that of its place."""
        values: list[NativeValue] = [0]
        for column, source in zip(self.columns, self._sources, strict=True):
            if of and source:
                values.append(of.values[source])
            else:
                values.append(notes.native(column.value(thing, on), place, column.header))
        counts = []
        for value, width in zip(values, self.widths, strict=True):
            lines = 1
            if isinstance(value, str):
                lines = wrapped_lines(value, width, FONT_SIZE)
            counts.append(lines)
        return SheetRow(thing, values, counts, link)

    def add(self, row: SheetRow, looks: Sequence[CellStyle] = ()) -> None:
        """Write the next row."""
        if row.values[0] == 0:
            row.values[0] = self.sheet.rows
        entries: list[WriterCell] = list(zip(looks or self._styles, row.values, strict=True))
        if row.link:
            entries[self._code - 1] = (self._linked, row.values[self._code - 1], row.link)
        self.sheet.append(entries, row_height(max(row.counts), xlsx_writer.FONT_SIZE))

    def close(self) -> None:
        """Make a table of the rows, and write the rows that stay open."""
        if self.sheet.rows == 1:
            # A table without a row makes Excel offer to repair the file.
            self._add_blank()
        last_column = get_column_letter(len(self.headers))
        ref = f"A1:{last_column}{self.sheet.rows}"
        if self._open_rows:
            if self.columns[-1].name == "version":
                self.sheet.ws.column_dimensions[last_column].hidden = True
            for _number in range(MORE_ROWS):
                self._add_blank()
        self._add_table(ref)
        if self._light:
            self.sheet.colour_lights(self._light, 2)

    def _add_blank(self) -> None:
        entries = [(style, None) for style in self._styles]
        self.sheet.append(entries, row_height(1, xlsx_writer.FONT_SIZE))

    def _add_table(self, ref: str) -> None:
        table = Table(displayName=self.table, ref=ref, autoFilter=AutoFilter(ref=ref))
        table.tableColumns = []
        for place, header in enumerate(self.headers, 1):
            table.tableColumns.append(TableColumn(id=place, name=header))
        table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
        add_table(self.sheet.ws, table)
