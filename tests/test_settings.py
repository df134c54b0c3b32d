"""Settings: what is misspelt is refused at the start, and production asks for what it needs."""

import os
import re
import runpy
import secrets
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tracker.settings import env_bool, env_int, env_list

Start = Callable[..., dict[str, Any]]
ROOT = Path(__file__).resolve().parent.parent
KEY = secrets.token_urlsafe(64)
RIGHT = {
    "PRODUCTION": "1",
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "tracker.example,www.tracker.example",
}
SETTINGS = ROOT / "tracker" / "settings.py"
OURS = {
    "DATABASE_URL",
    *re.findall(r'(?:env_[a-z]+|environ\.get)\("([A-Z_]+)"', SETTINGS.read_text(encoding="utf-8")),
}


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Return a function that reads the settings anew with some variables and no others of ours."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))

    def read(**variables: str) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            return runpy.run_path(str(SETTINGS))

    return read


@pytest.mark.parametrize("text", ["1", "true", "True", "YES", " on "])
def test_a_switch_is_on(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SWITCH", text)
    assert env_bool("SWITCH", False) is True


@pytest.mark.parametrize("text", ["0", "false", "False", "NO", " off "])
def test_a_switch_is_off(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SWITCH", text)
    assert env_bool("SWITCH", True) is False


@pytest.mark.parametrize("text", ["2", "ja", "tru", "-1", "1.0"])
def test_a_switch_that_is_neither_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SWITCH", text)
    with pytest.raises(ImproperlyConfigured, match=f"SWITCH='{text}'"):
        env_bool("SWITCH", False)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_switch_that_is_not_set_stands_as_it_is_by_default(
    monkeypatch: pytest.MonkeyPatch, text: str | None, default: bool
) -> None:
    monkeypatch.delenv("SWITCH", raising=False)
    if text is not None:
        monkeypatch.setenv("SWITCH", text)
    assert env_bool("SWITCH", default) is default


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("60", 60), (" 3600 ", 3600), ("", 5)])
def test_a_whole_number_is_read(monkeypatch: pytest.MonkeyPatch, text: str, number: int) -> None:
    monkeypatch.setenv("NUMBER", text)
    assert env_int("NUMBER", 5, 0, 3600) == number


@pytest.mark.parametrize("text", ["ten", "-1", "3601", "1.5", "1e3", "0x10", "1_000", "６０", "²"])
def test_what_is_no_whole_number_within_bounds_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("NUMBER", text)
    with pytest.raises(ImproperlyConfigured, match=r"NUMBER=.*from 0 to 3600"):
        env_int("NUMBER", 5, 0, 3600)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (" a , b ,", ["a", "b"]),
        ("", ["default"]),
        (" , ", ["default"]),
    ],
)
def test_names_are_read_between_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, names: list[str]
) -> None:
    monkeypatch.setenv("NAMES", text)
    assert env_list("NAMES", ["default"]) == names


def test_without_any_variable_it_serves_this_machine_alone(start: Start, tmp_path: Path) -> None:
    found = start()
    assert found["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]
    assert (found["DEBUG"], found["PRODUCTION"], found["SECURE_SSL_REDIRECT"]) == (
        False,
        False,
        False,
    )
    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / "db.sqlite3")


def test_sqlite_queues_writers(start: Start) -> None:
    options = start()["DATABASES"]["default"]["OPTIONS"]
    assert (options["transaction_mode"], options["timeout"]) == ("IMMEDIATE", 60)
    assert "journal_mode=WAL" in options["init_command"]
    assert "synchronous=FULL" in options["init_command"]


def test_no_request_is_one_transaction(start: Start) -> None:
    assert not start()["DATABASES"]["default"].get("ATOMIC_REQUESTS")


def test_the_key_of_this_machine_is_made_once(start: Start) -> None:
    first = start()["SECRET_KEY"]
    assert len(first) >= 50
    assert start()["SECRET_KEY"] == first


def test_the_key_of_this_machine_is_its_owners_alone(start: Start, tmp_path: Path) -> None:
    start()
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_key_that_is_given_is_taken(start: Start, tmp_path: Path) -> None:
    assert start(SECRET_KEY="mine")["SECRET_KEY"] == "mine"
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize("hosts", ["tracker.example", "*", "localhost,tracker.example"])
def test_beyond_this_machine_only_production_serves(start: Start, hosts: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="needs PRODUCTION=1"):
        start(ALLOWED_HOSTS=hosts)


