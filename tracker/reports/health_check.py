"""The health check of a policy.

What is wrong, missing or doubtful, why it matters, and where it is mended.

Page, sheet of the ledger and `check_policy` show the findings of one `examine`. They speak of the
policy as it stands and know no day: what a day makes of it, the lights say.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from django.db.models import Count as CountOf
from django.db.models import F, Model
from django.urls import reverse
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.domain.anchors import Anchor
from tracker.domain.choices import Severity, Status
from tracker.domain.folding import fold
from tracker.domain.passages import piece_at, split_sentences
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Evidence,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
)
from tracker.reports import links
from tracker.reports.coverage import AnchorReading, read_anchors
from tracker.reports.health_rules import (
    COUNT_CHECK,
    HEALTH_CHECKS,
    LOST_ANCHOR_CHECK,
    PASSAGE_CHECK,
    REPEATED_ANCHOR_CHECK,
    CheckupFacts,
    HealthCheck,
)

if TYPE_CHECKING:
    from tracker.domain.permissions import Account

SEVERAL_TIMES = 2  # periods for which the same words were handed in as news


@dataclass(frozen=True)
class HealthFinding:
    """One thing that is not as it should be: where, what, and whose forms mend it."""

    check: HealthCheck
    place: str
    thing: Model
    what: str
    mends: tuple[Model, ...] = ()
    sentence: int | None = None  # of the text; its page mends it

    @property
    def task(self) -> Task | None:
        """Return the task that it is about."""
        if isinstance(self.thing, Task):
            return self.thing
        return None

    def page(self, slug: str) -> str:
        """Return the address of the page that shows the thing.

        What has none of its own stands in the text.
        """
        thing = self.thing
        if isinstance(thing, PolicyDocument | DeclaredCount | BackgroundPassage):
            return reverse("text", args=[slug])
        if isinstance(thing, ChecklistItem):
            thing = thing.task
        return links.page_url(thing, slug, {})

    def mended_at(self, slug: str, user: "Account") -> str:
        """Return the address where a reader mends it.

        "" where the reader may not, or the page itself is the place.
        """
        if self.sentence is not None and permissions.may_edit_policies(user):
            return f"{reverse('text', args=[slug])}?at={self.sentence}"
        for row in self.mends:
            if permissions.may_edit(user, type(row)):
                address = links.form_url(row)
                if self.check.field:
                    address += f"#id_{self.check.field}"
                return address
        return ""


@dataclass(frozen=True)
class CountCheck:
    """A number that the text states, and what was counted against it."""

    name: str
    declared: int
    found: int

    @property
    def holds(self) -> bool:
        """Say whether the text's number is right."""
        return self.declared == self.found

    @property
    def words(self) -> str:
        """Say both numbers."""
        return _("%(name)s: declared %(declared)s, found %(found)s") % {
            "name": self.name,
            "declared": self.declared,
            "found": self.found,
        }


@dataclass(frozen=True)
class Checkup:
    """What was looked at and what was found, the gravest first.

    `reading` where the text is loaded.
    """

    measures: list[int]
    general: int
    tasks: int
    items: int
    counts: list[CountCheck]
    reading: AnchorReading | None
    findings: list[HealthFinding]

    @property
    def groups(self) -> list[tuple[HealthCheck, list[HealthFinding]]]:
        """Return the findings by kind."""
        groups = []
        for check, found in groupby(self.findings, key=lambda each: each.check):
            groups.append((check, list(found)))
        return groups

    @property
    def severities(self) -> list[tuple[Severity, int]]:
        """Count the findings of each severity."""
        found = [finding.check.severity for finding in self.findings]
        return [(severity, found.count(severity)) for severity in Severity]

    @property
    def errors(self) -> int:
        """Count what is wrong beyond doubt; what is merely open or doubtful is no error."""
        return dict(self.severities)[Severity.ERROR]


def run_checkup(policy: PolicyDocument, text: str | None = None) -> Checkup:
    """Examine a policy with its own text, or with another.

    8 queries, with a text 14, whatever its size.
    """
    every = _tasks_of(policy)
    tasks = [task for task in every if task.status != Status.CANCELLED]
    sections = list(policy.sections.prefetch_related("measures"))
    counts = _count_checks(policy, sections, every)
    if text is None:
        text = policy.full_text or None
    reading = None
    if text is not None:
        # What a cancelled task was to do is settled: its passage says so on the text page, and is
        # not open.
        reading = read_anchors(policy, text, every)
    # In the order of HEALTH_CHECKS.
    findings = [*_of_counts(counts), *_of_text(reading, policy), *_of_tasks(tasks, policy)]
    general = [_general_flags(section) for section in sections]
    return Checkup(
        measures=[flags.count(False) for flags in general],
        general=sum(map(sum, general)),
        tasks=len(tasks),
        items=sum(len(task.items.all()) for task in tasks),
        counts=[count for _row, count in counts],
        reading=reading,
        findings=findings,
    )


