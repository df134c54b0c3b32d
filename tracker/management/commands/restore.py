"""Put the system of a backup in place of this one."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from tracker.management import archive, recovery


class Command(BaseCommand):
    """Restore a backup, checked first; a system in use is replaced with --force alone."""

    help = (
        "Restore what backup wrote. Stop the server first. A system in use is replaced "
        "with --force alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help=_("the file that backup wrote"))
        parser.add_argument(
            "--force", action="store_true", help=_("replace a system that is not empty")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            recovery.recover_unfinished()
        except archive.RestoreUnfinished as error:
            if not options["force"]:
                raise
            self.stderr.write(str(error))
        manifest = archive.restore_backup(options["path"], options["force"])
        self.stdout.write(_("Restored as of %(moment)s.") % {"moment": manifest["made"]})
        self.stdout.write(
            _(
                "Accounts and passwords come from the backup; all sessions have ended, and "
                "everybody must log in again."
            )
        )
