"""A database that an earlier release has filled is upgraded, and keeps what people entered."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.apps import apps
from django.conf import settings

from tests.drills.lost_updates import database
from tests.upgrade.rows import FOLDER, load, tables_of
from tests.upgrade.schema import read_schema

# Thousands of rows, written in a database of its own for each released state.
pytestmark = [pytest.mark.database, pytest.mark.large]

STATES = sorted(FOLDER.glob("*.json.gz"))
# What follows from the rest and is made anew by an upgrade: column by model.
DERIVED = {
    "task": {
        "search",
        "letters",
        "sort_key",
        "turns_yellow_on",
        "turns_red_on",
        "follows_indicator",
    },
}


class Upgraded(NamedTuple):
    """The files of a released state and of what became of it."""

    state: Path
    rows: Path
    schema: Path


@pytest.fixture(scope="module", params=STATES, ids=lambda path: path.name.split(".")[0])
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """Upgrade a released state in a database of its own, of the kind that the tests run on."""
    folder = tmp_path_factory.mktemp("upgraded")
    rows = folder / "rows.json.gz"
    schema = folder / "schema.json"
    with database(os.environ.get("DATABASE_URL", "")) as url:
        run = _Runner(url, folder)
        run("-m", "tests.upgrade.fill", str(request.param))
        run("manage.py", "migrate", "--verbosity", "0")
        run("manage.py", "check", "--database", "default")
        run("-m", "tests.upgrade.rows", str(rows))
        run("-m", "tests.upgrade.schema", str(schema))
        yield Upgraded(request.param, rows, schema)


class _Runner:
    """Run Python on a database of its own."""

    def __init__(self, database: str, folder: Path) -> None:
        data = {"DATABASE_URL": database, "DATA_DIR": str(folder)}
        self.environment = os.environ | data | {"DJANGO_SETTINGS_MODULE": "tracker.settings"}

    def __call__(self, *arguments: str) -> None:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_upgrade_keeps_every_row_and_every_value(upgraded: Upgraded) -> None:
    before, after = load(upgraded.state), load(upgraded.rows)
    differences = []
    for model, rows in before.items():
        key = apps.get_model("tracker", model)._meta.pk.attname
        kept = {row[key]: row for row in after[model]}
        for row in rows:
            found = kept.get(row[key], {})
            differences += [
                f"{model} {row[key]} {name}: {value!r} -> {found.get(name)!r}"
                for name, value in row.items()
                if name not in DERIVED.get(model, ()) and found.get(name) != value
            ]
    assert differences == []


@pytest.mark.django_db
def test_an_upgraded_database_has_the_tables_of_a_new_one(upgraded: Upgraded) -> None:
    """A new database takes one migration that replaces all of the steps of an upgrade."""
    assert json.loads(upgraded.schema.read_text()) == read_schema()


def test_an_upgrade_keeps_the_names_of_reports_and_imports(upgraded: Upgraded) -> None:
    after = load(upgraded.rows)
    units = {row["id"]: row["short_name"] for row in after["organization"]}
    for row in (*after["progressupdate"], *after["importbatch"]):
        if row["unit_id"]:
            assert row["names"]["unit"] == [row["unit_id"], units[row["unit_id"]]]


def test_every_released_state_is_of_a_migration_that_exists() -> None:
    folder = Path(settings.BASE_DIR, "tracker", "migrations")
    assert STATES
    assert all((folder / path.name.replace(".json.gz", ".py")).exists() for path in STATES)


def test_the_newest_state_has_rows_of_every_kind_that_a_program_makes() -> None:
    rows = load(STATES[-1])
    made = {model._meta.model_name for model in tables_of(apps)}
    empty = {model for model in rows if not rows[model] and model in made}
    assert empty <= {"user_groups", "user_user_permissions"}
