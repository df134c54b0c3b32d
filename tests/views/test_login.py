"""The way in and out, the lock after wrong passwords, and the language of the pages."""

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.factories import make_policy
from tests.views.conftest import Browser
from tracker.models import User

RIGHT, WRONG = "a long password", "not this one"


def enter(client: Client, password: str, **more: str) -> HttpResponse:
    return client.post(reverse("login"), {"username": "leader", "password": password, **more})


@pytest.mark.parametrize("name", ["home", "policy", "tasks", "ledger"])
def test_a_page_sends_a_stranger_to_the_login_and_back(stranger: Client, name: str) -> None:
    address = reverse(name, args=[] if name == "home" else ["rise"])
    assert stranger.get(address).headers["Location"] == f"{reverse('login')}?next={address}"


def test_the_right_password_leads_to_the_policies(stranger: Client, leader: User) -> None:
    assert enter(stranger, RIGHT).headers["Location"] == reverse("home")


def test_after_the_login_the_page_asked_for_is_shown(stranger: Client, leader: User) -> None:
    assert enter(stranger, RIGHT, next="/policies/rise/").headers["Location"] == "/policies/rise/"


def test_the_login_leads_to_no_other_site(stranger: Client, leader: User) -> None:
    assert enter(stranger, RIGHT, next="https://elsewhere.example/").headers["Location"] == reverse(
        "home"
    )


def test_a_wrong_password_says_so_and_links_to_the_field(stranger: Client, leader: User) -> None:
    page = enter(stranger, WRONG).content.decode()
    assert "You are not logged in yet." in page
    assert 'href="#id_username"' in page


def test_after_five_wrong_passwords_the_name_is_locked(stranger: Client, leader: User) -> None:
    answers = [enter(stranger, WRONG).status_code for _attempt in range(5)]
    assert answers == [200, 200, 200, 200, 429]


def test_a_locked_name_is_told_for_how_long(stranger: Client, leader: User) -> None:
    for _attempt in range(5):
        page = enter(stranger, WRONG)
    assert "in 30 minutes" in page.content.decode()


def test_a_locked_name_stays_out_with_the_right_password(stranger: Client, leader: User) -> None:
    for _attempt in range(5):
        enter(stranger, WRONG)
    assert enter(stranger, RIGHT).status_code == 429


def test_who_is_logged_in_does_not_see_the_login(browser: Browser, leader: User) -> None:
    assert browser(leader).get(reverse("login")).headers["Location"] == reverse("home")


def test_logging_out_leads_to_the_login(browser: Browser, leader: User) -> None:
    assert browser(leader).post(reverse("logout")).headers["Location"] == reverse("login")


def test_after_logging_out_the_pages_are_shut(browser: Browser, leader: User) -> None:
    client = browser(leader)
    client.post(reverse("logout"))
    assert client.get(reverse("home")).status_code == 302


def test_a_mere_link_logs_nobody_out(browser: Browser, leader: User) -> None:
    assert browser(leader).get(reverse("logout")).status_code == 405


def test_the_language_is_remembered(browser: Browser, leader: User) -> None:
    make_policy()
    client = browser(leader)
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    assert '<html lang="zh-hans">' in client.get("/").content.decode()


def test_a_stranger_may_choose_the_language_too(stranger: Client, db: None) -> None:
    assert (
        stranger.post(
            reverse("set_language"), {"language": "zh-hans", "next": "/login/"}
        ).status_code
        == 302
    )


def test_the_pages_speak_chinese_until_somebody_chooses(db: None) -> None:
    assert '<html lang="zh-hans">' in Client().get(reverse("login")).content.decode()


def test_a_form_without_its_token_is_called_expired(leader: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    response = enter(client, RIGHT)
    assert response.status_code == 403
    assert "The form has expired" in response.content.decode()
