"""The history of an object in words: who changed what, when, and from what to what."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.domain import parsing
from tracker.domain.choices import ReportState
from tracker.domain.dates import name_between
from tracker.models import (
    Evidence,
    Indicator,
    IndicatorValue,
    ProgressUpdate,
    Task,
    User,
)
from tracker.models.base import AFTER_RESET, History
from tracker.models.declarations import parts_of_task

# Columns of book-keeping are of no use to a reader.
HIDDEN_FIELDS = {
    "id",
    "version",
    "is_staff",
    "date_joined",
    "task",
    "policy",
    "file",
    "indicator",
    "entered_by",
}


@dataclass(frozen=True)
class FieldChange:
    """One field of one change; for a new object `before` is empty."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryEvent:
    """One change of one object, by one person, at one moment."""

    when: dt.datetime
    who: str
    way: str
    what: str
    subject: str
    reason: str
    changes: Sequence[FieldChange]


def history_events(row: models.Model, limit: int = 200) -> list[HistoryEvent]:
    """List the latest changes of an object, newest first; a task's include those of its checklist.

    The number of queries does not depend on the number of changes.
    """
    names = _Names(row)
    found = _events(row.history.all(), "", limit, names)  # type: ignore[attr-defined]
    if isinstance(row, Task):
        for part in parts_of_task():
            # Only what a part is called is asked again; the names behind its keys are few.
            rows = _handed_in(part).filter(task_id=row.pk)
            found += _events(rows, str(part._meta.verbose_name), limit, names)
        # Also of an indicator that is gone: its own history still knows the task.
        known = Indicator.history.filter(task_id=row.pk).values("id")
        named = (
            Indicator.history.filter(id=OuterRef("indicator_id"))
            .order_by("-history_id")
            .values("name")[:1]
        )
        values = IndicatorValue.history.filter(indicator_id__in=known).annotate(
            owner=Subquery(named)
        )
        found += _events(values, str(IndicatorValue._meta.verbose_name), limit, names)
    # Turned round after sorting: of two at one moment the later one stands first too.
    return sorted(found, key=lambda event: event.when)[::-1][:limit]


def password_resets(user: User) -> list[tuple[dt.datetime, str]]:
    """List when somebody else set the password of an account, and who, newest first; one query."""
    known = user.history.filter(password_set_at__isnull=False).order_by("-password_set_at")
    return list(known.values_list("password_set_at", "password_set_by").distinct())


def after_resets(user: User, limit: int = 100) -> list[HistoryEvent]:
    """List what an account did after somebody else had set its password, newest first.

    Only in sessions that were opened with that password. One query for each history, and none for
    an account whose password nobody else has set.
    """
    if not password_resets(user):
        return []
    found = []
    for model in History.records:
        records: Any = model.history  # type: ignore[attr-defined]
        rows = records.filter(history_user=user, way__in=AFTER_RESET.values())
        for row in rows.select_related("history_user").order_by("-history_date")[:limit]:
            found.append(_event_of(row, f"{model._meta.verbose_name} {_named(row)}", ()))
    return sorted(found, key=lambda event: event.when, reverse=True)[:limit]


def _event_of(row: Any, subject: str, changes: Sequence[FieldChange]) -> HistoryEvent:
    return HistoryEvent(
        when=row.history_date,
        who=str(row.labels.get("history_user") or row.history_user or _("the system")),
        way=row.get_way_display(),
        what={"+": _("added"), "~": _("changed"), "-": _("deleted")}[row.history_type],
        subject=subject,
        reason=row.history_change_reason or "",
        changes=changes,
    )


def _handed_in(part: Any) -> models.QuerySet:
    """Return the history of a kind of part without what was a draft.

    Its texts, its percent, its file names.

    Rows of drafts are those of before 0.2, and of whoever writes past `workflow`. A report that was
    withdrawn stays as it was handed in; of the row that says so only the state is told.
    """
    rows = part.history.all()
    if part is ProgressUpdate:
        sent = rows.model.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
        return rows.exclude(
            Q(state=ReportState.DRAFT) & ~Exists(sent.exclude(state=ReportState.DRAFT))
        )
    if part is Evidence:
        reports = ProgressUpdate.history.model.objects.exclude(state=ReportState.DRAFT)
        sent = reports.filter(id=OuterRef("report_id"), history_date__gte=OuterRef("history_date"))
        return rows.filter(Q(report_id__isnull=True) | Exists(sent))
    return rows


