"""Load the full text of a policy from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain.choices import ChangeSource
from tracker.management.files import read_text
from tracker.models import PolicyDocument


class Command(BaseCommand):
    """Put the text of a file into a policy; its anchors are found in it from then on."""

    help = "Load the full text of a policy: a text in UTF-8 or GB18030, or a Word document (.docx)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, slug: str, file: Path, **options: Any) -> None:
        policy = PolicyDocument.objects.filter(slug=slug).first()
        if not policy:
            raise CommandError(_("There is no policy “%(slug)s”.") % {"slug": slug})
        policy.full_text = read_text(file)
        workflow.save_object(
            policy,
            workflow.ChangeContext(
                None, ChangeSource.COMMAND, _("text loaded from %(file)s") % {"file": file.name}
            ),
        )
        self.stdout.write(_("%(count)s characters loaded.") % {"count": len(policy.full_text)})
