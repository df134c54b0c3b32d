"""At most two large exports at a time over all workers of a machine.

A slot is the lock of a file: it ends with its process, however that ends.
"""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from django.conf import settings

from tracker.domain.scratch import try_lock

HEAVY_ROWS = 2_000  # tasks of a workbook from which on it counts as large
MAX_HEAVY_EXPORTS = 2
RETRY_AFTER = 30  # seconds


class ExportsBusy(Exception):
    """As many large exports as may run at a time are running."""


def export_slot(rows: int) -> AbstractContextManager[object]:
    """Take a slot for a workbook of so many rows until it is closed.

    Raise ExportsBusy at once where none is free.
    """
    if rows < HEAVY_ROWS:
        return nullcontext()
    slot = _take_slot()
    if slot is None:
        raise ExportsBusy
    return slot


def _take_slot() -> IO[bytes] | None:
    root = Path(settings.WORKING_DIR)
    root.mkdir(parents=True, exist_ok=True)
    for number in range(MAX_HEAVY_EXPORTS):
        slot = (root / f"export-{number}").open("ab")
        if try_lock(slot):
            return slot
        slot.close()
    return None
