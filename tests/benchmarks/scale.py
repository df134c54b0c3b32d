"""Ledgers of several sizes, each in a database of its own, and fair races between them."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests.factories import make_many, make_policy
from tracker.models import User

SLUG = "bench"
STEP = 100_000  # tasks made at a time: bounds the memory
ROUNDS = 15


class Ledgers:
    """Databases with a policy of so many tasks; `use` turns the whole product to one of them.

    SQLite files in a folder, or where `DATABASE_URL` names PostgreSQL databases beside that one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first = connection.settings_dict["NAME"]
        self.readers: dict[int, Client] = {}

    def name(self, size: int) -> str:
        """Name the database of a size."""
        return (
            str(self.folder / f"{size}.sqlite3")
            if connection.vendor == "sqlite"
            else f"{self.first}_{size}"
        )

    def drop(self, *sizes: int, again: bool = False) -> None:
        """Drop the databases of some sizes, files apart: their folder goes with the run."""
        if connection.vendor == "sqlite":
            return
        connection.close()
        connection.settings_dict["NAME"] = self.first
        with connection.cursor() as cursor:
            for size in sizes:
                cursor.execute(f'DROP DATABASE IF EXISTS "{self.name(size)}"')
                if again:
                    cursor.execute(f'CREATE DATABASE "{self.name(size)}"')

    def set_up(self, *sizes: int) -> None:
        """Lay a ledger for each size, with all units of the office and an account that opens every
        page.
        """
        for size in sizes:
            start = time.perf_counter()
            self.drop(size, again=True)
            self.use(size)
            call_command("migrate", verbosity=0)
            call_command("loaddata", "organizations", verbosity=0)
            policy = make_policy(SLUG)
            for count in [*range(STEP, size, STEP), size]:
                make_many(policy, count)
            client = self.readers[size] = Client(headers={"host": "localhost"})
            user = User.objects.create_superuser("bench", is_supervisor=True)
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("VACUUM ANALYZE")  # as its own daemon does in the minutes after
            print(f"{size:9,} tasks made in {time.perf_counter() - start:.0f} s")

    def use(self, size: int) -> None:
        """Turn to the ledger of a size."""
        connection.close()
        connection.settings_dict["NAME"] = self.name(size)

    def get(self, size: int, address: str) -> Callable[[], object]:
        """Return the work of asking for an address, middleware, session and all."""

        def ask() -> None:
            answer = self.readers[size].get(address)
            assert answer.status_code == 200, answer

        return ask


Entry = tuple[int, Callable[[], object]]


def race(ledgers: Ledgers, entries: Mapping[str, Entry], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median milliseconds of each work, taken in turns: what disturbs one disturbs all.

    An entry names the size of its ledger and the work; each turn runs it twice and times the
    second. SQLite works within this process: there the time of the process is taken, whatever else
    the machine does.
    """
    clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter
    taken: dict[str, list[float]] = {name: [] for name in entries}
    for _round in range(rounds):
        for name, (size, work) in entries.items():
            ledgers.use(size)
            work()
            start = clock()
            work()
            taken[name].append(1000 * (clock() - start))
    return {name: median(times) for name, times in taken.items()}
