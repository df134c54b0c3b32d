"""The pages of a merge or a move of units.

What it will change, the confirmation, and the way back.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain import dates, permissions
from tracker.domain.choices import ChangeSource, UnitMoveKind
from tracker.forms.units import ReasonForm, UnitMoveForm
from tracker.models import Organization, UnitMove
from tracker.web import request_context


def move_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a merge or a move of a unit changes, and make it once it is confirmed as shown."""
    _check_right(request)
    source = get_object_or_404(Organization, pk=pk)
    asked = request.GET
    if request.method == "POST":
        asked = request.POST
    form = UnitMoveForm(source, asked if "kind" in asked else None)
    confirming = "confirm" in request.POST
    reason = ReasonForm(request.POST if confirming else None)
    plan = _plan(form, source)
    if plan and confirming and reason.is_valid():
        try:
            return _make_move(request, plan, reason)
        except workflow.StaleVersion:
            reason.add_error(
                None, _("It has changed since it was shown: check it again, then confirm.")
            )
            plan = _plan(form, source)
        except ValidationError as refusal:
            reason.add_error(None, refusal.messages)
    context = {"source": source, "form": form, "reason": reason, "plan": plan}
    return _page(request, "admin/move_tasks.html", _("Merge a unit, or move its tasks"), context)


def _check_right(request: HttpRequest) -> None:
    """Refuse whoever sends a form and may not change units; looking is free."""
    if request.method == "POST" and not permissions.may_edit_policies(request.user):
        raise PermissionDenied


def _make_move(
    request: HttpRequest, plan: workflow.UnitMovePlan, reason: ReasonForm
) -> HttpResponse:
    seen = request.POST.get("seen", "")
    made = workflow.make_move(plan, _act(request, reason), seen, dates.now())
    messages.success(request, _("Done. Batch number: %(number)d.") % {"number": made.pk})
    return redirect(made)


def undo_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the reason, then take a merge or a move back."""
    _check_right(request)
    found = get_object_or_404(UnitMove, pk=pk)
    reason = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and reason.is_valid():
        try:
            workflow.undo_move(found, _act(request, reason), dates.now())
            messages.success(request, _("Undone: %(batch)s.") % {"batch": found})
            return redirect(found)
        except ValidationError as refusal:
            reason.add_error(None, refusal.messages)
        except workflow.StaleVersion as refusal:
            reason.add_error(None, request_context.as_validation_error(refusal))
    context = {"move": found, "reason": reason}
    return _page(request, "admin/undo_move.html", _("Undo a merge or a move"), context)


def _plan(form: UnitMoveForm, source: Organization) -> workflow.UnitMovePlan | None:
    if not (form.is_bound and form.is_valid()):
        return None
    source = Organization.objects.get(pk=source.pk)
    return workflow.plan_move(
        UnitMoveKind(form.cleaned_data["kind"]), source, form.cleaned_data["target"]
    )


def _act(request: HttpRequest, reason: ReasonForm) -> workflow.ChangeContext:
    return workflow.ChangeContext(
        request_context.current_user(request), ChangeSource.ADMIN, reason.cleaned_data["reason"]
    )


def _page(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    may_edit = permissions.may_edit_policies(request.user)
    shared = {**admin.site.each_context(request), "title": title, "may_edit": may_edit}
    return TemplateResponse(request, template, {**shared, **context})
