"""How long a session lasts."""

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from tracker import dates


def is_live(session: SessionBase) -> bool:
    """Say whether a session has ended neither by its length nor by not being used."""
    now = int(dates.now().timestamp())
    began, seen = session.get("began", now), session.get("seen", 0)
    is_idle = bool(seen) and now - seen >= settings.SESSION_IDLE
    return now - began < settings.SESSION_LONGEST and not is_idle
