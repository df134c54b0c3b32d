"""Two people of a unit begin the same report.

The second sees both texts, and nothing is overwritten unseen.
"""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_task
from tests.views.conftest import Browser
from tracker import workflow
from tracker.models import PolicyDocument, ProgressUpdate, Task, User


@pytest.fixture
def task(policy: PolicyDocument, liaison: User) -> Task:
    deadline = dt.date(2026, 12, 31)
    return make_task(
        policy, deadline=deadline, lead_unit=liaison.organization, assigned_on=dt.date(2026, 5, 1)
    )


@pytest.fixture
def unit(browser: Browser, liaison: User) -> Client:
    return browser(liaison)


def write(client: Client, text: str, seen: object) -> Any:
    page = reverse("report", args=["rise", "A1-01"])
    return client.post(page, {"progress": text, "seen": seen, "draft": "1"})


def test_a_draft_begun_meanwhile_is_not_overwritten_unseen(unit: Client, task: Task) -> None:
    seen = unit.get(reverse("report", args=["rise", "A1-01"])).context["form"]["seen"].value()
    write(unit, "the first text", seen)
    page = write(unit, "the second text", seen)
    assert ProgressUpdate.objects.get().progress == "the first text"
    assert "the second text" in page.content.decode()
    assert "the first text" in page.content.decode()


def test_a_draft_begun_at_the_same_moment_is_shown_too(
    unit: Client, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = workflow.open_report

    def too_early(*arguments: Any) -> ProgressUpdate:
        # What is found before the other has written.
        monkeypatch.setattr(workflow, "open_report", begin)
        return ProgressUpdate(
            task=task,
            unit=task.lead_unit,
            period_start=dt.date(2026, 6, 1),
            period_end=dt.date(2026, 6, 30),
        )

    seen = unit.get(reverse("report", args=["rise", "A1-01"])).context["form"]["seen"].value()
    write(unit, "the first text", seen)
    monkeypatch.setattr(workflow, "open_report", too_early)
    page = write(unit, "the second text", seen).content.decode()
    assert ("the first text" in page, "the second text" in page) == (True, True)
    assert ProgressUpdate.objects.get().progress == "the first text"
