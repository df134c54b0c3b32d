"""Where a request becomes what the rest of the program speaks of: a reader, a policy, a day."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from tracker import dates, parsing, permissions, workflow
from tracker.choices import Way
from tracker.filters import Asked
from tracker.models import Organization, PolicyDocument, Task, User
from tracker.models.task import TaskQuerySet
from tracker.web import late_forms


@dataclass
class Reading:
    """What a report page has read from its address."""

    asked: Asked
    today: dt.date
    on: dt.date

    @property
    def keep(self) -> dict[str, str]:
        """Return what every link to another report page carries on: the day, when it is not today."""
        return {"on": self.on.isoformat()} if self.on != self.today else {}

    @property
    def context(self) -> dict[str, Any]:
        """Return what every report page shows of the reading."""
        return {
            "on": self.on,
            "today": self.today,
            "other_day": self.on != self.today,
            "keep": self.keep,
            "asked": self.asked.query,
            "faults": self.asked.faults,
        }


def read(request: HttpRequest) -> Reading:
    """Read the day that lights are asked for; today where none is, or it cannot be read."""
    asked, now = Asked(request.GET), today()
    reading = Reading(asked, now, asked.day("on", _("day")) or now)
    asked.query |= reading.keep
    return reading


def find_policy(request: HttpRequest, slug: str) -> PolicyDocument:
    """Find a policy that exists for the reader, or answer 404."""
    return get_object_or_404(PolicyDocument.objects.visible_to(request.user), slug=slug)


def find_unit(request: HttpRequest, pk: int) -> Organization:
    """Find a unit for a reader who sees any task at all, or answer 404."""
    known = permissions.scope(request.user) != permissions.Scope.NOTHING
    return get_object_or_404(Organization.objects.all() if known else Organization.objects.none(), pk=pk)


def find_task(request: HttpRequest, slug: str, code: str) -> Task:
    """Find a task that exists for the reader, with all that a page shows of it, or answer 404."""
    tasks = tasks_of(request, find_policy(request, slug)).with_related()
    return get_object_or_404(tasks.defer("policy__full_text"), code=code)


def user(request: HttpRequest) -> User:
    """Return the account that asks; every page but the door has one."""
    return cast(User, request.user)


def today() -> dt.date:
    """Return the day on which what is done here is done."""
    return dates.today()


def number(text: str | None) -> int:
    """Read a whole number that a page of ours has written; 0, which is none, where it is not one."""
    return parsing.whole_number(text) or 0


def seen(request: HttpRequest) -> int | None:
    """Return the version that a page showed and its form names; None where a program sends none."""
    text = request.POST.get("seen")
    return None if text is None else number(text)


def refusal_of(error: Exception) -> ValidationError:
    """Say in one shape why nothing was written."""
    if isinstance(error, workflow.Stale):
        return ValidationError(_outdated(*error.args))
    return cast(ValidationError, error)


def _outdated(row: Any = None) -> str:
    """Say who has changed a row since a page showed it: often the same person, by pressing twice."""
    latest = row.history.select_related("history_user").first() if row is not None else None
    if not latest:
        return _("Somebody has changed it this very moment; look again and repeat.")
    return _(
        "Changed by %(who)s at %(when)s, after this page was opened. Nothing was done twice; "
        "look at it as it is now, and repeat it if it is still needed."
    ) % {
        "who": latest.history_user or _("the system"),
        "when": date_format(timezone.localtime(latest.history_date), "DATETIME_FORMAT"),
    }


def words_of(error: Exception) -> str:
    """Say in one line why nothing was written."""
    return " ".join(refusal_of(error).messages)


def act(request: HttpRequest, reason: str = "") -> workflow.Act:
    """Name who acts on a page, and why."""
    return workflow.Act(user(request), Way.PAGE, reason)


def back(request: HttpRequest, default: str) -> HttpResponse:
    """Go back to where the reader came from, if that is here."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    # A word alone would be taken for the name of a page.
    return redirect(wanted if safe and wanted.startswith("/") else default)


def tasks_of(request: HttpRequest, policy: PolicyDocument) -> TaskQuerySet:
    """Return the tasks of a policy that exist for the reader."""
    return Task.objects.visible_to(request.user).filter(policy=policy)


def kept(request: HttpRequest, names: Collection[str] = ()) -> QueryDict | None:
    """Return, once, what the reader sent from this page after the session had ended; None where nothing was.

    `names` are the fields of the form that asks: what another form of the page sent is not for it.
    To be shown in a bound form and never saved unseen: nobody has sent it in this session.
    """
    forms = [form for form in late_forms.kept_forms(request, request.user.pk) if form["path"] == request.path]
    found = next((form for form in forms if not names or set(names) & set(form["data"])), None)
    if not found:
        return None
    late_forms.forget(request, found)
    words = _("Your session had ended. This is what you were sending; nothing of it is saved yet.")
    words = f"{words} {late_forms.lost_words(found)}".strip()
    messages.warning(request, words, fail_silently=True)
    data = QueryDict(mutable=True)
    for name, values in found["data"].items():
        data.setlist(name, values)
    return data
