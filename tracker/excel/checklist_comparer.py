"""Compare the rows of a checklist with the policy as it is stored: changes, and what is wrong.

Everything that saving would refuse is found here, of all rows at once, so that a person corrects a
file once.
"""

import copy
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from tracker.domain import parsing
from tracker.domain.choices import Kind
from tracker.excel.checklist_checks import find_refusals
from tracker.excel.checklist_history import FormerValues, StaleRow
from tracker.excel.checklist_parts import (
    CHECKLIST_MODELS,
    FIRST_CHECKLIST_SHEET,
    KEY_COLUMNS,
    LONG_TERM_VALUE,
    PARENT_COLUMNS,
    KnownParts,
    PartKey,
    folded_key,
)
from tracker.excel.checklist_units import UnitReader, join_units
from tracker.excel.import_feedback import Fault
from tracker.excel.preview import (
    MAX_SHOWN_TYPED,
    PreviewField,
    PreviewRow,
    join_names,
    preview_text,
)
from tracker.models import ImportBatch, Organization, PolicyDocument, Task
from tracker.reports.checklist_columns import TEMPLATE_COLUMNS
from tracker.reports.columns import DAY_FORMAT, Column
from tracker.workflow import ChecklistChange


@dataclass
class ComparedPart:
    """A row of a checklist beside the part of the policy that it names, and what differs.

    `co_units` are the co-operating units that the row gives a task, None where they stay.
    """

    kind: str
    values: dict[str, Any]
    part: models.Model
    is_new: bool
    entry: PreviewRow
    faults: dict[str, str]
    fields: dict[str, Any] = field(default_factory=dict)
    co_units: list[Organization] | None = None

    def header(self, name: str) -> str:
        """Return the header of a column."""
        return str(TEMPLATE_COLUMNS[self.kind][name].header)

    def stored_value(self, name: str) -> Any:
        """Return what is stored in place of a column; a new part has no parent yet."""
        if self.is_new and (self.kind, name) in PARENT_COLUMNS:
            return None
        return getattr(self.part, self.field_of(name))

    def field_of(self, name: str) -> str:
        """Return the field of a column: the code of a step leads to its task."""
        if self.kind == "checklistitem" and name == "code":
            return "task"
        return name


