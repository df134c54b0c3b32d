"""Progress reports: a draft, handed in, accepted or returned; and what follows for the task."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.domain.choices import (
    EDITABLE_REPORT_STATES,
    STANDING_REPORT_STATES,
    Action,
    ReportState,
)
from tracker.domain.dates import Period
from tracker.models import Evidence, Organization, ProgressUpdate, Task
from tracker.workflow.deletion import delete_unchecked
from tracker.workflow.evidence import attach_evidence
from tracker.workflow.execution import check_transition, start_transition
from tracker.workflow.indicators import apply_figures, revert_figures
from tracker.workflow.report_checks import has_own_percent, missing_in_report
from tracker.workflow.rows import ChangeContext, StaleVersion, bump_version, save_row
from tracker.workflow.tasks import write_task
from tracker.workflow.transitions.table import TRANSITIONS

MAX_UNCHANGED_REPORTS = 2  # reports in a row that say “no change”
REPORT_TEXTS = ("progress", "problems", "next_steps")
# What a unit writes in a report.
REWORKED_FIELDS = (
    *REPORT_TEXTS,
    "percent",
    "fall_reason",
    "unchanged",
    "figures",
    "needs_help",
    "help_addressee",
)


def open_report(task: Task, unit: Organization, period: Period) -> ProgressUpdate:
    """Return the open report of a unit for a period, in its role of today; else a new one."""
    of_period = {"unit": unit, "period_start": period.start, "period_end": period.end}
    found = ProgressUpdate.objects.filter(
        task=task, state__in=EDITABLE_REPORT_STATES, **of_period
    ).select_related("unit")
    report = in_role_of_today(found, task) or ProgressUpdate(
        **of_period, contribution=unit.pk != task.lead_unit_id
    )
    report.task = task
    resume_rework(report)
    return report


def resume_rework(report: ProgressUpdate) -> None:
    """Put what its unit has written since a return in the place of what was returned."""
    for name, value in report.rework.items():
        setattr(report, name, value)


def in_role_of_today(reports: Iterable[ProgressUpdate], task: Task) -> ProgressUpdate | None:
    """Return the open report of a period that a unit continues in its present role.

    A draft that was begun before the lead unit changed is continued in the new role: nobody else
    has seen it. What was handed in or returned in the former role stays as it is.
    """
    drafts = []
    for report in reports:
        contributes = report.unit_id != task.lead_unit_id
        if report.contribution == contributes:
            return report
        if report.state == ReportState.DRAFT:
            drafts.append(report)
    for report in drafts:
        report.contribution = not report.contribution
    if drafts:
        return drafts[0]
    return None


def accepted_report(report: ProgressUpdate) -> ProgressUpdate | None:
    """Return the latest accepted report of the unit and period of another one, in the same role."""
    same = ProgressUpdate.objects.filter(
        task=report.task,
        unit=report.unit,
        period_start=report.period_start,
        period_end=report.period_end,
        contribution=report.contribution,
        state=ReportState.ACCEPTED,
    )
    return same.order_by("-pk").first()


def last_report(
    task: Task, unit: Organization, before: ProgressUpdate | None = None
) -> ProgressUpdate | None:
    """Return the latest standing report of a unit, other than `before`."""
    reports = ProgressUpdate.objects.filter(task=task, unit=unit, state__in=STANDING_REPORT_STATES)
    if before and before.pk:
        reports = reports.exclude(pk=before.pk)
    return reports.order_by("-period_start", "-pk").first()


def save_draft(
    report: ProgressUpdate,
    act: ChangeContext,
    seen: int | None = None,
    *,
    evidence: Iterable[Evidence] = (),
    removed: Iterable[Evidence] = (),
    today: dt.date,
) -> None:
    """Save what a unit has written so far; raise StaleVersion on a newer version.

    A draft is in no history yet.
    """
    check_transition(report.task, _action(report), act)
    with transaction.atomic():
        stored = None
        if report.pk:
            stored = _stored(report)
        if stored and not stored.is_open:
            raise ValidationError(_("This report was already submitted; withdraw it to change it."))
        new = bump_version(report, seen)
        try:
            if stored and stored.state == ReportState.RETURNED:
                _set_aside(report, stored)
            save_row(report)
            resume_rework(report)
        except ValidationError:
            # Of two who begin the same report the second is shown what the first has written.
            if new and open_report(report.task, report.unit, report.period).pk:
                raise StaleVersion(report) from None
            raise
        attach_evidence(evidence, act, today, task=report.task, report=report)
        for piece in removed:
            delete_unchecked(piece, act)


def _set_aside(report: ProgressUpdate, stored: ProgressUpdate) -> None:
    """Keep what was written since a return beside what was returned, which everybody reads."""
    report.rework = {name: getattr(report, name) for name in REWORKED_FIELDS}
    for name in REWORKED_FIELDS:
        setattr(report, name, getattr(stored, name))


def submit(report: ProgressUpdate, act: ChangeContext, today: dt.date) -> None:
    """Hand a saved report in, or say field by field what is missing.

    Once: a second attempt changes nothing.
    """
    with transaction.atomic():
        action = _action(report)
        task, before = start_transition(report.task, action, act)
        stored = _stored(report)
        if not stored.is_open:
            raise ValidationError(_("This report was already submitted."))
        resume_rework(stored)
        stored.rework = {}
        _complete(stored, task, today)
        first = not stored.submitted_on
        # The unit is called as on the day on which it hands in.
        stored.names.pop("unit", None)
        stored.state = ReportState.SUBMITTED
        stored.submitted_by = act.user
        stored.submitted_on = today
        bump_version(stored, stored.version)
        _hand_in_evidence(stored, act)
        save_row(stored, act, first)
        _follow(action, task, before, act, today)


def _hand_in_evidence(report: ProgressUpdate, act: ChangeContext) -> None:
    """Let the evidence of a report enter the history with it."""
    for piece in report.evidence.filter(handed_in=False):
        piece.handed_in = True
        if piece.history.exists():
            save_row(piece)
        else:
            save_row(piece, act, True)


def submit_unchanged(
    report: ProgressUpdate,
    act: ChangeContext,
    today: dt.date,
    *,
    seen: int | None = None,
    repeats: int | None = None,
) -> None:
    """Report for a period that nothing has changed, in the words of the last report.

    `seen` is the version of the report that the page showed, 0 where it showed none, and `repeats`
    the key of the last report. Raises StaleVersion where either is another one by now.
    """
    last = last_report(report.task, report.unit, report)
    if not last or last.contribution != report.contribution:
        raise ValidationError(_("“No change” requires an earlier report."))
    _check_unchanged(report)
    with transaction.atomic():
        if repeats not in (None, last.pk):
            raise StaleVersion(last)
        if seen not in (None, _shown_version(report)):
            raise StaleVersion(report)
        for name in REPORT_TEXTS:
            setattr(report, name, getattr(last, name))
        report.percent = None
        if has_own_percent(report.task) and not report.contribution:
            report.percent = report.task.percent
        report.unchanged = True
        save_draft(report, act, report.version, today=today)
        submit(report, act, today)


def _shown_version(report: ProgressUpdate) -> int:
    """Return the version that a page shows of a report, 0 for a new one."""
    if report.pk:
        return report.version
    return 0


def _check_unchanged(report: ProgressUpdate) -> None:
    """Say why “no change” cannot be reported.

    It was too often, or there are words that it would replace.
    """
    if not report.is_open:
        raise ValidationError(_("This report was already submitted."))
    if any(getattr(report, name).strip() for name in REPORT_TEXTS):
        raise ValidationError(
            _(
                "The draft of this period already contains text: submit it, or clear it to report "
                "“no change”."
            )
        )
    of_unit = ProgressUpdate.objects.filter(task=report.task, unit=report.unit)
    latest = of_unit.standing().order_by("-period_start", "-pk")[:MAX_UNCHANGED_REPORTS]
    if len(latest) == MAX_UNCHANGED_REPORTS and all(each.unchanged for each in latest):
        text = _("“No change” was reported %(count)d times in a row; describe what is being done.")
        raise ValidationError(text % {"count": MAX_UNCHANGED_REPORTS})


def withdraw(
    report: ProgressUpdate, act: ChangeContext, today: dt.date, seen: int | None = None
) -> None:
    """Take a report back that nobody has reviewed yet, to write on."""
    _move(report, _action(report), act, today, ReportState.DRAFT, seen)


def accept(report: ProgressUpdate, act: ChangeContext, seen: int, today: dt.date) -> None:
    """Accept a report as it was seen: its percent and texts are the task's from now on."""
    _move(report, Action.ACCEPT, act, today, ReportState.ACCEPTED, seen)


