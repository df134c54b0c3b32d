"""What is asked of a unit now, one line a task, and what waits for the office."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, F, Prefetch, Q, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tracker import workflow
from tracker.domain import lights
from tracker.domain.choices import (
    EDITABLE_REPORT_STATES,
    OPEN_STATUSES,
    RUNNING_STATUSES,
    STANDING_REPORT_STATES,
    Action,
    Light,
    ReportState,
    RequestState,
)
from tracker.domain.dates import DAY, Period
from tracker.models import Organization, ProgressUpdate, Task, TaskRequest
from tracker.models.task import (
    TaskQuerySet,
    cooperating,
    light_is,
    overdue,
    unacknowledged,
    unreported,
)

MAX_WORK_LINES = 50  # of one kind; the task list has them all


@dataclass(frozen=True)
class WorkKind:
    """Why a task is on the list, in which order, and what is done about it."""

    name: str
    words: str | Promise
    action: Action


# The most pressing first; a task stands under its first.
WORK_KINDS = (
    WorkKind("returned", _("returned: revise and resubmit"), Action.REPORT),
    WorkKind("overdue", pgettext_lazy("call", "overdue"), Action.REPORT),
    WorkKind("red", _("red light"), Action.REPORT),
    WorkKind("unacknowledged", _("not acknowledged yet"), Action.ACKNOWLEDGE),
    WorkKind("owing", _("report of this period missing"), Action.REPORT),
    WorkKind("warning", _("due soon or falling behind"), Action.REPORT),
)


@dataclass
class WorkLine:
    """A task on the list: why it is there, and the period that its button opens.

    `key` names the period in an address; `handed_in` says that its report waits for the office.
    """

    task: Task
    reasons: list[str]
    report: ProgressUpdate | None
    period: str
    key: str
    due: dt.date
    handed_in: bool


@dataclass
class WorkGroup:
    """The tasks of one work kind: those shown, and how many there are."""

    call: WorkKind
    total: int
    lines: list[WorkLine] = field(default_factory=list)


def work_groups(led: TaskQuerySet, unit: Organization, on: dt.date) -> list[WorkGroup]:
    """Group what is asked of a unit by its most pressing reason; the number of queries is fixed."""
    keys = _keys_by_place(led, unit, on)
    shown = []
    for each in keys:
        shown += each[:MAX_WORK_LINES]
    by_key = {}
    for task in _with_open_reports(Task.objects.filter(pk__in=shown), unit):
        by_key[task.pk] = task
    groups = []
    for kind, found in zip(WORK_KINDS, keys, strict=True):
        group = WorkGroup(kind, len(found))
        for key in found[:MAX_WORK_LINES]:
            if key in by_key:
                group.lines.append(_work_line(by_key[key], on))
        if group.total:
            groups.append(group)
    return groups


def _keys_by_place(led: TaskQuerySet, unit: Organization, on: dt.date) -> list[list[int]]:
    """Return the keys of the tasks of each work kind, in the order of WORK_KINDS."""
    conditions = _conditions(unit, on)
    cases = []
    for place, kind in enumerate(WORK_KINDS):
        cases.append(When(conditions[kind.name], then=Value(place)))
    rows = (
        led.annotate(call=Case(*cases))
        .filter(call__isnull=False)
        .order_by(F("deadline").asc(nulls_last=True), "policy", "sort_key")
        .values_list("call", "pk")
    )
    keys: list[list[int]] = []
    for _kind in WORK_KINDS:
        keys.append([])
    for place, key in rows:
        keys[place].append(key)
    return keys


def _conditions(unit: Organization, on: dt.date) -> dict[str, Q]:
    """Return the condition of the tasks of each work kind."""
    running = Q(status__in=RUNNING_STATUSES)
    by_light = light_is(on)
    returned = ProgressUpdate.objects.filter(
        unit=unit, contribution=False, state=ReportState.RETURNED
    )
    return {
        "returned": running & Q(pk__in=returned.values("task")),
        "overdue": running & overdue(on),
        "red": running & by_light[Light.RED],
        "owing": running & unreported(on, current=True),
        "unacknowledged": unacknowledged(),
        "warning": running & by_light[Light.YELLOW],
    }


def helping(tasks: TaskQuerySet, unit: Organization, on: dt.date) -> list[WorkLine]:
    """List the running tasks that a unit co-operates in, with its contribution at hand."""
    helped = tasks.filter(cooperating(unit), status__in=RUNNING_STATUSES).order_by(
        "policy", "sort_key"
    )
    lines = []
    for task in _with_open_reports(helped, unit)[:MAX_WORK_LINES]:
        lines.append(_work_line(task, on))
    return lines


def left_drafts(unit: Organization) -> Any:
    """Return the drafts of a unit in tasks that are not its own any more.

    Its words, to copy from.
    """
    drafts = ProgressUpdate.objects.filter(unit=unit, state=ReportState.DRAFT)
    own = Q(task__lead_unit=unit) | Q(
        task__in=Task.co_units.through.objects.filter(organization=unit).values("task")
    )
    written = drafts.exclude(own).exclude(progress="", problems="", next_steps="")
    related = written.select_related("task__policy").defer("task__policy__full_text")
    return related.order_by("task", "period_start")[:MAX_WORK_LINES]


def _with_open_reports(tasks: TaskQuerySet, unit: Organization) -> TaskQuerySet:
    at_hand = ProgressUpdate.objects.filter(unit=unit, state__in=EDITABLE_REPORT_STATES).order_by(
        "period_start", "pk"
    )
    related = tasks.select_related("policy").defer("policy__full_text")
    return related.prefetch_related(Prefetch("reports", queryset=at_hand, to_attr="at_hand"))


def _work_line(task: Any, on: dt.date) -> WorkLine:
    """Make the line of a task.

    The period that its button opens, and what is at hand for that period.
    """
    first = lights.reportable(task, task.policy, on)[0]
    for report in task.at_hand:
        report.task = task
    report = _report_to_continue(task, first)
    period = first
    handed_in = False
    if report:
        period = report.period
    else:
        waiting = [each for each in task.at_hand if each.state == ReportState.SUBMITTED]
        handed_in = any(each.period == period for each in waiting)
    return WorkLine(
        task=task,
        reasons=task.reasons_on(on),
        report=report,
        period=period.name(on),
        key=period.key(lights.cycle_of(task.policy)),
        due=period.end + task.policy.grace_days * DAY,
        handed_in=handed_in,
    )


def _report_to_continue(task: Any, first: Period) -> ProgressUpdate | None:
    """Return the first returned report of a task, else the open one of its first period."""
    reports = []
    for report in task.at_hand:
        if report.is_open and workflow.in_role_of_today([report], task):
            reports.append(report)
    for report in reports:
        if report.state == ReportState.RETURNED:
            return report
    for report in reports:
        if report.period == first:
            return report
    return None


@dataclass(frozen=True)
class Silence:
    """How many of a unit's tasks nobody has acknowledged or reported."""

    unit: Organization
    unacknowledged: int
    owing: int
    unreported: int


