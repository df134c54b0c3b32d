"""A policy from its text: proposed, changed row by row, kept on every error, made in one piece."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.text.quality import TEXTS
from tests.text.test_file_reader import packed
from tests.views.conftest import Browser
from tracker.domain.passages import Span
from tracker.models import BackgroundPassage, Organization, PolicyDocument, User
from tracker.reports.health_check import run_checkup
from tracker.text.breakdown import ProposalKind, ProposedRow, Rule
from tracker.text.proposing import changed, joined

NEW = "/policies/new/"
TEXT = (TEXTS / "notice.txt").read_text(encoding="utf-8")


def fields(page: str) -> dict[str, str]:
    """Read the fields of the form as a browser would send them."""
    found = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
    for name, options in re.findall(r'<select\s+name="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        found[name] = re.findall(r'value="(\w+)" selected', options)[0]
    text = re.search(r'<textarea name="text" hidden>\n(.*?)</textarea>', page, re.DOTALL)
    found["text"] = text[1] if text else ""
    return {name: unescape(value) for name, value in found.items()}


def ask(client: Client, **data: Any) -> str:
    return client.post(NEW, data).content.decode()


def proposed(client: Client) -> dict[str, str]:
    return fields(ask(client, text=TEXT)) | {"title": "Plan", "slug": "plan"}


def test_a_text_is_proposed_row_by_row_and_nothing_is_saved(office: Client) -> None:
    page = ask(office, text=TEXT)
    assert 'value="降低企业经营成本"' in page
    assert "numbered heading" in page
    assert page.count("现印发给你们") == 1
    assert not PolicyDocument.objects.exists()


def test_a_confirmed_proposal_is_a_draft_like_any_other(office: Client, supervisor: User) -> None:
    unit = Organization.objects.create(name="临江市财政局", short_name="市财政局", order=1)
    answer = office.post(NEW, {**proposed(office), "confirm": "1"})
    policy = PolicyDocument.objects.get(slug="plan")
    assert answer["Location"] == "/policies/plan/"
    assert (policy.state, policy.full_text[:5]) == ("draft", TEXT[:5])
    task = policy.tasks.get(code="B2-01")
    assert (task.lead_unit, task.lead_is_proposed, str(task.deadline)) == (unit, True, "2025-09-30")
    assert task.history.get().history_user == supervisor
    assert set(BackgroundPassage.objects.values_list("marked_by", flat=True)) == {supervisor.pk}
    reading = run_checkup(policy).reading
    assert reading
    assert reading.coverage.missing == reading.coverage.repeated == reading.coverage.open == []


def test_a_file_is_taken_as_well(office: Client) -> None:
    page = ask(office, file=SimpleUploadedFile("a.txt", TEXT.encode("gbk")))
    assert 'value="降低企业经营成本"' in page


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"text": ""}, "Paste the policy"),
        ({"text": " \n\u3000"}, "Paste the policy"),
        ({"text": "路" * 1_000_000}, "at most 500,000"),
        ({"text": "推进建设，" * 90_000}, "at most 3000 are shown"),
        ({"text": "\x01" * 500}, "control characters"),
        ({"text": "\u202e" * 500}, "control characters"),
        ({"text": "天气很好。"}, "No demand was found"),
        ({"text": "甲\x00"}, "Null characters"),
    ],
    ids=["empty", "blank", "long", "one-line", "control", "right-to-left", "no-demand", "null"],
)
def test_a_text_that_gives_nothing_is_answered_in_words(
    office: Client, asked: dict[str, str], why: str
) -> None:
    assert why in ask(office, **asked)


def test_marks_that_turn_the_direction_of_writing_are_dropped(office: Client) -> None:
    page = ask(office, text=TEXT.replace("降低企业", "降低\u202e企业\u2066"))
    assert 'value="降低企业经营成本"' in page
    assert "\u202e" not in page


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"PK\x03\x04 x", "damaged"),
        (packed({"word/document.xml": b"0" * 70_000_000}), "too large for a policy text"),
        (b"", "empty"),
    ],
    ids=["broken", "bomb", "empty"],
)
def test_a_file_that_is_no_text_is_answered_in_words(office: Client, raw: bytes, why: str) -> None:
    assert why in ask(office, file=SimpleUploadedFile("a.docx", raw))


def test_markup_is_text(office: Client) -> None:
    text = "一、<script>alert(1)</script>\n（一）推进甲。建设乙。\n（二）推进丙。"
    assert "<script>alert" not in ask(office, text=text)


def test_what_was_typed_is_kept_on_an_error(office: Client) -> None:
    page = ask(office, **{**proposed(office), "slug": "no good", "n0": "RENAMED", "confirm": "1"})
    assert 'value="RENAMED"' in page
    assert 'value="no good"' in page
    assert not PolicyDocument.objects.exists()


def test_a_row_without_a_name_is_named_and_nothing_is_saved(office: Client) -> None:
    assert "Row 1: it has no name." in ask(office, **{**proposed(office), "n0": "", "confirm": "1"})
    assert not PolicyDocument.objects.exists()


@pytest.mark.parametrize(
    "bent", [{"m1": "9-1;demand"}, {"m1": "x"}, {"k1": "x"}, {"m1": "0-9999999;demand"}]
)
def test_a_bent_row_is_refused(office: Client, bent: dict[str, str]) -> None:
    assert "Row 2 cannot be read" in ask(office, **{**proposed(office), **bent, "confirm": "1"})


def test_the_address_of_a_page_is_no_address_of_a_policy(office: Client) -> None:
    assert "choose another" in ask(office, **{**proposed(office), "slug": "new", "confirm": "1"})


def test_an_address_in_use_is_refused(office: Client, policy: PolicyDocument) -> None:
    ask(office, **{**proposed(office), "slug": "rise", "confirm": "1"})
    assert PolicyDocument.objects.count() == 1


def test_others_may_not(browser: Browser, leader: User) -> None:
    assert browser(leader).get(NEW).status_code == 403


def row(kind: ProposalKind, name: str, *spans: Span) -> ProposedRow:
    return ProposedRow(kind, name, spans, Rule.HAND)


KINDS = {
    "S": ProposalKind.SECTION,
    "M": ProposalKind.MEASURE,
    "a": ProposalKind.TASK,
    "b": ProposalKind.TASK,
    "N": ProposalKind.MEASURE,
}
ROWS = [row(kind, name) for name, kind in KINDS.items()]


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("up-3", "SMbaN"),
        ("down-2", "SMbaN"),
        ("down-1", "SNMab"),
        ("up-4", "SNMab"),
        ("up-0", "SMabN"),
        ("down-4", "SMabN"),
        ("down-99", "SMabN"),
        ("nonsense", "SMabN"),
    ],
)
def test_a_row_moves_with_what_it_holds(asked: str, order: str) -> None:
    assert "".join(found.name for found in changed(ROWS, asked, "")) == order


def test_a_row_is_split_at_its_clauses() -> None:
    text = "修建道路，架设桥梁。"
    found = changed([row(ProposalKind.TASK, "x", Span(0, 10))], "split-0", text)
    assert [(part.name, part.passage(text)) for part in found] == [
        ("x", "修建道路，"),
        ("架设桥梁", "架设桥梁。"),
    ]


def test_a_row_is_joined_to_the_one_above() -> None:
    [found] = joined(
        [row(ProposalKind.TASK, "x", Span(0, 2)), row(ProposalKind.JOIN, "y", Span(3, 5))]
    )
    assert found.spans == (Span(0, 2), Span(3, 5))


def test_a_row_is_added() -> None:
    assert [found.name for found in changed(ROWS, "add-0", "")][1] == ""
