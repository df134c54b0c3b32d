"""A new policy from its text: paste, look through the proposal, confirm."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain import permissions
from tracker.text.breakdown import ProposalKind, ProposedRow, Rule, propose_breakdown, tally
from tracker.text.create_policy import rows_for
from tracker.text.draft import draft_policy
from tracker.text.proposing import (
    MOST_ROWS,
    NewPolicyForm,
    TextForm,
    changed,
    faults_of,
    joined,
    proposal_of,
    read_rows,
)
from tracker.web import request_context
from tracker.web.request_context import require_get_or_post


@require_get_or_post
def new(request: HttpRequest) -> HttpResponse:
    """Take a text, show its breakdown, take corrections, and make a policy when confirmed."""
    if not permissions.may_edit_policies(request.user):
        raise PermissionDenied
    text_form = TextForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not text_form.is_valid():
        return render(request, "tracker/new.html", {"text_form": text_form})
    text = text_form.cleaned_data["text"]
    if "m0" not in request.POST:
        return _first(request, text_form, text)
    return _answer_rows(request, text)


def _answer_rows(request: HttpRequest, text: str) -> HttpResponse:
    """Correct the rows of a proposal as asked, or make the policy of them."""
    form = NewPolicyForm(request.POST)
    faults: list[str] = []
    rows: list[ProposedRow] = []
    try:
        rows = read_rows(request.POST, text)
    except ValidationError as error:
        faults = error.messages
    if "do" in request.POST or "refresh" in request.POST:
        rows = changed(joined(rows), str(request.POST.get("do", "")), text)
    elif not faults:
        faults = _row_faults(rows)
        if form.is_valid() and not faults:
            try:
                return _make(request, form, text, joined(rows))
            except ValidationError as error:
                faults = error.messages
    return _page(request, form, text, rows, faults)


def _row_faults(rows: list[ProposedRow]) -> list[str]:
    faults = []
    for number, why in faults_of(rows):
        faults.append(_("Row %(number)s: %(why)s.") % {"number": number, "why": why})
    return faults


def _first(request: HttpRequest, text_form: TextForm, text: str) -> HttpResponse:
    """Show the first proposal of a text."""
    found = propose_breakdown(text)
    why = _refusal_of(found.rows)
    if why:
        text_form.add_error("text", why)
        return render(request, "tracker/new.html", {"text_form": text_form})
    day = None
    if found.published:
        day = "-".join(f"{part:02}" for part in found.published)
    known = {
        "title": found.title,
        "author": found.author,
        "publisher": found.publisher,
        "published_on": day,
        "slug": f"policy-{request_context.current_day():%Y%m%d}",
        "source_note": " · ".join(found.source)[:200],
    }
    return _page(request, NewPolicyForm(initial=known), text, found.rows, [])


def _refusal_of(rows: Sequence[ProposedRow]) -> str:
    """Say why no policy can be made of these rows; empty where it can."""
    if not tally(rows)[ProposalKind.TASK]:
        return _("No demand was found in this text.")
    if len(rows) > MOST_ROWS:
        return _(
            "The text gives %(rows)s rows; at most %(most)s are shown on one page: enter it in "
            "parts."
        ) % {"rows": len(rows), "most": MOST_ROWS}
    return ""


def _make(
    request: HttpRequest, form: NewPolicyForm, text: str, rows: list[ProposedRow]
) -> HttpResponse:
    """Save the policy with all its parts, in one transaction, and show its text."""
    made = draft_policy(proposal_of(form, text, rows))
    policy = form.save(commit=False)
    policy.full_text = text
    parts, steps = rows_for(policy, made, request_context.current_user(request))
    workflow.save_objects(
        parts,
        request_context.change_context(request, _("created from its text")),
        request_context.current_day(),
        steps,
    )
    for note in made.notes[:5]:
        messages.warning(request, note)
    text = _("“%(policy)s” was created as a draft: %(tasks)s tasks.")
    messages.success(request, text % {"policy": policy, "tasks": len(made.tasks)})
    return redirect("policy", policy.slug)


def _page(
    request: HttpRequest, form: NewPolicyForm, text: str, rows: list[ProposedRow], faults: list[str]
) -> HttpResponse:
    shown: list[dict[str, Any]] = []
    for row in rows:
        spans = ",".join(f"{span.start}-{span.end}" for span in row.spans)
        shown.append(
            {
                "row": row,
                "kind": ProposalKind(row.kind),
                "rule": Rule(row.rule).label,
                "passage": row.passage(text),
                "meta": f"{spans};{row.rule}",
            }
        )
    context = {
        "form": form,
        "policy_text": text,
        "rows": shown,
        "faults": faults,
        "kinds": ProposalKind.choices,
    }
    return render(request, "tracker/new.html", {**context, "counts": _counts(rows)})


def _counts(rows: list[ProposedRow]) -> list[tuple[str, int]]:
    numbers = tally(rows)
    counts = []
    for kind in ProposalKind:
        if numbers[kind]:
            counts.append((str(ProposalKind(kind).label), numbers[kind]))
    return counts
