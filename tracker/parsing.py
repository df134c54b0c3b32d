"""What people write into cells, read without a guess: percents, days, words, codes, prose. Pure.

Each reader takes the native value of a cell and returns its meaning; None is an empty cell. What
has two meanings or none is a ValueError that says what is allowed. Full-width signs count as
their plain twins in codes, numbers and days only, never in prose.
"""

import datetime as dt
import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.dates import FIRST_DAY, LAST_DAY

Native = str | int | float | dt.date | bool | None
# What an amount has at most: databases keep 15 digits exactly.
WHOLE_DIGITS, PLACES = 11, 4
# The largest key that both databases take.
MOST_WHOLE = 2**63 - 1
NEAR = 3  # names offered in place of one that is not known
MAX_COMPARED = 100  # signs of a name that is looked for
MAX_COMPARISONS = 50_000  # with known names, of one file

_FULL = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN = {**_FULL, 0x3000: " ", 0xFE6A: "%", 0x2212: "-", **dict.fromkeys(range(0x2010, 0x2016), "-")}
_PERCENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(%?)", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_AMOUNT = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,40})(?:\.[0-9]{1,40})?", re.ASCII)
_DAYS = (
    re.compile(r"([0-9]{4})([-./])([0-9]{1,2})\2([0-9]{1,2})(?:[ T]00:00(?::00)?)?", re.ASCII),
    re.compile(r"([0-9]{4})()([0-9]{2})([0-9]{2})", re.ASCII),
    re.compile(r"([0-9]{4})()年([0-9]{1,2})月([0-9]{1,2})[日号]?(?:之?前|以前)?", re.ASCII),
)
_MONTH_END = re.compile(r"([0-9]{4})年([0-9]{1,2})月[底末](?:之?前|以前)?", re.ASCII)
_YEAR_PART = re.compile(r"([0-9]{4})年(上半年|下半年|年?底|年?末)(?:之?前|以前)?", re.ASCII)
_LAST_MONTH = {"上半年": 6}
_NO_DAY = {"长期", "长期坚持"}
CLEAR_WORD = "【清空】"
_CLEAR = {CLEAR_WORD, "[清空]"}
_UNIT_MARKS = re.compile(r"[、，,;；\n]+")
DONE, UNDONE = ("✓", "√", "✔", "是", "已完成"), ("○", "×", "否", "未完成")
# Words of the office that mean one of ours.
_ALSO = {
    "未开始": "未启动",
    "进行中": "推进中",
    "正在推进": "推进中",
    "办结": "已办结",
    "已销号": "已办结",
    "长期": "长期坚持",
}


class Clear:
    """A cell that asks for what is stored to be erased: an empty one asks for nothing."""

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR = Clear()


@dataclass(frozen=True)
class Cell:
    """A cell of a workbook: its value, whether its format shows a percent, or why it has no value."""

    value: Native = None
    percent: bool = False
    fault: str = ""

    @property
    def empty(self) -> bool:
        """Say whether nothing is written in it."""
        return not self.fault and (self.value is None or (isinstance(self.value, str) and not self.value.strip()))

    def __str__(self) -> str:
        if self.percent and isinstance(self.value, int | float):
            return f"{100 * self.value:.10g}%"
        return written(self.value)


def plain(text: str) -> str:
    """Return a text with plain signs in place of full-width ones, without spaces around it."""
    return text.translate(_PLAIN).strip()


