"""What units do on pages: the work list, reports as drafts and handed in, steps, evidence."""

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import (
    Action,
    ChangeSource,
    Kind,
    Rating,
    ReportState,
    RequestState,
    Status,
)
from tracker.models import (
    ChecklistItem,
    Evidence,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    TaskRequest,
    User,
)
from tracker.workflow import ChangeContext

PDF = b"%PDF-1.7 proof"


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization, county: Organization) -> Task:
    task = make_task(
        policy,
        title="Build the road",
        kind=Kind.QUANTIFIED,
        deadline=dt.date(2026, 12, 31),
        start=dt.date(2026, 6, 1),
        lead_unit=bureau,
        assigned_on=dt.date(2026, 6, 1),
        owed_from=dt.date(2026, 6, 1),
    )
    task.co_units.add(county)
    return task


@pytest.fixture
def unit(client: Client, liaison: User) -> Client:
    client.force_login(liaison)
    return client


@pytest.fixture
def office(supervisor: User) -> Client:
    client = Client()
    client.force_login(supervisor)
    return client


def page(task: Task, name: str = "report", *more: Any) -> str:
    return reverse(name, args=["rise", task.code, *more])


def seen() -> int:
    """Return the version of the task that a page shows now."""
    return Task.objects.get().version


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def write(client: Client, task: Task, button: str = "submit", **said: Any) -> Any:
    """Post the report form as a browser does."""
    at_hand = task.reports.exclude(state=ReportState.ACCEPTED).first()
    whole = {
        "seen": at_hand.version if at_hand else "",
        "progress": "a mile is paved",
        "percent": "30",
        button: "1",
    }
    return client.post(page(task), whole | said)


def test_a_report_handed_in_waits_for_the_office(unit: Client, task: Task) -> None:
    answer = write(unit, task, next="/my/")
    assert (answer.status_code, answer["Location"]) == (302, "/my/")
    report = ProgressUpdate.objects.get()
    assert (report.state, report.progress, report.percent) == (
        ReportState.SUBMITTED,
        "a mile is paved",
        30,
    )


def test_a_draft_is_kept_and_not_handed_in(unit: Client, task: Task) -> None:
    write(unit, task, "save")
    assert ProgressUpdate.objects.get().state == ReportState.DRAFT


def test_what_is_missing_is_said_and_what_was_typed_is_kept(unit: Client, task: Task) -> None:
    answer = write(unit, task, percent="", progress="half a mile")
    assert answer.status_code == 200
    assert "id_percent" in answer.content.decode()
    assert ProgressUpdate.objects.get().progress == "half a mile"


def test_after_a_fault_the_same_form_is_handed_in(unit: Client, task: Task) -> None:
    form = write(unit, task, percent="").context["form"]
    write(unit, task, seen=form["seen"].value())
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED


def test_a_percent_out_of_range_is_refused_beside_its_field(unit: Client, task: Task) -> None:
    assert "percent" in write(unit, task, percent="101").context["form"].errors


def test_autosave_answers_with_the_new_version(unit: Client, task: Task) -> None:
    answer = unit.post(page(task), {"seen": "", "progress": "half"}, headers={"X-Autosave": "1"})
    assert answer.json() == {"seen": 1}


def test_autosave_over_another_window_keeps_both_texts(unit: Client, task: Task) -> None:
    write(unit, task, "save", progress="from the first window")
    answer = unit.post(page(task), {"seen": "", "progress": "mine"}, headers={"X-Autosave": "1"})
    assert answer.status_code == 409
    assert ProgressUpdate.objects.get().progress == "from the first window"


def test_two_windows_show_both_texts(unit: Client, task: Task) -> None:
    write(unit, task, "save", progress="from the first window")
    shown = write(unit, task, seen="", progress="from the second window").content.decode()
    assert "from the first window" in shown
    assert "from the second window" in shown
    assert ProgressUpdate.objects.get().state == ReportState.DRAFT


