"""What the office does: queues, the review of reports, answers to calls for help."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from tracker import workflow
from tracker.domain import permissions
from tracker.domain.choices import Action, ReportState
from tracker.domain.differences import differences
from tracker.forms.editing import add_refusal
from tracker.forms.progress import AnswerForm, ReviewForm, WithdrawAcceptanceForm
from tracker.models import ProgressUpdate, Task
from tracker.models.task import TaskQuerySet
from tracker.reports import worklist
from tracker.web import request_context
from tracker.web.request_context import require_get_or_post
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
    rows = Paginator(_queue_rows(show, tasks, report_context.on), MAX_QUEUE_ROWS).get_page(page)
    if show == "silent":
        invented = tasks.filter(policy__demo=True).exists()
    else:
        invented = any(row.task.policy.demo for row in rows)
    context = {
        "show": show,
        "counts": worklist.counts(tasks, report_context.on),
        "page": rows,
        "invented": invented,
        "may_review": permissions.may_review(request.user),
        "reads_all": permissions.may_read_reviews(request.user),
    }
    return render(request, "tracker/queue.html", {**report_context.context, **context})


def _queue_rows(show: str, tasks: TaskQuerySet, on: dt.date) -> Any:
    """Return the rows of one of the office's lists."""
    if show == "reports":
        return worklist.waiting_reports(tasks)
    if show == "requests":
        return worklist.waiting_requests(tasks)
    if show == "help":
        return worklist.calls_for_help(tasks)
    return worklist.silences(tasks, on)


@require_get_or_post
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a report beside the last one, and accept or return it; then comes the next."""
    allowed = permissions.may_read_reviews(request.user)
    if request.method == "POST":
        allowed = permissions.may_review(request.user)
    if not allowed:
        raise PermissionDenied
    visible = Task.objects.visible_to(request.user)
    reports = ProgressUpdate.objects.exclude(state=ReportState.DRAFT)
    reports = reports.select_related("unit", "submitted_by", "reviewed_by")
    found = get_object_or_404(reports, pk=pk, task__in=visible)
    found.task = Task.objects.with_related().defer("policy__full_text").get(pk=found.task_id)
    waiting = list(ProgressUpdate.objects.of(visible).waiting().values_list("pk", flat=True))
    before, after, place = worklist.neighbours(waiting, pk)
    withdrawal = WithdrawAcceptanceForm()
    if "withdraw_acceptance" in request.POST:
        form = ReviewForm()
        withdrawal = WithdrawAcceptanceForm(request.POST)
        answer = _withdraw_acceptance(request, found, withdrawal)
    else:
        form = ReviewForm(request.POST or request_context.saved_post(request, ["note", "picked"]))
        answer = _review(request, found, form, after)
    if answer:
        return answer
    context = {
        **_review_context(request, found),
        "form": form,
        "withdrawal": withdrawal,
        "before": before,
        "after": after,
        "place": place,
        "waiting": len(waiting),
    }
    return render(request, "tracker/review.html", context)


def _review(
    request: HttpRequest, found: ProgressUpdate, form: ReviewForm, after: int | None
) -> HttpResponse | None:
    """Decide on a report and go to the one after it; None where the page is shown again."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        if not _decided_already(request, found):
            _decide(request, found, form)
    except workflow.StaleVersion:
        form.add_error(
            None, _("The unit has changed the report since it was shown; check it again.")
        )
        found.refresh_from_db()
        return None
    except ValidationError as refusal:
        form.add_error("note" if hasattr(refusal, "error_dict") else None, refusal.messages)
        return None
    if after:
        return redirect("review", after)
    return redirect("queue")


def _review_context(request: HttpRequest, found: ProgressUpdate) -> dict[str, Any]:
    """Return what the page of a review shows of a report and its task."""
    task = found.task
    today = request_context.current_day()
    last = workflow.last_report(task, found.unit, found)
    indicators = list(task.indicators.all())
    reported = {}
    for each in workflow.as_reported(found, indicators):
        reported[each.pk] = each
    may_review = permissions.may_review(request.user, found.submitted_by_id)
    may_review = may_review and not found.contribution
    contributions = task.reports.filter(
        contribution=True, period_start=found.period_start, period_end=found.period_end
    )
    return {
        "report": found,
        "task": task,
        "policy": task.policy,
        "period": found.period.name(today),
        "compared": _compared_texts(last, found),
        "last": last,
        "indicators": [(each, reported.get(each.pk)) for each in indicators],
        "light": task.light_on(today),
        "reasons": task.reasons_on(today),
        "may_review": may_review and found.state == ReportState.SUBMITTED,
        "may_withdraw": may_review and _may_withdraw(request, found),
        "contributions": contributions.exclude(state=ReportState.DRAFT).select_related("unit"),
    }


