"""What of a workbook is read, what is not and is named, and what is asked about.

Of both kinds of workbooks.
"""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart
from openpyxl.comments import Comment
from openpyxl.styles import Font

from tests.conftest import TODAY
from tests.excel.conftest import fill, fresh, row_of, sent
from tests.excel.filled_books import FilledBook, new_value
from tracker.excel import checklist_template, workbook_import
from tracker.models import Organization, PolicyDocument, Task, User


@pytest.fixture
def progress_book(handed_over: list[Task], bureau: Organization, liaison: User) -> FilledBook:
    """Fill in the percent of two tasks, so that they lack nothing but their text."""
    book = fresh(bureau)
    for code in ("A1-01", "A1-02"):
        fill(book, code, percent_done=0.4, progress="words")
    return FilledBook(book, "Fill in", row_of(book, "A1-01") - 1, "progress", "task code", liaison)


@pytest.fixture
def checklist_book(handed_over: list[Task], policy: PolicyDocument, supervisor: User) -> FilledBook:
    """Export the checklist of the same tasks."""
    file = BytesIO()
    checklist_template.save_checklist_template(policy, TODAY, file)
    return FilledBook(load_workbook(file), "Tasks", 1, "remark", "task code", supervisor)


@pytest.fixture(params=["progress_book", "checklist_book"])
def filled(request: pytest.FixtureRequest) -> FilledBook:
    """Return a workbook of either kind."""
    book: FilledBook = request.getfixturevalue(request.param)
    return book


def test_a_picture_in_a_cell_is_a_fault_that_says_where_pictures_go(filled: FilledBook) -> None:
    filled.put_raw('<f>_xlfn.DISPIMG("ID_1A",1)</f><v>=DISPIMG("ID_1A",1)</v>', 't="str"')
    assert "pictures are not read: attach it as evidence" in filled.fault()[1]


def test_a_picture_whose_formula_is_gone_is_a_fault_too(filled: FilledBook) -> None:
    filled.put('=DISPIMG("ID_1A",1)')
    assert "pictures are not read" in filled.fault()[1]


def test_a_text_that_begins_like_a_picture_is_a_text(filled: FilledBook) -> None:
    filled.put("Image(s) are attached")
    assert filled.read() == "Image(s) are attached"


def test_a_cell_that_is_struck_out_is_asked_about(filled: FilledBook) -> None:
    filled.put("done").font = Font(strike=True)
    value, words = filled.fault()
    assert (value, "struck out" in words) == ("done", True)


def test_a_number_that_is_struck_out_is_asked_about(filled: FilledBook) -> None:
    filled.put(12).font = Font(strike=True)
    assert "struck out" in filled.fault()[1]


def test_words_that_are_struck_out_are_left_out_and_named(filled: FilledBook) -> None:
    filled.put(CellRichText("begun, ", TextBlock(InlineFont(strike=True), "stopped, "), "goes on"))
    assert filled.read() == "begun, goes on"
    row = filled.top + 1
    assert (
        filled.name,
        f"{filled.header} rows {row}",
        1,
        "Struck-out text is not read.",
    ) in filled.notes()


def test_words_that_are_all_struck_out_are_asked_about(filled: FilledBook) -> None:
    filled.put(CellRichText(TextBlock(InlineFont(strike=True), "stopped")))
    value, words = filled.fault()
    assert (value, "struck out" in words) == ("stopped", True)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.125, "0.0%", "12.5%"),
        (0.125, "0.00%", "12.50%"),
        (12, '0"%"', "12%"),
        (12.5, '0.0"%"', "12.5%"),
        (0.12, "0%", "12%"),
        (True, "General", "TRUE"),
        (False, "General", "FALSE"),
        (410400199001, "General", "410400199001"),
        (1234567.5, "#,##0.00", "1,234,567.50"),
        (0.1, "General", "0.1"),
    ],
)
def test_of_a_number_in_prose_its_cell_is_read_as_people_see_it(
    filled: FilledBook, value: object, number_format: str, text: str
) -> None:
    filled.put(value, number_format=number_format)
    assert filled.read() == text


def test_seventy_in_a_percent_cell_of_prose_is_asked_about(filled: FilledBook) -> None:
    filled.put(70, number_format="0%")
    value, words = filled.fault()
    assert (value, "70%" in words, "7000" in words) == ("70", True, False)


