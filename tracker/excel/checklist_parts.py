"""The parts of a policy's checklist: what names them in a workbook, and those that are known."""

from django.db import models

from tracker.domain.folding import fold
from tracker.models import ChecklistItem, Measure, PolicyDocument, Section, Task

FIRST_CHECKLIST_SHEET = "policydocument"
# What names a row of each kind.
KEY_COLUMNS = {
    FIRST_CHECKLIST_SHEET: ("slug",),
    "section": ("number",),
    "measure": ("code",),
    "task": ("code",),
    "checklistitem": ("code", "number"),
}
# The part that a column leads to, by kind and column.
PARENT_COLUMNS = {
    ("measure", "section"): "section",
    ("task", "measure"): "measure",
    ("checklistitem", "code"): "task",
}
CHECKLIST_MODELS: dict[str, type[models.Model]] = {
    FIRST_CHECKLIST_SHEET: PolicyDocument,
    "section": Section,
    "measure": Measure,
    "task": Task,
    "checklistitem": ChecklistItem,
}
LONG_TERM_VALUE = "standing"  # how a batch stores a deadline that says that there is none

PartKey = tuple[str, ...]  # the kind of a part, and what names it


class KnownParts:
    """The parts of a policy by their keys: those that are stored, and those that rows add."""

    def __init__(self, policy: PolicyDocument, slug: str) -> None:
        """Fetch the parts of a policy, or of a new one the addresses that are spelt like it."""
        self._parts: dict[PartKey, models.Model] = {}
        self._spelt: dict[PartKey, PartKey] = {}
        if policy.pk:
            self._load(policy)
        else:
            alike = PolicyDocument.objects.filter(slug__iexact=slug)
            for other in alike.values_list("slug", flat=True):
                key = (FIRST_CHECKLIST_SHEET, other)
                self._spelt[folded_key(key)] = key

    def _load(self, policy: PolicyDocument) -> None:
        self.add((FIRST_CHECKLIST_SHEET, policy.slug), policy)
        for section in policy.sections.all():
            self.add(("section", str(section.number)), section)
        for measure in policy.measures.select_related("section"):
            self.add(("measure", measure.code), measure)
        for task in policy.tasks.with_related().defer("policy__full_text"):
            self.add(("task", task.code), task)
            for item in task.items.all():
                item.task = task
                self.add(("checklistitem", task.code, str(item.number)), item)

    def add(self, key: PartKey, part: models.Model) -> None:
        """Make a part known; the first spelling of a key counts."""
        self._parts[key] = part
        self._spelt.setdefault(folded_key(key), key)

    def get(self, key: PartKey) -> models.Model | None:
        """Return the part of a key; None where there is none."""
        return self._parts.get(key)

    def spelling(self, key: PartKey) -> PartKey:
        """Return a key as the part that it means spells it; itself where none is known."""
        return self._spelt.get(folded_key(key), key)

    def find(self, kind: str, code: str) -> models.Model | None:
        """Return the part of a kind by its code, in any spelling."""
        return self._parts.get(self.spelling((kind, code)))

    def codes(self, kind: str) -> list[str]:
        """Return the codes of all parts of a kind."""
        return [key[1] for key in self._parts if key[0] == kind]

    def names(self, kinds: tuple[str, ...]) -> dict[tuple[str, int], str]:
        """Return the names of all parts of some kinds, by kind and primary key."""
        names = {}
        for key, part in self._parts.items():
            if key[0] in kinds:
                names[(key[0], part.pk)] = str(part)
        return names


def folded_key(key: PartKey) -> PartKey:
    """Return a key as keys are compared."""
    return tuple(fold(part) for part in key)
