"""Steps that the office takes without a request: close, suspend, resume, cancel, reopen."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.choices import OPEN_STATUSES, RUNNING_STATUSES, Action, RequestKind, Status
from tracker.models import TaskRequest
from tracker.workflow.task_requests import decide_request, end_requests
from tracker.workflow.transitions.base import (
    OFFICE,
    REASON_NEEDED,
    StepField,
    Transition,
    TransitionContext,
    has_deadline,
)
from tracker.workflow.transitions.closing import rating_of


def _close(context: TransitionContext) -> None:
    task = context.task
    task.closed_on = context.require("on", _("Enter the day on which the task was done."))
    if task.closed_on > context.today:
        raise ValidationError({"on": _("The day of closing cannot be in the future.")})
    granted = TaskRequest(
        task=task,
        kind=RequestKind.CLOSE,
        asked_on=task.closed_on,
        rating=rating_of(context),
        decision_note=context.entered.get("note", ""),
    )
    end_requests(task, context.act, context.today)
    decide_request(granted, context.act, context.today, granted=True)


def _stop(context: TransitionContext) -> None:
    context.require("reason", _("Give a reason."))
    end_requests(context.task, context.act, context.today)


def _go_on(context: TransitionContext) -> None:
    context.require("reason", _("Give a reason."))
    task = context.task
    if has_deadline(task):
        task.deadline = context.require("deadline", _("Enter the new deadline."))
        if task.deadline < context.today:
            raise ValidationError({"deadline": _("The new deadline is in the past.")})


_GO_ON_FIELDS = (StepField("deadline", required=has_deadline), StepField("reason"))

OFFICE_TRANSITIONS = (
    Transition(
        action=Action.CLOSE,
        capacities=OFFICE,
        sources=RUNNING_STATUSES,
        target=Status.CLOSED,
        needs=gettext_lazy("the day of completion and a rating"),
        effect=_close,
        form_fields=(StepField("on"), StepField("rating"), StepField("note")),
        shows_closing_facts=True,
    ),
    Transition(
        action=Action.SUSPEND,
        capacities=OFFICE,
        sources=RUNNING_STATUSES,
        target=Status.SUSPENDED,
        needs=REASON_NEEDED,
        effect=_stop,
        form_fields=(StepField("reason"),),
    ),
    Transition(
        action=Action.RESUME,
        capacities=OFFICE,
        sources=(Status.SUSPENDED,),
        target=Status.IN_PROGRESS,
        needs=gettext_lazy("a reason, a new deadline"),
        effect=_go_on,
        form_fields=_GO_ON_FIELDS,
    ),
    Transition(
        action=Action.CANCEL,
        capacities=OFFICE,
        sources=(*OPEN_STATUSES, Status.SUSPENDED),
        target=Status.CANCELLED,
        needs=REASON_NEEDED,
        effect=_stop,
        form_fields=(StepField("reason"),),
    ),
    Transition(
        action=Action.REOPEN,
        capacities=OFFICE,
        sources=(Status.CLOSED, Status.CANCELLED),
        target=Status.IN_PROGRESS,
        needs=gettext_lazy("a reason, a new deadline"),
        effect=_go_on,
        form_fields=_GO_ON_FIELDS,
    ),
)
