"""The table of what can be done with a task.

By whom, from which status to which, and what it needs. Pure.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from tracker.domain.choices import OPEN_STATUSES, RUNNING_STATUSES, Action, Capacity, Status
from tracker.models.base import StrOrPromise


@dataclass(frozen=True)
class Transition:
    """A row of the table: from which statuses an action leads where, who may take it, what it
    needs.
    """

    action: Action
    doers: tuple[Capacity, ...]
    sources: tuple[Status, ...]
    target: Status | None  # None: the status stays
    needs: StrOrPromise = ""


UNIT = (Capacity.LEAD,)
OFFICE = (Capacity.OFFICE,)
LEAD_OR_OFFICE = (Capacity.LEAD, Capacity.OFFICE)
ANY_STATUS = tuple(status for status in Status if status != Status.CANCELLED)
REASON_LABEL = gettext_lazy("a reason")
TRANSITIONS = {
    step.action: step
    for step in (
        Transition(
            Action.HAND_OVER,
            OFFICE,
            RUNNING_STATUSES,
            None,
            gettext_lazy("lead unit and kind; once"),
        ),
        Transition(
            Action.ACKNOWLEDGE, UNIT, OPEN_STATUSES, None, gettext_lazy("a task handed over; once")
        ),
        Transition(
            Action.REPORT,
            LEAD_OR_OFFICE,
            RUNNING_STATUSES,
            Status.IN_PROGRESS,
            gettext_lazy("progress; a percent where it is judged"),
        ),
        Transition(
            Action.CONTRIBUTE,
            (Capacity.HELPER, Capacity.OFFICE),
            RUNNING_STATUSES,
            None,
            gettext_lazy("progress"),
        ),
        Transition(Action.TICK, LEAD_OR_OFFICE, RUNNING_STATUSES, Status.IN_PROGRESS),
        Transition(Action.ACCEPT, OFFICE, ANY_STATUS, None, gettext_lazy("not one's own report")),
        Transition(
            Action.RETURN, OFFICE, ANY_STATUS, None, gettext_lazy("a reason; not one's own report")
        ),
        Transition(
            Action.WITHDRAW_ACCEPTANCE,
            OFFICE,
            (*RUNNING_STATUSES, Status.SUSPENDED),
            None,
            gettext_lazy("a reason; not one's own report; no later report accepted"),
        ),
        Transition(
            Action.REQUEST_CLOSING,
            LEAD_OR_OFFICE,
            RUNNING_STATUSES,
            Status.CLOSING,
            gettext_lazy(
                "evidence; all steps ticked, or 100%, or a closing statement; no standing task"
            ),
        ),
        Transition(Action.WITHDRAW_CLOSING, UNIT, (Status.CLOSING,), Status.IN_PROGRESS),
        Transition(
            Action.GRANT_CLOSING,
            OFFICE,
            (Status.CLOSING,),
            Status.CLOSED,
            gettext_lazy("a rating; not one's own request"),
        ),
        Transition(
            Action.RETURN_CLOSING,
            OFFICE,
            (Status.CLOSING,),
            Status.IN_PROGRESS,
            gettext_lazy("a reason; not one's own request"),
        ),
        Transition(
            Action.REQUEST_EXTENSION,
            UNIT,
            RUNNING_STATUSES,
            None,
            gettext_lazy("before the deadline: a reason, a later day, progress so far"),
        ),
        Transition(
            Action.GRANT_EXTENSION,
            OFFICE,
            RUNNING_STATUSES,
            None,
            gettext_lazy("not one's own request"),
        ),
        Transition(
            Action.RETURN_EXTENSION,
            OFFICE,
            RUNNING_STATUSES,
            None,
            gettext_lazy("a reason; not one's own request"),
        ),
        Transition(
            Action.CLOSE,
            OFFICE,
            RUNNING_STATUSES,
            Status.CLOSED,
            gettext_lazy("the day of completion and a rating"),
        ),
        Transition(Action.SUSPEND, OFFICE, RUNNING_STATUSES, Status.SUSPENDED, REASON_LABEL),
        Transition(
            Action.RESUME,
            OFFICE,
            (Status.SUSPENDED,),
            Status.IN_PROGRESS,
            gettext_lazy("a reason, a new deadline"),
        ),
        Transition(
            Action.CANCEL,
            OFFICE,
            (*OPEN_STATUSES, Status.SUSPENDED),
            Status.CANCELLED,
            REASON_LABEL,
        ),
        Transition(
            Action.REOPEN,
            OFFICE,
            (Status.CLOSED, Status.CANCELLED),
            Status.IN_PROGRESS,
            gettext_lazy("a reason, a new deadline"),
        ),
    )
}


def office_may_set(before: str, after: str) -> bool:
    """Say whether a supervisor's edit may move the status.

    A correction before the end, or a row of the table.
    """
    return (before in RUNNING_STATUSES and after in RUNNING_STATUSES) or any(
        Capacity.OFFICE in step.doers and before in step.sources and step.target == after
        for step in TRANSITIONS.values()
    )
