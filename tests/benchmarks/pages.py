"""The list page and the overview at several sizes, against themselves and against their peers."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from tests.benchmarks.scale import SLUG, Ledgers, race
from tests.benchmarks.table import tell

SIZES = (1_000, 10_000, 100_000)
LIST = f"/policies/{SLUG}/tasks/"
OVERVIEW = f"/policies/{SLUG}/"
ORDERS = (
    *("code", "-measure", "title", "-title", "lead_unit", "kind", "deadline", "-deadline"),
    *("percent", "status", "light", "-light"),
)
FILTERS = (
    *(
        "light=red",
        "group=warning",
        "unit=3",
        "lead=3",
        "kind=quantified",
        "status=closed",
        "section=1",
    ),
    *("overdue=1", "unreported=1", "turning=1", "deadline_to=2026-05-01", "page=99"),
    # Words that one task in 25 has, that every task has, that none has, and that name a unit.
    *("text=12", "text=任务", "text=无此", "text=科技局"),
)


def lists(ledgers: Ledgers) -> None:
    """Print how flat the list page is, and how it stands beside its peers."""
    small, large = SIZES[0], SIZES[-1]
    flat = race(ledgers, {f"{size:,}": (size, ledgers.get(size, LIST)) for size in SIZES})
    for size in SIZES[1:]:
        name = f"{size:,}"
        tell(
            f"list of 25 rows, default order: {name} tasks / {small:,}",
            flat[name],
            flat[f"{small:,}"],
            "1.3",
            "ms",
        )
    for kind, queries in (("order", [f"sort={order}" for order in ORDERS]), ("filter", FILTERS)):
        for query in queries:
            work = {
                f"{size}": (size, ledgers.get(size, f"{LIST}?{query}")) for size in (small, large)
            }
            times = race(ledgers, work, rounds=5)
            name = f"list, {kind} {query}: {large:,} tasks / {small:,}"
            tell(name, times[f"{large}"], times[f"{small}"], "3", "ms")
    with override_settings(ROOT_URLCONF="tests.benchmarks.peers"):
        for size in (small, large):
            peers = {
                "list": (size, ledgers.get(size, LIST)),
                "bare": (size, ledgers.get(size, f"/bare/{SLUG}/")),
                "admin": (size, ledgers.get(size, "/stock/tracker/task/")),
            }
            times = race(ledgers, peers)
            tell(
                f"list / bare template loop, {size:,} tasks",
                times["list"],
                times["bare"],
                "3",
                "ms",
            )
            tell(
                f"list / stock admin change list, {size:,} tasks",
                times["list"],
                times["admin"],
                "below 1",
                "ms",
            )


def statements(ledgers: Ledgers, size: int, address: str) -> list[str]:
    """Return what a page asks the database."""
    ledgers.use(size)
    ledgers.get(size, address)()
    with CaptureQueriesContext(connection) as queries:
        ledgers.get(size, address)()
    return [query["sql"] for query in queries.captured_queries]


def bare_sql(found: list[str]) -> Callable[[], object]:
    """Return the work of running statements and fetching what they find, without Django's models."""

    def run() -> None:
        with connection.cursor() as cursor:
            for statement in found:
                cursor.execute(statement)
                cursor.fetchall()

    return run


def overview(ledgers: Ledgers, size: int) -> None:
    """Print the overview beside its SQL alone, and the plans of what it asks of the tasks."""
    found = statements(ledgers, size, OVERVIEW)
    times = race(
        ledgers,
        {"page": (size, ledgers.get(size, OVERVIEW)), "sql": (size, bare_sql(found))},
        rounds=7,
    )
    tell(
        f"overview / its SQL alone, {size:,} tasks, {len(found)} queries",
        times["page"],
        times["sql"],
        "below 2",
        "ms",
    )
    for statement in found:
        if '"tracker_task"' in statement:
            with connection.cursor() as cursor:
                if connection.vendor == "sqlite":
                    cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
                else:
                    # Where one policy is all of the table PostgreSQL rather reads the table: ask as
                    # if it were a part.
                    cursor.execute("SET enable_seqscan = off")
                    cursor.execute(f"EXPLAIN (COSTS OFF) {statement}")
                plan = [row[-1] for row in cursor.fetchall()]
            print(f"  {statement[:90]}…")
            for step in plan:
                print(f"      {step}")


def at(ledgers: Ledgers, size: int) -> None:
    """Print what list and overview take at one size."""
    addresses = (
        LIST,
        f"{LIST}?sort=light",
        f"{LIST}?light=red",
        f"{LIST}?text=12",
        OVERVIEW,
        reverse("home"),
    )
    for address in addresses:
        times = race(ledgers, {address: (size, ledgers.get(size, address))}, rounds=3)
        tell(f"{size:,} tasks: {address}", times[address], 0, "", "ms")
