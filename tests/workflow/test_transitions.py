"""The table of steps: every status, action and role; what is not in the table is refused."""

import datetime as dt
import random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tests.sizes import size
from tracker import workflow
from tracker.domain import lights
from tracker.domain.choices import (
    OPEN_STATUSES,
    STANDING_REPORT_STATES,
    Action,
    Capacity,
    ChangeSource,
    Kind,
    PolicyState,
    Rating,
    ReportState,
    RequestKind,
    RequestState,
    Status,
)
from tracker.domain.dates import DAY, period_of
from tracker.forms.progress import StepForm
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
from tracker.workflow import ChangeContext, Transition

JULY, AUGUST = dt.date(2026, 7, 31), dt.date(2026, 8, 31)
ROLES = (
    "lead",
    "helper",
    "other",
    "leader",
    "supervisor",
    "administrator",
    "superuser",
    "disabled",
)
# In which capacities each of them acts on a task of the bureau that the county helps with.
CAPACITIES = {
    "lead": {Capacity.LEAD},
    "helper": {Capacity.HELPER},
    "supervisor": {Capacity.OFFICE},
    "superuser": {Capacity.OFFICE},
}
WEB = "https://example.cn/proof"


@pytest.fixture
def people(
    bureau: Organization, county: Organization, supervisor: User, leader: User, administrator: User
) -> Any:
    west = Organization.objects.create(name="Office of the West", short_name="West", order=30)
    return {
        "lead": User.objects.create_user("lead", is_liaison=True, organization=bureau),
        "helper": User.objects.create_user("helper", is_liaison=True, organization=county),
        "other": User.objects.create_user("other", is_liaison=True, organization=west),
        "leader": leader,
        "supervisor": supervisor,
        "administrator": administrator,
        "superuser": User.objects.create_superuser("root"),
        "disabled": User.objects.create_user(
            "gone", is_liaison=True, organization=bureau, is_active=False
        ),
    }


def make(policy: PolicyDocument, status: Status = Status.IN_PROGRESS, **facts: Any) -> Task:
    """Make a task that is handed over to the bureau and helped by the county, in a status."""
    days = {
        Status.CLOSED: {"closed_on": TODAY},
        Status.CLOSING: {"closing_requested_on": TODAY},
    }.get(status, {})
    facts = {
        "deadline": JULY,
        "kind": Kind.QUALITATIVE,
        "lead_unit": Organization.objects.get(short_name="Science"),
        "assigned_on": TODAY - 90 * DAY,
        "owed_from": TODAY - 90 * DAY,
    } | facts
    task = make_task(policy, status=status, **days, **facts)
    task.co_units.add(Organization.objects.get(short_name="East"))
    return task


def act_of(user: User | None) -> ChangeContext:
    return ChangeContext(user, ChangeSource.PAGE)


def ready(task: Task, action: Action, author: User | None = None) -> None:
    """Lay what an action is about: a report or a request that waits, or evidence."""
    asked = {"asked_by": author, "asked_on": TODAY}
    if action in (Action.ACCEPT, Action.RETURN):
        report(task, ReportState.SUBMITTED, submitted_by=author)
    if action in (Action.GRANT_CLOSING, Action.RETURN_CLOSING, Action.WITHDRAW_CLOSING):
        TaskRequest.objects.create(task=task, kind=RequestKind.CLOSE, **asked)
    if action in (Action.GRANT_EXTENSION, Action.RETURN_EXTENSION):
        TaskRequest.objects.create(
            task=task,
            kind=RequestKind.EXTEND,
            new_deadline=AUGUST,
            old_deadline=JULY,
            reason="floods",
            **asked,
        )
    if action == Action.WITHDRAW_ACCEPTANCE:
        task.latest_report = report(task, ReportState.ACCEPTED, submitted_by=author)
        task.save()
    if action == Action.TICK:
        ChecklistItem.objects.create(task=task, number=1, title="Step")


