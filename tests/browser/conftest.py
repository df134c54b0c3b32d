"""A real Chromium against a live server; skipped, with the reason, where there is none."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.prepared_rows import store_demonstration
from tracker.models import Organization, User

# Root cannot use the sandbox; the rest keeps the browser from calling home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def settled_day() -> None:
    """Let time pass: a browser waits for real."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium on this machine")
    # Playwright runs a loop in this thread, and Django takes every thread with one for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def office(transactional_db: None) -> User:
    """Load the sample and the demonstration; return the account that opens every page."""
    store_demonstration()
    unit = Organization.objects.filter(led_tasks__policy__demo=True).first()
    return User.objects.create_superuser(
        "office", password=PASSWORD, is_liaison=True, organization=unit
    )


def log_in(page: Page, url: str, name: str = "office") -> None:
    """Log in as a person does."""
    page.goto(f"{url}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
