"""Find sheets by their headers and read their rows by names: columns may stand in any order.

Whatever is not read is noted: a column without a known header, another sheet, what stands above the
header. A sheet that lacks a header it needs is refused, and not left out.
"""

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext
from openpyxl.utils import get_column_letter

from tracker.domain import parsing
from tracker.domain.parsing import Cell, Clear
from tracker.excel import xlsx_writer
from tracker.excel.import_feedback import ReadingNote
from tracker.excel.progress_columns import FAULTS_COLUMN
from tracker.excel.reader import SheetInfo, SheetLine, WorkbookReader, WorkbookRefused
from tracker.excel.reading_notes import SheetNotes
from tracker.excel.sheet_rows import CellArea
from tracker.excel.sheets import NUMBER_COLUMN
from tracker.reports.columns import Column, plain_header

Result = TypeVar("Result")
PROGRESS_INTERVAL = 1_000  # rows after which it is told how far the reading is
HEADER_ROWS = 30  # a header is looked for in so many rows that hold something
LIKELY_HEADERS = 4  # so many known headers in a row make it a header that lacks some
LONGEST_NUMBERING = 6  # signs of a running number; what is longer is text
MAX_MERGED_CELLS = 2_000_000  # cells of merged areas that are looked at in a sheet


@dataclass(frozen=True)
class SheetKind:
    """A kind of sheet: its usual name, its columns, those that it needs, and how its merged cells
    are read.

    In `filled_down` a merged cell counts for each of its rows; `hidden` is the column that we hide.
    With `titled` the program itself writes lines above the header.
    """

    title: str | Promise
    columns: Mapping[str, Column]
    needed: set[str]
    filled_down: frozenset[str] = frozenset()
    hidden: str = ""
    titled: bool = False


@dataclass(frozen=True)
class Header:
    """The row of a sheet that names its columns: known ones by place, and the text of every one."""

    sheet: SheetInfo
    row: int
    names: dict[int, str]
    texts: dict[int, str]
    twice: tuple[str, ...] = ()


@dataclass
class SheetRecord:
    """A row below a header: where it stands, and its cells by the names of their columns."""

    sheet: str
    number: int
    cells: dict[str, Cell]
    values: dict[str, object] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def typed(self) -> dict[str, str]:
        """Return what was written, as text; of a number in prose what was read of it."""
        found = {}
        for name, cell in self.cells.items():
            found[name] = self._typed(name, cell)
        return found

    def _typed(self, name: str, cell: Cell) -> str:
        value = self.values.get(name)
        if isinstance(value, str) and cell.is_number:
            return value
        return str(cell)


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


@dataclass
class Survey:
    """The sheets of a workbook beside the kinds that are looked for.

    Complete headers, and incomplete ones.
    """

    book: WorkbookReader
    complete: dict[str, list[Header]]
    lacking: dict[str, list[Header]]

    def find(self, kind: str) -> Header | None:
        """Return the one sheet of a kind; a visible one goes before a hidden one."""
        for visible in (True, False):
            found = []
            for header in self.complete[kind]:
                if header.sheet.visible == visible:
                    found.append(header)
            if len(found) > 1:
                names = pgettext("list", ", ").join(header.sheet.name for header in found)
                raise WorkbookRefused(
                    _("Several sheets could be meant: %(names)s. Leave one of them.")
                    % {"names": names}
                )
            if found:
                return _checked(found[0])
        return None

    def likely(self, kind: str) -> list[Header]:
        """Return the sheets that seem to be of a kind and lack headers.

        None that is complete for another.
        """
        taken = set()
        for found in self.complete.values():
            for header in found:
                taken.add(id(header.sheet))
        found = []
        for header in self.lacking[kind]:
            if id(header.sheet) not in taken:
                found.append(header)
        return found


