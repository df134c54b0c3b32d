"""To whom a task goes: no draft is handed over, and no unit that is out of office takes one."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain.choices import Action, ChangeSource, Kind, PolicyState, Status
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext


@pytest.fixture
def draft(db: None) -> PolicyDocument:
    return make_policy("draft", state=PolicyState.DRAFT)


@pytest.fixture
def task(draft: PolicyDocument, bureau: Organization) -> Task:
    return make_task(draft, kind=Kind.QUALITATIVE, lead_unit=bureau, status=Status.NOT_STARTED)


def stored(task: Task) -> Task:
    return Task.objects.get(pk=task.pk)


def test_a_task_of_a_draft_is_not_handed_over_by_its_step(task: Task, act: ChangeContext) -> None:
    with pytest.raises(ValidationError):
        workflow.execute_transition(task, Action.HAND_OVER, act, TODAY)
    assert stored(task).assigned_on is None


def test_a_task_of_a_draft_is_not_handed_over_in_bulk(task: Task, act: ChangeContext) -> None:
    outcome = workflow.apply_to_each(
        [(task, task.version)], lambda one, seen: workflow.hand_over(one, act, seen, TODAY)
    )
    assert (len(outcome.refused), stored(task).assigned_on) == (1, None)


def test_a_task_of_a_draft_is_not_handed_over_by_an_edit(task: Task, act: ChangeContext) -> None:
    task.assigned_on = TODAY
    with pytest.raises(ValidationError) as caught:
        workflow.save_task(task, act, task.version, today=TODAY)
    assert "assigned_on" in caught.value.message_dict


def test_a_new_task_of_a_draft_is_not_handed_over_at_once(
    draft: PolicyDocument, bureau: Organization
) -> None:
    task = Task(
        policy=draft,
        measure=draft.measures.get(code="A1"),
        code="A1-09",
        title="x",
        kind=Kind.QUALITATIVE,
    )
    task.lead_unit, task.assigned_on = bureau, TODAY
    with pytest.raises(ValidationError):
        workflow.save_task(task, ChangeContext(None, ChangeSource.COMMAND), today=TODAY)


def test_a_fixture_hands_no_task_of_a_draft_over(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(
        "- model: tracker.task\n"
        "  fields: {policy: [draft], measure: [draft, A1], code: A1-01, title: Task, kind: "
        "qualitative,"
        f" lead_unit: [Bureau of Science], assigned_on: {TODAY}}}\n"
    )
    with pytest.raises(CommandError):
        call_command("loaddata", str(path), "--force", stdout=StringIO())
    assert stored(task).assigned_on is None


def test_the_button_to_hand_over_is_not_offered_in_a_draft(task: Task, supervisor: User) -> None:
    assert Action.HAND_OVER not in workflow.allowed_actions(task, supervisor)


def test_publishing_starts_the_clock_of_what_was_handed_over_before(
    task: Task, draft: PolicyDocument, act: ChangeContext
) -> None:
    Task.objects.update(assigned_on=TODAY - 90 * DAY, owed_from=TODAY - 90 * DAY)
    draft.state = PolicyState.PUBLISHED
    workflow.save_object(draft, act, draft.version)
    found = stored(task)
    assert (found.assigned_on, found.owed_from) == (TODAY - 90 * DAY, TODAY)


def test_what_is_handed_over_is_not_hidden_again(
    policy: PolicyDocument, bureau: Organization, act: ChangeContext
) -> None:
    make_task(policy, kind=Kind.QUALITATIVE, lead_unit=bureau, assigned_on=TODAY)
    policy.state = PolicyState.DRAFT
    with pytest.raises(ValidationError) as caught:
        workflow.save_object(policy, act, policy.version)
    assert "state" in caught.value.message_dict


@pytest.fixture
def gone(county: Organization) -> Organization:
    county.active = False
    county.save()
    return county


@pytest.mark.parametrize("role", ["lead_unit", "co_units"])
def test_a_unit_out_of_office_takes_no_task(
    policy: PolicyDocument, gone: Organization, act: ChangeContext, role: str
) -> None:
    task = make_task(policy, kind=Kind.QUALITATIVE)
    if role == "lead_unit":
        task.lead_unit = gone
    with pytest.raises(ValidationError) as caught:
        workflow.save_task(
            task, act, task.version, co_units=[gone] if role == "co_units" else None, today=TODAY
        )
    assert gone.name in caught.value.message_dict[role][0]


@pytest.mark.parametrize("role", ["lead_unit", "co_units"])
def test_a_unit_that_has_gone_since_is_handed_nothing(
    policy: PolicyDocument, bureau: Organization, gone: Organization, act: ChangeContext, role: str
) -> None:
    task = make_task(
        policy, kind=Kind.QUALITATIVE, lead_unit=gone if role == "lead_unit" else bureau
    )
    if role == "co_units":
        task.co_units.add(gone)
    with pytest.raises(ValidationError) as caught:
        workflow.execute_transition(task, Action.HAND_OVER, act, TODAY)
    assert gone.name in caught.value.message_dict[role][0]


def test_what_a_unit_has_when_it_goes_can_still_be_edited(
    policy: PolicyDocument, gone: Organization, act: ChangeContext
) -> None:
    task = make_task(policy, kind=Kind.QUALITATIVE, lead_unit=gone, assigned_on=TODAY)
    task.title = "New"
    workflow.save_task(task, act, task.version, today=TODAY)
    assert stored(task).title == "New"


def test_no_account_is_given_to_a_unit_out_of_office(liaison: User, gone: Organization) -> None:
    liaison.organization = gone
    with pytest.raises(ValidationError):
        workflow.save_object(liaison, ChangeContext(None, ChangeSource.COMMAND), liaison.version)


def test_the_choice_of_units_offers_those_in_office(
    client: Client, supervisor: User, gone: Organization
) -> None:
    Organization.objects.create(name="Office of the West", short_name="West")
    client.force_login(supervisor)
    asked = {"app_label": "tracker", "model_name": "task", "field_name": "lead_unit", "term": ""}
    found = client.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert [each["text"] for each in found] == ["West"]


def test_the_task_page_says_that_its_unit_is_out_of_office(
    client: Client, supervisor: User, policy: PolicyDocument, gone: Organization
) -> None:
    make_task(policy, kind=Kind.QUALITATIVE, lead_unit=gone, assigned_on=TODAY)
    client.force_login(supervisor)
    client.cookies["django_language"] = "en"
    assert "inactive" in client.get(reverse("task", args=["rise", "A1-01"])).content.decode()
