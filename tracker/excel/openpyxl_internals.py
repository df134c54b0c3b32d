"""Everything that uses openpyxl beyond its documentation: private attributes and inner modules.

Through the cells of openpyxl a row costs five times as much as one that is written as XML; links,
merged ranges, tables and fonts have no public way either. Any release may change what is used here:
`tests/excel/test_openpyxl_internals.py` names the release that this was tried with.
"""

import os
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.packaging.relationship import RelationshipList
from openpyxl.styles import Font
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.table import Table
from openpyxl.writer.excel import ExcelWriter
from openpyxl.xml.constants import REL_NS
from openpyxl.xml.functions import Element, SubElement

from tracker.domain import scratch

CellLink = str | Hyperlink
ZIP_LEVEL = 3  # of 9


def new_book() -> Workbook:
    """Make a workbook whose unit of column widths is 7 pixels on every machine.

    The unit is the digit of the font of the style Normal; Calibri, the usual one, is missing
    where there is no Microsoft Office, and columns get a third wider there.
    """
    book: Any = Workbook(write_only=True)
    book._fonts = IndexedList()
    book._named_styles["Normal"].font = Font(name="Arial", size=10)
    return book


def save_book(book: Workbook, file: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write a workbook to a path or an open file, packed lightly.

    A sixth larger, and sooner done.
    """
    ExcelWriter(book, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=ZIP_LEVEL)).save()


def discard_book(book: Workbook) -> None:
    """Remove the temporary files of a workbook that will never be saved: they hold its content."""
    sheet: Any
    for sheet in book.worksheets:
        sheet.rows_file.close()
        if sheet._writer and Path(sheet._writer.out).exists():
            sheet._writer.cleanup()


def merge_cells(ws: Any, area: CellRange) -> None:
    """Merge cells without a look at the ranges before, which openpyxl takes: that is quadratic."""
    ws.merged_cells.ranges.add(area)


def add_table(ws: Any, table: Table) -> None:
    """Add a table whose header names its columns.

    `Worksheet.add_table` looks for the header in cells that are written and gone.
    """
    ws.tables.add(table)


class RowStream:
    """The rows and links of a write-only sheet: XML in a temporary file until the book is saved."""

    def __init__(self, ws: Any) -> None:
        self._ws = ws
        self._links: list[str] = []
        self._targets: list[str] = []
        self._file = TemporaryFile(dir=scratch.folder())  # noqa: SIM115 -- closed with the sheet
        ws.rows_file = self._file
        ws.close = self._close

    def write(self, xml: str) -> None:
        """Write the XML of a row."""
        self._file.write(xml.encode())

    def add_link(self, place: str, link: CellLink) -> None:
        """Note a link as XML: an object of openpyxl for each costs as much as the row."""
        if isinstance(link, Hyperlink):
            location = quoteattr(link.location or "")
            self._links.append(f'<hyperlink ref="{place}" location={location}/>')
        else:
            self._targets.append(link)
            self._links.append(f'<hyperlink ref="{place}" r:id="link{len(self._targets)}"/>')

    def _close(self) -> None:
        """Let openpyxl write all but the rows and the links, and put them where they belong."""
        around = BytesIO()
        writer: Any = WorksheetWriter(self._ws, around)
        writer._rels = _LinkRelations(self._targets)
        writer.write_top()
        place = Element("sheetData")
        place.text = "rows"
        writer.xf.send(place)
        writer.write_tail()
        writer.close()
        head, mark, tail = around.getvalue().partition(b">rows<")
        if self._links:
            links = f'<hyperlinks xmlns:r="{REL_NS}">{"".join(self._links)}</hyperlinks>'.encode()
            tail = tail.replace(b"<printOptions", links + b"<printOptions", 1)
        writer.out = scratch.new_file(".xml")
        # openpyxl puts its own temporary files where nobody removes those of a killed process.
        writer.cleanup = writer.out.unlink
        self._ws._writer = writer
        with Path(writer.out).open("wb") as out, self._file as rows:
            out.write(head + mark[:1])
            rows.seek(0)
            shutil.copyfileobj(rows, out)
            out.write(mark[-1:] + tail)


class _LinkRelations(RelationshipList):
    """The targets of the links of a sheet, beside its other relations.

    An object of openpyxl for each takes long.
    """

    def __init__(self, targets: Sequence[str]) -> None:
        super().__init__()
        self._targets = targets

    def __bool__(self) -> bool:
        return bool(self._targets or len(self))

    def to_tree(self) -> Any:
        tree = super().to_tree()
        for number, target in enumerate(self._targets, 1):
            SubElement(
                tree,
                "Relationship",
                Type=f"{REL_NS}/hyperlink",
                Target=target,
                TargetMode="External",
                Id=f"link{number}",
            )
        return tree
