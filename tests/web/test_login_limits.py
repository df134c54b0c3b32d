"""Wrong passwords: limits by name and address, by address, and a delay by name alone."""

import ipaddress
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.views.conftest import Browser
from tests.views.test_login import RIGHT, WRONG
from tracker.models import User
from tracker.web import login_limits

HERE, THERE = "198.51.100.1", "203.0.113.9"


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the delays instead of waiting."""
    noted: list[float] = []
    monkeypatch.setattr(login_limits.time, "sleep", noted.append)
    return noted


def enter(password: str, name: str = "leader", address: str = HERE, **headers: str) -> HttpResponse:
    client = Client(REMOTE_ADDR=address, headers={"cookie": "django_language=en", **headers})
    return client.post(reverse("login"), {"username": name, "password": password})


def fail(times: int, name: str = "leader", address: str = HERE, **headers: str) -> list[int]:
    return [enter(WRONG, name, address, **headers).status_code for _attempt in range(times)]


def test_five_failures_lock_a_name_at_one_address_alone(leader: User) -> None:
    assert fail(5)[-1] == 429
    assert enter(RIGHT).status_code == 429
    assert enter(RIGHT, address=THERE).status_code == 302


def test_nobody_is_locked_out_for_everybody_behind_the_proxy(leader: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("127.0.0.1")]
    fail(5, address="127.0.0.1", **{"x-forwarded-for": HERE})
    assert enter(RIGHT, address="127.0.0.1", **{"x-forwarded-for": HERE}).status_code == 429
    assert enter(RIGHT, address="127.0.0.1", **{"x-forwarded-for": THERE}).status_code == 302


def test_a_header_that_a_client_sends_opens_no_lock(leader: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("127.0.0.1")]
    for number in range(5):
        fail(1, address="127.0.0.1", **{"x-forwarded-for": f"192.0.2.{number}, {HERE}"})
    assert (
        enter(RIGHT, address="127.0.0.1", **{"x-forwarded-for": f"192.0.2.99, {HERE}"}).status_code
        == 429
    )


def test_one_password_on_thirty_names_is_refused(leader: User) -> None:
    answers = [enter("the same for all", f"name{number}").status_code for number in range(30)]
    assert answers[-1] == 429
    assert answers.index(429) == 12
    assert enter(RIGHT).status_code == 429


def test_a_sprayed_address_says_why(leader: User) -> None:
    for number in range(13):
        page = enter(WRONG, f"name{number}")
    assert "many usernames from this address" in page.content.decode()


def test_who_has_logged_in_from_an_address_is_let_in_though_others_spray_from_it(
    leader: User,
) -> None:
    enter(RIGHT)
    for number in range(20):
        enter(WRONG, f"name{number}")
    assert enter(RIGHT).status_code == 302


def test_a_name_alone_is_slowed_and_never_locked(leader: User, waits: list[float]) -> None:
    for number in range(25):
        fail(1, address=f"192.0.2.{number}")
    assert waits
    assert enter(RIGHT, address=THERE).status_code == 302


def test_a_name_that_does_not_exist_is_slowed_alike(db: None, waits: list[float]) -> None:
    for number in range(22):
        fail(1, "nobody", address=f"192.0.2.{number}")
    assert waits == [1.0, 1.0]


def test_few_failures_slow_nobody(leader: User, waits: list[float]) -> None:
    fail(4)
    enter(RIGHT)
    assert waits == []


def test_a_lock_ends_by_time_though_somebody_goes_on_trying(
    leader: User, time_machine: Any
) -> None:
    fail(5)
    for _round in range(3):
        time_machine.shift(11 * 60)
        fail(1)
    assert enter(RIGHT).status_code == 302


def test_the_command_ends_a_lock(leader: User, capsys: Any) -> None:
    fail(5)
    call_command("axes_reset")
    assert enter(RIGHT).status_code == 302


def test_what_is_refused_leaves_no_rows(leader: User) -> None:
    fail(5)
    before = list(AccessAttempt.objects.values_list("failures_since_start", "post_data"))
    for number in range(5):
        fail(1, **{"user-agent": f"browser {number}"})
    assert list(AccessAttempt.objects.values_list("failures_since_start", "post_data")) == before


def test_the_rows_of_an_address_are_bounded(db: None) -> None:
    for number in range(60):
        fail(1, f"name{number}")
    assert AccessAttempt.objects.count() == 12


def change(client: Client, old: str) -> HttpResponse:
    words = {
        "old_password": old,
        "new_password1": "quite another one",
        "new_password2": "quite another one",
    }
    return client.post(reverse("password"), words)


def test_wrong_old_passwords_are_refused_after_five(browser: Browser, leader: User) -> None:
    client = browser(leader)
    assert [change(client, WRONG).status_code for _attempt in range(25)] == [200] * 4 + [429] * 21
    assert change(client, RIGHT).status_code == 429


def test_a_right_old_password_forgets_the_wrong_ones(browser: Browser, leader: User) -> None:
    client = browser(leader)
    for _attempt in range(4):
        change(client, WRONG)
    assert change(client, RIGHT).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_new_password_that_will_not_do_is_no_failure(browser: Browser, leader: User) -> None:
    client = browser(leader)
    for _attempt in range(9):
        client.post(
            reverse("password"), {"old_password": RIGHT, "new_password1": "x", "new_password2": "y"}
        )
    assert not AccessAttempt.objects.exists()


def test_no_password_stands_in_a_row(leader: User) -> None:
    fail(1)
    assert WRONG not in str(AccessAttempt.objects.values().get())
