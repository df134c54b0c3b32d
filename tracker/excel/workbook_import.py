"""Workbooks that come back.

Opened with care, read by headers and codes, compared, and landed whole or not at all.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import IO, cast

from tracker import workflow
from tracker.domain.choices import BatchKind, ChangeSource
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import checklist_import, checklist_template, progress_import, progress_template
from tracker.excel.preview import Preview
from tracker.excel.reader import WorkbookReader, WorkbookRefused
from tracker.excel.sheet_survey import refuse_lacking, survey_sheets
from tracker.excel.table_reader import ReadingProgress, ReadingSteps
from tracker.models import ImportBatch, User


def reading_steps(file: IO[bytes], name: str, user: User | None) -> ReadingSteps[ImportBatch]:
    """Read a workbook of either kind, and yield how far it is where it is large.

    Return a batch, not saved yet.

    Refused says in words what is no such workbook.
    """
    book = WorkbookReader(file)
    kinds = checklist_import.checklist_sheet_kinds()
    parts = survey_sheets(book, kinds)
    if parts.find(checklist_import.FIRST_CHECKLIST_SHEET):
        return (yield from checklist_import.read_checklist(parts, name, user))
    if checklist_import.seems_ours(parts):
        refuse_lacking(parts, kinds, kinds)
        raise WorkbookRefused(checklist_import.no_policy())
    return (
        yield from progress_import.read_progress(
            survey_sheets(book, progress_import.progress_sheet_kinds()), name, user
        )
    )


def read_workbook(
    file: IO[bytes],
    name: str,
    user: User | None,
    tell: Callable[[ReadingProgress], object] = lambda told: None,
) -> ImportBatch:
    """Read a workbook to its end, as `reading` does, and tell how far it is."""
    steps = reading_steps(file, name, user)
    while True:
        try:
            tell(next(steps))
        except StopIteration as end:
            return cast(ImportBatch, end.value)


def preview_batch(
    batch: ImportBatch, user: User | None, today: dt.date, tell: ProgressCallback = ignore_progress
) -> Preview:
    """Say row by row what confirming a batch would do, and `tell` how far it is."""
    if batch.kind == BatchKind.CHECKLIST:
        return checklist_import.preview_checklist(batch, today, tell)
    return progress_import.preview_progress(batch, user, today, tell)


def confirm_batch(
    batch: ImportBatch,
    user: User | None,
    seen: str,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> Preview | None:
    """Write what was seen, whole or not at all; return the new preview where it differs.

    `tell` how far it is.
    """
    if batch.kind == BatchKind.CHECKLIST:
        return checklist_import.confirm_checklist(batch, user, seen, now, tell)
    return progress_import.confirm_progress(batch, user, seen, now, tell)


def save_marked_workbook(
    batch: ImportBatch,
    user: User | None,
    today: dt.date,
    file: IO[bytes],
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Write the rows of a batch as a workbook with the faults marked; `tell` how far it is.

    Half of the work on a row is to judge it, and half to write it.
    """
    written = count(len(batch.rows) + 1)

    def judge(number: int) -> None:
        tell(number // 2)

    def write(_number: int) -> None:
        tell(next(written) // 2)

    if batch.kind == BatchKind.CHECKLIST:
        checklist_template.save_marked_checklist(
            checklist_import.marked_checklist(batch, today, judge), today, file, write
        )
    else:
        progress_template.save_progress_template(
            replace(progress_import.marked_progress(batch, user, today, judge), tell=write), file
        )


def undo_batch(
    batch: ImportBatch,
    user: User | None,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Take back what a batch has made."""
    context = workflow.ChangeContext(user, ChangeSource.IMPORT, batch.file_name)
    if batch.kind == BatchKind.CHECKLIST:
        workflow.revert_checklist(batch, context, now, tell)
    else:
        workflow.revert_progress(batch, context, now, tell)
