"""Describe the tables of a database.

`python -m tests.upgrade.schema FILE.json` writes those of the one in use.
"""

import json
import sys
from pathlib import Path
from typing import Any

from django.db import connection

Schema = dict[str, dict[str, Any]]  # by table: its columns and its constraints, by name


def read_schema() -> Schema:
    """Return columns, indexes and constraints of every table.

    The order of columns does not count.
    """
    with connection.cursor() as cursor:
        tables = [
            table.name
            for table in connection.introspection.get_table_list(cursor)
            if table.type == "t"
        ]
        return {table: _describe(cursor, table) for table in sorted(tables)}


def _describe(cursor: Any, table: str) -> dict[str, Any]:
    read = connection.introspection
    columns = {
        column.name: [str(column.type_code), column.null_ok, column.display_size, column.collation]
        for column in read.get_table_description(cursor, table)
    }
    constraints = {}
    for name, facts in read.get_constraints(cursor, table).items():
        # SQLite numbers those that have no name of their own, in the order of the columns.
        known = ",".join(facts["columns"]) if facts["foreign_key"] else name
        if not known.startswith("__"):
            constraints[known] = {
                key: facts[key] for key in ("columns", "unique", "check", "foreign_key", "index")
            }
    # As JSON knows it: tuples are lists.
    return json.loads(json.dumps({"columns": columns, "constraints": constraints}))


if __name__ == "__main__":
    import django

    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(read_schema(), indent=1))
