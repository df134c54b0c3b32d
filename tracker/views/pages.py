"""The report pages."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tracker.domain import permissions
from tracker.models import PolicyDocument, Task
from tracker.reports import statistics
from tracker.reports.filters import QueryReader, TaskFilter
from tracker.reports.health_check import HealthFinding, run_checkup
from tracker.reports.health_rules import HEALTH_CHECKS
from tracker.reports.task_table import PAGE_SIZES, TaskTable
from tracker.web import request_context

# Rows of the lists on the overview, which prints on two pages; the whole list is one click away.
MAX_HOME_TASKS = 8
MAX_FINDINGS = 25  # of each kind, beside the others; the ledger has them all
MAX_FINDINGS_OF_KIND = 500  # of one kind alone


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """List the policies that exist for the reader, with their figures."""
    report_context = request_context.report_context(request)
    report_context.query_reader.reject_unknown()
    policies = PolicyDocument.objects.visible_to(request.user)
    rows = statistics.by_policy(
        Task.objects.visible_to(request.user),
        policies,
        report_context.on,
        report_context.carried_params,
    )
    has_role = permissions.visibility_scope(request.user) != permissions.VisibilityScope.NOTHING
    return render(
        request, "tracker/home.html", {**report_context.context, "rows": rows, "has_role": has_role}
    )


@require_safe
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Show where a policy stands: figures, sections, units, what is late and what turns next."""
    found = request_context.get_policy(request, slug)
    report_context = request_context.report_context(request)
    report_context.query_reader.reject_unknown()
    tasks = request_context.visible_tasks(request, found)
    on = report_context.on
    carried = report_context.carried_params
    sections = statistics.by_section(tasks, found, on, carried)
    measures = statistics.by_measure(tasks, found, on, carried)
    days = statistics.forecast_days(tasks, on)
    context = {
        "policy": found,
        "sections": sections,
        "all": statistics.all_of(sections, carried),
        "measures": measures,
        "counted": sum(not row.of.general for row in measures),
        "units": statistics.by_unit(tasks, on, carried),
        "proposed": tasks.counted().filter(lead_is_proposed=True).count(),
        "kinds": statistics.by_kind(tasks, on, carried),
        "late": statistics.overdue_tasks(tasks, on, MAX_HOME_TASKS),
        "turning": statistics.forecast(tasks, on, MAX_HOME_TASKS),
        "turning_all": sum(day.yellow + day.red for day in days),
        "days": days,
    }
    return render(request, "tracker/policy.html", {**report_context.context, **context})


@require_safe
def tasks(request: HttpRequest, slug: str) -> HttpResponse:
    """List the tasks of a policy: filtered, sorted, a page at a time."""
    found = request_context.get_policy(request, slug)
    report_context = request_context.report_context(request)
    visible = request_context.visible_tasks(request, found)
    chosen = TaskFilter(report_context.query_reader, visible, found, report_context.on)
    table = TaskTable(found, chosen.qs, report_context.query_reader, report_context.on, banded=True)
    table.turn_to(report_context.query_reader)
    report_context.query_reader.reject_unknown()
    # Without a filter the two are one number: counting twice would cost as much as the page.
    count = table.paginator.count
    if chosen.data:
        count = visible.count()
    context = {
        "policy": found,
        "filter": chosen,
        "table": table,
        "visible": count,
        "sizes": PAGE_SIZES,
    }
    return render(request, "tracker/tasks.html", {**report_context.context, **context})


@require_safe
def health(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is wrong, missing or doubtful in a policy today.

    The first of each kind, or one kind alone.
    """
    found = request_context.get_policy(request, slug)
    asked = QueryReader(request.GET)
    if not permissions.may_read_reviews(request.user):
        raise PermissionDenied
    kind = asked.choice("kind", _("kind of finding"), [check.name for check in HEALTH_CHECKS])
    asked.reject_unknown()
    checkup = run_checkup(found)
    limit = MAX_FINDINGS
    if kind:
        limit = MAX_FINDINGS_OF_KIND
    groups = []
    for check, findings in checkup.groups:
        if kind in ("", check.name):
            shown = _with_addresses(findings[:limit], found, request)
            groups.append((check, len(findings), shown))
    context = {
        "policy": found,
        "checkup": checkup,
        "kind": kind,
        "faults": asked.faults,
        "on": request_context.current_day(),
        "groups": groups,
    }
    return render(request, "tracker/health.html", context)


def _with_addresses(
    findings: list[HealthFinding], policy: PolicyDocument, request: HttpRequest
) -> list[tuple[HealthFinding, str, str]]:
    """Return findings with the page of each, and where the reader can correct it."""
    rows = []
    for finding in findings:
        page = finding.page(policy.slug)
        rows.append((finding, page, finding.mended_at(policy.slug, request.user)))
    return rows
