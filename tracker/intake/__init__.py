"""Workbooks that come back: opened with care, read by headers and codes, compared, and landed whole or not at all."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import IO, cast

from tracker import workflow
from tracker.choices import BatchKind, Way
from tracker.domain.tell import Tell, silent
from tracker.intake import checklist, progress
from tracker.intake.preview import Entry, Preview, preview_from
from tracker.intake.tables import Progress, Reading, refuse_lacking, survey
from tracker.intake.workbook import Refused, Workbook
from tracker.ledger import fillin, template
from tracker.models import ImportBatch, User

__all__ = [
    "Entry",
    "Preview",
    "Progress",
    "Reading",
    "Refused",
    "confirm",
    "preview",
    "preview_from",
    "read",
    "reading",
    "save_marked",
    "undo",
]


def reading(file: IO[bytes], name: str, user: User | None) -> Reading[ImportBatch]:
    """Read a workbook of either kind, and yield how far it is where it is large; return a batch, not saved yet.

    Refused says in words what is no such workbook.
    """
    book = Workbook(file)
    kinds = checklist.sheet_kinds()
    parts = survey(book, kinds)
    if parts.find(checklist.FIRST):
        return (yield from checklist.read(parts, name, user))
    if checklist.seems_ours(parts):
        refuse_lacking(parts, kinds, kinds)
        raise Refused(checklist.no_policy())
    return (yield from progress.read(survey(book, progress.sheet_kinds()), name, user))


def read(
    file: IO[bytes], name: str, user: User | None, tell: Callable[[Progress], object] = lambda told: None
) -> ImportBatch:
    """Read a workbook to its end, as `reading` does, and tell how far it is."""
    steps = reading(file, name, user)
    while True:
        try:
            tell(next(steps))
        except StopIteration as end:
            return cast(ImportBatch, end.value)


def preview(batch: ImportBatch, user: User | None, today: dt.date, tell: Tell = silent) -> Preview:
    """Say row by row what confirming a batch would do, and `tell` how far it is."""
    if batch.kind == BatchKind.CHECKLIST:
        return checklist.preview(batch, today, tell)
    return progress.preview(batch, user, today, tell)


def confirm(batch: ImportBatch, user: User | None, seen: str, now: dt.datetime, tell: Tell = silent) -> Preview | None:
    """Write what was seen, whole or not at all; return the new preview where it differs; `tell` how far it is."""
    return (checklist if batch.kind == BatchKind.CHECKLIST else progress).confirm(batch, user, seen, now, tell)


def save_marked(batch: ImportBatch, user: User | None, today: dt.date, file: IO[bytes], tell: Tell = silent) -> None:
    """Write the rows of a batch as a workbook with the faults marked; `tell` how far it is.

    Half of the work on a row is to judge it, and half to write it.
    """
    written = count(len(batch.rows) + 1)

    def judge(number: int) -> None:
        tell(number // 2)

    def write(_number: int) -> None:
        tell(next(written) // 2)

    if batch.kind == BatchKind.CHECKLIST:
        template.save_marked(checklist.marked(batch, today, judge), today, file, write)
    else:
        fillin.save(replace(progress.marked(batch, user, today, judge), tell=write), file)


def undo(batch: ImportBatch, user: User | None, now: dt.datetime, tell: Tell = silent) -> None:
    """Take back what a batch has made."""
    act = workflow.Act(user, Way.IMPORT, batch.file_name)
    (workflow.unload if batch.kind == BatchKind.CHECKLIST else workflow.undo)(batch, act, now, tell)
