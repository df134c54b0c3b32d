"""Fonts, borders, colours and paper: how every sheet of the workbook looks.

Styles are made once for a sheet and reused: setting a font or a border in the loop over rows
costs ten times the writing itself.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.properties import PageSetupProperties

from tracker.domain.choices import Light, LightStyle, Status
from tracker.excel.openpyxl_internals import CellLink, RowStream, merge_cells
from tracker.reports.columns import TEXT_FORMAT, NativeValue
from tracker.reports.task_texts import light_label

# The fonts of official papers. A file can name one only; the Chinese character set makes a
# machine without it take another Chinese font instead of a Latin one.
TITLE_FONT = pgettext_lazy("font", "FZXiaoBiaoSong-B05S")
HEAD_FONT = pgettext_lazy("font", "SimHei")
BODY_FONT = pgettext_lazy("font", "FangSong")
GB2312 = 134
FONT_SIZE = 11
TITLE_SIZE = 22

# The names of the sheets.
COVER = pgettext_lazy("sheet", "Cover")
LEDGER = pgettext_lazy("sheet", "Ledger")
DATA = pgettext_lazy("sheet", "Data")
UNITS = pgettext_lazy("sheet", "Units")
PARTS = pgettext_lazy("sheet", "Sections")
WARNINGS = pgettext_lazy("sheet", "Warnings")
STEPS = pgettext_lazy("sheet", "Steps")
FILL_IN = pgettext_lazy("sheet", "Fill in")
WORDS_SHEET = pgettext_lazy("sheet", "Words")
INDICATORS_SHEET = pgettext_lazy("sheet", "Indicators")
FAULTS = pgettext_lazy("sheet", "Faults")
READING_NOTES = gettext_lazy("Notes on the reading")
POLICY = pgettext_lazy("sheet", "Policy")
MEASURES = pgettext_lazy("sheet", "Measures")
TASKS = pgettext_lazy("sheet", "Tasks")

A3 = 8
A4 = 9
PAPER_SIZES = {"a3": A3, "a4": A4}
PAPER_SIZE = {A3: (1190.6, 841.9), A4: (841.9, 595.3)}  # points, landscape
# margins, inches
SIDE_MARGIN = 0.4
TOP_MARGIN = 0.5
BOTTOM_MARGIN = 0.6
TEXT_COLOUR = "000000"
LINK_COLOUR = "0563C1"
ALARM_FILL = "C00000"
SHADED_FILL = "F2F2F2"
OPEN_FILL = "FFFFE5"
FAULT_FILL: dict[str, Any] = {"fill": "FFC7CE", "ink": "9C0006"}
# Text that begins so is a formula to some programs: it is marked as text.
FORMULA_LIKE = ("=", "+", "-", "@")

_side = Side(style="thin", color="808080")
BOX_BORDER = Border(left=_side, right=_side, top=_side, bottom=_side)

EXCEL_EPOCH = dt.date(1899, 12, 30)  # day 0 of Excel


@dataclass(frozen=True)
class CellStyle:
    """A style by its number in the workbook, and the same style for formula-like text."""

    plain: int
    quoted: int


@dataclass(frozen=True)
class CellLook:
    """What a cell looks like: font, alignment, number format, colours, border and lock."""

    font: str = ""
    size: float = FONT_SIZE
    format: str = TEXT_FORMAT
    across: str = "left"
    up: str = "center"
    ink: str = TEXT_COLOUR
    fill: str = ""
    box: bool = True
    indent: int = 0
    link: bool = False
    locked: bool = True

    def as_font(self) -> Font:
        """Return the font; a link is blue and underlined."""
        font = Font(name=self.font, size=self.size, charset=GB2312, color=self.ink)
        if self.link:
            font.color = LINK_COLOUR
            font.underline = "single"
        return font


WriterCell = tuple[CellStyle, NativeValue] | tuple[CellStyle, NativeValue, CellLink | None]


class SheetWriter:
    """A sheet that is written row by row and never kept in memory.

    `height` is that of all rows so far, `page` that of the rows on one printed page, in points.
    """

    def __init__(
        self,
        book: Workbook,
        title: object,
        widths: Sequence[float],
        paper: int = A4,
        freeze: str = "",
        heading: str = "",
    ) -> None:
        self.ws = book.create_sheet(str(title))
        self.rows = 0
        self.height = 0.0
        for number, width in enumerate(widths, 1):
            self.ws.column_dimensions[get_column_letter(number)].width = width
        if freeze:
            self.ws.freeze_panes = freeze
        self._set_paper(paper)
        wide, tall = PAPER_SIZE[paper]
        # Fitting the columns, 5.25 points a unit, to the width scales the rows as well. Rows are
        # rounded to pixels: a little less is safe.
        scale = min(1.0, (wide - 2 * 72 * SIDE_MARGIN) / (5.25 * sum(widths)))
        self.page = 0.985 * (tall - 72 * (TOP_MARGIN + BOTTOM_MARGIN)) / scale
        self.ws.oddFooter.center.text = _("Page %(page)s of %(pages)s") % {
            "page": "&P",
            "pages": "&N",
        }
        # An ampersand begins a code there, and 255 signs are all that it holds.
        self.ws.oddHeader.center.text = heading[:120].replace("&", "&&") or None
        self._letters = [get_column_letter(number) for number in range(1, len(widths) + 1)]
        # The numbers of styles are those of the workbook.
        self._styles: dict[CellLook, CellStyle] = book.__dict__.setdefault("cell_styles", {})
        self._rows = RowStream(self.ws)

    def _set_paper(self, paper: int) -> None:
        """Print landscape on a kind of paper, as wide as one page."""
        self.ws.page_setup.orientation = "landscape"
        self.ws.page_setup.paperSize = paper
        self.ws.page_setup.fitToWidth = 1
        self.ws.page_setup.fitToHeight = 0
        self.ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        self.ws.print_options.horizontalCentered = True
        margins = self.ws.page_margins
        margins.left = SIDE_MARGIN
        margins.right = SIDE_MARGIN
        margins.top = TOP_MARGIN
        margins.bottom = BOTTOM_MARGIN
        margins.header = 0.3
        margins.footer = 0.3

    def style(self, font: object = BODY_FONT, size: float = FONT_SIZE, **look: Any) -> CellStyle:
        """Make a style from the fields of CellLook, or return the one that is made already.

        openpyxl takes long over each.
        """
        cell_look = CellLook(str(font), size, **look)
        if cell_look not in self._styles:
            self._styles[cell_look] = CellStyle(
                plain=self._style_number(cell_look, quoted=False),
                quoted=self._style_number(cell_look, quoted=True),
            )
        return self._styles[cell_look]

    def _style_number(self, look: CellLook, *, quoted: bool) -> int:
        """Add a style to the workbook and return its number there."""
        cell = WriteOnlyCell(self.ws)
        cell.font = look.as_font()
        cell.alignment = Alignment(
            horizontal=look.across, vertical=look.up, wrap_text=True, indent=look.indent
        )
        cell.number_format = look.format
        if look.box:
            cell.border = BOX_BORDER
        if look.fill:
            cell.fill = PatternFill("solid", fgColor=look.fill)
        cell.quotePrefix = quoted
        if not look.locked:
            cell.protection = Protection(locked=False)
        number: int = cell.style_id
        return number

    def append(self, row: Iterable[WriterCell], height: float) -> None:
        """Write the next row, of clean values; `height` in points."""
        self.rows += 1
        self.height += height
        parts = [f'<row r="{self.rows}" ht="{height:g}" customHeight="1">']
        for letter, (style, value, *link) in zip(self._letters, row, strict=False):
            place = f"{letter}{self.rows}"
            parts.append(cell_xml(place, style, value))
            if link and link[0]:
                self._rows.add_link(place, link[0])
        parts.append("</row>")
        self._rows.write("".join(parts))

    def merge(self, left: int, right: int, top: int, bottom: int) -> None:
        """Join cells that are written already; the covered ones keep their borders."""
        merge_cells(self.ws, CellRange(min_col=left, max_col=right, min_row=top, max_row=bottom))

    def colour_lights(self, column: int, top: int) -> None:
        """Colour the cells of a column that name a light.

        The rule follows when somebody retypes it.
        """
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


def cell_xml(place: str, style: CellStyle, value: NativeValue) -> str:
    """Return the XML of a cell."""
    if value is None or value == "":
        return f'<c r="{place}" s="{style.plain}"/>'
    if isinstance(value, str):
        number = style.plain
        if value.startswith(FORMULA_LIKE):
            number = style.quoted
        space = ""
        if value[0].isspace() or value[-1].isspace():
            space = ' xml:space="preserve"'
        text = f"<is><t{space}>{escape(value)}</t></is>"
        return f'<c r="{place}" s="{number}" t="inlineStr">{text}</c>'
    bare = value
    if isinstance(value, dt.date):
        # A day of today's calendar is a number of days; years before 1900 do not occur.
        bare = (value - EXCEL_EPOCH).days
    return f'<c r="{place}" s="{style.plain}"><v>{bare!r}</v></c>'


def light_labels() -> dict[str, LightStyle]:
    """Return all texts of a cell that names a light, with the colours of each."""
    labels = {}
    for light in Light:
        for status in Status:
            labels[light_label(light, status)] = light.style
    return labels
