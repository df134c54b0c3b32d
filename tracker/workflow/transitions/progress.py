"""Steps of handing over, reporting and reviewing."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.choices import (
    OPEN_STATUSES,
    RUNNING_STATUSES,
    Action,
    Capacity,
    PolicyState,
    Status,
)
from tracker.models import Task
from tracker.workflow.checks import draft_policy_text
from tracker.workflow.transitions.base import (
    LEAD_UNIT,
    LEAD_UNIT_OR_OFFICE,
    OFFICE,
    StepField,
    Transition,
    TransitionContext,
    is_handed_over,
)

ALL_BUT_CANCELLED = tuple(status for status in Status if status != Status.CANCELLED)


def moved_step_text() -> str:
    """Return the text for a step that is another than the page showed."""
    return _("The checklist was changed since the page was opened: check it and tick again.")


def _may_be_handed_over(task: Task) -> bool:
    return not task.assigned_on and task.policy.state == PolicyState.PUBLISHED


def _draft_refusal(task: Task) -> str:
    if task.policy.state == PolicyState.DRAFT:
        return draft_policy_text()
    return ""


def _hand_over(context: TransitionContext) -> None:
    day = context.entered.get("on") or context.today
    context.task.assigned_on = day
    context.task.owed_from = day


def _may_be_acknowledged(task: Task) -> bool:
    return is_handed_over(task) and not task.acknowledged_on


def _acknowledge(context: TransitionContext) -> None:
    context.task.acknowledged_on = context.today


def _tick(context: TransitionContext) -> None:
    """Tick a step of the checklist, or take the tick away; do nothing where it is so already."""
    item = context.task.items.filter(pk=context.entered["item"]).first()
    if not item:
        raise ValidationError(_("This step is no longer on the checklist."))
    done_on = context.entered["done_on"]
    if bool(item.done_on) == bool(done_on):
        return
    if context.entered.get("seen_mark") not in (None, item.mark):
        raise ValidationError(moved_step_text())
    item.done_on = done_on
    item.done_by = None
    if done_on:
        item.done_by = context.act.user
    context.changed_items.append(item)


def _has_accepted_report(task: Task) -> bool:
    return bool(task.latest_report_id)


PROGRESS_TRANSITIONS = (
    Transition(
        action=Action.HAND_OVER,
        capacities=OFFICE,
        sources=RUNNING_STATUSES,
        needs=gettext_lazy("lead unit and kind; once"),
        guard=_may_be_handed_over,
        refusal=_draft_refusal,
        effect=_hand_over,
        form_fields=(StepField("on"),),
    ),
    Transition(
        action=Action.ACKNOWLEDGE,
        capacities=LEAD_UNIT,
        sources=OPEN_STATUSES,
        needs=gettext_lazy("a task handed over; once"),
        guard=_may_be_acknowledged,
        effect=_acknowledge,
        form_fields=(),
    ),
    Transition(
        action=Action.REPORT,
        capacities=LEAD_UNIT_OR_OFFICE,
        sources=RUNNING_STATUSES,
        target=Status.IN_PROGRESS,
        needs=gettext_lazy("progress; a percentage where it is judged"),
        guard=is_handed_over,
    ),
    Transition(
        action=Action.CONTRIBUTE,
        capacities=(Capacity.HELPER, Capacity.OFFICE),
        sources=RUNNING_STATUSES,
        needs=gettext_lazy("progress"),
        guard=is_handed_over,
        changes_task=False,
    ),
    Transition(
        action=Action.TICK,
        capacities=LEAD_UNIT_OR_OFFICE,
        sources=RUNNING_STATUSES,
        target=Status.IN_PROGRESS,
        effect=_tick,
    ),
    Transition(
        action=Action.ACCEPT,
        capacities=OFFICE,
        sources=ALL_BUT_CANCELLED,
        needs=gettext_lazy("not one's own report"),
    ),
    Transition(
        action=Action.RETURN,
        capacities=OFFICE,
        sources=ALL_BUT_CANCELLED,
        needs=gettext_lazy("a reason; not one's own report"),
    ),
    Transition(
        action=Action.WITHDRAW_ACCEPTANCE,
        capacities=OFFICE,
        sources=(*RUNNING_STATUSES, Status.SUSPENDED),
        needs=gettext_lazy("a reason; not one's own report; no later report accepted"),
        guard=_has_accepted_report,
    ),
)
