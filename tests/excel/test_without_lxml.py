"""Rows and links are put into what openpyxl writes, by whichever XML library it writes.

With lxml and without.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys, django; django.setup()
import openpyxl
from openpyxl.worksheet.hyperlink import Hyperlink
from tracker.excel import openpyxl_internals, xlsx_writer
book = openpyxl_internals.new_book()
sheet = xlsx_writer.SheetWriter(book, "rows", (10, 20), heading=">rows<")
plain = sheet.style()
sheet.append([(plain, "A1-01", "http://localhost/a?b=1&c=2"), (plain, "1 < 2 & 3 > 2 rows")], 20)
sheet.append([(plain, "there", Hyperlink(ref="", location="'rows'!A1")), (plain, None)], 20)
openpyxl_internals.save_book(book, sys.argv[1])
print(openpyxl.LXML)
"""


@pytest.mark.parametrize("lxml", ["True", "False"])
def test_rows_and_links_stand_in_the_sheet_with_lxml_and_without(lxml: str, tmp_path: Path) -> None:
    file = tmp_path / "book.xlsx"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(file)],
        env={**os.environ, "OPENPYXL_LXML": lxml, "DJANGO_SETTINGS_MODULE": "tracker.settings"},
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == lxml
    sheet = load_workbook(file)["rows"]
    assert [[cell.value for cell in row] for row in sheet] == [
        ["A1-01", "1 < 2 & 3 > 2 rows"],
        ["there", None],
    ]
    assert (sheet["A1"].hyperlink.target, sheet["A2"].hyperlink.location) == (
        "http://localhost/a?b=1&c=2",
        "'rows'!A1",
    )
    assert sheet.oddHeader.center.text == ">rows<"
