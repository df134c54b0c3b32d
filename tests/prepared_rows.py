"""Rows that take seconds to make.

Made once in a process by the commands themselves, copied for every further test.
"""

import io
from collections.abc import Callable

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction

from tracker.domain.dates import today
from tracker.models.stored_rules import StoredRules

SAMPLE = ("organizations", "central-china-rise")
_kept: dict[tuple[str, str], dict[str, list[tuple]]] = {}


def store_sample() -> None:
    """Store the units and the sample policy."""
    store_rows_of("sample", lambda: call_command("loaddata", *SAMPLE, verbosity=0))


def store_demonstration() -> None:
    """Store the units, the sample policy and the demonstration of today."""

    def make() -> None:
        store_sample()
        call_command("load_demo", stdout=io.StringIO())

    store_rows_of("demonstration", make)


def store_rows_of(name: str, make: Callable[[], None]) -> None:
    """Make rows in tables that are empty, or copy those that were made before on the same day."""
    key = name, today().isoformat()
    with transaction.atomic():
        if key in _kept:
            _copy(_kept[key])
        else:
            if _rows():
                raise RuntimeError("what is there already would be copied too")
            make()
            _kept[key] = _rows()


def _models() -> list[type[models.Model]]:
    """Return the models that have tables of their own.

    The stored rules are there in an empty database too.
    """
    found = apps.get_app_config("tracker").get_models(include_auto_created=True)
    return [model for model in found if model is not StoredRules]


def _rows() -> dict[str, list[tuple]]:
    found = {}
    with connection.cursor() as cursor:
        for table in (model._meta.db_table for model in _models()):
            cursor.execute(f"SELECT * FROM {table}")
            if rows := cursor.fetchall():
                found[table] = rows
    return found


def _copy(kept: dict[str, list[tuple]]) -> None:
    with connection.cursor() as cursor:
        for table, rows in kept.items():
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)
