"""The drill of lost updates at a size for every run."""

import os

import pytest

from tests.drills.lost_updates import drill

pytestmark = [pytest.mark.drill, pytest.mark.database]


def test_no_save_is_lost_and_no_database_is_locked_when_four_processes_edit_one_task() -> None:
    result = drill(processes=4, edits=15, url=os.environ.get("DATABASE_URL", ""))
    assert (result.accepted, result.versions, result.locked) == (60, 60, 0)
