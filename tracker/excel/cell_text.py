"""Text for cells: what a cell can hold, and how many lines it takes. Pure."""

import re
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MAX_CELL_TEXT = 32_767  # what a cell of Excel holds, counted in units of UTF-16
MAX_ROW_HEIGHT = 409.0  # points; no row of Excel is higher
# a line by its font size, in the tallest of the fallback fonts; points around the lines
LINE_HEIGHT = 1.45
ROW_PADDING = 6.0

# Control characters but tab and line feed, lone surrogates, and what XML does not know.
_REFUSED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Excel reads _x0041_ as "A"; it takes the underscore itself for one when it is written _x005F_.
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

# Whatever is not Latin is taken for wide, as Chinese fonts draw it.
_WIDE = re.compile(r"[^\u0000-\u024f]+")


def clean_cell_text(text: str) -> tuple[str, list[str]]:
    """Return what a cell can hold of a text, and sentences on what was lost."""
    if text.isprintable() and 2 * len(text) <= MAX_CELL_TEXT and "_x" not in text:
        return text, []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lost = []
    text, stripped = strip_refused(text)
    if stripped:
        lost.append(
            ngettext(
                "%(count)d character that cannot be stored in a cell was left out",
                "%(count)d characters that cannot be stored in a cell were left out",
                stripped,
            )
            % {"count": stripped}
        )
    text = _ESCAPE.sub("_x005F_", text)
    units = text.encode("utf-16-le")
    if len(units) > 2 * MAX_CELL_TEXT:
        # Half of a pair at the cut is dropped.
        text = units[: 2 * MAX_CELL_TEXT].decode("utf-16-le", "ignore")
        lost.append(
            _("truncated: a cell can contain %(limit)d characters, the text has %(length)d")
            % {"limit": MAX_CELL_TEXT, "length": len(units) // 2}
        )
    return text, lost


def strip_refused(text: str) -> tuple[str, int]:
    """Return a text without the characters that no cell can hold, and how many there were."""
    if text.isprintable():
        return (text, 0)
    return _REFUSED.subn("", text)


@lru_cache
def column_room(width: float, size: float) -> int:
    """Return how many characters fit on a line; a Chinese one counts as two."""
    # A column's unit is 7 pixels, as wide as half a Chinese character of 10.5 points.
    return max(2, int((width - 1) * 10.5 / size) // 2 * 2)


def wrapped_lines(text: str, width: float, size: float) -> int:
    """Estimate how many lines a text takes: its size in points, the width in units of Excel."""
    room = column_room(width, size)
    if 2 * len(text) <= room and "\n" not in text:
        return 1
    widths = (2 * len(line) - len(_WIDE.sub("", line)) for line in text.split("\n"))
    return sum(max(1, -(-width // room)) for width in widths)


def lines_needed(count: int, size: float) -> float:
    """Return the height of some lines, in points."""
    return count * size * LINE_HEIGHT + ROW_PADDING


def row_height(count: int, size: float) -> float:
    """Return the height of a row that shows some lines, in points, at most MAX_ROW_HEIGHT."""
    return min(MAX_ROW_HEIGHT, lines_needed(count, size))


def safe_name(text: str) -> str:
    """Return a file name without what file systems refuse."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f\x7f]', "_", text)