@pytest.mark.parametrize("name", ["PRODUCTION", "DEBUG", "BEHIND_PROXY", "SEPARATE_ROLES"])
def test_a_misspelt_switch_stops_the_start(start: Start, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{name}='maybe'"):
        start(**{name: "maybe"})


def test_a_misspelt_number_stops_the_start(start: Start) -> None:
    with pytest.raises(ImproperlyConfigured, match="CONN_MAX_AGE='forever'"):
        start(DATABASE_URL="postgres://127.0.0.1/x", CONN_MAX_AGE="forever")


def test_postgresql_is_taken_from_its_address(start: Start) -> None:
    database = start(DATABASE_URL="postgres://me:pw@db.example:5433/office")["DATABASES"]["default"]
    assert [database[name] for name in ("ENGINE", "HOST", "PORT", "NAME", "USER")] == [
        "django.db.backends.postgresql",
        "db.example",
        5433,
        "office",
        "me",
    ]


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_address_of_a_database_is_none(start: Start, tmp_path: Path, text: str) -> None:
    assert start(DATABASE_URL=text)["DATABASES"]["default"]["NAME"] == str(tmp_path / "db.sqlite3")


def test_another_database_is_refused(start: Start) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"SQLite .* and PostgreSQL .* are supported"):
        start(DATABASE_URL="mysql://me@db.example/x")


def test_production_starts_with_a_key_and_host_names(start: Start, tmp_path: Path) -> None:
    found = start(**RIGHT)
    assert found["ALLOWED_HOSTS"] == ["tracker.example", "www.tracker.example"]
    assert found["SECRET_KEY"] == KEY
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize(
    "name",
    [
        "SECURE_SSL_REDIRECT",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
        "SESSION_COOKIE_HTTPONLY",
    ],
)
def test_production_goes_by_https(start: Start, name: str) -> None:
    assert start(**RIGHT)[name]


def test_production_serves_files_by_their_content(start: Start) -> None:
    assert "Manifest" in start(**RIGHT)["STORAGES"]["staticfiles"]["BACKEND"]


@pytest.mark.parametrize("origin", ["default-src", "frame-ancestors", "base-uri"])
def test_a_page_may_load_nothing_from_elsewhere(start: Start, origin: str) -> None:
    assert start(**RIGHT)["CONTENT_SECURITY_POLICY"]["DIRECTIVES"][origin] == ["'none'"]


def test_no_directive_allows_inline_scripts_or_strangers(start: Start) -> None:
    directives = start(**RIGHT)["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert {source for sources in directives.values() for source in sources} == {"'self'", "'none'"}


def test_a_proxy_is_believed_only_when_there_is_one(start: Start) -> None:
    assert "SECURE_PROXY_SSL_HEADER" not in start(**RIGHT)
    assert start(**RIGHT, BEHIND_PROXY="1")["SECURE_PROXY_SSL_HEADER"] == (
        "HTTP_X_FORWARDED_PROTO",
        "https",
    )


@pytest.mark.parametrize(
    "key",
    [None, "", "short", "x" * 64, KEY[:49]],
    ids=["none", "empty", "short", "monotonous", "49"],
)
def test_production_refuses_a_key_that_can_be_guessed(start: Start, key: str | None) -> None:
    variables = {**RIGHT, "SECRET_KEY": key}
    if key is None:
        del variables["SECRET_KEY"]
    with pytest.raises(ImproperlyConfigured, match="needs SECRET_KEY"):
        start(**variables)


def test_production_does_not_make_a_key_of_its_own(start: Start) -> None:
    start()
    with pytest.raises(ImproperlyConfigured, match="needs SECRET_KEY"):
        start(**{**RIGHT, "SECRET_KEY": ""})


def test_production_refuses_debug(start: Start) -> None:
    with pytest.raises(ImproperlyConfigured, match="does not go with DEBUG=1"):
        start(**RIGHT, DEBUG="1")


@pytest.mark.parametrize("hosts", [None, "", " , ", "*", "tracker.example,*", "*.example"])
def test_production_refuses_to_answer_to_any_name(start: Start, hosts: str | None) -> None:
    variables = {**RIGHT, "ALLOWED_HOSTS": hosts}
    if hosts is None:
        del variables["ALLOWED_HOSTS"]
    with pytest.raises(ImproperlyConfigured, match="needs ALLOWED_HOSTS"):
        start(**variables)


def test_no_key_is_repeated_in_a_refusal(start: Start) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        start(**{**RIGHT, "SECRET_KEY": "guessable"})
    assert "guessable" not in str(caught.value)


def test_mail_is_off_until_a_server_is_named(start: Start) -> None:
    assert start()["EMAIL_BACKEND"].endswith(".dummy.EmailBackend")


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "ssl"),
    [
        ("smtp://mail.example", "mail.example", 25, False, False),
        ("smtp+tls://me%40example:p%2Fw@mail.example", "mail.example", 587, True, False),
        ("smtps://me:pw@mail.example:4650", "mail.example", 4650, False, True),
    ],
)
def test_a_mail_server_is_taken_from_its_address(
    start: Start, url: str, host: str, port: int, tls: bool, ssl: bool
) -> None:
    found = start(EMAIL_URL=url, EMAIL_FROM="office@example")
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    assert [found[name] for name in names] == [host, port, tls, ssl]
    assert found["EMAIL_BACKEND"].endswith(".smtp.EmailBackend")


