"""How long a proposal and the text page take, by the length of the text."""

import time

from django.test import Client
from django.urls import reverse

from tests.factories import make_many, make_policy
from tests.text.quality import TEXTS
from tracker.models import Task, User
from tracker.text.breakdown import propose_breakdown
from tracker.text.draft import draft_policy

LENGTHS = (50_000, 100_000, 200_000)
ANCHORS = 1_000


def invented(length: int) -> str:
    """Make a text of some length in which nothing is said twice."""
    whole = (TEXTS / "essay.txt").read_text(encoding="utf-8")
    times = length // len(whole) + 1
    return "".join(whole.replace("。", f"{n}号。").replace("，", f"{n}，") for n in range(times))[
        :length
    ]


def run() -> None:
    """Print seconds for each length, the ratio to the shortest, and seconds and bytes of the page
    of the longest.
    """
    first = 0.0
    for length in LENGTHS:
        text = invented(length)
        start = time.perf_counter()
        rows = len(draft_policy(propose_breakdown(text)).tasks)
        seconds = time.perf_counter() - start
        first = first or seconds
        print(
            f"proposal of {length:7,} characters: {seconds:5.2f} s, {seconds / first:4.1f} "
            f"times, {rows} tasks"
        )
    policy, client = make_policy("long"), Client(headers={"host": "localhost"})
    policy.full_text = invented(LENGTHS[-1])
    policy.save()
    # Tasks spread over the whole text, each with a phrase of its own.
    make_many(policy, ANCHORS)
    tasks = list(policy.tasks.all())
    for n, task in enumerate(tasks):
        at = n * LENGTHS[-1] // ANCHORS
        task.anchor = policy.full_text[at : at + 20].strip()
    Task.objects.bulk_update(tasks, ["anchor"])
    client.force_login(User.objects.create_user("reader", is_supervisor=True))
    address = reverse("text", args=[policy.slug])
    client.get(address)
    start = time.perf_counter()
    page = client.get(address).content
    print(
        f"text page with {ANCHORS:,} anchors: {time.perf_counter() - start:5.2f} s, "
        f"{len(page):,} bytes"
    )