def survey_sheets(book: WorkbookReader, kinds: Mapping[str, SheetKind]) -> Survey:
    """Look at the first rows of every sheet for the headers of some kinds."""
    found = Survey(book, {name: [] for name in kinds}, {name: [] for name in kinds})
    known = {name: _headers(kind) for name, kind in kinds.items()}
    titles = {name: in_all_languages(kind.title) for name, kind in kinds.items()}
    for sheet in book.sheets:
        top = list(islice(book.lines(sheet), HEADER_ROWS))
        for name, kind in kinds.items():
            rows = []
            for line in top:
                rows.append(_header(sheet, line, known[name]))
            complete = next((row for row in rows if kind.needed <= set(row.names.values())), None)
            if complete:
                found.complete[name].append(complete)
            elif rows:
                best = max(rows, key=lambda row: len(row.names))
                is_named_so = plain_header(sheet.name) in titles[name]
                if is_named_so or _is_likely(best, kind):
                    found.lacking[name].append(best)
    return found


def _headers(kind: SheetKind) -> dict[str, str]:
    found = {}
    for name, column in kind.columns.items():
        for header in column.headers():
            found[header] = name
    return found


def in_all_languages(text: str | Promise) -> set[str]:
    """Return a name in every language, as it is compared."""
    found = {plain_header(str(text))}
    for language, _name in settings.LANGUAGES:
        with override(language):
            found.add(plain_header(str(text)))
    return found


def _header(sheet: SheetInfo, line: SheetLine, known: Mapping[str, str]) -> Header:
    names: dict[int, str] = {}
    texts: dict[int, str] = {}
    twice = []
    for place, cell in line.cells.items():
        text = str(cell)
        texts[place] = " ".join(text.split())
        name = known.get(plain_header(text))
        if name in names.values():
            twice.append(f"{get_column_letter(place)}{line.number}")
        elif name:
            names[place] = name
    return Header(sheet, line.number, names, texts, tuple(twice))


def _is_likely(header: Header, kind: SheetKind) -> bool:
    """Say whether a row that lacks some headers of a kind is meant for it."""
    names = set(header.names.values())
    return 2 * len(names & kind.needed) >= len(kind.needed) or len(names) >= LIKELY_HEADERS


def _checked(header: Header) -> Header:
    if header.twice:
        raise WorkbookRefused(
            _("Sheet “%(sheet)s”, cell %(places)s: this header stands in the row twice.")
            % {"sheet": header.sheet.name, "places": pgettext("list", ", ").join(header.twice)}
        )
    return header


def refuse_lacking(found: Survey, kinds: Mapping[str, SheetKind], missing: Iterable[str]) -> None:
    """Refuse a workbook in which a sheet of one of some kinds lacks headers.

    All of them are named.
    """
    # A sheet is meant for the kind of which it has most headers.
    best: dict[int, tuple[Header, SheetKind]] = {}
    for name in missing:
        for header in found.likely(name):
            other = best.get(id(header.sheet))
            if not other or len(header.names) > len(other[0].names):
                best[id(header.sheet)] = header, kinds[name]
    words = []
    for header, kind in best.values():
        lacking = kind.needed - set(header.names.values())
        others = []
        for place, text in header.texts.items():
            if place not in header.names and text:
                others.append(text)
        headers = [str(column.header) for name, column in kind.columns.items() if name in lacking]
        words.append(_lacking_words(header, headers, others))
    if words:
        raise WorkbookRefused(
            " ".join(
                [
                    *words,
                    _("Name the headers as the workbook of the system does, or download it anew."),
                ]
            )
        )


def _lacking_words(header: Header, lacking: Sequence[str], others: Sequence[str]) -> str:
    listed = pgettext("list", ", ")
    words = _("Sheet “%(sheet)s”, row %(row)d: these headers are missing: %(missing)s.") % {
        "sheet": header.sheet.name,
        "row": header.row,
        "missing": listed.join(lacking),
    }
    if others:
        named = listed.join(f"“{text[:30]}”" for text in others[:5])
        words += " " + _("Not known there: %(others)s.") % {"others": named}
    return words


