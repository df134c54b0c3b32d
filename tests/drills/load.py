"""Pages stay quick while others export and slow clients dawdle.

Run by itself: `python -m tests.drills.load --tasks 10000 --requests 20`, on the database server of
DATABASE_URL (a database of its own is made there), SQLite without it. Serves by gunicorn as
documented, on the loopback alone. First two accounts export the whole ledger over and over while a
third tries, then three anonymous clients send the body of a log-in byte by byte. Meanwhile each
page is asked for so many times. The test suite runs the same code at a smaller size.
"""

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.drills.kill import served
from tests.drills.lost_updates import ROOT, database

EXPORTERS = 2
SLOW_CLIENTS = 3
LIMIT = 1.0  # seconds
LONGEST = 600  # seconds that any part of the drill may take
EXPORT = "/policies/bench/ledger.xlsx"
PAGES = {"log-in": "/login/", "list": "/policies/bench/tasks/"}
SERVER = ("--config=tracker/gunicorn.conf.py",)


@dataclass(frozen=True)
class Answer:
    """What one request got, and after how many seconds."""

    status: int
    size: int
    seconds: float


@dataclass
class Result:
    """Seconds of each page by scenario, the exports that came to their end, and what the third one got."""

    pages: dict[str, list[float]] = field(default_factory=dict)
    exports: list[Answer] = field(default_factory=list)
    tries: list[Answer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def slow(self) -> list[str]:
        """Name the pages whose 95th percentile is above the limit."""
        return [name for name, seconds in self.pages.items() if percentile(seconds) >= LIMIT]


def percentile(seconds: list[float], share: float = 0.95) -> float:
    """Return the time within which a share of the requests was answered."""
    return sorted(seconds)[max(0, round(share * len(seconds)) - 1)]


def ask(port: int, path: str, cookie: str = "") -> Answer:
    """Send one request on a connection of its own and read the answer to its end."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        size = 0
        while part := answer.read(1 << 16):
            size += len(part)
    finally:
        connection.close()
    return Answer(answer.status, size, time.perf_counter() - start)


def drill(tasks: int, requests: int, url: str = "") -> Result:
    """Serve a policy of so many tasks and ask for each page so many times in both scenarios."""
    result = Result()
    with database(url) as own, tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DATABASE_URL": own, "DATA_DIR": folder, "PYTHONWARNINGS": "ignore"}
        lay = [sys.executable, "-m", "tests.drills.load", "--role", "lay", "--tasks", str(tasks)]
        laid = subprocess.run(lay, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE)
        cookies = json.loads(laid.stdout)
        with served(environment, *SERVER) as port:
            ask(port, PAGES["list"], cookies[0])
            with exporting(port, cookies, result):
                _measure(port, "while two export", cookies[0], requests, result)
            with dawdling(port):
                _measure(port, "beside slow clients", cookies[0], requests, result)
    return result


def _measure(port: int, scenario: str, cookie: str, requests: int, result: Result) -> None:
    """Ask for each page so many times, one after the other."""
    end = time.monotonic() + LONGEST
    for _number in range(requests):
        for name, path in PAGES.items():
            answer = ask(port, path, cookie if name == "list" else "")
            result.pages.setdefault(f"{name} {scenario}", []).append(answer.seconds)
            if answer.status != 200:
                result.faults.append(f"{path} answered {answer.status}")
        if time.monotonic() > end:
            raise RuntimeError(f"{scenario}: not done after {LONGEST} s")


@contextmanager
def exporting(port: int, cookies: list[str], result: Result) -> Iterator[None]:
    """Let two accounts export over and over and a third one try; at the end wait until they are done."""
    stop = threading.Event()

    def export(cookie: str) -> None:
        while not stop.is_set():
            result.exports.append(ask(port, EXPORT, cookie))
            if result.exports[-1].status != 200:
                result.faults.append(f"an export answered {result.exports[-1].status}")
                return

    def attempt(cookie: str) -> None:
        while not stop.wait(1):
            result.tries.append(ask(port, EXPORT, cookie))

    with _together([*([export] * EXPORTERS), attempt], cookies, stop):
        time.sleep(0.3)
        yield


@contextmanager
def dawdling(port: int) -> Iterator[None]:
    """Let slow clients send the body of a log-in byte by byte."""
    stop = threading.Event()

    def drip(_cookie: str) -> None:
        head = "POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as connection:
            connection.sendall(head.encode())
            while not stop.wait(0.2):
                connection.sendall(b"x")

    with _together([drip] * SLOW_CLIENTS, [""] * SLOW_CLIENTS, stop):
        time.sleep(0.5)
        yield


@contextmanager
def _together(deeds: list[Callable[[str], None]], cookies: list[str], stop: threading.Event) -> Iterator[None]:
    """Do things in threads of their own until the block ends."""
    pairs = zip(deeds, cookies, strict=True)
    threads = [threading.Thread(target=deed, args=[cookie], daemon=True) for deed, cookie in pairs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(LONGEST)


def lay(tasks: int) -> None:
    """Make a policy of so many tasks and the sessions of three supervisors; print their cookies."""
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from tests.factories import make_many, make_policy
    from tracker.models import User

    settings.ALLOWED_HOSTS = ["testserver", *settings.ALLOWED_HOSTS]
    call_command("migrate", verbosity=0)
    call_command("loaddata", "organizations", verbosity=0)
    make_many(make_policy("bench"), tasks)
    cookies = []
    for number in range(EXPORTERS + 1):
        client = Client()
        user = User.objects.create_user(f"supervisor{number}", is_supervisor=True)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookies.append("; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()))
    print(json.dumps(cookies))


def main() -> None:
    """Run the drill, or lay its policy in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--role", choices=("lay",))
    options = parser.parse_args()
    if options.role:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
        import django

        django.setup()
        lay(options.tasks)
        return
    result = drill(options.tasks, options.requests, os.environ.get("DATABASE_URL", ""))
    for name, seconds in result.pages.items():
        times = f"median {percentile(seconds, 0.5):.3f} s, p95 {percentile(seconds):.3f} s, worst {max(seconds):.3f} s"
        print(f"{name}: {len(seconds)} requests, {times}")
    for name, answers in (("exports", result.exports), ("tries of a third", result.tries)):
        statuses = sorted({answer.status for answer in answers})
        longest = max((answer.seconds for answer in answers), default=0)
        print(f"{name}: {len(answers)}, answers {statuses}, the longest {longest:.1f} s")
    print(f"faults: {len(result.faults)} {result.faults[:3]}")
    sys.exit(bool(result.slow() or result.faults))


if __name__ == "__main__":
    main()