def silences(tasks: TaskQuerySet, on: dt.date) -> list[Silence]:
    """Count by lead unit, in official order, what has not been acknowledged and not been reported.

    Four queries.
    """
    counted: dict[int, list[int]] = {}
    for place, found in enumerate(
        (tasks.unacknowledged(on), tasks.owing(on), tasks.unreported(on))
    ):
        led = found.filter(lead_unit__isnull=False).order_by()
        for unit, number in led.values_list("lead_unit").annotate(Count("pk")):
            counted.setdefault(unit, [0, 0, 0])[place] = number
    silences = []
    for unit in Organization.objects.filter(pk__in=counted):
        silences.append(Silence(unit, *counted[unit.pk]))
    return silences


def waiting_reports(tasks: TaskQuerySet) -> Any:
    """Return the reports that wait for a review, the oldest first, with what their rows show."""
    related = ("task__policy", "task__lead_unit", "task__latest_report", "unit", "submitted_by")
    waiting = (
        ProgressUpdate.objects.of(tasks)
        .waiting()
        .select_related(*related)
        .defer("task__policy__full_text")
    )
    return waiting.annotate(proofs=Count("evidence", filter=Q(evidence__handed_in=True)))


def waiting_requests(tasks: TaskQuerySet) -> Any:
    """Return the requests that wait for a decision, the oldest first."""
    found = TaskRequest.objects.filter(
        state=RequestState.OPEN, task__in=tasks.order_by().values("pk")
    )
    related = found.select_related("task__policy", "task__lead_unit", "asked_by").defer(
        "task__policy__full_text"
    )
    return related.order_by("asked_on", "pk")


def asked_for_help(tasks: TaskQuerySet) -> Any:
    """Return the reports that ask or have asked for help, answered or not."""
    states = (*STANDING_REPORT_STATES, ReportState.RETURNED)
    found = ProgressUpdate.objects.of(tasks).filter(needs_help=True, state__in=states)
    return found.select_related("task__policy", "unit", "submitted_by").defer(
        "task__policy__full_text"
    )


def calls_for_help(tasks: TaskQuerySet) -> Any:
    """Return the calls for help without an answer, the oldest first."""
    found = ProgressUpdate.objects.of(tasks).asking_for_help()
    return found.select_related("task__policy", "unit", "submitted_by").defer(
        "task__policy__full_text"
    )


def counts(tasks: TaskQuerySet, on: dt.date) -> dict[str, int]:
    """Count what waits on each of the office's lists."""
    return {
        "reports": ProgressUpdate.objects.of(tasks).waiting().count(),
        "requests": waiting_requests(tasks).count(),
        "help": ProgressUpdate.objects.of(tasks).asking_for_help().count(),
        "silent": tasks.filter(
            Q(pk__in=tasks.unacknowledged(on).values("pk"))
            | Q(pk__in=tasks.owing(on).values("pk")),
            status__in=OPEN_STATUSES,
        ).count(),
    }


def neighbours(waiting: Sequence[int], key: int) -> tuple[int | None, int | None, int]:
    """Return the keys before and after one in a queue, and its place counted from 1.

    0 where it is not in it.
    """
    keys = list(waiting)
    if key not in keys:
        return None, next(iter(keys), None), 0
    place = keys.index(key)
    before = None
    if place:
        before = keys[place - 1]
    return before, next(iter(keys[place + 1 :]), None), place + 1
