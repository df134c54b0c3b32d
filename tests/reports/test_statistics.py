"""The figures, against plain Python over every task, and against the lists that they link to."""

import datetime as dt
import random
from collections import Counter
from fractions import Fraction

import pytest
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker.domain import lights
from tracker.domain.choices import (
    OPEN_STATUSES,
    RUNNING_STATUSES,
    Cycle,
    Kind,
    Light,
    PolicyState,
    Status,
)
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, Task
from tracker.reports import statistics
from tracker.reports.filters import METRICS, QueryReader, TaskFilter
from tracker.reports.statistics import Counts, StatRow
from tracker.workflow import refresh_tasks

LATER = TODAY + 40 * DAY
DAYS = (TODAY, LATER, TODAY - 90 * DAY)


def scatter(policy: PolicyDocument, units: list[Organization], count: int, seed: int = 7) -> None:
    """Lay tasks of every status, kind and delay, under both measures, led by some units or by none."""
    dice, measures = random.Random(seed), list(policy.measures.all())

    def task(number: int) -> Task:
        measure, kind = dice.choice(measures), dice.choice([*Kind, ""])
        status = (
            list(Status)[number]
            if number < len(Status)
            else dice.choice([*Status, Status.IN_PROGRESS])
        )
        start = TODAY - dice.randint(0, 200) * DAY
        deadline = (
            None
            if kind == Kind.STANDING or dice.random() < 0.2
            else start + dice.randint(0, 300) * DAY
        )
        owed = TODAY - dice.randint(0, 150) * DAY if dice.random() < 0.5 else None
        asked_on = TODAY - dice.randint(0, 30) * DAY
        return Task(
            policy=policy,
            measure=measure,
            code=f"{measure.code}-{number:03}",
            title=f"Task {number}",
            kind=kind,
            status=status,
            start=start,
            original_deadline=deadline,
            deadline=deadline,
            percent=dice.randint(0, 100) if kind == Kind.QUANTIFIED else 0,
            lead_unit=dice.choice([*units, None]),
            owed_from=owed,
            reported_through=owed and owed + dice.randint(0, 60) * DAY,
            closing_requested_on=asked_on if status == Status.CLOSING else None,
            closed_on=asked_on if status == Status.CLOSED else None,
        )

    Task.objects.bulk_create(task(number) for number in range(count))
    refresh_tasks([policy.pk])


@pytest.fixture
def units(bureau: Organization, county: Organization) -> list[Organization]:
    return [bureau, county]


@pytest.fixture
def scattered(policy: PolicyDocument, units: list[Organization]) -> PolicyDocument:
    scatter(policy, units, 120)
    return policy


def plain(tasks: list[Task], on: dt.date) -> Counts:
    """Count in Python what `numbers` counts in SQL: by the pure rules, one task after the other."""
    shown = Counter(lights.light_on_day(task, task.policy, on) for task in tasks)
    owed = [
        period
        for task in tasks
        if task.status in RUNNING_STATUSES
        and (period := lights.first_owed(task, task.policy))
        and period.end < on
    ]
    late = [
        task
        for task in tasks
        if task.status in OPEN_STATUSES
        and task.deadline
        and lights.judged_on(task, on) > task.deadline
    ]
    return Counts(
        total=sum(task.status != Status.CANCELLED for task in tasks),
        done=shown[Light.BLUE] + shown[Light.PURPLE],
        normal=shown[Light.GREEN],
        warning=shown[Light.YELLOW],
        red=shown[Light.RED],
        idle=shown[Light.GREY],
        on_time=shown[Light.BLUE],
        overdue=len(late),
        unreported=len(owed),
    )


def listed(row: StatRow, name: str, policy: PolicyDocument, on: dt.date) -> int:
    """Count the tasks of the list that a figure links to."""
    asked = QueryReader(QueryDict(row.figure(name).query))
    chosen = TaskFilter(asked, Task.objects.filter(policy=policy), policy, on)
    asked.reject_unknown()
    assert asked.faults == []
    return chosen.qs.count()


def rows_of(policy: PolicyDocument, on: dt.date) -> list[StatRow]:
    tasks = Task.objects.filter(policy=policy)
    tables = [
        statistics.by_section(tasks, policy, on, {}),
        statistics.by_unit(tasks, on, {}),
        statistics.by_kind(tasks, on, {}),
        statistics.by_policy(tasks, [policy], on, {}),
    ]
    return [row for table in tables for row in [*table, statistics.all_of(table, {})]]


