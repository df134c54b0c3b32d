"""Make sections, measures, tasks and counts of the rows of a proposal: with codes, and anchors that occur once."""

import datetime as dt
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from tracker.domain.choices import Kind as TaskKind
from tracker.domain.passages import Span, find_passage, normalise, split_clauses
from tracker.text import extract, lexicon
from tracker.text.breakdown import Proposal, ProposalKind, ProposedRow, is_note
from tracker.text.outline import overlapping, starting_in

LONGEST_ANCHOR = 30
_LENGTHS = (4, 6, 8, 10, 12, 16, 20, 25, 30)
_SIGN = re.compile(r"[^\w“”\"%·]")
_FIGURE = re.compile(
    r"\d+(?:\.\d+)?\s*(?:%|％|个?百分点|万|亿|家|个|项|公里|千米|亩|户|人|吨|座|所|台|套|条|per ?cent)|增长\d|达到\d",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[。！？!?；;.\n]\W*$")
MOST_SECTIONS = 26
LOOKED_AT = 300  # characters of a passage among which its anchor is looked for


@dataclass(frozen=True)
class DraftStep:
    """A step of a task: its title, and the anchor of its place."""

    title: str
    anchor: str


@dataclass
class DraftTask:
    """A task to be: `day` is its deadline where the words of the row give one."""

    code: str
    row: ProposedRow
    kind: TaskKind
    day: dt.date | None
    anchor: str = ""
    steps: list[DraftStep] = field(default_factory=list)


@dataclass
class DraftMeasure:
    """A measure or general demand to be, with its tasks."""

    code: str
    row: ProposedRow
    anchor: str
    general: bool
    tasks: list[DraftTask] = field(default_factory=list)


@dataclass
class DraftSection:
    """A section to be, with its general demands and measures in the order of the text."""

    letter: str
    row: ProposedRow
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
        return next(self._phrases(span), "")

    def _phrases(self, span: Span) -> Iterator[str]:
        left = bisect_left(self.norm.offsets, span.start)
        right = min(bisect_left(self.norm.offsets, span.end), left + LOOKED_AT)
        for plain in (True, False):
            for length in _LENGTHS:
                # A short clause that is not unique borrows from what follows it.
                for start in range(left, max(right - length, left) + 1):
                    gram = self.norm.text[start : start + length]
                    if (
                        len(gram) < length
                        or (plain and _SIGN.search(gram))
                        or not re.match(r"\w", gram)
                    ):
                        continue
                    if self._count(length)[gram] == 1:
                        phrase = re.sub(
                            r"\s+", "", self.norm.original(start, start + length).of(self.text)
                        )
                        if len(phrase) <= LONGEST_ANCHOR:
                            yield phrase

    def _count(self, length: int) -> Counter[str]:
        if length not in self._counts:
            text = self.norm.text
            self._counts[length] = Counter(
                text[at : at + length] for at in range(len(text) - length + 1)
            )
        return self._counts[length]


def draft_policy(proposal: Proposal, rows: Sequence[ProposedRow] | None = None) -> Draft:
    """Make a policy of the rows; what stands before its first section or measure gets one of its own."""
    maker = _Maker(proposal)
    for row in proposal.rows if rows is None else rows:
        maker.take(row)
    maker.draft.background = list(dict.fromkeys(maker.draft.background))
    maker.draft.notes = list(dict.fromkeys(maker.draft.notes))
    return maker.draft


class _Maker:
    """Take row after row and keep what they make together."""

    def __init__(self, proposal: Proposal) -> None:
        self.proposal, self.text = proposal, proposal.text
        self.anchors, self.clauses = Anchors(proposal.text), split_clauses(proposal.text)
        self.draft = Draft()
        self.made: Counter[tuple[str, bool]] = Counter()
        self.stated: set[str] = set()

    def take(self, row: ProposedRow) -> None:
        """Take the next row; what is joined or left out has no part in the draft."""
        if row.kind == ProposalKind.SECTION and len(self.draft.sections) < MOST_SECTIONS:
            letter = chr(ord("A") + len(self.draft.sections))
            self.draft.sections.append(DraftSection(letter, row, self._anchor(row)))
        elif row.kind == ProposalKind.SECTION:
            note = _(
                "A policy has at most %(most)d sections: the parts after the last one were merged "
                "into it."
            )
            self.draft.notes.append(note % {"most": MOST_SECTIONS})
            self._measure(row)
        elif row.kind in (ProposalKind.MEASURE, ProposalKind.GENERAL):
            self._measure(row)
        elif row.kind == ProposalKind.TASK:
            self._task(row)
        elif row.kind == ProposalKind.BACKGROUND:
            for span in row.spans:
                for clause in starting_in(self.clauses, span):
                    self._background(clause)

    def _measure(self, row: ProposedRow) -> None:
        if not self.draft.sections:
            self.take(
                ProposedRow(ProposalKind.SECTION, self.proposal.title or row.name, (), row.rule)
            )
        section, general = self.draft.sections[-1], row.kind == ProposalKind.GENERAL
        self.made[section.letter, general] += 1
        nth = self.made[section.letter, general]
        number = str(nth) if not general else "0" if nth == 1 else f"0.{nth}"
        section.measures.append(
            DraftMeasure(section.letter + number, row, self._anchor(row), general)
        )

    def _task(self, row: ProposedRow) -> None:
        if not self.draft.sections or not self.draft.sections[-1].measures:
            self._measure(ProposedRow(ProposalKind.MEASURE, row.name, row.spans[:1], row.rule))
        measure = self.draft.sections[-1].measures[-1]
        found = extract.find_deadlines(row.due, year=self.proposal.year)
        day = found[0].day if found else None
        kind = (
            TaskKind.QUANTIFIED if _FIGURE.search(row.passage(self.text)) else TaskKind.QUALITATIVE
        )
        if row.due and not day and extract.LONG_TERM_PATTERN.search(row.due):
            kind = TaskKind.STANDING
        task = DraftTask(f"{measure.code}-{len(measure.tasks) + 1:02}", row, kind, day)
        for span in row.spans:
            self._touch(task, span, measure.row.spans)
        # Where nothing of it asks in so many words, the person who keeps it as a task thinks otherwise.
        task.anchor = task.anchor or next(
            (anchor for span in row.spans if (anchor := self.anchors.of(span))), ""
        )
        self._count(task)
        measure.tasks.append(task)

    def _touch(self, task: DraftTask, span: Span, named: Sequence[Span]) -> None:
        """Give the task the anchor of its first demand, and each further clause a step or a mark as background."""
        inside = starting_in(self.clauses, span)
        if not inside or inside[0].start > span.start:
            inside.insert(
                0, Span(span.start, min(inside[0].start if inside else span.end, span.end))
            )
        for sentence in self._sentences(inside):
            asks = any(lexicon.demands(clause.of(self.text)) for clause in sentence)
            for clause in sentence:
                said = clause.of(self.text).strip()
                if not re.search(r"\w", said) or (
                    len(inside) > 1 and any(map(clause.overlaps, named))
                ):
                    continue
                if is_note(said) or not asks:
                    self._background(clause)
                elif not task.anchor:
                    task.anchor = self.anchors.of(clause)
                elif anchor := self._found(clause):
                    title = re.sub(r"\s+", " ", said).strip(" 。；;，,.、：:）)") or said
                    task.steps.append(DraftStep(title[:200], anchor))

    def _sentences(self, inside: Sequence[Span]) -> Iterator[list[Span]]:
        """Yield the clauses of each sentence; a semicolon ends one too."""
        sentence: list[Span] = []
        for clause in inside:
            sentence.append(clause)
            if clause == inside[-1] or _SENTENCE_END.search(clause.of(self.text)):
                yield sentence
                sentence = []

    def _count(self, task: DraftTask) -> None:
        found = [
            number
            for span in task.row.spans
            for number in extract.find_counts(span.of(self.text), span.start)
        ]
        for number in found:
            name, match = number.name[:50], (number.thing or number.name)[:LONGEST_ANCHOR]
            # The same words once more are most often the same thing.
            if name not in self.stated:
                self.stated.add(name)
                parts = [
                    (f"{match}：{part.of(self.text)}"[:200], self.anchors.of(part))
                    for part in number.named
                ]
                task.steps += [DraftStep(title, anchor) for title, anchor in parts]
                self.draft.counts.append(
                    DraftCount(name, number.number, self._once(number.span), task.code, match)
                )

    def _anchor(self, row: ProposedRow) -> str:
        """Return an anchor for a heading: all of it where it has several clauses, so that it touches each."""
        for span in row.spans:
            inside = [
                Span(max(c.start, span.start), min(c.end, span.end))
                for c in overlapping(self.clauses, span)
            ]
            anchor = self._once(span) if len(inside) > 1 else self.anchors.of(span)
            if anchor:
                if len(normalise(anchor).text) < span.end - span.start - 1:
                    for clause in inside[1:]:
                        self._background(clause)
                return anchor
        return ""

    def _once(self, span: Span) -> str:
        """Return the words of a place themselves where they are unique, else a phrase that holds on to it."""
        said = span.of(self.text)
        unique = 0 < len(said) <= LONGEST_ANCHOR and len(find_passage(said, self.anchors.norm)) == 1
        return said if unique else self.anchors.of(span)

    def _found(self, clause: Span) -> str:
        """Return the anchor of a clause; say so where it has none."""
        anchor = self.anchors.of(clause)
        if not anchor:
            note = _("No phrase of “%(clause)s” is unique in the text, so it has no anchor.")
            self.draft.notes.append(note % {"clause": clause.of(self.text)[:40]})
        return anchor

    def _background(self, clause: Span) -> None:
        if anchor := self._found(clause):
            self.draft.background.append(anchor)


def as_json(proposal: Proposal, made: Draft) -> dict[str, Any]:
    """Return a proposal in plain values, for a file or another program; each item with its passage and its rule."""

    def plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        facts = dict(pairs)
        facts = {**facts.pop("row", {}), **facts}
        if "spans" in facts:
            facts["passage"] = " … ".join(Span(*span).of(proposal.text) for span in facts["spans"])
        return facts

    found = asdict(made, dict_factory=plain)
    for section in found["sections"]:
        section["general"] = [measure for measure in section["measures"] if measure["general"]]
        section["measures"] = [measure for measure in section["measures"] if not measure["general"]]
    about = {"title": proposal.title, "author": proposal.author, "publisher": proposal.publisher}
    day = "-".join(f"{part:02}" for part in proposal.published) if proposal.published else None
    return {**about, "published_on": day, "source": proposal.source, **found}
