"""Two texts side by side.

What is the same, what is new, and never more work than the texts are long.
"""

import sys
from types import FrameType
from typing import Any

import pytest

from tracker.domain.differences import differences


def steps(old: str, new: str) -> int:
    """Count the lines of Python that a comparison runs."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    known = sys.gettrace()
    sys.settrace(trace)
    try:
        list(differences(old, new))
    finally:
        sys.settrace(known)
    return count


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a;" * 1000, "a," * 1000),
        ("a;" * 1000, "b;" * 1000),
        ("a;b," * 500, "b,a;" * 500),
        ("a;b,c." * 400, "c.a;b," * 400),
        (" ".join(f"{n % 7}" for n in range(2000)), " ".join(f"{n % 11}" for n in range(2000))),
        (";".join(map(str, range(2000))), ";".join(map(str, reversed(range(2000))))),
    ],
)
def test_a_comparison_takes_no_more_steps_than_a_bound_for_each_sign(old: str, new: str) -> None:
    assert steps(old, new) < 100 * (len(old) + len(new))
