"""What the office does: the queue of what waits, the review of reports, answers to calls for help."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tracker import workflow
from tracker.domain import permissions
from tracker.domain.choices import Action, ReportState
from tracker.domain.differences import differences
from tracker.forms.editing import add_refusal
from tracker.forms.progress import AnswerForm, ReviewForm, WithdrawAcceptanceForm
from tracker.models import ProgressUpdate, Task
from tracker.reports import worklist
from tracker.web import request_context
from tracker.workflow import REPORT_TEXTS

MAX_QUEUE_ROWS = 50  # rows a page; as many as the office checks in one go
REVIEW_LISTS = ("reports", "requests", "help", "silent")


@require_safe
def queue(request: HttpRequest, show: str = "reports") -> HttpResponse:
    """Show what waits for the office.

    Reports, requests, calls for help, and where nothing was heard.
    """
    if show not in REVIEW_LISTS:
        raise Http404
    report_context = request_context.report_context(request)
    page = report_context.query_reader.pop("page", _("page number"))
    report_context.query_reader.reject_unknown()
    if not (
        permissions.may_read_reviews(request.user)
        or (show == "help" and permissions.reads_help(request.user))
    ):
        raise PermissionDenied
    tasks = Task.objects.visible_to(request.user)
    rows: Any = {
        "reports": lambda: worklist.waiting_reports(tasks),
        "requests": lambda: worklist.waiting_requests(tasks),
        "help": lambda: worklist.calls_for_help(tasks),
        "silent": lambda: worklist.silences(tasks, report_context.on),
    }[show]()
    context = {
        "show": show,
        "counts": worklist.counts(tasks, report_context.on),
        "page": (shown := Paginator(rows, MAX_QUEUE_ROWS).get_page(page)),
        "invented": tasks.filter(policy__demo=True).exists()
        if show == "silent"
        else any(row.task.policy.demo for row in shown),
        "may_review": permissions.may_review(request.user),
        "reads_all": permissions.may_read_reviews(request.user),
    }
    return render(request, "tracker/queue.html", {**report_context.context, **context})


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a report beside the last one, and accept or return it; then comes the next."""
    allowed = permissions.may_read_reviews(request.user)
    if request.method == "POST":
        allowed = permissions.may_review(request.user)
    if not allowed:
        raise PermissionDenied
    visible = Task.objects.visible_to(request.user)
    found = get_object_or_404(
        ProgressUpdate.objects.exclude(state=ReportState.DRAFT).select_related(
            "unit", "submitted_by", "reviewed_by"
        ),
        pk=pk,
        task__in=visible,
    )
    found.task = Task.objects.with_related().defer("policy__full_text").get(pk=found.task_id)
    waiting = list(ProgressUpdate.objects.of(visible).waiting().values_list("pk", flat=True))
    before, after, place = worklist.neighbours(waiting, pk)
    if after:
        following = redirect("review", after)
    else:
        following = redirect("queue")
    withdrawing = "withdraw_acceptance" in request.POST
    if withdrawing:
        sent = None
    else:
        sent = request.POST or request_context.saved_post(request, ["note", "picked"])
    form = ReviewForm(sent)
    withdrawal = WithdrawAcceptanceForm(request.POST if withdrawing else None)
    if withdrawing:
        if answer := _withdraw_acceptance(request, found, withdrawal):
            return answer
    elif request.method == "POST" and form.is_valid():
        if _decided_already(request, found):
            return following
        try:
            _decide(request, found, form)
            return following
        except workflow.StaleVersion:
            form.add_error(
                None, _("The unit has changed the report since it was shown; look at it again.")
            )
            found.refresh_from_db()
        except ValidationError as refusal:
            form.add_error("note" if hasattr(refusal, "error_dict") else None, refusal.messages)
    context = {
        **_shown(request, found),
        "form": form,
        "withdrawal": withdrawal,
        "before": before,
        "after": after,
        "place": place,
        "waiting": len(waiting),
    }
    return render(request, "tracker/review.html", context)


def _shown(request: HttpRequest, found: ProgressUpdate) -> dict[str, Any]:
    """Return what the page of a review shows of a report and its task."""
    task = found.task
    last = workflow.last_report(task, found.unit, found)
    indicators = list(task.indicators.all())
    said = {}
    for each in workflow.as_reported(found, indicators):
        said[each.pk] = each
    may_review = (
        permissions.may_review(request.user, found.submitted_by_id) and not found.contribution
    )
    if may_review:
        actions = workflow.allowed_actions(task, request_context.current_user(request))
    else:
        actions = []
    return {
        "report": found,
        "task": task,
        "policy": task.policy,
        "period": found.period.name(request_context.current_day()),
        "compared": _compared(last, found),
        "last": last,
        "indicators": [(each, said.get(each.pk)) for each in indicators],
        "light": task.light_on(request_context.current_day()),
        "reasons": task.reasons_on(request_context.current_day()),
        "may_review": may_review and found.state == ReportState.SUBMITTED,
        "may_withdraw": Action.WITHDRAW_ACCEPTANCE in actions
        and not workflow.acceptance_is_final(found, task),
        "contributions": task.reports.filter(
            contribution=True, period_start=found.period_start, period_end=found.period_end
        )
        .exclude(state=ReportState.DRAFT)
        .select_related("unit"),
    }