def written(value: Native | Decimal) -> str:
    """Return a value as a person would have written it into a text cell."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ") if value.time() != dt.time.min else value.date().isoformat()
    return "" if value is None else str(value)


def percent(cell: Cell) -> int | Clear | None:
    """Read a percent as a whole number from 0 to 100."""
    value, allowed = cell.value, _("a whole percent from 0% to 100%, for example 50%")
    if isinstance(value, str):
        if value.strip() in _CLEAR:
            return CLEAR
        found = _PERCENT.fullmatch(plain(value))
        if not found:
            raise ValueError(allowed)
        number, marked = float(found[1]), bool(found[2])
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(allowed)
    else:
        number, marked = (100 * value, True) if cell.percent else (float(value), False)
    if not marked and 0 < number <= 1:
        raise ValueError(
            _("%(low)s or %(high)s? Write it with the percent sign")
            % {"low": f"{number:g}%", "high": f"{100 * number:g}%"}
        )
    whole = round(number) if 0 <= number <= 100 else -1
    # 100 * 0.29 is 28.999999999999996: shares are stored in binary.
    if whole < 0 or abs(number - whole) > 1e-7:
        raise ValueError(allowed)
    return whole


def day(cell: Cell) -> dt.date | Clear | None:
    """Read a day; `long term` is CLEAR, as is the word that erases."""
    value = cell.value
    allowed = _("a day as %(examples)s; a month or year only with its end, or “long term”") % {
        "examples": "2026-06-30, 2026.6.30, 2026年6月30日, 20260630, 2026年6月底, 2026年上半年"
    }
    if isinstance(value, dt.datetime):
        value = value.date()
    if not isinstance(value, dt.date):
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()) or value is None:
            raise ValueError(allowed)
        text = plain(written(value))
        if text in _NO_DAY or text in _CLEAR:
            return CLEAR
        value = _day_of(re.sub(r"(?<=[0-9年月]) +(?=[0-9年月日号底末上下])", "", text) if "年" in text else text)
    if value is None or not FIRST_DAY <= value <= LAST_DAY:
        raise ValueError(allowed)
    return value


def _day_of(text: str) -> dt.date | None:
    try:
        for pattern in _DAYS:
            if found := pattern.fullmatch(text):
                return dt.date(int(found[1]), int(found[3]), int(found[4]))
        if found := _MONTH_END.fullmatch(text):
            year, month = int(found[1]), int(found[2])
            return dt.date(year, month, monthrange(year, month)[1]) if 1 <= month <= 12 else None
        if found := _YEAR_PART.fullmatch(text):
            year, month = int(found[1]), _LAST_MONTH.get(found[2], 12)
            return dt.date(year, month, monthrange(year, month)[1])
    except ValueError:
        pass
    return None


def code(cell: Cell) -> str | None:
    """Read a code as text: of a number or a day nobody knows what was typed."""
    if not isinstance(cell.value, str):
        raise ValueError(_("a code as text, for example A1-02; the cell holds a number or a day"))
    return plain(cell.value)


def whole(cell: Cell) -> int | Clear | None:
    """Read a whole number."""
    text = plain(written(cell.value)) if not isinstance(cell.value, bool | dt.date) else ""
    if text in _CLEAR:
        return CLEAR
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(_("a whole number"))
    return int(text)


def whole_number(text: object, most: int = MOST_WHOLE, least: int = 0) -> int | None:
    """Read a whole number from an address, a form or a file; None where it is not one or out of bounds.

    Plain digits alone: `str.isdigit` takes “²”, `int` takes “٣” and "1_0", and a database takes 64 bits.
    """
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    return number if least <= number <= most else None


def amount(text: str, unit: str = "") -> Decimal:
    """Read a number that may be grouped by commas and followed by its unit of measure."""
    bare = plain(text).removesuffix(plain(unit)).strip()
    found = Decimal(bare.replace(",", "")).normalize() if _AMOUNT.fullmatch(bare) else None
    if found is None or found.adjusted() >= WHOLE_DIGITS or found != round(found, PLACES):
        raise ValueError(
            _("a number such as 1234.5, at most %(whole)d digits before the point and %(places)d after it")
            % {"whole": WHOLE_DIGITS, "places": PLACES}
        )
    return found


def prose(cell: Cell) -> str | Clear | None:
    """Read a text as it stands."""
    text = written(cell.value)
    return CLEAR if text.strip() in _CLEAR else text


def choice(words: Callable[[], Mapping[str, str]], cell: Cell) -> str | None:
    """Read one of some words; `words` maps each word that is understood to its value."""
    known, text = words(), plain(written(cell.value))
    text = text if text in known else _ALSO.get(text, text)
    if text not in known:
        # The first word of each value is the one in use here.
        first = {value: word for word, value in reversed(list(known.items()))}
        raise ValueError(
            _("one of: %(words)s") % {"words": pgettext("list", ", ").join(reversed(list(first.values())))}
        )
    return known[text]


def tick(cell: Cell) -> bool | None:
    """Read whether a step is done."""
    text = cell.value if isinstance(cell.value, bool) else plain(written(cell.value))
    if text is True or text in DONE:
        return True
    if text is False or text in UNDONE:
        return False
    raise ValueError(_("one of: %(words)s") % {"words": pgettext("list", ", ").join((*DONE, *UNDONE))})


def names(cell: Cell) -> list[str] | Clear | None:
    """Read names parted by commas, semicolons or line ends, each once."""
    text = written(cell.value)
    if text.strip() in _CLEAR:
        return CLEAR
    return list(dict.fromkeys(name.strip() for name in _UNIT_MARKS.split(text) if name.strip()))


class NearNames:
    """Names that come near to those of a file that are not known.

    Each search compares with every known name, so that a file has a number of comparisons; behind
    them "…" stands in place of names.
    """

    def __init__(self) -> None:
        self._left = MAX_COMPARISONS

    def of(self, text: str, known: Sequence[str]) -> list[str]:
        """Return the known names that come nearest to a text."""
        if len(known) > self._left:
            return ["…"]
        self._left -= len(known)
        return get_close_matches(text[:MAX_COMPARED], known, NEAR, 0.5)


def one_of(words: Callable[[], Mapping[str, str]]) -> Callable[[Cell], str | None]:
    """Make a reader of some words."""
    return partial(choice, words)
