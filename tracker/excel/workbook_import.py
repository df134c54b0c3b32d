"""Workbooks that come back: read, compared with what is stored, and saved whole or not at all."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import IO, cast

from django.db import transaction

from tracker import workflow
from tracker.domain.choices import BatchKind, ChangeSource
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import checklist_import, checklist_template, progress_import, progress_template
from tracker.excel.preview import Preview
from tracker.excel.reader import WorkbookReader, WorkbookRefused
from tracker.excel.sheet_survey import refuse_lacking, survey_sheets
from tracker.excel.table_reader import ReadingProgress, ReadingSteps
from tracker.models import ImportBatch, PolicyDocument, User
from tracker.workflow import ChangeContext


def reading_steps(file: IO[bytes], name: str, user: User | None) -> ReadingSteps[ImportBatch]:
    """Read a workbook of either kind into a batch, not saved yet; yield how far a large one is.

    WorkbookRefused says what is wrong with a file that is no such workbook.
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
    tell: Callable[[ReadingProgress], object] = lambda progress: None,
) -> ImportBatch:
    """Read a workbook to its end, as `reading_steps` does, and `tell` how far it is."""
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
    """Save what a person has seen in the preview, whole or not at all.

    Return the new preview where it differs; `tell` how many changes are saved.
    """
    with transaction.atomic():
        _lock_policies(batch)
        preview = preview_batch(batch, user, now.date())
        if preview.digest != seen or preview.faults:
            return preview
        context = ChangeContext(user, ChangeSource.IMPORT, batch.file_name)
        if batch.kind == BatchKind.CHECKLIST:
            workflow.apply_checklist(batch, preview.changes, context, now, tell)
        else:
            workflow.apply_progress(batch, preview.changes, context, now, tell)
    return None


def _lock_policies(batch: ImportBatch) -> None:
    """Lock the policies of a batch while its rows are compared and saved."""
    if batch.kind == BatchKind.CHECKLIST:
        slugs = checklist_import.slugs_of_checklist(batch)
    else:
        slugs = progress_import.slugs_of_keys(batch)
    policies = PolicyDocument.objects.select_for_update().filter(slug__in=slugs)
    list(policies.order_by("pk").values_list("pk"))


def save_marked_workbook(
    batch: ImportBatch,
    user: User | None,
    today: dt.date,
    file: IO[bytes],
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Write the rows of a batch as a workbook with the faults marked; `tell` how far it is.

    Half of the work on a row is to compare it, and half to write it.
    """
    written = count(len(batch.rows) + 1)

    def tell_compared(number: int) -> None:
        tell(number // 2)

    def tell_written(_number: int) -> None:
        tell(next(written) // 2)

    if batch.kind == BatchKind.CHECKLIST:
        marked = checklist_import.marked_checklist(batch, today, tell_compared)
        checklist_template.save_marked_checklist(marked, today, file, tell_written)
    else:
        request = progress_import.marked_progress(batch, user, today, tell_compared)
        progress_template.save_progress_template(replace(request, tell=tell_written), file)


def undo_batch(
    batch: ImportBatch,
    user: User | None,
    now: dt.datetime,
    tell: ProgressCallback = ignore_progress,
) -> None:
    """Undo what a batch has changed."""
    context = ChangeContext(user, ChangeSource.IMPORT, batch.file_name)
    if batch.kind == BatchKind.CHECKLIST:
        workflow.revert_checklist(batch, context, now, tell)
    else:
        workflow.revert_progress(batch, context, now, tell)
