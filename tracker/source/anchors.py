"""Find anchor phrases in a policy text, cut it into sentences and clauses, and see what none touches.

Places are spans of the text as it was given, so that a page can mark them in it.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# People retype and paste: full-width letters, digits and punctuation stand for the half-width ones,
# all kinds of quotes and dashes for one. Each character maps to one, which keeps offsets simple.
_ONE = str.maketrans(
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, "“”„‟«»「」『』｢｣‘’‚‛'＇"), '"')
    | dict.fromkeys(map(ord, "‐‑‒–—―－−"), "-")
    | dict.fromkeys(map(ord, "•‧・･"), "·")
    | dict.fromkeys(map(ord, "【〔〖"), "[")
    | dict.fromkeys(map(ord, "】〕〗"), "]")
    | {ord("。"): ".", ord("｡"): ".", ord("､"): "、"}
)
# Pasted from the web or from Word, these are as invisible as blanks but no blanks to Python.
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"

# A dot after a letter or digit belongs to a number or a name, a comma between digits to a number.
_STOP = r"[。｡！？!?]|(?<![0-9A-Za-z.])\."
_PAUSE = r"[，；;]|(?<![0-9]),|,(?![0-9])"
# A straight quote closes after a stop; after a comma it may as well open.
_SENTENCE_END = re.compile(rf"(?:{_STOP})+[”’」』）)»\"']*|\n")
_CLAUSE_END = re.compile(rf"{_SENTENCE_END.pattern}|(?:{_PAUSE})+[”’」』）)]*")
_WORD = re.compile(r"\w")


class Span(NamedTuple):
    """A place in a text: from the first character up to, not with, the end."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return what stands at this place."""
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Say whether two places share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Normalised:
    """A text as anchors see it, with the place of each character in the original."""

    text: str
    offsets: tuple[int, ...]

    def original(self, start: int, end: int) -> Span:
        """Return the place in the original of a stretch that is not empty."""
        return Span(self.offsets[start], self.offsets[end - 1] + 1)


class Anchor(NamedTuple):
    """A phrase of the text and what it belongs to: a kind such as "task" and a name such as "A1-01"."""

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
    """What the anchors make of a text: their faults, every clause of the sections, and what they touch outside."""

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


def normalise(text: str) -> Normalised:
    """Drop whitespace and take half- and full-width characters as one."""
    kept = [place for place, sign in enumerate(text) if not sign.isspace() and sign not in _INVISIBLE]
    return Normalised("".join(text[place] for place in kept).translate(_ONE), tuple(kept))


def find(anchor: str, text: str | Normalised) -> list[Span]:
    """Return every place of an anchor in a text; normalise the text once to look for many."""
    norm = text if isinstance(text, Normalised) else normalise(text)
    wanted = normalise(anchor).text
    if not wanted:
        return []
    found, at = [], norm.text.find(wanted)
    while at >= 0:
        found.append(norm.original(at, at + len(wanted)))
        # One sign on: places that overlap each other are ambiguous all the same.
        at = norm.text.find(wanted, at + 1)
    return found


def sentences(text: str) -> list[Span]:
    """Cut a text at full stops, question and exclamation marks, and line ends."""
    return _cut(text, _SENTENCE_END)


def clauses(text: str) -> list[Span]:
    """Cut a text at commas, semicolons and sentence ends; the enumeration comma does not cut."""
    return _cut(text, _CLAUSE_END)


def piece_at(pieces: Sequence[Span], place: int) -> int:
    """Return the number of the piece that a place lies in, or of the last one before it."""
    return max(bisect_right(pieces, place, key=lambda piece: piece.start) - 1, 0)


def coverage(text: str, anchors: Iterable[Anchor], background: Iterable[Anchor] = (), opening: str = "") -> Coverage:
    """See which anchors fail, and which clauses of the sections no anchor accounts for.

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
            match find(anchor.text, norm):
                case []:
                    missing.append(anchor)
                case [span]:
                    places.append(Place(anchor, span))
                case spans:
                    repeated.append((anchor, spans))
        return sorted(places, key=lambda placed: placed.span)

    asked, marked = place(anchors), place(background)
    within = _sections(text, find(opening, norm), asked + marked)
    touching, marking = _Touching(asked), _Touching(marked)
    cut = [Clause(span, touching.of(span), marking.of(span)) for span in clauses(text)]
    return Coverage(
        missing,
        repeated,
        within,
        [span for span in sentences(text) if within.overlaps(span)],
        [clause for clause in cut if within.overlaps(clause.span)],
        [clause for clause in cut if clause.anchors and not within.overlaps(clause.span)],
    )


def _cut(text: str, end: re.Pattern[str]) -> list[Span]:
    """Cut after each end, without the blanks around; a piece without a word is none."""
    ends = [match.end() for match in end.finditer(text)]
    pieces = []
    for start, stop in zip([0, *ends], [*ends, len(text)], strict=True):
        piece = text[start:stop]
        if _WORD.search(piece):
            blanks = len(piece) - len(piece.lstrip())
            pieces.append(Span(start + blanks, start + len(piece.rstrip())))
    return pieces


def _sections(text: str, opening: Sequence[Span], places: Sequence[Place]) -> Span:
    start = opening[0].start if opening else 0
    last = max((place.span.end for place in places), default=len(text))
    end = text.find("\n", max(last, start))
    return Span(start, len(text) if end < 0 else end)


class _Touching:
    """Find which of many sorted places touch a stretch, without looking at all of them."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places, self.starts = places, [place.span.start for place in places]
        self.longest = max((place.span.end - place.span.start for place in places), default=0)

    def of(self, span: Span) -> tuple[Place, ...]:
        """Return the places that share a character with a stretch."""
        left = bisect_left(self.starts, span.start - self.longest)
        return tuple(p for p in self.places[left : bisect_left(self.starts, span.end)] if p.span.overlaps(span))
