"""What a backup's database must hold to be one of this program, whoever forces it."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import override

from tracker.management.archive_content import check_schema, check_script, check_sqlite

Columns = dict[str, set[str]]


@cache
def ours(until: str = "") -> tuple[list[tuple[str, str]], Columns]:
    """Return migrations and columns of this program, as of one of its migrations or of today."""
    loader = MigrationLoader(None, replace_migrations=False)
    steps = [node for node, migration in loader.disk_migrations.items() if not migration.replaces]
    nodes = [node for node in steps if node[0] != "tracker" or not until or node[1] <= until]
    models = loader.project_state(nodes).apps.get_models(include_auto_created=True)
    columns = {
        each._meta.db_table: {field.column for field in each._meta.local_concrete_fields}
        for each in models
    }
    return nodes, columns


def refusal(applied: list[tuple[str, str]], columns: Columns) -> str:
    with override("en"), pytest.raises(CommandError) as refused:
        check_schema(applied, columns)
    return str(refused.value)


@pytest.mark.parametrize("until", ["0001_initial", "0004_accounts", ""])
def test_a_database_of_ours_is_taken_old_or_new(until: str) -> None:
    applied, columns = ours(until)
    assert check_schema(applied, columns) is None


def test_a_database_that_was_made_by_a_replacing_migration_is_taken() -> None:
    replacing = [
        node
        for node, migration in MigrationLoader(None).disk_migrations.items()
        if migration.replaces
    ]
    applied, columns = ours()
    assert replacing
    assert check_schema([*applied, *replacing], columns) is None


def test_a_database_of_another_program_is_refused() -> None:
    assert "does not belong to this program" in refusal(
        [("shop", "0001_initial")], {"shop_order": {"id"}}
    )


def test_an_empty_database_is_refused() -> None:
    assert "does not belong to this program" in refusal([], {})


def test_a_database_that_lacks_a_table_is_refused() -> None:
    applied, columns = ours()
    rest = {name: found for name, found in columns.items() if name != "tracker_task"}
    assert "tracker_task" in refusal(applied, rest)


def test_a_database_that_lacks_a_column_is_refused() -> None:
    applied, columns = ours()
    assert "tracker_user" in refusal(applied, columns | {"tracker_user": {"id"}})


def test_a_database_that_says_of_migrations_it_does_not_have_is_refused() -> None:
    assert "lacks" in refusal(ours()[0], ours("0001_initial")[1])


def test_a_database_of_a_newer_version_is_refused() -> None:
    applied, columns = ours()
    assert "9999_future" in refusal([*applied, ("tracker", "9999_future")], columns)


def test_an_sqlite_file_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x")) as database:
        database.execute("CREATE TABLE shop (id)")
    with override("en"), pytest.raises(CommandError, match="does not belong to this program"):
        check_sqlite(tmp_path / "x")


@pytest.mark.parametrize("content", [b"not a database" * 99, b"SQLite format 3\x00" + bytes(5000)])
def test_a_file_that_is_no_database_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with override("en"), pytest.raises(CommandError, match="damaged"):
        check_sqlite(tmp_path / "x")


def test_a_script_of_postgresql_is_read_for_tables_and_migrations(tmp_path: Path) -> None:
    applied, columns = ours()
    tables = [
        f"CREATE TABLE public.{name} (\n"
        + ",\n".join(f'    "{column}" text' for column in found)
        + "\n);\n"
        for name, found in columns.items()
    ]
    rows = "".join(
        f"{number}\t{app}\t{name}\t2026-06-15\n" for number, (app, name) in enumerate(applied)
    )
    copied = f"COPY public.django_migrations (id, app, name, applied) FROM stdin;\n{rows}\\.\n"
    (tmp_path / "x.sql").write_text("".join(tables) + copied)
    assert check_script(tmp_path / "x.sql") is None


def test_a_script_of_another_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("CREATE TABLE public.shop (\n    id integer\n);\n")
    with override("en"), pytest.raises(CommandError, match="does not belong to this program"):
        check_script(tmp_path / "x.sql")
