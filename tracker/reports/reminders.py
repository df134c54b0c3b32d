"""Who is to be reminded of what: one mail for each person, the most pressing matters first."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from tracker.domain import lights, permissions
from tracker.domain.choices import (
    RUNNING_STATUSES,
    Capacity,
    Light,
    Reminder,
    ReportState,
    RequestState,
)
from tracker.domain.dates import DAY
from tracker.domain.folding import simplify
from tracker.models import (
    Organization,
    PolicyDocument,
    ProgressUpdate,
    SentReminder,
    Task,
    TaskRequest,
    User,
)
from tracker.reports.task_table import join_sentences

# What has been written to somebody within this time is not written again, unless it turns.
REPEAT_AFTER = 7 * DAY
MAX_LINES_IN_MAIL = 50  # lines under one heading
MAX_ADDRESS_LENGTH = 254
BY_UNIT = {Capacity.LEAD, Capacity.HELPER}  # the capacities in which a unit acts on a task


@dataclass(frozen=True)
class Matter:
    """One thing that waits for a unit, or for the office where `unit` is None.

    `key` is its cause, task and period. `turns` are the changes that make it worth another mail:
    that its task is red, that its report was returned again.
    """

    reason: Reminder
    unit: Organization | None
    task: Task
    line: str
    path: str
    key: str
    turns: tuple[str, ...] = ()

    @property
    def stated(self) -> list[str]:
        """Return what a mail with this matter has stated, as it is stored."""
        return [self.key, *(f"{self.key} {turn}" for turn in self.turns)]


class Liaison(NamedTuple):
    """Somebody who reports for a unit, with the mail addresses of the account."""

    user: User
    addresses: list[str]


def reminder_matters(policies: Iterable[PolicyDocument], on: dt.date) -> Iterator[Matter]:
    """Yield what waits on a day, each task of a unit once, under its most pressing reason.

    Nine queries a policy.
    """
    for policy in policies:
        seen: set[tuple[int, int]] = set()
        for matter in (*_returned(policy, on), *_of_tasks(policy, on)):
            which = (matter.task.pk, matter.unit.pk if matter.unit else 0)
            if which not in seen:
                seen.add(which)
                yield matter
        yield from _of_office(policy)


def _returned(policy: PolicyDocument, on: dt.date) -> Iterator[Matter]:
    """Yield the returned reports of units that lead or co-operate today.

    To another the task does not exist.
    """
    helps = Task.co_units.through.objects.filter(
        task=OuterRef("task"), organization=OuterRef("unit")
    )
    reports = ProgressUpdate.objects.filter(
        Q(unit=F("task__lead_unit")) | Exists(helps),
        task__policy=policy,
        task__status__in=RUNNING_STATUSES,
        task__assigned_on__isnull=False,
        state=ReportState.RETURNED,
    )
    reports = reports.select_related("task__policy", "unit").prefetch_related("task__co_units")
    for report in reports.order_by("reviewed_on", "pk"):
        task = report.task
        yield Matter(
            Reminder.RETURNED,
            report.unit,
            task,
            _line(report.unit, task, report.review_note),
            task.get_absolute_url(),
            f"returned {task.pk} {report.period_start}",
            (str(report.reviewed_on), *_red(task, on)),
        )


def _of_tasks(policy: PolicyDocument, on: dt.date) -> Iterator[Matter]:
    """Yield what the deadlines and the reports of tasks ask of lead units."""
    tasks = Task.objects.filter(
        policy=policy,
        status__in=RUNNING_STATUSES,
        assigned_on__isnull=False,
        lead_unit__isnull=False,
    )
    tasks = tasks.select_related("policy", "lead_unit").prefetch_related("co_units")
    tasks = tasks.order_by(F("deadline").asc(nulls_last=True), "sort_key")
    for reason, found in (
        (Reminder.OVERDUE, tasks.overdue(on)),
        (Reminder.UNREPORTED, tasks.unreported(on)),
        (Reminder.DUE_SOON, tasks.filter(deadline__range=(on, on + policy.warn_days * DAY))),
    ):
        for task in found:
            yield Matter(
                reason,
                task.lead_unit,
                task,
                _line(task.lead_unit, task, join_sentences(task.reasons_on(on))),
                task.get_absolute_url(),
                _key_of_task(reason, task, policy),
                _red(task, on),
            )


def _key_of_task(reason: Reminder, task: Task, policy: PolicyDocument) -> str:
    """Name a matter: the next period that is missing, or a new deadline, makes it another one."""
    if reason != Reminder.UNREPORTED:
        return f"deadline {task.pk} {task.deadline}"
    owed = lights.first_owed(task, policy)
    return f"unreported {task.pk} {owed.start if owed else None}"


def _of_office(policy: PolicyDocument) -> Iterator[Matter]:
    """Yield the reports and requests that wait for the office."""
    waiting = ProgressUpdate.objects.filter(task__policy=policy).waiting()
    for report in waiting.select_related("task__policy", "unit"):
        text = _("report of %(day)s") % {"day": report.submitted_on}
        line = _line(report.unit, report.task, text)
        path = reverse("review", args=[report.pk])
        key = f"report {report.pk} {report.submitted_on}"
        yield Matter(Reminder.WAITING, None, report.task, line, path, key)
    asked = TaskRequest.objects.filter(
        task__policy=policy, state=RequestState.OPEN, task__lead_unit__isnull=False
    )
    for ask in asked.select_related("task__policy", "task__lead_unit").order_by("asked_on", "pk"):
        text = _("%(kind)s, requested on %(day)s") % {
            "kind": ask.get_kind_display(),
            "day": ask.asked_on,
        }
        line = _line(ask.task.lead_unit, ask.task, text)
        path = ask.task.get_absolute_url()
        yield Matter(Reminder.WAITING, None, ask.task, line, path, f"request {ask.pk}")


def _red(task: Task, on: dt.date) -> tuple[str, ...]:
    if task.light_on(on) == Light.RED:
        return ("red",)
    return ()


def _line(unit: Organization | None, task: Task, text: str) -> str:
    return pgettext("line of a reminder", "%(unit)s: %(code)s %(task)s (%(policy)s): %(text)s") % {
        "unit": unit,
        "code": task.code,
        "task": task.title,
        "policy": task.policy.title,
        "text": " ".join(text.split()),
    }


def addresses_in(text: str) -> list[str]:
    """Return the mail addresses of a text, each in its one spelling; what is none is left out.

    Capitals, full-width signs, blanks, and a name before `<address>` make no other address.
    """
    found = []
    for part in re.split("[,;]", simplify(text).casefold()):
        inside = re.search(r"<([^<>]*)>", part)
        address = "".join((inside[1] if inside else part).split()).removeprefix("mailto:")
        try:
            validate_email(address)
        except ValidationError:
            continue
        if len(address) <= MAX_ADDRESS_LENGTH:
            found.append(address)
    return found


def reminder_mails(found: Iterable[Matter]) -> dict[str, list[Matter]]:
    """Return who gets what, by address.

    The people concerned, else the unit's contact, else the office.

    A person is told of what that account may act on today. What nobody can be written to of stands
    under an empty address. Two queries.
    """
    liaisons: dict[int | None, list[Liaison]] = {}
    for user in User.objects.reporting().exclude(email=""):
        liaison = Liaison(user, addresses_in(user.email))
        liaisons.setdefault(user.organization_id, []).append(liaison)
    office = []
    for email in User.objects.reviewing().exclude(email="").values_list("email", flat=True):
        office += addresses_in(email)
    fallback = addresses_in(settings.OFFICE_EMAIL)
    mails: dict[str, dict[Matter, None]] = {}
    for matter in found:
        addresses = office
        if matter.unit:
            addresses = _addresses_of(matter, liaisons.get(matter.unit.pk, []))
            addresses = addresses or addresses_in(matter.unit.contact_email)
        for address in addresses or fallback or [""]:
            mails.setdefault(address, {})[matter] = None
    return {address: list(matters) for address, matters in mails.items()}


def _addresses_of(matter: Matter, people: list[Liaison]) -> list[str]:
    """Return the addresses of those who may act on a matter for its unit."""
    addresses = []
    for liaison in people:
        if permissions.acts_for(liaison.user, matter.task) & BY_UNIT:
            addresses += liaison.addresses
    return addresses


def recently_sent(on: dt.date) -> dict[str, set[str]]:
    """Return what mails of the last seven days have said, by address; one query."""
    stated: dict[str, set[str]] = {}
    for mail in SentReminder.objects.filter(
        day__range=(on - REPEAT_AFTER + DAY, on), sent_at__isnull=False
    ):
        for address in addresses_in(mail.address) or [mail.address]:
            stated.setdefault(address, set()).update(mail.matters)
    return stated


def due_matters(mails: dict[str, list[Matter]], on: dt.date) -> list[SentReminder]:
    """Write the mails that are due.

    None to an address that has had one that day, and nothing twice in a week.
    """
    stated = recently_sent(on)
    written_today = set()
    for mail in SentReminder.objects.filter(day=on):
        written_today |= {mail.address, *addresses_in(mail.address)}
    due = []
    for address, found in mails.items():
        news = []
        for matter in found:
            if not stated.get(address, set()).issuperset(matter.stated):
                news.append(matter)
        if news and address not in written_today:
            due.append(reminder_mail(address, news, on, len(found) - len(news)))
    return due


def reminder_mail(
    address: str, found: Iterable[Matter], on: dt.date, repeated: int = 0
) -> SentReminder:
    """Write the mail of an address.

    `repeated` matters are still waiting that earlier mails have named.
    """
    order = list(Reminder)
    ranked = sorted(found, key=lambda matter: order.index(matter.reason))
    blocks = []
    for reason, group in groupby(ranked, key=lambda matter: matter.reason):
        blocks.append(_block(Reminder(reason), list(group)))
    if repeated:
        text = ngettext(
            "%(count)d more item from earlier e-mails is still pending.",
            "%(count)d more items from earlier e-mails are still pending.",
            repeated,
        )
        blocks.append(text % {"count": repeated})
    if settings.SITE_URL:
        blocks.append(_("Log in to view and respond: %(site)s") % {"site": settings.SITE_URL})
    blocks += [text for text in (settings.OPERATOR, settings.CONTACT) if text]
    subject = ngettext(
        "Policy tracking: %(count)d item pending (%(day)s)",
        "Policy tracking: %(count)d items pending (%(day)s)",
        len(ranked),
    )
    stated: list[str] = []
    for matter in ranked:
        stated += matter.stated
    return SentReminder(
        address=address,
        day=on,
        subject=subject % {"count": len(ranked), "day": on},
        text="\n\n".join(blocks) + "\n",
        matters=sorted(stated),
    )


def _block(reason: Reminder, matters: list[Matter]) -> str:
    """Write the matters of one reason below its name."""
    lines = [f"{reason.label} ({len(matters)})"]
    for matter in matters[:MAX_LINES_IN_MAIL]:
        lines.append(f"- {matter.line}" + _link(matter.path))
    more = len(matters) - MAX_LINES_IN_MAIL
    if more > 0:
        lines.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
    return "\n".join(lines)


def _link(path: str) -> str:
    if settings.SITE_URL:
        return f"\n  {settings.SITE_URL}{path}"
    return ""
