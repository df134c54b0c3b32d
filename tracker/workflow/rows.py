"""Save one row under its version, with one row of history."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.domain.choices import ChangeSource
from tracker.models import User
from tracker.models.base import History, Versioned


@dataclass(frozen=True)
class ChangeContext:
    """Who changes something, by which way, and why. No user: a command on the machine itself."""

    user: User | None
    way: ChangeSource
    reason: str = ""


class StaleVersion(Exception):
    """Somebody has saved this row since the person at the form saw it; nothing was written."""


def check_edit_right(row: models.Model, act: ChangeContext) -> None:
    """Raise PermissionDenied unless the person may edit rows of this model."""
    if act.user and not permissions.may_edit(act.user, type(row)):
        raise PermissionDenied


def bump_version(row: Versioned, seen: int | None) -> bool:
    """Raise the version of a row that is changed; say whether the row is new.

    One UPDATE that names the version seen: of two writers the second finds no such row, whatever
    the database and its isolation.
    """
    if row.pk is None:
        row.version = 1
        return True
    if seen is None:
        seen = row.version
    if not type(row)._default_manager.filter(pk=row.pk, version=seen).update(version=seen + 1):
        raise StaleVersion(row)
    row.version = seen + 1
    return False


def save_row(row: models.Model, act: ChangeContext | None = None, made: bool | None = None) -> None:
    """Save a row and record it once in its history, without `act` not at all.

    `made` says whether the row is new. Raises ValidationError where the database refuses it.
    """
    if made is None:
        made = row.pk is None
    try:
        with without_history(row), transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise explain_violation(row, error) from error
    if act:
        record_change(row, act, made)


@contextmanager
def without_history(row: models.Model) -> Iterator[None]:
    """Save a row without its automatic history; a change of several saves is recorded once."""
    row.skip_history_when_saving = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del row.skip_history_when_saving  # type: ignore[attr-defined]


def explain_violation(row: models.Model, error: IntegrityError) -> ValidationError:
    """Return which constraint of the database a row breaks; call it after the roll-back."""
    try:
        row.validate_constraints()
    except ValidationError as broken:
        return broken
    return ValidationError(_("Rejected by the database: %(error)s") % {"error": error})


def attach_context(row: models.Model, act: ChangeContext) -> None:
    """Set on a row what its next history row takes over: person, reason and source."""
    row._history_user = act.user  # type: ignore[attr-defined]
    row._change_reason = act.reason  # type: ignore[attr-defined]
    row._way = act.way  # type: ignore[attr-defined]


def history_type(made: bool) -> str:
    """Return how the history marks a row that was added or changed."""
    if made:
        return "+"
    return "~"


def record_change(row: models.Model, act: ChangeContext, made: bool) -> None:
    """Write a history row; `made` says whether the row is new."""
    attach_context(row, act)
    History.records[type(row)].create_historical_record(row, history_type(made))
