"""What units do: their work list, their reports, the steps with a task, evidence."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from tracker import workflow
from tracker.domain import lights, permissions
from tracker.domain.choices import (
    EDITABLE_REPORT_STATES,
    Action,
    ReportState,
    RequestState,
)
from tracker.domain.dates import DAY
from tracker.forms.editing import add_refusal, put_values
from tracker.forms.progress import ReportForm, StepForm
from tracker.models import Evidence, Organization, ProgressUpdate, Task
from tracker.reports import worklist
from tracker.web import request_context
from tracker.web.request_context import require_get_or_post
from tracker.workflow import REPORT_TEXTS

LAST_REPORTS = 3  # shown to whoever grants a closing

# A period to choose: what names it in an address, what people call it, and whether it is chosen.
OfferedPeriod = tuple[str, str, bool]


@require_safe
def my(request: HttpRequest) -> HttpResponse:
    """Show a liaison what is asked of the unit now, each with one obvious action."""
    unit = permissions.works_for(request.user)
    if not unit:
        raise PermissionDenied(
            _("This page lists what is asked of a unit; your account belongs to none.")
        )
    report_context = request_context.report_context(request)
    report_context.query_reader.reject_unknown()
    tasks = Task.objects.asked_of(request.user)
    led = tasks.filter(lead_unit=unit)
    context = {
        "unit": unit,
        "groups": (groups := worklist.work_groups(led, unit, report_context.on)),
        "led": led.count(),
        "left": [
            (each, each.period.name(report_context.today)) for each in worklist.left_drafts(unit)
        ],
        "helping": (helping := worklist.helping(tasks, unit, report_context.on)),
        "invented": any(line.task.policy.demo for group in groups for line in group.lines)
        or any(line.task.policy.demo for line in helping),
    }
    return render(request, "tracker/my.html", {**report_context.context, **context})


@require_get_or_post
def report(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Let a unit write its report of a period.

    Kept as a draft at every step, handed in when it is complete.
    """
    task = request_context.get_task(request, slug, code)
    unit = _writing_for(request, task)
    found, offered = _report_at_hand(request, task, unit)
    if request.method == "POST" and (answer := _pressed(request, found, offered)):
        return answer
    accepted = workflow.accepted_report(found)
    last = workflow.last_report(task, unit, found)
    asked: dict[str, Any] = {
        "last": last,
        "own_percent": workflow.has_own_percent(task),
        "indicators": list(task.indicators.all()),
        "follows": accepted.pk if accepted else 0,
    }
    if "use_last" in request.POST:
        data = _with_last(request, last)
    else:
        data = request.POST or request_context.saved_post(request, ["progress"])
    form = ReportForm(data, request.FILES or None, instance=found, **asked)
    sent = request.method == "POST" and "use_last" not in request.POST
    if sent and form.is_bound and not _names_period(request, offered):
        form.is_valid()
        form.add_error(None, no_period_words())
    if sent and form.is_valid():
        try:
            _keep(request, form)
            if "submit" in request.POST:
                workflow.submit(
                    form.instance,
                    request_context.change_context(request),
                    request_context.current_day(),
                )
            return _saved(request, form.instance)
        except workflow.StaleVersion:
            # Saved by another window between our check and our write.
            found, _periods = _report_at_hand(request, task, unit)
            form = ReportForm(data, instance=found, **asked)
            form.is_valid()
        except ValidationError as refusal:
            put_values(form, "seen", form.instance.version)
            form.add_error(None, add_refusal(form, refusal))
    if request.headers.get("X-Autosave"):
        return JsonResponse(
            {"faults": [str(error) for errors in form.errors.values() for error in errors]},
            status=409,
        )
    return render(request, "tracker/report.html", _shown(request, form, found, offered))


def _shown(
    request: HttpRequest, form: ReportForm, found: ProgressUpdate, offered: list[OfferedPeriod]
) -> dict[str, Any]:
    """Return what the page of a report shows."""
    task = found.task
    today = request_context.current_day()
    last = form.last
    others = task.reports.filter(period_start=found.period_start, period_end=found.period_end)
    others = others.exclude(unit=found.unit, contribution=found.contribution)
    empty = not any(getattr(found, name) for name in REPORT_TEXTS)
    return {
        "task": task,
        "policy": task.policy,
        "unit": found.unit,
        "report": found,
        "form": form,
        "last": last,
        "indicators": [(each, None) for each in form.indicators_of_task],
        "offered": offered,
        "key": found.period.key(lights.cycle_of(task.policy)),
        "period": found.period.name(today),
        "due": found.period_end + task.policy.grace_days * DAY,
        "others": others.exclude(state=ReportState.DRAFT).select_related("unit"),
        "back": request.POST.get("next") or request.GET.get("next", ""),
        "unchanged": last is not None
        and not last.contribution
        and not found.contribution
        and empty,
    }