@pytest.mark.parametrize("on", DAYS)
@pytest.mark.parametrize("cycle", Cycle)
def test_the_figures_of_a_policy_are_those_of_plain_counting(
    scattered: PolicyDocument, on: dt.date, cycle: Cycle
) -> None:
    PolicyDocument.objects.filter(pk=scattered.pk).update(cycle=cycle)
    refresh_tasks([scattered.pk])
    tasks = Task.objects.select_related("policy")
    assert statistics.by_policy(Task.objects.all(), [scattered], on, {})[0].counts == plain(
        list(tasks), on
    )


@pytest.mark.parametrize("on", DAYS)
def test_the_figures_of_each_section_are_those_of_plain_counting(
    scattered: PolicyDocument, on: dt.date
) -> None:
    tasks = list(Task.objects.select_related("policy", "measure"))
    for row in statistics.by_section(Task.objects.all(), scattered, on, {}):
        assert row.counts == plain(
            [task for task in tasks if task.measure.section_id == row.of.pk], on
        )


@pytest.mark.parametrize("on", DAYS)
def test_the_figures_of_each_unit_count_the_tasks_it_leads(
    scattered: PolicyDocument, on: dt.date
) -> None:
    tasks = list(Task.objects.select_related("policy"))
    for row in statistics.by_unit(Task.objects.all(), on, {}):
        unit = row.of.pk if row.of else None
        assert row.counts == plain([task for task in tasks if task.lead_unit_id == unit], on)


@pytest.mark.parametrize("on", DAYS)
def test_the_figures_of_each_kind_are_those_of_plain_counting(
    scattered: PolicyDocument, on: dt.date
) -> None:
    tasks = list(Task.objects.select_related("policy"))
    for row in statistics.by_kind(Task.objects.all(), on, {}):
        assert row.counts == plain([task for task in tasks if task.kind == row.of], on)


@pytest.mark.parametrize("on", DAYS)
def test_five_figures_add_up_to_the_total_in_every_row(
    scattered: PolicyDocument, on: dt.date
) -> None:
    for row in rows_of(scattered, on):
        assert sum(figure.value for figure in row.groups) == row.total.value


@pytest.mark.parametrize("on", DAYS)
@pytest.mark.parametrize("name", METRICS)
def test_the_list_behind_each_figure_shows_exactly_that_many(
    scattered: PolicyDocument, on: dt.date, name: str
) -> None:
    for row in rows_of(scattered, on):
        assert listed(row, name, scattered, on) == row.figure(name).value


def test_the_rows_of_each_table_add_up_to_the_same_total(scattered: PolicyDocument) -> None:
    tasks = Task.objects.all()
    sums = {
        statistics.all_of(table, {}).counts
        for table in (
            statistics.by_section(tasks, scattered, TODAY, {}),
            statistics.by_unit(tasks, TODAY, {}),
            statistics.by_kind(tasks, TODAY, {}),
        )
    }
    assert len(sums) == 1


def test_every_figure_is_found_among_the_scattered_tasks(scattered: PolicyDocument) -> None:
    row = statistics.by_policy(Task.objects.all(), [scattered], TODAY, {})[0]
    assert [name for name in METRICS if not row.figure(name).value] == []


def test_a_section_without_tasks_is_a_row_of_zeros(policy: PolicyDocument) -> None:
    make_task(policy, "A1-01")
    assert [
        row.counts.total for row in statistics.by_section(Task.objects.all(), policy, TODAY, {})
    ] == [1, 0]


def test_without_tasks_there_is_no_closing_rate(policy: PolicyDocument) -> None:
    assert statistics.by_section(Task.objects.all(), policy, TODAY, {})[0].closing_rate is None


def test_without_closed_tasks_there_is_no_on_time_rate(policy: PolicyDocument) -> None:
    make_task(policy)
    assert statistics.by_section(Task.objects.all(), policy, TODAY, {})[0].on_time_rate is None