def test_name_and_password_of_the_mail_server_may_hold_any_sign(start: Start) -> None:
    found = start(EMAIL_URL="smtps://me%40example:p%2Fw@mail.example", EMAIL_FROM="office@example")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("me@example", "p/w")


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://mail.example:port", "smtp://a:b:c"]
)
def test_a_mail_server_that_cannot_be_read_stops_the_start(start: Start, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as caught:
        start(EMAIL_URL=url, EMAIL_FROM="office@example")
    assert url not in str(caught.value)


def test_mail_needs_a_sender(start: Start) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_FROM"):
        start(EMAIL_URL="smtp://mail.example")


COOKIES = [
    "SESSION_COOKIE",
    "CSRF_COOKIE",
    "LANGUAGE_COOKIE",
    "LARGE_TYPE_COOKIE",
    "ACCOUNTS_COOKIE",
]


@pytest.mark.parametrize("cookie", COOKIES)
def test_a_cookie_is_bound_to_its_host_where_https_is_on(start: Start, cookie: str) -> None:
    assert start(**RIGHT)[f"{cookie}_NAME"].startswith("__Host-")
    assert not start()[f"{cookie}_NAME"].startswith("__")


@pytest.mark.parametrize("cookie", COOKIES[:3])
def test_a_cookie_bound_to_its_host_is_secure_and_names_no_domain(
    start: Start, cookie: str
) -> None:
    found = start(**RIGHT)
    assert found[f"{cookie}_SECURE"] is True
    assert not found.get(f"{cookie}_DOMAIN")
    assert found.get(f"{cookie}_PATH", "/") == "/"


def test_messages_need_no_cookie(start: Start) -> None:
    assert start()["MESSAGE_STORAGE"].endswith("SessionStorage")


def test_preloading_is_asked_for_by_its_setting_alone(start: Start) -> None:
    assert start(**RIGHT)["SECURE_HSTS_PRELOAD"] is False
    assert start(**RIGHT)["SILENCED_SYSTEM_CHECKS"] == ["security.W021"]
    assert start(**RIGHT, HSTS_PRELOAD="1")["SECURE_HSTS_PRELOAD"] is True
    assert start(**RIGHT, HSTS_PRELOAD="1")["SILENCED_SYSTEM_CHECKS"] == []


def test_former_keys_stay_valid(start: Start) -> None:
    older, oldest = secrets.token_urlsafe(64), secrets.token_urlsafe(64)
    assert start(**RIGHT, SECRET_KEY_FALLBACKS=f"{older},{oldest}")["SECRET_KEY_FALLBACKS"] == [
        older,
        oldest,
    ]
    assert start(**RIGHT)["SECRET_KEY_FALLBACKS"] == []


def test_a_former_key_that_can_be_guessed_is_refused(start: Start) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FALLBACKS") as caught:
        start(**RIGHT, SECRET_KEY_FALLBACKS="guessable")
    assert "guessable" not in str(caught.value)


def test_the_documented_proxy_is_trusted_and_no_other(start: Start) -> None:
    assert start(**RIGHT)["TRUSTED_PROXIES"] == []
    behind = start(**RIGHT, BEHIND_PROXY="1")
    assert [str(network) for network in behind["TRUSTED_PROXIES"]] == ["127.0.0.1/32", "::1/128"]
    assert behind["TRUSTED_UNIX_SOCKET"] is True


def test_proxies_are_named_by_address_or_network(start: Start) -> None:
    found = start(**RIGHT, BEHIND_PROXY="1", TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.1")
    assert [str(network) for network in found["TRUSTED_PROXIES"]] == ["10.0.0.0/8", "192.0.2.1/32"]
    assert found["TRUSTED_UNIX_SOCKET"] is False


@pytest.mark.parametrize("text", ["everybody", "10.0.0.1/8", "1.2.3", "*"])
def test_a_proxy_that_cannot_be_read_stops_the_start(start: Start, text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        start(TRUSTED_PROXIES=text)


def test_the_deployment_check_is_clean(tmp_path: Path) -> None:
    variables = {**os.environ, **RIGHT, "DATA_DIR": str(tmp_path), "BEHIND_PROXY": "1"}
    # Set while browser tests run.
    variables.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("name", ["operations.md", "operations.zh-CN.md"])
def test_the_documents_list_every_setting(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert {name for name in OURS if f"`{name}" not in text} <= {"CONN_MAX_AGE"}
