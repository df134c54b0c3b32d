"""The pages of one thing: a task, a measure, a unit."""

import datetime as dt
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from tracker import charts, history, numbers, permissions, rules, workflow
from tracker.choices import Action, ReportState
from tracker.filters import Asked
from tracker.forms.progress import ASKED
from tracker.models import IndicatorValue, Organization, PolicyDocument, Task
from tracker.models.task import TaskQuerySet, cooperating
from tracker.tables import PAGE_SIZES, TaskTable
from tracker.views import edge

REPORTS = 24  # reports told on a task's page
# Decided where the request is shown.
BY_REQUEST = (
    Action.GRANT_CLOSING, Action.RETURN_CLOSING, Action.GRANT_EXTENSION, Action.RETURN_EXTENSION,
)  # fmt: skip
EVENTS = 20  # changes that a task's page tells; the admin tells more
FACTS = (
    "lead_official", "responsible_person", "kind", "status", "assigned_on", "acknowledged_on", "start", "deadline",
    "remark",
)  # fmt: skip
LISTED = 10  # rows of what is asked of a unit; the whole list is one click away


@require_safe
def task(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show all that is known of a task: its light and why, its term, its steps, where it comes from, its changes."""
    reading, found = edge.read(request), edge.find_task(request, slug, code)
    reading.asked.finish()
    policy, actions = found.policy, workflow.allowed(found, edge.user(request))
    reports = found.reports.exclude(state=ReportState.DRAFT).select_related("unit", "submitted_by", "reviewed_by")
    values = Prefetch("values", IndicatorValue.objects.select_related("entered_by"))
    context = {
        "policy": policy,
        "indicators": [(each, charts.trend(each)) for each in found.indicators.prefetch_related(values)],
        "reports": list(reports.prefetch_related("evidence__item")[:REPORTS]),
        "asks": list(found.requests.select_related("asked_by", "decided_by").prefetch_related("evidence")),
        "writes": Action.REPORT in actions or Action.CONTRIBUTE in actions,
        "ticks": Action.TICK in actions,
        "withdraws": Action.WITHDRAW_ACCEPTANCE in actions,
        "actions": [action for action in actions if action in ASKED and action not in BY_REQUEST],
        "task": found,
        "facts": _facts(found),
        "light": found.light_on(reading.on),
        "reasons": found.reasons_on(reading.on),
        "bar": charts.time_bar(found, policy, reading.on),
        "expected": charts.expected_percent(found, reading.on),
        "turns": rules.turns(found, policy),
        "events": history.events(found, EVENTS),
        "edits": permissions.may_edit_policies(request.user),
    }
    return render(request, "tracker/task.html", {**reading.context, **context})


def _facts(task: Task) -> list[tuple[str, str]]:
    """Name the plain facts of a task that are known, each by the words of its field."""
    fields = {field.name: field for field in Task._meta.local_concrete_fields}
    known = [(fields[name], getattr(task, name)) for name in FACTS if getattr(task, name)]
    return [(str(field.verbose_name), str(dict(field.flatchoices).get(value, value))) for field, value in known]


@require_safe
def measure(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show how a measure is carried out: its figures and its tasks."""
    policy, reading = edge.find_policy(request, slug), edge.read(request)
    found = get_object_or_404(policy.measures.select_related("section"), code=code)
    tasks = edge.tasks_of(request, policy).filter(measure=found)
    table = TaskTable(policy, tasks, reading.asked, reading.on, hidden=("measure",))
    table.turn_to(reading.asked)
    reading.asked.finish()
    context = {
        "policy": policy,
        "measure": found,
        "row": numbers.row_of(tasks, reading.on, found, {**reading.keep, "measure": found.code}),
        "table": table,
        "sizes": PAGE_SIZES,
    }
    return render(request, "tracker/measure.html", {**reading.context, **context})


@require_safe
def units(request: HttpRequest, slug: str) -> HttpResponse:
    """List the units of a policy with the figures of what they lead, and of what they co-operate in."""
    policy, reading = edge.find_policy(request, slug), edge.read(request)
    reading.asked.finish()
    tasks, on, keep = edge.tasks_of(request, policy), reading.on, reading.keep
    leading = numbers.by_unit(tasks, on, keep)
    context = {
        "policy": policy,
        "leading": leading,
        "all": numbers.all_of(leading, keep),
        "helping": numbers.by_helper(tasks, on, keep),
        "edits": permissions.may_edit_policies(request.user),
    }
    return render(request, "tracker/units.html", {**reading.context, **context})


@require_safe
def unit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show a unit within a policy: what it leads, what it co-operates in, what is asked of it now."""
    policy, found, reading = edge.find_policy(request, slug), edge.find_unit(request, pk), edge.read(request)
    reading.asked.finish()
    leading, helping = _parts(edge.tasks_of(request, policy), found)
    context = {
        "policy": policy,
        "unit": found,
        "fills_in": permissions.works_for(request.user) == found or permissions.may_edit_policies(request.user),
        "leading": _gravest_first(policy, leading, reading),
        "helping": _gravest_first(policy, helping, reading),
        "helps": numbers.row_of(helping, reading.on, found, {**reading.keep, "helping": str(pk)}),
        **_asked_of(leading, reading.on, found, reading.keep),
    }
    return render(request, "tracker/unit.html", {**reading.context, **context})


@require_safe
def unit_everywhere(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a unit across all policies that exist for the reader."""
    found, reading = edge.find_unit(request, pk), edge.read(request)
    reading.asked.finish()
    leading, helping = _parts(Task.objects.visible_to(request.user), found)
    policies = list(PolicyDocument.objects.visible_to(request.user).defer("full_text"))
    on, keep = reading.on, reading.keep
    leads = _with_tasks(numbers.by_policy(leading, policies, on, {**keep, "lead": str(pk)}))
    helps = _with_tasks(numbers.by_policy(helping, policies, on, {**keep, "helping": str(pk)}))
    demo = any(row.of.demo for row in (*leads, *helps))
    context = {
        "unit": found,
        "leading": leads,
        "helping": helps,
        "demo": demo,
        # What is invented and what is not must not be added up.
        "sum": None if demo else numbers.all_of(leads, keep),
        **_asked_of(leading, on, found, keep),
    }
    return render(request, "tracker/unit_everywhere.html", {**reading.context, **context})


def _parts(tasks: TaskQuerySet, unit: Organization) -> tuple[TaskQuerySet, TaskQuerySet]:
    """Part the tasks of a unit: those that it leads, and those that it co-operates in."""
    return tasks.filter(lead_unit=unit), tasks.filter(cooperating(unit))


def _asked_of(leading: TaskQuerySet, on: dt.date, unit: Organization, keep: dict[str, str]) -> dict[str, Any]:
    """Return the figures of what a unit leads, and what is overdue, unreported and about to turn."""
    return {
        "all": numbers.row_of(leading, on, unit, {**keep, "lead": str(unit.pk)}),
        "late": numbers.late(leading, on, LISTED),
        "owing": numbers.owing(leading, on, LISTED),
        "turning": numbers.turning(leading, on, LISTED),
        "turning_all": leading.turning(on).count(),
    }


def _gravest_first(policy: PolicyDocument, tasks: TaskQuerySet, reading: edge.Reading) -> TaskTable:
    """Lay out the first page of some tasks, in one fixed order."""
    asked = Asked(QueryDict("sort=light"))
    asked.query |= reading.keep
    table = TaskTable(policy, tasks, asked, reading.on)
    table.turn_to(asked)
    return table


def _with_tasks(rows: list[numbers.Row]) -> list[numbers.Row]:
    return [row for row in rows if row.counts.total]
