"""Read what people write into cells without guessing: percents, days, codes, prose. Pure.

Each reader takes a cell and returns what its value means; None is an empty cell. A value with two
meanings or none is a ValueError that says what is allowed. In codes, numbers, days and names, but
never in prose, full-width characters count as plain ones and invisible ones do not count.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.domain.cells import (
    CLEAR,
    LONG_TERM,
    Cell,
    Clear,
    format_decimal,
    is_clear,
    plain_text,
)
from tracker.domain.dates import LAST_DAY
from tracker.domain.folding import fold
from tracker.domain.number_formats import MAX_EXACT, plain_number
from tracker.domain.unit_names import split_names
from tracker.domain.written_days import written_day

# What an amount has at most: databases keep 15 digits exactly.
WHOLE_DIGITS = 11
PLACES = 4
# The largest key that both databases take.
MAX_WHOLE_NUMBER = 2**63 - 1
MAX_NEAR_NAMES = 3  # names offered in place of one that is not known
MAX_COMPARED = 100  # signs of a name that is looked for
MAX_COMPARISONS = 50_000  # with known names, of one file
DAY_EXAMPLES = (
    "2026-06-30, 2026.6.30, 2026年6月30日, 20260630, 2026年6月底, 2026年第二季度, 2026年上半年"
)
EARLIEST_DAY = dt.date(2000, 1, 1)  # a day before is what a spreadsheet makes of a number
SERIAL_EPOCH = dt.date(1899, 12, 30)
# how spreadsheets keep days from 2000 to 2099
EARLIEST_SERIAL = 36_526
LATEST_SERIAL = 73_050

_PERCENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(%?)", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_AMOUNT = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,40})(?:\.[0-9]{1,40})?", re.ASCII)
# A task with one of these has no final deadline: it is a standing one.
_LONG_TERM = re.compile(
    r"长期(?:坚持|推进|开展|任务)?|持续(?:推进|坚持|开展|进行)?|常态化?(?:推进|开展|坚持)?|每[年月周]|每季度末?|每月[底末]"
)
DONE_WORDS = ("✓", "√", "✔", "是", "已完成")
UNDONE_WORDS = ("○", "×", "否", "未完成")
# Words of the office that mean one of ours.
_ALSO = {
    "未开始": "未启动",
    "进行中": "推进中",
    "正在推进": "推进中",
    "办结": "已办结",
    "已销号": "已办结",
    "长期": "长期坚持",
}


def parse_percent(cell: Cell) -> int | Clear | None:
    """Read a percent as a whole number from 0 to 100."""
    value = cell.value
    if isinstance(value, str):
        if is_clear(value):
            return CLEAR
        number, has_sign = _percent_text(value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_percent_rule())
    else:
        number, has_sign = _percent_number(cell, value)
    if not has_sign and 0 < number <= 1:
        raise ValueError(
            _("%(low)s or %(high)s? Write it with the percent sign")
            % {"low": f"{number:g}%", "high": f"{100 * number:g}%"}
        )
    # 100 * 0.29 is 28.999999999999996: shares are stored in binary.
    if not 0 <= number <= 100 or abs(number - round(number)) > 1e-7:
        raise ValueError(_percent_rule())
    return round(number)


def _percent_rule() -> str:
    return _("a whole percentage from 0% to 100%, for example 50%")


def _percent_text(text: str) -> tuple[float, bool]:
    """Return the number of a text, and whether a percent sign follows it."""
    found = _PERCENT.fullmatch(plain_text(text))
    if not found:
        raise ValueError(_percent_rule())
    return float(found[1]), bool(found[2])


def _percent_number(cell: Cell, value: float) -> tuple[float, bool]:
    """Return the percent that a number means, and whether the cell shows a percent sign."""
    if cell.format.is_literal_percent:
        return float(value), True
    if cell.holds_percent_number:
        raise ValueError(_percent_allowed(value))
    if cell.percent:
        return (100 * value, True)
    return (float(value), False)


def _percent_allowed(value: float) -> str:
    """Say how to write a percent that was put in where the format was one already.

    The cell shows 7000% for 70.
    """
    return _(
        "%(number)s%%, if that is what you mean: the cell is formatted as a percentage, so type "
        "%(number)s%% into it"
    ) % {"number": plain_number(value)}


def parse_date(cell: Cell) -> dt.date | Clear | None:
    """Read a day from 2000 on; the word that erases is CLEAR."""
    if isinstance(cell.value, str) and is_clear(cell.value):
        return CLEAR
    day = _day_in(cell)
    if day is None or not EARLIEST_DAY <= day <= LAST_DAY:
        raise ValueError(_day_allowed(cell))
    return day


def _day_in(cell: Cell) -> dt.date | None:
    """Return the day that a cell holds as a date, a text or a number such as 20260630."""
    value = cell.value
    if isinstance(value, dt.datetime):
        # Of a format that shows no day nobody has seen the day that the cell holds.
        if cell.format.is_date and not cell.format.shows_day:
            return None
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str) or cell.is_number:
        return written_day(plain_text(format_decimal(value)))
    return None


def parse_deadline(cell: Cell) -> dt.date | Clear | None:
    """Read the deadline of a task: a day, or LONG_TERM where it is to be kept up."""
    if isinstance(cell.value, str) and _LONG_TERM.fullmatch(plain_text(cell.value)):
        return LONG_TERM
    try:
        return parse_date(cell)
    except ValueError as error:
        raise ValueError(
            _("%(days)s; or “long term” for a standing task") % {"days": error}
        ) from error


def _day_allowed(cell: Cell) -> str:
    allowed = _(
        "a date from %(first)s on, written as %(examples)s; a month, quarter or year only with its "
        "end"
    ) % {
        "first": EARLIEST_DAY.isoformat(),
        "examples": DAY_EXAMPLES,
    }
    serial = cell.value
    if (
        isinstance(serial, int)
        and not isinstance(serial, bool)
        and EARLIEST_SERIAL <= serial <= LATEST_SERIAL
    ):
        kept = (SERIAL_EPOCH + dt.timedelta(days=serial)).isoformat()
        return _("%(days)s (Excel stores this number for %(day)s: format the cell as a date)") % {
            "days": allowed,
            "day": kept,
        }
    return allowed


def parse_code(cell: Cell) -> str | None:
    """Read a code as text: of a number or a day nobody knows what was typed."""
    if not isinstance(cell.value, str):
        raise ValueError(
            _("a code as text, for example A1-02; the cell contains a number or a date")
        )
    return plain_text(cell.value)


def parse_slug(cell: Cell) -> str | None:
    """Read the short address of a policy: plain signs alone, as it stands in addresses."""
    return plain_text(format_decimal(cell.value))


def parse_light_mark(cell: Cell) -> str | None:
    """Read the hidden key of a row."""
    return plain_text(format_decimal(cell.value))


def parse_whole(cell: Cell) -> int | Clear | None:
    """Read a whole number."""
    text = ""
    if not isinstance(cell.value, bool | dt.date) and not cell.percent:
        text = plain_text(format_decimal(cell.value))
    if is_clear(text):
        return CLEAR
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(_("a whole number"))
    return int(text)


def whole_number(text: object, most: int = MAX_WHOLE_NUMBER, least: int = 0) -> int | None:
    """Read a whole number from an address, a form or a file; None where it is none or too large.

    Plain digits alone: `str.isdigit` accepts “²”, `int` accepts “٣” and "1_0", and a database holds
    64 bits.
    """
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    if least <= number <= most:
        return number
    return None


def parse_amount(text: str, unit: str = "") -> Decimal:
    """Read a number that may be grouped by commas and followed by its unit of measure."""
    bare = plain_text(text).removesuffix(plain_text(unit)).strip()
    found = None
    if _AMOUNT.fullmatch(bare):
        found = Decimal(bare.replace(",", "")).normalize()
    if found is None or found.adjusted() >= WHOLE_DIGITS or found != round(found, PLACES):
        raise ValueError(
            _(
                "a number such as 1234.5, at most %(whole)d digits before the point and "
                "%(places)d after it"
            )
            % {"whole": WHOLE_DIGITS, "places": PLACES}
        )
    return found


def parse_prose(cell: Cell) -> str | Clear | None:
    """Read a text as it stands.

    Of a number what the cell shows, and not more digits than Excel has kept.
    """
    if isinstance(cell.value, str):
        if is_clear(cell.value):
            return CLEAR
        return cell.value
    value = cell.value
    if cell.holds_percent_number and isinstance(value, int | float):
        raise ValueError(_percent_allowed(value))
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= MAX_EXACT:
        raise ValueError(
            _(
                "text; Excel keeps only 15 digits of a number and has lost the others: type it as "
                "text, with ' before it"
            )
        )
    return cell.shown


def parse_choice(words: Callable[[], Mapping[str, str]], cell: Cell) -> str | None:
    """Read a choice; `words` returns the value of each word that is understood."""
    known = words()
    text = plain_text(format_decimal(cell.value))
    if text not in known:
        text = _ALSO.get(text, text)
    if text not in known:
        # The first word of each value is the one in use here.
        first = {}
        for word, value in reversed(list(known.items())):
            first[value] = word
        allowed = pgettext("list", ", ").join(reversed(list(first.values())))
        raise ValueError(_("one of: %(words)s") % {"words": allowed})
    return known[text]


def tick_mark(done: bool) -> str:
    """Return the mark of a step that is done, or is not."""
    if done:
        return DONE_WORDS[0]
    return UNDONE_WORDS[0]


def parse_tick(cell: Cell) -> bool | None:
    """Read whether a step is done."""
    if isinstance(cell.value, bool):
        return cell.value
    text = plain_text(format_decimal(cell.value))
    if text in DONE_WORDS:
        return True
    if text in UNDONE_WORDS:
        return False
    raise ValueError(
        _("one of: %(words)s")
        % {"words": pgettext("list", ", ").join((*DONE_WORDS, *UNDONE_WORDS))}
    )


def parse_names(cell: Cell) -> list[str] | Clear | None:
    """Read names parted by commas, semicolons or line ends outside of brackets, each once."""
    text = format_decimal(cell.value)
    if is_clear(text):
        return CLEAR
    return split_names(text)


def nearest_names(text: str, known: Sequence[str]) -> list[str]:
    """Return the known names nearest to a text: similar ones, and those that contain it."""
    text = text[:MAX_COMPARED]
    wanted = fold(text)
    names = get_close_matches(text, known, MAX_NEAR_NAMES, 0.5)
    for name in known:
        if wanted and (wanted in fold(name) or fold(name) in wanted):
            names.append(name)
    return list(dict.fromkeys(names))[:MAX_NEAR_NAMES]


class NearNames:
    """Finds known names near to unknown ones of a file, with a bounded number of comparisons.

    Each search compares with every known name; when MAX_COMPARISONS are used up, "…" is returned
    in place of names.
    """

    def __init__(self) -> None:
        self._left = MAX_COMPARISONS

    def of(self, text: str, known: Sequence[str]) -> list[str]:
        """Return what `nearest_names` returns."""
        if len(known) > self._left:
            return ["…"]
        self._left -= len(known)
        return nearest_names(text, known)


def allowed_values(words: Callable[[], Mapping[str, str]]) -> Callable[[Cell], str | None]:
    """Make a reader of one of some words, as `parse_choice` reads them."""
    return partial(parse_choice, words)
