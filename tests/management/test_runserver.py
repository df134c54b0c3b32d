"""The last line of `make run`: where to look, and as whom to log in."""

import re
from io import StringIO

import pytest
from django.utils.translation import override

from tests.drills.lost_updates import ROOT
from tracker.management.commands.runserver import Command
from tracker.models import User


def told(port: int = 8000) -> list[str]:
    """Return the lines that are printed when the server listens."""
    out = StringIO()
    command = Command(stdout=out)
    command.addr, command._raw_ipv6, command.protocol, command.use_ipv6 = (
        "127.0.0.1",
        False,
        "http",
        False,
    )
    with override("en"):
        command.on_bind(port)
    return out.getvalue().strip().splitlines()


@pytest.mark.django_db
def test_the_last_line_says_which_address_to_open_and_as_whom_to_log_in() -> None:
    for name in ("admin", "demo-leader", "demo-supervisor", "somebody"):
        User.objects.create_user(name)
    last = told(9123)[-1]
    assert "http://127.0.0.1:9123/" in last
    assert "demo-supervisor, demo-leader, admin" in last
    assert "somebody" not in last


@pytest.mark.django_db
def test_a_disabled_account_is_not_offered() -> None:
    User.objects.create_user("admin")
    User.objects.create_user("demo-supervisor", is_active=False)
    assert "demo-supervisor" not in told()[-1]


@pytest.mark.django_db
def test_without_these_accounts_the_last_line_names_the_address() -> None:
    assert "http://127.0.0.1:8000/" in told()[-1]


def test_make_run_takes_a_port() -> None:
    text = (ROOT / "Makefile").read_text()
    assert re.search(r"^PORT \?= 8000$", text, re.MULTILINE)
    assert "127.0.0.1:$(PORT)" in text
