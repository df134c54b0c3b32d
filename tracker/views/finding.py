"""The search of the head line."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tracker.domain import permissions
from tracker.models import Measure, Organization, PolicyDocument, Task
from tracker.reports import search as searching
from tracker.web import request_context


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find tasks, measures and units among all that exists for the reader."""
    report_context = request_context.report_context(request)
    text = searching.search_text(report_context.query_reader)
    report_context.query_reader.reject_unknown()
    context = {"text": text, "least": searching.MIN_SEARCH_LENGTH}
    if text and permissions.visibility_scope(request.user) != permissions.VisibilityScope.NOTHING:
        policies = PolicyDocument.objects.visible_to(request.user)
        tasks = Task.objects.visible_to(request.user).select_related("policy", "lead_unit")
        measures = Measure.objects.filter(policy__in=policies).select_related("policy")
        context |= {
            "tasks": searching.find_everything(tasks.defer("policy__full_text"), text),
            "measures": searching.find_everything(
                measures.defer("policy__full_text").order_by(
                    "policy", "section__number", "order", "code_key"
                ),
                text,
            ),
            "units": searching.find_everything(Organization.objects.all(), text),
        }
    return render(request, "tracker/search.html", {**report_context.context, **context})
