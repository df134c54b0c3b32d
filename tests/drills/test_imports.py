"""The drill of killed imports at a size for every run."""

import os

import pytest

from tests.drills.imports import drill

pytestmark = [pytest.mark.drill, pytest.mark.database]


def test_an_import_that_is_killed_lands_whole_or_not_at_all() -> None:
    result = drill(rounds=4, url=os.environ.get("DATABASE_URL", ""))
    assert (result.half, result.none + result.whole) == (0, 4)
