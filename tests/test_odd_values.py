"""Odd values in every parameter of every address: an answer or a refusal, never a fault of ours.

Addresses come from the URLconf. Parameters come from the code that reads them, from the forms and
links of the pages, and from what the admin declares. A run sends ODD_VALUES of them, the next in
turn, to about ODD_PLACES places of each sort; ODD_VALUES=0 ODD_PLACES=0 sends every value to every
parameter.
"""

import logging
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urljoin, urlsplit

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import get_resolver, resolve, reverse

from tests import test_access
from tests.sizes import size
from tracker.models import User
from tracker.reports import filters, search, task_table
from tracker.web import request_context

cast = test_access.cast

VALUE, NAME = "~odd~", "~name~"
SHOWN = 30  # faults printed
# As they stand in an address: bytes that are no text are percent-encoded.
VALUES = [
    "%C2%B2", "%D9%A3", "%EF%BC%91%EF%BC%92", "%E2%85%A2", str(2**31), str(2**63), "9" * 30, "9" * 5000, "-1",
    "-" + "9" * 30, "1e9", "1e400", "NaN", "Infinity", "0x10", "1_000", "%2B1", "1.5", "%00", "1%00", "%ED%A0%80",
    "%FF", "%E4%B8", "x" * 10_000, "", "%20", "0000-00-00", "99999-12-31", "9999-12-31", "0001-01-01", "2026-02-30",
    "01%3A2", "1%3A2%3A3", "%3A", "%27%22", "%5B%5D%28%29%7B%7D", "%2F%2F%5B", "http%3A%2F%2F%5B", "__proto__", "%25",
    "_", "%5C", "a+" * 3000, "1%2C2%2C%C2%B2", "1%2C" * 3000, "None", "true", "%0A%0D", "%E2%80%AE", "-", "..",
    "%3Cb%3E", "%28%28%28", f"1&{NAME}=2",
]  # fmt: skip
PLACES = size("ODD_PLACES")  # of each sort, evenly chosen
VALUES_EACH = size("ODD_VALUES") or len(VALUES)  # sent to a parameter
NAMES = [
    "__proto__",
    "%00",
    "%FF",
    "%C2%B2",
    "policy__id__exact%5B%5D",
    "id__in",
    "x" * 300,
    "pk",
    "items-0-id",
]
# Parameters are what code reads by these calls.
READ = re.compile(
    r"""(?:GET|POST|data|params)\.(?:get|getlist|pop)\(\s*f?"([^"]+)\""""
    r"""|"([\w-]+)"\ (?:not\ )?in\ (?:\w+\.)*(?:GET|POST)|(?:GET|POST)\["([^"]+)\""""
    r"""|\.(?:pop|day|choice)\(\s*"([^"]+)\"""",
    re.VERBOSE,
)
SHARED = (
    filters,
    search,
    task_table,
    request_context,
)  # modules that read the query string of many pages
LOOKUPS = ("", "__in", "__year", "__regex")
HEADERS = (
    "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_AUTOSAVE",
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "HTTP_COOKIE", "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "CONTENT_TYPE",
)  # fmt: skip
COOKIES = (
    "sessionid",
    "csrftoken",
    "messages",
    settings.LANGUAGE_COOKIE_NAME,
    settings.LARGE_TYPE_COOKIE_NAME,
)
# Pages whose every header and cookie is tried: read, written, open to all.
HEADED = (
    ("GET", "home"),
    ("POST", "login"),
    ("POST", "set_language"),
    ("POST", "logout"),
    ("GET", "admin:index"),
)


class Place(NamedTuple):
    """A request with a place for an odd value: VALUE in its address, its body or a header."""

    method: str
    address: str
    parameter: str
    body: str = ""
    header: str = ""