def report(
    task: Task, state: ReportState = ReportState.DRAFT, month: int = 6, **facts: Any
) -> ProgressUpdate:
    """Lay a report of the lead unit for a month of 2026."""
    period = period_of("monthly", dt.date(2026, month, 1))
    facts = {
        "unit": task.lead_unit,
        "progress": "done a lot",
        "submitted_on": None if state == "draft" else TODAY,
    } | facts
    return ProgressUpdate.objects.create(
        task=task, state=state, period_start=period.start, period_end=period.end, **facts
    )


def take(
    task: Task, action: Action, user: User | None, today: dt.date = TODAY, **entered: Any
) -> None:
    """Take any step of the table with everything that it needs."""
    act = act_of(user)
    if action in (Action.REPORT, Action.CONTRIBUTE):
        unit = user.organization if user and user.organization else task.lead_unit
        found = workflow.open_report(task, unit, period_of("monthly", today))
        found.progress, found.percent = (
            f"on {today}",
            50 if workflow.has_own_percent(task) else None,
        )
        found.contribution = action == Action.CONTRIBUTE
        with (
            transaction.atomic()
        ):  # a draft is kept even where it cannot be handed in; here it goes
            workflow.save_draft(found, act, today=today)
            workflow.submit(found, act, today)
    elif action in (Action.ACCEPT, Action.RETURN):
        waiting = task.reports.filter(contribution=False, state=ReportState.SUBMITTED).first()
        if waiting is None:
            raise ValidationError("none")
        if action == Action.ACCEPT:
            workflow.accept(waiting, act, waiting.version, today)
        else:
            workflow.send_back(waiting, act, waiting.version, "too short", today)
    elif action == Action.WITHDRAW_ACCEPTANCE:
        if task.latest_report is None:
            raise ValidationError("none")
        workflow.withdraw_acceptance(task.latest_report, act, None, "a slip", today)
    else:
        item = task.items.order_by("done_on", "pk").first()
        whole: dict[str, Any] = {
            "reason": "because",
            "note": "seen",
            "progress": "half way",
            "rating": Rating.GOOD,
            "deadline": max(AUGUST, today + 30 * DAY),
            "on": today,
            "item": item.pk if item else 0,
            "done_on": today,
            "evidence": [Evidence(name="proof", link=WEB)],
        }
        workflow.execute_transition(task, action, act, today, **whole | entered)


def fits(action: Action, task: Task) -> bool:
    """Say by hand which facts beside the status an action needs."""
    if action == Action.HAND_OVER:
        return task.assigned_on is None
    if action == Action.ACKNOWLEDGE:
        return task.acknowledged_on is None
    return True


# Action, by whom, from which statuses, to which; written anew here, so that a slip in the table
# shows.
RUNNING = ("not_started", "in_progress")
EXPECTED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "hand_over": ("office", (), ""),  # the tasks of these tests are handed over
    "acknowledge": ("lead", (*RUNNING, "closing"), ""),
    "report": ("lead office", RUNNING, "in_progress"),
    "contribute": ("helper office", RUNNING, ""),
    "tick": ("lead office", RUNNING, "in_progress"),
    "accept": ("office", ("not_started", "in_progress", "closing", "closed", "suspended"), ""),
    "return": ("office", ("not_started", "in_progress", "closing", "closed", "suspended"), ""),
    "withdraw_acceptance": ("office", (*RUNNING, "suspended"), ""),
    "request_closing": ("lead office", RUNNING, "closing"),
    "withdraw_closing": ("lead", ("closing",), "in_progress"),
    "grant_closing": ("office", ("closing",), "closed"),
    "return_closing": ("office", ("closing",), "in_progress"),
    "request_extension": ("lead", RUNNING, ""),
    "grant_extension": ("office", RUNNING, ""),
    "return_extension": ("office", RUNNING, ""),
    "close": ("office", RUNNING, "closed"),
    "suspend": ("office", RUNNING, "suspended"),
    "resume": ("office", ("suspended",), "in_progress"),
    "cancel": ("office", ("not_started", "in_progress", "closing", "suspended"), "cancelled"),
    "reopen": ("office", ("closed", "cancelled"), "in_progress"),
}


