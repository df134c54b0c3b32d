"""Readers of the pages: a browser for each of the named people, set to English."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from tracker.domain.dates import now
from tracker.models import User

Browser = Callable[[User], Client]


@pytest.fixture
def stranger() -> Client:
    """Open a browser that is not logged in."""
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


@pytest.fixture
def browser(stranger: Client) -> Browser:
    """Log somebody in."""

    def log_in(user: User) -> Client:
        stranger.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = stranger.session  # as the log-in page leaves it
        session["began"] = session["seen"] = int(now().timestamp())
        session.save()
        return stranger

    return log_in


@pytest.fixture
def office(browser: Browser, supervisor: User) -> Client:
    """Open the browser of the supervisor."""
    return browser(supervisor)
