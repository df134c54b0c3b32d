"""The light: every boundary day, every kind, and the database in step with the pure rule."""

import csv
import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker.domain import lights
from tracker.domain.choices import Cycle, Kind, Light, LightCause, LightGroup, Status
from tracker.models import PolicyDocument, Task
from tracker.workflow import refresh_tasks

CASES = list(csv.DictReader((Path(__file__).parent / "light_cases.csv").read_text().splitlines()))
FACTS = ("kind", "status", "start", "deadline", "percent", "owed_from", "reported_through")
REQUESTS = ("closing_requested_on", "closed_on")
THRESHOLDS = ("warn_days", "yellow_gap", "red_gap", "cycle", "grace_days")
DAY = dt.timedelta(days=1)


def day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def native(row: dict[str, str], names: tuple[str, ...]) -> dict[str, Any]:
    words = {"kind", "status", "cycle"}
    numbers = {"percent", "warn_days", "yellow_gap", "red_gap", "grace_days"}
    return {
        n: row[n] if n in words else int(row[n]) if n in numbers else day(row[n]) for n in names
    }


def facts(**given: Any) -> SimpleNamespace:
    blank = dict.fromkeys(("start", "deadline", "owed_from", "reported_through", *REQUESTS))
    return SimpleNamespace(
        **{**blank, "kind": Kind.QUALITATIVE, "status": Status.IN_PROGRESS, "percent": 0, **given}
    )


def thresholds(**given: Any) -> SimpleNamespace:
    usual = {"warn_days": 7, "yellow_gap": 10, "red_gap": 30, "cycle": Cycle.NONE, "grace_days": 0}
    return SimpleNamespace(**{**usual, **given})


@pytest.mark.parametrize(
    "row", CASES, ids=lambda row: f"{row['status']}-{row['on']}-{row['light']}"
)
def test_every_case_of_the_table_holds_in_the_pure_rule(row: dict[str, str]) -> None:
    task = SimpleNamespace(**native(row, FACTS + REQUESTS))
    policy = SimpleNamespace(**native(row, THRESHOLDS))
    assert lights.turning_dates(task, policy) == (
        day(row["turns_yellow_on"]),
        day(row["turns_red_on"]),
    )
    assert lights.light_on_day(task, policy, dt.date.fromisoformat(row["on"])) == row["light"]


def test_every_case_of_the_table_holds_in_sql(db: None) -> None:
    wrong = []
    for number, row in enumerate(CASES):
        policy = make_policy(f"case-{number}", **native(row, THRESHOLDS))
        task_facts = native(row, FACTS + REQUESTS)
        task = Task(
            policy=policy, measure=policy.measures.get(code="A1"), code="A1-01", title="case"
        )
        for name, value in task_facts.items():
            setattr(task, name, value)
        task.original_deadline = task.deadline
        if task.kind != Kind.QUANTIFIED:
            task.percent = 0  # qualitative and standing tasks have none; the rules ignore it
        task.save()
        refresh_tasks([policy.pk])
        stored = Task.objects.with_light(dt.date.fromisoformat(row["on"])).get(pk=task.pk)
        turned = (stored.turns_yellow_on, stored.turns_red_on)
        if (stored.light, *turned) != (
            row["light"],
            day(row["turns_yellow_on"]),
            day(row["turns_red_on"]),
        ):
            wrong.append((number, row, stored.light, turned))
    assert wrong == []


DEADLINE = dt.date(2026, 6, 30)


@pytest.mark.parametrize(
    ("on", "light"),
    [
        (DEADLINE - 8 * DAY, Light.GREEN),
        (DEADLINE - 7 * DAY, Light.YELLOW),
        (DEADLINE, Light.YELLOW),
        (DEADLINE + DAY, Light.RED),
    ],
)
@pytest.mark.parametrize("kind", [Kind.QUALITATIVE, Kind.QUANTIFIED])
def test_the_deadline_warns_seven_days_before_and_turns_red_the_day_after(
    kind: Kind, on: dt.date, light: Light
) -> None:
    assert lights.light_on_day(facts(kind=kind, deadline=DEADLINE), thresholds(), on) == light


