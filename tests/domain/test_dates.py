"""Days: periods and their names, working days, and what can be read as a day."""

import datetime as dt

import pytest
from django.utils.translation import override

from tracker.domain import dates
from tracker.domain.choices import Cycle
from tracker.domain.dates import (
    Period,
    first_period_from,
    name_between,
    parse_day,
    period_between,
    period_of,
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "shanghai"),
    [
        (dt.datetime(2026, 6, 14, 15, 59, tzinfo=dt.UTC), "2026-06-14"),
        (dt.datetime(2026, 6, 14, 16, 0, tzinfo=dt.UTC), "2026-06-15"),
        (dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC), "2027-01-01"),
    ],
)
def test_the_day_begins_at_midnight_in_shanghai(
    time_machine: object, moment: dt.datetime, shanghai: str
) -> None:
    time_machine.move_to(moment, tick=False)
    assert dates.today() == day(shanghai)


@pytest.mark.parametrize(
    ("cycle", "inside", "start", "end"),
    [
        (Cycle.WEEKLY, "2026-06-15", "2026-06-15", "2026-06-21"),
        (Cycle.WEEKLY, "2026-06-21", "2026-06-15", "2026-06-21"),
        (Cycle.WEEKLY, "2026-06-14", "2026-06-08", "2026-06-14"),
        (Cycle.WEEKLY, "2027-01-01", "2026-12-28", "2027-01-03"),
        (Cycle.MONTHLY, "2026-06-01", "2026-06-01", "2026-06-30"),
        (Cycle.MONTHLY, "2026-06-30", "2026-06-01", "2026-06-30"),
        (Cycle.MONTHLY, "2026-12-31", "2026-12-01", "2026-12-31"),
        (Cycle.MONTHLY, "2027-02-10", "2027-02-01", "2027-02-28"),
        (Cycle.MONTHLY, "2028-02-29", "2028-02-01", "2028-02-29"),
        (Cycle.QUARTERLY, "2026-01-01", "2026-01-01", "2026-03-31"),
        (Cycle.QUARTERLY, "2026-06-30", "2026-04-01", "2026-06-30"),
        (Cycle.QUARTERLY, "2026-08-15", "2026-07-01", "2026-09-30"),
        (Cycle.QUARTERLY, "2026-12-31", "2026-10-01", "2026-12-31"),
    ],
)
def test_a_day_lies_in_its_period(cycle: Cycle, inside: str, start: str, end: str) -> None:
    period = period_of(cycle, day(inside))
    assert (period.start, period.end) == (day(start), day(end))


@pytest.mark.parametrize(
    ("cycle", "start", "following"),
    [
        (Cycle.WEEKLY, "2026-12-28", "2027-01-04"),
        (Cycle.MONTHLY, "2026-11-01", "2026-12-01"),
        (Cycle.MONTHLY, "2026-12-01", "2027-01-01"),
        (Cycle.QUARTERLY, "2026-07-01", "2026-10-01"),
        (Cycle.QUARTERLY, "2026-10-01", "2027-01-01"),
    ],
)
def test_the_next_period_begins_where_this_one_ends(
    cycle: Cycle, start: str, following: str
) -> None:
    assert Period(cycle, day(start)).next() == Period(cycle, day(following))


@pytest.mark.parametrize(
    ("cycle", "from_day", "start"),
    [
        (Cycle.WEEKLY, "2026-06-15", "2026-06-15"),
        (Cycle.WEEKLY, "2026-06-16", "2026-06-22"),
        (Cycle.WEEKLY, "2026-12-29", "2027-01-04"),
        (Cycle.MONTHLY, "2026-06-01", "2026-06-01"),
        (Cycle.MONTHLY, "2026-06-02", "2026-07-01"),
        (Cycle.MONTHLY, "2026-12-02", "2027-01-01"),
        (Cycle.QUARTERLY, "2026-10-01", "2026-10-01"),
        (Cycle.QUARTERLY, "2026-10-02", "2027-01-01"),
    ],
)
def test_the_first_period_from_a_day_starts_on_it_or_after(
    cycle: Cycle, from_day: str, start: str
) -> None:
    assert first_period_from(cycle, day(from_day)) == Period(cycle, day(start))


