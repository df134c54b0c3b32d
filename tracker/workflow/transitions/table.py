"""All steps by their action, and which status an edit of the office may set."""

from tracker.domain.choices import RUNNING_STATUSES, Action, Capacity
from tracker.workflow.transitions.base import Transition
from tracker.workflow.transitions.closing import CLOSING_TRANSITIONS
from tracker.workflow.transitions.extension import EXTENSION_TRANSITIONS
from tracker.workflow.transitions.office import OFFICE_TRANSITIONS
from tracker.workflow.transitions.progress import PROGRESS_TRANSITIONS

# In the order of the buttons and of the printed table.
_STEPS = (
    *PROGRESS_TRANSITIONS,
    *CLOSING_TRANSITIONS,
    *EXTENSION_TRANSITIONS,
    *OFFICE_TRANSITIONS,
)
TRANSITIONS: dict[Action, Transition] = {step.action: step for step in _STEPS}


def office_may_set(before: str, after: str) -> bool:
    """Say whether an edit of the office may move the status, as a correction or as its step."""
    if before in RUNNING_STATUSES and after in RUNNING_STATUSES:
        return True
    for transition in TRANSITIONS.values():
        of_office = Capacity.OFFICE in transition.capacities
        if of_office and before in transition.sources and transition.target == after:
            return True
    return False
