"""Columns, once: header, value, cell, width and order of everything that a task shows in a row.

The list page and the workbook read the same objects; header lists and row lists kept by hand
drift apart. Adding a column is one line in `COLUMNS`.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import F, OrderBy
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from tracker.choices import Kind, Light, Status
from tracker.models import ChecklistItem, Task

Native = str | int | float | dt.date | None

TEXT, DAY, SHARE, WHOLE = "@", "yyyy-mm-dd", "0%", "0"


@dataclass(frozen=True)
class Column:
    """One fact of a task: how it is headed, valued, formatted, and ordered by.

    `value(task, on)` is native: text, whole number, share from 0 to 1, day or None. It reads
    only what `TaskQuerySet.with_related` has fetched. `width` is in characters of a workbook.
    """

    name: str
    header: str | Promise
    value: Callable[[Task, dt.date], Native]
    width: float = 12
    format: str = TEXT
    order: tuple[str, ...] = ()


def kind_text(task: Task, on: dt.date) -> str:
    """Name the kind of a task; Django's own display builds all choices anew for every row."""
    return str(Kind(task.kind).label) if task.kind else ""


def status_text(task: Task, on: dt.date) -> str:
    """Name the status of a task."""
    return str(Status(task.status).label)


def light_words(light: Light, status: str) -> str:
    """Name a light as people say it: grey is either not started or suspended."""
    if light == Light.GREY:
        return str(Status.SUSPENDED.label if status == Status.SUSPENDED else Status.NOT_STARTED.label)
    return str(light.label)


def light_label(light: Light, status: str) -> str:
    """Return shape and word of a light, legible in grey print; a workbook's colours go by this text."""
    return f"{light.style.symbol} {light_words(light, status)}"


def light_text(task: Task, on: dt.date) -> str:
    """Return shape and word of a task's light."""
    return light_label(task.light_on(on), task.status)


def steps_done(items: Sequence[ChecklistItem]) -> str:
    """Say how many steps of a checklist are done."""
    done = sum(1 for item in items if item.done_on)
    return ngettext("%(done)d of %(count)d step done", "%(done)d of %(count)d steps done", len(items)) % {
        "done": done,
        "count": len(items),
    }


def steps_text(task: Task, on: dt.date) -> str:
    """Say what is to be done, then how far the checklist is."""
    items = list(task.items.all())
    lines = [task.description] if task.description else []
    if items:
        lines.append(steps_done(items) + pgettext("after a field's name", ":"))
        lines += [f"{'✓' if item.done_on else '○'} {item.title}" for item in items]
    return "\n".join(lines)


def share(task: Task, on: dt.date) -> float | None:
    """Return the percent as a share, or None where a percent means nothing."""
    return task.percent / 100 if task.has_percent else None


def lead_text(task: Task, on: dt.date) -> str:
    """Name the lead unit, and say where it is only a proposal."""
    if not task.lead_unit:
        return ""
    if task.lead_is_proposed:
        return _("%(unit)s (proposed)") % {"unit": task.lead_unit.short_name}
    return task.lead_unit.short_name


def co_text(task: Task, on: dt.date) -> str:
    """List the co-operating units in official order."""
    return pgettext("list", ", ").join(unit.short_name for unit in task.co_units.all())


def not_yet(task: Task, on: dt.date) -> None:
    """Stand in for what progress reports will say: nothing has been reported."""
    return


# No two tasks of a policy share one of these: no further key is needed.
UNIQUE = {"code", "sort_key"}
MAY_BE_EMPTY = {field.name for field in Task._meta.local_concrete_fields if field.null}

COLUMNS = {
    column.name: column
    for column in (
        Column("section", gettext_lazy("section"), lambda t, on: t.measure.section.name, 10, order=("sort_key",)),
        Column("measure", gettext_lazy("measure"), lambda t, on: str(t.measure), 15, order=("sort_key",)),
        Column("code", gettext_lazy("task code"), lambda t, on: t.code, 9, order=("code",)),
        Column("title", gettext_lazy("key task"), lambda t, on: t.title, 18, order=("title",)),
        Column("steps", gettext_lazy("steps / checklist"), steps_text, 38),
        Column(
            "lead_official", gettext_lazy("lead official"), lambda t, on: t.lead_official, 9, order=("lead_official",)
        ),
        Column("lead_unit", gettext_lazy("lead unit"), lead_text, 13.5, order=("lead_unit__order", "lead_unit")),
        Column("co_units", gettext_lazy("co-operating units"), co_text, 18),
        Column(
            "responsible_person",
            gettext_lazy("person responsible"),
            lambda t, on: t.responsible_person,
            8,
            order=("responsible_person",),
        ),
        Column(
            "original_deadline",
            gettext_lazy("original deadline"),
            lambda t, on: t.original_deadline,
            13,
            DAY,
            ("original_deadline",),
        ),
        Column("deadline", gettext_lazy("current deadline"), lambda t, on: t.deadline, 13, DAY, ("deadline",)),
        Column("percent", gettext_lazy("percent done"), share, 7, SHARE, ("percent",)),
        Column("status", gettext_lazy("status"), status_text, 9, order=("status",)),
        Column("light", gettext_lazy("light"), light_text, 12, order=("light_rank",)),
        Column("progress", gettext_lazy("progress"), not_yet, 24),
        Column("problems", gettext_lazy("problems"), not_yet, 16),
        Column("next_steps", gettext_lazy("next steps"), not_yet, 16),
        Column("evidence", gettext_lazy("pieces of evidence"), not_yet, 7, WHOLE),
        Column("remark", gettext_lazy("remark"), lambda t, on: t.remark, 14),
    )
}


def ordering(column: Column, descending: bool = False) -> list[OrderBy]:
    """Return the order of a column: empty values last in both directions, the code as the last key.

    Only a column that can be empty says where: told so, a database leaves its indexes aside.
    """
    keys = [_directed(key, descending) for key in column.order]
    return keys if UNIQUE.intersection(column.order) else [*keys, F("code").asc()]


def _directed(key: str, descending: bool) -> OrderBy:
    last = key.split("__")[0] in MAY_BE_EMPTY or None
    return F(key).desc(nulls_last=last) if descending else F(key).asc(nulls_last=last)