def _pressed(
    request: HttpRequest, found: ProgressUpdate, offered: list[OfferedPeriod]
) -> HttpResponse | None:
    """Answer what needs no form: another button, or a report that is sent twice."""
    named = _names_period(request, offered)
    if not named and {"unchanged", "withdraw"} & request.POST.keys():
        messages.error(request, no_period_words())
        return redirect(request.path)
    if "unchanged" in request.POST:
        return _unchanged(request, found)
    if "withdraw" in request.POST:
        return _withdraw(request, found)
    if named and "use_last" not in request.POST:
        return _repeated(request, found)
    return None


def _names_period(request: HttpRequest, offered: list[OfferedPeriod]) -> bool:
    """Say whether an address names the period that is reported, or there is only one."""
    return "period" in request.GET or len(offered) == 1


def no_period_words() -> str:
    """Say that a report must name its period."""
    return _("The report names no period: choose one and send it again.")


def _repeated(request: HttpRequest, found: ProgressUpdate) -> HttpResponse | None:
    """Answer a report that stands already in the words that are sent; None where there is none."""
    stands: ProgressUpdate | None = found
    if found.state != ReportState.SUBMITTED:
        stands = _accepted_since(request, found)
    if not stands or not _says_the_same(request, stands):
        return None
    words = _handed_in_already(stands)
    if request.headers.get("X-Autosave"):
        return JsonResponse({"faults": [words]}, status=409)
    messages.info(request, words)
    return request_context.redirect_back(request, found.task.get_absolute_url())


def _accepted_since(request: HttpRequest, found: ProgressUpdate) -> ProgressUpdate | None:
    """Return the accepted report of the period that the page did not know yet."""
    accepted = workflow.accepted_report(found)
    known = request.POST.get("follows")
    if accepted and known not in (None, str(accepted.pk)):
        return accepted
    return None


def _says_the_same(request: HttpRequest, stands: ProgressUpdate) -> bool:
    percent = request.POST.get("percent", "").strip()
    if percent and percent != str(stands.percent):
        return False
    return all(
        request.POST.get(name, "").split() == getattr(stands, name).split() for name in REPORT_TEXTS
    )


def _handed_in_already(stands: ProgressUpdate) -> str:
    return _(
        "%(task)s: the report of %(period)s is handed in already (%(state)s); nothing was handed "
        "in twice."
    ) % {
        "task": stands.task.code,
        "period": stands.period.name(request_context.current_day()),
        "state": stands.get_state_display(),
    }


def _keep(request: HttpRequest, form: ReportForm) -> None:
    """Save what was written as a draft, with what was added to it and taken away."""
    report = form.instance
    removed = request.POST.getlist("remove")
    workflow.save_draft(
        report,
        request_context.change_context(request),
        form.seen_version,
        evidence=form.pieces(),
        removed=report.evidence.filter(pk__in=[request_context.read_number(key) for key in removed])
        if removed and report.pk
        else (),
        today=request_context.current_day(),
    )


def _writing_for(request: HttpRequest, task: Task) -> Organization:
    """Return the unit that an account writes for, or refuse.

    Its own, or for the office the lead unit.
    """
    own = permissions.works_for(request.user)
    actions = set(workflow.allowed_actions(task, request_context.current_user(request)))
    if own in task.co_units.all():
        writes = Action.CONTRIBUTE
    else:
        if own == task.lead_unit:
            writes = Action.REPORT
        else:
            writes = None
    if own and writes in actions:
        return own
    if Action.REPORT in actions and task.lead_unit:
        return task.lead_unit
    raise PermissionDenied(
        _("A report of this task cannot be written now, or not by your account.")
    )


def _report_at_hand(
    request: HttpRequest, task: Task, unit: Organization
) -> tuple[ProgressUpdate, list[OfferedPeriod]]:
    """Return the report of the period asked for, else of the first that is owed, and the periods to
    choose from.
    """
    today = request_context.current_day()
    cycle = lights.cycle_of(task.policy)
    periods = {}
    for period in lights.reportable(task, task.policy, today):
        periods[period.key(cycle)] = period
    first = next(iter(periods))
    # What is at hand stays within reach, whatever is due by now.
    for each in task.reports.filter(unit=unit, state__in=EDITABLE_REPORT_STATES).select_related(
        "task__policy"
    ):
        if workflow.in_role_of_today([each], task):
            periods.setdefault(each.period.key(cycle), each.period)
    wanted = request.GET.get("period") or first
    if wanted not in periods:
        raise Http404(_("This period cannot be reported now."))
    ordered = sorted(periods.items(), key=lambda item: (item[1].start, item[1].end))
    names = []
    for key, period in ordered:
        names.append((key, period.name(today), key == wanted))
    return workflow.open_report(task, unit, periods[wanted]), names


def _with_last(request: HttpRequest, last: ProgressUpdate | None) -> Any:
    """Fill the empty fields with the words of the last report; nothing that was typed goes."""
    data = request.POST.copy()
    for name in REPORT_TEXTS:
        if last and not data.get(name, "").strip():
            data[name] = getattr(last, name)
    return data


