"""The sheet of a workbook that is given back which says what of it was not read, or read in a
special way.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext_lazy
from openpyxl import Workbook

from tracker.excel import xlsx_writer
from tracker.excel.export_notes import ExportNotes
from tracker.excel.sheets import Listing
from tracker.reports.columns import WHOLE, Column, number_value


@dataclass(frozen=True)
class ReadingNote:
    """A sentence about a place of a file.

    `count` is the number of cells or rows that it is about, or 0.
    """

    sheet: str
    place: str
    count: int
    words: str

    def as_json(self) -> dict[str, Any]:
        """Return what is stored of it."""
        return asdict(self)


NOTE_COLUMNS = number_value(
    (
        Column("sheet", gettext_lazy("sheet"), lambda note, on: note.sheet, 14),
        Column("place", gettext_lazy("place"), lambda note, on: note.place, 30),
        Column(
            "count",
            gettext_lazy("number of cells or rows"),
            lambda note, on: note.count or None,
            12,
            WHOLE,
        ),
        Column("words", gettext_lazy("note"), lambda note, on: note.words, 70),
    )
)


def list_reading_notes(
    book: Workbook,
    reading_notes: Sequence[ReadingNote],
    on: dt.date,
    heading: str,
    notes: ExportNotes,
) -> None:
    """Write the sheet of reading notes, in the words of the preview.

    None where there are no notes.
    """
    if not reading_notes:
        return
    listing = Listing(book, xlsx_writer.READING_NOTES, NOTE_COLUMNS, heading, "reading_notes")
    for note in reading_notes:
        listing.add(listing.row(note, on, notes, str(xlsx_writer.READING_NOTES)))
    listing.close()
