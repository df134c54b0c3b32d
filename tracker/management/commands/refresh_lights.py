"""Derive the stored lights, percents, orders and search of every task again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from tracker.workflow import rules_version


class Command(BaseCommand):
    """Do by hand what `migrate` does after a change of the rules."""

    help = (
        "Derive the lights, percents, orders and search of every task anew; versions and "
        "history stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help=_("Report what would be corrected without changing anything."),
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            found = rules_version.preview_refresh()
        else:
            found = rules_version.refresh_all()
        if found.newer:
            versions = {"stored": found.version, "current": rules_version.RULES_VERSION}
            self.stdout.write(
                _("Rules: version %(stored)d stored, version %(current)d in the program.")
                % versions
            )
        stated = _("%(tasks)d tasks, %(corrected)d corrected.")
        if dry_run:
            stated = _("%(tasks)d tasks, %(corrected)d to correct.")
        self.stdout.write(stated % {"tasks": found.tasks, "corrected": found.corrected})
