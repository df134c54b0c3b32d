"""Print the table of what can be done with a task, as the READMEs show it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from tracker import workflow


class Command(BaseCommand):
    """Print the table of steps in Markdown."""

    help = (
        "Print what can be done with a task: by whom, from which status to which, and what it "
        "needs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--language", default="en", help=_("en or zh-hans"))

    def handle(self, *args: Any, **options: Any) -> None:
        with override(options["language"]):
            comma = pgettext("list", ", ")
            heads = (
                _("step with a task"),
                _("by whom"),
                _("from status"),
                _("to status"),
                _("needs"),
            )
            self._row(*heads)
            self._row(*["---"] * len(heads))
            for step in workflow.TRANSITIONS.values():
                target = "—"
                if step.target:
                    target = str(step.target.label)
                capacities = comma.join(str(capacity.label) for capacity in step.capacities)
                sources = comma.join(str(status.label) for status in step.sources)
                self._row(step.label, capacities, sources, target, step.needs)

    def _row(self, *cells: Any) -> None:
        self.stdout.write(f"| {' | '.join(str(cell) for cell in cells)} |")
