"""What a monitor asks: is the system able to work? Open to everybody, and tells nothing else."""

from collections.abc import Callable
from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tracker.domain import disk

ADDRESS = "/healthz"


def answer_probes(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer a monitor before sessions, host names and the redirect to https.

    It asks the machine by its number.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info == ADDRESS:
            return healthz(request)
        return get_response(request)

    return middleware


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say of database, migrations and disk whether each is well: 200 if all are, else 503.

    One query.
    """
    try:
        applied = set(MigrationRecorder(connection).applied_migrations())
        database = True
        migrations = _on_disk() <= applied
    except Error:
        database = migrations = False
    try:
        room = not disk.is_low()
    except OSError:
        room = False
    found = {"database": database, "migrations": migrations, "disk": room}
    states = {}
    for name, well in found.items():
        states[name] = "ok" if well else "fault"
    return JsonResponse(states, status=200 if all(found.values()) else 503)


@cache
def _on_disk() -> frozenset[tuple[str, str]]:
    """Return the migrations of this version; they do not change while it runs."""
    return frozenset(MigrationLoader(None).graph.nodes)
