"""A real Chromium against a live server; skipped, with the reason, where there is none."""

import io
import os
import shutil
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from playwright.sync_api import Browser, Page, sync_playwright

from tracker.models import Organization, User
from tracker.models.stored_rules import StoredRules

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
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing")
        pytest.skip("no Chromium on this machine")
    # Playwright runs a loop in this thread, and Django takes every thread with one for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def laid() -> dict[str, list[tuple]]:
    """Keep the rows of sample and demonstration, by table, once they have been laid: it takes seconds."""
    return {}


@pytest.fixture
def office(transactional_db: None, laid: dict[str, list[tuple]]) -> User:
    """Load the sample and the demonstration; return the account that opens every page."""
    models = list(apps.get_app_config("tracker").get_models(include_auto_created=True))
    # Stored anew whenever a database is emptied.
    models.remove(StoredRules)
    with transaction.atomic(), connection.cursor() as cursor:
        if laid:
            for table, rows in laid.items():
                cursor.executemany(
                    f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows
                )
            for statement in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(statement)
        else:
            call_command("loaddata", "organizations", "central-china-rise", verbosity=0)
            call_command("load_demo", stdout=io.StringIO())
            for model in models:
                cursor.execute(f"SELECT * FROM {model._meta.db_table}")
                if rows := cursor.fetchall():
                    laid[model._meta.db_table] = rows
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
