"""Steps of more time: requested by a unit, decided by the office."""

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.choices import RUNNING_STATUSES, Action, RequestKind
from tracker.models import Task, TaskRequest
from tracker.workflow.rows import save_row
from tracker.workflow.task_requests import decide_request, note_deadline
from tracker.workflow.transitions.base import (
    LEAD_UNIT,
    OFFICE,
    StepField,
    Transition,
    TransitionContext,
)


def _may_be_extended(task: Task) -> bool:
    return bool(task.assigned_on and task.deadline)


def _request_extension(context: TransitionContext) -> None:
    task = context.task
    deadline = context.require("deadline", _("Enter the new deadline."))
    if context.today > task.deadline:
        raise ValidationError(
            _("More time can be requested only until the deadline; it was %(day)s.")
            % {"day": task.deadline}
        )
    if deadline <= task.deadline:
        text = _("The new deadline must be later than %(day)s.")
        raise ValidationError({"deadline": text % {"day": task.deadline}})
    request = TaskRequest(
        task=task,
        kind=RequestKind.EXTEND,
        reason=context.require("reason", _("Give a reason.")),
        progress=context.require("progress", _("Enter the progress so far.")),
        old_deadline=task.deadline,
        deadline_when_asked=task.deadline,
        new_deadline=deadline,
        asked_by=context.act.user,
        asked_on=context.today,
    )
    save_row(request, context.act)


def _grant_extension(context: TransitionContext) -> None:
    request = context.open_request(RequestKind.EXTEND)
    now = context.task.deadline
    if now and request.new_deadline and request.new_deadline <= now:
        text = _(
            "The deadline has since been moved to %(now)s, which is no earlier than the requested "
            "%(day)s."
        )
        raise ValidationError(text % {"now": now, "day": request.new_deadline})
    note_deadline(request, now)
    request.decision_note = context.entered.get("note", "")
    context.task.deadline = request.new_deadline
    context.act = replace(context.act, reason=request.reason)
    decide_request(request, context.act, context.today, granted=True)


def _return_extension(context: TransitionContext) -> None:
    request = context.open_request(RequestKind.EXTEND)
    request.decision_note = context.require("note", _("Give a reason."))
    note_deadline(request, context.task.deadline)
    decide_request(request, context.act, context.today, granted=False)


EXTENSION_TRANSITIONS = (
    Transition(
        action=Action.REQUEST_EXTENSION,
        capacities=LEAD_UNIT,
        sources=RUNNING_STATUSES,
        needs=gettext_lazy("before the deadline: a reason, a later day, progress so far"),
        guard=_may_be_extended,
        effect=_request_extension,
        form_fields=(StepField("deadline"), StepField("reason"), StepField("progress")),
        request_kind=RequestKind.EXTEND,
    ),
    Transition(
        action=Action.GRANT_EXTENSION,
        capacities=OFFICE,
        sources=RUNNING_STATUSES,
        needs=gettext_lazy("not one's own request"),
        effect=_grant_extension,
        form_fields=(StepField("note"),),
        request_kind=RequestKind.EXTEND,
        decides_request=True,
    ),
    Transition(
        action=Action.RETURN_EXTENSION,
        capacities=OFFICE,
        sources=RUNNING_STATUSES,
        needs=gettext_lazy("a reason; not one's own request"),
        effect=_return_extension,
        form_fields=(StepField("note", label=gettext_lazy("reason")),),
        request_kind=RequestKind.EXTEND,
        decides_request=True,
    ),
)
