"""What somebody has changed since an import was confirmed.

An undo would overwrite it, and refuses.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from tracker.domain.choices import BatchKind, ReportState
from tracker.models import ChecklistItem, ImportBatch, ProgressUpdate, Task

MAX_NAMED = 20  # rows named in the message; the page shows all
UNCOMPARED_FIELDS = ("id", "version", "search", "letters", "sort_key", "labels")


@dataclass(frozen=True)
class ThreeWays:
    """A field of a row: before the import, as it was imported, and now."""

    label: str
    before: str
    imported: str
    now: str


@dataclass
class LaterChange:
    """A row that somebody has changed, or attached something to, since it was imported."""

    name: str
    words: str
    fields: list[ThreeWays] = field(default_factory=list)


class UndoRefused(ValidationError):
    """An undo that would overwrite later work; `rows` says what, three ways."""

    def __init__(self, rows: list[LaterChange]) -> None:
        self.rows = rows
        named = []
        for row in rows[:MAX_NAMED]:
            named.append(f"{row.name}: {row.words}")
        if len(rows) > MAX_NAMED:
            more = len(rows) - MAX_NAMED
            named.append(
                ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}
            )
        stated = pgettext("between sentences", "; ").join(named)
        super().__init__(
            _("It cannot be undone because others have changed it since: %(rows)s.")
            % {"rows": stated}
        )


def refuse_later_changes(batch: ImportBatch) -> None:
    """Raise what others have changed since an import, all of it; nothing where there is nothing."""
    if rows := changed_since(batch):
        raise UndoRefused(rows)


def changed_since(batch: ImportBatch) -> list[LaterChange]:
    """Return the rows that were changed since a batch was confirmed; a fixed number of queries."""
    if batch.kind == BatchKind.CHECKLIST:
        return _changed_parts(batch.made)
    codes = {}
    for entry in batch.made:
        codes[entry["task"]] = str(entry["task"])
    codes |= dict(Task.objects.filter(pk__in=list(codes)).values_list("pk", "code"))
    return [*_changed_reports(batch, codes), *_changed_ticks(batch, codes)]


def _changed_reports(batch: ImportBatch, codes: Mapping[int, str]) -> Iterator[LaterChange]:
    """Yield the reports of a batch that were reviewed, changed or taken away since."""
    entries = [entry for entry in batch.made if "report" in entry]
    reports = ProgressUpdate.objects.in_bulk([entry["report"] for entry in entries])
    changed = {}
    for entry in entries:
        report = reports.get(entry["report"])
        if not report:
            yield LaterChange(codes[entry["task"]], _("its report no longer exists"))
        elif (report.state, report.version) != (ReportState.SUBMITTED, entry["version"]):
            changed[report.pk] = entry
    history = _history_of(ProgressUpdate, set(changed))
    compared: list[Compared] = []
    for key, entry in changed.items():
        imported = history.get((key, entry["version"]))
        compared.append((reports[key], entry["before"] or {}, imported))
    names = _Names(ProgressUpdate, compared)
    for report, before, imported in compared:
        fields = list(_three_ways(report, before, imported, names))
        text = _("its report has been reviewed or changed since")
        yield LaterChange(codes[report.task_id], text, fields)


def _changed_ticks(batch: ImportBatch, codes: Mapping[int, str]) -> Iterator[LaterChange]:
    """Yield the steps that a batch has ticked or unticked, and that are otherwise by now."""
    keys = []
    for entry in batch.made:
        for tick in entry["ticks"]:
            keys.append(tick[0])
    items = ChecklistItem.objects.in_bulk(keys)
    for entry in batch.made:
        for key, before, *after in entry["ticks"]:
            item = items.get(key)
            if not item:
                yield LaterChange(codes[entry["task"]], _("a step no longer exists"))
            elif _tick_has_changed(item, before, after):
                imported = next(iter(after), None)
                days = [_shown(day) for day in (before, imported, _iso_day(item))]
                name = f"{codes[entry['task']]} {item.number}"
                text = _("the step has been ticked or unticked since")
                yield LaterChange(name, text, [ThreeWays(_label(item, "done_on"), *days)])


def _iso_day(item: ChecklistItem) -> str | None:
    if item.done_on:
        return item.done_on.isoformat()
    return None


def _tick_has_changed(item: ChecklistItem, before: str | None, after: list[str | None]) -> bool:
    """Say whether a step is otherwise ticked than its import left it.

    `after` is empty for a batch of the first version, which kept no day: there the tick counts.
    """
    if after:
        return _iso_day(item) != after[0]
    return bool(item.done_on) == bool(before)


def note_versions(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Note the version of each part after all are loaded: later rows change earlier ones."""
    versions = {}
    for name, keys in _keys_by_model(made).items():
        versions[name] = _versions(name, keys)
    found = []
    for entry in made:
        found.append(entry | {"version": versions[entry["model"]].get(entry["pk"])})
    return found


