"""Every figure of random ledgers, of the sample and of the demonstration, counted again in plain
Python.

Hypothesis lays `RANDOM_LEDGERS` ledgers. Every figure of each is counted again; the lists are asked
for behind three figures of one drawn row of each ledger, behind all figures of every row with
`EVERY_ROW=1`, and behind all of the sample and of the demonstration always.
"""

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.factories import make_policy
from tests.prepared_rows import store_demonstration
from tests.reports.test_statistics import listed, plain
from tests.sizes import size
from tracker.domain import lights
from tracker.domain.choices import OPEN_STATUSES, Cycle, Kind, Light, Status
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, Task
from tracker.models.task import FORECAST_DAYS
from tracker.reports import statistics
from tracker.reports.filters import METRICS, NO_VALUE
from tracker.workflow import refresh_tasks

LEDGERS = size("RANDOM_LEDGERS")
EVERY_ROW = bool(os.environ.get("EVERY_ROW"))
PARTS = 4  # so many tests share the ledgers: they run side by side
MOST = 1000  # more rows than any of these lists has
GRAVE = (Light.YELLOW, Light.RED)


def days(before: int, after: int) -> st.SearchStrategy[dt.date]:
    return st.integers(-before, after).map(lambda count: TODAY + count * DAY)


FACTS = st.fixed_dictionaries(
    {
        "second_policy": st.booleans(),
        "second_measure": st.booleans(),
        "unit": st.sampled_from([None, 0, 1]),
        "kind": st.sampled_from([*Kind, ""]),
        "status": st.sampled_from(Status),
        "start": st.none() | days(300, 60),
        "length": st.none() | st.integers(0, 200),
        "percent": st.integers(0, 100),
        "owed_from": st.none() | days(200, 30),
        "reported": st.none() | st.integers(0, 100),
        "day": days(60, 60),  # of the request or of the closing
    }
)
THRESHOLDS = st.fixed_dictionaries(
    {
        "warn_days": st.integers(0, 40),
        "gaps": st.tuples(st.integers(1, 100), st.integers(1, 100)).map(sorted),
        "cycle": st.sampled_from(Cycle),
        "grace_days": st.integers(0, 20),
    }
)


def make(
    number: int, facts: Mapping[str, Any], policies: list[PolicyDocument], units: list[Organization]
) -> Task:
    """Make a task of drawn facts, as far as the database allows them."""
    policy, status = policies[facts["second_policy"]], facts["status"]
    measure = policy.parts[facts["second_measure"]]  # type: ignore[attr-defined]
    start, length = facts["start"], facts["length"]
    deadline = (
        None
        if facts["kind"] == Kind.STANDING or length is None
        else (start or TODAY - 100 * DAY) + length * DAY
    )
    owed, reported = facts["owed_from"], facts["reported"]
    return Task(
        policy=policy,
        measure=measure,
        code=f"{measure.code}-{number:02}",
        title="x",
        kind=facts["kind"],
        status=status,
        start=start,
        original_deadline=deadline,
        deadline=deadline,
        percent=facts["percent"],
        lead_unit=None if facts["unit"] is None else units[facts["unit"]],
        owed_from=owed,
        reported_through=None if owed is None or reported is None else owed + reported * DAY,
        closing_requested_on=facts["day"] if status == Status.CLOSING else None,
        closed_on=facts["day"] if status == Status.CLOSED else None,
    )


@contextmanager
def with_ledger(
    ledger: list[Mapping[str, Any]],
    thresholds: list[Mapping[str, Any]],
    policies: list[PolicyDocument],
) -> Iterator[None]:
    """Lay a ledger, and take it away again."""
    units = list(Organization.objects.all())
    with transaction.atomic():
        for policy, facts in zip(policies, thresholds, strict=True):
            policy.yellow_gap, policy.red_gap = facts["gaps"]
            policy.warn_days, policy.cycle, policy.grace_days = (
                facts["warn_days"],
                facts["cycle"],
                facts["grace_days"],
            )
            policy.save()
        Task.objects.bulk_create(
            make(number, facts, policies, units) for number, facts in enumerate(ledger)
        )
        refresh_tasks([policy.pk for policy in policies])
        yield
        transaction.set_rollback(True)


