"""The cover: what the workbook holds, as of when, by which rules and formulas."""

from collections.abc import Iterable
from itertools import repeat

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink

from tracker import legend
from tracker.columns import light_label
from tracker.ledger import styles
from tracker.ledger.styles import Sheet, Style
from tracker.ledger.text import height, lines
from tracker.models import PolicyDocument

LABEL, WORDS = 22, 150  # widths of the two columns
SIZE = 12.0
FEW = 3  # notes that leave the cover on one page


def wide_row(sheet: Sheet, style: Style, text: str, across: int, tall: float) -> None:
    """Write one text over some columns."""
    sheet.append([(style, text), *repeat((style, None), across - 1)], tall)
    sheet.merge(1, across, sheet.rows, sheet.rows)


def banner(sheet: Sheet, across: int) -> None:
    """Say loudly that nothing in this workbook is real."""
    style = sheet.style(styles.HEAD, 16, across="center", ink="FFFFFF", fill=styles.ALARM, box=False)
    wide_row(sheet, style, _("Demonstration data: made up, not for use"), across, 30)


class Cover:
    """The first sheet; made first and written last, when it is known what the others left out."""

    def __init__(self, book: Workbook) -> None:
        self.sheet = sheet = Sheet(book, styles.COVER, (LABEL, WORDS))
        self._label = sheet.style(styles.HEAD, SIZE, across="center", fill=styles.SHADE)
        self._words = sheet.style(size=SIZE, indent=1)
        self._heading = sheet.style(styles.HEAD, 14, box=False, up="bottom")

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
        sheet.ws.page_setup.fitToHeight = 1 if len(notes) <= FEW else 0
        wide_row(sheet, sheet.style(styles.TITLE, 26, across="center", box=False), title, 2, 50)
        if policy.demo:
            banner(sheet, 2)
        for label, words in facts:
            self._row(self._label, label, words)
        self._head(_("Lights: the rules in force, first match from the top"))
        for light, status, rule in legend.light_rules(policy):
            chip = sheet.style(styles.HEAD, SIZE, across="center", ink=light.style.ink, fill=light.style.fill)
            self._row(chip, light_label(light, status), rule)
        note = sheet.style(size=SIZE, box=False)
        wide_row(sheet, note, str(legend.WHILE_CLOSING), 2, 20)
        self._head(_("How figures are computed"))
        for label, words in legend.formulas():
            self._row(self._label, label, words)
        self._head(_("Sheets"))
        linked = sheet.style(styles.HEAD, SIZE, across="center", link=True)
        for name, words in contents:
            self._row(linked, name, words, Hyperlink(ref="", location=f"'{name}'!A1", display=name))
        if notes:
            self._head(_("Notes"))
            for words in notes:
                wide_row(sheet, note, words, 2, self._tall(words, LABEL + WORDS))

    def _head(self, words: str) -> None:
        wide_row(self.sheet, self._heading, words, 2, 28)

    def _row(self, style: Style, label: str, words: str, link: Hyperlink | None = None) -> None:
        tall = max(self._tall(label, LABEL), self._tall(words, WORDS))
        self.sheet.append([(style, label, link), (self._words, words)], tall)

    @staticmethod
    def _tall(text: str, width: float) -> float:
        return height(lines(text, width, SIZE), SIZE)
