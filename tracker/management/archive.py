"""A whole system in one file: the database as it stood at one moment, the evidence, this machine's key.

A tar file: `manifest.json` with the sum of every other member, `database`, `evidence/…`, `secret_key`
where the machine has made one. SQLite is copied by VACUUM INTO, PostgreSQL by pg_dump: both see one
moment, whatever is written meanwhile. The database goes first, because evidence is never
overwritten: each file that a copied row names is still there when the files are packed.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from tracker import dates
from tracker.models import guard

MANIFEST, DATABASE, EVIDENCE, KEY = "manifest.json", "database", "evidence", "secret_key"
CHUNK = 1 << 20


def back_up(path: Path) -> None:
    """Write the system to one file, all of it or nothing; raise CommandError in words."""
    evidence, key = settings.DATA_DIR / EVIDENCE, settings.DATA_DIR / KEY
    half = path.with_name(f"{path.name}.half")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        copy = Path(folder) / DATABASE
        _copy_database(copy)
        members = {DATABASE: copy}
        if not settings.PRODUCTION and key.exists():
            members[KEY] = key
        members |= {f"{EVIDENCE}/{file.relative_to(evidence)}": file for file in _files(evidence)}
        manifest = {
            "database": connection.vendor,
            "version": settings.VERSION,
            "made": dates.now().isoformat(timespec="seconds"),
            "migrations": _migrations_on_disk(),
            "sums": {name: _sum(file.open("rb")) for name, file in members.items()},
        }
        text = json.dumps(manifest, indent=1).encode()
        try:
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                with tarfile.open(fileobj=out, mode="w") as archive:
                    head = tarfile.TarInfo(MANIFEST)
                    head.size = len(text)
                    archive.addfile(head, io.BytesIO(text))
                    for name, file in members.items():
                        archive.add(file, name)
                out.flush()
                os.fsync(out.fileno())
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)


def bring_back(path: Path, force: bool) -> dict[str, Any]:
    """Put the system of a file in place of this one and return the file's manifest.

    What is in use is left alone without `force`; nothing is touched before the whole file is checked.
    """
    evidence = settings.DATA_DIR / EVIDENCE
    if not force and (_in_use() or any(_files(evidence))):
        raise CommandError(_("This system is not empty. Nothing was restored; --force puts the backup in its place."))
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as name:
        folder = Path(name)
        manifest = _unpack(path, folder)
        _check_database(folder / DATABASE)
        _replace_database(folder / DATABASE)
        (folder / EVIDENCE).mkdir(exist_ok=True)
        if evidence.exists():
            evidence.rename(folder / "old")
        (folder / EVIDENCE).rename(evidence)
        if (folder / KEY).exists():
            (folder / KEY).chmod(0o600)
            (folder / KEY).replace(settings.DATA_DIR / KEY)
    return manifest


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _sum(file: Any) -> str:
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _migrations_on_disk() -> list[str]:
    return sorted(".".join(key) for key in MigrationLoader(None).disk_migrations)


def _in_use() -> bool:
    tables = connection.introspection.table_names()
    return get_user_model()._meta.db_table in tables and get_user_model()._default_manager.exists()


def _copy_database(to: Path) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(to)])
        return
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")


def _check_database(copy: Path) -> None:
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise CommandError(_("The database of the backup is damaged: %(fault)s") % {"fault": found})
        return
    _call("pg_restore", "--list", str(copy))


def _replace_database(copy: Path) -> None:
    if connection.vendor == "sqlite":
        connection.close()
        with (
            closing(sqlite3.connect(copy)) as source,
            closing(sqlite3.connect(settings.DATABASES["default"]["NAME"])) as target,
        ):
            source.backup(target)
        return
    script, clear = copy.with_suffix(".sql"), copy.with_suffix(".clear.sql")
    _call("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(copy))
    # Every table, those of a newer version too, which the backup does not know.
    tables = [connection.ops.quote_name(table) for table in connection.introspection.table_names()]
    drops = [*(f"DROP TABLE {table} CASCADE;" for table in tables), f"DROP FUNCTION IF EXISTS {guard.FUNCTION_NAME};"]
    clear.write_text("\n".join(drops), encoding="utf-8")
    connection.close()
    # One transaction: a restore that fails leaves the database as it was.
    stop = ("--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")
    _run("psql", *stop, f"--file={clear}", f"--file={script}")


def _run(tool: str, *options: str) -> None:
    """Run a tool of PostgreSQL on our database."""
    words, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    _call(tool, *options, *words[1:], environment=environment)


def _call(tool: str, *words: str, environment: dict[str, str] | None = None) -> None:
    program = shutil.which(tool)
    if not program:
        raise CommandError(
            _("%(tool)s is not on this machine: install the client of PostgreSQL (Debian: postgresql-client).")
            % {"tool": tool}
        )
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [program, *words], env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandError(f"{tool}: {done.stderr.strip()}")


def _unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup into a folder, every member checked; raise CommandError on anything that does not fit."""
    try:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
        manifest = json.loads((folder / MANIFEST).read_bytes())
        sums = manifest["sums"]
        found = {str(file.relative_to(folder)) for file in _files(folder)} - {MANIFEST}
        wrong = sorted(found ^ set(sums)) or [name for name in sums if _sum((folder / name).open("rb")) != sums[name]]
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            _("%(path)s is no backup of this program: %(error)s") % {"path": path, "error": error}
        ) from error
    if wrong or DATABASE not in sums:
        raise CommandError(_("The backup is damaged: %(names)s") % {"names": ", ".join(wrong) or DATABASE})
    if manifest["database"] != connection.vendor:
        raise CommandError(
            _("The backup is of %(theirs)s, this system runs on %(ours)s: restore it there.")
            % {"theirs": manifest["database"], "ours": connection.vendor}
        )
    newer = sorted(set(manifest["migrations"]) - set(_migrations_on_disk()))
    if newer:
        raise CommandError(
            _("The backup is of a newer version (%(version)s): update the program first.")
            % {"version": manifest["version"]}
        )
    return manifest
