"""The server is killed in the middle of writing, again and again.

What it has acknowledged must be there.

Run by itself: `python -m tests.drills.kill --rounds 50`, on the database server of DATABASE_URL (a
database of its own is made there), SQLite without it. Real clients send the admin's form of a task,
which writes the task, a step of its checklist and the history of both; each text is used once, so
that a lost write and half of one can be told. The test suite runs the same code with fewer rounds.
"""

import argparse
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.drills.lost_updates import ROOT, database

WRITERS = 4
PASSWORD = "a long password"


@dataclass(frozen=True)
class Result:
    """What was acknowledged, what of it is lost, how many writes are half there, what the database
    says of itself.
    """

    rounds: int
    acknowledged: int
    lost: int
    half_done: int
    integrity: str


@dataclass
class Client:
    """A browser of one person who edits one task; its cookies outlive the server."""

    port: int
    task: int
    form: dict[str, str]
    cookies: dict[str, str] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, words: dict[str, str] | None = None) -> tuple[int, str]:
        """Send one request and read the answer.

        Raise OSError or HTTPException when the server is gone.
        """
        head = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = urlencode(
            {**(words or {}), "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}
        )
        head["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body if method == "POST" else None, head)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _sign, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, text

    def log_in(self) -> None:
        """Log in once; the session is a row of the database and lives on."""
        self.ask("GET", "/login/")
        status, _text = self.ask("POST", "/login/", {"username": "root", "password": PASSWORD})
        if status != 302:
            raise RuntimeError(f"log-in answered {status}")

    def write(self, stop: threading.Event) -> None:
        """Save the task under one new text after the other until the server is gone."""
        path = f"/admin/tracker/task/{self.task}/change/"
        try:
            seen = re.search(r'name="seen" value="(\d+)"', self.ask("GET", path)[1])
            version = int(seen[1]) if seen else 0
            for number in count(version):
                text = f"{self.task} {number}"
                words = {**self.form, "title": text, "items-0-title": text, "seen": str(number)}
                status, _page = self.ask("POST", path, words)
                if status != 302:
                    self.faults.append(f"{path} answered {status}")
                    return
                self.acknowledged.append(text)
        except (OSError, http.client.HTTPException):
            if not stop.is_set():
                raise


def drill(rounds: int, url: str = "") -> Result:
    """Start the server, let clients write, kill it at a random moment.

    Look at what is there at the end.
    """
    dice = random.Random(rounds)
    with database(url) as own, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": own,
            "DATA_DIR": folder,
            "PYTHONWARNINGS": "ignore",
        }
        run = [sys.executable, "-m", "tests.drills.kill"]
        made = subprocess.run(
            [*run, "--role", "set_up"],
            env=environment,
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        )
        clients = [Client(0, task, form) for task, form in json.loads(made.stdout)]
        for _round in range(rounds):
            _kill_once(clients, environment, dice.uniform(0.3, 1.2))
        faults = [fault for client in clients for fault in client.faults]
        if faults:
            raise RuntimeError(f"refused: {faults[:3]}")
        acknowledged = [text for client in clients for text in client.acknowledged]
        found = subprocess.run(
            [*run, "--role", "count"],
            env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, input=json.dumps(acknowledged).encode(),
        )  # fmt: skip
    return Result(rounds, len(acknowledged), **json.loads(found.stdout))


def _kill_once(clients: list[Client], environment: dict[str, str], seconds: float) -> None:
    stop = threading.Event()
    with served(environment, "--workers=2") as port:
        for client in clients:
            client.port = port
            if not client.cookies:
                client.log_in()
        before = sum(len(client.acknowledged) for client in clients)
        threads = [
            threading.Thread(target=client.write, args=[stop], daemon=True) for client in clients
        ]
        for thread in threads:
            thread.start()
        while sum(len(client.acknowledged) for client in clients) == before and not any(
            c.faults for c in clients
        ):
            time.sleep(0.01)  # killed while writing, not before
        time.sleep(seconds)
        stop.set()
    for thread in threads:
        thread.join()


@contextmanager
def served(environment: dict[str, str], *options: str) -> Iterator[int]:
    """Start a real server on a free port; at the end kill it, and all its processes, by SIGKILL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [
        sys.executable,
        "-m",
        "gunicorn",
        "tracker.wsgi",
        f"--bind=127.0.0.1:{port}",
        "--log-level=error",
    ]
    with (Path(environment["DATA_DIR"]) / "log").open("ab") as log:
        server = subprocess.Popen(
            [*serve, *options], env=environment, cwd=ROOT, start_new_session=True, stderr=log
        )
    try:
        _wait_for(port, server)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not start")


def set_up() -> None:
    """Make an account and a task with one step for each writer.

    Print what a browser would send for each.
    """
    from django.core.management import call_command

    from tests.factories import make_policy, make_task
    from tracker.models import ChecklistItem, User

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("root", password=PASSWORD)
    policy, forms = make_policy(), []
    for number in range(WRITERS):
        task = make_task(policy, f"A1-{number:02}")
        item = ChecklistItem.objects.create(task=task, number=1, title="x")
        counts = {"TOTAL": 1, "INITIAL": 1, "MIN_NUM": 0, "MAX_NUM": 1000}
        form = {
            **{f"items-{name}_FORMS": str(value) for name, value in counts.items()},
            **{f"indicators-{name}_FORMS": "0" for name in counts},
            **{
                "items-0-id": str(item.pk),
                "items-0-task": str(task.pk),
                "items-0-number": "1",
                "items-0-weight": "1",
            },
            **{
                "measure": str(task.measure_id),
                "code": task.code,
                "kind": task.kind,
                "status": task.status,
            },
            **{"percent": "0", "reason": "drill"},
        }
        forms.append((task.pk, form))
    print(json.dumps(forms))


def count_up() -> None:
    """Read what was acknowledged.

    Print how much is lost or half done, and whether the database is whole.
    """
    from django.db import connection

    from tracker.models import ChecklistItem, Task
    from tracker.workflow import derive_task

    acknowledged = set(json.load(sys.stdin))
    titles = set(Task.history.values_list("title", flat=True))
    half = 0
    for task in Task.objects.select_related("policy", "measure__section").prefetch_related("items"):
        texts = {text for text in titles if text.startswith(f"{task.pk} ")}
        steps = set(
            ChecklistItem.history.filter(task_id=task.pk).values_list("title", flat=True)
        ) - {"x"}
        half += len(texts ^ steps)
        half += (task.title, task.history.count()) != (task.items.get().title, task.version)
        half += derive_task(task, list(task.items.all()))
    integrity = "ok"
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            integrity = cursor.execute("PRAGMA integrity_check").fetchone()[0]
    connection.check_constraints()
    print(
        json.dumps({"lost": len(acknowledged - titles), "half_done": half, "integrity": integrity})
    )


def main() -> Any:
    """Run the drill, or one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--role", choices=("set_up", "count"))
    options = parser.parse_args()
    if not options.role:
        result = drill(options.rounds, os.environ.get("DATABASE_URL", ""))
        print(
            f"killed {result.rounds} times, {result.acknowledged} writes acknowledged: "
            f"{result.lost} lost,"
        )
        print(f"{result.half_done} half done; the database says of itself: {result.integrity}")
        sys.exit(bool(result.lost or result.half_done or result.integrity != "ok"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django

    django.setup()
    {"set_up": set_up, "count": count_up}[options.role]()


if __name__ == "__main__":
    main()
