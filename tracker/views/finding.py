"""The search of the head line."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tracker import permissions
from tracker import search as searching
from tracker.models import Measure, Organization, PolicyDocument, Task
from tracker.views import edge


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find tasks, measures and units among all that exists for the reader."""
    reading = edge.read(request)
    text = searching.text_of(reading.asked)
    reading.asked.finish()
    context = {"text": text, "least": searching.SHORTEST_TEXT}
    if text and permissions.scope(request.user) != permissions.Scope.NOTHING:
        policies = PolicyDocument.objects.visible_to(request.user)
        tasks = Task.objects.visible_to(request.user).select_related("policy", "lead_unit")
        measures = Measure.objects.filter(policy__in=policies).select_related("policy")
        context |= {
            "tasks": searching.find(tasks.defer("policy__full_text"), text),
            "measures": searching.find(
                measures.defer("policy__full_text").order_by("policy", "section__number", "order", "code_key"), text
            ),
            "units": searching.find(Organization.objects.all(), text),
        }
    return render(request, "tracker/search.html", {**reading.context, **context})