def send_back(
    report: ProgressUpdate, act: ChangeContext, seen: int, note: str, today: dt.date
) -> None:
    """Return a report with the reason; its period counts as unreported again."""
    if not note.strip():
        raise ValidationError({"note": _("Give a reason.")})
    report.review_note = note
    _move(report, Action.RETURN, replace(act, reason=note), today, ReportState.RETURNED, seen)


def withdraw_acceptance(
    report: ProgressUpdate, act: ChangeContext, seen: int | None, reason: str, today: dt.date
) -> None:
    """Take an acceptance back: the report waits again, and the task says what it said before.

    Where its unit has another report of the same period at hand by now, that one counts instead.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Give a reason.")})
    act = replace(act, reason=reason)
    with transaction.atomic():
        task, before = start_transition(report.task, Action.WITHDRAW_ACCEPTANCE, act)
        stored = _stored(report)
        if why := acceptance_is_final(stored, task):
            raise ValidationError(why)
        if seen is not None and stored.version != seen:
            raise StaleVersion(stored)
        _check_reviewer(stored, act)
        at_hand = ProgressUpdate.objects.filter(
            task=task,
            unit=stored.unit,
            period_start=stored.period_start,
            period_end=stored.period_end,
            contribution=False,
            state__in=EDITABLE_REPORT_STATES,
        )
        stored.state = ReportState.SUBMITTED
        if at_hand.exists():
            stored.state = ReportState.SUPERSEDED
        stored.reviewed_by = None
        stored.reviewed_on = None
        bump_version(stored, stored.version)
        save_row(stored, act)
        revert_figures(stored, act)
        task.percent = _percent_before(stored)
        _follow(Action.WITHDRAW_ACCEPTANCE, task, before, act, today)


def acceptance_is_final(report: ProgressUpdate, task: Task) -> str:
    """Say why the acceptance of a report cannot be taken back, whoever asks; empty where it can."""
    if report.state != ReportState.ACCEPTED:
        return _("The report is no longer accepted: it is %(state)s.") % {
            "state": report.get_state_display()
        }
    if report.pk != task.latest_report_id:
        return _("A later report of the task has been accepted: this acceptance cannot be undone.")
    # A final report of a period that shows the acceptance will be another reason.
    return ""


def _percent_before(report: ProgressUpdate) -> int:
    """Return the percent of the task before a report was accepted."""
    if report.percent_before is not None:
        return report.percent_before
    # Accepted by a version that did not keep it: the history of the task did.
    accepted = report.history.filter(state=ReportState.ACCEPTED).order_by("history_date").first()
    if not accepted:
        return 0
    earlier = Task.history.filter(id=report.task_id, history_date__lt=accepted.history_date)
    row = earlier.order_by("-history_date", "-history_id").first()
    if row:
        return row.percent
    return 0


def _check_reviewer(report: ProgressUpdate, act: ChangeContext) -> None:
    if act.user and not permissions.may_review(act.user, report.submitted_by_id):
        raise PermissionDenied(_("Nobody may review their own requests or reports."))


def answer_help(
    report: ProgressUpdate, act: ChangeContext, answer: str, today: dt.date, seen: int | None = None
) -> None:
    """Answer a call for help; the unit reads it beside its report."""
    if act.user and not permissions.may_review(act.user):
        raise PermissionDenied
    if not answer.strip():
        raise ValidationError({"answer": _("Write an answer.")})
    with transaction.atomic():
        stored = _stored(report)
        if stored.help_answered_on:
            raise ValidationError(_("It was already answered."))
        if seen is not None and stored.version != seen:
            raise StaleVersion(stored)
        stored.help_answer = answer
        stored.help_answered_on = today
        bump_version(stored, stored.version)
        save_row(stored, act)


def _action(report: ProgressUpdate) -> Action:
    if report.contribution:
        return Action.CONTRIBUTE
    return Action.REPORT


def _stored(report: ProgressUpdate) -> ProgressUpdate:
    return (
        ProgressUpdate.objects.select_for_update(of=("self",))
        .select_related("unit")
        .get(pk=report.pk)
    )


def _move(
    report: ProgressUpdate,
    action: Action,
    act: ChangeContext,
    today: dt.date,
    state: ReportState,
    seen: int | None = None,
) -> None:
    """Move a report that waits to another state, and the task with it."""
    with transaction.atomic():
        task, before = start_transition(report.task, action, act)
        stored = _stored(report)
        if stored.state != ReportState.SUBMITTED:
            raise ValidationError(
                _("The report is no longer awaiting review: it is %(state)s.")
                % {"state": stored.get_state_display()}
            )
        if seen is not None and stored.version != seen:
            raise StaleVersion(stored)
        if state != ReportState.DRAFT:
            _note_review(stored, act, today)
            stored.review_note = ""
        if state == ReportState.RETURNED:
            stored.review_note = report.review_note
        stored.state = state
        if state == ReportState.ACCEPTED:
            stored.percent_before = before.percent
        bump_version(stored, stored.version)
        save_row(stored, act)
        if state == ReportState.DRAFT:
            stored.evidence.update(handed_in=False)
        if state == ReportState.ACCEPTED:
            apply_figures(stored, act)
            act = replace(act, reason=act.reason or stored.fall_reason)
        _follow(action, task, before, act, today)


def _note_review(report: ProgressUpdate, act: ChangeContext, today: dt.date) -> None:
    """Note who reviews a report; raise for a contribution and for one's own report."""
    if report.contribution:
        text = _("A contribution is shown next to the report of the lead unit and is not reviewed.")
        raise ValidationError(text)
    _check_reviewer(report, act)
    report.reviewed_by = act.user
    report.reviewed_on = today


def _follow(action: Action, task: Task, before: Task, act: ChangeContext, today: dt.date) -> None:
    """Set on a task its latest accepted report, and the last day that reports cover."""
    if not TRANSITIONS[action].changes_task:
        return
    reports = ProgressUpdate.objects.filter(task=task)
    task.latest_report = (
        reports.standing()
        .filter(state=ReportState.ACCEPTED)
        .order_by("-period_start", "-pk")
        .first()
    )
    task.reported_through = reports.standing().aggregate(day=Max("period_end"))["day"]
    write_task(task, before, act, today)


def _complete(report: ProgressUpdate, task: Task, today: dt.date) -> None:
    """Raise what a report lacks, field by field."""
    if faults := missing_in_report(report, task, today):
        raise ValidationError(faults)
