"""The tasks that a fill-in workbook is about, fetched for all its rows at once."""

from collections import defaultdict
from collections.abc import Collection

from tracker.domain import lights
from tracker.domain.dates import Period
from tracker.excel.progress_rows import RowKey, read_key
from tracker.models import (
    ChecklistItem,
    ImportBatch,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.models.base import History, attach_related
from tracker.models.task import TaskQuerySet
from tracker.workflow.imports import ReportsByKey


def tasks_for(user: User | None) -> TaskQuerySet:
    """Return the tasks whose reports an account may send in by workbook; a command all of them."""
    if user is None:
        return Task.objects.all()
    return Task.objects.visible_to(user)


def find_item(task: Task, number: str) -> ChecklistItem | None:
    """Return the step of a task by the text of its number."""
    for item in task.items.all():
        if str(item.number) == number:
            return item
    return None


def keys_of(batch: ImportBatch) -> list[RowKey]:
    """Return the keys of the rows of a batch that can be read."""
    keys = []
    for row in batch.rows:
        key = read_key(row["key"])
        if key:
            keys.append(key)
    return keys


def fetch_compared_tasks(wanted: TaskQuerySet, shown: bool) -> list[Task]:
    """Fetch tasks with what a comparison reads, and all that a row shows where they are `shown`."""
    tasks = list(wanted.select_related("latest_report").prefetch_related("items", "co_units"))
    # Many tasks share a policy and a unit: joined, each would be made anew with every task.
    attach_related(tasks, "policy", PolicyDocument.objects.defer("full_text"))
    attach_related(tasks, "lead_unit", Organization.objects.all())
    if shown:
        attach_related(tasks, "measure", Measure.objects.select_related("section"))
    for task in tasks:
        task.keep_fetched()
    return tasks


def reports_by_task(known: ReportsByKey) -> dict[int, list[ProgressUpdate]]:
    """Return the reports of each task, by the key of the task."""
    reports: dict[int, list[ProgressUpdate]] = defaultdict(list)
    for (task_key, _unit, _period), report in known.items():
        reports[task_key].append(report)
    return reports


def former_roles(unit: Organization, codes: Collection[str]) -> set[tuple[str, str, bool]]:
    """Return policy, code and role (helping or not) of tasks that a unit has had at any time.

    Two queries.
    """
    rows = Task.history.filter(code__in=codes, policy__isnull=False).order_by()
    links = History.m2m_models[Task._meta.get_field("co_units")].objects
    helped = rows.filter(pk__in=links.filter(organization=unit).values("history"))
    roles = set()
    for slug, code in rows.filter(lead_unit=unit).values_list("policy__slug", "code").distinct():
        roles.add((slug, code, False))
    for slug, code in helped.values_list("policy__slug", "code").distinct():
        roles.add((slug, code, True))
    return roles


def period_of_key(key: RowKey, task: Task) -> Period | None:
    """Return the period that a key names; None for days that are no period."""
    try:
        return key.period(lights.cycle_of(task.policy))
    except ValueError:
        return None
