"""A policy's checklist by workbook: exported, loaded anew, added to, taken back."""

from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from tests.conftest import TODAY
from tests.excel.conftest import as_file, sent
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, PolicyState
from tracker.domain.dates import now
from tracker.excel import checklist_template, workbook_import
from tracker.excel.reader import WorkbookRefused
from tracker.models import ImportBatch, Measure, Organization, PolicyDocument, Task, User
from tracker.workflow import checklist_writer

SHEETS = ("Policy", "Sections", "Measures", "Tasks", "Steps")


@pytest.fixture
def full(policy: PolicyDocument, bureau: Organization, county: Organization) -> PolicyDocument:
    """Give the policy tasks of every make."""
    first = make_task(
        policy, "A1-01", lead_unit=bureau, description="a\nb", remark="r", kind=Kind.QUALITATIVE
    )
    first.co_units.add(county)
    first.items.create(number=1, title="step", weight=3, due=TODAY)
    make_task(policy, "B1-01", deadline=TODAY, start=TODAY, lead_official="An official")
    make_task(policy, "B1-02", kind="", lead_unit=county, lead_is_proposed=True)
    workflow.refresh_tasks([policy.pk])
    return policy


def exported(policy: PolicyDocument | None) -> Workbook:
    file = BytesIO()
    checklist_template.save_checklist_template(policy, TODAY, file)
    return load_workbook(file)


def add(book: Workbook, name: str, **values: object) -> None:
    """Write a row below the last one, by the names of its headers with low dashes."""
    sheet = book[name]
    places = {cell.value: cell.column for cell in sheet[1]}
    row = 1 + max(
        cell.row
        for line in sheet.iter_rows(min_row=1)
        for cell in line[1:]
        if cell.value is not None
    )
    for header, value in values.items():
        sheet.cell(row, places[header.replace("_", " ")]).value = value


def change(book: Workbook, name: str, row: int, header: str, value: object) -> None:
    place = next(cell.column for cell in book[name][1] if cell.value == header)
    book[name].cell(row, place).value = value


def previewed(book: Workbook, user: User) -> workbook_import.Preview:
    return workbook_import.preview_batch(sent(book, user), user, TODAY)


def load(book: Workbook, user: User) -> ImportBatch:
    """Load a workbook as it is previewed."""
    batch = sent(book, user)
    seen = workbook_import.preview_batch(batch, user, TODAY)
    assert seen.faults == []
    assert workbook_import.confirm_batch(batch, user, seen.digest, now()) is None
    batch.refresh_from_db()
    return batch


def words(preview: workbook_import.Preview) -> str:
    return "\n".join(
        f"{fault.sheet} {fault.row} {fault.column} {fault.value} {fault.words}"
        for fault in preview.faults
    )


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values()) for model in (PolicyDocument, Measure, Task)
    ] + [list(Task.co_units.through.objects.values())]


def test_the_template_of_a_policy_is_its_export(full: PolicyDocument) -> None:
    assert exported(full).sheetnames == [*SHEETS, "Words"]


def test_an_empty_template_offers_kinds_and_units_and_says_what_a_cell_takes(
    bureau: Organization,
) -> None:
    book = exported(None)
    rules = [rule for sheet in book for rule in sheet.data_validations.dataValidation]
    words = {each.formula1 for each in rules if each.type == "list"}
    hidden = next(sheet for sheet in book if sheet.sheet_state == "hidden")
    assert {f'"{",".join(map(str, Kind.labels))}"', f"'{hidden.title}'!$A$1:$A$1"} < words
    assert [cell.value for cell in hidden["A"]] == ["Science"]
    assert {each.prompt for each in rules} >= {
        str(hint) for hint in checklist_template.COLUMN_HINTS.values()
    }
    assert not any(each.showErrorMessage for each in rules)  # other words are read too


def test_exported_and_loaded_nothing_changes(full: PolicyDocument, supervisor: User) -> None:
    before = everything()
    preview = previewed(exported(full), supervisor)
    assert (set(preview.counts), preview.changes) == ({"unchanged"}, [])
    load(exported(full), supervisor)
    assert everything() == before


