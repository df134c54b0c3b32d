"""Read days as people write them: 2026-06-30, 2026年6月30日, 2026年6月底, 2026年上半年. Pure."""

import datetime as dt
import re
from calendar import monthrange
from collections.abc import Callable

_DAYS = (
    re.compile(r"([0-9]{4})([-./])([0-9]{1,2})\2([0-9]{1,2})(?:[ T]00:00(?::00)?)?", re.ASCII),
    re.compile(r"([0-9]{4})()([0-9]{2})([0-9]{2})", re.ASCII),
    re.compile(r"([0-9]{4})()年([0-9]{1,2})月([0-9]{1,2})[日号]?", re.ASCII),
)
# What is to be done before, at the end of, or by a day is due on it.
_BEFORE = re.compile(r"(?:之?前|以前|以内|之?内)?(?:全部|基本|力争)?(?:完成|办结|完工|到位)?")
_MONTH_PART = re.compile(r"([0-9]{4})年([0-9]{1,2})月(底|末|上旬|中旬|下旬)", re.ASCII)
_YEAR_PART = re.compile(r"([0-9]{4})年(上半年|下半年|年?底|年?末|年?内|全年)", re.ASCII)
_QUARTER = re.compile(r"([0-9]{4})年第?([1-4一二三四])季度(?:底|末)?", re.ASCII)
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4}
_LAST_MONTH = {"上半年": 6}
_LAST_OF_TEN_DAYS = {"上旬": 10, "中旬": 20}


def written_day(text: str) -> dt.date | None:
    """Return the day that a text means; None where it means none.

    Of a month, quarter or year that is to be over it is the last one. Blanks around the text and
    full-width signs are gone already.
    """
    text = _without_blanks(text)
    try:
        for pattern in _DAYS:
            found = pattern.match(text)
            if found and (
                found.end() == len(text) or ("年" in text and _BEFORE.fullmatch(text, found.end()))
            ):
                return dt.date(int(found[1]), int(found[3]), int(found[4]))
        for pattern, read in _PARTS:
            found = pattern.match(text)
            if found and _BEFORE.fullmatch(text, found.end()):
                return read(int(found[1]), *found.groups()[1:])
    except ValueError:
        pass
    return None


def _without_blanks(text: str) -> str:
    """Remove blanks from a day in words; between digits alone a blank separates."""
    if "年" not in text:
        return text
    return re.sub(
        r"(?<=[0-9年月第]) +(?=[0-9年月日号底末上下中第])|(?<=[季度日号底末旬]) +", "", text
    )


def _in_month(year: int, month: str, part: str) -> dt.date:
    return dt.date(year, int(month), _LAST_OF_TEN_DAYS.get(part) or monthrange(year, int(month))[1])


def _in_year(year: int, part: str) -> dt.date:
    month = _LAST_MONTH.get(part, 12)
    return dt.date(year, month, monthrange(year, month)[1])


def _in_quarter(year: int, quarter: str) -> dt.date:
    month = 3 * (_QUARTERS.get(quarter) or int(quarter))
    return dt.date(year, month, monthrange(year, month)[1])


_PARTS: tuple[tuple[re.Pattern[str], Callable[..., dt.date]], ...] = (
    (_MONTH_PART, _in_month),
    (_YEAR_PART, _in_year),
    (_QUARTER, _in_quarter),
)
