"""The sheets of the ledger, read back from the file."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.conftest import TODAY
from tests.excel.conftest import Ask, cover_text, data, opened, saved
from tests.excel.test_cell_text import as_excel_reads
from tests.factories import make_task
from tracker.domain.choices import Cycle, Kind, Light, Status
from tracker.domain.dates import DAY
from tracker.excel import export_notes, ledger
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task
from tracker.reports.columns import TASK_COLUMNS

JULY = dt.date(2026, 7, 31)
AUGUST = dt.date(2026, 8, 31)


class Given:
    """Tasks in memory where a queryset is asked for: with texts that no database takes."""

    def __init__(self, *tasks: Task) -> None:
        self.tasks = tasks

    def count(self) -> int:
        return len(self.tasks)

    def order_by(self) -> Any:
        """Stand in for the figures, which the database counts."""
        return Task.objects.none()

    def bulk_rows(self, policy: PolicyDocument, chunk_size: int) -> Any:
        return iter(self.tasks)


def header_row(sheet: Worksheet) -> int:
    return next(row[0].row for row in sheet.iter_rows() if row[0].value == "No.")


def bands(sheet: Worksheet) -> set[str]:
    """Return what is merged below the header."""
    return {str(area) for area in sheet.merged_cells.ranges if area.min_row > header_row(sheet)}


def test_the_sheets_are_those_of_the_specification(ask: Ask) -> None:
    assert opened(ask()).sheetnames == [
        "Cover",
        "Ledger",
        "Data",
        "Units",
        "Sections",
        "Warnings",
        "Steps",
    ]


def test_the_sheets_bear_their_chinese_names(ask: Ask) -> None:
    with override("zh-hans"):
        assert opened(ask()).sheetnames == [
            "封面",
            "总台账",
            "数据",
            "单位汇总",
            "部分汇总",
            "预警清单",
            "清单项",
        ]


def test_the_columns_are_those_of_the_specification(ask: Ask) -> None:
    with override("zh-hans"):
        header = [cell.value for cell in opened(ask())["数据"][1]]
    words = (
        "序号 部分 举措 任务编号 重点任务 具体举措/清单进度 牵头领导 牵头单位 配合单位 责任人 原定时限 现时限 完成率 "
        "状态 灯 落实情况 存在问题 下一步举措 佐证数 备注"
    )
    assert " ".join(header) == words


def test_both_sheets_keep_the_order_of_the_list(ask: Ask, policy: PolicyDocument) -> None:
    for code in ("A1-01", "A1-02", "B1-01"):
        make_task(policy, code)
    book = opened(ask(tasks=Task.objects.order_by("-code")))
    assert [row["task code"].value for row in data(book)] == ["B1-01", "A1-02", "A1-01"]
    top = header_row(book["Ledger"])
    assert [book["Ledger"].cell(top + 1 + place, 4).value for place in range(3)] == [
        "B1-01",
        "A1-02",
        "A1-01",
    ]


def test_rows_are_numbered(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01")
    make_task(policy, "A1-02")
    assert [row["No."].value for row in data(opened(ask()))] == [1, 2]


def test_deadlines_are_real_dates(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, deadline=AUGUST, original_deadline=JULY)
    row = data(opened(ask()))[0]
    for header, day in (("original deadline", JULY), ("current deadline", AUGUST)):
        cell = row[header]
        assert (cell.is_date, cell.value.date(), cell.number_format) == (True, day, "yyyy-mm-dd")


def test_the_percent_is_a_real_share(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, kind=Kind.QUANTIFIED, percent=40)
    cell = data(opened(ask()))[0]["percent done"]
    assert (cell.value, cell.data_type, cell.number_format) == (0.4, "n", "0%")


def test_what_has_no_value_is_empty_in_the_data_and_says_so_in_print(
    ask: Ask, policy: PolicyDocument
) -> None:
    make_task(policy, kind=Kind.STANDING)
    book = opened(ask())
    assert [data(book)[0][name].value for name in ("percent done", "current deadline")] == [
        None,
        None,
    ]
    printed = [cell.value for cell in book["Ledger"][header_row(book["Ledger"]) + 1]]
    assert (printed[10], printed[11], printed[12]) == ("standing", "standing", "—")


def test_codes_are_text_that_leads_to_the_task(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, "A1-02")
    book = opened(ask())
    for cell in (
        data(book)[0]["task code"],
        book["Ledger"].cell(header_row(book["Ledger"]) + 1, 4),
    ):
        assert (cell.value, cell.data_type, cell.number_format) == ("A1-02", "s", "@")
        assert cell.hyperlink.target == "https://tracker.example/tasks/A1-02"


def test_without_an_address_a_code_is_no_link(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy)
    assert data(opened(ask(link=lambda task: "")))[0]["task code"].hyperlink is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")'])
def test_text_that_looks_like_a_formula_stays_text(
    ask: Ask, policy: PolicyDocument, text: str
) -> None:
    make_task(policy, title=text)
    book = opened(ask())
    for cell in (data(book)[0]["key task"], book["Ledger"].cell(header_row(book["Ledger"]) + 1, 5)):
        assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "2026-01-01", "007", "plain"])
def test_other_text_stays_text_without_a_mark(ask: Ask, policy: PolicyDocument, text: str) -> None:
    make_task(policy, title=text)
    cell = data(opened(ask()))[0]["key task"]
    assert (cell.value, cell.data_type, bool(cell.quotePrefix)) == (text, "s", False)


def test_a_link_does_not_stick_to_the_next_row(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01")
    make_task(policy, "A1-02")
    book = opened(ask(link=lambda task: "https://x.example/" if task.code == "A1-01" else ""))
    assert [bool(row["task code"].hyperlink) for row in data(book)] == [True, False]


def test_what_was_left_out_is_reported_by_code_and_column(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, "A1-07", remark="bell \x07")
    book = opened(ask())
    assert data(book)[0]["remark"].value == "bell "
    assert "A1-07 remark: 1 character that cannot be stored in a cell was left out" in cover_text(
        book
    )


def test_a_text_too_long_for_a_cell_is_reported_by_code_and_column(
    ask: Ask, policy: PolicyDocument
) -> None:
    make_task(policy, "A1-07", remark="x" * 40_000)
    book = opened(ask())
    assert len(data(book)[0]["remark"].value) == 32_767
    assert (
        "A1-07 remark: truncated: a cell can contain 32767 characters, the text has 40000"
        in cover_text(book)
    )


def test_a_text_too_long_for_a_printed_row_is_whole_and_reported(
    ask: Ask, policy: PolicyDocument
) -> None:
    make_task(policy, "A1-07", remark="word " * 400)
    book = opened(ask())
    assert data(book)[0]["remark"].value == "word " * 400
    assert "A1-07 remark: too long to print in full in one row" in cover_text(book)


def test_many_notes_are_counted_and_not_listed(ask: Ask, policy: PolicyDocument) -> None:
    task = make_task(policy, remark="\x07")
    assert "and 20 more" in cover_text(
        opened(ask(tasks=Given(*[task] * (export_notes.MAX_NOTES + 20))))
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {
            name: st.text(st.characters(codec=None), max_size=60)
            for name in ("title", "description", "remark", "lead_official", "responsible_person")
        }
    ),
    st.text(st.characters(codec=None), max_size=60),
)
@example(
    dict.fromkeys(
        ("title", "description", "remark", "lead_official", "responsible_person"), "😀" * 40_000
    ),
    "=1",
)
@example(
    dict.fromkeys(
        ("title", "description", "remark", "lead_official", "responsible_person"), "_x0041_\r\n"
    ),
    " ",
)
def test_any_text_comes_back_equal_or_is_reported(
    ask: Ask, policy: PolicyDocument, texts: dict[str, str], name: str
) -> None:
    task = Task.objects.with_related().first() or make_task(policy)
    for field, text in texts.items():
        setattr(task, field, text)
    task.measure.section.name = name
    book = opened(ask(tasks=Given(task)))
    said, row = cover_text(book), data(book)[0]
    for column in TASK_COLUMNS.values():
        wanted = column.value(task, TODAY)
        if isinstance(wanted, str):
            found = as_excel_reads(row[str(column.header)].value or "")
            equal = found == wanted.replace("\r\n", "\n").replace("\r", "\n")
            assert equal or f"{task.code} {column.header}: " in said


def test_equal_sections_and_measures_are_merged(ask: Ask, policy: PolicyDocument) -> None:
    for code in ("A1-01", "A1-02", "B1-01"):
        make_task(policy, code)
    sheet = opened(ask())["Ledger"]
    top = header_row(sheet)
    assert bands(sheet) == {f"B{top + 1}:B{top + 2}", f"C{top + 1}:C{top + 2}"}


def test_equal_sections_that_do_not_follow_each_other_stay_apart(
    ask: Ask, policy: PolicyDocument
) -> None:
    tasks = [make_task(policy, code) for code in ("A1-01", "B1-01", "A1-02")]
    tasks = [Task.objects.with_related().get(pk=task.pk) for task in tasks]
    assert bands(opened(ask(tasks=Given(*tasks)))["Ledger"]) == set()


def test_measures_of_one_name_in_two_sections_stay_apart(ask: Ask, policy: PolicyDocument) -> None:
    policy.measures.update(name="same")
    policy.measures.filter(code="B1").update(code="A1b")
    make_task(policy, "A1-01")
    make_task(policy, "A1b-01")
    assert bands(opened(ask())["Ledger"]) == set()


def test_a_band_has_room_for_its_words(ask: Ask, policy: PolicyDocument) -> None:
    policy.measures.filter(code="A1").update(name="字" * 200)
    make_task(policy, "A1-01")
    make_task(policy, "A1-02")
    sheet = opened(ask())["Ledger"]
    top = header_row(sheet)
    assert sum(sheet.row_dimensions[top + place].height for place in (1, 2)) > 400


def test_a_longer_text_makes_a_taller_row(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", description="short")
    make_task(policy, "A1-02", description="字" * 200)
    for sheet in opened(ask()).worksheets[1:3]:
        rows = [row[3].row for row in sheet.iter_rows() if str(row[3].value).startswith("A1-")]
        low, tall = (sheet.row_dimensions[row].height for row in rows)
        assert tall > 2 * low


def test_the_data_are_a_native_table_with_a_filter(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy)
    sheet = opened(ask())["Data"]
    table = sheet.tables["tasks"]
    assert (table.ref, table.autoFilter.ref) == ("A1:T2", "A1:T2")
    assert [column.name for column in table.tableColumns] == [cell.value for cell in sheet[1]]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_headers_of_the_table_are_unique(ask: Ask, language: str) -> None:
    with override(language):
        headers = [cell.value for cell in opened(ask()).worksheets[2][1]]
    assert len(set(headers)) == len(headers) == 20


def test_nothing_is_merged_in_the_data(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01")
    make_task(policy, "A1-02")
    assert not opened(ask())["Data"].merged_cells.ranges


def test_a_list_without_tasks_says_so_and_keeps_a_row_for_the_table(ask: Ask) -> None:
    book = opened(ask())
    assert book["Data"].tables["tasks"].ref == "A1:T2"
    assert book["Ledger"].cell(header_row(book["Ledger"]) + 1, 1).value == "No task matches."


def test_a_light_is_word_shape_and_colour(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, deadline=TODAY - dt.timedelta(days=1))
    for sheet in opened(ask()).worksheets[1:3]:
        cell = next(
            cell for row in sheet.iter_rows() for cell in row if cell.value == "■ red light"
        )
        rules = {
            rule.formula[0]: rule.dxf
            for area in sheet.conditional_formatting
            if cell.coordinate in area
            for rule in area.rules
            if (rule.type, rule.operator) == ("cellIs", "equal")
        }
        colours = rules['"■ red light"']
        style = Light.RED.style
        assert (colours.font.color.rgb[2:], colours.fill.bgColor.rgb[2:]) == (style.ink, style.fill)


def test_every_word_of_a_light_has_its_colours(ask: Ask, policy: PolicyDocument) -> None:
    day = dt.timedelta(days=1)
    facts = (
        {"deadline": JULY},
        {"deadline": TODAY + day},
        {"deadline": TODAY - day},
        {"deadline": JULY, "status": Status.NOT_STARTED},
        {"deadline": JULY, "status": Status.SUSPENDED},
        {"deadline": JULY, "status": Status.CANCELLED},
        {"deadline": JULY, "status": Status.CLOSED, "closed_on": TODAY},
        {"deadline": TODAY - day, "status": Status.CLOSED, "closed_on": TODAY},
    )
    for number, fact in enumerate(facts, 1):
        make_task(policy, f"A1-0{number}", **fact)
    book = opened(ask())
    said = {row["light"].value for row in data(book)}
    coloured = {
        rule.formula[0].strip('"')
        for area in book["Data"].conditional_formatting
        for rule in area.rules
    }
    assert len(said) == len(facts)
    assert said <= coloured


def test_the_cover_says_whose_tasks_these_are(ask: Ask) -> None:
    words = cover_text(
        opened(ask(unit_scope="Bureau of Science", filters=["light: red", "section: A"]))
    )
    assert "this unit only: tasks that Bureau of Science leads or co-operates in" in words
    assert "light: red; section: A" in words


def test_the_printed_sheet_says_whose_tasks_these_are(ask: Ask) -> None:
    line = opened(ask(unit_scope="Bureau of Science", filters=["light: red"]))["Ledger"]["A2"].value
    assert all(words in line for words in ("Bureau of Science", "this unit only", "light: red"))


def test_the_thresholds_in_force_are_on_the_cover(ask: Ask, policy: PolicyDocument) -> None:
    policy.warn_days, policy.yellow_gap, policy.red_gap, policy.grace_days = 11, 12, 33, 4
    words = cover_text(opened(ask()))
    assert (
        "11 days or less to the deadline; quantified and 12 points or more behind schedule" in words
    )
    assert "quantified and 33 points or more" in words
    assert "no report (monthly) within 4 days" in words


def test_where_no_reports_are_owed_the_cover_speaks_of_none(
    ask: Ask, policy: PolicyDocument
) -> None:
    policy.cycle = Cycle.NONE
    assert "no report" not in cover_text(opened(ask()))


def test_the_cover_leads_to_the_other_sheets(ask: Ask) -> None:
    sheet = opened(ask())["Cover"]
    assert {cell.hyperlink.location for row in sheet for cell in row if cell.hyperlink} == {
        f"'{name}'!A1" for name in ("Ledger", "Data", "Units", "Sections", "Warnings", "Steps")
    }


def test_the_lights_of_today_need_no_word(ask: Ask) -> None:
    assert "what is known today" not in cover_text(opened(ask()))


def test_the_lights_of_another_day_are_said_to_be_so(ask: Ask) -> None:
    assert "2026-07-31; lights on 2026-07-31, based on what is known today" in cover_text(
        opened(ask(on=JULY))
    )


def test_lights_are_those_of_the_day_asked_for(ask: Ask, policy: PolicyDocument) -> None:
    make_task(policy, deadline=JULY)
    assert data(opened(ask(on=AUGUST)))[0]["light"].value == "■ red light"


def test_demonstration_data_are_marked_loudly(ask: Ask, policy: PolicyDocument) -> None:
    policy.demo = True
    book = opened(ask())
    assert book["Ledger"]["A2"].value == "Demonstration data: fictitious, not for use"
    assert "Demonstration data" in cover_text(book)


def test_real_data_bear_no_such_mark(ask: Ask) -> None:
    book = opened(ask())
    assert "Demonstration" not in cover_text(book) + str(book["Ledger"]["A2"].value)


def test_the_ledger_takes_as_many_queries_for_many_tasks_as_for_few(
    ask: Ask, policy: PolicyDocument, bureau: Organization, county: Organization
) -> None:
    def fill(numbers: range) -> None:
        tasks = Task.objects.bulk_create(
            Task(
                policy=policy,
                measure=policy.measures.first(),
                code=f"A1-{number}",
                title="t",
                lead_unit=bureau,
            )
            for number in numbers
        )
        ChecklistItem.objects.bulk_create(
            ChecklistItem(task=task, number=1, title="step") for task in tasks
        )
        Task.co_units.through.objects.bulk_create(
            Task.co_units.through(task=task, organization=county) for task in tasks
        )

    counts = []
    for numbers in (range(3), range(3, 300)):
        fill(numbers)
        with CaptureQueriesContext(connection) as queries:
            saved(ask())
        counts.append(len(queries))
    # How many, the figures with their units and sections, the tasks with what they point to, their
    # units, their steps.
    assert counts[0] == counts[1] <= 13


def test_the_text_of_the_policy_is_not_fetched_with_every_task(
    ask: Ask, policy: PolicyDocument
) -> None:
    make_task(policy)
    with CaptureQueriesContext(connection) as queries:
        saved(ask())
    assert not any("full_text" in query["sql"] for query in queries)


def test_rows_fetched_in_pieces_are_all_there_in_order(
    ask: Ask, policy: PolicyDocument, bureau: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LEDGER_CHUNK", 2)
    for number in range(1, 6):
        make_task(policy, f"A1-0{number}").co_units.add(bureau)
    rows = data(opened(ask()))
    assert [row["task code"].value for row in rows] == [f"A1-0{number}" for number in range(1, 6)]
    assert {row["co-operating units"].value for row in rows} == {"Science"}


@pytest.fixture
def long_list(policy: PolicyDocument, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a list that is longer than bands and links are made for."""
    monkeypatch.setattr(ledger, "BANDED_SHEETS", 2)
    for number in range(1, 4):
        make_task(policy, f"A1-0{number}")


