"""What a report needs to be handed in."""

import datetime as dt

from django.utils.translation import gettext as _

from tracker.domain import lights
from tracker.domain.choices import Kind, ReportState
from tracker.models import ProgressUpdate, Task
from tracker.workflow.indicators import percent_after


def has_own_percent(task: Task) -> bool:
    """Say whether reports state the percent: no checklist and no indicator gives it."""
    return task.kind == Kind.QUANTIFIED and not task.follows_indicator and not task.items.all()


def missing_in_report(report: ProgressUpdate, task: Task, today: dt.date) -> dict[str, str]:
    """Return what a report lacks to be handed in, by field."""
    faults = {}
    if report.state == ReportState.DRAFT and not _may_be_reported(report, task, today):
        faults["period"] = _(
            "The period %(period)s can no longer be reported; choose the current one."
        ) % {"period": report.period.name(today)}
    if not report.progress.strip():
        faults["progress"] = _("Describe what has been done.")
    faults |= _missing_percent(report, task)
    if report.needs_help and not report.help_addressee.strip():
        faults["help_addressee"] = _("Enter who is asked for help.")
    return faults


def _may_be_reported(report: ProgressUpdate, task: Task, today: dt.date) -> bool:
    periods = lights.reportable(task, task.policy, today)
    # The lead unit may have been quicker: that ends nobody's contribution.
    if report.contribution:
        periods.append(lights.last_complete(lights.cycle_of(task.policy), today))
    return report.period in periods


def _missing_percent(report: ProgressUpdate, task: Task) -> dict[str, str]:
    """Return what is wrong with the percent of a report and the reason for its fall, by field."""
    faults = {}
    own = has_own_percent(task) and not report.contribution
    if own and report.percent is None:
        faults["percent"] = _("Enter the percentage, a whole number from 0 to 100.")
    if not own and report.percent is not None:
        faults["percent"] = _("No percentage is reported for this task.")
    if _percent_falls(report, task, own) and not report.fall_reason.strip():
        faults["fall_reason"] = _("%(percent)d%% was accepted before: explain why it falls.") % {
            "percent": task.percent
        }
    return faults


def _percent_falls(report: ProgressUpdate, task: Task, own: bool) -> bool:
    """Say whether the percent of the task falls when the report is accepted.

    `own` says that the report states the percent itself.
    """
    if report.contribution:
        return False
    if task.follows_indicator:
        return bool(report.figures) and percent_after(report, task) < task.percent
    return own and bool(task.latest_report) and (report.percent or 0) < task.percent
