"""The kinds of findings of the health check.

Each says what is wrong with a task, how grave it is, and why it matters.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from tracker.domain.choices import OPEN_STATUSES, RUNNING_STATUSES, Kind, Severity, Status
from tracker.domain.dates import is_working_day
from tracker.domain.folding import fold
from tracker.models import Organization, Task

UNFINISHED_STATUSES = (*OPEN_STATUSES, Status.SUSPENDED)
CHECKED_STATUSES = (*UNFINISHED_STATUSES, Status.CLOSED)


@dataclass(frozen=True)
class CheckupFacts:
    """What the checks of tasks need of other rows.

    Closed tasks with evidence, periods reported in the same words, and folded codes that several
    tasks have.
    """

    proved: frozenset[int]
    repeated: dict[int, int]
    shared: frozenset[str]


@dataclass(frozen=True)
class HealthCheck:
    """A kind of finding: how grave it is, what it is called and why it matters.

    Of tasks it says in which `statuses` it is asked, in `find` what is wrong with one (nothing:
    ""), which `field` of the task's form mends it, or the forms of which `units`; without a field
    its page is the place.
    """

    name: str
    severity: Severity
    label: str | Promise
    why: str | Promise
    statuses: tuple[Status, ...] = ()
    find: Callable[[Task, CheckupFacts], str] = lambda task, facts: ""
    field: str = ""
    units: Callable[[Task], list[Organization]] = lambda task: []


def _late_steps(task: Task, facts: CheckupFacts) -> str:
    sentences = []
    for item in task.items.all():
        if not item.done_on and item.due and task.deadline and item.due > task.deadline:
            sentences.append(
                _("step %(number)d is due on %(due)s, the task on %(deadline)s")
                % {"number": item.number, "due": item.due, "deadline": task.deadline}
            )
    return pgettext("between sentences", "; ").join(sentences)


def _gone_lead(task: Task) -> list[Organization]:
    if task.lead_unit and not task.lead_unit.active:
        return [task.lead_unit]
    return []


def _gone_helpers(task: Task) -> list[Organization]:
    return [unit for unit in task.co_units.all() if not unit.active]


def _gone(units: Callable[[Task], list[Organization]]) -> Callable[[Task, CheckupFacts], str]:
    """Name the units that are no longer in office, if there are any."""

    def find(task: Task, facts: CheckupFacts) -> str:
        names = pgettext("list", ", ").join(str(unit) for unit in units(task))
        if names:
            return _("%(unit)s is no longer active") % {"unit": names}
        return ""

    return find


def _same_text(task: Task, facts: CheckupFacts) -> str:
    times = facts.repeated.get(task.pk, 0)
    if times:
        return ngettext(
            "the same text in %(times)d period", "the same text in %(times)d periods", times
        ) % {"times": times}
    return ""


def _day_off(task: Task, facts: CheckupFacts) -> str:
    if not task.deadline:
        return ""
    works, known = is_working_day(task.deadline)
    if works:
        return ""
    if known:
        return _("%(day)s is a day off") % {"day": task.deadline}
    return _("%(day)s is a weekend; the official calendar of that year is not known yet") % {
        "day": task.deadline
    }


def _when(
    wrong: Callable[[Task, CheckupFacts], bool], words: str | Promise
) -> Callable[[Task, CheckupFacts], str]:
    """Say always the same of a task with which something is wrong."""
    return lambda task, facts: str(words) if wrong(task, facts) else ""


# Every kind of finding, the gravest first: what is asked of a task in which status. A cancelled
# task is asked for nothing; one that waits for the office, is suspended or closed, only for what
# still matters then.
COUNT_CHECK = HealthCheck(
    "count",
    Severity.ERROR,
    gettext_lazy("declared counts that do not match"),
    gettext_lazy(
        "The text states a number that the checklist does not match: something is missing or was "
        "split."
    ),
)
PASSAGE_CHECK = HealthCheck(
    "passage",
    Severity.ERROR,
    gettext_lazy("passages without a task"),
    gettext_lazy(
        "The text requires it, but no task covers it. Passages without requirements are marked as "
        "background."
    ),
)
LOST_ANCHOR_CHECK = HealthCheck(
    "lost",
    Severity.ERROR,
    gettext_lazy("anchors that are not in the text"),
    gettext_lazy(
        "Its source passage can no longer be identified, and that passage may have no task."
    ),
    field="anchor",
)
REPEATED_ANCHOR_CHECK = HealthCheck(
    "repeated",
    Severity.ERROR,
    gettext_lazy("anchors that occur more than once"),
    gettext_lazy("It does not identify one passage; a few more words make it unique."),
    field="anchor",
)
HEALTH_CHECKS = (
    COUNT_CHECK,
    PASSAGE_CHECK,
    LOST_ANCHOR_CHECK,
    REPEATED_ANCHOR_CHECK,
    HealthCheck(
        "late_step",
        Severity.ERROR,
        gettext_lazy("tasks with a step due after the task itself"),
        gettext_lazy("By its own plan the task will be late; one of the two dates is wrong."),
        RUNNING_STATUSES,
        _late_steps,
        "deadline",
    ),
    HealthCheck(
        "lead_gone",
        Severity.ERROR,
        gettext_lazy("tasks led by a unit that is no longer active"),
        gettext_lazy(
            "Nobody is responsible for it any more: the successor unit must take it over."
        ),
        UNFINISHED_STATUSES,
        _gone(_gone_lead),
        "lead_unit",
        _gone_lead,
    ),
    HealthCheck(
        "lead",
        Severity.WARNING,
        gettext_lazy("tasks without a lead unit"),
        gettext_lazy("Nobody is responsible for it, and it cannot be handed over."),
        UNFINISHED_STATUSES,
        _when(lambda t, f: t.lead_unit_id is None, gettext_lazy("no lead unit")),
        "lead_unit",
    ),
    HealthCheck(
        "kind",
        Severity.WARNING,
        gettext_lazy("tasks without a kind"),
        gettext_lazy("No rule says how it is judged, and it cannot be handed over."),
        UNFINISHED_STATUSES,
        _when(lambda t, f: not t.kind, gettext_lazy("kind not set")),
        "kind",
    ),
    HealthCheck(
        "deadline",
        Severity.WARNING,
        gettext_lazy("tasks without a deadline"),
        gettext_lazy(
            "It never becomes overdue and no light warns of it; only standing tasks have no "
            "deadline."
        ),
        RUNNING_STATUSES,
        _when(lambda t, f: t.kind != Kind.STANDING and not t.deadline, gettext_lazy("no deadline")),
        "deadline",
    ),
    HealthCheck(
        "start",
        Severity.WARNING,
        gettext_lazy("quantified tasks without a start"),
        gettext_lazy(
            "Its expected progress cannot be calculated, so no light warns when it falls behind."
        ),
        RUNNING_STATUSES,
        _when(lambda t, f: t.kind == Kind.QUANTIFIED and not t.start, gettext_lazy("no start")),
        "start",
    ),
    HealthCheck(
        "unclosed",
        Severity.WARNING,
        gettext_lazy("tasks at 100% that are not closed"),
        gettext_lazy(
            "Every rate counts it as open: its unit has to request closing, or the percentage is "
            "wrong."
        ),
        RUNNING_STATUSES,
        _when(
            lambda t, f: t.percent == 100 and t.has_percent,
            gettext_lazy("100%, closing not requested"),
        ),
    ),
    HealthCheck(
        "unproved",
        Severity.WARNING,
        gettext_lazy("closed tasks without evidence"),
        gettext_lazy("It counts as done, but there is no proof if somebody checks later."),
        (Status.CLOSED,),
        _when(lambda t, f: t.pk not in f.proved, gettext_lazy("no file or link")),
    ),
    HealthCheck(
        "same_text",
        Severity.WARNING,
        gettext_lazy("tasks reported with the same text in several periods"),
        gettext_lazy("Copied text shows no progress; if nothing has changed, report “no change”."),
        RUNNING_STATUSES,
        _same_text,
    ),
    HealthCheck(
        "helper_gone",
        Severity.WARNING,
        gettext_lazy("tasks with a co-operating unit that is no longer active"),
        gettext_lazy("The lead unit relies on help that nobody provides."),
        UNFINISHED_STATUSES,
        _gone(_gone_helpers),
        "co_units",
        _gone_helpers,
    ),
    HealthCheck(
        "own_helper",
        Severity.WARNING,
        gettext_lazy("tasks with the lead unit among its own co-operating units"),
        gettext_lazy("The unit is listed twice; another one may have been meant."),
        UNFINISHED_STATUSES,
        _when(
            lambda t, f: t.lead_unit in t.co_units.all(),
            gettext_lazy("the lead unit is also listed as co-operating"),
        ),
        "co_units",
    ),
    HealthCheck(
        "foreign",
        Severity.WARNING,
        gettext_lazy("tasks under a measure of another policy"),
        gettext_lazy(
            "No section of this policy counts it: the figures of the sections do not add up to "
            "the total."
        ),
        CHECKED_STATUSES,
        _when(
            lambda t, f: t.measure.policy_id != t.policy_id,
            gettext_lazy("measure of another policy"),
        ),
        "measure",
    ),
    HealthCheck(
        "twin_code",
        Severity.WARNING,
        gettext_lazy("tasks whose codes differ only in case"),
        gettext_lazy("One is easily confused with the other, in conversation and in workbooks."),
        CHECKED_STATUSES,
        _when(
            lambda t, f: fold(t.code) in f.shared,
            gettext_lazy("another task has the same code in different case"),
        ),
        "code",
    ),
    HealthCheck(
        "proposed",
        Severity.HINT,
        gettext_lazy("tasks with a lead unit that is only a proposal"),
        gettext_lazy("Its unit has not agreed and cannot see it until it is handed over."),
        UNFINISHED_STATUSES,
        _when(
            lambda t, f: bool(t.lead_unit_id and t.lead_is_proposed),
            gettext_lazy("only a proposal"),
        ),
        "lead_unit",
    ),
    HealthCheck(
        "day_off",
        Severity.HINT,
        gettext_lazy("tasks with a deadline on a day off"),
        gettext_lazy("Nobody works on that day: the working day before it is the real deadline."),
        RUNNING_STATUSES,
        _day_off,
        "deadline",
    ),
)