def new_policy() -> Workbook:
    """Fill an empty template in."""
    book = exported(None)
    add(book, "Policy", short_address_of_the_policy="fresh", title_of_the_policy="A fresh policy")
    add(book, "Sections", **{"section_no.": 1}, name_of_the_section="First")
    add(
        book,
        "Measures",
        **{"section_no.": 1},
        measure_code="A1",
        order_in_the_section=1,
        name_of_the_measure="Do",
    )
    add(
        book, "Tasks", measure_code="A1", task_code="Ａ1-01", key_task="Begin", kind="定量", lead_unit="Sci",
        **{"co-operating_units": "East"}, start="2026.1.1", current_deadline="2026年6月底",
    )  # fmt: skip
    add(book, "Steps", task_code="A1-01", **{"step_no.": 1}, step="first step", weight=2)
    return book


def test_a_filled_in_template_becomes_a_new_policy(
    db: None, bureau: Organization, county: Organization, supervisor: User
) -> None:
    load(new_policy(), supervisor)
    policy = PolicyDocument.objects.get(slug="fresh")
    task = policy.tasks.get()
    assert (policy.state, policy.title, task.measure.section.name) == (
        PolicyState.DRAFT,
        "A fresh policy",
        "First",
    )
    assert (task.code, task.kind, task.lead_unit, str(task.deadline), str(task.start)) == (
        "A1-01", Kind.QUANTIFIED, bureau, "2026-06-30", "2026-01-01",
    )  # fmt: skip
    assert ([*task.co_units.all()], task.items.get().weight) == ([county], 2)


def test_loaded_twice_nothing_changes(
    db: None, bureau: Organization, county: Organization, supervisor: User
) -> None:
    load(new_policy(), supervisor)
    assert set(previewed(new_policy(), supervisor).counts) == {"unchanged"}


def test_a_new_policy_is_undone_whole(
    db: None, bureau: Organization, county: Organization, supervisor: User
) -> None:
    batch = load(new_policy(), supervisor)
    workbook_import.undo_batch(batch, supervisor, now())
    assert not PolicyDocument.objects.exists()
    assert not Task.objects.exists()


def test_rows_are_added_and_changed_and_taken_back(full: PolicyDocument, supervisor: User) -> None:
    before = [row | {"version": 0} for row in Task.objects.order_by("pk").values()]
    book = exported(full)
    add(book, "Tasks", measure_code="A1", task_code="A1-09", key_task="One more")
    change(book, "Tasks", 2, "remark", "another remark")
    change(book, "Tasks", 2, "what is to be done", "【清空】")
    batch = load(book, supervisor)
    task = Task.objects.get(code="A1-01")
    assert (Task.objects.count(), task.remark, task.description) == (4, "another remark", "")
    workbook_import.undo_batch(batch, supervisor, now())
    assert [row | {"version": 0} for row in Task.objects.order_by("pk").values()] == before


def test_a_blank_cell_erases_nothing(full: PolicyDocument, supervisor: User) -> None:
    book = exported(full)
    change(book, "Tasks", 2, "remark", None)
    assert set(previewed(book, supervisor).counts) == {"unchanged"}


@pytest.mark.parametrize("name", ["Bureau of Science", "Science", "Sci", "Tech"])
def test_a_unit_is_known_by_each_of_its_names(
    full: PolicyDocument, supervisor: User, name: str
) -> None:
    book = exported(full)
    change(book, "Tasks", 2, "lead unit", name)
    assert set(previewed(book, supervisor).counts) == {"unchanged"}


def test_an_unknown_unit_is_named_with_the_nearest_matches(
    full: PolicyDocument, supervisor: User
) -> None:
    book = exported(full)
    change(book, "Tasks", 2, "lead unit", "Bureau of Scince")
    found = words(previewed(book, supervisor))
    assert "Tasks 2 lead unit Bureau of Scince" in found
    assert "similar names: Bureau of Science" in found


@pytest.mark.parametrize(
    ("header", "value"), [("lead unit", "火星航天局"), ("measure code", "火星")]
)
def test_where_no_name_comes_near_none_is_spoken_of(
    full: PolicyDocument, supervisor: User, header: str, value: str
) -> None:
    book = exported(full)
    change(book, "Tasks", 2, header, value)
    found = words(previewed(book, supervisor))
    assert f"Tasks 2 {header} {value}" in found
    assert "similar" not in found


