"""The sheets of the template that the checklist of a policy is loaded from."""

import datetime as dt
from dataclasses import replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from tracker.domain import parsing
from tracker.domain.choices import Kind
from tracker.models import Task
from tracker.reports.columns import (
    CODE_COLUMN,
    DAY_FORMAT,
    DEADLINE_COLUMN,
    ITEM_COLUMNS,
    LEAD_COLUMN,
    TASK_COLUMNS,
    TEXT_FORMAT,
    TITLE_COLUMN,
    WHOLE_FORMAT,
    Column,
    Reader,
    columns_by_name,
    text_of_value,
)
from tracker.reports.task_texts import kind_text


def unit_name(task: Task, on: dt.date) -> str:
    """Name the lead unit as it is read back."""
    if task.lead_unit:
        return task.lead_unit.short_name
    return ""


def field_of(
    name: str, header: str | Promise, width: float, parse: Reader, format: str = TEXT_FORMAT
) -> Column:
    """Make a column of a plain field that is read back into it."""
    return Column(name, header, lambda thing, on: getattr(thing, name), width, format, parse=parse)


VERSION_COLUMN = field_of(
    "version", gettext_lazy("version (leave it as it is)"), 9, parsing.parse_whole, WHOLE_FORMAT
)
SECTION_NO = Column(
    "section",
    gettext_lazy("section no."),
    lambda measure, on: measure.section.number,
    9,
    WHOLE_FORMAT,
    parse=parsing.parse_whole,
)
MEASURE_CODE = Column(
    "measure",
    gettext_lazy("measure code"),
    lambda t, on: t.measure.code,
    10,
    parse=parsing.parse_code,
)
# The sheets of the template that a policy's checklist is loaded from.
TEMPLATE_COLUMNS = {
    "policydocument": columns_by_name(
        (
            field_of("slug", gettext_lazy("short address of the policy"), 34, parsing.parse_slug),
            field_of("title", gettext_lazy("title of the policy"), 70, parsing.parse_prose),
        )
    ),
    "section": columns_by_name(
        (
            replace(SECTION_NO, name="number", value=lambda section, on: section.number),
            field_of("name", gettext_lazy("name of the section"), 80, parsing.parse_prose),
            VERSION_COLUMN,
        )
    ),
    "measure": columns_by_name(
        (
            SECTION_NO,
            replace(MEASURE_CODE, name="code", value=lambda measure, on: measure.code),
            field_of(
                "order", gettext_lazy("order in the section"), 9, parsing.parse_whole, WHOLE_FORMAT
            ),
            field_of("name", gettext_lazy("name of the measure"), 70, parsing.parse_prose),
            Column(
                "general",
                gettext_lazy("general demand"),
                lambda measure, on: parsing.tick_mark(measure.general),
                9,
                parse=parsing.parse_tick,
            ),
            VERSION_COLUMN,
        )
    ),
    "task": columns_by_name(
        (
            MEASURE_CODE,
            CODE_COLUMN,
            TITLE_COLUMN,
            field_of("description", gettext_lazy("what is to be done"), 38, parsing.parse_prose),
            Column(
                "kind",
                gettext_lazy("kind"),
                kind_text,
                9,
                parse=parsing.allowed_values(lambda: text_of_value(Kind)),
            ),
            replace(LEAD_COLUMN, value=unit_name, parse=parsing.parse_names),
            TASK_COLUMNS["co_units"],
            TASK_COLUMNS["lead_official"],
            TASK_COLUMNS["responsible_person"],
            field_of("start", gettext_lazy("start"), 13, parsing.parse_date, DAY_FORMAT),
            DEADLINE_COLUMN,
            TASK_COLUMNS["remark"],
            VERSION_COLUMN,
        )
    ),
    "checklistitem": columns_by_name(
        ITEM_COLUMNS[name] for name in ("code", "number", "title", "weight", "due")
    ),
}
