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

from tracker import workflow
from tracker.domain import permissions
from tracker.domain.parsing import whole_number
from tracker.domain.passages import Span, find_passage
from tracker.models import BackgroundPassage, Measure, PolicyDocument
from tracker.text.breakdown import short_name_of
from tracker.text.draft import LONGEST_ANCHOR, Anchors
from tracker.text.text_view import MAX_SHOWN_TASKS, TextView
from tracker.web import request_context


@require_http_methods(["GET", "HEAD", "POST"])
def text(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the text, each passage with the lights of its tasks.

    A passage can be taken up or marked as background.
    """
    policy = request_context.get_policy(request, slug)
    report_context = request_context.report_context(request)
    edits = permissions.may_edit_policies(request.user)
    whole = permissions.sees_only_unit(request.user) is None
    if request.method == "POST":
        if not edits:
            raise PermissionDenied
        return _mark(request, policy)
    at = report_context.query_reader.pop("at", _("sentence"))
    words = report_context.query_reader.pop("words", _("passage"))
    if edits:
        number = whole_number(at)
    else:
        number = None
    if at and number is None:
        report_context.query_reader.refuse(
            _("sentence"), at, _("the number of a sentence of this text")
        )
    report_context.query_reader.reject_unknown()
    tasks = list(
        request_context.visible_tasks(request, policy).with_related().defer("policy__full_text")
    )
    view = TextView(policy, tasks, whole=whole, chosen=number)
    context = {
        "policy": policy,
        "view": view,
        "whole": whole,
        "edits": edits,
        "shown": MAX_SHOWN_TASKS,
        "outline": None if policy.full_text else _outline(policy, tasks),
        "chosen": _chosen(view, number, words)
        if number is not None and number < len(view.sentences)
        else None,
    }
    return render(request, "tracker/text.html", {**report_context.context, **context})


def _outline(policy: PolicyDocument, tasks: list[Any]) -> list[tuple[Measure, list[Any]]]:
    """Return the measures in order, each with its tasks."""
    held: dict[int, list[Any]] = {}
    for task in tasks:
        held.setdefault(task.measure_id, []).append(task)
    found = []
    for measure in policy.measures.select_related("section"):
        found.append((measure, held.get(measure.pk, [])))
    return found


def _chosen(view: TextView, number: int, words: str) -> dict[str, Any]:
    """Say what can be done with a sentence, or with the words of it that were selected."""
    inside = view.sentences[number]
    said = inside.of(view.text)
    if words:
        places = []
        for span in find_passage(words, view.text):
            if span.overlaps(inside):
                places.append(span)
    else:
        places = []
    parts = places[:1] or view.open_in(number) or [inside]
    anchors = Anchors(view.text)
    measure = view.measure_before(number)
    return {
        "number": number,
        "words": said,
        "measure": measure,
        "parts": [
            (part.of(view.text), measure and _new_task(measure, part, view.text, anchors))
            for part in parts
        ],
        "background": view.background_of(number),
        "open": bool(view.open_in(number)),
    }


def _new_task(measure: Measure, part: Span, text: str, anchors: Anchors) -> str:
    """Return the address of a new task with section, measure and anchor filled in."""
    words = part.of(text)
    if len(words) <= LONGEST_ANCHOR and len(find_passage(words, anchors.norm)) == 1:
        whole = words
    else:
        whole = ""
    taken = set()
    for code in measure.tasks.values_list("code", flat=True):
        taken.add(code.rsplit("-", 1)[-1])
    number = next(n for n in range(1, 10_000) if f"{n:02}" not in taken)
    asked = {
        "measure": measure.pk,
        "code": f"{measure.code}-{number:02}",
        "title": short_name_of(words),
        "anchor": anchors.of(part) or whole,
    }
    return f"{reverse('admin:tracker_task_add')}?{urlencode(asked)}"


def _mark(request: HttpRequest, policy: PolicyDocument) -> HttpResponse:
    """Mark what is open of a sentence as background, or take a mark back.

    Then show the same place again.
    """
    try:
        if "unmark" in request.POST:
            key, _colon, seen = request.POST["unmark"].partition(":")
            passage = policy.background.filter(pk=request_context.read_number(key)).first()
            if passage is None:
                raise ValidationError(_("The mark was taken back already."))
            workflow.delete_object(
                passage, request_context.change_context(request), request_context.read_number(seen)
            )
        elif "mark" in request.POST:
            if request_context.read_number(request.POST.get("seen")) != policy.version:
                raise ValidationError(
                    _("The policy was changed since the page was shown: nothing was marked.")
                )
            first, _dash, last = request.POST["mark"].partition("-")
            workflow.save_objects(
                _passages(
                    policy,
                    request_context.read_number(first),
                    request_context.read_number(last or first),
                    request,
                ),
                request_context.change_context(request),
                request_context.current_day(),
            )
    except (ValidationError, workflow.StaleVersion) as error:
        messages.error(request, request_context.refusal_text(error))
    return redirect("text", policy.slug)


def _passages(
    policy: PolicyDocument, first: int, last: int, request: HttpRequest
) -> list[BackgroundPassage]:
    """Make a mark for each open clause of some sentences."""
    view = TextView(policy, list(policy.tasks.all()), whole=True)
    if not first <= last < len(view.sentences):
        raise ValidationError(_("There is no such sentence in this text."))
    anchors = Anchors(view.text)
    found = {}
    for clause in view.open_in(first, last):
        found[clause.of(view.text)] = anchors.of(clause)
    if lost := next((words[:40] for words, anchor in found.items() if not anchor), None):
        raise ValidationError(
            _("No phrase of “%(clause)s” occurs only once: it has no anchor.") % {"clause": lost}
        )
    result = []
    for anchor in dict.fromkeys(found.values()):
        result.append(
            BackgroundPassage(
                policy=policy,
                anchor=anchor,
                marked_by=request_context.current_user(request),
                marked_on=request_context.current_day(),
            )
        )
    return result
