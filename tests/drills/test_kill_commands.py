"""The drill of killed exports, backups and restores at a size for every run."""

import os

import pytest

from tests.drills.kill_commands import Result, drill

pytestmark = [pytest.mark.drill, pytest.mark.database]


def test_a_killed_export_backup_or_restore_leaves_nothing_half_there() -> None:
    results = drill(rounds=1, url=os.environ.get("DATABASE_URL", ""))
    assert {kind: Result(done=result.done) for kind, result in results.items()} == results
