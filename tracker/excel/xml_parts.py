"""Read the XML parts of a workbook in a stream that counts what it reads. Pure."""

import re
from collections.abc import Callable
from xml.parsers import expat

from django.utils.translation import gettext as _

from tracker.domain.parsing import whole_number
from tracker.excel.cell_text import strip_refused

# of one part: bounds time and memory
MAX_PART_ELEMENTS = 3_000_000
MAX_PART_CHARACTERS = 60_000_000

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class WorkbookRefused(ValueError):
    """The file is not read at all; the message says why and what to do."""


class PartParser:
    """An XML parser that knows no document types and counts what it reads.

    Names come without their name space.
    """

    def __init__(
        self,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._start = start
        self._end = end
        self._text = text
        self._elements = 0
        self._characters = 0
        self._parser.StartElementHandler = self._on_start
        if end:
            self._parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        if text:
            self._parser.CharacterDataHandler = self._on_text

    def feed(self, step: bytes) -> None:
        """Read the next bytes of the part."""
        self._parse(step, False)

    def close(self) -> None:
        """Read the end of the part; one that is cut off is refused."""
        self._parse(b"", True)

    def _parse(self, step: bytes, is_final: bool) -> None:
        try:
            self._parser.Parse(step, is_final)
        except expat.ExpatError as error:
            raise WorkbookRefused(_("The file is damaged: a part of it cannot be read.")) from error

    def _on_start(self, name: str, given: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_PART_ELEMENTS:
            raise WorkbookRefused(_("The workbook is too large to be read: too many cells."))
        self._start(name.rpartition(" ")[2], given)

    def _on_text(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > MAX_PART_CHARACTERS:
            raise WorkbookRefused(_("The workbook is too large to be read: too much text."))
        if self._text:
            self._text(text)

    @staticmethod
    def _refuse(*_given: object) -> None:
        raise WorkbookRefused(
            _("The file defines custom XML entities, which Excel never does; it is not read.")
        )


def number_in_file(text: str | None) -> int:
    """Read a small whole number that the file gives; anything else is 0."""
    return whole_number(text, 999_999_999) or 0


def is_true(text: str | None) -> bool:
    """Read a truth value that the file gives."""
    return text in ("1", "true")


def clean_text(text: str) -> tuple[str, bool]:
    """Return the text that a cell means, and whether characters were left out.

    Excel writes `_x000D_` for characters that XML cannot hold; NUL and halves of a surrogate pair,
    which no text can hold, come this way too.
    """
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        # Two escapes may be the halves of one character.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text, count = strip_refused(text)
    return text, bool(count)
