"""What a printer is told, read from the XML itself: openpyxl mends on reading what a file lacks."""

import zipfile
from io import BytesIO
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.excel.conftest import Ask, opened, saved
from tests.factories import make_task
from tracker.models import PolicyDocument

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
COVER, LEDGER, DATA = 1, 2, 3


def part(file: BytesIO, name: str) -> ET.Element:
    """Return one part of the file as XML."""
    with zipfile.ZipFile(file) as archive:
        return ET.fromstring(archive.read(f"xl/{name}"))  # noqa: S314  our own file


def sheet(file: BytesIO, number: int) -> ET.Element:
    return part(file, f"worksheets/sheet{number}.xml")


def attributes(root: ET.Element, path: str) -> dict[str, str]:
    found = root.find(path, NS)
    assert found is not None
    return found.attrib


def cell_style(file: BytesIO, number: int, place: str) -> Any:
    """Return borders, font and format of a cell as it stands in the file."""
    cell = attributes(sheet(file, number), f".//m:c[@r='{place}']")
    styles = part(file, "styles.xml")
    look = styles.findall("m:cellXfs/m:xf", NS)[int(cell["s"])].attrib
    border = styles.findall("m:borders/m:border", NS)[int(look["borderId"])]
    font = styles.findall("m:fonts/m:font", NS)[int(look["fontId"])]
    sides = frozenset(side.tag.split("}")[1] for side in border if side.get("style") == "thin")
    return (("borders", sides), ("font", attributes(font, "m:name")["val"]))


def print_titles(file: BytesIO) -> dict[str, str | None]:
    names = part(file, "workbook.xml").findall("m:definedNames/m:definedName", NS)
    return {
        name.attrib["localSheetId"]: name.text
        for name in names
        if name.get("name") == "_xlnm.Print_Titles"
    }


@pytest.fixture
def file(ask: Ask, policy: PolicyDocument) -> BytesIO:
    make_task(policy, "A1-01")
    return saved(ask())


@pytest.mark.parametrize(("number", "paper"), [(COVER, "9"), (LEDGER, "8"), (DATA, "9")])
def test_paper_lies_on_its_side_a3_for_the_ledger(file: BytesIO, number: int, paper: str) -> None:
    setup = attributes(sheet(file, number), "m:pageSetup")
    assert (setup["orientation"], setup["paperSize"]) == ("landscape", paper)


@pytest.mark.parametrize(("number", "tall"), [(COVER, "1"), (LEDGER, "0"), (DATA, "0")])
def test_every_sheet_is_one_page_wide(file: BytesIO, number: int, tall: str) -> None:
    root = sheet(file, number)
    setup = attributes(root, "m:pageSetup")
    assert attributes(root, "m:sheetPr/m:pageSetUpPr")["fitToPage"] == "1"
    assert (setup["fitToWidth"], setup["fitToHeight"]) == ("1", tall)


def test_a_cover_with_many_notes_may_take_more_pages(ask: Ask, policy: PolicyDocument) -> None:
    for number in range(1, 10):
        make_task(policy, f"A1-0{number}", remark="\x07")
    assert attributes(sheet(saved(ask()), COVER), "m:pageSetup")["fitToHeight"] == "0"


def test_the_header_row_is_repeated_on_every_page(file: BytesIO) -> None:
    names = ("Data", "Units", "Sections", "Warnings", "Steps")
    assert print_titles(file) == {"1": "'Ledger'!$3:$3"} | {
        f"{number}": f"'{name}'!$1:$1" for number, name in enumerate(names, 2)
    }


def test_the_repeated_row_is_the_header_also_below_a_mark_of_demonstration(
    ask: Ask, policy: PolicyDocument
) -> None:
    policy.demo = True
    assert print_titles(saved(ask()))["1"] == "'Ledger'!$4:$4"
    assert opened(ask())["Ledger"]["A4"].value == "No."


@pytest.mark.parametrize(("number", "corner"), [(LEDGER, "E4"), (DATA, "E2")])
def test_header_and_codes_stay_in_sight(file: BytesIO, number: int, corner: str) -> None:
    pane = attributes(sheet(file, number), ".//m:pane")
    assert (pane["state"], pane["topLeftCell"]) == ("frozen", corner)


@pytest.mark.parametrize("number", [COVER, LEDGER, DATA])
def test_the_footer_counts_pages(file: BytesIO, number: int) -> None:
    footer = sheet(file, number).find("m:headerFooter/m:oddFooter", NS)
    assert footer is not None
    assert footer.text == "&CPage &P of &N"


@pytest.mark.parametrize("number", [LEDGER, DATA])
def test_every_row_has_a_height_of_its_own(file: BytesIO, number: int) -> None:
    rows = sheet(file, number).findall(".//m:row", NS)
    assert all(row.get("customHeight") == "1" and float(row.attrib["ht"]) > 0 for row in rows)


@pytest.mark.parametrize(
    ("place", "font"), [("A1", "FZXiaoBiaoSong-B05S"), ("A3", "SimHei"), ("A4", "FangSong")]
)
def test_title_header_and_body_have_the_fonts_of_official_papers(
    file: BytesIO, place: str, font: str
) -> None:
    assert dict(cell_style(file, LEDGER, place))["font"] == font


def test_every_cell_of_a_merged_band_has_borders(ask: Ask, policy: PolicyDocument) -> None:
    for number in range(1, 4):
        make_task(policy, f"A1-0{number}")
    file = saved(ask())
    for place in ("B4", "B5", "B6", "C4", "C5", "C6"):
        assert dict(cell_style(file, LEDGER, place))["borders"] == {
            "left",
            "right",
            "top",
            "bottom",
        }


def test_every_printed_page_begins_with_section_and_measure(
    ask: Ask, policy: PolicyDocument
) -> None:
    for number in range(40):
        make_task(policy, f"A1-{number:02}", description="字" * 150)
    book = opened(ask())["Ledger"]
    breaks = [each.id for each in book.row_breaks.brk]
    assert len(breaks) >= 2
    for row in breaks:
        assert book.cell(row + 1, 2).value == "Section A"
        assert book.cell(row + 1, 3).value == "A1 Measure A1"
        assert not any(area.min_row <= row < area.max_row for area in book.merged_cells.ranges)


def test_a_page_holds_no_more_than_its_height(ask: Ask, policy: PolicyDocument) -> None:
    policy.measures.filter(code="A1").update(name="字" * 60)
    for number in range(60):
        make_task(policy, f"A1-{number:02}", description="字" * (number * 37 % 200))
    book = opened(ask())["Ledger"]
    width = sum(book.column_dimensions[column].width for column in "ABCDEFGHIJKLMNOPQRST")
    # A3 less margins; a unit of width is 5.25 points.
    room = (841.9 - 72 * 1.1) / ((1190.6 - 72 * 0.8) / (5.25 * width))
    ends = [0, *(each.id for each in book.row_breaks.brk), book.max_row]
    for page, (above, last) in enumerate(pairwise(ends)):
        tall = sum(book.row_dimensions[row].height for row in range(above + 1, last + 1))
        assert tall + (book.row_dimensions[3].height if page else 0) <= room
