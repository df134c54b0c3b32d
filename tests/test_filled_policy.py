"""Every page, export and command works once on a policy of many tasks in which every kind of row
occurs.
"""

from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.conftest import MORNING
from tests.filled import first_task, make_filled, make_readers
from tests.sizes import size
from tests.test_access import TABLE
from tracker.models import (
    BackgroundPassage,
    DeclaredCount,
    Evidence,
    ImportBatch,
    Indicator,
    PolicyDocument,
    ProgressUpdate,
    SentReminder,
)

pytestmark = pytest.mark.django_db

COUNT = size("MANY_TASKS")
# What the lists are asked for beside the bare address.
QUERIES = {
    "tasks": ["?q=任务&sort=-light&per_page=50", "?light=red"],
    "ledger": ["?light=red"],
    "search": ["?q=任务"],
    "queue": ["?page=2"],
    "admin:tracker_task_changelist": ["?q=任务"],
    "admin:autocomplete": ["?app_label=tracker&model_name=task&field_name=lead_unit&term=U"],
}
QUEUES = ("reports", "requests", "help", "silent")
# Whose pages differ from the office's: the others read less of the same.
OTHERS = {
    "liaison": ("home", "my", "policy", "tasks", "task", "unit", "report", "my_fill_in"),
    "leader": ("home", "policy", "task", "units"),
}


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[PolicyDocument]:
    """Make the policy once for all tests of this module."""
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        time_machine.travel(MORNING, tick=False),
    ):
        yield make_filled(COUNT)
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def clients(filled: PolicyDocument) -> dict[str, Client]:
    """Log a person of each role in."""
    found = {}
    for role, user in make_readers(filled).items():
        found[role] = Client()
        found[role].force_login(user)
    return found


def objects_of(policy: PolicyDocument) -> dict[str, Any]:
    """Return what stands for each argument of an address."""
    task = first_task(policy)
    rows = {
        "policydocument": policy,
        "section": policy.sections.first(),
        "measure": policy.measures.first(),
        "task": task,
        "indicator": Indicator.objects.filter(task=task).first(),
        "declaredcount": DeclaredCount.objects.first(),
        "backgroundpassage": BackgroundPassage.objects.first(),
        "organization": task.lead_unit,
        "sentreminder": SentReminder.objects.first(),
        "report": ProgressUpdate.objects.filter(task=task).first(),
        "proof": Evidence.objects.filter(task=task).first(),
        "batch": ImportBatch.objects.first(),
    }
    return {name: row.pk for name, row in rows.items() if row}


def addresses(policy: PolicyDocument, user: int, names: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every address of the product, or some of them, with the objects of the policy in it."""
    known = objects_of(policy) | {"user": user}
    special = {"slug": policy.slug, "code": first_task(policy).code}
    for name, (arguments, _expected) in TABLE.items():
        # The filled policy has had no unit moved.
        if (names and name not in names) or "unitmove" in arguments.values():
            continue
        filled_in = {
            key: special.get(key, known.get(value, value)) for key, value in arguments.items()
        }
        if name == "measure":
            filled_in["code"] = "A1"
        address = reverse(name, kwargs=filled_in)
        yield from (address + query for query in ["", *QUERIES.get(name, [])])
    if not names:
        yield from (reverse("queue", args=[show]) for show in QUEUES)


def broken(client: Client, wanted: Iterator[str]) -> list[tuple[str, object]]:
    """Return the addresses that answer 500, or raise."""
    found: list[tuple[str, object]] = []
    for address in wanted:
        try:
            answer = client.get(address)
            answer.getvalue()
        except Exception as error:  # any fault is one to name
            found.append((address, repr(error)[:200]))
        else:
            if answer.status_code >= 500:
                found.append((address, answer.status_code))
    return found


def test_who_may_read_everything_opens_every_address(
    filled: PolicyDocument, clients: dict[str, Client]
) -> None:
    assert broken(clients["root"], addresses(filled, 1)) == []


@pytest.mark.parametrize("role", OTHERS)
def test_the_other_roles_open_their_pages(
    filled: PolicyDocument, clients: dict[str, Client], role: str
) -> None:
    assert broken(clients[role], addresses(filled, 1, OTHERS[role])) == []


# A command that finds faults in a policy ends in words, which is no failure of the command.
COMMANDS: dict[str, list[str]] = {
    "check_policy": ["filled"],
    "send_reminders": ["--dry-run"],
    "export_ledger": ["--policy", "filled", "--out", "{out}/ledger.xlsx", "--filter", "light=red"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_reads_a_policy_runs(
    filled: PolicyDocument, tmp_path: Path, name: str
) -> None:
    with suppress(CommandError):
        call_command(
            name, *(each.format(out=tmp_path) for each in COMMANDS[name]), stdout=StringIO()
        )
