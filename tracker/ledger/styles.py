"""Fonts, borders, colours and paper: how every sheet of the workbook looks.

Styles are made once for a sheet and reused: setting a font or a border in the loop over rows
costs ten times the writing itself.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.dimensions import RowDimension
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from tracker.choices import Light, LightStyle, Status
from tracker.columns import TEXT, Native, light_label

# The fonts of official papers. A file can name one only; the Chinese character set makes a
# machine without it take another Chinese font instead of a Latin one.
TITLE = pgettext_lazy("font", "FZXiaoBiaoSong-B05S")
HEAD = pgettext_lazy("font", "SimHei")
BODY = pgettext_lazy("font", "FangSong")
GB2312 = 134
SIZE, TITLE_SIZE = 11, 22

# The names of the sheets.
COVER, LEDGER, DATA = pgettext_lazy("sheet", "Cover"), pgettext_lazy("sheet", "Ledger"), pgettext_lazy("sheet", "Data")

A3, A4 = 8, 9
PAPER = {A3: (1190.6, 841.9), A4: (841.9, 595.3)}  # points, landscape
SIDE, TOP, BOTTOM = 0.4, 0.5, 0.6  # margins, inches
INK, LINK, ALARM, SHADE = "000000", "0563C1", "C00000", "F2F2F2"
# Text that begins so is a formula to some programs: it is marked as text.
FORMULA_LIKE = ("=", "+", "-", "@")

_side = Side(style="thin", color="808080")
BOX = Border(left=_side, right=_side, top=_side, bottom=_side)

Link = str | Hyperlink


@dataclass
class Style:
    """One look: a cell that is filled and written again and again, and its twin for formula-like text."""

    plain: Any  # Cell; its stubs hide the value within
    quoted: Any

    def put(self, value: Native, row: int, column: int, link: Link | None = None) -> Cell:
        """Return the cell with a clean value; it is good until the next call."""
        cell = self.plain
        # Not through `cell.value`: it takes =1+1 for a formula and #N/A for an error, and is slow.
        if isinstance(value, str):
            if value.startswith(FORMULA_LIKE):
                cell = self.quoted
            cell._value, cell.data_type = value or None, "s" if value else "n"
        else:
            cell._value, cell.data_type = value, "d" if isinstance(value, dt.date) else "n"
        cell.row, cell.column = row, column
        cell.hyperlink = link
        return cell


Entry = tuple[Style, Native] | tuple[Style, Native, Link | None]


class Sheet:
    """A sheet that is written row by row and never held in memory.

    `height` is that of all rows so far, `page` that of the rows on one printed page, in points.
    """

    def __init__(
        self, book: Workbook, title: object, widths: Sequence[float], paper: int = A4, freeze: str = ""
    ) -> None:
        self.ws = book.create_sheet(str(title))
        self.rows, self.height = 0, 0.0
        for number, width in enumerate(widths, 1):
            self.ws.column_dimensions[get_column_letter(number)].width = width
        if freeze:
            self.ws.freeze_panes = freeze
        self.ws.page_setup.orientation = "landscape"
        self.ws.page_setup.paperSize = paper
        self.ws.page_setup.fitToWidth, self.ws.page_setup.fitToHeight = 1, 0
        self.ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        self.ws.print_options.horizontalCentered = True
        margins = self.ws.page_margins
        margins.left = margins.right = SIDE
        margins.top, margins.bottom, margins.header, margins.footer = TOP, BOTTOM, 0.3, 0.3
        wide, tall = PAPER[paper]
        # Fitting the columns, 5.25 points a unit, to the width scales the rows as well. Rows are rounded to
        # pixels: a little less is safe.
        scale = min(1.0, (wide - 2 * 72 * SIDE) / (5.25 * sum(widths)))
        self.page = 0.985 * (tall - 72 * (TOP + BOTTOM)) / scale
        self.ws.oddFooter.center.text = _("Page %(page)s of %(pages)s") % {"page": "&P", "pages": "&N"}
        self._row = RowDimension(self.ws)
        # openpyxl would make a new cell for every one that it is given.
        self.ws._values_to_row = self._cells

    def style(
        self,
        font: object = BODY,
        size: float = SIZE,
        *,
        format: str = TEXT,
        across: str = "left",
        up: str = "center",
        ink: str = INK,
        fill: str = "",
        box: bool = True,
        indent: int = 0,
        link: bool = False,
    ) -> Style:
        """Make a look of this sheet."""
        cells = []
        for quote in (False, True):
            cell = WriteOnlyCell(self.ws)
            cell.font = Font(
                name=str(font),
                size=size,
                charset=GB2312,
                color=LINK if link else ink,
                underline="single" if link else None,
            )
            cell.alignment = Alignment(horizontal=across, vertical=up, wrap_text=True, indent=indent)
            cell.number_format = format
            if box:
                cell.border = BOX
            if fill:
                cell.fill = PatternFill("solid", fgColor=fill)
            cell.quotePrefix = quote
            cells.append(cell)
        return Style(*cells)

    def append(self, row: Iterable[Entry], height: float) -> None:
        """Write the next row."""
        self.rows, self.height = self.rows + 1, self.height + height
        self._row.height = height
        # A dimension for each row would stay in memory to the end.
        self.ws.row_dimensions[self.rows] = self._row
        self.ws.append(list(row))
        del self.ws.row_dimensions[self.rows]

    def merge(self, left: int, right: int, top: int, bottom: int) -> None:
        """Join cells that are written already; the covered ones keep their borders."""
        # MultiCellRange.add looks through all ranges first, which is quadratic.
        self.ws.merged_cells.ranges.add(CellRange(min_col=left, max_col=right, min_row=top, max_row=bottom))

    def colour_lights(self, column: int, top: int) -> None:
        """Colour the cells of a column that name a light; the rule follows when somebody retypes it."""
        letter = get_column_letter(column)
        for words, style in light_labels().items():
            self.ws.conditional_formatting.add(
                f"{letter}{top}:{letter}{max(top, self.rows)}",
                CellIsRule(
                    operator="equal",
                    formula=['"{}"'.format(words.replace('"', '""'))],
                    font=Font(color=style.ink),
                    fill=PatternFill("solid", bgColor=style.fill),
                ),
            )

    @staticmethod
    def _cells(row: list[Entry], number: int) -> Iterator[Cell]:
        for column, (style, value, *link) in enumerate(row, 1):
            yield style.put(value, number, column, *link)


def new_book() -> Workbook:
    """Make a workbook whose unit of column widths is 7 pixels on every machine.

    The unit is the digit of the font of the style Normal; Calibri, the usual one, is missing
    where there is no Microsoft Office, and columns get a third wider there.
    """
    book: Any = Workbook(write_only=True)
    book._fonts = IndexedList()
    book._named_styles["Normal"].font = Font(name="Arial", size=10)
    return book


def light_labels() -> dict[str, LightStyle]:
    """Return all that a light cell may say, with its colours."""
    return {light_label(light, status): light.style for light in Light for status in Status}
