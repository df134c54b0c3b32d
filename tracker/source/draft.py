"""Make sections, measures, tasks and counts of the rows of a proposal: with codes, and anchors that occur once."""

import datetime as dt
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from tracker.choices import Kind as TaskKind
from tracker.source import details, words
from tracker.source.anchors import Span, clauses, find, normalise
from tracker.source.breakdown import Kind, Proposal, Row
from tracker.source.outline import meeting, within

LONGEST_ANCHOR = 30
_LENGTHS = (4, 6, 8, 10, 12, 16, 20, 25, 30)
_SIGN = re.compile(r"[^\w“”\"%·]")
_FIGURE = re.compile(
    r"\d+(?:\.\d+)?\s*(?:%|％|个?百分点|万|亿|家|个|项|公里|千米|亩|户|人|吨|座|所|台|套|条|per ?cent)|增长\d|达到\d",
    re.IGNORECASE,
)
MOST_SECTIONS = 26
LOOKED_AT = 300  # characters of a passage among which its anchor is looked for


@dataclass(frozen=True)
class Step:
    """A step of a task: its title, and the anchor of its place."""

    title: str
    anchor: str


@dataclass
class DraftTask:
    """A task to be: `due_words` is what the text says, `due` the day where it gives one."""

    code: str
    row: Row
    anchor: str
    kind: TaskKind
    steps: list[Step]
    due: dt.date | None
    due_words: str


@dataclass
class DraftMeasure:
    """A measure or general demand to be, with its tasks."""

    code: str
    row: Row
    anchor: str
    general: bool
    tasks: list[DraftTask] = field(default_factory=list)


@dataclass
class DraftSection:
    """A section to be, with its general demands and measures in the order of the text."""

    letter: str
    row: Row
    anchor: str
    measures: list[DraftMeasure] = field(default_factory=list)


@dataclass(frozen=True)
class DraftCount:
    """A number of the text that is checked against the steps of a task."""

    name: str
    number: int
    anchor: str
    task: str
    match: str


@dataclass
class Draft:
    """A policy to be. `background` are anchors of passages that ask for nothing, `notes` what could not be done."""

    sections: list[DraftSection] = field(default_factory=list)
    counts: list[DraftCount] = field(default_factory=list)
    background: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def measures(self) -> list[DraftMeasure]:
        """Return all measures and general demands."""
        return [measure for section in self.sections for measure in section.measures]

    @property
    def tasks(self) -> list[DraftTask]:
        """Return all tasks."""
        return [task for measure in self.measures for task in measure.tasks]


class Anchors:
    """Find a short phrase in a passage that occurs nowhere else in its text."""

    def __init__(self, text: str) -> None:
        self.text, self.norm = text, normalise(text)
        self._counts: dict[int, Counter[str]] = {}

    def of(self, span: Span) -> str:
        """Return the shortest such phrase, the first of its length; blank where there is none of 30 characters."""
        left = bisect_left(self.norm.offsets, span.start)
        right = min(bisect_left(self.norm.offsets, span.end), left + LOOKED_AT)
        for plain in (True, False):
            for length in _LENGTHS:
                for start in range(left, max(right - length, left) + 1):
                    gram = self.norm.text[start : start + length]
                    # A short clause that is not unique borrows from what follows it.
                    if len(gram) < length or (start + length > right and start > left):
                        break
                    if (plain and _SIGN.search(gram)) or not re.match(r"\w", gram):
                        continue
                    if self._count(length)[gram] == 1:
                        place = self.norm.original(start, start + length)
                        phrase = re.sub(r"\s+", "", place.of(self.text))
                        if len(phrase) <= LONGEST_ANCHOR:
                            return phrase
        return ""

    def _count(self, length: int) -> Counter[str]:
        if length not in self._counts:
            text = self.norm.text
            self._counts[length] = Counter(text[at : at + length] for at in range(len(text) - length + 1))
        return self._counts[length]


def draft(proposal: Proposal, rows: Sequence[Row] | None = None) -> Draft:
    """Make a policy of the rows; what stands before its first section or measure gets one of its own."""
    maker = _Maker(proposal)
    for row in proposal.rows if rows is None else rows:
        maker.take(row)
    return maker.finish()


