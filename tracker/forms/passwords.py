"""Which passwords are taken, and the random ones that are given out."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tracker.domain.folding import fold
from tracker.domain.passwords import common_forms, is_guessable, words_in
from tracker.models import Organization, User

RANDOM_BYTES = 12
LOCAL_NAMES = {"localhost", "testserver"}


class GuessablePasswordValidator:
    """Refuse what everybody in the office would try first."""

    def __init__(self) -> None:
        self.common = CommonPasswordValidator().passwords

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError; asks the database for the names of the units."""
        units = []
        for unit in Organization.objects.all():
            for name in unit.all_names():
                units.append(name)
        hosts = []
        for host in settings.ALLOWED_HOSTS:
            if host not in LOCAL_NAMES:
                for part in host.split("."):
                    hosts.append(part)
        texts = [*units, *hosts, settings.OPERATOR, *_texts_of(user)]
        names = "\n".join(fold(name) for name in (*units, settings.OPERATOR))
        is_common = not self.common.isdisjoint(common_forms(password))
        if is_common or is_guessable(password, words_in(texts), names):
            raise ValidationError(
                _(
                    "This password is easy to guess: too little of it remains without place names, "
                    "unit names, the names of this system and of the person, repeats, keyboard "
                    "rows, years, and digits at its ends."
                ),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        return _(
            "Do not use place names, unit names, the name of this system or your own name, "
            "repeats, keyboard rows or years. Several unrelated words work well."
        )


def _texts_of(user: Any) -> list[str]:
    """Return the names by which an account is known."""
    if not isinstance(user, User):
        return []
    return [user.username, user.first_name, user.last_name, user.email.partition("@")[0]]


def random_password() -> str:
    """Return a random password that every rule takes."""
    while True:
        password = secrets.token_urlsafe(RANDOM_BYTES)
        try:
            validate_password(password)
        except ValidationError:
            continue
        return password
