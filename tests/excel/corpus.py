"""Hostile and odd workbooks, made from a good one: they are made anew for every run.

Each entry is a name, the content, and what has to become of it: REFUSED as a whole, FAULTS in its
rows, or FINE; of an attack FINE says that its sheets are read to their ends.
"""

import random
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

REFUSED, FAULTS, FINE = "refused", "faults", "fine"
Entry = tuple[str, bytes, str]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SHEET = "xl/worksheets/sheet1.xml"
PIECES = (b"<", b">", b"&", b'"', b"</row>", b"<v>", b"0", b"9999999999", b"-", b"\xff", b"=", b"%")


def packed(parts: dict[str, bytes], level: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", level) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_part(good: bytes, name: str, content: bytes) -> bytes:
    return packed(unpacked(good) | {name: content})


def with_sheet(good: bytes, edit: Callable[[str], str]) -> bytes:
    return with_part(good, SHEET, edit(unpacked(good)[SHEET].decode()).encode())


def rows(xml: str) -> str:
    return f"<worksheet {MAIN}><sheetData>{xml}</sheetData></worksheet>"


def below(good: bytes, xml: str) -> bytes:
    """Put rows below all others of the first sheet."""
    return with_sheet(good, lambda sheet: sheet.replace("</sheetData>", f"{xml}</sheetData>"))


def instead(good: bytes, xml: str, before: str = "") -> bytes:
    """Put other rows in place of all of the first sheet."""
    return with_sheet(good, lambda sheet: before + rows(xml))


def entities(count: int) -> str:
    """Define entities each of which is twice the one before."""
    lines = [f'<!ENTITY a{number} "&a{number - 1};&a{number - 1};">' for number in range(1, count)]
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{"".join(lines)}]>'


def bombs(good: bytes) -> Iterator[Entry]:
    """Yield what is made to harm by its size."""
    strings = f"<sst {MAIN}>".encode() + b"<si><t>x</t></si>" * 8_000_000
    styles = f"<styleSheet {MAIN}><cellXfs>".encode() + b"<xf/>" * 9_000_000
    million = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 1_000_001))
    blank = "".join(f'<row r="{n}"/>' for n in range(100, 1_000_000))
    many = packed(unpacked(good) | {f"x/{n}": b"" for n in range(100_000)}, zipfile.ZIP_STORED)
    yield (
        "zip bomb within the limits",
        with_part(good, SHEET, b"<worksheet>" + b" " * 190_000_000),
        REFUSED,
    )
    yield "zip bomb beyond the limits", with_part(good, SHEET, b" " * 210_000_000), REFUSED
    yield "bomb of shared strings", with_part(good, "xl/sharedStrings.xml", strings), REFUSED
    yield "bomb of styles", with_part(good, "xl/styles.xml", styles), REFUSED
    yield "a million rows", instead(good, million), REFUSED
    yield "a million blank rows below", below(good, blank), FINE
    yield "100,000 entries", many, REFUSED
    yield "an attribute of 10 MB", instead(good, f'<row r="{"9" * 10_000_000}"/>'), FINE