def test_a_cancelled_task_is_outside_every_denominator(policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", status=Status.CLOSED, closed_on=TODAY)
    make_task(policy, "A1-02", status=Status.CANCELLED)
    assert statistics.by_section(Task.objects.all(), policy, TODAY, {})[0].closing_rate == 1


def test_the_on_time_rate_divides_by_the_closed_tasks(policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", status=Status.CLOSED, closed_on=TODAY, deadline=TODAY)
    make_task(policy, "A1-02", status=Status.CLOSED, closed_on=TODAY, deadline=TODAY - DAY)
    make_task(policy, "A1-03")
    assert statistics.by_section(Task.objects.all(), policy, TODAY, {})[0].on_time_rate == Fraction(
        1, 2
    )


def with_rates(*rates: tuple[int, int]) -> list[int | None]:
    """Rank rows of closed / total and return their ranks in the order in which they were given."""
    rows = [
        StatRow(place, "", Counts(total=total, done=done), {})
        for place, (done, total) in enumerate(rates)
    ]
    return [row.rank for row in sorted(statistics.ranked_rows(rows), key=lambda row: row.of)]


def test_the_higher_rate_has_the_smaller_rank() -> None:
    assert with_rates((1, 3), (2, 3)) == [2, 1]


def test_equal_rates_share_a_rank_and_the_next_rank_is_left_out() -> None:
    assert with_rates((3, 4), (30, 40), (1, 4)) == [1, 1, 3]


def test_a_unit_without_tasks_has_no_rank() -> None:
    assert with_rates((0, 0), (0, 4), (1, 4)) == [None, 2, 1]


def test_units_of_one_rank_stand_in_official_order(
    policy: PolicyDocument, units: list[Organization]
) -> None:
    for number, unit in enumerate(reversed(units)):
        make_task(policy, f"A1-0{number}", lead_unit=unit)
    assert [row.of for row in statistics.by_unit(Task.objects.all(), TODAY, {})] == units


def test_the_list_behind_a_figure_keeps_the_day(policy: PolicyDocument) -> None:
    row = statistics.by_policy(Task.objects.all(), [policy], LATER, {"on": LATER.isoformat()})[0]
    assert row.figure("red").query == "on=2026-07-25&group=red"


def test_the_latest_tasks_come_first_with_their_days(policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", deadline=TODAY - 2 * DAY)
    make_task(policy, "A1-02", deadline=TODAY - 9 * DAY)
    make_task(policy, "A1-03", deadline=TODAY)
    found = statistics.overdue_tasks(Task.objects.all(), TODAY, 10)
    assert [(row.task.code, row.days) for row in found] == [("A1-02", 9), ("A1-01", 2)]


def test_a_late_task_says_why_its_light_is_red(policy: PolicyDocument) -> None:
    task = make_task(policy, deadline=TODAY - DAY)
    assert statistics.overdue_tasks(Task.objects.all(), TODAY, 10)[0].reasons == task.reasons_on(
        TODAY
    )


def test_while_closing_the_days_late_end_with_the_request(policy: PolicyDocument) -> None:
    make_task(
        policy,
        deadline=TODAY - 9 * DAY,
        status=Status.CLOSING,
        closing_requested_on=TODAY - 5 * DAY,
    )
    assert [row.days for row in statistics.overdue_tasks(Task.objects.all(), TODAY, 10)] == [4]


def test_the_next_turn_is_yellow_where_yellow_lies_ahead(policy: PolicyDocument) -> None:
    make_task(policy, deadline=TODAY + 10 * DAY)
    found = statistics.forecast(Task.objects.all(), TODAY, 10)
    assert [(row.days, row.light) for row in found] == [(3, Light.YELLOW)]


def test_the_next_turn_of_a_yellow_task_is_red(policy: PolicyDocument) -> None:
    make_task(policy, deadline=TODAY + 3 * DAY)
    found = statistics.forecast(Task.objects.all(), TODAY, 10)
    assert [(row.days, row.light) for row in found] == [(4, Light.RED)]


def test_a_turning_task_says_why_on_the_day_of_its_turn(policy: PolicyDocument) -> None:
    task = make_task(policy, deadline=TODAY + 10 * DAY)
    assert statistics.forecast(Task.objects.all(), TODAY, 10)[0].reasons == task.reasons_on(
        TODAY + 3 * DAY
    )


@pytest.mark.parametrize("on", DAYS)
def test_each_turning_task_shows_its_new_light_first_on_that_day(
    scattered: PolicyDocument, on: dt.date
) -> None:
    for row in statistics.forecast(Task.objects.all(), on, 1000):
        assert (row.task.light_on(row.day - DAY), row.task.light_on(row.day)) != (
            row.light,
            row.light,
        )


@pytest.mark.parametrize("on", DAYS)
def test_as_many_tasks_turn_as_the_filter_lists(scattered: PolicyDocument, on: dt.date) -> None:
    assert (
        len(statistics.forecast(Task.objects.all(), on, 1000)) == Task.objects.turning(on).count()
    )


def test_the_figures_cost_the_same_queries_for_any_number_of_tasks(
    policy: PolicyDocument,
    units: list[Organization],
    django_assert_num_queries: type[CaptureQueriesContext],
) -> None:
    for size in (3, 300):
        Task.objects.all().delete()
        scatter(policy, units, size)
        with django_assert_num_queries(2 + 2 + 1 + 1):
            rows_of(policy, TODAY)


def test_a_policy_without_tasks_has_figures(db: None) -> None:
    empty = make_policy("empty", state=PolicyState.DRAFT)
    assert statistics.by_policy(Task.objects.all(), [empty], TODAY, {})[0].counts == Counts()
