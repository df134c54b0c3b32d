"""There and back: what goes out unchanged comes home unchanged, whoever has opened the file
meanwhile.
"""

import datetime as dt
import re
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.excel.conftest import as_file, fill, fresh, landed, sent
from tests.factories import make_many, make_task
from tests.sizes import size
from tracker.domain import lights, parsing
from tracker.domain.choices import ReportState, Status
from tracker.domain.dates import DAY
from tracker.excel import (
    checklist_import,
    checklist_template,
    progress_import,
    progress_template,
    workbook_import,
)
from tracker.excel.cell_text import clean_cell_text
from tracker.excel.progress_columns import report_columns
from tracker.excel.progress_rows import FillInRow
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.reports import columns
from tracker.workflow import refresh_tasks

MANY = size("ROUND_TRIP_TASKS")


@pytest.fixture
def many(policy: PolicyDocument, bureau: Organization, liaison: User) -> PolicyDocument:
    """Let the bureau lead many tasks, each with an accepted report."""
    make_many(policy, MANY)
    tasks = Task.objects.filter(policy=policy)
    tasks.update(
        lead_unit=bureau,
        status=Status.IN_PROGRESS,
        closed_on=None,
        closing_requested_on=None,
        assigned_on=TODAY - DAY,
    )
    reports = ProgressUpdate.objects.bulk_create(
        ProgressUpdate(
            task=task, unit=bureau, state=ReportState.ACCEPTED, submitted_on=TODAY, period_start=dt.date(2026, 5, 1),
            period_end=dt.date(2026, 5, 31), progress=f"落实 {task.code}\n第二行", problems="=1+1",
            next_steps=" 下一步 ",
        )
        for task in tasks
    )  # fmt: skip
    for report in reports:
        report.task.latest_report = report
    Task.objects.bulk_update([report.task for report in reports], ["latest_report"], batch_size=500)
    refresh_tasks([policy.pk])
    return policy


def through_libreoffice(file: Path) -> Path:
    """Let LibreOffice open a workbook and save it."""
    out = file.parent / "saved"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{file.parent}/profile", "--headless", "--convert-to", "xlsx",
         "--outdir", str(out), str(file)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return out / file.name


def unopened(file: Path) -> Path:
    """Leave a workbook as it is."""
    return file


by_each_program = pytest.mark.parametrize(
    "saved", [unopened, pytest.param(through_libreoffice, marks=pytest.mark.libreoffice)]
)


def states(batch: Any, user: User | None) -> set[str]:
    return set(workbook_import.preview_batch(batch, user, TODAY).counts)


@by_each_program
def test_many_tasks_come_back_untouched(
    many: PolicyDocument,
    bureau: Organization,
    liaison: User,
    tmp_path: Path,
    saved: Callable[[Path], Path],
) -> None:
    assert len(report_columns()) >= 19
    file = tmp_path / "fill.xlsx"
    progress_template.save_progress_template(
        progress_template.scope_of(bureau, Task.objects.all(), TODAY), str(file)
    )
    batch = workbook_import.read_workbook(BytesIO(saved(file).read_bytes()), "x", liaison)
    assert len(batch.rows) >= MANY
    assert states(batch, liaison) == {"unchanged"}


@by_each_program
def test_the_checklist_of_many_tasks_comes_back_untouched(
    many: PolicyDocument, supervisor: User, tmp_path: Path, saved: Callable[[Path], Path]
) -> None:
    file = tmp_path / "list.xlsx"
    checklist_template.save_checklist_template(many, TODAY, str(file))
    batch = workbook_import.read_workbook(BytesIO(saved(file).read_bytes()), "x", supervisor)
    assert states(batch, supervisor) == {"unchanged"}


@pytest.mark.libreoffice
def test_a_filled_in_workbook_that_libreoffice_has_saved_lands_the_same(
    handed_over: list[Task], bureau: Organization, liaison: User, tmp_path: Path
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.29, progress="first\nsecond")
    file = tmp_path / "fill.xlsx"
    file.write_bytes(as_file(book).getvalue())
    batch = workbook_import.read_workbook(
        BytesIO(through_libreoffice(file).read_bytes()), "x", liaison
    )
    (change,) = progress_import.preview_progress(batch, liaison, TODAY).changes
    assert change.fields == {"percent": 29, "progress": "first\nsecond"}


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=60)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(progress_text=TEXTS, problems=TEXTS)
def test_any_text_of_a_report_comes_back_equal_or_the_cut_is_reported(
    handed_over: list[Task], bureau: Organization, progress_text: str, problems: str
) -> None:
    task = handed_over[0]
    period = lights.reportable(task, task.policy, TODAY)[0]
    texts = {"progress": progress_text, "problems": problems}
    report = ProgressUpdate(
        unit=bureau, task=task, period_start=period.start, period_end=period.end, **texts
    )
    row = FillInRow(task, period, report)
    file = BytesIO()
    progress_template.save_progress_template(
        progress_template.FillInRequest(
            bureau, [replace(row, typed={"progress": progress_text})], [], TODAY
        ),
        file,
    )
    with zipfile.ZipFile(file) as archive:
        assert not re.search(r"<f[ >]", archive.read("xl/worksheets/sheet1.xml").decode())
    (found,) = workbook_import.read_workbook(file, "x", None).rows
    for name, text in (("progress", progress_text), ("problems_so_far", problems)):
        held, lost = clean_cell_text(text)
        held = re.sub("_x005F_", "_", held)
        kept = found["typed"].get(name, "")
        assert lost or kept == held or not held.strip()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(min_size=1, max_size=60), remark=st.text(max_size=60))
