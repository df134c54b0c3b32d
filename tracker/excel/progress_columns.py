"""The columns of a fill-in workbook: keys, facts, what was reported, and cells to fill in."""

import datetime as dt
from dataclasses import replace

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.excel.progress_rows import FillInRow, reported_so_far
from tracker.reports.columns import (
    ITEM_COLUMNS,
    TASK_COLUMNS,
    Column,
    columns_by_name,
    filled_in,
)

SHOWN_TASK_COLUMNS = ("code", "measure", "title", "steps", "co_units", "deadline", "light")
SHOWN_STEP_COLUMNS = ("code", "task_title", "title", "due")
SO_FAR_SUFFIX = "_so_far"  # of the name of a column that shows what was reported so far


def task_column(column: Column) -> Column:
    """Show a fact of the task; it is not read back."""
    return replace(
        column, value=lambda row, on: column.value(row.task, on), parse=None, fills=False
    )


def step_column(column: Column) -> Column:
    """Show a fact of the step; it is not read back."""
    return replace(column, value=lambda row, on: column.value(row.item, on), parse=None)


def so_far_column(column: Column) -> Column:
    """Show what was reported so far, beside the cell for what is new."""
    header = format_lazy("{header}{mark}", header=column.header, mark=gettext_lazy(" (so far)"))
    width = max(column.width, 9.0)  # for the longer header
    return Column(
        f"{column.name}{SO_FAR_SUFFIX}",
        header,
        lambda row, on: reported_so_far(row, column),
        width,
        column.format,
    )


def column_to_fill(column: Column) -> Column:
    """Leave a cell to fill in; what was typed before comes back in it."""
    return replace(column, value=lambda row, on: row.typed.get(column.name))


def state_of(row: FillInRow, on: dt.date) -> str:
    """Say for which period the row is, and how far its report has come."""
    state = _("not reported")
    note = ""
    if row.base and row.base.period == row.period:
        state = row.base.get_state_display()
        if row.base.review_note:
            note = f" {row.base.review_note}"
    return f"{row.period.name(on)}\n{state}{note}"


def role_of(row: FillInRow, on: dt.date) -> str:
    """Say whether the unit leads, or whom it helps."""
    if not row.helps:
        return _("leads")
    lead_unit = ""
    if row.task.lead_unit:
        lead_unit = row.task.lead_unit.short_name
    return _("co-operates; lead unit: %(unit)s") % {"unit": lead_unit}


KEY_COLUMN = Column("key", gettext_lazy("mark (leave it as it is)"), lambda row, on: row.key, 40)
FAULTS_COLUMN = Column(
    "faults", gettext_lazy("what is wrong"), lambda row, on: "\n".join(row.faults.values()), 30
)
ROLE_COLUMN = Column("role", gettext_lazy("role of the unit"), role_of, 11)
STATE_COLUMN = Column("state", gettext_lazy("this period"), state_of, 11)


def report_columns(marked: bool = False) -> dict[str, Column]:
    """Return the columns of the sheet of reports; a `marked` one shows faults."""
    columns = [KEY_COLUMN]
    for name in SHOWN_TASK_COLUMNS:
        columns.append(task_column(TASK_COLUMNS[name]))
    columns += [ROLE_COLUMN, STATE_COLUMN]
    for column in filled_in():
        columns += [so_far_column(column), column_to_fill(column)]
    if marked:
        columns.append(FAULTS_COLUMN)
    return columns_by_name(columns)


def step_columns(marked: bool = False) -> dict[str, Column]:
    """Return the columns of the sheet of steps; a `marked` one shows faults."""
    done = ITEM_COLUMNS["done"]
    number = ITEM_COLUMNS["number"]
    columns = [KEY_COLUMN]
    for name in SHOWN_STEP_COLUMNS:
        columns.append(step_column(ITEM_COLUMNS[name]))
    # The number is read back: it says which step of the task a row is of.
    columns.append(replace(step_column(number), parse=number.parse))
    columns.append(
        Column(
            f"done{SO_FAR_SUFFIX}",
            gettext_lazy("done so far"),
            lambda row, on: done.value(row.item, on),
            9,
        )
    )
    columns.append(replace(column_to_fill(done), fills=True))
    if marked:
        columns.append(FAULTS_COLUMN)
    return columns_by_name(columns)
