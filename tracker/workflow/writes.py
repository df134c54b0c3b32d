"""The ground of the write path.

Rights, versions, the saving and deriving of rows, and their history.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import or_
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Prefetch, Q
from django.db.models.deletion import Collector
from django.utils.translation import gettext as _

from tracker.domain import lights, permissions
from tracker.domain.choices import (
    OPEN_STATUSES,
    RUNNING_STATUSES,
    ChangeSource,
    Kind,
    PolicyState,
    RequestKind,
    RequestState,
    Status,
)
from tracker.domain.codes import code_key
from tracker.domain.dates import ZONE
from tracker.domain.passages import ClauseFinder
from tracker.models import (
    ChecklistItem,
    Evidence,
    Indicator,
    IndicatorValue,
    Measure,
    Organization,
    PolicyDocument,
    Section,
    Task,
    TaskRequest,
    User,
)
from tracker.models.base import History, UniqueFolded, Versioned
from tracker.models.task import letter_mask
from tracker.workflow import checks
from tracker.workflow.bulk import BATCH_SIZE, store_values
from tracker.workflow.checks import ENDED_STATUSES
from tracker.workflow.transition_table import office_may_set

# The rules by which `derive` sets these columns: percent and turning dates
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
TURNING_DATES = ("turns_yellow_on", "turns_red_on")
# What `rules.Facts` asks for.
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
# How a task leads to what its derived columns come from.
DERIVATION_PATHS: dict[type[models.Model], str] = {
    PolicyDocument: "policy",
    Section: "measure__section",
    Measure: "measure",
    Task: "pk",
    ChecklistItem: "items",
    Indicator: "indicators",
    IndicatorValue: "indicators__values",
}
TaskPart = ChecklistItem | Indicator
TASK_PART_MODELS = (ChecklistItem, Indicator, IndicatorValue)
# What of these rows the derived columns come from.
DERIVATION_INPUTS: dict[type[models.Model], tuple[str, ...]] = {
    PolicyDocument: ("warn_days", "yellow_gap", "red_gap", "cycle", "grace_days", "full_text"),
    Section: ("number",),
    Measure: ("section_id", "order", "code", "name", "anchor"),
}


@dataclass(frozen=True)
class ChangeContext:
    """Who changes something, by which way, and why. No user: a command on the machine itself."""

    user: User | None
    way: ChangeSource
    reason: str = ""


class StaleVersion(Exception):
    """Somebody has saved this row since the person at the form saw it; nothing was written."""


@dataclass
class BulkOutcome:
    """What a change of many rows did: the rows it changed, and those it refused with the reason."""

    changed: list[Any]
    refused: list[tuple[Any, str]]


def save_object(row: Versioned, act: ChangeContext, seen: int | None = None) -> None:
    """Save a policy, section, measure, count, passage, unit or account.

    Raise Stale on a newer version.
    """
    _check_right(row, act)
    if isinstance(row, User):
        row.check_roles()
    with transaction.atomic():
        made = bump_version(row, seen)
        if made:
            before = None
        else:
            before = type(row)._default_manager.get(pk=row.pk)
        # Compared while the row is held; most changes, such as a new title, move no task.
        if before is None:
            moved = set()
        else:
            moved = _moved_grounds(row, before)
        if isinstance(row, UniqueFolded):
            row.refuse_twin()
        if isinstance(row, User):
            _check_unit_of_account(row, before)
        save_row(row, act, made)
        if (
            isinstance(row, PolicyDocument)
            and isinstance(before, PolicyDocument)
            and row.state != before.state
        ):
            _follow_state(row, act)
        if isinstance(row, PolicyDocument) and moved and "full_text" not in moved:
            _refresh_turning_dates(row.pk)
        elif moved:
            _refresh(_deriving_from([(type(row), row.pk)]))


def _check_unit_of_account(user: User, before: Any) -> None:
    unit = user.organization
    if unit and not unit.active and (before is None or before.organization_id != unit.pk):
        raise ValidationError(
            {"organization": _("%(unit)s is out of office.") % {"unit": unit.name}}
        )


def _follow_state(policy: PolicyDocument, act: ChangeContext) -> None:
    """Let the clocks of a policy run only while its units see it.

    A draft of before 0.2 may hold tasks that are handed over: they owe reports from the day of
    publishing.
    """
    handed_over = policy.tasks.filter(assigned_on__isnull=False)
    if policy.state == PolicyState.DRAFT:
        if count := handed_over.count():
            words = _(
                "Tasks of this policy are handed over (%(count)d): it cannot be a draft again."
            )
            raise ValidationError({"state": words % {"count": count}})
        return
    # The day of publishing is the one that the history has just noted.
    today = policy.history.order_by("-history_id")[0].history_date.astimezone(ZONE).date()  # type: ignore[attr-defined]
    reason = act.reason or _("published: reports are owed from now on")
    for task in handed_over.filter(
        Q(owed_from__lt=today) | Q(owed_from__isnull=True), status__in=OPEN_STATUSES
    ):
        before = lock_task(task, None)
        task.owed_from = today
        write_task(task, before, replace(act, reason=reason), today, by_request=True)


def save_objects(
    rows: Iterable[Versioned],
    act: ChangeContext,
    today: dt.date,
    steps: Mapping[str, Sequence[ChecklistItem]] | None = None,
) -> None:
    """Save new rows in order, each task with its steps by its code: all of them, or none."""
    with transaction.atomic():
        for row in rows:
            for field in row._meta.concrete_fields:
                # What it hangs on was new as well when the row was made, and has its key by now.
                if isinstance(field, models.ForeignKey) and field.is_cached(row):
                    setattr(row, field.name, field.get_cached_value(row))
            if isinstance(row, Task):
                save_task(row, act, items=(steps or {}).get(row.code, ()), today=today)
            else:
                save_object(row, act)


def delete_object(row: models.Model, act: ChangeContext, seen: int | None = None) -> None:
    """Delete a row; its history stays and says who did it.

    Raises Stale on a newer version than the one seen.
    """
    if act.user and not permissions.may_delete(act.user, row):
        raise PermissionDenied(_("It is in force: cancel it instead of deleting it."))
    with transaction.atomic():
        if seen is not None and isinstance(row, Versioned):
            bump_version(row, seen)
        delete_unchecked(row, act)


def delete_unchecked(row: models.Model, act: ChangeContext) -> None:
    """Delete a row that the caller has the right to delete, and derive anew what came from it."""
    attach_context(row, act)
    with transaction.atomic():
        touched: list[int] = []
        if isinstance(row, TASK_PART_MODELS):
            follows = Task.objects.filter(_deriving_from([(type(row), row.pk)]))
            touched = list(follows.values_list("pk", flat=True))
        if isinstance(row, Evidence) and not row.handed_in and not row.history.exists():
            # Nothing of a draft enters the history: a plain deletion would note it.
            Evidence.objects.filter(pk=row.pk)._raw_delete(row._state.db)
        else:
            row.delete()
        if touched:
            _refresh(Q(pk__in=touched))
        if isinstance(row, Evidence) and row.file:
            # Only when the row is gone for good.
            transaction.on_commit(partial(row.file.storage.delete, str(row.file.name)))


def delete_all_unchecked(rows: Sequence[models.Model], act: ChangeContext) -> None:
    """Delete rows of one kind that the caller has the right to delete, with what hangs on them
    together.
    """
    for row in rows:
        attach_context(row, act)
    collector = Collector(using=connection.alias)
    collector.collect(rows)
    collector.delete()


def choose_password(user: User, password: str) -> None:
    """Store the password that a person has chosen for the own account.

    Raise Stale as `save` does.
    """
    user.set_password(password)
    user.must_change_password = False
    user.password_set_at = None
    with transaction.atomic():
        bump_version(user, None)
        save_row(user, ChangeContext(user, ChangeSource.PAGE))


def reset_password(user: User, password: str | None, act: ChangeContext) -> None:
    """Set the password of another account, for one log-in; no password: none opens it."""
    _check_right(user, act)
    if user.is_superuser and act.user and not act.user.is_superuser:
        raise PermissionDenied
    user.set_password(password)
    user.password_set_by = str(act.user or "")
    with transaction.atomic():
        bump_version(user, None)
        save_row(user, act)


def save_task(
    task: Task,
    act: ChangeContext,
    seen: int | None = None,
    *,
    co_units: Iterable[Organization] | None = None,
    items: Sequence[TaskPart] = (),
    removed: Sequence[TaskPart] = (),
    today: dt.date,
) -> None:
    """Save a task with its co-operating units and the checklist items and indicators that changed.

    `seen` is the version that the person saw, `today` the day of the change. Raises Stale,
    PermissionDenied, or ValidationError with the field at fault.
    """
    _check_right(task, act)
    with transaction.atomic():
        before = lock_task(task, seen)
        write_task(task, before, act, today, co_units=co_units, items=items, removed=removed)


def lock_task(task: Task, seen: int | None) -> Task | None:
    """Take a task for a change, in a transaction.

    Return it as it is stored, or None for a new one.
    """
    # Held first, as a change of thresholds holds it: neither derives by the other's old facts.
    task.policy = (
        PolicyDocument.objects.select_for_update().defer("full_text").get(pk=task.policy_id)
    )
    if bump_version(task, seen):
        return None
    return Task.objects.get(pk=task.pk)


def write_task(
    task: Task,
    before: Task | None,
    act: ChangeContext,
    today: dt.date,
    *,
    co_units: Iterable[Organization] | None = None,
    items: Sequence[TaskPart] = (),
    removed: Sequence[TaskPart] = (),
    by_request: bool = False,
) -> None:
    """Write a task that is held, with all that follows from its change.

    `by_request` says that the requests of the task are kept by the caller.
    """
    if co_units is not None:
        units = list(co_units)
    else:
        units = None
    validate_change(task, before, act.reason, today)
    if before is None or before.code != task.code:
        task.refuse_twin()
    validate_co_units(task, before, units)
    save_row(task)
    if units is not None:
        with _quiet(task):
            task.co_units.set(units)
    for item in removed:
        delete_object(item, act)
    for item in items:
        item.task = task
        save_row(item, act, bump_version(item, None) if isinstance(item, Versioned) else None)
    if before and not by_request:
        follow_requests(task, before, act, today)
    # Asked anew: what was prefetched with the task is from before the change.
    steps = ChecklistItem.objects.filter(task=task)
    indicators = Indicator.objects.filter(task=task)
    derive_change(task, before, list(steps), list(indicators), act.reason)
    if (
        checks.stays_closed(task, before)
        and (items or removed)
        and before
        and task.percent != before.percent
    ):
        raise ValidationError(checks.closed_task_text())
    Task.objects.filter(pk=task.pk).update(**{name: getattr(task, name) for name in DERIVED})
    _record(task, act, before is None)


def derive_change(
    task: Task,
    before: Task | None,
    items: Sequence[ChecklistItem],
    indicators: Iterable[Indicator],
    reason: str,
    text: ClauseFinder | None = None,
) -> None:
    """Derive a changed task.

    ValidationError where its percent falls by an indicator and no reason is given.
    """
    derive_task(task, items, indicators, text)
    if before and task.follows_indicator and task.percent < before.percent and not reason.strip():
        raise ValidationError(
            {
                "reason": _(
                    "The percent follows an indicator and falls from %(before)d%% to "
                    "%(after)d%%: say why."
                )
                % {"before": before.percent, "after": task.percent}
            }
        )


def follow_requests(task: Task, before: Task, act: ChangeContext, today: dt.date) -> None:
    """Keep the requests in line with what the office did directly.

    Nothing waits that has been decided.
    """
    waiting = {}
    for ask in task.requests.filter(state=RequestState.OPEN):
        waiting[ask.kind] = ask
    closing = waiting.get(RequestKind.CLOSE)
    if task.status == Status.CLOSING and not closing:
        # Entered by the office for a unit that asked by other ways.
        save_row(
            TaskRequest(task=task, kind=RequestKind.CLOSE, asked_on=task.closing_requested_on), act
        )
    elif closing and task.status in (Status.CLOSED, *RUNNING_STATUSES):
        decide_request(closing, act, today, granted=task.status == Status.CLOSED)
    elif (
        closing and task.status == Status.CLOSING and closing.asked_on != task.closing_requested_on
    ):
        closing.asked_on = task.closing_requested_on
        bump_version(closing, None)
        save_row(closing, act)
    later = before.deadline and task.deadline and task.deadline > before.deadline
    if before.assigned_on and later and before.status not in ENDED_STATUSES:
        granted = waiting.pop(RequestKind.EXTEND, None) or TaskRequest(
            task=task, kind=RequestKind.EXTEND, asked_on=today, reason=act.reason
        )
        note_deadline(granted, before.deadline)
        granted.new_deadline = task.deadline
        decide_request(granted, act, today, granted=True)
    if task.status not in OPEN_STATUSES:
        end_requests(task, act, today)


def note_deadline(ask: TaskRequest, deadline: dt.date | None) -> None:
    """Note the deadline in force at a decision; the one of the day of asking stays beside it."""
    if ask.pk and not ask.deadline_when_asked:
        ask.deadline_when_asked = ask.old_deadline
    ask.old_deadline = deadline


def end_requests(task: Task, act: ChangeContext, today: dt.date) -> None:
    """Return what still waits when a task is no longer under way."""
    for ask in task.requests.filter(state=RequestState.OPEN):
        ask.state = RequestState.RETURNED
        ask.decided_by = act.user
        ask.decided_on = today
        ask.decision_note = act.reason
        if ask.kind == RequestKind.EXTEND:
            note_deadline(ask, task.deadline)
        save_row(ask, act)


def decide_request(ask: TaskRequest, act: ChangeContext, today: dt.date, *, granted: bool) -> None:
    """Decide a request; nobody decides their own."""
    if act.user and not permissions.may_review(act.user, ask.asked_by_id):
        raise PermissionDenied(_("Nobody reviews what they have asked for or reported themselves."))
    if granted:
        ask.state = RequestState.GRANTED
    else:
        ask.state = RequestState.RETURNED
    ask.decided_by = act.user
    ask.decided_on = today
    ask.decision_note = ask.decision_note or act.reason
    save_row(ask, act)


def validate_change(task: Task, before: Task | None, reason: str, today: dt.date) -> None:
    """Hold a changed task against what it was, and bring its facts in line, or say what is missing.

    `before` is the task as it was stored, or None for a new one. Changes `task` in place.
    """
    if before and before.status != task.status and not office_may_set(before.status, task.status):
        raise ValidationError(
            {
                "status": _("No step leads from “%(before)s” to “%(after)s”.")
                % {"before": before.get_status_display(), "after": task.get_status_display()}
            }
        )
    if (
        before
        and before.assigned_on
        and _moved(task, before, "deadline", "original_deadline")
        and not reason.strip()
    ):
        raise ValidationError(
            {
                "deadline": _(
                    "The task has been handed over: give the reason for which a deadline changes."
                )
            }
        )
    checks.check_closed(task, before)
    checks.check_hand_over(task, before)
    checks.check_day_of_closing(task, before, reason, today)
    if before and before.status in ENDED_STATUSES and task.status in RUNNING_STATUSES:
        checks.check_reopening(task, before, reason, today)
        if task.assigned_on and task.owed_from == before.owed_from:
            task.owed_from = today
    if (
        before
        and before.status in OPEN_STATUSES
        and task.status == Status.CLOSED
        and task.closed_on
        and task.deadline
    ):
        task.deadline = checks.deadline_on(task, task.closed_on)
    if before and before.lead_unit_id != task.lead_unit_id:
        task.acknowledged_on = None
    if task.assigned_on and not (before and before.assigned_on):
        task.lead_is_proposed = False
        task.owed_from = task.owed_from or task.assigned_on
    task.clean()


def hand_over(task: Task, act: ChangeContext, seen: int, on: dt.date) -> None:
    """Hand a task over to its lead unit on a day: from then on reports are owed."""
    if task.assigned_on:
        raise ValidationError(
            _("It was handed over on %(day)s already.") % {"day": task.assigned_on}
        )
    task.assigned_on = task.owed_from = on
    save_task(task, act, seen, today=on)


def set_deadline(
    task: Task, act: ChangeContext, seen: int, deadline: dt.date, today: dt.date
) -> None:
    """Set the current deadline.

    After the hand-over the original one stays and a reason is needed.
    """
    task.deadline = deadline
    save_task(task, act, seen, today=today)


def set_status(
    task: Task,
    act: ChangeContext,
    seen: int,
    status: Status,
    on: dt.date,
    today: dt.date | None = None,
) -> None:
    """Set the status; closing and closed take `on` as the day of the request or of the closing."""
    if task.status == status:
        raise ValidationError(_("It has this status already."))
    if status == Status.CLOSING:
        task.closing_requested_on = on
    if status == Status.CLOSED:
        task.closed_on = task.closing_requested_on or on
    task.status = status
    save_task(task, act, seen, today=today or on)


def apply_to_each(
    rows: Collection[tuple[Any, int]], change: Callable[[Any, int], None]
) -> BulkOutcome:
    """Change many rows, each by itself: `change(row, seen)`.

    What cannot be done is listed, not lost.
    """
    outcome = BulkOutcome([], [])
    for row, seen in rows:
        try:
            change(row, seen)
            outcome.changed.append(row)
        except StaleVersion:
            outcome.refused.append((row, _("somebody has changed it since the list was shown")))
        except (ValidationError, PermissionDenied) as error:
            if isinstance(error, ValidationError):
                messages = error.messages
            else:
                messages = [str(error)]
            outcome.refused.append((row, " ".join(messages)))
    return outcome


def derive_task(
    task: Task,
    items: Sequence[ChecklistItem],
    indicators: Iterable[Indicator] = (),
    text: ClauseFinder | None = None,
) -> bool:
    """Set percent, turning dates, sort keys and words of a task from its facts.

    Say whether anything changed.

    `text` is that of the policy, for many tasks of it; without it the policy is asked.
    """
    before = []
    for name in DERIVED:
        before.append(getattr(task, name))
    driver = next((each for each in indicators if each.drives_percent), None)
    task.follows_indicator = bool(driver and task.kind == Kind.QUANTIFIED and not items)
    if items:
        ticked = sum(item.weight for item in items if item.done_on)
        task.percent = 100 * ticked // sum(item.weight for item in items)
    elif task.kind != Kind.QUANTIFIED:
        task.percent = 0
    elif driver:
        # Before its first value an indicator stands at its baseline.
        task.percent = lights.achieved_percent(driver) or 0
    elif task.latest_report and task.latest_report.percent is not None:
        task.percent = task.latest_report.percent
    task.turns_yellow_on, task.turns_red_on = lights.turning_dates(task, task.policy)
    task.sort_key, task.code_key = task.place, code_key(task.code)
    task.search = task.words(items, text or _text_of(task, items))
    task.letters = letter_mask(task.search)
    return before != [getattr(task, name) for name in DERIVED]


def _text_of(task: Task, items: Iterable[ChecklistItem]) -> ClauseFinder:
    """Return the text of a task's policy; where nothing is anchored in it, it is not even read."""
    anchored = task.anchor or task.measure.anchor or any(item.anchor for item in items)
    return ClauseFinder(task.policy.full_text if anchored else "")


