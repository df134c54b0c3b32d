"""The text of a policy as its page shows it: each clause with the tasks that it became, and what nobody took up.

One pass over the text; the number of queries does not depend on its length or on the number of anchors.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from tracker.models import BackgroundPassage, ChecklistItem, Measure, PolicyDocument, Task
from tracker.source.anchors import (
    Anchor,
    Coverage,
    Normalised,
    Place,
    Span,
    clauses,
    coverage,
    find,
    normalise,
    sentences,
)
from tracker.source.check import Anchored, anchored, opening_of
from tracker.source.outline import lines_of, meeting

SHOWN = 50  # rows of each list of what is wrong
CLOSE = 0.5  # share of its pairs of signs that a place must have in common with a lost anchor


@dataclass(frozen=True)
class Run:
    """A stretch of one paragraph: its words, what it became, and where a sentence begins or ends.

    `begins` is the number of the sentence that begins here, or None; `marks` the first and the last sentence
    of a passage that ends here and that nobody has taken up.
    """

    words: str
    state: str  # "" outside the sections or for measures alone, "asked", "background", "open"
    tasks: tuple[Task, ...] = ()
    measures: tuple[Measure, ...] = ()
    begins: int | None = None
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
    chosen: bool = False


@dataclass(frozen=True)
class Lost:
    """An anchor that is not found exactly once, whose it is, and the paragraphs that it may mean."""

    anchor: Anchor
    row: Anchored
    near: list[tuple[int, str]]


class TextView:
    """A text with the anchors of some tasks: all of them, or those that exist for a reader."""

    def __init__(
        self, policy: PolicyDocument, tasks: Sequence[Task], *, whole: bool, chosen: int | None = None
    ) -> None:
        self.policy, self.tasks, self.whole, self.chosen = policy, tasks, whole, chosen
        self.text = policy.full_text
        self.norm = normalise(self.text)
        self.sentences = sentences(self.text)
        pairs = anchored(policy, tasks) if whole else [p for p in anchored(policy, tasks) if not _of_office(p[1])]
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
        return max(bisect_right(self.sentences, Span(place, len(self.text))) - 1, 0)

    @cached_property
    def opens(self) -> list[tuple[int, int, str]]:
        """Return the clauses that nobody has accounted for, each with the numbers of its sentence and paragraph."""
        found = [(self.sentence_at(clause.span.start), clause.span.of(self.text)) for clause in self.coverage.open]
        return [(number, self.paragraph_of.get(number, 0), words) for number, words in found]

    @property
    def without_passage(self) -> list[Task]:
        """Return the tasks that no passage leads to: without an anchor of their own or of a step."""
        lost = {_task_of(lost.row) for lost in self.lost}
        return [task for task in self.tasks if task.pk not in self.first_of and task.pk not in lost]

    @cached_property
    def lost(self) -> list[Lost]:
        """Return the anchors that are not found, with the nearest place, or found more than once, with all places."""
        missing = [(anchor, self.rows[anchor]) for anchor in self.coverage.missing if anchor in self.rows]
        found = [Lost(anchor, row, self._near(anchor) if n < SHOWN else []) for n, (anchor, row) in enumerate(missing)]
        for anchor, spans in self.coverage.repeated:
            if row := self.rows.get(anchor):
                found.append(Lost(anchor, row, [(self._paragraph_at(s), s.of(self.text)) for s in spans[:3]]))
        return found

    def _near(self, anchor: Anchor) -> list[tuple[int, str]]:
        place = nearest(anchor.text, self.norm)
        return [(self._paragraph_at(place), place.of(self.text))] if place else []

    def _paragraph_at(self, span: Span) -> int:
        return self.paragraph_of.get(self.sentence_at(span.start), 0)

    def _paragraphs(self) -> list[Paragraph]:
        """Lay the clauses out line by line."""
        touched = {clause.span: clause for clause in (*self.coverage.clauses, *self.coverage.outside)}
        spans, at = clauses(self.text), 0
        found: list[Paragraph] = []
        begun = -1
        for line in lines_of(self.text):
            paragraph, place = Paragraph(len(found)), line.start
            while at < len(spans) and spans[at].start < line.end:
                span, at = spans[at], at + 1
                number = self.sentence_at(span.start)
                clause = touched.get(span)
                asked = self._owners(clause.anchors) if clause else ((), ())
                state = "" if not clause else "asked" if clause.anchors else self._unasked(bool(clause.background))
                run = Run(
                    self.text[place : span.end],
                    state,
                    *asked,
                    begins=number if number != begun else None,
                    chosen=number == self.chosen,
                )
                if paragraph.runs and run.begins is None and paragraph.runs[-1].like(run):
                    # What is alike is one passage: a comma parts nothing.
                    run = replace(run, words=paragraph.runs[-1].words + run.words, begins=paragraph.runs.pop().begins)
                paragraph.runs.append(run)
                paragraph.chosen |= run.chosen
                paragraph.tasks += [task for task in run.tasks if task not in paragraph.tasks]
                self.paragraph_of[number] = paragraph.number
                for task in run.tasks:
                    self.first_of.setdefault(task.pk, number)
                begun, place = number, span.end
            if place < line.end:
                paragraph.runs.append(Run(self.text[place : line.end], ""))
            _mark_passages(paragraph, begun)
            found.append(paragraph)
        return found

    @property
    def accounted(self) -> int:
        """Count the clauses of the sections that a task or measure touches, or that are background."""
        return len(self.coverage.clauses) - len(self.coverage.open)

    @property
    def share(self) -> Fraction | None:
        """Return the share of the clauses that is accounted for."""
        return Fraction(self.accounted, len(self.coverage.clauses)) if self.coverage.clauses else None

    def _unasked(self, background: bool) -> str:
        return "" if not self.whole else "background" if background else "open"

    def _owners(self, places: Iterable[Place]) -> tuple[tuple[Task, ...], tuple[Measure, ...]]:
        rows = [self.rows[place.anchor] for place in places if place.anchor in self.rows]
        keys = dict.fromkeys(key for row in rows if (key := _task_of(row)))
        return tuple(self._by_pk[key] for key in keys), tuple(row for row in rows if isinstance(row, Measure))

    def measure_before(self, number: int) -> Measure | None:
        """Return the measure that a new task of a sentence belongs to: the last one named before it, else the first."""
        end = self.sentences[number].end
        best: tuple[int, Measure] | None = None
        for anchor, row in self.rows.items():
            if isinstance(row, Measure):
                for span in find(anchor.text, self.norm)[:1]:
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
        return meeting([clause.span for clause in self.coverage.open], Span(self.sentences[first].start, end))


def _mark_passages(paragraph: Paragraph, last: int) -> None:
    """Note at the end of each stretch that nobody has taken up which sentences it has a part in."""
    number, first = last, None
    numbers = []
    for run in reversed(paragraph.runs):
        numbers.append(number)
        number -= run.begins is not None
    numbers.reverse()
    for place, run in enumerate(paragraph.runs):
        first = (first if first is not None else numbers[place]) if run.state == "open" else None
        if first is not None and (place + 1 == len(paragraph.runs) or paragraph.runs[place + 1].state != "open"):
            paragraph.runs[place] = replace(run, marks=f"{first}-{numbers[place]}")


def _task_of(row: Anchored) -> int | None:
    """Return the key of the task that an anchor leads to, its own or that of its step."""
    return row.pk if isinstance(row, Task) else row.task_id if isinstance(row, ChecklistItem) else None


def _of_office(row: Anchored) -> bool:
    """Say whether an anchor is none of a unit's business: counts speak of tasks of others too."""
    return not isinstance(row, Task | ChecklistItem | Measure)


