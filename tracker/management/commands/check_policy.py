"""Prove the counts of a policy, list what is open, and hold its anchors against its text."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tracker.management.files import read_text
from tracker.models import PolicyDocument
from tracker.source.check import Findings, Reading, check


class Command(BaseCommand):
    """Print what `tracker.source.check` finds; exit 1 on a fault, 0 on what is merely open."""

    help = "Prove the declared counts of a policy and list what is open; with its text, check every anchor."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--text", metavar="FILE", type=Path, help=_("The policy's text, in UTF-8 or GB18030."))

    def handle(self, *args: Any, slug: str, text: Path | None, **options: Any) -> None:
        policy = PolicyDocument.objects.filter(slug=slug).first()
        if not policy:
            raise CommandError(_("There is no policy “%(slug)s”.") % {"slug": slug})
        findings = check(policy, read_text(text) if text else None)
        self.stdout.write(f"{policy.slug}  {policy.title}")
        self._print_counts(findings)
        self._print_gaps(findings)
        if findings.reading:
            self._print_reading(findings.reading)
        if findings.faults:
            raise CommandError(_("Faults: %(number)s.") % {"number": findings.faults})
        self.stdout.write(_("No faults."))

    def _print_counts(self, findings: Findings) -> None:
        self.stdout.write(
            _("Measures: %(sum)s = %(total)s; general demands apart: %(general)s.")
            % {
                "sum": " + ".join(map(str, findings.measures)) or 0,
                "total": sum(findings.measures),
                "general": findings.general,
            }
        )
        self.stdout.write(
            _("Tasks: %(tasks)s; checklist items: %(items)s.") % {"tasks": findings.tasks, "items": findings.items}
        )
        self.stdout.write(_("Declared counts:"))
        for count in findings.counts:
            self._print_row(
                _("%(verdict)s  %(name)s: declared %(declared)s, found %(found)s")
                % {
                    "verdict": _("ok") if count.holds else _("FAULT"),
                    "name": count.name,
                    "declared": count.declared,
                    "found": count.found,
                }
            )

    def _print_gaps(self, findings: Findings) -> None:
        self.stdout.write(_("Open points:") if findings.gaps else _("Open points: none."))
        for gap, codes in findings.gaps.items():
            self._print_row(
                _("tasks %(gap)s: %(number)s (%(codes)s)")
                % {"gap": gap.label, "number": len(codes), "codes": ", ".join(codes)}
            )

    def _print_reading(self, reading: Reading) -> None:
        found = reading.coverage
        self.stdout.write(
            _("Anchors: %(all)s; not found: %(missing)s; found more than once: %(repeated)s.")
            % {"all": reading.anchors, "missing": len(found.missing), "repeated": len(found.repeated)}
        )
        for anchor in found.missing:
            self._print_row(_("not found: %(owner)s “%(anchor)s”") % {"owner": anchor.owner, "anchor": anchor.text})
        for anchor, spans in found.repeated:
            self._print_row(
                _("found %(times)s times: %(owner)s “%(anchor)s”")
                % {"times": len(spans), "owner": anchor.owner, "anchor": anchor.text}
            )
        self.stdout.write(
            _(
                "Text of the sections: %(sentences)s sentences, %(clauses)s clauses; "
                "touched by an anchor: %(touched)s; background: %(background)s; unaccounted for: %(open)s."
            )
            % {
                "sentences": len(found.sentences),
                "clauses": len(found.clauses),
                "touched": len(found.touched),
                "background": len(found.background),
                "open": len(found.open),
            }
        )
        for clause in found.open:
            self._print_row(_("unaccounted for: %(clause)s") % {"clause": clause.span.of(reading.text)})
        self.stdout.write(
            _("Outside the sections, not examined: %(before)s clauses before, %(after)s after.")
            % {"before": reading.clauses_before, "after": reading.clauses_after}
        )

    def _print_row(self, text: str) -> None:
        self.stdout.write(f"  {text}")
