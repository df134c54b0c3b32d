"""Where a request becomes what the rest of the program speaks of: a reader, a policy, a day."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from tracker import dates, permissions
from tracker.filters import Asked
from tracker.models import Organization, PolicyDocument, Task
from tracker.models.task import TaskQuerySet


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
    asked, today = Asked(request.GET), dates.today()
    reading = Reading(asked, today, asked.day("on", _("day")) or today)
    asked.query |= reading.keep
    return reading


def find_policy(request: HttpRequest, slug: str) -> PolicyDocument:
    """Find a policy that exists for the reader, or answer 404."""
    return get_object_or_404(PolicyDocument.objects.visible_to(request.user), slug=slug)


def find_unit(request: HttpRequest, pk: int) -> Organization:
    """Find a unit for a reader who sees any task at all, or answer 404."""
    known = permissions.scope(request.user) != permissions.Scope.NOTHING
    return get_object_or_404(Organization.objects.all() if known else Organization.objects.none(), pk=pk)


def tasks_of(request: HttpRequest, policy: PolicyDocument) -> TaskQuerySet:
    """Return the tasks of a policy that exist for the reader."""
    return Task.objects.visible_to(request.user).filter(policy=policy)


def kept(request: HttpRequest) -> QueryDict | None:
    """Return, once, what the reader sent from this page after the session had ended; None where nothing was.

    To be shown in a bound form and never saved unseen: nobody has sent it in this session.
    """
    found = request.session.get("kept")
    if not found or (found["user"], found["path"]) != (request.user.pk, request.path):
        return None
    del request.session["kept"]
    data = QueryDict(mutable=True)
    for name, values in found["data"].items():
        data.setlist(name, values)
    return data
