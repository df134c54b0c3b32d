"""A new policy from its text: paste, look through the proposal, confirm."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

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


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Take a text, show what it breaks down into, take corrections, and make a policy of what was
    confirmed.
    """
    if not permissions.may_edit_policies(request.user):
        raise PermissionDenied
    text_form = TextForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not text_form.is_valid():
        return render(request, "tracker/new.html", {"text_form": text_form})
    text = text_form.cleaned_data["text"]
    if "m0" not in request.POST:
        return _first(request, text_form, text)
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
        faults = []
        for n, why in faults_of(rows):
            faults.append(_("Row %(number)s: %(why)s.") % {"number": n, "why": why})
        if form.is_valid() and not faults:
            try:
                return _make(request, form, text, joined(rows))
            except ValidationError as error:
                faults = error.messages
    return _page(request, form, text, rows, faults)


def _first(request: HttpRequest, text_form: TextForm, text: str) -> HttpResponse:
    """Show the first proposal of a text."""
    found = propose_breakdown(text)
    if not (tasks := tally(found.rows)[ProposalKind.TASK]) or len(found.rows) > MOST_ROWS:
        if not tasks:
            why = _("No demand was found in this text.")
        else:
            why = _(
                "The text gives %(rows)s rows; at most %(most)s are shown on one page: give it "
                "in parts."
            ) % {"rows": len(found.rows), "most": MOST_ROWS}
        text_form.add_error("text", why)
        return render(request, "tracker/new.html", {"text_form": text_form})
    if found.published:
        day = "-".join(f"{part:02}" for part in found.published)
    else:
        day = None
    known = {
        "title": found.title,
        "author": found.author,
        "publisher": found.publisher,
        "published_on": day,
        "slug": f"policy-{request_context.current_day():%Y%m%d}",
        "source_note": " · ".join(found.source)[:200],
    }
    return _page(request, NewPolicyForm(initial=known), text, found.rows, [])


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
        request_context.change_context(request, _("made from its text")),
        request_context.current_day(),
        steps,
    )
    for note in made.notes[:5]:
        messages.warning(request, note)
    said = {"policy": policy, "tasks": len(made.tasks)}
    messages.success(request, _("“%(policy)s” was made as a draft: %(tasks)s tasks.") % said)
    return redirect("policy", policy.slug)


def _page(
    request: HttpRequest, form: NewPolicyForm, text: str, rows: list[ProposedRow], faults: list[str]
) -> HttpResponse:
    shown: list[dict[str, Any]] = []
    for row in rows:
        shown.append(
            {
                "row": row,
                "kind": ProposalKind(row.kind),
                "rule": Rule(row.rule).label,
                "passage": row.passage(text),
                "meta": ",".join(f"{span.start}-{span.end}" for span in row.spans) + f";{row.rule}",
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
    found = tally(rows)
    result = []
    for kind in ProposalKind:
        if found[kind]:
            result.append((str(ProposalKind(kind).label), found[kind]))
    return result
