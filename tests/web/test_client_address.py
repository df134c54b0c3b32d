"""The client's address: as far as trusted proxies have written it, and no further."""

import ipaddress
from typing import Any

import pytest
from django.test import RequestFactory

from tracker.web.client_address import client_address, limited_address


@pytest.fixture(autouse=True)
def proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [
        ipaddress.ip_network(word) for word in ("127.0.0.1", "::1", "10.0.0.0/8")
    ]
    settings.TRUSTED_UNIX_SOCKET = False


def ask(remote: str, forwarded: str | None = None) -> Any:
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=remote, **more)


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "192.0.2.66, nonsense", "127.0.0.1"),
        ("127.0.0.1", "nonsense, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("::1", "2001:db8::5", "2001:db8::5"),
        ("127.0.0.1", "[2001:db8::5]:443", "2001:db8::5"),
        ("127.0.0.1", "198.51.100.1:5555", "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_address_is_read_from_trusted_proxies_alone(
    remote: str, forwarded: str | None, address: str
) -> None:
    assert str(client_address(ask(remote, forwarded))) == address


@pytest.mark.parametrize(
    "name", ["HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CLIENT_IP", "HTTP_X_FORWARDED"]
)
def test_no_other_header_counts(name: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", **{name: "198.51.100.1"})
    assert str(client_address(request)) == "127.0.0.1"


@pytest.mark.parametrize(("trusted", "address"), [(True, "198.51.100.1"), (False, None)])
def test_behind_a_unix_socket_the_header_counts_where_that_is_set(
    settings: Any, trusted: bool, address: str | None
) -> None:
    settings.TRUSTED_UNIX_SOCKET = trusted
    assert limited_address(ask("", "198.51.100.1")) == address


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    assert limited_address(ask("2001:db8:1:2:aaaa::1")) == limited_address(
        ask("2001:db8:1:2:bbbb::2")
    )
    assert limited_address(ask("2001:db8:1:2::1")) != limited_address(ask("2001:db8:1:3::1"))
