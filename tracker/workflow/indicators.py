"""Values of indicators: of an accepted report, or entered and corrected by the office.

The percent may follow.
"""

import datetime as dt
from collections.abc import Iterable
from copy import copy
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction

from tracker.domain import lights, permissions
from tracker.domain.choices import ReportState
from tracker.models import Indicator, IndicatorValue, ProgressUpdate, Task
from tracker.workflow.deletion import delete_object, delete_unchecked
from tracker.workflow.rows import ChangeContext, bump_version, save_row
from tracker.workflow.tasks import lock_task, write_task


def save_values(
    indicator: Indicator,
    act: ChangeContext,
    seen: int | None,
    values: Iterable[IndicatorValue],
    removed: Iterable[IndicatorValue] = (),
    *,
    today: dt.date,
) -> None:
    """Save and remove values of an indicator, entered by the office.

    Raises StaleVersion on a newer version of the indicator, and ValidationError where the percent
    of the task falls by it and no reason is given.
    """
    if act.user and not permissions.may_edit(act.user, IndicatorValue):
        raise PermissionDenied
    with transaction.atomic():
        task = Task.objects.with_related().defer("policy__full_text").get(pk=indicator.task_id)
        before = lock_task(task, None)
        for value in removed:
            delete_object(value, act)
        _save_values_of(indicator, values, act, seen)
        write_task(task, before, act, today, by_request=True)


def apply_figures(report: ProgressUpdate, act: ChangeContext) -> None:
    """Store the figures of an accepted report as values of the last day of its period."""
    reported = {}
    for figure in report.figures:
        reported[figure["indicator"]] = Decimal(figure["value"])
    for indicator in Indicator.objects.filter(task=report.task_id, pk__in=reported):
        value = indicator.values.filter(day=report.period_end).first()
        value = value or IndicatorValue(indicator=indicator, day=report.period_end)
        value.value = reported[indicator.pk]
        value.report = report
        value.entered_by = report.submitted_by
        _save_values_of(indicator, [value], act, None)


def revert_figures(report: ProgressUpdate, act: ChangeContext) -> None:
    """Restore the values that an accepted report has set; what was corrected since stays."""
    reported = {}
    for figure in report.figures:
        reported[figure["indicator"]] = Decimal(figure["value"])
    others = ProgressUpdate.objects.filter(task=report.task_id, state=ReportState.ACCEPTED)
    earlier = (
        others.filter(period_end=report.period_end).exclude(pk=report.pk).order_by("-pk").first()
    )
    for value in IndicatorValue.objects.filter(report=report).select_related("indicator"):
        rows = list(value.history.order_by("-history_id")[:2])
        if value.value != reported.get(value.indicator_id) or not rows:
            continue
        if len(rows) == 1 and rows[0].history_type == "+":
            bump_version(value.indicator, None)
            save_row(value.indicator, act, False)
            delete_unchecked(value, act)
        elif len(rows) == 2:
            former = rows[1]
            value.value = former.value
            value.note = former.note
            value.entered_by_id = former.entered_by_id
            value.report = earlier
            _save_values_of(value.indicator, [value], act, None)


def percent_after(report: ProgressUpdate, task: Task) -> int:
    """Return the percent of a task that follows an indicator once a report is accepted."""
    driver = Indicator.objects.get(task=task, drives_percent=True)
    later = bool(driver.actual_on and driver.actual_on > report.period_end)
    if not later:
        reported = as_reported(report, [driver])
    else:
        reported = []
    return lights.achieved_percent((*reported, driver)[0]) or 0


def as_reported(report: ProgressUpdate, indicators: Iterable[Indicator]) -> list[Indicator]:
    """Return copies of the indicators in a report, with its figures as their actual values."""
    reported = {}
    for figure in report.figures:
        reported[figure["indicator"]] = Decimal(figure["value"])
    found = [copy(each) for each in indicators if each.pk in reported]
    for each in found:
        each.actual = reported[each.pk]
        each.actual_on = report.period_end
    return found


def _save_values_of(
    indicator: Indicator, values: Iterable[IndicatorValue], act: ChangeContext, seen: int | None
) -> None:
    """Save values and raise the version of their indicator, whose history shows the change."""
    bump_version(indicator, seen)
    save_row(indicator, act, False)
    for value in values:
        value.indicator = indicator
        save_row(value, act)
