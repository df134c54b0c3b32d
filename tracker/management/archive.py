"""A whole system in one file.

The database as it was at one moment, the evidence, this machine's key.

A tar file: `manifest.json` with the sum of every other member, `database`, `evidence/…`,
`secret_key` where the machine has made one. SQLite is copied by VACUUM INTO, PostgreSQL by pg_dump:
both see one moment, whatever is written meanwhile. The database goes first, because evidence is
never overwritten: each file that a copied row names is still there when the files are packed.

A restore is checked and prepared in a folder that is renamed, in one step, when nothing but moving
is left: from then on it is finished, by the next start if this process is killed.
"""

import contextlib
import fcntl
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from tracker.domain import dates, scratch
from tracker.management import archive_content
from tracker.management.archive_files import DATABASE, EVIDENCE, KEY, MANIFEST, checksum, unpack
from tracker.models import history_triggers

# Folders in WORKING_DIR.
RESTORE_READY = "restore-ready"
RESTORE_DONE = "restore-done"


class RestoreUnfinished(CommandError):
    """The database is that of the backup, but could not be brought up to this version."""


def create_backup(path: Path) -> None:
    """Write the system to one file, all of it or nothing; raise CommandError in words."""
    try:
        with scratch.new_folder() as folder, scratch.replacing(path, 0o600) as half:
            _pack(folder, half)
    except FileNotFoundError as error:
        text = _(
            "An evidence file was deleted while it was being copied: %(file)s. Run the backup "
            "again."
        )
        raise CommandError(text % {"file": error.filename}) from error
    except (OSError, DatabaseError) as error:
        text = _("%(file)s cannot be written: %(error)s") % {"file": path, "error": error}
        raise CommandError(text) from error


def _pack(folder: Path, half: Path) -> None:
    evidence = settings.DATA_DIR / EVIDENCE
    key = settings.DATA_DIR / KEY
    copy = folder / DATABASE
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
        "sums": {name: checksum(file) for name, file in members.items()},
    }
    text = json.dumps(manifest, indent=1).encode()
    with half.open("wb") as out, tarfile.open(fileobj=out, mode="w") as archive:
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(text)
        archive.addfile(head, io.BytesIO(text))
        for name, file in members.items():
            archive.add(file, name)


def restore_backup(path: Path, force: bool) -> dict[str, Any]:
    """Put the system of a file in place of this one and return the file's manifest.

    What is in use is left alone without `force`; nothing is touched before the whole file is
    checked. Sessions are not restored: everybody logs in again.
    """
    if not force and (_in_use() or any(_files(settings.DATA_DIR / EVIDENCE))):
        raise CommandError(
            _(
                "This system is not empty. Nothing was restored; --force replaces it with the "
                "backup."
            )
        )
    with scratch.new_folder() as folder:
        staged = folder / RESTORE_READY
        staged.mkdir()
        manifest = unpack(path, staged)
        _check_manifest(manifest)
        _prepare_database(staged)
        (staged / EVIDENCE).mkdir(exist_ok=True)
        os.sync()
        # With --force a restore that never came to its end gives way.
        _discard()
        staged.rename(_ready())
    try:
        finish_restore()
    except RestoreUnfinished:
        # It stays prepared: the next start tries again, and `check` names it until then.
        raise
    except CommandError:
        # The one transaction of the database did not go through: nothing was touched.
        _discard()
        raise
    return manifest


