"""Save pieces of evidence."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from tracker.models import Evidence
from tracker.workflow.rows import ChangeContext, save_row


def attach_evidence(
    evidence: Iterable[Evidence], act: ChangeContext, today: dt.date, **to: Any
) -> None:
    """Save pieces of evidence of a task, and of its report, step or request, named in `to`.

    Those of a report are handed in with it and are in no history before.
    """
    for piece in evidence:
        piece.added_by = act.user
        piece.added_on = today
        for name, value in to.items():
            setattr(piece, name, value)
        if "report" in to:
            piece.handed_in = False
            save_row(piece)
        else:
            piece.handed_in = True
            save_row(piece, act)
