"""Put the system of a backup in place of this one."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from tracker.management import archive


class Command(BaseCommand):
    """Restore a backup, checked first; a system in use is replaced with --force alone."""

    help = "Restore what backup wrote. Stop the server first. A system in use is replaced with --force alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help=_("the file that backup wrote"))
        parser.add_argument("--force", action="store_true", help=_("replace a system that is not empty"))

    def handle(self, *args: Any, **options: Any) -> None:
        manifest = archive.bring_back(options["path"], options["force"])
        # A backup of an older version is brought up to this one; the guard of the history is made anew.
        call_command("migrate", verbosity=0, interactive=False)
        self.stdout.write(_("Restored as of %(moment)s.") % {"moment": manifest["made"]})