class ChecklistComparer:
    """Compares rows in the order of the sheets; later rows find what earlier ones add."""

    def __init__(self, batch: ImportBatch, today: dt.date) -> None:
        """Fetch the policy with its parts, and the units; a fixed number of queries."""
        self.rows: list[ChecklistChange] = []
        self._today = today
        self._reason = batch.file_name
        self._near = parsing.NearNames()
        self._units = UnitReader(Organization.objects.all(), self._near)
        slug = _slug_of(batch)
        stored = PolicyDocument.objects.defer("full_text").filter(slug=slug).first()
        self._policy = stored or PolicyDocument()
        self._parts = KnownParts(self._policy, slug)
        self._seen: set[PartKey] = set()
        self._stale: list[StaleRow] = []

    def compare(self, row: dict[str, Any]) -> PreviewRow:
        """Return how a row is shown; note what it changes."""
        kind = row["kind"]
        values = row["values"]
        faults = dict(row["faults"])
        code = " ".join([str(values.get(name) or "") for name in KEY_COLUMNS[kind]])
        entry = PreviewRow(row["sheet"], row["row"], code, "fault")
        part, is_new = self._find_part(kind, values, faults)
        entry.title = str(getattr(part, "title", "") or getattr(part, "name", ""))
        compared = ComparedPart(kind, values, part, is_new, entry, faults)
        self._compare_fields(compared)
        state = self._state_of(compared)
        for name, text in faults.items():
            # What is wrong with no column of the sheet is shown beside what names the row.
            column = TEMPLATE_COLUMNS[kind].get(name) or TEMPLATE_COLUMNS[kind][key_column(kind)]
            typed = row["typed"].get(name, "")[:MAX_SHOWN_TYPED]
            entry.faults.append(Fault(row["sheet"], row["row"], str(column.header), typed, text))
        if not faults:
            entry.state = state
        return entry

    def add_former_values(self) -> None:
        """Show beside stale rows what was stored when the file was made."""
        FormerValues(self._units.units, self._parts).fill_in(self._stale)

    def _state_of(self, compared: ComparedPart) -> str:
        if not compared.faults and not compared.is_new:
            if not compared.fields and compared.co_units is None:
                return "unchanged"
            version = compared.values.get("version")
            current = getattr(compared.part, "version", version)
            if isinstance(version, int) and version != current:
                stale = StaleRow(compared.entry, compared.kind, compared.part, version)
                self._stale.append(stale)
                return "stale"
        self._apply(compared)
        return "changed"

    def _apply(self, compared: ComparedPart) -> None:
        """Change the part as the row asks, and note the change if saving would not refuse it."""
        part = compared.part
        before = copy.copy(part)
        for name, value in compared.fields.items():
            setattr(part, name, value)
        if isinstance(part, Task) and "lead_unit" in compared.fields:
            part.lead_is_proposed = False
        stored = None
        old = {}
        if not compared.is_new:
            stored = before
            old = {name: getattr(before, name) for name in compared.fields}
        refusals = find_refusals(
            compared.kind, part, stored, compared.co_units, self._reason, self._today
        )
        for name, text in refusals.items():
            compared.faults.setdefault(name, text)
        if not compared.faults:
            self.rows.append(ChecklistChange(part, compared.is_new, old, compared.co_units))

    def _find_part(
        self, kind: str, values: dict[str, Any], faults: dict[str, str]
    ) -> tuple[models.Model, bool]:
        """Return the part that a row names, and whether it is new.

        One at fault is known to later rows too.
        """
        missing = [name for name in KEY_COLUMNS[kind] if values.get(name) in (None, "")]
        for name in missing:
            faults.setdefault(name, _("This is required to identify the row."))
        if missing:
            return self._new_part(kind), True
        names = [self._spelling(kind, name, str(values[name])) for name in KEY_COLUMNS[kind]]
        key = (kind, *names)
        self._check_key(key, faults)
        part = self._parts.get(key)
        if part is not None:
            return part, False
        part = self._new_part(kind)
        self._parts.add(key, part)
        return part, True

    def _new_part(self, kind: str) -> models.Model:
        if kind == FIRST_CHECKLIST_SHEET:
            return self._policy
        return CHECKLIST_MODELS[kind]()

    def _check_key(self, key: PartKey, faults: dict[str, str]) -> None:
        """Refuse a key that was in the file before, or is known in another spelling."""
        column = key_column(key[0])
        known = self._parts.spelling(key)
        if folded_key(key) in self._seen:
            faults[column] = _("This appears in the sheet more than once.")
        elif self._parts.get(key) is None and known != key:
            faults[column] = _(
                "“%(known)s” already exists; a code must differ in more than case."
            ) % {"known": known[-1]}
        self._seen.add(folded_key(key))

    def _spelling(self, kind: str, name: str, value: str) -> str:
        """Return a code as the part that it leads to spells it."""
        parent = PARENT_COLUMNS.get((kind, name))
        if parent:
            return self._parts.spelling((parent, value))[-1]
        return value

    def _compare_fields(self, compared: ComparedPart) -> None:
        """Note the fields in which a row differs from what is stored."""
        kind = compared.kind
        if compared.is_new and kind not in (FIRST_CHECKLIST_SHEET, "checklistitem"):
            compared.fields["policy"] = self._policy
        for name, column in TEMPLATE_COLUMNS[kind].items():
            if name == "version" or name not in compared.values or name in compared.faults:
                continue
            if name == "co_units":
                self._compare_co_units(compared)
            else:
                self._compare_field(compared, name, column)
        if isinstance(compared.part, Task) and compared.values.get("deadline") == LONG_TERM_VALUE:
            self._make_standing(compared, compared.part)

    def _compare_field(self, compared: ComparedPart, name: str, column: Column) -> None:
        value = self._meaning(compared, name, column)
        if name in compared.faults:
            return
        stored = compared.stored_value(name)
        if stored == value or (compared.is_new and value in (None, "")):
            return
        compared.fields[compared.field_of(name)] = value
        now = ""
        if not compared.is_new:
            now = preview_text(stored)
        compared.entry.fields.append(PreviewField(str(column.header), "", now, preview_text(value)))

    def _compare_co_units(self, compared: ComparedPart) -> None:
        """Note the co-operating units where they differ from what is stored."""
        units, problems = self._units.read_co_units(compared.values["co_units"])
        if problems:
            compared.faults["co_units"] = " ".join(problems)
            return
        stored: list[Organization] = []
        if isinstance(compared.part, Task) and compared.part.pk:
            stored = list(compared.part.co_units.all())
        if set(units) == set(stored):
            return
        compared.co_units = units
        compared.entry.fields.append(
            PreviewField(compared.header("co_units"), "", join_units(stored), join_units(units))
        )

    @staticmethod
    def _make_standing(compared: ComparedPart, task: Task) -> None:
        """Make a standing task of one whose deadline says that there is none.

        A row that names another kind is at fault.
        """
        kind = compared.fields.get("kind", task.kind)
        if kind == Kind.STANDING or "kind" in compared.faults:
            return
        if "kind" in compared.values and kind:
            compared.faults["deadline"] = _(
                "It says that there is no final deadline, but the kind is “%(kind)s”: choose the "
                "kind “%(standing)s”, or enter a date."
            ) % {"kind": Kind(kind).label, "standing": Kind.STANDING.label}
            return
        now = ""
        if task.kind:
            now = str(Kind(task.kind).label)
        compared.fields["kind"] = Kind.STANDING
        compared.entry.fields.append(
            PreviewField(compared.header("kind"), "", preview_text(now), str(Kind.STANDING.label))
        )

    def _meaning(self, compared: ComparedPart, name: str, column: Column) -> Any:
        """Return what a value of a row means: a part for its code, a unit, a day for its text."""
        value = compared.values[name]
        if name == "lead_unit":
            unit, problems = self._units.read_lead(value)
            if problems:
                compared.faults[name] = " ".join(problems)
            return unit
        parent = PARENT_COLUMNS.get((compared.kind, name))
        if parent:
            return self._parent(parent, name, str(value), compared.faults)
        if column.format == DAY_FORMAT:
            return _day_of(value)
        if value is None:
            model_field = CHECKLIST_MODELS[compared.kind]._meta.get_field(name)
            is_number = isinstance(model_field, models.IntegerField)
            if is_number or not getattr(model_field, "blank", True):
                compared.faults[name] = _("This cannot be cleared.")
            return ""
        return value

    def _parent(
        self, parent: str, name: str, value: str, faults: dict[str, str]
    ) -> models.Model | None:
        part = self._parts.find(parent, value)
        if part is None:
            faults[name] = _("Not found.")
            near = self._near.of(value, self._parts.codes(parent))
            if near:
                text = _("Not found; similar names: %(near)s.")
                faults[name] = text % {"near": join_names(near)}
        return part


def key_column(kind: str) -> str:
    """Return the column that names a row of a kind most closely."""
    return KEY_COLUMNS[kind][-1]


def _slug_of(batch: ImportBatch) -> str:
    """Return the short address of the policy that a batch is of."""
    for row in batch.rows:
        if row["kind"] == FIRST_CHECKLIST_SHEET:
            return row["values"].get("slug") or ""
    return ""


def _day_of(value: Any) -> dt.date | None:
    if value == LONG_TERM_VALUE:
        return None
    if isinstance(value, str):
        return dt.date.fromisoformat(value)
    day: dt.date | None = value
    return day
