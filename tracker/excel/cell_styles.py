"""The styles of a workbook that is read: number formats, and what is struck out. Pure."""

from openpyxl.styles.numbers import BUILTIN_FORMATS

from tracker.domain.number_formats import (
    CHINESE_FORMATS,
    GENERAL_FORMAT,
    NumberFormat,
    parse_format,
)
from tracker.excel.xml_parts import is_true, number_in_file


class CellStyles:
    """The styles of a workbook by their numbers, read from the elements of `styles.xml`."""

    def __init__(self) -> None:
        self.formats: list[NumberFormat] = []
        self.struck: set[int] = set()
        self._codes: dict[int, str] = {**BUILTIN_FORMATS, **CHINESE_FORMATS}
        self._struck_fonts: set[int] = set()
        self._fonts = -1
        self._inside = ""

    def start(self, name: str, given: dict[str, str]) -> None:
        """Handle the start of an element."""
        if name == "numFmt":
            self._codes[number_in_file(given.get("numFmtId"))] = given.get("formatCode", "")
        elif name in ("fonts", "cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self._inside = name
        elif self._inside == "fonts":
            self._font(name, given)
        elif self._inside == "cellXfs" and name == "xf":
            if number_in_file(given.get("fontId")) in self._struck_fonts:
                self.struck.add(len(self.formats))
            self.formats.append(
                parse_format(self._codes.get(number_in_file(given.get("numFmtId")), "General"))
            )

    def format_of(self, number: int) -> NumberFormat:
        """Return the number format of a style; General where the file has none of that number."""
        if number < len(self.formats):
            return self.formats[number]
        return GENERAL_FORMAT

    def _font(self, name: str, given: dict[str, str]) -> None:
        if name == "font":
            self._fonts += 1
        elif name == "strike" and is_true(given.get("val", "1")):
            self._struck_fonts.add(self._fonts)
