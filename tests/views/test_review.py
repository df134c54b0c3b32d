"""What the office does on pages.

The queue, the review, accepting many, answering calls for help.
"""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, PolicyState, ReportState, Status
from tracker.domain.dates import period_of
from tracker.domain.differences import differences
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.workflow import ChangeContext


@pytest.fixture
def office(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


@pytest.fixture
def reports(policy: PolicyDocument, bureau: Organization, liaison: User) -> list[ProgressUpdate]:
    return [hand_in(policy, f"A1-0{number}", liaison) for number in (1, 2, 3)]


def hand_in(policy: PolicyDocument, code: str, liaison: User, **said: Any) -> ProgressUpdate:
    task = make_task(
        policy,
        code,
        lead_unit=liaison.organization,
        assigned_on=TODAY,
        owed_from=TODAY,
        kind=Kind.QUANTIFIED,
    )
    report = workflow.open_report(task, liaison.organization, period_of("monthly", TODAY))
    for name, value in {"progress": f"done on {code}", "percent": 20, **said}.items():
        setattr(report, name, value)
    workflow.save_draft(report, ChangeContext(liaison, ChangeSource.PAGE), today=TODAY)
    workflow.submit(report, ChangeContext(liaison, ChangeSource.PAGE), TODAY)
    return ProgressUpdate.objects.get(pk=report.pk)


def review(report: ProgressUpdate) -> str:
    return reverse("review", args=[report.pk])


def states() -> list[str]:
    return list(ProgressUpdate.objects.order_by("pk").values_list("state", flat=True))


def test_the_queue_lists_what_waits(office: Client, reports: list[ProgressUpdate]) -> None:
    shown = office.get(reverse("queue")).content.decode()
    assert all(review(report) in shown for report in reports)


@pytest.mark.parametrize("address", ["/review/", "/policies/rise/tasks/A1-01/"])
def test_a_report_is_named_by_its_period_and_not_by_its_first_day(
    office: Client, reports: list[ProgressUpdate], address: str
) -> None:
    page = office.get(address).content.decode()
    assert "2026 年 6 月" in page
    assert not re.search(r"2026-06-01\s*(–|</td>)", page)


def test_a_closing_is_judged_by_reports_that_are_named_by_their_period(
    office: Client, reports: list[ProgressUpdate], act: ChangeContext
) -> None:
    task = reports[0].task
    Task.objects.filter(pk=task.pk).update(status=Status.CLOSING, closing_requested_on=TODAY)
    page = office.get(reverse("step", args=["rise", "A1-01", "grant_closing"])).content.decode()
    assert "2026 年 6 月" in page


def test_accepting_leads_to_the_next_report(office: Client, reports: list[ProgressUpdate]) -> None:
    answer = office.post(review(reports[0]), {"accept": "1", "seen": reports[0].version})
    assert answer["Location"] == review(reports[1])
    assert states() == [ReportState.ACCEPTED, ReportState.SUBMITTED, ReportState.SUBMITTED]


def test_after_the_last_report_comes_the_queue(
    office: Client, reports: list[ProgressUpdate]
) -> None:
    answer = office.post(review(reports[2]), {"accept": "1", "seen": reports[2].version})
    assert answer["Location"] == reverse("queue")


def test_a_report_is_returned_with_picked_reasons_and_words(
    office: Client, reports: list[ProgressUpdate]
) -> None:
    office.post(
        review(reports[0]),
        {"return": "1", "seen": reports[0].version, "picked": ["0", "1"], "note": "see page 3"},
    )
    note = ProgressUpdate.objects.get(pk=reports[0].pk).review_note
    assert len(note.splitlines()) == 3
    assert note.endswith("see page 3")


def test_a_return_without_a_reason_is_refused_beside_the_field(
    office: Client, reports: list[ProgressUpdate]
) -> None:
    answer = office.post(review(reports[0]), {"return": "1", "seen": reports[0].version})
    assert "note" in answer.context["form"].errors


def test_a_report_that_changed_meanwhile_is_shown_again(
    office: Client, reports: list[ProgressUpdate]
) -> None:
    answer = office.post(
        review(reports[0]), {"accept": "1", "seen": reports[0].version - 1, "note": "fine"}
    )
    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors()
    assert states()[0] == ReportState.SUBMITTED


def test_ones_own_report_is_not_reviewed(
    office: Client, reports: list[ProgressUpdate], supervisor: User
) -> None:
    ProgressUpdate.objects.update(submitted_by=supervisor)
    assert (
        office.post(review(reports[0]), {"accept": "1", "seen": reports[0].version}).status_code
        == 403
    )


def test_a_draft_is_not_reviewed(office: Client, reports: list[ProgressUpdate]) -> None:
    ProgressUpdate.objects.filter(pk=reports[0].pk).update(
        state=ReportState.DRAFT, submitted_on=None
    )
    assert office.get(review(reports[0])).status_code == 404


def picks(reports: list[ProgressUpdate]) -> list[str]:
    return [f"{report.pk}:{report.version}" for report in reports]


def test_many_are_accepted_after_a_summary(office: Client, reports: list[ProgressUpdate]) -> None:
    office.post(reverse("accept_many"), {"pick": picks(reports)})
    assert set(states()) == {ReportState.SUBMITTED}
    office.post(reverse("accept_many"), {"pick": picks(reports), "confirm": "1"})
    assert set(states()) == {ReportState.ACCEPTED}


def test_all_of_a_page_are_picked_at_once(office: Client, reports: list[ProgressUpdate]) -> None:
    answer = office.post(reverse("accept_many"), {"every": picks(reports), "all": "1"})
    assert len(answer.context["reports"]) == 3


def test_of_many_the_one_that_changed_is_left_and_named(
    office: Client, reports: list[ProgressUpdate]
) -> None:
    old = [f"{reports[0].pk}:{reports[0].version - 1}", *picks(reports[1:])]
    answer = office.post(reverse("accept_many"), {"pick": old, "confirm": "1"}, follow=True)
    assert states() == [ReportState.SUBMITTED, ReportState.ACCEPTED, ReportState.ACCEPTED]
    assert any("A1-01" in str(message) for message in answer.context["messages"])


@pytest.mark.parametrize(
    "pick", [[], ["x"], ["1:2:3"], ["99999999999999999999:1"], ["٣:1"], ["²:1"], [":"]]
)
def test_picks_that_make_no_sense_accept_nothing(
    office: Client, reports: list[ProgressUpdate], pick: list[str]
) -> None:
    answer = office.post(reverse("accept_many"), {"pick": pick, "confirm": "1"})
    assert answer.status_code == 302
    assert set(states()) == {ReportState.SUBMITTED}


def test_a_pick_with_a_leading_zero_is_compared_by_its_version(
    office: Client, reports: list[ProgressUpdate]
) -> None:
    pick = f"0{reports[0].pk}:{reports[0].version + 1}"
    assert office.post(reverse("accept_many"), {"pick": pick, "confirm": "1"}).status_code == 302
    assert set(states()) == {ReportState.SUBMITTED}


def test_fifty_reports_are_accepted_in_sixty_requests_at_most(
    office: Client, policy: PolicyDocument, bureau: Organization, liaison: User
) -> None:
    for number in range(50):
        hand_in(policy, f"A1-{number:02}", liaison)
    rows = office.get(reverse("queue")).context["page"].object_list
    requests = 1
    for more in ({}, {"confirm": "1"}):
        office.post(reverse("accept_many"), {"pick": picks(list(rows)), **more})
        requests += 1
    assert ProgressUpdate.objects.filter(state=ReportState.ACCEPTED).count() == 50
    assert requests <= 60


def test_a_call_for_help_is_listed_and_answered(
    office: Client, policy: PolicyDocument, liaison: User
) -> None:
    report = hand_in(
        policy, "A1-01", liaison, needs_help=True, help_addressee="the mayor", problems="no land"
    )
    shown = office.get(reverse("queue", args=["help"])).content.decode()
    assert "the mayor" in shown
    assert "no land" in shown
    office.post(
        reverse("answer", args=[report.pk]),
        {"answer": "land comes in July", "seen": report.version},
    )
    assert ProgressUpdate.objects.get().help_answer == "land comes in July"


def test_a_leader_reads_the_calls_for_help_alone(
    client: Client, leader: User, policy: PolicyDocument
) -> None:
    client.force_login(leader)
    assert client.get(reverse("queue", args=["help"])).status_code == 200
    assert client.get(reverse("queue", args=["requests"])).status_code == 403


def test_an_unknown_list_is_not_found(office: Client) -> None:
    assert office.get("/review/nonsense/").status_code == 404


def test_silence_is_counted_by_unit(
    office: Client, policy: PolicyDocument, bureau: Organization
) -> None:
    make_task(policy, lead_unit=bureau, assigned_on=TODAY, owed_from=TODAY.replace(day=1, month=4))
    row = office.get(reverse("queue", args=["silent"])).context["page"].object_list[0]
    assert (row.unit, row.unacknowledged, row.owing, row.unreported) == (bureau, 1, 1, 1)


def test_reports_of_a_draft_policy_are_the_offices_alone(liaison: User, leader: User) -> None:
    report = hand_in(make_policy("draft"), "A1-01", liaison)
    PolicyDocument.objects.update(state=PolicyState.DRAFT)
    client = Client()
    client.force_login(leader)
    assert client.get(report.task.get_absolute_url()).status_code == 404


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("", "", []),
        ("a, b", "a, b", [("same", "a, b")]),
        ("a, b", "a, c", [("same", "a, "), ("del", "b"), ("ins", "c")]),
        ("", "new", [("ins", "new")]),
        ("old", "", [("del", "old")]),
    ],
)
def test_differences_are_told_clause_by_clause(
    old: str, new: str, pieces: list[tuple[str, str]]
) -> None:
    assert list(differences(old, new)) == pieces


def test_a_very_long_text_is_compared_as_a_whole() -> None:
    assert [kind for kind, _text in differences("a," * 5000, "b;" * 5000)] == ["del", "ins"]


def test_no_report_of_a_task_is_lost_from_its_page(
    office: Client, reports: list[ProgressUpdate]
) -> None:
    shown = office.get(Task.objects.get(code="A1-01").get_absolute_url()).content.decode()
    assert "done on A1-01" in shown
