"""The drill of the crowd at a size for every run."""

import os

import pytest

from tests.drills.crowd import drill
from tests.sizes import size

pytestmark = [pytest.mark.drill, pytest.mark.database]


def test_a_crowd_at_every_door_loses_nothing_and_sees_both_texts() -> None:
    edits = size("CROWD_EDITS")
    result = drill(writers=12, edits=edits, url=os.environ.get("DATABASE_URL", ""))
    assert (result.lost, result.unseen, result.doubled, result.faults) == (0, 0, 0, 0)
    assert result.accepted == 12 * edits
