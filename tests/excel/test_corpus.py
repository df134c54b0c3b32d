"""Hostile and odd workbooks: read rightly or refused in words, in bounded time and memory, nothing written."""

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from tests.conftest import TODAY
from tests.excel import corpus
from tests.excel.conftest import as_file, fill, fresh
from tracker.excel import workbook_import
from tracker.models import ImportBatch, Organization, ProgressUpdate, Task, User

MUTATED = int(os.environ.get("MUTATED_WORKBOOKS", "1000"))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def good(handed_over: list[Task], bureau: Organization) -> bytes:
    """Fill two rows of a workbook in."""
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.4, progress="done so much")
    fill(book, "A1-02", percent_done=0.5, progress="and more")
    return as_file(book).getvalue()


def fate_of(content: bytes, user: User) -> tuple[str, str]:
    """Read a file as the page does; return what became of it, and the words."""
    try:
        batch = workbook_import.read_workbook(BytesIO(content), "x.xlsx", user)
    except workbook_import.WorkbookRefused as refusal:
        return corpus.REFUSED, str(refusal)
    preview = workbook_import.preview_batch(batch, user, TODAY)
    said = "\n".join(
        f"{each.sheet} {each.row} {each.column}: {each.words}" for each in preview.faults
    )
    return (corpus.FAULTS if preview.faults else corpus.FINE), said


def test_each_workbook_of_the_corpus_is_read_rightly_or_refused_in_words(
    good: bytes, liaison: User
) -> None:
    wrong, count = [], 0
    for name, content, wanted in [*corpus.others(good), *corpus.odd(good)]:
        count += 1
        found, words = fate_of(content, liaison)
        if found != wanted or (wanted != corpus.FINE and len(words) < 15):
            wrong.append((name, wanted, found, words))
    assert wrong == []
    # With the 21 attacks of the other test.
    assert count + 21 >= 60
    assert (ProgressUpdate.objects.count(), ImportBatch.objects.count()) == (0, 0)


def test_attacks_cost_neither_time_nor_memory(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "good.xlsx").write_bytes(good)
    done = subprocess.run(
        [sys.executable, "-m", "tests.excel.attack", str(tmp_path / "good.xlsx")],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 21


def test_a_spoilt_workbook_is_read_or_refused(good: bytes, liaison: User) -> None:
    for seed in range(MUTATED):
        fate_of(corpus.mutated(good, seed), liaison)
    assert (ProgressUpdate.objects.count(), ImportBatch.objects.count()) == (0, 0)
