"""No page of the admin grows with the tasks, measures, reports or the history that there are."""

import re
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_many, make_task
from tests.sizes import size
from tracker.models import (
    DeclaredCount,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
    User,
)

SPARE = 2_000  # bytes: numbers of more digits, links to more pages of a list
# A list shows a page of its rows and offers the way to the others.
PAGE_OF_ROWS = re.compile(r"<tbody>.*?</tbody>|<p class=\"paginator\">.*?</p>", re.DOTALL)


@pytest.fixture
def desk(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


def fill(policy: PolicyDocument, tasks: int, parts: int) -> None:
    """Bring a policy to some tasks, each with a report, and some measures, each with its own
    section.
    """
    make_many(policy, tasks)
    month = {
        "period_start": TODAY.replace(day=1),
        "period_end": TODAY,
        "submitted_on": TODAY,
        "state": "submitted",
    }
    ProgressUpdate.objects.bulk_create(
        [
            ProgressUpdate(task=task, unit_id=task.lead_unit_id, **month)
            for task in policy.tasks.filter(reports=None)
        ],
        batch_size=500,
    )
    for number in range(policy.sections.count() + 1, parts):
        section = Section.objects.create(policy=policy, number=number, name=f"Section {number}")
        Measure.objects.create(
            policy=policy, section=section, code=f"C{number}", order=number, name=f"M {number}"
        )


def addresses(rows: dict[str, int], policy: PolicyDocument) -> list[str]:
    """List every page of the admin.

    Of each model the list, a new one, one, its history and its deletion.
    """
    found = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:tracker_{model._meta.model_name}"
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        pages = ("change", "history", "delete")
        found += [reverse(f"{name}_{page}", args=[rows[name]]) for page in pages if name in rows]
    return [*found, reverse("admin:tracker_task_changelist") + f"?policy__id__exact={policy.pk}"]


@pytest.fixture
def weigh(
    desk: Client, policy: PolicyDocument, bureau: Organization
) -> Callable[[], dict[str, int]]:
    make_task(policy, "A1-000000", lead_unit=bureau)
    count = DeclaredCount.objects.create(
        policy=policy, name="x", number=1, section=policy.sections.first()
    )
    rows: dict[str, int] = {
        "admin:tracker_policydocument": policy.pk,
        "admin:tracker_section": policy.sections.order_by("pk")[0].pk,
        "admin:tracker_measure": policy.measures.order_by("pk")[1].pk,
        "admin:tracker_task": Task.objects.get().pk,
        "admin:tracker_declaredcount": count.pk,
        "admin:tracker_organization": bureau.pk,
    }
    PolicyDocument.objects.filter(pk=policy.pk).update(state="draft")

    def weigh() -> dict[str, int]:
        answers = {address: desk.get(address) for address in addresses(rows, policy)}
        return {
            address: len(PAGE_OF_ROWS.sub("", answer.content.decode()).encode())
            for address, answer in answers.items()
            if answer.status_code == 200
        }

    return weigh


def test_no_page_grows_with_tasks_measures_and_reports(
    weigh: Callable[[], dict[str, int]], policy: PolicyDocument
) -> None:
    fill(policy, 60, 60)  # a full page of every list
    few = weigh()
    fill(policy, size("MANY_TASKS"), 200)
    many = weigh()
    assert few.keys() == many.keys()
    assert len(few) >= 30
    assert {
        address: many[address] - weight
        for address, weight in few.items()
        if many[address] - weight > SPARE
    } == {}


def test_a_task_is_offered_while_typing_with_its_policy(
    desk: Client, policy: PolicyDocument
) -> None:
    make_task(policy, "A1-01")
    source = "app_label=tracker&model_name=declaredcount&field_name=task&term=A1-01"
    (found,) = desk.get(reverse("admin:autocomplete") + f"?{source}").json()["results"]
    assert found["text"] == "A1-01 Task A1-01 — Policy rise"


def test_a_chosen_measure_is_named_with_its_policy(desk: Client, policy: PolicyDocument) -> None:
    task = make_task(policy, "A1-01")
    page = desk.get(reverse("admin:tracker_task_change", args=[task.pk])).content.decode()
    assert f"{task.measure} — Policy rise</option>" in page
