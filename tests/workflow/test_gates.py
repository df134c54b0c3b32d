"""What a closing and more time are judged by.

Only what the office is shown, and as it stands when it decides.
"""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import Action, ChangeSource, Cycle, Kind, Rating, RequestState
from tracker.domain.dates import DAY, period_of
from tracker.models import (
    ChecklistItem,
    Evidence,
    Indicator,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    TaskRequest,
    User,
)
from tracker.workflow import ChangeContext, StaleVersion

JUNE = period_of(Cycle.MONTHLY, TODAY)


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization, county: Organization) -> Task:
    task = make_task(
        policy,
        kind=Kind.QUALITATIVE,
        lead_unit=bureau,
        assigned_on=TODAY - 90 * DAY,
        deadline=TODAY + 30 * DAY,
    )
    task.co_units.add(county)
    return task


@pytest.fixture
def helper_act(county: Organization) -> ChangeContext:
    return ChangeContext(
        User.objects.create_user("helper", is_liaison=True, organization=county), ChangeSource.PAGE
    )


def write(
    task: Task, unit: Organization, act: ChangeContext, name: str = "proof"
) -> ProgressUpdate:
    """Save a draft with a piece of evidence."""
    report = workflow.open_report(Task.objects.get(pk=task.pk), unit, JUNE)
    report.progress = f"words of {unit}"
    proof = Evidence(name=name, link="https://example.cn/proof")
    workflow.save_draft(
        report, act, report.version if report.pk else None, evidence=[proof], today=TODAY
    )
    return report


def ask_closing(task: Task, act: ChangeContext, **entered: Any) -> None:
    workflow.execute_transition(
        task, Action.REQUEST_CLOSING, act, TODAY, reason="all done", **entered
    )


def refusal(task: Task, act: ChangeContext) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        ask_closing(task, act)
    return set(caught.value.message_dict)


def test_evidence_in_another_units_draft_closes_nothing(
    task: Task, county: Organization, unit_act: ChangeContext, helper_act: ChangeContext
) -> None:
    write(task, county, helper_act)
    assert refusal(task, unit_act) == {"evidence"}


def test_evidence_in_the_own_draft_closes_nothing(
    task: Task, bureau: Organization, unit_act: ChangeContext
) -> None:
    write(task, bureau, unit_act)
    assert refusal(task, unit_act) == {"evidence"}


def test_evidence_of_a_report_that_was_taken_back_closes_nothing(
    task: Task, bureau: Organization, unit_act: ChangeContext
) -> None:
    report = write(task, bureau, unit_act)
    workflow.submit(report, unit_act, TODAY)
    workflow.withdraw(report, unit_act, TODAY)
    assert refusal(task, unit_act) == {"evidence"}


def test_evidence_of_a_report_that_was_returned_closes_nothing(
    task: Task, bureau: Organization, unit_act: ChangeContext, act: ChangeContext
) -> None:
    report = write(task, bureau, unit_act)
    workflow.submit(report, unit_act, TODAY)
    report.refresh_from_db()
    workflow.send_back(report, act, report.version, "no proof", TODAY)
    assert refusal(task, unit_act) == {"evidence"}


def test_evidence_of_a_report_that_was_handed_in_counts(
    task: Task, bureau: Organization, unit_act: ChangeContext
) -> None:
    workflow.submit(write(task, bureau, unit_act), unit_act, TODAY)
    ask_closing(task, unit_act)
    assert Task.objects.get().closing_requested_on == TODAY


def test_evidence_of_a_contribution_that_was_handed_in_counts(
    task: Task, county: Organization, unit_act: ChangeContext, helper_act: ChangeContext
) -> None:
    workflow.submit(write(task, county, helper_act), helper_act, TODAY)
    ask_closing(task, unit_act)
    assert Task.objects.get().closing_requested_on == TODAY


