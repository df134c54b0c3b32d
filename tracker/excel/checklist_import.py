"""A policy's checklist that comes by workbook: a new policy, or additions and changes to one."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from tracker.domain import parsing, permissions
from tracker.domain.choices import BatchKind
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import checklist_template
from tracker.excel.checklist_comparer import ChecklistComparer, key_column
from tracker.excel.checklist_parts import FIRST_CHECKLIST_SHEET, LONG_TERM_VALUE
from tracker.excel.checklist_template import MarkedSheet, TypedCell
from tracker.excel.import_feedback import (
    ReadingNote,
    names_by_header,
    notes_as_json,
    notes_from,
)
from tracker.excel.preview import Preview
from tracker.excel.reader import WorkbookRefused
from tracker.excel.sheet_survey import SheetKind, SheetRecord, Survey, find_sheets
from tracker.excel.table_reader import ReadingSteps, Table, asks_to_clear, read_tables
from tracker.models import ImportBatch, PolicyDocument, User
from tracker.reports.checklist_columns import TEMPLATE_COLUMNS
from tracker.reports.columns import Column
from tracker.reports.filters import shorten_value

# Without these headers a sheet is none of its kind.
NEEDED_COLUMNS = {
    "policydocument": {"slug", "title"},
    "section": {"number", "name"},
    "measure": {"section", "code", "name"},
    "task": {"measure", "code", "title"},
    "checklistitem": {"code", "number", "title"},
}


def checklist_sheet_kinds() -> dict[str, SheetKind]:
    """Return the sheets of a template as they are read.

    A merged cell counts for all its rows, unless it names a row.
    """
    kinds = {}
    for kind, columns in TEMPLATE_COLUMNS.items():
        filled_down = frozenset[str]()
        if kind != FIRST_CHECKLIST_SHEET:
            filled_down = frozenset(columns) - {key_column(kind), "version"}
        kinds[kind] = SheetKind(
            checklist_template.TEMPLATE_SHEETS[kind],
            columns,
            NEEDED_COLUMNS[kind],
            filled_down=filled_down,
            hidden="version",
        )
    return kinds


def seems_ours(found: Survey) -> bool:
    """Say whether a workbook without the sheet of a policy is a template all the same.

    A ledger is none.
    """
    if any(header.names for header in found.lacking[FIRST_CHECKLIST_SHEET]):
        return True
    return bool(found.complete["section"] or found.complete["measure"] or found.complete["task"])


def no_policy() -> str:
    """Say what the sheet of the policy has to hold."""
    return _("The first sheet must name one policy by its short address and title.")


def read_checklist(found: Survey, name: str, user: User | None) -> ReadingSteps[ImportBatch]:
    """Read a template into a batch, not saved yet."""
    if user and not permissions.may_edit_policies(user):
        raise WorkbookRefused(_("Only the office can import policy checklists."))
    kinds = checklist_sheet_kinds()
    headers = find_sheets(found, kinds)
    tables = []
    for kind, header in headers.items():
        store = partial(_stored_row, kind, kinds[kind].columns)
        tables.append(Table(header, kinds[kind], store))
    rows, notes = yield from read_tables(found.book, tables)
    for name_of_kind, kind_of_sheet in kinds.items():
        if name_of_kind not in headers:
            text = _("The file has no such sheet, so nothing was read for it.")
            notes.append(ReadingNote(str(kind_of_sheet.title), "", 0, text))
    return ImportBatch(
        kind=BatchKind.CHECKLIST,
        file_name=shorten_value(name),
        rows=rows,
        reading_notes=notes_as_json(notes),
        read_by=user,
        policy=PolicyDocument.objects.filter(slug=_policy_slug(rows)).first(),
    )


def _policy_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["kind"] == FIRST_CHECKLIST_SHEET]


def _policy_slug(rows: list[dict[str, Any]]) -> str:
    """Return the short address of the one policy of a file."""
    policies = _policy_rows(rows)
    if len(policies) != 1:
        raise WorkbookRefused(no_policy())
    return str(policies[0]["values"].get("slug") or "")


def _stored_row(kind: str, columns: Mapping[str, Column], record: SheetRecord) -> dict[str, Any]:
    """Return what is stored of a row; a value that is to be erased is None."""
    values = {}
    for name, value in record.values.items():
        if name in columns:
            values[name] = _stored_value(value)
    return {
        "kind": kind,
        "sheet": record.sheet,
        "row": record.number,
        "values": values,
        "typed": record.typed(),
        "faults": record.faults,
    }


def _stored_value(value: object) -> object:
    if value is parsing.LONG_TERM:
        return LONG_TERM_VALUE
    if asks_to_clear(value):
        return None
    return value


def preview_checklist(
    batch: ImportBatch, today: dt.date, tell: ProgressCallback = ignore_progress
) -> Preview:
    """Compare every row with the policy as it is stored, and `tell` how many are done.

    A fixed number of queries.
    """
    comparer = ChecklistComparer(batch, today)
    entries = []
    for number, row in enumerate(batch.rows, 1):
        entries.append(comparer.compare(row))
        tell(number)
    comparer.add_former_values()
    return Preview(entries, comparer.rows, notes_from(batch.reading_notes))


def marked_checklist(
    batch: ImportBatch, today: dt.date, tell: ProgressCallback = ignore_progress
) -> MarkedSheet:
    """Return the rows of a batch as they were typed, with their faults, and the reading notes."""
    preview = preview_checklist(batch, today, tell)
    rows: dict[str, list[TypedCell]] = defaultdict(list)
    for row, entry in zip(batch.rows, preview.entries, strict=True):
        kind = row["kind"]
        names = names_by_header(TEMPLATE_COLUMNS[kind])
        faults = {}
        for fault in entry.faults:
            faults[names.get(fault.column, key_column(kind))] = fault.words
        rows[kind].append(TypedCell(row["typed"], faults))
    return MarkedSheet(rows, preview.faults, preview.notes)


def slugs_of_checklist(batch: ImportBatch) -> set[str]:
    """Return the short addresses of the policies that a batch is about."""
    return {row["values"].get("slug") or "" for row in _policy_rows(batch.rows)}
