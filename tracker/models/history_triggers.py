"""History that nobody alters: the database itself refuses it, whoever asks and by whatever path.

The triggers are made after every migration for every history there is: a model added later is
covered, and so is a table that a migration on SQLite has remade, which drops its triggers.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from tracker.models.base import History

FUNCTION_NAME = "tracker_history_kept()"
REFUSAL_TEXT = "History is kept as it was written."
REFUSE_STATEMENTS = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL_TEXT}'); END"
# Database -> the end of a trigger's name -> what the trigger does.
TRIGGERS = {
    "sqlite": {
        "kept_unchanged": f"BEFORE UPDATE ON {{table}} {REFUSE_STATEMENTS}",
        "kept": f"BEFORE DELETE ON {{table}} {REFUSE_STATEMENTS}",
    },
    "postgresql": {
        "kept": f"BEFORE UPDATE OR DELETE ON {{table}} FOR EACH ROW EXECUTE FUNCTION "
        f"{FUNCTION_NAME}",
        "kept_whole": f"BEFORE TRUNCATE ON {{table}} FOR EACH STATEMENT EXECUTE FUNCTION "
        f"{FUNCTION_NAME}",
    },
}
REFUSE_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {FUNCTION_NAME} RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{REFUSAL_TEXT}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
FIND_TRIGGERS = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled <> 'D'",
}


def history_tables() -> set[str]:
    """Name the table of every history, those of many-to-many fields included."""
    tables = set()
    for record in History.records.values():
        tables.add(record.row_model._meta.db_table)
    for model in History.m2m_models.values():
        tables.add(model._meta.db_table)
    return tables


def missing_triggers(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str, str]]:
    """Yield table, name and statement of every trigger that is missing on a history table."""
    with connection.cursor() as cursor:
        tables = history_tables() & set(connection.introspection.table_names(cursor))
        cursor.execute(FIND_TRIGGERS[connection.vendor])
        found = set(cursor.fetchall())
    for table in sorted(tables):
        for end, deed in TRIGGERS[connection.vendor].items():
            if (table, f"{table}_{end}") not in found:
                yield table, f"{table}_{end}", deed


@receiver(post_migrate)
def make_triggers(app_config: Any, using: str, **kwargs: Any) -> None:
    """Make what is missing, once after a migration of this app."""
    connection = connections[using]
    if app_config.label != History.__module__.partition(".")[0]:
        return
    lacking = list(missing_triggers(connection))
    with connection.cursor() as cursor:
        if lacking and connection.vendor == "postgresql":
            cursor.execute(REFUSE_FUNCTION)
        for table, name, deed in lacking:
            quoted = connection.ops.quote_name(table)
            cursor.execute(
                f"CREATE TRIGGER {connection.ops.quote_name(name)} {deed.format(table=quoted)}"
            )


@checks.register(checks.Tags.database)
def check_triggers(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Find histories that could be altered: `manage.py check --database default`."""
    lacking = []
    for alias in databases or []:
        for _table, name, _deed in missing_triggers(connections[alias]):
            lacking.append(name)
    text = f"History can be altered: triggers are missing ({', '.join(lacking)})."
    if lacking:
        return [checks.Warning(text, hint="migrate makes them.", id="tracker.W1")]
    return []