def test_of_a_number_that_excel_has_cut_the_digits_are_asked_for(filled: FilledBook) -> None:
    filled.put(410400199001011234)
    value, words = filled.fault()
    assert value.startswith("4104001990010112") or value.startswith("410400199001011")
    assert "Excel keeps only 15 digits" in words


def test_eighteen_digits_that_are_text_are_read_whole(filled: FilledBook) -> None:
    filled.put("410400199001011234")
    assert filled.read() == "410400199001011234"


@pytest.mark.parametrize("text", ["①② ５０％ Ａ１－０１", "a\u200bb", "（一）"])
def test_prose_keeps_its_full_width_and_unseen_signs(filled: FilledBook, text: str) -> None:
    filled.put(text)
    assert filled.read() == text


@pytest.mark.parametrize("text", ["_x0000_", "_xD83D_", "_xFFFF_", "_x0008_"])
def test_signs_that_no_text_holds_are_left_out_and_named(filled: FilledBook, text: str) -> None:
    filled.put(f"be{text}fore")
    assert filled.read() == "before"
    assert "Characters that cannot be stored were removed." in [
        words for *_place, words in filled.notes()
    ]


def test_two_escapes_that_are_one_sign_are_that_sign(filled: FilledBook) -> None:
    filled.put("_xD83D__xDE00_")
    assert filled.read() == "😀"


def test_a_formula_is_read_by_its_result(filled: FilledBook) -> None:
    filled.put_raw("<f>1+1</f><v>2</v>")
    assert filled.read() == "2"


def test_a_formula_is_read_by_the_text_that_it_results_in(filled: FilledBook) -> None:
    filled.put_raw("<f>A1&B1</f><v>two words</v>", 't="str"')
    assert filled.read() == "two words"


@pytest.mark.parametrize("inner", ["<f>1+1</f>", "<f>1+1</f><v></v>", "<f>1+1</f><v/>"])
def test_a_formula_without_a_result_is_a_fault(filled: FilledBook, inner: str) -> None:
    filled.put_raw(inner)
    assert "a formula without a result: open the file in Excel or WPS" in filled.fault()[1]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!"])
def test_an_error_of_excel_is_named(filled: FilledBook, error: str) -> None:
    filled.put_raw(f"<v>{error}</v>", 't="e"')
    assert f"{filled.header}: Excel error: {error}" in filled.fault()[1]


def test_comments_are_counted_and_said_not_to_be_read(filled: FilledBook) -> None:
    filled.cell().comment = Comment("look here", "Li")
    filled.cell(row=2).comment = Comment("and here", "Li")
    assert (filled.name, "", 2, "Comments on cells are not read.") in filled.notes()


def test_what_lies_over_the_cells_is_said_not_to_be_read(filled: FilledBook) -> None:
    filled.sheet.add_chart(BarChart(), "D9")
    assert (
        filled.name,
        "",
        0,
        "Pictures and drawings placed over cells are not read.",
    ) in filled.notes()


def test_a_hidden_column_is_read_and_said_to_be_hidden(filled: FilledBook) -> None:
    letter = filled.put("unseen").column_letter
    filled.sheet.column_dimensions[letter].hidden = True
    assert filled.read() == "unseen"
    places = [
        place for _sheet, place, _count, words in filled.notes() if "The column is hidden" in words
    ]
    assert places == [f"{letter} ({filled.header})"]


def test_a_hidden_row_is_read_and_said_to_be_hidden(filled: FilledBook) -> None:
    filled.put("unseen")
    filled.sheet.row_dimensions[filled.top + 1].hidden = True
    assert filled.read() == "unseen"
    words = "These rows are hidden, but they are read like all others."
    assert (filled.name, f"rows {filled.top + 1}", 1, words) in filled.notes()


def test_a_hidden_sheet_is_read_and_said_to_be_hidden(filled: FilledBook) -> None:
    filled.put("unseen")
    filled.book.create_sheet("front", 0)
    filled.book.active = 0
    filled.sheet.sheet_state = "hidden"
    assert filled.read() == "unseen"
    assert (
        filled.name,
        "",
        0,
        "The sheet is hidden, but it is read like any other.",
    ) in filled.notes()


