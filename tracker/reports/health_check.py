"""The health check of a policy.

What is wrong, missing or doubtful, why it matters, and where it is mended.

Page, sheet of the ledger and `check_policy` show the findings of one `examine`. They speak of the
policy as it stands and know no day: what a day makes of it, the lights say.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from django.db.models import Count as CountOf
from django.db.models import F, Model
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from tracker.domain import permissions
from tracker.domain.anchors import Anchor
from tracker.domain.choices import OPEN_STATUSES, RUNNING_STATUSES, Kind, Severity, Status
from tracker.domain.dates import is_working_day
from tracker.domain.folding import fold
from tracker.domain.passages import piece_at, split_sentences
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Evidence,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
)
from tracker.reports import links
from tracker.reports.coverage import AnchorReading, read_anchors

if TYPE_CHECKING:
    from tracker.domain.permissions import Account

UNFINISHED_STATUSES = (*OPEN_STATUSES, Status.SUSPENDED)
CHECKUP_KEYS = (*UNFINISHED_STATUSES, Status.CLOSED)
SEVERAL_TIMES = 2  # periods for which the same words were handed in as news


@dataclass(frozen=True)
class CheckupFacts:
    """What the checks of tasks need of other rows.

    Closed tasks with evidence, periods reported in the same words, and folded codes that several
    tasks bear.
    """

    proved: frozenset[int]
    repeated: dict[int, int]
    shared: frozenset[str]


@dataclass(frozen=True)
class HealthCheck:
    """A kind of finding: how grave it is, what it is called and why it matters.

    Of tasks it says in which `statuses` it is asked, in `find` what is wrong with one (nothing:
    ""), which `field` of the task's form mends it, or the forms of which `units`; without a field
    its page is the place.
    """

    name: str
    severity: Severity
    label: str | Promise
    why: str | Promise
    statuses: tuple[Status, ...] = ()
    find: Callable[[Task, CheckupFacts], str] = lambda task, facts: ""
    field: str = ""
    units: Callable[[Task], list[Organization]] = lambda task: []


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
        return links.page_url(thing.task if isinstance(thing, ChecklistItem) else thing, slug, {})

    def mended_at(self, slug: str, user: "Account") -> str:
        """Return the address where a reader mends it.

        "" where the reader may not, or the page itself is the place.
        """
        if self.sentence is not None and permissions.may_edit_policies(user):
            return f"{reverse('text', args=[slug])}?at={self.sentence}"
        for row in self.mends:
            if permissions.may_edit(user, type(row)):
                return links.form_url(row) + (f"#id_{self.check.field}" if self.check.field else "")
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
        return [
            (check, list(found))
            for check, found in groupby(self.findings, key=lambda each: each.check)
        ]

    @property
    def severities(self) -> list[tuple[Severity, int]]:
        """Count the findings of each severity."""
        found = []
        for finding in self.findings:
            found.append(finding.check.severity)
        result = []
        for severity in Severity:
            result.append((severity, found.count(severity)))
        return result

    @property
    def errors(self) -> int:
        """Count what is wrong beyond doubt; what is merely open or doubtful is no error."""
        return dict(self.severities)[Severity.ERROR]


def _late_steps(task: Task, facts: CheckupFacts) -> str:
    late = []
    for item in task.items.all():
        if not item.done_on and item.due and task.deadline and item.due > task.deadline:
            late.append(item)
    said = (
        _("step %(number)d is due on %(due)s, the task on %(deadline)s")
        % {"number": item.number, "due": item.due, "deadline": task.deadline}
        for item in late
    )
    return pgettext("between sentences", "; ").join(said)


def _gone_lead(task: Task) -> list[Organization]:
    found = []
    for unit in [task.lead_unit]:
        if unit and not unit.active:
            found.append(unit)
    return found


def _gone_helpers(task: Task) -> list[Organization]:
    found = []
    for unit in task.co_units.all():
        if not unit.active:
            found.append(unit)
    return found


def _gone(units: Callable[[Task], list[Organization]]) -> Callable[[Task, CheckupFacts], str]:
    """Name the units that are no longer in office, if there are any."""

    def find(task: Task, facts: CheckupFacts) -> str:
        names = pgettext("list", ", ").join(str(unit) for unit in units(task))
        if names:
            return _("%(unit)s is no longer in office") % {"unit": names}
        return ""

    return find


def _same_text(task: Task, facts: CheckupFacts) -> str:
    times = facts.repeated.get(task.pk, 0)
    if times:
        return ngettext(
            "the same words in %(times)d period", "the same words in %(times)d periods", times
        ) % {"times": times}
    return ""


def _day_off(task: Task, facts: CheckupFacts) -> str:
    if not task.deadline:
        return ""
    works, known = is_working_day(task.deadline)
    if works:
        return ""
    if known:
        words = _("%(day)s is a day off")
    else:
        words = _("%(day)s is a weekend; the official calendar of that year is not known yet")
    return words % {"day": task.deadline}


def _when(
    wrong: Callable[[Task, CheckupFacts], bool], words: str | Promise
) -> Callable[[Task, CheckupFacts], str]:
    """Say always the same of a task with which something is wrong."""
    return lambda task, facts: str(words) if wrong(task, facts) else ""


# Every kind of finding, the gravest first: what is asked of a task in which status. A cancelled
# task is asked for nothing; one that waits for the office, is suspended or closed, only for what
# still matters then.
COUNT_CHECK = HealthCheck(
    "count",
    Severity.ERROR,
    gettext_lazy("declared counts that do not hold"),
    gettext_lazy(
        "The text states a number that the checklist does not bear out: something is missing, or "
        "split."
    ),
)
PASSAGE_CHECK = HealthCheck(
    "passage",
    Severity.ERROR,
    gettext_lazy("passages without a task"),
    gettext_lazy(
        "The text asks for it and nobody was told to. What asks for nothing is marked as "
        "background."
    ),
)
LOST_ANCHOR_CHECK = HealthCheck(
    "lost",
    Severity.ERROR,
    gettext_lazy("anchors that are not in the text"),
    gettext_lazy(
        "Nobody can show any more which passage it comes from, and that passage may stand "
        "without a task."
    ),
    field="anchor",
)
REPEATED_ANCHOR_CHECK = HealthCheck(
    "repeated",
    Severity.ERROR,
    gettext_lazy("anchors that occur more than once"),
    gettext_lazy("It identifies no passage; a few words more make it unique."),
    field="anchor",
)
HEALTH_CHECKS = (
    COUNT_CHECK,
    PASSAGE_CHECK,
    LOST_ANCHOR_CHECK,
    REPEATED_ANCHOR_CHECK,
    HealthCheck(
        "late_step",
        Severity.ERROR,
        gettext_lazy("tasks with a step due after the task itself"),
        gettext_lazy("By its own plan the task will be late; one of the two days is wrong."),
        RUNNING_STATUSES,
        _late_steps,
        "deadline",
    ),
    HealthCheck(
        "lead_gone",
        Severity.ERROR,
        gettext_lazy("tasks led by a unit that is no longer in office"),
        gettext_lazy("Nobody answers for it any more: its successor has to take it over."),
        UNFINISHED_STATUSES,
        _gone(_gone_lead),
        "lead_unit",
        _gone_lead,
    ),
    HealthCheck(
        "lead",
        Severity.WARNING,
        gettext_lazy("tasks without a lead unit"),
        gettext_lazy("Nobody answers for it, and it cannot be handed over."),
        UNFINISHED_STATUSES,
        _when(lambda t, f: t.lead_unit_id is None, gettext_lazy("no lead unit")),
        "lead_unit",
    ),
    HealthCheck(
        "kind",
        Severity.WARNING,
        gettext_lazy("tasks without a kind"),
        gettext_lazy("No rule says how it is judged, and it cannot be handed over."),
        UNFINISHED_STATUSES,
        _when(lambda t, f: not t.kind, gettext_lazy("kind not set")),
        "kind",
    ),
    HealthCheck(
        "deadline",
        Severity.WARNING,
        gettext_lazy("tasks without a deadline"),
        gettext_lazy(
            "It never becomes overdue and no light warns of it; a standing task has none by its "
            "nature."
        ),
        RUNNING_STATUSES,
        _when(lambda t, f: t.kind != Kind.STANDING and not t.deadline, gettext_lazy("no deadline")),
        "deadline",
    ),
    HealthCheck(
        "start",
        Severity.WARNING,
        gettext_lazy("quantified tasks without a start"),
        gettext_lazy(
            "Nobody can say how far it should be by now: that it falls behind turns no light."
        ),
        RUNNING_STATUSES,
        _when(lambda t, f: t.kind == Kind.QUANTIFIED and not t.start, gettext_lazy("no start")),
        "start",
    ),
    HealthCheck(
        "unclosed",
        Severity.WARNING,
        gettext_lazy("tasks at 100% that are not closed"),
        gettext_lazy(
            "Every rate counts it as open: its unit has to ask for closing, or the percent is "
            "wrong."
        ),
        RUNNING_STATUSES,
        _when(
            lambda t, f: t.percent == 100 and t.has_percent,
            gettext_lazy("100%, closing not requested"),
        ),
    ),
    HealthCheck(
        "unproved",
        Severity.WARNING,
        gettext_lazy("closed tasks without evidence"),
        gettext_lazy("It counts as done and nothing proves it to whoever asks later."),
        (Status.CLOSED,),
        _when(lambda t, f: t.pk not in f.proved, gettext_lazy("no file and no link")),
    ),
    HealthCheck(
        "same_text",
        Severity.WARNING,
        gettext_lazy("tasks reported in the same words in several periods"),
        gettext_lazy(
            "Copied words say nothing of progress; if nothing has changed, “no change” is the "
            "honest report."
        ),
        RUNNING_STATUSES,
        _same_text,
    ),
    HealthCheck(
        "helper_gone",
        Severity.WARNING,
        gettext_lazy("tasks with a co-operating unit that is no longer in office"),
        gettext_lazy("The lead unit counts on help that nobody gives."),
        UNFINISHED_STATUSES,
        _gone(_gone_helpers),
        "co_units",
        _gone_helpers,
    ),
    HealthCheck(
        "own_helper",
        Severity.WARNING,
        gettext_lazy("tasks with the lead unit among its own co-operating units"),
        gettext_lazy("The unit is listed twice; another one may have been meant."),
        UNFINISHED_STATUSES,
        _when(
            lambda t, f: t.lead_unit in t.co_units.all(), gettext_lazy("the lead unit helps itself")
        ),
        "co_units",
    ),
    HealthCheck(
        "foreign",
        Severity.WARNING,
        gettext_lazy("tasks under a measure of another policy"),
        gettext_lazy(
            "No section of this policy counts it: the figures of the sections do not add up to "
            "the total."
        ),
        CHECKUP_KEYS,
        _when(
            lambda t, f: t.measure.policy_id != t.policy_id,
            gettext_lazy("measure of another policy"),
        ),
        "measure",
    ),
    HealthCheck(
        "twin_code",
        Severity.WARNING,
        gettext_lazy("tasks whose codes differ by capitals alone"),
        gettext_lazy(
            "Who speaks of one may mean the other, and so may whoever fills in a workbook."
        ),
        CHECKUP_KEYS,
        _when(
            lambda t, f: fold(t.code) in f.shared,
            gettext_lazy("another task has this code in other capitals"),
        ),
        "code",
    ),
    HealthCheck(
        "proposed",
        Severity.HINT,
        gettext_lazy("tasks with a lead unit that is only a proposal"),
        gettext_lazy("Its unit has not agreed and does not see it before the hand-over."),
        UNFINISHED_STATUSES,
        _when(
            lambda t, f: bool(t.lead_unit_id and t.lead_is_proposed),
            gettext_lazy("only a proposal"),
        ),
        "lead_unit",
    ),
    HealthCheck(
        "day_off",
        Severity.HINT,
        gettext_lazy("tasks with a deadline on a day off"),
        gettext_lazy(
            "Nobody is there to finish or to receive it: the working day before it is the real "
            "deadline."
        ),
        RUNNING_STATUSES,
        _day_off,
        "deadline",
    ),
)


def run_checkup(policy: PolicyDocument, text: str | None = None) -> Checkup:
    """Examine a policy with its own text, or with another.

    8 queries, with a text 14, whatever its size.
    """
    related = policy.tasks.select_related("measure", "lead_unit").prefetch_related(
        "co_units", "items"
    )
    every = list(related.defer("description", "remark", "search"))
    for task in every:
        task.policy = policy
    tasks = [task for task in every if task.status != Status.CANCELLED]
    sections = list(policy.sections.prefetch_related("measures"))
    counts = list(policy.counts.all())
    _join(counts, sections, every)
    counted = []
    for row in counts:
        counted.append((row, CountCheck(row.name, row.number, row.found())))
    if text is None:
        text = policy.full_text or None
    else:
        text = text
    # What a cancelled task was to do is settled: its passage says so on the text page, and is not
    # open.
    if text is None:
        reading = None
    else:
        reading = read_anchors(policy, text, every)
    found = [  # in the order of CHECKS
        *(
            HealthFinding(COUNT_CHECK, row.name, row, count.words, (row,))
            for row, count in counted
            if not count.holds
        ),
        *(_of_text(reading, policy) if reading else ()),
        *_of_tasks(tasks, policy),
    ]
    general = [measure.general for section in sections for measure in section.measures.all()]
    return Checkup(
        measures=[
            sum(not measure.general for measure in section.measures.all()) for section in sections
        ],
        general=sum(general),
        tasks=len(tasks),
        items=sum(len(task.items.all()) for task in tasks),
        counts=[count for _row, count in counted],
        reading=reading,
        findings=found,
    )


def _join(counts: list[DeclaredCount], sections: list[Section], tasks: list[Task]) -> None:
    """Give each declared count what it counts, fetched already."""
    parts = {}
    for part in sections:
        parts[part.pk] = part
    known = {}
    for task in tasks:
        known[task.pk] = task
    for count in counts:
        count.section, count.task = parts.get(count.section_id or 0), known.get(count.task_id or 0)


def _of_text(reading: AnchorReading, policy: PolicyDocument) -> Iterator[HealthFinding]:
    """Find passages that nobody took up, and anchors that find no passage."""
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
        values = {"times": len(spans), "owner": anchor.owner, "anchor": anchor.text}
        yield _of_anchor(
            REPEATED_ANCHOR_CHECK,
            anchor,
            reading,
            _("found %(times)s times: %(owner)s “%(anchor)s”") % values,
        )


def _of_anchor(
    check: HealthCheck, anchor: Anchor, reading: AnchorReading, what: str
) -> HealthFinding:
    row = reading.rows[anchor]
    return HealthFinding(check, anchor.name or anchor.kind, row, what, (row,))


def _of_tasks(tasks: list[Task], policy: PolicyDocument) -> Iterator[HealthFinding]:
    """Ask each task what its status asks for."""
    proved = (
        Evidence.objects.handed_in()
        .filter(task__policy=policy, task__status=Status.CLOSED)
        .values_list("task", flat=True)
    )
    said = (
        ProgressUpdate.objects.standing()
        .filter(task__policy=policy, unchanged=False)
        .exclude(progress="")
    )
    times = said.filter(progress=F("task__latest_report__progress")).order_by().values_list("task")
    repeated = times.annotate(times=CountOf("period_start", distinct=True)).filter(
        times__gte=SEVERAL_TIMES
    )
    codes = Counter(fold(task.code) for task in tasks)
    shared = frozenset(code for code, number in codes.items() if number > 1)
    facts = CheckupFacts(frozenset(proved), dict(repeated), shared)
    for check in HEALTH_CHECKS:
        for task in tasks:
            if task.status in check.statuses and (what := check.find(task, facts)):
                yield HealthFinding(
                    check, task.code, task, what, (task, *check.units(task)) if check.field else ()
                )
