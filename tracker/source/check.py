"""Gather what can be proved about a policy: its counts, what is still open, and its anchors in the text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from tracker.choices import Kind
from tracker.dates import is_working_day
from tracker.models import BackgroundPassage, ChecklistItem, DeclaredCount, Measure, PolicyDocument, Section, Task
from tracker.source.anchors import Anchor, Coverage, clauses, coverage

Anchored = Section | Measure | Task | ChecklistItem | DeclaredCount | BackgroundPassage


class Gap(TextChoices):
    """What a task may lack before it can be handed over, or have that no form would let through."""

    DEADLINE = "deadline", _("without a deadline")
    LEAD = "lead", _("without a lead unit")
    KIND = "kind", _("without a kind")
    PROPOSED = "proposed", _("with a lead unit that is only a proposal")
    DAY_OFF = "day_off", _("with a deadline on a day off")
    OWN_CO_UNIT = "own_co_unit", _("with the lead unit among its own co-operating units")
    FOREIGN_MEASURE = "foreign_measure", _("under a measure of another policy")


GAPS: dict[Gap, Callable[[Task], bool]] = {
    # A standing task has no final deadline by its nature.
    Gap.DEADLINE: lambda task: task.kind != Kind.STANDING and task.deadline is None,
    Gap.LEAD: lambda task: task.lead_unit is None,
    Gap.KIND: lambda task: not task.kind,
    Gap.PROPOSED: lambda task: task.lead_unit is not None and task.lead_is_proposed,
    Gap.DAY_OFF: lambda task: task.deadline is not None and not is_working_day(task.deadline)[0],
    Gap.OWN_CO_UNIT: lambda task: task.lead_unit in task.co_units.all(),
    Gap.FOREIGN_MEASURE: lambda task: task.measure.policy_id != task.policy_id,
}


@dataclass(frozen=True)
class Count:
    """A number that the text states, and what was counted against it."""

    name: str
    declared: int
    found: int

    @property
    def holds(self) -> bool:
        """Say whether the text's number is right."""
        return self.declared == self.found


@dataclass(frozen=True)
class Reading:
    """What the anchors make of the text, and how much of it lies outside the sections."""

    text: str
    anchors: int
    coverage: Coverage
    clauses_before: int
    clauses_after: int


@dataclass(frozen=True)
class Findings:
    """Everything that `check_policy` says."""

    measures: list[int]
    general: int
    tasks: int
    items: int
    counts: list[Count]
    gaps: dict[Gap, list[str]]
    reading: Reading | None

    @property
    def faults(self) -> int:
        """Count what is wrong; what is merely open is no fault."""
        wrong = sum(not count.holds for count in self.counts)
        if self.reading:
            found = self.reading.coverage
            wrong += len(found.missing) + len(found.repeated) + len(found.open)
        return wrong


def check(policy: PolicyDocument, text: str | None = None) -> Findings:
    """Check a policy; with its text, the anchors too."""
    tasks = list(policy.tasks.counted().with_related())
    found = {gap: [task.code for task in tasks if lacks(task)] for gap, lacks in GAPS.items()}
    declared = policy.counts.select_related("section", "task")
    return Findings(
        measures=[section.measures.filter(general=False).count() for section in policy.sections.all()],
        general=policy.measures.filter(general=True).count(),
        tasks=len(tasks),
        items=sum(len(task.items.all()) for task in tasks),
        counts=[Count(count.name, count.number, count.found()) for count in declared],
        gaps={gap: codes for gap, codes in found.items() if codes},
        reading=None if text is None else read(policy, text),
    )


def read(policy: PolicyDocument, text: str) -> Reading:
    """Look for all anchors of a policy in a text."""
    asked = [anchor for anchor, _row in anchored(policy, list(policy.tasks.all()))]
    marked = [_anchor(passage) for passage in policy.background.all()]
    found = coverage(text, asked, marked, opening_of(policy))
    return Reading(
        text=text,
        anchors=len(asked) + len(marked),
        coverage=found,
        clauses_before=len(clauses(text[: found.within.start])),
        clauses_after=len(clauses(text[found.within.end :])),
    )


def opening_of(policy: PolicyDocument) -> str:
    """Return the words with which the sections begin."""
    first = policy.sections.first()
    return (first.anchor or first.name) if first else ""


def anchored(policy: PolicyDocument, tasks: Sequence[Task]) -> list[tuple[Anchor, Anchored]]:
    """Return everything of a policy that is done or counted and has an anchor: of its tasks, those given."""
    items = ChecklistItem.objects.filter(task__in=tasks).exclude(anchor="").select_related("task")
    rows: list[tuple[Anchored, str]] = [
        *((section, section.letter) for section in policy.sections.all()),
        *((measure, measure.code) for measure in policy.measures.select_related("section")),
        *((task, task.code) for task in tasks),
        *((item, f"{item.task.code}/{item.number}") for item in items),
        *((count, count.name) for count in policy.counts.all()),
    ]
    return [(_anchor(row, name), row) for row, name in rows if row.anchor]


def _anchor(row: Anchored, name: str = "") -> Anchor:
    return Anchor(str(row._meta.verbose_name), name, row.anchor)
