"""Work that takes longer than a person waits for a page: done in a thread, and told of by a file.

The file stands outside the transaction of the work, so that others read how far it is. The lock of
a second file is held for as long as the work runs: it keeps the same work from running twice, and
dies with its process, so that what a killed process left is known to have ended.
"""

import contextlib
import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import IO, Any

from django.conf import settings
from django.db import connections
from django.utils import translation
from django.utils.translation import gettext as _

from tracker.domain import dates
from tracker.domain.progress_callback import ProgressCallback
from tracker.domain.scratch import try_lock
from tracker.web import pages_under_way

ROW_PAUSE = 0.002  # seconds after each row while this process makes a page: both share one core
RESULT_KEPT_FOR = 3600  # seconds that what has come of some work is kept
JOB_RUNNING = "running"
JOB_DONE = "done"
JOB_FAILED = "failed"
LOCK_ATTEMPTS = 3  # to take the lock: somebody who only looks holds it for a moment

logger = logging.getLogger(__name__)


class JobFailed(Exception):
    """The work could not be done; the message says why to whoever waits."""


@dataclass(frozen=True)
class JobProgress:
    """How far some work is: so many of all rows, and in the end what has come of it in words.

    `about` is what whoever started it wants to know of it again.
    """

    state: str
    done: int
    total: int
    words: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def percent(self) -> int:
        """Return the share that is done."""
        return 100 * min(self.done, self.total) // max(self.total, 1)


def start_job(
    name: str,
    total: int,
    work: Callable[[ProgressCallback], str],
    *,
    about: Mapping[str, Any] | None = None,
    wait: float = 0,
) -> bool:
    """Start work in a thread; say False, and start nothing, where it is under way already.

    `work` tells how many rows it has done, returns what has come of it in words, or raises
    JobFailed. Short work is waited for, so many seconds.
    """
    lock = _take_lock(name)
    if not lock:
        return False
    begin = JobProgress(JOB_RUNNING, 0, total, about=about or {})
    _write(name, begin)
    thread = Thread(target=_run, args=(name, begin, work, lock, translation.get_language()))
    thread.start()
    if wait:
        thread.join(wait)
    return True


def result_path(name: str) -> Path:
    """Return where some work puts the file that comes of it."""
    return _path(name, "made")


def sweep_jobs() -> None:
    """Remove what came of work that ended more than an hour ago."""
    oldest = dates.now().timestamp() - RESULT_KEPT_FOR
    for path in Path(settings.WORKING_DIR).glob("job-*.json"):
        name = path.stem.removeprefix("job-")
        # Another worker may sweep at the same moment.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest and (lock := _take_lock(name)):
                _remove(name, lock)


def _remove(name: str, lock: IO[bytes]) -> None:
    with lock:
        for ending in ("made", "half", "json", "lock"):
            _path(name, ending).unlink(missing_ok=True)


def read_job(name: str) -> JobProgress | None:
    """Return how far some work is, or what came of it; nothing where there was none."""
    found = _read(name)
    if found and found.state == JOB_RUNNING and _is_free(name):
        # It may have come to its end between the two looks.
        found = _read(name)
        if found and found.state == JOB_RUNNING:
            text = _("The work was interrupted, and nothing was written. Start it again.")
            return replace(found, state=JOB_FAILED, words=text)
    return found


def _run(
    name: str,
    begin: JobProgress,
    work: Callable[[ProgressCallback], str],
    lock: IO[bytes],
    language: str | None,
) -> None:
    total = begin.total
    reported = 0

    def tell(done: int) -> None:
        nonlocal reported
        if pages_under_way.any_page():
            time.sleep(ROW_PAUSE)
        now = replace(begin, done=done)
        if now.percent > reported:
            reported = now.percent
            _write(name, now)

    with lock, translation.override(language):
        try:
            end = replace(begin, state=JOB_DONE, done=total, words=work(tell))
        except JobFailed as refusal:
            end = replace(begin, state=JOB_FAILED, words=str(refusal))
        except Exception:
            logger.exception("The work %s has failed.", name)
            text = _(
                "It failed because of a program error, which is in the log. Nothing was written."
            )
            end = replace(begin, state=JOB_FAILED, words=text)
        _write(name, end)
    _close_connections()


def _close_connections() -> None:
    """Give back the connections of a thread that ends."""
    connections.close_all()


def _path(name: str, ending: str) -> Path:
    root = Path(settings.WORKING_DIR)
    root.mkdir(parents=True, exist_ok=True)
    return root / f"job-{name}.{ending}"


def _take_lock(name: str) -> IO[bytes] | None:
    for _attempt in range(LOCK_ATTEMPTS):
        lock = _path(name, "lock").open("ab")
        # Between the two steps it may have been swept away, and made anew by somebody else.
        if try_lock(lock) and _is_there(lock, _path(name, "lock")):
            return lock
        lock.close()
    return None


def _is_there(file: IO[bytes], path: Path) -> bool:
    """Say whether an open file is the one that has this name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _is_free(name: str) -> bool:
    """Say whether nobody does the work.

    Whoever only looks does not stand in the way of others who look.
    """
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
