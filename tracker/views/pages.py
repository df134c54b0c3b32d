"""The report pages."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tracker import numbers, permissions
from tracker.filters import Asked, TaskFilter
from tracker.health import CHECKS, examine
from tracker.models import PolicyDocument, Task
from tracker.tables import PAGE_SIZES, TaskTable
from tracker.views import edge

LISTED = 8  # rows of the lists on the overview, which prints on two pages; the whole list is one click away
FINDINGS, OF_ONE_KIND = 25, 500  # rows of each kind of finding, and of one kind alone; the ledger has them all


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """List the policies that exist for the reader, with their figures."""
    reading = edge.read(request)
    reading.asked.finish()
    policies = PolicyDocument.objects.visible_to(request.user)
    rows = numbers.by_policy(Task.objects.visible_to(request.user), policies, reading.on, reading.keep)
    has_role = permissions.scope(request.user) != permissions.Scope.NOTHING
    return render(request, "tracker/home.html", {**reading.context, "rows": rows, "has_role": has_role})


@require_safe
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Show where a policy stands: figures, sections, units, what is late and what turns next."""
    found, reading = edge.find_policy(request, slug), edge.read(request)
    reading.asked.finish()
    tasks, on, keep = edge.tasks_of(request, found), reading.on, reading.keep
    sections = numbers.by_section(tasks, found, on, keep)
    measures = numbers.by_measure(tasks, found, on, keep)
    days = numbers.turning_days(tasks, on)
    context = {
        "policy": found,
        "sections": sections,
        "all": numbers.all_of(sections, keep),
        "measures": measures,
        "counted": sum(not row.of.general for row in measures),
        "units": numbers.by_unit(tasks, on, keep),
        "proposed": tasks.counted().filter(lead_is_proposed=True).count(),
        "kinds": numbers.by_kind(tasks, on, keep),
        "late": numbers.late(tasks, on, LISTED),
        "turning": numbers.turning(tasks, on, LISTED),
        "turning_all": sum(day.yellow + day.red for day in days),
        "days": days,
    }
    return render(request, "tracker/policy.html", {**reading.context, **context})


@require_safe
def tasks(request: HttpRequest, slug: str) -> HttpResponse:
    """List the tasks of a policy: filtered, sorted, a page at a time."""
    found, reading = edge.find_policy(request, slug), edge.read(request)
    visible = edge.tasks_of(request, found)
    chosen = TaskFilter(reading.asked, visible, found, reading.on)
    table = TaskTable(found, chosen.qs, reading.asked, reading.on, banded=True)
    table.turn_to(reading.asked)
    reading.asked.finish()
    # Without a filter the two are one number: counting twice would cost as much as the page.
    count = visible.count() if chosen.data else table.paginator.count
    context = {"policy": found, "filter": chosen, "table": table, "visible": count, "sizes": PAGE_SIZES}
    return render(request, "tracker/tasks.html", {**reading.context, **context})


@require_safe
def health(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is wrong, missing or doubtful in a policy today: the first of each kind, or one kind alone."""
    found, asked = edge.find_policy(request, slug), Asked(request.GET)
    if not permissions.may_read_reviews(request.user):
        raise PermissionDenied
    kind = asked.choice("kind", _("kind of finding"), [check.name for check in CHECKS])
    asked.finish()
    checkup = examine(found)
    groups = [(check, rows) for check, rows in checkup.groups if kind in ("", check.name)]
    most = OF_ONE_KIND if kind else FINDINGS
    context = {
        "policy": found,
        "checkup": checkup,
        "kind": kind,
        "faults": asked.faults,
        "on": edge.today(),
        "groups": [
            (check, len(rows), [(row, row.page(slug), row.mended_at(slug, request.user)) for row in rows[:most]])
            for check, rows in groups
        ],
    }
    return render(request, "tracker/health.html", context)
