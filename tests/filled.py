"""A policy of any size in which every kind of row occurs, made with a few statements."""

import datetime as dt
from typing import Any

from django.db.models import OuterRef, Subquery

from tests.conftest import TODAY
from tests.factories import make_many, make_policy
from tracker.domain.choices import ReportState, Status
from tracker.domain.dates import DAY, now
from tracker.models import (
    BackgroundPassage,
    DeclaredCount,
    Evidence,
    ImportBatch,
    Indicator,
    IndicatorValue,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    SentReminder,
    Task,
    TaskRequest,
    User,
)
from tracker.workflow import refresh_tasks

BATCH = 500
LONG_TEXT = "各级各部门要细化举措、明确责任、按期推进，确保各项任务落到实处。" * 1_000
MAY = {
    "period_start": dt.date(2026, 5, 1),
    "period_end": dt.date(2026, 5, 31),
    "submitted_on": TODAY - 10 * DAY,
}
JUNE = {
    "period_start": dt.date(2026, 6, 1),
    "period_end": dt.date(2026, 6, 30),
    "submitted_on": TODAY,
}


def make_filled(count: int, parts: int = 0) -> PolicyDocument:
    """Make a policy whose tasks all have reports, evidence, requests, indicators and history.

    With `parts` there are so many measures and units.
    """
    policy = make_policy("filled", full_text=LONG_TEXT)
    section = policy.sections.first()
    Organization.objects.bulk_create(
        [Organization(name=f"Unit {n}", short_name=f"U{n}", order=n) for n in range(parts)]
    )
    Measure.objects.bulk_create(
        [
            Measure(policy=policy, section=section, code=f"A{n}", order=n, name=f"Measure {n}")
            for n in range(2, parts)
        ]
    )
    make_many(policy, count)
    # Whoever is asked about the first task finds it under way.
    Task.objects.filter(pk=first_task(policy).pk).update(
        status=Status.IN_PROGRESS, closed_on=None, closing_requested_on=None
    )
    tasks = list(policy.tasks.order_by("pk"))
    _add_reports(tasks)
    _add_requests(tasks)
    _add_indicators(tasks)
    refresh_tasks([policy.pk])
    _add_history(policy)
    DeclaredCount.objects.create(policy=policy, name="count", number=3, section=section)
    BackgroundPassage.objects.create(policy=policy, anchor="各级各部门")
    SentReminder.objects.create(address="x@example.gov", day=TODAY, subject="x", text="x")
    ImportBatch.objects.create(
        kind="progress", unit=tasks[0].lead_unit, file_name="x.xlsx", read_at=now()
    )
    return policy


def first_task(policy: PolicyDocument) -> Task:
    """Return the task that addresses name."""
    found = policy.tasks.order_by("pk").first()
    assert found
    return found


def _add_reports(tasks: list[Task]) -> None:
    """Give every task an accepted report of May, a submitted one of June and evidence of both."""
    texts: dict[str, Any] = {
        "progress": "已完成阶段性工作。",
        "problems": "资金不足。",
        "next_steps": "继续推进。",
    }
    accepted = [
        _report(task, state=ReportState.ACCEPTED, reviewed_on=TODAY, **MAY, **texts)
        for task in tasks
    ]
    waiting = [
        _report(task, state=ReportState.SUBMITTED, needs_help=True, **JUNE, **texts)
        for task in tasks
    ]
    reports = ProgressUpdate.objects.bulk_create(accepted, batch_size=BATCH)
    reports += ProgressUpdate.objects.bulk_create(waiting, batch_size=BATCH)
    facts = {"link": "https://example.gov/proof", "name": "proof", "added_on": TODAY}
    Evidence.objects.bulk_create(
        [Evidence(task=report.task, report=report, **facts) for report in reports], batch_size=BATCH
    )
    latest = ProgressUpdate.objects.filter(task=OuterRef("pk"), state=ReportState.ACCEPTED).values(
        "pk"
    )
    Task.objects.filter(policy=tasks[0].policy).update(
        latest_report=Subquery(latest), reported_through=JUNE["period_end"]
    )


def _report(task: Task, **facts: Any) -> ProgressUpdate:
    return ProgressUpdate(
        task=task, unit_id=task.lead_unit_id, percent=40, help_addressee="office", **facts
    )


def _add_requests(tasks: list[Task]) -> None:
    """Let every task have a request for more time.

    Those that are closing wait for the office too.
    """
    facts = {"asked_on": TODAY, "reason": "需要时间", "progress": "过半"}
    asks = [
        TaskRequest(
            task=task,
            kind="extend",
            old_deadline=task.deadline,
            new_deadline=task.deadline + 30 * DAY,
            **facts,
        )
        for task in tasks
    ]
    asks += [
        TaskRequest(task=task, kind="close", **facts)
        for task in tasks
        if task.status == Status.CLOSING
    ]
    TaskRequest.objects.bulk_create(asks, batch_size=BATCH)


def _add_indicators(tasks: list[Task]) -> None:
    facts = {"name": "入库项目", "unit_of_measure": "个", "baseline": 0, "target": 100}
    indicators = Indicator.objects.bulk_create(
        [Indicator(task=task, **facts) for task in tasks], batch_size=BATCH
    )
    values = [
        IndicatorValue(indicator=indicator, day=day, value=value)
        for indicator in indicators
        for day, value in ((TODAY - 40 * DAY, 10), (TODAY - 5 * DAY, 30))
    ]
    IndicatorValue.objects.bulk_create(values, batch_size=BATCH)


def _add_history(policy: PolicyDocument) -> None:
    """Let every task and report have been changed, and the task that addresses name a hundred
    times.
    """
    for model in (Task, ProgressUpdate):
        rows = list(
            model._default_manager.filter(**{"policy" if model is Task else "task__policy": policy})
        )
        rows += [first_task(policy)] * 100 if model is Task else []
        model.history.bulk_history_create(  # type: ignore[attr-defined]
            rows, batch_size=BATCH, update=True, custom_historical_attrs={"way": "page"}
        )


def make_readers(policy: PolicyDocument) -> dict[str, User]:
    """Make a person of each role; the liaison's unit leads the first task."""
    unit = first_task(policy).lead_unit
    return {
        "leader": User.objects.create_user("lea", is_leader=True),
        "liaison": User.objects.create_user(
            "lia", is_liaison=True, organization=unit, email="lia@example.gov"
        ),
        "root": User.objects.create_superuser("root"),
    }