def test_another_sheet_is_named_with_the_number_of_its_cells(filled: FilledBook) -> None:
    other = filled.book.create_sheet("my notes")
    other["A1"], other["B7"] = "one", 2
    words = "The sheet is not read: it has none of the expected headers."
    assert ("my notes", "", 2, words) in filled.notes()


def test_an_empty_sheet_is_not_named(filled: FilledBook) -> None:
    filled.book.create_sheet("Sheet9")
    assert filled.notes() == []


def test_a_column_without_a_header_is_named_with_the_number_of_its_cells(
    filled: FilledBook,
) -> None:
    place = filled.sheet.max_column + 1
    filled.sheet.cell(filled.top + 1, place).value = "aside"
    filled.sheet.cell(filled.top + 2, place).value = "aside"
    ((_sheet, _place, count, words),) = filled.notes()
    assert (count, "its content is not read" in words) == (2, True)


def test_a_renamed_header_is_named_with_the_one_that_is_meant(filled: FilledBook) -> None:
    header = {"progress": "problems", "remark": "remark"}[filled.header]
    filled.put("words", header)
    filled.sheet.cell(filled.top, filled.column(header)).value = f"{header} (new)"
    ((sheet, place, count, words),) = filled.notes()
    assert (sheet, f"{header} (new)" in place, count) == (filled.name, True, 1)
    assert f"Did you mean “{header}”? If so, rename the column." in words


def test_text_above_the_header_is_counted(filled: FilledBook) -> None:
    filled.sheet.insert_rows(1)
    filled.sheet.cell(1, 6).value = "to the office"
    assert (filled.name, "", 1, "Content above the header is not read.") in filled.notes()


def test_a_merged_cell_counts_for_each_of_its_tasks_and_the_preview_says_so(
    filled: FilledBook,
) -> None:
    first, second = filled.put("together"), filled.put(None, row=2)
    filled.merge(f"{first.coordinate}:{second.coordinate}")
    preview = filled.preview()
    assert [new_value(preview, code, filled.header) for code in ("A1-01", "A1-02")] == [
        "together"
    ] * 2
    place = f"{filled.header} {first.coordinate}:{second.coordinate}"
    assert (filled.name, place, 1, "The merged cell counts for each of its rows.") in filled.notes()


def test_what_a_merged_cell_covers_is_not_read_and_named(filled: FilledBook) -> None:
    first, second = filled.put("seen"), filled.put("covered", row=2)
    filled.merge(f"{first.coordinate}:{second.coordinate}")
    assert new_value(filled.preview(), "A1-02", filled.header) == "seen"
    words = "The merged cell covers other cells; their content is not read."
    assert words in [words for *_place, words in filled.notes()]


def test_a_merged_cell_of_two_columns_counts_for_the_first_one(filled: FilledBook) -> None:
    cell = filled.put("wide")
    last = filled.sheet.cell(cell.row, cell.column - 1)
    last.value = "left"
    filled.merge(f"{last.coordinate}:{cell.coordinate}")
    assert new_value(filled.preview(), "A1-01", filled.header) == ""


def test_a_merged_code_is_no_code_of_the_rows_below(filled: FilledBook) -> None:
    code = filled.cell(filled.code_header)
    filled.merge(f"{code.coordinate}:{filled.cell(filled.code_header, 2).coordinate}")
    preview = filled.preview()
    assert (
        "A1-02" not in [entry.code for entry in preview.entries if entry.state == "changed"]
        or preview.notes
    )


@pytest.mark.parametrize("code", ["Ａ１－０１", "A1\u200b-01", "\ufeffA1-01", "A1–01", " A1-01 "])
def test_a_code_is_known_in_full_width_and_with_unseen_signs(filled: FilledBook, code: str) -> None:
    filled.put(code, filled.code_header)
    filled.put("of this task")
    assert filled.read() == "of this task"


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        ("0.4\u200b", "General", ""),
        ("５０％", "General", "50%"),
        ("\u200b50%\ufeff", "General", "50%"),
        ("5\u00ad0%", "General", "50%"),
        (50, '0"%"', "50%"),
        (50, '0.00"%"', "50%"),
        (50, "General", "50%"),
        (0.5, "0%", "50%"),
        (1, "0%", "100%"),
    ],
)
def test_a_percent_is_read_as_people_write_and_see_it(
    progress_book: FilledBook, value: object, number_format: str, shown: str
) -> None:
    progress_book.put(value, "percent done", number_format=number_format)
    preview = progress_book.preview()
    assert new_value(preview, "A1-01", "percent done") == shown
    assert bool(preview.faults) == (not shown)