@pytest.mark.parametrize(
    ("sheet", "header", "value", "said"),
    [
        ("Tasks", "measure code", "Z9", "Not found"),
        ("Tasks", "current deadline", "2026年6月", "a date from"),
        ("Tasks", "kind", "sometimes", "one of: quantified"),
        ("Tasks", "key task", "x" * 201, "200"),
        ("Tasks", "task code", "1-1", "begins with a letter"),
        ("Tasks", "task code", None, "required to identify"),
        ("Steps", "weight", -1, "a whole number"),
        ("Steps", "task code", "A9-99", "Not found"),
        ("Measures", "section no.", 9, "Not found"),
    ],
)
def test_a_fault_names_place_value_and_what_is_allowed(
    full: PolicyDocument, supervisor: User, sheet: str, header: str, value: object, said: str
) -> None:
    book = exported(full)
    change(book, sheet, 2, header, value)
    found = words(previewed(book, supervisor))
    assert f"{sheet} 2 {header}" in found
    assert said in found


def test_a_task_that_somebody_changed_since_is_stale(
    full: PolicyDocument, supervisor: User
) -> None:
    book = exported(full)
    change(book, "Tasks", 2, "remark", "mine")
    Task.objects.filter(code="A1-01").update(version=7, remark="theirs")
    preview = previewed(book, supervisor)
    assert (preview.counts["stale"], preview.changes) == (1, [])


def test_a_stale_row_shows_what_stood_there_when_the_file_was_made(
    full: PolicyDocument, bureau: Organization, county: Organization, supervisor: User
) -> None:
    book, task = exported(full), Task.objects.get(code="A1-01")
    task.lead_unit, task.remark = None, "theirs"
    task.save_without_historical_record()
    act = workflow.ChangeContext(supervisor, ChangeSource.PAGE)
    workflow.save_task(task, act, co_units=[], today=TODAY)
    change(book, "Tasks", 2, "remark", "mine")
    (stale,) = [entry for entry in previewed(book, supervisor).entries if entry.state == "stale"]
    fields = {field.header: (field.then, field.now, field.new) for field in stale.fields}
    assert fields["remark"] == ("r", "theirs", "mine")
    assert fields["lead unit"] == ("Science", "—", "Science")
    assert fields["co-operating units"] == ("East", "—", "East")


def marked(batch: ImportBatch, user: User) -> Workbook:
    file = BytesIO()
    workbook_import.save_marked_workbook(batch, user, TODAY, file)
    return load_workbook(file)


def test_the_template_comes_back_with_its_faults_marked_in_their_cells(
    full: PolicyDocument, supervisor: User
) -> None:
    book = exported(full)
    change(book, "Tasks", 2, "current deadline", "2026年6月")
    back = marked(sent(book, supervisor), supervisor)
    places = {cell.value: cell.column for cell in back["Tasks"][1]}
    cell = back["Tasks"].cell(2, places["current deadline"])
    assert (cell.value, cell.fill.fgColor.rgb[2:]) == ("2026年6月", "FFC7CE")
    assert back["Tasks"].cell(3, places["current deadline"]).fill.fgColor.rgb[2:] != "FFC7CE"
    assert "a date from" in back["Tasks"].cell(2, places["what is wrong"]).value
    assert "2026年6月" in [cell.value for cell in back["Faults"][2]]


def test_a_marked_template_tells_how_far_it_is_from_the_first_row_to_the_last(
    full: PolicyDocument, supervisor: User
) -> None:
    book = exported(full)
    change(book, "Tasks", 2, "current deadline", "2026年6月")
    batch, told = sent(book, supervisor), list[int]()
    workbook_import.save_marked_workbook(batch, supervisor, TODAY, BytesIO(), told.append)
    assert told == sorted(told)
    assert set(told) == set(range(len(batch.rows) + 1))


