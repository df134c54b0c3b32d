"""Nothing of a draft reaches anybody but those who may open it, by whichever door."""

from io import BytesIO
from typing import Any
from zipfile import ZipFile, is_zipfile

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Cycle, Kind
from tracker.domain.dates import DAY, period_of
from tracker.models import Evidence, Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.reports import history
from tracker.workflow import ChangeContext

MARK = "Zwxq77"
JUNE = period_of(Cycle.MONTHLY, TODAY)
READERS = ("helper", "leader", "administrator", "supervisor")


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization, county: Organization) -> Task:
    facts: dict[str, Any] = {
        "lead_unit": bureau,
        "assigned_on": TODAY - 90 * DAY,
        "owed_from": TODAY - 90 * DAY,
    }
    task = make_task(policy, kind=Kind.QUALITATIVE, deadline=TODAY + 30 * DAY, **facts)
    task.co_units.add(county)
    return task


@pytest.fixture
def people(
    county: Organization, leader: User, administrator: User, supervisor: User
) -> dict[str, User]:
    helper = User.objects.create_user("helper", is_liaison=True, organization=county)
    return {
        "helper": helper,
        "leader": leader,
        "administrator": administrator,
        "supervisor": supervisor,
    }


def write(task: Task, act: ChangeContext) -> ProgressUpdate:
    """Save a draft that bears a mark in every text and in the name of its file."""
    report = workflow.open_report(Task.objects.get(pk=task.pk), task.lead_unit, JUNE)
    for name in ("progress", "problems", "next_steps", "help_addressee", "fall_reason"):
        setattr(report, name, f"{MARK} {name}")
    report.needs_help = True
    proof = Evidence(name=f"{MARK}.pdf", file=ContentFile(b"%PDF-1.4", "proof.pdf"), size=8)
    workflow.save_draft(
        report, act, report.version if report.pk else None, evidence=[proof], today=TODAY
    )
    return report


def text_of(answer: Any) -> str:
    body = answer.getvalue()
    if not is_zipfile(BytesIO(body)):
        return body.decode("utf-8", "replace")
    with ZipFile(BytesIO(body)) as parts:
        return "".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())


def pages_of(task: Task, report: ProgressUpdate) -> list[str]:
    slug, unit = task.policy.slug, task.lead_unit_id
    return [
        reverse("home"),
        *(
            reverse(name, args=[slug])
            for name in ("policy", "tasks", "units", "text", "health", "ledger", "checklist")
        ),
        reverse("task", args=[slug, task.code]),
        reverse("measure", args=[slug, "A1"]),
        reverse("unit", args=[slug, unit]),
        reverse("unit_everywhere", args=[unit]),
        reverse("my"),
        *(reverse("queue", args=[show]) for show in ("reports", "requests", "help", "silent")),
        reverse("review", args=[report.pk]),
        reverse("search") + f"?q={MARK}x",
        reverse("imports"),
        reverse("admin:tracker_task_changelist"),
        reverse("admin:tracker_task_change", args=[task.pk]),
        reverse("admin:tracker_task_history", args=[task.pk]),
        reverse("step", args=[slug, task.code, "close"]),
        *(reverse("evidence", args=[piece.pk]) for piece in report.evidence.all()),
    ]


def doors_that_tell(user: User, task: Task, report: ProgressUpdate) -> list[str]:
    client = Client()
    client.force_login(user)
    # The office may open a draft by the evidence itself: it writes for units.
    addresses = [
        path for path in pages_of(task, report) if not (user.is_supervisor and "/evidence/" in path)
    ]
    found = []
    for path in addresses:
        answer = client.get(path)
        told = text_of(answer).replace(f"{MARK}x", "")
        if MARK in told or MARK in answer.get("Content-Disposition", ""):
            found.append(path)
    return found


@pytest.mark.parametrize("role", READERS)
def test_no_door_tells_anything_of_a_draft(
    task: Task, unit_act: ChangeContext, people: dict[str, User], role: str
) -> None:
    report = write(task, unit_act)
    assert doors_that_tell(people[role], task, report) == []