def test_a_draft_is_not_shown_to_the_co_operating_unit(
    unit: Client, task: Task, county: Organization
) -> None:
    write(unit, task, "save", progress="CANARY")
    helper = Client()
    helper.force_login(User.objects.create_user("helper", is_liaison=True, organization=county))
    assert all(
        "CANARY" not in text_of(helper, address)
        for address in (page(task), task.get_absolute_url())
    )


def test_a_contribution_stands_beside_the_report(
    unit: Client, task: Task, county: Organization
) -> None:
    helper = Client()
    helper.force_login(User.objects.create_user("helper", is_liaison=True, organization=county))
    helper.post(page(task), {"seen": "", "progress": "we lent the trucks", "submit": "1"})
    assert "we lent the trucks" in text_of(unit, page(task))


def test_the_last_text_is_taken_over_into_empty_fields_alone(
    unit: Client, task: Task, act: ChangeContext
) -> None:
    accepted(unit, task, act, problems="rain")
    form = unit.post(page(task), {"seen": "", "progress": "typed", "use_last": "1"}).context["form"]
    assert (form["progress"].value(), form["problems"].value()) == ("typed", "rain")


def accepted(unit: Client, task: Task, act: ChangeContext, **said: Any) -> ProgressUpdate:
    write(unit, task, **said)
    report = ProgressUpdate.objects.get()
    workflow.accept(report, act, report.version, TODAY)
    return report


def test_the_same_words_ask_for_a_confirmation(
    unit: Client, task: Task, act: ChangeContext
) -> None:
    accepted(unit, task, act)
    answer = write(unit, task, seen="")
    assert "progress" in answer.context["form"].errors
    assert "same_ok" in answer.context["form"].fields
    write(unit, task, seen="", same_ok="on")
    assert ProgressUpdate.objects.filter(state=ReportState.SUBMITTED).count() == 1


def test_no_change_is_one_click(unit: Client, task: Task, act: ChangeContext) -> None:
    accepted(unit, task, act)
    unit.post(
        page(task), {"unchanged": "1", "seen": "0", "repeats": ProgressUpdate.objects.get().pk}
    )
    assert ProgressUpdate.objects.filter(unchanged=True, state=ReportState.SUBMITTED).count() == 1


def test_a_report_is_taken_back(unit: Client, task: Task) -> None:
    write(unit, task)
    unit.post(page(task), {"withdraw": "1", "seen": ProgressUpdate.objects.get().version})
    assert ProgressUpdate.objects.get().state == ReportState.DRAFT


@pytest.mark.parametrize("period", ["2026-05-01", "2026-06-02", "nonsense", "9999-99-99"])
def test_a_period_that_cannot_be_reported_is_not_found(
    unit: Client, task: Task, period: str
) -> None:
    assert unit.get(f"{page(task)}?period={period}").status_code == 404


def test_evidence_comes_with_the_report(unit: Client, task: Task) -> None:
    write(
        unit, task, proofs=[SimpleUploadedFile("竣工.pdf", PDF), SimpleUploadedFile("b.pdf", PDF)]
    )
    assert sorted(Evidence.objects.values_list("name", "size")) == [
        ("b.pdf", len(PDF)),
        ("竣工.pdf", len(PDF)),
    ]


def test_evidence_is_sent_as_a_download_under_its_own_name(unit: Client, task: Task) -> None:
    write(unit, task, proofs=[SimpleUploadedFile("竣工.pdf", PDF)])
    answer = unit.get(Evidence.objects.get().get_absolute_url())
    assert answer.getvalue() == PDF
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''")


def test_evidence_is_stored_under_a_made_up_name(unit: Client, task: Task) -> None:
    write(unit, task, proofs=[SimpleUploadedFile("../../x.pdf", PDF)])
    assert len(Evidence.objects.get().file.name) == 32


def test_evidence_of_a_draft_can_be_taken_away(unit: Client, task: Task) -> None:
    write(unit, task, "save", proofs=[SimpleUploadedFile("a.pdf", PDF)])
    write(unit, task, "save", remove=str(Evidence.objects.get().pk))
    assert not Evidence.objects.exists()