def test_a_marked_template_that_is_mended_is_loaded(full: PolicyDocument, supervisor: User) -> None:
    book = exported(full)
    change(book, "Tasks", 2, "current deadline", "2026年6月")
    back = marked(sent(book, supervisor), supervisor)
    change(back, "Tasks", 2, "current deadline", "2026年6月底")
    preview = previewed(back, supervisor)
    assert (preview.faults, preview.counts["changed"], preview.counts["stale"]) == ([], 1, 0)
    load(back, supervisor)
    assert str(Task.objects.get(code="A1-01").deadline) == "2026-06-30"


def test_a_code_that_stands_twice_is_a_fault(full: PolicyDocument, supervisor: User) -> None:
    book = exported(full)
    add(book, "Tasks", measure_code="A1", task_code="A1-01", key_task="again")
    assert "more than once" in words(previewed(book, supervisor))


def test_checklists_are_loaded_by_the_office_alone(full: PolicyDocument, liaison: User) -> None:
    with pytest.raises(WorkbookRefused, match="Only the office"):
        workbook_import.read_workbook(as_file(exported(full)), "x", liaison)


def test_a_preview_takes_as_many_queries_for_many_rows_as_for_few(
    full: PolicyDocument, supervisor: User
) -> None:
    counts = []
    for numbers in (range(10, 12), range(20, 60)):
        for number in numbers:
            make_task(full, f"A1-{number}")
        batch = sent(exported(full), supervisor)
        with CaptureQueriesContext(connection) as queries:
            workbook_import.preview_batch(batch, supervisor, TODAY)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def many_rows(book: Workbook, count: int) -> Workbook:
    for number in range(count):
        code = f"A1-{number + 10}"
        helping = {"co-operating_units": "East"}
        add(book, "Tasks", measure_code="A1", task_code=code, key_task=f"Task {code}", **helping)
        add(book, "Steps", task_code=code, **{"step_no.": 1}, step="first")
    return book


def test_loading_takes_as_many_queries_for_many_rows_as_for_few(
    full: PolicyDocument, supervisor: User
) -> None:
    counts = []
    for count in (2, 12):
        batch = sent(many_rows(exported(full), count), supervisor)
        seen = workbook_import.preview_batch(batch, supervisor, TODAY)
        assert seen.faults == []
        with CaptureQueriesContext(connection) as queries:
            assert workbook_import.confirm_batch(batch, supervisor, seen.digest, now()) is None
        counts.append(len(queries))
        workbook_import.undo_batch(ImportBatch.objects.get(pk=batch.pk), supervisor, now())
    assert counts[0] == counts[1]


def test_each_row_that_is_loaded_has_a_version_and_a_history_row_of_its_own(
    full: PolicyDocument, supervisor: User
) -> None:
    load(many_rows(exported(full), 1), supervisor)
    task = full.tasks.get(code="A1-10")
    # The task, then its step, as two saves of the page would.
    assert (task.version, task.history.count(), task.items.get().history.count()) == (2, 2, 1)
    rows = task.history.order_by("history_id")
    assert [row.history_type for row in rows] == ["+", "~"]
    assert [row.labels["co_units"] for row in rows] == [["East"], ["East"]]
    assert {(row.way, row.history_user) for row in rows} == {(ChangeSource.IMPORT, supervisor)}


def test_a_task_that_was_loaded_is_derived_like_one_that_was_typed(
    full: PolicyDocument, supervisor: User
) -> None:
    load(many_rows(exported(full), 3), supervisor)
    assert workflow.rules_version.preview_refresh().corrected == 0


def test_what_the_database_refuses_names_the_row(
    full: PolicyDocument, supervisor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = sent(many_rows(exported(full), 2), supervisor)
    rows = workbook_import.preview_batch(batch, supervisor, TODAY).changes
    monkeypatch.setattr(checklist_writer, "validate_change", lambda *facts: None)
    rows[-3].thing.status = "closed"
    with pytest.raises(ValidationError, match=f"{rows[-3].thing.code} .*day of its closing"):
        workflow.apply_checklist(
            batch, rows, workflow.ChangeContext(supervisor, ChangeSource.IMPORT), now()
        )
    assert not full.tasks.filter(code__startswith="A1-1").exists()
