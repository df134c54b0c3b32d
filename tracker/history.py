"""The history of an object in words: who changed what, when, from what to what, by which way."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker import parsing
from tracker.models import ChecklistItem, Evidence, Indicator, IndicatorValue, ProgressUpdate, Task, TaskRequest
from tracker.models.base import History

# A book-keeping column tells nobody anything.
PARTS = (ChecklistItem, ProgressUpdate, TaskRequest, Evidence, Indicator)
HIDDEN = {
    "id", "version", "is_staff", "date_joined", "task", "policy", "file", "indicator", "entered_by",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One field of one change; for a new object `before` is empty."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Event:
    """One change of one object, by one person, at one moment."""

    when: dt.datetime
    who: str
    way: str
    what: str
    subject: str
    reason: str
    changes: Sequence[Change]


def events(row: models.Model, limit: int = 200) -> list[Event]:
    """List the latest changes of an object, newest first; a task's include those of its checklist.

    The number of queries does not depend on the number of changes.
    """
    names = _Names(row)
    found = _events(row.history.all(), "", limit, names)  # type: ignore[attr-defined]
    if isinstance(row, Task):
        for part in PARTS:
            # Only what a part is called is asked again; the names behind its keys are few.
            rows = part.history.filter(task_id=row.pk)  # type: ignore[attr-defined]
            found += _events(rows, str(part._meta.verbose_name), limit, names)
        # Also of an indicator that is gone: its own history still knows the task.
        known = Indicator.history.filter(task_id=row.pk).values("id")
        named = Indicator.history.filter(id=OuterRef("indicator_id")).order_by("-history_id").values("name")[:1]
        values = IndicatorValue.history.filter(indicator_id__in=known).annotate(owner=Subquery(named))
        found += _events(values, str(IndicatorValue._meta.verbose_name), limit, names)
    # Turned round after sorting: of two at one moment the later one stands first too.
    return sorted(found, key=lambda event: event.when)[::-1][:limit]


def _events(rows: models.QuerySet, subject: str, limit: int, names: "_Names") -> list[Event]:
    # One row more than shown: the oldest shown needs something to compare with.
    newest = list(rows.select_related("history_user").order_by("-history_date", "-history_id")[: limit + 1])
    fields = [field for field in rows.model.tracked_fields if field.name not in HIDDEN]
    names.learn(fields, newest)
    linked = _linked(rows.model.instance_type, newest)
    before: dict[Any, Any] = {}
    found = []
    for row in reversed(newest):
        old = before.get(row.id)
        before[row.id] = row
        # Without the row before it nobody can tell what a change changed.
        told = row.history_type == "+" or (row.history_type == "~" and old)
        changes = [*_changes(fields, names, old, row), *_relinked(linked, old, row)] if told else []
        if row.history_type == "~" and old and not changes:
            continue  # only a book-keeping column moved
        found.append(
            Event(
                when=row.history_date,
                who=str(row.labels.get("history_user") or row.history_user or _("the system")),
                way=row.get_way_display(),
                what={"+": _("added"), "~": _("changed"), "-": _("deleted")}[row.history_type],
                subject=f"{subject} {_called(row)}" if subject else "",
                reason=row.history_change_reason or "",
                changes=changes,
            )
        )
    return found[-limit:]


def _called(row: Any) -> str:
    """Name a part of a task by what tells it from its like, in the words of the row's day."""
    names = ("title", "name", "period_start", "asked_on", "owner", "day")
    said = {"owner": row.labels.get("indicator")}
    return " ".join(str(said.get(name) or getattr(row, name) or "") for name in names if hasattr(row, name))


class _Names:
    """What foreign keys of history rows point at: by the name of the row's day, else by the name of today.

    A name of today is asked for once, and only for a row that holds no name of its day.
    """

    def __init__(self, row: models.Model) -> None:
        self.labels: dict[tuple[type[models.Model], Any], str] = {}
        for field in row._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.is_cached(row):
                self._know(field.get_cached_value(row))

    def _know(self, thing: models.Model | None) -> None:
        if thing:
            self.labels[type(thing), thing.pk] = str(thing)

    def learn(self, fields: Iterable[models.Field], rows: Sequence[Any]) -> None:
        """Fetch what some rows point at and do not name; one query for each field at most."""
        for field in fields:
            if field.remote_field:
                target = field.remote_field.model
                nameless = [row for row in rows if field.name not in row.labels]
                keys = {getattr(row, field.attname) for row in nameless} - {None}
                for thing in target._default_manager.filter(pk__in=[k for k in keys if (target, k) not in self.labels]):
                    self._know(thing)

    def show(self, field: models.Field, row: Any) -> str:
        """Say the value of a field as a page shows it."""
        if row is None:
            return ""
        value = getattr(row, field.attname)
        if value in (None, "", []):
            return ""
        if field.remote_field:
            return str(row.labels.get(field.name) or self.labels.get((field.remote_field.model, value), f"#{value}"))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, list):
            return pgettext("list", ", ").join(f"{each['name']} {each['value']} {each['unit']}" for each in value)
        return str(dict(field.flatchoices).get(value, parsing.written(value) if isinstance(value, Decimal) else value))


def _changes(fields: Iterable[models.Field], names: _Names, old: Any, new: Any) -> Iterator[Change]:
    for field in fields:
        if _same(field, old, new):
            continue
        before, after = names.show(field, old), names.show(field, new)
        if before != after or field.remote_field:
            yield Change(str(field.verbose_name), before, after)


def _same(field: models.Field, old: Any, new: Any) -> bool:
    """Say whether a field holds the same; a row that only has another name by now is the same row."""
    value = getattr(new, field.attname)
    if old is None:
        return value in (None, "", []) or value == field.get_default()
    return bool(value == getattr(old, field.attname))


@dataclass(frozen=True)
class _Linked:
    """What a many-to-many field held at each history row: the keys, and their names on that day."""

    label: str
    keys: dict[int, list[int]]
    names: dict[int, str]


def _linked(model: type[models.Model], rows: Sequence[Any]) -> list[_Linked]:
    """Read what many-to-many fields held at each history row, one query for each field."""
    found = []
    for field, links in History.m2m_models.items():
        if field.model is not model:
            continue
        target = field.m2m_reverse_field_name()
        keys: dict[int, list[int]] = {row.history_id: [] for row in rows}
        today: dict[int, list[str]] = {row.history_id: [] for row in rows}
        for link in links.objects.filter(history__in=keys).select_related(target).order_by("pk"):
            keys[link.history_id].append(getattr(link, f"{target}_id"))
            today[link.history_id].append(str(getattr(link, target)))
        comma = pgettext("list", ", ")
        names = {row.history_id: comma.join(row.labels.get(field.name) or today[row.history_id]) for row in rows}
        found.append(_Linked(str(field.verbose_name), keys, names))
    return found


def _relinked(linked: list[_Linked], old: Any, new: Any) -> Iterator[Change]:
    for each in linked:
        before, after = set(each.keys[old.history_id]) if old else set(), set(each.keys[new.history_id])
        if before != after:
            yield Change(each.label, each.names[old.history_id] if old else "", each.names[new.history_id])