class Fields(HTMLParser):
    """What a page can send: its forms with their values, and the parameters of its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.names: set[str] = set()
        self._select = ""
        self._form: dict[str, Any] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.names |= {
                name for name, _value in parse_qsl(urlsplit(facts.get("href", "")).query)
            }
        elif tag == "form":
            posts = facts.get("method", "").lower() == "post"
            self._form = {
                "posts": posts,
                "action": facts.get("action", ""),
                "fields": {},
                "buttons": [],
            }
            self.forms.append(self._form)
        elif tag == "option" and self._form and self._select == "action" and facts.get("value"):
            self._form["buttons"].append(("action", facts["value"]))  # of a list of the admin
        elif tag == "option" and self._form and self._select and "selected" in facts:
            self._form["fields"][self._select] = facts.get("value", "")
        elif tag in ("input", "button", "select", "textarea") and self._form and facts.get("name"):
            self._take(tag, facts)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = {}
        elif tag == "select":
            self._select = ""

    def _take(self, tag: str, facts: dict[str, str]) -> None:
        name, kind = facts["name"], facts.get("type", "submit" if tag == "button" else "")
        if kind == "submit":
            self._form["buttons"].append((name, facts.get("value", "")))
            return
        unticked = (
            kind in ("checkbox", "radio") and "checked" not in facts and name != "_selected_action"
        )
        self._form["fields"].setdefault(
            name, None if unticked or kind == "file" else facts.get("value", "")
        )
        self._select = name if tag == "select" else ""


def read_by(*modules: Any) -> set[str]:
    """Return the parameters that the code of some modules reads; a part that varies is 1."""
    found = [
        names
        for module in modules
        for names in READ.findall(Path(str(module.__file__)).read_text())
    ]
    return {re.sub(r"\{[^}]*\}", "1", name) for names in found for name in names if name}


class Sender:
    """The browser of an account that may open every page.

    Whatever a request writes is taken back.
    """

    def __init__(self, account: User) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        self.cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}
        self.addresses: set[str] = set()
        self.places: set[tuple[str, str, str]] = set()
        self.values: set[str] = set()
        self.sent = 0

    def send(self, place: Place, value: str = "") -> Any:
        """Send a request and return its answer, read to the end."""
        self.client.cookies = SimpleCookie(self.cookies)
        value = value.replace(NAME, quote(place.parameter))
        extra = {}
        if place.header:
            extra[place.header] = place.body.replace(
                VALUE, unquote_to_bytes(value).decode("latin-1")
            )
        body = "" if place.header else place.body.replace(VALUE, value)
        kind = extra.pop("CONTENT_TYPE", "application/x-www-form-urlencoded")
        with transaction.atomic():
            address = place.address.replace(VALUE, value)
            answer = self.client.generic(place.method, address, body, kind, **extra)  # type: ignore[arg-type]
            answer.getvalue()
            transaction.set_rollback(True)
        self.sent += 1
        return answer

    def fault_of(self, place: Place, value: str) -> str:
        """Say what is wrong with the answer to an odd value; blank where nothing is."""
        self.addresses.add(place.address.partition("?")[0])
        self.places.add((place.method, place.address.partition("?")[0], place.parameter))
        self.values.add(value)
        answer = self.send(place, value)
        if answer.status_code < 500:
            return ""
        why = getattr(answer, "exc_info", None)
        return f"{place.method} {place.address[:90]} {place.parameter}={value[:20]}: {why and why[1]!r:.150}"

    def look(self, place: Place) -> Fields:
        """Send a request as a page of ours would, and return what the answer can send."""
        answer = self.send(place)
        html = answer.status_code == 200 and "html" in answer.headers.get("Content-Type", "")
        return Fields(answer.content.decode() if html else "")


def addresses(objects: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, address and arguments of everything in the URLconf."""
    for name, (arguments, _expected) in test_access.TABLE.items():
        filled = {key: objects.get(value, value) for key, value in arguments.items()}
        yield name, reverse(name, kwargs=filled), filled