def refresh_tasks(policy_ids: Collection[int]) -> int:
    """Set every derived column anew for all tasks of some policies; return how many tasks changed.

    Derived columns are no edit: versions stay, and open forms stay good.
    """
    return _refresh(Q(policy__in=policy_ids))


def after_fixture_load(
    laid: Collection[tuple[type[models.Model], Any, bool]], act: ChangeContext
) -> None:
    """Take in rows that a fixture laid raw.

    Derive what follows from them, record each of them once.

    `laid` names model, primary key and whether the row is new.
    """
    touched = _deriving_from([(model, key) for model, key, _made in laid])
    refresh_tasks(set(Task.objects.filter(touched).values_list("policy_id", flat=True)))
    for model, key, made in laid:
        if model in History.records:
            _record(model._default_manager.get(pk=key), act, made)


def _deriving_from(rows: Collection[tuple[type[models.Model], Any]]) -> Q:
    """Ask for the tasks with a derived column that comes from one of some rows."""
    keys = {}
    for kind in DERIVATION_PATHS:
        keys[kind] = [key for model, key in rows if model is kind]
    return reduce(
        or_,
        (Q(**{f"{way}__in": keys[kind]}) for kind, way in DERIVATION_PATHS.items() if keys[kind]),
        Q(pk__in=[]),
    )


