"""The drill of the crowd at a size for every run."""

import os

from tests.drills.crowd import drill


def test_a_crowd_at_every_door_loses_nothing_and_sees_both_texts() -> None:
    edits = int(os.environ.get("CROWD_EDITS", "3"))
    result = drill(writers=12, edits=edits, url=os.environ.get("DATABASE_URL", ""))
    assert (result.lost, result.unseen, result.doubled, result.faults) == (0, 0, 0, 0)
    assert result.accepted == 12 * edits
