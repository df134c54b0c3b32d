"""What can be done with a task, by whom and when: one table, and the doing of each of its rows.

A step reads the task as it is stored, under a lock of its policy: two people who press the same
button make one effect, and nothing of what somebody else has saved meanwhile is overwritten.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.domain.choices import Action, Kind, PolicyState, Rating, RequestKind, RequestState
from tracker.models import ChecklistItem, Evidence, PolicyDocument, Task, TaskRequest, User
from tracker.models.base import StrOrPromise
from tracker.workflow.checks import draft_policy_text
from tracker.workflow.rows import ChangeContext, StaleVersion, save_row
from tracker.workflow.task_requests import decide_request, end_requests, note_deadline
from tracker.workflow.tasks import TaskParts, lock_task, write_task
from tracker.workflow.transition_table import TRANSITIONS, Transition


def allowed_actions(task: Task, user: User) -> list[Action]:
    """List what an account may do with a task as it stands; the buttons of its page."""
    doers = permissions.acts_for(user, task)
    found = []
    for step in TRANSITIONS.values():
        if doers & set(step.doers) and _fits(task, step):
            found.append(step.action)
    return found


def _fits(task: Task, step: Transition) -> bool:
    """Say whether a step fits the state of a task, whoever takes it."""
    if task.status not in step.sources:
        return False
    if step.action == Action.HAND_OVER:
        return not task.assigned_on and task.policy.state == PolicyState.PUBLISHED
    if step.action == Action.ACKNOWLEDGE:
        return bool(task.assigned_on) and not task.acknowledged_on
    if step.action == Action.WITHDRAW_ACCEPTANCE:
        return bool(task.latest_report_id)
    if step.action in (Action.REPORT, Action.CONTRIBUTE, Action.REQUEST_CLOSING):
        return bool(task.assigned_on) and not (
            step.action == Action.REQUEST_CLOSING and task.kind == Kind.STANDING
        )
    if step.action == Action.REQUEST_EXTENSION:
        return bool(task.assigned_on and task.deadline)
    return True


def check_transition(task: Task, action: Action, act: ChangeContext) -> Transition:
    """Return the row of an action, or say why it cannot be taken.

    A command on the machine itself has every right.
    """
    step = TRANSITIONS[action]
    _check_right(task, step, act)
    if action == Action.HAND_OVER and task.policy.state == PolicyState.DRAFT:
        raise ValidationError(draft_policy_text())
    if not _fits(task, step):
        raise ValidationError(
            _("“%(action)s” does not fit the task as it is now: %(status)s.")
            % {"action": action.label, "status": task.get_status_display()}
        )
    return step


def _check_right(task: Task, step: Transition, act: ChangeContext) -> None:
    if act.user and not permissions.acts_for(act.user, task) & set(step.doers):
        raise PermissionDenied


@dataclass
class TransitionContext:
    """A step under way: the task as it will be, who acts on which day, and what was entered."""

    task: Task
    act: ChangeContext
    today: dt.date
    entered: dict[str, Any]

    def need(self, name: str, words: StrOrPromise) -> Any:
        """Return what was entered in a field, or say beside it what it needs."""
        value = self.entered.get(name)
        if value in (None, "") or (isinstance(value, str) and not value.strip()):
            raise ValidationError({name: words})
        return value

    def waiting(self, kind: RequestKind) -> TaskRequest:
        """Return the request that waits, or say that there is none any more."""
        found = self.task.requests.filter(kind=kind, state=RequestState.OPEN).first()
        if not found:
            raise ValidationError(
                _("No such request is waiting; somebody may have decided it already.")
            )
        return found


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
    PermissionDenied, Stale on a newer version, or ValidationError that names the field or says
    what does not fit. Returns the task as it stands afterwards.
    """
    with transaction.atomic():
        found, before = start_transition(task, action, act, seen)
        why = str(entered.get("reason") or entered.get("note") or act.reason).strip()
        doing = TransitionContext(found, replace(act, reason=why), today, entered)
        items = TRANSITION_EFFECTS[action](doing) or ()
        write_task(found, before, doing.act, today, TaskParts(items=items), by_request=True)
    return found


def start_transition(
    task: Task, action: Action, act: ChangeContext, seen: int | None = None
) -> tuple[Task, Task]:
    """Hold the stored task for a step that fits it, its status moved on; return it, and as it was.

    In a transaction.
    """
    # The lock first, then the reading: what is read stays true until the end.
    PolicyDocument.objects.select_for_update().only("pk").get(pk=task.policy_id)
    found = Task.objects.with_related().defer("policy__full_text").get(pk=task.pk)
    _check_right(found, TRANSITIONS[action], act)
    if seen is not None and found.version != seen:
        raise StaleVersion(found)
    step = check_transition(found, action, act)
    if action == Action.CONTRIBUTE:
        # It changes nothing of the task: what the lead unit has open stays good.
        return found, found
    before = lock_task(found, found.version) or found
    if step.target:
        found.status = step.target
    return found, before


