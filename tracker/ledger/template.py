"""The workbook that a policy's checklist is loaded from; of a policy that exists it is its export."""

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from tracker.choices import Kind
from tracker.columns import TEMPLATE
from tracker.domain.tell import Tell, silent
from tracker.ledger import styles
from tracker.ledger.fillin import FAULTS, Fault, list_faults, to_fill
from tracker.ledger.note_sheet import ReadingNote, list_reading_notes
from tracker.ledger.notes import Notes
from tracker.ledger.sheets import Listing, body_styles, list_words, offer
from tracker.models import ChecklistItem, Organization, PolicyDocument
from tracker.parsing import DONE, UNDONE

SHEETS = {
    "policydocument": styles.POLICY,
    "section": styles.PARTS,
    "measure": styles.MEASURES,
    "task": styles.TASKS,
    "checklistitem": styles.STEPS,
}

DAY_HINT = gettext_lazy("A day such as 2026-12-31.")
# What a cell says when it is chosen, by kind and column.
HINTS = {
    ("policydocument", "slug"): gettext_lazy("Small letters, digits and hyphens: it stands in the pages' addresses."),
    ("measure", "code"): gettext_lazy("The letter of the section and a number, such as A1."),
    ("task", "code"): gettext_lazy("The code of the measure and a number, such as A1-01."),
    ("task", "lead_unit"): gettext_lazy("One unit, by its name, short name or alias."),
    ("task", "co_units"): gettext_lazy("Units with commas between them, by name, short name or alias."),
    ("task", "start"): DAY_HINT,
    ("task", "deadline"): DAY_HINT,
    ("checklistitem", "due"): DAY_HINT,
}


def _guide(listings: Mapping[str, Listing], book: Workbook) -> None:
    """Say in a chosen cell what may stand there, and offer words where there is a choice; other words are read too."""
    units = list_words(book, Organization.objects.filter(active=True).values_list("short_name", flat=True))
    offered = {
        ("measure", "general"): f'"{DONE[0]},{UNDONE[0]}"',
        ("task", "kind"): f'"{",".join(str(label) for label in Kind.labels)}"',
        ("task", "lead_unit"): units,
    }
    for kind, listing in listings.items():
        for place, column in enumerate(listing.columns, 2):
            words, hint = offered.get((kind, column.name)), HINTS.get((kind, column.name))
            if words or hint:
                letter = get_column_letter(place)
                rule = {"type": "list", "formula1": words} if words else {}
                offer(
                    listing.sheet.ws, f"{letter}2:{letter}{listing.sheet.rows}",
                    prompt=str(hint or ""), showInputMessage=bool(hint), showErrorMessage=False, **rule,
                )  # fmt: skip


def save(
    policy: PolicyDocument | None,
    on: dt.date,
    file: str | os.PathLike[str] | IO[bytes],
    tell: Tell = silent,
) -> None:
    """Write the template of a policy, or an empty one, to a path or an open file; `tell` how many tasks are written."""
    book, notes = styles.new_book(), Notes()
    heading = policy.title if policy else _("Checklist of a policy, to fill in")
    book.properties.title = notes.text(heading)
    rows: dict[str, list[object]] = {kind: [] for kind in SHEETS}
    if policy:
        tasks = list(policy.tasks.with_related().defer("policy__full_text"))
        rows = {
            "policydocument": [policy],
            "section": list(policy.sections.all()),
            "measure": list(policy.measures.select_related("section")),
            "task": list(tasks),
            "checklistitem": list(ChecklistItem.objects.filter(task__policy=policy).select_related("task__lead_unit")),
        }
    listings = {}
    for kind, name in SHEETS.items():
        listing = listings[kind] = Listing(book, name, TEMPLATE[kind], heading, f"template_{kind}", open_rows=True)
        for number, thing in enumerate(rows[kind], 1):
            listing.add(listing.row(thing, on, notes, str(thing)))
            if kind == "task":
                tell(number)
        listing.close()
    _guide(listings, book)
    styles.save_book(book, file)


@dataclass(frozen=True)
class Typed:
    """A row of a template as it came in: what was typed, and what is at fault, by the names of the columns."""

    typed: Mapping[str, str]
    faults: Mapping[str, str]


@dataclass(frozen=True)
class Marked:
    """A template as it came in: its rows by kind, all faults, and what to know of the reading."""

    rows: Mapping[str, Sequence[Typed]]
    faults: Sequence[Fault]
    reading_notes: Sequence[ReadingNote]


def save_marked(marked: Marked, on: dt.date, file: str | os.PathLike[str] | IO[bytes], tell: Tell = silent) -> None:
    """Write what came in as a template with its faults marked: mended, it can be sent in again.

    `tell` is called after each row, with its number on its sheet.
    """
    book, notes, heading = styles.new_book(), Notes(), _("Checklist of a policy: faults to mend")
    listings = {}
    for kind, name in SHEETS.items():
        columns = {each: to_fill(column) for each, column in TEMPLATE[kind].items()}
        # The version stays the last one: it is hidden.
        version = {each: columns.pop(each) for each in ("version",) if each in columns}
        columns |= {"faults": FAULTS, **version}
        listing = listings[kind] = Listing(book, name, columns, heading, f"template_{kind}", open_rows=True)
        plain = body_styles(listing.sheet, listing.columns)
        wrong = body_styles(listing.sheet, listing.columns, **styles.WRONG)
        for number, row in enumerate(marked.rows[kind], 1):
            marks = [False, *(each in row.faults or (each == "faults" and bool(row.faults)) for each in columns)]
            looks = [(wrong if is_wrong else plain)[place] for place, is_wrong in enumerate(marks)]
            listing.add(listing.row(row, on, notes, str(name)), looks)
            tell(number)
        listing.close()
    list_faults(book, marked.faults, on, heading, notes)
    list_reading_notes(book, marked.reading_notes, on, heading, notes)
    _guide(listings, book)
    styles.save_book(book, file)
