"""Workbooks and cells as offices write them, each with what must become of it.

Files and tables of `cases`.
"""

import csv
import datetime as dt
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from openpyxl import load_workbook

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker.domain import parsing
from tracker.domain.choices import Kind
from tracker.domain.dates import DAY, now
from tracker.domain.unit_names import UnitRole, find_units, name_key, split_names
from tracker.excel import workbook_import
from tracker.models import ImportBatch, Organization, PolicyDocument, Task, User
from tracker.workflow import store_batch

CASES = Path(__file__).parent / "cases"


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    """Speak Chinese, as the files do."""
    with override("zh-hans"):
        yield


@pytest.fixture
def units(db: None) -> None:
    """Load the units of the sample."""
    call_command("loaddata", "organizations", verbosity=0)


def previewed(name: str) -> workbook_import.Preview:
    batch = workbook_import.read_workbook(BytesIO((CASES / name).read_bytes()), name, None)
    batch = store_batch(batch, now())
    batch.refresh_from_db()
    return workbook_import.preview_batch(batch, None, TODAY)


def loaded(name: str) -> Task:
    """Load a checklist that has no faults; return its task."""
    batch = workbook_import.read_workbook(BytesIO((CASES / name).read_bytes()), name, None)
    batch = store_batch(batch, now())
    seen = workbook_import.preview_batch(batch, None, TODAY)
    assert seen.faults == []
    assert workbook_import.confirm_batch(batch, None, seen.digest, now()) is None
    return Task.objects.get(code="A1-01")


def faults(preview: workbook_import.Preview) -> list[tuple[str, int, str, str, str]]:
    return [
        (fault.sheet, fault.row, fault.column, fault.value, fault.words) for fault in preview.faults
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("date_month_format.xlsx", "2026年6月", "只写月、季度或年时须写明"),
        ("date_typed_6.30_in_date_cell.xlsx", "1900-01-06", "日期不早于 2000-01-01"),
        ("date_serial_59.xlsx", "1900-02-28", "日期不早于 2000-01-01"),
        ("remark_18_digits_number.xlsx", "410400199001011000", "15 位"),
        ("co_in_brackets.xlsx", "各县（市、区）人民政府", "“各县（市、区）人民政府”不是单位名称"),
        ("co_etc.xlsx", "市财政局等", "去掉“等”字"),
        ("co_lead_also_helps.xlsx", "市发展改革委", "牵头单位"),
    ],
)
def test_what_has_no_one_meaning_is_a_fault_of_its_cell(
    units: None, name: str, value: str, words: str
) -> None:
    ((sheet, row, column, shown, said),) = faults(previewed(name))
    assert (sheet, row) == ("任务", 2)
    assert column in ("现时限", "配合单位", "备注")
    assert (shown, words in said) == (value, True)


@pytest.mark.parametrize(
    ("name", "day"),
    [("date_1904.xlsx", dt.date(2026, 12, 31)), ("date_with_time.xlsx", dt.date(2026, 6, 30))],
)
def test_a_real_day_is_that_day(units: None, name: str, day: dt.date) -> None:
    assert loaded(name).deadline == day


def test_a_long_term_deadline_makes_a_standing_task_and_the_preview_says_so(units: None) -> None:
    entry = next(
        each for each in previewed("long_term_sets_no_kind.xlsx").entries if each.code == "A1-01"
    )
    assert ("类别", "长期坚持") in [(field.header, field.new) for field in entry.fields]
    assert loaded("long_term_sets_no_kind.xlsx").kind == Kind.STANDING


def test_a_percent_in_prose_is_what_the_cell_shows(units: None) -> None:
    assert loaded("remark_percent.xlsx").remark == "12.5%"


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("co_zero_width.xlsx", {"市财政局"}),
        ("co_blank_inside.xlsx", {"市财政局"}),
        ("co_spaces.xlsx", {"市财政局", "市科技局"}),
    ],
)
def test_units_are_known_in_spite_of_blanks_and_unseen_signs(
    units: None, name: str, names: set[str]
) -> None:
    assert set(loaded(name).co_units.values_list("short_name", flat=True)) == names


