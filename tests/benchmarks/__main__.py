"""Print the figures of the README, at the end as its table: `make bench`.

Ratios of one run; nothing here judges.

`python -m tests.benchmarks --size 1000000` prints list and overview at one size instead; with it or
`--pages`, a `DATABASE_URL` of PostgreSQL is measured, in databases of its own.
"""

import argparse
import os
import tempfile
from pathlib import Path


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
        print(
            f"{name:32} queries at 3 tasks {few[name]:3}, at 3,000 {many[name]:3}, allowed {limit}"
        )


def pages(folder: Path, size: int | None) -> None:
    """Print the figures of list and overview."""
    from tests.benchmarks import pages
    from tests.benchmarks.scale import Ledgers

    ledgers, sizes = Ledgers(folder), (size,) if size else pages.SIZES
    ledgers.set_up(*sizes)
    if size:
        pages.at(ledgers, size)
    else:
        pages.lists(ledgers)
    pages.overview(ledgers, sizes[-1])
    ledgers.drop(*sizes)


def main() -> None:
    """Lay a scratch database and run everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--size", type=int, help="print list and overview at so many tasks, and nothing else"
    )
    parser.add_argument(
        "--ledgers", action="store_true", help="print the figures of workbooks, and nothing else"
    )
    parser.add_argument(
        "--texts", action="store_true", help="print proposal and text page, and nothing else"
    )
    parser.add_argument(
        "--pages", action="store_true", help="print list and overview, and nothing else"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not (options.size or options.pages):
            os.environ.pop("DATABASE_URL", None)
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from tests.benchmarks import ledgers, table, texts

        everything = not (options.size or options.pages or options.texts or options.ledgers)
        if not (options.size or options.pages):
            call_command("migrate", verbosity=0)
        # Texts first: a task made beside 100,000 others derives them all anew.
        if everything or options.texts:
            texts.run()
        if everything or options.ledgers:
            ledgers.run()
        if everything:
            query_counts()
        if everything or options.size or options.pages:
            pages(Path(folder), options.size)
        table.show()


if __name__ == "__main__":
    main()
