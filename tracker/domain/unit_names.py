"""Read the names of several units from one cell, as offices write them. Pure.

Commas, semicolons and line ends always separate names, but not within brackets. Blanks, slashes and
words such as “and” separate them only where both sides are known names: names of units contain
them too.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from tracker.domain.folding import fold, remove_invisible

Unit = TypeVar("Unit")

MAX_JOINED = 4  # pieces that may be one name which holds a comma itself
MAX_WORDS = 40  # words between blanks and slashes that are looked at in one piece

_OPENING = "（(【[〔《〈「『“"
_CLOSING = "）)】]〕》〉」』”"
_SEPARATORS = frozenset("、，,;；､﹑﹐﹔\n\r\t\v\f\u2028\u2029")
# Numbers before names: 1. 2、 （3） ④, not the digits within a name.
_NUMBER = re.compile(
    r"(?:^|(?<=[^0-9A-Za-z（(]))(?:[0-9]{1,2}[.．、)）](?![0-9])|[（(][0-9一二三四五六七八九十]{1,3}[）)]|[①-⑳])"
)
_SOFT = re.compile(r"(\s+|[/／|｜&＆+＋]|以及|及|和|与|暨|并)")
_AND_OTHERS = re.compile(
    r"(.+?)等(?:[有相]关|各|其他|多家|多个)?(?:单位|部门|地方|方面|委办局|企业)?"
)
_ROLE = re.compile(r"(.+?)\s*[（(]?(牵头|主办|主责|负责|配合|协办|协助|参与)(?:单位|部门)?[）)]?")
_LEADING = {"牵头", "主办", "主责", "负责"}


class UnitRole(Enum):
    """What a mark in brackets behind a name says of the unit."""

    LEADS = "leads"
    HELPS = "helps"


class Unread(Enum):
    """Why a piece of a cell is no unit."""

    UNKNOWN = "unknown"
    AND_OTHERS = "and others"


@dataclass
class UnitNames(Generic[Unit]):
    """What a cell names: units with the role that it gives them, and pieces that are no unit."""

    found: list[tuple[Unit, UnitRole | None]] = field(default_factory=list)
    unread: list[tuple[str, Unread]] = field(default_factory=list)


def name_key(name: str) -> str:
    """Return a name as it is compared: folded, without blanks and commas."""
    return "".join(sign for sign in fold(name) if not sign.isspace() and sign not in "、,;")


def split_names(text: str) -> list[str]:
    """Split a text at commas, semicolons and line ends outside of brackets; each name once."""
    text = _NUMBER.sub("、", remove_invisible(text))
    pieces = [""]
    depth = 0
    balanced = _is_balanced(text)
    for sign in text:
        depth += (sign in _OPENING) - (sign in _CLOSING)
        if sign in _SEPARATORS and not (balanced and depth):
            pieces.append("")
        else:
            pieces[-1] += sign
    names = [" ".join(piece.split()) for piece in pieces]
    return list(dict.fromkeys(filter(None, names)))


def _is_balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign in _OPENING) - (sign in _CLOSING)
        if depth < 0:
            return False
    return depth == 0


def find_units(pieces: Sequence[str], find: Callable[[str], Unit | None]) -> UnitNames[Unit]:
    """Find the units of a cell; `find` returns the one unit of a key of `name_key`."""
    names: UnitNames[Unit] = UnitNames()
    start = 0
    while start < len(pieces):
        end = _longest_name(pieces, start, find)
        if end:
            unit = find(name_key("".join(pieces[start:end])))
            if unit is not None:
                names.found.append((unit, None))
            start = end
            continue
        _read_piece(pieces[start], find, names)
        start += 1
    return names


def _longest_name(pieces: Sequence[str], start: int, find: Callable[[str], Unit | None]) -> int:
    """Return where the longest known name that begins with a piece ends; 0 where none does."""
    for end in range(min(start + MAX_JOINED, len(pieces)), start, -1):
        if find(name_key("".join(pieces[start:end]))) is not None:
            return end
    return 0


def _read_piece(piece: str, find: Callable[[str], Unit | None], names: UnitNames[Unit]) -> None:
    """Read a piece that is no name as a whole: a mark behind a name, several names, or none."""
    marked = _ROLE.fullmatch(piece)
    if marked:
        unit = find(name_key(marked[1]))
        if unit is not None:
            names.found.append((unit, _role_of(marked[2])))
            return
    parts = _SOFT.split(piece)[: 2 * MAX_WORDS]
    units = _all_known(parts, find)
    others = _AND_OTHERS.fullmatch(piece)
    if not units and others:
        units = _all_known(_SOFT.split(others[1]), find)
        if units:
            names.unread.append((piece, Unread.AND_OTHERS))
    if units:
        names.found += [(unit, None) for unit in units]
        return
    for word in _words(parts, find):
        _read_word(word, find, names)


def _role_of(mark: str) -> UnitRole:
    if mark in _LEADING:
        return UnitRole.LEADS
    return UnitRole.HELPS


def _read_word(word: str, find: Callable[[str], Unit | None], names: UnitNames[Unit]) -> None:
    """Read a word that is a known name, or none."""
    unit = find(name_key(word))
    if unit is not None:
        names.found.append((unit, None))
        return
    reason = Unread.UNKNOWN
    others = _AND_OTHERS.fullmatch(word)
    if others and find(name_key(others[1])):
        reason = Unread.AND_OTHERS
    names.unread.append((word, reason))


def _all_known(parts: Sequence[str], find: Callable[[str], Unit | None]) -> list[Unit]:
    """Return the units where all parts together are known names; else nothing.

    `parts` holds words at even places and separators at odd ones.
    """
    # By the place of the word at which a known name may begin: the units before it.
    reached: dict[int, list[Unit]] = {0: []}
    for start in range(0, len(parts), 2):
        if start not in reached:
            continue
        for end in range(start + 1, min(start + 2 * MAX_JOINED, len(parts) + 1), 2):
            unit = find(name_key("".join(parts[start:end])))
            if unit is not None:
                reached[end + 1] = [*reached[start], unit]
    return reached.get(len(parts) + 1, [])


def _words(parts: Sequence[str], find: Callable[[str], Unit | None]) -> Iterator[str]:
    """Yield known names and what is between them; a piece without a known name stays whole."""
    words = [""]
    any_known = False
    place = 0
    while place < len(parts):
        end = _longest_known(parts, place, find)
        if end:
            any_known = True
            words += ["".join(parts[place:end]), ""]
            place = end + 1
            continue
        mark = ""
        if place + 1 < len(parts):
            mark = parts[place + 1]
        words[-1] += parts[place]
        # What “and” parts may be one name; what a blank or a slash parts is none.
        if _is_and(mark):
            words[-1] += mark
        else:
            words.append("")
        place += 2
    if any_known:
        yield from (word for word in words if word.strip())
    else:
        yield "".join(parts)


def _is_and(mark: str) -> bool:
    return mark.isalpha()


def _longest_known(parts: Sequence[str], start: int, find: Callable[[str], Unit | None]) -> int:
    """Return where the longest known name that begins with a word ends; 0 where none does."""
    # Words stand at even places: the last one ends the list, or a mark follows it.
    last = len(parts)
    if len(parts) % 2 == 0:
        last -= 1
    last = min(start + 2 * MAX_JOINED - 1, last)
    for end in range(last, start, -2):
        if find(name_key("".join(parts[start:end]))) is not None:
            return end
    return 0
