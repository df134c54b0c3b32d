"""Remind people by mail of what waits for them: at most one mail a working day each."""

import datetime as dt
from collections.abc import Sequence
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracker import workflow
from tracker.domain import dates
from tracker.domain.choices import PolicyState
from tracker.models import PolicyDocument
from tracker.reports import reminders


class Command(BaseCommand):
    """Send what is due, log it, and say what could not be sent; run it once a day."""

    help = (
        "Mail each person what waits for them; log in the admin. --dry-run prints it and sends "
        "nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on", metavar="YYYY-MM-DD", help=_("the day to send reminders for; today by default")
        )
        parser.add_argument(
            "--dry-run", action="store_true", help=_("print the e-mails without sending them")
        )
        parser.add_argument(
            "--policy",
            metavar="SLUG",
            help=_("only this policy; the demonstration policy only if named"),
        )

        parser.add_argument("--any-day", action="store_true", help=_("send on days off too"))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            on = dates.today()
            if options["on"]:
                on = dates.parse_day(options["on"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        policies = self._policies(options["policy"])
        if not options["dry_run"] and not settings.EMAIL_URL:
            raise CommandError(
                _(
                    "E-mail is disabled: set EMAIL_URL and EMAIL_FROM. --dry-run shows what would "
                    "be sent."
                )
            )
        if not options["any_day"] and self._is_day_off(on):
            return
        mails = reminders.reminder_mails(reminders.reminder_matters(policies, on))
        unreachable = mails.pop("", [])
        due = reminders.due_matters(mails, on)
        failed = 0
        if options["dry_run"]:
            self._print(due)
        else:
            failed = self._send_all(due)
        for matter in unreachable:
            self.stderr.write(_("No address for: %(line)s") % {"line": matter.line})
        if failed:
            raise CommandError(
                _("%(count)d could not be sent; the next run tries again.") % {"count": failed}
            )

    def _policies(self, slug: str | None) -> QuerySet[PolicyDocument]:
        """Return the policies to remind of: the one that is named, else all but demonstrations."""
        policies = (
            PolicyDocument.objects.filter(state=PolicyState.PUBLISHED)
            .defer("full_text")
            .order_by("pk")
        )
        if not slug:
            return policies.filter(demo=False)
        policies = policies.filter(slug=slug)
        if not policies:
            raise CommandError(_("No published policy is called %(slug)s.") % {"slug": slug})
        return policies

    def _print(self, mails: Sequence[Any]) -> None:
        for mail in mails:
            self.stdout.write(f"{mail.address}\n{mail.subject}\n\n{mail.text}")
        count = len(mails)
        text = ngettext(
            "%(count)d e-mail would be sent.", "%(count)d e-mails would be sent.", count
        )
        self.stdout.write(text % {"count": count})

    def _send_all(self, mails: Sequence[Any]) -> int:
        """Send mails and print how many were sent; return how many were not."""
        sent = 0
        for mail in mails:
            if self._send(mail):
                sent += 1
        self.stdout.write(
            ngettext("%(count)d e-mail sent.", "%(count)d e-mails sent.", sent) % {"count": sent}
        )
        return len(mails) - sent

    def _is_day_off(self, on: dt.date) -> bool:
        """Say whether a day is off; print it, and whether the official calendar has its year."""
        working, known = dates.is_working_day(on)
        if not known:
            text = _(
                "The official calendar of %(year)d is not known yet: Monday to Friday are treated "
                "as working days."
            )
            self.stderr.write(text % {"year": on.year})
        if not working:
            text = _("%(day)s is a day off: no reminders are sent. --any-day sends them anyway.")
            self.stdout.write(text % {"day": on})
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
