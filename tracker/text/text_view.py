"""The text of a policy as its page shows it: each clause with the tasks that it became, and what nobody took up.

One pass over the text; the number of queries does not depend on its length or on the number of anchors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import groupby

from tracker.domain.anchors import Anchor, Clause, Coverage, coverage
from tracker.domain.choices import Status
from tracker.domain.passages import (
    Normalised,
    Span,
    find_passage,
    normalise,
    piece_at,
    split_clauses,
    split_sentences,
)
from tracker.models import BackgroundPassage, ChecklistItem, Measure, PolicyDocument, Task
from tracker.reports.coverage import Anchored, anchored, opening_of
from tracker.text.outline import lines_of, overlapping

MAX_SHOWN_TASKS = 50  # rows of each list of what is wrong


@dataclass
class Run:
    """A stretch of one sentence: its words, what it became, and where a sentence or a passage begins or ends.

    `marks` are the first and the last sentence of a passage that ends here and that nobody has taken up.
    """

    words: str
    state: str  # "" outside the sections or for measures alone, "asked", "background", "cancelled", "open"
    tasks: tuple[Task, ...] = ()
    measures: tuple[Measure, ...] = ()
    sentence: int = 0
    begins: bool = False
    marks: str = ""
    chosen: bool = False

    def like(self, other: "Run") -> bool:
        """Say whether another stretch became the same."""
        return (self.state, self.tasks, self.measures) == (other.state, other.tasks, other.measures)


@dataclass
class Paragraph:
    """A line of the text, with the tasks of all its clauses, each once."""

    number: int
    runs: list[Run] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)


@dataclass(frozen=True)
class Lost:
    """An anchor that is not found exactly once, whose it is, and the paragraphs that it may mean."""

    anchor: Anchor
    row: Anchored
    near: list[tuple[int, str]]


class TextView:
    """A text with the anchors of some tasks: all of them, or those that exist for a reader."""

    def __init__(
        self,
        policy: PolicyDocument,
        tasks: Sequence[Task],
        *,
        whole: bool,
        chosen: int | None = None,
    ) -> None:
        self.policy, self.tasks, self.whole, self.chosen = policy, tasks, whole, chosen
        self.text = policy.full_text
        self.norm = normalise(self.text)
        self.sentences = split_sentences(self.text)
        pairs = (
            anchored(policy, tasks)
            if whole
            else [p for p in anchored(policy, tasks) if not _of_office(p[1])]
        )
        self.rows = dict(pairs)
        self.passages = list(policy.background.select_related("marked_by")) if whole else []
        marked = [Anchor("", str(passage.pk), passage.anchor) for passage in self.passages]
        self.coverage: Coverage = coverage(self.text, self.rows, marked, opening_of(policy))
        self._by_pk = {task.pk: task for task in tasks}
        self.first_of: dict[int, int] = {}  # task -> the sentence of its first anchor
        self.paragraph_of: dict[int, int] = {}  # sentence -> the paragraph that it ends in
        self.paragraphs = self._paragraphs()

    def sentence_at(self, place: int) -> int:
        """Return the number of the sentence at a place."""
        return piece_at(self.sentences, place)

    @cached_property
    def opens(self) -> list[tuple[int, int, str]]:
        """Return the clauses that nobody has accounted for, each with the numbers of its sentence and paragraph."""
        found = [
            (self.sentence_at(clause.span.start), clause.span.of(self.text))
            for clause in self.coverage.open
        ]
        return [(number, self.paragraph_of.get(number, 0), words) for number, words in found]

    @property
    def without_passage(self) -> list[Task]:
        """Return the tasks that no passage leads to: without an anchor of their own or of a step."""
        lost = {_task_of(lost.row) for lost in self.lost}
        return [
            task for task in self.tasks
            if task.pk not in self.first_of and task.pk not in lost and task.status != Status.CANCELLED
        ]  # fmt: skip

    @cached_property
    def lost(self) -> list[Lost]:
        """Return the anchors that are not found, with the nearest place, or found more than once, with all places."""
        missing = [
            (anchor, self.rows[anchor]) for anchor in self.coverage.missing if anchor in self.rows
        ]
        found = [
            Lost(anchor, row, self._near(anchor) if n < MAX_SHOWN_TASKS else [])
            for n, (anchor, row) in enumerate(missing)
        ]
        for anchor, spans in self.coverage.repeated:
            if row := self.rows.get(anchor):
                found.append(
                    Lost(anchor, row, [(self._paragraph_at(s), s.of(self.text)) for s in spans[:3]])
                )
        return found

    def _near(self, anchor: Anchor) -> list[tuple[int, str]]:
        place = nearest(anchor.text, self.norm)
        return [(self._paragraph_at(place), place.of(self.text))] if place else []

    def _paragraph_at(self, span: Span) -> int:
        return self.paragraph_of.get(self.sentence_at(span.start), 0)

    def _paragraphs(self) -> list[Paragraph]:
        """Lay the clauses out line by line."""
        touched = {
            clause.span: clause for clause in (*self.coverage.clauses, *self.coverage.outside)
        }
        spans, at, begun = split_clauses(self.text), 0, -1
        found: list[Paragraph] = []
        for line in lines_of(self.text):
            paragraph, place = Paragraph(len(found)), line.start
            while at < len(spans) and spans[at].start < line.end:
                span, at = spans[at], at + 1
                number = self.sentence_at(span.start)
                self.paragraph_of[number] = paragraph.number
                run = self._run(self.text[place : span.end], number, touched.get(span))
                for task in run.tasks:
                    self.first_of.setdefault(task.pk, number)
                if number == begun and paragraph.runs and paragraph.runs[-1].like(run):
                    # What is alike is one passage: a comma parts nothing.
                    paragraph.runs[-1].words += run.words
                else:
                    run.begins = number != begun
                    paragraph.runs.append(run)
                begun, place = number, span.end
            if place < line.end:
                paragraph.runs.append(Run(self.text[place : line.end], ""))
            paragraph.tasks = list(
                dict.fromkeys(task for run in paragraph.runs for task in run.tasks)
            )
            for state, runs in groupby(paragraph.runs, lambda run: run.state):
                several = list(runs)
                if state == "open":
                    several[-1].marks = f"{several[0].sentence}-{several[-1].sentence}"
            found.append(paragraph)
        return found

    def _run(self, said: str, number: int, clause: Clause | None) -> Run:
        rows = (
            [self.rows[place.anchor] for place in clause.anchors if place.anchor in self.rows]
            if clause
            else []
        )
        tasks = tuple(
            self._by_pk[key] for key in dict.fromkeys(_task_of(row) for row in rows) if key
        )
        measures = tuple(row for row in rows if isinstance(row, Measure))
        state = ""
        if clause and clause.anchors:
            # A task that was called off says so in its place; the passage counts as looked after.
            off = tasks and all(task.status == Status.CANCELLED for task in tasks)
            state = "cancelled" if off else "asked"
        elif clause and self.whole:
            state = "background" if clause.background else "open"
        return Run(said, state, tasks, measures, number, chosen=number == self.chosen)

    @property
    def cancelled(self) -> list[tuple[int, str]]:
        """Return the passages whose tasks were all cancelled, each with the number of its paragraph."""
        return [
            (p.number, run.words)
            for p in self.paragraphs
            for run in p.runs
            if run.state == "cancelled"
        ]

    @property
    def accounted(self) -> int:
        """Count the clauses of the sections that a task or measure touches, or that are background."""
        return len(self.coverage.clauses) - len(self.coverage.open)

    @property
    def share(self) -> Fraction | None:
        """Return the share of the clauses that is accounted for."""
        return (
            Fraction(self.accounted, len(self.coverage.clauses)) if self.coverage.clauses else None
        )

    def measure_before(self, number: int) -> Measure | None:
        """Return the measure that a new task of a sentence belongs to: the last one named before it, else the first."""
        end = self.sentences[number].end
        best: tuple[int, Measure] | None = None
        for anchor, row in self.rows.items():
            if isinstance(row, Measure):
                for span in find_passage(anchor.text, self.norm)[:1]:
                    if span.start < end and (best is None or span.start > best[0]):
                        best = (span.start, row)
        return best[1] if best else self.policy.measures.select_related("section").first()

    def background_of(self, number: int) -> list[BackgroundPassage]:
        """Return the marks that lie in a sentence."""
        inside = self.sentences[number]
        pks = {
            place.anchor.name
            for clause in self.coverage.clauses
            if clause.span.overlaps(inside)
            for place in clause.background
        }
        return [passage for passage in self.passages if str(passage.pk) in pks]

    def open_in(self, first: int, last: int | None = None) -> list[Span]:
        """Return the clauses of a sentence, or of several, that nobody has accounted for."""
        end = self.sentences[first if last is None else last].end
        return overlapping(
            [clause.span for clause in self.coverage.open], Span(self.sentences[first].start, end)
        )


def _task_of(row: Anchored) -> int | None:
    """Return the key of the task that an anchor leads to, its own or that of its step."""
    return (
        row.pk if isinstance(row, Task) else row.task_id if isinstance(row, ChecklistItem) else None
    )


def _of_office(row: Anchored) -> bool:
    """Say whether an anchor is none of a unit's business: counts speak of tasks of others too."""
    return not isinstance(row, Task | ChecklistItem | Measure)


def nearest(anchor: str, norm: Normalised) -> Span | None:
    """Return the place of a text that an anchor most likely meant: where the longest piece of it stands."""
    wanted = normalise(anchor).text
    for size in (len(wanted) * share // 6 for share in (5, 4, 3, 2)):
        for start in range(len(wanted) - size + 1) if size > 1 else ():
            at = norm.text.find(wanted[start : start + size])
            if at >= 0:
                return norm.original(
                    max(at - start, 0), min(at - start + len(wanted), len(norm.text))
                )
    return None