@pytest.mark.parametrize("role", READERS)
def test_no_door_tells_what_is_written_after_a_return(
    task: Task, unit_act: ChangeContext, act: ChangeContext, people: dict[str, User], role: str
) -> None:
    report = workflow.open_report(Task.objects.get(), task.lead_unit, JUNE)
    report.progress = "first words"
    workflow.save_draft(report, unit_act, today=TODAY)
    workflow.submit(report, unit_act, TODAY)
    report.refresh_from_db()
    workflow.send_back(report, act, report.version, "more", TODAY)
    report = write(task, unit_act)
    assert doors_that_tell(people[role], task, report) == []


def test_what_is_written_after_a_return_is_at_hand_for_its_unit(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = write(task, unit_act)
    workflow.submit(report, unit_act, TODAY)
    report.refresh_from_db()
    workflow.send_back(report, act, report.version, "more", TODAY)
    report = workflow.open_report(Task.objects.get(), task.lead_unit, JUNE)
    report.progress = "second words"
    workflow.save_draft(report, unit_act, report.version, today=TODAY)
    assert ProgressUpdate.objects.get().progress == f"{MARK} progress"
    again = workflow.open_report(Task.objects.get(), task.lead_unit, JUNE)
    assert again.progress == "second words"
    workflow.submit(again, unit_act, TODAY)
    assert ProgressUpdate.objects.get().progress == "second words"


def test_what_is_handed_in_appears(
    task: Task, unit_act: ChangeContext, people: dict[str, User]
) -> None:
    report = write(task, unit_act)
    workflow.submit(report, unit_act, TODAY)
    told = doors_that_tell(people["leader"], task, report)
    assert reverse("task", args=["rise", "A1-01"]) in told
    assert any(MARK in event.subject for event in history.history_events(task))


def test_evidence_that_is_taken_out_of_a_draft_leaves_no_trace(
    task: Task, unit_act: ChangeContext
) -> None:
    report = write(task, unit_act)
    workflow.save_draft(
        report, unit_act, report.version, removed=report.evidence.all(), today=TODAY
    )
    assert (Evidence.objects.count(), Evidence.history.count()) == (0, 0)


def test_the_history_of_before_tells_no_file_of_a_draft(
    task: Task, unit_act: ChangeContext, time_machine: Any
) -> None:
    report = write(task, unit_act)
    piece = report.evidence.get()
    # As it was recorded before 0.2: when it was added.
    piece._history_user = None
    Evidence.history.bulk_history_create([piece])
    assert not any(MARK in event.subject for event in history.history_events(task))


def test_a_report_that_was_taken_back_tells_no_new_word(
    task: Task, unit_act: ChangeContext, people: dict[str, User]
) -> None:
    report = workflow.open_report(Task.objects.get(), task.lead_unit, JUNE)
    report.progress = "first words"
    workflow.save_draft(report, unit_act, today=TODAY)
    workflow.submit(report, unit_act, TODAY)
    workflow.withdraw(report, unit_act, TODAY)
    report = write(task, unit_act)
    assert doors_that_tell(people["leader"], task, report) == []


def test_a_draft_that_was_written_past_the_write_path_tells_nothing(
    task: Task, people: dict[str, User]
) -> None:
    report = ProgressUpdate.objects.create(
        task=task,
        unit=task.lead_unit,
        period_start=JUNE.start,
        period_end=JUNE.end,
        progress=f"{MARK} progress",
    )
    Evidence.objects.create(
        task=task, report=report, name=f"{MARK}.pdf", link="https://example.cn/x", added_on=TODAY
    )
    assert doors_that_tell(people["leader"], task, report) == []


def test_the_office_writing_for_a_unit_is_told_by_nobody_either(
    task: Task, supervisor: User, people: dict[str, User]
) -> None:
    report = write(task, ChangeContext(supervisor, ChangeSource.PAGE))
    assert doors_that_tell(people["leader"], task, report) == []
