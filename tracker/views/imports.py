"""Workbooks that were filled in: read, looked at before anything is written, and undone."""

import json
from collections.abc import Iterator
from typing import IO, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from tracker import workflow
from tracker.domain import dates, permissions, scratch
from tracker.domain.choices import BatchKind, BatchState
from tracker.domain.progress_callback import ProgressCallback
from tracker.excel import workbook_import
from tracker.excel.preview import PreviewRow, preview_from
from tracker.models import ImportBatch, User
from tracker.views.exports import RELOAD_AFTER, WAIT_SECONDS, Export, export_view, send_export
from tracker.web import jobs, request_context
from tracker.web.request_context import require_get_or_post

READING_PLACEHOLDER = "<!-- told here -->"  # where the page of a large file says how far it is
MAX_LISTED_BATCHES = 50  # batches of the log
MAX_PREVIEW_ROWS = 200  # rows of a preview; the counts tell of all
LONG_PREVIEW = 1_000  # rows from which on a preview may take over two seconds

# Rows from which on confirming or undoing takes over two seconds: a row of a checklist is saved by
# itself.
LONG_IMPORT_ROWS = {BatchKind.PROGRESS: 1_000, BatchKind.CHECKLIST: 100}
UNDONE_TEXT = gettext_lazy("Everything created by this import was undone.")
CONFIRMED_TEXT = gettext_lazy("The import is confirmed; its reports await review.")
CHANGED_TEXT = gettext_lazy(
    "Something has changed in the meantime, or errors remain: check again. Nothing was written."
)


class UploadForm(forms.Form):
    """The workbook to send in."""

    file = forms.FileField(
        label=gettext_lazy("filled-in workbook (.xlsx)"),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
        allow_empty_file=True,
    )


