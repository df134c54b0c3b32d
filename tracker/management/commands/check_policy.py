"""Print the health check of a policy; with its text, check its anchors too."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tracker.management.files import read_text
from tracker.models import PolicyDocument
from tracker.reports.coverage import AnchorReading
from tracker.reports.health_check import Checkup, HealthFinding, run_checkup
from tracker.reports.health_rules import HealthCheck


class Command(BaseCommand):
    """Print what `tracker.reports.health_check` finds.

    Exit 1 on an error, 0 on what is merely open or doubtful.
    """

    help = (
        "Prove the declared counts of a policy and list what is open; with its text, "
        "check every anchor."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "--text",
            metavar="FILE",
            type=Path,
            help=_("The policy text, in UTF-8 or GB18030; by default the loaded text."),
        )

    def handle(self, *args: Any, slug: str, text: Path | None, **options: Any) -> None:
        policy = PolicyDocument.objects.filter(slug=slug).first()
        if not policy:
            raise CommandError(_("There is no policy “%(slug)s”.") % {"slug": slug})
        policy_text = None
        if text:
            policy_text = read_text(text)
        found = run_checkup(policy, policy_text)
        self.stdout.write(f"{policy.slug}  {policy.title}")
        self._print_counts(found)
        if found.reading:
            self._print_reading(found.reading)
        if found.findings:
            self.stdout.write(_("Open points:"))
        else:
            self.stdout.write(_("Open points: none."))
        for check, findings in found.groups:
            self._print_group(check, findings)
        if found.errors:
            raise CommandError(_("Errors: %(number)s.") % {"number": found.errors})
        self.stdout.write(_("No errors."))

    def _print_counts(self, found: Checkup) -> None:
        self.stdout.write(
            _("Measures: %(sum)s = %(total)s; general demands, not counted: %(general)s.")
            % {
                "sum": " + ".join(map(str, found.measures)) or 0,
                "total": sum(found.measures),
                "general": found.general,
            }
        )
        self.stdout.write(
            _("Tasks: %(tasks)s; checklist items: %(items)s.")
            % {"tasks": found.tasks, "items": found.items}
        )
        self.stdout.write(_("Declared counts:"))
        for count in found.counts:
            if count.holds:
                verdict = _("ok")
            else:
                verdict = _("ERROR")
            self._print_row(f"{verdict}  {count.words}")

    def _print_group(self, check: HealthCheck, findings: list[HealthFinding]) -> None:
        """Print findings of one kind: tasks by code in one line, others a line each."""
        codes = ""
        if check.statuses and findings:
            codes = f"({', '.join(finding.place for finding in findings)})"
        self._print_row(
            _("%(severity)s  %(kind)s: %(number)s %(codes)s")
            % {
                "severity": check.severity.words,
                "kind": check.label,
                "number": len(findings),
                "codes": codes,
            }
        )
        if not check.statuses:
            for finding in findings:
                self._print_row(f"    {finding.what}")

    def _print_reading(self, reading: AnchorReading) -> None:
        found = reading.coverage
        self.stdout.write(
            _("Anchors: %(all)s; not found: %(missing)s; found more than once: %(repeated)s.")
            % {
                "all": len(reading.rows),
                "missing": len(found.missing),
                "repeated": len(found.repeated),
            }
        )
        self.stdout.write(
            _(
                "Text of the sections: %(sentences)s sentences, %(clauses)s clauses; covered by an "
                "anchor: %(touched)s; background: %(background)s; unaccounted for: %(open)s."
            )
            % {
                "sentences": len(found.sentences),
                "clauses": len(found.clauses),
                "touched": len(found.touched),
                "background": len(found.background),
                "open": len(found.open),
            }
        )
        self.stdout.write(
            _("Outside the sections, not examined: %(before)s clauses before, %(after)s after.")
            % {"before": reading.clauses_before, "after": reading.clauses_after}
        )

    def _print_row(self, text: str) -> None:
        self.stdout.write(f"  {text}")