def test_without_a_cycle_there_are_no_periods() -> None:
    with pytest.raises(ValueError, match="no periods"):
        period_of(Cycle.NONE, day("2026-06-15"))


@pytest.mark.parametrize(
    ("cycle", "start", "on", "name"),
    [
        (Cycle.WEEKLY, "2026-06-08", "2026-06-15", "week 06-08 to 06-14"),
        (Cycle.WEEKLY, "2026-12-28", "2027-01-15", "2026, week 12-28 to 01-03"),
        (Cycle.MONTHLY, "2026-05-01", "2026-06-15", "month 5"),
        (Cycle.MONTHLY, "2026-12-01", "2027-01-15", "2026, month 12"),
        (Cycle.QUARTERLY, "2026-01-01", "2026-06-15", "quarter 1"),
        (Cycle.QUARTERLY, "2026-10-01", "2026-12-15", "quarter 4"),
        (Cycle.QUARTERLY, "2026-10-01", "2027-01-15", "2026, quarter 4"),
    ],
)
def test_a_period_is_named_with_its_year_when_that_is_not_this_year(
    cycle: Cycle, start: str, on: str, name: str
) -> None:
    with override("en"):
        assert Period(cycle, day(start)).name(day(on)) == name


@pytest.mark.parametrize(
    ("text", "works"),
    [
        ("2025-06-16", True),  # a Monday
        ("2025-06-14", False),  # a Saturday
        ("2025-10-01", False),  # National Day, a Wednesday
        ("2025-10-11", True),  # a Saturday worked for it
    ],
)
def test_working_days_follow_the_official_calendar(text: str, works: bool) -> None:
    assert dates.is_working_day(day(text)) == (works, True)


@pytest.mark.parametrize(
    ("text", "works"), [("2090-10-02", True), ("2090-10-07", False), ("2090-10-08", False)]
)
def test_beyond_the_calendar_monday_to_friday_are_worked_and_it_is_said(
    text: str, works: bool
) -> None:
    assert dates.is_working_day(day(text)) == (works, False)


@pytest.mark.parametrize(
    "text", ["2026-06-30", " 2026-06-30 ", "1900-01-01", "2999-12-31", "2028-02-29"]
)
def test_a_day_is_read(text: str) -> None:
    assert parse_day(text) == day(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-6-3",
        "20260630",
        "2026-W27-1",
        "2026-181",
        "2026-02-29",
        "2026-06-31",
        "2026/06/30",
        "30.06.2026",
        "1899-12-31",
        "3000-01-01",
        "２０２６-06-30",
        "2026-06-30T00:00",
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with (
        override("en"),
        pytest.raises(ValueError, match=r"“.*” is not a date; write it as YYYY-MM-DD"),
    ):
        parse_day(text)


def test_a_refusal_repeats_no_more_than_forty_characters() -> None:
    with override("en"), pytest.raises(ValueError, match=f"“{'x' * 40}” is not"):
        parse_day("x" * 4000)


@pytest.mark.parametrize("cycle", [Cycle.WEEKLY, Cycle.MONTHLY, Cycle.QUARTERLY])
def test_a_period_is_known_by_its_days(cycle: Cycle) -> None:
    for day in (dt.date(2026, 4, 1), dt.date(2026, 2, 28), dt.date(2025, 12, 31)):
        period = period_of(cycle, day)
        assert period_between(period.start, period.end) == period


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        ("2026-06-01", "2026-06-30", "2026, month 6"),
        ("2026-04-01", "2026-06-30", "2026, quarter 2"),
        ("2026-06-08", "2026-06-14", "2026, week 06-08 to 06-14"),
        ("2026-06-08", "2026-06-15", "2026-06-08 – 2026-06-15"),
    ],
)
def test_days_are_named_as_their_period_and_stand_for_themselves_where_they_are_none(
    start: str, end: str, name: str
) -> None:
    with override("en"):
        assert name_between(day(start), day(end)) == name


def test_days_that_are_no_period_are_none() -> None:
    assert period_between(dt.date(2026, 4, 1), dt.date(2026, 4, 2)) is None
