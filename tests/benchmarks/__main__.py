"""Print the figures of the README: `make bench`. Ratios of one run; nothing here judges.

`python -m tests.benchmarks --size 1000000` prints list and overview at one size instead; with it or
`--pages`, a `DATABASE_URL` of PostgreSQL is measured, in databases of its own.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

RUNS = 5


def timed(work: Callable[[], object]) -> float:
    """Return the median seconds of some runs, after one that does not count."""
    work()
    seconds = []
    for _run in range(RUNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def query_counts() -> None:
    """Print how often each address asks the database at 3 and at 3,000 tasks."""
    from django.test import Client

    from tests.factories import make_many, make_policy
    from tests.test_query_counts import LIMITS, count
    from tracker.models import User

    policy, client = make_policy("bench"), Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_user("bench", is_supervisor=True))
    few, many = {}, {}
    for counts, size in ((few, 3), (many, 3000)):
        make_many(policy, size)
        counts.update({name: count(client, policy, name) for name in LIMITS})
    for name, limit in LIMITS.items():
        print(f"{name:32} queries at 3 tasks {few[name]:3}, at 3,000 {many[name]:3}, allowed {limit}")


def pages(folder: Path, size: int | None) -> None:
    """Print the figures of list and overview."""
    from tests.benchmarks import pages
    from tests.benchmarks.scale import Ledgers

    ledgers, sizes = Ledgers(folder), (size,) if size else pages.SIZES
    ledgers.lay(*sizes)
    if size:
        pages.at(ledgers, size)
    else:
        pages.lists(ledgers)
    pages.overview(ledgers, sizes[-1])
    ledgers.drop(*sizes)


def main() -> None:
    """Lay a scratch database and run everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--size", type=int, help="print list and overview at so many tasks, and nothing else")
    parser.add_argument("--ledgers", action="store_true", help="print the figures of workbooks, and nothing else")
    parser.add_argument("--texts", action="store_true", help="print proposal and text page, and nothing else")
    parser.add_argument("--pages", action="store_true", help="print list and overview, and nothing else")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not (options.size or options.pages):
            os.environ.pop("DATABASE_URL", None)
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from tests.benchmarks import ledgers, texts

        if not (options.size or options.pages):
            call_command("migrate", verbosity=0)
            if not options.texts:
                ledgers.run()
            if not options.ledgers:
                texts.run()
        if options.ledgers or options.texts:
            return
        if not (options.size or options.pages):
            query_counts()
        pages(Path(folder), options.size)


if __name__ == "__main__":
    main()
