"""Bring an empty database to a released state and fill it.

`python -m tests.upgrade.fill FILE.json.gz`.
"""

import os
import sys
from pathlib import Path

import django


def fill(path: Path) -> None:
    """Migrate to the state that a file is named after, and write the file's rows."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from tests.upgrade.rows import APP, load, write_rows

    state = (APP, path.name.removesuffix(".json.gz"))
    executor = MigrationExecutor(connection)
    # Step by step, as it was released; an empty database would take the migration that replaces the
    # steps.
    executor.loader.replace_migrations = False
    executor.loader.build_graph()
    # Not by the command: what a later release does after migrating knows no earlier state.
    executor.migrate([state])
    write_rows(executor.loader.project_state(state).apps, load(path))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    django.setup()
    fill(Path(sys.argv[1]))
