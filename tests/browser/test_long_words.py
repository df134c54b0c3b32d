"""No stored word makes a page wider than its window or its paper, however long it is."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.long_words import LONGEST, make_long_policy, word
from tests.filled import first_task
from tests.test_access import TABLE
from tests.test_filled_policy import objects_of
from tracker.models import ImportBatch, Organization, PolicyDocument, ProgressUpdate, UnitMove, User
from tracker.workflow import TRANSITIONS

pytestmark = pytest.mark.browser

WIDTHS = (360, 768, 1366, 1920)
PORTRAIT, LANDSCAPE = 703, 1032  # pixels between the margins of a sheet
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def policy(transactional_db: None) -> PolicyDocument:
    return make_long_policy()


@pytest.fixture
def client(policy: PolicyDocument) -> Client:
    """Log in who opens every page.

    A superuser who reports for the unit that leads the first task.
    """
    unit = first_task(policy).lead_unit
    account = User.objects.create_superuser(
        "W" * 150, first_name="W" * 150, is_liaison=True, organization=unit
    )
    account.password_set_by = word(LONGEST, 1)
    account.save()
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def addresses(policy: PolicyDocument) -> Iterator[str]:
    """Yield every address of the URLconf, with rows of the policy in it, and what lists are asked
    for.
    """
    task = first_task(policy)
    known: dict[str, Any] = objects_of(policy) | {"user": User.objects.get(is_superuser=False).pk}
    known |= {"unitmove": UnitMove.objects.get().pk, "rise": policy.slug, "A1-01": task.code}
    known |= {"A1": policy.measures.all()[0].code}
    for name, (arguments, _expected) in TABLE.items():
        yield reverse(
            name, kwargs={key: known.get(value, value) for key, value in arguments.items()}
        )
    yield from more_addresses(policy)


def more_addresses(policy: PolicyDocument) -> Iterator[str]:
    """Yield the pages beyond the bare addresses: queues, steps, filters, previews, all imports."""
    tasks = policy.tasks.order_by("pk")
    source, target = Organization.objects.all()[:2]
    move = reverse("admin:tracker_organization_move", args=[source.pk])
    for show in ("requests", "help", "silent"):
        yield reverse("queue", args=[show])
    for task in (tasks[0], tasks[1], tasks.filter(status="closed")[0]):
        yield task.get_absolute_url()
        for action, step in TRANSITIONS.items():
            if step.has_page:
                yield reverse("step", args=[policy.slug, task.code, action])
    yield f"{reverse('tasks', args=[policy.slug])}?text={word(LONGEST, 0)}&per_page=50"
    yield f"{reverse('search')}?q=W0x"
    yield f"{reverse('search')}?q={word(LONGEST, 99)}"
    yield f"{reverse('admin:tracker_task_changelist')}?q={word(LONGEST, 0)}"
    yield f"{move}?kind=merge&target={target.pk}"
    yield f"{move}?kind=move&target={source.pk}"
    yield from (batch.get_absolute_url() for batch in ImportBatch.objects.all())


def is_page(answer: Any) -> bool:
    """Say whether an answer is a page, and no file, refusal or way to another address."""
    answer.getvalue()  # reads a file to its end, which closes it
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")


def show(page: Page, url: str, answer: Any) -> None:
    """Show in the browser what the client was answered; styles and scripts come from the server."""
    page.unroute_all()
    page.route(
        url,
        lambda route: route.fulfill(body=answer.content, content_type="text/html; charset=utf-8"),
    )
    page.goto(url, wait_until="load")
    page.evaluate(OPEN_ALL)


def too_wide(page: Page, name: str) -> list[str]:
    """Name the windows, and the paper, that a page is wider than."""
    faults = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if (by := page.evaluate(TOO_WIDE)) > 0:
            faults.append(f"{name}: wider than {width} by {by}")
    if "/admin/" in name:
        return faults
    is_wide = page.evaluate("document.body.classList.contains('list')")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": LANDSCAPE if is_wide else PORTRAIT, "height": 800})
    if (by := page.evaluate(TOO_WIDE)) > 0:
        faults.append(f"{name}: wider than its paper by {by}")
    page.emulate_media(media="screen")
    return faults


def test_no_page_is_wider_than_its_window(
    page: Page, client: Client, live_server: LiveServer, policy: PolicyDocument
) -> None:
    logging.disable(logging.CRITICAL)  # steps that a task does not take now
    opened, faults = 0, []
    for address in dict.fromkeys(addresses(policy)):
        if is_page(answer := client.get(address)):
            show(page, live_server.url + address, answer)
            faults += too_wide(page, address)
            opened += 1
    logging.disable(logging.NOTSET)
    assert not faults, "\n".join(faults)
    assert opened > 80


def answers_to_buttons(client: Client, policy: PolicyDocument) -> Iterator[tuple[str, Any]]:
    """Yield what forms with long words are answered.

    Faults beside fields, summaries to confirm, late forms.
    """
    task, text = first_task(policy), word(LONGEST, 3)
    report = ProgressUpdate.objects.filter(task=task, state="submitted")[0]
    review = reverse("review", args=[report.pk])
    listed = reverse("admin:tracker_task_changelist")
    change = reverse("admin:tracker_task_change", args=[task.pk])
    place = reverse("report", args=[policy.slug, task.code])
    sent: list[tuple[str, dict[str, Any]]] = [
        (place, {"percent": text, "progress": text, "link": text, "submit": "1"}),
        (
            reverse("step", args=[policy.slug, task.code, "request_extension"]),
            {"deadline": text, "reason": text},
        ),
        (reverse("step", args=[policy.slug, task.code, "cancel"]), {"reason": "", "seen": "0"}),
        (review, {"return": "1", "seen": "0", "note": text}),
        (reverse("accept_many"), {"pick": f"{report.pk}:{report.version}"}),
        (reverse("new"), {"title": text, "text": f"{text}\n一、{text}\n（一）{text}。\n{text}。"}),
        (change, {"title": text, "code": text, "deadline": text, "reason": text}),
        (listed, {"action": "set_deadline", "_selected_action": [task.pk], "index": "0"}),
        (
            reverse("password"),
            {"old_password": "x", "new_password1": "W" * 100, "new_password2": "W" * 99},
        ),
    ]
    for address, words in sent:
        yield f"{address} sent", client.post(address, words)
    client.cookies.pop("sessionid")
    for address, words in (
        (place, {"progress": text}),
        (change, {"title": text, "items-0-title": text}),
    ):
        proof = SimpleUploadedFile(f"{text}.pdf", b"%PDF-1.4")
        client.post(address, {**words, "proofs": proof})
    client.force_login(User.objects.get(is_superuser=True))
    yield reverse("kept"), client.get(reverse("kept"))


def test_no_answer_to_a_button_is_wider_than_its_window(
    page: Page, client: Client, live_server: LiveServer, policy: PolicyDocument
) -> None:
    client.get("/")  # notes whose browser it is
    faults, shown = [], []
    for name, answer in answers_to_buttons(client, policy):
        assert is_page(answer), f"{name}: {answer.status_code}"
        show(page, f"{live_server.url}/shown/", answer)
        faults += too_wide(page, name)
        shown.append(answer)
    assert not faults, "\n".join(faults)
    assert len(shown[-1].context["forms"]) == 2
