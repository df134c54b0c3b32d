"""The rules of lights and figures as pages and workbooks print them under their tables."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from tracker.domain.choices import Cycle, Light, Status
from tracker.domain.lights import Thresholds

WHILE_CLOSING = gettext_lazy(
    "While closing is requested, a task keeps the light of the day of the request until the "
    "office decides."
)


def light_rules(policy: Thresholds) -> Iterator[tuple[Light, str, str]]:
    """Yield light, status and rule with the thresholds in force; the first match counts."""
    yellow = [
        ngettext(
            "%(days)d day or less to the deadline",
            "%(days)d days or less to the deadline",
            policy.warn_days,
        )
        % {"days": policy.warn_days},
        _("quantified and %(gap)d points or more behind schedule") % {"gap": policy.yellow_gap},
    ]
    red = [
        _("past the deadline"),
        _("quantified and %(gap)d points or more behind schedule") % {"gap": policy.red_gap},
    ]
    if policy.cycle != Cycle.NONE:
        values = {"days": policy.grace_days, "cycle": Cycle(policy.cycle).label}
        yellow.append(
            _("no report (%(cycle)s) within %(days)d days after the end of a period") % values
        )
        red.append(
            _("no report (%(cycle)s) for two periods in a row, %(days)d days after the second")
            % values
        )
    between = pgettext("between sentences", "; ")
    yield Light.NONE, Status.CANCELLED, _("cancelled: not counted")
    yield Light.BLUE, "", _("closed, and done on or before the current deadline or without one")
    yield Light.PURPLE, "", _("closed, and done after the current deadline")
    yield Light.GREY, Status.SUSPENDED, _("suspended by the office: neither warned nor late")
    yield Light.RED, "", between.join(red)
    yield Light.YELLOW, "", between.join(yellow)
    yield Light.GREY, Status.NOT_STARTED, _("not started yet, and none of the above")
    yield Light.GREEN, "", _("started, and none of the above")


def formulas() -> Iterator[tuple[str, str]]:
    """Yield the name of each figure and how it is computed."""
    yield (
        _("total"),
        _(
            "all tasks except cancelled ones = closed + on course + warning + red light + not "
            "started / suspended"
        ),
    )
    yield (
        _("overdue"),
        _(
            "open and past the current deadline; while closing is requested, the day of the "
            "request counts"
        ),
    )
    yield (
        _("report missing"),
        _(
            "the first period that requires a report has ended without one; not while closing is "
            "requested"
        ),
    )
    yield (
        _("closing rate"),
        _(
            "closed / total; “—” if there are no tasks; for a unit, only the tasks it leads are "
            "counted"
        ),
    )
    yield _("on-time rate"), _("closed on time / closed; “—” if none is closed")
    yield (
        _("percent done"),
        _(
            "with a checklist: ticked weight / total weight, rounded down; otherwise, for "
            "quantified tasks, how far the indicator has moved from the baseline to the target, if "
            "the percentage follows one, or the latest accepted report; “—” if a percentage does "
            "not apply"
        ),
    )
    yield (
        _("expected by now"),
        _(
            "days since the start / days from the start to the current deadline, as a percentage "
            "between 0 and 100"
        ),
    )