def test_every_action_is_expected_here() -> None:
    assert EXPECTED.keys() == set(Action.values) == {str(action) for action in workflow.TRANSITIONS}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", Status)
def test_a_step_is_taken_by_those_and_from_those_statuses_alone(
    policy: PolicyDocument, people: dict[str, User], action: Action, status: Status
) -> None:
    doers, sources, target = EXPECTED[action]
    outcomes = {}
    for role in ROLES:
        task = make(policy, status, code=f"A1-{ROLES.index(role)}")
        ready(task, action)
        before = Task.objects.values().get(pk=task.pk)
        try:
            take(task, action, people[role])
            outcomes[role] = "done"
        except PermissionDenied:
            outcomes[role] = "forbidden"
        except ValidationError:
            outcomes[role] = "unfit"
        after = Task.objects.values().get(pk=task.pk)
        if outcomes[role] == "done":
            assert after["status"] == (target or status)
        else:
            assert after == before
    for role, outcome in outcomes.items():
        may = {str(doer) for doer in CAPACITIES.get(role, set())} & set(doers.split())
        assert outcome == ("forbidden" if not may else "done" if status in sources else "unfit"), (
            role
        )


@pytest.mark.parametrize("action", Action)
def test_the_buttons_offered_are_the_steps_that_can_be_taken(
    policy: PolicyDocument, people: dict[str, User], action: Action
) -> None:
    for status in Status:
        task = make(policy, status, code=f"A1-{status}"[:20].replace("_", "-"))
        if action == Action.WITHDRAW_ACCEPTANCE:
            ready(task, action)
        for role in ROLES:
            may = bool(
                {str(doer) for doer in CAPACITIES.get(role, set())}
                & set(EXPECTED[action][0].split())
            )
            offered = action in workflow.allowed_actions(task, people[role])
            assert offered == (may and status in EXPECTED[action][1]), (role, status)


def test_a_liaison_acts_on_nothing_in_a_draft(
    people: dict[str, User], bureau: Organization
) -> None:
    task = make(make_policy("draft", state=PolicyState.DRAFT))
    assert workflow.allowed_actions(task, people["lead"]) == []


def test_a_liaison_acts_on_nothing_that_is_not_handed_over(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy, assigned_on=None, owed_from=None)
    assert workflow.allowed_actions(task, people["lead"]) == []


def test_a_task_is_handed_over_once(policy: PolicyDocument, people: dict[str, User]) -> None:
    task = make(policy, assigned_on=None, owed_from=None)
    take(task, Action.HAND_OVER, people["supervisor"])
    with pytest.raises(ValidationError):
        take(task, Action.HAND_OVER, people["supervisor"])


def test_another_lead_unit_acknowledges_anew(
    policy: PolicyDocument, people: dict[str, User], act: ChangeContext, county: Organization
) -> None:
    task = make(policy)
    take(task, Action.ACKNOWLEDGE, people["lead"])
    found = Task.objects.get()
    found.lead_unit = county
    workflow.save_task(found, act, found.version, co_units=[], today=TODAY)
    assert Task.objects.get().acknowledged_on is None


@pytest.mark.parametrize(
    "action", [Action.ACCEPT, Action.RETURN, Action.GRANT_CLOSING, Action.RETURN_CLOSING]
)
@pytest.mark.parametrize("role", ["supervisor", "superuser"])
def test_nobody_reviews_their_own(
    policy: PolicyDocument, people: dict[str, User], action: Action, role: str
) -> None:
    task = make(policy, Status.CLOSING if "closing" in action else Status.IN_PROGRESS)
    ready(task, action, author=people[role])
    with pytest.raises(PermissionDenied):
        take(task, action, people[role])


