"""Find anchor phrases in a policy text, and the clauses of it that none touches.

Places are spans of the text as it was given, so that a page can mark them in it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tracker.domain.passages import Span, find_passage, normalise, split_clauses, split_sentences


class Anchor(NamedTuple):
    """A phrase of the text and its owner: a kind such as "task", a name such as "A1-01"."""

    kind: str
    name: str
    text: str

    @property
    def owner(self) -> str:
        """Say what it belongs to."""
        return f"{self.kind} {self.name}".strip()


class Place(NamedTuple):
    """An anchor that occurs exactly once, and where."""

    anchor: Anchor
    span: Span


@dataclass(frozen=True)
class Clause:
    """A clause of the sections with the anchors and the background passages that touch it."""

    span: Span
    anchors: tuple[Place, ...]
    background: tuple[Place, ...]


@dataclass(frozen=True)
class Coverage:
    """What anchors cover of a text: their faults, the clauses of the sections, those outside."""

    missing: list[Anchor]
    repeated: list[tuple[Anchor, list[Span]]]
    within: Span
    sentences: list[Span]
    clauses: list[Clause]
    outside: list[Clause]

    @property
    def touched(self) -> list[Clause]:
        """Return the clauses that something is done about."""
        return [clause for clause in self.clauses if clause.anchors]

    @property
    def background(self) -> list[Clause]:
        """Return the clauses that ask for nothing, as somebody marked them."""
        return [clause for clause in self.clauses if clause.background and not clause.anchors]

    @property
    def open(self) -> list[Clause]:
        """Return the clauses that nobody has accounted for."""
        return [clause for clause in self.clauses if not clause.anchors and not clause.background]


def coverage(
    text: str, anchors: Iterable[Anchor], background: Iterable[Anchor] = (), opening: str = ""
) -> Coverage:
    """Return which anchors fail, and which clauses of the sections each anchor covers.

    The sections run from the first section's `opening` (without it, from the start of the text) to
    the end of the paragraph that holds the last anchor: a line such as the source stays outside.
    An anchor that occurs twice identifies no passage, so it touches nothing.
    """
    norm = normalise(text)
    missing: list[Anchor] = []
    repeated: list[tuple[Anchor, list[Span]]] = []

    def place(several: Iterable[Anchor]) -> list[Place]:
        places = []
        for anchor in several:
            match find_passage(anchor.text, norm):
                case []:
                    missing.append(anchor)
                case [span]:
                    places.append(Place(anchor, span))
                case spans:
                    repeated.append((anchor, spans))
        return sorted(places, key=lambda placed: placed.span)

    asked = place(anchors)
    marked = place(background)
    within = _sections(text, find_passage(opening, norm), asked + marked)
    touching = _Touching(asked)
    marking = _Touching(marked)
    sentences = [span for span in split_sentences(text) if within.overlaps(span)]
    clauses = []
    outside = []
    for span in split_clauses(text):
        clause = Clause(span, touching.of(span), marking.of(span))
        if within.overlaps(span):
            clauses.append(clause)
        elif clause.anchors:
            outside.append(clause)
    return Coverage(missing, repeated, within, sentences, clauses, outside)


def _sections(text: str, opening: Sequence[Span], places: Sequence[Place]) -> Span:
    start = 0
    if opening:
        start = opening[0].start
    last = max((place.span.end for place in places), default=len(text))
    end = text.find("\n", max(last, start))
    if end < 0:
        end = len(text)
    return Span(start, end)


class _Touching:
    """Find which of many sorted places touch a stretch, without looking at all of them."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self.starts = []
        self.longest = 0
        for place in places:
            self.starts.append(place.span.start)
            self.longest = max(self.longest, place.span.end - place.span.start)

    def of(self, span: Span) -> tuple[Place, ...]:
        """Return the places that share a character with a stretch."""
        left = bisect_left(self.starts, span.start - self.longest)
        right = bisect_left(self.starts, span.end)
        return tuple(place for place in self.places[left:right] if place.span.overlaps(span))
