"""Workbooks that people fill in: what is sent out to them."""

from dataclasses import replace
from typing import IO
from zipfile import ZIP_STORED, ZipFile

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from tracker.domain import permissions, scratch
from tracker.domain.progress_callback import ProgressCallback
from tracker.excel import checklist_template, progress_template
from tracker.models import Organization, Task
from tracker.models.task import TaskQuerySet
from tracker.views.exports import Export, export_view, send_export
from tracker.web import request_context


@export_view
def fill_in(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    """Send the workbook that a unit fills in for a policy."""
    policy = request_context.get_policy(request, slug)
    unit = request_context.get_unit(request, pk)
    _check_unit(request, unit)
    return _workbook(request, unit, request_context.visible_tasks(request, policy))


@export_view
def my_fill_in(request: HttpRequest) -> HttpResponseBase:
    """Send the workbook of the reader's own unit, for all policies."""
    unit = permissions.works_for(request.user)
    if not unit:
        raise PermissionDenied
    return _workbook(request, unit, Task.objects.asked_of(request.user))


@export_view
def fill_ins(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the workbooks of all units of a policy in one archive."""
    policy = request_context.get_policy(request, slug)
    _check_office(request)
    today = request_context.current_day()

    def write(file: IO[bytes], tell: ProgressCallback) -> None:
        done = 0
        with ZipFile(file, "w", ZIP_STORED) as archive:
            for name, scope in progress_template.of_all_units(policy, today):
                with scratch.new_folder() as folder:
                    progress_template.save_progress_template(scope, folder / name)
                    archive.write(folder / name, name)
                done += len(scope.rows)
                tell(done)

    name = _("%(policy)s_fill_in_%(day)s.zip") % {
        "policy": policy.slug,
        "day": f"{today:%Y%m%d}",
    }
    return send_export(request, Export(name, policy.tasks.count(), write, "application/zip"))


@export_view
def checklist(request: HttpRequest, slug: str = "") -> HttpResponseBase:
    """Send the template that a checklist is loaded from.

    Of a policy its export, else an empty one.
    """
    policy = None
    if slug:
        policy = request_context.get_policy(request, slug)
    _check_office(request)
    rows = 0
    if policy:
        rows = policy.tasks.count()
    today = request_context.current_day()
    name = _("%(policy)s_checklist_%(day)s.xlsx") % {
        "policy": slug or _("new_policy"),
        "day": f"{today:%Y%m%d}",
    }

    def write(file: IO[bytes], tell: ProgressCallback) -> None:
        checklist_template.save_checklist_template(policy, today, file, tell)

    return send_export(request, Export(name, rows, write))


def _check_office(request: HttpRequest) -> None:
    if not permissions.may_edit_policies(request.user):
        raise PermissionDenied


def _check_unit(request: HttpRequest, unit: Organization) -> None:
    """Let a unit's own liaisons pass, and the office."""
    if unit != permissions.works_for(request.user):
        _check_office(request)


def _workbook(request: HttpRequest, unit: Organization, tasks: TaskQuerySet) -> HttpResponseBase:
    today = request_context.current_day()

    def write(file: IO[bytes], tell: ProgressCallback) -> None:
        scope = progress_template.scope_of(unit, tasks, today)
        progress_template.save_progress_template(replace(scope, tell=tell), file)

    name = progress_template.progress_filename(unit, today)
    return send_export(request, Export(name, tasks.count(), write))
