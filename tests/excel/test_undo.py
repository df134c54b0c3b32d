"""An undo overwrites nobody's later work: it is refused, and says what was changed, three ways."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from tests.conftest import TODAY
from tests.excel.conftest import fill, fresh, landed, sent
from tests.excel.test_checklist_import import add, change, exported, full, load, new_policy
from tests.factories import make_task
from tests.views.conftest import Browser, browser, stranger
from tracker import workflow
from tracker.domain.choices import BatchState, ChangeSource, ReportState
from tracker.domain.dates import now
from tracker.excel import workbook_import
from tracker.models import (
    ChecklistItem,
    DeclaredCount,
    ImportBatch,
    Indicator,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.views import imports
from tracker.workflow import ChangeContext, UndoRefused, later_changes

__all__ = ["browser", "full", "stranger"]
BY_HAND = ChangeContext(None, ChangeSource.ADMIN, "by hand")


def refused(batch: ImportBatch, user: User) -> list[Any]:
    """Return the rows that a refused undo names; it has written nothing."""
    with pytest.raises(UndoRefused) as error:
        workbook_import.undo_batch(batch, user, now())
    batch.refresh_from_db()
    assert batch.state == BatchState.LANDED
    return error.value.rows


def three_ways(row: Any) -> list[tuple[str, str, str, str]]:
    return [(each.label, each.before, each.imported, each.now) for each in row.fields]


@pytest.fixture
def changed(full: PolicyDocument, supervisor: User) -> ImportBatch:
    """Change the remark of A1-01 by a workbook, and add a task with a step."""
    book = exported(full)
    change(book, "Tasks", 2, "remark", "imported remark")
    add(book, "Tasks", measure_code="A1", task_code="A1-09", key_task="One more")
    add(book, "Steps", **{"task code": "A1-09", "step no.": "1", "step": "New step"})
    return load(book, supervisor)


def save_task(code: str, **facts: Any) -> Task:
    task = Task.objects.get(code=code)
    for name, value in facts.items():
        setattr(task, name, value)
    workflow.save_task(task, BY_HAND, today=TODAY)
    return task


def test_a_field_that_was_edited_since_is_named_three_ways_and_kept(
    changed: ImportBatch, supervisor: User
) -> None:
    before = Task.history.filter(code="A1-01").earliest("history_id").remark
    save_task("A1-01", remark="later remark")
    (row,) = refused(changed, supervisor)
    assert "A1-01" in row.name
    assert three_ways(row) == [("remark", before or "—", "imported remark", "later remark")]
    assert Task.objects.get(code="A1-01").remark == "later remark"


def test_another_field_of_a_changed_row_that_was_edited_since_is_named(
    changed: ImportBatch, supervisor: User
) -> None:
    save_task("A1-01", responsible_person="Zhang")
    (row,) = refused(changed, supervisor)
    assert three_ways(row) == [("person responsible", "—", "—", "Zhang")]


def test_a_new_task_that_was_edited_since_is_not_deleted(
    changed: ImportBatch, supervisor: User
) -> None:
    save_task("A1-09", title="Better title")
    (row,) = refused(changed, supervisor)
    assert three_ways(row) == [("task", "One more", "One more", "Better title")]
    assert Task.objects.filter(code="A1-09").exists()


def test_all_rows_that_were_changed_are_named_at_once(
    changed: ImportBatch, supervisor: User
) -> None:
    save_task("A1-01", remark="x")
    save_task("A1-09", remark="x")
    assert len(refused(changed, supervisor)) == 2


def test_a_new_step_that_was_ticked_since_is_not_deleted(
    changed: ImportBatch, supervisor: User
) -> None:
    ChecklistItem.objects.filter(task__code="A1-09").update(done_on=TODAY)
    (row,) = refused(changed, supervisor)
    assert three_ways(row) == [("done on", "—", "—", "2026-06-15")]


@pytest.mark.parametrize("thing", ["item", "indicator", "count"])
def test_a_new_task_to_which_something_was_attached_is_not_deleted(
    changed: ImportBatch, supervisor: User, thing: str
) -> None:
    task = Task.objects.get(code="A1-09")
    if thing == "item":
        ChecklistItem.objects.create(task=task, number=2, title="by hand")
    elif thing == "indicator":
        Indicator.objects.create(task=task, name="x", unit_of_measure="x", target=1)
    else:
        DeclaredCount.objects.create(policy=task.policy, name="x", number=1, task=task)
    (row,) = refused(changed, supervisor)
    assert "added since" in row.words
    assert Task.objects.filter(pk=task.pk).exists()


def test_a_new_policy_with_a_task_of_somebody_else_is_not_deleted(
    db: None, bureau: Organization, county: Organization, supervisor: User
) -> None:
    batch = load(new_policy(), supervisor)
    policy = PolicyDocument.objects.get(slug="fresh")
    make_task(policy, "A1-77", measure=Measure.objects.get(policy=policy))
    names = {row.name for row in refused(batch, supervisor)}
    assert str(policy) in names
    assert Task.objects.filter(code="A1-77").exists()


def test_a_row_that_is_gone_is_named(changed: ImportBatch, supervisor: User) -> None:
    Task.objects.get(code="A1-09").delete()
    assert {row.words for row in refused(changed, supervisor)} == {"it no longer exists"}


def test_work_on_what_the_import_did_not_touch_stands_in_no_way(
    changed: ImportBatch, supervisor: User
) -> None:
    save_task("B1-01", remark="something else")
    workbook_import.undo_batch(changed, supervisor, now())
    assert Task.objects.get(code="B1-01").remark == "something else"
    assert not Task.objects.filter(code="A1-09").exists()


def test_the_page_shows_what_was_changed_three_ways(
    changed: ImportBatch, supervisor: User, browser: Browser
) -> None:
    save_task("A1-01", remark="later remark")
    page = browser(supervisor).post(changed.get_absolute_url(), {"undo": "1"}).content.decode()
    assert (
        page.index("before the import") < page.index("imported remark") < page.index("later remark")
    )


def test_every_row_of_a_refused_undo_is_named_on_the_page_or_on_one_after_it(
    changed: ImportBatch, supervisor: User, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later_changes, "MAX_NAMED", 1)
    monkeypatch.setattr(imports, "MAX_PREVIEW_ROWS", 1)
    save_task("A1-01", remark="x")
    save_task("A1-09", remark="x")
    client, address = browser(supervisor), changed.get_absolute_url()
    page = client.post(address, {"undo": "1"}).content.decode()
    named: list[str] = []
    while page:
        named += re.findall(r'data-label="row">(\S+) ', page)
        following = re.search(r'href="(\?changed=[0-9]+)" rel="next"', page)
        page = client.get(address + following[1]).content.decode() if following else ""
    assert named == ["A1-01", "A1-09"]


def test_the_rows_that_were_changed_are_shown_before_anything_is_undone(
    changed: ImportBatch, supervisor: User, browser: Browser
) -> None:
    client, address = browser(supervisor), f"{changed.get_absolute_url()}?changed=1"
    assert "has been changed since." in client.get(address).content.decode()
    save_task("A1-01", remark="later remark")
    assert "later remark" in client.get(address).content.decode()


def test_what_was_changed_is_found_by_as_many_queries_for_many_rows_as_for_one(
    changed: ImportBatch, bureau: Organization
) -> None:
    third = Organization.objects.create(name="Third Bureau", short_name="Third")

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            workflow.changed_since(changed)
        return len(found)

    save_task("A1-01", lead_unit=third)
    few = queries()
    save_task("A1-09", lead_unit=bureau)
    assert len(workflow.changed_since(changed)) == 2
    assert queries() == few


@pytest.fixture
def reported(handed_over: list[Task], bureau: Organization, liaison: User) -> ImportBatch:
    """Report two tasks by a workbook and tick a step."""
    book: Workbook = fresh(bureau)
    for code in ("A1-01", "A1-02"):
        fill(book, code, percent_done=0.1, progress="imported words")
    fill(book, "B1-01", step=1, done="✓")
    batch = sent(book, liaison)
    landed(batch, liaison)
    batch.refresh_from_db()
    return batch


def test_all_reports_that_were_reviewed_since_are_named_three_ways(
    reported: ImportBatch, liaison: User, supervisor: User
) -> None:
    for report in ProgressUpdate.objects.all():
        workflow.accept(report, ChangeContext(supervisor, ChangeSource.PAGE), report.version, TODAY)
    rows = refused(reported, liaison)
    assert [row.name for row in rows] == ["A1-01", "A1-02"]
    assert ("state", "submitted", "submitted", "accepted") in three_ways(rows[0])


def test_a_step_that_was_unticked_since_is_named(reported: ImportBatch, liaison: User) -> None:
    item = ChecklistItem.objects.get(number=1)
    workflow.tick_item(item, ChangeContext(liaison, ChangeSource.PAGE), None, TODAY)
    (row,) = refused(reported, liaison)
    assert three_ways(row) == [("done on", "—", "2026-06-15", "—")]


def test_a_step_that_was_ticked_anew_on_another_day_is_named(
    reported: ImportBatch, liaison: User
) -> None:
    ChecklistItem.objects.filter(number=1).update(done_on=dt.date(2026, 6, 1))
    (row,) = refused(reported, liaison)
    assert three_ways(row) == [("done on", "—", "2026-06-15", "2026-06-01")]


def test_a_batch_of_the_first_version_whose_step_stands_is_undone(
    reported: ImportBatch, liaison: User
) -> None:
    for entry in reported.made:
        entry["ticks"] = [tick[:2] for tick in entry["ticks"]]
    reported.save()
    workbook_import.undo_batch(reported, liaison, now())
    assert not ChecklistItem.objects.filter(done_on__isnull=False).exists()


def test_a_report_that_an_undo_takes_away_names_who_did_it(
    reported: ImportBatch, liaison: User
) -> None:
    workbook_import.undo_batch(reported, liaison, now())
    gone = ProgressUpdate.history.filter(history_type="-")
    assert {(row.history_user, row.way, row.state) for row in gone} == {
        (liaison, ChangeSource.IMPORT, ReportState.DRAFT)
    }


def test_the_reports_that_were_reviewed_are_found_by_as_many_queries_for_two_as_for_one(
    reported: ImportBatch, supervisor: User
) -> None:
    counts = []
    for report in ProgressUpdate.objects.all():
        workflow.accept(report, ChangeContext(supervisor, ChangeSource.PAGE), report.version, TODAY)
        with CaptureQueriesContext(connection) as found:
            workflow.changed_since(reported)
        counts.append(len(found))
    assert counts[0] == counts[1]
