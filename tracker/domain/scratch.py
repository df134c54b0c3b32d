"""Temporary files in a folder for each process, so that those of killed processes are removed.

Each process locks its folder as long as it runs. The lock ends with the process, by SIGKILL too:
a folder whose lock is free is left over, and `sweep` removes it.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings

LOCK_NAME = "lock"
PENDING_FILE = "pending"  # notes of files elsewhere that wait for their transaction
HALF_WRITTEN_SUFFIX = "half"  # notes of files elsewhere that are not finished


class _Own:
    """The folder of this process, made when it is first asked for."""

    pid = 0
    path = Path()
    lock: IO[bytes] | None = None
    making = threading.Lock()


def folder() -> Path:
    """Return the folder for temporary files of this process."""
    root = Path(settings.WORKING_DIR)
    with _Own.making:
        if (_Own.pid, _Own.path.parent) != (os.getpid(), root) or not _Own.path.exists():
            root.mkdir(parents=True, exist_ok=True)
            if _Own.lock:
                _Own.lock.close()  # of another process before a fork, or of another root
            with _alone(root):
                _Own.path = Path(tempfile.mkdtemp(prefix="process-", dir=root))
                _Own.lock = (_Own.path / LOCK_NAME).open("wb")
                fcntl.flock(_Own.lock, fcntl.LOCK_EX)
            _Own.pid = os.getpid()
        return _Own.path


def new_file(suffix: str = "") -> Path:
    """Make an empty file in the folder of this process; the caller removes or renames it."""
    descriptor, name = tempfile.mkstemp(suffix=suffix, dir=folder())
    os.close(descriptor)
    return Path(name)


@contextmanager
def new_folder() -> Iterator[Path]:
    """Make a folder within that of this process, and remove it at the end."""
    with tempfile.TemporaryDirectory(dir=folder()) as name:
        yield Path(name)


@contextmanager
def replacing(target: Path, mode: int = 0o666) -> Iterator[Path]:
    """Yield the path of a temporary file beside the target that replaces it at the end.

    Where an error is raised, the target stays as it is. `mode` as for `os.open`. What a killed
    process left is known by its note, and `sweep` removes it.
    """
    note = _note(
        HALF_WRITTEN_SUFFIX,
        lambda name: str(target.absolute().with_name(f".{target.name}.{name}.half")),
    )
    half = Path(note.read_text(encoding="utf-8"))
    try:
        os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield half
        _sync(half)
        half.replace(target)
        _sync(target.absolute().parent)
    finally:
        half.unlink(missing_ok=True)
        note.unlink()


def _sync(path: Path) -> None:
    """Let the disk keep what was written to a file, or which files lie in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def note_pending(name: str) -> Path:
    """Note a file elsewhere that waits for its transaction.

    Return the note, to be removed after it.
    """
    return _note(PENDING_FILE, lambda _name: name)


def _note(kind: str, text: Callable[[str], str]) -> Path:
    notes = folder() / kind
    notes.mkdir(exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=notes)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text(Path(name).name))
    return Path(name)


def pending(path: Path) -> list[str]:
    """List the names that the process of a folder has noted and not removed."""
    return _noted(path, PENDING_FILE)


def _noted(path: Path, kind: str) -> list[str]:
    notes = path / kind
    if notes.exists():
        found = []
        for note in notes.iterdir():
            found.append(note.read_text(encoding="utf-8"))
        return found
    return []


def sweep(settle: Callable[[Path], object] = lambda path: None) -> int:
    """Remove the folders of processes that have died; return how many.

    `settle` is called with each folder before it goes, for what it notes of files elsewhere.
    """
    root = Path(settings.WORKING_DIR)
    if not root.exists():
        return 0
    count = 0
    with _alone(root):
        for path in sorted(root.glob("process-*")):
            with (path / LOCK_NAME).open("ab") as lock:
                if not try_lock(lock):
                    continue
                for half in filter(None, _noted(path, HALF_WRITTEN_SUFFIX)):
                    Path(half).unlink(missing_ok=True)
                settle(path)
                shutil.rmtree(path)
                count += 1
    return count


def try_lock(file: IO[bytes]) -> bool:
    """Take the lock of an open file if nobody has it; it is held until the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def leave() -> None:
    """Remove the folder of this process, at its end."""
    if _Own.lock and _Own.pid == os.getpid():
        if not pending(_Own.path):
            shutil.rmtree(_Own.path, ignore_errors=True)
        _Own.lock.close()
        _Own.lock = None
        _Own.pid = 0


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the one lock under which folders are made and swept."""
    with (root / LOCK_NAME).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


atexit.register(leave)
