"""Requests of units for closing and for more time, and the decisions on them."""

import datetime as dt

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from tracker.domain import permissions
from tracker.domain.choices import (
    OPEN_STATUSES,
    RUNNING_STATUSES,
    RequestKind,
    RequestState,
    Status,
)
from tracker.models import Task, TaskRequest
from tracker.workflow.checks import ENDED_STATUSES
from tracker.workflow.rows import ChangeContext, bump_version, save_row


def follow_requests(task: Task, before: Task, act: ChangeContext, today: dt.date) -> None:
    """Bring the requests of a task in line with what the office did to the task directly.

    No request stays open that such a change has decided.
    """
    open_requests = {}
    for request in task.requests.filter(state=RequestState.OPEN):
        open_requests[request.kind] = request
    _follow_closing(task, open_requests.get(RequestKind.CLOSE), act, today)
    if _has_more_time(task, before):
        granted = open_requests.get(RequestKind.EXTEND) or TaskRequest(
            task=task, kind=RequestKind.EXTEND, asked_on=today, reason=act.reason
        )
        note_deadline(granted, before.deadline)
        granted.new_deadline = task.deadline
        decide_request(granted, act, today, granted=True)
    if task.status not in OPEN_STATUSES:
        end_requests(task, act, today)


def _follow_closing(
    task: Task, request: TaskRequest | None, act: ChangeContext, today: dt.date
) -> None:
    """Add, decide or redate the request for closing, as the status of the task demands."""
    asked_on = task.closing_requested_on
    if request is None:
        if task.status == Status.CLOSING:
            # Entered by the office for a unit that asked outside the tracker.
            save_row(TaskRequest(task=task, kind=RequestKind.CLOSE, asked_on=asked_on), act)
    elif task.status in (Status.CLOSED, *RUNNING_STATUSES):
        decide_request(request, act, today, granted=task.status == Status.CLOSED)
    elif task.status == Status.CLOSING and request.asked_on != asked_on:
        request.asked_on = asked_on
        bump_version(request, None)
        save_row(request, act)


def _has_more_time(task: Task, before: Task) -> bool:
    if not before.assigned_on or before.status in ENDED_STATUSES:
        return False
    return bool(before.deadline and task.deadline and task.deadline > before.deadline)


def note_deadline(request: TaskRequest, deadline: dt.date | None) -> None:
    """Note the deadline in force at a decision; the one of the day of asking stays beside it."""
    if request.pk and not request.deadline_when_asked:
        request.deadline_when_asked = request.old_deadline
    request.old_deadline = deadline


def end_requests(task: Task, act: ChangeContext, today: dt.date) -> None:
    """Return the open requests of a task that is no longer under way."""
    for request in task.requests.filter(state=RequestState.OPEN):
        request.state = RequestState.RETURNED
        request.decided_by = act.user
        request.decided_on = today
        request.decision_note = act.reason
        if request.kind == RequestKind.EXTEND:
            note_deadline(request, task.deadline)
        save_row(request, act)


def decide_request(
    request: TaskRequest, act: ChangeContext, today: dt.date, *, granted: bool
) -> None:
    """Grant or return a request; raise PermissionDenied for one's own."""
    if act.user and not permissions.may_review(act.user, request.asked_by_id):
        raise PermissionDenied(_("Nobody may review their own requests or reports."))
    request.state = RequestState.RETURNED
    if granted:
        request.state = RequestState.GRANTED
    request.decided_by = act.user
    request.decided_on = today
    request.decision_note = request.decision_note or act.reason
    save_row(request, act)
