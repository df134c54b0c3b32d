"""A policy from its text: the text first, then the proposal row by row. Everything typed travels in the form itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.parsing import whole_number
from tracker.domain.passages import Span, split_clauses
from tracker.forms.editing import SECRET_FIELDS
from tracker.models import PolicyDocument
from tracker.text import file_reader
from tracker.text.breakdown import (
    MAX_PROPOSED_NAME,
    Proposal,
    ProposalKind,
    ProposedRow,
    Rule,
    short_name_of,
)
from tracker.text.outline import starting_in

MOST_ROWS = 3_000  # of a proposal on one page; a text that gives more is loaded in parts
_META = re.compile(r"((?:\d{1,7}-\d{1,7}(?:,(?=\d))?){0,200});([a-z_]{1,20})")


class TextForm(forms.Form):
    """A policy text, pasted or uploaded."""

    text = forms.CharField(
        label=gettext_lazy("the policy text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16}),
        help_text=SECRET_FIELDS,
    )
    file = forms.FileField(
        label=gettext_lazy("or a file"),
        required=False,
        help_text=gettext_lazy("A text in UTF-8 or GB18030, or a Word document (.docx)."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        upload = cleaned.get("file")
        if upload:
            if upload.size > file_reader.MAX_TEXT_FILE_BYTES:
                words = _("The file is larger than %(most)s bytes.") % {
                    "most": file_reader.MAX_TEXT_FILE_BYTES
                }
                raise ValidationError({"file": words})
            try:
                cleaned["text"] = file_reader.read_text_file(upload.read(), upload.name)
            except ValidationError as error:
                raise ValidationError({"file": error}) from error
        elif "text" in cleaned:
            try:
                cleaned["text"] = file_reader.clean_policy_text(cleaned["text"])
            except ValidationError as error:
                raise ValidationError({"text": error}) from error
            if not cleaned["text"]:
                raise ValidationError({"text": _("Paste the policy text here, or choose a file.")})
        return cleaned


class NewPolicyForm(forms.ModelForm):
    """What a new policy is, beside its parts."""

    class Meta:
        model = PolicyDocument
        fields = ("title", "slug", "author", "publisher", "published_on", "source_note")

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug == "new":
            raise ValidationError(_("This address is used by a page: choose another one."))
        return slug


def read_rows(data: Mapping[str, Any], text: str) -> list[ProposedRow]:
    """Read the rows that a page of ours has written, in their order; what was bent into no row is refused."""
    rows = []
    for number in range(MOST_ROWS + 1):
        meta = data.get(f"m{number}")
        if meta is None:
            break
        found, kind = _META.fullmatch(str(meta)), str(data.get(f"k{number}", ""))
        if not found or kind not in ProposalKind.values or found[2] not in Rule.values:
            raise ValidationError(
                _("Row %(number)s cannot be read; generate the proposal again.")
                % {"number": number + 1}
            )
        spans = tuple(Span(*map(int, part.split("-"))) for part in found[1].split(",") if part)
        if any(not span.start <= span.end <= len(text) for span in spans):
            raise ValidationError(
                _("Row %(number)s cannot be read; generate the proposal again.")
                % {"number": number + 1}
            )
        told = {
            name: str(data.get(f"{name}{number}", ""))[:200] for name in ("lead", "helps", "due")
        }
        name = re.sub(r"[\x00-\x1f]", " ", str(data.get(f"n{number}", ""))).strip()
        rows.append(ProposedRow(kind, name, spans, found[2], **told))
    return rows


def faults_of(rows: list[ProposedRow]) -> Iterator[tuple[int, str]]:
    """Yield the number of a row at fault and what is wrong with it."""
    for number, row in enumerate(rows, 1):
        used = row.kind in (
            ProposalKind.SECTION,
            ProposalKind.MEASURE,
            ProposalKind.GENERAL,
            ProposalKind.TASK,
        )
        if used and not row.name:
            yield number, _("it has no name")
        elif used and len(row.name) > MAX_PROPOSED_NAME:
            yield (
                number,
                _("its name has more than %(most)s characters") % {"most": MAX_PROPOSED_NAME},
            )
    if not any(row.kind == ProposalKind.TASK for row in rows):
        yield 1, _("no row is a task")


def changed(rows: list[ProposedRow], asked: str, text: str) -> list[ProposedRow]:
    """Return the rows after a button such as `up-3`, `split-3`; a section or measure moves with what it holds."""
    action, _dash, place = asked.partition("-")
    at = whole_number(place)
    if at is None or at >= len(rows):
        return rows
    if action == "split":
        return [*rows[:at], *_split(rows[at], text), *rows[at + 1 :]]
    if action == "add":
        return [*rows[: at + 1], ProposedRow(ProposalKind.TASK, "", (), Rule.HAND), *rows[at + 1 :]]
    end = _end(rows, at)
    block, rest = rows[at:end], rows[:at] + rows[end:]
    if action == "up" and at:
        to = next((n for n in range(at - 1, -1, -1) if _rank(rows[n]) <= _rank(rows[at])), 0)
        return rest[:to] + block + rest[to:]
    if action == "down" and end < len(rows):
        to = _end(rows, end) - len(block)
        return rest[:to] + block + rest[to:]
    return rows


def joined(rows: list[ProposedRow]) -> list[ProposedRow]:
    """Join each row that is to be joined to the one above: its passage goes over, its name goes."""
    kept: list[ProposedRow] = []
    for row in rows:
        if row.kind == ProposalKind.JOIN and kept:
            kept[-1] = replace(kept[-1], spans=(*kept[-1].spans, *row.spans))
        else:
            kept.append(row)
    return kept


def _rank(row: ProposedRow) -> int:
    return {ProposalKind.SECTION: 0, ProposalKind.MEASURE: 1, ProposalKind.GENERAL: 1}.get(
        ProposalKind(row.kind), 2
    )


def _end(rows: list[ProposedRow], at: int) -> int:
    """Return where what a row holds ends."""
    if _rank(rows[at]) == 2:
        return at + 1
    return next(
        (n for n in range(at + 1, len(rows)) if _rank(rows[n]) <= _rank(rows[at])), len(rows)
    )


def _split(row: ProposedRow, text: str) -> list[ProposedRow]:
    """Part a row at its clauses; one that has a single clause stays."""
    parts = [clause for span in row.spans for clause in starting_in(split_clauses(text), span)]
    if len(parts) < 2:
        return [row]
    first = replace(row, spans=(Span(row.spans[0].start, parts[0].end),))
    kind = (
        ProposalKind.TASK
        if row.kind in (ProposalKind.MEASURE, ProposalKind.GENERAL, ProposalKind.SECTION)
        else row.kind
    )
    return [
        first,
        *(
            ProposedRow(kind, short_name_of(part.of(text)), (part,), Rule.HAND)
            for part in parts[1:]
        ),
    ]


def proposal_of(form: NewPolicyForm, text: str, rows: list[ProposedRow]) -> Proposal:
    """Return the proposal that a page holds."""
    said = form.cleaned_data
    day = said.get("published_on")
    return Proposal(
        text, said["title"], "", "", (day.year, day.month, day.day) if day else None, [], rows
    )
