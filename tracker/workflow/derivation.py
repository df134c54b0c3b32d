"""Set the derived columns of tasks: percent, turning dates, sort keys, search text."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _

from tracker.domain import lights
from tracker.domain.choices import Kind
from tracker.domain.codes import code_key
from tracker.domain.passages import ClauseFinder
from tracker.models import (
    ChecklistItem,
    Indicator,
    PolicyDocument,
    Task,
)
from tracker.models.declarations import declared_lookups
from tracker.models.task import letter_mask
from tracker.workflow.bulk import BATCH_SIZE, store_values

# The rules by which `derive_task` sets these columns: percent and turning dates
# (`tracker.domain.lights`), the order of codes (`tracker.domain.codes`), what is searched
# (`Task.words`, `tracker.domain.folding`, `tracker.domain.passages`). Raise the version whenever
# one of them gives another value than before: `migrate` then derives every task anew.
RULES_VERSION = 1
DERIVED = (
    "percent",
    "follows_indicator",
    "turns_yellow_on",
    "turns_red_on",
    "sort_key",
    "code_key",
    "search",
    "letters",
)
read_derived = attrgetter(*DERIVED)
TURNING_DATES = ("turns_yellow_on", "turns_red_on")
# The columns of a task that `lights.turning_dates` reads.
DERIVED_FROM_FIELDS = (
    "kind",
    "status",
    "start",
    "deadline",
    "percent",
    "owed_from",
    "reported_through",
    "closing_requested_on",
    "closed_on",
)


def derive_task(
    task: Task,
    items: Sequence[ChecklistItem],
    indicators: Iterable[Indicator] = (),
    text: ClauseFinder | None = None,
) -> bool:
    """Set the derived columns of a task in memory; say whether anything changed.

    `text` is that of the policy, made once for many tasks of it; it is queried where not given.
    """
    before = read_derived(task)
    driver = next((each for each in indicators if each.drives_percent), None)
    task.follows_indicator = bool(driver and task.kind == Kind.QUANTIFIED and not items)
    task.percent = _percent_of(task, items, driver)
    task.turns_yellow_on, task.turns_red_on = lights.turning_dates(task, task.policy)
    task.sort_key = task.place
    task.code_key = code_key(task.code)
    task.search = task.words(items, text or _text_of(task, items))
    task.letters = letter_mask(task.search)
    return before != read_derived(task)


def _percent_of(task: Task, items: Sequence[ChecklistItem], driver: Indicator | None) -> int:
    """Return the percent by the checklist, else the indicator, else the latest accepted report."""
    if items:
        ticked = sum(item.weight for item in items if item.done_on)
        return 100 * ticked // sum(item.weight for item in items)
    if task.kind != Kind.QUANTIFIED:
        return 0
    if driver:
        # Before its first value an indicator is at its baseline.
        return lights.achieved_percent(driver) or 0
    report = task.latest_report
    if report and report.percent is not None:
        return report.percent
    return task.percent


def _text_of(task: Task, items: Iterable[ChecklistItem]) -> ClauseFinder:
    """Return the text of a task's policy, empty and not even queried where nothing is anchored."""
    if task.anchor or task.measure.anchor or any(item.anchor for item in items):
        return ClauseFinder(task.policy.full_text)
    return ClauseFinder("")


def derive_change(
    task: Task,
    before: Task | None,
    items: Sequence[ChecklistItem],
    indicators: Iterable[Indicator],
    reason: str,
    clauses: ClauseFinder | None = None,
) -> None:
    """Derive a changed task; raise ValidationError where its indicator falls without a reason."""
    derive_task(task, items, indicators, clauses)
    if before and task.follows_indicator and task.percent < before.percent and not reason.strip():
        text = _(
            "The percentage follows an indicator and falls from %(before)d%% to %(after)d%%: "
            "explain why."
        )
        percents = {"before": before.percent, "after": task.percent}
        raise ValidationError({"reason": text % percents})


def refresh_tasks(policy_ids: Collection[int]) -> int:
    """Derive all tasks of some policies again; return how many tasks changed.

    Derived columns are no edit: versions stay, and open forms stay valid.
    """
    return refresh_matching(Q(policy__in=policy_ids))


def refresh_matching(condition: Q) -> int:
    """Derive the tasks of a condition again; return how many changed."""
    changed = []
    for task, differs in _derived(condition):
        if differs:
            changed.append((*read_derived(task), task.pk))
    store_values(Task, DERIVED, changed)
    return len(changed)


def count_stale(limit: int | None = None) -> int:
    """Count the tasks whose derived columns are not what the rules give.

    With a limit only so many are derived, spread evenly over all.
    """
    condition = Q()
    if limit:
        step = max(Task.objects.count() // limit, 1)
        if step > 1:
            keys = Task.objects.order_by("pk").values_list("pk", flat=True)
            condition = Q(pk__in=keys[::step][:limit])
    return sum(differs for _task, differs in _derived(condition))


def _derived(condition: Q) -> Iterator[tuple[Task, bool]]:
    """Derive the tasks of a condition, none of them saved; yield each and whether it differs."""
    tasks = (
        Task.objects.filter(condition)
        .select_related("policy", "measure__section", "latest_report")
        .defer("policy__full_text")
        .prefetch_related(
            # Plain lists: a queryset for every task costs more than the rows.
            Prefetch("items", to_attr="steps_fetched"),
            Prefetch("indicators", to_attr="indicators_fetched"),
        )
    )
    texts: dict[int, ClauseFinder] = {}
    fetched: Iterable[Any] = tasks.iterator(chunk_size=BATCH_SIZE)
    for task in fetched:
        if task.policy_id not in texts:
            texts[task.policy_id] = ClauseFinder(task.policy.full_text)
        text = texts[task.policy_id]
        yield task, derive_task(task, task.steps_fetched, task.indicators_fetched, text)


def refresh_turning_dates(policy_id: int) -> None:
    """Derive the turning dates of all tasks of a policy again, after a change of its thresholds.

    Makes no object of a task, as `refresh_matching` does, and queries no checklist.
    """
    policy = PolicyDocument.objects.defer("full_text").get(pk=policy_id)
    tasks = (
        Task.objects.filter(policy=policy)
        .order_by()
        .values_list("pk", *TURNING_DATES, *DERIVED_FROM_FIELDS, named=True)
    )
    changed = []
    for task in tasks.iterator(chunk_size=BATCH_SIZE):
        dates = lights.turning_dates(task, policy)
        if dates != (task.turns_yellow_on, task.turns_red_on):
            changed.append((*dates, task.pk))
    store_values(Task, TURNING_DATES, changed)


def tasks_derived_from(rows: Collection[tuple[type[models.Model], Any]]) -> Q:
    """Return the condition of the tasks with a derived column that comes from one of some rows.

    `rows` names each of them by model and primary key.
    """
    condition = Q(pk__in=[])
    for model, path in declared_lookups("derives_tasks_by").items():
        keys = [key for row_model, key in rows if row_model is model]
        if keys:
            condition |= Q(**{f"{path}__in": keys})
    return condition


def changed_inputs(row: models.Model, stored: models.Model) -> set[str]:
    """Name the fields of a changed row that derived columns of tasks come from."""
    changed = set()
    for name in getattr(row, "derivation_inputs", ()):
        if getattr(row, name) != getattr(stored, name):
            changed.add(name)
    return changed