def finish_restore() -> bool:
    """Move what a restore has prepared to its place, if any; each step may be repeated."""
    if not _ready().exists():
        return False
    with (Path(settings.WORKING_DIR) / "restore-lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = _ready()
        evidence = settings.DATA_DIR / EVIDENCE
        if not ready.exists():
            return False
        _replace_database(ready / DATABASE)
        _migrate()
        if (ready / EVIDENCE).exists():
            if evidence.exists():
                evidence.rename(ready / "replaced")
            (ready / EVIDENCE).rename(evidence)
        if (ready / KEY).exists():
            (ready / KEY).chmod(0o600)
            (ready / KEY).replace(settings.DATA_DIR / KEY)
        _discard()
    return True


def _migrate() -> None:
    """Migrate a backup of an older version, which also recreates the triggers of the history."""
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except Exception as error:
        text = _(
            "The restore is not finished: the database of the backup could not be upgraded to this "
            "version: %(error)s. The next start tries again; restore --force restores another "
            "backup instead."
        )
        raise RestoreUnfinished(text % {"error": error}) from error


def remove_finished() -> None:
    """Remove what a restore has replaced, where its process was killed before it could."""
    shutil.rmtree(Path(settings.WORKING_DIR) / RESTORE_DONE, ignore_errors=True)


def _discard() -> None:
    remove_finished()
    # In one step: half of a folder must never look like a restore that is ready.
    with contextlib.suppress(FileNotFoundError):
        _ready().rename(_ready().with_name(RESTORE_DONE))
    remove_finished()


def _ready() -> Path:
    return Path(settings.WORKING_DIR) / RESTORE_READY


def _check_manifest(manifest: dict[str, Any]) -> None:
    """Refuse the backup of another kind of database and of a newer version."""
    if manifest["database"] != connection.vendor:
        raise CommandError(
            _("The backup is of %(theirs)s, this system runs on %(ours)s: restore it there.")
            % {"theirs": manifest["database"], "ours": connection.vendor}
        )
    if set(manifest["migrations"]) - set(_migrations_on_disk()):
        raise CommandError(
            _("The backup is of a newer version (%(version)s): update the program first.")
            % {"version": manifest["version"]}
        )


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


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


def _prepare_database(folder: Path) -> None:
    """Check that the database of a backup is whole and ours, and empty its sessions."""
    copy = folder / DATABASE
    if connection.vendor == "sqlite":
        archive_content.check_sqlite(copy)
        with closing(sqlite3.connect(copy)) as database:
            database.execute("DELETE FROM django_session")
            database.commit()
        return
    script = folder / "database.sql"
    _call("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(copy))
    archive_content.check_script(script)
    with script.open("a", encoding="utf-8") as text:
        text.write("\nDELETE FROM public.django_session;\n")


def _replace_database(copy: Path) -> None:
    if connection.vendor == "sqlite":
        connection.close()
        with (
            closing(sqlite3.connect(copy)) as source,
            closing(sqlite3.connect(settings.DATABASES["default"]["NAME"])) as target,
        ):
            source.backup(target)
        return
    script = copy.with_suffix(".sql")
    clear = copy.with_suffix(".clear.sql")
    # Every table, those of a newer version too, which the backup does not know.
    tables = []
    for table in connection.introspection.table_names():
        tables.append(connection.ops.quote_name(table))
    drops = [
        *(f"DROP TABLE {table} CASCADE;" for table in tables),
        f"DROP FUNCTION IF EXISTS {history_triggers.FUNCTION_NAME};",
    ]
    clear.write_text("\n".join(drops), encoding="utf-8")
    connection.close()
    # One transaction: a restore that fails leaves the database as it was.
    stop = ("--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")
    _run("psql", *stop, f"--file={clear}", f"--file={script}")


def _run(tool: str, *options: str) -> None:
    """Run a tool of PostgreSQL on our database."""
    client = connection.client
    arguments, environment = client.settings_to_cmd_args_env(connection.settings_dict, [])
    _call(tool, *options, *arguments[1:], environment=environment)


def _call(tool: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    program = shutil.which(tool)
    if not program:
        raise CommandError(
            _(
                "%(tool)s is not on this machine: install the client of PostgreSQL (Debian: "
                "postgresql-client)."
            )
            % {"tool": tool}
        )
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [program, *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"{tool}: {done.stderr.strip()}")
