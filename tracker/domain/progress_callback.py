"""The callback by which long work reports its progress."""

from collections.abc import Callable

ProgressCallback = Callable[[int], object]  # called with the number of rows that are done


def ignore_progress(done: int) -> None:
    """Do nothing with the number of rows that are done."""
