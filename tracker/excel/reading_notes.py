"""Notes on the reading of a workbook: what was not read, or was read in a special way."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from openpyxl.utils import get_column_letter

from tracker.domain.cells import LeftOut
from tracker.excel.import_feedback import ReadingNote
from tracker.excel.sheet_rows import CellArea, Layout

MAX_NAMED_ROWS = 20  # rows or cells that a note names; its count tells of all


def column_name(place: int, header: str) -> str:
    """Name a column by its letter and its header."""
    letter = get_column_letter(place)
    if header:
        return _("%(letter)s (%(header)s)") % {"letter": letter, "header": header}
    return letter


def rows_name(rows: Iterable[int]) -> str:
    """Name rows, runs of them by their first and last one."""
    runs: list[list[int]] = []
    for row in sorted(set(rows)):
        if runs and row == runs[-1][-1] + 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    names = []
    for run in runs:
        name = str(run[0])
        if len(run) > 1:
            name += f"–{run[-1]}"
        names.append(name)
    return _("rows %(rows)s") % {"rows": _listed(names)}


def _listed(names: list[str]) -> str:
    shown = pgettext("list", ", ").join(names[:MAX_NAMED_ROWS])
    if len(names) > MAX_NAMED_ROWS:
        return f"{shown}…"
    return shown


class SheetNotes:
    """What is noted while the rows of one sheet are read."""

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self.unread: Counter[int] = Counter()
        self.above = 0
        self.hidden_rows: list[int] = []
        self.left_out: dict[tuple[LeftOut, str], list[int]] = defaultdict(list)
        self.merged: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._notes: list[ReadingNote] = []

    def say(self, place: str, count: int, text: str) -> None:
        """Note a sentence."""
        self._notes.append(ReadingNote(self._sheet, place, count, text))

    def say_merged(self, header: str, area: CellArea, text: str) -> None:
        """Note what becomes of a merged cell."""
        first = f"{get_column_letter(area.first_column)}{area.first_row}"
        self.merged[header, text].append(
            f"{first}:{get_column_letter(area.last_column)}{area.last_row}"
        )

    def say_unread(self, headers: Mapping[int, str], suggest: Mapping[str, str]) -> None:
        """Name the columns that are not read, each with the known header that comes near."""
        for place, count in sorted(self.unread.items()):
            header = headers.get(place, "")
            text = _("This column has no known header; its content is not read.")
            if near := suggest.get(header):
                text += " " + _("Did you mean “%(name)s”? If so, rename the column.") % {
                    "name": near
                }
            self.say(column_name(place, header[:40]), count, text)

    def say_hidden_columns(self, layout: Layout, headers: Mapping[int, str]) -> None:
        """Name the columns that are read although nobody sees them."""
        for place, header in sorted(headers.items()):
            if layout.hides(place):
                self.say(
                    column_name(place, header),
                    0,
                    _("The column is hidden, but it is read like any other."),
                )

    def notes(self) -> list[ReadingNote]:
        """Return all notes of the sheet."""
        if self.above:
            self.say("", self.above, _("Content above the header is not read."))
        if self.hidden_rows:
            count = len(self.hidden_rows)
            text = _("These rows are hidden, but they are read like all others.")
            self.say(rows_name(self.hidden_rows), count, text)
        for (kind, header), rows in self.left_out.items():
            text = _("Characters that cannot be stored were removed.")
            if kind == LeftOut.STRUCK:
                text = _("Struck-out text is not read.")
            self.say(f"{header} {rows_name(rows)}", len(rows), text)
        for (header, text), areas in self.merged.items():
            self.say(f"{header} {_listed(areas)}".strip(), len(areas), text)
        return self._notes
