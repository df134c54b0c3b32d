"""Propose how a policy text breaks down; nothing is saved."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from tracker.management.files import read_text
from tracker.text.breakdown import Rule, propose_breakdown
from tracker.text.draft import Draft, DraftMeasure, as_json, draft_policy


class Command(BaseCommand):
    """Print sections, measures and tasks, each with the rule that made it; or all of it as JSON."""

    help = (
        "Propose sections, measures, tasks, counts, deadlines and units of a policy "
        "text; nothing is saved."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, help=_("A text in UTF-8 or GB18030, or a Word document (.docx).")
        )
        parser.add_argument("--json", action="store_true", help=_("Print everything as JSON."))

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        proposal = propose_breakdown(read_text(file))
        made = draft_policy(proposal)
        if options["json"]:
            self.stdout.write(
                json.dumps(as_json(proposal, made), ensure_ascii=False, indent=1, default=str)
            )
            return
        self.stdout.write(proposal.title or _("(no title found)"))
        for line in proposal.source:
            self.stdout.write(f"  {line}")
        for section in made.sections:
            self.stdout.write(
                f"{section.letter} {section.row.name}  [{Rule(section.row.rule).label}]"
            )
            for measure in section.measures:
                self._print_measure(measure)
        self._print_rest(made)

    def _print_measure(self, measure: DraftMeasure) -> None:
        self.stdout.write(f"  {measure.code} {measure.row.name}  [{Rule(measure.row.rule).label}]")
        for task in measure.tasks:
            details = "  ".join(filter(None, (task.row.lead, task.row.helps, task.row.due)))
            self.stdout.write(
                f"    {task.code} {task.row.name}  [{Rule(task.row.rule).label}] {details}".rstrip()
            )
            for step in task.steps:
                self.stdout.write(f"      - {step.title}")

    def _print_rest(self, made: Draft) -> None:
        self.stdout.write(_("Declared counts:"))
        for count in made.counts:
            self.stdout.write(f"  {count.name}: {count.number} ({count.task})")
        for note in made.notes:
            self.stdout.write(note)
        self.stdout.write(
            _(
                "Sections: %(sections)s; measures: %(measures)s; general demands: %(general)s; "
                "tasks: %(tasks)s."
            )
            % {
                "sections": len(made.sections),
                "measures": sum(not measure.general for measure in made.measures),
                "general": sum(measure.general for measure in made.measures),
                "tasks": len(made.tasks),
            }
        )
