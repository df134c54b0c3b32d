"""A fill-in workbook that comes back: read into a batch, previewed, and confirmed."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.domain import lights, parsing, permissions
from tracker.domain.choices import BatchKind
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import xlsx_writer
from tracker.excel.import_feedback import Fault, notes_as_json
from tracker.excel.preview import Preview, PreviewRow
from tracker.excel.progress_columns import SO_FAR_SUFFIX, report_columns, step_columns
from tracker.excel.progress_comparer import SPOILT_KEY_TEXT, ProgressComparer
from tracker.excel.progress_rows import FillInRow, RowKey, read_key
from tracker.excel.progress_tasks import find_item
from tracker.excel.progress_template import FillInRequest
from tracker.excel.reader import WorkbookRefused
from tracker.excel.sheet_survey import SheetKind, SheetRecord, Survey, find_sheets
from tracker.excel.table_reader import ReadingSteps, Table, asks_to_clear, read_tables
from tracker.models import ImportBatch, User
from tracker.reports.columns import SHARE_FORMAT, Column
from tracker.reports.filters import shorten_value

FIRST_PROGRESS_SHEET = "reports"


def progress_sheet_kinds() -> dict[str, SheetKind]:
    """Return the sheets of a fill-in workbook as they are read: their keys and codes too."""
    return {
        "reports": _sheet_kind(xlsx_writer.FILL_IN, report_columns(), {"key", "code", "progress"}),
        "steps": _sheet_kind(xlsx_writer.STEPS, step_columns(), {"key", "code", "done"}),
    }


def _sheet_kind(title: str | Promise, columns: Mapping[str, Column], needed: set[str]) -> SheetKind:
    read = dict(columns)
    read["key"] = replace(columns["key"], parse=parsing.parse_light_mark)
    read["code"] = replace(columns["code"], parse=parsing.parse_code)
    filled_down = frozenset(column.name for column in columns.values() if column.fills)
    return SheetKind(title, read, needed, filled_down=filled_down, hidden="key", titled=True)


def read_progress(found: Survey, name: str, user: User | None) -> ReadingSteps[ImportBatch]:
    """Read a fill-in workbook into a batch, not saved yet.

    WorkbookRefused says what cannot be read at all.
    """
    kinds = progress_sheet_kinds()
    headers = find_sheets(found, kinds)
    if FIRST_PROGRESS_SHEET not in headers:
        raise WorkbookRefused(_no_reports(kinds[FIRST_PROGRESS_SHEET]))
    tables = []
    for kind, header in headers.items():
        store = partial(_stored_row, kinds[kind].columns)
        tables.append(Table(header, kinds[kind], store))
    rows, notes = yield from read_tables(found.book, tables)
    _mark_twice(rows)
    unit = None
    if user:
        unit = permissions.works_for(user)
    return ImportBatch(
        kind=BatchKind.PROGRESS,
        file_name=shorten_value(name),
        rows=rows,
        reading_notes=notes_as_json(notes),
        read_by=user,
        unit=unit,
    )


def _no_reports(kind: SheetKind) -> str:
    """Say that no sheet has the headers that a sheet of reports needs."""
    headers = []
    for name, column in kind.columns.items():
        if name in kind.needed:
            headers.append(str(column.header))
    return _(
        "No sheet has these headers in one row: %(names)s. Download the workbook again and fill in "
        "the new one."
    ) % {"names": pgettext("list", ", ").join(headers)}


def _stored_row(columns: Mapping[str, Column], record: SheetRecord) -> dict[str, Any]:
    """Return what is stored of a row: key, values, what it showed as reported so far, faults."""
    faults = dict(record.faults)
    text = str(record.values.get("key") or "")
    code = str(record.values.get("code") or "")
    key = read_key(text)
    _check_key(key, code, faults)
    if key and not code:
        code = key.code
    values = _values_to_store(columns, record, faults)
    typed = record.typed()
    then = {}
    for name, value in typed.items():
        if name.endswith(SO_FAR_SUFFIX):
            then[name] = value
    return {
        "sheet": record.sheet,
        "row": record.number,
        "key": text,
        "code": code,
        "step": str(record.values.get("number", "")),
        "values": values,
        "then": then,
        "typed": typed,
        "faults": faults,
    }


def _check_key(key: RowKey | None, code: str, faults: dict[str, str]) -> None:
    """Note a key that was spoilt, or one that belongs to another task than the code."""
    if not key:
        faults.setdefault("key", str(SPOILT_KEY_TEXT))
    elif code and "key" not in faults and code != key.code:
        faults["code"] = _(
            "The row belongs to the task %(code)s: a part of the columns was sorted or moved "
            "without the others."
        ) % {"code": key.code}


def _values_to_store(
    columns: Mapping[str, Column], record: SheetRecord, faults: dict[str, str]
) -> dict[str, Any]:
    """Return the values of the cells to fill in; one that is to be erased is an empty text."""
    values: dict[str, Any] = {}
    for column in columns.values():
        if not column.fills or column.name not in record.values:
            continue
        value = record.values[column.name]
        if asks_to_clear(value):
            if column.format == SHARE_FORMAT:
                faults[column.name] = _("A percentage cannot be cleared.")
            value = ""
        values[column.name] = value
    return values


def _mark_twice(rows: list[dict[str, Any]]) -> None:
    """Mark the rows of a task that stands in the file twice: nobody knows which one counts."""
    identities = [_identity(row) for row in rows]
    counts = Counter(identities)
    for row, identity in zip(rows, identities, strict=True):
        if identity and counts[identity] > 1:
            row["faults"]["code"] = _("This task appears in the sheet more than once.")


def _identity(row: dict[str, Any]) -> object:
    """Return what may stand in a file once: a task, the unit that reports, and a step."""
    key = read_key(row["key"])
    if not key:
        return None
    return key.slug, key.code, key.unit, row["step"]


def preview_progress(
    batch: ImportBatch, user: User | None, today: dt.date, tell: ProgressCallback = ignore_progress
) -> Preview:
    """Compare every row with what is stored, and `tell` how many are done.

    A fixed number of queries.
    """
    comparer = ProgressComparer(batch, user, today, shown=True)
    entries = []
    for number, row in enumerate(batch.rows, 1):
        entries.append(comparer.compare(row))
        tell(number)
    return Preview(entries, list(comparer.changes.values()), comparer.notes())


def slugs_of_keys(batch: ImportBatch) -> set[str]:
    """Return the short addresses of the policies that a batch is about."""
    return {row["key"].split("/")[0] for row in batch.rows}


def marked_progress(
    batch: ImportBatch, user: User | None, today: dt.date, tell: ProgressCallback = ignore_progress
) -> FillInRequest:
    """Return the rows as a fill-in workbook with the faults marked and what was typed in its cells.

    `tell` is called with the number of rows that are compared.
    """
    comparer = ProgressComparer(batch, user, today, shown=True)
    reports: list[FillInRow] = []
    steps: list[FillInRow] = []
    faults: list[Fault] = []
    for number, row in enumerate(batch.rows, 1):
        entry = comparer.compare(row)
        tell(number)
        faults += entry.faults
        marked = _marked_row(comparer, row, entry, today)
        if marked and marked.item:
            steps.append(marked)
        elif marked:
            reports.append(marked)
    unit = None
    for marked_row in (*reports, *steps):
        unit = unit or marked_row.unit
    return FillInRequest(unit, reports, steps, today, faults, comparer.notes())


def _marked_row(
    comparer: ProgressComparer, row: dict[str, Any], entry: PreviewRow, today: dt.date
) -> FillInRow | None:
    """Return a row with what was typed; None where its task or step is not found."""
    found = comparer.find(read_key(row["key"]))
    if not found:
        return None
    task, unit = found
    item = find_item(task, row["step"])
    if row["step"] and not item:
        return None
    names = {header: name for name, header in comparer.headers.items()}
    marks = {}
    for fault in entry.faults:
        marks[names.get(fault.column, "code")] = fault.words
    period = lights.reportable(task, task.policy, today)[0]
    return comparer.row_of(
        task, unit, period, item, key=row["key"], typed=row["typed"], faults=marks
    )