@pytest.mark.parametrize(
    ("on", "light"),
    [
        (dt.date(2026, 1, 10), Light.GREEN),
        (dt.date(2026, 1, 11), Light.YELLOW),
        (dt.date(2026, 1, 30), Light.YELLOW),
        (dt.date(2026, 1, 31), Light.RED),
    ],
)
def test_a_quantified_task_turns_on_the_first_day_of_the_gap(on: dt.date, light: Light) -> None:
    task = facts(kind=Kind.QUANTIFIED, start=dt.date(2026, 1, 1), deadline=dt.date(2026, 4, 11))
    assert lights.light_on_day(task, thresholds(), on) == light


@pytest.mark.parametrize("kind", [Kind.QUALITATIVE, Kind.STANDING])
def test_tasks_without_a_percent_are_never_behind_schedule(kind: Kind) -> None:
    task = facts(kind=kind, start=dt.date(2026, 1, 1), deadline=dt.date(2026, 4, 11))
    assert LightCause.BEHIND not in [
        turn.cause for turn in lights.light_changes(task, thresholds())
    ]


@pytest.mark.parametrize(
    ("cycle", "yellow", "red"),
    [
        (Cycle.WEEKLY, dt.date(2026, 6, 17), dt.date(2026, 6, 24)),
        (Cycle.MONTHLY, dt.date(2026, 8, 3), dt.date(2026, 9, 3)),
        (Cycle.QUARTERLY, dt.date(2026, 10, 3), dt.date(2027, 1, 3)),
    ],
)
def test_a_missing_report_turns_after_the_grace_of_the_first_and_second_period(
    cycle: Cycle, yellow: dt.date, red: dt.date
) -> None:
    task = facts(kind=Kind.STANDING, owed_from=dt.date(2026, 6, 2))
    assert lights.turning_dates(task, thresholds(cycle=cycle, grace_days=2)) == (yellow, red)


def test_a_report_for_a_period_moves_the_next_one_owed() -> None:
    task = facts(owed_from=dt.date(2026, 1, 1), reported_through=dt.date(2026, 3, 31))
    period = lights.first_owed(task, thresholds(cycle=Cycle.MONTHLY))
    assert period and period.start == dt.date(2026, 4, 1)


def test_a_task_that_is_closing_keeps_the_light_of_the_day_of_its_request() -> None:
    task = facts(status=Status.CLOSING, closing_requested_on=DEADLINE, deadline=DEADLINE)
    assert lights.light_on_day(task, thresholds(), DEADLINE + 100 * DAY) == Light.YELLOW


def test_a_closed_task_is_blue_on_its_deadline_and_purple_the_day_after() -> None:
    closed = [
        facts(status=Status.CLOSED, deadline=DEADLINE, closed_on=DEADLINE + n * DAY) for n in (0, 1)
    ]
    assert [lights.light_on_day(task, thresholds(), DEADLINE) for task in closed] == [
        Light.BLUE,
        Light.PURPLE,
    ]


def test_the_sentence_says_days_left_and_days_over() -> None:
    task = facts(deadline=DEADLINE)
    with override("zh-hans"):
        assert lights.light_reasons(task, thresholds(), DEADLINE - 3 * DAY) == ["距时限 3 天"]
        assert lights.light_reasons(task, thresholds(), DEADLINE + 5 * DAY) == ["逾期 5 天"]


def test_the_sentence_says_how_far_a_task_is_behind() -> None:
    task = facts(
        kind=Kind.QUANTIFIED, percent=40, start=dt.date(2026, 1, 1), deadline=dt.date(2026, 4, 11)
    )
    with override("zh-hans"):
        said = lights.light_reasons(task, thresholds(), dt.date(2026, 3, 4))
    assert said == ["完成 40%，序时应达 62%，落后 22 个百分点"]


def test_the_sentence_names_the_period_without_a_report() -> None:
    task = facts(kind=Kind.STANDING, owed_from=dt.date(2026, 10, 1))
    with override("zh-hans"):
        assert lights.light_reasons(
            task, thresholds(cycle=Cycle.MONTHLY), dt.date(2026, 11, 2)
        ) == ["10 月未填报"]


# Yellow never comes after red


LATER = dt.date(2026, 7, 1)


