"""The cover: what the workbook holds, as of when, by which rules and formulas."""

from collections.abc import Iterable, Iterator
from itertools import repeat

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from openpyxl import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink

from tracker.choices import Cycle, Light, Status
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


def light_rules(policy: PolicyDocument) -> Iterator[tuple[Light, str, str]]:
    """List light, status and rule, with the thresholds in force."""
    yellow = [
        ngettext("%(days)d day or less to the deadline", "%(days)d days or less to the deadline", policy.warn_days)
        % {"days": policy.warn_days},
        _("quantified and %(gap)d points or more behind schedule") % {"gap": policy.yellow_gap},
    ]
    red = [
        _("past the deadline"),
        _("quantified and %(gap)d points or more behind schedule") % {"gap": policy.red_gap},
    ]
    if policy.cycle != Cycle.NONE:
        values = {"days": policy.grace_days, "cycle": Cycle(policy.cycle).label}
        yellow.append(_("no report (%(cycle)s) within %(days)d days after the end of a period") % values)
        red.append(_("no report (%(cycle)s) for two periods in a row, %(days)d days after the second") % values)
    between = pgettext("between sentences", "; ")
    yield Light.NONE, Status.CANCELLED, _("cancelled: outside every count")
    yield Light.BLUE, "", _("closed, and done on or before the current deadline or without one")
    yield Light.PURPLE, "", _("closed, and done after the current deadline")
    yield Light.GREY, Status.SUSPENDED, _("suspended by the office: neither warned nor late")
    yield Light.RED, "", between.join(red)
    yield Light.YELLOW, "", between.join(yellow)
    yield Light.GREY, Status.NOT_STARTED, _("not started yet, and none of the above")
    yield Light.GREEN, "", _("started, and none of the above")


def formulas() -> Iterator[tuple[str, str]]:
    """List how figures come about: section 5 of the domain."""
    yield (
        _("total"),
        _("all tasks but the cancelled = closed + on course + warning + red light + not started / suspended"),
    )
    yield (
        _("overdue"),
        _("open and past the current deadline; while closing is requested, the day of the request counts"),
    )
    yield _("closing rate"), _("closed / total; “—” where there is no task")
    yield _("on-time rate"), _("closed on time / closed; “—” where none is closed")
    yield (
        _("percent done"),
        _(
            "with a checklist: ticked weight / whole weight, rounded down; else, where quantified, what the latest "
            "accepted report says; “—” where a percent means nothing"
        ),
    )
    yield (
        _("expected by now"),
        _("days since the start / days from the start to the current deadline, as a percent between 0 and 100"),
    )


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
        for light, status, rule in light_rules(policy):
            chip = sheet.style(styles.HEAD, SIZE, across="center", ink=light.style.ink, fill=light.style.fill)
            self._row(chip, light_label(light, status), rule)
        note = sheet.style(size=SIZE, box=False)
        wide_row(
            sheet,
            note,
            _("While closing is requested, a task keeps the light of the day of the request until the office decides."),
            2,
            20,
        )
        self._head(_("How figures are computed"))
        for label, words in formulas():
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
