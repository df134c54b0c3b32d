"""Find phrases in a text and cut it into sentences and clauses. Pure.

Places are spans of the text as it was given, so that a page can mark them in it.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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


def normalise(text: str) -> Normalised:
    """Drop whitespace and take half- and full-width characters as one."""
    kept = []
    places = []
    for place, sign in enumerate(text):
        if not sign.isspace() and sign not in _INVISIBLE:
            kept.append(sign)
            places.append(place)
    return Normalised("".join(kept).translate(_ONE), tuple(places))


def find_passage(anchor: str, text: str | Normalised) -> list[Span]:
    """Return every place of an anchor in a text; normalise the text once to look for many."""
    if isinstance(text, Normalised):
        norm = text
    else:
        norm = normalise(text)
    wanted = normalise(anchor).text
    if not wanted:
        return []
    found = []
    at = norm.text.find(wanted)
    while at >= 0:
        found.append(norm.original(at, at + len(wanted)))
        # One sign on: places that overlap each other are ambiguous all the same.
        at = norm.text.find(wanted, at + 1)
    return found


class ClauseFinder:
    """Find the whole clauses that phrases of one text stand in."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _normalised(self) -> Normalised:
        return normalise(self.text)

    def clauses_of(self, anchor: str) -> str:
        """Return the clauses that a phrase touches; "" where it identifies no passage.

        A phrase that stands in the text just as it is costs one pass over it in C; any other makes
        the text be normalised once.
        """
        place = self._place(anchor)
        if place is None:
            return ""
        # No clause goes beyond its line: to cut the whole text would cost a hundred times as much.
        begin = self.text.rfind("\n", 0, place.start) + 1
        end = self.text.find("\n", place.end)
        if end < 0:
            end = len(self.text)
        lines = self.text[begin:end]
        within = Span(place.start - begin, place.end - begin)
        touched = []
        for span in split_clauses(lines):
            if span.overlaps(within):
                touched.append(span)
        if touched:
            return lines[touched[0].start : touched[-1].end]
        return ""

    def _place(self, anchor: str) -> Span | None:
        if not anchor or not self.text:
            return None
        start = self.text.find(anchor)
        if start >= 0 and self.text.find(anchor, start + 1) < 0:
            return Span(start, start + len(anchor))
        found = find_passage(anchor, self._normalised)
        if len(found) == 1:
            return found[0]
        return None


def split_sentences(text: str) -> list[Span]:
    """Cut a text at full stops, question and exclamation marks, and line ends."""
    return _cut(text, _SENTENCE_END)


def split_clauses(text: str) -> list[Span]:
    """Cut a text at commas, semicolons and sentence ends; the enumeration comma does not cut."""
    return _cut(text, _CLAUSE_END)


def piece_at(pieces: Sequence[Span], place: int) -> int:
    """Return the number of the piece that a place lies in, or of the last one before it."""
    return max(bisect_right(pieces, place, key=lambda piece: piece.start) - 1, 0)


def _cut(text: str, end: re.Pattern[str]) -> list[Span]:
    """Cut after each end, without the blanks around; a piece without a word is none."""
    ends = []
    for match in end.finditer(text):
        ends.append(match.end())
    pieces = []
    for start, stop in zip([0, *ends], [*ends, len(text)], strict=True):
        piece = text[start:stop]
        if _WORD.search(piece):
            blanks = len(piece) - len(piece.lstrip())
            pieces.append(Span(start + blanks, start + len(piece.rstrip())))
    return pieces
