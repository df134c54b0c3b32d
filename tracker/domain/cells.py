"""The cells of a workbook: what they hold, and what people see in them. Pure."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from tracker.domain.folding import remove_invisible
from tracker.domain.number_formats import (
    GENERAL_FORMAT,
    NumberFormat,
    parse_format,
    plain_number,
)

CellValue = str | int | float | dt.date | bool | None
PERCENT_FORMAT = parse_format("0.##########%")
MAX_UNSEEN_LENGTH = 20  # characters of a text that may be invisible as a whole
CLEAR_WORD = "【清空】"
_CLEAR = {CLEAR_WORD, "[清空]"}

_FULL = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_BLANKS = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_DASHES = dict.fromkeys([0x2212, *range(0x2010, 0x2016)], "-")
_PLAIN: dict[int, str | int] = {**_FULL, **_BLANKS, **_DASHES, 0xFE6A: "%"}


class LeftOut(Enum):
    """What the value of a cell lacks of what was typed."""

    STRUCK = "words that are struck out"
    SIGNS = "signs that no text can hold"


class Clear:
    """A cell that asks for what is stored to be erased: an empty one asks for nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


CLEAR = Clear("CLEAR")
# A deadline that says that there is none: the task is a standing one.
LONG_TERM = Clear("LONG_TERM")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a workbook: its value, what its format makes of it, or why it has no value.

    `percent` says that the value is a share that is shown as a percent, `struck` that all of the
    cell is struck out, `left_out` what the value lacks of what was typed.
    """

    value: CellValue = None
    percent: bool = False
    fault: str = ""
    format: NumberFormat = GENERAL_FORMAT
    struck: bool = False
    left_out: LeftOut | None = None

    @property
    def empty(self) -> bool:
        """Say whether nothing is written in it, or invisible characters alone."""
        value = self.value
        if isinstance(value, str):
            if len(value) > MAX_UNSEEN_LENGTH:
                return value.isspace()
            return not remove_invisible(value).strip()
        return value is None and not self.fault

    @property
    def is_number(self) -> bool:
        """Say whether the value is a number; a day and a truth value are none."""
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)

    @property
    def holds_percent_number(self) -> bool:
        """Say whether a percent cell holds the percent in place of the share: 70 shows as 7000%."""
        value = self.value
        return (
            self.percent
            and isinstance(value, int | float)
            and 2 <= value <= 100
            and value == int(value)
        )

    @property
    def shown(self) -> str:
        """Return the text that people see in the cell."""
        value = self.value
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, int | float):
            shape = self.format
            if self.percent and shape is GENERAL_FORMAT:
                shape = PERCENT_FORMAT
            return shape.show(value)
        if isinstance(value, dt.datetime) and self.format.is_date:
            return self.format.show(value)
        return format_decimal(value)

    def __str__(self) -> str:
        """Return what the cell holds, without loss: the digits that its format hides too."""
        value = self.value
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, int | float):
            if self.format.is_literal_percent:
                return f"{plain_number(value)}%"
            if not self.percent or self.holds_percent_number:
                return plain_number(value)
            return f"{100 * value:.10g}%"
        if isinstance(value, dt.datetime) and self.format.is_date:
            if self.format.shows_day:
                return value.date().isoformat()
            return self.format.show(value)
        return format_decimal(value)


def plain_text(text: str) -> str:
    """Return a text with plain characters for full-width ones, without invisible ones.

    Blanks around it are removed.
    """
    if text.isascii():
        return text.strip()
    return remove_invisible(text).translate(_PLAIN).strip()


def is_clear(text: str) -> bool:
    """Say whether a text is the word that asks for what is stored to be erased."""
    return remove_invisible(text).strip() in _CLEAR


def format_decimal(value: CellValue | Decimal) -> str:
    """Return a value as a person would have written it into a text cell."""
    if isinstance(value, Decimal):
        if value:
            return f"{value.normalize():f}"
        return "0"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return repr(value)
    if isinstance(value, dt.datetime):
        if value.time() != dt.time.min:
            return value.isoformat(" ")
        return value.date().isoformat()
    if value is None:
        return ""
    return str(value)
