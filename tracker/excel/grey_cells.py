"""Find what people have written over the cells of a fill-in workbook that only show something.

Such a cell is not read. It is named where it differs from what the program shows of a task that
nobody has changed since the workbook was made; of others only what a unit has reported is known.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from tracker.excel import xlsx_writer
from tracker.excel.cell_text import strip_refused
from tracker.excel.import_feedback import ReadingNote
from tracker.excel.progress_columns import SO_FAR_SUFFIX, report_columns, step_columns
from tracker.excel.progress_rows import FillInRow
from tracker.excel.reading_notes import rows_name
from tracker.models import ChecklistItem, ProgressUpdate
from tracker.reports.columns import SHARE_FORMAT, Column, NativeValue

# These name a row, and are read.
KEY_COLUMN_NAMES = {"key", "code", "number"}
# Columns in which many rows show the same text, and what that depends on.
SHARED_TEXTS: dict[str, Callable[[FillInRow], object]] = {
    "measure": lambda row: row.task.measure_id,
    "role": lambda row: (row.helps, row.task.lead_unit_id),
    "state": lambda row: (
        row.period,
        row.base and (row.base.period_start, row.base.state, row.base.review_note),
    ),
}


class GreyCells:
    """Compares the cells that are not read with what stood in them."""

    def __init__(self, on: dt.date) -> None:
        self._on = on
        self._reports = _shown_columns(report_columns())
        self._steps = _shown_columns(step_columns())
        labels = _in_each_language(lambda: list(xlsx_writer.light_labels()))
        self._lights = {_bare(label) for label in labels}
        self._seen: set[tuple[str, object, str]] = set()
        self._changed: dict[tuple[str, str], list[int]] = defaultdict(list)

    def compare(self, row: dict[str, Any], shown: FillInRow, item: ChecklistItem | None) -> None:
        """Note the cells of a row that differ from what its task shows."""
        columns = self._reports
        if item:
            columns = self._steps
            shown = replace(shown, item=item)
        for column in columns:
            typed = row["typed"].get(column.name)
            if typed and not self._shows(column, shown, typed):
                self._changed[row["sheet"], str(column.header)].append(row["row"])

    def compare_old(self, row: dict[str, Any], reports: Collection[ProgressUpdate]) -> None:
        """Note cells of a row of an older workbook with a text that no report of the unit has."""
        for column in self._reports:
            typed = row["typed"].get(column.name)
            if (
                not typed
                or not column.name.endswith(SO_FAR_SUFFIX)
                or column.format == SHARE_FORMAT
            ):
                continue
            name = column.name.removesuffix(SO_FAR_SUFFIX)
            texts = [strip_refused(str(getattr(report, name, "")))[0] for report in reports]
            if _bare(typed) not in map(_bare, texts):
                self._changed[row["sheet"], str(column.header)].append(row["row"])

    def notes(self) -> Iterator[ReadingNote]:
        """Yield a note for every column of which cells were changed."""
        text = _("These grey cells differ from what the system shows; their content is not read.")
        for (sheet, header), rows in self._changed.items():
            yield ReadingNote(sheet, f"{header} {rows_name(rows)}", len(rows), text)

    def _shows(self, column: Column, row: FillInRow, typed: str) -> bool:
        """Say whether a cell showed a text, in the language and on the day of the workbook."""
        if column.name == "light":
            return _bare(typed) in self._lights
        if column.name not in SHARED_TEXTS:
            return self._showed(column, row, typed)
        key = column.name, SHARED_TEXTS[column.name](row), typed
        if key not in self._seen and not self._showed(column, row, typed):
            return False
        self._seen.add(key)
        return True

    def _showed(self, column: Column, row: FillInRow, typed: str) -> bool:
        # Nearly every cell is as it was: no further look is taken at it.
        now = _as_typed(column.value(row, self._on), column)
        if typed == now:
            return True
        typed = _bare(typed)
        if typed == _bare(now):
            return True
        days = [self._on]
        if column.name == "state":
            days.append(row.period.start)
        for day in days:
            texts = _in_each_language(lambda day=day: [_as_typed(column.value(row, day), column)])
            if typed in map(_bare, texts):
                return True
        return False


def _shown_columns(columns: dict[str, Column]) -> list[Column]:
    found = []
    for name, column in columns.items():
        if not column.fills and name not in KEY_COLUMN_NAMES:
            found.append(column)
    return found


def _in_each_language(texts: Any) -> list[str]:
    found: list[str] = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            found += texts()
    return found


def _as_typed(value: NativeValue, column: Column) -> str:
    """Return a value as the text of its cell."""
    if isinstance(value, float) and column.format == SHARE_FORMAT:
        return f"{100 * value:.10g}%"
    if value is None:
        return ""
    return strip_refused(str(value))[0]


def _bare(text: str) -> str:
    """Return a text without blanks and line ends: programs that save a workbook change them."""
    return "".join(text.split())
