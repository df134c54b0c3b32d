"""What two texts have in common and where they differ, clause by clause. Pure.

The work is bounded: a comparison costs at most `MAX_DEPTH` passes over the two texts, whatever
they hold. A part without a clause that occurs only once in both texts is shown as replaced.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

CLAUSE_PATTERN = re.compile(r"\w+|\W+")  # words and Chinese clauses end at punctuation
MAX_DEPTH = 12  # how often a part is parted again

# A part of both texts: from and to in the old one, from and to in the new one.
DifferencePart = tuple[int, int, int, int]


def differences(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield pieces of text with `same`, `del` or `ins`, in reading order."""
    before = CLAUSE_PATTERN.findall(old)
    after = CLAUSE_PATTERN.findall(new)
    old_end = new_end = 0
    for old_start, new_start, size in _joined(_same(before, after)):
        yield from _replaced(before[old_end:old_start], after[new_end:new_start])
        if size:
            yield "same", "".join(before[old_start : old_start + size])
        old_end = old_start + size
        new_end = new_start + size


def _replaced(removed: Sequence[str], added: Sequence[str]) -> Iterator[tuple[str, str]]:
    if removed:
        yield "del", "".join(removed)
    if added:
        yield "ins", "".join(added)


def _joined(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield runs of clauses that are the same: start in the old text, in the new one, length.

    The last run stands at the end of the last places and may be empty.
    """
    start: tuple[int, int] | None = None
    size = 0
    for old, new in places:
        if start and (old, new) == (start[0] + size, start[1] + size):
            size += 1
            continue
        if start:
            yield *start, size
        start = (old, new)
        size = 1
    if start:
        # The place behind the last clauses holds none.
        yield *start, size - 1


def _same(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of clauses that are the same, in order, and the place behind the last.

    First what both texts begin and end with, then the clauses that occur once in both; between
    these once more.
    """
    found = [(len(before), len(after))]
    waiting: list[tuple[DifferencePart, int]] = [((0, len(before), 0, len(after)), 0)]
    while waiting:
        part, depth = waiting.pop()
        part = _trim_start(before, after, part, found)
        part = _trim_end(before, after, part, found)
        old_start, old_end, new_start, new_end = part
        if old_start == old_end or new_start == new_end or depth == MAX_DEPTH:
            continue
        anchors = _anchors(before, after, part)
        found += anchors
        if anchors:
            for old, new in [*anchors, (old_end, new_end)]:
                waiting.append(((old_start, old, new_start, new), depth + 1))
                old_start = old + 1
                new_start = new + 1
    return sorted(found)


def _trim_start(
    before: Sequence[str],
    after: Sequence[str],
    part: DifferencePart,
    found: list[tuple[int, int]],
) -> DifferencePart:
    """Return a part without the clauses that both texts begin with there; add these to `found`."""
    old_start, old_end, new_start, new_end = part
    while old_start < old_end and new_start < new_end and before[old_start] == after[new_start]:
        found.append((old_start, new_start))
        old_start += 1
        new_start += 1
    return old_start, old_end, new_start, new_end


def _trim_end(
    before: Sequence[str],
    after: Sequence[str],
    part: DifferencePart,
    found: list[tuple[int, int]],
) -> DifferencePart:
    """Return a part without the clauses that both texts end with there; add these to `found`."""
    old_start, old_end, new_start, new_end = part
    while old_start < old_end and new_start < new_end and before[old_end - 1] == after[new_end - 1]:
        old_end -= 1
        new_end -= 1
        found.append((old_end, new_end))
    return old_start, old_end, new_start, new_end


def _anchors(
    before: Sequence[str], after: Sequence[str], part: DifferencePart
) -> list[tuple[int, int]]:
    """Return the longest rising row of the clauses that occur once in either side of a part."""
    old_start, old_end, new_start, new_end = part
    old_counts = Counter(before[old_start:old_end])
    new_counts = Counter(after[new_start:new_end])
    places = {}
    for new in range(new_start, new_end):
        if new_counts[after[new]] == 1:
            places[after[new]] = new
    pairs = []
    for old in range(old_start, old_end):
        if old_counts[before[old]] == 1 and before[old] in places:
            pairs.append((old, places[before[old]]))
    return _rising(pairs)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest row of pairs, sorted by the first number, whose second number rises."""
    ends: list[int] = []
    last: list[int] = []
    former: list[int] = []
    for number, (_old, new) in enumerate(pairs):
        length = bisect_left(ends, new)
        previous = -1
        if length:
            previous = last[length - 1]
        former.append(previous)
        if length == len(ends):
            ends.append(new)
            last.append(number)
        else:
            ends[length] = new
            last[length] = number
    row = []
    number = -1
    if last:
        number = last[-1]
    while number >= 0:
        row.append(pairs[number])
        number = former[number]
    return row[::-1]
