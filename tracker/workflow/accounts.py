"""Passwords of accounts."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from tracker.domain.choices import ChangeSource
from tracker.models import User
from tracker.workflow.rows import ChangeContext, bump_version, check_edit_right, save_row


def choose_password(user: User, password: str) -> None:
    """Store the password that a person has chosen for their own account.

    Raises StaleVersion where the account has been changed since it was read.
    """
    user.set_password(password)
    user.must_change_password = False
    user.password_set_at = None
    with transaction.atomic():
        bump_version(user, None)
        save_row(user, ChangeContext(user, ChangeSource.PAGE))


def reset_password(user: User, password: str | None, act: ChangeContext) -> None:
    """Set the password of another account for one log-in; None lets no password open it."""
    check_edit_right(user, act)
    if user.is_superuser and act.user and not act.user.is_superuser:
        raise PermissionDenied
    user.set_password(password)
    user.password_set_by = str(act.user or "")
    with transaction.atomic():
        bump_version(user, None)
        save_row(user, act)
