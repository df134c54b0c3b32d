"""A fill-in workbook and a template with the same three tasks, changed as people change them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet

from tests.conftest import TODAY
from tests.excel.conftest import as_file
from tests.excel.corpus import packed, unpacked
from tracker.excel import workbook_import
from tracker.models import User


@dataclass
class FilledBook:
    """A workbook of either kind.

    `header` names a column of prose that is read, `optional` one that may lack.
    """

    book: Workbook
    name: str
    top: int
    header: str
    code_header: str
    user: User
    edits: list[Callable[[str], str]] = field(default_factory=list)

    @property
    def sheet(self) -> Worksheet:
        """Return the sheet that holds the tasks."""
        return self.book[self.name]

    def column(self, header: str) -> int:
        """Return the column below a header."""
        return next(cell.column for cell in self.sheet[self.top] if cell.value == header)

    def cell(self, header: str = "", row: int = 1) -> Cell:
        """Return a cell of the first, second or third task.

        Of the column of prose where none is named.
        """
        return self.sheet.cell(self.top + row, self.column(header or self.header))

    def put(
        self, value: object, header: str = "", row: int = 1, number_format: str = "General"
    ) -> Cell:
        """Write into such a cell; text stays text."""
        cell = self.cell(header, row)
        cell.value = value
        if isinstance(value, str) and value[:1] in ("=", "#"):
            cell.data_type = "s"
        elif not isinstance(value, str):
            cell.number_format = number_format
        return cell

    def put_raw(self, inner: str, attributes: str = "", header: str = "", row: int = 1) -> Cell:
        """Write the XML within such a cell, with the attributes of the cell."""
        cell = self.put("to be replaced", header, row)
        pattern = re.compile(rf'<c r="{cell.coordinate}"( s="\d+")?[^>]*>.*?</c>', re.DOTALL)
        new = rf'<c r="{cell.coordinate}"\1 {attributes}>{inner}</c>'
        self.edits.append(lambda xml: pattern.sub(new.replace("&", "&amp;"), xml, count=1))
        return cell

    def merge(self, ref: str) -> None:
        """Merge cells as WPS does: what the covered ones hold stays in the file."""
        self.sheet.merged_cells.add(CellRange(ref))

    def preview(self) -> workbook_import.Preview:
        """Send the workbook in."""
        parts = unpacked(as_file(self.book).getvalue())
        part = f"xl/worksheets/sheet{self.book.sheetnames.index(self.name) + 1}.xml"
        for edit in self.edits:
            parts[part] = edit(parts[part].decode()).encode()
        from io import BytesIO

        batch = workbook_import.read_workbook(BytesIO(packed(parts)), "x.xlsx", self.user)
        return workbook_import.preview_batch(batch, self.user, TODAY)

    def read(self, header: str = "", code: str = "A1-01") -> str:
        """Return what was read into a field of a task; the workbook has no fault."""
        preview = self.preview()
        assert preview.faults == []
        return new_value(preview, code, header or self.header)

    def fault(self) -> tuple[str, str]:
        """Return value and words of the one fault, which names its cell."""
        (fault,) = self.preview().faults
        assert (fault.sheet, fault.row) == (self.name, self.top + 1)
        return fault.value, f"{fault.column}: {fault.words}"

    def notes(self) -> list[tuple[str, str, int, str]]:
        """Return what is said of the reading."""
        preview = self.preview()
        assert preview.faults == []
        return [(note.sheet, note.place, note.count, note.words) for note in preview.notes]


def new_value(preview: workbook_import.Preview, code: str, header: str) -> str:
    """Return what a preview shows of a field of a task; blank where it changes nothing."""
    (entry,) = [
        entry
        for entry in preview.entries
        if entry.code == code and not entry.sheet.startswith("Steps")
    ]
    return next((field.new for field in entry.fields if field.header == header), "")