def _changed_parts(made: list[dict[str, Any]]) -> list[LaterChange]:
    """Return the parts of a policy that were changed since a checklist was loaded.

    New ones too to which something was attached that the import did not make.
    """
    keys = _keys_by_model(made)
    changes: list[LaterChange] = []
    for name in keys:
        entries = [entry for entry in made if entry["model"] == name]
        changes += _changed_rows(apps.get_model("tracker", name), entries, keys)
    return changes


def _changed_rows(
    model: Any, entries: list[dict[str, Any]], keys: Mapping[str, list[int]]
) -> Iterator[LaterChange]:
    """Yield the rows of one model that were changed since; `keys` are all that were imported."""
    pks = [entry["pk"] for entry in entries]
    rows = {row.pk: row for row in model._default_manager.filter(pk__in=pks)}
    attached = _attached(model, [entry["pk"] for entry in entries if entry["new"]], keys)
    compared = _compared_rows(model, entries, rows)
    names = _Names(model, compared.values())
    for entry in entries:
        row = rows.get(entry["pk"])
        if row is None:
            yield LaterChange(_name_of(entry), _("it no longer exists"))
        elif row.pk in compared:
            fields = list(_three_ways(*compared[row.pk], names))
            yield LaterChange(str(row), _("it has been changed since"), fields)
        elif row.pk in attached:
            things = pgettext("list", ", ").join(attached[row.pk])
            text = _("added since: %(things)s") % {"things": things}
            yield LaterChange(str(row), text)


def _compared_rows(
    model: Any, entries: list[dict[str, Any]], rows: Mapping[int, Any]
) -> dict[int, "Compared"]:
    """Return by key the rows that have changed, each with what it was before and as imported."""
    history: dict[tuple[int, int], Any] = {}
    if hasattr(model, "version"):
        history = _history_of(model, set(rows))
    compared = {}
    for entry in entries:
        row = rows.get(entry["pk"])
        if row and _has_moved(row, entry):
            imported = history.get((row.pk, entry["version"])) or _Facts(entry.get("facts") or {})
            compared[row.pk] = (row, entry["before"], imported)
    return compared


def _has_moved(row: models.Model, entry: Mapping[str, Any]) -> bool:
    """Say whether a row is another than the import left it; False for old imports of no version."""
    if entry.get("facts"):
        for name, value in entry["facts"].items():
            if _plain(getattr(row, name, None)) != _plain(value):
                return True
        return False
    return entry.get("version") is not None and getattr(row, "version", None) != entry["version"]


