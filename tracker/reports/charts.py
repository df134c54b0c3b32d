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
    """A day on the line: its shape, its words, and its place in percent of the width, as SVG writes
    it.
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
    """A task's term with its days, what is done of it, and the light that each stretch will have."""

    marks: list[ChartMark]
    term: BarStretch
    expected: BarStretch | None
    done: BarStretch | None
    ahead: list[BarStretch]


def time_bar(task: Task, policy: PolicyDocument, on: dt.date) -> TimeBar | None:
    """Lay out the term of a task on a line that holds all its days.

    None without a start and a later deadline.
    """
    start = task.start or task.assigned_on
    deadline = task.deadline
    if not start or not deadline or start >= deadline:
        return None
    days = []
    for mark in _days(task, start, on):
        if mark[2]:
            days.append(mark)
    first = min(day for *_words, day in days)
    last = max(day for *_words, day in days)
    length = (last - first).days

    def place(day: dt.date) -> float:
        return 100 * (day - first).days / length

    def stretch(name: str, left: float, right: float) -> BarStretch:
        return BarStretch(name, f"{left:.2f}%", f"{max(right - left, 0):.2f}%")

    def share(percent: float) -> float:
        return place(start) + percent / 100 * (place(deadline) - place(start))

    expected = expected_percents(task, on)
    yellow = task.turns_yellow_on
    red = task.turns_red_on
    ahead = []
    if yellow and yellow != red:
        ahead.append(stretch("warning", place(yellow), place(red) if red else 100))
    if red:
        ahead.append(stretch("red", place(red), 100))
    return TimeBar(
        marks=[ChartMark(name, words, day, f"{place(day):.2f}%") for name, words, day in days],
        term=stretch("term", place(start), place(deadline)),
        expected=None if expected is None else stretch("expected", place(start), share(expected)),
        done=stretch("done", place(start), share(task.percent)) if task.has_percent else None,
        ahead=ahead,
    )


def expected_percents(task: Task, on: dt.date) -> float | None:
    """Return what should be done on the day that counts.

    None where nothing is expected any more.
    """
    if task.status in OPEN_STATUSES:
        return lights.expected_percent(task, lights.judged_on(task, on))
    return None


def _days(task: Task, start: dt.date, on: dt.date) -> list[tuple[str, str, dt.date]]:
    """Name the days of a task, in the order in which they are listed."""
    if task.original_deadline != task.deadline:
        moved = task.original_deadline
    else:
        moved = None
    named = [
        ("today", _("the day asked for"), on),
        ("start", _("start"), start),
        ("original", _("original deadline"), moved),
        ("deadline", _("current deadline"), task.deadline),
        ("requested", _("closing requested on"), task.closing_requested_on),
        ("closed", _("closed on"), task.closed_on),
        ("yellow", _("turns yellow on"), task.turns_yellow_on),
        ("red", _("turns red on"), task.turns_red_on),
    ]
    found = []
    for name, words, day in named:
        if day:
            found.append((name, words, day))
    return found


# the highest and the lowest value, in pixels from above
TOP = 6
BOTTOM = 50


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
    """Lay the values of an indicator out over the days until its target; None without a value."""
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
    low = min(*known.values(), indicator.target)
    high = max(*known.values(), indicator.target)

    def across(day: dt.date) -> str:
        return f"{2 + 96 * (day - first).days / ((last - first).days or 1):.2f}%"

    def down(value: Decimal) -> int:
        if high > low:
            return BOTTOM - round((BOTTOM - TOP) * (value - low) / (high - low))
        return TOP

    points = [TrendPoint(day, known[day], across(day), down(known[day])) for day in days]
    return Trend(points, list(pairwise(points)), down(indicator.target))
