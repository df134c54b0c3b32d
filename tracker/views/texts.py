"""The text of a policy with its tasks beside it, and the way from a passage to a task."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tracker import permissions, workflow
from tracker.domain.passages import Span, find
from tracker.models import BackgroundPassage, Measure, PolicyDocument
from tracker.parsing import whole_number
from tracker.source.breakdown import name_of
from tracker.source.draft import LONGEST_ANCHOR, Anchors
from tracker.source.reading import SHOWN, TextView
from tracker.views import edge


@require_http_methods(["GET", "HEAD", "POST"])
def text(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the text, each passage with the lights of its tasks; a passage can be taken up or marked as background."""
    policy, reading = edge.find_policy(request, slug), edge.read(request)
    edits, whole = permissions.may_edit_policies(request.user), permissions.sees_only_unit(request.user) is None
    if request.method == "POST":
        if not edits:
            raise PermissionDenied
        return _mark(request, policy)
    at, words = reading.asked.take("at", _("sentence")), reading.asked.take("words", _("passage"))
    number = whole_number(at) if edits else None
    if at and number is None:
        reading.asked.refuse(_("sentence"), at, _("the number of a sentence of this text"))
    reading.asked.finish()
    tasks = list(edge.tasks_of(request, policy).with_related().defer("policy__full_text"))
    view = TextView(policy, tasks, whole=whole, chosen=number)
    context = {
        "policy": policy,
        "view": view,
        "whole": whole,
        "edits": edits,
        "shown": SHOWN,
        "outline": None if policy.full_text else _outline(policy, tasks),
        "chosen": _chosen(view, number, words) if number is not None and number < len(view.sentences) else None,
    }
    return render(request, "tracker/text.html", {**reading.context, **context})


def _outline(policy: PolicyDocument, tasks: list[Any]) -> list[tuple[Measure, list[Any]]]:
    """Return the measures in order, each with its tasks."""
    held: dict[int, list[Any]] = {}
    for task in tasks:
        held.setdefault(task.measure_id, []).append(task)
    return [(measure, held.get(measure.pk, [])) for measure in policy.measures.select_related("section")]


def _chosen(view: TextView, number: int, words: str) -> dict[str, Any]:
    """Say what can be done with a sentence, or with the words of it that were selected."""
    inside = view.sentences[number]
    said = inside.of(view.text)
    places = [span for span in find(words, view.text) if span.overlaps(inside)] if words else []
    parts = places[:1] or view.open_in(number) or [inside]
    anchors = Anchors(view.text)
    measure = view.measure_before(number)
    return {
        "number": number,
        "words": said,
        "measure": measure,
        "parts": [(part.of(view.text), measure and _new_task(measure, part, view.text, anchors)) for part in parts],
        "background": view.background_of(number),
        "open": bool(view.open_in(number)),
    }


def _new_task(measure: Measure, part: Span, text: str, anchors: Anchors) -> str:
    """Return the address of a new task with section, measure and anchor filled in."""
    words = part.of(text)
    whole = words if len(words) <= LONGEST_ANCHOR and len(find(words, anchors.norm)) == 1 else ""
    taken = {code.rsplit("-", 1)[-1] for code in measure.tasks.values_list("code", flat=True)}
    number = next(n for n in range(1, 10_000) if f"{n:02}" not in taken)
    asked = {
        "measure": measure.pk,
        "code": f"{measure.code}-{number:02}",
        "title": name_of(words),
        "anchor": anchors.of(part) or whole,
    }
    return f"{reverse('admin:tracker_task_add')}?{urlencode(asked)}"


def _mark(request: HttpRequest, policy: PolicyDocument) -> HttpResponse:
    """Mark what is open of a sentence as background, or take a mark back; then show the same place again."""
    try:
        if "unmark" in request.POST:
            key, _colon, seen = request.POST["unmark"].partition(":")
            passage = policy.background.filter(pk=edge.number(key)).first()
            if passage is None:
                raise ValidationError(_("The mark was taken back already."))
            workflow.delete(passage, edge.act(request), edge.number(seen))
        elif "mark" in request.POST:
            if edge.number(request.POST.get("seen")) != policy.version:
                raise ValidationError(_("The policy was changed since the page was shown: nothing was marked."))
            first, _dash, last = request.POST["mark"].partition("-")
            workflow.save_all(
                _passages(policy, edge.number(first), edge.number(last or first), request),
                edge.act(request),
                edge.today(),
            )
    except (ValidationError, workflow.Stale) as error:
        messages.error(request, edge.words_of(error))
    return redirect("text", policy.slug)


def _passages(policy: PolicyDocument, first: int, last: int, request: HttpRequest) -> list[BackgroundPassage]:
    """Make a mark for each open clause of some sentences."""
    view = TextView(policy, list(policy.tasks.all()), whole=True)
    if not first <= last < len(view.sentences):
        raise ValidationError(_("There is no such sentence in this text."))
    anchors = Anchors(view.text)
    found = {clause.of(view.text): anchors.of(clause) for clause in view.open_in(first, last)}
    if lost := next((words[:40] for words, anchor in found.items() if not anchor), None):
        raise ValidationError(_("No phrase of “%(clause)s” occurs only once: it has no anchor.") % {"clause": lost})
    return [
        BackgroundPassage(policy=policy, anchor=anchor, marked_by=edge.user(request), marked_on=edge.today())
        for anchor in dict.fromkeys(found.values())
    ]