def _events(rows: models.QuerySet, subject: str, limit: int, names: "_Names") -> list[HistoryEvent]:
    """Return the latest changes of some history rows, the oldest first."""
    # One row more than shown: the oldest shown needs something to compare with.
    newest = list(
        rows.select_related("history_user").order_by("-history_date", "-history_id")[: limit + 1]
    )
    fields = []
    for field in rows.model.tracked_fields:
        if field.name not in HIDDEN_FIELDS:
            fields.append(field)
    names.learn(fields, newest)
    linked = _linked(rows.model.instance_type, newest)
    before: dict[Any, Any] = {}
    events = []
    for row in reversed(newest):
        old = before.get(row.id)
        before[row.id] = row
        changes = _row_changes(fields, names, linked, old, row)
        if row.history_type == "~" and old and not changes:
            continue  # only a book-keeping column moved
        label = ""
        if subject:
            label = f"{subject} {_called(row)}"
        events.append(_event_of(row, label, changes))
    return events[-limit:]


def _row_changes(
    fields: list[models.Field], names: "_Names", linked: "list[_Linked]", old: Any, row: Any
) -> list[FieldChange]:
    """Return what a history row changed; nothing where the row before it is not known."""
    if row.history_type != "+" and not (row.history_type == "~" and old):
        return []
    shown = fields
    if isinstance(row, ProgressUpdate.history.model) and row.state == ReportState.DRAFT:
        shown = [field for field in fields if field.name == "state"]
    return [*_changes(shown, names, old, row), *_relinked(linked, old, row)]


def _called(row: Any) -> str:
    """Name a part of a task by what tells it from its like, in the words of the row's day."""
    named = {"owner": row.labels.get("indicator")}
    if hasattr(row, "period_start"):
        named["period_start"] = name_between(row.period_start, row.period_end)
    words = []
    for name in ("title", "name", "period_start", "asked_on", "owner", "day"):
        if hasattr(row, name):
            words.append(str(named.get(name) or getattr(row, name) or ""))
    return " ".join(words)


def _named(row: Any) -> str:
    """Name an object of any kind."""
    words = []
    for name in ("code", "username"):
        if hasattr(row, name):
            words.append(str(getattr(row, name)))
    return " ".join([*words, _called(row)]).strip()


class _Names:
    """What foreign keys of history rows point at.

    By the name of the row's day, else by the name of today.

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
            if not field.remote_field:
                continue
            target = field.remote_field.model
            keys = set()
            for row in rows:
                key = getattr(row, field.attname)
                if key is not None and field.name not in row.labels:
                    keys.add(key)
            unknown = [key for key in keys if (target, key) not in self.labels]
            for thing in target._default_manager.filter(pk__in=unknown):
                self._know(thing)

    def show(self, field: models.Field, row: Any) -> str:
        """Say the value of a field as a page shows it."""
        if row is None:
            return ""
        value = getattr(row, field.attname)
        if value in (None, "", []):
            return ""
        if field.remote_field:
            label = row.labels.get(field.name)
            return str(label or self.labels.get((field.remote_field.model, value), f"#{value}"))
        if isinstance(value, dt.datetime):
            return date_format(timezone.localtime(value), "DATETIME_FORMAT")
        if isinstance(value, bool):
            return _yes_or_no(value)
        if isinstance(value, list):
            names = [f"{each['name']} {each['value']} {each['unit']}" for each in value]
            return pgettext("list", ", ").join(names)
        plain = value
        if isinstance(value, Decimal):
            plain = parsing.format_decimal(value)
        return str(dict(field.flatchoices).get(value, plain))


def _yes_or_no(value: bool) -> str:
    if value:
        return _("yes")
    return _("no")


def _changes(
    fields: Iterable[models.Field], names: _Names, old: Any, new: Any
) -> Iterator[FieldChange]:
    for field in fields:
        if _same(field, old, new):
            continue
        before = names.show(field, old)
        after = names.show(field, new)
        if before != after or field.remote_field:
            yield FieldChange(str(field.verbose_name), before, after)


def _same(field: models.Field, old: Any, new: Any) -> bool:
    """Say whether a field holds the same.

    A row that only has another name by now is the same row.
    """
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
        keys: dict[int, list[int]] = {}
        for row in rows:
            keys[row.history_id] = []
        today: dict[int, list[str]] = {}
        for row in rows:
            today[row.history_id] = []
        for link in links.objects.filter(history__in=keys).select_related(target).order_by("pk"):
            keys[link.history_id].append(getattr(link, f"{target}_id"))
            today[link.history_id].append(str(getattr(link, target)))
        comma = pgettext("list", ", ")
        names = {}
        for row in rows:
            names[row.history_id] = comma.join(row.labels.get(field.name) or today[row.history_id])
        found.append(_Linked(str(field.verbose_name), keys, names))
    return found


def _relinked(linked: list[_Linked], old: Any, new: Any) -> Iterator[FieldChange]:
    for each in linked:
        before: set[int] = set()
        label = ""
        if old:
            before = set(each.keys[old.history_id])
            label = each.names[old.history_id]
        if before != set(each.keys[new.history_id]):
            yield FieldChange(each.label, label, each.names[new.history_id])
