"""The report of a task for a period: written as a draft, handed in, taken back."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain import lights, permissions
from tracker.domain.choices import EDITABLE_REPORT_STATES, Action, ReportState
from tracker.domain.dates import DAY, Period
from tracker.forms.editing import add_refusal, put_values
from tracker.forms.progress import ReportForm
from tracker.models import Evidence, Organization, ProgressUpdate, Task
from tracker.web import request_context
from tracker.web.request_context import require_get_or_post
from tracker.workflow import REPORT_TEXTS

# A period to choose: what names it in an address, what people call it, and whether it is chosen.
OfferedPeriod = tuple[str, str, bool]


@require_get_or_post
def report(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Let a unit write its report of a period.

    Kept as a draft at every step, handed in when it is complete.
    """
    task = request_context.get_task(request, slug, code)
    unit = _writing_unit(request, task)
    found, offered = _open_report(request, task, unit)
    if request.method == "POST":
        answer = _answer_without_form(request, found, offered)
        if answer:
            return answer
    facts = _form_facts(task, unit, found)
    data = _form_data(request, facts["last"])
    form = ReportForm(data, request.FILES or None, instance=found, **facts)
    if request.method == "POST" and "use_last" not in request.POST:
        try:
            answer = _save(request, form, _names_period(request, offered))
        except workflow.StaleVersion:
            # Saved by another window between our check and our write.
            found, _periods = _open_report(request, task, unit)
            form = ReportForm(data, instance=found, **facts)
            form.is_valid()
        else:
            if answer:
                return answer
    if request.headers.get("X-Autosave"):
        return JsonResponse({"faults": _form_faults(form)}, status=409)
    return render(request, "tracker/report.html", _page_context(request, form, found, offered))


def _form_facts(task: Task, unit: Organization, found: ProgressUpdate) -> dict[str, Any]:
    """Return what the form of a report has to know of its task."""
    accepted = workflow.accepted_report(found)
    follows = 0
    if accepted:
        follows = accepted.pk
    return {
        "last": workflow.last_report(task, unit, found),
        "own_percent": workflow.has_own_percent(task),
        "indicators": list(task.indicators.all()),
        "follows": follows,
    }


def _form_data(request: HttpRequest, last: ProgressUpdate | None) -> Any:
    """Return what the form shows: what was sent, with the texts of the last report if asked for."""
    if "use_last" in request.POST:
        return _with_last(request, last)
    return request.POST or request_context.saved_post(request, ["progress"])


def _form_faults(form: ReportForm) -> list[str]:
    faults = []
    for errors in form.errors.values():
        faults += [str(error) for error in errors]
    return faults


def _save(request: HttpRequest, form: ReportForm, names_period: bool) -> HttpResponse | None:
    """Save what was sent, and hand it in; None where the form is shown again with its faults."""
    if form.is_bound and not names_period:
        form.is_valid()
        form.add_error(None, no_period_text())
    if not form.is_valid():
        return None
    try:
        _save_draft(request, form)
        if "submit" in request.POST:
            workflow.submit(
                form.instance,
                request_context.change_context(request),
                request_context.current_day(),
            )
    except ValidationError as refusal:
        put_values(form, "seen", form.instance.version)
        form.add_error(None, add_refusal(form, refusal))
        return None
    return _answer_saved(request, form.instance)


def _page_context(
    request: HttpRequest, form: ReportForm, found: ProgressUpdate, offered: list[OfferedPeriod]
) -> dict[str, Any]:
    """Return what the page of a report shows."""
    task = found.task
    last = form.last
    others = task.reports.filter(period_start=found.period_start, period_end=found.period_end)
    others = others.exclude(unit=found.unit, contribution=found.contribution)
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
        "period": found.period.name(request_context.current_day()),
        "due": found.period_end + task.policy.grace_days * DAY,
        "others": others.exclude(state=ReportState.DRAFT).select_related("unit"),
        "back": request.POST.get("next") or request.GET.get("next", ""),
        "unchanged": _may_repeat(last, found),
    }


def _may_repeat(last: ProgressUpdate | None, found: ProgressUpdate) -> bool:
    """Say whether the page offers to report that nothing has changed."""
    if last is None or last.contribution or found.contribution:
        return False
    return not any(getattr(found, name) for name in REPORT_TEXTS)


def _answer_without_form(
    request: HttpRequest, found: ProgressUpdate, offered: list[OfferedPeriod]
) -> HttpResponse | None:
    """Answer what needs no form: another button, or a report that is sent twice."""
    named = _names_period(request, offered)
    if not named and {"unchanged", "withdraw"} & request.POST.keys():
        messages.error(request, no_period_text())
        return redirect(request.path)
    if "unchanged" in request.POST:
        return _submit_unchanged(request, found)
    if "withdraw" in request.POST:
        return _withdraw(request, found)
    if named and "use_last" not in request.POST:
        return _answer_repeated(request, found)
    return None


def _names_period(request: HttpRequest, offered: list[OfferedPeriod]) -> bool:
    """Say whether an address names the period that is reported, or there is only one."""
    return "period" in request.GET or len(offered) == 1


def no_period_text() -> str:
    """Say that a report must name its period."""
    return _("The report has no period: choose one and submit it again.")


def _answer_repeated(request: HttpRequest, found: ProgressUpdate) -> HttpResponse | None:
    """Answer a report that was handed in already with the same texts; None where there is none."""
    submitted = _submitted_report(request, found)
    if not submitted or not _has_same_texts(request, submitted):
        return None
    text = _already_submitted_text(submitted)
    if request.headers.get("X-Autosave"):
        return JsonResponse({"faults": [text]}, status=409)
    messages.info(request, text)
    return request_context.redirect_back(request, found.task.get_absolute_url())