def test_any_text_of_a_checklist_is_read_back_or_refused_in_words(
    policy: PolicyDocument, supervisor: User, title: str, remark: str
) -> None:
    task = Task.objects.with_related().first() or make_task(policy, "A1-01")
    Task.objects.filter(pk=task.pk).update(
        title=title.replace("\0", ""), remark=remark.replace("\0", "")
    )
    file = BytesIO()
    checklist_template.save_checklist_template(policy, TODAY, file)
    preview = checklist_import.preview_checklist(
        workbook_import.read_workbook(file, "x", supervisor), TODAY
    )
    assert all(len(fault.words) > 5 for fault in preview.faults)


def test_a_new_column_is_one_line(
    handed_over: list[Task], bureau: Organization, liaison: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = columns.Column(
        "help_addressee",
        "who helps",
        columns.reported("help_addressee"),
        12,
        parse=parsing.parse_prose,
        fills=True,
    )
    monkeypatch.setitem(columns.TASK_COLUMNS, "help_addressee", added)
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="x", who_helps="the mayor")
    landed(sent(book, liaison), liaison)
    assert ProgressUpdate.objects.get().help_addressee == "the mayor"


def xml_of(unit: Organization) -> str:
    file = BytesIO()
    progress_template.save_progress_template(
        progress_template.scope_of(unit, Task.objects.all(), TODAY), file
    )
    with zipfile.ZipFile(file) as archive:
        return (
            archive.read("xl/worksheets/sheet1.xml").decode()
            + archive.read("xl/worksheets/sheet2.xml").decode()
        )


def test_drop_downs_come_from_a_hidden_sheet_by_range(
    handed_over: list[Task], bureau: Organization
) -> None:
    xml = xml_of(bureau)
    assert "<formula1>'Words'!$A$1:$A$2</formula1>" in xml
    assert 'type="list"' in xml
    assert fresh(bureau)["Words"].sheet_state == "hidden"


def test_the_sheet_is_guarded_without_a_password_and_its_cells_to_fill_are_open(
    handed_over: list[Task], bureau: Organization
) -> None:
    sheet = fresh(bureau)["Fill in"]
    assert (sheet.protection.sheet, sheet.protection.password) == (True, None)
    row = next(row for row in sheet.iter_rows() if row[1].value == "A1-01")
    heads = {cell.value: cell.column - 1 for cell in sheet[4]}
    opened = {name for name, place in heads.items() if not row[place].protection.locked}
    assert opened == {"percent done", "progress", "problems", "next steps", "why the percent falls"}
    listed = next(row for row in sheet.iter_rows() if row[1].value == "B1-01")
    assert listed[heads["percent done"]].protection.locked


def test_key_is_hidden_header_stays_and_nothing_below_it_is_merged(
    handed_over: list[Task], bureau: Organization
) -> None:
    sheet = fresh(bureau)["Fill in"]
    assert sheet.column_dimensions["A"].hidden
    assert (sheet.freeze_panes, sheet.print_title_rows) == ("C5", "$4:$4")
    assert all(area.max_row < 4 for area in sheet.merged_cells.ranges)


def test_the_workbook_says_until_when_and_to_whom(
    handed_over: list[Task], bureau: Organization, settings: Any
) -> None:
    settings.OPERATOR, settings.CONTACT = "Supervision office of the city", "extension 12"
    words = str(fresh(bureau)["Fill in"]["B2"].value)
    assert all(
        part in words for part in ("2026-06-15", "Supervision office of the city", "extension 12")
    )


def test_a_workbook_in_one_language_is_read_in_the_other(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    with override("zh-hans"):
        file = BytesIO()
        progress_template.save_progress_template(
            progress_template.scope_of(bureau, Task.objects.all(), TODAY), file
        )
    assert states(workbook_import.read_workbook(file, "x", liaison), liaison) == {"unchanged"}
