"""`print_steps`: the READMEs show the table of steps as it is."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tracker.workflow import TRANSITIONS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("file", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh-hans")]
)
def test_the_readme_shows_the_table_of_steps(file: str, language: str) -> None:
    out = StringIO()
    call_command("print_steps", "--language", language, stdout=out)
    assert len(out.getvalue().splitlines()) == len(TRANSITIONS) + 2
    assert out.getvalue() in (ROOT / file).read_text(encoding="utf-8")
