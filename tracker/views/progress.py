"""What units do: their work list, their reports, the steps with a task, evidence."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tracker import workflow
from tracker.domain import permissions
from tracker.domain.choices import (
    Action,
    ReportState,
    RequestState,
)
from tracker.forms.editing import add_refusal
from tracker.forms.progress import StepForm
from tracker.models import Evidence, Task
from tracker.reports import worklist
from tracker.web import request_context
from tracker.web.request_context import require_get_or_post

LAST_REPORTS = 3  # shown to whoever grants a closing


@require_safe
def my(request: HttpRequest) -> HttpResponse:
    """Show a liaison what is asked of the unit now, each with one obvious action."""
    unit = permissions.works_for(request.user)
    if not unit:
        raise PermissionDenied(
            _("This page lists what a unit needs to do; your account does not belong to a unit.")
        )
    report_context = request_context.report_context(request)
    report_context.query_reader.reject_unknown()
    tasks = Task.objects.asked_of(request.user)
    led = tasks.filter(lead_unit=unit)
    groups = worklist.work_groups(led, unit, report_context.on)
    helping = worklist.helping(tasks, unit, report_context.on)
    shown = [line.task for line in helping]
    for group in groups:
        shown += [line.task for line in group.lines]
    left = []
    for draft in worklist.left_drafts(unit):
        left.append((draft, draft.period.name(report_context.today)))
    context = {
        "unit": unit,
        "groups": groups,
        "led": led.count(),
        "left": left,
        "helping": helping,
        "invented": any(task.policy.demo for task in shown),
    }
    return render(request, "tracker/my.html", {**report_context.context, **context})


@require_get_or_post
def step(request: HttpRequest, slug: str, code: str, action: str) -> HttpResponse:
    """Take a step with a task: a form for what it needs, or a button where it needs nothing."""
    wanted = _step_with_page(action)
    task = request_context.get_task(request, slug, code)
    if wanted.action not in workflow.allowed_actions(task, request_context.current_user(request)):
        return _refuse_step(request, task, wanted.action)
    data: QueryDict | None = request.POST
    if request.method != "POST":
        data = request_context.saved_post(request, wanted.field_names)
    form = StepForm(wanted, task, data, request.FILES or None)
    seen = request_context.read_number(request.POST.get("seen"))
    if request.method == "POST" and form.is_valid():
        try:
            return _take_step(request, task, wanted, form)
        except workflow.StaleVersion as refusal:
            form.add_error(None, request_context.as_validation_error(refusal))
            task = request_context.get_task(request, slug, code)
            # Only a form that was refused as outdated is shown with the task as it is now.
            seen = task.version
        except ValidationError as refusal:
            form.add_error(None, add_refusal(form, refusal))
    context = {"form": form, "seen": seen or task.version, **_step_context(request, task, wanted)}
    return render(request, "tracker/step.html", context)


def _step_with_page(action: str) -> workflow.Transition:
    """Return the step of an address, or raise Http404."""
    if action not in Action.values or not workflow.TRANSITIONS[Action(action)].has_page:
        raise Http404
    return workflow.TRANSITIONS[Action(action)]


def _take_step(
    request: HttpRequest, task: Task, step: workflow.Transition, form: StepForm
) -> HttpResponse:
    workflow.execute_transition(
        task,
        step.action,
        request_context.change_context(request),
        request_context.current_day(),
        request_context.seen_version_of(request),
        **form.entered(),
    )
    done = _("%(task)s: done: %(step)s.") % {"task": task.code, "step": step.label}
    messages.success(request, done)
    return request_context.redirect_back(request, task.get_absolute_url())


def _step_context(request: HttpRequest, task: Task, step: workflow.Transition) -> dict[str, Any]:
    """Return what the page of a step shows beside its form."""
    requests = task.requests.filter(kind=step.request_kind, state=RequestState.OPEN)
    context = {
        "task": task,
        "policy": task.policy,
        "action": step.action,
        "ask": requests.prefetch_related("evidence").first(),
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    if step.shows_closing_facts:
        context |= _closing_context(task)
    return context


def _closing_context(task: Task) -> dict[str, Any]:
    """Return what a closing is judged by: all that its conditions count, and the last reports."""
    reports = task.reports.exclude(state=ReportState.DRAFT).select_related(
        "unit", "submitted_by", "reviewed_by"
    )
    return {
        "judged": True,
        "items": task.items.all(),
        "indicators": [(each, None) for each in task.indicators.all()],
        "reports": reports.prefetch_related("evidence__item")[:LAST_REPORTS],
        "proofs": task.evidence.proving().select_related("item"),
        "lacks": workflow.missing_for_closing(task),
    }


def _refuse_step(request: HttpRequest, task: Task, action: Action) -> HttpResponse:
    """Refuse a step that does not fit the task; 403 for those who may never take it."""
    try:
        workflow.check_transition(task, action, request_context.change_context(request))
    except ValidationError as refusal:
        outdated = request_context.read_number(request.POST.get("seen")) not in (0, task.version)
        why: Exception = refusal
        if outdated:
            why = workflow.StaleVersion(task)
        messages.error(request, f"{task.code}: {request_context.refusal_text(why)}")
    return request_context.redirect_back(request, task.get_absolute_url())


@require_POST
def tick_step(request: HttpRequest, slug: str, code: str, number: int) -> HttpResponse:
    """Tick a step of the checklist off, or take the tick away; one click."""
    task = request_context.get_task(request, slug, code)
    item = get_object_or_404(task.items.all(), number=number)
    item.task = task
    today = request_context.current_day()
    done_on = None
    if request.POST.get("done") == "1":
        done_on = today
    try:
        workflow.check_transition(task, Action.TICK, request_context.change_context(request))
        if request_context.seen_version_of(request, "item") != item.pk:
            # Steps were numbered anew since the page was opened.
            raise ValidationError(workflow.moved_step_text())
        workflow.tick_item(
            item,
            request_context.change_context(request),
            done_on,
            today,
            request.POST.get("seen", ""),
        )
    except (ValidationError, workflow.StaleVersion) as refusal:
        messages.error(request, request_context.refusal_text(refusal))
    return request_context.redirect_back(request, f"{task.get_absolute_url()}#steps")


@require_safe
def evidence(request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
    """Send a piece of evidence, always as a download, to whoever may see its task."""
    visible = Task.objects.visible_to(request.user)
    found = get_object_or_404(
        Evidence.objects.select_related("report__unit"), pk=pk, task__in=visible
    )
    report = found.report
    own = permissions.works_for(request.user)
    # A draft is its unit's own; the office may have written it for the unit.
    unsent = report is not None and (report.state == ReportState.DRAFT or not found.handed_in)
    hidden = report is not None and unsent and report.unit != own
    if hidden and not permissions.may_edit_policies(request.user):
        raise Http404
    if found.link:
        raise Http404(_("This evidence is a link."))
    try:
        return FileResponse(found.file.open("rb"), as_attachment=True, filename=found.name)
    except FileNotFoundError:
        raise Http404(_("The file is no longer in the store.")) from None
