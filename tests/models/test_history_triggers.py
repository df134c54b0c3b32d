"""History cannot be altered: the database refuses it, on SQLite and PostgreSQL, for every model."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from simple_history.models import HistoricalChanges

from tests.factories import make_task
from tracker import workflow
from tracker.models import Organization, PolicyDocument, Task, User, history_triggers
from tracker.models.base import History, HistoryRow
from tracker.workflow import ChangeContext

pytestmark = pytest.mark.django_db
TABLES = sorted(history_triggers.history_tables())


def test_every_history_table_is_known() -> None:
    # By what the tables are, not by the list that the guard keeps.
    rows = {
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, (HistoryRow, HistoricalChanges))
    }
    links = {
        model._meta.db_table
        for model in apps.get_models()
        if model.__name__.startswith("HistoricalTask_")
    }
    assert rows | links == set(TABLES)
    assert links


def test_after_the_last_migration_no_trigger_is_missing() -> None:
    assert list(history_triggers.missing_triggers(connection)) == []


@pytest.fixture
def row(
    policy: PolicyDocument,
    bureau: Organization,
    county: Organization,
    act: ChangeContext,
    supervisor: User,
) -> Task:
    task = make_task(policy, lead_unit=bureau)
    workflow.save_task(
        task, act, task.version, co_units=[county], today=task.history.first().history_date.date()
    )
    return task


def history(name: str) -> type[Model]:
    return {"row": Task.history.model, "link": next(iter(History.m2m_models.values()))}[name]


@pytest.mark.parametrize("name", ["row", "link"])
@pytest.mark.parametrize("deed", ["update", "raw update", "delete", "raw delete"])
def test_history_is_neither_altered_nor_deleted(row: Task, name: str, deed: str) -> None:
    model = history(name)
    before = list(model._default_manager.order_by("pk").values())
    table, column = model._meta.db_table, model._meta.pk.column
    with pytest.raises(IntegrityError, match="kept as it was written"), transaction.atomic():
        if deed == "update":
            model._default_manager.update(
                **{"title": "x"} if name == "row" else {"organization": 9}
            )
        elif deed == "delete":
            model._default_manager.all()._raw_delete("default")
        else:
            with connection.cursor() as cursor:
                change = f"UPDATE {table} SET {column} = {column}"
                cursor.execute(change if "update" in deed else f"DELETE FROM {table}")
    assert list(model._default_manager.order_by("pk").values()) == before != []


def test_no_row_of_the_history_is_deleted_by_itself(row: Task) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row.history.first().delete()


@pytest.mark.postgresql  # SQLite has no TRUNCATE
@pytest.mark.parametrize("table", TABLES)
def test_no_history_is_emptied_at_once(table: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", TABLES)
def test_each_table_refuses_by_a_trigger_of_its_own(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(history_triggers.FIND_TRIGGERS[connection.vendor])
        found = {name for of, name in cursor.fetchall() if of == table}
    assert {f"{table}_{end}" for end in history_triggers.TRIGGERS[connection.vendor]} <= found


def test_the_product_still_changes_and_deletes_what_it_records(
    row: Task, act: ChangeContext
) -> None:
    key = row.pk
    workflow.delete_object(row, act)
    assert Task.history.filter(id=key).first().history_type == "-"


def test_an_account_that_the_history_names_is_not_deleted(row: Task, supervisor: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        supervisor.delete()


@pytest.fixture
def unguarded() -> str:
    """Lose the triggers of one table, as a migration on SQLite does that remakes it."""
    table = Task.history.model._meta.db_table
    with connection.cursor() as cursor:
        for end in history_triggers.TRIGGERS[connection.vendor]:
            of = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {table}_{end}{of}")
    return table


def test_a_lost_trigger_is_found_by_the_check(unguarded: str) -> None:
    found = [
        message.msg for message in run_checks(databases=["default"]) if message.id == "tracker.W1"
    ]
    assert len(found) == 1
    assert found[0].count(f"{unguarded}_kept") == 2


def test_the_check_fails_where_warnings_count(unguarded: str) -> None:
    with pytest.raises(CommandError):
        call_command(
            "check",
            databases=["default"],
            fail_level="WARNING",
            stderr=StringIO(),
            stdout=StringIO(),
        )


def test_a_migration_makes_lost_triggers_again(unguarded: str) -> None:
    call_command("migrate", verbosity=0)
    assert list(history_triggers.missing_triggers(connection)) == []


def test_where_nothing_is_missing_nothing_is_found() -> None:
    assert [
        message for message in run_checks(databases=["default"]) if message.id == "tracker.W1"
    ] == []