def test_a_very_long_list_is_whole(ask: Ask, long_list: None) -> None:
    book = opened(ask())
    assert [row["task code"].value for row in data(book)] == ["A1-01", "A1-02", "A1-03"]
    top = header_row(book["Ledger"])
    assert [book["Ledger"].cell(top + place, 3).value for place in (1, 2, 3)] == [
        "A1 Measure A1"
    ] * 3


def test_a_very_long_list_has_no_bands_and_says_so(ask: Ask, long_list: None) -> None:
    book = opened(ask())
    assert bands(book["Ledger"]) == set()
    assert "with more than 2 tasks, sections and measures are not merged" in cover_text(book)


def linked_sheets(book: Workbook) -> set[str]:
    """Return the names of the sheets with a cell that leads to a page."""
    return {
        sheet.title
        for sheet in book.worksheets[1:]
        for row in sheet.iter_rows()
        for cell in row
        if cell.hyperlink or cell.font.underline
    }


@pytest.fixture
def few_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sheet take three links."""
    monkeypatch.setattr(ledger, "MAX_LINKS", 3)


def make_steps(policy: PolicyDocument, *counts: int) -> None:
    """Make overdue tasks with so many steps each."""
    for number, count in enumerate(counts, 1):
        task = make_task(policy, f"A1-0{number}", deadline=TODAY - DAY)
        for step in range(1, count + 1):
            task.items.create(number=step, title="step")


def test_as_many_links_as_excel_takes_are_links(
    ask: Ask, policy: PolicyDocument, few_links: None
) -> None:
    make_steps(policy, 1, 1, 1)
    assert linked_sheets(opened(ask())) == {"Ledger", "Data", "Warnings", "Steps"}


def test_a_sheet_of_more_steps_than_excel_takes_links_has_none(
    ask: Ask, policy: PolicyDocument, few_links: None
) -> None:
    make_steps(policy, 2, 2)
    book = opened(ask())
    assert linked_sheets(book) == {"Ledger", "Data", "Warnings"}
    assert "Steps: with more than 3 rows, codes are not links" in cover_text(book)


def test_sheets_of_more_tasks_than_excel_takes_links_have_none(
    ask: Ask, policy: PolicyDocument, few_links: None
) -> None:
    make_steps(policy, 1, 1, 1, 0)
    book = opened(ask())
    assert linked_sheets(book) == {"Steps"}
    assert "Data: with more than 3 rows, codes are not links" in cover_text(book)


def test_a_further_sheet_of_more_rows_than_excel_takes_links_has_none(
    ask: Ask, policy: PolicyDocument, few_links: None
) -> None:
    make_steps(policy, 0)
    rows = [policy.tasks.get()] * 4
    extra = ledger.ExtraSheet(
        "More",
        "",
        {"code": TASK_COLUMNS["code"]},
        rows,
        "more",
        lambda row: "https://tracker.example/",
    )
    assert linked_sheets(opened(ask(extras=[extra]))) == {"Ledger", "Data", "Warnings"}


def test_styles_are_as_many_for_many_rows_as_for_few(ask: Ask, policy: PolicyDocument) -> None:
    task = make_task(policy)
    few, many = (len(opened(ask(tasks=Given(*[task] * count)))._cell_styles) for count in (2, 60))
    assert few == many


@pytest.mark.parametrize("moment", ["while building", "while saving"])
def test_a_ledger_that_fails_leaves_no_file_behind(
    ask: Ask, policy: PolicyDocument, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    make_task(policy)

    class Full:
        """A disk that has no room for a while: the archive writes its end even after a fault."""

        full = True

        def write(self, data: bytes) -> int:
            if self.full:
                self.full = False
                raise OSError("no space left")
            return len(data)

        def flush(self) -> None: ...

    def no_link(task: Task) -> str:
        raise LookupError

    with pytest.raises((OSError, LookupError)):
        ledger.save_ledger(ask(link=no_link) if moment == "while building" else ask(), Full())
    assert list(tmp_path.iterdir()) == []
