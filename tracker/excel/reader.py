"""Read the cells of a workbook that somebody sent in, row by row. Pure: no database, no writing.

`guard` refuses what is no workbook. Document types are refused where they begin, parts are read in
a stream that counts what it reads, and of a sheet no more is read than it may hold.
"""

import datetime as dt
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO
from zipfile import BadZipFile, ZipFile
from zlib import error as BadDeflate

from django.utils.translation import gettext as _

from tracker.domain.cells import Cell
from tracker.excel import guard
from tracker.excel.cell_styles import CellStyles
from tracker.excel.rich_text import RichText
from tracker.excel.sheet_rows import Layout, SheetLine, SheetRows
from tracker.excel.xml_parts import PartParser, WorkbookRefused, is_true

MAX_SHEETS = 100
READ_STEP = 1 << 16

# A cell that holds something, in bytes that no parser reads.
_LONGEST_START = 32  # bytes
_FILLED = re.compile(rb"<(?:[\w.-]{1,20}:)?(?:v>[^<]|is>)", re.ASCII)


@dataclass
class SheetInfo:
    """A sheet of the file: its name, whether people see it, and its part of the file.

    `size` and `read` are the bytes of the part, unpacked: all, and those that are read so far.
    """

    name: str
    visible: bool
    part: str
    size: int = 0
    read: int = 0
    layout: Layout = field(default_factory=Layout)


class WorkbookReader:
    """A workbook opened for reading; WorkbookRefused says what else a file is."""

    def __init__(self, file: IO[bytes]) -> None:
        guard.check_file(file)
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise WorkbookRefused(guard.damaged()) from error
        entries = self._zip.infolist()
        guard.check_entries(entries)
        self._names = {entry.filename.lstrip("/").lower(): entry for entry in entries}
        guard.check_parts(self._names)
        targets = self._relations("xl/_rels/workbook.xml.rels")
        self.sheets: list[SheetInfo] = []
        self._epoch = dt.datetime(1899, 12, 30)
        self._read(guard.MAIN_PART, lambda name, given: self._note(name, given, targets))
        self._styles = CellStyles()
        styles_part = targets.get("styles", "xl/styles.xml")
        if styles_part in self._names:
            self._read(styles_part, self._styles.start)
        self._strings: list[str | Cell] | None = None
        self._strings_part = targets.get("sharedstrings", "xl/sharedstrings.xml")

    def lines(self, sheet: SheetInfo) -> Iterator[SheetLine]:
        """Yield the rows that are not blank, until the sheet ends or BLANK_ROWS follow."""
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
        """Return the texts that cells share; of rich text what is not struck out."""
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
            raise WorkbookRefused(guard.damaged()) from error

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
    """The texts that cells share, read from their XML.

    A plain one becomes a cell when it is used.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str | Cell] = []

    def end(self, name: str) -> None:
        """Handle the end of an element."""
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
