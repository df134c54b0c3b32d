"""The pages of one thing: a task, a measure, a unit."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from tracker import charts, history, permissions, rules
from tracker.views import edge

EVENTS = 20  # changes that a task's page tells; the admin tells more


@require_safe
def task(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show all that is known of a task: its light and why, its term, its steps, where it comes from, its changes."""
    policy, reading = edge.find_policy(request, slug), edge.read(request)
    reading.asked.finish()
    found = get_object_or_404(edge.tasks_of(request, policy).with_related().defer("policy__full_text"), code=code)
    context = {
        "policy": policy,
        "task": found,
        "light": found.light_on(reading.on),
        "reasons": found.reasons_on(reading.on),
        "bar": charts.time_bar(found, policy, reading.on),
        "expected": charts.expected_percent(found, reading.on),
        "turns": rules.turns(found, policy),
        "events": history.events(found, EVENTS),
        "edits": permissions.may_edit_policies(request.user),
    }
    return render(request, "tracker/task.html", {**reading.context, **context})
