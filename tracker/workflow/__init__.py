"""The one write path: check the right, check the version, save, derive, record history.

Every form, command and import ends here. Each public function is one transaction: all of a
change is stored, with one history row for each object it touched, or nothing is.
"""

from tracker.workflow import rules_version
from tracker.workflow.accounts import choose_password, reset_password
from tracker.workflow.checklist_writer import ChecklistChange
from tracker.workflow.checks import check_task
from tracker.workflow.deletion import delete_object
from tracker.workflow.derivation import DERIVED, derive_task, refresh_tasks
from tracker.workflow.execution import (
    allowed_actions,
    check_transition,
    execute_transition,
    tick_item,
)
from tracker.workflow.imports import (
    ReportChange,
    apply_checklist,
    apply_progress,
    base_report,
    latest_reports,
    report_for,
    revert_checklist,
    revert_progress,
    store_batch,
)
from tracker.workflow.indicators import as_reported, save_values
from tracker.workflow.later_changes import LaterChange, UndoRefused, changed_since
from tracker.workflow.reminders import send_once
from tracker.workflow.report_checks import has_own_percent, missing_in_report
from tracker.workflow.reports import (
    MAX_UNCHANGED_REPORTS,
    REPORT_TEXTS,
    accept,
    acceptance_is_final,
    accepted_report,
    answer_help,
    in_role_of_today,
    last_report,
    open_report,
    save_draft,
    send_back,
    submit,
    submit_unchanged,
    withdraw,
    withdraw_acceptance,
)
from tracker.workflow.rows import ChangeContext, StaleVersion, explain_violation
from tracker.workflow.tasks import (
    hand_over,
    save_task,
    set_deadline,
    set_status,
    validate_change,
)
from tracker.workflow.transitions.base import Transition
from tracker.workflow.transitions.closing import missing_for_closing
from tracker.workflow.transitions.progress import moved_step_text
from tracker.workflow.transitions.table import TRANSITIONS
from tracker.workflow.units import UnitMovePlan, make_move, plan_move, undo_move
from tracker.workflow.writes import (
    BulkOutcome,
    after_fixture_load,
    apply_to_each,
    save_object,
    save_objects,
)
