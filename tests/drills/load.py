"""Pages stay quick while others export and slow clients dawdle.

Run by itself: `python -m tests.drills.load --tasks 10000 --requests 20`, on the database server of
DATABASE_URL (a database of its own is made there), SQLite without it. Serves by gunicorn as
documented, on the loopback alone. First two accounts export the whole ledger, over and over, while
a third tries once they are under way; then three anonymous clients send the body of a log-in byte
by byte. Meanwhile each page is asked for so many times. The test suite runs the same code at a
smaller size.
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
BUSY = 503
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
    location: str = ""
    text: bytes = b""


@dataclass
class Result:
    """Seconds of each page by scenario, the exports that came to their end, and what the third one
    was told.
    """

    pages: dict[str, list[float]] = field(default_factory=dict)
    exports: list[Answer] = field(default_factory=list)
    tries: list[Answer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def slow(self) -> list[str]:
        """Name the pages whose 95th percentile is above the limit, and the refusal of the third."""
        told = {
            "refusal of a third": [answer.seconds for answer in self.tries if answer.status == BUSY]
        }
        measured = {**self.pages, **{name: seconds for name, seconds in told.items() if seconds}}
        return [name for name, seconds in measured.items() if percentile(seconds) >= LIMIT]


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
        size, begin = 0, b""
        while part := answer.read(1 << 16):
            size += len(part)
            begin = begin or part
    finally:
        connection.close()
    return Answer(
        answer.status, size, time.perf_counter() - start, answer.headers.get("Location", ""), begin
    )


def export_to_end(port: int, cookie: str, begun: threading.Semaphore) -> Answer:
    """Ask for an export as a browser does.

    Where its page tells how far it is, look until the file is there.
    """
    start = time.perf_counter()
    answer = ask(port, EXPORT, cookie)
    page = answer.location
    if answer.status != BUSY:
        begun.release()
    while answer.status == 302 or (page and b"<progress" in answer.text):
        time.sleep(2)
        answer = ask(port, page, cookie)
    if page and answer.status == 200:
        answer = ask(port, f"{page}file/", cookie)
    return Answer(answer.status, answer.size, time.perf_counter() - start, text=answer.text[:2])


def drill(tasks: int, requests: int, url: str = "") -> Result:
    """Serve a policy of so many tasks and ask for each page so many times in both scenarios."""
    result = Result()
    with database(url) as own, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": own,
            "DATA_DIR": folder,
            "PYTHONWARNINGS": "ignore",
        }
        command = [
            sys.executable,
            "-m",
            "tests.drills.load",
            "--role",
            "set_up",
            "--tasks",
            str(tasks),
        ]
        made = subprocess.run(
            command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE
        )
        cookies = json.loads(made.stdout)
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
    """Let two accounts export over and over and a third one try.

    At the end wait until they are done.
    """
    stop, begun = threading.Event(), threading.Semaphore(0)

    def export(cookie: str) -> None:
        while not stop.is_set():
            answer = export_to_end(port, cookie, begun)
            if answer.status == BUSY:
                # The third was quicker: try again, as its page says.
                stop.wait(1)
                continue
            result.exports.append(answer)
            if answer.status != 200 or answer.text != b"PK":
                result.faults.append(f"an export answered {answer.status}")
                return

    def attempt(cookie: str) -> None:
        for _exporter in range(EXPORTERS):
            begun.acquire(timeout=LONGEST)
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
        # As large as strangers may send: a larger body is refused at once.
        head = "POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 65536\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as connection:
            connection.sendall(head.encode())
            while not stop.wait(0.2):
                connection.sendall(b"x")

    with _together([drip] * SLOW_CLIENTS, [""] * SLOW_CLIENTS, stop):
        time.sleep(0.5)
        yield


@contextmanager
def _together(
    deeds: list[Callable[[str], None]], cookies: list[str], stop: threading.Event
) -> Iterator[None]:
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


def set_up(tasks: int) -> None:
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
        cookies.append(
            "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        )
    print(json.dumps(cookies))


def main() -> None:
    """Run the drill, or make its policy in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--role", choices=("set_up",))
    options = parser.parse_args()
    if options.role:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
        import django

        django.setup()
        set_up(options.tasks)
        return
    result = drill(options.tasks, options.requests, os.environ.get("DATABASE_URL", ""))
    for name, seconds in result.pages.items():
        times = f"median {percentile(seconds, 0.5):.3f} s, p95 {percentile(seconds):.3f} s, worst {max(seconds):.3f} s"
        print(f"{name}: {len(seconds)} requests, {times}")
    for name, answers in (("exports", result.exports), ("tries of a third", result.tries)):
        for status in sorted({answer.status for answer in answers}):
            seconds = [answer.seconds for answer in answers if answer.status == status]
            print(
                f"{name}: {len(seconds)} answered {status}, the longest after {max(seconds):.1f} s"
            )
    print(f"load average of the machine: {os.getloadavg()[0]:.1f}")
    print(f"faults: {len(result.faults)} {result.faults[:3]}")
    sys.exit(bool(result.slow() or result.faults))


if __name__ == "__main__":
    main()