def moved_step_text() -> str:
    """Say that a step is another than the page showed."""
    return _("The checklist was changed since the page was opened: look at it and tick again.")


def tick_item(
    item: ChecklistItem,
    act: ChangeContext,
    done_on: dt.date | None,
    today: dt.date,
    seen: str | None = None,
) -> None:
    """Tick an item off on a day, or take the tick away with None; the percent follows.

    Done already is done.

    `seen` is the mark of the item that the person saw; None for a command.
    """
    stored = ChecklistItem.objects.filter(pk=item.pk).values_list("done_on", flat=True)
    if [bool(day) for day in stored] == [bool(done_on)]:
        check_transition(item.task, Action.TICK, act)
        return
    execute_transition(
        item.task, Action.TICK, act, today, item=item.pk, done_on=done_on, seen_mark=seen
    )


def _hand_over(doing: TransitionContext) -> None:
    doing.task.assigned_on = doing.task.owed_from = doing.entered.get("on") or doing.today


def _acknowledge(doing: TransitionContext) -> None:
    doing.task.acknowledged_on = doing.today


def _tick(doing: TransitionContext) -> Sequence[ChecklistItem]:
    item = doing.task.items.filter(pk=doing.entered["item"]).first()
    if not item:
        raise ValidationError(_("This step is no longer on the checklist."))
    done_on = doing.entered["done_on"]
    if bool(item.done_on) == bool(done_on):
        return ()
    if doing.entered.get("seen_mark") not in (None, item.mark):
        raise ValidationError(moved_step_text())
    item.done_on = done_on
    if done_on:
        item.done_by = doing.act.user
    else:
        item.done_by = None
    return (item,)


def _request_closing(doing: TransitionContext) -> None:
    task = doing.task
    evidence = list(doing.entered.get("evidence", ()))
    statement = str(doing.entered.get("reason") or "").strip()
    lacks = missing_for_closing(task)
    if evidence:
        lacks.pop("evidence", None)
    if not task.items.exists() and task.kind == Kind.QUALITATIVE and not statement:
        lacks["reason"] = _(
            "Without a checklist the closing needs a statement of what was achieved."
        )
    if lacks:
        raise ValidationError(lacks)
    task.closing_requested_on = doing.today
    ask = TaskRequest(
        task=task,
        kind=RequestKind.CLOSE,
        reason=statement,
        asked_by=doing.act.user,
        asked_on=doing.today,
    )
    save_row(ask, doing.act)
    attach_evidence(evidence, doing.act, doing.today, task=task, request=ask)


def missing_for_closing(task: Task) -> dict[str, str]:
    """Say what a task lacks to be closed on request: in its checklist, its percent, its evidence.

    Only what the office is shown counts: nothing of a draft, and no evidence of a report that was
    returned.
    """
    lacks: dict[str, str] = {}
    items = list(ChecklistItem.objects.filter(task=task))
    left = sum(not item.done_on for item in items)
    if left:
        lacks["__all__"] = _("%(count)d steps of the checklist are not ticked yet.") % {
            "count": left
        }
    elif not items and task.kind == Kind.QUANTIFIED and task.percent < 100:
        words = _("Closing needs 100%%; the latest accepted report says %(percent)d%%.")
        lacks["__all__"] = words % {"percent": task.percent}
    if not task.evidence.proving().exists():
        lacks["evidence"] = _(
            "Closing needs evidence: a file or a link, here or in a report that was handed in."
        )
    return lacks


def attach_evidence(
    evidence: Iterable[Evidence], act: ChangeContext, today: dt.date, **to: Any
) -> None:
    """Save pieces of evidence that hang on a task, and on its report, step or request.

    Those of a report are handed in with it and are in no history before.
    """
    for piece in evidence:
        piece.added_by = act.user
        piece.added_on = today
        for name, value in to.items():
            setattr(piece, name, value)
        piece.handed_in = "report" not in to
        save_row(piece, act if piece.handed_in else None)


def _withdraw_closing(doing: TransitionContext) -> None:
    ask = doing.waiting(RequestKind.CLOSE)
    ask.state = RequestState.WITHDRAWN
    ask.decided_by = doing.act.user
    ask.decided_on = doing.today
    save_row(ask, doing.act)


