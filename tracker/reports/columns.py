"""Columns: header, value, format, width, order and parser of what a row shows, defined once.

The list page, the ledger, the fill-in workbook and the reader of both use the same objects; header
lists and row lists kept by hand drift apart. Adding a column is one entry of `TASK_COLUMNS`.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, override

from tracker.domain import lights, parsing
from tracker.domain.choices import Direction
from tracker.models import Indicator, Task
from tracker.models.ordering import steady_order
from tracker.reports.task_texts import (
    co_text,
    days_over,
    evidence_count,
    gap_text,
    lead_text,
    light_text,
    share_text,
    status_text,
    steps_text,
    who_acts,
)

NativeValue = str | int | float | dt.date | None

TEXT_FORMAT = "@"
DAY_FORMAT = "yyyy-mm-dd"
SHARE_FORMAT = "0%"
WHOLE_FORMAT = "0"
AMOUNT_FORMAT = "General"
Reader = Callable[[parsing.Cell], Any]


@dataclass(frozen=True)
class Column:
    """One fact of a thing, mostly a task.

    How it is headed, valued, formatted, ordered by and read back.

    `value(thing, on)` is native: text, whole number, share from 0 to 1, day or None. Of a task it
    reads only what `TaskQuerySet.with_related` has fetched. `width` is in characters of a workbook.
    `parse` reads a cell that people have filled in, into the field of the column's name;
    with `fills` it is a unit that fills it in, in its report.
    """

    name: str
    header: str | Promise
    value: Callable[[Any, dt.date], NativeValue]
    width: float = 12
    format: str = TEXT_FORMAT
    order: tuple[str, ...] = ()
    parse: Reader | None = None
    fills: bool = False

    def headers(self) -> set[str]:
        """Return the header in every language, as `plain_header` writes it."""
        found = {plain_header(str(self.header))}
        for language, _name in settings.LANGUAGES:
            with override(language):
                found.add(plain_header(str(self.header)))
        return found


def plain_header(text: str) -> str:
    """Return a header without spaces and line ends, which people put in to make it fit."""
    return "".join(parsing.plain_text(text).lower().split())


def text_of_value(choices: type[TextChoices]) -> dict[str, str]:
    """Map the words of some choices, in the language in use and in every other, to their values."""
    known = {}
    for value, label in choices.choices:
        known[str(label)] = str(value)
    for language, _name in settings.LANGUAGES:
        with override(language):
            known |= {str(label): str(value) for value, label in choices.choices}
    return known


def reported(name: str) -> Callable[[Any, dt.date], NativeValue]:
    """Return how a field of the latest accepted report is read from its task."""
    return lambda task, on: getattr(getattr(task, "latest_report", None), name, None)


CODE_COLUMN = Column(
    "code",
    gettext_lazy("task code"),
    lambda t, on: t.code,
    9,
    order=("code_key",),
    parse=parsing.parse_code,
)
TITLE_COLUMN = Column(
    "title",
    gettext_lazy("key task"),
    lambda t, on: t.title,
    18,
    order=("title",),
    parse=parsing.parse_prose,
)
LEAD_COLUMN = Column("lead_unit", gettext_lazy("lead unit"), lead_text, 13.5, order=("lead_unit",))
DEADLINE_COLUMN = Column(
    "deadline",
    gettext_lazy("current deadline"),
    lambda t, on: t.deadline,
    13,
    DAY_FORMAT,
    ("deadline",),
    parsing.parse_deadline,
)
PERCENT_COLUMN = Column(
    "percent",
    gettext_lazy("percent done"),
    share_text,
    7,
    SHARE_FORMAT,
    ("percent",),
    parsing.parse_percent,
    fills=True,
)
LIGHT_COLUMN = Column("light", gettext_lazy("light"), light_text, 12, order=("light_rank",))


def prose_value(name: str, header: str | Promise, width: float) -> Column:
    """Make a column of a plain text field of a task."""
    return Column(
        name,
        header,
        lambda t, on: getattr(t, name),
        width,
        order=(name,),
        parse=parsing.parse_prose,
    )


def reported_value(name: str, header: str | Promise, width: float) -> Column:
    """Make a column of a text that a unit reports."""
    return Column(name, header, reported(name), width, parse=parsing.parse_prose, fills=True)


def columns_by_name(columns: Iterable[Column]) -> dict[str, Column]:
    """Return columns by their names, in the same order."""
    return {column.name: column for column in columns}


# What a task shows in a row, in the order of the ledger.
TASK_COLUMNS = columns_by_name(
    (
        Column(
            "section",
            gettext_lazy("section"),
            lambda t, on: t.measure.section.name,
            10,
            order=("sort_key",),
        ),
        Column(
            "measure",
            gettext_lazy("measure"),
            lambda t, on: str(t.measure),
            15,
            order=("sort_key",),
        ),
        CODE_COLUMN,
        TITLE_COLUMN,
        Column("steps", gettext_lazy("steps / checklist"), steps_text, 38),
        prose_value("lead_official", gettext_lazy("lead official"), 9),
        LEAD_COLUMN,
        Column(
            "co_units", gettext_lazy("co-operating units"), co_text, 18, parse=parsing.parse_names
        ),
        prose_value("responsible_person", gettext_lazy("person responsible"), 8),
        Column(
            "original_deadline",
            gettext_lazy("original deadline"),
            lambda t, on: t.original_deadline,
            13,
            DAY_FORMAT,
            ("original_deadline",),
        ),
        DEADLINE_COLUMN,
        PERCENT_COLUMN,
        Column("status", gettext_lazy("status"), status_text, 9, order=("status",)),
        LIGHT_COLUMN,
        reported_value("progress", gettext_lazy("progress"), 24),
        reported_value("problems", gettext_lazy("problems"), 16),
        reported_value("next_steps", gettext_lazy("next steps"), 16),
        Column("evidence", gettext_lazy("pieces of evidence"), evidence_count, 7, WHOLE_FORMAT),
        replace(prose_value("remark", gettext_lazy("remark"), 14), order=()),
    )
)
# What a unit fills in beside the texts and the percent of the ledger.
FALL_REASON = reported_value("fall_reason", gettext_lazy("why the percent falls"), 14)


def filled_in() -> list[Column]:
    """Return the columns that a unit fills in."""
    return [*(column for column in TASK_COLUMNS.values() if column.fills), FALL_REASON]


# What a warned task shows beside its facts: why, by how much, and who has to move.
WARNING_COLUMNS = columns_by_name(
    (
        CODE_COLUMN,
        replace(TITLE_COLUMN, width=34),
        LIGHT_COLUMN,
        Column("reason", gettext_lazy("reason"), lambda t, on: "\n".join(t.reasons_on(on)), 34),
        Column("days_over", gettext_lazy("days over"), days_over, 8, WHOLE_FORMAT),
        Column("who", gettext_lazy("who must act"), who_acts, 15),
        LEAD_COLUMN,
        TASK_COLUMNS["co_units"],
        TASK_COLUMNS["lead_official"],
        TASK_COLUMNS["responsible_person"],
        DEADLINE_COLUMN,
        PERCENT_COLUMN,
        TASK_COLUMNS["status"],
        replace(TASK_COLUMNS["next_steps"], width=24),
    )
)
ITEM_COLUMNS = columns_by_name(
    (
        Column(
            "code", CODE_COLUMN.header, lambda item, on: item.task.code, 9, parse=parsing.parse_code
        ),
        Column("task_title", TITLE_COLUMN.header, lambda item, on: item.task.title, 34),
        Column("lead_unit", LEAD_COLUMN.header, lambda item, on: lead_text(item.task, on), 15),
        Column(
            "number",
            gettext_lazy("step no."),
            lambda item, on: item.number,
            8,
            WHOLE_FORMAT,
            parse=parsing.parse_whole,
        ),
        Column(
            "title",
            gettext_lazy("step"),
            lambda item, on: item.title,
            46,
            parse=parsing.parse_prose,
        ),
        Column(
            "weight",
            gettext_lazy("weight"),
            lambda item, on: item.weight,
            8,
            WHOLE_FORMAT,
            parse=parsing.parse_whole,
        ),
        Column(
            "due",
            gettext_lazy("due"),
            lambda item, on: item.due,
            13,
            DAY_FORMAT,
            parse=parsing.parse_date,
        ),
        Column(
            "done",
            gettext_lazy("done"),
            lambda item, on: "✓" if item.done_on else "○",
            8,
            parse=parsing.parse_tick,
        ),
        Column("done_on", gettext_lazy("done on"), lambda item, on: item.done_on, 13, DAY_FORMAT),
    )
)


def amount_cell(
    name: str, header: str | Promise, read: Callable[[Indicator], Decimal | None]
) -> Column:
    """Make a column of an amount; a workbook knows no decimals."""

    def value(indicator: Indicator, on: dt.date) -> NativeValue:
        found = read(indicator)
        if found is None:
            return None
        return float(found)

    return Column(name, header, value, 11, AMOUNT_FORMAT)


def achieved_share(indicator: Indicator, on: dt.date) -> float | None:
    """Return the way done from the baseline to the target as a share."""
    percent = lights.achieved_percent(indicator)
    if percent is None:
        return None
    return percent / 100


INDICATOR_COLUMNS = columns_by_name(
    (
        replace(ITEM_COLUMNS["code"], parse=None),
        replace(ITEM_COLUMNS["task_title"], width=30),
        ITEM_COLUMNS["lead_unit"],
        Column("name", gettext_lazy("indicator"), lambda i, on: i.name, 26),
        Column(
            "unit_of_measure", gettext_lazy("unit of measure"), lambda i, on: i.unit_of_measure, 9
        ),
        amount_cell("baseline", gettext_lazy("baseline"), lambda i: i.baseline),
        Column(
            "direction",
            gettext_lazy("direction"),
            lambda i, on: str(Direction(i.direction).label),
            9,
        ),
        amount_cell("target", gettext_lazy("target"), lambda i: i.target),
        Column(
            "target_on", gettext_lazy("to be reached by"), lambda i, on: i.target_on, 13, DAY_FORMAT
        ),
        amount_cell("actual", gettext_lazy("actual value"), lambda i: i.actual),
        Column(
            "actual_on", gettext_lazy("day of the value"), lambda i, on: i.actual_on, 13, DAY_FORMAT
        ),
        amount_cell("gap", gettext_lazy("gap"), lights.missing_facts),
        Column("gap_text", gettext_lazy("gap in words"), lambda i, on: gap_text(i), 18),
        Column("achieved", gettext_lazy("way done"), achieved_share, 9, SHARE_FORMAT),
    )
)


def ordering(column: Column, descending: bool = False) -> list[Any]:
    """Return the order of a column.

    Empty values last in both directions, the code as the last key.
    """
    return steady_order(Task, [f"-{key}" if descending else key for key in column.order])
