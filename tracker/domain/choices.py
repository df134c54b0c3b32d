"""Every status, kind, light, role and way: value, words, shape and colours.

Nobody else writes such a literal.
"""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(TextChoices):
    """How a task is judged: domain section 3."""

    QUANTIFIED = "quantified", _("quantified")
    QUALITATIVE = "qualitative", _("qualitative")
    STANDING = "standing", _("standing")


class Status(TextChoices):
    """Where a task stands. Overdue and due soon are lights, never states."""

    NOT_STARTED = "not_started", _("not started")
    IN_PROGRESS = "in_progress", _("in progress")
    CLOSING = "closing", _("closing requested")
    CLOSED = "closed", _("closed")
    SUSPENDED = "suspended", _("suspended")
    CANCELLED = "cancelled", _("cancelled")


# A task in one of these waits for its unit; one that is closing waits for the office.
RUNNING_STATUSES = (Status.NOT_STARTED, Status.IN_PROGRESS)
# Only these have turning dates.
OPEN_STATUSES = (*RUNNING_STATUSES, Status.CLOSING)


class Light(TextChoices):
    """What a status and a day look like; computed, never stored."""

    BLUE = "blue", _("closed on time")
    PURPLE = "purple", _("closed late")
    GREEN = "green", _("on course")
    YELLOW = "yellow", _("warning")
    RED = "red", _("red light")
    GREY = "grey", _("not started or suspended")
    NONE = "none", _("no light")

    @property
    def style(self) -> "LightStyle":
        """Return shape and colours of this light."""
        return LIGHT_STYLES[self]


@dataclass(frozen=True)
class LightStyle:
    """The shape and the colours (RRGGBB) of a light, the same on page and in workbook."""

    symbol: str
    ink: str
    fill: str


# The pairs of yellow, red and green are Excel's own bad / neutral / good: they pass contrast.
LIGHT_STYLES = {
    Light.BLUE: LightStyle("✓", "1F3864", "D9E2F3"),
    Light.PURPLE: LightStyle("✓", "5B2C83", "E4D7F0"),
    Light.GREEN: LightStyle("●", "006100", "C6EFCE"),
    Light.YELLOW: LightStyle("▲", "9C5700", "FFEB9C"),
    Light.RED: LightStyle("■", "9C0006", "FFC7CE"),
    Light.GREY: LightStyle("○", "404040", "EDEDED"),
    Light.NONE: LightStyle("—", "404040", "FFFFFF"),
}


class LightGroup(TextChoices):
    """The five numbers that add up to the total: domain section 5."""

    DONE = "done", pgettext_lazy("light group", "closed")
    NORMAL = "normal", pgettext_lazy("light group", "on course")
    WARNING = "warning", pgettext_lazy("light group", "warning")
    RED = "red", pgettext_lazy("light group", "red light")
    IDLE = "idle", pgettext_lazy("light group", "not started / suspended")


GROUP_LIGHTS = {
    LightGroup.DONE: (Light.BLUE, Light.PURPLE),
    LightGroup.NORMAL: (Light.GREEN,),
    LightGroup.WARNING: (Light.YELLOW,),
    LightGroup.RED: (Light.RED,),
    LightGroup.IDLE: (Light.GREY,),
}


class LightCause(TextChoices):
    """Why a light is yellow or red."""

    DEADLINE = "deadline", _("deadline")
    BEHIND = "behind", _("behind schedule")
    UNREPORTED = "unreported", _("not reported")


class Direction(TextChoices):
    """On which side of its target an indicator is to end."""

    UP = "up", _("no less than")
    DOWN = "down", _("no more than")

    @property
    def sign(self) -> str:
        """Return the sign before the target."""
        if self == Direction.UP:
            return "≥"
        return "≤"


class Cycle(TextChoices):
    """How often units report."""

    NONE = "none", _("no reporting")
    WEEKLY = "weekly", _("weekly")
    MONTHLY = "monthly", _("monthly")
    QUARTERLY = "quarterly", _("quarterly")


class PolicyState(TextChoices):
    """Who sees a policy: the office alone, or everyone concerned."""

    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")


class Role(TextChoices):
    """What an account is for: domain section 1. An account may hold several."""

    SUPERVISOR = "supervisor", _("supervisor")
    LIAISON = "liaison", _("liaison")
    LEADER = "leader", _("leader")
    ADMINISTRATOR = "administrator", _("administrator")


class ReportState(TextChoices):
    """How far a progress report has come."""

    DRAFT = "draft", pgettext_lazy("report", "draft")
    SUBMITTED = "submitted", _("submitted")
    ACCEPTED = "accepted", _("accepted")
    RETURNED = "returned", _("returned")
    # Accepted once, then taken back while its unit was writing another one of the same period.
    SUPERSEDED = "superseded", _("superseded")


