"""What a person sees in a real browser when a session has ended.

Nothing is shown, nothing typed is lost.
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PASSWORD, log_in
from tests.factories import make_policy, make_task
from tracker.domain.choices import Kind
from tracker.domain.dates import DAY, today
from tracker.models import Organization, ProgressUpdate, Task, User

pytestmark = pytest.mark.browser


@pytest.fixture
def window(browser: Browser) -> Any:
    """Open a browser of its own, whose pages are tabs that share their cookies."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def liaison(transactional_db: None) -> User:
    unit = Organization.objects.create(name="Bureau of Science", short_name="Science")
    return User.objects.create_user(
        "liaison", password=PASSWORD, is_liaison=True, organization=unit
    )


@pytest.fixture
def task(liaison: User) -> Task:
    since = today() - 90 * DAY
    facts = {
        "kind": Kind.QUALITATIVE,
        "lead_unit": liaison.organization,
        "assigned_on": since,
        "owed_from": since,
    }
    return make_task(make_policy(), deadline=today() + 90 * DAY, acknowledged_on=since, **facts)


@pytest.fixture
def supervisor(transactional_db: None) -> User:
    return User.objects.create_user("supervisor", password=PASSWORD, is_supervisor=True)


def log_out(window: BrowserContext, url: str) -> None:
    """Log out in another tab."""
    tab = window.new_page()
    tab.goto(f"{url}/password/")
    tab.click("header form[action='/logout/'] button")
    tab.wait_for_url("**/login/**")
    tab.close()


def enter(window: BrowserContext, url: str, name: str) -> None:
    """Log in in another tab."""
    tab = window.new_page()
    log_in(tab, url, name)
    tab.wait_for_url(lambda address: "/login/" not in address)
    tab.close()


def fill_log_in(page: Page, name: str) -> None:
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda address: "/login/" not in address)


def open_report(window: BrowserContext, url: str) -> Page:
    page = window.new_page()
    log_in(page, url, "liaison")
    page.goto(f"{url}/policies/rise/tasks/A1-01/report/")
    return page


def test_back_after_a_log_out_shows_the_log_in_page(
    window: BrowserContext, live_server: LiveServer, liaison: User, task: Task
) -> None:
    page = open_report(window, live_server.url)
    page.goto(f"{live_server.url}/my/")
    page.click("header form[action='/logout/'] button")
    page.wait_for_url("**/login/**")
    page.go_back()
    page.wait_for_url("**/login/**")
    assert page.locator("[name=password]").is_visible()
    assert "A1-01" not in page.content()


def test_a_draft_goes_on_after_a_new_log_in_in_another_tab(
    window: BrowserContext, live_server: LiveServer, task: Task
) -> None:
    page = open_report(window, live_server.url)
    log_out(window, live_server.url)
    page.fill("[name=progress]", "写了一半")
    page.locator("[data-say]:not(:empty)").wait_for()
    assert not ProgressUpdate.objects.exists()
    enter(window, live_server.url, "liaison")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.locator("[data-say]", has_text=re.compile(r"\d\d:\d\d")).wait_for()
    assert ProgressUpdate.objects.get().progress == "写了一半"
    page.fill("[name=progress]", "写完了")
    with page.expect_navigation():
        page.click("[name=save]")
    assert ProgressUpdate.objects.get().progress == "写完了"


def test_a_draft_that_cannot_be_kept_says_so_once(
    window: BrowserContext, live_server: LiveServer, task: Task
) -> None:
    page = open_report(window, live_server.url)
    page.evaluate(
        "window.told = 0; new MutationObserver(() => window.told++)"
        ".observe(document.querySelector('[data-say]'), {childList: true, characterData: true, "
        "subtree: true})"
    )
    log_out(window, live_server.url)
    page.fill("[name=progress]", "写了")
    page.locator("[data-say]:not(:empty)").wait_for()
    for _round in range(3):
        with page.expect_response("**/report/**"):
            page.evaluate("window.dispatchEvent(new Event('focus'))")
    assert page.evaluate("window.told") == 1
    enter(window, live_server.url, "liaison")
    tab = window.new_page()
    tab.goto(f"{live_server.url}/my/")
    assert tab.locator("main .notice.fault").count() == 0


def test_a_draft_of_another_account_is_told_so_and_not_shown(
    window: BrowserContext, live_server: LiveServer, task: Task, supervisor: User
) -> None:
    page = open_report(window, live_server.url)
    log_out(window, live_server.url)
    enter(window, live_server.url, "supervisor")
    page.fill("[name=progress]", "我写的")
    page.locator("[data-say]:not(:empty)").wait_for()
    assert "其他账号" in page.locator("[data-say]").inner_text()
    tab = window.new_page()
    for address in ("/kept/", "/policies/rise/tasks/A1-01/report/"):
        tab.goto(f"{live_server.url}{address}")
        assert "我写的" not in tab.content()


def test_a_report_sent_after_a_log_out_elsewhere_is_there_again_and_its_file_is_named(
    window: BrowserContext, live_server: LiveServer, task: Task
) -> None:
    page = open_report(window, live_server.url)
    log_out(window, live_server.url)
    page.fill("[name=progress]", "写好了")
    page.set_input_files(
        "[name=proofs]", {"name": "证明.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    )
    page.click("[name=submit]")
    page.wait_for_url("**/login/**")
    fill_log_in(page, "liaison")
    assert page.input_value("[name=progress]") == "写好了"
    assert "证明.pdf" in page.locator("main").inner_text()
    assert not ProgressUpdate.objects.exists()


def test_a_button_pressed_after_a_log_out_elsewhere_leads_back_to_its_page(
    window: BrowserContext, live_server: LiveServer, task: Task, supervisor: User
) -> None:
    page = window.new_page()
    log_in(page, live_server.url, "supervisor")
    page.goto(f"{live_server.url}/review/")
    log_out(window, live_server.url)
    page.evaluate(
        "document.querySelector('header form[action=\"/large-type/\"]').action = '/review/accept/'"
    )
    page.click("header form[action='/review/accept/'] button")
    page.wait_for_url("**/login/**")
    fill_log_in(page, "supervisor")
    assert page.url == f"{live_server.url}/review/"
    page.click("a[href='/kept/']")
    assert page.locator("form[action='/review/accept/'] button").is_visible()


def test_a_task_typed_in_the_admin_is_there_again_with_its_steps(
    window: BrowserContext, live_server: LiveServer, task: Task, supervisor: User
) -> None:
    page = window.new_page()
    log_in(page, live_server.url, "supervisor")
    page.goto(f"{live_server.url}/admin/tracker/task/{task.pk}/change/")
    page.fill("[name=title]", "改了标题")
    page.fill("[name=items-0-title]", "第一步")
    log_out(window, live_server.url)
    page.click("[name=_save] >> nth=0")
    page.wait_for_url("**/login/**")
    fill_log_in(page, "supervisor")
    assert page.input_value("[name=title]") == "改了标题"
    assert page.input_value("[name=items-0-title]") == "第一步"
    assert Task.objects.get().title == "Task A1-01"
