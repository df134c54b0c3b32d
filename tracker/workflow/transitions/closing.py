"""Steps of closing a task: requested by its unit, decided by the office."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.choices import (
    RUNNING_STATUSES,
    Action,
    Kind,
    Rating,
    RequestKind,
    RequestState,
    Status,
)
from tracker.models import ChecklistItem, Task, TaskRequest
from tracker.workflow.evidence import attach_evidence
from tracker.workflow.rows import save_row
from tracker.workflow.task_requests import decide_request
from tracker.workflow.transitions.base import (
    LEAD_UNIT,
    LEAD_UNIT_OR_OFFICE,
    OFFICE,
    StepField,
    Transition,
    TransitionContext,
    is_handed_over,
)


def missing_for_closing(task: Task) -> dict[str, str]:
    """Return what a task lacks to be closed on request, by field: steps, percent, evidence.

    Only what the office is shown counts: nothing of a draft, and no evidence of a report that was
    returned.
    """
    missing: dict[str, str] = {}
    items = list(ChecklistItem.objects.filter(task=task))
    left = sum(not item.done_on for item in items)
    if left:
        text = _("%(count)d steps of the checklist are not ticked yet.")
        missing["__all__"] = text % {"count": left}
    elif not items and task.kind == Kind.QUANTIFIED and task.percent < 100:
        text = _("Closing requires 100%%; the latest accepted report says %(percent)d%%.")
        missing["__all__"] = text % {"percent": task.percent}
    if not task.evidence.proving().exists():
        missing["evidence"] = _(
            "Closing requires evidence: a file or a link, here or in a submitted report."
        )
    return missing


def _may_be_requested(task: Task) -> bool:
    return is_handed_over(task) and task.kind != Kind.STANDING


def _request_closing(context: TransitionContext) -> None:
    task = context.task
    evidence = list(context.entered.get("evidence", ()))
    statement = str(context.entered.get("reason") or "").strip()
    missing = missing_for_closing(task)
    if evidence:
        missing.pop("evidence", None)
    if not task.items.exists() and task.kind == Kind.QUALITATIVE and not statement:
        missing["reason"] = _(
            "Closing without a checklist requires a statement of what was achieved."
        )
    if missing:
        raise ValidationError(missing)
    task.closing_requested_on = context.today
    request = TaskRequest(
        task=task,
        kind=RequestKind.CLOSE,
        reason=statement,
        asked_by=context.act.user,
        asked_on=context.today,
    )
    save_row(request, context.act)
    attach_evidence(evidence, context.act, context.today, task=task, request=request)


def _withdraw_closing(context: TransitionContext) -> None:
    request = context.open_request(RequestKind.CLOSE)
    request.state = RequestState.WITHDRAWN
    request.decided_by = context.act.user
    request.decided_on = context.today
    save_row(request, context.act)


def _grant_closing(context: TransitionContext) -> None:
    request = context.open_request(RequestKind.CLOSE)
    request.rating = rating_of(context)
    # The day of the request is the day that counts; the day of the decision is kept beside it.
    context.task.closed_on = context.task.closing_requested_on
    request.decision_note = context.entered.get("note", "")
    decide_request(request, context.act, context.today, granted=True)


def _return_closing(context: TransitionContext) -> None:
    request = context.open_request(RequestKind.CLOSE)
    request.decision_note = context.require("note", _("Give a reason."))
    decide_request(request, context.act, context.today, granted=False)


def rating_of(context: TransitionContext) -> Rating:
    """Return the rating that was entered; raise ValidationError where there is none."""
    return Rating(context.require("rating", _("Rate how well it was done.")))


CLOSING_TRANSITIONS = (
    Transition(
        action=Action.REQUEST_CLOSING,
        capacities=LEAD_UNIT_OR_OFFICE,
        sources=RUNNING_STATUSES,
        target=Status.CLOSING,
        needs=gettext_lazy(
            "evidence; all steps ticked, or 100%, or a closing statement; not a standing task"
        ),
        guard=_may_be_requested,
        effect=_request_closing,
        form_fields=(
            StepField("reason", label=gettext_lazy("closing statement")),
            StepField("proofs"),
            StepField("link"),
            StepField("item"),
        ),
        request_kind=RequestKind.CLOSE,
        shows_closing_facts=True,
    ),
    Transition(
        action=Action.WITHDRAW_CLOSING,
        capacities=LEAD_UNIT,
        sources=(Status.CLOSING,),
        target=Status.IN_PROGRESS,
        effect=_withdraw_closing,
        form_fields=(),
        request_kind=RequestKind.CLOSE,
    ),
    Transition(
        action=Action.GRANT_CLOSING,
        capacities=OFFICE,
        sources=(Status.CLOSING,),
        target=Status.CLOSED,
        needs=gettext_lazy("a rating; not one's own request"),
        effect=_grant_closing,
        form_fields=(StepField("rating"), StepField("note")),
        request_kind=RequestKind.CLOSE,
        decides_request=True,
        shows_closing_facts=True,
    ),
    Transition(
        action=Action.RETURN_CLOSING,
        capacities=OFFICE,
        sources=(Status.CLOSING,),
        target=Status.IN_PROGRESS,
        needs=gettext_lazy("a reason; not one's own request"),
        effect=_return_closing,
        form_fields=(StepField("note", label=gettext_lazy("reason")),),
        request_kind=RequestKind.CLOSE,
        decides_request=True,
        shows_closing_facts=True,
    ),
)
