"""What leaves the house as a file."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from tempfile import TemporaryFile
from typing import IO, Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tracker import health, permissions
from tracker import ledger as workbook
from tracker.domain import scratch
from tracker.filters import TaskFilter
from tracker.models import PolicyDocument
from tracker.models.task import TaskQuerySet
from tracker.tables import TaskTable
from tracker.views import edge
from tracker.web.export_slots import RETRY_AFTER, ExportsBusy, export_slot

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export_view(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a view answer 503 in words, with a way to try again, while as many large exports run as may."""

    @require_safe
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except ExportsBusy:
            return answer_busy(request)

    return guarded


def answer_busy(request: HttpRequest) -> HttpResponse:
    """Say that as many large exports run as may, and when to try again."""
    answer = render(request, "tracker/exports_busy.html", {"seconds": RETRY_AFTER}, status=503)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


@export_view
def ledger(request: HttpRequest, slug: str) -> HttpResponse | FileResponse:
    """Send the workbook of exactly the list that was asked for, unpaged; 400 in words where it cannot be read."""
    policy, reading = edge.find_policy(request, slug), edge.read(request)
    chosen = TaskFilter(reading.asked, edge.tasks_of(request, policy), policy, reading.on)
    table = TaskTable(policy, chosen.qs, reading.asked, reading.on)
    paper = reading.asked.choice("paper", _("paper"), workbook.PAPERS) or "a3"
    reading.asked.finish("page", "per_page")
    if reading.asked.faults:
        # A file of everything would be worse than none.
        return HttpResponse("\n".join(reading.asked.faults), status=400, content_type="text/plain; charset=utf-8")
    total = table.tasks.count()
    with export_slot(total):
        # A filtered list is a part of the policy; the health check speaks of the whole.
        whole = permissions.may_read_reviews(request.user) and not chosen.data
        findings = health.sheets(policy, request.build_absolute_uri) if whole else []
        scope = ledger_scope(request, policy, table.tasks, reading.on, chosen.words())
        extras = [*scope.extras, *findings]
        return send_ledger(replace(scope, paper=workbook.PAPERS[paper], extras=extras, total=total))


def ledger_scope(
    request: HttpRequest, policy: PolicyDocument, tasks: TaskQuerySet, on: dt.date, filters: list[str]
) -> workbook.Scope:
    """Say what the workbook of some tasks that the reader may see is made of."""
    unit = permissions.sees_only_unit(request.user)
    return workbook.Scope(
        policy=policy,
        tasks=tasks,
        on=on,
        filters=filters,
        produced_by=str(request.user),
        unit_scope=unit.name if unit else "",
        link=lambda task: request.build_absolute_uri(task.get_absolute_url()),
        extras=workbook.indicators.sheets(tasks),
    )


def send_ledger(scope: workbook.Scope) -> FileResponse:
    """Make a workbook and send it."""
    return download(workbook.filename(scope.policy, scope.on), lambda file: workbook.save(scope, file))


def download(name: str, write: Callable[[IO[bytes]], object], kind: str = XLSX) -> FileResponse:
    """Send as a file what is written into one."""
    file = TemporaryFile(dir=scratch.folder())  # noqa: SIM115 -- the response closes it when it has been sent
    write(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=kind)
