"""A policy's checklist that comes by workbook: a new policy, or additions and changes to one."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker import parsing, permissions, workflow
from tracker.choices import BatchKind, Way
from tracker.columns import DAY, TEMPLATE, Column
from tracker.filters import cut
from tracker.intake.preview import Entry, Field, Preview
from tracker.intake.tables import Reading, Record, Table, cleared, find, gather
from tracker.intake.workbook import Refused, Workbook
from tracker.ledger.fillin import Fault
from tracker.ledger.template import Typed
from tracker.models import ChecklistItem, ImportBatch, Measure, Organization, PolicyDocument, Section, Task, User
from tracker.models.base import History
from tracker.workflow import Act, Row

# What names a row of each kind, and without which a sheet is none of that kind.
KEYS = {
    "policydocument": ("slug",),
    "section": ("number",),
    "measure": ("code",),
    "task": ("code",),
    "checklistitem": ("code", "number"),
}
NEEDED = {
    "policydocument": {"slug", "title"},
    "section": {"number", "name"},
    "measure": {"section", "code", "name"},
    "task": {"measure", "code", "title"},
    "checklistitem": {"code", "number", "title"},
}
LINKS = ("lead_unit", "section", "measure")
MODELS: dict[str, type[models.Model]] = {
    model._meta.model_name or "": model for model in (PolicyDocument, Section, Measure, Task, ChecklistItem)
}


def read(book: Workbook, name: str, user: User | None) -> Reading[ImportBatch]:
    """Read a template into a batch, not saved yet."""
    if user and not permissions.may_edit_policies(user):
        raise Refused(_("Checklists of policies are loaded by the office alone."))
    tables: list[Table] = []
    for kind, columns in TEMPLATE.items():
        if sheet := find(book, columns, NEEDED[kind]):
            tables.append((sheet, columns, NEEDED[kind], partial(_row, kind, columns)))
    rows = yield from gather(book, tables)
    policies = [row for row in rows if row["kind"] == "policydocument"]
    if len(policies) != 1:
        raise Refused(_("The first sheet names one policy, by its short address and its title."))
    slug = str(policies[0]["values"].get("slug") or "")
    found = PolicyDocument.objects.filter(slug=slug).first()
    return ImportBatch(kind=BatchKind.CHECKLIST, file_name=cut(name), rows=rows, read_by=user, policy=found)


def _row(kind: str, columns: Mapping[str, Column], record: Record) -> dict[str, Any]:
    """Return what is kept of a row; a value that is to be erased is None."""
    faults = dict(record.faults)
    for name in KEYS[kind]:
        if name not in record.values and name not in faults:
            faults[name] = _("A row needs this to be known by.")
    values = {name: None if cleared(value) else value for name, value in record.values.items() if name in columns}
    return {
        "kind": kind,
        "sheet": record.sheet,
        "row": record.number,
        "values": values,
        "typed": record.typed(),
        "faults": faults,
    }


def preview(batch: ImportBatch, today: dt.date) -> Preview:
    """Hold every row against the policy as it is stored; a fixed number of queries."""
    holder = _Holder(batch, today)
    entries = [holder.hold(row) for row in batch.rows]
    holder.recall()
    return Preview(entries, holder.rows)


def marked(batch: ImportBatch, today: dt.date) -> tuple[dict[str, list[Typed]], list[Fault]]:
    """Return the rows of a batch as they were typed, their faults by column, and all faults."""
    found, rows = preview(batch, today), {kind: list[Typed]() for kind in TEMPLATE}
    for row, entry in zip(batch.rows, found.entries, strict=True):
        kind = row["kind"]
        names = {str(column.header): name for name, column in TEMPLATE[kind].items()}
        faults = {names.get(fault.column, KEYS[kind][-1]): fault.words for fault in entry.faults}
        rows[kind].append(Typed(row["typed"], faults))
    return rows, found.faults


def confirm(batch: ImportBatch, user: User | None, seen: str, now: dt.datetime) -> Preview | None:
    """Load what a person has seen in the preview, whole or not at all; return the new preview where it differs."""
    with transaction.atomic():
        slugs = [row["values"].get("slug") for row in batch.rows if row["kind"] == "policydocument"]
        list(PolicyDocument.objects.select_for_update().filter(slug__in=slugs).values_list("pk"))
        found = preview(batch, now.date())
        if found.digest != seen or found.faults:
            return found
        workflow.load(batch, found.changes, Act(user, Way.IMPORT, batch.file_name), now)
    return None


class _Holder:
    """Holds the rows of a template against a policy; later rows find what earlier ones make."""

    def __init__(self, batch: ImportBatch, today: dt.date) -> None:
        self.today = today
        self.rows: list[Row] = []
        self._units = list(Organization.objects.all())
        self._by_name: dict[str, list[Organization]] = {}
        for unit in self._units:
            for name in set(unit.all_names()):
                self._by_name.setdefault(name, []).append(unit)
        for name, units in self._by_name.items():
            # A unit that has taken the place of another bears its name as an alias.
            self._by_name[name] = [unit for unit in units if unit.active] or units
        slug = next((row["values"].get("slug") for row in batch.rows if row["kind"] == "policydocument"), None)
        self._policy = PolicyDocument.objects.defer("full_text").filter(slug=slug or "").first() or PolicyDocument()
        known: dict[tuple[str, ...], models.Model] = {}
        if self._policy.pk:
            known[("policydocument", self._policy.slug)] = self._policy
            known |= {("section", str(each.number)): each for each in self._policy.sections.all()}
            known |= {("measure", each.code): each for each in self._policy.measures.select_related("section")}
            for task in self._policy.tasks.with_related().defer("policy__full_text"):
                known[("task", task.code)] = task
                for item in task.items.all():
                    item.task = task
                    known[("checklistitem", task.code, str(item.number))] = item
        self._known = known
        self._seen: set[tuple[str, ...]] = set()
        self._stale: list[tuple[Entry, str, models.Model, int]] = []

    def hold(self, row: dict[str, Any]) -> Entry:
        """Return how a row is shown; note what it changes."""
        kind, values, faults = row["kind"], row["values"], dict(row["faults"])
        code = " ".join(str(values.get(name) or "") for name in KEYS[kind])
        entry = Entry(row["sheet"], row["row"], code, "fault")
        columns = TEMPLATE[kind]
        if not faults:
            entry.state = self._judge(kind, values, entry, faults)
        for name, words in faults.items():
            header = str(columns[name].header) if name in columns else ""
            value = row["typed"].get(name, "")[:200]
            entry.faults.append(Fault(row["sheet"], row["row"], header, value, words))
        if faults:
            entry.state = "fault"
        return entry

    def _judge(self, kind: str, values: dict[str, Any], entry: Entry, faults: dict[str, str]) -> str:
        key = (kind, *(str(values[name]) for name in KEYS[kind]))
        if key in self._seen:
            faults[KEYS[kind][-1]] = _("This stands in the sheet more than once.")
            return "fault"
        self._seen.add(key)
        thing, new = self._known.get(key), key not in self._known
        if thing is None:
            thing = self._policy if kind == "policydocument" else MODELS[kind]()
            self._known[key] = thing
        self._title(entry, thing)
        version = values.get("version")
        fields, co_units = self._fields(kind, thing, values, entry, faults, new)
        if faults:
            return "fault"
        if not new and not fields and co_units is None:
            return "unchanged"
        if not new and isinstance(version, int) and version != getattr(thing, "version", version):
            self._stale.append((entry, kind, thing, version))
            return "stale"
        before = {} if new else {name: getattr(thing, name) for name in fields}
        for name, value in fields.items():
            setattr(thing, name, value)
        if isinstance(thing, Task) and "lead_unit" in fields:
            thing.lead_is_proposed = False
        faults |= self._wrong(thing, fields)
        if not faults:
            self.rows.append(Row(thing, new, before, co_units))
        return "changed"

    def recall(self) -> None:
        """Say of stale rows what stood there when the file was made: the history knows; a query for each kind."""
        names: dict[Any, str] = {("lead_unit", unit.pk): str(unit) for unit in self._units}
        names |= {(key[0], thing.pk): str(thing) for key, thing in self._known.items() if key[0] in LINKS}
        links = History.m2m_models[Task._meta.get_field("co_units")].objects
        for kind in {kind for _entry, kind, _thing, _version in self._stale}:
            mine = [each for each in self._stale if each[1] == kind]
            history: Any = MODELS[kind]
            kept = history.history.filter(id__in={row[2].pk for row in mine}, version__in={row[3] for row in mine})
            found = {(each.id, each.version): each for each in kept.order_by("history_date", "history_id")}
            rows = [each.pk for each in found.values()] if kind == "task" else []
            helped = set(links.filter(history__in=rows).values_list("history", "organization"))
            headers = {str(column.header): name for name, column in TEMPLATE[kind].items()}
            for entry, _kind, thing, version in mine:
                for field in entry.fields:
                    name, then = headers[field.header], found.get((thing.pk, version))
                    value = getattr(then, f"{name}_id" if name in LINKS else name, None)
                    if name == "co_units" and then:
                        value = _list([unit.short_name for unit in self._units if (then.pk, unit.pk) in helped])
                    elif name in LINKS:
                        value = names.get((name, value))
                    field.then = _shown(value)

    @staticmethod
    def _title(entry: Entry, thing: models.Model) -> None:
        entry.title = str(getattr(thing, "title", "") or getattr(thing, "name", ""))

    def _fields(
        self,
        kind: str,
        thing: models.Model,
        values: dict[str, Any],
        entry: Entry,
        faults: dict[str, str],
        new: bool,
    ) -> tuple[dict[str, Any], list[Organization] | None]:
        """Return the fields in which a row differs from what is stored, and the co-operating units if they do."""
        fields: dict[str, Any] = {}
        co_units: list[Organization] | None = None
        if new and kind != "policydocument" and kind != "checklistitem":
            fields["policy"] = self._policy
        for name, column in TEMPLATE[kind].items():
            if name == "version" or name not in values:
                continue
            value = self._meant(kind, name, column, values[name], faults)
            if name in faults:
                continue
            if name == "co_units":
                now_units = list(thing.co_units.all()) if isinstance(thing, Task) and thing.pk else []
                if {unit.pk for unit in value} != {unit.pk for unit in now_units}:
                    co_units = value
                    entry.fields.append(Field(str(column.header), "", _names(now_units), _names(value)))
                continue
            field = "task" if kind == "checklistitem" and name == "code" else name
            now = None if new and field in ("section", "measure", "task") else getattr(thing, field)
            if now != value and not (new and value in (None, "")):
                fields[field] = value
                entry.fields.append(Field(str(column.header), "", "" if new else _shown(now), _shown(value)))
        return fields, co_units

    def _meant(self, kind: str, name: str, column: Column, value: Any, faults: dict[str, str]) -> Any:
        """Return what a value of a row stands for: a thing for its code, a unit for its name, a day for its text."""
        if name in ("lead_unit", "co_units"):
            units = [self._unit(each, name, faults) for each in value or []]
            if name == "co_units":
                return units
            if len(units) > 1:
                faults[name] = _("One unit leads; the others co-operate.")
            return units[0] if units else None
        target = {"section": "section", "measure": "measure"}.get(name) or ("task" if name == "code" else "")
        if target and kind != target and (kind == "checklistitem" or name != "code"):
            thing = self._known.get((target, str(value)))
            if thing is None:
                near = parsing.near(str(value), [key[1] for key in self._known if key[0] == target])
                faults[name] = _("It is not known; names that come near: %(near)s.") % {"near": _list(near)}
            return thing
        if column.format == DAY:
            return dt.date.fromisoformat(value) if isinstance(value, str) else value
        return "" if value is None else value

    def _unit(self, name: str, column: str, faults: dict[str, str]) -> Organization | None:
        found = self._by_name.get(name, [])
        if len(found) == 1:
            return found[0]
        near = parsing.near(name, list(self._by_name))
        faults[column] = _("“%(name)s” names no unit, or several; names that come near: %(near)s.") % {
            "name": name[:40],
            "near": _list(near),
        }
        return None

    @staticmethod
    def _wrong(thing: models.Model, fields: Mapping[str, Any]) -> dict[str, str]:
        """Say what the models refuse."""
        linked = {field.name for field in thing._meta.get_fields() if field.is_relation}
        try:
            thing.clean_fields(exclude=linked)
            if isinstance(thing, Task):
                thing.clean()
        except ValidationError as error:
            return {name: " ".join(words) for name, words in error.message_dict.items()}
        return {}


def _names(units: list[Organization]) -> str:
    return _list([unit.short_name for unit in units])


def _list(words: list[str]) -> str:
    return pgettext("list", ", ").join(words) or "—"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return parsing.DONE[0] if value else parsing.UNDONE[0]
    return "—" if value is None or value == "" else str(value)
