"""Texts have a limit that forms and workbooks name.

A longer one that is stored already stays as it is.
"""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.excel.conftest import fill, fresh, sent
from tests.factories import make_task
from tracker import workflow
from tracker.domain import parsing
from tracker.domain.choices import Kind
from tracker.domain.dates import period_of
from tracker.domain.lengths import MAX_TEXT_LENGTH, text_length
from tracker.excel import progress_import
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.models.base import limited_fields
from tracker.workflow import ChangeContext

LONG = "字" * (MAX_TEXT_LENGTH + 1)
LIMITED = {
    "task": {"description", "remark"},
    "organization": {"aliases"},
    "progressupdate": {"progress", "problems", "next_steps", "help_answer", "review_note"},
    "taskrequest": {"reason", "progress", "decision_note"},
}


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    day = dt.date(2026, 6, 1)
    late = dt.date(2026, 12, 31)
    return make_task(
        policy,
        kind=Kind.QUALITATIVE,
        deadline=late,
        lead_unit=bureau,
        assigned_on=day,
        owed_from=day,
    )


@pytest.fixture
def unit(client: Client, liaison: User) -> Client:
    client.force_login(liaison)
    return client


@pytest.fixture
def desk(supervisor: User) -> Client:
    client = Client()
    client.force_login(supervisor)
    return client


def report_page(task: Task) -> str:
    return reverse("report", args=["rise", task.code])


def draft(task: Task, unit_act: ChangeContext, **said: Any) -> ProgressUpdate:
    report = workflow.open_report(task, task.lead_unit, period_of("monthly", TODAY))  # type: ignore[arg-type]
    for name, value in said.items():
        setattr(report, name, value)
    workflow.save_draft(report, unit_act, today=TODAY)
    return report


@pytest.mark.parametrize(("model", "names"), LIMITED.items())
def test_the_texts_that_people_type_are_limited(model: str, names: set[str]) -> None:
    from django.apps import apps

    assert limited_fields(apps.get_model("tracker", model)) == names


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("字", 1), ("a\r\nb", 3), ("a\nb", 3), ("\N{PILE OF POO}", 1)]
)
def test_a_line_end_is_one_sign_however_it_is_written(text: str, length: int) -> None:
    assert text_length(text) == length


@pytest.mark.parametrize("name", ["progress", "problems", "next_steps"])
def test_a_report_that_is_too_long_is_refused_beside_its_field(
    unit: Client, task: Task, name: str
) -> None:
    said = {"progress": "done", "seen": "0", "submit": "1", name: LONG}
    form = unit.post(report_page(task), said).context["form"]
    assert name in form.errors
    assert not ProgressUpdate.objects.exists()


def test_a_text_of_the_greatest_length_is_taken(unit: Client, task: Task) -> None:
    unit.post(report_page(task), {"progress": LONG[1:], "seen": "0", "submit": "1"})
    assert len(ProgressUpdate.objects.get().progress) == MAX_TEXT_LENGTH


def test_a_report_that_was_longer_before_is_handed_in_unchanged(
    unit: Client, task: Task, unit_act: ChangeContext
) -> None:
    report = draft(task, unit_act, progress=f"one\n{LONG}")
    said = {"progress": f"one\r\n{LONG}", "seen": report.version, "submit": "1"}
    unit.post(report_page(task), said)
    assert ProgressUpdate.objects.get().state == "submitted"


def test_a_task_with_a_longer_text_is_saved_with_another_title(
    task: Task, desk: Client, act: ChangeContext
) -> None:
    Task.objects.update(description=LONG)
    stored = Task.objects.get()
    page = reverse("admin:tracker_task_change", args=[task.pk])
    form = desk.get(page).context["adminform"].form
    said = {}
    for name in form.fields:
        value = form[name].value()
        if value is not None and value is not False and value not in ("", []):
            said[name] = getattr(value, "pk", value)
    parts = ("items", "indicators")
    said |= {f"{part}-{end}": "0" for part in parts for end in ("TOTAL_FORMS", "INITIAL_FORMS")}
    answer = desk.post(page, {**said, "title": "Another title", "reason": "spelling"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert (Task.objects.get().title, Task.objects.get().description) == (
        "Another title",
        stored.description,
    )


@pytest.mark.parametrize(
    ("action", "name", "more"),
    [
        ("request_extension", "reason", {"deadline": "2027-01-31", "progress": "half way"}),
        ("request_extension", "progress", {"deadline": "2027-01-31", "reason": "floods"}),
    ],
)
def test_a_step_with_a_text_that_is_too_long_is_refused_beside_its_field(
    unit: Client, task: Task, action: str, name: str, more: dict[str, str]
) -> None:
    page = reverse("step", args=["rise", task.code, action])
    assert name in unit.post(page, {**more, name: LONG}).context["form"].errors


def test_a_return_with_a_reason_that_is_too_long_is_refused(
    desk: Client, task: Task, unit_act: ChangeContext
) -> None:
    report = draft(task, unit_act, progress="done")
    workflow.submit(report, unit_act, TODAY)
    report.refresh_from_db()
    said = {"return": "1", "seen": report.version, "note": LONG}
    assert "note" in desk.post(reverse("review", args=[report.pk]), said).context["form"].errors


def test_the_form_names_the_limit_without_a_script(unit: Client, task: Task) -> None:
    shown = unit.get(report_page(task)).content.decode()
    assert f'data-most="{MAX_TEXT_LENGTH}"' in shown
    assert f"不超过 {MAX_TEXT_LENGTH} 字" in shown
    assert "tracker/count.js" in shown


def test_a_workbook_names_the_cell_of_a_text_that_is_too_long(
    task: Task, bureau: Organization, liaison: User
) -> None:
    from django.utils.translation import override

    with override("en"):
        book = fresh(bureau)
        fill(book, "A1-01", progress=LONG)
        (fault,) = progress_import.preview_progress(sent(book, liaison), liaison, TODAY).faults
    assert (fault.sheet, fault.column) == ("Fill in", "progress")
    assert "1 too many" in fault.words


def test_the_models_refuse_what_no_form_has_seen(task: Task) -> None:
    with pytest.raises(ValidationError):
        Task(description=LONG).clean_fields(exclude={"policy", "measure", "code", "title"})


def test_names_that_come_near_are_looked_for_a_bounded_number_of_times() -> None:
    known = [f"A1-{number:05}" for number in range(10_000)]
    near = parsing.NearNames()
    found = [near.of(f"B1-{number:05}", known) for number in range(10)]
    assert found[-1] == ["…"]
    assert found[0] != ["…"]
