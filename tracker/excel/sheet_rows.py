"""Read the rows of one sheet from its XML as a stream, and its merged and hidden cells. Pure."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import column_index_from_string, range_boundaries

from tracker.domain.cells import Cell, CellValue
from tracker.domain.number_formats import NumberFormat
from tracker.excel.cell_styles import CellStyles
from tracker.excel.rich_text import RichText, picture_fault, text_cell
from tracker.excel.xml_parts import PartParser, WorkbookRefused, is_true, number_in_file

MAX_SHEET_ROWS = 20_000
MAX_SHEET_COLUMNS = 100
BLANK_ROWS = 200
MAX_MERGED_AREAS = 20_000  # merged areas of a sheet
LAST_COLUMN = 16_384  # of Excel itself
MAX_STYLES = 65_536  # of Excel itself
FORMULA_HEAD = 60  # characters of a formula that are looked at

_EPOCH_1900 = dt.datetime(1899, 12, 30)
LEAP_SERIAL = 60  # Excel counts 29 February 1900, which did not exist; days before are one less
# The formula of a picture in a cell.
_PICTURE = re.compile(r"\s*(?:_xlfn\.)?(?:DISPIMG|IMAGE)\(", re.IGNORECASE)
# A cell that holds something, and a merged area, in bytes that no parser reads any more.
_NAME = rb"<(?:[\w.-]{1,20}:)?"
_FILLED = re.compile(
    _NAME
    + rb'c [^<>]{0,200}?\br="([A-Z]{1,3})([0-9]{1,7})"[^<>]{0,200}>\s{0,20}'
    + _NAME
    + rb"(?:v>[^<]|f\b|is\b)",
    re.ASCII,
)
_MERGED = re.compile(_NAME + rb'mergeCell [^<>]{0,200}?\bref="([A-Z0-9:]{1,21})"', re.ASCII)
SCAN_OVERLAP = 600  # bytes of one step that are looked at again with the next


class CellArea(NamedTuple):
    """A rectangle of cells, by the numbers of its columns and rows; all four belong to it."""

    first_column: int
    first_row: int
    last_column: int
    last_row: int


@dataclass
class SheetLine:
    """A row that is not blank: its number, its cells by column number, and if it is hidden."""

    number: int
    cells: dict[int, Cell]
    hidden: bool = False


@dataclass
class Layout:
    """What a sheet has beside its rows; complete when these are read to the end."""

    merged: list[CellArea] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    has_drawing: bool = False

    def hides(self, column: int) -> bool:
        """Say whether a column is hidden."""
        return any(first <= column <= last for first, last in self.hidden_columns)


class SheetRows:
    """The rows of one sheet, read from its XML as a stream."""

    def __init__(
        self,
        strings: list[str | Cell],
        styles: CellStyles,
        epoch: dt.datetime,
        name: str,
        layout: Layout,
    ) -> None:
        self._strings = strings
        self._styles = styles
        self._epoch = epoch
        self._name = name
        self._layout = layout
        self._looks: dict[str, tuple[bool, NumberFormat]] = {}
        self._ready: list[SheetLine] = []
        self._row = 0
        self._column = 0
        self._last = 0
        self._cells: dict[int, Cell] = {}
        self._kind = self._look = ""
        self._hidden = False
        self._formula: list[str] | None = None
        self._inside = ""
        self._value: list[str] | None = None
        self._words: RichText | None = None
        self._done = False

    def read(self, steps: Iterator[bytes]) -> Iterator[SheetLine]:
        """Yield the rows that are not blank, until the sheet ends or BLANK_ROWS follow."""
        parser = PartParser(self._start, self._end, self._text)
        for step in steps:
            parser.feed(step)
            yield from self._ready
            self._ready.clear()
            if self._done:
                self._skim(step, steps)
                return
        parser.close()
        yield from self._ready

    def _skim(self, step: bytes, steps: Iterator[bytes]) -> None:
        """Look, without parsing, for cells below many blank rows and for merged areas."""
        merged = set(self._layout.merged)
        for following in steps:
            step = step[-SCAN_OVERLAP:] + following
            for found in _FILLED.finditer(step):
                # The end of the step before was parsed.
                if int(found[2]) > self._row:
                    self._refuse_place((found[1] + found[2]).decode(), self._too_far())
            for found in _MERGED.finditer(step):
                area = _area(found[1].decode())
                if area:
                    merged.add(area)
            self._layout.has_drawing |= b"<drawing " in step
            if len(merged) > MAX_MERGED_AREAS:
                raise WorkbookRefused(_("The workbook is too large to be read: too many cells."))
        self._layout.merged[:] = sorted(merged)

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == "c":
            self._start_cell(given)
        elif name == "row":
            self._row = number_in_file(given.get("r")) or self._row + 1
            self._column = 0
            self._hidden = is_true(given.get("hidden")) or not given.get("ht", "1").strip("0.")
            self._cells = {}
            if self._row - self._last > BLANK_ROWS + 1:
                self._done = True
        elif name == "v":
            self._value = []
            self._inside = name
        elif name == "f":
            self._formula = []
            self._inside = name
        elif self._words:
            self._words.start(name, given)
        elif name == "is":
            self._words = RichText()
            self._inside = name
        else:
            self._note(name, given)

    def _start_cell(self, given: dict[str, str]) -> None:
        place = given.get("r")
        if place:
            letters = place.rstrip("0123456789")
            try:
                self._column = column_index_from_string(letters)
                self._row = int(place[len(letters) :])
            except (ValueError, KeyError) as error:
                raise WorkbookRefused(
                    _("The file is damaged: a part of it cannot be read.")
                ) from error
        else:
            self._column += 1
        self._kind = given.get("t", "n")
        self._look = given.get("s", "0")
        self._formula = None
        self._value = None
        self._words = None
        self._inside = ""

    def _note(self, name: str, given: dict[str, str]) -> None:
        """Note merged areas, hidden columns and drawings."""
        if name == "mergeCell":
            area = _area(given.get("ref", ""))
            if len(self._layout.merged) >= MAX_MERGED_AREAS:
                raise WorkbookRefused(_("The workbook is too large to be read: too many cells."))
            if area:
                self._layout.merged.append(area)
        elif name == "col" and (is_true(given.get("hidden")) or given.get("width") == "0"):
            columns = number_in_file(given.get("min")), number_in_file(given.get("max"))
            if len(self._layout.hidden_columns) < MAX_SHEET_COLUMNS:
                self._layout.hidden_columns.append(columns)
        elif name == "drawing":
            self._layout.has_drawing = True

    def _text(self, text: str) -> None:
        if self._inside == "v" and self._value is not None:
            self._value.append(text)
        elif self._words:
            self._words.text(text)
        elif self._inside == "f" and self._formula is not None:
            self._formula.append(text)

    def _end(self, name: str) -> None:
        if name == "c":
            if self._value is None and self._formula is None and self._words is None:
                return
            cell = self._cell()
            self._words = None
            if not cell.empty:
                self._check_place()
                self._cells[self._column] = cell
        elif name == "row":
            if self._cells:
                self._last = self._row
                self._ready.append(SheetLine(self._row, self._cells, self._hidden))
        elif self._words:
            self._words.end(name)
        elif name in ("v", "f"):
            self._inside = ""

    def _check_place(self) -> None:
        """Refuse a cell outside of any list; left out without a word it would be lost."""
        allowed = ""
        if self._column > MAX_SHEET_COLUMNS:
            allowed = _("a sheet has at most %(count)d columns") % {"count": MAX_SHEET_COLUMNS}
        elif self._row > MAX_SHEET_ROWS:
            allowed = _("a sheet has at most %(count)d rows") % {"count": MAX_SHEET_ROWS}
        elif self._done:
            allowed = self._too_far()
        if allowed:
            self._refuse_place(
                f"{get_column_letter(min(self._column, 18_278))}{self._row}", allowed
            )

    @staticmethod
    def _too_far() -> str:
        return _("more than %(count)d blank rows are above it") % {"count": BLANK_ROWS}

    def _refuse_place(self, place: str, allowed: str) -> None:
        raise WorkbookRefused(
            _("Sheet “%(sheet)s”, cell %(place)s: %(allowed)s.")
            % {"sheet": self._name, "place": place, "allowed": allowed}
        )

    def _cell(self) -> Cell:
        """Read what the cell holds: of a formula its result."""
        text = "".join(self._value or [])
        fault = self._fault(text)
        if fault:
            return Cell(fault=fault)
        struck, shape = self._look_of(self._look)
        if self._kind in ("s", "inlineStr", "str"):
            return self._text_value(text, struck)
        if self._kind == "b":
            return Cell(text.strip() == "1", struck=struck)
        if not text.strip():
            return Cell()
        if self._kind == "d":
            return self._moment(text, shape, struck)
        return self._numeric(text, shape, struck)

    def _fault(self, text: str) -> str:
        """Say why a cell has no value: a picture, an error, a formula without a result."""
        if self._formula and _PICTURE.match("".join(self._formula)[:FORMULA_HEAD]):
            return picture_fault()
        if self._kind == "e":
            return _("Excel error: %(value)s") % {"value": text[:20]}
        if self._formula is not None and not text:
            return _("a formula without a result: open the file in Excel or WPS and save it")
        return ""

    def _text_value(self, text: str, struck: bool) -> Cell:
        """Read a text: a shared one, one with its own markup, or the result of a formula."""
        if self._kind == "s":
            return self._shared_text(text, struck)
        if self._kind == "str":
            return text_cell(text, struck)
        if self._words:
            return self._words.cell(struck)
        return Cell()

    def _look_of(self, number: str) -> tuple[bool, NumberFormat]:
        """Return whether a style strikes its cells out, and their number format."""
        known = self._looks.get(number)
        if known is None:
            style = number_in_file(number)
            known = style in self._styles.struck, self._styles.format_of(style)
            if len(self._looks) < MAX_STYLES:
                self._looks[number] = known
        return known

    def _shared_text(self, number: str, struck: bool) -> Cell:
        try:
            place = int(number)
            cell = self._strings[place]
        except (ValueError, IndexError):
            return Cell(fault=_("damaged: its text is missing"))
        if isinstance(cell, str):
            # Many cells may share it.
            cell = self._strings[place] = text_cell(cell)
        if struck:
            return replace(cell, struck=True)
        return cell

    def _moment(self, text: str, shape: NumberFormat, struck: bool) -> Cell:
        """Read a day that is written as ISO text."""
        try:
            value = dt.datetime.fromisoformat(text.strip())
        except ValueError:
            return text_cell(text, struck)
        return Cell(value.replace(tzinfo=None), format=shape, struck=struck)

    def _numeric(self, text: str, shape: NumberFormat, struck: bool) -> Cell:
        try:
            number = float(text)
        except ValueError:
            return Cell(fault=_("damaged: “%(value)s” is not a number") % {"value": text[:20]})
        if number != number or number in (float("inf"), float("-inf")):
            return Cell(fault=_("damaged: “%(value)s” is not a number") % {"value": text[:20]})
        if shape.is_date:
            moment = self._day_of(number)
            if moment is None:
                return Cell(fault=_("not a date: %(value)s") % {"value": text[:20]})
            return Cell(moment, format=shape, struck=struck)
        value: CellValue = number
        if number.is_integer() and abs(number) < 1e15:
            value = int(number)
        return Cell(value, percent=shape.is_percent, format=shape, struck=struck)

    def _day_of(self, serial: float) -> dt.datetime | None:
        """Return the moment that Excel shows for a serial number; None where there is none."""
        if serial < 0:
            return None
        if self._epoch == _EPOCH_1900 and serial < LEAP_SERIAL + 1:
            if serial >= LEAP_SERIAL:
                return None
            serial += 1
        try:
            return self._epoch + dt.timedelta(days=serial)
        except (OverflowError, ValueError):
            return None


def _area(ref: str) -> CellArea | None:
    """Read the place of a merged area; None where it is none."""
    try:
        area = CellArea(*range_boundaries(ref))
    except (ValueError, TypeError):
        return None
    if all(area) and area.last_column <= LAST_COLUMN:
        return area
    return None
