"""Sessions in the database: how long they last, and how they survive a full disk.

On a full disk reading goes on, and the note of the last use waits.
"""

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import DatabaseError

from tracker.domain import dates
from tracker.domain.disk import is_disk_full


def is_live(session: SessionBase) -> bool:
    """Say whether a session has ended neither by its length nor by not being used."""
    now = int(dates.now().timestamp())
    began = session.get("began", now)
    seen = session.get("seen", 0)
    is_idle = bool(seen) and now - seen >= settings.SESSION_IDLE
    return now - began < settings.SESSION_LONGEST and not is_idle


class SessionStore(db.SessionStore):
    """Keep a session as it is where there is no room to note that it is in use.

    A log-in fails in words.
    """

    def save(self, must_create: bool = False) -> None:
        try:
            super().save(must_create)
        except (DatabaseError, UpdateError) as error:
            if must_create or not is_disk_full(error):
                raise