def in_paths(objects: dict[str, Any]) -> Iterator[Place]:
    """Yield each part of each address that is an argument, the other parts as they are."""
    known = {name: filled for name, _address, filled in addresses(objects)}
    for name, route in test_access.walk(get_resolver().url_patterns):
        parts = re.findall(r"<(?:\w+:)?(\w+)>", route)
        for odd in parts:
            filled = {**dict.fromkeys(parts, "1"), **known.get(name, {}), odd: VALUE}
            place = re.sub(
                r"<(?:\w+:)?(\w+)>", lambda found, filled=filled: str(filled[found[1]]), route
            )
            yield Place("GET", "/" + re.sub(r"\(\?P(~odd~).*|\\Z|\$$", r"\1", place), f"<{odd}>")


def asked_of_admin(name: str, account: User) -> set[str]:
    """Return what a page of the admin reads from its address: filters, lookups, initial values."""
    found = {*IGNORED_PARAMS, "_changelist_filters", "_popup", "_to_field", "next"}
    if name == "admin:autocomplete":
        return found | {"term", "app_label", "model_name", "field_name", "page"}
    model = next(
        (each for each in admin.site._registry if f"_{each._meta.model_name}_" in name), None
    )
    if model is None or not name.endswith(("changelist", "_add")):
        return found
    fields = [field.name for field in model._meta.get_fields() if getattr(field, "column", True)]
    if name.endswith("_add"):
        return found | set(fields)
    request = RequestFactory().get("/")
    request.user = account
    page = admin.site._registry[model].get_changelist_instance(request)
    for each in page.list_filter:
        found.add(
            getattr(each, "parameter_name", None)
            or (each if isinstance(each, str) else str(each[0]))
        )
    found |= {
        parameter
        for spec in page.filter_specs
        for parameter in spec.expected_parameters()
        if parameter
    }
    return (
        found
        | {PAGE_VAR, SEARCH_VAR}
        | {f"{field}{lookup}" for field in fields for lookup in LOOKUPS}
    )


def in_queries(sender: Sender, account: User, objects: dict[str, Any]) -> Iterator[Place]:
    """Yield each parameter of the query string of each address."""
    for name, address, _arguments in addresses(objects):
        page, module = (
            sender.look(Place("GET", address, "")),
            sys.modules[resolve(address).func.__module__],
        )
        names = page.names | {
            field for form in page.forms if not form["posts"] for field in form["fields"]
        }
        if name.startswith("admin:"):
            names |= asked_of_admin(name, account)
        else:
            text = Path(str(module.__file__)).read_text()
            names |= (
                read_by(module, *SHARED)
                if "edge.read(" in text or "Asked(" in text
                else read_by(module)
            )
            names |= {*filters.TaskFilter.base_filters} if "TaskFilter" in text else set()
        for each in sorted(names):
            yield Place("GET", f"{address}?{quote(each)}={VALUE}", each)
        for each in NAMES:
            yield Place("GET", f"{address}?{each}={VALUE}", each)


def in_forms(sender: Sender, objects: dict[str, Any]) -> Iterator[Place]:
    """Yield each field of each form that a page shows, for each of its buttons.

    Also of the page that comes next.
    """
    seen: set[tuple[str, ...]] = set()
    for name, address, _arguments in addresses(objects):
        read = (
            set()
            if name.startswith("admin:")
            else read_by(sys.modules[resolve(address).func.__module__], request_context)
        )
        for field in sorted(read):
            yield Place("POST", address, field, f"{quote(field)}={VALUE}")
        waiting = [(address, form) for form in sender.look(Place("GET", address, "")).forms]
        while waiting:
            here, form = waiting.pop()
            to = urljoin(here, form["action"])
            which = (
                to,
                *sorted(form["fields"]),
                *(f"{name}={value}" for name, value in form["buttons"]),
            )
            if not form["posts"] or which in seen or urlsplit(to).netloc:
                continue
            seen.add(which)
            # The admin's buttons differ in what is shown next.
            one = "/admin/" in to and "action" not in form["fields"]
            for button in form["buttons"][:1] if one else [*form["buttons"], None]:
                yield from _fields(to, form["fields"], button)
                if here == address:  # one page on: a summary, a proposal
                    body = _body(form["fields"], button)
                    waiting += [
                        (to + " ", each) for each in sender.look(Place("POST", to, "", body)).forms
                    ]