def test_whoever_grants_a_closing_sees_what_it_is_judged_by(
    client: Client, supervisor: User, task: Task, bureau: Organization, unit_act: ChangeContext
) -> None:
    ChecklistItem.objects.create(task=task, number=1, title="Lay the stone", done_on=TODAY)
    Indicator.objects.create(task=task, name="Roads", unit_of_measure="km", target=10)
    workflow.submit(write(task, bureau, unit_act, "report.pdf"), unit_act, TODAY)
    ask_closing(
        task, unit_act, evidence=[Evidence(name="final.pdf", link="https://example.cn/final")]
    )
    client.force_login(supervisor)
    page = client.get(reverse("step", args=["rise", "A1-01", "grant_closing"])).content.decode()
    for words in ("Lay the stone", "Roads", "words of Science", "report.pdf", "final.pdf"):
        assert words in page


def test_whoever_grants_a_closing_sees_that_its_evidence_has_gone_since(
    client: Client,
    supervisor: User,
    task: Task,
    bureau: Organization,
    unit_act: ChangeContext,
    act: ChangeContext,
) -> None:
    report = write(task, bureau, unit_act)
    workflow.submit(report, unit_act, TODAY)
    ask_closing(task, unit_act)
    report.refresh_from_db()
    workflow.send_back(report, act, report.version, "no proof", TODAY)
    client.force_login(supervisor)
    page = client.get(reverse("step", args=["rise", "A1-01", "grant_closing"]))
    assert set(page.context["lacks"]) == {"evidence"}


def test_a_decision_is_not_taken_on_a_task_that_was_changed_since_it_was_shown(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    ask_closing(task, unit_act, evidence=[Evidence(name="x", link="https://example.cn/x")])
    seen = Task.objects.get().version
    workflow.execute_transition(task, Action.WITHDRAW_CLOSING, unit_act, TODAY)
    ask_closing(task, unit_act)
    with pytest.raises(StaleVersion):
        workflow.execute_transition(
            task, Action.GRANT_CLOSING, act, TODAY, seen=seen, rating=Rating.GOOD
        )


def ask_for_time(task: Task, act: ChangeContext) -> None:
    workflow.execute_transition(
        task,
        Action.REQUEST_EXTENSION,
        act,
        TODAY,
        deadline=TODAY + 60 * DAY,
        reason="rain",
        progress="half",
    )


def move_deadline(act: ChangeContext, days: int) -> None:
    found = Task.objects.get()
    found.deadline = TODAY + days * DAY
    workflow.save_task(found, act, found.version, today=TODAY)


@pytest.mark.parametrize("action", [Action.GRANT_EXTENSION, Action.RETURN_EXTENSION])
def test_an_extension_records_the_deadline_as_it_stands_and_as_it_was_when_asked(
    task: Task, unit_act: ChangeContext, act: ChangeContext, action: Action
) -> None:
    ask_for_time(task, unit_act)
    move_deadline(act, 20)
    workflow.execute_transition(task, action, act, TODAY, note="seen")
    ask = TaskRequest.objects.get()
    assert (ask.old_deadline, ask.deadline_when_asked) == (TODAY + 20 * DAY, TODAY + 30 * DAY)


def test_an_extension_that_the_office_grants_directly_records_both_too(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    ask_for_time(task, unit_act)
    move_deadline(act, 20)
    move_deadline(act, 50)
    ask = TaskRequest.objects.get()
    assert (ask.state, ask.old_deadline, ask.deadline_when_asked) == (
        RequestState.GRANTED,
        TODAY + 20 * DAY,
        TODAY + 30 * DAY,
    )


def test_whoever_grants_more_time_sees_that_the_deadline_was_moved(
    client: Client, supervisor: User, task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    ask_for_time(task, unit_act)
    move_deadline(act, 20)
    client.force_login(supervisor)
    page = client.get(reverse("step", args=["rise", "A1-01", "grant_extension"])).content.decode()
    assert f"{TODAY + 20 * DAY}" in page
    assert f"{TODAY + 30 * DAY}" in page


def test_a_grant_never_shortens_the_time(
    task: Task, unit_act: ChangeContext, act: ChangeContext
) -> None:
    ask_for_time(task, unit_act)
    Task.objects.update(deadline=TODAY + 90 * DAY, original_deadline=TODAY + 90 * DAY)
    with pytest.raises(ValidationError):
        workflow.execute_transition(task, Action.GRANT_EXTENSION, act, TODAY)
    assert Task.objects.get().deadline == TODAY + 90 * DAY
