"""The one write path: check the right, check the version, save, derive, record history.

Every form, command and import ends here. Each public function is one transaction: all of a
change lands, with one history row for each object it touched, or nothing does.
"""

from tracker.workflow.core import (
    DERIVED,
    Act,
    Outcome,
    Stale,
    adopt,
    choose_password,
    delete,
    derive,
    each,
    hand_over,
    refresh,
    save,
    save_all,
    save_task,
    set_deadline,
    set_status,
    settle,
    violation,
)
from tracker.workflow.imports import Change, Row, at_hand, base_of, keep, land, load, report_for, undo, unload
from tracker.workflow.indicators import as_reported, save_values
from tracker.workflow.overtaken import UndoRefused
from tracker.workflow.reminders import send_once
from tracker.workflow.reports import (
    MOST_UNCHANGED,
    accept,
    answer_help,
    has_own_percent,
    lacks,
    last_report,
    open_report,
    save_draft,
    send_back,
    submit,
    submit_unchanged,
    withdraw,
)
from tracker.workflow.steps import allowed, check, perform, tick
from tracker.workflow.table import STEPS

__all__ = [
    "DERIVED",
    "MOST_UNCHANGED",
    "STEPS",
    "Act",
    "Change",
    "Outcome",
    "Row",
    "Stale",
    "UndoRefused",
    "accept",
    "adopt",
    "allowed",
    "answer_help",
    "as_reported",
    "at_hand",
    "base_of",
    "check",
    "choose_password",
    "delete",
    "derive",
    "each",
    "hand_over",
    "has_own_percent",
    "keep",
    "lacks",
    "land",
    "last_report",
    "load",
    "open_report",
    "perform",
    "refresh",
    "report_for",
    "save",
    "save_all",
    "save_draft",
    "save_task",
    "save_values",
    "send_back",
    "send_once",
    "set_deadline",
    "set_status",
    "settle",
    "submit",
    "submit_unchanged",
    "tick",
    "undo",
    "unload",
    "violation",
    "withdraw",
]
