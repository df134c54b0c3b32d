"""Who asks and how much is sent is checked before a body is read."""

from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import is_hop_by_hop

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.views.conftest import Browser
from tracker.models import User
from tracker.web import body_limits

MEGABYTE = 1024 * 1024
FORM = "multipart/form-data; boundary=x"


class Unread(BytesIO):
    """A body that fails the test when it is read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def announce(client: Client, address: str, length: int, **more: Any) -> HttpResponse:
    """Send a request that says how large it is, and whose body nobody reads."""
    facts = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(length), "CONTENT_TYPE": FORM}
    return client.post(address, b"", FORM, **{**facts, **more})


@pytest.fixture
def uploads(settings: Any, tmp_path: Path) -> Path:
    """Watch the folder that uploads are written to."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    return tmp_path


@pytest.mark.parametrize(
    "name", ["imports", "home", "login", "new", "set_language", "password", "admin:index"]
)
def test_a_large_body_of_a_stranger_is_not_read(stranger: Client, db: None, name: str) -> None:
    answer = announce(stranger, reverse(name), 120 * MEGABYTE)
    assert answer.status_code == 413
    assert "Log in first" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "megabytes", "status"),
    [("imports", 30, 413), ("search", 9, 413), ("password", 9, 413), ("new", 14, 413)],
)
def test_what_a_member_may_send_depends_on_the_address(
    browser: Browser, supervisor: User, name: str, megabytes: int, status: int
) -> None:
    answer = announce(browser(supervisor), reverse(name), megabytes * MEGABYTE)
    assert answer.status_code == status
    assert "at most" in answer.content.decode()


def test_a_page_that_does_not_exist_takes_nothing(browser: Browser, supervisor: User) -> None:
    assert announce(browser(supervisor), "/nothing/", MEGABYTE).status_code == 413


def test_a_body_without_its_length_is_refused(browser: Browser, supervisor: User) -> None:
    more = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert announce(browser(supervisor), reverse("imports"), 0, **more).status_code == 411


def test_a_refusal_leaves_the_connection_to_the_server(browser: Browser, supervisor: User) -> None:
    # The server of one desk breaks off with a bare line of text where a page sets such a header.
    answer = announce(browser(supervisor), reverse("password"), 9 * MEGABYTE)
    assert [name for name in answer.headers if is_hop_by_hop(name)] == []


def test_a_script_is_refused_in_words_it_can_read(stranger: Client, db: None) -> None:
    answer = announce(stranger, reverse("home"), 120 * MEGABYTE, HTTP_X_AUTOSAVE="1")
    assert (answer.status_code, bool(answer.json()["faults"])) == (413, True)


def test_files_of_an_ended_session_are_not_stored(
    browser: Browser,
    supervisor: User,
    time_machine: Any,
    uploads: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, seen = browser(supervisor), []
    client.get("/")
    time_machine.shift(3600)
    done = body_limits.DiscardHandler.file_complete

    def look(handler: Any, size: int) -> Any:
        seen.append((size, list(uploads.iterdir())))
        return done(handler, size)

    monkeypatch.setattr(body_limits.DiscardHandler, "file_complete", look)
    workbook = SimpleUploadedFile("big.xlsx", b"x" * MEGABYTE)
    answer = client.post(reverse("imports"), {"file": workbook})
    assert answer.status_code == 302
    assert seen == [(MEGABYTE, [])]
    assert client.session["kept"][0]["files"] == ["big.xlsx"]


def test_a_file_of_a_member_arrives_whole(
    browser: Browser, supervisor: User, uploads: Path
) -> None:
    workbook = SimpleUploadedFile("big.xlsx", b"x" * MEGABYTE)
    page = browser(supervisor).post(reverse("imports"), {"file": workbook})
    assert page.context["form"].files["file"].size == MEGABYTE


def test_a_small_form_of_a_stranger_leads_to_the_log_in(stranger: Client, db: None) -> None:
    assert (
        stranger.post(reverse("imports"), {"file": SimpleUploadedFile("a.xlsx", b"x")}).status_code
        == 302
    )
