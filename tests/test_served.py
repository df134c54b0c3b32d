"""What only a real server shows: gunicorn as it is shipped, on a port of its own."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.kill import served
from tests.drills.load import SERVER
from tests.drills.lost_updates import ROOT, database

pytestmark = pytest.mark.database

MEGABYTE = 1024 * 1024
HERE, THERE = "198.51.100.1", "203.0.113.9"
PASSWORD = "a long password"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    """Serve a system with one account, behind a proxy on this machine."""
    with database(os.environ.get("DATABASE_URL", "")) as url:
        own = {
            "DATABASE_URL": url, "DATA_DIR": str(folder), "BEHIND_PROXY": "1", "PYTHONWARNINGS": "ignore",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }  # fmt: skip
        environment = {**os.environ, **own, "PRODUCTION": "", "DEBUG": ""}
        for words in (
            ["migrate", "-v0"],
            ["createsuperuser", "--noinput", "--username=root", "--email="],
        ):
            subprocess.run(
                [sys.executable, "manage.py", *words], env=environment, cwd=ROOT, check=True
            )
        with served(environment, *SERVER) as port:
            yield port


def ask(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, str]:
    """Send one request and read the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(method, path)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def log_in(port: int, address: str, password: str) -> int:
    """Fill in the page of the log-in as a browser at an address behind the proxy does.

    Return the status.
    """
    page, text = ask(port, "GET", "/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
    assert token
    cookie = str(page.headers["Set-Cookie"]).partition(";")[0]
    headers = {"Cookie": cookie, "X-Forwarded-For": address, "Content-Type": FORM}
    body = f"csrfmiddlewaretoken={token[1]}&username=root&password={password.replace(' ', '+')}"
    return ask(port, "POST", "/login/", body.encode(), headers)[0].status


def test_a_large_upload_of_a_stranger_is_refused_before_it_is_sent(port: int, folder: Path) -> None:
    before = {path for path in folder.rglob("*") if path.is_file()}
    announced = {
        "Content-Length": str(120 * MEGABYTE),
        "Content-Type": "multipart/form-data; boundary=x",
    }
    # Answered although all but the first bytes of the body are missing: nobody has waited for them.
    answer, _text = ask(
        port, "POST", "/imports/", b'--x\r\nContent-Disposition: form-data; name="file"', announced
    )
    assert (answer.status, answer.headers["Connection"]) == (413, "close")
    assert {path for path in folder.rglob("*") if path.is_file()} - before == set()


def test_wrong_passwords_behind_the_proxy_lock_their_own_address_alone(port: int) -> None:
    assert [log_in(port, HERE, "wrong") for _attempt in range(5)][-1] == 429
    assert log_in(port, HERE, PASSWORD) == 429
    assert log_in(port, THERE, PASSWORD) == 302
