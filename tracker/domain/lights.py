"""The light: turning dates, their causes, and the sentence that explains them. Pure.

Every reason for a yellow or red light has a first day. So the question is never "what is the
light today?" but "on which day does this task turn, if nothing more is reported, and why?".
The day asked for only decides which of those days have passed. Nobody else compares dates.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracker.domain.choices import OPEN_STATUSES, Cycle, Direction, Kind, Light, LightCause, Status
from tracker.domain.dates import DAY, Period, first_period_from, period_of


class TaskFacts(Protocol):
    """What the rules read of a task."""

    kind: str
    status: str
    start: dt.date | None
    deadline: dt.date | None
    percent: int
    owed_from: dt.date | None
    reported_through: dt.date | None
    closing_requested_on: dt.date | None
    closed_on: dt.date | None


class Thresholds(Protocol):
    """What the rules read of a policy document."""

    warn_days: int
    yellow_gap: int
    red_gap: int
    cycle: str
    grace_days: int


class IndicatorFacts(Protocol):
    """What the rules read of an indicator; `actual` is its latest value."""

    direction: str
    baseline: Decimal | None
    target: Decimal
    actual: Decimal | None


@dataclass(frozen=True)
class LightChange:
    """One cause and the days from which it makes a task yellow and red; None is never.

    Yellow never comes after red: a cause that names only a red day, or a later yellow one, is
    yellow from the red day on. Every count relies on it, and a constraint of the database holds it
    too.
    """

    cause: LightCause
    yellow_on: dt.date | None
    red_on: dt.date | None

    def __post_init__(self) -> None:
        if self.red_on and (self.yellow_on is None or self.yellow_on > self.red_on):
            object.__setattr__(self, "yellow_on", self.red_on)

    def light(self, on: dt.date) -> Light | None:
        """Return the light that this cause alone gives on a day."""
        if self.red_on and self.red_on <= on:
            return Light.RED
        if self.yellow_on and self.yellow_on <= on:
            return Light.YELLOW
        return None


def light_changes(task: TaskFacts, policy: Thresholds) -> list[LightChange]:
    """Return every cause that can turn the light of a task, nothing more being reported."""
    if task.status not in OPEN_STATUSES:
        return []
    changes = [_deadline(task, policy), _behind(task, policy), _unreported(task, policy)]
    return list(filter(None, changes))


def turning_dates(task: TaskFacts, policy: Thresholds) -> tuple[dt.date | None, dt.date | None]:
    """Return the first day on which a task is yellow, and red: the two stored columns."""
    changes = light_changes(task, policy)
    yellow_days = [change.yellow_on for change in changes if change.yellow_on]
    red_days = [change.red_on for change in changes if change.red_on]
    return min(yellow_days, default=None), min(red_days, default=None)


def judged_on(task: TaskFacts, on: dt.date) -> dt.date:
    """Return the day that counts: while closing is asked for, the day of the request."""
    if task.status == Status.CLOSING and task.closing_requested_on:
        return task.closing_requested_on
    return on


def light_on_day(task: TaskFacts, policy: Thresholds, on: dt.date) -> Light:
    """Return the light of a task on a day."""
    if task.status == Status.CANCELLED:
        return Light.NONE
    if task.status == Status.CLOSED:
        if _is_closed_late(task):
            return Light.PURPLE
        return Light.BLUE
    if task.status == Status.SUSPENDED:
        return Light.GREY
    yellow_on, red_on = turning_dates(task, policy)
    on = judged_on(task, on)
    if red_on and red_on <= on:
        return Light.RED
    if yellow_on and yellow_on <= on:
        return Light.YELLOW
    if task.status == Status.NOT_STARTED:
        return Light.GREY
    return Light.GREEN


def _is_closed_late(task: TaskFacts) -> bool:
    return bool(task.deadline and task.closed_on and task.closed_on > task.deadline)


def _is_measured(task: TaskFacts) -> bool:
    """Say whether progress is expected of a task in proportion to time."""
    has_days = task.start and task.deadline and task.start != task.deadline
    return bool(task.kind == Kind.QUANTIFIED and has_days)


def expected_percent(task: TaskFacts, on: dt.date) -> float | None:
    """Return time-proportional progress, 0 to 100 and not rounded; None where it is not judged."""
    if not task.start or not task.deadline or not _is_measured(task):
        return None
    share = 100 * (on - task.start).days / (task.deadline - task.start).days
    return min(100.0, max(0.0, share))


def first_owed(task: TaskFacts, policy: Thresholds) -> Period | None:
    """Return the first period for which a report is owed and none stands."""
    if not task.owed_from or policy.cycle == Cycle.NONE or task.status not in OPEN_STATUSES:
        return None
    day = task.owed_from
    if task.reported_through:
        day = max(day, task.reported_through + DAY)
    return first_period_from(policy.cycle, day)


def light_reasons(task: TaskFacts, policy: Thresholds, on: dt.date) -> list[str]:
    """Explain a light in sentences, the most serious first; every light has at least one."""
    day = judged_on(task, on)
    changes = light_changes(task, policy)
    sentences = []
    for light in (Light.RED, Light.YELLOW):
        for change in changes:
            if change.light(day) == light:
                sentences.append(_explain(change, task, policy, day))
    return list(filter(None, sentences)) or [_calm(task, day)]


def _deadline(task: TaskFacts, policy: Thresholds) -> LightChange | None:
    if not task.deadline:
        return None
    return LightChange(
        LightCause.DEADLINE, task.deadline - policy.warn_days * DAY, task.deadline + DAY
    )


def _behind(task: TaskFacts, policy: Thresholds) -> LightChange | None:
    if not task.start or not task.deadline or not _is_measured(task):
        return None
    start = task.start
    days = (task.deadline - start).days

    def first_day(gap: int) -> dt.date | None:
        points = task.percent + gap
        # Whole numbers only: the first day on which 100 * passed / days >= points.
        if points <= 100:
            return start + -(-points * days // 100) * DAY
        return None

    return LightChange(LightCause.BEHIND, first_day(policy.yellow_gap), first_day(policy.red_gap))


def _unreported(task: TaskFacts, policy: Thresholds) -> LightChange | None:
    period = first_owed(task, policy)
    if not period:
        return None
    following = period.next()
    grace = policy.grace_days * DAY
    return LightChange(
        LightCause.UNREPORTED, following.start + grace, following.next().start + grace
    )


def _explain(change: LightChange, task: TaskFacts, policy: Thresholds, on: dt.date) -> str:
    """Say one cause; `on` is a day on which it holds."""
    if change.cause == LightCause.DEADLINE and task.deadline:
        return _explain_deadline((task.deadline - on).days)
    if change.cause == LightCause.BEHIND:
        expected = expected_percent(task, on)
        if expected is not None:
            # Rounded down: a gap shown is never larger than the gap that was judged.
            return _(
                "%(percent)d%% done, %(expected)d%% expected by now, %(gap)d points behind"
            ) % {
                "percent": task.percent,
                "expected": int(expected),
                "gap": int(expected) - task.percent,
            }
    if change.cause == LightCause.UNREPORTED:
        period = first_owed(task, policy)
        if period:
            return _explain_unreported(_missed(period, policy, on), on)
    return ""


def _explain_deadline(left: int) -> str:
    if left > 0:
        return _days_left(left)
    if left == 0:
        return _("due today")
    return ngettext("%(days)d day overdue", "%(days)d days overdue", -left) % {"days": -left}


def _explain_unreported(missed: list[Period], on: dt.date) -> str:
    if len(missed) == 1:
        return _("no report for %(period)s") % {"period": missed[0].name(on)}
    text = ngettext(
        "no report for %(count)d period since %(period)s",
        "no report for %(count)d periods in a row since %(period)s",
        len(missed),
    )
    return text % {"count": len(missed), "period": missed[0].name(on)}


def _missed(period: Period, policy: Thresholds, on: dt.date) -> list[Period]:
    """List the periods whose grace has run out before or on a day, beginning with one that has."""
    missed = []
    latest = on - policy.grace_days * DAY
    while (following := period.next()).start <= latest:
        missed.append(period)
        period = following
    return missed


def _calm(task: TaskFacts, on: dt.date) -> str:
    """Say why a task is neither yellow nor red."""
    if task.status == Status.CLOSED and task.closed_on:
        return _closed_text(task.closed_on, task.deadline)
    if task.status == Status.CLOSING:
        return _("closing requested on %(day)s, awaiting the decision of the office") % {
            "day": on.isoformat()
        }
    if task.status not in OPEN_STATUSES:
        return str(Status(task.status).label)
    is_waiting = task.status == Status.NOT_STARTED
    if not task.deadline:
        if is_waiting:
            return _("not started, no deadline yet")
        return _("no deadline")
    left = (task.deadline - on).days
    if not is_waiting:
        return _days_left(left)
    return ngettext(
        "not started, %(days)d day to the deadline",
        "not started, %(days)d days to the deadline",
        left,
    ) % {"days": left}


def _closed_text(closed_on: dt.date, deadline: dt.date | None) -> str:
    values: dict[str, object] = {"closed": closed_on.isoformat()}
    if not deadline:
        return _("closed on %(closed)s") % values
    values["deadline"] = deadline.isoformat()
    if closed_on <= deadline:
        return _("closed on %(closed)s, on time for %(deadline)s") % values
    late = (closed_on - deadline).days
    values["days"] = late
    text = ngettext(
        "closed on %(closed)s, %(days)d day after %(deadline)s",
        "closed on %(closed)s, %(days)d days after %(deadline)s",
        late,
    )
    return text % values


def _days_left(days: int) -> str:
    return ngettext("%(days)d day to the deadline", "%(days)d days to the deadline", days) % {
        "days": days
    }


def last_complete(cycle: str, on: dt.date) -> Period:
    """Return the latest period that has ended before a day.

    A task whose `owed_from` is on or before its start, and whose `reported_through` is not past
    it, owes a report on that day: `TaskQuerySet.unreported` asks the database just that.
    """
    period = period_of(cycle, on)
    return period_of(cycle, period.start - DAY)


def reportable(task: TaskFacts, policy: Thresholds, on: dt.date) -> list[Period]:
    """Return the periods to report for on a day: every one owed, and the current one.

    Where no reports are owed, units may report for the month.
    """
    current = period_of(cycle_of(policy), on)
    periods = []
    period = first_owed(task, policy)
    while period and period.start < current.start:
        periods.append(period)
        period = period.next()
    return [*periods, current]


def cycle_of(policy: Thresholds) -> str:
    """Return the cycle in which a policy takes reports: where none are owed, the month."""
    if policy.cycle == Cycle.NONE:
        return Cycle.MONTHLY
    return policy.cycle


def missing_facts(figure: IndicatorFacts) -> Decimal | None:
    """Return how much an indicator lacks to its target, 0 from there on; None without a value."""
    if figure.actual is None:
        return None
    return max(_way(figure, figure.actual), Decimal(0))


def achieved_percent(figure: IndicatorFacts) -> int | None:
    """Return how much of the way from baseline to target is done, in percent, rounded down.

    None without a value, and where the baseline is unknown or already at the target or beyond.
    """
    if figure.baseline is None or (left := missing_facts(figure)) is None:
        return None
    way = _way(figure, figure.baseline)
    if way > 0:
        return int(100 * max(way - left, Decimal(0)) // way)
    return None


def _way(figure: IndicatorFacts, start: Decimal) -> Decimal:
    """Measure from an amount to the target, forwards."""
    if figure.direction == Direction.UP:
        return figure.target - start
    return start - figure.target
