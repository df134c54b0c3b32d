"""The inner parts of openpyxl that are used stand in one module, tried with one release."""

import re
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

TRIED_WITH = "3.1.5"
EXCEL = Path(settings.BASE_DIR) / "tracker" / "excel"
# Inner modules of openpyxl, and private attributes of its books and sheets.
INNER_PARTS = re.compile(
    r"openpyxl\.(worksheet\._|packaging|writer|xml|utils\.indexed_list)"
    r"|(?<!self)\.(_fonts|_named_styles|_writer|_rels|rows_file|merged_cells\.ranges|tables\.add)\b"
)


def test_openpyxl_is_the_release_that_its_inner_parts_were_tried_with() -> None:
    assert version("openpyxl") == TRIED_WITH
    assert f"openpyxl=={TRIED_WITH}" in (Path(settings.BASE_DIR) / "requirements.txt").read_text()


def test_inner_parts_of_openpyxl_are_used_in_one_module() -> None:
    using = [
        path.name for path in sorted(EXCEL.glob("*.py")) if INNER_PARTS.search(path.read_text())
    ]
    assert using == ["openpyxl_internals.py"]
