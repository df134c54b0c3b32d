"""Order codes as people count: A1-2 before A1-10. Pure."""

import re

from tracker.domain.folding import fold

_NUMBER = re.compile(r"[0-9]+")


def natural(code: str) -> str:
    """Return a code as a text whose byte order is the natural one; capitals and leading zeros do not count.

    Each number stands behind its length in two digits, so that more digits sort after fewer. A code
    of 20 characters has at most 10 numbers and becomes at most 40 characters.
    """
    return _NUMBER.sub(_with_length, fold(code))


def code_key(code: str) -> str:
    """Return what a code is sorted by: its natural order, then the code itself, so that no two are equal.

    The blank between them sorts before every sign of a code: A1 stands before A1-1. At most 61 characters.
    """
    return f"{natural(code)} {code}"


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0") or "0"
    return f"{len(digits):02}{digits}"
