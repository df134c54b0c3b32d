"""Places on a line of time: a task's term, the values of an indicator.

Geometry alone: no light is judged here.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from tracker.domain import lights
from tracker.domain.choices import OPEN_STATUSES
from tracker.models import Indicator, PolicyDocument, Task

# The shape of each mark; a shape is drawn on the line and stands before its words below it.
SHAPES = {
    "today": "▼",
    "start": "├",
    "original": "◇",
    "deadline": "◆",
    "requested": "▽",
    "closed": "✓",
    "yellow": "▲",
    "red": "■",
}


@dataclass(frozen=True)
class ChartMark:
    """A day on the line: its name, its label, and its place.

    `at` is in percent of the width, as SVG writes it.
    """

    name: str
    words: str | Promise
    day: dt.date
    at: str

    @property
    def shape(self) -> str:
        """Return the shape of the mark."""
        return SHAPES[self.name]


@dataclass(frozen=True)
class BarStretch:
    """A part of the line: where it begins and how long it is."""

    name: str
    at: str
    width: str


@dataclass(frozen=True)
class TimeBar:
    """A task's term with its days, what is done of it, and the lights to come."""

    marks: list[ChartMark]
    term: BarStretch
    expected: BarStretch | None
    done: BarStretch | None
    ahead: list[BarStretch]


@dataclass(frozen=True)
class TimeScale:
    """The days of a line, and where each stands on it."""

    first: dt.date
    last: dt.date

    def place(self, day: dt.date) -> float:
        """Return the place of a day in percent of the width."""
        return 100 * (day - self.first).days / (self.last - self.first).days

    def stretch(self, name: str, left: float, right: float) -> BarStretch:
        """Return the part of the line between two places."""
        return BarStretch(name, f"{left:.2f}%", f"{max(right - left, 0):.2f}%")


def time_bar(task: Task, policy: PolicyDocument, on: dt.date) -> TimeBar | None:
    """Draw the term of a task on a line that shows all its days.

    None without a start and a later deadline.
    """
    start = task.start or task.assigned_on
    deadline = task.deadline
    if not start or not deadline or start >= deadline:
        return None
    named = _days(task, start, on)
    days = [day for *_text, day in named]
    scale = TimeScale(min(days), max(days))
    left = scale.place(start)
    length = scale.place(deadline) - left
    expected = None
    expected_percent = expected_percents(task, on)
    if expected_percent is not None:
        expected = scale.stretch("expected", left, left + expected_percent / 100 * length)
    done = None
    if task.has_percent:
        done = scale.stretch("done", left, left + task.percent / 100 * length)
    marks = []
    for name, text, day in named:
        marks.append(ChartMark(name, text, day, f"{scale.place(day):.2f}%"))
    return TimeBar(
        marks=marks,
        term=scale.stretch("term", left, scale.place(deadline)),
        expected=expected,
        done=done,
        ahead=_lights_ahead(task, scale),
    )


def _lights_ahead(task: Task, scale: TimeScale) -> list[BarStretch]:
    """Return the stretches in which the light of a task will be yellow and red."""
    yellow = task.turns_yellow_on
    red = task.turns_red_on
    ahead = []
    if yellow and yellow != red:
        end = 100.0
        if red:
            end = scale.place(red)
        ahead.append(scale.stretch("warning", scale.place(yellow), end))
    if red:
        ahead.append(scale.stretch("red", scale.place(red), 100))
    return ahead


def expected_percents(task: Task, on: dt.date) -> float | None:
    """Return what should be done on the day that counts.

    None where nothing is expected any more.
    """
    if task.status in OPEN_STATUSES:
        return lights.expected_percent(task, lights.judged_on(task, on))
    return None


def _days(task: Task, start: dt.date, on: dt.date) -> list[tuple[str, str, dt.date]]:
    """Name the days of a task, in the order in which they are listed."""
    original = None
    if task.original_deadline != task.deadline:
        original = task.original_deadline
    named = [
        ("today", _("the requested day"), on),
        ("start", _("start"), start),
        ("original", _("original deadline"), original),
        ("deadline", _("current deadline"), task.deadline),
        ("requested", _("closing requested on"), task.closing_requested_on),
        ("closed", _("closed on"), task.closed_on),
        ("yellow", _("turns yellow on"), task.turns_yellow_on),
        ("red", _("turns red on"), task.turns_red_on),
    ]
    known = []
    for name, text, day in named:
        if day:
            known.append((name, text, day))
    return known


# Where the highest and the lowest value of a trend stand, in pixels from above.
TREND_TOP = 6
TREND_BOTTOM = 50


@dataclass(frozen=True)
class TrendPoint:
    """A value on the line: across in percent of the width, down in pixels."""

    day: dt.date
    value: Decimal
    x: str
    y: int


@dataclass(frozen=True)
class Trend:
    """The values of an indicator as a line from its baseline on, and the height of its target."""

    points: list[TrendPoint]
    steps: list[tuple[TrendPoint, TrendPoint]]
    target: int


def trend(indicator: Indicator) -> Trend | None:
    """Draw the values of an indicator over the days until its target; None without a value."""
    known = {}
    for each in indicator.values.all():
        known[each.day] = each.value
    if not known:
        return None
    if indicator.baseline is not None and indicator.baseline_on:
        known.setdefault(indicator.baseline_on, indicator.baseline)
    days = sorted(known)
    first = days[0]
    last = max(days[-1], indicator.target_on or days[-1])
    length = (last - first).days or 1
    low = min(*known.values(), indicator.target)
    high = max(*known.values(), indicator.target)

    def down(value: Decimal) -> int:
        if high > low:
            height = TREND_BOTTOM - TREND_TOP
            return TREND_BOTTOM - round(height * (value - low) / (high - low))
        return TREND_TOP

    points = []
    for day in days:
        across = f"{2 + 96 * (day - first).days / length:.2f}%"
        points.append(TrendPoint(day, known[day], across, down(known[day])))
    return Trend(points, list(pairwise(points)), down(indicator.target))
