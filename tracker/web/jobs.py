"""Work that takes longer than a person waits for a page: done in a thread, and told of by a file.

The file stands outside the transaction of the work, so that others read how far it is. The lock of a
second file is held for as long as the work runs: it keeps the same work from running twice, and dies
with its process, so that what a killed process left is known to have ended.
"""

import fcntl
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from django.conf import settings
from django.db import connections
from django.utils import translation
from django.utils.translation import gettext as _

from tracker.domain.scratch import try_lock

RUNNING, DONE, FAILED = "running", "done", "failed"
ATTEMPTS = 3  # to take the lock: somebody who only looks holds it for a moment

Tell = Callable[[int], object]
logger = logging.getLogger(__name__)


class JobFailed(Exception):
    """The work could not be done; the message says why to whoever waits."""


@dataclass(frozen=True)
class JobProgress:
    """How far some work is: so many of all rows, and in the end what has come of it in words."""

    state: str
    done: int
    total: int
    words: str = ""

    @property
    def percent(self) -> int:
        """Return the share that is done."""
        return 100 * self.done // max(self.total, 1)


def start_job(name: str, total: int, work: Callable[[Tell], str]) -> bool:
    """Start work in a thread; say False, and start nothing, where it is under way already.

    `work` tells how many rows it has done, returns what has come of it in words, or raises JobFailed.
    """
    lock = _take_lock(name)
    if not lock:
        return False
    _write(name, JobProgress(RUNNING, 0, total))
    Thread(target=_run, args=(name, total, work, lock, translation.get_language())).start()
    return True


def read_job(name: str) -> JobProgress | None:
    """Return how far some work is, or what came of it; nothing where there was none."""
    found = _read(name)
    if found and found.state == RUNNING and _is_free(name):
        # It may have come to its end between the two looks.
        found = _read(name)
        if found and found.state == RUNNING:
            words = _("The work was cut off before its end, and nothing of it is written. Start it again.")
            return JobProgress(FAILED, found.done, found.total, words)
    return found


def _run(name: str, total: int, work: Callable[[Tell], str], lock: IO[bytes], language: str | None) -> None:
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        if 100 * done // max(total, 1) > told:
            told = 100 * done // max(total, 1)
            _write(name, JobProgress(RUNNING, done, total))

    with lock, translation.override(language):
        try:
            end = JobProgress(DONE, total, total, work(tell))
        except JobFailed as refusal:
            end = JobProgress(FAILED, 0, total, str(refusal))
        except Exception:
            logger.exception("The work %s has failed.", name)
            words = _("It has failed by a fault of the program, which is in its log. Nothing is written.")
            end = JobProgress(FAILED, 0, total, words)
        _write(name, end)
    connections.close_all()


def _path(name: str, ending: str) -> Path:
    root = Path(settings.WORKING_DIR)
    root.mkdir(parents=True, exist_ok=True)
    return root / f"job-{name}.{ending}"


def _take_lock(name: str) -> IO[bytes] | None:
    for _attempt in range(ATTEMPTS):
        lock = _path(name, "lock").open("ab")
        if try_lock(lock):
            return lock
        lock.close()
    return None


def _is_free(name: str) -> bool:
    """Say whether nobody does the work; whoever only looks does not stand in the way of others who look."""
    with _path(name, "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _write(name: str, progress: JobProgress) -> None:
    """Replace the file in one step: nobody reads half of it."""
    half = _path(name, "half")
    half.write_text(json.dumps(asdict(progress)), encoding="utf-8")
    half.replace(_path(name, "json"))


def _read(name: str) -> JobProgress | None:
    try:
        return JobProgress(**json.loads(_path(name, "json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
