"""Compare the anchors of a policy with its text."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.anchors import Anchor, Coverage, coverage
from tracker.domain.passages import split_clauses
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Measure,
    PolicyDocument,
    Section,
    Task,
)

Anchored = Section | Measure | Task | ChecklistItem | DeclaredCount | BackgroundPassage


@dataclass(frozen=True)
class AnchorReading:
    """What the anchors make of the text, and how much of it lies outside the sections."""

    text: str
    rows: dict[Anchor, Anchored]
    coverage: Coverage
    clauses_before: int
    clauses_after: int


def read_anchors(policy: PolicyDocument, text: str, tasks: Sequence[Task]) -> AnchorReading:
    """Look in a text for the anchors of a policy and of its tasks."""
    passages = []
    for passage in policy.background.all():
        passages.append((_anchor(passage), passage))
    asked = dict(anchored(policy, tasks))
    marked = dict(passages)
    found = coverage(text, asked, marked, opening_of(policy))
    return AnchorReading(
        text=text,
        rows={**asked, **marked},
        coverage=found,
        clauses_before=len(split_clauses(text[: found.within.start])),
        clauses_after=len(split_clauses(text[found.within.end :])),
    )


def opening_of(policy: PolicyDocument) -> str:
    """Return the words with which the sections begin."""
    first = policy.sections.first()
    if first:
        return first.anchor or first.name
    return ""


def anchored(policy: PolicyDocument, tasks: Sequence[Task]) -> list[tuple[Anchor, Anchored]]:
    """Return everything of a policy that is done or counted and has an anchor.

    Of its tasks, those given.
    """
    items = ChecklistItem.objects.filter(task__in=tasks).exclude(anchor="").select_related("task")
    rows: list[tuple[Anchored, str]] = [
        *((section, section.letter) for section in policy.sections.all()),
        *((measure, measure.code) for measure in policy.measures.select_related("section")),
        *((task, task.code) for task in tasks),
        *((item, f"{item.task.code}/{item.number}") for item in items),
        *((count, count.name) for count in policy.counts.all()),
    ]
    found = []
    for row, name in rows:
        if row.anchor:
            found.append((_anchor(row, name), row))
    return found


def _anchor(row: Anchored, name: str = "") -> Anchor:
    return Anchor(str(row._meta.verbose_name), name, row.anchor)
