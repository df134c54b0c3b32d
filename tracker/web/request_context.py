"""What views read from a request: the account, a policy, a unit, a task, the day."""

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
from django.views.decorators.http import require_http_methods

from tracker import workflow
from tracker.domain import dates, parsing, permissions
from tracker.domain.choices import ChangeSource
from tracker.forms.editing import no_version_words
from tracker.models import Organization, PolicyDocument, Task, User
from tracker.models.task import TaskQuerySet
from tracker.reports.filters import QueryReader
from tracker.web import late_forms

require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@dataclass
class ReportContext:
    """What a report page has read from its address."""

    query_reader: QueryReader
    today: dt.date
    on: dt.date

    @property
    def carried_params(self) -> dict[str, str]:
        """Return what every link to another report page carries on.

        The day, when it is not today.
        """
        if self.on != self.today:
            return {"on": self.on.isoformat()}
        return {}

    @property
    def context(self) -> dict[str, Any]:
        """Return what every report page shows of the reading."""
        return {
            "on": self.on,
            "today": self.today,
            "other_day": self.on != self.today,
            "carried_params": self.carried_params,
            "asked": self.query_reader.query,
            "faults": self.query_reader.faults,
        }


def report_context(request: HttpRequest) -> ReportContext:
    """Read the day that lights are asked for; today where none is, or it cannot be read."""
    asked = QueryReader(request.GET)
    now = current_day()
    reading = ReportContext(asked, now, asked.day("on", _("day")) or now)
    asked.query |= reading.carried_params
    return reading


def get_policy(request: HttpRequest, slug: str) -> PolicyDocument:
    """Find a policy that exists for the reader, or answer 404."""
    return get_object_or_404(PolicyDocument.objects.visible_to(request.user), slug=slug)


def get_unit(request: HttpRequest, pk: int) -> Organization:
    """Find a unit for a reader who sees any task at all, or answer 404."""
    known = permissions.visibility_scope(request.user) != permissions.VisibilityScope.NOTHING
    return get_object_or_404(
        Organization.objects.all() if known else Organization.objects.none(), pk=pk
    )


def get_task(request: HttpRequest, slug: str, code: str) -> Task:
    """Find a task that exists for the reader, with all that a page shows of it, or answer 404."""
    tasks = visible_tasks(request, get_policy(request, slug)).with_related()
    return get_object_or_404(tasks.defer("policy__full_text"), code=code)


def current_user(request: HttpRequest) -> User:
    """Return the account of a request; every page but the log-in has one."""
    return cast(User, request.user)


def current_day() -> dt.date:
    """Return the day on which what is done here is done."""
    return dates.today()


def read_number(text: str | None) -> int:
    """Read a whole number that a page of ours has written.

    0, which is none, where it is not one.
    """
    return parsing.whole_number(text) or 0


def seen_version_of(request: HttpRequest, name: str = "seen") -> int:
    """Return the version that a page showed and its form names.

    ValidationError where it names none.
    """
    text = request.POST.get(name)
    if text is None:
        raise ValidationError(no_version_words())
    return read_number(text)


def as_validation_error(error: Exception) -> ValidationError:
    """Say in one shape why nothing was written."""
    if isinstance(error, workflow.StaleVersion):
        return ValidationError(_outdated(*error.args))
    return cast(ValidationError, error)


def _outdated(row: Any = None) -> str:
    """Say who has changed a row since a page showed it.

    Often the same person, by pressing twice.
    """
    if row is not None:
        latest = row.history.select_related("history_user").first()
    else:
        latest = None
    if not latest:
        return _("Somebody else has just changed it; check it and try again.")
    return _(
        "Changed by %(who)s at %(when)s, after this page was opened. Nothing was done twice; check "
        "the current state, and repeat the action if it is still needed."
    ) % {
        "who": latest.history_user or _("the system"),
        "when": date_format(timezone.localtime(latest.history_date), "DATETIME_FORMAT"),
    }


def refusal_text(error: Exception) -> str:
    """Say in one line why nothing was written."""
    return " ".join(as_validation_error(error).messages)


def change_context(request: HttpRequest, reason: str = "") -> workflow.ChangeContext:
    """Name who acts on a page, and why."""
    return workflow.ChangeContext(current_user(request), ChangeSource.PAGE, reason)


def redirect_back(request: HttpRequest, default: str) -> HttpResponse:
    """Go back to where the reader came from, if that is here."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    # A word alone would be taken for the name of a page.
    return redirect(wanted if safe and wanted.startswith("/") else default)


def visible_tasks(request: HttpRequest, policy: PolicyDocument) -> TaskQuerySet:
    """Return the tasks of a policy that exist for the reader."""
    return Task.objects.visible_to(request.user).filter(policy=policy)


def saved_post(request: HttpRequest, names: Collection[str] = ()) -> QueryDict | None:
    """Return, once, what the reader sent from this page after the session had ended.

    None where nothing was.

    `names` are the fields of the form that asks: what another form of the page sent is not for it.
    To be shown in a bound form and never saved unseen: nobody has sent it in this session.
    """
    forms = []
    for form in late_forms.saved_posts(request, request.user.pk):
        if form["path"] == request.path:
            forms.append(form)
    found = next((form for form in forms if not names or set(names) & set(form["data"])), None)
    if not found:
        return None
    late_forms.forget_post(request, found)
    text = _("Your session had expired. This is what you submitted; it is not saved yet.")
    text = f"{text} {late_forms.lost_words(found)}".strip()
    messages.warning(request, text, fail_silently=True)
    data = QueryDict(mutable=True)
    for name, values in found["data"].items():
        data.setlist(name, values)
    return data