# A report in one of these is the one that its unit has at hand for a period.
EDITABLE_REPORT_STATES = (ReportState.DRAFT, ReportState.SUBMITTED, ReportState.RETURNED)
# A report in one of these stands: its period counts as reported.
STANDING_REPORT_STATES = (ReportState.SUBMITTED, ReportState.ACCEPTED)


class RequestKind(TextChoices):
    """What a unit asks the office for."""

    CLOSE = "close", _("closing")
    EXTEND = "extend", _("more time")


class RequestState(TextChoices):
    """How far a request has come."""

    OPEN = "open", _("waiting")
    GRANTED = "granted", _("granted")
    RETURNED = "returned", _("returned")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Rating(TextChoices):
    """How well a closed task was done."""

    EXCELLENT = "excellent", _("excellent")
    GOOD = "good", pgettext_lazy("rating", "good")
    QUALIFIED = "qualified", _("qualified")


class Capacity(TextChoices):
    """In which capacity somebody acts on a task."""

    LEAD = "lead", _("liaison of the lead unit")
    HELPER = "helper", _("liaison of a co-operating unit")
    OFFICE = "office", _("supervisor")


class Action(TextChoices):
    """A step with a task or its report; `workflow.TRANSITIONS` says who takes it and when."""

    HAND_OVER = "hand_over", _("hand over")
    ACKNOWLEDGE = "acknowledge", _("acknowledge")
    REPORT = "report", _("report progress")
    CONTRIBUTE = "contribute", _("contribute to the report")
    TICK = "tick", _("tick off a step")
    ACCEPT = "accept", _("accept a report")
    RETURN = "return", _("return a report")
    WITHDRAW_ACCEPTANCE = "withdraw_acceptance", _("undo an acceptance")
    REQUEST_CLOSING = "request_closing", _("request closing")
    WITHDRAW_CLOSING = "withdraw_closing", _("withdraw the request for closing")
    GRANT_CLOSING = "grant_closing", _("grant the closing")
    RETURN_CLOSING = "return_closing", _("return the request for closing")
    REQUEST_EXTENSION = "request_extension", _("request more time")
    GRANT_EXTENSION = "grant_extension", _("grant more time")
    RETURN_EXTENSION = "return_extension", _("return the request for more time")
    CLOSE = "close", _("close without a request")
    SUSPEND = "suspend", _("suspend")
    RESUME = "resume", _("resume")
    CANCEL = "cancel", _("cancel")
    REOPEN = "reopen", _("reopen")


class BatchKind(TextChoices):
    """What a workbook that came in was filled in for."""

    PROGRESS = "progress", pgettext_lazy("workbook", "progress")
    CHECKLIST = "checklist", _("checklist of a policy")


class BatchState(TextChoices):
    """How far a workbook that came in has got."""

    READ = "read", _("read, not confirmed")
    LANDED = "landed", _("confirmed")
    UNDONE = "undone", _("undone")


class UnitMoveKind(TextChoices):
    """What is done with the tasks of a unit as a whole."""

    MERGE = "merge", _("merge it into another unit")
    MOVE = "move", _("move its open tasks to another unit")


class Severity(TextChoices):
    """How grave a finding of the health check is."""

    ERROR = "error", pgettext_lazy("severity", "error")
    WARNING = "warning", pgettext_lazy("severity", "warning")
    HINT = "hint", pgettext_lazy("severity", "hint")

    @property
    def light(self) -> Light:
        """Return the light whose shape and colours it bears."""
        return {
            Severity.ERROR: Light.RED,
            Severity.WARNING: Light.YELLOW,
            Severity.HINT: Light.GREY,
        }[self]

    @property
    def words(self) -> str:
        """Return shape and word, legible in grey print."""
        return f"{self.light.style.symbol} {self.label}"


class Reminder(TextChoices):
    """Why a reminder goes out, the most pressing first."""

    RETURNED = "returned", _("returned: revise and resubmit")
    OVERDUE = "overdue", pgettext_lazy("reminder", "overdue")
    UNREPORTED = "unreported", pgettext_lazy("reminder", "not reported")
    DUE_SOON = "due_soon", pgettext_lazy("reminder", "due soon")
    WAITING = "waiting", pgettext_lazy("reminder", "waiting for the office")


class ChangeSource(TextChoices):
    """By which way a change came in; kept in the history."""

    PAGE = "page", _("page")
    ADMIN = "admin", _("admin")
    IMPORT = "import", _("import")
    # In a session that was opened with a password that somebody else had set.
    PAGE_AFTER_RESET = "page_reset", _("page, in the session after a password reset")
    ADMIN_AFTER_RESET = "admin_rst", _("admin, in the session after a password reset")
    IMPORT_AFTER_RESET = "import_rst", _("import, in the session after a password reset")
    COMMAND = "command", _("command")
