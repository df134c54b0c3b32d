"""Units that co-operate fill in their contribution in their own file, and get a file even where
they lead nothing.
"""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from tests.conftest import TODAY
from tests.excel.conftest import as_file, fill, fresh, headers, landed, row_of, sent
from tracker import workflow
from tracker.domain import lights
from tracker.domain.choices import ChangeSource, ReportState
from tracker.domain.dates import Period, now
from tracker.excel import progress_import, progress_template, workbook_import
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.workflow import ChangeContext


@pytest.fixture
def helped(handed_over: list[Task], county: Organization) -> list[Task]:
    """Let the county co-operate in two tasks of the bureau; it leads none."""
    for task in handed_over[:2]:
        task.co_units.add(county)
    return handed_over


@pytest.fixture
def helper(county: Organization) -> User:
    return User.objects.create_user("helper", is_liaison=True, organization=county)


def contribution(county: Organization, user: User, **values: object) -> workbook_import.Preview:
    """Fill the county's file in for one task, and land it."""
    book = fresh(county)
    fill(book, "A1-01", **(values or {"progress": "we lent the trucks"}))
    return landed(sent(book, user), user)


def words(preview: workbook_import.Preview) -> str:
    return "\n".join(fault.words for fault in preview.faults)


def test_a_unit_that_only_co_operates_gets_a_file(
    helped: list[Task], policy: PolicyDocument
) -> None:
    assert [name for name, _content in progress_template.of_all_units(policy, TODAY)] == [
        "Science_fill_in_20260615.xlsx", "East_fill_in_20260615.xlsx",
    ]  # fmt: skip


def test_the_rows_say_which_role_the_unit_has(
    helped: list[Task], county: Organization, bureau: Organization
) -> None:
    helped[2].co_units.add(bureau)
    Task.objects.filter(pk=helped[2].pk).update(lead_unit=county)
    book = fresh(bureau)
    places = headers(book)
    roles = [
        book["Fill in"].cell(row_of(book, code), places["role of the unit"]).value
        for code in ("A1-01", "B1-01")
    ]
    assert roles == ["leads", "co-operates; lead unit: East"]


def test_an_untouched_file_changes_nothing(
    helped: list[Task], county: Organization, helper: User
) -> None:
    preview = progress_import.preview_progress(sent(fresh(county), helper), helper, TODAY)
    assert (len(preview.entries), preview.counts["unchanged"]) == (2, 2)


def test_what_a_co_operating_unit_fills_in_lands_as_its_contribution(
    helped: list[Task], county: Organization, helper: User
) -> None:
    contribution(
        county, helper, progress="we lent the trucks", problems="fuel", next_steps="more trucks"
    )
    report = ProgressUpdate.objects.get()
    assert (report.contribution, report.unit, report.state, report.percent) == (
        True, county, ReportState.SUBMITTED, None,
    )  # fmt: skip
    assert (report.progress, report.problems, report.next_steps) == (
        "we lent the trucks",
        "fuel",
        "more trucks",
    )
    assert report.history.first().way == ChangeSource.IMPORT


def test_the_office_sends_in_the_contribution_of_a_unit_that_never_logs_in(
    helped: list[Task], county: Organization, supervisor: User
) -> None:
    contribution(county, supervisor)
    report = ProgressUpdate.objects.get()
    assert (report.contribution, report.unit, report.submitted_by) == (True, county, supervisor)


def test_a_contribution_leaves_the_lead_units_file_good(
    helped: list[Task], bureau: Organization, county: Organization, liaison: User, helper: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.4, progress="done so much")
    contribution(county, helper)
    assert (
        progress_import.preview_progress(sent(book, liaison), liaison, TODAY).counts["changed"] == 1
    )


def test_the_lead_units_report_leaves_the_file_of_a_co_operating_unit_good(
    helped: list[Task], bureau: Organization, county: Organization, liaison: User, helper: User
) -> None:
    theirs, ours = fresh(county), fresh(bureau)
    fill(ours, "A1-01", percent_done=0.4, progress="done so much")
    landed(sent(ours, liaison), liaison)
    fill(theirs, "A1-01", progress="we lent the trucks")
    assert (
        progress_import.preview_progress(sent(theirs, helper), helper, TODAY).counts["changed"] == 1
    )


def test_a_contribution_that_was_changed_meanwhile_is_stale_three_ways(
    helped: list[Task], county: Organization, helper: User
) -> None:
    contribution(county, helper, progress="then")
    book = fresh(county)
    contribution(county, helper, progress="now")
    fill(book, "A1-01", progress="theirs")
    preview = progress_import.preview_progress(sent(book, helper), helper, TODAY)
    (stale,) = [entry for entry in preview.entries if entry.state == "stale"]
    assert [(each.then, each.now, each.new) for each in stale.fields] == [("then", "now", "theirs")]
    assert preview.changes == []


