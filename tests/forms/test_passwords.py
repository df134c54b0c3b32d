"""The rules for passwords as forms ask them, with the names of this office."""

from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tracker.forms.passwords import random_password
from tracker.models import Organization, User


def is_taken(password: str, user: User | None = None) -> bool:
    try:
        validate_password(password, user)
    except ValidationError:
        return False
    return True


def test_the_names_of_every_unit_are_known(db: None) -> None:
    assert is_taken("Hochwasserschutz77")
    Organization.objects.create(
        name="Hochwasserschutz", short_name="HWS", aliases="Deichamt am Fluss"
    )
    assert not is_taken("Hochwasserschutz77")
    assert not is_taken("Deichamt-Fluss-77")


def test_the_operator_and_the_host_are_known(db: None, settings: Any) -> None:
    assert is_taken("Kreisverwaltung#1")
    settings.OPERATOR, settings.ALLOWED_HOSTS = "Kreisverwaltung", ["wegweiserplan.example.gov"]
    assert not is_taken("Kreisverwaltung#1")
    assert not is_taken("wegweiserplan.99")


@pytest.mark.parametrize(
    "password", ["li.weiming.2026", "liweimingliweiming", "weiming-li-weiming", "Mingming88ming"]
)
def test_the_names_of_the_person_are_known(db: None, password: str) -> None:
    user = User(
        username="liweiming", first_name="Mingming", last_name="Li", email="weiming@example.gov"
    )
    assert not is_taken(password, user)


@pytest.mark.parametrize("password", ["iloveyou2026!!", "2026football99", "!!p@ssw0rd!!2026"])
def test_decorations_hide_no_common_password(db: None, password: str) -> None:
    assert not is_taken(password)


def test_a_thousand_random_passwords_pass_every_rule(db: None) -> None:
    assert all(is_taken(random_password()) for _time in range(1000))
