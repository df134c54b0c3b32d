"""Take a step with a task, by whoever may and where it fits.

A step reads the task as it is stored, under a lock of its policy: two people who press the same
button make one effect, and nothing of what somebody else has saved meanwhile is overwritten.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.domain.choices import Action
from tracker.models import ChecklistItem, PolicyDocument, Task, User
from tracker.workflow.rows import ChangeContext, StaleVersion
from tracker.workflow.tasks import TaskParts, lock_task, write_task
from tracker.workflow.transitions.base import Transition, TransitionContext
from tracker.workflow.transitions.table import TRANSITIONS


def allowed_actions(task: Task, user: User) -> list[Action]:
    """Return what an account may do with a task as it is now, in the order of the buttons."""
    capacities = permissions.acts_for(user, task)
    allowed = []
    for step in TRANSITIONS.values():
        if capacities & set(step.capacities) and step.fits(task):
            allowed.append(step.action)
    return allowed


def check_transition(task: Task, action: Action, act: ChangeContext) -> Transition:
    """Return the step of an action; raise PermissionDenied, or ValidationError where it fits not.

    A command on the machine itself has every right.
    """
    step = TRANSITIONS[action]
    _check_capacity(task, step, act)
    if not step.fits(task):
        text = ""
        if step.refusal:
            text = step.refusal(task)
        status = {"action": step.label, "status": task.get_status_display()}
        raise ValidationError(
            text
            or _("“%(action)s” is not possible for the task as it is now: %(status)s.") % status
        )
    return step


def _check_capacity(task: Task, step: Transition, act: ChangeContext) -> None:
    if act.user and not permissions.acts_for(act.user, task) & set(step.capacities):
        raise PermissionDenied


def execute_transition(
    task: Task,
    action: Action,
    act: ChangeContext,
    today: dt.date,
    seen: int | None = None,
    **entered: Any,
) -> Task:
    """Take a step with a task; all that follows from it is one transaction.

    `seen` is the version of the task that the person saw; None for a command. Raises
    PermissionDenied, StaleVersion on a newer version, or ValidationError that names the field or
    says what does not fit. Returns the task as it is afterwards.
    """
    effect = TRANSITIONS[action].effect
    if effect is None:
        raise ValueError(f"{action} is a step with a report: see tracker.workflow.reports.")
    with transaction.atomic():
        changed, before = start_transition(task, action, act, seen)
        reason = str(entered.get("reason") or entered.get("note") or act.reason).strip()
        context = TransitionContext(changed, replace(act, reason=reason), today, entered)
        effect(context)
        parts = TaskParts(items=context.changed_items)
        write_task(changed, before, context.act, today, parts, by_request=True)
    return changed


def start_transition(
    task: Task, action: Action, act: ChangeContext, seen: int | None = None
) -> tuple[Task, Task]:
    """Lock the stored task for a step that fits it, and move its status on.

    Returns the task with its new status, and as it was. Call it in a transaction.
    """
    # The lock first, then the reading: what is read stays true until the end.
    PolicyDocument.objects.select_for_update().only("pk").get(pk=task.policy_id)
    changed = Task.objects.with_related().defer("policy__full_text").get(pk=task.pk)
    _check_capacity(changed, TRANSITIONS[action], act)
    if seen is not None and changed.version != seen:
        raise StaleVersion(changed)
    step = check_transition(changed, action, act)
    if not step.changes_task:
        # What the lead unit has open of the task stays good.
        return changed, changed
    before = lock_task(changed, changed.version) or changed
    if step.target:
        changed.status = step.target
    return changed, before


def tick_item(
    item: ChecklistItem,
    act: ChangeContext,
    done_on: dt.date | None,
    today: dt.date,
    seen: str | None = None,
) -> None:
    """Tick an item off on a day, or take the tick away with None; the percent follows.

    `seen` is the mark of the item that the person saw; None for a command. An item that is as
    wanted already is left as it is.
    """
    stored = ChecklistItem.objects.filter(pk=item.pk).values_list("done_on", flat=True)
    if [bool(day) for day in stored] == [bool(done_on)]:
        check_transition(item.task, Action.TICK, act)
        return
    entered: dict[str, Any] = {"item": item.pk, "done_on": done_on, "seen_mark": seen}
    execute_transition(item.task, Action.TICK, act, today, **entered)
