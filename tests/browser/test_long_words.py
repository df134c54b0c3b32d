"""Names of 200 letters without a blank widen no page, from a narrow phone to a wide screen."""

from collections.abc import Iterator

import pytest
from django.db import models
from django.urls import reverse
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PASSWORD, log_in
from tests.browser.test_every_page import DEMO, admin_pages, report_pages
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Evidence,
    ImportBatch,
    Indicator,
    IndicatorValue,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
    TaskRequest,
    User,
)

pytestmark = pytest.mark.browser

WIDTHS = (360, 390, 768, 1024, 1366, 1920)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Where what sticks out begins: the deepest element that is wider than the window and no box that scrolls.
WIDEST = """() => [...document.querySelectorAll("body *")].filter(each =>
    each.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    && !each.closest(".scroll, .results, .tabular")
).slice(0, 3).map(each => `${each.tagName}.${each.className}`).join(" ")"""
LONG = "Xy" * 100
MODELS = (
    BackgroundPassage, ChecklistItem, DeclaredCount, Evidence, ImportBatch, Indicator, IndicatorValue, Measure,
    Organization, PolicyDocument, ProgressUpdate, Section, Task, TaskRequest,
)  # fmt: skip
KEPT = ("code", "slug", "full_text", "figures", "anchor", "contact_email")


def lengthen(row: models.Model) -> dict[str, str]:
    """Return long words for each free text of a row that has any; of what is unique the key comes first."""
    words: dict[str, str] = {}
    for field in row._meta.concrete_fields:
        text = isinstance(field, models.CharField | models.TextField) and not isinstance(field, models.FileField)
        if text and field.editable and not field.choices and field.name not in KEPT and getattr(row, field.attname):
            words[field.name] = (f"{row.pk}" if field.unique else "") + LONG[: (field.max_length or 200) - 6]
    return words


@pytest.fixture
def long_words(office: User) -> User:
    """Give every row of the demonstration long words, and its first task a change in its history."""
    for model in MODELS:
        for row in model.objects.all():
            if words := lengthen(row):
                model.objects.filter(pk=row.pk).update(**words)
    for task in Task.objects.filter(policy__slug=DEMO)[:40]:
        task.save()
    long_name = User.objects.create_superuser(
        LONG[:149], password=PASSWORD, is_liaison=True, organization=office.organization
    )
    User.objects.filter(pk=long_name.pk).update(first_name=LONG[:149])
    return User.objects.get(pk=long_name.pk)


def pages() -> Iterator[str]:
    yield from report_pages()
    yield from admin_pages()
    yield reverse("admin:tracker_task_changelist") + "?policy__id__exact=1"
    yield reverse("search") + "?q=XyXy"


def test_long_words_widen_no_page(browser: Browser, live_server: LiveServer, long_words: User) -> None:
    page = browser.new_page()
    log_in(page, live_server.url, long_words.username)
    page.wait_for_url(f"{live_server.url}/my/**")
    wide = []
    for address in dict.fromkeys(pages()):
        answer = page.goto(live_server.url + address)
        assert answer and answer.status == 200, address
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if (more := page.evaluate(WIDER)) > 0:
                wide.append(f"{address} at {width}: {more} ({page.evaluate(WIDEST)})")
    page.close()
    assert not wide, "\n".join(wide)
