"""The samples for nginx and Caddy keep what the program promises.

Sizes, addresses, slow clients.
"""

import re

import pytest
from django.urls import reverse

from tests.drills.lost_updates import ROOT
from tracker.web import body_limits

NGINX = (ROOT / "docs" / "nginx.conf").read_text()
CADDY = (ROOT / "docs" / "Caddyfile").read_text()
UNITS = {"k": 1024, "m": 1024**2}
TASK = {"slug": "rise", "code": "A1-01"}
ADDRESSES = {
    reverse("login"): body_limits.STRANGERS_BYTES,
    reverse("set_language"): body_limits.STRANGERS_BYTES,
    reverse("report", kwargs=TASK): body_limits.UPLOAD_BYTES["report"],
    reverse("step", kwargs={**TASK, "action": "close"}): body_limits.UPLOAD_BYTES["step"],
    reverse("imports"): body_limits.UPLOAD_BYTES["imports"],
    reverse("new"): body_limits.UPLOAD_BYTES["new"],
    reverse("admin:tracker_policydocument_add"): body_limits.UPLOAD_BYTES[
        "admin:tracker_policydocument_add"
    ],
    reverse("queue"): body_limits.FORM_BYTES,
}


def nginx_limit(address: str) -> int:
    """Return how much nginx lets through to an address."""
    found = re.search(r"^    client_max_body_size (\d+)([km]);", NGINX, re.MULTILINE)
    for kind, pattern, block in re.findall(r"location (=|~) (\S+) \{(.*?)\}", NGINX, re.DOTALL):
        if address == pattern if kind == "=" else re.search(pattern, address):
            found = re.search(r"client_max_body_size (\d+)([km]);", block)
    assert found
    return int(found[1]) * UNITS[found[2]]


def caddy_limit(address: str) -> int:
    """Return how much Caddy lets through to an address."""
    sizes = dict(re.findall(r"request_body @(\w+) \{\s*max_size (\w+)\s*\}", CADDY))
    name = "others"
    for matcher, kind, words in re.findall(
        r"^\t@(\w+) (path|path_regexp) (.+)$", CADDY, re.MULTILINE
    ):
        if kind == "path_regexp":
            hit = re.search(words, address) is not None
        else:
            hit = any(
                address == word or (word[-1] == "*" and address.startswith(word[:-1]))
                for word in words.split()
            )
        name = matcher if hit else name
    number, unit = re.fullmatch(r"(\d+)(K|M)iB", sizes[name]).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit.lower()]


def in_steps(size: int) -> int:
    """Round up to what a sample states: kilobytes of small limits, megabytes of others."""
    unit = UNITS["k"] if size < UNITS["m"] else UNITS["m"]
    return -(-size // unit) * unit


@pytest.mark.parametrize("limit", [nginx_limit, caddy_limit])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_proxy_lets_through_what_the_program_takes_and_no_more(limit, address: str) -> None:  # type: ignore[no-untyped-def]
    assert limit(address) == in_steps(ADDRESSES[address])


def test_bodies_are_read_whole_before_gunicorn_hears_of_them() -> None:
    assert "proxy_request_buffering on;" in NGINX
    assert re.search(r"client_body_timeout \d+s;", NGINX)
    assert re.search(r"request_buffers \d+MiB", CADDY)
    assert re.search(r"read_body \d+s", CADDY)


def test_the_client_cannot_write_its_own_address() -> None:
    # The program reads what the proxy says last; a proxy that appends would pass on what the client
    # wrote.
    assert "X-Forwarded-For $remote_addr;" in NGINX
    assert "proxy_add_x_forwarded_for" not in NGINX
    assert "X-Forwarded-For {remote_host}" in CADDY


def test_https_is_told_to_the_program() -> None:
    assert "X-Forwarded-Proto $scheme;" in NGINX
    assert "return 301 https://" in NGINX
    assert "X-Forwarded-Proto {scheme}" in CADDY