def attacks(good: bytes) -> Iterator[Entry]:
    """Yield what is made to harm by what it says."""
    laughs, laugh = entities(30), "<row><c><v>&a29;</v></c></row>"
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    dtd = with_sheet(good, lambda xml: '<!DOCTYPE x SYSTEM "http://x.example/x.dtd">' + xml)
    yield (
        "a cell at XFD1048576",
        below(good, '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        REFUSED,
    )
    yield (
        "a cell beyond every column",
        below(good, '<row r="30"><c r="ZZZZ30"><v>1</v></c></row>'),
        REFUSED,
    )
    yield (
        "16,384 columns",
        below(good, '<row r="30">' + "<c><v>1</v></c>" * 16_384 + "</row>"),
        REFUSED,
    )
    yield "billion laughs in a sheet", instead(good, laugh, laughs), REFUSED
    yield (
        "billion laughs in a workbook",
        with_part(good, "xl/workbook.xml", f"{laughs}<x>&a29;</x>".encode()),
        REFUSED,
    )
    yield "external entity", instead(good, "<row><c t='str'><v>&a;</v></c></row>", outside), REFUSED
    yield "external document type", dtd, REFUSED
    yield "nested zip", packed({"inner.xlsx": good}), REFUSED
    yield "path out of the archive", with_part(good, "../../etc/passwd", b"x"), FINE
    yield "deep nesting", instead(good, "<row>" * 100_000), FINE
    yield (
        "a missing shared string",
        below(good, '<row r="30"><c r="B30" t="s"><v>99999999</v></c></row>'),
        FAULTS,
    )
    yield (
        "a number that is none",
        below(good, '<row r="30"><c r="B30"><v>abc</v></c></row>'),
        FAULTS,
    )
    yield "101 sheets", _with_sheets(good, 101), REFUSED


def _with_sheets(good: bytes, count: int) -> bytes:
    book = load_workbook(BytesIO(good))
    for number in range(count):
        book.create_sheet(f"s{number}")
    return _saved(book)


def others(good: bytes) -> Iterator[Entry]:
    """Yield what is no .xlsx at all."""
    yield "empty", b"", REFUSED
    yield "one byte", b"P", REFUSED
    yield "old workbook (.xls)", OLE + b"\0" * 5_000, REFUSED
    yield "WPS workbook (.et)", OLE + "Workbook".encode("utf-16-le") + b"\0" * 5_000, REFUSED
    yield (
        "encrypted",
        OLE + b"\0" * 1_000 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 1_000,
        REFUSED,
    )
    yield "macros (.xlsm)", with_part(good, "xl/vbaProject.bin", b"x"), REFUSED
    yield "binary workbook (.xlsb)", packed({"xl/workbook.bin": b"x"}), REFUSED
    yield "csv in GBK", "任务编号,落实情况\nA1-01,完成\n".encode("gbk"), REFUSED
    yield "csv in UTF-8", "﻿任务编号,落实情况\nA1-01,完成\n".encode(), REFUSED
    yield "html renamed", b"<html><table><tr><td>A1-01</td></tr></table></html>", REFUSED
    yield "xml spreadsheet", b"<?xml version='1.0'?><Workbook/>", REFUSED
    yield "picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, REFUSED
    yield "pdf", b"%PDF-1.7\n", REFUSED
    yield (
        "word document",
        packed({"word/document.xml": b"<w/>", "[Content_Types].xml": b"<x/>"}),
        REFUSED,
    )
    yield "too large", b"PK\x03\x04" + b"\0" * 20_000_001, REFUSED
    for tenth in range(10):
        yield f"truncated at {tenth}/10", good[: len(good) * tenth // 10 + 3], REFUSED
    flags = bytearray(good)
    for place in [found.start() for found in re.finditer(b"PK\x01\x02", good)]:
        flags[place + 8 : place + 10] = struct.pack("<H", 1)
    yield "entries marked as encrypted", bytes(flags), REFUSED
    yield "without a directory", good[: good.rindex(b"PK\x05\x06")], REFUSED
    yield (
        "workbook part missing",
        packed({k: v for k, v in unpacked(good).items() if k != "xl/workbook.xml"}),
        REFUSED,
    )
    yield (
        "sheet part missing",
        packed({k: v for k, v in unpacked(good).items() if k != SHEET}),
        REFUSED,
    )
    yield "sheet part garbled", with_part(good, SHEET, b"<worksheet><sheetData><row>"), REFUSED
    yield (
        "styles missing",
        packed({k: v for k, v in unpacked(good).items() if k != "xl/styles.xml"}),
        FAULTS,
    )


def _saved(book: Workbook) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def odd(good: bytes, header: int = 4) -> Iterator[Entry]:
    """Yield what people do to a workbook; the good one has two rows filled in below a header."""

    def edited(edit: Callable[[Workbook], object]) -> bytes:
        book = load_workbook(BytesIO(good))
        edit(book)
        return _saved(book)

    def sheet(book: Workbook):  # type: ignore[no-untyped-def]
        return book.worksheets[0]

    def place(book: Workbook, name: str) -> int:
        return next(cell.column for cell in sheet(book)[header] if cell.value == name)

    def put(name: str, value: object, row: int = header + 1) -> Callable[[Workbook], object]:
        def edit(book: Workbook) -> None:
            sheet(book).cell(row, place(book, name)).value = value

        return edit

    def twice(book: Workbook) -> None:
        sheet(book).cell(header, sheet(book).max_column + 1).value = "progress"

    def copy_row(book: Workbook) -> None:
        sheet(book).append([cell.value for cell in sheet(book)[header + 1]])

    def rename(book: Workbook) -> None:
        sheet(book).title = "something else"

    def second(book: Workbook) -> None:
        book.copy_worksheet(sheet(book)).sheet_state = "visible"

    def hidden(book: Workbook) -> None:
        book.create_sheet("front")
        sheet(book).sheet_state = "hidden"

    def two_headers(book: Workbook) -> None:
        sheet(book).insert_rows(header)
        for column in range(1, 6):
            sheet(book).cell(header, column).value = sheet(book).cell(header + 1, column).value
            sheet(book).cell(header + 1, column).value = None

    def only(book: Workbook) -> None:
        book.create_sheet("front")
        book.remove(sheet(book))

    def merged(book: Workbook) -> None:
        sheet(book).merge_cells(
            start_row=header + 1, end_row=header + 2, start_column=3, end_column=3
        )

    def rich(book: Workbook) -> None:
        put("progress", CellRichText("plain ", TextBlock(InlineFont(b=True), "bold")))(book)

    yield "untouched", good, FINE
    yield "sheet renamed", edited(rename), FINE
    yield "sheet hidden", edited(hidden), FINE
    yield "sheet removed", edited(only), REFUSED
    yield "sheet doubled", edited(second), REFUSED
    yield "header moved down", edited(lambda book: sheet(book).insert_rows(1, 3)), FINE
    yield (
        "header with line ends",
        edited(lambda book: put("progress", "pro\ngress ", header)(book)),
        FINE,
    )
    yield "header doubled", edited(twice), REFUSED
    yield "header missing", edited(put("task code", None, header)), REFUSED
    yield "header of a field renamed", edited(put("problems", "trouble", header)), FINE
    yield "header in two rows", edited(two_headers), REFUSED
    yield "category cells merged", edited(merged), FINE
    yield (
        "rows sorted",
        edited(lambda book: sheet(book).move_range(f"A{header + 1}:Z{header + 1}", rows=9)),
        FINE,
    )
    yield (
        "rows filtered",
        edited(lambda book: setattr(sheet(book).row_dimensions[header + 1], "hidden", True)),
        FINE,
    )
    yield "row deleted", edited(lambda book: sheet(book).delete_rows(header + 1)), FINE
    yield "row inserted, blank", edited(lambda book: sheet(book).insert_rows(header + 2)), FINE
    yield (
        "row inserted, written",
        edited(lambda book: sheet(book).append([None, "A1-01", *["x"] * 12])),
        FAULTS,
    )
    yield "row copied", edited(copy_row), FAULTS
    yield "code unknown", edited(put("mark (leave it as it is)", "rise/Z9-99/1/2026-06-01")), FAULTS
    yield (
        "code of another policy",
        edited(put("mark (leave it as it is)", "other/A1-01/1/2026-06-01")),
        FAULTS,
    )
    yield "mark garbled", edited(put("mark (leave it as it is)", "nonsense")), FAULTS
    yield "code in full-width signs", edited(put("task code", "Ａ１－０１")), FINE
    yield "code made a number", edited(put("task code", 101)), FAULTS
    yield "formula without a result", edited(put("progress", "=1+1")), FAULTS
    yield "error cell", edited(put("progress", "#REF!")), FAULTS
    yield "rich text", edited(rich), FINE
    yield "prose with round digits", edited(put("progress", "①②")), FINE
    right, wrong = ("５０％", "50%", 0.5), (50, "0.5", "half", 1.01)
    for value, fate in [*((each, FINE) for each in right), *((each, FAULTS) for each in wrong)]:
        yield f"percent {value!r}", edited(put("percent done", value)), fate
    yield "text of 5,000 signs", edited(put("progress", "字" * 5_000)), FINE
    yield "text of 32,767 signs", edited(put("progress", "字" * 32_767)), FAULTS


def all_of(good: bytes) -> Iterator[Entry]:
    """Yield the whole corpus."""
    yield from others(good)
    yield from odd(good)
    yield from attacks(good)


def mutated(good: bytes, seed: int) -> bytes:
    """Spoil a workbook at random: bytes of the file, or bytes of one of its parts."""
    dice = random.Random(seed)
    if dice.random() < 0.3:
        return _spoilt(good, dice)
    parts = unpacked(good)
    name = dice.choice(list(parts))
    if dice.random() < 0.1:
        del parts[name]
    else:
        parts[name] = _spoilt(parts[name], dice)
    return packed(parts)


def _spoilt(content: bytes, dice: random.Random) -> bytes:
    data = bytearray(content)
    for _time in range(dice.randrange(1, 8)):
        place, deed = dice.randrange(len(data) or 1), dice.randrange(4)
        if deed == 0 and data:
            data[place] = dice.randrange(256)
        elif deed == 1:
            del data[place : place + dice.randrange(1, 60)]
        elif deed == 2:
            data[place:place] = data[place : place + dice.randrange(1, 60)]
        else:
            data[place:place] = dice.choice(
                [
                    b"<",
                    b">",
                    b"&",
                    b'"',
                    b"</row>",
                    b"<v>",
                    b"0",
                    b"9999999999",
                    b"-",
                    b"\xff",
                    b"=",
                    b"%",
                ]
            )
    return bytes(data)
