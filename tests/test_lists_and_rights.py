"""Lists and rights ask one function.

What a unit is asked for, it may do, and the other way round.
"""

from itertools import combinations, product
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain import permissions
from tracker.domain.choices import Action, Capacity, Kind, PolicyState, ReportState, Role, Status
from tracker.domain.dates import DAY
from tracker.excel import progress_template
from tracker.models import Organization, ProgressUpdate, Task, User
from tracker.reports import worklist

OF_UNIT = {Capacity.LEAD, Capacity.HELPER}
WRITES = {Action.REPORT, Action.CONTRIBUTE}
PARTS = ("leads", "helps", "neither")
DATED: dict[Status, dict[str, Any]] = {
    Status.CLOSED: {"closed_on": TODAY},
    Status.CLOSING: {"closing_requested_on": TODAY},
}


@pytest.fixture
def tasks(bureau: Organization, county: Organization) -> list[Task]:
    """Make a task of each status in each state of a policy, handed over or not, in each part of the
    bureau.

    Each has a report that was returned to the bureau, so that more than one call asks for it.
    """
    for state in PolicyState:
        policy = make_policy(state, state=state)
        cases = product(Status, (True, False), PARTS)
        for number, (status, handed_over, part) in enumerate(cases):
            facts = (
                {"assigned_on": TODAY - 60 * DAY, "owed_from": TODAY - 60 * DAY}
                if handed_over
                else {}
            )
            lead = bureau if part == "leads" else county
            task = make_task(
                policy,
                f"A1-{number:02}",
                kind=Kind.QUALITATIVE,
                deadline=TODAY - DAY,
                status=status,
                lead_unit=lead,
                **facts,
                **DATED.get(status, {}),
            )
            if part == "helps":
                task.co_units.add(bureau)
            ProgressUpdate.objects.create(
                task=task,
                unit=bureau,
                contribution=part != "leads",
                period_start=(TODAY - 30 * DAY).replace(day=1),
                period_end=TODAY.replace(day=1) - DAY,
                state=ReportState.RETURNED,
                submitted_on=TODAY,
                progress="words",
            )
    return list(Task.objects.select_related("policy", "lead_unit").prefetch_related("co_units"))


@pytest.fixture
def accounts(bureau: Organization) -> list[User]:
    """Make an account of every set of roles, and beside the liaison one that is locked and one that
    is all.
    """
    found = []
    for size in range(len(Role) + 1):
        for roles in combinations(Role, size):
            flags = {f"is_{role}": True for role in roles}
            found.append(
                User.objects.create_user("-".join(roles) or "nobody", organization=bureau, **flags)
            )
    found.append(
        User.objects.create_user("locked", is_liaison=True, organization=bureau, is_active=False)
    )
    found.append(User.objects.create_superuser("root", is_liaison=True, organization=bureau))
    return found


def named(tasks: Any) -> set[str]:
    return {f"{task.policy.slug} {task.code}" for task in tasks}


def of_unit(task: Task, user: User) -> bool:
    return bool(permissions.acts_for(user, task) & OF_UNIT)


def test_the_list_of_an_account_holds_the_tasks_that_it_acts_on_for_its_unit(
    tasks: list[Task], accounts: list[User]
) -> None:
    listed = {
        user.username: named(Task.objects.asked_of(user).select_related("policy"))
        for user in accounts
    }
    assert listed == {
        user.username: named(task for task in tasks if of_unit(task, user)) for user in accounts
    }
    assert {username for username, found in listed.items() if found} == {
        user.username for user in accounts if user.is_active and user.is_liaison
    }


def test_the_workbook_of_an_account_asks_for_what_it_may_report(
    tasks: list[Task], accounts: list[User]
) -> None:
    for user in accounts:
        rows = progress_template.scope_of(
            user.organization, Task.objects.asked_of(user), TODAY
        ).rows
        may = (
            task
            for task in tasks
            if of_unit(task, user) and WRITES & {*workflow.allowed_actions(task, user)}
        )
        assert named(row.task for row in rows) == named(may), user.username


def test_every_call_of_the_work_list_can_be_met(
    tasks: list[Task], liaison: User, bureau: Organization
) -> None:
    asked = Task.objects.asked_of(liaison)
    groups = worklist.work_groups(asked.filter(lead_unit=bureau), bureau, TODAY)
    calls = [(group.call.action, line.task) for group in groups for line in group.lines]
    calls += [(Action.CONTRIBUTE, line.task) for line in worklist.helping(asked, bureau, TODAY)]
    by_key = {task.pk: task for task in tasks}
    refused = [
        (action, task.code)
        for action, task in calls
        if action not in workflow.allowed_actions(by_key[task.pk], liaison)
    ]
    assert refused == []
    # Each running task is called for; of those that are closing what was not acknowledged.
    running = [
        task
        for task in tasks
        if of_unit(task, liaison) and WRITES & {*workflow.allowed_actions(task, liaison)}
    ]
    assert named(running) <= named(task for _action, task in calls)


@pytest.mark.parametrize(
    "roles", [("liaison",), ("supervisor",), ("liaison", "supervisor"), ("liaison", "leader")]
)
def test_a_report_is_taken_where_its_button_is_shown(
    tasks: list[Task], bureau: Organization, roles: tuple[str, ...]
) -> None:
    user = User.objects.create_user(
        "x", organization=bureau, **{f"is_{role}": True for role in roles}
    )
    client = Client()
    client.force_login(user)
    wrong = []
    for task in tasks:
        may = bool(WRITES & {*workflow.allowed_actions(task, user)})
        period = f"{(TODAY - 30 * DAY).replace(day=1)}"
        address = f"{reverse('report', args=[task.policy.slug, task.code])}?period={period}"
        taken = client.post(address, {"progress": "new words", "seen": "0"}).status_code not in (
            403,
            404,
        )
        if may != taken:
            wrong.append((task.policy.slug, task.code, task.status, may))
    assert wrong == []
