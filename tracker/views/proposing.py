"""A new policy from its text: paste, look through the proposal, confirm."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tracker import permissions, workflow
from tracker.source.adopt import rows_for
from tracker.source.breakdown import Kind, Row, Rule, propose, tally
from tracker.source.draft import draft
from tracker.source.proposing import (
    MOST_ROWS,
    NewPolicyForm,
    TextForm,
    changed,
    faults_of,
    joined,
    proposal_of,
    read_rows,
)
from tracker.views import edge


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Take a text, show what it breaks down into, take corrections, and make a policy of what was confirmed."""
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
    rows: list[Row] = []
    try:
        rows = read_rows(request.POST, text)
    except ValidationError as error:
        faults = error.messages
    if "do" in request.POST or "refresh" in request.POST:
        rows = changed(joined(rows), str(request.POST.get("do", "")), text)
    elif not faults:
        faults = [_("Row %(number)s: %(why)s.") % {"number": n, "why": why} for n, why in faults_of(rows)]
        if form.is_valid() and not faults:
            try:
                return _make(request, form, text, joined(rows))
            except ValidationError as error:
                faults = error.messages
    return _page(request, form, text, rows, faults)


def _first(request: HttpRequest, text_form: TextForm, text: str) -> HttpResponse:
    """Show the first proposal of a text."""
    found = propose(text)
    if not (tasks := tally(found.rows)[Kind.TASK]) or len(found.rows) > MOST_ROWS:
        why = _("No demand was found in this text.") if not tasks else _(
            "The text gives %(rows)s rows; at most %(most)s are shown on one page: give it in parts."
        ) % {"rows": len(found.rows), "most": MOST_ROWS}  # fmt: skip
        text_form.add_error("text", why)
        return render(request, "tracker/new.html", {"text_form": text_form})
    day = "-".join(f"{part:02}" for part in found.published) if found.published else None
    known = {
        "title": found.title,
        "author": found.author,
        "publisher": found.publisher,
        "published_on": day,
        "slug": f"policy-{edge.today():%Y%m%d}",
        "source_note": " · ".join(found.source)[:200],
    }
    return _page(request, NewPolicyForm(initial=known), text, found.rows, [])


def _make(request: HttpRequest, form: NewPolicyForm, text: str, rows: list[Row]) -> HttpResponse:
    """Save the policy with all its parts, in one transaction, and show its text."""
    made = draft(proposal_of(form, text, rows))
    policy = form.save(commit=False)
    policy.full_text = text
    parts, steps = rows_for(policy, made, edge.user(request))
    workflow.save_all(parts, edge.act(request, _("made from its text")), edge.today(), steps)
    for note in made.notes[:5]:
        messages.warning(request, note)
    said = {"policy": policy, "tasks": len(made.tasks)}
    messages.success(request, _("“%(policy)s” was made as a draft: %(tasks)s tasks.") % said)
    return redirect("policy", policy.slug)


def _page(request: HttpRequest, form: NewPolicyForm, text: str, rows: list[Row], faults: list[str]) -> HttpResponse:
    shown: list[dict[str, Any]] = [
        {
            "row": row,
            "kind": Kind(row.kind),
            "rule": Rule(row.rule).label,
            "passage": row.passage(text),
            "meta": ",".join(f"{span.start}-{span.end}" for span in row.spans) + f";{row.rule}",
        }
        for row in rows
    ]
    context = {"form": form, "policy_text": text, "rows": shown, "faults": faults, "kinds": Kind.choices}
    return render(request, "tracker/new.html", {**context, "counts": _counts(rows)})


def _counts(rows: list[Row]) -> list[tuple[str, int]]:
    found = tally(rows)
    return [(str(Kind(kind).label), found[kind]) for kind in Kind if found[kind]]
