"""The commands that send workbooks out and read them back."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.excel.conftest import english, fill, fresh, handed_over
from tracker.excel import table_reader
from tracker.models import ImportBatch, Organization, ProgressUpdate, Task

__all__ = ["english", "handed_over"]


def run(name: str, *arguments: str, **options: object) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.fixture
def file(handed_over: list[Task], bureau: Organization, tmp_path: Path) -> Path:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.4, progress="done so much")
    book.save(tmp_path / "back.xlsx")
    return tmp_path / "back.xlsx"


def test_every_unit_gets_its_workbook_in_the_folder(
    handed_over: list[Task], tmp_path: Path
) -> None:
    run("export_fill_in", policy="rise", out=str(tmp_path / "new"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["Science_fill_in_20260615.xlsx"]


def test_without_apply_the_changes_are_said_and_nothing_is_written(file: Path) -> None:
    out = run("import_progress", str(file))
    assert "changed: A1-01 progress: — -> done so much" in out
    assert "changed 1, unchanged 4, stale 0, errors 0" in out
    assert (ProgressUpdate.objects.count(), ImportBatch.objects.count()) == (0, 0)


def test_with_apply_the_reports_are_handed_in(file: Path) -> None:
    run("import_progress", str(file), apply=True)
    assert ProgressUpdate.objects.get().state == "submitted"
    assert ImportBatch.objects.get().state == "landed"


def test_applied_twice_it_changes_nothing(file: Path) -> None:
    run("import_progress", str(file), apply=True)
    assert "changed 0, unchanged 5" in run("import_progress", str(file), apply=True)


def test_a_file_with_faults_is_not_written(file: Path, bureau: Organization) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done="half", progress="x")
    book.save(file)
    with pytest.raises(CommandError):
        run("import_progress", str(file), apply=True)
    assert not ProgressUpdate.objects.exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"a,b\n1,2\n"])
def test_another_kind_of_file_is_refused(tmp_path: Path, db: None, content: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(CommandError, match=r"x\.xlsx"):
        run("import_progress", str(tmp_path / "x.xlsx"))


def test_it_says_how_far_a_large_file_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_reader, "PROGRESS_INTERVAL", 2)
    out = run("import_progress", str(file))
    assert out.index("2 rows read") < out.index("4 rows read") < out.index("changed 1")
