"""Progress reports: a draft, handed in, accepted or returned; and what follows for the task."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from tracker import permissions, rules
from tracker.choices import Action, Kind, ReportState
from tracker.dates import Period
from tracker.models import Evidence, Organization, ProgressUpdate, Task
from tracker.workflow.core import Act, Stale, claim, erase, lay, lay_task
from tracker.workflow.indicators import land_figures, percent_after
from tracker.workflow.steps import attach, begin, check

MOST_UNCHANGED = 2  # reports in a row that say “no change”
TEXTS = ("progress", "problems", "next_steps")


def has_own_percent(task: Task) -> bool:
    """Say whether reports state the percent: of a quantified task without checklist, unless it follows an indicator."""
    return task.kind == Kind.QUANTIFIED and not task.follows_indicator and not task.items.all()


def open_report(task: Task, unit: Organization, period: Period) -> ProgressUpdate:
    """Return the report of a unit that is at hand for a period: begun, returned or waiting; else a new one."""
    at_hand = ProgressUpdate.objects.filter(task=task, unit=unit, period_start=period.start, period_end=period.end)
    report = at_hand.exclude(state=ReportState.ACCEPTED).select_related("unit").first() or ProgressUpdate(
        unit=unit, contribution=unit.pk != task.lead_unit_id, period_start=period.start, period_end=period.end
    )
    report.task = task
    return report


def last_report(task: Task, unit: Organization, before: ProgressUpdate | None = None) -> ProgressUpdate | None:
    """Return the latest report of a unit that stands, for another period or earlier in the same one."""
    found = ProgressUpdate.objects.filter(task=task, unit=unit, submitted_on__isnull=False)
    found = found.exclude(state=ReportState.RETURNED)
    return (found.exclude(pk=before.pk) if before and before.pk else found).order_by("-period_start", "-pk").first()


def save_draft(
    report: ProgressUpdate,
    act: Act,
    seen: int | None = None,
    *,
    evidence: Iterable[Evidence] = (),
    removed: Iterable[Evidence] = (),
    today: dt.date,
) -> None:
    """Keep what a unit has written so far; raise Stale on a newer version. A draft is in no history yet."""
    check(report.task, _action(report), act)
    with transaction.atomic():
        if report.pk and _stored(report).state not in (ReportState.DRAFT, ReportState.RETURNED):
            raise ValidationError(_("This report has been handed in already; withdraw it to change it."))
        new = claim(report, seen)
        try:
            lay(report)
        except ValidationError:
            # Of two who begin the same report the second is shown what the first has written.
            if new and open_report(report.task, report.unit, report.period).pk:
                raise Stale(report) from None
            raise
        attach(evidence, act, today, task=report.task, report=report)
        for piece in removed:
            erase(piece, act)


def submit(report: ProgressUpdate, act: Act, today: dt.date) -> None:
    """Hand a saved report in, or say field by field what is missing. Once: a second attempt changes nothing."""
    with transaction.atomic():
        action = _action(report)
        task, before = begin(report.task, action, act)
        stored = _stored(report)
        if not stored.is_open:
            raise ValidationError(_("This report has been handed in already."))
        _complete(stored, task, today)
        first = not stored.submitted_on
        stored.state, stored.submitted_by, stored.submitted_on = ReportState.SUBMITTED, act.user, today
        claim(stored, stored.version)
        lay(stored, act, first)
        _follow(action, task, before, act, today)


def submit_unchanged(task: Task, unit: Organization, act: Act, today: dt.date) -> ProgressUpdate:
    """Report for the period that is due that nothing has changed, in the words of the last report."""
    report = open_report(task, unit, rules.reportable(task, task.policy, today)[0])
    last = last_report(task, unit, report)
    latest = ProgressUpdate.objects.filter(task=task, unit=unit).standing().order_by("-period_start", "-pk")
    if not last:
        raise ValidationError(_("“No change” needs an earlier report."))
    if len(latest[:MOST_UNCHANGED]) == MOST_UNCHANGED and all(each.unchanged for each in latest[:MOST_UNCHANGED]):
        raise ValidationError(
            _("“No change” was reported %(count)d times in a row; say what is being done.") % {"count": MOST_UNCHANGED}
        )
    with transaction.atomic():
        for name in TEXTS:
            setattr(report, name, getattr(last, name))
        report.percent, report.unchanged = task.percent if has_own_percent(task) else None, True
        save_draft(report, act, today=today)
        submit(report, act, today)
    return report


def withdraw(report: ProgressUpdate, act: Act, today: dt.date) -> None:
    """Take a report back that nobody has reviewed yet, to write on."""
    _move(report, _action(report), act, today, ReportState.DRAFT)


def accept(report: ProgressUpdate, act: Act, seen: int, today: dt.date) -> None:
    """Accept a report as it was seen: its percent and texts are the task's from now on."""
    _move(report, Action.ACCEPT, act, today, ReportState.ACCEPTED, seen)