@pytest.mark.parametrize(
    ("value", "number_format", "said"),
    [
        (70, "0%", "70%, if that is what you mean"),
        (1, "General", "1% or 100%?"),
        (0.5, "General", "0.5% or 50%?"),
        (0.5, '0.0"%"', "a whole percent"),
        (True, "General", "a whole percent"),
    ],
)
def test_a_percent_with_two_meanings_is_asked_about(
    progress_book: FilledBook, value: object, number_format: str, said: str
) -> None:
    progress_book.put(value, "percent done", number_format=number_format)
    shown, words = progress_book.fault()
    assert (said in words, "7000" in shown + words) == (True, False)


def test_text_over_a_grey_cell_is_named_with_its_row(progress_book: FilledBook) -> None:
    progress_book.put("another title", "key task", row=2)
    words = "These grey cells differ from what the system shows; their content is not read."
    assert ("Fill in", f"key task rows {progress_book.top + 2}", 1, words) in progress_book.notes()


def test_text_over_a_grey_cell_of_a_step_is_named(progress_book: FilledBook) -> None:
    progress_book.book["Steps"].cell(
        row_of(progress_book.book, "B1-01", "Steps", 2), 4
    ).value = "another step"
    assert ("Steps", 1) in [
        (sheet, count) for sheet, _place, count, words in progress_book.notes() if "grey" in words
    ]


def test_a_sheet_of_steps_that_lacks_a_header_is_refused_by_name(progress_book: FilledBook) -> None:
    sheet = progress_book.book["Steps"]
    next(
        cell for row in sheet.iter_rows() for cell in row if cell.value == "done"
    ).value = "finished"
    with pytest.raises(
        workbook_import.WorkbookRefused,
        match=r"Sheet “Steps”, row \d+: these headers are missing: done",
    ):
        progress_book.preview()


def test_a_file_without_the_sheet_of_tasks_says_that_none_is_read(
    checklist_book: FilledBook,
) -> None:
    checklist_book.book.remove(checklist_book.sheet)
    checklist_book.name = "Policy"
    assert (
        "Tasks",
        "",
        0,
        "The file has no such sheet, so nothing was read for it.",
    ) in checklist_book.notes()


def test_all_units_of_a_cell_that_are_not_known_are_named(
    checklist_book: FilledBook, county: Organization
) -> None:
    checklist_book.put(
        "Bureau of Scince、East、Ministry of Nothing；Office of Tea", "co-operating units"
    )
    _value, words = checklist_book.fault()
    for name in ("Bureau of Scince", "Ministry of Nothing", "Office of Tea"):
        assert f"“{name}” does not match exactly one unit" in words
    assert "“East”" not in words


def test_a_name_with_brackets_is_one_name(checklist_book: FilledBook, county: Organization) -> None:
    Organization.objects.filter(pk=county.pk).update(aliases="东城区（县、乡）政府")
    checklist_book.put("东城区（县、乡）政府", "co-operating units")
    assert checklist_book.read("co-operating units") == "East"


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        ("2026年6月", "General", "2026年6月"),
        ("6.30", "General", "6.30"),
        ("2026", "General", "2026"),
        (6.3, "General", "6.3"),
        (2026, "General", "2026"),
        (46203, "General", "46203"),
        (46174, 'yyyy"年"m"月"', "2026年6月"),
        (46174, "yyyy-mm", "2026-06"),
        (6.3, "yyyy-mm-dd", "1900-01-06"),
        (2026, "yyyy-mm-dd", "1905-07-18"),
        (True, "General", "TRUE"),
    ],
)
def test_a_date_that_has_to_be_guessed_is_asked_about(
    checklist_book: FilledBook, value: object, number_format: str, shown: str
) -> None:
    checklist_book.put(value, "current deadline", number_format=number_format)
    found, words = checklist_book.fault()
    assert (found, "current deadline" in words, "a date from 2000-01-01 on" in words) == (
        shown,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("value", "number_format", "day"),
    [
        (46203, "yyyy-mm-dd", "2026-06-30"),
        (46203, 'm"月"d"日"', "2026-06-30"),
        (20260630, "General", "2026-06-30"),
        ("２０２６年６月３０日", "General", "2026-06-30"),
        ("2026-06-30\u200b", "General", "2026-06-30"),
        ("2026年6月底", "General", "2026-06-30"),
    ],
)
def test_a_date_with_one_meaning_is_read(
    checklist_book: FilledBook, value: object, number_format: str, day: str
) -> None:
    checklist_book.put(value, "current deadline", number_format=number_format)
    assert checklist_book.read("current deadline") == day


