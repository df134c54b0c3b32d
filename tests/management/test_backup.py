"""`backup` and `restore`: one file, consistent under load, checked before anything is replaced."""

import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.drills.lost_updates import ROOT, database

pytestmark = pytest.mark.database

Environment = dict[str, str]
URL = os.environ.get("DATABASE_URL", "")


def run(environment: Environment, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person at the machine does."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def manage(environment: Environment, *words: str) -> str:
    done = run(environment, "manage.py", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(environment: Environment, *words: str) -> str:
    done = run(environment, "manage.py", *words)
    assert done.returncode == 1
    return done.stderr


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Environment]]:
    """Return a maker of machines: an empty database and an empty folder each."""
    with ExitStack() as stack:

        def make() -> Environment:
            kept = {
                name: value
                for name, value in os.environ.items()
                if name not in ("DEBUG", "PRODUCTION")
            }
            url, folder = stack.enter_context(database(URL)), tmp_path_factory.mktemp("data")
            return {
                **kept,
                "DATABASE_URL": url,
                "DATA_DIR": str(folder),
                "PYTHONWARNINGS": "ignore",
            }

        yield make


@pytest.fixture(scope="module")
def office(machine: Callable[[], Environment]) -> Environment:
    """Set up a machine in use: units, an account, a piece of evidence."""
    environment = {**machine(), "DJANGO_SUPERUSER_PASSWORD": "a long password"}
    manage(environment, "migrate", "-v0")
    manage(environment, "loaddata", "organizations", "-v0")
    manage(environment, "createsuperuser", "--noinput", "--username=root", "--email=")
    evidence = Path(environment["DATA_DIR"]) / "evidence"
    evidence.mkdir()
    (evidence / "abc").write_bytes(b"proof")
    return environment