def send_back(report: ProgressUpdate, act: Act, seen: int, note: str, today: dt.date) -> None:
    """Return a report with the reason; its period counts as unreported again."""
    if not note.strip():
        raise ValidationError({"note": _("Give a reason.")})
    report.review_note = note
    _move(report, Action.RETURN, replace(act, reason=note), today, ReportState.RETURNED, seen)


def answer_help(report: ProgressUpdate, act: Act, answer: str, today: dt.date) -> None:
    """Answer a call for help; the unit reads it beside its report."""
    if act.user and not permissions.may_review(act.user):
        raise PermissionDenied
    if not answer.strip():
        raise ValidationError({"answer": _("Write an answer.")})
    with transaction.atomic():
        stored = _stored(report)
        if stored.help_answered_on:
            raise ValidationError(_("It has been answered already."))
        stored.help_answer, stored.help_answered_on = answer, today
        claim(stored, stored.version)
        lay(stored, act)


def _action(report: ProgressUpdate) -> Action:
    return Action.CONTRIBUTE if report.contribution else Action.REPORT


def _stored(report: ProgressUpdate) -> ProgressUpdate:
    return ProgressUpdate.objects.select_for_update(of=("self",)).select_related("unit").get(pk=report.pk)


def _move(
    report: ProgressUpdate, action: Action, act: Act, today: dt.date, state: ReportState, seen: int | None = None
) -> None:
    """Move a report that waits to another state, and the task with it."""
    with transaction.atomic():
        task, before = begin(report.task, action, act)
        stored = _stored(report)
        if stored.state != ReportState.SUBMITTED:
            raise ValidationError(
                _("The report does not wait for a review any more: it is %(state)s.")
                % {"state": stored.get_state_display()}
            )
        if seen is not None and stored.version != seen:
            raise Stale(stored)
        if state != ReportState.DRAFT:
            if act.user and not permissions.may_review(act.user, stored.submitted_by_id):
                raise PermissionDenied(_("Nobody reviews what they have asked for or reported themselves."))
            stored.reviewed_by, stored.reviewed_on = act.user, today
            stored.review_note = report.review_note if state == ReportState.RETURNED else ""
        stored.state = state
        claim(stored, stored.version)
        lay(stored, act)
        if state == ReportState.ACCEPTED:
            land_figures(stored, act)
            act = replace(act, reason=act.reason or stored.fall_reason)
        _follow(action, task, before, act, today)


def _follow(action: Action, task: Task, before: Task, act: Act, today: dt.date) -> None:
    """Let the task say what its reports say: the latest accepted one, and through which period they stand."""
    if action == Action.CONTRIBUTE:
        return
    reports = ProgressUpdate.objects.filter(task=task)
    task.latest_report = reports.standing().filter(state=ReportState.ACCEPTED).order_by("-period_start", "-pk").first()
    task.reported_through = reports.standing().aggregate(day=Max("period_end"))["day"]
    lay_task(task, before, act, today)


def _complete(report: ProgressUpdate, task: Task, today: dt.date) -> None:
    """Raise what a report lacks, field by field."""
    if faults := lacks(report, task, today):
        raise ValidationError(faults)


def lacks(report: ProgressUpdate, task: Task, today: dt.date) -> dict[str, str]:
    """Say what a report lacks to be handed in, field by field."""
    faults = {}
    periods = rules.reportable(task, task.policy, today)
    # The lead unit may have been quicker: that ends nobody's contribution.
    periods += [rules.last_complete(periods[-1].cycle, today)] if report.contribution else []
    offered = {period.start for period in periods}
    if report.state == ReportState.DRAFT and report.period_start not in offered:
        faults["period"] = _("The period %(period)s can no longer be reported; choose the one under way.") % {
            "period": report.period.name(today)
        }
    if not report.progress.strip():
        faults["progress"] = _("Say what has been done.")
    own = has_own_percent(task) and not report.contribution
    if own and report.percent is None:
        faults["percent"] = _("State the percent, a whole number from 0 to 100.")
    if not own and report.percent is not None:
        faults["percent"] = _("This task has no percent of its own to report.")
    if report.contribution:
        falls = False
    elif task.follows_indicator:
        falls = bool(report.figures) and percent_after(report, task) < task.percent
    else:
        falls = own and bool(task.latest_report) and (report.percent or 0) < task.percent
    if falls and not report.fall_reason.strip():
        faults["fall_reason"] = _("%(percent)d%% was accepted before: say why it falls.") % {"percent": task.percent}
    if report.needs_help and not report.help_addressee.strip():
        faults["help_addressee"] = _("Say who is asked for help.")
    return faults
