"""Read the rows of sheets by the names of their columns.

Whatever is not read is noted: a column without a known header, another sheet, what stands above the
header.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from tracker.domain import parsing
from tracker.domain.cells import Cell, Clear
from tracker.excel import xlsx_writer
from tracker.excel.import_feedback import ReadingNote
from tracker.excel.merged_cells import fill_down
from tracker.excel.progress_columns import FAULTS_COLUMN
from tracker.excel.reader import SheetLine, WorkbookReader
from tracker.excel.reading_notes import SheetNotes
from tracker.excel.sheet_survey import Header, SheetKind, SheetRecord, in_all_languages
from tracker.excel.sheets import NUMBER_COLUMN
from tracker.reports.columns import Column, plain_header

Result = TypeVar("Result")
PROGRESS_INTERVAL = 1_000  # rows after which the progress of the reading is reported
MAX_NUMBERING_LENGTH = 6  # characters of a running number; what is longer is text
MAX_SHOWN_CELL = 40  # characters of a value that a message repeats


@dataclass(frozen=True)
class Table:
    """A sheet to read: its header, its kind, and what is kept of each row."""

    header: Header
    kind: SheetKind
    keep: Callable[[SheetRecord], dict[str, Any]]


@dataclass(frozen=True)
class ReadingProgress:
    """How far a file is read: so many rows, and so many percent of its sheets."""

    rows: int
    percent: int


ReadingSteps = Generator[ReadingProgress, None, Result]


def read_tables(
    book: WorkbookReader, tables: Sequence[Table]
) -> ReadingSteps[tuple[list[dict[str, Any]], list[ReadingNote]]]:
    """Read all rows of some sheets, each into what is kept of it, and note what is not read."""
    rows: list[dict[str, Any]] = []
    notes: list[ReadingNote] = []
    total_size = sum(table.header.sheet.size for table in tables)
    size_before = 0
    for table in tables:
        sheet = table.header.sheet
        records: list[SheetRecord] = []
        sheet_notes = SheetNotes(sheet.name)
        for record in _records(book, table, sheet_notes):
            records.append(record)
            count = len(rows) + len(records)
            if not count % PROGRESS_INTERVAL:
                percent = 100 * (size_before + sheet.read) // total_size
                yield ReadingProgress(count, percent)
        size_before += sheet.size
        fill_down(records, table.header, table.kind, sheet_notes)
        for record in records:
            _read(record, table.kind.columns, sheet_notes)
            rows.append(table.keep(record))
        _note_unread_columns(table, sheet_notes)
        _note_hidden_and_drawn(book, table, sheet_notes)
        notes += sheet_notes.notes()
    return rows, notes + _note_other_sheets(book, tables)


def _records(book: WorkbookReader, table: Table, notes: SheetNotes) -> Iterator[SheetRecord]:
    """Yield the rows below the header with their cells; note what lies beside the columns."""
    header = table.header
    numbers = _places(header, NUMBER_COLUMN)
    ignored = _places(header, FAULTS_COLUMN.header)
    for line in book.lines(header.sheet):
        if line.number < header.row:
            notes.above += _count_above(line, table.kind)
        if line.number <= header.row:
            continue
        cells = _known_cells(line, header)
        if len(cells) < len(line.cells):
            notes.unread.update(_unread_places(line, header, numbers, ignored))
        if not cells:
            continue
        if line.hidden:
            notes.hidden_rows.append(line.number)
        yield SheetRecord(header.sheet.name, line.number, cells)


def _known_cells(line: SheetLine, header: Header) -> dict[str, Cell]:
    """Return the cells of a row below known headers, by the names of their columns."""
    cells = {}
    for place, cell in line.cells.items():
        if place in header.names:
            cells[header.names[place]] = cell
    return cells


def _unread_places(
    line: SheetLine, header: Header, numbers: set[int], ignored: set[int]
) -> list[int]:
    """Return the columns of a row that are not read, without running numbers and old faults."""
    places = []
    for place, cell in line.cells.items():
        if place in header.names or place in ignored:
            continue
        if place in numbers and _is_numbering(cell):
            continue
        places.append(place)
    return places


def _places(header: Header, text: str | Promise) -> set[int]:
    """Return the columns with a header of the program that no row is read by."""
    meant = in_all_languages(text)
    return {place for place, found in header.texts.items() if plain_header(found) in meant}


def _is_numbering(cell: Cell) -> bool:
    return cell.is_number or bool(cell.fault) or len(str(cell)) <= MAX_NUMBERING_LENGTH


def _count_above(line: SheetLine, kind: SheetKind) -> int:
    """Count the cells above the header, without the lines that the program writes there."""
    return sum(1 for place in line.cells if not (kind.titled and place <= 2))


def _read(record: SheetRecord, columns: Mapping[str, Column], notes: SheetNotes) -> None:
    """Read the cells of a row: what a column understands into `values`, others into `faults`."""
    for name, cell in record.cells.items():
        column = columns[name]
        if not column.parse:
            continue
        if cell.fault:
            record.faults[name] = cell.fault
            continue
        if cell.struck:
            record.faults[name] = _(
                "It is struck out: remove the strikethrough, or clear the cell."
            )
            continue
        if cell.left_out:
            notes.left_out[cell.left_out, str(column.header)].append(record.number)
        try:
            record.values[name] = column.parse(cell)
        except ValueError as error:
            record.faults[name] = _("“%(value)s” is not understood; allowed: %(allowed)s") % {
                "value": str(cell)[:MAX_SHOWN_CELL],
                "allowed": error,
            }


def _note_unread_columns(table: Table, notes: SheetNotes) -> None:
    """Note the columns that are not read, with the missing header that comes near."""
    header = table.header
    found = set(header.names.values())
    missing = set()
    for name, column in table.kind.columns.items():
        if name not in found:
            missing.add(str(column.header))
    texts = {place: header.texts.get(place, "") for place in notes.unread}
    near_names = parsing.NearNames()
    suggestions = {}
    for text in texts.values():
        near = near_names.of(text, sorted(missing))
        if near:
            suggestions[text] = near[0]
    notes.say_unread(texts, suggestions)


def _note_hidden_and_drawn(book: WorkbookReader, table: Table, notes: SheetNotes) -> None:
    """Note hidden columns and sheets, comments and drawings."""
    sheet = table.header.sheet
    headers = {}
    for place, name in table.header.names.items():
        if name != table.kind.hidden:
            headers[place] = str(table.kind.columns[name].header)
    notes.say_hidden_columns(sheet.layout, headers)
    if not sheet.visible:
        notes.say("", 0, _("The sheet is hidden, but it is read like any other."))
    comments = book.count_comments(sheet)
    if comments:
        notes.say("", comments, _("Comments on cells are not read."))
    if sheet.layout.has_drawing:
        notes.say("", 0, _("Pictures and drawings placed over cells are not read."))


def _note_other_sheets(book: WorkbookReader, tables: Sequence[Table]) -> list[ReadingNote]:
    """Name the sheets that are not read and hold something.

    Those that the program adds itself are left out.
    """
    read = {id(table.header.sheet) for table in tables}
    own: set[str] = set()
    for name in (xlsx_writer.WORDS_SHEET, xlsx_writer.FAULTS, xlsx_writer.READING_NOTES):
        own |= in_all_languages(name)
    notes = []
    for sheet in book.sheets:
        if id(sheet) in read or plain_header(sheet.name) in own:
            continue
        count = book.count_cells(sheet)
        if count:
            text = _("The sheet is not read: it has none of the expected headers.")
            notes.append(ReadingNote(sheet.name, "", count, text))
    return notes


def asks_to_clear(value: object) -> bool:
    """Say whether a value asks for what is stored to be erased."""
    return isinstance(value, Clear)