def _attached(model: Any, keys: list[int], made: Mapping[str, list[int]]) -> dict[int, list[str]]:
    """Return by key what refers to new rows and was not imported; one query a relation."""
    found: dict[int, list[str]] = {}
    if not keys:
        return found
    for relation in model._meta.related_objects:
        if not relation.one_to_many:
            continue
        other = relation.related_model
        column = relation.field.attname
        rows = other._base_manager.filter(**{f"{column}__in": keys})
        rows = rows.exclude(pk__in=made.get(other._meta.model_name, []))
        counts = rows.order_by().values_list(column).annotate(models.Count("pk"))
        for key, count in counts:
            found.setdefault(key, []).append(f"{other._meta.verbose_name} {count}")
    return found


class _Facts:
    """The facts of a step as an import has left them."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.__dict__.update(facts)


# A row as it is now, its values before the import, and the row as it was imported.
Compared = tuple[Any, Mapping[str, Any], Any]


def _moved_columns(
    row: models.Model, before: Mapping[str, Any], imported: Any
) -> Iterator[tuple[Any, list[Any]]]:
    """Yield the changed columns of a row, each with its values before, as imported and now."""
    for column in row._meta.concrete_fields:
        if (
            column.name in UNCOMPARED_FIELDS
            or imported is None
            or not hasattr(imported, column.attname)
        ):
            continue
        was = getattr(imported, column.attname)
        now = getattr(row, column.attname)
        if _plain(was) != _plain(now):
            yield column, [before.get(column.name, was), was, now]


def _three_ways(
    row: models.Model, before: Mapping[str, Any], imported: Any, names: "_Names"
) -> Iterator[ThreeWays]:
    """Yield the fields of a row that are now others than it was imported with."""
    for column, values in _moved_columns(row, before, imported):
        yield ThreeWays(str(column.verbose_name), *(names.word_of(column, each) for each in values))


class _Names:
    """What the foreign keys of rows of one kind point at, by name: one query for each of them."""

    def __init__(self, model: type[models.Model], rows: Iterable[Compared]) -> None:
        keys: dict[str, set[Any]] = {}
        for row in rows:
            for column, values in _moved_columns(*row):
                if column.remote_field:
                    keys.setdefault(column.name, set()).update(values)
        self._names = {}
        for name, pks in keys.items():
            self._names[name] = self._ask(model._meta.get_field(name).related_model, pks)

    @staticmethod
    def _ask(target: Any, keys: set[Any]) -> dict[int, str]:
        rows = target._base_manager.filter(pk__in=keys - {None})
        if target is ProgressUpdate:
            # Its name contains those of its task and its unit.
            rows = rows.select_related("task", "unit")
        found = {}
        for row in rows:
            found[row.pk] = str(row)
        return found

    def word_of(self, column: Any, value: Any) -> str:
        """Return how a value is shown: the name of a choice, and what a key points at."""
        if column.remote_field:
            return _shown(self._names[column.name].get(value))
        return _shown(dict(column.flatchoices).get(value, value))


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "—"
    return str(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON keeps it."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _label(row: models.Model, name: str) -> str:
    return str(row._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _name_of(entry: Mapping[str, Any]) -> str:
    """Name a row that is gone."""
    return f"{apps.get_model('tracker', entry['model'])._meta.verbose_name} {entry['pk']}"


def _keys_by_model(made: Iterable[Mapping[str, Any]]) -> dict[str, list[int]]:
    keys: dict[str, list[int]] = {}
    for entry in made:
        keys.setdefault(entry["model"], []).append(entry["pk"])
    return keys


def _versions(name: str, keys: list[int]) -> dict[int, int]:
    """Return the versions of some rows; none of a kind that has none."""
    model: Any = apps.get_model("tracker", name)
    if hasattr(model, "version"):
        return dict(model._default_manager.filter(pk__in=keys).values_list("pk", "version"))
    return {}


def _history_of(model: Any, keys: set[int]) -> dict[tuple[int, int], Any]:
    """Return the history rows of some rows by key and version; one query."""
    rows = model.history.filter(id__in=keys).order_by("history_date", "history_id")
    found = {}
    for row in rows:
        found[(row.id, row.version)] = row
    return found