def nearest(anchor: str, norm: Normalised) -> Span | None:
    """Return the place of a text that an anchor most likely meant: where most of its pairs of signs stand in order."""
    wanted = normalise(anchor).text
    votes: dict[int, int] = {}
    for offset in range(len(wanted) - 1):
        at = norm.text.find(wanted[offset : offset + 2])
        tries = 0
        while at >= 0 and tries < 200:
            # Near places count together: a word more or less moves all that follows.
            votes[(at - offset) // 4] = votes.get((at - offset) // 4, 0) + 1
            at, tries = norm.text.find(wanted[offset : offset + 2], at + 1), tries + 1
    if not votes:
        return None
    best = max(votes, key=lambda slot: (votes[slot] + votes.get(slot + 1, 0), -slot))
    if votes[best] + votes.get(best + 1, 0) < max(CLOSE * (len(wanted) - 1), 1):
        return None
    start = min(max(best * 4, 0), len(norm.text) - 1)
    pairs = [wanted[n : n + 2] for n in range(len(wanted) - 1)]
    window = norm.text[start : start + len(wanted) + 8]
    hits = [n for n in range(len(window) - 1) if window[n : n + 2] in pairs]
    left, right = (hits[0], hits[-1] + 2) if hits else (0, len(wanted))
    return norm.original(start + left, min(start + right, len(norm.text)))
