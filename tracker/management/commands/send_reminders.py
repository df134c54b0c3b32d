"""Remind people by mail of what waits for them: at most one mail a working day each."""

import datetime as dt
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracker import workflow
from tracker.domain import dates
from tracker.domain.choices import PolicyState
from tracker.models import PolicyDocument
from tracker.reports import reminders


class Command(BaseCommand):
    """Send what is due, log it, and say what could not be sent; run it once a day."""

    help = "Mail each person what waits for them; log in the admin. --dry-run prints it and sends nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on", metavar="YYYY-MM-DD", help=_("the day to remind for; today by default")
        )
        parser.add_argument(
            "--dry-run", action="store_true", help=_("print the mails and send none")
        )
        parser.add_argument(
            "--policy",
            metavar="SLUG",
            help=_("this policy alone; the demonstration only when named"),
        )

        parser.add_argument("--any-day", action="store_true", help=_("send on days off too"))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["on"]:
                on = dates.parse_day(options["on"])
            else:
                on = dates.today()
        except ValueError as error:
            raise CommandError(str(error)) from error
        policies = (
            PolicyDocument.objects.filter(state=PolicyState.PUBLISHED)
            .defer("full_text")
            .order_by("pk")
        )
        if options["policy"]:
            chosen = policies.filter(slug=options["policy"])
        else:
            chosen = policies.filter(demo=False)
        if options["policy"] and not chosen:
            raise CommandError(
                _("No published policy is called %(slug)s.") % {"slug": options["policy"]}
            )
        if not options["dry_run"] and not settings.EMAIL_URL:
            raise CommandError(
                _("Mail is off: set EMAIL_URL and EMAIL_FROM. --dry-run shows what would be sent.")
            )
        if not options["any_day"] and self._is_day_off(on):
            return
        post = reminders.reminder_mails(reminders.reminder_matters(chosen, on))
        unreachable = post.pop("", [])
        due = reminders.due_matters(post, on)
        failed = 0
        for mail in due:
            if options["dry_run"]:
                self.stdout.write(f"{mail.address}\n{mail.subject}\n\n{mail.text}")
            else:
                failed += not self._send(mail)
        text = ngettext("%(count)d mail would go out.", "%(count)d mails would go out.", len(due))
        if not options["dry_run"]:
            text = ngettext("%(count)d mail sent.", "%(count)d mails sent.", len(due) - failed)
        self.stdout.write(text % {"count": len(due) - failed})
        for matter in unreachable:
            self.stderr.write(_("No address for: %(line)s") % {"line": matter.line})
        if failed:
            raise CommandError(
                _("%(count)d could not be sent; the next run tries again.") % {"count": failed}
            )

    def _is_day_off(self, on: dt.date) -> bool:
        """Say on the command line that a day is off, and whether the official calendar knows its
        year.
        """
        working, known = dates.is_working_day(on)
        if not known:
            words = _(
                "The official calendar of %(year)d is not known yet: Monday to Friday are taken "
                "as working days."
            )
            self.stderr.write(words % {"year": on.year})
        if not working:
            words = _(
                "%(day)s is a day off: no reminders are sent. --any-day sends them all the same."
            )
            self.stdout.write(words % {"day": on})
        return not working

    def _send(self, mail: Any) -> bool:
        try:
            workflow.send_once(
                mail, EmailMessage(mail.subject, mail.text, to=[mail.address]).send, dates.now()
            )
        except ValidationError:
            return True  # another run has just sent it
        except (OSError, SMTPException, ValueError) as error:
            self.stderr.write(f"{mail.address}: {error}")
            return False
        return True
