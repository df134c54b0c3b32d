"""Read merged cells: what their value counts for, and what becomes of the cells they cover."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from tracker.excel.reader import WorkbookRefused
from tracker.excel.reading_notes import SheetNotes
from tracker.excel.sheet_rows import CellArea
from tracker.excel.sheet_survey import Header, SheetKind, SheetRecord

MAX_MERGED_CELLS = 2_000_000  # cells of merged areas that are looked at in a sheet


def fill_down(
    records: Sequence[SheetRecord], header: Header, kind: SheetKind, notes: SheetNotes
) -> None:
    """Give the rows of merged cells their value.

    In the columns that are filled down it counts for each row, in others for the first one alone.
    """
    numbers = [record.number for record in records]
    budget = MAX_MERGED_CELLS
    for area in header.sheet.layout.merged:
        if area.first_row <= header.row:
            continue
        names = _names_in(header, area)
        start = bisect_left(numbers, area.first_row)
        end = bisect_left(numbers, area.last_row + 1)
        budget -= (end - start) * max(1, len(names))
        if budget < 0:
            raise WorkbookRefused(_("The workbook is too large to be read: too many cells."))
        if names and start < end:
            _read_merged(records[start:end], area, names, kind, notes)


def _names_in(header: Header, area: CellArea) -> dict[int, str]:
    """Return the known columns that an area covers, by their places."""
    names = {}
    for place, name in header.names.items():
        if area.first_column <= place <= area.last_column:
            names[place] = name
    return names


def _read_merged(
    covered: Sequence[SheetRecord],
    area: CellArea,
    names: Mapping[int, str],
    kind: SheetKind,
    notes: SheetNotes,
) -> None:
    """Give the rows of one merged cell its value, and note what becomes of it."""
    name = names.get(area.first_column, "")
    header = ""
    column = kind.columns.get(name)
    if column:
        header = str(column.header)
    anchor = None
    if covered[0].number == area.first_row:
        anchor = covered[0].cells.get(name)
    if _remove_covered(covered, area, names):
        text = _("The merged cell covers other cells; their content is not read.")
        notes.say_merged(header, area, text)
    if not anchor:
        return
    if name in kind.filled_down:
        for record in covered[1:]:
            record.cells[name] = anchor
    if column and column.parse:
        _note_reading(header, area, notes, len(names), len(covered), name in kind.filled_down)


def _remove_covered(
    covered: Sequence[SheetRecord], area: CellArea, names: Mapping[int, str]
) -> bool:
    """Remove the cells that a merged cell covers; say whether there were any."""
    found = False
    for record in covered:
        for place, name in names.items():
            is_anchor = record.number == area.first_row and place == area.first_column
            if name in record.cells and not is_anchor:
                found = True
                del record.cells[name]
    return found


def _note_reading(
    header: str, area: CellArea, notes: SheetNotes, columns: int, rows: int, is_filled_down: bool
) -> None:
    """Note what the value of a merged cell of some columns and rows counts for."""
    if columns > 1:
        notes.say_merged(header, area, _("The merged cell counts only for its first column."))
    if rows > 1 and is_filled_down:
        notes.say_merged(header, area, _("The merged cell counts for each of its rows."))
    elif rows > 1:
        notes.say_merged(header, area, _("The merged cell counts only for its first row."))