def _decided_already(request: HttpRequest, found: ProgressUpdate) -> bool:
    """Say so where the same person has decided on the report already.

    The button was pressed twice.
    """
    decided = found.state in (ReportState.ACCEPTED, ReportState.RETURNED)
    own = decided and found.reviewed_by_id == request_context.current_user(request).pk
    if own:
        said = {"report": found.task, "state": found.get_state_display()}
        messages.info(
            request,
            _("%(report)s: you have decided already (%(state)s); nothing was done twice.") % said,
        )
    return own


def _withdraw_acceptance(
    request: HttpRequest, found: ProgressUpdate, form: WithdrawAcceptanceForm
) -> HttpResponse | None:
    """Take the acceptance of a report back; None where the page is shown again with the reason."""
    if not form.is_valid():
        return None
    try:
        workflow.withdraw_acceptance(
            found,
            request_context.change_context(request),
            request_context.seen_version_of(request),
            form.cleaned_data["reason"],
            request_context.current_day(),
        )
        messages.success(
            request, _("%(report)s: the acceptance is taken back.") % {"report": found.task}
        )
        return redirect("review", found.pk)
    except (ValidationError, workflow.StaleVersion) as refusal:
        form.add_error(None, add_refusal(form, request_context.as_validation_error(refusal)))
    found.refresh_from_db()
    return None


def _decide(request: HttpRequest, found: ProgressUpdate, form: ReviewForm) -> None:
    seen = request_context.seen_version_of(request)
    if "accept" in request.POST:
        workflow.accept(
            found, request_context.change_context(request), seen, request_context.current_day()
        )
        messages.success(request, _("Accepted: %(report)s.") % {"report": found.task})
    else:
        workflow.send_back(
            found,
            request_context.change_context(request),
            seen,
            form.words(),
            request_context.current_day(),
        )
        messages.success(request, _("Returned: %(report)s.") % {"report": found.task})


def _compared(
    last: ProgressUpdate | None, found: ProgressUpdate
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Set each text of a report against the last one, piece by piece."""
    fields = []
    for name in REPORT_TEXTS:
        field: Any = ProgressUpdate._meta.get_field(name)
        fields.append((name, str(field.verbose_name)))
    result = []
    for name, words in fields:
        result.append(
            (
                words,
                list(
                    differences(
                        getattr(last, name) if last else getattr(found, name), getattr(found, name)
                    )
                ),
            )
        )
    return result


@require_POST
def accept_many(request: HttpRequest) -> HttpResponse:
    """Accept many reports: first a summary of what was picked, then, confirmed, each that is still
    as it was shown.
    """
    if not permissions.may_review(request.user):
        raise PermissionDenied
    pairs = request.POST.getlist("every" if "all" in request.POST else "pick")
    # The report and the version that was shown of it.
    picked = {
        request_context.read_number(key): request_context.read_number(seen)
        for key, _colon, seen in (pair.partition(":") for pair in pairs)
    }
    picked.pop(0, None)  # what could not be read
    found = list(
        worklist.waiting_reports(Task.objects.visible_to(request.user)).filter(pk__in=picked)
    )
    if not picked:
        messages.warning(request, _("Nothing was picked: tick the reports first."))
        return redirect("queue")
    if not found:
        messages.info(
            request, _("None of the picked reports waits any more; nothing was done twice.")
        )
        return redirect("queue")
    if "confirm" not in request.POST:
        context = {"reports": found, "gone": len(picked) - len(found)}
        context["invented"] = any(report.task.policy.demo for report in found)
        return render(request, "tracker/accept_many.html", context)
    today = request_context.current_day()
    act = request_context.change_context(request)
    seen_ones = [(report, picked[report.pk]) for report in found]
    outcome = workflow.apply_to_each(
        seen_ones, lambda report, seen: workflow.accept(report, act, seen, today)
    )
    done = len(outcome.changed)
    text = ngettext("%(count)d report accepted.", "%(count)d reports accepted.", done)
    messages.success(request, text % {"count": done})
    if gone := len(picked) - len(found):
        text = ngettext(
            "%(count)d of the picked reports does not wait any more; it was left as it is.",
            "%(count)d of the picked reports do not wait any more; they were left as they are.",
            gone,
        )
        messages.warning(request, text % {"count": gone})
    for report, why in outcome.refused:
        messages.warning(
            request, _("Not accepted: %(report)s. %(why)s") % {"report": report.task, "why": why}
        )
    return redirect("queue")


@require_http_methods(["GET", "HEAD", "POST"])
def answer_help_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a call for help."""
    if not permissions.may_review(request.user):
        raise PermissionDenied
    asked = worklist.asked_for_help(Task.objects.visible_to(request.user))
    found = get_object_or_404(asked, pk=pk)
    if found.help_answered_on:
        said = {"report": found.task, "day": found.help_answered_on}
        messages.info(
            request, _("%(report)s: answered on %(day)s already; nothing was done twice.") % said
        )
        return redirect("queue", "help")
    form = AnswerForm(request.POST or request_context.saved_post(request, ["answer"]))
    if request.method == "POST" and form.is_valid():
        try:
            answered = form.cleaned_data["answer"]
            workflow.answer_help(
                found,
                request_context.change_context(request),
                answered,
                request_context.current_day(),
                request_context.seen_version_of(request),
            )
            messages.success(request, _("The answer stands beside the report now."))
            return redirect("queue", "help")
        except (ValidationError, workflow.StaleVersion) as refusal:
            form.add_error(None, request_context.as_validation_error(refusal).messages)
            found = get_object_or_404(asked, pk=pk)
    context = {"report": found, "task": found.task, "policy": found.task.policy, "form": form}
    return render(request, "tracker/answer.html", context)
