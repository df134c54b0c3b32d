"""The work list of a unit.

The periods that it names are those that the form opens on, and every call can be met.
"""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_policy, make_task
from tracker.domain.choices import Kind, PolicyState
from tracker.models import Organization, PolicyDocument, Task, User


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    """Hand a task over in March and report nothing: March, April, May and June are owed in June."""
    return make_task(
        policy,
        kind=Kind.QUALITATIVE,
        deadline=dt.date(2026, 12, 31),
        lead_unit=bureau,
        assigned_on=dt.date(2026, 3, 1),
        owed_from=dt.date(2026, 3, 1),
    )


@pytest.fixture
def unit(client: Client, liaison: User) -> Client:
    client.force_login(liaison)
    return client


def form_page(task: Task) -> str:
    return reverse("report", args=[task.policy.slug, task.code])


def lines(client: Client) -> list[Any]:
    return [line for group in client.get(reverse("my")).context["groups"] for line in group.lines]


def test_the_form_opens_on_the_first_owed_period(unit: Client, task: Task) -> None:
    assert unit.get(form_page(task)).context["report"].period_start == dt.date(2026, 3, 1)


def test_the_form_offers_every_owed_period(unit: Client, task: Task) -> None:
    starts = [start for start, _name, _chosen in unit.get(form_page(task)).context["offered"]]
    assert starts == ["2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"]


def test_the_work_list_names_the_day_by_which_the_form_says_it_is_due(
    unit: Client, task: Task
) -> None:
    (line,) = lines(unit)
    assert line.due == unit.get(form_page(task)).context["due"]


def test_a_supervisor_who_is_also_a_liaison_is_not_asked_for_tasks_of_a_draft_policy(
    client: Client, bureau: Organization
) -> None:
    draft = make_policy("draft", state=PolicyState.DRAFT)
    day = dt.date(2026, 5, 1)
    make_task(draft, lead_unit=bureau, assigned_on=day, owed_from=day)
    both = User.objects.create_user(
        "both", is_supervisor=True, is_liaison=True, organization=bureau
    )
    client.force_login(both)
    assert lines(client) == []