def _unchanged(request: HttpRequest, found: ProgressUpdate) -> HttpResponse:
    """Hand in that nothing has changed in the period that the page showed."""
    stands: ProgressUpdate | None = found
    if found.state != ReportState.SUBMITTED:
        stands = _accepted_since(request, found)
    if stands:
        messages.info(request, _handed_in_already(stands))
        return request_context.redirect_back(request, found.task.get_absolute_url())
    try:
        workflow.submit_unchanged(
            found,
            request_context.change_context(request),
            request_context.current_day(),
            seen=request_context.seen_version_of(request),
            repeats=request_context.seen_version_of(request, "repeats"),
        )
    except (ValidationError, workflow.StaleVersion) as refusal:
        messages.error(request, request_context.refusal_text(refusal))
        return redirect(request.get_full_path())
    said = {"task": found.task.code, "period": found.period.name(request_context.current_day())}
    messages.success(request, _("%(task)s: “no change” is handed in for %(period)s.") % said)
    return request_context.redirect_back(request, found.task.get_absolute_url())


def _withdraw(request: HttpRequest, found: ProgressUpdate) -> HttpResponse:
    """Take back the report that the page showed."""
    try:
        if not found.pk:
            raise ValidationError(
                _("There is no report of this period to take back; it may have been accepted.")
            )
        if found.is_open:
            messages.info(
                request, _("The report is taken back already; write on and hand it in again.")
            )
        else:
            workflow.withdraw(
                found,
                request_context.change_context(request),
                request_context.current_day(),
                request_context.seen_version_of(request),
            )
            messages.success(request, _("The report is taken back; write on and hand it in again."))
    except (ValidationError, workflow.StaleVersion) as refusal:
        messages.error(request, request_context.refusal_text(refusal))
    return redirect(request.get_full_path())


def _saved(request: HttpRequest, saved: ProgressUpdate) -> HttpResponse:
    if request.headers.get("X-Autosave"):
        return JsonResponse({"seen": saved.version})
    if "submit" in request.POST:
        said = {"task": saved.task.code, "period": saved.period.name(request_context.current_day())}
        messages.success(request, _("%(task)s: the report of %(period)s is handed in.") % said)
        return request_context.redirect_back(request, saved.task.get_absolute_url())
    messages.success(request, _("The draft is kept. It is not handed in yet."))
    return redirect(request.get_full_path())


@require_get_or_post
def step(request: HttpRequest, slug: str, code: str, action: str) -> HttpResponse:
    """Take a step with a task: a form for what it needs, or a button where it needs nothing."""
    wanted = _step_with_page(action)
    task = request_context.get_task(request, slug, code)
    if wanted.action not in workflow.allowed_actions(task, request_context.current_user(request)):
        return _unfit(request, task, wanted.action)
    data: QueryDict | None = request.POST
    if request.method != "POST":
        data = request_context.saved_post(request, wanted.field_names)
    form = StepForm(wanted, task, data, request.FILES or None)
    outdated = False
    if request.method == "POST" and form.is_valid():
        try:
            workflow.execute_transition(
                task,
                wanted.action,
                request_context.change_context(request),
                request_context.current_day(),
                request_context.seen_version_of(request),
                **form.entered(),
            )
            messages.success(
                request, _("%(task)s: done: %(step)s.") % {"task": task.code, "step": wanted.label}
            )
            return request_context.redirect_back(request, task.get_absolute_url())
        except workflow.StaleVersion as refusal:
            form.add_error(None, request_context.as_validation_error(refusal))
            task = request_context.get_task(request, slug, code)
            outdated = True
        except ValidationError as refusal:
            form.add_error(None, add_refusal(form, refusal))
    context = {
        "task": task,
        "policy": task.policy,
        "action": wanted.action,
        "form": form,
        # Only a form that was refused as outdated is shown with the task as it is now.
        "seen": task.version
        if outdated
        else request_context.read_number(request.POST.get("seen")) or task.version,
        "ask": task.requests.filter(kind=wanted.request_kind, state=RequestState.OPEN)
        .prefetch_related("evidence")
        .first(),
        "next": request.POST.get("next") or request.GET.get("next", ""),
        **(_grounds(task) if wanted.shows_closing_facts else {}),
    }
    return render(request, "tracker/step.html", context)


def _step_with_page(action: str) -> workflow.Transition:
    """Return the step of an address, or raise Http404."""
    if action not in Action.values or not workflow.TRANSITIONS[Action(action)].has_page:
        raise Http404
    return workflow.TRANSITIONS[Action(action)]


def _grounds(task: Task) -> dict[str, Any]:
    """Return what a closing is judged by: all that its gates count, and the last reports."""
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


def _unfit(request: HttpRequest, task: Task, action: Action) -> HttpResponse:
    """Refuse a step: to those whose step it never is with 403, to the others with the state of the
    task.
    """
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
    if request.POST.get("done") == "1":
        done_on = today
    else:
        done_on = None
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