def read_tables(
    book: WorkbookReader, tables: Sequence[Table]
) -> ReadingSteps[tuple[list[dict[str, Any]], list[ReadingNote]]]:
    """Read all rows of some sheets, each into what is kept of it, and note what is not read."""
    rows: list[dict[str, Any]] = []
    notes: list[ReadingNote] = []
    whole = sum(table.header.sheet.size for table in tables)
    done = 0
    for table in tables:
        sheet = table.header.sheet
        records: list[SheetRecord] = []
        said = SheetNotes(sheet.name)
        for record in _records(book, table, said):
            records.append(record)
            count = len(rows) + len(records)
            if not count % PROGRESS_INTERVAL:
                yield ReadingProgress(count, 100 * (done + sheet.read) // whole)
        done += sheet.size
        _fill_down(records, table, said)
        for record in records:
            _read(record, table.kind.columns, said)
            rows.append(table.keep(record))
        _note_rest(book, table, said)
        notes += said.notes()
    return rows, notes + _note_other_sheets(book, tables)


def _records(book: WorkbookReader, table: Table, said: SheetNotes) -> Iterator[SheetRecord]:
    """Yield the rows below the header with their cells; note what lies beside the columns."""
    header, names = table.header, table.header.names
    numbers = _places(header, NUMBER_COLUMN)
    ignored = _places(header, FAULTS_COLUMN.header)
    for line in book.lines(header.sheet):
        if line.number <= header.row:
            if line.number < header.row:
                said.above += _count_above(line, table.kind)
            continue
        written = {}
        for place, cell in line.cells.items():
            if place in names:
                written[names[place]] = cell
        if len(written) < len(line.cells):
            others = (place for place in line.cells if place not in names and place not in ignored)
            said.unread.update(
                place
                for place in others
                if not (place in numbers and _is_numbering(line.cells[place]))
            )
        if not written:
            continue
        if line.hidden:
            said.hidden_rows.append(line.number)
        yield SheetRecord(header.sheet.name, line.number, written)


def _places(header: Header, text: str | Promise) -> set[int]:
    """Return the columns that are headed by a word of the program which no row is read by."""
    meant = in_all_languages(text)
    result = set()
    for place, found in header.texts.items():
        if plain_header(found) in meant:
            result.add(place)
    return result


def _is_numbering(cell: Cell) -> bool:
    return cell.is_number or bool(cell.fault) or len(str(cell)) <= LONGEST_NUMBERING


def _count_above(line: SheetLine, kind: SheetKind) -> int:
    """Count the cells above the header.

    Lines of the program itself stand in the first two columns.
    """
    return sum(1 for place in line.cells if not (kind.titled and place <= 2))


def _fill_down(records: Sequence[SheetRecord], table: Table, said: SheetNotes) -> None:
    """Read merged cells: in some columns their value counts for each of their rows, else for the
    first one alone.
    """
    numbers = []
    for record in records:
        numbers.append(record.number)
    budget = MAX_MERGED_CELLS
    for area in table.header.sheet.layout.merged:
        if area.first_row <= table.header.row:
            continue
        names = {
            place: name
            for place, name in table.header.names.items()
            if area.first_column <= place <= area.last_column
        }
        start = bisect_left(numbers, area.first_row)
        end = bisect_left(numbers, area.last_row + 1)
        budget -= (end - start) * max(1, len(names))
        if budget < 0:
            raise WorkbookRefused(_("The workbook is too large to be read: too many cells."))
        if names and start < end:
            _read_merged(records[start:end], area, names, table.kind, said)


def _read_merged(
    covered: Sequence[SheetRecord],
    area: CellArea,
    names: Mapping[int, str],
    kind: SheetKind,
    said: SheetNotes,
) -> None:
    """Give the rows of a merged cell its value, and note what becomes of it."""
    name = names.get(area.first_column, "")
    if covered[0].number == area.first_row:
        first = covered[0]
    else:
        first = None
    if first:
        anchor = first.cells.get(name)
    else:
        anchor = None
    lost = 0
    for record in covered:
        for place, each in names.items():
            if (record is first and place == area.first_column) or each not in record.cells:
                continue
            lost += 1
            del record.cells[each]
        if anchor and record is not first and name in kind.filled_down:
            record.cells[name] = anchor
    column = kind.columns.get(name)
    if column:
        header = str(column.header)
    else:
        header = ""
    if lost:
        said.say_merged(
            header, area, _("The merged cell covers other cells: what stands in those is not read.")
        )
    if not anchor or not column or not column.parse:
        return
    if len(names) > 1:
        said.say_merged(header, area, _("The merged cell counts for its first column alone."))
    if len(covered) > 1 and name in kind.filled_down:
        said.say_merged(header, area, _("The merged cell counts for each of its rows."))
    elif len(covered) > 1:
        said.say_merged(header, area, _("The merged cell counts for its first row alone."))


def _read(record: SheetRecord, columns: Mapping[str, Column], said: SheetNotes) -> None:
    """Read the cells of a row by their columns.

    What one reads into `values`, what it refuses into `faults`.
    """
    for name, cell in record.cells.items():
        column = columns[name]
        if not column.parse:
            continue
        if cell.fault:
            record.faults[name] = cell.fault
            continue
        if cell.struck:
            record.faults[name] = _(
                "It is struck out: take the line through it away, or empty the cell."
            )
            continue
        if cell.left_out:
            said.left_out[cell.left_out, str(column.header)].append(record.number)
        try:
            record.values[name] = column.parse(cell)
        except ValueError as error:
            record.faults[name] = _("“%(value)s” is not understood; allowed: %(allowed)s") % {
                "value": str(cell)[:40],
                "allowed": error,
            }


def _note_rest(book: WorkbookReader, table: Table, said: SheetNotes) -> None:
    """Note the columns that are not read, and what is hidden or lies over the cells of a sheet."""
    header = table.header
    kind = table.kind
    sheet = header.sheet
    missing = set()
    for name, column in kind.columns.items():
        if name not in header.names.values():
            missing.add(str(column.header))
    texts = {place: header.texts.get(place, "") for place in said.unread}
    near = parsing.NearNames()
    said.say_unread(
        texts,
        {text: found[0] for text in texts.values() if (found := near.of(text, sorted(missing)))},
    )
    seen = {}
    for place, name in header.names.items():
        if name != kind.hidden:
            seen[place] = str(kind.columns[name].header)
    said.say_hidden_columns(sheet.layout, seen)
    if not sheet.visible:
        said.say("", 0, _("The sheet is hidden; it is read like every other."))
    if comments := book.count_comments(sheet):
        said.say("", comments, _("Comments on cells are not read."))
    if sheet.layout.has_drawing:
        said.say("", 0, _("Pictures and drawings that lie over the cells are not read."))


def _note_other_sheets(book: WorkbookReader, tables: Sequence[Table]) -> list[ReadingNote]:
    """Name the sheets that are not read and hold something.

    Those that the program adds itself are left out.
    """
    read = set()
    for table in tables:
        read.add(id(table.header.sheet))
    own = set[str]().union(
        *map(in_all_languages, (xlsx_writer.WORDS, xlsx_writer.FAULTS, xlsx_writer.READING_NOTES))
    )
    notes = []
    for sheet in book.sheets:
        if (
            id(sheet) not in read
            and plain_header(sheet.name) not in own
            and (count := book.count_cells(sheet))
        ):
            words = _("The sheet is not read: it has none of the headers that are looked for.")
            notes.append(ReadingNote(sheet.name, "", count, words))
    return notes


def asks_to_clear(value: object) -> bool:
    """Say whether a value asks for what is stored to be erased."""
    return isinstance(value, Clear)
