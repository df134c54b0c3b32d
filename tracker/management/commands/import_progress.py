"""Read a filled-in workbook: say what it changes, and with --apply write it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain import dates
from tracker.excel import workbook_import


class Command(BaseCommand):
    """Show or apply a workbook, as the office, which runs the commands of this machine."""

    help = "Say what a filled-in workbook changes; with --apply hand its reports in, all or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help=_("The filled-in workbook."))
        parser.add_argument(
            "--apply",
            action="store_true",
            help=_("Write the changes; without this option nothing is written."),
        )

    def handle(self, *args: Any, file: str, apply: bool, **options: Any) -> None:
        now = dates.now()
        try:
            with Path(file).open("rb") as stream:
                batch = workbook_import.read_workbook(stream, Path(file).name, None, self._tell)
        except (OSError, workbook_import.WorkbookRefused) as error:
            raise CommandError(f"{file}: {error}") from error
        preview = workbook_import.preview_batch(batch, None, now.date())
        for entry in preview.entries:
            if entry.state in ("changed", "stale"):
                self._print(entry)
        for fault in preview.faults:
            self.stderr.write(
                f"{fault.sheet} {fault.row} {fault.column}: {fault.value}: {fault.words}"
            )
        counts = preview.counts
        self.stdout.write(
            _("changed %(changed)d, unchanged %(unchanged)d, stale %(stale)d, errors %(fault)d")
            % {state: counts[state] for state in ("changed", "unchanged", "stale", "fault")}
        )
        if preview.faults:
            raise CommandError(_("Nothing is written until the errors are fixed."))
        if apply:
            try:
                batch = workflow.store_batch(batch, now)
                workbook_import.confirm_batch(batch, None, preview.digest, now)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            self.stdout.write(_("Confirmed."))

    def _print(self, entry: Any) -> None:
        for field in entry.fields:
            then = ""
            if entry.state == "stale":
                then = f" [{field.then}]"
            self.stdout.write(
                f"{entry.state}: {entry.code} {field.header}:{then} {field.now} -> {field.new}"
            )

    def _tell(self, progress: workbook_import.ReadingProgress) -> None:
        counts = {"rows": progress.rows, "percent": progress.percent}
        text = _("%(rows)d rows read, %(percent)d%% of the file") % counts
        ending = "\n"
        if self.stderr.isatty():
            ending = "\r"
        self.stderr.write(text, str, ending)
