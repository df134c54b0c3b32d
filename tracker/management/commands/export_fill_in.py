"""Write the workbooks that units fill in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tracker.domain import dates, scratch
from tracker.excel import progress_template
from tracker.management.commands.export_ledger import policy_option


class Command(BaseCommand):
    """Write one workbook for each unit that leads an open task of a policy."""

    help = "Write the workbook that a unit fills in, for every unit of a policy, into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--policy", required=True, metavar="SLUG", help=_("Short address of the policy.")
        )
        parser.add_argument(
            "--out", required=True, metavar="DIR", help=_("Folder to write to; created if missing.")
        )

    def handle(self, *args: Any, policy: str, out: str, **options: Any) -> None:
        document = policy_option(policy)
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, scope in progress_template.of_all_units(document, dates.today()):
                with scratch.replacing(folder / name) as half:
                    progress_template.save_progress_template(scope, half)
                self.stdout.write(str(folder / name))
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(error)s") % {"file": out, "error": error}
            ) from error
