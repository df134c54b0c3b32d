"""How much room the disk has, and which faults mean that it has none."""

import errno
import shutil
import sqlite3
from pathlib import Path

from django.conf import settings

MEGABYTE = 1024**2
DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT}
POSTGRESQL_DISK_FULL = "53100"
# An SQLite file in WAL mode cannot be opened where there is no room for the index of its log.
SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE}


def free_megabytes() -> int:
    """Return how much is free on the disk of the data."""
    return shutil.disk_usage(Path(settings.DATA_DIR)).free // MEGABYTE


def is_low() -> bool:
    """Say whether less is free than the settings ask for."""
    return free_megabytes() < settings.MIN_FREE_MB


def is_disk_full(error: BaseException | None) -> bool:
    """Say whether a fault, or one that it comes from, means that the disk or a quota is full."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, OSError) and error.errno in DISK_FULL_ERRORS:
            return True
        if getattr(error, "sqlite_errorcode", None) in SQLITE_FULL:
            return True
        if getattr(error, "sqlstate", None) == POSTGRESQL_DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
        seen += 1
    return False
