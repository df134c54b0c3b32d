"""What the number format of a cell makes of its value: a day, a percent, a text. Pure.

Excel keeps days and percents as plain numbers; the format alone says what a number means. Formats
that are not understood show the number itself, without an exponent.
"""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

# Formats that Excel names by number alone and that its Chinese editions show their own way; the
# short dates follow the settings of a machine and are shown here as ISO days.
_YEAR_MONTH = 'yyyy"年"m"月"'
_MONTH_DAY = 'm"月"d"日"'
CHINESE_FORMATS = {
    14: "yyyy-mm-dd",
    22: "yyyy-mm-dd h:mm",
    **dict.fromkeys((27, 36, 50, 52, 57), _YEAR_MONTH),
    **dict.fromkeys((28, 29, 51, 53, 54, 58), _MONTH_DAY),
    30: "m-d-yy",
    31: 'yyyy"年"m"月"d"日"',
    **dict.fromkeys((32, 34, 55), 'h"时"mm"分"'),
    **dict.fromkeys((33, 35, 56), 'h"时"mm"分"ss"秒"'),
}

MAX_FORMAT_LENGTH = 255  # what Excel takes
MAX_EXACT = 10**15  # from here on a number of Excel has lost its last digits

# A literal in quotes, an escaped sign, a sign to pad with, a bracket, or any other sign.
_TOKEN = re.compile(r'"([^"]*)"?|[\\!](.)|[_*].|\[([^\]]*)\]|(.)', re.DOTALL)
_CURRENCY = re.compile(r"\$([^-]*)(?:-.*)?")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
# What may stand outside of quotes, by kind; the first that matches counts. Anything else is shown.
_WORDS = (
    ("general", re.compile(r"General|G/通用格式|常规", re.IGNORECASE)),
    (
        "date",
        re.compile(
            r"AM/PM|A/P|上午/下午|y+|m+|d+|h+|s+(?:\.0+)?|[ge]+(?![+-])|a{3,}|b{2,4}", re.IGNORECASE
        ),
    ),
    ("places", re.compile(r"[#0?,]*[#0?](?:\.[#0?]*)?,*|\.[#0?]+")),
    ("percent", re.compile(r"[%％]")),
    ("other", re.compile(r"E[+-]|[@/]", re.IGNORECASE)),
)


