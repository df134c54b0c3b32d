"""A second policy, from pasted text to overview and ledger, with no admin and no file touched."""

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import log_in
from tests.text.quality import TEXTS
from tracker.models import PolicyDocument, User

pytestmark = pytest.mark.browser


def test_a_policy_goes_from_pasted_text_to_overview_text_and_ledger(
    browser: Browser, live_server: LiveServer, office: User
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/policies/new/")
    page.fill("[name=text]", (TEXTS / "notice.txt").read_text(encoding="utf-8"))
    page.click("main form button.strong")
    page.fill("[name=slug]", "second")
    page.fill("[name=n0]", "RENAMED")
    page.click("[name=confirm]")
    assert page.url == f"{live_server.url}/policies/second/"
    assert "RENAMED" in page.inner_text("main")
    page.goto(f"{live_server.url}/policies/second/text/")
    assert page.inner_text(".coverage p b") == "100.0%"
    with page.expect_download() as download:
        page.goto(f"{live_server.url}/policies/second/")
        page.click("a[href$='ledger.xlsx']")
    assert download.value.path().stat().st_size > 5_000
    context.close()
    assert PolicyDocument.objects.get(slug="second").measures.filter(general=False).count() == 7
