"""Many processes edit one task through its form at the same time: nothing may be lost.

Run by itself: `python -m tests.drills.lost_updates --processes 8 --edits 200`, on the database of
DATABASE_URL's server (a database of its own is made there), SQLite without it. The test suite
runs the same code at a smaller size.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Result:
    """What the processes report.

    Saves accepted, saves refused and tried again, databases locked.
    """

    accepted: int
    refused: int
    locked: int
    versions: int


@contextmanager
def database(url: str) -> Iterator[str]:
    """Make an empty database beside the one of a URL, and take it away afterwards."""
    if url.startswith("postgres"):
        import psycopg

        name = f"tracker_drill_{secrets.token_hex(4)}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
            try:
                yield urlsplit(url)._replace(path=f"/{name}").geturl()
            finally:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/drill.sqlite3"


def drill(processes: int, edits: int, url: str = "") -> Result:
    """Let some processes save one task some times each; a refused save is tried again."""
    with database(url) as own:
        environment = {**os.environ, "DATABASE_URL": own, "PYTHONWARNINGS": "ignore"}
        run = [sys.executable, "-m", "tests.drills.lost_updates", "--edits", str(edits)]
        subprocess.run([*run, "--role", "set_up"], env=environment, cwd=ROOT, check=True)
        writers = [
            subprocess.Popen(
                [*run, "--role", "write"],
                env=environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        printed = [writer.communicate()[0].split() for writer in writers]
        if any(writer.returncode for writer in writers):
            raise RuntimeError("a writer failed")
        counted = subprocess.run(
            [*run, "--role", "count"],
            env=environment,
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    accepted, refused, locked = (sum(int(line[n]) for line in printed) for n in range(3))
    return Result(accepted, refused, locked, int(counted.stdout))


def set_up() -> None:
    """Make the one task."""
    from django.core.management import call_command

    from tests.factories import make_policy, make_task

    call_command("migrate", verbosity=0)
    make_task(make_policy())


def write(edits: int) -> None:
    """Save the task through its form, again and again; print accepted, refused, locked."""
    from django.db import OperationalError
    from django.forms import model_to_dict

    from tracker.domain.choices import ChangeSource
    from tracker.domain.dates import today
    from tracker.forms.editing import TaskForm
    from tracker.models import Task
    from tracker.workflow import ChangeContext, StaleVersion, save_task

    accepted = refused = locked = 0
    while accepted < edits:
        task = Task.objects.select_related("policy").get()
        typed = {
            name: "" if value is None else value for name, value in model_to_dict(task).items()
        }
        typed |= {"seen": task.version, "remark": f"{os.getpid()} {accepted}", "reason": "drill"}
        form = TaskForm(typed, instance=task)
        try:
            if not form.is_valid():
                raise RuntimeError(form.errors.as_text())
            save_task(
                form.instance,
                ChangeContext(None, ChangeSource.PAGE, "drill"),
                form.seen_version,
                co_units=[],
                today=today(),
            )
            accepted += 1
        except StaleVersion:
            refused += 1
        except OperationalError as error:
            if "locked" not in str(error):
                raise
            locked += 1
    print(accepted, refused, locked)


def count() -> None:
    """Print how far the version went."""
    from tracker.models import Task

    task = Task.objects.get()
    if task.history.count() != task.version:
        raise RuntimeError(f"{task.history.count()} history rows for version {task.version}")
    print(task.version - 1)


def main() -> None:
    """Run the drill, or one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--role", choices=("set_up", "write", "count"))
    options = parser.parse_args()
    if not options.role:
        result = drill(options.processes, options.edits, os.environ.get("DATABASE_URL", ""))
        lost = result.accepted - result.versions
        print(f"{result.accepted} saves accepted, {result.refused} refused and tried again,")
        print(
            f"version rose by {result.versions}: {lost} lost; “database is locked”: {result.locked}"
        )
        sys.exit(bool(lost or result.locked))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django

    django.setup()
    {"set_up": set_up, "write": lambda: write(options.edits), "count": count}[options.role]()


if __name__ == "__main__":
    main()
