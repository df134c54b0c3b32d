"""What a workbook that is given back says of its reading: its faults, and notes on a place."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from openpyxl import Workbook

from tracker.excel import xlsx_writer
from tracker.excel.export_notes import ExportNotes
from tracker.excel.sheets import Listing
from tracker.reports.columns import WHOLE_FORMAT, Column, columns_by_name


@dataclass(frozen=True)
class Fault:
    """What cannot be read or accepted: sheet, row, column, value and what is allowed."""

    sheet: str
    row: int
    column: str
    value: str
    words: str


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


FAULT_COLUMNS = columns_by_name(
    (
        Column("sheet", gettext_lazy("sheet"), lambda fault, on: fault.sheet, 14),
        Column("row", gettext_lazy("row"), lambda fault, on: fault.row, 8, WHOLE_FORMAT),
        Column("column", gettext_lazy("column"), lambda fault, on: fault.column, 18),
        Column("value", gettext_lazy("value"), lambda fault, on: fault.value, 40),
        Column("words", gettext_lazy("what is wrong"), lambda fault, on: fault.words, 60),
    )
)
NOTE_COLUMNS = columns_by_name(
    (
        Column("sheet", gettext_lazy("sheet"), lambda note, on: note.sheet, 14),
        Column("place", gettext_lazy("place"), lambda note, on: note.place, 30),
        Column(
            "count",
            gettext_lazy("number of cells or rows"),
            lambda note, on: note.count or None,
            12,
            WHOLE_FORMAT,
        ),
        Column("words", gettext_lazy("note"), lambda note, on: note.words, 70),
    )
)


def messages_by_field(error: ValidationError) -> dict[str, str]:
    """Return the messages of an error by field, those of one field as one text.

    A message that names no field is that of the code.
    """
    if not hasattr(error, "error_dict"):
        return {"code": " ".join(error.messages)}
    return {name: " ".join(messages) for name, messages in error.message_dict.items()}


def names_by_header(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return the names of columns by their headers."""
    return {str(column.header): name for name, column in columns.items()}


def notes_as_json(notes: Iterable[ReadingNote]) -> list[dict[str, Any]]:
    """Return what is stored of notes."""
    return [note.as_json() for note in notes]


def notes_from(stored: Iterable[Mapping[str, Any]]) -> list[ReadingNote]:
    """Make notes of what was stored of them."""
    return [ReadingNote(**note) for note in stored]


def list_faults(
    book: Workbook, faults: Sequence[Fault], on: dt.date, heading: str, notes: ExportNotes
) -> None:
    """Write the sheet of faults: where, what, and what is allowed."""
    listing = Listing(book, xlsx_writer.FAULTS, FAULT_COLUMNS, heading, "faults")
    for fault in faults:
        listing.add(listing.row(fault, on, notes, str(xlsx_writer.FAULTS)))
    listing.close()


def list_reading_notes(
    book: Workbook,
    reading_notes: Sequence[ReadingNote],
    on: dt.date,
    heading: str,
    notes: ExportNotes,
) -> None:
    """Write the sheet of reading notes, in the words of the preview; none without notes."""
    if not reading_notes:
        return
    listing = Listing(book, xlsx_writer.READING_NOTES, NOTE_COLUMNS, heading, "reading_notes")
    for note in reading_notes:
        listing.add(listing.row(note, on, notes, str(xlsx_writer.READING_NOTES)))
    listing.close()
