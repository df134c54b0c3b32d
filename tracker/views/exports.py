"""What leaves the house as a file."""

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import wraps
from tempfile import TemporaryFile
from typing import IO, Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tracker import health, permissions
from tracker import ledger as workbook
from tracker.domain import scratch
from tracker.domain.tell import Tell, silent
from tracker.filters import TaskFilter
from tracker.models import PolicyDocument
from tracker.models.task import TaskQuerySet
from tracker.tables import TaskTable
from tracker.views import edge
from tracker.web import jobs
from tracker.web.export_slots import RETRY_AFTER, ExportsBusy, export_slot

LONG_ROWS = 500  # of a file from which on it may take over two seconds
PATIENCE = 2  # seconds that a person waits for a file before a page tells how far it is
RELOAD_AFTER = 2  # seconds
LONGEST_JOB_NAME = 80
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


@dataclass(frozen=True)
class Export:
    """A file to be made: its name, of how many rows it is, and what writes it and tells how far it is.

    `chosen` tells apart what one address makes of different choices.
    """

    name: str
    rows: int
    write: Callable[[IO[bytes], Tell], object]
    kind: str = XLSX
    chosen: str = ""


def send_export(request: HttpRequest, export: Export) -> HttpResponseBase:
    """Send a file; one that takes long is made beside the pages, and its own page tells how far it is.

    Raises ExportsBusy.
    """
    if export.rows < LONG_ROWS:
        with export_slot(export.rows):
            return download(export.name, lambda file: export.write(file, silent), export.kind)
    jobs.sweep_jobs()
    address = request.get_full_path()
    digest = hashlib.sha256(f"{address} {export.chosen}".encode()).hexdigest()
    name = f"{_prefix(request)}{digest[:20]}"
    under_way = jobs.read_job(name)
    if under_way and under_way.state == jobs.RUNNING:
        return redirect("work", name)
    slot = ExitStack()
    slot.enter_context(export_slot(export.rows))

    def work(tell: Tell) -> str:
        with slot, scratch.replacing(jobs.result_path(name), 0o600) as half, half.open("wb") as file:
            export.write(file, tell)
        return ""

    about = {"address": address, "file": export.name, "kind": export.kind}
    if not jobs.start_job(name, export.rows, work, about=about, wait=PATIENCE):
        # Somebody has pressed twice; the other one does it.
        slot.close()
        return redirect("work", name)
    found = jobs.read_job(name)
    return _send_result(name, found) if found and found.state == jobs.DONE else redirect("work", name)


@require_safe
def work(request: HttpRequest, name: str) -> HttpResponse:
    """Show how far an export is; the page asks again by itself, and leads to the file."""
    job = _find_job(request, name)
    answer = render(request, "tracker/work.html", {"name": name, "job": job})
    if job.state == jobs.RUNNING:
        answer["Refresh"] = str(RELOAD_AFTER)
    return answer


@require_safe
def made(request: HttpRequest, name: str) -> FileResponse:
    """Send the file that came of an export, for an hour."""
    job = _find_job(request, name)
    if job.state != jobs.DONE:
        raise Http404
    return _send_result(name, job)


def _find_job(request: HttpRequest, name: str) -> jobs.JobProgress:
    """Find the work that the reader has started, or answer 404."""
    if not name.startswith(_prefix(request)) or len(name) > LONGEST_JOB_NAME:
        raise Http404
    job = jobs.read_job(name)
    if job is None:
        raise Http404
    return job


def _prefix(request: HttpRequest) -> str:
    """Return how the names of all exports of the reader begin."""
    return f"export-{edge.user(request).pk}-"


def _send_result(name: str, job: jobs.JobProgress) -> FileResponse:
    try:
        file = jobs.result_path(name).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(file, as_attachment=True, filename=job.about["file"], content_type=job.about["kind"])


@export_view
def ledger(request: HttpRequest, slug: str) -> HttpResponseBase:
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
    # A filtered list is a part of the policy; the health check speaks of the whole.
    whole = permissions.may_read_reviews(request.user) and not chosen.data

    def write(file: IO[bytes], tell: Tell) -> None:
        findings = health.sheets(policy, request.build_absolute_uri) if whole else []
        scope = ledger_scope(request, policy, table.tasks, reading.on, chosen.words())
        extras = [*scope.extras, *findings]
        made = replace(scope, paper=workbook.PAPERS[paper], extras=extras, total=total, tell=tell)
        workbook.save(made, file)

    return send_export(request, Export(workbook.filename(policy, reading.on), total, write))


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


def download(name: str, write: Callable[[IO[bytes]], object], kind: str = XLSX) -> FileResponse:
    """Send as a file what is written into one."""
    file = TemporaryFile(dir=scratch.folder())  # noqa: SIM115 -- the response closes it when it has been sent
    write(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=kind)
