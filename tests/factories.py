"""Plain makers of rows; the named people of `conftest.py` are beside them."""

from typing import Any

from tracker.choices import Kind, PolicyState, Status
from tracker.models import Measure, PolicyDocument, Section, Task
from tracker.workflow import refresh


def make_policy(slug: str = "rise", **facts: Any) -> PolicyDocument:
    """Make a published policy of two sections with a measure each: A1 and B1."""
    facts = {"title": f"Policy {slug}", "state": PolicyState.PUBLISHED} | facts
    policy = PolicyDocument.objects.create(slug=slug, **facts)
    for number, letter in ((1, "A"), (2, "B")):
        section = Section.objects.create(policy=policy, number=number, name=f"Section {letter}")
        Measure.objects.create(policy=policy, section=section, code=f"{letter}1", order=1, name=f"Measure {letter}1")
    return policy


def make_task(policy: PolicyDocument, code: str = "A1-01", **facts: Any) -> Task:
    """Make a task under the measure that its code begins with, derived columns right."""
    deadline = facts.get("deadline")
    facts = {
        "title": f"Task {code}",
        "kind": Kind.STANDING if deadline is None else Kind.QUALITATIVE,
        "status": Status.IN_PROGRESS,
        "original_deadline": deadline,
        "measure": policy.measures.get(code=code.split("-")[0]),
    } | facts
    task = Task.objects.create(policy=policy, code=code, **facts)
    refresh([policy.pk])
    task.refresh_from_db()
    return task
