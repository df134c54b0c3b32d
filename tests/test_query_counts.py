"""Every page and export asks the database as often at three tasks as at hundreds or thousands."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import MORNING, TODAY
from tests.factories import make_many, make_policy
from tests.sizes import size
from tracker.models import PolicyDocument, ProgressUpdate, Task, User

pytestmark = pytest.mark.django_db

FEW, MANY = 3, size("MANY_TASKS")

# What each address may ask at most: lists 15, details 20, overview and ledger 25.
LIMITS = {
    "home": 15,
    "policy": 25,
    "tasks": 15,
    "task": 20,
    "health": 20,
    "search": 15,
    "my": 15,
    "queue": 15,
    "review": 20,
    "report": 20,
    "step": 20,
    "measure": 20,
    "text": 20,
    "units": 15,
    "unit": 20,
    "unit_everywhere": 20,
    "ledger": 27,  # seven sheets: the list, its figures and what its rows point to
    "admin:tracker_task_changelist": 15,
    "admin:tracker_task_change": 20,
}


def count(client: Client, policy: PolicyDocument, name: str) -> int:
    """Count the queries of one address, session and account included."""
    slug, task = policy.slug, policy.tasks.select_related("measure").order_by("pk").first()
    arguments = {
        **{key: [slug] for key in ("policy", "tasks", "text", "health", "units", "ledger")},
        "task": [slug, task.code],
        "report": [slug, task.code],
        "step": [slug, task.code, "close"],
        "review": [ProgressUpdate.objects.waiting().values_list("pk", flat=True).first()],
        "measure": [slug, task.measure.code],
        "unit": [slug, task.lead_unit_id],
        "unit_everywhere": [task.lead_unit_id],
        "admin:tracker_task_change": [task.pk],
    }.get(name, [])
    address = reverse(name, args=arguments) + ("?q=%E4%BB%BB%E5%8A%A1" if name == "search" else "")
    client.get(address).getvalue()  # what Django keeps in memory for ever is asked for once
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
        # Read to the end, which closes a file; to close it by hand closes the database of the test
        # too.
        answer.getvalue()
    assert answer.status_code == 200
    return len(queries)


def hand_in(policy: PolicyDocument) -> None:
    """Let every task have a report that waits."""
    month = {"period_start": TODAY.replace(day=1), "period_end": TODAY, "submitted_on": TODAY}
    tasks = policy.tasks.filter(reports__isnull=True)
    rows = [
        ProgressUpdate(task=t, unit_id=t.lead_unit_id, state="submitted", progress="x", **month)
        for t in tasks
    ]
    ProgressUpdate.objects.bulk_create(rows, batch_size=500)


@pytest.fixture(scope="module")
def counts(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[int, dict[str, int]]]:
    """Count the queries of every address at few and at many tasks, which are made once for all
    addresses.
    """
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        time_machine.travel(MORNING, tick=False),
    ):
        yield {many: _count_all(many) for many in (FEW, MANY)}
        transaction.set_rollback(True)


def _count_all(many: int) -> dict[str, int]:
    policy = PolicyDocument.objects.filter(slug="rise").first() or make_policy()
    make_many(policy, many)
    hand_in(policy)
    # A unit's work list and the office's pages, for one account.
    first = policy.tasks.order_by("pk").select_related("lead_unit").first()
    roles = {"is_supervisor": True, "is_liaison": True, "organization": first.lead_unit}
    reader, _made = User.objects.update_or_create(username="reader", defaults=roles)
    Task.objects.filter(pk=first.pk).update(
        status="in_progress", closed_on=None, closing_requested_on=None
    )
    client = Client()
    client.force_login(reader)
    return {name: count(client, policy, name) for name in LIMITS}


@pytest.mark.parametrize("name", LIMITS)
def test_many_tasks_cost_no_query_more_than_three(
    counts: dict[int, dict[str, int]], name: str
) -> None:
    assert counts[FEW][name] == counts[MANY][name] <= LIMITS[name]
