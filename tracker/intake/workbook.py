"""Open a stranger's .xlsx with care and read its cells, row by row. Pure: no database, no writing.

Plain openpyxl takes 36 s and 2 GB for a zip bomb of 1 MB. Here nothing is unpacked before its size
is known, document types are refused where they begin, parts are read in a stream that counts what
it reads, and of a sheet no more is read than it may hold.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as BadDeflate

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import column_index_from_string

from tracker.domain import zip_guard
from tracker.parsing import Cell, Native

MEGABYTE = 1_000_000
MOST_BYTES, MOST_UNPACKED, MOST_ENTRIES = 20 * MEGABYTE, 200 * MEGABYTE, 2_000
MOST_ROWS, MOST_COLUMNS, BLANK_ROWS = 20_000, 100, 200
MOST_ELEMENTS, MOST_SIGNS = 3_000_000, 60_000_000  # of one part: bounds time and memory
MOST_SHEETS = 100
LONGEST_TEXT = 32_767
STEP = 1 << 16

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Refused(ValueError):
    """The file is not read at all; the message says why and what to do."""


@dataclass
class Line:
    """A row that holds something: its number in the sheet, and its cells by column number."""

    number: int
    cells: dict[int, Cell]


@dataclass
class Sheet:
    """A sheet of the file: its name, whether people see it, where its part lies, and how much of that is read."""

    name: str
    visible: bool
    part: str
    size: int = 0
    read: int = 0


@dataclass
class _Looks:
    """What the formats of a file make of a number."""

    days: set[int] = field(default_factory=set)
    percents: set[int] = field(default_factory=set)


class Workbook:
    """A workbook opened for reading. Refused says in words what else a file is."""

    def __init__(self, file: IO[bytes]) -> None:
        _look_at(file)
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise Refused(_("The file is damaged or was cut off; save it again and send it again.")) from error
        entries = self._zip.infolist()
        _check_entries(entries)
        self._names = {entry.filename.lstrip("/").lower(): entry for entry in entries}
        main = "xl/workbook.xml"
        if "xl/vbaproject.bin" in self._names or "xl/workbook.bin" in self._names:
            raise Refused(_("A workbook with macros or a binary one is not read; save it as .xlsx."))
        if main not in self._names:
            raise Refused(_("This is a zip archive and no Excel workbook; send the .xlsx file itself."))
        targets = self._relations("xl/_rels/workbook.xml.rels")
        self.sheets: list[Sheet] = []
        self._epoch = dt.datetime(1899, 12, 30)
        self._read(main, lambda name, given: self._note(name, given, targets))
        self._looks = self._formats(targets.get("styles", "xl/styles.xml"))
        self._strings: list[str] | None = None
        self._strings_part = targets.get("sharedstrings", "xl/sharedstrings.xml")

    def lines(self, sheet: Sheet) -> Iterator[Line]:
        """Yield the rows that hold something, until the sheet ends or so many rows are blank."""
        if self._strings is None:
            self._strings = self._texts() if self._strings_part in self._names else []
        return _Rows(self._strings, self._looks, self._epoch, sheet.name).read(self._counted(sheet))

    def _counted(self, sheet: Sheet) -> Iterator[bytes]:
        sheet.size, sheet.read = max(1, self._names[sheet.part].file_size), 0
        for step in self._open(sheet.part):
            sheet.read += len(step)
            yield step

    def _note(self, name: str, given: dict[str, str], targets: dict[str, str]) -> None:
        if name == "workbookPr" and given.get("date1904") in ("1", "true"):
            self._epoch = dt.datetime(1904, 1, 1)
        elif name == "sheet":
            key = next((value for key, value in given.items() if key.endswith("relationships id")), "")
            part = targets.get(key, "")
            if len(self.sheets) >= MOST_SHEETS:
                raise Refused(_("The workbook has more than %(count)d sheets.") % {"count": MOST_SHEETS})
            # A chart may be a sheet of its own; it has no rows.
            if "worksheets/" in part and part in self._names:
                self.sheets.append(Sheet(given.get("name", ""), given.get("state", "visible") == "visible", part))

    def _relations(self, part: str) -> dict[str, str]:
        """Map relation ids, and the kinds of the parts that occur once, to the parts they lead to."""
        found: dict[str, str] = {}

        def note(name: str, given: dict[str, str]) -> None:
            if name == "Relationship" and given.get("TargetMode") != "External":
                target = given.get("Target", "").lower()
                path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                found[given.get("Id", "")] = path
                found.setdefault(given.get("Type", "").rsplit("/", 1)[-1].lower(), path)

        if part in self._names:
            self._read(part, note)
        return found

    def _formats(self, part: str) -> _Looks:
        formats = dict(BUILTIN_FORMATS)
        looks, count, inside = _Looks(), 0, False

        def note(name: str, given: dict[str, str]) -> None:
            nonlocal count, inside
            if name == "numFmt":
                formats[_number(given.get("numFmtId"))] = given.get("formatCode", "")[:200]
            elif name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
                inside = name == "cellXfs"
            elif name == "xf" and inside:
                code = formats.get(_number(given.get("numFmtId")), "General")
                if is_date_format(code):
                    looks.days.add(count)
                elif "%" in code:
                    looks.percents.add(count)
                count += 1

        if part in self._names:
            self._read(part, note)
        return looks

    def _texts(self) -> list[str]:
        """Return the texts that cells share; of rich text the words alone."""
        found: list[str] = []
        parts: list[str] = []
        state = {"text": False, "phonetic": False}

        def start(name: str, given: dict[str, str]) -> None:
            if name == "t":
                state["text"] = not state["phonetic"]
            elif name == "rPh":
                state["phonetic"] = True

        def end(name: str) -> None:
            if name == "t":
                state["text"] = False
            elif name == "rPh":
                state["phonetic"] = False
            elif name == "si":
                found.append(_unescaped("".join(parts)))
                parts.clear()

        def text(words: str) -> None:
            if state["text"]:
                parts.append(words)

        self._read(self._strings_part, start, end, text)
        return found

    def _open(self, part: str) -> Iterator[bytes]:
        """Yield the bytes of a part in steps; a damaged one is refused."""
        entry = self._names[part]
        try:
            with self._zip.open(entry) as stream:
                while step := stream.read(STEP):
                    yield step
        except (BadZipFile, BadDeflate, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
            raise Refused(_("The file is damaged or was cut off; save it again and send it again.")) from error

    def _read(
        self,
        part: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        parser = _Parser(start, end, text)
        for step in self._open(part):
            parser.feed(step)
        parser.close()


class _Parser:
    """An XML parser that knows no document types and counts what it reads. Names come without their space."""

    def __init__(
        self,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None,
        text: Callable[[str], None] | None,
    ) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._start, self._end, self._text = start, end, text
        self._elements = self._signs = 0
        self._parser.StartElementHandler = self._on_start
        if end:
            self._parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        if text:
            self._parser.CharacterDataHandler = self._on_text

    def feed(self, step: bytes) -> None:
        try:
            self._parser.Parse(step, False)
        except expat.ExpatError as error:
            raise Refused(_("The file is damaged: a part of it cannot be read.")) from error

    def close(self) -> None:
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise Refused(_("The file is damaged: a part of it cannot be read.")) from error

    def _on_start(self, name: str, given: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise Refused(_("The workbook is too large to be read: too many cells."))
        self._start(name.rpartition(" ")[2], given)

    def _on_text(self, words: str) -> None:
        self._signs += len(words)
        if self._signs > MOST_SIGNS:
            raise Refused(_("The workbook is too large to be read: too much text."))
        if self._text:
            self._text(words)

    @staticmethod
    def _refuse(*_given: object) -> None:
        raise Refused(_("The file defines entities of its own, which no Excel does; it is not read."))


class _Rows:
    """The rows of one sheet, as its XML goes by."""

    def __init__(self, strings: list[str], looks: _Looks, epoch: dt.datetime, name: str) -> None:
        self._strings, self._looks, self._epoch, self._name = strings, looks, epoch, name
        self._ready: list[Line] = []
        self._row, self._column, self._last = 0, 0, 0
        self._cells: dict[int, Cell] = {}
        self._kind = self._look = ""
        self._formula, self._inside = False, ""
        self._value: list[str] | None = None
        self._parts: list[str] = []
        self._done = False

    def read(self, steps: Iterator[bytes]) -> Iterator[Line]:
        parser = _Parser(self._start, self._end, self._text)
        for step in steps:
            parser.feed(step)
            yield from self._ready
            self._ready.clear()
            if self._done:
                return
        parser.close()
        yield from self._ready

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == "c":
            place = given.get("r")
            if place:
                letters = place.rstrip("0123456789")
                try:
                    self._column, self._row = column_index_from_string(letters), int(place[len(letters) :])
                except (ValueError, KeyError) as error:
                    raise Refused(_("The file is damaged: a part of it cannot be read.")) from error
            else:
                self._column += 1
            self._kind, self._look = given.get("t", "n"), given.get("s", "0")
            self._formula, self._value, self._parts = False, None, []
        elif name == "row":
            self._row, self._column = _number(given.get("r")) or self._row + 1, 0
            self._cells = {}
            if self._row - self._last > BLANK_ROWS + 1:
                self._done = True
        elif name in ("v", "t"):
            # Signs read aloud, beside the text, are no text.
            self._inside = "" if self._inside == "rPh" else name
            if name == "v":
                self._value = []
        elif name in ("f", "rPh"):
            self._formula |= name == "f"
            self._inside = name

    def _text(self, words: str) -> None:
        if self._inside == "v" and self._value is not None:
            self._value.append(words)
        elif self._inside == "t":
            self._parts.append(words)

    def _end(self, name: str) -> None:
        if name in ("v", "t", "f", "rPh"):
            self._inside = ""
        elif name == "c":
            if self._value is None and not self._parts and not self._formula:
                return
            cell = self._cell()
            if not cell.empty:
                self._check_place()
                self._cells[self._column] = cell
        elif name == "row" and self._cells:
            self._last = self._row
            self._ready.append(Line(self._row, self._cells))

    def _check_place(self) -> None:
        """Refuse what lies outside of any list; left out in silence it would be lost."""
        allowed = ""
        if self._column > MOST_COLUMNS:
            allowed = _("a sheet has at most %(count)d columns") % {"count": MOST_COLUMNS}
        elif self._row > MOST_ROWS:
            allowed = _("a sheet has at most %(count)d rows") % {"count": MOST_ROWS}
        elif self._done:
            allowed = _("more than %(count)d blank rows lie above it") % {"count": BLANK_ROWS}
        if allowed:
            place = f"{get_column_letter(min(self._column, 18_278))}{self._row}"
            raise Refused(
                _("Sheet “%(sheet)s”, cell %(place)s: %(allowed)s.")
                % {"sheet": self._name, "place": place, "allowed": allowed}
            )

    def _cell(self) -> Cell:
        """Read what the cell holds: of a formula its result."""
        text = "".join(self._value or [])
        look = _number(self._look)
        if self._kind == "e":
            return Cell(fault=_("an error of Excel: %(value)s") % {"value": text[:20]})
        if self._formula and not text:
            return Cell(fault=_("a formula without a result: open the file in Excel or WPS and save it"))
        if self._kind == "s":
            try:
                return self._words(self._strings[int(text)])
            except (ValueError, IndexError):
                return Cell(fault=_("damaged: its text is missing"))
        if self._kind == "inlineStr":
            return self._words(_unescaped("".join(self._parts)))
        if self._kind in ("str", "d"):
            return self._words(_unescaped(text))
        if self._kind == "b":
            return Cell(text.strip() == "1")
        return self._numeric(text, look) if text.strip() else Cell()

    @staticmethod
    def _words(text: str) -> Cell:
        if len(text) > LONGEST_TEXT:
            return Cell(fault=_("longer than a cell can be"))
        return Cell(text)

    def _numeric(self, text: str, look: int) -> Cell:
        try:
            number = float(text)
        except ValueError:
            return Cell(fault=_("damaged: “%(value)s” is no number") % {"value": text[:20]})
        if look in self._looks.days:
            try:
                return Cell(self._epoch + dt.timedelta(days=number))
            except (OverflowError, ValueError):
                return Cell(fault=_("no day: %(value)s") % {"value": text[:20]})
        value: Native = int(number) if number.is_integer() and abs(number) < 1e15 else number
        if number != number or number in (float("inf"), float("-inf")):
            return Cell(fault=_("damaged: “%(value)s” is no number") % {"value": text[:20]})
        return Cell(value, percent=look in self._looks.percents)


def _number(text: str | None) -> int:
    """Read a small whole number of the file's own making; anything else is 0."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _unescaped(text: str) -> str:
    """Undo what Excel writes for signs that XML does not hold: _x000D_ is a line end."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\r\n", "\n").replace("\r", "\n")


def _look_at(file: IO[bytes]) -> None:
    """Refuse by size and first bytes what is no .xlsx, each kind in its own words."""
    file.seek(0, 2)
    size = file.tell()
    if size > MOST_BYTES:
        raise Refused(_("The file is larger than %(size)d MB.") % {"size": MOST_BYTES // MEGABYTE})
    file.seek(0)
    head = file.read(STEP)
    if not head:
        raise Refused(_("The file is empty."))
    if head.startswith(_OLE):
        # The names within such a file are written in two bytes a letter.
        file.seek(0)
        if "EncryptedPackage".encode("utf-16-le") in file.read():
            raise Refused(_("The workbook is protected by a password; save it without one."))
        raise Refused(_("This is an old workbook (.xls, .et); save it as .xlsx."))
    if not head.startswith(b"PK"):
        raise Refused(_text_file(head))
    _check_directory(file)
    file.seek(0)


def _text_file(head: bytes) -> str:
    """Say what a file without a zip's first bytes is."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<meta")):
        return _("This is a web page with the name of a workbook; save it as .xlsx.")
    if start.startswith(b"<?xml"):
        return _("This is an XML file; save it as .xlsx.")
    if b"\x00" not in head and (b"," in head or b"\t" in head or b";" in head) and b"\n" in head:
        return _("This is a text file (csv); open it in Excel or WPS and save it as .xlsx.")
    return _("This is no Excel workbook; send an .xlsx file.")


def _check_directory(file: IO[bytes]) -> None:
    """Look at the size of a zip's directory before anybody reads it."""
    try:
        zip_guard.check_directory(file, MOST_ENTRIES)
    except zip_guard.TooManyEntries as fault:
        words = _("The file holds more than %(count)d parts; no workbook does.") % {"count": MOST_ENTRIES}
        raise Refused(words) from fault
    except zip_guard.BrokenZip as fault:
        raise Refused(_("The file is damaged or was cut off; save it again and send it again.")) from fault


def _check_entries(entries: list[ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise Refused(_("The file holds more than %(count)d parts; no workbook does.") % {"count": MOST_ENTRIES})
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused(_("The workbook is protected by a password; save it without one."))
    # A part never yields more than its directory says: this sum is the most that can be unpacked.
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise Refused(_("Unpacked, the file is larger than %(size)d MB.") % {"size": MOST_UNPACKED // MEGABYTE})
