"""The workbook that a policy's checklist is loaded from; of a policy that exists it is its export."""

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _

from tracker.columns import TEMPLATE
from tracker.ledger import styles
from tracker.ledger.fillin import FAULTS, Fault, list_faults, to_fill
from tracker.ledger.notes import Notes
from tracker.ledger.sheets import Listing, body_styles
from tracker.models import ChecklistItem, PolicyDocument

SHEETS = {
    "policydocument": styles.POLICY,
    "section": styles.PARTS,
    "measure": styles.MEASURES,
    "task": styles.TASKS,
    "checklistitem": styles.STEPS,
}


def save(policy: PolicyDocument | None, on: dt.date, file: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write the template of a policy, or an empty one, to a path or an open file."""
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
    for kind, name in SHEETS.items():
        listing = Listing(book, name, TEMPLATE[kind], heading, f"template_{kind}", open_rows=True)
        for thing in rows[kind]:
            listing.add(listing.row(thing, on, notes, str(thing)))
        listing.close()
    styles.save_book(book, file)


@dataclass(frozen=True)
class Typed:
    """A row of a template as it came in: what was typed, and what is at fault, by the names of the columns."""

    typed: Mapping[str, str]
    faults: Mapping[str, str]


def save_marked(
    rows: Mapping[str, Sequence[Typed]], faults: Sequence[Fault], on: dt.date, file: str | os.PathLike[str] | IO[bytes]
) -> None:
    """Write what came in as a template with its faults marked: mended, it can be sent in again."""
    book, notes, heading = styles.new_book(), Notes(), _("Checklist of a policy: faults to mend")
    for kind, name in SHEETS.items():
        columns = {each: to_fill(column) for each, column in TEMPLATE[kind].items()}
        # The version stays the last one: it is hidden.
        version = {each: columns.pop(each) for each in ("version",) if each in columns}
        columns |= {"faults": FAULTS, **version}
        listing = Listing(book, name, columns, heading, f"template_{kind}", open_rows=True)
        plain = body_styles(listing.sheet, listing.columns)
        wrong = body_styles(listing.sheet, listing.columns, **styles.WRONG)
        for row in rows[kind]:
            marks = [False, *(each in row.faults or (each == "faults" and bool(row.faults)) for each in columns)]
            looks = [(plain, wrong)[marked][place] for place, marked in enumerate(marks)]
            listing.add(listing.row(row, on, notes, str(name)), looks)
        listing.close()
    list_faults(book, faults, on, heading, notes)
    styles.save_book(book, file)
