"""Reading a fill-in workbook back: what changes, what does not, what is stale, what is at fault."""

import datetime as dt
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from tests.conftest import TODAY
from tests.excel.conftest import fill, fresh, headers, landed, row_of, sent
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import BatchState, ChangeSource, Kind, ReportState, Status
from tracker.domain.dates import Period, now
from tracker.excel import progress_import, progress_template, workbook_import
from tracker.excel.reader import WorkbookRefused
from tracker.models import ImportBatch, Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.workflow import ChangeContext

MAY, JUNE = Period("monthly", dt.date(2026, 5, 1)), Period("monthly", dt.date(2026, 6, 1))


def states(preview: progress_import.Preview) -> dict[str, str]:
    return {
        f"{entry.sheet} {entry.code}": entry.state
        for entry in preview.entries
        if entry.state != "unchanged"
    }


def words(preview: progress_import.Preview) -> str:
    return "\n".join(
        f"{fault.sheet} {fault.row} {fault.column} {fault.value} {fault.words}"
        for fault in preview.faults
    )


def reports() -> list[ProgressUpdate]:
    return list(ProgressUpdate.objects.order_by("task__code", "pk"))


def test_an_untouched_workbook_changes_nothing(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    batch = sent(fresh(bureau), liaison)
    preview = progress_import.preview_progress(batch, liaison, TODAY)
    assert (len(preview.entries), preview.counts["unchanged"], preview.changes) == (5, 5, [])


def test_what_was_filled_in_lands_as_submitted_reports(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(
        book, "A1-01", percent_done=0.4, progress="done so much", problems="none", next_steps="more"
    )
    batch = sent(book, liaison)
    assert reports() == []
    landed(batch, liaison)
    (report,) = reports()
    assert (report.state, report.percent, report.progress, report.problems, report.next_steps) == (
        ReportState.SUBMITTED, 40, "done so much", "none", "more",
    )  # fmt: skip
    assert (report.unit, report.submitted_by, report.history.first().way) == (
        bureau,
        liaison,
        ChangeSource.IMPORT,
    )
    batch.refresh_from_db()
    assert batch.state == BatchState.LANDED


def test_the_second_import_of_the_same_file_changes_nothing(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.4, progress="x")
    fill(book, "B1-01", progress="y")
    fill(book, "B1-01", step=2, done="✓")
    landed(sent(book, liaison), liaison)
    before = list(ProgressUpdate.objects.values()), list(Task.objects.values())
    again = landed(sent(book, liaison), liaison)
    assert (again.changes, set(again.counts)) == ([], {"unchanged"})
    assert (list(ProgressUpdate.objects.values()), list(Task.objects.values())) == before


def test_a_step_is_ticked_and_the_percent_follows(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "B1-01", step=2, done="✓")
    landed(sent(book, liaison), liaison)
    task = Task.objects.get(code="B1-01")
    assert [bool(item.done_on) for item in task.items.all()] == [False, True]
    assert task.percent == 50


def accepted(task: Task, supervisor: User, **facts: Any) -> ProgressUpdate:
    """Let a task have an accepted report of May."""
    report = workflow.open_report(task, task.lead_unit, MAY)
    for name, value in facts.items():
        setattr(report, name, value)
    act = ChangeContext(None, ChangeSource.COMMAND)
    workflow.save_draft(report, act, today=TODAY)
    workflow.submit(report, act, TODAY)
    report.refresh_from_db()
    workflow.accept(report, ChangeContext(supervisor, ChangeSource.PAGE), report.version, TODAY)
    task.refresh_from_db()
    report.refresh_from_db()
    return report


def test_a_blank_cell_erases_nothing(
    handed_over: list[Task], bureau: Organization, liaison: User, supervisor: User
) -> None:
    accepted(
        handed_over[0],
        supervisor,
        percent=30,
        progress="old",
        problems="trouble",
        next_steps="go on",
    )
    book = fresh(bureau)
    fill(book, "A1-01", progress="new")
    landed(sent(book, liaison), liaison)
    report = ProgressUpdate.objects.get(state=ReportState.SUBMITTED)
    assert (report.progress, report.problems, report.next_steps, report.percent) == (
        "new",
        "trouble",
        "go on",
        30,
    )


def test_the_word_that_erases_erases(
    handed_over: list[Task], bureau: Organization, liaison: User, supervisor: User
) -> None:
    accepted(handed_over[0], supervisor, percent=30, progress="old", problems="trouble")
    book = fresh(bureau)
    fill(book, "A1-01", problems="【清空】", progress="new")
    landed(sent(book, liaison), liaison)
    assert ProgressUpdate.objects.get(state=ReportState.SUBMITTED).problems == ""


def test_the_last_text_stands_beside_the_empty_cell(
    handed_over: list[Task], bureau: Organization, supervisor: User
) -> None:
    accepted(handed_over[0], supervisor, percent=30, progress="old words")
    book = fresh(bureau)
    row, places = row_of(book, "A1-01"), headers(book)
    cells = {name: book["Fill in"].cell(row, place).value for name, place in places.items()}
    assert (cells["progress (so far)"], cells["progress"], cells["percent done (so far)"]) == (
        "old words",
        None,
        0.3,
    )


def test_what_marks_a_header_stands_on_a_line_of_its_own(
    handed_over: list[Task], bureau: Organization
) -> None:
    book = fresh(bureau)
    texts = [cell.value for cell in book["Fill in"][row_of(book, "A1-01") - 1]]
    assert "problems\n(so far)" in texts


def test_a_row_that_somebody_changed_since_is_stale_three_ways_and_not_written(
    handed_over: list[Task], bureau: Organization, liaison: User, supervisor: User
) -> None:
    accepted(handed_over[0], supervisor, percent=30, progress="then")
    book = fresh(bureau)
    fill(book, "A1-01", progress="theirs", percent_done=0.5)
    fill(book, "A1-02", progress="fine", percent_done=0.5)
    later = workflow.open_report(Task.objects.get(code="A1-01"), bureau, JUNE)
    later.progress, later.percent = "now", 35
    workflow.save_draft(later, ChangeContext(liaison, ChangeSource.PAGE), today=TODAY)
    workflow.submit(later, ChangeContext(liaison, ChangeSource.PAGE), TODAY)
    batch = sent(book, liaison)
    preview = landed(batch, liaison)
    assert states(preview) == {"Fill in A1-01": "stale", "Fill in A1-02": "changed"}
    stale = next(entry for entry in preview.entries if entry.state == "stale")
    assert [(each.then, each.now, each.new) for each in stale.fields] == [
        ("30%", "35%", "50%"), ("then", "now", "theirs"),
    ]  # fmt: skip
    assert ProgressUpdate.objects.get(pk=later.pk).progress == "now"


def test_faults_name_the_place_the_value_and_what_is_allowed(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done="about half", progress="x")
    preview = progress_import.preview_progress(sent(book, liaison), liaison, TODAY)
    row = row_of(book, "A1-01")
    assert f"Fill in {row} percent done about half" in words(preview)
    assert "a whole percentage from 0% to 100%" in words(preview)


def test_a_file_with_a_fault_lands_nothing(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.4, progress="good")
    fill(book, "A1-02", percent_done=7, progress="bad")
    batch = sent(book, liaison)
    seen = progress_import.preview_progress(batch, liaison, TODAY)
    assert workbook_import.confirm_batch(batch, liaison, seen.digest, now()) is not None
    assert reports() == []


def test_all_faults_are_named_at_once(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done="x", progress="x")
    fill(book, "A1-02", percent_done=0.5)
    fill(book, "B1-01", step=1, done="maybe")
    found = words(progress_import.preview_progress(sent(book, liaison), liaison, TODAY))
    for part in ("percent done", "Describe what has been done", "maybe"):
        assert part in found


def test_the_same_file_comes_back_with_its_faults_marked(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done="about half", progress="kept words")
    file = BytesIO()
    progress_template.save_progress_template(
        progress_import.marked_progress(sent(book, liaison), liaison, TODAY), file
    )
    back = load_workbook(file)
    row, places = row_of(back, "A1-01"), headers(back)
    cell = back["Fill in"].cell(row, places["percent done"])
    assert (cell.value, cell.fill.fgColor.rgb[2:]) == ("about half", "FFC7CE")
    assert back["Fill in"].cell(row, places["progress"]).value == "kept words"
    assert "about half" in str(back["Fill in"].cell(row, places["what is wrong"]).value)
    assert [cell.value for cell in back["Faults"][2]][1:4] == [
        "Fill in",
        row_of(book, "A1-01"),
        "percent done",
    ]


def test_a_marked_workbook_tells_how_far_it_is_from_the_first_row_to_the_last(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done="about half", progress="kept words")
    batch, told = sent(book, liaison), list[int]()
    workbook_import.save_marked_workbook(batch, liaison, TODAY, BytesIO(), told.append)
    assert told == sorted(told)
    assert set(told) == set(range(len(batch.rows) + 1))


def test_a_marked_workbook_that_is_mended_lands(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done="about half", progress="words")
    file = BytesIO()
    progress_template.save_progress_template(
        progress_import.marked_progress(sent(book, liaison), liaison, TODAY), file
    )
    back = load_workbook(file)
    fill(back, "A1-01", percent_done=0.5)
    landed(sent(back, liaison), liaison)
    assert [(report.percent, report.progress) for report in reports()] == [(50, "words")]


def test_sorted_rows_land_with_their_own_tasks(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    fill(book, "A1-02", percent_done=0.2, progress="two")
    sheet, first, second = book["Fill in"], row_of(book, "A1-01"), row_of(book, "A1-02")
    for column in range(1, sheet.max_column + 1):
        a, b = sheet.cell(first, column), sheet.cell(second, column)
        a.value, b.value = b.value, a.value
    landed(sent(book, liaison), liaison)
    assert [(report.task.code, report.progress) for report in reports()] == [
        ("A1-01", "one"),
        ("A1-02", "two"),
    ]


def test_a_part_of_the_columns_sorted_alone_is_a_fault(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    sheet, place = book["Fill in"], headers(book)["task code"]
    first, second = row_of(book, "A1-01"), row_of(book, "A1-02")
    sheet.cell(first, place).value, sheet.cell(second, place).value = "A1-02", "A1-01"
    found = words(progress_import.preview_progress(sent(book, liaison), liaison, TODAY))
    assert "belongs to the task A1-01" in found


def test_deleted_rows_change_nothing(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    book["Fill in"].delete_rows(row_of(book, "A1-01"))
    fill(book, "A1-02", percent_done=0.2, progress="two")
    assert states(landed(sent(book, liaison), liaison)) == {"Fill in A1-02": "changed"}


def test_columns_may_be_moved(handed_over: list[Task], bureau: Organization, liaison: User) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    sheet = book["Fill in"]
    for row in sheet.iter_rows(min_row=4):
        row[1].value, row[13].value = row[13].value, row[1].value
    landed(sent(book, liaison), liaison)
    assert [report.progress for report in reports()] == ["one"]


def test_a_code_that_stands_twice_is_a_fault_in_both_rows(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    sheet, row = book["Fill in"], row_of(book, "A1-01")
    sheet.append([cell.value for cell in sheet[row]])
    found = progress_import.preview_progress(sent(book, liaison), liaison, TODAY)
    assert [fault.row for fault in found.faults] == [row, sheet.max_row]


def test_a_row_without_its_mark_is_a_fault(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    book["Fill in"].append([None, "A1-07", *[None] * 11, "text"])
    assert "mark of the row is missing" in words(
        progress_import.preview_progress(sent(book, liaison), liaison, TODAY)
    )


def test_the_task_of_another_unit_is_not_known(
    handed_over: list[Task],
    policy: PolicyDocument,
    county: Organization,
    liaison: User,
    bureau: Organization,
) -> None:
    theirs = make_task(
        policy,
        "A1-09",
        title="CANARY",
        kind=Kind.QUALITATIVE,
        lead_unit=county,
        assigned_on=TODAY,
        owed_from=TODAY,
    )
    book = fresh(county)
    fill(book, theirs.code, progress="not mine")
    preview = progress_import.preview_progress(sent(book, liaison), liaison, TODAY)
    assert "Your unit has no such task" in words(preview)
    assert "CANARY" not in repr(preview)


def test_where_no_code_comes_near_none_is_spoken_of(
    policy: PolicyDocument, county: Organization, liaison: User
) -> None:
    make_task(
        policy, "A1-09", kind=Kind.QUALITATIVE, lead_unit=county, assigned_on=TODAY, owed_from=TODAY
    )
    book = fresh(county)
    fill(book, "A1-09", progress="not mine")
    found = words(progress_import.preview_progress(sent(book, liaison), liaison, TODAY))
    assert "Your unit has no such task to report." in found
    assert "similar" not in found


def test_the_office_sends_in_the_workbook_of_any_unit(
    handed_over: list[Task], bureau: Organization, supervisor: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    landed(sent(book, supervisor), supervisor)
    assert [(report.unit, report.submitted_by) for report in reports()] == [(bureau, supervisor)]


def test_what_changed_since_the_preview_is_shown_anew(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    batch = sent(book, liaison)
    seen = progress_import.preview_progress(batch, liaison, TODAY)
    task = Task.objects.get(code="A1-01")
    task.remark = "changed"
    workflow.save_task(task, ChangeContext(None, ChangeSource.COMMAND), today=TODAY)
    anew = workbook_import.confirm_batch(batch, liaison, seen.digest, now())
    assert anew is not None
    assert states(anew) == {"Fill in A1-01": "stale"}
    assert reports() == []


def test_a_batch_is_confirmed_once(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    batch = sent(book, liaison)
    landed(batch, liaison)
    with pytest.raises(ValidationError):
        workflow.apply_progress(batch, [], ChangeContext(liaison, ChangeSource.IMPORT), now())


def test_a_batch_that_cannot_land_whole_lands_not_at_all(
    handed_over: list[Task], bureau: Organization, liaison: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = fresh(bureau)
    for code in ("A1-01", "A1-02"):
        fill(book, code, percent_done=0.1, progress="one")
    batch = sent(book, liaison)
    preview = progress_import.preview_progress(batch, liaison, TODAY)
    preview.changes[1].fields["percent"] = None
    with pytest.raises(ValidationError, match="A1-02"):
        workflow.apply_progress(
            batch, preview.changes, ChangeContext(liaison, ChangeSource.IMPORT), now()
        )
    batch.refresh_from_db()
    assert (reports(), batch.state) == ([], BatchState.READ)


def test_a_batch_is_undone_whole(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    fill(book, "B1-01", step=1, done="✓")
    before = list(Task.objects.values("code", "percent", "status", "reported_through"))
    batch = sent(book, liaison)
    landed(batch, liaison)
    workflow.revert_progress(batch, ChangeContext(liaison, ChangeSource.IMPORT), now())
    after = list(Task.objects.values("code", "percent", "status", "reported_through"))
    assert (reports(), after, batch.state) == ([], before, BatchState.UNDONE)


def test_undoing_brings_back_what_waited_before(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    first = workflow.open_report(handed_over[0], bureau, MAY)
    first.progress, first.percent = "first words", 20
    workflow.save_draft(first, ChangeContext(liaison, ChangeSource.PAGE), today=TODAY)
    workflow.submit(first, ChangeContext(liaison, ChangeSource.PAGE), TODAY)
    book = fresh(bureau)
    sheet = book["Fill in"]
    sheet.cell(
        row_of(book, "A1-01"), 1
    ).value = f"rise/A1-01/{Task.objects.get(code='A1-01').version}/2026-05-01"
    fill(book, "A1-01", progress="second words")
    batch = sent(book, liaison)
    landed(batch, liaison)
    assert [report.progress for report in reports()] == ["second words"]
    workflow.revert_progress(batch, ChangeContext(liaison, ChangeSource.IMPORT), now())
    assert [(report.progress, report.state) for report in reports()] == [
        ("first words", ReportState.SUBMITTED)
    ]


def test_a_batch_with_an_accepted_report_cannot_be_undone(
    handed_over: list[Task], bureau: Organization, liaison: User, supervisor: User
) -> None:
    book = fresh(bureau)
    for code in ("A1-01", "A1-02"):
        fill(book, code, percent_done=0.1, progress="one")
    batch = sent(book, liaison)
    landed(batch, liaison)
    report = reports()[0]
    workflow.accept(report, ChangeContext(supervisor, ChangeSource.PAGE), report.version, TODAY)
    with pytest.raises(ValidationError, match="A1-01"):
        workflow.revert_progress(batch, ChangeContext(liaison, ChangeSource.IMPORT), now())
    assert [report.state for report in reports()] == [ReportState.ACCEPTED, ReportState.SUBMITTED]


def test_after_an_undo_the_file_can_be_sent_again(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    batch = sent(book, liaison)
    landed(batch, liaison)
    workflow.revert_progress(batch, ChangeContext(liaison, ChangeSource.IMPORT), now())
    assert states(
        progress_import.preview_progress(sent(fresh_with(bureau), liaison), liaison, TODAY)
    ) == {"Fill in A1-01": "changed"}


def fresh_with(unit: Organization) -> Any:
    book = fresh(unit)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    return book


def test_a_task_that_takes_no_reports_is_a_fault(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="one")
    Task.objects.filter(code="A1-01").update(status=Status.SUSPENDED)
    assert "No report can be submitted: suspended" in words(
        progress_import.preview_progress(sent(book, liaison), liaison, TODAY)
    )


def test_a_fall_of_the_percent_needs_its_reason(
    handed_over: list[Task], bureau: Organization, liaison: User, supervisor: User
) -> None:
    accepted(handed_over[0], supervisor, percent=30, progress="then")
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.2, progress="less")
    assert "explain why it falls" in words(
        progress_import.preview_progress(sent(book, liaison), liaison, TODAY)
    )
    fill(book, "A1-01", why_the_percent_falls="counted anew")
    landed(sent(book, liaison), liaison)
    assert ProgressUpdate.objects.get(state=ReportState.SUBMITTED).fall_reason == "counted anew"


def test_a_ledger_is_no_workbook_to_fill_in(
    handed_over: list[Task], policy: PolicyDocument, liaison: User
) -> None:
    from tests.excel.conftest import saved
    from tracker.excel import ledger

    scope = ledger.LedgerRequest(policy, Task.objects.all(), TODAY, [], "x", "", lambda task: "")
    with pytest.raises(WorkbookRefused, match="mark"):
        workbook_import.read_workbook(saved(scope), "x", liaison)


def test_a_preview_takes_as_many_queries_for_many_rows_as_for_few(
    handed_over: list[Task], policy: PolicyDocument, bureau: Organization, liaison: User
) -> None:
    counts = []
    for first, last in ((3, 4), (4, 40)):
        for number in range(first, last):
            make_task(
                policy,
                f"A1-{number:02}",
                kind=Kind.QUALITATIVE,
                lead_unit=bureau,
                assigned_on=TODAY,
                owed_from=TODAY,
            )
        batch = sent(fresh(bureau), liaison)
        with CaptureQueriesContext(connection) as queries:
            progress_import.preview_progress(batch, liaison, TODAY)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


def test_the_file_itself_is_not_kept(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    batch = sent(fresh(bureau), liaison)
    assert {field.name for field in ImportBatch._meta.fields} & {"file", "content"} == set()
    assert len(batch.rows) == 5
