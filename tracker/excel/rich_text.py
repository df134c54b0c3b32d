"""The text of one cell: rich text without what is struck out, and what is no text at all. Pure."""

import re

from django.utils.translation import gettext as _

from tracker.domain.cells import Cell, LeftOut
from tracker.excel.xml_parts import clean_text, is_true

MAX_CELL_LENGTH = 32_767  # characters that a cell of Excel can hold
# What is left of a picture in a cell where the program does not know its formula.
_PICTURE_TEXT = re.compile(r"\s*=\s*(?:_xlfn\.)?(?:DISPIMG|IMAGE)\(", re.IGNORECASE)


class RichText:
    """The text of one cell, read from its XML: what is struck out is kept apart."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._struck: list[str] = []
        self._is_text = self._is_struck = self._is_phonetic = False

    def start(self, name: str, given: dict[str, str]) -> None:
        """Handle the start of an element; text that says how others are read aloud is left out."""
        if name == "t":
            self._is_text = not self._is_phonetic
        elif name == "r":
            self._is_struck = False
        elif name == "strike":
            self._is_struck = is_true(given.get("val", "1"))
        elif name == "rPh":
            self._is_phonetic = True

    def end(self, name: str) -> None:
        """Handle the end of an element."""
        if name == "t":
            self._is_text = False
        elif name == "r":
            self._is_struck = False
        elif name == "rPh":
            self._is_phonetic = False

    def text(self, text: str) -> None:
        """Handle text between elements."""
        if self._is_text and self._is_struck:
            self._struck.append(text)
        elif self._is_text:
            self._kept.append(text)

    def cell(self, struck: bool = False) -> Cell:
        """Return the cell of this text; `struck` says that the style of the cell strikes it out.

        What is struck out is left out, unless there is nothing else.
        """
        text = "".join(self._kept)
        if not self._struck:
            return text_cell(text, struck)
        left_out = "".join(self._struck)
        if not text.strip():
            return text_cell(left_out, struck=True)
        return text_cell(text, struck, partly_struck=bool(left_out.strip()))


def text_cell(text: str, struck: bool = False, partly_struck: bool = False) -> Cell:
    """Return the cell of a text: of rich text the words that are not struck out."""
    was_cleaned = False
    # Most texts have no sign that could need it.
    if "_x" in text or not text.isprintable():
        text, was_cleaned = clean_text(text)
    if "(" in text and _PICTURE_TEXT.match(text):
        return Cell(fault=picture_fault())
    if len(text) > MAX_CELL_LENGTH:
        return Cell(fault=_("too long for a cell"))
    left_out = None
    if partly_struck:
        left_out = LeftOut.STRUCK
    elif was_cleaned:
        left_out = LeftOut.SIGNS
    return Cell(text, struck=struck, left_out=left_out)


def picture_fault() -> str:
    return _(
        "a picture in the cell; pictures are not read: attach it as evidence on the task’s page"
    )