def test_a_grant_makes_the_day_of_the_request_the_day_that_counts(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy, deadline=TODAY)
    take(task, Action.REQUEST_CLOSING, people["lead"])
    take(task, Action.GRANT_CLOSING, people["supervisor"], TODAY + 20 * DAY)
    ask = TaskRequest.objects.get()
    assert (Task.objects.get().closed_on, ask.decided_on, ask.rating) == (
        TODAY,
        TODAY + 20 * DAY,
        Rating.GOOD,
    )


def test_a_closing_that_is_returned_leaves_no_day_of_request(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy)
    take(task, Action.REQUEST_CLOSING, people["lead"])
    take(task, Action.RETURN_CLOSING, people["supervisor"])
    assert (Task.objects.get().closing_requested_on, TaskRequest.objects.get().decision_note) == (
        None,
        "seen",
    )


def test_a_granted_closing_is_rated(policy: PolicyDocument, people: dict[str, User]) -> None:
    task = make(policy)
    take(task, Action.REQUEST_CLOSING, people["lead"])
    with pytest.raises(ValidationError) as caught:
        take(task, Action.GRANT_CLOSING, people["supervisor"], rating="")
    assert "rating" in caught.value.message_dict


def test_closing_needs_evidence(policy: PolicyDocument, people: dict[str, User]) -> None:
    with pytest.raises(ValidationError) as caught:
        take(make(policy), Action.REQUEST_CLOSING, people["lead"], evidence=())
    assert "evidence" in caught.value.message_dict


def test_evidence_of_an_earlier_report_suffices_for_a_closing(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy)
    Evidence.objects.create(task=task, name="proof", link=WEB, added_on=TODAY)
    take(task, Action.REQUEST_CLOSING, people["lead"], evidence=())
    assert Task.objects.get().status == Status.CLOSING


def test_closing_needs_every_step_ticked(policy: PolicyDocument, people: dict[str, User]) -> None:
    task = make(policy)
    ready(task, Action.TICK)
    with pytest.raises(ValidationError):
        take(task, Action.REQUEST_CLOSING, people["lead"])
    take(task, Action.TICK, people["lead"])
    take(task, Action.REQUEST_CLOSING, people["lead"])
    assert Task.objects.get().status == Status.CLOSING


@pytest.mark.parametrize(("percent", "closes"), [(99, False), (100, True)])
def test_a_quantified_task_without_checklist_closes_at_100_percent(
    policy: PolicyDocument, people: dict[str, User], percent: int, closes: bool
) -> None:
    task = make(policy, kind=Kind.QUANTIFIED, percent=percent)
    if closes:
        take(task, Action.REQUEST_CLOSING, people["lead"])
    else:
        with pytest.raises(ValidationError):
            take(task, Action.REQUEST_CLOSING, people["lead"])
    assert (Task.objects.get().status == Status.CLOSING) is closes