class _Maker:
    """Take row after row and keep what they make together."""

    def __init__(self, proposal: Proposal) -> None:
        self.proposal, self.text = proposal, proposal.text
        self.anchors, self.clauses = Anchors(proposal.text), clauses(proposal.text)
        self.draft = Draft()
        self.made: Counter[tuple[str, bool]] = Counter()
        self.stated: Counter[str] = Counter()

    def take(self, row: Row) -> None:
        """Take the next row; one that is joined lends its passage to the row above."""
        if row.kind == Kind.SECTION:
            self._section(row)
        elif row.kind in (Kind.MEASURE, Kind.GENERAL):
            self._measure(row)
        elif row.kind == Kind.TASK:
            self._task(row)
        elif row.kind == Kind.BACKGROUND:
            for span in row.spans:
                for clause in within(self.clauses, span):
                    self._background(clause)

    def finish(self) -> Draft:
        """Return what was made; names of counts are told apart."""
        self.draft.background = list(dict.fromkeys(self.draft.background))
        return self.draft

    def _section(self, row: Row) -> None:
        if len(self.draft.sections) == MOST_SECTIONS:
            note = _("A policy has at most %(most)d sections: the parts after the last one were put into it.")
            if (words_ := note % {"most": MOST_SECTIONS}) not in self.draft.notes:
                self.draft.notes.append(words_)
            self._measure(row)
            return
        letter = chr(ord("A") + len(self.draft.sections))
        self.draft.sections.append(DraftSection(letter, row, self._anchor(row)))

    def _measure(self, row: Row) -> None:
        if not self.draft.sections:
            self._section(Row(Kind.SECTION, self.proposal.title or row.name, (), row.rule))
        section = self.draft.sections[-1]
        general = row.kind == Kind.GENERAL
        self.made[section.letter, general] += 1
        nth = self.made[section.letter, general]
        number = str(nth) if not general else "0" if nth == 1 else f"0.{nth}"
        section.measures.append(DraftMeasure(section.letter + number, row, self._anchor(row), general))

    def _task(self, row: Row) -> None:
        if not self.draft.sections or not self.draft.sections[-1].measures:
            self._measure(Row(Kind.MEASURE, row.name, row.spans[:1], row.rule))
        measure = self.draft.sections[-1].measures[-1]
        code = f"{measure.code}-{len(measure.tasks) + 1:02}"
        passage = row.passage(self.text)
        due_words = row.due
        found = details.dues(due_words, year=self.proposal.year)
        due = _typed_day(due_words) or (found[0].day if found else None)
        standing = bool(due_words and not due and details.STANDING.search(due_words))
        kind = (
            TaskKind.STANDING if standing else TaskKind.QUANTIFIED if _FIGURE.search(passage) else TaskKind.QUALITATIVE
        )
        task = DraftTask(code, row, "", kind, [], due, due_words)
        self._touch(task, measure)
        self._count(task)
        measure.tasks.append(task)

    def _touch(self, task: DraftTask, measure: DraftMeasure) -> None:
        """Give the task the anchor of its first demand, and each further clause a step or a mark as background."""
        named = measure.row.spans
        for span in task.row.spans:
            inside = within(self.clauses, span)
            if not inside or inside[0].start > span.start:
                inside.insert(0, Span(span.start, min(inside[0].start if inside else span.end, span.end)))
            asking = self._asking(inside)
            for clause in inside:
                said = clause.of(self.text).strip()
                if not re.search(r"\w", said):
                    continue
                if any(clause.overlaps(name) for name in named) and len(inside) > 1:
                    if not task.anchor and clause == inside[-1]:
                        task.anchor = self.anchors.of(clause)
                    elif self.anchors.of(clause) and not measure.anchor:
                        measure.anchor = self.anchors.of(clause)
                    continue
                if details.NOTE.match(said) or words.owners(said) or clause not in asking:
                    self._background(clause)
                elif not task.anchor:
                    task.anchor = self.anchors.of(clause)
                elif anchor := self.anchors.of(clause):
                    task.steps.append(Step(_step(said), anchor))
                else:
                    self._lost(said)
        if not task.anchor:
            # Nothing of it asks in so many words; the person who keeps it as a task thinks otherwise.
            for span in task.row.spans:
                task.anchor = task.anchor or self.anchors.of(span)

    def _asking(self, inside: Sequence[Span]) -> set[Span]:
        """Return the clauses of those sentences in which anything is asked for."""
        found: set[Span] = set()
        sentence: list[Span] = []
        for clause in inside:
            sentence.append(clause)
            if re.search(r"[。！？!?；;.\n]\W*$", clause.of(self.text)) or clause == inside[-1]:
                if any(words.demands(part.of(self.text)) for part in sentence):
                    found.update(sentence)
                sentence = []
        return found

    def _count(self, task: DraftTask) -> None:
        for span in task.row.spans:
            for number in details.numbers(span.of(self.text), span.start):
                name = number.name[:50]
                self.stated[name] += 1
                if self.stated[name] > 1:
                    # The same words once more are most often the same thing.
                    continue
                match = (number.thing or number.name)[:LONGEST_ANCHOR]
                for part in number.named:
                    task.steps.append(Step(f"{match}：{part.of(self.text)}"[:200], self.anchors.of(part)))
                self.draft.counts.append(DraftCount(name, number.number, self._once(number.span), task.code, match))

    def _anchor(self, row: Row) -> str:
        """Return an anchor for a heading: all of it where it has several clauses, so that it touches each."""
        for span in row.spans:
            inside = [Span(max(c.start, span.start), min(c.end, span.end)) for c in meeting(self.clauses, span)]
            whole = self._once(span) if len(inside) > 1 else ""
            anchor = whole or self.anchors.of(span)
            for clause in inside[1:] if anchor and len(normalise(anchor).text) < span.end - span.start - 1 else []:
                self._background(clause)
            if anchor:
                return anchor
        return ""

    def _once(self, span: Span) -> str:
        """Return the words of a place themselves where they are unique, else a phrase that holds on to it."""
        said = span.of(self.text)
        return (
            said if len(said) <= LONGEST_ANCHOR and len(find(said, self.anchors.norm)) == 1 else self.anchors.of(span)
        )

    def _background(self, clause: Span) -> None:
        if anchor := self.anchors.of(clause):
            self.draft.background.append(anchor)
        else:
            self._lost(clause.of(self.text))

    def _lost(self, said: str) -> None:
        self.draft.notes.append(
            _("No phrase of “%(clause)s” occurs only once: it has no anchor.") % {"clause": said[:40]}
        )


