"""Order codes as people count: A1-2 before A1-10. Pure."""

import re

from tracker.domain.folding import fold

_NUMBER = re.compile(r"[0-9]+")


def natural(code: str) -> str:
    """Return a code as a text whose byte order is the natural one; capitals do not count.

    Each number stands between its length and the number of its leading zeros, one character each:
    more digits sort after fewer, and A0 and A00 stay two groups. A code of 20 characters has at
    most 10 numbers and becomes at most 40 characters.
    """
    return _NUMBER.sub(_between_lengths, fold(code))


def code_key(code: str) -> str:
    """Return what a code is sorted by: its natural order, then the code, so that no two are equal.

    The blank between them sorts before every character of a code: A1 is before A1-1. At most 61
    characters.
    """
    return f"{natural(code)} {code}"


def _between_lengths(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0") or "0"
    zeros = len(number[0]) - len(digits)
    return f"{_sign(len(digits))}{digits}{_sign(zeros)}"


def _sign(number: int) -> str:
    """Write a number up to 40 as one character that sorts before the small letters of a code."""
    return chr(ord("0") + number)
