"""From which address a request comes, behind proxies too."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPV6_PREFIX = 64  # bits; one customer holds at least that much


def client_address(request: HttpRequest) -> Address | None:
    """Return the address of the client; None where there is none, such as behind a Unix socket.

    `X-Forwarded-For` is read from the right, and only as far as `TRUSTED_PROXIES` has written it:
    what stands further left may have been sent by the client.
    """
    remote = request.META.get("REMOTE_ADDR", "")
    address = parse_address(remote)
    if address:
        is_trusted = _is_proxy(address)
    else:
        is_trusted = not remote and settings.TRUSTED_UNIX_SOCKET
    if not is_trusted:
        return address
    for word in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        found = parse_address(word)
        if found is None:
            break
        address = found
        if not _is_proxy(found):
            break
    return address


def limited_address(request: HttpRequest) -> str | None:
    """Return the address that log-in limits count by: all of an IPv6 network count as one."""
    address = client_address(request)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)
    if address:
        return str(address)
    return None


def parse_address(word: str) -> Address | None:
    """Read an address, with or without a port; None where it is none."""
    word = word.strip()
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        address = ipaddress.ip_address(word.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
    else:
        mapped = None
    return mapped or address


def _is_proxy(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
