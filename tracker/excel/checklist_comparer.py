"""Judge the rows of a checklist against the policy as it is stored.

What each changes, and what is wrong.

Everything that writing would refuse is found here, of all rows at once, so that a person mends a
file once.
"""

import copy
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker import workflow
from tracker.domain import parsing
from tracker.domain.choices import Kind
from tracker.domain.folding import fold
from tracker.domain.unit_names import UnitNames, UnitRole, Unread, find_units, name_key
from tracker.excel.import_feedback import Fault
from tracker.excel.preview import PreviewField, PreviewRow
from tracker.models import (
    ChecklistItem,
    ImportBatch,
    Measure,
    Organization,
    PolicyDocument,
    Section,
    Task,
)
from tracker.models.base import History, limited_fields
from tracker.reports.columns import DAY, TEMPLATE_COLUMNS, Column
from tracker.workflow import ChecklistChange

FIRST_CHECKLIST_SHEET = "policydocument"
# What names a row of each kind.
KEY_COLUMNS = {
    FIRST_CHECKLIST_SHEET: ("slug",),
    "section": ("number",),
    "measure": ("code",),
    "task": ("code",),
    "checklistitem": ("code", "number"),
}
LINK_COLUMNS = ("lead_unit", "section", "measure")
# The part that a column leads to, by kind and column.
PARENT_COLUMNS = {
    ("measure", "section"): "section",
    ("task", "measure"): "measure",
    ("checklistitem", "code"): "task",
}
CHECKLIST_MODELS: dict[str, type[models.Model]] = {
    model._meta.model_name or "": model
    for model in (PolicyDocument, Section, Measure, Task, ChecklistItem)
}
LONG_TERM_VALUE = "standing"  # how a batch keeps a deadline that says that there is none
MAX_SMALL = 32_767  # what every database holds in a small whole number

PartKey = tuple[str, ...]


