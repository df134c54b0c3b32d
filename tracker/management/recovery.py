"""What the next start does about what a killed process has left."""

import logging
from pathlib import Path

from django.conf import settings
from django.db import connection

from tracker.domain import scratch
from tracker.management import archive
from tracker.models import Evidence

recovery_logger = logging.getLogger("django.tracker")


def recover_unfinished() -> None:
    """Finish an interrupted restore, and remove temporary files of processes that died."""
    if archive.finish_restore():
        recovery_logger.warning("A restore had been cut off; it is finished now.")
    archive.remove_finished()
    scratch.sweep(_settle)


def _settle(folder: Path) -> None:
    """Remove the files whose upload never became a row."""
    names = scratch.pending(folder)
    if names and Evidence._meta.db_table in connection.introspection.table_names():
        kept = set(Evidence.objects.filter(file__in=names).values_list("file", flat=True))
        for name in set(names) - kept - {""}:
            (Path(settings.MEDIA_ROOT) / name).unlink(missing_ok=True)