def test_evidence_of_another_unit_does_not_exist(unit: Client, task: Task) -> None:
    write(unit, task, proofs=[SimpleUploadedFile("a.pdf", PDF)])
    west = Organization.objects.create(name="Office of the West", short_name="West")
    other = Client()
    other.force_login(User.objects.create_user("other", is_liaison=True, organization=west))
    assert other.get(Evidence.objects.get().get_absolute_url()).status_code == 404


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "taken"),
    [
        ("a.pdf", PDF, True),
        ("a.PDF", PDF, True),
        ("a.docx", zipped("word/document.xml"), True),
        ("a.ofd", zipped("OFD.xml"), True),
        ("a.wps", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", True),
        ("a.png", b"\x89PNG\r\n\x1a\nrest", True),
        ("a.png", PDF, False),
        ("a.docx", zipped("xl/workbook.xml"), False),
        ("a.docx", b"PK\x03\x04 broken", False),
        ("a.html", b"<script>", False),
        ("a.pdf", b"<script>", False),
        ("a.exe", b"MZ", False),
        ("pdf", PDF, True),
        ("a.svg", b"<svg/>", False),
    ],
)
def test_evidence_is_what_its_name_says(
    unit: Client, task: Task, name: str, content: bytes, taken: bool
) -> None:
    write(unit, task, proofs=[SimpleUploadedFile(name, content)])
    assert Evidence.objects.exists() is taken


def test_too_large_a_file_is_refused_in_words(unit: Client, task: Task) -> None:
    answer = write(unit, task, proofs=[SimpleUploadedFile("a.pdf", PDF + bytes(20 * 1024**2))])
    assert "20" in str(answer.context["form"].errors["proofs"])


def test_a_step_is_ticked_in_one_click(unit: Client, task: Task, liaison: User) -> None:
    item = ChecklistItem.objects.create(task=task, number=1, title="Survey")
    unit.post(page(task, "tick", 1), {"done": "1", "item": item.pk, "seen": item.mark})
    item = ChecklistItem.objects.get()
    assert (item.done_on, item.done_by, Task.objects.get().percent) == (TODAY, liaison, 100)


def test_a_tick_is_taken_away_again(unit: Client, task: Task) -> None:
    item = ChecklistItem.objects.create(task=task, number=1, title="Survey", done_on=TODAY)
    unit.post(page(task, "tick", 1), {"done": "0", "item": item.pk, "seen": item.mark})
    assert ChecklistItem.objects.get().done_on is None


def test_a_task_is_acknowledged_from_the_work_list(unit: Client, task: Task) -> None:
    assert page(task, "step", "acknowledge") in text_of(unit, reverse("my"))
    answer = unit.post(page(task, "step", "acknowledge"), {"next": "/my/", "seen": seen()})
    assert (answer["Location"], Task.objects.get().acknowledged_on) == ("/my/", TODAY)


def test_closing_is_asked_for_with_evidence_and_granted_with_a_rating(
    unit: Client, office: Client, task: Task
) -> None:
    Task.objects.update(percent=100)
    words = {"reason": "all done", "proofs": [SimpleUploadedFile("a.pdf", PDF)], "seen": seen()}
    asked = unit.post(page(task, "step", "request_closing"), words)
    assert asked.status_code == 302
    words = {"rating": Rating.EXCELLENT, "note": "well done", "seen": seen()}
    office.post(page(task, "step", "grant_closing"), words)
    ask = TaskRequest.objects.get()
    assert (Task.objects.get().status, ask.state, ask.rating) == (
        Status.CLOSED,
        RequestState.GRANTED,
        Rating.EXCELLENT,
    )


def test_what_a_step_lacks_is_said_and_nothing_is_done(unit: Client, task: Task) -> None:
    answer = unit.post(
        page(task, "step", "request_closing"), {"reason": "all done", "seen": seen()}
    )
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert Task.objects.get().status == Status.IN_PROGRESS