def _step(said: str) -> str:
    return re.sub(r"\s+", " ", said).strip(" 。；;，,.、：:）)")[:200] or said[:200]


def _typed_day(words_: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(words_.strip())
    except ValueError:
        return None


def as_json(proposal: Proposal, made: Draft) -> dict[str, Any]:
    """Return a proposal in plain values, for a file or another program."""
    text = proposal.text
    return {
        "title": proposal.title,
        "author": proposal.author,
        "publisher": proposal.publisher,
        "published_on": "-".join(f"{part:02}" for part in proposal.published) if proposal.published else None,
        "source": proposal.source,
        "sections": [
            {
                **_plain(section.row, text, section.anchor),
                "letter": section.letter,
                "measures": [_of_measure(measure, text) for measure in section.measures if not measure.general],
                "general": [_of_measure(measure, text) for measure in section.measures if measure.general],
            }
            for section in made.sections
        ],
        "counts": [
            {"name": c.name, "number": c.number, "anchor": c.anchor, "task": c.task, "match": c.match}
            for c in made.counts
        ],
        "deadlines": [
            {"words": due.words, "day": due.day and due.day.isoformat(), "start": due.span.start}
            for due in details.dues(text, year=proposal.year)
        ],
        "units": list(dict.fromkeys(name for task in made.tasks for name in (task.row.lead, task.row.helps) if name)),
        "background": made.background,
        "notes": made.notes,
    }


def _plain(row: Row, text: str, anchor: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "anchor": anchor,
        "passage": row.passage(text),
        "spans": [list(span) for span in row.spans],
        "rule": row.rule,
    }


def _of_measure(measure: DraftMeasure, text: str) -> dict[str, Any]:
    return {
        **_plain(measure.row, text, measure.anchor),
        "code": measure.code,
        "tasks": [
            {
                **_plain(task.row, text, task.anchor),
                "code": task.code,
                "kind": str(task.kind),
                "lead": task.row.lead,
                "helps": task.row.helps,
                "deadline": {"words": task.due_words, "day": task.due and task.due.isoformat()},
                "steps": [{"title": step.title, "anchor": step.anchor} for step in task.steps],
            }
            for task in measure.tasks
        ],
    }
