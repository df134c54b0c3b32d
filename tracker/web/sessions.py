"""Sessions in the database that survive a full disk: reading goes on, the note of the last use waits."""

from django.contrib.sessions.backends import db
from django.db import DatabaseError

from tracker.domain.disk import is_disk_full


class SessionStore(db.SessionStore):
    """Keep a session as it is where there is no room to note that it is in use; a log-in fails in words."""

    def save(self, must_create: bool = False) -> None:
        try:
            super().save(must_create)
        except DatabaseError as error:
            if must_create or not is_disk_full(error):
                raise
