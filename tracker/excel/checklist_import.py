"""A policy's checklist that comes by workbook: a new policy, or additions and changes to one."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain import parsing, permissions
from tracker.domain.choices import BatchKind, ChangeSource
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import checklist_template
from tracker.excel.checklist_comparer import (
    FIRST_CHECKLIST_SHEET,
    KEY_COLUMNS,
    LONG_TERM_VALUE,
    ChecklistComparer,
)
from tracker.excel.checklist_template import MarkedSheet, TypedCell
from tracker.excel.import_feedback import ReadingNote, notes_from
from tracker.excel.preview import Preview
from tracker.excel.reader import WorkbookRefused
from tracker.excel.table_reader import (
    ReadingSteps,
    SheetKind,
    SheetRecord,
    Survey,
    Table,
    asks_to_clear,
    read_tables,
    refuse_lacking,
)
from tracker.models import ImportBatch, PolicyDocument, User
from tracker.reports.columns import TEMPLATE_COLUMNS, Column
from tracker.reports.filters import shorten_value
from tracker.workflow import ChangeContext

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

    Merged cells go down, but never what names a row.
    """
    found = {}
    for kind, columns in TEMPLATE_COLUMNS.items():
        own = {KEY_COLUMNS[kind][-1], "version"}
        if kind != FIRST_CHECKLIST_SHEET:
            filled = frozenset(columns) - own
        else:
            filled = frozenset()
        found[kind] = SheetKind(
            checklist_template.TEMPLATE_SHEETS[kind],
            columns,
            NEEDED_COLUMNS[kind],
            filled_down=filled,
            hidden="version",
        )
    return found


def seems_ours(found: Survey) -> bool:
    """Say whether a workbook without the sheet of a policy is a template all the same.

    A ledger is none.
    """
    named = any(header.names for header in found.lacking[FIRST_CHECKLIST_SHEET])
    return named or any(found.complete[kind] for kind in ("section", "measure", "task"))


def no_policy() -> str:
    """Say what the sheet of the policy has to hold."""
    return _("The first sheet names one policy, by its short address and its title.")


def read_checklist(found: Survey, name: str, user: User | None) -> ReadingSteps[ImportBatch]:
    """Read a template into a batch, not saved yet."""
    if user and not permissions.may_edit_policies(user):
        raise WorkbookRefused(_("Checklists of policies are loaded by the office alone."))
    kinds = checklist_sheet_kinds()
    headers = {}
    for kind in kinds:
        headers[kind] = found.find(kind)
    missing = []
    for kind, header in headers.items():
        if not header:
            missing.append(kind)
    refuse_lacking(found, kinds, missing)
    tables = []
    for kind, header in headers.items():
        if header:
            tables.append(Table(header, kinds[kind], partial(_row, kind, kinds[kind].columns)))
    rows, notes = yield from read_tables(found.book, tables)
    policies = []
    for row in rows:
        if row["kind"] == FIRST_CHECKLIST_SHEET:
            policies.append(row)
    if len(policies) != 1:
        raise WorkbookRefused(no_policy())
    words = _("The file has no such sheet: nothing of it is read.")
    notes += [ReadingNote(str(kinds[kind].title), "", 0, words) for kind in missing]
    slug = str(policies[0]["values"].get("slug") or "")
    return ImportBatch(
        kind=BatchKind.CHECKLIST,
        file_name=shorten_value(name),
        rows=rows,
        reading_notes=[note.as_json() for note in notes],
        read_by=user,
        policy=PolicyDocument.objects.filter(slug=slug).first(),
    )


def _row(kind: str, columns: Mapping[str, Column], record: SheetRecord) -> dict[str, Any]:
    """Return what is kept of a row; a value that is to be erased is None."""
    values = {name: _kept(value) for name, value in record.values.items() if name in columns}
    return {
        "kind": kind,
        "sheet": record.sheet,
        "row": record.number,
        "values": values,
        "typed": record.typed(),
        "faults": record.faults,
    }


def _kept(value: object) -> object:
    if value is parsing.LONG_TERM:
        return LONG_TERM_VALUE
    if asks_to_clear(value):
        return None
    return value


def preview_checklist(
    batch: ImportBatch, today: dt.date, tell: ProgressCallback = ignore_progress
) -> Preview:
    """Hold every row against the policy as it is stored, and `tell` how far it is.

    A fixed number of queries.
    """
    judge = ChecklistComparer(batch, today)
    entries = []
    for number, row in enumerate(batch.rows, 1):
        entries.append(judge.judge(row))
        tell(number)
    judge.recall()
    return Preview(entries, judge.rows, notes_from(batch.reading_notes))


def marked_checklist(
    batch: ImportBatch, today: dt.date, tell: ProgressCallback = ignore_progress
) -> MarkedSheet:
    """Return the rows of a batch as they were typed, their faults by column, all faults, and the
    reading notes.
    """
    found = preview_checklist(batch, today, tell)
    rows = {kind: list[TypedCell]() for kind in TEMPLATE_COLUMNS}
    for row, entry in zip(batch.rows, found.entries, strict=True):
        kind = row["kind"]
        names = {}
        for name, column in TEMPLATE_COLUMNS[kind].items():
            names[str(column.header)] = name
        faults = {
            names.get(fault.column, KEY_COLUMNS[kind][-1]): fault.words for fault in entry.faults
        }
        rows[kind].append(TypedCell(row["typed"], faults))
    return MarkedSheet(rows, found.faults, found.notes)


def confirm_checklist(
    batch: ImportBatch,
    user: User | None,
    seen: str,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> Preview | None:
    """Load what a person has seen in the preview, whole or not at all.

    Return the new preview where it differs.
    """
    with transaction.atomic():
        slugs = []
        for row in batch.rows:
            if row["kind"] == "policydocument":
                slugs.append(row["values"].get("slug"))
        list(PolicyDocument.objects.select_for_update().filter(slug__in=slugs).values_list("pk"))
        found = preview_checklist(batch, now.date())
        if found.digest != seen or found.faults:
            return found
        workflow.apply_checklist(
            batch,
            found.changes,
            ChangeContext(user, ChangeSource.IMPORT, batch.file_name),
            now,
            tell,
        )
    return None
