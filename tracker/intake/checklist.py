"""A policy's checklist that comes by workbook: a new policy, or additions and changes to one."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from tracker import parsing, permissions, workflow
from tracker.choices import BatchKind, Way
from tracker.columns import TEMPLATE, Column
from tracker.domain.tell import Tell, silent
from tracker.filters import cut
from tracker.intake.checklist_judge import FIRST, KEYS, LONG_TERM_VALUE, ChecklistJudge
from tracker.intake.preview import Preview
from tracker.intake.reading_notes import notes_from
from tracker.intake.tables import Reading, Record, SheetKind, Survey, Table, cleared, gather, refuse_lacking
from tracker.intake.workbook import Refused
from tracker.ledger import template
from tracker.ledger.note_sheet import ReadingNote
from tracker.ledger.template import Marked, Typed
from tracker.models import ImportBatch, PolicyDocument, User
from tracker.workflow import Act

# Without these headers a sheet is none of its kind.
NEEDED = {
    "policydocument": {"slug", "title"},
    "section": {"number", "name"},
    "measure": {"section", "code", "name"},
    "task": {"measure", "code", "title"},
    "checklistitem": {"code", "number", "title"},
}


def sheet_kinds() -> dict[str, SheetKind]:
    """Return the sheets of a template as they are read: merged cells go down, but never what names a row."""
    found = {}
    for kind, columns in TEMPLATE.items():
        own = {KEYS[kind][-1], "version"}
        filled = frozenset(columns) - own if kind != FIRST else frozenset()
        found[kind] = SheetKind(template.SHEETS[kind], columns, NEEDED[kind], filled_down=filled, hidden="version")
    return found


def seems_ours(found: Survey) -> bool:
    """Say whether a workbook without the sheet of a policy is a template all the same; a ledger is none."""
    named = any(header.names for header in found.lacking[FIRST])
    return named or any(found.complete[kind] for kind in ("section", "measure", "task"))


def no_policy() -> str:
    """Say what the sheet of the policy has to hold."""
    return _("The first sheet names one policy, by its short address and its title.")


def read(found: Survey, name: str, user: User | None) -> Reading[ImportBatch]:
    """Read a template into a batch, not saved yet."""
    if user and not permissions.may_edit_policies(user):
        raise Refused(_("Checklists of policies are loaded by the office alone."))
    kinds = sheet_kinds()
    headers = {kind: found.find(kind) for kind in kinds}
    missing = [kind for kind, header in headers.items() if not header]
    refuse_lacking(found, kinds, missing)
    tables = [
        Table(header, kinds[kind], partial(_row, kind, kinds[kind].columns))
        for kind, header in headers.items()
        if header
    ]
    rows, notes = yield from gather(found.book, tables)
    policies = [row for row in rows if row["kind"] == FIRST]
    if len(policies) != 1:
        raise Refused(no_policy())
    words = _("The file has no such sheet: nothing of it is read.")
    notes += [ReadingNote(str(kinds[kind].title), "", 0, words) for kind in missing]
    slug = str(policies[0]["values"].get("slug") or "")
    return ImportBatch(
        kind=BatchKind.CHECKLIST,
        file_name=cut(name),
        rows=rows,
        reading_notes=[note.as_json() for note in notes],
        read_by=user,
        policy=PolicyDocument.objects.filter(slug=slug).first(),
    )


def _row(kind: str, columns: Mapping[str, Column], record: Record) -> dict[str, Any]:
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
    return None if cleared(value) else value


def preview(batch: ImportBatch, today: dt.date, tell: Tell = silent) -> Preview:
    """Hold every row against the policy as it is stored, and `tell` how far it is; a fixed number of queries."""
    judge = ChecklistJudge(batch, today)
    entries = []
    for number, row in enumerate(batch.rows, 1):
        entries.append(judge.judge(row))
        tell(number)
    judge.recall()
    return Preview(entries, judge.rows, notes_from(batch.reading_notes))


def marked(batch: ImportBatch, today: dt.date, tell: Tell = silent) -> Marked:
    """Return the rows of a batch as they were typed, their faults by column, all faults, and the reading notes."""
    found, rows = preview(batch, today, tell), {kind: list[Typed]() for kind in TEMPLATE}
    for row, entry in zip(batch.rows, found.entries, strict=True):
        kind = row["kind"]
        names = {str(column.header): name for name, column in TEMPLATE[kind].items()}
        faults = {names.get(fault.column, KEYS[kind][-1]): fault.words for fault in entry.faults}
        rows[kind].append(Typed(row["typed"], faults))
    return Marked(rows, found.faults, found.notes)


def confirm(batch: ImportBatch, user: User | None, seen: str, now: dt.datetime, tell: Tell = silent) -> Preview | None:
    """Load what a person has seen in the preview, whole or not at all; return the new preview where it differs."""
    with transaction.atomic():
        slugs = [row["values"].get("slug") for row in batch.rows if row["kind"] == "policydocument"]
        list(PolicyDocument.objects.select_for_update().filter(slug__in=slugs).values_list("pk"))
        found = preview(batch, now.date())
        if found.digest != seen or found.faults:
            return found
        workflow.load(batch, found.changes, Act(user, Way.IMPORT, batch.file_name), now, tell)
    return None