class ChecklistComparer:
    """Judges rows in the order of the sheets; later rows find what earlier ones make."""

    def __init__(self, batch: ImportBatch, today: dt.date) -> None:
        self.today = today
        self.rows: list[ChecklistChange] = []
        self._reason = batch.file_name
        self._near = parsing.NearNames()
        self._units = list(Organization.objects.all())
        self._by_name: dict[str, set[int]] = {}
        for unit in self._units:
            for name in unit.all_names():
                self._by_name.setdefault(name_key(name), set()).add(unit.pk)
        self._unit_of = {unit.pk: unit for unit in self._units}
        in_office = {unit.pk for unit in self._units if unit.active}
        # A unit that has taken the place of another bears its name as an alias.
        self._by_name = {name: keys & in_office or keys for name, keys in self._by_name.items()}
        slug = (
            next(
                (
                    row["values"].get("slug")
                    for row in batch.rows
                    if row["kind"] == FIRST_CHECKLIST_SHEET
                ),
                None,
            )
            or ""
        )
        self._policy = (
            PolicyDocument.objects.defer("full_text").filter(slug=slug).first() or PolicyDocument()
        )
        self._known: dict[PartKey, models.Model] = {}
        self._spelt: dict[PartKey, PartKey] = {}
        self._load_known(slug)
        self._seen: set[PartKey] = set()
        self._near = parsing.NearNames()
        self._stale: list[tuple[PreviewRow, str, models.Model, int]] = []

    def _load_known(self, slug: str) -> None:
        policy = self._policy
        if not policy.pk:
            for other in PolicyDocument.objects.filter(slug__iexact=slug).values_list(
                "slug", flat=True
            ):
                self._spelt[_folded((FIRST_CHECKLIST_SHEET, other))] = (
                    FIRST_CHECKLIST_SHEET,
                    other,
                )
            return
        self._note_known((FIRST_CHECKLIST_SHEET, policy.slug), policy)
        for section in policy.sections.all():
            self._note_known(("section", str(section.number)), section)
        for measure in policy.measures.select_related("section"):
            self._note_known(("measure", measure.code), measure)
        for task in policy.tasks.with_related().defer("policy__full_text"):
            self._note_known(("task", task.code), task)
            for item in task.items.all():
                item.task = task
                self._note_known(("checklistitem", task.code, str(item.number)), item)

    def _note_known(self, key: PartKey, thing: models.Model) -> None:
        self._known[key] = thing
        self._spelt.setdefault(_folded(key), key)

    def judge(self, row: dict[str, Any]) -> PreviewRow:
        """Return how a row is shown; note what it changes."""
        kind = row["kind"]
        values = row["values"]
        faults = dict(row["faults"])
        code = " ".join(str(values.get(name) or "") for name in KEY_COLUMNS[kind])
        entry = PreviewRow(row["sheet"], row["row"], code, "fault")
        state = self._judge(kind, values, entry, faults)
        columns = TEMPLATE_COLUMNS[kind]
        for name, words in faults.items():
            # What is wrong with no column of the sheet is told beside what names the row.
            column = columns.get(name) or columns[KEY_COLUMNS[kind][-1]]
            value = row["typed"].get(name, "")[:200]
            entry.faults.append(Fault(row["sheet"], row["row"], str(column.header), value, words))
        if faults:
            entry.state = "fault"
        else:
            entry.state = state
        return entry

    def _judge(
        self, kind: str, values: dict[str, Any], entry: PreviewRow, faults: dict[str, str]
    ) -> str:
        thing, new = self._thing(kind, values, faults)
        entry.title = str(getattr(thing, "title", "") or getattr(thing, "name", ""))
        fields, co_units = self._fields(kind, thing, values, entry, faults, new)
        if not faults:
            if not new and not fields and co_units is None:
                return "unchanged"
            version = values.get("version")
            if (
                not new
                and isinstance(version, int)
                and version != getattr(thing, "version", version)
            ):
                self._stale.append((entry, kind, thing, version))
                return "stale"
        before = copy.copy(thing)
        for name, value in fields.items():
            setattr(thing, name, value)
        if isinstance(thing, Task) and "lead_unit" in fields:
            thing.lead_is_proposed = False
        for name, words in self._refused(kind, thing, None if new else before, co_units).items():
            faults.setdefault(name, words)
        if not faults:
            if new:
                old = {}
            else:
                old = {name: getattr(before, name) for name in fields}
            self.rows.append(ChecklistChange(thing, new, old, co_units))
        return "changed"

    def _thing(
        self, kind: str, values: dict[str, Any], faults: dict[str, str]
    ) -> tuple[models.Model, bool]:
        """Return the part that a row names, and whether it is new.

        One at fault is known to later rows too.
        """
        missing = [name for name in KEY_COLUMNS[kind] if values.get(name) in (None, "")]
        for name in missing:
            faults.setdefault(name, _("A row needs this to be known by."))
        if missing:
            return (
                self._policy if kind == FIRST_CHECKLIST_SHEET else CHECKLIST_MODELS[kind]()
            ), True
        key = (kind, *(self._spelling(kind, name, str(values[name])) for name in KEY_COLUMNS[kind]))
        known = self._spelt.get(_folded(key), key)
        if _folded(key) in self._seen:
            faults[KEY_COLUMNS[kind][-1]] = _("This stands in the sheet more than once.")
        elif key not in self._known and known != key:
            faults[KEY_COLUMNS[kind][-1]] = _(
                "“%(known)s” is there already; a code that differs in capitals alone is none."
            ) % {"known": known[-1]}
        self._seen.add(_folded(key))
        new = key not in self._known
        if new:
            thing: Any = self._policy
            if kind != FIRST_CHECKLIST_SHEET:
                thing = CHECKLIST_MODELS[kind]()
            self._note_known(key, thing)
        return self._known[key], new

    def _spelling(self, kind: str, name: str, value: str) -> str:
        """Return a code as the part that it leads to spells it."""
        parent = PARENT_COLUMNS.get((kind, name), "")
        if parent:
            return self._spelt.get(_folded((parent, value)), (parent, value))[-1]
        return value

    def _fields(
        self,
        kind: str,
        thing: models.Model,
        values: dict[str, Any],
        entry: PreviewRow,
        faults: dict[str, str],
        new: bool,
    ) -> tuple[dict[str, Any], list[Organization] | None]:
        """Return the fields in which a row differs from what is stored, and the co-operating units
        if they do.
        """
        fields: dict[str, Any] = {}
        co_units: list[Organization] | None = None
        if new and kind not in (FIRST_CHECKLIST_SHEET, "checklistitem"):
            fields["policy"] = self._policy
        for name, column in TEMPLATE_COLUMNS[kind].items():
            if name == "version" or name not in values or name in faults:
                continue
            if name == "co_units":
                co_units = self._co_units(thing, values[name], entry, faults)
                continue
            value = self._meant(kind, name, column, values, faults)
            if name in faults:
                continue
            if kind == "checklistitem" and name == "code":
                field = "task"
            else:
                field = name
            if new and (kind, name) in PARENT_COLUMNS:
                now = None
            else:
                now = getattr(thing, field)
            if now != value and not (new and value in (None, "")):
                fields[field] = value
                entry.fields.append(
                    PreviewField(str(column.header), "", "" if new else _shown(now), _shown(value))
                )
        if isinstance(thing, Task) and values.get("deadline") == LONG_TERM_VALUE:
            self._make_standing(thing, fields, entry, faults, "kind" in values)
        return fields, co_units

    def _make_standing(
        self,
        task: Task,
        fields: dict[str, Any],
        entry: PreviewRow,
        faults: dict[str, str],
        has_kind: bool,
    ) -> None:
        """Let a deadline that says that there is none make a standing task.

        A row that names another kind is asked.
        """
        kind = fields.get("kind", task.kind)
        if kind == Kind.STANDING or "kind" in faults:
            return
        if has_kind and kind:
            faults["deadline"] = _(
                "It says that there is no final deadline, but the kind is “%(kind)s”: choose the "
                "kind “%(standing)s”, "
                "or give a day."
            ) % {"kind": Kind(kind).label, "standing": Kind.STANDING.label}
            return
        header = str(TEMPLATE_COLUMNS["task"]["kind"].header)
        if task.kind:
            now = str(Kind(task.kind).label)
        else:
            now = ""
        fields["kind"] = Kind.STANDING
        entry.fields.append(PreviewField(header, "", _shown(now), str(Kind.STANDING.label)))

    def _meant(
        self, kind: str, name: str, column: Column, values: dict[str, Any], faults: dict[str, str]
    ) -> Any:
        """Return what a value of a row stands for.

        A part for its code, a unit for its name, a day for its text.
        """
        value = values[name]
        if name == "lead_unit":
            return self._lead_unit(value, faults)
        if parent := PARENT_COLUMNS.get((kind, name)):
            return self._parent(parent, name, str(value), faults)
        if column.format == DAY:
            if value == LONG_TERM_VALUE:
                return None
            if isinstance(value, str):
                return dt.date.fromisoformat(value)
            return value
        if value is None:
            field = CHECKLIST_MODELS[kind]._meta.get_field(name)
            if not getattr(field, "blank", True) or isinstance(field, models.IntegerField):
                faults[name] = _("This cannot be erased.")
            return ""
        return value

    def _parent(
        self, parent: str, name: str, value: str, faults: dict[str, str]
    ) -> models.Model | None:
        key = self._spelt.get(_folded((parent, value)), (parent, value))
        thing = self._known.get(key)
        if thing is None:
            near = self._near.of(value, [key[1] for key in self._known if key[0] == parent])
            if near:
                words = _("It is not known; names that come near: %(near)s.")
            else:
                words = _("It is not known.")
            faults[name] = words % {"near": _list(near)}
        return thing

    def _find_unit(self, key: str) -> Organization | None:
        found = self._by_name.get(key, set())
        if len(found) == 1:
            return self._unit_of[next(iter(found))]
        return None

    def _lead_unit(self, pieces: list[str] | None, faults: dict[str, str]) -> Organization | None:
        names = find_units(pieces or [], self._find_unit)
        words = self._unread_words(names)
        if len({unit.pk for unit, _role in names.found}) > 1:
            words.append(_("One unit leads; the others co-operate."))
        elif any(role == UnitRole.HELPS for _unit, role in names.found):
            words.append(_("It is marked as co-operating: the lead unit stands here."))
        if words:
            faults["lead_unit"] = " ".join(words)
        if names.found:
            return names.found[0][0]
        return None

    def _co_units(
        self,
        thing: models.Model,
        pieces: list[str] | None,
        entry: PreviewRow,
        faults: dict[str, str],
    ) -> list[Organization] | None:
        """Return the co-operating units of a row where they differ from what is stored."""
        names = find_units(pieces or [], self._find_unit)
        words = self._unread_words(names)
        if leading := [unit.short_name for unit, role in names.found if role == UnitRole.LEADS]:
            words.append(
                _("%(units)s: marked as leading; the lead unit has its own column.")
                % {"units": _list(leading)}
            )
        if words:
            faults["co_units"] = " ".join(words)
            return None
        units = list({unit.pk: unit for unit, _role in names.found}.values())
        if isinstance(thing, Task) and thing.pk:
            now = list(thing.co_units.all())
        else:
            now = []
        if {unit.pk for unit in units} == {unit.pk for unit in now}:
            return None
        header = str(TEMPLATE_COLUMNS["task"]["co_units"].header)
        entry.fields.append(PreviewField(header, "", _names(now), _names(units)))
        return units

    def _unread_words(self, names: UnitNames[Organization]) -> list[str]:
        """Say of every piece of a cell that is no unit what is wrong with it."""
        words = []
        for text, reason in names.unread:
            if reason == Unread.AND_OTHERS:
                said = _(
                    "“%(name)s”: name each unit, and leave out the word that stands for others."
                )
                words.append(said % {"name": text[:40]})
            else:
                near = self._near_units(text)
                said = _("“%(name)s” names no unit, or several.")
                if near:
                    said = _(
                        "“%(name)s” names no unit, or several; names that come near: %(near)s."
                    )
                words.append(said % {"name": text[:40], "near": _list(near)})
        return words

    def _near_units(self, text: str) -> list[str]:
        """Return the names of units that come near to a text, with the units that bear them."""
        known = {}
        for unit in self._units:
            for name in unit.all_names():
                known[name] = unit.short_name
        found = []
        for name in self._near.of(text, list(known)):
            found.append(
                name
                if name == known.get(name, name)
                else _("%(name)s (%(unit)s)") % {"name": name, "unit": known[name]}
            )
        return found

    def _refused(
        self,
        kind: str,
        thing: models.Model,
        before: models.Model | None,
        co_units: list[Organization] | None,
    ) -> dict[str, str]:
        """Say what writing a row would refuse, by column."""
        faults: dict[str, str] = {}
        for (child, name), _parent in PARENT_COLUMNS.items():
            if kind == "checklistitem":
                parent_field = "task"
            else:
                parent_field = name
            if child == kind and parent_field not in thing._state.fields_cache:
                faults[name] = _("A new row needs this.")
        linked = set()
        for field in thing._meta.get_fields():
            if field.is_relation:
                linked.add(field.name)
        # A text that is too long already stays as it is.
        same = {
            name
            for name in limited_fields(type(thing))
            if before and getattr(before, name) == getattr(thing, name)
        }
        try:
            thing.clean_fields(exclude=linked | same)
        except ValidationError as error:
            faults |= {name: " ".join(words) for name, words in error.message_dict.items()}
        for small in thing._meta.concrete_fields:
            value = getattr(thing, small.attname)
            if (
                isinstance(small, models.PositiveSmallIntegerField)
                and isinstance(value, int)
                and value > MAX_SMALL
            ):
                faults[small.name] = _("At most %(most)d.") % {"most": MAX_SMALL}
        if isinstance(thing, Task) and not faults:
            faults |= self._refused_task(
                thing, before if isinstance(before, Task) else None, co_units
            )
        return faults

    def _refused_task(
        self, task: Task, before: Task | None, co_units: list[Organization] | None
    ) -> dict[str, str]:
        """Say what of a task and its units writing would refuse."""
        faults: dict[str, str] = {}
        try:
            workflow.validate_change(task, before, self._reason, self.today)
        except ValidationError as error:
            faults |= {name: " ".join(words) for name, words in _by_field(error).items()}
        if task.pk:
            stored = list(task.co_units.all())
        else:
            stored = []
        if co_units is None:
            units = stored
        else:
            units = co_units
        if task.lead_unit in units:
            if co_units is None:
                name = "lead_unit"
            else:
                name = "co_units"
            said = _("The lead unit does not co-operate with itself: %(unit)s.")
            faults.setdefault(name, said % {"unit": task.lead_unit})
        retired = _("No longer in office: %(units)s.")
        lead = task.lead_unit
        if lead and not lead.active and (before is None or before.lead_unit_id != lead.pk):
            faults.setdefault("lead_unit", retired % {"units": lead})
        if gone := [unit for unit in units if not unit.active and unit not in stored]:
            faults.setdefault("co_units", retired % {"units": _names(gone)})
        return faults

    def recall(self) -> None:
        """Say of stale rows what stood there when the file was made: the history knows.

        A query for each kind.
        """
        names: dict[Any, str] = {}
        for unit in self._units:
            names[("lead_unit", unit.pk)] = str(unit)
        names |= {
            (key[0], thing.pk): str(thing)
            for key, thing in self._known.items()
            if key[0] in LINK_COLUMNS
        }
        links = History.m2m_models[Task._meta.get_field("co_units")].objects
        for kind in {kind for _entry, kind, _thing, _version in self._stale}:
            mine = []
            for each in self._stale:
                if each[1] == kind:
                    mine.append(each)
            history: Any = CHECKLIST_MODELS[kind]
            kept = history.history.filter(
                id__in={row[2].pk for row in mine}, version__in={row[3] for row in mine}
            )
            found = {}
            for each in kept.order_by("history_date", "history_id"):
                found[(each.id, each.version)] = each
            if kind == "task":
                rows = [each.pk for each in found.values()]
            else:
                rows = []
            helped = set(links.filter(history__in=rows).values_list("history", "organization"))
            headers = {str(column.header): name for name, column in TEMPLATE_COLUMNS[kind].items()}
            for entry, _kind, thing, version in mine:
                for field in entry.fields:
                    name = headers[field.header]
                    then = found.get((thing.pk, version))
                    value = getattr(then, f"{name}_id" if name in LINK_COLUMNS else name, None)
                    if name == "co_units" and then:
                        value = _list(
                            [
                                unit.short_name
                                for unit in self._units
                                if (then.pk, unit.pk) in helped
                            ]
                        )
                    elif name in LINK_COLUMNS:
                        value = names.get((name, value))
                    field.then = _shown(value)


def _folded(key: PartKey) -> PartKey:
    return tuple(fold(part) for part in key)


def _by_field(error: ValidationError) -> Mapping[str, list[str]]:
    """Return the messages of an error by field; one that names none is told beside the code."""
    if hasattr(error, "error_dict"):
        return error.message_dict
    return {"code": error.messages}


def _names(units: list[Organization]) -> str:
    return _list([unit.short_name for unit in units])


def _list(words: list[str]) -> str:
    return pgettext("list", ", ").join(words) or "—"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        if value:
            return parsing.DONE[0]
        return parsing.UNDONE[0]
    if value is None or value == "":
        return "—"
    return str(value)
