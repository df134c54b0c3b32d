"""Find the sheets of a workbook by their headers: columns may stand in any order.

A sheet that lacks a header it needs is refused, and not left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext
from openpyxl.utils import get_column_letter

from tracker.domain.cells import Cell
from tracker.excel.reader import SheetInfo, SheetLine, WorkbookReader, WorkbookRefused
from tracker.reports.columns import Column, plain_header

HEADER_ROWS = 30  # a header is looked for in so many rows that hold something
LIKELY_HEADERS = 4  # so many known headers in a row make it a header that lacks some
MAX_SHOWN_HEADER = 30  # characters of a header that a message repeats
MAX_NAMED_HEADERS = 5  # unknown headers that a message names


@dataclass(frozen=True)
class SheetKind:
    """A kind of sheet: its usual name, its columns, and those that it needs.

    In `filled_down` a merged cell counts for each of its rows; `hidden` is the column that the
    program hides. With `titled` the program writes lines above the header.
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
        return {name: self._typed(name, cell) for name, cell in self.cells.items()}

    def _typed(self, name: str, cell: Cell) -> str:
        value = self.values.get(name)
        if isinstance(value, str) and cell.is_number:
            return value
        return str(cell)


@dataclass
class Survey:
    """The sheets of a workbook by the kinds that are looked for: complete headers, and others."""

    book: WorkbookReader
    complete: dict[str, list[Header]]
    lacking: dict[str, list[Header]]

    def find(self, kind: str) -> Header | None:
        """Return the one sheet of a kind; a visible one goes before a hidden one."""
        for visible in (True, False):
            found = [each for each in self.complete[kind] if each.sheet.visible == visible]
            if len(found) > 1:
                names = [header.sheet.name for header in found]
                raise WorkbookRefused(
                    _("Several sheets match: %(names)s. Keep only one of them.")
                    % {"names": pgettext("list", ", ").join(names)}
                )
            if found:
                return _checked(found[0])
        return None

    def likely(self, kind: str) -> list[Header]:
        """Return the sheets that seem to be of a kind and lack headers.

        None that is complete for another.
        """
        taken: set[int] = set()
        for complete in self.complete.values():
            for header in complete:
                taken.add(id(header.sheet))
        return [header for header in self.lacking[kind] if id(header.sheet) not in taken]


def survey_sheets(book: WorkbookReader, kinds: Mapping[str, SheetKind]) -> Survey:
    """Look at the first rows of every sheet for the headers of some kinds."""
    survey = Survey(book, defaultdict(list), defaultdict(list))
    known = {}
    titles = {}
    for name, kind in kinds.items():
        known[name] = _known_headers(kind)
        titles[name] = in_all_languages(kind.title)
    for sheet in book.sheets:
        first_lines = list(islice(book.lines(sheet), HEADER_ROWS))
        for name, kind in kinds.items():
            headers = [_header(sheet, line, known[name]) for line in first_lines]
            complete = _first_complete(headers, kind)
            if complete:
                survey.complete[name].append(complete)
            elif headers:
                best = max(headers, key=lambda header: len(header.names))
                if plain_header(sheet.name) in titles[name] or _is_likely(best, kind):
                    survey.lacking[name].append(best)
    return survey


def _first_complete(headers: Sequence[Header], kind: SheetKind) -> Header | None:
    for header in headers:
        if kind.needed <= set(header.names.values()):
            return header
    return None


def _known_headers(kind: SheetKind) -> dict[str, str]:
    """Return the names of the columns of a kind by every header that means them."""
    names = {}
    for name, column in kind.columns.items():
        names.update(dict.fromkeys(column.headers(), name))
    return names


def in_all_languages(text: str | Promise) -> set[str]:
    """Return a header or name in every language, as it is compared."""
    names = {plain_header(str(text))}
    for language, _name in settings.LANGUAGES:
        with override(language):
            names.add(plain_header(str(text)))
    return names


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
            _("Sheet “%(sheet)s”, cell %(places)s: this header appears twice in the row.")
            % {"sheet": header.sheet.name, "places": pgettext("list", ", ").join(header.twice)}
        )
    return header


def find_sheets(found: Survey, kinds: Mapping[str, SheetKind]) -> dict[str, Header]:
    """Return the sheets of some kinds; refuse the workbook where one of them lacks headers."""
    headers = {}
    missing = []
    for kind in kinds:
        header = found.find(kind)
        if header:
            headers[kind] = header
        else:
            missing.append(kind)
    refuse_lacking(found, kinds, missing)
    return headers


def refuse_lacking(found: Survey, kinds: Mapping[str, SheetKind], missing: Iterable[str]) -> None:
    """Refuse a workbook in which sheets of some kinds lack headers; all of them are named."""
    texts = []
    for header, kind in _best_kinds(found, kinds, missing):
        texts.append(_lacking_text(header, kind))
    if texts:
        texts.append(_("Use the headers of the workbook from the system, or download it again."))
        raise WorkbookRefused(" ".join(texts))


def _best_kinds(
    found: Survey, kinds: Mapping[str, SheetKind], missing: Iterable[str]
) -> Iterable[tuple[Header, SheetKind]]:
    """Return each sheet that lacks headers with the kind of which it has most headers."""
    best: dict[int, tuple[Header, SheetKind]] = {}
    for name in missing:
        for header in found.likely(name):
            other = best.get(id(header.sheet))
            if not other or len(header.names) > len(other[0].names):
                best[id(header.sheet)] = header, kinds[name]
    return best.values()


def _lacking_text(header: Header, kind: SheetKind) -> str:
    """Say which headers a sheet lacks, and which of its own are not known."""
    join = pgettext("list", ", ").join
    lacking = kind.needed - set(header.names.values())
    missing = []
    for name, column in kind.columns.items():
        if name in lacking:
            missing.append(str(column.header))
    text = _("Sheet “%(sheet)s”, row %(row)d: these headers are missing: %(missing)s.") % {
        "sheet": header.sheet.name,
        "row": header.row,
        "missing": join(missing),
    }
    others = []
    for place, other in header.texts.items():
        if other and place not in header.names:
            others.append(f"“{other[:MAX_SHOWN_HEADER]}”")
    if others:
        named = join(others[:MAX_NAMED_HEADERS])
        text += " " + _("Unknown headers in that row: %(others)s.") % {"others": named}
    return text