def check_rows(policy: PolicyDocument, on: dt.date) -> list[statistics.StatRow]:
    """Hold every table of a policy against plain counting; return its rows."""
    tasks = Task.objects.filter(policy=policy)
    rows = list(tasks.select_related("policy", "measure", "lead_unit"))
    sections = statistics.by_section(tasks, policy, on, {})
    units = statistics.by_unit(tasks, on, {})
    kinds = statistics.by_kind(tasks, on, {})
    whole = statistics.by_policy(tasks, [policy], on, {})
    for row in sections:
        assert row.counts == plain(
            [task for task in rows if task.measure.section_id == row.of.pk], on
        ), row.label
    assert {row.of for row in units} == {task.lead_unit for task in rows}
    for row in units:
        assert row.counts == plain([task for task in rows if task.lead_unit == row.of], on), (
            row.label
        )
    assert {row.asks["kind"] for row in kinds} == {task.kind or NO_VALUE for task in rows}
    for row in kinds:
        assert row.counts == plain(
            [task for task in rows if (task.kind or NO_VALUE) == row.asks["kind"]], on
        ), row.label
    sums = [*whole, *(statistics.all_of(table, {}) for table in (sections, units, kinds))]
    assert [row.counts for row in sums] == [plain(rows, on)] * len(sums)
    return [*sections, *units, *kinds, *sums]


def check_lists(policy: PolicyDocument, on: dt.date) -> None:
    """Hold the lists of what is late and of what turns against the lights, day by day."""
    tasks = Task.objects.filter(policy=policy)
    rows = sorted(tasks.select_related("policy"), key=attrgetter("code"))
    late = [
        (task, (lights.judged_on(task, on) - task.deadline).days)
        for task in rows
        if task.status in OPEN_STATUSES
        and task.deadline
        and lights.judged_on(task, on) > task.deadline
    ]
    late.sort(key=lambda pair: (pair[0].deadline, pair[0].code))
    assert [(row.task, row.days) for row in statistics.overdue_tasks(tasks, on, MOST)] == late
    turning = [(*turn, task) for task in rows if (turn := next_turn(task, on))]
    turning.sort(key=lambda turn: turn[0])
    assert [
        (row.days, row.light, row.task) for row in statistics.forecast(tasks, on, MOST)
    ] == turning


def next_turn(task: Task, on: dt.date) -> tuple[int, Light] | None:
    """Find the next day on which the light turns yellow or red by looking at every day."""
    before = lights.light_on_day(task, task.policy, on)
    for count in range(1, FORECAST_DAYS + 1):
        after = lights.light_on_day(task, task.policy, on + count * DAY)
        if after != before and after in GRAVE:
            return count, after
        before = after
    return None


def check_links(
    row: statistics.StatRow, policy: PolicyDocument, on: dt.date, names: Iterable[str] = METRICS
) -> None:
    """Ask for the list behind figures of a row."""
    for name in names:
        assert listed(row, name, policy, on) == row.figure(name).value, (row.label, name)


@pytest.fixture
def two(policy: PolicyDocument, bureau: Organization, county: Organization) -> list[PolicyDocument]:
    policies = [policy, make_policy("other")]
    for each in policies:
        each.parts = list(each.measures.all())  # type: ignore[attr-defined]
    return policies


@pytest.mark.parametrize("part", range(PARTS))
def test_every_figure_of_random_ledgers_is_that_of_plain_counting(
    two: list[PolicyDocument], part: int
) -> None:
    @settings(
        max_examples=-(-LEDGERS // PARTS),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        ledger=st.lists(FACTS, min_size=1, max_size=12),
        thresholds=st.lists(THRESHOLDS, min_size=2, max_size=2),
        on=days(60, 120),
        place=st.integers(0, MOST),
    )
    def check(ledger: list[Any], thresholds: list[Any], on: dt.date, place: int) -> None:
        with with_ledger(ledger, thresholds, two):
            policy = two[0]
            rows = check_rows(policy, on)
            check_lists(policy, on)
            if EVERY_ROW:
                for row in rows:
                    check_links(row, policy, on)
            else:
                check_links(rows[place % len(rows)], policy, on, list(METRICS)[place % 3 :: 3])
            tasks = list(Task.objects.select_related("policy"))
            assert [
                row.counts for row in statistics.by_policy(Task.objects.all(), two, on, {})
            ] == [plain([task for task in tasks if task.policy == each], on) for each in two]

    check()


@pytest.mark.parametrize("slug", ["central-china-rise", "central-china-rise-demo"])
def test_every_figure_of_sample_and_demonstration_is_that_of_plain_counting(
    db: None, slug: str
) -> None:
    store_demonstration()
    policy = PolicyDocument.objects.get(slug=slug)
    for on in (TODAY, TODAY + 40 * DAY, TODAY - 90 * DAY):
        rows = check_rows(policy, on)
        check_lists(policy, on)
        for row in rows:
            check_links(row, policy, on)
