"""Who is to be reminded of what: one mail for each person, the most pressing matters first."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

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

REPEAT_AFTER_DAYS = (
    7 * DAY
)  # what has been written to somebody within these days is not written again, unless it turns
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
    def said(self) -> list[str]:
        """Return what a mail that holds it has said, as it is kept."""
        return [self.key, *(f"{self.key} {turn}" for turn in self.turns)]


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
            owed = lights.first_owed(task, policy)
            # The next period that is missing, or a new deadline, makes it another matter.
            unreported = f"unreported {task.pk} {owed.start if owed else None}"
            yield Matter(
                reason,
                task.lead_unit,
                task,
                _line(task.lead_unit, task, join_sentences(task.reasons_on(on))),
                task.get_absolute_url(),
                unreported
                if reason == Reminder.UNREPORTED
                else f"deadline {task.pk} {task.deadline}",
                _red(task, on),
            )


def _of_office(policy: PolicyDocument) -> Iterator[Matter]:
    """Yield the reports and requests that wait for the office."""
    waiting = ProgressUpdate.objects.filter(task__policy=policy).waiting()
    for report in waiting.select_related("task__policy", "unit"):
        words = _("report of %(day)s") % {"day": report.submitted_on}
        line = _line(report.unit, report.task, words)
        path = reverse("review", args=[report.pk])
        key = f"report {report.pk} {report.submitted_on}"
        yield Matter(Reminder.WAITING, None, report.task, line, path, key)
    asked = TaskRequest.objects.filter(
        task__policy=policy, state=RequestState.OPEN, task__lead_unit__isnull=False
    )
    for ask in asked.select_related("task__policy", "task__lead_unit").order_by("asked_on", "pk"):
        words = _("%(kind)s, asked for on %(day)s") % {
            "kind": ask.get_kind_display(),
            "day": ask.asked_on,
        }
        line = _line(ask.task.lead_unit, ask.task, words)
        path = ask.task.get_absolute_url()
        yield Matter(Reminder.WAITING, None, ask.task, line, path, f"request {ask.pk}")


def _red(task: Task, on: dt.date) -> tuple[str, ...]:
    if task.light_on(on) == Light.RED:
        return ("red",)
    return ()


def _line(unit: Organization | None, task: Task, words: str) -> str:
    return pgettext("line of a reminder", "%(unit)s: %(code)s %(task)s (%(policy)s): %(words)s") % {
        "unit": unit,
        "code": task.code,
        "task": task.title,
        "policy": task.policy.title,
        "words": " ".join(words.split()),
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
    liaisons: dict[int | None, list[tuple[User, list[str]]]] = {}
    for user in User.objects.reporting().exclude(email=""):
        liaisons.setdefault(user.organization_id, []).append((user, addresses_in(user.email)))
    reviewers = User.objects.reviewing().exclude(email="").values_list("email", flat=True)
    office = [address for email in reviewers for address in addresses_in(email)]
    fallback = addresses_in(settings.OFFICE_EMAIL)
    post: dict[str, dict[Matter, None]] = {}
    for matter in found:
        to = office
        if matter.unit:
            people = liaisons.get(matter.unit.pk, [])
            to = [
                each
                for user, own in people
                if permissions.acts_for(user, matter.task) & BY_UNIT
                for each in own
            ]
            to = to or addresses_in(matter.unit.contact_email)
        for address in to or fallback or [""]:
            post.setdefault(address, {})[matter] = None
    return {address: list(matters) for address, matters in post.items()}


def recently_sent(on: dt.date) -> dict[str, set[str]]:
    """Return what mails of the last seven days have said, by address; one query."""
    said: dict[str, set[str]] = {}
    for mail in SentReminder.objects.filter(
        day__range=(on - REPEAT_AFTER_DAYS + DAY, on), sent_at__isnull=False
    ):
        for address in addresses_in(mail.address) or [mail.address]:
            said.setdefault(address, set()).update(mail.matters)
    return said


def due_matters(post: dict[str, list[Matter]], on: dt.date) -> list[SentReminder]:
    """Write the mails that are due.

    None to an address that has had one that day, and nothing twice in a week.
    """
    said = recently_sent(on)
    had = set()
    for mail in SentReminder.objects.filter(day=on):
        for each in (mail.address, *addresses_in(mail.address)):
            had.add(each)
    mails = []
    for address, found in post.items():
        news = []
        for matter in found:
            if not said.get(address, set()).issuperset(matter.said):
                news.append(matter)
        if news and address not in had:
            mails.append(reminder_mail(address, news, on, len(found) - len(news)))
    return mails


def reminder_mail(
    address: str, found: Iterable[Matter], on: dt.date, told: int = 0
) -> SentReminder:
    """Write the mail of an address.

    `told` matters are still waiting that earlier mails have told of.
    """
    order = list(Reminder)
    ranked = sorted(found, key=lambda matter: order.index(matter.reason))
    blocks = []
    for reason, group in groupby(ranked, key=lambda matter: matter.reason):
        lines = [f"- {matter.line}" + _link(matter.path) for matter in group]
        more = len(lines) - MAX_LINES_IN_MAIL
        if more > 0:
            rest = [ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}]
        else:
            rest = []
        blocks.append(
            "\n".join(
                [f"{Reminder(reason).label} ({len(lines)})", *lines[:MAX_LINES_IN_MAIL], *rest]
            )
        )
    if told:
        words = ngettext(
            "%(count)d more matter of earlier mails is still waiting.",
            "%(count)d more matters of earlier mails are still waiting.",
            told,
        )
        blocks.append(words % {"count": told})
    if settings.SITE_URL:
        foot = [_("Log in to see and to answer: %(site)s") % {"site": settings.SITE_URL}]
    else:
        foot = []
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
        matters=sorted(said for matter in ranked for said in matter.said),
    )


def _link(path: str) -> str:
    if settings.SITE_URL:
        return f"\n  {settings.SITE_URL}{path}"
    return ""