def test_a_sheet_that_lacks_a_header_it_needs_is_refused_by_name(units: None) -> None:
    with pytest.raises(
        workbook_import.WorkbookRefused, match=r"工作表“任务”第 1 行缺少表头：重点任务.*任务名称"
    ):
        previewed("checklist_task_header_renamed.xlsx")


def test_a_merged_code_goes_down(units: None) -> None:
    loaded("checklist_merged_measure.xlsx")
    assert list(Task.objects.order_by("code").values_list("code", "measure__code")) == [
        ("A1-01", "A1"), ("A1-02", "A1"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["checklist_hidden_row.xlsx", "checklist_hidden_sheet.xlsx"])
def test_what_is_hidden_is_read_and_said_to_be_hidden(units: None, name: str) -> None:
    preview = previewed(name)
    assert "A1-01" in [entry.code for entry in preview.entries]
    assert [note.sheet for note in preview.notes if "已隐藏" in note.words] == ["任务"]


def test_a_workbook_whose_cells_have_no_places_is_read_like_others(units: None) -> None:
    task = loaded("no_references.xlsx")
    assert (task.lead_unit.short_name if task.lead_unit else "", task.remark) == ("市财政局", "完")


@pytest.fixture
def reported(units: None) -> PolicyDocument:
    """Hand over the tasks that the fill-in workbooks are about."""
    policy = make_policy("central-china-rise-demo")
    unit = Organization.objects.get(short_name="市发展改革委")
    section = policy.sections.first()
    measure = policy.measures.create(section=section, code="A0", name="解放思想")
    facts: dict[str, Any] = {
        "lead_unit": unit,
        "assigned_on": TODAY - 60 * DAY,
        "owed_from": TODAY - 60 * DAY,
    }
    make_task(
        policy,
        "A0-03",
        measure=measure,
        kind=Kind.QUALITATIVE,
        deadline=TODAY + 90 * DAY,
        version=4,
        **facts,
    )
    return policy


def rows_of(preview: workbook_import.Preview, code: str) -> dict[str, str]:
    entry = next(each for each in preview.entries if each.code == code)
    return {field.header: field.new for field in entry.fields}


def test_a_renamed_column_is_named_with_what_it_may_mean(reported: PolicyDocument) -> None:
    notes = previewed("fill_header_renamed.xlsx").notes
    (note,) = [note for note in notes if "存在的问题" in note.place]
    assert (note.sheet, note.count) == ("填报", 1)
    assert "“存在问题”" in note.words


def test_text_over_a_grey_cell_is_named(reported: PolicyDocument) -> None:
    notes = previewed("fill_in_so_far_cell.xlsx").notes
    assert [note.count for note in notes if note.place.startswith("落实情况（现有）")] == [1]


def test_words_that_are_struck_out_are_left_out_and_said_to_be(reported: PolicyDocument) -> None:
    preview = previewed("fill_struck_out.xlsx")
    assert "已停工" not in rows_of(preview, "A0-03").get("落实情况", "")
    assert "已开工" in rows_of(preview, "A0-03").get("落实情况", "")
    assert any("删除线" in note.words for note in preview.notes)


def test_a_percent_sign_that_the_format_writes_counts(reported: PolicyDocument) -> None:
    batch = workbook_import.read_workbook(
        BytesIO((CASES / "fill_percent_fifty_literal.xlsx").read_bytes()), "x", None
    )
    assert [row["values"]["percent"] for row in batch.rows if "percent" in row["values"]] == [50]


def test_of_a_qualitative_task_it_is_said_that_no_percent_is_reported(
    reported: PolicyDocument, units: None
) -> None:
    batch = workbook_import.read_workbook(
        BytesIO((CASES / "fill_in_so_far_cell.xlsx").read_bytes()), "x", None
    )
    row = next(row for row in batch.rows if row["code"] == "A0-03" and not row["step"])
    row["faults"]["percent"] = "0.5% 还是 50%？"
    words = [
        fault.words
        for fault in workbook_import.preview_batch(batch, None, TODAY).faults
        if fault.column == "完成率"
    ]
    assert words == ["“定性”类任务不填报完成率，请将此格留空。"]


def cases(name: str) -> list[list[str]]:
    with (CASES / name).open(encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def test_units_are_read_as_offices_write_them(units: None) -> None:
    known: dict[str, set[str]] = {}
    for unit in Organization.objects.all():
        for name in unit.all_names():
            known.setdefault(name_key(name), set()).add(unit.short_name)

    def find(key: str) -> str | None:
        found = known.get(key, set())
        return next(iter(found)) if len(found) == 1 else None

    wrong = []
    for written, right in cases("units.csv"):
        read = find_units(split_names(written), find)
        found = [unit for unit, _role in read.found]
        if right.startswith(("asked", "unknown", "group")) and "|" not in right:
            as_meant = found == [] and [text for text, _reason in read.unread] == [written]
        elif right.startswith("group "):
            as_meant = found == right.split("|")[1:] and len(read.unread) == 1
        else:
            names = right.replace("lead ", "").replace("; help ", "|").split(";")[0].split("|")
            as_meant = found == names and (("等" in right) == bool(read.unread))
            as_meant &= "lead " not in right or read.found[0][1] == UnitRole.LEADS
        if not as_meant:
            wrong.append((written, right, read))
    assert wrong == []


def test_deadlines_are_read_as_offices_write_them() -> None:
    wrong = []
    for written, right, note in cases("deadlines.csv"):
        try:
            found: object = parsing.parse_deadline(parsing.Cell(written))
        except ValueError:
            found = "asked"
        # Years are asked about once a file, and steps made of a first day, where a table is the
        # office's own.
        own_tables = "year" in note or "confirm" in note or "step" in note
        meant = "asked" if right.startswith("asked") or own_tables or "confirm" in right else right
        shown = "standing" if found is parsing.LONG_TERM else str(found)
        if shown != meant:
            wrong.append((written, meant, shown))
    assert wrong == []


# What a cell holds in the file, and what is left of it: neither database nor page holds these
# signs.
ESCAPES = {
    "_x0000_": "",
    "a_x0000_b": "ab",
    "_xD83D_": "",
    "_xDE00_x": "x",
    "_xFFFF_": "",
    "_x0008_": "",
}


def batch_with_title(title: str, user: User) -> ImportBatch:
    """Send in a checklist with a task of a title, and find the batch as it is stored."""
    book = load_workbook(CASES / "no_references.xlsx")
    book["任务"]["D2"].value = title
    file = BytesIO()
    book.save(file)
    batch = workbook_import.read_workbook(file, "x", user)
    batch = store_batch(batch, now())
    return ImportBatch.objects.get(pk=batch.pk)


@pytest.mark.parametrize(("text", "left"), ESCAPES.items())
def test_escapes_of_signs_that_no_text_holds_are_cleaned(
    units: None, text: str, left: str, supervisor: User
) -> None:
    stored = batch_with_title(f"题目{text}", supervisor)
    assert f"'题目{left}'" in str(stored.rows)
    assert workbook_import.preview_batch(stored, None, TODAY).faults == []


@pytest.mark.parametrize("text", ESCAPES)
def test_a_batch_with_escapes_of_signs_that_no_text_holds_opens(
    units: None, client: Client, text: str, supervisor: User
) -> None:
    client.force_login(supervisor)
    page = client.get(reverse("batch", args=[batch_with_title(f"题目{text}", supervisor).pk]))
    assert "题目" in page.content.decode()