def _may_withdraw(request: HttpRequest, found: ProgressUpdate) -> bool:
    """Say whether the acceptance of a report can be taken back now."""
    actions = workflow.allowed_actions(found.task, request_context.current_user(request))
    if Action.WITHDRAW_ACCEPTANCE not in actions:
        return False
    return not workflow.acceptance_is_final(found, found.task)


def _decided_already(request: HttpRequest, found: ProgressUpdate) -> bool:
    """Say so where the same person has decided on the report already.

    The button was pressed twice.
    """
    decided = found.state in (ReportState.ACCEPTED, ReportState.RETURNED)
    if not decided or found.reviewed_by_id != request_context.current_user(request).pk:
        return False
    text = _("%(report)s: you have already decided (%(state)s); nothing was done twice.")
    names = {"report": found.task, "state": found.get_state_display()}
    messages.info(request, text % names)
    return True


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
            request, _("%(report)s: the acceptance was undone.") % {"report": found.task}
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


def _compared_texts(
    last: ProgressUpdate | None, found: ProgressUpdate
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Compare each text of a report with the last one, piece by piece."""
    compared = []
    for name in REPORT_TEXTS:
        field: Any = ProgressUpdate._meta.get_field(name)
        # Without a last report nothing is marked as new.
        before = getattr(last or found, name)
        compared.append((str(field.verbose_name), list(differences(before, getattr(found, name)))))
    return compared


@require_POST
def accept_many(request: HttpRequest) -> HttpResponse:
    """Accept many reports: first a summary of what was picked, then, confirmed, each report.

    A report that has changed since it was shown is refused.
    """
    if not permissions.may_review(request.user):
        raise PermissionDenied
    picked = _picked_reports(request)
    if not picked:
        messages.warning(request, _("Nothing was selected: select the reports first."))
        return redirect("queue")
    waiting = worklist.waiting_reports(Task.objects.visible_to(request.user))
    found = list(waiting.filter(pk__in=picked))
    if not found:
        messages.info(
            request,
            _("None of the selected reports is still awaiting review; nothing was done twice."),
        )
        return redirect("queue")
    gone = len(picked) - len(found)
    if "confirm" not in request.POST:
        invented = any(report.task.policy.demo for report in found)
        context = {"reports": found, "gone": gone, "invented": invented}
        return render(request, "tracker/accept_many.html", context)
    today = request_context.current_day()
    act = request_context.change_context(request)
    outcome = workflow.apply_to_each(
        [(report, picked[report.pk]) for report in found],
        lambda report, seen: workflow.accept(report, act, seen, today),
    )
    _tell_outcome(request, outcome, gone)
    return redirect("queue")


def _picked_reports(request: HttpRequest) -> dict[int, int]:
    """Return the keys of the reports that were picked, and the version that was shown of each."""
    picked = {}
    for pair in request.POST.getlist("every" if "all" in request.POST else "pick"):
        key, _colon, seen = pair.partition(":")
        picked[request_context.read_number(key)] = request_context.read_number(seen)
    picked.pop(0, None)  # what could not be read
    return picked


def _tell_outcome(request: HttpRequest, outcome: workflow.BulkOutcome, gone: int) -> None:
    """Say how many reports were accepted, how many waited no more, and which were refused."""
    accepted = len(outcome.changed)
    text = ngettext("%(count)d report accepted.", "%(count)d reports accepted.", accepted)
    messages.success(request, text % {"count": accepted})
    if gone:
        text = ngettext(
            "%(count)d of the selected reports is no longer awaiting review; it was not changed.",
            "%(count)d of the selected reports are no longer awaiting review; they were not "
            "changed.",
            gone,
        )
        messages.warning(request, text % {"count": gone})
    for report, why in outcome.refused:
        messages.warning(
            request, _("Not accepted: %(report)s. %(why)s") % {"report": report.task, "why": why}
        )


@require_get_or_post
def answer_help_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a call for help."""
    if not permissions.may_review(request.user):
        raise PermissionDenied
    asked = worklist.asked_for_help(Task.objects.visible_to(request.user))
    found = get_object_or_404(asked, pk=pk)
    if found.help_answered_on:
        text = _("%(report)s: already answered on %(day)s; nothing was done twice.")
        messages.info(request, text % {"report": found.task, "day": found.help_answered_on})
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
            messages.success(request, _("The answer is now shown next to the report."))
            return redirect("queue", "help")
        except (ValidationError, workflow.StaleVersion) as refusal:
            form.add_error(None, request_context.as_validation_error(refusal).messages)
            found = get_object_or_404(asked, pk=pk)
    context = {"report": found, "task": found.task, "policy": found.task.policy, "form": form}
    return render(request, "tracker/answer.html", context)
