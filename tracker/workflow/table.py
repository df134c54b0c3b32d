"""The table of what can be done with a task: by whom, from which status to which, and what it needs. Pure."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from tracker.choices import OPEN, RUNNING, Action, Doer, Status
from tracker.models.base import StrOrPromise


@dataclass(frozen=True)
class Step:
    """A row of the table: from which statuses an action leads where, who may take it, what it needs."""

    action: Action
    doers: tuple[Doer, ...]
    sources: tuple[Status, ...]
    target: Status | None  # None: the status stays
    needs: StrOrPromise = ""


UNIT, OFFICE = (Doer.LEAD,), (Doer.OFFICE,)
BOTH = (Doer.LEAD, Doer.OFFICE)
ANY = tuple(status for status in Status if status != Status.CANCELLED)
REASON = gettext_lazy("a reason")
STEPS = {
    step.action: step
    for step in (
        Step(Action.HAND_OVER, OFFICE, RUNNING, None, gettext_lazy("lead unit and kind; once")),
        Step(Action.ACKNOWLEDGE, UNIT, OPEN, None, gettext_lazy("a task handed over; once")),
        Step(Action.REPORT, BOTH, RUNNING, Status.IN_PROGRESS, gettext_lazy("progress; a percent where it is judged")),
        Step(Action.CONTRIBUTE, (Doer.HELPER, Doer.OFFICE), RUNNING, None, gettext_lazy("progress")),
        Step(Action.TICK, BOTH, RUNNING, Status.IN_PROGRESS),
        Step(Action.ACCEPT, OFFICE, ANY, None, gettext_lazy("not one's own report")),
        Step(Action.RETURN, OFFICE, ANY, None, gettext_lazy("a reason; not one's own report")),
        Step(
            Action.WITHDRAW_ACCEPTANCE,
            OFFICE,
            (*RUNNING, Status.SUSPENDED),
            None,
            gettext_lazy("a reason; not one's own report; no later report accepted"),
        ),
        Step(
            Action.REQUEST_CLOSING,
            BOTH,
            RUNNING,
            Status.CLOSING,
            gettext_lazy("evidence; all steps ticked, or 100%, or a closing statement; no standing task"),
        ),
        Step(Action.WITHDRAW_CLOSING, UNIT, (Status.CLOSING,), Status.IN_PROGRESS),
        Step(
            Action.GRANT_CLOSING,
            OFFICE,
            (Status.CLOSING,),
            Status.CLOSED,
            gettext_lazy("a rating; not one's own request"),
        ),
        Step(
            Action.RETURN_CLOSING,
            OFFICE,
            (Status.CLOSING,),
            Status.IN_PROGRESS,
            gettext_lazy("a reason; not one's own request"),
        ),
        Step(
            Action.REQUEST_EXTENSION,
            UNIT,
            RUNNING,
            None,
            gettext_lazy("before the deadline: a reason, a later day, progress so far"),
        ),
        Step(Action.GRANT_EXTENSION, OFFICE, RUNNING, None, gettext_lazy("not one's own request")),
        Step(Action.RETURN_EXTENSION, OFFICE, RUNNING, None, gettext_lazy("a reason; not one's own request")),
        Step(Action.CLOSE, OFFICE, RUNNING, Status.CLOSED, gettext_lazy("the day of completion and a rating")),
        Step(Action.SUSPEND, OFFICE, RUNNING, Status.SUSPENDED, REASON),
        Step(
            Action.RESUME,
            OFFICE,
            (Status.SUSPENDED,),
            Status.IN_PROGRESS,
            gettext_lazy("a reason, a new deadline"),
        ),
        Step(Action.CANCEL, OFFICE, (*OPEN, Status.SUSPENDED), Status.CANCELLED, REASON),
        Step(
            Action.REOPEN,
            OFFICE,
            (Status.CLOSED, Status.CANCELLED),
            Status.IN_PROGRESS,
            gettext_lazy("a reason, a new deadline"),
        ),
    )
}


def office_may_set(before: str, after: str) -> bool:
    """Say whether a supervisor's edit may move the status: a correction before the end, or a row of the table."""
    return (before in RUNNING and after in RUNNING) or any(
        Doer.OFFICE in step.doers and before in step.sources and step.target == after for step in STEPS.values()
    )
