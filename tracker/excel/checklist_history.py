"""What was stored when a file was made: shown beside rows that somebody has changed since."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.db import models

from tracker.excel.checklist_parts import CHECKLIST_MODELS, KnownParts
from tracker.excel.checklist_units import join_units
from tracker.excel.import_feedback import names_by_header
from tracker.excel.preview import PreviewRow, preview_text
from tracker.models import Organization, Task
from tracker.models.base import History
from tracker.reports.checklist_columns import TEMPLATE_COLUMNS

LINK_COLUMNS = ("lead_unit", "section", "measure")


class StaleRow(NamedTuple):
    """A row whose part has changed since the file was made with this version of it."""

    entry: PreviewRow
    kind: str
    part: models.Model
    version: int


class FormerValues:
    """Reads former values from the history: a query for each kind, one more for tasks."""

    def __init__(self, units: Sequence[Organization], parts: KnownParts) -> None:
        self._units = units
        self._names = parts.names(LINK_COLUMNS)
        for unit in units:
            self._names[("lead_unit", unit.pk)] = str(unit)

    def fill_in(self, stale: Collection[StaleRow]) -> None:
        """Set `then` of all fields of the rows."""
        for kind in CHECKLIST_MODELS:
            rows = [row for row in stale if row.kind == kind]
            if rows:
                self._fill_in_kind(kind, rows)

    def _fill_in_kind(self, kind: str, rows: Sequence[StaleRow]) -> None:
        versions = _versions(kind, rows)
        co_units: dict[int, set[int]] = {}
        if kind == "task":
            co_units = _co_units(versions.values())
        names = names_by_header(TEMPLATE_COLUMNS[kind])
        for row in rows:
            then = versions.get((row.part.pk, row.version))
            for field in row.entry.fields:
                value = self._value(then, names[field.header], co_units)
                field.then = preview_text(value)

    def _value(self, then: Any, name: str, co_units: dict[int, set[int]]) -> object:
        if not then:
            return None
        if name == "co_units":
            helping = co_units.get(then.pk, set())
            return join_units(unit for unit in self._units if unit.pk in helping)
        if name in LINK_COLUMNS:
            return self._names.get((name, getattr(then, f"{name}_id")))
        return getattr(then, name, None)


def _versions(kind: str, rows: Sequence[StaleRow]) -> dict[tuple[int, int], Any]:
    """Return the records of the history that rows were made from, by key and version."""
    model: Any = CHECKLIST_MODELS[kind]
    parts = set()
    numbers = set()
    for row in rows:
        parts.add(row.part.pk)
        numbers.add(row.version)
    records = model.history.filter(id__in=parts, version__in=numbers)
    versions = {}
    for record in records.order_by("history_date", "history_id"):
        versions[(record.id, record.version)] = record
    return versions


def _co_units(records: Collection[Any]) -> dict[int, set[int]]:
    """Return the keys of the co-operating units, by the key of a task's record."""
    links = History.m2m_models[Task._meta.get_field("co_units")].objects
    found = links.filter(history__in=[record.pk for record in records])
    units: dict[int, set[int]] = {}
    for record, unit in found.values_list("history", "organization"):
        units.setdefault(record, set()).add(unit)
    return units
