"""What pages, lists and workbooks say of a task, its steps and its indicators."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from tracker.domain import lights, parsing
from tracker.domain.choices import Direction, Kind, Light, Status
from tracker.models import ChecklistItem, Indicator, Task


def kind_text(task: Task, on: dt.date) -> str:
    """Name the kind of a task; Django's own display builds all choices anew for every row."""
    if task.kind:
        return str(Kind(task.kind).label)
    return ""


def status_text(task: Task, on: dt.date) -> str:
    """Name the status of a task."""
    return str(Status(task.status).label)


def light_words(light: Light, status: str) -> str:
    """Name a light as people say it: grey is either not started or suspended."""
    if light == Light.GREY:
        return str(
            Status.SUSPENDED.label if status == Status.SUSPENDED else Status.NOT_STARTED.label
        )
    return str(light.label)


def light_label(light: Light, status: str) -> str:
    """Return shape and word of a light, legible in grey print.

    A workbook's colours go by this text.
    """
    return _label(light, status, get_language())


@lru_cache(maxsize=200)
def _label(light: Light, status: str, language: str | None) -> str:
    """Make a label once for each language: a ledger asks for it with every row."""
    return f"{light.style.symbol} {light_words(light, status)}"


def light_text(task: Task, on: dt.date) -> str:
    """Return shape and word of a task's light."""
    return light_label(task.light_on(on), task.status)


def ticked_steps(items: Sequence[ChecklistItem]) -> str:
    """Say how many steps of a checklist are done."""
    done = sum(1 for item in items if item.done_on)
    return ngettext(
        "%(done)d of %(count)d step done", "%(done)d of %(count)d steps done", len(items)
    ) % {
        "done": done,
        "count": len(items),
    }


def steps_text(task: Task, on: dt.date) -> str:
    """Say what is to be done, then how far the checklist is."""
    items = list(task.steps)
    if task.description:
        lines = [task.description]
    else:
        lines = []
    if items:
        lines.append(ticked_steps(items) + pgettext("after a field's name", ":"))
        lines += [f"{'✓' if item.done_on else '○'} {item.title}" for item in items]
    return "\n".join(lines)


def share_text(task: Task, on: dt.date) -> float | None:
    """Return the percent as a share, or None where a percent means nothing."""
    if task.has_percent:
        return task.percent / 100
    return None


def lead_text(task: Task, on: dt.date) -> str:
    """Name the lead unit, and say where it is only a proposal."""
    if not task.lead_unit:
        return ""
    if task.lead_is_proposed:
        return _("%(unit)s (proposed)") % {"unit": task.lead_unit.short_name}
    return task.lead_unit.short_name


def co_text(task: Task, on: dt.date) -> str:
    """List the co-operating units in official order."""
    return pgettext("list", ", ").join(unit.short_name for unit in task.helpers)


def evidence_count(task: Any, on: dt.date) -> int | None:
    """Count the pieces of evidence of the latest accepted report; None where there is no report."""
    report = getattr(task, "latest_report", None)
    if report:
        return len(report.evidence.all())
    return None


def days_over(task: Task, on: dt.date) -> int | None:
    """Count the days by which a task is past its deadline on the day that counts.

    None where it is not.
    """
    if task.deadline:
        days = (lights.judged_on(task, on) - task.deadline).days
    else:
        days = 0
    if days > 0:
        return days
    return None


def who_acts(task: Task, on: dt.date) -> str:
    """Name who has to act: the lead unit, or the office where it has to decide or hand over."""
    waits_for_office = task.status == Status.CLOSING or not task.assigned_on or not task.lead_unit
    if waits_for_office:
        return _("the supervision office")
    return lead_text(task, on)


def amount_text(value: Decimal, unit: str) -> str:
    """Write an amount with its unit."""
    if unit == "%":
        return f"{parsing.format_decimal(value)}%"
    return f"{parsing.format_decimal(value)} {unit}"


def target_text(indicator: Indicator) -> str:
    """Say what an indicator is to reach, and by when."""
    amount = amount_text(indicator.target, indicator.unit_of_measure)
    reach = f"{Direction(indicator.direction).sign} {amount}"
    if not indicator.target_on:
        return reach
    return _("%(target)s by %(day)s") % {"target": reach, "day": indicator.target_on}


def baseline_text(indicator: Indicator) -> str:
    """Say where an indicator began."""
    return _dated(indicator.baseline, indicator.baseline_on, indicator.unit_of_measure)


def actual_text(indicator: Indicator) -> str:
    """Say what an indicator is, and of which day that is."""
    return _dated(indicator.actual, indicator.actual_on, indicator.unit_of_measure)


def _dated(value: Decimal | None, day: dt.date | None, unit: str) -> str:
    if value is None:
        return "—"
    text = amount_text(value, unit)
    if day:
        return _("%(value)s on %(day)s") % {"value": text, "day": day}
    return text


def gap_text(indicator: Indicator) -> str:
    """Say in words how far an indicator is from its target; percents differ by points."""
    left = lights.missing_facts(indicator)
    if left is None:
        return _("no value yet")
    if not left:
        return _("target reached")
    if indicator.unit_of_measure == "%":
        unit = _("percentage points")
    else:
        unit = indicator.unit_of_measure
    gap = amount_text(left, unit)
    if indicator.direction == Direction.UP:
        return _("%(gap)s to go") % {"gap": gap}
    return _("%(gap)s above the target") % {"gap": gap}
