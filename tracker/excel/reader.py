"""Open a stranger's .xlsx with care and read its cells, row by row. Pure: no database, no writing.

Plain openpyxl takes 36 s and 2 GB for a zip bomb of 1 MB. Here nothing is unpacked before its size
is known, document types are refused where they begin, parts are read in a stream that counts what
it reads, and of a sheet no more is read than it may hold.
"""

import datetime as dt
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as BadDeflate

from django.utils.translation import gettext as _

from tracker.domain import zip_guard
from tracker.domain.parsing import Cell
from tracker.excel.cell_styles import CellStyles
from tracker.excel.sheet_rows import Layout, RichText, SheetLine, SheetRows
from tracker.excel.xml_parts import PartParser, WorkbookRefused, is_true

MILLION_BYTES = 1_000_000
MOST_BYTES = 20 * MILLION_BYTES
MOST_UNPACKED = 200 * MILLION_BYTES
MOST_ENTRIES = 2_000
MAX_SHEETS = 100
READ_STEP = 1 << 16

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A cell that holds something, in bytes that no parser reads.
_LONGEST_START = 32  # bytes
_FILLED = re.compile(rb"<(?:[\w.-]{1,20}:)?(?:v>[^<]|is>)", re.ASCII)


@dataclass
class SheetInfo:
    """A sheet of the file: its name, whether people see it, where its part lies, and how much of
    that is read.
    """

    name: str
    visible: bool
    part: str
    size: int = 0
    read: int = 0
    layout: Layout = field(default_factory=Layout)


