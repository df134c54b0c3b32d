"""Every figure of the report pages: one aggregate query for each table of figures, dataclasses out.

The conditions are those of `TaskQuerySet`, and each figure knows the filter of the list that shows
exactly the tasks it counts. The formulas are those of the domain, section 5.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, F, Q, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from tracker.domain import lights
from tracker.domain.choices import GROUP_LIGHTS, Kind, Light, LightGroup, Status
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, Task
from tracker.models.task import FORECAST_DAYS, TaskQuerySet, light_is, overdue, unreported
from tracker.reports.filters import METRICS, NO_VALUE, TOTAL_METRIC


@dataclass(frozen=True)
class Counts:
    """How many tasks there are, how many of each of the five groups, and what lies across them."""

    total: int = 0
    done: int = 0
    normal: int = 0
    warning: int = 0
    red: int = 0
    idle: int = 0
    on_time: int = 0
    overdue: int = 0
    unreported: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        sums = {}
        for field in fields(Counts):
            sums[field.name] = getattr(self, field.name) + getattr(other, field.name)
        return Counts(**sums)


@dataclass(frozen=True)
class Metric:
    """One number, its name, and the query string of the list behind it."""

    name: str
    label: str | Promise
    value: int
    query: str


@dataclass(frozen=True)
class StatRow:
    """The figures of one thing: a section, a unit, a kind, a policy, or all tasks.

    `asks` is the filter of the list of this row; `rank` is set where rows are ranked.
    """

    of: Any
    label: str | Promise
    counts: Counts
    asks: Mapping[str, str]
    rank: int | None = None

    def figure(self, name: str) -> Metric:
        """Return a figure with the filter of its list."""
        label, asks = METRICS[name]
        return Metric(name, label, getattr(self.counts, name), urlencode({**self.asks, **asks}))

    @property
    def groups(self) -> list[Metric]:
        """Return the five figures that add up to the total."""
        return [self.figure(str(group)) for group in LightGroup]

    @property
    def total(self) -> Metric:
        """Return the number of tasks, the cancelled ones apart."""
        return self.figure(TOTAL_METRIC)

    @property
    def beside(self) -> list[Metric]:
        """Return the figures that lie across the groups."""
        return [self.figure("overdue"), self.figure("unreported")]

    @property
    def closing_rate(self) -> Fraction | None:
        """Return closed / total; None without tasks."""
        if self.counts.total:
            return Fraction(self.counts.done, self.counts.total)
        return None

    @property
    def on_time_rate(self) -> Fraction | None:
        """Return closed on time / closed; None where nothing is closed."""
        if self.counts.done:
            return Fraction(self.counts.on_time, self.counts.done)
        return None


@dataclass(frozen=True)
class OverdueTask:
    """A task past its deadline: by how many days, and the sentences that explain its light."""

    task: Task
    days: int
    reasons: list[str]


@dataclass(frozen=True)
class MissingReport:
    """A task whose report is missing: for which period, and the last day of grace."""

    task: Task
    period: str
    due: dt.date


@dataclass(frozen=True)
class Forecast:
    """A task that will turn if nothing is reported: when, into which light, and why then."""

    task: Task
    day: dt.date
    days: int
    light: Light
    reasons: list[str]


@dataclass(frozen=True)
class ForecastDay:
    """How many tasks turn on a day if nothing is reported, and into which light."""

    day: dt.date
    yellow: int
    red: int


def by_section(
    tasks: TaskQuerySet, policy: PolicyDocument, on: dt.date, asks: Mapping[str, str]
) -> list[StatRow]:
    """Count the tasks of each section, in the order of the text."""
    found = _grouped(tasks, "measure__section", on)
    rows = []
    for part in policy.sections.all():
        asked = {**asks, "section": str(part.number)}
        rows.append(StatRow(part, str(part), found.get(part.pk, Counts()), asked))
    return rows


def by_measure(
    tasks: TaskQuerySet, policy: PolicyDocument, on: dt.date, asks: Mapping[str, str]
) -> list[StatRow]:
    """Count the tasks of each measure and each general demand, in the order of the text."""
    found = _grouped(tasks, "measure", on)
    rows = []
    for measure in policy.measures.all():
        asked = {**asks, "measure": measure.code}
        rows.append(StatRow(measure, str(measure), found.get(measure.pk, Counts()), asked))
    return rows


def by_unit(tasks: TaskQuerySet, on: dt.date, asks: Mapping[str, str]) -> list[StatRow]:
    """Count the tasks that each unit leads, ranked by closing rate.

    Those without a lead come last.
    """
    found = _grouped(tasks, "lead_unit", on)
    units = Organization.objects.filter(pk__in=[key for key in found if key])
    rows = []
    for unit in units:
        asked = {**asks, "lead": str(unit.pk)}
        rows.append(StatRow(unit, unit.short_name, found[unit.pk], asked))
    rows = ranked_rows(rows)
    if None in found:
        rows.append(StatRow(None, _("no lead unit"), found[None], {**asks, "lead": NO_VALUE}))
    return rows


def by_helper(tasks: TaskQuerySet, on: dt.date, asks: Mapping[str, str]) -> list[StatRow]:
    """Count the tasks that each unit co-operates in.

    A task of several units is counted with each.
    """
    found = _grouped(tasks, "co_units", on)
    units = Organization.objects.filter(pk__in=[key for key in found if key])
    rows = []
    for unit in units:
        asked = {**asks, "helping": str(unit.pk)}
        rows.append(StatRow(unit, unit.short_name, found[unit.pk], asked))
    return rows


def by_kind(tasks: TaskQuerySet, on: dt.date, asks: Mapping[str, str]) -> list[StatRow]:
    """Count the tasks of each kind, in the order of the kinds; those without a kind come last."""
    found = _grouped(tasks, "kind", on)
    names: list[tuple[str, Any]] = [*Kind.choices, ("", _("kind not set"))]
    rows = []
    for value, label in names:
        if value in found:
            rows.append(StatRow(value, label, found[value], {**asks, "kind": value or NO_VALUE}))
    return rows


def by_policy(
    tasks: TaskQuerySet, policies: Iterable[PolicyDocument], on: dt.date, asks: Mapping[str, str]
) -> list[StatRow]:
    """Count the tasks of each policy."""
    found = _grouped(tasks, "policy", on)
    rows = []
    for policy in policies:
        rows.append(StatRow(policy, policy.title, found.get(policy.pk, Counts()), asks))
    return rows


def all_of(rows: Iterable[StatRow], asks: Mapping[str, str]) -> StatRow:
    """Add up rows that share no task."""
    counts = sum((row.counts for row in rows), Counts())
    return StatRow(None, METRICS[TOTAL_METRIC][0], counts, asks)


def row_of(tasks: TaskQuerySet, on: dt.date, of: Any, asks: Mapping[str, str]) -> StatRow:
    """Count some tasks as one row."""
    counts = {}
    for name, count in tasks.aggregate(**_aggregates(on)).items():
        counts[name.removeprefix("count_")] = count
    return StatRow(of, METRICS[TOTAL_METRIC][0], Counts(**counts), asks)


def ranked_rows(rows: Iterable[StatRow]) -> list[StatRow]:
    """Rank rows by closing rate, equal ranks for equal rates.

    Rows without tasks have none and stand last.

    Within a rank the rows keep the order in which they came.
    """
    ranked: list[StatRow] = []
    for place, row in enumerate(sorted(rows, key=_by_rate), start=1):
        rank: int | None = place
        if ranked and ranked[-1].closing_rate == row.closing_rate:
            rank = ranked[-1].rank
        if row.closing_rate is None:
            ranked.append(row)
        else:
            ranked.append(replace(row, rank=rank))
    return ranked


def overdue_tasks(tasks: TaskQuerySet, on: dt.date, limit: int) -> list[OverdueTask]:
    """Return the tasks that are longest past their deadline."""
    longest = tasks.overdue(on).order_by("deadline", "code_key", "policy_id")
    found = []
    for task in _first(longest, limit):
        if task.deadline:
            days = (lights.judged_on(task, on) - task.deadline).days
            found.append(OverdueTask(task, days, task.reasons_on(on)))
    return found


def missing_reports(tasks: TaskQuerySet, on: dt.date, limit: int) -> list[MissingReport]:
    """Return the tasks whose report is missing, those that owe for longest first."""
    longest = tasks.unreported(on).order_by(
        F("reported_through").asc(nulls_first=True), "owed_from", "code_key", "policy_id"
    )
    missing = []
    for task in _first(longest, limit):
        period = lights.first_owed(task, task.policy)
        if period:
            due = period.end + task.policy.grace_days * DAY
            missing.append(MissingReport(task, period.name(on), due))
    return missing


def forecast(tasks: TaskQuerySet, on: dt.date, limit: int) -> list[Forecast]:
    """Return the tasks that turn next if nothing is reported, the soonest first."""
    soonest = (
        tasks.turning(on)
        .annotate(next_turn=_next_turn(on))
        .order_by("next_turn", "code_key", "policy_id")
    )
    found = []
    for task in _first(soonest, limit):
        day = task.next_turn
        found.append(Forecast(task, day, (day - on).days, task.light_on(day), task.reasons_on(day)))
    return found


def forecast_days(tasks: TaskQuerySet, on: dt.date) -> list[ForecastDay]:
    """Count what turns next on each day of the forecast; the days add up to the tasks that turn."""
    turns = tasks.turning(on).annotate(next_turn=_next_turn(on)).order_by().values_list("next_turn")
    counted = turns.annotate(
        every=Count("pk"), red=Count("pk", filter=Q(turns_red_on=F("next_turn")))
    )
    found = {}
    for day, every, red in counted:
        found[day] = (every - red, red)
    days = []
    for number in range(1, FORECAST_DAYS + 1):
        day = on + number * DAY
        days.append(ForecastDay(day, *found.get(day, (0, 0))))
    return days


def _next_turn(on: dt.date) -> Case:
    """Return the next turning date.

    Yellow never comes after red, so a yellow day still ahead, else the red one.
    """
    return Case(When(turns_yellow_on__gt=on, then=F("turns_yellow_on")), default=F("turns_red_on"))


def _by_rate(row: StatRow) -> Fraction:
    if row.closing_rate is None:
        return Fraction(1)
    return -row.closing_rate


def _first(tasks: TaskQuerySet, limit: int) -> Any:
    """Fetch the first tasks with what explains their lights and what comes next.

    Without the text of the policy.
    """
    related = tasks.select_related("policy", "lead_unit", "latest_report")
    return related.defer("policy__full_text")[:limit]


def _grouped(tasks: TaskQuerySet, key: str, on: dt.date) -> dict[Any, Counts]:
    """Count tasks for each value of a column, all figures in one query."""
    rows = tasks.order_by().values_list(key).annotate(**_aggregates(on))
    found = {}
    for value, *counts in rows:
        found[value] = Counts(*counts)
    return found


def _aggregates(on: dt.date) -> dict[str, Count]:
    """Return an aggregate for each figure, in the order of the fields of `Counts`."""
    by_light = light_is(on)
    conditions = {
        TOTAL_METRIC: ~Q(status=Status.CANCELLED),
        "on_time": by_light[Light.BLUE],
        "overdue": overdue(on),
        "unreported": unreported(on),
    }
    for group in LightGroup:
        conditions[str(group)] = reduce(or_, [by_light[light] for light in GROUP_LIGHTS[group]])
    # Every task has a policy, and the indexes that serve the figures hold it; they do not hold the
    # key.
    found = {}
    for field in fields(Counts):
        found[f"count_{field.name}"] = Count("policy", filter=conditions[field.name])
    return found
