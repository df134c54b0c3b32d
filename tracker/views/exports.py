"""Exports: files that are made of tasks and sent to the reader."""

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

from tracker.domain import permissions, scratch
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import ledger as workbook
from tracker.excel.health_sheet import health_sheets
from tracker.excel.indicator_sheet import indicator_sheets
from tracker.excel.xlsx_writer import PAPER_SIZES
from tracker.models import PolicyDocument
from tracker.models.task import TaskQuerySet
from tracker.reports.filters import TaskFilter
from tracker.reports.task_table import TaskTable
from tracker.web import jobs, request_context
from tracker.web.export_slots import RETRY_AFTER, ExportsBusy, export_slot

LONG_EXPORT_ROWS = 500  # of a file from which on it may take over two seconds
WAIT_SECONDS = 2  # seconds that a person waits for a file before a page tells how far it is
RELOAD_AFTER = 2  # seconds
MAX_JOB_NAME = 80
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export_view(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a view answer 503, with a way to try again, while too many large exports run."""

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
    """A file to be made: its name, its number of rows, and what writes it.

    `chosen` tells apart what one address makes of different choices.
    """

    name: str
    rows: int
    write: Callable[[IO[bytes], ProgressCallback], object]
    kind: str = XLSX
    chosen: str = ""


def send_export(request: HttpRequest, export: Export) -> HttpResponseBase:
    """Send a file; one that takes long is made in a thread while a page shows the progress.

    Raises ExportsBusy.
    """
    if export.rows < LONG_EXPORT_ROWS:
        with export_slot(export.rows):
            return download(
                export.name, lambda file: export.write(file, ignore_progress), export.kind
            )
    jobs.sweep_jobs()
    address = request.get_full_path()
    digest = hashlib.sha256(f"{address} {export.chosen}".encode()).hexdigest()
    name = f"{_prefix(request)}{digest[:20]}"
    under_way = jobs.read_job(name)
    if under_way and under_way.state == jobs.JOB_RUNNING:
        return redirect("work", name)
    slot = ExitStack()
    slot.enter_context(export_slot(export.rows))

    def work(tell: ProgressCallback) -> str:
        with (
            slot,
            scratch.replacing(jobs.result_path(name), 0o600) as half,
            half.open("wb") as file,
        ):
            export.write(file, tell)
        return ""

    about = {"address": address, "file": export.name, "kind": export.kind}
    if not jobs.start_job(name, export.rows, work, about=about, wait=WAIT_SECONDS):
        # Somebody has pressed twice; the other one does it.
        slot.close()
        return redirect("work", name)
    found = jobs.read_job(name)
    if found and found.state == jobs.JOB_DONE:
        return _send_result(name, found)
    return redirect("work", name)


@require_safe
def export_progress(request: HttpRequest, name: str) -> HttpResponse:
    """Show how far an export is; the page asks again by itself, and leads to the file."""
    job = _find_job(request, name)
    answer = render(request, "tracker/work.html", {"name": name, "job": job})
    if job.state == jobs.JOB_RUNNING:
        answer["Refresh"] = str(RELOAD_AFTER)
    return answer


@require_safe
def made_export(request: HttpRequest, name: str) -> FileResponse:
    """Send the file that came of an export, for an hour."""
    job = _find_job(request, name)
    if job.state != jobs.JOB_DONE:
        raise Http404
    return _send_result(name, job)


def _find_job(request: HttpRequest, name: str) -> jobs.JobProgress:
    """Find the work that the reader has started, or answer 404."""
    if not name.startswith(_prefix(request)) or len(name) > MAX_JOB_NAME:
        raise Http404
    job = jobs.read_job(name)
    if job is None:
        raise Http404
    return job


def _prefix(request: HttpRequest) -> str:
    """Return how the names of all exports of the reader begin."""
    return f"export-{request_context.current_user(request).pk}-"


def _send_result(name: str, job: jobs.JobProgress) -> FileResponse:
    try:
        file = jobs.result_path(name).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(
        file, as_attachment=True, filename=job.about["file"], content_type=job.about["kind"]
    )


@export_view
def ledger(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the workbook of exactly the list that was asked for, unpaged.

    400 in words where it cannot be read.
    """
    policy = request_context.get_policy(request, slug)
    report_context = request_context.report_context(request)
    chosen = TaskFilter(
        report_context.query_reader,
        request_context.visible_tasks(request, policy),
        policy,
        report_context.on,
    )
    table = TaskTable(policy, chosen.qs, report_context.query_reader, report_context.on)
    paper = report_context.query_reader.choice("paper", _("paper"), PAPER_SIZES) or "a3"
    report_context.query_reader.reject_unknown("page", "per_page")
    if report_context.query_reader.faults:
        # A file of everything would be worse than none.
        return HttpResponse(
            "\n".join(report_context.query_reader.faults),
            status=400,
            content_type="text/plain; charset=utf-8",
        )
    total = table.tasks.count()
    # A filtered list is a part of the policy; the health check speaks of the whole.
    whole = permissions.may_read_reviews(request.user) and not chosen.data

    def write(file: IO[bytes], tell: ProgressCallback) -> None:
        scope = ledger_scope(request, policy, table.tasks, report_context.on, chosen.words())
        extras = [*scope.extras]
        if whole:
            extras += health_sheets(policy, request.build_absolute_uri)
        made = replace(scope, paper=PAPER_SIZES[paper], extras=extras, total=total, tell=tell)
        workbook.save_ledger(made, file)

    return send_export(
        request, Export(workbook.ledger_filename(policy, report_context.on), total, write)
    )


def ledger_scope(
    request: HttpRequest,
    policy: PolicyDocument,
    tasks: TaskQuerySet,
    on: dt.date,
    filters: list[str],
) -> workbook.LedgerRequest:
    """Say what the workbook of some tasks that the reader may see is made of."""
    unit_scope = ""
    unit = permissions.sees_only_unit(request.user)
    if unit:
        unit_scope = unit.name
    return workbook.LedgerRequest(
        policy=policy,
        tasks=tasks,
        on=on,
        filters=filters,
        produced_by=str(request.user),
        unit_scope=unit_scope,
        link=lambda task: request.build_absolute_uri(task.get_absolute_url()),
        extras=indicator_sheets(tasks),
    )


def download(name: str, write: Callable[[IO[bytes]], object], kind: str = XLSX) -> FileResponse:
    """Send as a file what is written into one."""
    # The response closes it when it has been sent.
    file = TemporaryFile(dir=scratch.folder())  # noqa: SIM115
    write(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=kind)
