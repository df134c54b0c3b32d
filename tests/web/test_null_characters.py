"""A null character in address, cookie or header is an answer and no fault, on PostgreSQL too."""

import pytest
from django.test import Client

from tests.factories import make_task
from tracker.models import PolicyDocument, User


@pytest.mark.parametrize(
    "address", ["/policies/rise/tasks/%00/", "/policies/rise/measures/A1%00/", "/admin/r/%00/1/"]
)
def test_an_address_with_a_null_character_is_not_found(
    client: Client, policy: PolicyDocument, supervisor: User, address: str
) -> None:
    make_task(policy)
    client.force_login(supervisor)
    assert client.get(address).status_code == 404


def test_a_session_cookie_with_a_null_character_is_no_session(db: None) -> None:
    answer = Client(headers={"Cookie": r'sessionid="\000aaaaaaaaaaaaaaaa"'}).get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/")


def test_a_language_cookie_with_a_null_character_leaves_the_language(db: None) -> None:
    answer = Client(headers={"Cookie": r'django_language="en\000"'}).get("/login/")
    assert answer["Content-Language"] == "zh-hans"


def test_a_wrong_log_in_from_a_browser_with_a_null_character_in_its_name_is_noted(db: None) -> None:
    answer = Client(headers={"User-Agent": "x\0y"}).post(
        "/login/", {"username": "nobody", "password": "x"}
    )
    assert answer.status_code == 200