def _submitted_report(request: HttpRequest, found: ProgressUpdate) -> ProgressUpdate | None:
    """Return the report of the period that waits, or was accepted after the page was opened."""
    if found.state == ReportState.SUBMITTED:
        return found
    accepted = workflow.accepted_report(found)
    known = request.POST.get("follows")
    if accepted and known not in (None, str(accepted.pk)):
        return accepted
    return None


def _has_same_texts(request: HttpRequest, submitted: ProgressUpdate) -> bool:
    percent = request.POST.get("percent", "").strip()
    if percent and percent != str(submitted.percent):
        return False
    for name in REPORT_TEXTS:
        if request.POST.get(name, "").split() != getattr(submitted, name).split():
            return False
    return True


def _already_submitted_text(submitted: ProgressUpdate) -> str:
    return _(
        "%(task)s: the report of %(period)s was already submitted (%(state)s); nothing was "
        "submitted twice."
    ) % {
        "task": submitted.task.code,
        "period": submitted.period.name(request_context.current_day()),
        "state": submitted.get_state_display(),
    }


def _save_draft(request: HttpRequest, form: ReportForm) -> None:
    """Save what was written as a draft, with the evidence that was added and removed."""
    report = form.instance
    keys = [request_context.read_number(key) for key in request.POST.getlist("remove")]
    removed: Iterable[Evidence] = ()
    if keys and report.pk:
        removed = report.evidence.filter(pk__in=keys)
    workflow.save_draft(
        report,
        request_context.change_context(request),
        form.seen_version,
        evidence=form.pieces(),
        removed=removed,
        today=request_context.current_day(),
    )


def _writing_unit(request: HttpRequest, task: Task) -> Organization:
    """Return the unit that an account writes for, or refuse.

    Its own, or for the office the lead unit.
    """
    own = permissions.works_for(request.user)
    actions = workflow.allowed_actions(task, request_context.current_user(request))
    if own and own in task.co_units.all() and Action.CONTRIBUTE in actions:
        return own
    if Action.REPORT in actions and task.lead_unit:
        return task.lead_unit
    raise PermissionDenied(_("This task cannot be reported now, or not by your account."))


def _open_report(
    request: HttpRequest, task: Task, unit: Organization
) -> tuple[ProgressUpdate, list[OfferedPeriod]]:
    """Return the report of the period asked for, and the periods to choose from.

    Where no period is asked for, the report of the first that is owed.
    """
    periods = _open_periods(task, unit)
    wanted = request.GET.get("period") or next(iter(periods))
    if wanted not in periods:
        raise Http404(_("This period cannot be reported now."))
    today = request_context.current_day()
    offered = []
    for key, period in sorted(periods.items(), key=lambda item: (item[1].start, item[1].end)):
        offered.append((key, period.name(today), key == wanted))
    return workflow.open_report(task, unit, periods[wanted]), offered


def _open_periods(task: Task, unit: Organization) -> dict[str, Period]:
    """Return the periods that can be reported by their keys, the first that is owed first."""
    cycle = lights.cycle_of(task.policy)
    periods = {}
    for period in lights.reportable(task, task.policy, request_context.current_day()):
        periods[period.key(cycle)] = period
    # A report that is begun can be continued, whatever is due by now.
    begun = task.reports.filter(unit=unit, state__in=EDITABLE_REPORT_STATES)
    for report in begun.select_related("task__policy"):
        if workflow.in_role_of_today([report], task):
            periods.setdefault(report.period.key(cycle), report.period)
    return periods


def _with_last(request: HttpRequest, last: ProgressUpdate | None) -> Any:
    """Fill the empty fields with the texts of the last report; what was typed stays."""
    data = request.POST.copy()
    for name in REPORT_TEXTS:
        if last and not data.get(name, "").strip():
            data[name] = getattr(last, name)
    return data


def _submit_unchanged(request: HttpRequest, found: ProgressUpdate) -> HttpResponse:
    """Hand in that nothing has changed in the period that the page showed."""
    submitted = _submitted_report(request, found)
    if submitted:
        messages.info(request, _already_submitted_text(submitted))
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
    names = {"task": found.task.code, "period": found.period.name(request_context.current_day())}
    messages.success(request, _("%(task)s: “no change” was submitted for %(period)s.") % names)
    return request_context.redirect_back(request, found.task.get_absolute_url())


def _withdraw(request: HttpRequest, found: ProgressUpdate) -> HttpResponse:
    """Take back the report that the page showed."""
    try:
        if not found.pk:
            raise ValidationError(
                _("There is no report of this period to withdraw; it may have been accepted.")
            )
        if found.is_open:
            messages.info(
                request, _("The report was already withdrawn; edit it and submit it again.")
            )
        else:
            workflow.withdraw(
                found,
                request_context.change_context(request),
                request_context.current_day(),
                request_context.seen_version_of(request),
            )
            messages.success(request, _("The report was withdrawn; edit it and submit it again."))
    except (ValidationError, workflow.StaleVersion) as refusal:
        messages.error(request, request_context.refusal_text(refusal))
    return redirect(request.get_full_path())


def _answer_saved(request: HttpRequest, saved: ProgressUpdate) -> HttpResponse:
    if request.headers.get("X-Autosave"):
        return JsonResponse({"seen": saved.version})
    if "submit" in request.POST:
        period = saved.period.name(request_context.current_day())
        messages.success(
            request,
            _("%(task)s: the report of %(period)s was submitted.")
            % {"task": saved.task.code, "period": period},
        )
        return request_context.redirect_back(request, saved.task.get_absolute_url())
    messages.success(request, _("The draft is saved. It is not submitted yet."))
    return redirect(request.get_full_path())
