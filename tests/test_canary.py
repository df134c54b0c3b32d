"""Nothing that a unit is not concerned by reaches it.

Words of a foreign unit, looked for on every address.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from tests.conftest import TODAY
from tests.factories import make_task
from tests.test_access import TABLE, cast
from tracker import workflow
from tracker.domain.choices import ChangeSource
from tracker.models import Evidence, PolicyDocument, ProgressUpdate, Task, TaskRequest

__all__ = ["cast"]
CANARY, BAIT = "CANARY", "zebra"  # what must not be seen, and what is asked for to see it
WORDS = f"{CANARY} {BAIT}"
# What is asked for on each address beside the bare one; the search for the bait echoes the bait
# alone.
QUERIES = {
    "search": [{"q": BAIT}, {"q": "A1"}],
    "tasks": [
        {"q": BAIT},
        {"unit": "{bureau}"},
        {"lead": "{bureau}"},
        {"sort": "-title"},
        {"per_page": "50"},
    ],
    "ledger": [{"q": BAIT}, {"unit": "{bureau}"}],
    "queue": [{"page": "1"}],
    "admin:autocomplete": [
        {"app_label": "tracker", "model_name": "task", "field_name": "lead_unit", "term": BAIT},
    ],
}


@pytest.fixture
def texts(cast: dict[str, Any]) -> dict[str, Any]:
    """Write the canary into every text of a task of two units, and into a draft that nobody but the
    office sees.
    """
    task = Task.objects.get(code="A1-01", policy__slug="rise")
    Task.objects.filter(pk=task.pk).update(
        **dict.fromkeys(
            ("title", "description", "remark", "lead_official", "responsible_person"), WORDS
        )
    )
    task.items.update(title=WORDS)
    ProgressUpdate.objects.update(
        **dict.fromkeys(
            ("progress", "problems", "next_steps", "help_addressee", "help_answer", "review_note"),
            WORDS,
        )
    )
    Evidence.objects.update(name=WORDS)
    TaskRequest.objects.create(
        task=task, kind="extend", reason=WORDS, progress=WORDS, new_deadline=TODAY, asked_on=TODAY
    )
    task.refresh_from_db()
    workflow.save_task(
        task,
        workflow.ChangeContext(cast["supervisor"], ChangeSource.PAGE, WORDS),
        task.version,
        today=TODAY,
    )
    draft = PolicyDocument.objects.get(slug="draft")
    draft.title = draft.full_text = WORDS
    draft.save()
    make_task(draft, "B1-01", title=WORDS, lead_unit=cast["other_liaison"].organization)
    # One task of the reader's own, so that lists are not empty, and one not handed over yet, which
    # is not the unit's.
    own = cast["other_liaison"].organization
    make_task(
        task.policy, "B1-02", title="Own", lead_unit=own, kind="qualitative", assigned_on=TODAY
    )
    make_task(task.policy, "B1-03", title=WORDS, lead_unit=own, kind="qualitative")
    return {**cast, "bureau": str(task.lead_unit_id)}


def asked(texts: dict[str, Any]) -> Iterator[str]:
    """Yield every address of the product with the objects of the foreign unit in it, bare and with
    questions.
    """
    objects = texts["objects"]
    for name, (arguments, _expected) in TABLE.items():
        slugs = [arguments["slug"], "draft"] if "slug" in arguments else [None]
        for slug in slugs:
            filled = {key: objects.get(value, value) for key, value in arguments.items()}
            address = reverse(name, kwargs=filled | ({"slug": slug} if slug else {}))
            yield address
            for query in QUERIES.get(name, []):
                told = {key: value.format(bureau=texts["bureau"]) for key, value in query.items()}
                yield f"{address}?{urlencode(told)}"
    yield from (reverse("queue", args=[show]) for show in ("reports", "requests", "help", "silent"))
    yield from (reverse(page, args=["rise", texts["bureau"]]) for page in ("unit",))
    yield reverse("unit_everywhere", args=[texts["bureau"]])
    for action in ("request_closing", "request_extension", "grant_closing", "suspend", "report"):
        yield reverse("step", args=["rise", "A1-01", action])


def readable(answer: Any) -> str:
    """Return all that an answer says.

    Its body, a workbook unpacked, where it leads to, what it will say next.
    """
    body = answer.getvalue()
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{head}\n{body.decode(errors='replace')}"


def leaks(client: Client, texts: dict[str, Any], method: str) -> list[str]:
    """List the addresses that show the canary, and those that break."""
    found = []
    for address in asked(texts):
        answer = client.generic(method, address)
        if CANARY in readable(answer) or answer.status_code >= 500:
            found.append(f"{answer.status_code} {address}")
        if (
            method == "POST"
            and address != reverse("logout")
            and CANARY in readable(client.get("/"))
        ):
            found.append(f"message after {address}")
        if address.endswith(("/logout/",)):
            client.force_login(texts["other_liaison"])
    return found


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_words_of_a_foreign_unit_appear_nowhere(texts: dict[str, Any], method: str) -> None:
    client = Client()
    client.force_login(texts["other_liaison"])
    assert leaks(client, texts, method) == []


@pytest.mark.parametrize("name", ["tasks", "ledger", "search", "task", "queue"])
def test_the_same_words_are_found_by_who_may_see_them(texts: dict[str, Any], name: str) -> None:
    # So that the test above does not pass because the canary is nowhere.
    client = Client()
    client.force_login(texts["supervisor"])
    arguments = {"search": [], "queue": [], "task": ["rise", "A1-01"]}.get(name, ["rise"])
    answer = client.get(reverse(name, args=arguments), {"q": BAIT} if name == "search" else {})
    assert CANARY in readable(answer)


@pytest.mark.parametrize("role", ["helping_liaison", "leader"])
def test_a_draft_of_a_report_is_its_units_own(texts: dict[str, Any], role: str) -> None:
    Task.objects.filter(code="A1-01").update(
        **dict.fromkeys(
            ("title", "description", "remark", "lead_official", "responsible_person"), "x"
        )
    )
    Task.objects.get(code="A1-01").items.update(title="x")
    TaskRequest.objects.all().delete()
    ProgressUpdate.objects.update(state="draft", submitted_on=None, needs_help=True)
    client = Client()
    client.force_login(texts[role])
    pages = [
        reverse("task", args=["rise", "A1-01"]), reverse("tasks", args=["rise"]), reverse("ledger", args=["rise"]),
        reverse("queue", args=["help"]), reverse("evidence", args=[texts["objects"]["proof"]]),
        reverse("unit", args=["rise", texts["bureau"]]),
    ]  # fmt: skip
    reason = f"{WORDS}"  # the reason of a change is told to whoever sees the task
    shown = [page for page in pages if CANARY in readable(client.get(page)).replace(reason, "")]
    assert shown == []
