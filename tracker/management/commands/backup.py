"""Write the whole system to one file, while it is in use."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from tracker.domain.dates import now
from tracker.management import archive, recovery


class Command(BaseCommand):
    """Back up database and evidence; a folder gets a file named by the moment."""

    help = "Write database, evidence and this machine's key to one file; restore reads it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            type=Path,
            help=_("the file, or a folder for a file named after the current time"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        if path.is_dir():
            path /= f"tracker-{now():%Y%m%d-%H%M%S}.tar"
        if path.exists():
            raise CommandError(_("%(path)s already exists and was not changed.") % {"path": path})
        if not path.parent.is_dir():
            raise CommandError(_("There is no folder %(path)s.") % {"path": path.parent})
        recovery.recover_unfinished()
        archive.create_backup(path)
        size = path.stat().st_size / 1e6
        self.stdout.write(
            _("Backed up to %(path)s (%(size).1f MB).") % {"path": path, "size": size}
        )
