"""The workbook that a policy's checklist is loaded from; of a policy that exists it is its export."""

import datetime as dt
import os
from typing import IO

from django.utils.translation import gettext as _

from tracker.columns import TEMPLATE
from tracker.ledger import styles
from tracker.ledger.notes import Notes
from tracker.ledger.sheets import Listing
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