def _body(fields: dict[str, Any], button: tuple[str, str] | None, odd: str = "") -> str:
    sent = {name: value for name, value in fields.items() if value is not None and name != odd}
    if button and button[0] != odd:
        sent[button[0]] = button[1]
    return urlencode(sent) + (f"&{quote(odd)}={VALUE}" if odd else "")


def _fields(to: str, fields: dict[str, Any], button: tuple[str, str] | None) -> Iterator[Place]:
    """Yield each field of a form with all others as shown; of many rows the first."""
    for name in fields:
        number = re.search(r"\d+", name)
        if (
            not number
            or int(number[0]) < 1
            or not name.startswith(("items", "indicators", "values"))
        ):
            yield Place("POST", to.strip(), name, _body(fields, button, name))
    if button:
        yield Place("POST", to.strip(), button[0], _body(fields, button, button[0]))


def in_headers(objects: dict[str, Any]) -> Iterator[Place]:
    """Yield each header and cookie of some pages.

    A cookie also with the escapes that a browser may send.
    """
    known = {name: address for name, address, _arguments in addresses(objects)}
    for method, name in HEADED:
        for header in HEADERS:
            yield Place(method, known[name], header, VALUE, header)
        for cookie in COOKIES:
            yield Place(method, known[name], f"cookie {cookie}", f"{cookie}={VALUE}", "HTTP_COOKIE")
            yield Place(
                method,
                known[name],
                f"cookie {cookie}",
                f'{cookie}="\\000\\377{VALUE}"',
                "HTTP_COOKIE",
            )


def chosen(places: Iterator[Place]) -> Iterator[tuple[Place, str]]:
    """Pair each place with the next values in turn.

    19 and the number of values have no common factor.
    """
    found = list(places)
    step = max(1, len(found) // (PLACES or len(found)))
    for at, place in enumerate(found[::step]):
        for turn in range(VALUES_EACH):
            yield place, VALUES[(at + 19 * turn) % len(VALUES)]


@pytest.fixture
def sender(cast: dict[str, Any]) -> Sender:
    """Log the superuser in, who here is also the lead unit's liaison."""
    account, unit = cast["superuser"], cast["lead_liaison"].organization
    User.objects.filter(pk=account.pk).update(is_liaison=True, organization=unit)
    account.refresh_from_db()
    return Sender(account)


@pytest.mark.parametrize("where", ["paths", "queries", "forms", "headers"])
def test_an_odd_value_is_answered_or_refused(
    cast: dict[str, Any], sender: Sender, where: str, capsys: pytest.CaptureFixture
) -> None:
    objects = cast["objects"]
    places = {
        "paths": lambda: in_paths(objects),
        "queries": lambda: in_queries(sender, cast["superuser"], objects),
        "forms": lambda: in_forms(sender, objects),
        "headers": lambda: in_headers(objects),
    }[where]()
    logging.disable(logging.CRITICAL)  # thousands of refusals
    try:
        faults = [
            fault for place, value in chosen(places) if (fault := sender.fault_of(place, value))
        ]
    finally:
        logging.disable(logging.NOTSET)
    with capsys.disabled():
        print(
            f"\n  {where}: {len(sender.addresses)} addresses, {len(sender.places)} parameters, "
            f"{len(sender.values)} "
            f"values, {sender.sent} requests, {len(faults)} answers of 500"
        )
    assert not faults, "\n".join(faults[:SHOWN])