# Kinds of pieces that no number is shown with.
NOT_FOR_NUMBERS = frozenset({"other", "date", "elapsed"})


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a format: its kind, and its text, which is shown or stands for part of a value."""

    kind: str
    text: str


@dataclass(frozen=True)
class NumberFormat:
    """A number format as it is parsed: what it shows, and its pieces by section."""

    is_date: bool
    shows_day: bool
    is_elapsed: bool
    is_percent: bool
    is_literal_percent: bool
    sections: tuple[tuple[_Piece, ...], ...]

    def show(self, value: float | dt.datetime) -> str:
        """Return a value as the cell shows it."""
        if isinstance(value, dt.datetime):
            return _show_moment(self.sections[0], value)
        if self.is_elapsed:
            return _show_elapsed(value)
        return _show_number(self, value)


@lru_cache(maxsize=2_000)
def parse_format(code: str) -> NumberFormat:
    """Parse a number format; the work is bounded by MAX_FORMAT_LENGTH."""
    sections = [tuple(_pieces(text)) for text in _split(code[:MAX_FORMAT_LENGTH])]
    first = sections[0]
    kinds = {piece.kind for piece in first}
    dates = _texts(first, "date")
    literals = "".join(_texts(first, "literal")).strip()
    is_number = "places" in kinds or "general" in kinds
    return NumberFormat(
        is_date="date" in kinds and "elapsed" not in kinds,
        shows_day="d" in dates or "dd" in dates,
        is_elapsed="elapsed" in kinds,
        is_percent="percent" in kinds,
        is_literal_percent=is_number and "percent" not in kinds and literals in ("%", "％"),
        sections=tuple(sections),
    )


def plain_number(value: float) -> str:
    """Write a number with the digits that Excel keeps, at most 15, and without an exponent."""
    if isinstance(value, int):
        return str(value)
    number = Decimal(f"{value:.15g}")
    if number:
        return f"{number.normalize():f}"
    return "0"


def _split(code: str) -> list[str]:
    """Split a format at its semicolons: for positive numbers, negative ones, zero, and text."""
    sections = [""]
    for found in _TOKEN.finditer(code):
        if found[4] == ";":
            sections.append("")
        else:
            sections[-1] += found[0]
    return sections


def _pieces(section: str) -> list[_Piece]:
    """Split one section into pieces."""
    pieces: list[_Piece] = []
    run = ""
    for found in _TOKEN.finditer(section):
        if found[4] is not None:
            run += found[4]
            continue
        pieces += _words(run)
        run = ""
        bracket = found[3] or ""
        if found[1] is not None or found[2] is not None:
            pieces.append(_Piece("literal", found[1] or found[2] or ""))
        elif _ELAPSED.fullmatch(bracket):
            pieces.append(_Piece("elapsed", bracket))
        elif currency := _CURRENCY.fullmatch(bracket):
            pieces.append(_Piece("literal", currency[1]))
    return pieces + _words(run)


def _words(run: str) -> list[_Piece]:
    """Split what is outside of quotes into words with a meaning, and characters that are shown."""
    pieces: list[_Piece] = []
    place = 0
    while place < len(run):
        piece = _Piece("literal", run[place])
        for kind, pattern in _WORDS:
            if found := pattern.match(run, place):
                piece = _Piece(kind, found[0])
                break
        pieces.append(piece)
        place += len(piece.text)
    return pieces


def _show_number(shape: NumberFormat, value: float) -> str:
    section = shape.sections[0]
    if value < 0 and len(shape.sections) > 1:
        section = shape.sections[1]
        value = -value
    elif value == 0 and len(shape.sections) > 2:
        section = shape.sections[2]
    kinds = [piece.kind for piece in section]
    numbers = kinds.count("places") + kinds.count("general")
    if numbers != 1 or not NOT_FOR_NUMBERS.isdisjoint(kinds):
        return plain_number(value)
    shown = "".join(_number_part(piece, value, kinds.count("percent")) for piece in section)
    if value < 0:
        return f"-{shown.strip()}"
    return shown.strip()


def _number_part(piece: _Piece, value: float, percents: int) -> str:
    """Return what a piece of a format shows of a number, without its sign."""
    if piece.kind == "places":
        return _digits(value, piece.text, percents)
    if piece.kind == "general":
        return plain_number(abs(value))
    return piece.text


def _digits(value: float, places: str, percents: int) -> str:
    """Write a number without its sign by places such as `#,##0.00`.

    Halves are rounded away from zero.
    """
    whole, _dot, fraction = places.partition(".")
    thousands = len(whole) - len(whole.rstrip(","))
    number = abs(Decimal(plain_number(value))).scaleb(2 * percents - 3 * thousands)
    number = number.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    head, _dot, tail = f"{number:f}".partition(".")
    least = whole.count("0")
    head = head.lstrip("0").rjust(least, "0")
    if "," in whole.rstrip(","):
        head = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", head)
    keep = len(fraction.rstrip("#?"))
    tail = tail[:keep] + tail[keep:].rstrip("0")
    if tail:
        return f"{head}.{tail}"
    return head


def _show_elapsed(value: float) -> str:
    minutes = round(value * 24 * 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def _show_moment(section: tuple[_Piece, ...], value: dt.datetime) -> str:
    words = _texts(section, "date")
    shown = ""
    number = 0
    for piece in section:
        if piece.kind == "date":
            part = _part(words[number], _is_minute(words, number), value)
            if part is None:
                return _iso(value)
            shown += part
            number += 1
        elif piece.text != "@":
            shown += piece.text
    return shown.strip()


def _texts(section: tuple[_Piece, ...], kind: str) -> list[str]:
    """Return the texts of the pieces of a kind, in small letters."""
    return [piece.text.lower() for piece in section if piece.kind == kind]


def _is_minute(words: list[str], number: int) -> bool:
    """Say whether an m is a minute: it stands beside hours or seconds."""
    follows_hours = number > 0 and words[number - 1].startswith("h")
    before_seconds = number + 1 < len(words) and words[number + 1].startswith("s")
    return follows_hours or before_seconds


def _iso(value: dt.datetime) -> str:
    if value.time() == dt.time.min:
        return value.date().isoformat()
    return value.isoformat(" ")


def _part(word: str, of_time: bool, value: dt.datetime) -> str | None:
    """Return what a word of a format shows of a moment; None where it takes words of a language."""
    padded = len(word) > 1
    if word[0] == "y":
        if len(word) > 2:
            return f"{value.year:04}"
        return f"{value.year % 100:02}"
    if word[0] == "m" and len(word) < 3:
        if of_time:
            number = value.minute
        else:
            number = value.month
    elif word in ("d", "dd"):
        number = value.day
    elif word[0] == "h":
        number = value.hour
    elif word[0] == "s":
        number = value.second
        padded = word.startswith("ss")
    else:
        return None
    if padded:
        return f"{number:02}"
    return str(number)


GENERAL_FORMAT = parse_format("General")
