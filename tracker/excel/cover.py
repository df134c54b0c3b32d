"""The cover: what the workbook holds, as of when, by which rules and formulas."""

from collections.abc import Iterable
from itertools import repeat

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink

from tracker.domain import legend
from tracker.excel import xlsx_writer
from tracker.excel.cell_text import row_height, wrapped_lines
from tracker.excel.xlsx_writer import CellStyle, SheetWriter
from tracker.models import PolicyDocument
from tracker.reports.task_texts import light_label

# widths of the two columns
LABEL_WIDTH = 22
TEXT_WIDTH = 150
COVER_FONT_SIZE = 12.0
MAX_COVER_NOTES = 3  # notes that leave the cover on one page


def wide_row(sheet: SheetWriter, style: CellStyle, text: str, across: int, tall: float) -> None:
    """Write one text over some columns."""
    sheet.append([(style, text), *repeat((style, None), across - 1)], tall)
    sheet.merge(1, across, sheet.rows, sheet.rows)


def banner(sheet: SheetWriter, across: int) -> None:
    """Write in large letters that the data of this workbook are made up."""
    style = sheet.style(
        xlsx_writer.HEAD_FONT,
        16,
        across="center",
        ink="FFFFFF",
        fill=xlsx_writer.ALARM_FILL,
        box=False,
    )
    wide_row(sheet, style, _("Demonstration data: fictitious, not for use"), across, 30)


class Cover:
    """The first sheet; made first and written last, when it is known what the others left out."""

    def __init__(self, book: Workbook) -> None:
        self.sheet = sheet = SheetWriter(book, xlsx_writer.COVER, (LABEL_WIDTH, TEXT_WIDTH))
        self._label = sheet.style(
            xlsx_writer.HEAD_FONT, COVER_FONT_SIZE, across="center", fill=xlsx_writer.SHADED_FILL
        )
        self._words = sheet.style(size=COVER_FONT_SIZE, indent=1)
        self._heading = sheet.style(xlsx_writer.HEAD_FONT, 14, box=False, up="bottom")

    def write(
        self,
        policy: PolicyDocument,
        title: str,
        facts: Iterable[tuple[str, str]],
        contents: Iterable[tuple[str, str]],
        notes: list[str],
    ) -> None:
        """Write everything from the title to the notes."""
        sheet = self.sheet
        # Few notes: the whole cover on one page.
        sheet.ws.page_setup.fitToHeight = int(len(notes) <= MAX_COVER_NOTES)
        wide_row(
            sheet, sheet.style(xlsx_writer.TITLE_FONT, 26, across="center", box=False), title, 2, 50
        )
        if policy.demo:
            banner(sheet, 2)
        for label, text in facts:
            self._row(self._label, label, text)
        self._head(_("Lights: current rules, first match from the top"))
        for light, status, rule in legend.light_rules(policy):
            chip = sheet.style(
                xlsx_writer.HEAD_FONT,
                COVER_FONT_SIZE,
                across="center",
                ink=light.style.ink,
                fill=light.style.fill,
            )
            self._row(chip, light_label(light, status), rule)
        note = sheet.style(size=COVER_FONT_SIZE, box=False)
        wide_row(sheet, note, str(legend.WHILE_CLOSING), 2, 20)
        self._head(_("How figures are computed"))
        for label, text in legend.formulas():
            self._row(self._label, label, text)
        self._head(_("Sheets"))
        linked = sheet.style(xlsx_writer.HEAD_FONT, COVER_FONT_SIZE, across="center", link=True)
        for name, text in contents:
            self._row(linked, name, text, Hyperlink(ref="", location=f"'{name}'!A1", display=name))
        if notes:
            self._head(_("Notes"))
            for text in notes:
                wide_row(sheet, note, text, 2, self._tall(text, LABEL_WIDTH + TEXT_WIDTH))

    def _head(self, text: str) -> None:
        wide_row(self.sheet, self._heading, text, 2, 28)

    def _row(self, style: CellStyle, label: str, text: str, link: Hyperlink | None = None) -> None:
        tall = max(self._tall(label, LABEL_WIDTH), self._tall(text, TEXT_WIDTH))
        self.sheet.append([(style, label, link), (self._words, text)], tall)

    @staticmethod
    def _tall(text: str, width: float) -> float:
        return row_height(wrapped_lines(text, width, COVER_FONT_SIZE), COVER_FONT_SIZE)