@pytest.fixture(scope="module")
def backup(office: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backup") / "one.tar"
    manage(office, "backup", str(path))
    return path


def rows(environment: Environment) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of the product."""
    url = environment["DATABASE_URL"]
    if url.startswith("postgres"):
        with psycopg.connect(url) as connection:
            return tables(
                connection, "SELECT tablename FROM pg_tables WHERE tablename LIKE 'tracker%'"
            )
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return tables(
            connection,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'tracker%'",
        )


def tables(connection: Any, names: str) -> dict[str, list[tuple[Any, ...]]]:
    found = [name for (name,) in connection.execute(names).fetchall()]
    return {
        name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
        for name in found
    }


def test_a_backup_is_one_file_that_its_owner_alone_reads(backup: Path) -> None:
    assert [file.name for file in backup.parent.iterdir()] == ["one.tar"]
    assert backup.stat().st_mode & 0o077 == 0


def test_a_restored_system_is_the_one_that_was_backed_up(
    office: Environment, backup: Path, machine: Callable[[], Environment]
) -> None:
    other = machine()
    manage(other, "restore", str(backup))
    assert rows(other) == rows(office)
    assert rows(office)["tracker_organization"]
    folders = [Path(environment["DATA_DIR"]) for environment in (office, other)]
    assert [(folder / "evidence" / "abc").read_bytes() for folder in folders] == [
        b"proof",
        b"proof",
    ]
    assert (
        folders[0].joinpath("secret_key").read_text()
        == folders[1].joinpath("secret_key").read_text()
    )
    manage(other, "check", "--database", "default", "--fail-level", "WARNING")


@pytest.fixture(scope="module")
def in_use(machine: Callable[[], Environment]) -> Environment:
    environment = {**machine(), "DJANGO_SUPERUSER_PASSWORD": "a long password"}
    manage(environment, "migrate", "-v0")
    manage(environment, "createsuperuser", "--noinput", "--username=other", "--email=")
    (Path(environment["DATA_DIR"]) / "evidence").mkdir()
    (Path(environment["DATA_DIR"]) / "evidence" / "own").write_bytes(b"own")
    return environment


def state(environment: Environment) -> Any:
    files = (Path(environment["DATA_DIR"]) / "evidence").iterdir()
    return rows(environment), sorted(file.name for file in files)


@pytest.fixture(scope="module")
def before(in_use: Environment) -> Any:
    return state(in_use)


def repack(backup: Path, to: Path, **changes: Any) -> Path:
    """Write a backup anew with some members changed; a dictionary changes the manifest."""
    with tarfile.open(backup) as old, tarfile.open(to, "w") as new:
        for member in old:
            content = old.extractfile(member).read()  # type: ignore[union-attr]
            change = changes.get(member.name.partition(".")[0].replace("/", "_"))
            if isinstance(change, dict):
                content = json.dumps(json.loads(content) | change).encode()
            elif change is not None:
                content = change
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return to


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "--force"),
        ({"database": b"not a database"}, "database"),
        ({"evidence_abc": b"forged"}, "evidence/abc"),
        ({"manifest": {"database": "oracle"}}, "oracle"),
        ({"manifest": {"migrations": ["tracker.9999_future"], "version": "9.9"}}, "9.9"),
    ],
    ids=["in use", "damaged", "forged", "another database", "newer"],
)
def test_what_does_not_fit_is_refused_and_nothing_is_touched(
    in_use: Environment,
    before: Any,
    backup: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    words: str,
) -> None:
    path = repack(backup, tmp_path / "x.tar", **changes)
    said = refused(in_use, "restore", str(path), *(["--force"] if changes else []))
    assert words in said
    assert "Traceback" not in said
    assert state(in_use) == before


def test_a_database_that_is_damaged_inside_is_refused(
    in_use: Environment, before: Any, backup: Path, tmp_path: Path
) -> None:
    with tarfile.open(backup) as archive:
        content = archive.extractfile("database").read()  # type: ignore[union-attr]
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
    broken = content[:4096] + bytes(len(content) - 4096)
    sums = manifest["sums"] | {"database": hashlib.sha256(broken).hexdigest()}
    path = repack(backup, tmp_path / "x.tar", database=broken, manifest={"sums": sums})
    refused(in_use, "restore", str(path), "--force")
    assert state(in_use) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 2000])
def test_a_file_of_another_kind_is_refused_in_words(
    in_use: Environment, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    said = refused(in_use, "restore", str(path), "--force")
    assert str(path) in said
    assert "Traceback" not in said


def test_a_file_that_leads_out_of_the_folder_is_refused(
    in_use: Environment, backup: Path, tmp_path: Path
) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("../outside"), io.BytesIO(b""))
    assert "Traceback" not in refused(in_use, "restore", str(path), "--force")


def test_with_force_a_system_in_use_is_replaced_whole(
    office: Environment, backup: Path, machine: Callable[[], Environment]
) -> None:
    other = machine()
    manage(other, "migrate", "-v0")
    (Path(other["DATA_DIR"]) / "evidence").mkdir()
    (Path(other["DATA_DIR"]) / "evidence" / "own").write_bytes(b"own")
    manage(other, "restore", str(backup), "--force")
    assert state(other) == state(office)


FORGET = """
from django.db import connection
connection.cursor().execute("DELETE FROM django_migrations WHERE app = 'tracker' AND name >= '0013'")
"""


def test_a_restore_whose_migration_fails_is_named_until_another_one_replaces_it(
    office: Environment, backup: Path, machine: Callable[[], Environment], tmp_path: Path
) -> None:
    old, other, broken = machine(), machine(), tmp_path / "broken.tar"
    manage(old, "migrate", "-v0")
    # The table of 0013 is there already: to make it once more fails.
    manage(old, "shell", "-c", FORGET)
    manage(old, "backup", str(broken))
    assert "restore --force" in refused(other, "restore", str(broken))
    folder = Path(other["DATA_DIR"]) / "working" / "restore-ready"
    assert folder.exists()
    assert "restore --force" in refused(other, "prepare")
    manage(other, "restore", str(backup), "--force")
    assert (rows(other), folder.exists()) == (rows(office), False)


def test_a_backup_overwrites_nothing(office: Environment, backup: Path) -> None:
    before = backup.read_bytes()
    assert str(backup) in refused(office, "backup", str(backup))
    assert backup.read_bytes() == before


def test_a_folder_gets_a_file_named_by_the_moment(office: Environment, tmp_path: Path) -> None:
    manage(office, "backup", str(tmp_path))
    assert [file.name[:10] for file in tmp_path.iterdir()] == ["tracker-20"]


@pytest.mark.drill
def test_a_backup_under_load_holds_no_half_of_a_change(
    machine: Callable[[], Environment], tmp_path: Path
) -> None:
    busy = machine()
    drill = [sys.executable, "-m", "tests.drills.lost_updates"]
    assert run(busy, *drill[1:], "--role", "set_up").returncode == 0
    writer = subprocess.Popen([*drill, "--role", "write", "--edits", "100000"], cwd=ROOT, env=busy)
    try:
        while run(busy, *drill[1:], "--role", "count").stdout.strip() in ("", "0"):
            assert writer.poll() is None
        manage(busy, "backup", str(tmp_path / "load.tar"))
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()
    other = machine()
    manage(other, "restore", str(tmp_path / "load.tar"))
    counted = run(
        other, *drill[1:], "--role", "count"
    )  # fails unless every version has its history row
    assert counted.returncode == 0, counted.stderr
    assert int(counted.stdout) > 0


@pytest.mark.postgresql
def test_without_the_client_of_postgresql_it_says_what_to_install(
    office: Environment, tmp_path: Path
) -> None:
    assert "postgresql-client" in refused(
        {**office, "PATH": str(tmp_path)}, "backup", str(tmp_path / "x.tar")
    )
    assert list(tmp_path.iterdir()) == []
