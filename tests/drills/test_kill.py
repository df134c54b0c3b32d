"""The drill of the killed server at a size for every run."""

import os

import pytest

from tests.drills.kill import drill
from tests.sizes import size

pytestmark = [pytest.mark.drill, pytest.mark.database]


def test_what_a_killed_server_has_acknowledged_is_there_and_nothing_is_half_done() -> None:
    result = drill(size("KILLS"), url=os.environ.get("DATABASE_URL", ""))
    assert (result.lost, result.half_done, result.integrity) == (0, 0, "ok")
    assert result.acknowledged >= result.rounds
