"""The text of a policy with its tasks beside it, and the way from a passage to a task."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain import permissions
from tracker.domain.parsing import whole_number
from tracker.domain.passages import Span, find_passage
from tracker.models import BackgroundPassage, Measure, PolicyDocument
from tracker.reports.filters import QueryReader
from tracker.text.breakdown import short_name_of
from tracker.text.draft import LONGEST_ANCHOR, Anchors
from tracker.text.text_view import MAX_SHOWN_TASKS, TextView
from tracker.web import request_context
from tracker.web.request_context import require_get_or_post


@require_get_or_post
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
    number, words = _asked_sentence(report_context.query_reader, edits)
    report_context.query_reader.reject_unknown()
    tasks = list(
        request_context.visible_tasks(request, policy).with_related().defer("policy__full_text")
    )
    view = TextView(policy, tasks, whole=whole, chosen=number)
    outline = None
    if not policy.full_text:
        outline = _outline(policy, tasks)
    chosen = None
    if number is not None and number < len(view.sentences):
        chosen = _chosen_sentence(view, number, words)
    context = {
        "policy": policy,
        "view": view,
        "whole": whole,
        "edits": edits,
        "shown": MAX_SHOWN_TASKS,
        "outline": outline,
        "chosen": chosen,
    }
    return render(request, "tracker/text.html", {**report_context.context, **context})


def _asked_sentence(query: QueryReader, edits: bool) -> tuple[int | None, str]:
    """Read the number of a sentence to work on, and the words of it that were selected."""
    at = query.pop("at", _("sentence"))
    words = query.pop("words", _("passage"))
    number = None
    if edits:
        number = whole_number(at)
    if at and number is None:
        query.refuse(_("sentence"), at, _("the number of a sentence of this text"))
    return number, words


def _outline(policy: PolicyDocument, tasks: list[Any]) -> list[tuple[Measure, list[Any]]]:
    """Return the measures in order, each with its tasks."""
    by_measure: dict[int, list[Any]] = {}
    for task in tasks:
        by_measure.setdefault(task.measure_id, []).append(task)
    outline = []
    for measure in policy.measures.select_related("section"):
        outline.append((measure, by_measure.get(measure.pk, [])))
    return outline


def _chosen_sentence(view: TextView, number: int, words: str) -> dict[str, Any]:
    """Say what can be done with a sentence, or with the words of it that were selected."""
    sentence = view.sentences[number]
    selected = []
    if words:
        selected = [each for each in find_passage(words, view.text) if each.overlaps(sentence)]
    anchors = Anchors(view.text)
    measure = view.measure_before(number)
    parts = []
    for part in selected[:1] or view.open_in(number) or [sentence]:
        address = measure and _new_task(measure, part, view.text, anchors)
        parts.append((part.of(view.text), address))
    return {
        "number": number,
        "words": sentence.of(view.text),
        "measure": measure,
        "parts": parts,
        "background": view.background_of(number),
        "open": bool(view.open_in(number)),
    }


def _new_task(measure: Measure, part: Span, text: str, anchors: Anchors) -> str:
    """Return the address of a new task with section, measure and anchor filled in."""
    words = part.of(text)
    whole = ""
    if len(words) <= LONGEST_ANCHOR and len(find_passage(words, anchors.norm)) == 1:
        whole = words
    codes = measure.tasks.values_list("code", flat=True)
    taken = {code.rsplit("-", 1)[-1] for code in codes}
    number = next(each for each in range(1, 10_000) if f"{each:02}" not in taken)
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
            _remove_mark(request, policy)
        elif "mark" in request.POST:
            _add_marks(request, policy)
    except (ValidationError, workflow.StaleVersion) as error:
        messages.error(request, request_context.refusal_text(error))
    return redirect("text", policy.slug)


def _remove_mark(request: HttpRequest, policy: PolicyDocument) -> None:
    key, _colon, seen = request.POST["unmark"].partition(":")
    passage = policy.background.filter(pk=request_context.read_number(key)).first()
    if passage is None:
        raise ValidationError(_("The mark was already removed."))
    act = request_context.change_context(request)
    workflow.delete_object(passage, act, request_context.read_number(seen))


def _add_marks(request: HttpRequest, policy: PolicyDocument) -> None:
    if request_context.read_number(request.POST.get("seen")) != policy.version:
        raise ValidationError(
            _("The policy was changed since the page was shown: nothing was marked.")
        )
    first, _dash, last = request.POST["mark"].partition("-")
    passages = _passages(
        policy,
        request_context.read_number(first),
        request_context.read_number(last or first),
        request,
    )
    act = request_context.change_context(request)
    workflow.save_objects(passages, act, request_context.current_day())


def _passages(
    policy: PolicyDocument, first: int, last: int, request: HttpRequest
) -> list[BackgroundPassage]:
    """Make a mark for each open clause of some sentences."""
    view = TextView(policy, list(policy.tasks.all()), whole=True)
    if not first <= last < len(view.sentences):
        raise ValidationError(_("There is no such sentence in this text."))
    anchors = Anchors(view.text)
    anchor_of = {}
    for clause in view.open_in(first, last):
        anchor_of[clause.of(view.text)] = anchors.of(clause)
    for words, anchor in anchor_of.items():
        if not anchor:
            raise ValidationError(
                _("No phrase of “%(clause)s” is unique in the text, so it has no anchor.")
                % {"clause": words[:40]}
            )
    passages = []
    for anchor in dict.fromkeys(anchor_of.values()):
        passages.append(
            BackgroundPassage(
                policy=policy,
                anchor=anchor,
                marked_by=request_context.current_user(request),
                marked_on=request_context.current_day(),
            )
        )
    return passages
