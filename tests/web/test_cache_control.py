"""No browser keeps a page, so Back shows none after a log-out; static files may be kept."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.test_access import TABLE, cast

__all__ = ["cast"]


@pytest.mark.parametrize("role", ["superuser", "lead_liaison", "anonymous"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_lets_a_browser_keep_its_answer(
    cast: dict[str, Any], role: str, method: str
) -> None:
    kept = []
    for name, (arguments, _expected) in TABLE.items():
        client = Client()
        if role != "anonymous":
            client.force_login(cast[role])
        filled = {key: cast["objects"].get(value, value) for key, value in arguments.items()}
        answer = client.generic(method, reverse(name, kwargs=filled))
        answer.getvalue()
        if "no-store" not in answer.headers.get("Cache-Control", ""):
            kept.append(name)
    assert kept == []


def test_a_page_that_is_not_there_is_not_kept_either(db: None) -> None:
    assert "no-store" in Client().get("/nothing/").headers["Cache-Control"]


def test_static_files_may_be_kept(db: None) -> None:
    answer = Client().get("/static/tracker/style.css")
    answer.getvalue()
    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("Cache-Control", "")
