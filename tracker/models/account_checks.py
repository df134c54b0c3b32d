"""A check of the accounts in the database."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError

from tracker.models.organization import User


@checks.register(checks.Tags.database)
def check_separate_roles(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Find accounts that are supervisor and administrator: `manage.py check --database default`."""
    if not settings.SEPARATE_ROLES or not databases:
        return []
    try:
        names = list(User.objects.with_excluding_roles().values_list("username", flat=True))
    except DatabaseError:
        # Before the first migration there are no accounts.
        return []
    text = f"These accounts are supervisor and administrator at once: {', '.join(names)}."
    hint = "Take one of the roles away, or set SEPARATE_ROLES=0."
    if names:
        return [checks.Warning(text, hint=hint, id="tracker.W5")]
    return []
