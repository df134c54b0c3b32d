"""How much the generated tests make: little in `make test`, much in `make test-all`.

`TEST_SIZES=large` chooses the large sizes; a variable of the name of a size sets that one alone:
`QUERY_STRINGS=50000 make test`. The table of docs/tests.md lists them, and a test compares.
"""

import os
from typing import NamedTuple


class Size(NamedTuple):
    """How many of something there are in either command, and what they are."""

    small: int
    large: int
    what: str


SIZES = {
    "EXAMPLES": Size(20, 200, "examples that Hypothesis draws for a test that names no other size"),
    "QUERY_STRINGS": Size(130, 2_000, "query strings sent to the report pages"),
    "GENERATED_CELLS": Size(5_000, 100_000, "cells given to every reader"),
    "MUTATED_WORKBOOKS": Size(60, 1_000, "spoilt workbooks sent in"),
    "RANDOM_LEDGERS": Size(40, 500, "ledgers whose every figure is counted again"),
    "ODD_PLACES": Size(100, 400, "places of each sort that get an odd value; 0 for all"),
    "ODD_VALUES": Size(1, 1, "odd values sent to each of those places; 0 for all"),
    "MANY_TASKS": Size(
        300, 3_000, "tasks of the policy on which queries are counted and pages and commands run"
    ),
    "ROUND_TRIP_TASKS": Size(200, 5_000, "tasks of the workbooks that go out and come home"),
    "CROWD_EDITS": Size(3, 3, "edits of each of the twelve writers of the drill of the crowd"),
    "KILLS": Size(3, 3, "times that the drill kills the server"),
}


def chosen(name: str, environment: dict[str, str]) -> int:
    """Return a size as the environment wants it."""
    tier = environment.get("TEST_SIZES") or "small"
    if tier not in ("small", "large"):
        raise ValueError(f"TEST_SIZES is {tier!r}: small or large")
    return int(environment.get(name) or getattr(SIZES[name], tier))


def size(name: str) -> int:
    """Return how much of something this run makes."""
    return chosen(name, dict(os.environ))
