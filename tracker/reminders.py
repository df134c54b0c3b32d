"""Who is to be reminded of what: one mail for each person, the most pressing matters first."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from tracker.choices import RUNNING, Reminder, ReportState, RequestState
from tracker.dates import DAY
from tracker.models import Organization, PolicyDocument, ProgressUpdate, SentReminder, Task, TaskRequest, User
from tracker.tables import sentences

REPEAT = 7 * DAY  # what has been written to somebody within these days is no reason for another mail
MOST = 50  # lines under one heading


@dataclass(frozen=True)
class Matter:
    """One thing that waits for a unit, or for the office where `unit` is None; `key` tells it from all others."""

    reason: Reminder
    unit: Organization | None
    line: str
    key: str


def matters(policies: Iterable[PolicyDocument], on: dt.date) -> Iterator[Matter]:
    """Yield what waits on a day, each task of a unit once, under its most pressing reason; six queries a policy."""
    for policy in policies:
        seen: set[tuple[int, int]] = set()
        for reason, task, unit, words, key in _of_units(policy, on):
            if (task.pk, unit.pk) not in seen:
                seen.add((task.pk, unit.pk))
                yield Matter(reason, unit, _line(unit, task, policy, words), f"{reason} {task.pk} {key}")
        waiting = ProgressUpdate.objects.filter(task__policy=policy).waiting().select_related("task", "unit")
        for report in waiting:
            words = _("report of %(day)s") % {"day": report.submitted_on}
            line = _line(report.unit, report.task, policy, words)
            yield Matter(Reminder.WAITING, None, line, f"report {report.pk} {report.submitted_on}")
        asked = TaskRequest.objects.filter(task__policy=policy, state=RequestState.OPEN, task__lead_unit__isnull=False)
        for ask in asked.select_related("task__lead_unit").order_by("asked_on", "pk"):
            words = _("%(kind)s, asked for on %(day)s") % {"kind": ask.get_kind_display(), "day": ask.asked_on}
            yield Matter(
                Reminder.WAITING, None, _line(ask.task.lead_unit, ask.task, policy, words), f"request {ask.pk}"
            )


def _of_units(policy: PolicyDocument, on: dt.date) -> Iterator[tuple[Reminder, Task, Organization, str, object]]:
    returned = ProgressUpdate.objects.filter(task__policy=policy, task__status__in=RUNNING, state=ReportState.RETURNED)
    for report in returned.select_related("task", "unit").order_by("reviewed_on", "pk"):
        yield Reminder.RETURNED, report.task, report.unit, report.review_note, f"{report.pk} {report.reviewed_on}"
    tasks = Task.objects.filter(policy=policy, status__in=RUNNING, assigned_on__isnull=False, lead_unit__isnull=False)
    tasks = tasks.select_related("policy", "lead_unit").order_by(F("deadline").asc(nulls_last=True), "sort_key")
    for reason, found in (
        (Reminder.OVERDUE, tasks.overdue(on)),
        (Reminder.UNREPORTED, tasks.unreported(on)),
        (Reminder.DUE_SOON, tasks.filter(deadline__range=(on, on + policy.warn_days * DAY))),
    ):
        for task in found:
            # The next period that is missing, or a new deadline, makes it another matter.
            key = task.reasons_on(on)[0] if reason == Reminder.UNREPORTED else task.deadline
            if task.lead_unit:
                yield reason, task, task.lead_unit, sentences(task.reasons_on(on)), key


def _line(unit: Organization | None, task: Task, policy: PolicyDocument, words: str) -> str:
    return pgettext("line of a reminder", "%(unit)s: %(code)s %(task)s (%(policy)s): %(words)s") % {
        "unit": unit, "code": task.code, "task": task.title, "policy": policy.title, "words": " ".join(words.split()),
    }  # fmt: skip


def letters(found: Iterable[Matter]) -> dict[str, list[Matter]]:
    """Return who gets what, by address: the people concerned, else the unit's contact, else the office.

    What nobody can be written to of stands under an empty address. Two queries.
    """
    liaisons: dict[int | None, list[str]] = {}
    for user in User.objects.reporting().exclude(email=""):
        liaisons.setdefault(user.organization_id, []).append(user.email)
    office = list(User.objects.reviewing().exclude(email="").values_list("email", flat=True)) or [settings.OFFICE_EMAIL]
    post: dict[str, list[Matter]] = {}
    for matter in found:
        unit = matter.unit
        to = office if unit is None else liaisons.get(unit.pk) or [unit.contact_email or settings.OFFICE_EMAIL]
        for address in dict.fromkeys(to):
            post.setdefault(address.lower(), []).append(matter)
    return post


def letter(address: str, found: Iterable[Matter], on: dt.date) -> SentReminder:
    """Write the mail of an address."""
    order = list(Reminder)
    ranked = sorted(found, key=lambda matter: order.index(matter.reason))
    blocks = []
    for reason, group in groupby(ranked, key=lambda matter: matter.reason):
        lines = [f"- {matter.line}" for matter in group]
        more = len(lines) - MOST
        rest = [ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}] if more > 0 else []
        blocks.append("\n".join([f"{Reminder(reason).label} ({len(lines)})", *lines[:MOST], *rest]))
    foot = [_("Log in to see and to answer: %(site)s") % {"site": settings.SITE_URL}] if settings.SITE_URL else []
    foot += [text for text in (settings.OPERATOR, settings.CONTACT) if text]
    subject = ngettext(
        "Policy tracking: %(count)d matter waits (%(day)s)",
        "Policy tracking: %(count)d matters wait (%(day)s)",
        len(ranked),
    )
    return SentReminder(
        address=address,
        day=on,
        subject=subject % {"count": len(ranked), "day": on},
        text="\n\n".join([*blocks, *foot]) + "\n",
        matters=sorted(matter.key for matter in ranked),
    )


def is_news(reminder: SentReminder) -> bool:
    """Say whether a mail is due: none has gone there that day, and it says what the last ones have not said."""
    week = (reminder.day - REPEAT + DAY, reminder.day)
    past = list(SentReminder.objects.filter(address=reminder.address, day__range=week))
    known = {key for mail in past if mail.sent_at for key in mail.matters}
    return all(mail.day != reminder.day for mail in past) and not set(reminder.matters) <= known