def test_a_step_that_does_not_fit_any_more_says_so(office: Client, task: Task) -> None:
    answer = office.post(page(task, "step", "grant_closing"), {"rating": "good"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] != []


@pytest.mark.parametrize("action", ["nonsense", "report", "accept", "tick"])
def test_a_step_without_a_page_is_not_found(unit: Client, task: Task, action: str) -> None:
    assert unit.get(page(task, "step", action)).status_code == 404


def test_the_page_of_a_task_offers_what_its_reader_may_do(unit: Client, task: Task) -> None:
    shown = text_of(unit, task.get_absolute_url())
    offered = {str(action) for action in Action if page(task, "step", action) in shown}
    assert offered == {"acknowledge", "request_closing", "request_extension"}
    assert page(task) in shown


def test_the_page_of_a_task_tells_its_reports(unit: Client, task: Task, act: ChangeContext) -> None:
    accepted(unit, task, act, next_steps="pave on")
    shown = text_of(unit, task.get_absolute_url())
    assert "a mile is paved" in shown
    assert "pave on" in shown


def calls(unit: Client) -> dict[str, list[str]]:
    groups = unit.get(reverse("my")).context["groups"]
    return {group.call.name: [line.task.code for line in group.lines] for group in groups}


@pytest.mark.parametrize(
    ("facts", "call"),
    [
        ({"deadline": dt.date(2026, 6, 1), "original_deadline": dt.date(2026, 6, 1)}, "overdue"),
        ({"percent": 0, "start": dt.date(2026, 1, 1), "deadline": dt.date(2026, 7, 1)}, "red"),
        ({"acknowledged_on": TODAY}, "owing"),
        ({"reported_through": dt.date(2026, 6, 30)}, "unacknowledged"),
        (
            {
                "reported_through": dt.date(2026, 6, 30),
                "deadline": dt.date(2026, 6, 20),
                "percent": 90,
            },
            "warning",
        ),
    ],
)
def test_a_task_stands_on_the_work_list_under_its_most_pressing_call(
    unit: Client, policy: PolicyDocument, bureau: Organization, facts: dict[str, Any], call: str
) -> None:
    whole = {
        "kind": Kind.QUANTIFIED,
        "deadline": dt.date(2026, 12, 31),
        "start": dt.date(2026, 6, 1),
        "lead_unit": bureau,
        "assigned_on": dt.date(2026, 6, 1),
        "owed_from": dt.date(2026, 6, 1),
        "acknowledged_on": None if call == "unacknowledged" else TODAY,
    } | facts
    make_task(policy, **{**whole, "original_deadline": whole["deadline"]})
    assert calls(unit) == {call: ["A1-01"]}


def test_a_returned_report_comes_first_on_the_work_list(
    unit: Client, task: Task, act: ChangeContext
) -> None:
    write(unit, task)
    report = ProgressUpdate.objects.get()
    workflow.send_back(report, act, report.version, "too short", TODAY)
    assert calls(unit) == {"returned": ["A1-01"]}
    assert "too short" in text_of(unit, reverse("my"))


def test_what_was_reported_leaves_the_work_list(unit: Client, task: Task) -> None:
    write(unit, task)
    unit.post(page(task, "step", "acknowledge"), {"seen": seen()})
    assert calls(unit) == {}


def test_a_liaison_begins_with_the_work_list(client: Client, liaison: User) -> None:
    answer = client.post(reverse("login"), {"username": "liaison", "password": "a long password"})
    assert answer["Location"] == reverse("my")


def test_history_names_every_way_of_the_work(unit: Client, task: Task, act: ChangeContext) -> None:
    accepted(unit, task, act)
    shown = text_of(unit, task.get_absolute_url())
    assert shown.count("a mile is paved") >= 2  # in the timeline and in the history
    assert ProgressUpdate.history.filter(way=ChangeSource.PAGE).count() == 2
