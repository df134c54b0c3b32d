"""What a step with a task is made of."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.choices import Action, Capacity, Kind, RequestKind, RequestState, Status
from tracker.models import ChecklistItem, Task, TaskRequest
from tracker.models.base import StrOrPromise
from tracker.workflow.rows import ChangeContext

OFFICE = (Capacity.OFFICE,)
LEAD_UNIT = (Capacity.LEAD,)
LEAD_UNIT_OR_OFFICE = (Capacity.LEAD, Capacity.OFFICE)
REASON_NEEDED = gettext_lazy("a reason")


@dataclass
class TransitionContext:
    """A step under way: the task as it will be, who acts on which day, and what was entered.

    An effect adds the checklist items that it changes to `changed_items`.
    """

    task: Task
    act: ChangeContext
    today: dt.date
    entered: dict[str, Any]
    changed_items: list[ChecklistItem] = field(default_factory=list)

    def require(self, name: str, text: StrOrPromise) -> Any:
        """Return what was entered in a field; raise ValidationError with the text where nothing."""
        value = self.entered.get(name)
        if value in (None, "") or (isinstance(value, str) and not value.strip()):
            raise ValidationError({name: text})
        return value

    def open_request(self, kind: RequestKind) -> TaskRequest:
        """Return the request that waits; raise ValidationError where there is none any more."""
        request = self.task.requests.filter(kind=kind, state=RequestState.OPEN).first()
        if not request:
            raise ValidationError(
                _("No such request is waiting; somebody may already have decided it.")
            )
        return request


@dataclass(frozen=True)
class StepField:
    """A field of the page of a step: its name in `forms.progress.StepForm`, and what differs.

    `label` replaces that of the form; `required` says by the task whether it must be filled in.
    """

    name: str
    label: StrOrPromise = ""
    required: Callable[[Task], bool] | None = None


@dataclass(frozen=True)
class Transition:
    """A step with a task: who may take it, from which statuses to which, and what it does.

    `target` None leaves the status. `needs` says in the printed table what must be entered.
    `guard` says whether the step fits a task in one of its sources, `refusal` why not, where there
    is more to say than its status. `form_fields` None means that the step has no page of its own.
    Without an `effect` the step is one with a report: `workflow.reports` takes it.
    """

    action: Action
    capacities: tuple[Capacity, ...]
    sources: tuple[Status, ...]
    target: Status | None = None
    needs: StrOrPromise = ""
    guard: Callable[[Task], bool] | None = None
    refusal: Callable[[Task], str] | None = None
    effect: Callable[[TransitionContext], None] | None = None
    form_fields: tuple[StepField, ...] | None = None
    # The request that its page shows, and whether the step is offered beside that request alone.
    request_kind: RequestKind | None = None
    decides_request: bool = False
    # Its page shows what a closing is judged by.
    shows_closing_facts: bool = False
    # False: it leaves the task and its version as they are.
    changes_task: bool = True

    @property
    def label(self) -> str:
        """Return what people call the step."""
        return str(self.action.label)

    @property
    def has_page(self) -> bool:
        """Say whether the step has a page of its own."""
        return self.form_fields is not None

    @property
    def is_button(self) -> bool:
        """Say whether the page of a task offers the step among its buttons."""
        return self.has_page and not self.decides_request

    @property
    def field_names(self) -> list[str]:
        """Return the names of the fields of its page, in their order."""
        return [each.name for each in self.form_fields or ()]

    def fits(self, task: Task) -> bool:
        """Say whether the step fits the state of a task, whoever takes it."""
        if task.status not in self.sources:
            return False
        return self.guard is None or self.guard(task)


def is_handed_over(task: Task) -> bool:
    """Say whether a task is handed over to its lead unit."""
    return bool(task.assigned_on)


def has_deadline(task: Task) -> bool:
    """Say whether a task has a deadline, which a step may move."""
    return bool(task.deadline) and task.kind != Kind.STANDING
