"""Every page, export and command works with more measures, units and reports than SQLite compares
in one statement.
"""

import sqlite3
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests.filled import make_filled, make_readers
from tests.test_filled_policy import addresses, broken
from tracker.models import PolicyDocument

pytestmark = pytest.mark.sqlite  # PostgreSQL has no such limit

LIMIT, PARTS, TASKS = 60, 70, 90


@pytest.fixture
def wide(db: None) -> Iterator[PolicyDocument]:
    """Make a policy of many parts, and let SQLite refuse what it refuses from ten times as many on."""
    raw, limit = connection.connection, sqlite3.SQLITE_LIMIT_EXPR_DEPTH
    policy = make_filled(TASKS, PARTS)
    usual = raw.setlimit(limit, LIMIT)
    yield policy
    raw.setlimit(limit, usual)


@pytest.mark.large
def test_no_address_breaks(wide: PolicyDocument) -> None:
    client = Client()
    client.force_login(make_readers(wide)["root"])
    assert broken(client, addresses(wide, 1)) == []


def test_the_command_that_exports_does_not_break(wide: PolicyDocument, tmp_path: Path) -> None:
    call_command(
        "export_ledger", policy=wide.slug, out=str(tmp_path / "ledger.xlsx"), stdout=StringIO()
    )
    assert (tmp_path / "ledger.xlsx").exists()
