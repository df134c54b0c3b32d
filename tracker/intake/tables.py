"""Find a sheet by its headers and read its rows by their names: columns may stand in any order."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from openpyxl.utils import get_column_letter

from tracker.columns import Column, plain_header
from tracker.intake.workbook import Line, Refused, Sheet, Workbook
from tracker.parsing import CLEAR, Cell, Clear

Result = TypeVar("Result")
BLANK = Cell()
TOLD = 1_000  # rows after which it is told how far the reading is
HEADER_ROWS = 30  # a header is looked for in so many rows that hold something


@dataclass
class Record:
    """A row below a header: where it stands, and its cells by the names of their columns."""

    sheet: str
    number: int
    cells: dict[str, Cell]
    values: dict[str, object] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def typed(self) -> dict[str, str]:
        """Return what was written, as text."""
        return {name: str(cell) for name, cell in self.cells.items() if cell is not BLANK}


Table = tuple[Sheet, Mapping[str, Column], set[str], Callable[[Record], dict[str, Any]]]


@dataclass(frozen=True)
class Progress:
    """How far a file is read: so many rows, and so many percent of its sheets."""

    rows: int
    percent: int


Reading = Generator[Progress, None, Result]


def find(book: Workbook, columns: Mapping[str, Column], needed: set[str]) -> Sheet | None:
    """Find the one sheet whose header names all that is needed; a visible one goes before a hidden one."""
    for visible in (True, False):
        found = [
            sheet
            for sheet in book.sheets
            if sheet.visible == visible and _header(book.lines(sheet), sheet.name, columns, needed)
        ]
        if len(found) > 1:
            names = pgettext("list", ", ").join(sheet.name for sheet in found)
            raise Refused(_("Several sheets could be meant: %(names)s. Leave one of them.") % {"names": names})
        if found:
            return found[0]
    return None


def expect(book: Workbook, columns: Mapping[str, Column], needed: set[str]) -> Sheet:
    """Find the sheet, or refuse the file and say which headers it needs in one row."""
    sheet = find(book, columns, needed)
    if not sheet:
        names = pgettext("list", ", ").join(str(columns[name].header) for name in columns if name in needed)
        raise Refused(
            _("No sheet has these headers in one row: %(names)s. Download the workbook anew and fill that in.")
            % {"names": names}
        )
    return sheet


def records(book: Workbook, sheet: Sheet, columns: Mapping[str, Column], needed: set[str]) -> Iterator[Record]:
    """Yield the rows below the header; what a column reads is in `values`, what it refuses in `faults`."""
    lines = book.lines(sheet)
    places = _header(lines, sheet.name, columns, needed) or {}
    for line in lines:
        cells = {name: line.cells.get(place, BLANK) for place, name in places.items()}
        record = Record(sheet.name, line.number, cells)
        written = [(name, cell) for name, cell in cells.items() if cell is not BLANK]
        for name, cell in written:
            _read(record, columns[name], cell)
        if written:
            yield record


def gather(book: Workbook, tables: Sequence[Table]) -> Reading[list[dict[str, Any]]]:
    """Read all rows of some sheets, each by its columns into what is kept of it; yield how far it is."""
    rows: list[dict[str, Any]] = []
    for number, (sheet, columns, needed, keep) in enumerate(tables):
        for record in records(book, sheet, columns, needed):
            rows.append(keep(record))
            if not len(rows) % TOLD:
                done = sum(before.size for before, *_rest in tables[:number]) + sheet.read
                whole = sum(each.size for each, *_rest in tables)
                yield Progress(len(rows), 100 * done // whole)
    return rows


def _read(record: Record, column: Column, cell: Cell) -> None:
    if cell.fault:
        record.faults[column.name] = cell.fault
    elif column.parse:
        try:
            record.values[column.name] = column.parse(cell)
        except ValueError as error:
            record.faults[column.name] = _("“%(value)s” is not understood; allowed: %(allowed)s") % {
                "value": str(cell)[:40],
                "allowed": error,
            }


def cleared(value: object) -> bool:
    """Say whether a value asks for what is stored to be erased."""
    return value is CLEAR or isinstance(value, Clear)


def _header(
    lines: Iterator[Line], sheet: str, columns: Mapping[str, Column], needed: set[str]
) -> dict[int, str] | None:
    """Read on to the header; return the names of its columns by their places."""
    known = {header: name for name, column in columns.items() for header in column.headers()}
    for _count, line in zip(range(HEADER_ROWS), lines, strict=False):
        places: dict[int, str] = {}
        twice = []
        for place, cell in line.cells.items():
            name = known.get(plain_header(str(cell)))
            if name in places.values():
                twice.append(f"{get_column_letter(place)}{line.number}")
            elif name:
                places[place] = name
        if needed <= set(places.values()):
            if twice:
                raise Refused(
                    _("Sheet “%(sheet)s”, cell %(places)s: this header stands in the row twice.")
                    % {"sheet": sheet, "places": pgettext("list", ", ").join(twice)}
                )
            return places
    return None
