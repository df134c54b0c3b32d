"""Limits of wrong passwords, for the log-in page and the page that changes a password.

* A name is refused at an address after `AXES_FAILURE_LIMIT` failures there.
* An address is refused after failures with `LOGIN_NAMES_PER_ADDRESS` names; names that have logged
  in from there before are not.
* A name alone is never refused: after `LOGIN_FAILURES_UNTIL_SLOW` failures from all addresses
  each further attempt waits `LOGIN_DELAY` seconds.

All of them end by time (`AXES_COOLOFF_TIME` after the last failure that counted) or by
`manage.py axes_reset`. What is refused is not recorded, and what is too old is deleted at the next
failure or log-in, so the rows of an address are bounded.
"""

import threading
import time
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_username, get_failure_limit, get_lockout_response
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse

from tracker.models import User
from tracker.web.client_address import limited_address

LOG_DAYS = 90
# Of the threads of a process two may wait; the others go on serving.
_waiting = threading.BoundedSemaphore(2)


class LoginLimits(AxesDatabaseHandler):
    """Count failures by name and address, by address over all names, and by name alone."""

    def is_allowed(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        allowed = super().is_allowed(request, credentials)
        if (
            allowed
            and self._failures_of_name(request, credentials) >= settings.LOGIN_FAILURES_UNTIL_SLOW
        ):
            _wait()
        return allowed

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """Return the failures that count.

        At least the limit where too many names failed at the address.
        """
        failures = int(super().get_failures(request, credentials))
        limit = get_failure_limit(request, credentials)
        if failures < limit and self._is_spraying(request, credentials):
            request.is_spraying = True
            return limit
        return failures

    def user_logged_in(self, sender: Any, request: Any, user: User, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)
        self.reset_logs(age_days=LOG_DAYS)

    def _is_spraying(self, request: Any, credentials: dict[str, Any] | None) -> bool:
        """Say whether too many names failed at an address where this one never logged in."""
        address = request.axes_ip_address
        name = get_client_username(request, credentials)
        failed = _recent(request).filter(ip_address=address).exclude(username=name)
        names = failed.values("username").distinct().count()
        if names < settings.LOGIN_NAMES_PER_ADDRESS:
            return False
        return not AccessLog.objects.filter(username=name, ip_address=address).exists()

    def _failures_of_name(self, request: Any, credentials: dict[str, Any] | None) -> int:
        found = _recent(request).filter(username=get_client_username(request, credentials))
        return found.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


def _recent(request: Any) -> QuerySet[AccessAttempt]:
    return AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))


def _wait() -> None:
    """Slow an attempt down; where enough are waiting already it goes on at once."""
    if _waiting.acquire(blocking=False):
        try:
            time.sleep(settings.LOGIN_DELAY)
        finally:
            _waiting.release()


def refusal(request: HttpRequest, user: User) -> HttpResponse | None:
    """Return what an account that has tried too many passwords is told, or None."""
    credentials = {"username": user.get_username()}
    if AxesProxyHandler.is_allowed(request, credentials):
        return None
    return get_lockout_response(request, None, credentials)


def count_failure(request: HttpRequest, user: User) -> None:
    """Count a wrong password of an account that is logged in already."""
    user_login_failed.send(__name__, credentials={"username": user.get_username()}, request=request)


def forget_failures(request: HttpRequest, user: User) -> None:
    """Forget the failures of an account at an address after it has shown its password."""
    AxesProxyHandler.reset_attempts(
        ip_address=limited_address(request), username=user.get_username()
    )