@pytest.mark.parametrize("yellow_on", [None, LATER, LATER + DAY])
def test_a_cause_that_names_only_a_red_day_is_yellow_from_that_day_on(
    yellow_on: dt.date | None,
) -> None:
    assert lights.LightChange(LightCause.DEADLINE, yellow_on, LATER).yellow_on == LATER


@pytest.mark.parametrize("red_on", [None, LATER, LATER + DAY])
def test_a_cause_keeps_a_yellow_day_that_comes_first(red_on: dt.date | None) -> None:
    assert lights.LightChange(LightCause.DEADLINE, LATER, red_on).yellow_on == LATER


@pytest.fixture
def red_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a cause that only ever turns a task red."""
    plain = lights.light_changes

    def turns(task: Any, policy: Any) -> list[lights.LightChange]:
        return [*plain(task, policy), lights.LightChange(LightCause.DEADLINE, None, TODAY - DAY)]

    monkeypatch.setattr(lights, "light_changes", turns)


def test_a_red_only_cause_sets_both_dates(red_only: None) -> None:
    assert lights.turning_dates(facts(), thresholds()) == (TODAY - DAY, TODAY - DAY)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.CANCELLED])
def test_with_a_red_only_cause_the_groups_still_add_up_to_the_total(
    policy: PolicyDocument, red_only: None, status: Status
) -> None:
    for number in range(3):
        make_task(policy, f"A1-{number}", status=status, **days_of(status))
    groups = [policy.tasks.in_group(group, TODAY).count() for group in LightGroup]
    assert sum(groups) == policy.tasks.counted().count() == 3


def days_of(status: Status) -> dict[str, Any]:
    """Return the days that go with a status."""
    return {
        Status.CLOSING: {"closing_requested_on": TODAY},
        Status.CLOSED: {"closed_on": TODAY},
    }.get(status, {})


near = st.dates(dt.date(2025, 10, 1), dt.date(2027, 6, 30))
maybe = st.none() | near


@st.composite
def tasks(draw: Any) -> dict[str, Any]:
    """Draw any facts that the constraints of the database allow."""
    kind, status = draw(st.sampled_from(Kind.values)), draw(st.sampled_from(Status.values))
    deadline = None if kind == Kind.STANDING else draw(maybe)
    start = draw(maybe)
    if start and deadline and start > deadline:
        start, deadline = deadline, start
    return {
        "kind": kind,
        "status": status,
        "start": start,
        "deadline": deadline,
        "original_deadline": deadline,
        "percent": draw(st.integers(0, 100)) if kind == Kind.QUANTIFIED else 0,
        "owed_from": draw(maybe),
        "reported_through": draw(maybe),
        "closing_requested_on": draw(near) if status == Status.CLOSING else None,
        "closed_on": draw(near) if status == Status.CLOSED else None,
    }


@st.composite
def policies(draw: Any) -> dict[str, Any]:
    yellow = draw(st.integers(1, 100))
    return {
        "warn_days": draw(st.integers(0, 40)),
        "yellow_gap": yellow,
        "red_gap": draw(st.integers(yellow, 100)),
        "cycle": draw(st.sampled_from(Cycle.values)),
        "grace_days": draw(st.integers(0, 20)),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(tasks(), min_size=1, max_size=12), limits=policies(), on=near)
def test_the_database_shows_the_light_of_the_pure_rule_for_any_facts_and_day(
    db: None, rows: list[dict[str, Any]], limits: dict[str, Any], on: dt.date
) -> None:
    Task.objects.all().delete()
    PolicyDocument.objects.all().delete()
    policy = make_policy("any", **limits)
    measure = policy.measures.get(code="A1")
    Task.objects.bulk_create(
        Task(policy=policy, measure=measure, code=f"A1-{n:02}", title="any", **row)
        for n, row in enumerate(rows)
    )
    refresh_tasks([policy.pk])
    for task in Task.objects.select_related("policy").with_light(on):
        assert task.light == lights.light_on_day(task, policy, on)
        period = lights.first_owed(task, policy)
        owes = bool(period and period.end < on and task.status != Status.CLOSING)
        assert Task.objects.unreported(on).filter(pk=task.pk).exists() == owes
        assert (
            sum(Task.objects.lit(light, on=on).filter(pk=task.pk).exists() for light in Light) == 1
        )
