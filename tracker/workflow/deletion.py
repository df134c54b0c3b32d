"""Delete rows; their history stays."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.deletion import Collector
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.models import Evidence, Task
from tracker.models.base import Versioned
from tracker.workflow.derivation import refresh_matching, tasks_derived_from
from tracker.workflow.rows import ChangeContext, attach_context, bump_version


def delete_object(row: models.Model, act: ChangeContext, seen: int | None = None) -> None:
    """Delete a row; its history stays and says who did it.

    Raises PermissionDenied, or StaleVersion on a newer version than the one seen.
    """
    if act.user and not permissions.may_delete(act.user, row):
        raise PermissionDenied(_("It is in force: cancel it instead of deleting it."))
    with transaction.atomic():
        if seen is not None and isinstance(row, Versioned):
            bump_version(row, seen)
        delete_unchecked(row, act)


def delete_unchecked(row: models.Model, act: ChangeContext) -> None:
    """Delete a row without a check of rights, and derive again what came from it."""
    attach_context(row, act)
    with transaction.atomic():
        touched: list[int] = []
        part: Any = row
        if part.belongs_to_task and part.derives_tasks_by:
            follows = Task.objects.filter(tasks_derived_from([(type(row), row.pk)]))
            touched = list(follows.values_list("pk", flat=True))
        if isinstance(row, Evidence) and not row.handed_in and not row.history.exists():
            # Nothing of a draft enters the history: a plain deletion would note it.
            Evidence.objects.filter(pk=row.pk)._raw_delete(row._state.db)
        else:
            row.delete()
        if touched:
            refresh_matching(Q(pk__in=touched))
        if isinstance(row, Evidence) and row.file:
            # Only when the row is gone for good.
            transaction.on_commit(partial(row.file.storage.delete, str(row.file.name)))


def delete_all_unchecked(rows: Sequence[models.Model], act: ChangeContext) -> None:
    """Delete rows of one model, with what depends on them, without a check of rights."""
    for row in rows:
        attach_context(row, act)
    collector = Collector(using=connection.alias)
    collector.collect(rows)
    collector.delete()
