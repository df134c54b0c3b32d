"""The rows of a fill-in workbook and their hidden keys: what its export and import share.

The key of a row says which task, in which version, and which period it is for: rows may be sorted,
filtered and deleted, and are still recognised when the workbook comes back.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tracker import workflow
from tracker.domain import lights
from tracker.domain.choices import RUNNING_STATUSES
from tracker.domain.dates import Period, period_between
from tracker.models import ChecklistItem, Organization, ProgressUpdate, Task
from tracker.models.task import TaskQuerySet
from tracker.reports.columns import SHARE_FORMAT, Column, NativeValue

_KEY = re.compile(r"([^/]+)/([^/]+)/([0-9]{1,9})/([0-9-]{10})(?:_([0-9-]{10}))?(?:/([0-9]{1,18}))?")


class RowKey(NamedTuple):
    """What a hidden cell names: a task, its version, a period, and a unit that contributes.

    A workbook of before 0.2 names the first day of the period alone.
    """

    slug: str
    code: str
    version: int
    start: dt.date
    end: dt.date | None
    unit: int | None

    def __str__(self) -> str:
        """Return the text of the cell, as `read_key` reads it."""
        text = f"{self.slug}/{self.code}/{self.version}/{self.start}_{self.end}"
        if self.unit:
            return f"{text}/{self.unit}"
        return text

    def period(self, cycle: str) -> Period | None:
        """Return the period; by its first day alone it is one of the cycle.

        None for days that are no period.
        """
        if self.end:
            return period_between(self.start, self.end)
        return Period(cycle, self.start)


def read_key(text: str) -> RowKey | None:
    """Read a key; None for a text that is none."""
    found = _KEY.fullmatch(text)
    if not found:
        return None
    slug, code, version, start, end, unit = found.groups()
    last_day = None
    contributor = None
    try:
        if end:
            last_day = dt.date.fromisoformat(end)
        if unit:
            contributor = int(unit)
        first_day = dt.date.fromisoformat(start)
    except ValueError:
        return None
    return RowKey(slug, code, int(version), first_day, last_day, contributor)


@dataclass
class FillInRow:
    """A task to fill in for a period, with the report that a new one goes on from.

    `typed` and `faults` hold, by column, what was typed in a workbook that came back.
    """

    task: Task
    period: Period
    base: ProgressUpdate | None
    unit: Organization | None = None  # that reports; the lead unit where none is named
    item: ChecklistItem | None = None
    key: str = ""
    typed: Mapping[str, NativeValue] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unit = self.unit or self.task.lead_unit
        self.key = self.key or str(self._key())

    @property
    def helps(self) -> bool:
        """Say whether it is a contribution of a co-operating unit."""
        return bool(self.unit and self.unit.pk != self.task.lead_unit_id)

    @property
    def version(self) -> int:
        """Return the version that tells of changes made meanwhile.

        Of a contribution it is that of the unit's own report.
        """
        if not self.helps:
            return self.task.version
        if self.base and self.base.period == self.period:
            return self.base.version
        return 0

    def _key(self) -> RowKey:
        contributor = None
        if self.helps and self.unit:
            contributor = self.unit.pk
        return RowKey(
            self.task.policy.slug,
            self.task.code,
            self.version,
            self.period.start,
            self.period.end,
            contributor,
        )


def fillable(tasks: TaskQuerySet) -> TaskQuerySet:
    """Keep the tasks that a report can be handed in for."""
    return tasks.filter(
        status__in=RUNNING_STATUSES, assigned_on__isnull=False, lead_unit__isnull=False
    )


def takes_reports(task: Task) -> bool:
    """Say of one task what `fillable` asks of many."""
    return bool(task.status in RUNNING_STATUSES and task.assigned_on and task.lead_unit_id)


def fill_in_rows(
    tasks: TaskQuerySet, today: dt.date, unit: Organization | None = None
) -> list[FillInRow]:
    """Make the rows of some tasks, each for the period that is due.

    They are for the lead unit of each task, or for a `unit` that co-operates.
    """
    found = list(fillable(tasks).with_related().defer("policy__full_text"))
    known = workflow.latest_reports(found)
    rows = []
    for task in found:
        period = lights.reportable(task, task.policy, today)[0]
        reporting = task.lead_unit_id
        if unit:
            reporting = unit.pk
        base = workflow.base_report(task, reporting, period, known)
        rows.append(FillInRow(task, period, base, unit))
    return rows


def states_percent(row: FillInRow) -> bool:
    """Say whether the report of a row has a percent of its own."""
    return workflow.has_own_percent(row.task) and not row.helps


def reported_so_far(row: FillInRow, column: Column) -> NativeValue:
    """Return a value of the report that a new one goes on from; a percent is a share of 1."""
    if column.format != SHARE_FORMAT:
        value: NativeValue = getattr(row.base, column.name, None)
        return value
    if not states_percent(row):
        return None
    if row.base and row.base.percent is not None:
        return row.base.percent / 100
    return row.task.percent / 100
