"""Check that the database of a backup is one of this program: migrations, tables, columns."""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from django.apps.registry import Apps
from django.core.management.base import CommandError
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

FIRST_MIGRATION = ("tracker", "0001_initial")
_TABLE = re.compile(r"CREATE TABLE public\.(\w+) \(")
_COLUMN = re.compile(r'    "?(\w+)"? ')
_APPLIED = re.compile(r"COPY public\.django_migrations \((.*)\) FROM stdin;")


def check_sqlite(path: Path) -> None:
    """Raise CommandError unless an SQLite file is whole and contains our tables."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok":
                raise CommandError(
                    _("The database of the backup is damaged: %(fault)s") % {"fault": found}
                )
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
            columns = {}
            for (name,) in database.execute(tables).fetchall():
                rows = database.execute("SELECT * FROM pragma_table_info(?)", [name])
                columns[name] = {row[1] for row in rows}
            applied = []
            if "django_migrations" in columns:
                applied = database.execute("SELECT app, name FROM django_migrations").fetchall()
    except sqlite3.DatabaseError as error:
        raise CommandError(
            _("The database of the backup is damaged: %(fault)s") % {"fault": error}
        ) from error
    check_schema(applied, columns)


def check_script(path: Path) -> None:
    """Raise CommandError unless a script of pg_restore makes our tables."""
    columns: dict[str, set[str]] = {}
    applied: list[tuple[str, str]] = []
    names: list[str] = []
    table = ""
    with path.open(encoding="utf-8", errors="replace") as script:
        for line in script:
            if found := _TABLE.match(line):
                table = found[1]
                columns[table] = set()
            elif line.startswith(")"):
                table = ""
            elif table and (found := _COLUMN.match(line)):
                columns[table].add(found[1])
            elif found := _APPLIED.match(line):
                names = found[1].split(", ")
            elif names and line.startswith("\\."):
                names = []
            elif names:
                row = dict(zip(names, line.rstrip("\n").split("\t"), strict=False))
                applied.append((row.get("app", ""), row.get("name", "")))
    check_schema(applied, columns)


def check_schema(applied: Iterable[tuple[str, str]], columns: Mapping[str, set[str]]) -> None:
    """Raise CommandError unless all tables and columns of the applied migrations are there.

    `applied` names migrations by app and name, `columns` has the columns of each table.
    """
    # By the steps of the releases: a migration that replaces them records them as applied too.
    loader = MigrationLoader(None, replace_migrations=False)
    done = set(applied)
    if FIRST_MIGRATION not in done:
        raise CommandError(_("The database of the backup does not belong to this program."))
    _check_not_newer(loader, done)
    nodes = []
    for node in done & set(loader.graph.nodes):
        if not loader.disk_migrations[node].replaces:
            nodes.append(node)
    missing = _missing_tables(loader.project_state(nodes).apps, columns)
    if missing:
        raise CommandError(
            _("The database of the backup lacks tables or columns of this program: %(names)s")
            % {"names": ", ".join(sorted(missing)[:10])}
        )


def _check_not_newer(loader: MigrationLoader, done: set[tuple[str, str]]) -> None:
    """Raise CommandError where a migration of one of our apps is applied that is not on disk."""
    apps = {app for app, _name in loader.disk_migrations}
    newer = sorted(name for app, name in done - set(loader.disk_migrations) if app in apps)
    if newer:
        raise CommandError(
            _(
                "The database of the backup is of a newer version (%(names)s): update the "
                "program first."
            )
            % {"names": ", ".join(newer[:5])}
        )


def _missing_tables(apps: Apps, columns: Mapping[str, set[str]]) -> list[str]:
    """Return the tables of some models that are missing or lack a column."""
    missing = []
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        wanted = {field.column for field in model._meta.local_concrete_fields}
        if model._meta.managed and not wanted <= columns.get(table, set()):
            missing.append(table)
    return missing
