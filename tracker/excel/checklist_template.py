"""The workbook that a policy's checklist is loaded from; of a stored policy it is its export."""

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from tracker.domain.choices import Kind
from tracker.domain.parsing import DONE_WORDS, UNDONE_WORDS
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import xlsx_writer
from tracker.excel.export_notes import ExportNotes
from tracker.excel.import_feedback import Fault, ReadingNote, list_faults, list_reading_notes
from tracker.excel.openpyxl_internals import new_book, save_book
from tracker.excel.progress_columns import FAULTS_COLUMN, column_to_fill
from tracker.excel.sheets import Listing, add_choices, body_styles, list_words
from tracker.models import ChecklistItem, Organization, PolicyDocument
from tracker.reports.checklist_columns import TEMPLATE_COLUMNS
from tracker.reports.columns import Column

TEMPLATE_SHEETS = {
    "policydocument": xlsx_writer.POLICY,
    "section": xlsx_writer.PARTS,
    "measure": xlsx_writer.MEASURES,
    "task": xlsx_writer.TASKS,
    "checklistitem": xlsx_writer.STEPS,
}

DAY_HINT = gettext_lazy("A date such as 2026-12-31.")
# What a cell says when it is chosen, by kind and column.
COLUMN_HINTS = {
    ("policydocument", "slug"): gettext_lazy(
        "Lowercase letters, digits and hyphens, used in page addresses."
    ),
    ("measure", "code"): gettext_lazy("The letter of the section and a number, such as A1."),
    ("task", "code"): gettext_lazy("The code of the measure and a number, such as A1-01."),
    ("task", "lead_unit"): gettext_lazy("One unit, by its name, short name or alias."),
    ("task", "co_units"): gettext_lazy("Units separated by commas, by name, short name or alias."),
    ("task", "start"): DAY_HINT,
    ("task", "deadline"): DAY_HINT,
    ("checklistitem", "due"): DAY_HINT,
}


def _add_guidance(listings: Mapping[str, Listing], book: Workbook) -> None:
    """Show hints in chosen cells, and offer values where there is a choice.

    Other values are read too.
    """
    names = Organization.objects.filter(active=True).values_list("short_name", flat=True)
    kinds = ",".join(str(label) for label in Kind.labels)
    offered = {
        ("measure", "general"): f'"{DONE_WORDS[0]},{UNDONE_WORDS[0]}"',
        ("task", "kind"): f'"{kinds}"',
        ("task", "lead_unit"): list_words(book, names),
    }
    for kind, listing in listings.items():
        for place, column in enumerate(listing.columns, 2):
            letter = get_column_letter(place)
            _add_rule(
                listing,
                f"{letter}2:{letter}{listing.sheet.rows}",
                str(COLUMN_HINTS.get((kind, column.name), "")),
                offered.get((kind, column.name), ""),
            )


def _add_rule(listing: Listing, area: str, hint: str, choices: str) -> None:
    """Show a hint, and offer choices, in some cells; nothing where there is neither."""
    rule = {}
    if choices:
        rule = {"type": "list", "formula1": choices}
    if hint or choices:
        add_choices(
            listing.sheet.ws,
            area,
            prompt=hint,
            showInputMessage=bool(hint),
            showErrorMessage=False,
            **rule,
        )


def save_checklist_template(
    policy: PolicyDocument | None,
    on: dt.date,
    file: str | os.PathLike[str] | IO[bytes],
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Write the template of a policy, or an empty one, to a path or an open file.

    `tell` how many tasks are written.
    """
    book = new_book()
    notes = ExportNotes()
    heading = _("Checklist of a policy, to fill in")
    rows: dict[str, list[Any]] = {kind: [] for kind in TEMPLATE_SHEETS}
    if policy:
        heading = policy.title
        rows = _parts_of(policy)
    book.properties.title = notes.text(heading)
    listings = {}
    for kind, name in TEMPLATE_SHEETS.items():
        listing = Listing(
            book, name, TEMPLATE_COLUMNS[kind], heading, f"template_{kind}", open_rows=True
        )
        for number, thing in enumerate(rows[kind], 1):
            listing.add(listing.row(thing, on, notes, str(thing)))
            if kind == "task":
                tell(number)
        listing.close()
        listings[kind] = listing
    _add_guidance(listings, book)
    save_book(book, file)


def _parts_of(policy: PolicyDocument) -> dict[str, list[Any]]:
    """Return a policy and its parts, by kind."""
    items = ChecklistItem.objects.filter(task__policy=policy).select_related("task__lead_unit")
    return {
        "policydocument": [policy],
        "section": list(policy.sections.all()),
        "measure": list(policy.measures.select_related("section")),
        "task": list(policy.tasks.with_related().defer("policy__full_text")),
        "checklistitem": list(items),
    }


@dataclass(frozen=True)
class TypedCell:
    """A row of a template as it came in: what was typed and its faults, by column."""

    typed: Mapping[str, str]
    faults: Mapping[str, str]


@dataclass(frozen=True)
class MarkedSheet:
    """A template as it came in: its rows by kind, all faults, and what to know of the reading."""

    rows: Mapping[str, Sequence[TypedCell]]
    faults: Sequence[Fault]
    reading_notes: Sequence[ReadingNote]


def save_marked_checklist(
    marked: MarkedSheet,
    on: dt.date,
    file: str | os.PathLike[str] | IO[bytes],
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Write what came in as a template with its faults marked: corrected, it can be sent again.

    `tell` is called after each row, with its number on its sheet.
    """
    book = new_book()
    notes = ExportNotes()
    heading = _("Checklist of a policy: errors to fix")
    listings = {}
    for kind, name in TEMPLATE_SHEETS.items():
        columns = _marked_columns(kind)
        listing = Listing(book, name, columns, heading, f"template_{kind}", open_rows=True)
        plain = body_styles(listing.sheet, listing.columns)
        wrong = body_styles(listing.sheet, listing.columns, **xlsx_writer.FAULT_FILL)
        for number, row in enumerate(marked.rows[kind], 1):
            styles = list(plain)
            for place, column_name in enumerate(columns, 1):
                if column_name in row.faults or (column_name == "faults" and row.faults):
                    styles[place] = wrong[place]
            listing.add(listing.row(row, on, notes, str(name)), styles)
            tell(number)
        listing.close()
        listings[kind] = listing
    list_faults(book, marked.faults, on, heading, notes)
    list_reading_notes(book, marked.reading_notes, on, heading, notes)
    _add_guidance(listings, book)
    save_book(book, file)


def _marked_columns(kind: str) -> dict[str, Column]:
    """Return the columns of a sheet with one of faults; the hidden version stays the last one."""
    columns = {}
    for name, column in TEMPLATE_COLUMNS[kind].items():
        columns[name] = column_to_fill(column)
    version = columns.pop("version", None)
    columns["faults"] = FAULTS_COLUMN
    if version:
        columns["version"] = version
    return columns