def _tasks_of(policy: PolicyDocument) -> list[Task]:
    """Return all tasks of a policy with what the checks read of them."""
    related = policy.tasks.select_related("measure", "lead_unit")
    related = related.prefetch_related("co_units", "items")
    tasks = list(related.defer("description", "remark", "search"))
    for task in tasks:
        task.policy = policy
    return tasks


def _general_flags(section: Section) -> list[bool]:
    """Say of each measure of a section whether it is a general demand."""
    return [measure.general for measure in section.measures.all()]


def _count_checks(
    policy: PolicyDocument, sections: list[Section], tasks: list[Task]
) -> list[tuple[DeclaredCount, CountCheck]]:
    """Return each declared count of a policy with what is found of it."""
    counts = list(policy.counts.all())
    _join(counts, sections, tasks)
    checks = []
    for row in counts:
        checks.append((row, CountCheck(row.name, row.number, row.found())))
    return checks


def _join(counts: list[DeclaredCount], sections: list[Section], tasks: list[Task]) -> None:
    """Give each declared count what it counts, fetched already."""
    parts = {}
    for part in sections:
        parts[part.pk] = part
    known = {}
    for task in tasks:
        known[task.pk] = task
    for count in counts:
        count.section = parts.get(count.section_id or 0)
        count.task = known.get(count.task_id or 0)


def _of_counts(counts: list[tuple[DeclaredCount, CountCheck]]) -> list[HealthFinding]:
    """Return the declared counts that do not agree with what is found."""
    findings = []
    for row, count in counts:
        if not count.holds:
            findings.append(HealthFinding(COUNT_CHECK, row.name, row, count.words, (row,)))
    return findings


def _of_text(reading: AnchorReading | None, policy: PolicyDocument) -> Iterator[HealthFinding]:
    """Find passages that nobody took up, and anchors that find no passage."""
    if reading is None:
        return
    cut = split_sentences(reading.text)
    text = reading.text
    for clause in reading.coverage.open:
        number = piece_at(cut, clause.span.start)
        place = _("sentence %(number)d") % {"number": number + 1}
        what = _("unaccounted for: %(clause)s") % {"clause": clause.span.of(text)}
        yield HealthFinding(PASSAGE_CHECK, place, policy, what, sentence=number)
    for anchor in reading.coverage.missing:
        what = _("not found: %(owner)s “%(anchor)s”") % {
            "owner": anchor.owner,
            "anchor": anchor.text,
        }
        yield _of_anchor(LOST_ANCHOR_CHECK, anchor, reading, what)
    for anchor, spans in reading.coverage.repeated:
        what = _("found %(times)s times: %(owner)s “%(anchor)s”") % {
            "times": len(spans),
            "owner": anchor.owner,
            "anchor": anchor.text,
        }
        yield _of_anchor(REPEATED_ANCHOR_CHECK, anchor, reading, what)


def _of_anchor(
    check: HealthCheck, anchor: Anchor, reading: AnchorReading, what: str
) -> HealthFinding:
    row = reading.rows[anchor]
    return HealthFinding(check, anchor.name or anchor.kind, row, what, (row,))


def _of_tasks(tasks: list[Task], policy: PolicyDocument) -> Iterator[HealthFinding]:
    """Ask each task what its status asks for."""
    facts = _facts_of(tasks, policy)
    for check in HEALTH_CHECKS:
        for task in tasks:
            if task.status not in check.statuses:
                continue
            what = check.find(task, facts)
            if what:
                mends: tuple[Model, ...] = ()
                if check.field:
                    mends = (task, *check.units(task))
                yield HealthFinding(check, task.code, task, what, mends)


def _facts_of(tasks: list[Task], policy: PolicyDocument) -> CheckupFacts:
    """Read what the checks of tasks need of other rows; two queries."""
    evidence = Evidence.objects.handed_in()
    proved = evidence.filter(task__policy=policy, task__status=Status.CLOSED)
    news = ProgressUpdate.objects.standing().filter(task__policy=policy, unchanged=False)
    latest = news.exclude(progress="").filter(progress=F("task__latest_report__progress"))
    times = latest.order_by().values_list("task")
    repeated = times.annotate(times=CountOf("period_start", distinct=True))
    codes = Counter(fold(task.code) for task in tasks)
    return CheckupFacts(
        proved=frozenset(proved.values_list("task", flat=True)),
        repeated=dict(repeated.filter(times__gte=SEVERAL_TIMES)),
        shared=frozenset(code for code, number in codes.items() if number > 1),
    )
