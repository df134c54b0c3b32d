"""No page shows a list, a table or a box that holds nothing: what is empty says so."""

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_policy, make_task
from tracker.models import Organization, PolicyDocument, User

BOXES = {"dl", "ul", "ol", "tbody", "section", "details", "blockquote", "figure", "dd", "caption"}
FILLED = {"svg", "img", "input", "select", "textarea", "progress"}


class Boxes(HTMLParser):
    """The boxes of a page that hold neither words nor anything to see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.empty: list[str] = []
        self._open: list[list[object]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FILLED:
            self.handle_data("x")
        if tag in BOXES:
            self._open.append([tag, dict(attrs).get("class") or "", False])

    def handle_endtag(self, tag: str) -> None:
        if tag in BOXES:
            name, of, filled = self._open.pop()
            if not filled:
                self.empty.append(f"{name}.{of}")

    def handle_data(self, data: str) -> None:
        if data.strip():
            for box in self._open:
                box[2] = True


@pytest.fixture
def pages(policy: PolicyDocument, bureau: Organization, liaison: User) -> list[str]:
    """List the report pages of a policy with tasks, one without, and one without anything."""
    make_task(policy, "A1-01", lead_unit=bureau)
    make_policy("idle").measures.all()
    PolicyDocument.objects.create(slug="bare", title="Bare", state="published")
    slugs = ("rise", "idle", "bare")
    found = [
        reverse(name, args=[slug])
        for name in ("policy", "tasks", "units", "text", "health")
        for slug in slugs
    ]
    found += [reverse("unit", args=[slug, bureau.pk]) for slug in slugs]
    found += [reverse("measure", args=[slug, "A1"]) for slug in slugs[:2]]
    found += [reverse(name) for name in ("home", "my", "queue", "search", "imports")]
    found += [reverse("queue", args=[name]) for name in ("requests", "help", "silent")]
    return [
        *found,
        reverse("task", args=["rise", "A1-01"]),
        reverse("unit_everywhere", args=[bureau.pk]),
    ]


def test_no_page_shows_an_empty_box(client: Client, pages: list[str], liaison: User) -> None:
    User.objects.filter(pk=liaison.pk).update(is_supervisor=True)
    client.force_login(liaison)
    answers = {page: client.get(page) for page in pages}
    assert {
        page: answer.status_code for page, answer in answers.items() if answer.status_code != 200
    } == {}
    empty = {
        page: boxes
        for page, answer in answers.items()
        if (boxes := Boxes(answer.content.decode()).empty)
    }
    assert empty == {}


def test_the_text_page_prints_the_rules_of_its_policy(
    client: Client, policy: PolicyDocument, leader: User
) -> None:
    PolicyDocument.objects.filter(pk=policy.pk).update(warn_days=13)
    client.force_login(leader)
    page = client.get(reverse("text", args=["rise"])).content.decode()
    assert "13" in page[page.index('class="rules"') :]
