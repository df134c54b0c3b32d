"""Keep the working files of SQLite in place, so that reading goes on when the disk is full.

The last connection that closes removes the log and its index, and the next one makes them anew: on
a full disk it cannot, and not one page opens. Each worker keeps one connection open. A reserve of
a megabyte is given up where a start finds no room for them at all.
"""

import os
import sqlite3
from pathlib import Path

from django.conf import settings

from tracker.domain.disk import is_disk_full

RESERVE_BYTES = 1024**2
_kept: dict[int, sqlite3.Connection] = {}  # by process: none outlives a fork


def keep_open() -> None:
    """Open a connection that this process never closes, if it has none yet."""
    if os.getpid() in _kept or not settings.SQLITE:
        return
    name = settings.DATABASES["default"]["NAME"]
    if not Path(name).exists():
        return  # in memory, or not made yet
    reserve = Path(settings.WORKING_DIR) / "reserve"
    try:
        _kept[os.getpid()] = _reading(name)
    except sqlite3.OperationalError:
        reserve.unlink(missing_ok=True)
        _kept[os.getpid()] = _reading(name)
        return
    _lay_in(reserve)


def _reading(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, check_same_thread=False)
    # The files are made by the first reading.
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _lay_in(reserve: Path) -> None:
    """Make the reserve where there is room for it."""
    reserve.parent.mkdir(parents=True, exist_ok=True)
    if reserve.exists():
        return
    try:
        reserve.write_bytes(bytes(RESERVE_BYTES))
    except OSError as error:
        reserve.unlink(missing_ok=True)
        if not is_disk_full(error):
            raise
