"""Days: today in Shanghai, working days, reporting periods. Pure; no model is known here."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import chinese_calendar
from django.utils.translation import gettext as _

from tracker.domain.choices import Cycle

ZONE = ZoneInfo("Asia/Shanghai")
DAY = dt.timedelta(days=1)
# Django formats years of four digits; a day outside cannot be written in a date field either.
FIRST_DAY = dt.date(1900, 1, 1)
LAST_DAY = dt.date(2999, 12, 31)


def now() -> dt.datetime:
    """Return this moment, with its zone."""
    return dt.datetime.now(ZONE)


def today() -> dt.date:
    """Return today's date in Shanghai, whatever the time zone of the server."""
    return now().date()


def parse_day(text: str) -> dt.date:
    """Read an ISO day between 1900 and 2999; ValueError says what is allowed."""
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError:
        day = None
    if day is None or day.isoformat() != text.strip() or not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(
            _("“%(value)s” is not a date; write it as YYYY-MM-DD, for example %(example)s")
            % {"value": text[:40], "example": "2026-06-30"}
        )
    return day


@dataclass(frozen=True)
class Period:
    """A reporting period: a calendar week from Monday, a month or a quarter."""

    cycle: str
    start: dt.date

    @property
    def end(self) -> dt.date:
        """Return the last day of the period."""
        return self.next().start - DAY

    def next(self) -> "Period":
        """Return the period that follows."""
        if self.cycle == Cycle.WEEKLY:
            return Period(self.cycle, self.start + 7 * DAY)
        months = 1
        if self.cycle == Cycle.QUARTERLY:
            months = 3
        years, month = divmod(self.start.month - 1 + months, 12)
        return Period(self.cycle, dt.date(self.start.year + years, month + 1, 1))

    def key(self, cycle: str) -> str:
        """Return the period as addresses name it: first day, and last where the cycle differs."""
        if self.cycle == cycle:
            return f"{self.start}"
        return f"{self.start}_{self.end}"

    def name(self, on: dt.date | None = None) -> str:
        """Name the period as people say it on a day, without the year when that is the same."""
        values = {
            "year": self.start.year,
            "month": self.start.month,
            "quarter": (self.start.month + 2) // 3,
            "from": self.start.strftime("%m-%d"),
            "to": self.end.strftime("%m-%d"),
        }
        if self.cycle == Cycle.WEEKLY:
            text = _("week %(from)s to %(to)s")
        elif self.cycle == Cycle.QUARTERLY:
            text = _("quarter %(quarter)d")
        else:
            text = _("month %(month)d")
        if not on or self.start.year != on.year:
            text = _("%(year)d, ") + text
        return text % values


def period_of(cycle: str, day: dt.date) -> Period:
    """Return the period that a day lies in."""
    if cycle == Cycle.WEEKLY:
        return Period(cycle, day - day.weekday() * DAY)
    if cycle == Cycle.QUARTERLY:
        return Period(cycle, dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1))
    if cycle == Cycle.MONTHLY:
        return Period(cycle, day.replace(day=1))
    raise ValueError(f"no periods in cycle {cycle!r}")


def period_between(start: dt.date, end: dt.date) -> Period | None:
    """Return the week, month or quarter that lasts from one day to another.

    None where it is none of them.
    """
    for cycle in (Cycle.WEEKLY, Cycle.MONTHLY, Cycle.QUARTERLY):
        period = period_of(cycle, start)
        if (period.start, period.end) == (start, end):
            return period
    return None


def name_between(start: dt.date, end: dt.date) -> str:
    """Name the period that lasts from one day to another.

    Days that are no period stand for themselves.
    """
    period = period_between(start, end)
    if period:
        return period.name()
    return f"{start} – {end}"


def first_period_from(cycle: str, day: dt.date) -> Period:
    """Return the first period that starts on or after a day."""
    period = period_of(cycle, day)
    if period.start == day:
        return period
    return period.next()


def is_working_day(day: dt.date) -> tuple[bool, bool]:
    """Say whether a day is worked in China, and whether the official calendar knows the year.

    Beyond the calendar's last year Monday to Friday are taken, and the second value is False.
    """
    try:
        return chinese_calendar.is_workday(day), True
    except NotImplementedError:
        return day.weekday() < 5, False
