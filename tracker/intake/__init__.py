"""Workbooks that come back: opened with care, read by headers and codes, compared, and landed whole or not at all."""

import datetime as dt
from typing import IO

from tracker import workflow
from tracker.choices import Way
from tracker.intake import progress
from tracker.intake.preview import Entry, Preview
from tracker.intake.progress import confirm, preview, read
from tracker.intake.workbook import Refused
from tracker.ledger import fillin
from tracker.models import ImportBatch, User

__all__ = ["Entry", "Preview", "Refused", "confirm", "preview", "read", "save_marked", "undo"]


def save_marked(batch: ImportBatch, user: User | None, today: dt.date, file: IO[bytes]) -> None:
    """Write the rows of a batch as a workbook with the faults marked."""
    fillin.save(progress.marked(batch, user, today), file)


def undo(batch: ImportBatch, user: User | None, now: dt.datetime) -> None:
    """Take back what a batch has made."""
    workflow.undo(batch, workflow.Act(user, Way.IMPORT, batch.file_name), now)