@require_get_or_post
def imports(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Take a workbook in, and list those that came in before.

    What is read is shown, not written.
    """
    may_import = permissions.may_import(request.user)
    if not (may_import or permissions.may_read_reviews(request.user)):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not may_import:
            raise PermissionDenied
        if form.is_valid():
            try:
                return _read_upload(request, form.cleaned_data["file"])
            except workbook_import.WorkbookRefused as refusal:
                form.add_error("file", str(refusal))
    batches = ImportBatch.objects.visible_to(request.user).defer("rows", "made")
    related = batches.select_related("read_by", "unit", "policy", "undone_by")
    context = {
        "form": form,
        "batches": related[:MAX_LISTED_BATCHES],
        "may_import": may_import,
        "loads": permissions.may_edit_policies(request.user),
    }
    return render(request, "tracker/imports.html", context)


def _read_upload(request: HttpRequest, upload: Any) -> HttpResponse | StreamingHttpResponse:
    """Read a workbook, and lead to what it would change.

    Raises WorkbookRefused. A large one is read while its page is sent.
    """
    user = request_context.current_user(request)
    steps = workbook_import.reading_steps(upload, upload.name, user)
    try:
        first = next(steps)
    except StopIteration as end:
        return redirect(_store(end.value))
    page = render_to_string("tracker/reading.html", {"name": upload.name}, request)
    # No proxy may keep it back: progress that arrives late is useless.
    return StreamingHttpResponse(
        _reading_page(page, translation.get_language(), first, steps),
        headers={"X-Accel-Buffering": "no"},
    )


def _store(found: ImportBatch) -> ImportBatch:
    """Store what was read; the same file sent twice and not confirmed is one batch."""
    return workflow.store_batch(found, dates.now())


def _reading_page(
    page: str,
    language: str,
    progress: workbook_import.ReadingProgress,
    steps: workbook_import.ReadingSteps[ImportBatch],
) -> Iterator[str]:
    """Write the page of a large file while it is read: how far it is, then the way on.

    It needs no script. Nothing is stored before the end; whoever leaves meanwhile has sent nothing
    in.
    """
    head, tail = page.split(READING_PLACEHOLDER)
    yield head
    # The request is over, and its language with it.
    with translation.override(language):
        try:
            while True:
                yield render_to_string("tracker/partials/_told.html", {"told": progress})
                progress = next(steps)
        except StopIteration as end:
            yield render_to_string("tracker/partials/_told.html", {"batch": _store(end.value)})
        except workbook_import.WorkbookRefused as refusal:
            yield render_to_string("tracker/partials/_told.html", {"refusal": refusal})
    yield tail


@require_get_or_post
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what an import would change, field by field; confirm it as it was seen, or undo it."""
    found = _find(request, pk)
    if request.method == "POST":
        return _confirm_or_undo(request, found)
    running = jobs.read_job(_job_name(found))
    if running and running.state == jobs.JOB_RUNNING:
        return redirect("batch_progress", found.pk)
    overtaken = []
    if "changed" in request.GET and found.state == BatchState.LANDED:
        overtaken = workflow.changed_since(found)
    return _show_batch(request, found, None, overtaken)


def _confirm_or_undo(request: HttpRequest, found: ImportBatch) -> HttpResponse:
    """Confirm or undo an import; show it again where nothing was written."""
    if not permissions.may_import(request.user):
        raise PermissionDenied
    if _takes_long(found):
        _start(found, request)
        return redirect("batch_progress", found.pk)
    preview = None
    overtaken = []
    try:
        if "undo" in request.POST:
            user = request_context.current_user(request)
            workbook_import.undo_batch(found, user, dates.now())
            messages.success(request, UNDONE_TEXT)
            return redirect(found)
        preview = _confirm(request, found)
        if preview is None:
            return redirect(found)
        messages.error(request, CHANGED_TEXT)
    except (ValidationError, workflow.StaleVersion) as refusal:
        nothing = _("Nothing was written.")
        messages.error(request, f"{request_context.refusal_text(refusal)} {nothing}")
        if isinstance(refusal, workflow.UndoRefused):
            overtaken = refusal.rows
    return _show_batch(request, found, preview, overtaken)


def _confirm(request: HttpRequest, found: ImportBatch) -> workbook_import.Preview | None:
    """Confirm an import; return its preview where something has changed since it was seen."""
    if found.state != BatchState.READ:
        messages.info(request, _("This import was already confirmed; nothing was written twice."))
        return None
    preview = workbook_import.confirm_batch(
        found,
        request_context.current_user(request),
        request.POST.get("seen", ""),
        dates.now(),
    )
    if preview is None:
        messages.success(request, CONFIRMED_TEXT)
    return preview


def _show_batch(
    request: HttpRequest,
    found: ImportBatch,
    preview: workbook_import.Preview | None,
    overtaken: list[workflow.LaterChange],
) -> HttpResponse:
    user = request_context.current_user(request)
    if found.state == BatchState.READ:
        preview = preview or _preview(found, user)
        if preview is None:
            return redirect("batch_progress", found.pk)
    context = {
        "batch": found,
        "preview": preview,
        "notes": preview.notes[:MAX_PREVIEW_ROWS] if preview else [],
        "overtaken": Paginator(overtaken, MAX_PREVIEW_ROWS).get_page(request.GET.get("changed")),
        "groups": _preview_groups(preview) if preview else [],
        "shown": MAX_PREVIEW_ROWS,
        "count": _count(found),
        "may_import": permissions.may_import(user),
    }
    return render(request, "tracker/batch.html", context)


def _preview_groups(
    preview: workbook_import.Preview,
) -> list[tuple[str, str | Promise, list[PreviewRow]]]:
    groups: list[tuple[str, str | Promise, list[PreviewRow]]] = []
    for state, label in PREVIEW_GROUPS:
        if preview.counts[state]:
            groups.append((state, label, _first_rows(preview, state)))
    return groups


def _preview(found: ImportBatch, user: User) -> workbook_import.Preview | None:
    """Compare a batch with what is stored.

    None while a large one is still being compared beside the pages.
    """
    today = request_context.current_day()
    if len(found.rows) < LONG_PREVIEW:
        return workbook_import.preview_batch(found, user, today)
    name = _preview_name(found, user)

    def work(tell: ProgressCallback) -> str:
        preview = workbook_import.preview_batch(found, user, today, tell)
        with scratch.replacing(jobs.result_path(name), 0o600) as half:
            half.write_text(json.dumps(preview.as_json(), cls=DjangoJSONEncoder), encoding="utf-8")
        return ""

    if not jobs.result_path(name).exists():
        jobs.sweep_jobs()
        jobs.start_job(name, len(found.rows), work, wait=WAIT_SECONDS)
    try:
        stored = jobs.result_path(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    # Shown once: whoever looks again sees what is stored then.
    jobs.result_path(name).unlink(missing_ok=True)
    return preview_from(json.loads(stored))


def _preview_name(found: ImportBatch, user: User) -> str:
    return f"preview-{found.pk}-{user.pk}"


@require_safe
def batch_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a large import is: its preview, its confirming or undoing.

    The page asks again by itself.
    """
    found = _find(request, pk)
    job = jobs.read_job(_job_name(found))
    name = _preview_name(found, request_context.current_user(request))
    looked = jobs.read_job(name)
    if looked and looked.state == jobs.JOB_DONE and jobs.result_path(name).exists():
        return redirect(found)
    looking = looked is not None and (
        looked.state == jobs.JOB_RUNNING or (looked.state == jobs.JOB_FAILED and not job)
    )
    if looking:
        job = looked
    running = job is not None and job.state == jobs.JOB_RUNNING
    context = {"batch": found, "job": job, "running": running, "looking": looking}
    answer = render(request, "tracker/batch_progress.html", context)
    if running:
        answer["Refresh"] = str(RELOAD_AFTER)
    return answer


def _takes_long(batch: ImportBatch) -> bool:
    return len(batch.rows) >= LONG_IMPORT_ROWS[BatchKind(batch.kind)]


def _job_name(batch: ImportBatch) -> str:
    return f"import-{batch.pk}"


def _start(batch: ImportBatch, request: HttpRequest) -> None:
    """Confirm or undo a large import in a thread; what is under way already is not begun twice."""
    user = request_context.current_user(request)
    seen = request.POST.get("seen", "")
    undoing = "undo" in request.POST
    moment = dates.now()

    def work(tell: ProgressCallback) -> str:
        found = ImportBatch.objects.get(pk=batch.pk)
        try:
            if undoing:
                workbook_import.undo_batch(found, user, moment, tell)
                return str(UNDONE_TEXT)
            if workbook_import.confirm_batch(found, user, seen, moment, tell) is None:
                return str(CONFIRMED_TEXT)
        except (ValidationError, workflow.StaleVersion) as refusal:
            nothing = _("Nothing was written.")
            raise jobs.JobFailed(f"{request_context.refusal_text(refusal)} {nothing}") from refusal
        except PermissionDenied as refusal:
            raise jobs.JobFailed(
                _("Your account may not do this. Nothing was written.")
            ) from refusal
        raise jobs.JobFailed(str(CHANGED_TEXT))

    jobs.start_job(_job_name(batch), len(batch.made if undoing else batch.rows), work)


@export_view
def marked_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the same rows back as a workbook, its faults marked."""
    found = _find(request, pk)
    name = _("%(name)s_marked.xlsx") % {"name": found.file_name.removesuffix(".xlsx")}
    user = request_context.current_user(request)
    today = request_context.current_day()

    def write(file: IO[bytes], tell: ProgressCallback) -> None:
        workbook_import.save_marked_workbook(found, user, today, file, tell)

    return send_export(request, Export(name, len(found.rows), write))


PREVIEW_GROUPS = (
    ("fault", gettext_lazy("Errors: nothing is written until they are fixed")),
    (
        "stale",
        gettext_lazy("Changed by somebody else since the file was created: these rows are skipped"),
    ),
    (
        "moved",
        gettext_lazy(
            "The task was assigned to another unit, or your unit now has another role in it: these "
            "rows are skipped"
        ),
    ),
    ("changed", gettext_lazy("Changes that will be written")),
)


def _first_rows(preview: workbook_import.Preview, state: str) -> list[PreviewRow]:
    return [entry for entry in preview.entries if entry.state == state][:MAX_PREVIEW_ROWS]


def _count(found: ImportBatch) -> str:
    count = len(found.made)
    return ngettext("%(count)d task changed", "%(count)d tasks changed", count) % {"count": count}


def _find(request: HttpRequest, pk: int) -> ImportBatch:
    batches = ImportBatch.objects.visible_to(request.user).select_related(
        "read_by", "unit", "policy", "undone_by"
    )
    return get_object_or_404(batches, pk=pk)