def _decide_closing(granted: bool) -> Callable[[TransitionContext], None]:
    def deed(doing: TransitionContext) -> None:
        ask = doing.waiting(RequestKind.CLOSE)
        if granted:
            ask.rating = _rating(doing)
            # The day of the request is the day that counts; the day of the decision is kept beside
            # it.
            doing.task.closed_on = doing.task.closing_requested_on
        if granted:
            ask.decision_note = doing.entered.get("note", "")
        else:
            ask.decision_note = doing.need("note", _("Give a reason."))
        decide_request(ask, doing.act, doing.today, granted=granted)

    return deed


def _rating(doing: TransitionContext) -> Rating:
    return Rating(doing.need("rating", _("Rate how well it was done.")))


def _request_extension(doing: TransitionContext) -> None:
    task = doing.task
    deadline = doing.need("deadline", _("Enter the new deadline."))
    if doing.today > task.deadline:
        raise ValidationError(
            _("More time can be asked for until the deadline only; it was %(day)s.")
            % {"day": task.deadline}
        )
    if deadline <= task.deadline:
        raise ValidationError(
            {"deadline": _("The new deadline must be later than %(day)s.") % {"day": task.deadline}}
        )
    ask = TaskRequest(
        task=task,
        kind=RequestKind.EXTEND,
        reason=doing.need("reason", _("Give a reason.")),
        progress=doing.need("progress", _("Say how far the task is.")),
        old_deadline=task.deadline,
        deadline_when_asked=task.deadline,
        new_deadline=deadline,
        asked_by=doing.act.user,
        asked_on=doing.today,
    )
    save_row(ask, doing.act)


def _grant_extension(doing: TransitionContext) -> None:
    ask = doing.waiting(RequestKind.EXTEND)
    now = doing.task.deadline
    if now and ask.new_deadline and ask.new_deadline <= now:
        words = _(
            "The deadline has been moved to %(now)s meanwhile, which is no earlier than the "
            "%(day)s asked for."
        )
        raise ValidationError(words % {"now": now, "day": ask.new_deadline})
    note_deadline(ask, now)
    ask.decision_note = doing.entered.get("note", "")
    doing.task.deadline = ask.new_deadline
    doing.act = replace(doing.act, reason=ask.reason)
    decide_request(ask, doing.act, doing.today, granted=True)


def _return_extension(doing: TransitionContext) -> None:
    ask = doing.waiting(RequestKind.EXTEND)
    ask.decision_note = doing.need("note", _("Give a reason."))
    note_deadline(ask, doing.task.deadline)
    decide_request(ask, doing.act, doing.today, granted=False)


def _close(doing: TransitionContext) -> None:
    doing.task.closed_on = doing.need("on", _("Enter the day on which the task was done."))
    if doing.task.closed_on > doing.today:
        raise ValidationError({"on": _("The day lies ahead: a task is closed when it is done.")})
    granted = TaskRequest(
        task=doing.task,
        kind=RequestKind.CLOSE,
        asked_on=doing.task.closed_on,
        rating=_rating(doing),
        decision_note=doing.entered.get("note", ""),
    )
    end_requests(doing.task, doing.act, doing.today)
    decide_request(granted, doing.act, doing.today, granted=True)


def _stop(doing: TransitionContext) -> None:
    doing.need("reason", _("Give a reason."))
    end_requests(doing.task, doing.act, doing.today)


def _go_on(doing: TransitionContext) -> None:
    doing.need("reason", _("Give a reason."))
    if doing.task.kind != Kind.STANDING and doing.task.deadline:
        doing.task.deadline = doing.need("deadline", _("Enter the new deadline."))
        if doing.task.deadline < doing.today:
            raise ValidationError({"deadline": _("The new deadline lies in the past.")})


# The deeds of ACCEPT, RETURN, WITHDRAW_ACCEPTANCE, REPORT and CONTRIBUTE are those of a report:
# `workflow.reports`.
TRANSITION_EFFECTS: dict[Action, Callable[[TransitionContext], Sequence[ChecklistItem] | None]] = {
    Action.HAND_OVER: _hand_over,
    Action.ACKNOWLEDGE: _acknowledge,
    Action.TICK: _tick,
    Action.REQUEST_CLOSING: _request_closing,
    Action.WITHDRAW_CLOSING: _withdraw_closing,
    Action.GRANT_CLOSING: _decide_closing(granted=True),
    Action.RETURN_CLOSING: _decide_closing(granted=False),
    Action.REQUEST_EXTENSION: _request_extension,
    Action.GRANT_EXTENSION: _grant_extension,
    Action.RETURN_EXTENSION: _return_extension,
    Action.CLOSE: _close,
    Action.SUSPEND: _stop,
    Action.RESUME: _go_on,
    Action.CANCEL: _stop,
    Action.REOPEN: _go_on,
}
