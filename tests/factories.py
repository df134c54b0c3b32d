"""Plain makers of rows; the named people of `conftest.py` are beside them."""

import datetime as dt
import random
from typing import Any

from tracker.domain.choices import Kind, PolicyState, Status
from tracker.models import ChecklistItem, Measure, Organization, PolicyDocument, Section, Task
from tracker.workflow import derive_task


def make_policy(slug: str = "rise", **facts: Any) -> PolicyDocument:
    """Make a published policy of two sections with a measure each: A1 and B1."""
    facts = {"title": f"Policy {slug}", "state": PolicyState.PUBLISHED} | facts
    policy = PolicyDocument.objects.create(slug=slug, **facts)
    for number, letter in ((1, "A"), (2, "B")):
        section = Section.objects.create(policy=policy, number=number, name=f"Section {letter}")
        Measure.objects.create(
            policy=policy, section=section, code=f"{letter}1", order=1, name=f"Measure {letter}1"
        )
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
    task = Task(policy=policy, code=code, **facts)
    derive_task(task, [])  # to have all tasks of the policy derived anew takes three times as long
    task.save()
    task.refresh_from_db()
    return task


def make_many(policy: PolicyDocument, count: int) -> None:
    """Bring a policy to a number of tasks of every status, with owners and checklists, derived
    columns right.
    """
    units = list(Organization.objects.all()) or [
        Organization.objects.create(name=f"Unit {n}", short_name=f"U{n}", order=n) for n in range(8)
    ]
    dice = random.Random(count)
    day = dt.date(2026, 1, 1)
    measures = list(policy.measures.select_related("section"))
    rows = []
    for n in range(policy.tasks.count(), count):
        measure, start = dice.choice(measures), day + dt.timedelta(days=dice.randrange(100))
        deadline = start + dt.timedelta(days=dice.randrange(20, 300))
        status = dice.choice(
            [*[Status.IN_PROGRESS] * 6, Status.NOT_STARTED, Status.CLOSED, Status.CLOSING]
        )
        rows.append(
            Task(
                policy=policy,
                measure=measure,
                code=f"{measure.code}-{n:06}",
                title=f"任务 {n} 落实重点事项并按期报送进展情况",
                description="细化举措、明确责任、按期推进。" * dice.randrange(1, 4),
                kind=dice.choice([Kind.QUANTIFIED, Kind.QUALITATIVE]),
                lead_unit=dice.choice(units),
                start=start,
                original_deadline=deadline,
                deadline=deadline,
                status=status,
                percent=dice.randrange(101),
                assigned_on=start,
                owed_from=start,
                closed_on=deadline if status == Status.CLOSED else None,
                closing_requested_on=deadline if status == Status.CLOSING else None,
            )
        )
    # Derived before they are stored: to derive 100,000 stored tasks takes minutes.
    steps = {task.code: [ChecklistItem(task=task, number=1, title="步骤一")] for task in rows[::3]}
    for task in rows:
        derive_task(task, steps.get(task.code, []))
    made = Task.objects.bulk_create(rows, batch_size=500)
    through = Task.co_units.through
    helping = [
        through(task_id=task.pk, organization_id=unit.pk)
        for task in made
        for unit in units[:2]
        if unit != task.lead_unit
    ]
    through.objects.bulk_create(helping, batch_size=500)
    ChecklistItem.objects.bulk_create(
        [item for found in steps.values() for item in found], batch_size=500
    )