def test_a_qualitative_task_without_checklist_closes_with_a_statement(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    with pytest.raises(ValidationError) as caught:
        take(make(policy), Action.REQUEST_CLOSING, people["lead"], reason=" ")
    assert "reason" in caught.value.message_dict


def test_a_standing_task_is_closed_by_the_office_alone(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy, kind=Kind.STANDING, deadline=None)
    with pytest.raises(ValidationError):
        take(task, Action.REQUEST_CLOSING, people["lead"])
    take(task, Action.CLOSE, people["supervisor"])
    assert Task.objects.get().status == Status.CLOSED


def test_more_time_moves_the_current_deadline_alone(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy)
    take(task, Action.REQUEST_EXTENSION, people["lead"])
    take(task, Action.GRANT_EXTENSION, people["supervisor"])
    found = Task.objects.get()
    granted = found.requests.filter(kind=RequestKind.EXTEND, state=RequestState.GRANTED)
    assert (found.original_deadline, found.deadline, granted.count()) == (JULY, AUGUST, 1)


def test_the_history_says_why_more_time_was_granted(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy)
    take(task, Action.REQUEST_EXTENSION, people["lead"], reason="floods")
    take(task, Action.GRANT_EXTENSION, people["supervisor"])
    assert task.history.first().history_change_reason == "floods"


def test_more_time_is_asked_for_before_the_deadline(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    with pytest.raises(ValidationError):
        take(make(policy), Action.REQUEST_EXTENSION, people["lead"], JULY + DAY)


def test_more_time_means_a_later_day(policy: PolicyDocument, people: dict[str, User]) -> None:
    with pytest.raises(ValidationError) as caught:
        take(make(policy), Action.REQUEST_EXTENSION, people["lead"], deadline=JULY)
    assert "deadline" in caught.value.message_dict


def test_a_second_request_for_more_time_waits_for_the_first(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy)
    take(task, Action.REQUEST_EXTENSION, people["lead"])
    with pytest.raises(ValidationError):
        take(task, Action.REQUEST_EXTENSION, people["lead"])
    assert TaskRequest.objects.count() == 1


def test_a_deadline_that_the_office_moves_counts_as_an_extension(
    policy: PolicyDocument, act: ChangeContext, people: Any
) -> None:
    task = make(policy)
    workflow.set_deadline(task, act, task.version, AUGUST, TODAY)
    ask = TaskRequest.objects.get()
    assert (ask.state, ask.old_deadline, ask.new_deadline, ask.reason) == (
        "granted",
        JULY,
        AUGUST,
        "because",
    )


def test_what_waits_is_returned_when_a_task_is_cancelled(
    policy: PolicyDocument, people: dict[str, User]
) -> None:
    task = make(policy)
    take(task, Action.REQUEST_EXTENSION, people["lead"])
    take(task, Action.CANCEL, people["supervisor"])
    assert TaskRequest.objects.get().state == RequestState.RETURNED


@pytest.mark.parametrize("action", [Action.SUSPEND, Action.CANCEL])
def test_stopping_needs_a_reason(
    policy: PolicyDocument, people: dict[str, User], action: Action
) -> None:
    with pytest.raises(ValidationError) as caught:
        take(make(policy), action, people["supervisor"], reason="")
    assert "reason" in caught.value.message_dict


def test_reopening_asks_for_a_new_deadline(policy: PolicyDocument, people: dict[str, User]) -> None:
    task = make(policy, Status.CLOSED)
    with pytest.raises(ValidationError) as caught:
        take(task, Action.REOPEN, people["supervisor"], deadline=None)
    assert "deadline" in caught.value.message_dict


def test_a_tick_says_who_and_when(policy: PolicyDocument, people: dict[str, User]) -> None:
    task = make(policy)
    ready(task, Action.TICK)
    take(task, Action.TICK, people["lead"])
    item = ChecklistItem.objects.get()
    assert (item.done_on, item.done_by, Task.objects.get().percent) == (TODAY, people["lead"], 100)


def test_a_second_tick_has_no_effect(policy: PolicyDocument, people: dict[str, User]) -> None:
    task = make(policy)
    ready(task, Action.TICK)
    take(task, Action.TICK, people["lead"])
    take(task, Action.TICK, people["supervisor"], TODAY + DAY)
    assert (
        ChecklistItem.objects.get().done_by,
        ChecklistItem.history.filter(history_type="~").count(),
    ) == (
        people["lead"],
        1,
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Status.CLOSED, Status.NOT_STARTED),
        (Status.SUSPENDED, Status.CLOSED),
        ("closing", "suspended"),
    ],
)
def test_no_edit_moves_a_status_past_the_table(
    policy: PolicyDocument, act: ChangeContext, people: Any, before: str, after: str
) -> None:
    task = make(policy, Status(before))
    with pytest.raises(ValidationError):
        workflow.set_status(task, act, task.version, Status(after), TODAY)


def test_an_edit_of_the_status_decides_the_request_that_waits(
    policy: PolicyDocument, people: dict[str, User], act: ChangeContext
) -> None:
    task = make(policy)
    take(task, Action.REQUEST_CLOSING, people["lead"])
    found = Task.objects.get()
    workflow.set_status(found, act, found.version, Status.IN_PROGRESS, TODAY)
    assert TaskRequest.objects.get().state == RequestState.RETURNED