class WorkbookReader:
    """A workbook opened for reading. Refused says in words what else a file is."""

    def __init__(self, file: IO[bytes]) -> None:
        _look_at(file)
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise WorkbookRefused(
                _("The file is damaged or was cut off; save it again and send it again.")
            ) from error
        entries = self._zip.infolist()
        _check_entries(entries)
        self._names = {}
        for entry in entries:
            self._names[entry.filename.lstrip("/").lower()] = entry
        main = "xl/workbook.xml"
        if "xl/vbaproject.bin" in self._names or "xl/workbook.bin" in self._names:
            raise WorkbookRefused(
                _("A workbook with macros or a binary one is not read; save it as .xlsx.")
            )
        if main not in self._names:
            raise WorkbookRefused(
                _("This is a zip archive and no Excel workbook; send the .xlsx file itself.")
            )
        targets = self._relations("xl/_rels/workbook.xml.rels")
        self.sheets: list[SheetInfo] = []
        self._epoch = dt.datetime(1899, 12, 30)
        self._read(main, lambda name, given: self._note(name, given, targets))
        self._styles = CellStyles()
        styles_part = targets.get("styles", "xl/styles.xml")
        if styles_part in self._names:
            self._read(styles_part, self._styles.start)
        self._strings: list[str | Cell] | None = None
        self._strings_part = targets.get("sharedstrings", "xl/sharedstrings.xml")

    def lines(self, sheet: SheetInfo) -> Iterator[SheetLine]:
        """Yield the rows that hold something, until the sheet ends or so many rows are blank."""
        if self._strings is None:
            self._strings = []
            if self._strings_part in self._names:
                self._strings = self._texts()
        sheet.layout = Layout()
        rows = SheetRows(self._strings, self._styles, self._epoch, sheet.name, sheet.layout)
        return rows.read(self._counted(sheet))

    def count_cells(self, sheet: SheetInfo) -> int:
        """Count the cells of a sheet that hold something, without reading them."""
        count = 0
        tail = b""
        for step in self._open(sheet.part):
            step = tail + step
            found = 0
            for found_at in _FILLED.finditer(step):
                count = count + 1
                found = found_at.end()
            # What was counted is not looked at again with the next step.
            tail = step[max(found, len(step) - _LONGEST_START) :]
        return count

    def count_comments(self, sheet: SheetInfo) -> int:
        """Count the comments on the cells of a sheet."""
        folder, name = posixpath.split(sheet.part)
        targets = self._relations(f"{folder}/_rels/{name}.rels", folder)
        count = 0

        def note(name: str, given: dict[str, str]) -> None:
            nonlocal count
            count += name == "comment"

        part = targets.get("comments", "")
        if part in self._names:
            self._read(part, note)
        return count

    def _counted(self, sheet: SheetInfo) -> Iterator[bytes]:
        sheet.size = max(1, self._names[sheet.part].file_size)
        sheet.read = 0
        for step in self._open(sheet.part):
            sheet.read += len(step)
            yield step

    def _note(self, name: str, given: dict[str, str], targets: dict[str, str]) -> None:
        if name == "workbookPr" and is_true(given.get("date1904")):
            self._epoch = dt.datetime(1904, 1, 1)
        elif name == "sheet":
            part = targets.get(_relation_id(given), "")
            if len(self.sheets) >= MAX_SHEETS:
                raise WorkbookRefused(
                    _("The workbook has more than %(count)d sheets.") % {"count": MAX_SHEETS}
                )
            # A chart may be a sheet of its own; it has no rows.
            if "worksheets/" in part and part in self._names:
                self.sheets.append(
                    SheetInfo(
                        given.get("name", ""), given.get("state", "visible") == "visible", part
                    )
                )

    def _relations(self, part: str, folder: str = "xl") -> dict[str, str]:
        """Map relation ids, and the kinds of parts that occur once, to the parts they lead to."""
        found: dict[str, str] = {}

        def note(name: str, given: dict[str, str]) -> None:
            if name == "Relationship" and given.get("TargetMode") != "External":
                target = given.get("Target", "").lower()
                if target.startswith("/"):
                    path = target.lstrip("/")
                else:
                    path = posixpath.normpath(f"{folder}/{target}")
                found[given.get("Id", "")] = path
                found.setdefault(given.get("Type", "").rsplit("/", 1)[-1].lower(), path)

        if part in self._names:
            self._read(part, note)
        return found

    def _texts(self) -> list[str | Cell]:
        """Return the texts that cells share.

        Of rich text the words alone, without those that are struck out.
        """
        found = _Strings()
        self._read(self._strings_part, found.start, found.end, found.text)
        return found.found

    def _open(self, part: str) -> Iterator[bytes]:
        """Yield the bytes of a part in steps; a damaged one is refused."""
        entry = self._names[part]
        try:
            with self._zip.open(entry) as stream:
                while step := stream.read(READ_STEP):
                    yield step
        except (
            BadZipFile,
            BadDeflate,
            OSError,
            EOFError,
            ValueError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise WorkbookRefused(
                _("The file is damaged or was cut off; save it again and send it again.")
            ) from error

    def _read(
        self,
        part: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        parser = PartParser(start, end, text)
        for step in self._open(part):
            parser.feed(step)
        parser.close()


class _Strings(RichText):
    """The texts that cells share, as their XML goes by.

    One of plain words becomes a cell when it is used.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str | Cell] = []

    def end(self, name: str) -> None:
        """Take in the end of an element."""
        if name == "si":
            if self._struck:
                self.found.append(self.cell())
            else:
                self.found.append("".join(self._kept))
            self._kept.clear()
            self._struck.clear()
        else:
            super().end(name)


def _relation_id(given: dict[str, str]) -> str:
    """Return the id of a relation among attributes whose names begin with a name space."""
    for name, value in given.items():
        if name.endswith("relationships id"):
            return value
    return ""


def _look_at(file: IO[bytes]) -> None:
    """Refuse by size and first bytes what is no .xlsx, each kind in its own words."""
    file.seek(0, 2)
    size = file.tell()
    if size > MOST_BYTES:
        raise WorkbookRefused(
            _("The file is larger than %(size)d MB.") % {"size": MOST_BYTES // MILLION_BYTES}
        )
    file.seek(0)
    head = file.read(READ_STEP)
    if not head:
        raise WorkbookRefused(_("The file is empty."))
    if head.startswith(_OLE):
        # The names within such a file are written in two bytes a letter.
        file.seek(0)
        if "EncryptedPackage".encode("utf-16-le") in file.read():
            raise WorkbookRefused(
                _("The workbook is protected by a password; save it without one.")
            )
        raise WorkbookRefused(_("This is an old workbook (.xls, .et); save it as .xlsx."))
    if not head.startswith(b"PK"):
        raise WorkbookRefused(_text_file(head))
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
        words = _("The file holds more than %(count)d parts; no workbook does.") % {
            "count": MOST_ENTRIES
        }
        raise WorkbookRefused(words) from fault
    except zip_guard.BrokenZip as fault:
        raise WorkbookRefused(
            _("The file is damaged or was cut off; save it again and send it again.")
        ) from fault


def _check_entries(entries: list[ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise WorkbookRefused(
            _("The file holds more than %(count)d parts; no workbook does.")
            % {"count": MOST_ENTRIES}
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise WorkbookRefused(_("The workbook is protected by a password; save it without one."))
    # A part never yields more than its directory says: this sum is the most that can be unpacked.
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise WorkbookRefused(
            _("Unpacked, the file is larger than %(size)d MB.")
            % {"size": MOST_UNPACKED // MILLION_BYTES}
        )