def test_sent_in_twice_it_changes_nothing(
    helped: list[Task], county: Organization, helper: User
) -> None:
    book = fresh(county)
    fill(book, "A1-01", progress="we lent the trucks")
    landed(sent(book, helper), helper)
    assert set(landed(sent(book, helper), helper).counts) == {"unchanged"}


def test_a_contribution_goes_on_from_the_units_last_words(
    helped: list[Task], county: Organization, helper: User
) -> None:
    period = lights.reportable(helped[0], helped[0].policy, TODAY)[0]
    earlier = Period(period.cycle, period.start.replace(month=period.start.month - 1))
    report = workflow.open_report(helped[0], county, earlier)
    report.progress, report.state, report.submitted_on = "earlier", ReportState.SUBMITTED, TODAY
    report.save()
    book = fresh(county)
    assert (
        book["Fill in"].cell(row_of(book, "A1-01"), headers(book)["progress (so far)"]).value
        == "earlier"
    )


def test_a_percent_in_a_contribution_is_a_fault(
    helped: list[Task], county: Organization, helper: User
) -> None:
    book = fresh(county)
    fill(book, "A1-01", progress="x", percent_done=0.5)
    assert "does not report a percentage" in words(
        progress_import.preview_progress(sent(book, helper), helper, TODAY)
    )


def test_a_unit_does_not_write_the_contribution_of_another(
    helped: list[Task], county: Organization, bureau: Organization, liaison: User
) -> None:
    book = fresh(county)
    fill(book, "A1-01", progress="in their name")
    assert "Your unit has no such task" in words(
        progress_import.preview_progress(sent(book, liaison), liaison, TODAY)
    )


def test_a_unit_that_no_longer_co_operates_contributes_no_more(
    helped: list[Task], county: Organization, supervisor: User
) -> None:
    book = fresh(county)
    fill(book, "A1-01", progress="too late")
    helped[0].co_units.clear()
    preview = progress_import.preview_progress(sent(book, supervisor), supervisor, TODAY)
    (moved,) = [entry for entry in preview.entries if entry.state == "moved"]
    assert "no longer" in moved.fields[0].now
    assert preview.changes == []


def test_a_contribution_is_undone(helped: list[Task], county: Organization, helper: User) -> None:
    book = fresh(county)
    fill(book, "A1-01", progress="we lent the trucks")
    batch = sent(book, helper)
    landed(batch, helper)
    batch.refresh_from_db()
    workbook_import.undo_batch(batch, helper, now())
    assert not ProgressUpdate.objects.exists()


def test_a_marked_file_keeps_the_rows_of_both_roles(
    helped: list[Task], county: Organization, bureau: Organization, helper: User
) -> None:
    Task.objects.filter(pk=helped[2].pk).update(lead_unit=county)
    book = fresh(county)
    fill(book, "A1-01", progress="x", percent_done="half")
    file = BytesIO()
    progress_template.save_progress_template(
        progress_import.marked_progress(sent(book, helper), helper, TODAY), file
    )
    back = load_workbook(file)
    cell = back["Fill in"].cell(row_of(back, "A1-01"), headers(back)["percent done"])
    assert (cell.value, cell.fill.fgColor.rgb[2:]) == ("half", "FFC7CE")
    fill(back, "A1-01", percent_done=None)
    landed(sent(back, helper), helper)
    assert ProgressUpdate.objects.get().contribution


def test_a_helper_takes_a_contribution_back(
    helped: list[Task], county: Organization, helper: User
) -> None:
    contribution(county, helper)
    workflow.withdraw(ProgressUpdate.objects.get(), ChangeContext(helper, ChangeSource.PAGE), TODAY)
    assert ProgressUpdate.objects.get().state == ReportState.DRAFT


@pytest.mark.parametrize(
    "spoilt", ["rise/A1-01/²/2026-05-01", "rise/A1-01/1/2026-05-01/x", "a/b/c", "rise/A1-01//"]
)
def test_a_spoilt_mark_is_a_fault(
    helped: list[Task], county: Organization, helper: User, spoilt: str
) -> None:
    book = fresh(county)
    fill(book, "A1-01", progress="x")
    book["Fill in"].cell(row_of(book, "A1-01"), 1).value = spoilt
    batch = workbook_import.read_workbook(as_file(book), "x", helper)
    assert "mark of the row" in words(progress_import.preview_progress(batch, helper, TODAY))