SAFE = [HealthCheck.function_scoped_fixture]


@pytest.fixture
def walkers(policy: PolicyDocument, people: dict[str, User]) -> dict[str, User]:
    return people


@settings(max_examples=size("EXAMPLES") // 4, suppress_health_check=SAFE)
@given(seed=st.integers(0, 10**9), kind=st.sampled_from(list(Kind)), steps=st.integers(0, 3))
def test_fifty_random_steps_leave_a_task_in_order(
    policy: PolicyDocument, walkers: dict[str, User], seed: int, kind: Kind, steps: int
) -> None:
    dice, today = random.Random(seed), TODAY
    code = f"A1-{Task.objects.count()}"
    task = make(policy, code=code, kind=kind, deadline=None if kind == Kind.STANDING else JULY)
    for number in range(steps):
        ChecklistItem.objects.create(task=task, number=number, title=f"Step {number}")
    workflow.refresh_tasks([policy.pk])
    for _step in range(50):
        today += dice.choice([0, 1, 9]) * DAY
        role = dice.choice(["lead", "lead", "helper", "supervisor", "supervisor", "other"])
        before = state_of(task)
        try:
            entered = {"item": dice.choice([item.pk for item in task.items.all()] or [0])}
            take(task, dice.choice(list(Action)), walkers[role], today, **entered)
        except (ValidationError, PermissionDenied):
            assert state_of(task) == before
        found = Task.objects.get(pk=task.pk)
        in_order(found)
        assert (state_of(task) == before) or task.history.first().version == found.version


def state_of(task: Task) -> tuple[Any, ...]:
    """Return everything that a step may change."""
    TaskQ = Task.objects.filter(pk=task.pk).values()
    reports = task.reports.order_by("pk").values_list("pk", "state", "version")
    requests = task.requests.order_by("pk").values_list("pk", "state", "version")
    items = task.items.order_by("pk").values_list("pk", "done_on")
    return (*TaskQ, tuple(reports), tuple(requests), tuple(items), task.history.count())


def in_order(task: Task) -> None:
    """Hold a task against the rules of the domain, from its raw rows."""
    items = list(task.items.all())
    latest = (
        task.reports.filter(contribution=False, state=ReportState.ACCEPTED)
        .order_by("-period_start", "-pk")
        .first()
    )
    if items:
        assert task.percent == 100 * sum(bool(item.done_on) for item in items) // len(items)
    elif task.kind != Kind.QUANTIFIED:
        assert task.percent == 0
    assert task.latest_report == latest
    standing = (
        task.reports.filter(contribution=False, state__in=STANDING_REPORT_STATES)
        .order_by("period_end")
        .last()
    )
    assert task.reported_through == (standing.period_end if standing else None)
    assert (task.turns_yellow_on, task.turns_red_on) == lights.turning_dates(task, task.policy)
    assert (task.status == Status.CLOSED) == (task.closed_on is not None)
    waiting = set(task.requests.filter(state=RequestState.OPEN).values_list("kind", flat=True))
    assert (
        (task.status == Status.CLOSING)
        == (task.closing_requested_on is not None)
        == (RequestKind.CLOSE in waiting)
    )
    assert task.status in OPEN_STATUSES or not waiting
    newest = task.history.first()
    if newest:
        for name in (
            "status",
            "deadline",
            "closed_on",
            "version",
            "acknowledged_on",
            "reported_through",
        ):
            assert getattr(newest, name) == getattr(task, name)


def test_the_steps_stand_in_the_order_of_the_actions() -> None:
    assert list(workflow.TRANSITIONS) == list(Action)


@pytest.mark.parametrize("step", workflow.TRANSITIONS.values(), ids=lambda step: str(step.action))
def test_a_step_with_a_page_has_an_effect_and_fields_of_its_form(step: Transition) -> None:
    assert set(step.field_names) <= set(StepForm.base_fields)
    assert step.effect or not step.has_page