def _refresh(which: Q) -> int:
    changed = []
    for task, differs in _derived(which):
        if differs:
            changed.append((*(getattr(task, name) for name in DERIVED), task.pk))
    store_values(Task, DERIVED, changed)
    return len(changed)


def count_stale(limit: int | None = None) -> int:
    """Count the tasks whose derived columns are not what the rules give.

    Of many, of so many spread over all.
    """
    if limit:
        step = max(Task.objects.count() // limit, 1)
    else:
        step = 1
    if step > 1:
        spread = Q(pk__in=Task.objects.order_by("pk").values_list("pk", flat=True)[::step][:limit])
    else:
        spread = Q()
    return sum(differs for _task, differs in _derived(spread))


def _derived(which: Q) -> Iterator[tuple[Task, bool]]:
    """Derive tasks from what is stored, none of them saved.

    Yield each and whether anything differs.
    """
    tasks = (
        Task.objects.filter(which)
        .select_related("policy", "measure__section", "latest_report")
        .defer("policy__full_text")
        .prefetch_related(
            # Plain lists: a queryset for every task costs more than the rows.
            Prefetch("items", to_attr="steps_fetched"),
            Prefetch("indicators", to_attr="indicators_fetched"),
        )
    )
    texts: dict[int, ClauseFinder] = {}
    found: Iterable[Any] = tasks.iterator(chunk_size=BATCH_SIZE)
    for task in found:
        if task.policy_id not in texts:
            texts[task.policy_id] = ClauseFinder(task.policy.full_text)
        yield (
            task,
            derive_task(task, task.steps_fetched, task.indicators_fetched, texts[task.policy_id]),
        )


def _refresh_turning_dates(policy_id: int) -> None:
    """Set both dates of all tasks of a policy anew.

    No other derived column comes from its thresholds.

    Makes no object of a task, as `refresh` does, and asks for none of its steps.
    """
    policy = PolicyDocument.objects.defer("full_text").get(pk=policy_id)
    tasks = (
        Task.objects.filter(policy=policy)
        .order_by()
        .values_list("pk", *TURNING_DATES, *DERIVED_FROM_FIELDS, named=True)
    )
    moved = []
    for task in tasks.iterator(chunk_size=BATCH_SIZE):
        found = lights.turning_dates(task, policy)
        if found != (task.turns_yellow_on, task.turns_red_on):
            moved.append((*found, task.pk))
    store_values(Task, TURNING_DATES, moved)


def _check_right(row: models.Model, act: ChangeContext) -> None:
    if act.user and not permissions.may_edit(act.user, row._meta.model_name or ""):
        raise PermissionDenied


def bump_version(row: Versioned, seen: int | None) -> bool:
    """Take the row for this change and raise its version; say whether it is new.

    One UPDATE that names the version seen: of two writers the second finds no such row, whatever
    the database and its isolation.
    """
    if row.pk is None:
        row.version = 1
        return True
    if seen is None:
        seen = row.version
    else:
        seen = seen
    if not type(row)._default_manager.filter(pk=row.pk, version=seen).update(version=seen + 1):
        raise StaleVersion(row)
    row.version = seen + 1
    return False


@contextmanager
def _quiet(row: models.Model) -> Iterator[None]:
    """Keep the automatic history silent: a change of several steps is recorded once, at its end."""
    row.skip_history_when_saving = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del row.skip_history_when_saving  # type: ignore[attr-defined]


def save_row(row: models.Model, act: ChangeContext | None = None, made: bool | None = None) -> None:
    """Save a row and record it once, without an act not at all.

    What the database refuses is said in words.
    """
    if made is None:
        made = row.pk is None
    else:
        made = made
    try:
        with _quiet(row), transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise explain_violation(row, error) from error
    if act:
        _record(row, act, made)


def explain_violation(row: models.Model, error: IntegrityError) -> ValidationError:
    """Say in words which rule of the database a row breaks; to be asked after the roll-back."""
    try:
        row.validate_constraints()
    except ValidationError as broken:
        return broken
    return ValidationError(_("The database refuses it: %(error)s") % {"error": error})


def attach_context(row: models.Model, act: ChangeContext) -> None:
    """Leave on a row what its next history row takes over."""
    row._history_user = act.user  # type: ignore[attr-defined]
    row._change_reason = act.reason  # type: ignore[attr-defined]
    row._way = act.way  # type: ignore[attr-defined]


def _record(row: models.Model, act: ChangeContext, made: bool) -> None:
    attach_context(row, act)
    History.records[type(row)].create_historical_record(row, "+" if made else "~")


def _moved_grounds(row: models.Model, stored: models.Model) -> set[str]:
    """Name the fields of a row that differ from what is stored and that derived columns come from."""
    names = DERIVATION_INPUTS.get(type(row), ())
    found = set()
    for name in names:
        if getattr(row, name) != getattr(stored, name):
            found.add(name)
    return found


def _moved(row: models.Model, before: models.Model, *names: str) -> bool:
    return any(getattr(row, name) != getattr(before, name) for name in names)


def validate_co_units(
    task: Task,
    before: Task | None,
    units: list[Organization] | None,
    stored: list[Organization] | None = None,
) -> None:
    """Hold the co-operating units of a task against the rules.

    `stored` are those of now, asked for where not given.
    """
    if stored is None:
        if task.pk:
            stored = list(Organization.objects.filter(co_tasks=task))
        else:
            stored = []
    if units is None:
        units = stored
    keys = set()
    for unit in stored:
        keys.add(unit.pk)
    if checks.stays_closed(task, before) and {unit.pk for unit in units} != keys:
        raise ValidationError({"co_units": checks.closed_task_text()})
    checks.check_units_in_office(task, before, units, {unit.pk for unit in units} - keys)
    if task.lead_unit in units:
        raise ValidationError(
            {
                "co_units": _("The lead unit does not co-operate with itself: %(unit)s.")
                % {"unit": task.lead_unit}
            }
        )
