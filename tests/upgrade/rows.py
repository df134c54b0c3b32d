"""Keep the rows of a database as text, and write them into one of that state.

`python -m tests.upgrade.rows FILE.json.gz` keeps those of the database in use: done at each
release.
"""

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

FOLDER = Path(__file__).parent
APP = "tracker"

Rows = dict[str, list[dict[str, Any]]]  # by model: each row by the names of its columns


def tables_of(apps: Apps) -> list[type[models.Model]]:
    """List the models of the product, those of many-to-many fields included."""
    found = apps.get_app_config(APP).get_models(include_auto_created=True)
    return [model for model in found if not model._meta.proxy]


def read_rows(apps: Apps) -> Rows:
    """Return every row of the product, in the order of its key."""
    rows: Rows = {}
    for model in tables_of(apps):
        fields = model._meta.concrete_fields
        stored = model._base_manager.order_by("pk")
        rows[model._meta.model_name] = [
            {f.attname: _text(f, row) for f in fields} for row in stored
        ]
    return rows


def _text(field: models.Field, row: models.Model) -> Any:
    value = getattr(row, field.attname)
    if value is None or isinstance(value, bool | int | list | dict):
        return value
    return field.value_to_string(row)


def write_rows(apps: Apps, rows: Rows) -> None:
    """Write rows into the empty tables of a state, and let its keys go on after them."""
    found = tables_of(apps)
    with connection.constraint_checks_disabled(), transaction.atomic():
        for model in found:
            fields = {field.attname: field for field in model._meta.concrete_fields}
            made = [
                model(**{name: fields[name].to_python(value) for name, value in row.items()})
                for row in rows[model._meta.model_name]
            ]
            model._base_manager.bulk_create(made, batch_size=500)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), found):
                cursor.execute(statement)


def load(path: Path) -> Rows:
    """Read a file of rows."""
    return json.loads(gzip.decompress(path.read_bytes()))


def keep(path: Path, rows: Rows) -> None:
    """Write a file of rows, the same bytes for the same rows."""
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    django.setup()
    from django.apps import apps as current

    keep(Path(sys.argv[1]), read_rows(current))
