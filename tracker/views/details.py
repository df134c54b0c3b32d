"""The pages of one thing: a task, a measure, a unit."""

import datetime as dt
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from tracker import workflow
from tracker.domain import lights, permissions
from tracker.domain.choices import Action, ReportState
from tracker.models import Indicator, IndicatorValue, Organization, PolicyDocument, Task
from tracker.models.task import TaskQuerySet, cooperating
from tracker.reports import charts, history, statistics
from tracker.reports.filters import QueryReader
from tracker.reports.task_table import PAGE_SIZES, TaskTable
from tracker.web import request_context

SHOWN_REPORTS = 24  # reports told on a task's page
SHOWN_EVENTS = 20  # changes that a task's page tells; the admin tells more
TASK_FACTS = (
    "lead_official",
    "responsible_person",
    "kind",
    "status",
    "assigned_on",
    "acknowledged_on",
    "start",
    "deadline",
    "remark",
)
MAX_UNIT_TASKS = 10  # rows of what is asked of a unit; the whole list is one click away


@require_safe
def task(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show all that is known of a task.

    Its light and why, its term, its steps, where it comes from, its changes.
    """
    report_context = request_context.report_context(request)
    found = request_context.get_task(request, slug, code)
    report_context.query_reader.reject_unknown()
    policy = found.policy
    on = report_context.on
    actions = workflow.allowed_actions(found, request_context.current_user(request))
    reports = found.reports.exclude(state=ReportState.DRAFT).select_related(
        "unit", "submitted_by", "reviewed_by"
    )
    asks = found.requests.select_related("asked_by", "decided_by").prefetch_related("evidence")
    context = {
        "policy": policy,
        "indicators": _indicators(found),
        "reports": list(reports.prefetch_related("evidence__item")[:SHOWN_REPORTS]),
        "asks": list(asks),
        "writes": Action.REPORT in actions or Action.CONTRIBUTE in actions,
        "ticks": Action.TICK in actions,
        "withdraws": Action.WITHDRAW_ACCEPTANCE in actions,
        "actions": [action for action in actions if workflow.TRANSITIONS[action].is_button],
        "task": found,
        "facts": _facts(found),
        "light": found.light_on(on),
        "reasons": found.reasons_on(on),
        "bar": charts.time_bar(found, policy, on),
        "expected": charts.expected_percents(found, on),
        "turns": lights.light_changes(found, policy),
        "events": history.history_events(found, SHOWN_EVENTS),
        "edits": permissions.may_edit_policies(request.user),
    }
    return render(request, "tracker/task.html", {**report_context.context, **context})


def _indicators(task: Task) -> list[tuple[Indicator, charts.Trend | None]]:
    """Return the indicators of a task, each with its values as a line."""
    values = Prefetch("values", IndicatorValue.objects.select_related("entered_by"))
    indicators = []
    for indicator in task.indicators.prefetch_related(values):
        indicators.append((indicator, charts.trend(indicator)))
    return indicators


def _facts(task: Task) -> list[tuple[str, str]]:
    """Name the plain facts of a task that are known, each by the words of its field."""
    facts = []
    for name in TASK_FACTS:
        value = getattr(task, name)
        if value:
            field: Any = Task._meta.get_field(name)
            facts.append((str(field.verbose_name), str(dict(field.flatchoices).get(value, value))))
    return facts


@require_safe
def measure(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show how a measure is carried out: its figures and its tasks."""
    policy = request_context.get_policy(request, slug)
    report_context = request_context.report_context(request)
    found = get_object_or_404(policy.measures.select_related("section"), code=code)
    tasks = request_context.visible_tasks(request, policy).filter(measure=found)
    table = TaskTable(
        policy, tasks, report_context.query_reader, report_context.on, hidden=("measure",)
    )
    table.turn_to(report_context.query_reader)
    report_context.query_reader.reject_unknown()
    context = {
        "policy": policy,
        "measure": found,
        "row": statistics.row_of(
            tasks,
            report_context.on,
            found,
            {**report_context.carried_params, "measure": found.code},
        ),
        "table": table,
        "sizes": PAGE_SIZES,
    }
    return render(request, "tracker/measure.html", {**report_context.context, **context})


@require_safe
def units(request: HttpRequest, slug: str) -> HttpResponse:
    """List the units of a policy with the figures of the tasks they lead and co-operate in."""
    policy = request_context.get_policy(request, slug)
    report_context = request_context.report_context(request)
    report_context.query_reader.reject_unknown()
    tasks = request_context.visible_tasks(request, policy)
    on = report_context.on
    carried = report_context.carried_params
    leading = statistics.by_unit(tasks, on, carried)
    context = {
        "policy": policy,
        "leading": leading,
        "all": statistics.all_of(leading, carried),
        "helping": statistics.by_helper(tasks, on, carried),
        "edits": permissions.may_edit_policies(request.user),
    }
    return render(request, "tracker/units.html", {**report_context.context, **context})


@require_safe
def unit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show a unit within a policy.

    What it leads, what it co-operates in, what is asked of it now.
    """
    policy = request_context.get_policy(request, slug)
    found = request_context.get_unit(request, pk)
    report_context = request_context.report_context(request)
    report_context.query_reader.reject_unknown()
    leading, helping = _parts(request_context.visible_tasks(request, policy), found)
    context = {
        "policy": policy,
        "unit": found,
        "fills_in": permissions.works_for(request.user) == found
        or permissions.may_edit_policies(request.user),
        "leading": _gravest_first(policy, leading, report_context),
        "helping": _gravest_first(policy, helping, report_context),
        "helps": statistics.row_of(
            helping, report_context.on, found, {**report_context.carried_params, "helping": str(pk)}
        ),
        **_asked_of(leading, report_context.on, found, report_context.carried_params),
    }
    return render(request, "tracker/unit.html", {**report_context.context, **context})


@require_safe
def unit_everywhere(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a unit across all policies that exist for the reader."""
    found = request_context.get_unit(request, pk)
    report_context = request_context.report_context(request)
    report_context.query_reader.reject_unknown()
    leading, helping = _parts(Task.objects.visible_to(request.user), found)
    policies = list(PolicyDocument.objects.visible_to(request.user).defer("full_text"))
    on = report_context.on
    carried = report_context.carried_params
    leads = _with_tasks(statistics.by_policy(leading, policies, on, {**carried, "lead": str(pk)}))
    helps = _with_tasks(
        statistics.by_policy(helping, policies, on, {**carried, "helping": str(pk)})
    )
    demo = any(row.of.demo for row in (*leads, *helps))
    # What is invented and what is not must not be added up.
    total = None
    if not demo:
        total = statistics.all_of(leads, carried)
    context = {
        "unit": found,
        "leading": leads,
        "helping": helps,
        "demo": demo,
        "sum": total,
        **_asked_of(leading, on, found, carried),
    }
    return render(request, "tracker/unit_everywhere.html", {**report_context.context, **context})


def _parts(tasks: TaskQuerySet, unit: Organization) -> tuple[TaskQuerySet, TaskQuerySet]:
    """Return the tasks that a unit leads, and those that it co-operates in."""
    leading = tasks.filter(lead_unit=unit)
    return leading, tasks.filter(cooperating(unit))


def _asked_of(
    leading: TaskQuerySet, on: dt.date, unit: Organization, carried: dict[str, str]
) -> dict[str, Any]:
    """Return the figures of what a unit leads, with its overdue, unreported and turning tasks."""
    return {
        "all": statistics.row_of(leading, on, unit, {**carried, "lead": str(unit.pk)}),
        "late": statistics.overdue_tasks(leading, on, MAX_UNIT_TASKS),
        "owing": statistics.missing_reports(leading, on, MAX_UNIT_TASKS),
        "turning": statistics.forecast(leading, on, MAX_UNIT_TASKS),
        "turning_all": leading.turning(on).count(),
    }


def _gravest_first(
    policy: PolicyDocument, tasks: TaskQuerySet, report_context: request_context.ReportContext
) -> TaskTable:
    """Return the first page of some tasks, in one fixed order."""
    asked = QueryReader(QueryDict("sort=light"))
    asked.query |= report_context.carried_params
    table = TaskTable(policy, tasks, asked, report_context.on)
    table.turn_to(asked)
    return table


def _with_tasks(rows: list[statistics.StatRow]) -> list[statistics.StatRow]:
    return [row for row in rows if row.counts.total]