@pytest.mark.parametrize("form", ["progress_book", "checklist_book"])
def test_the_marked_file_says_of_the_reading_what_the_preview_says(
    request: pytest.FixtureRequest, form: str
) -> None:
    filled: FilledBook = request.getfixturevalue(form)
    filled.put(410400199001011234)
    filled.cell(row=2).comment = Comment("look here", "Li")
    other = filled.book.create_sheet("my notes")
    other["A1"] = "one"
    batch = sent(filled.book, filled.user)
    notes = workbook_import.preview_batch(batch, filled.user, TODAY).notes
    file = BytesIO()
    workbook_import.save_marked_workbook(batch, filled.user, TODAY, file)
    rows = list(
        load_workbook(file)["Notes on the reading"].iter_rows(
            min_row=2, min_col=2, values_only=True
        )
    )
    assert rows == [
        (note.sheet, note.place or None, note.count or None, note.words) for note in notes
    ]
    assert len(rows) == 2


def test_a_marked_file_without_reading_notes_has_no_sheet_for_them(
    progress_book: FilledBook,
) -> None:
    progress_book.put("half", "percent done")
    file = BytesIO()
    workbook_import.save_marked_workbook(
        sent(progress_book.book, progress_book.user), progress_book.user, TODAY, file
    )
    assert "Notes on the reading" not in load_workbook(file).sheetnames


def test_a_marked_file_with_reading_notes_that_comes_back_has_none_about_itself(
    progress_book: FilledBook,
) -> None:
    progress_book.put("half", "percent done")
    progress_book.put("another title", "key task", row=2)
    file = BytesIO()
    workbook_import.save_marked_workbook(
        sent(progress_book.book, progress_book.user), progress_book.user, TODAY, file
    )
    back = load_workbook(file)
    fill(back, "A1-01", percent_done=0.5)
    notes = workbook_import.preview_batch(
        sent(back, progress_book.user), progress_book.user, TODAY
    ).notes
    assert {note.sheet for note in notes} <= {"Fill in"}


@pytest.mark.parametrize("slug", ["Rise", "RISE"])
def test_a_short_address_that_differs_by_capitals_alone_is_a_fault_of_its_row(
    checklist_book: FilledBook, slug: str
) -> None:
    sheet = checklist_book.book["Policy"]
    place = next(cell.column for cell in sheet[1] if "address" in str(cell.value))
    sheet.cell(2, place).value = slug
    faults = [fault for fault in checklist_book.preview().faults if fault.sheet == "Policy"]
    assert [
        (fault.row, fault.value, "“rise” already exists" in fault.words) for fault in faults
    ] == [(2, slug, True)]


@pytest.mark.parametrize(
    ("sheet", "header", "code"),
    [("Tasks", "task code", "a1-01"), ("Measures", "measure code", "a1")],
)
def test_a_code_that_differs_by_capitals_alone_is_a_fault_of_its_row(
    checklist_book: FilledBook, sheet: str, header: str, code: str
) -> None:
    place = next(cell.column for cell in checklist_book.book[sheet][1] if cell.value == header)
    checklist_book.book[sheet].cell(2, place).value = code
    faults = [fault for fault in checklist_book.preview().faults if fault.sheet == sheet]
    assert (faults[0].row, faults[0].value) == (2, code)
    assert f"“{code.upper()}” already exists" in faults[0].words


def test_two_new_codes_that_differ_by_capitals_alone_are_a_fault(
    checklist_book: FilledBook,
) -> None:
    sheet = checklist_book.sheet
    for row, code in ((20, "A1-30"), (21, "a1-30")):
        for header, value in (("measure code", "A1"), ("task code", code), ("key task", "new")):
            sheet.cell(row, checklist_book.column(header)).value = value
    assert [(fault.row, fault.value) for fault in checklist_book.preview().faults] == [
        (21, "a1-30")
    ]
