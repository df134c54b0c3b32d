"""Make a database ready to work with: load what is absent, leave what is there."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain.choices import ChangeSource
from tracker.forms.passwords import random_password
from tracker.management import recovery
from tracker.models import Organization, PolicyDocument, User
from tracker.settings import env_bool

SAMPLE = "central-china-rise"
FIRST_ACCOUNT = "admin"


class Command(BaseCommand):
    """Migrate, load units and the sample policy if absent, make a first account, load the demo."""

    help = (
        "Migrate, load what is absent, make a first account; lay the demo in a new "
        "database unless DEMO=0."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        recovery.recover_unfinished()
        new = "django_migrations" not in connection.introspection.table_names()
        call_command("migrate", verbosity=0, interactive=False)
        if not Organization.objects.exists():
            call_command("loaddata", "organizations", verbosity=0)
        # A sample that the office has deleted does not come back.
        if not PolicyDocument.history.filter(slug=SAMPLE).exists():
            self._load_sample()
        if not User.objects.exists():
            self._first_account()
        if new and env_bool("DEMO", True) and PolicyDocument.objects.filter(slug=SAMPLE).exists():
            call_command("load_demo", stdout=self.stdout)

    def _load_sample(self) -> None:
        try:
            call_command("loaddata", SAMPLE, verbosity=0)
        except CommandError:
            # An office with units of its own has no use for a sample that names other ones.
            self.stdout.write(
                _("The sample policy was not loaded: its units are not those of this system.")
            )

    def _first_account(self) -> None:
        password = random_password()
        user = User(username=FIRST_ACCOUNT, is_superuser=True)
        user.set_password(password)
        workflow.save_object(
            user, workflow.ChangeContext(None, ChangeSource.COMMAND, "first account")
        )
        self.stdout.write(
            _("First account: name %(name)s, password %(password)s")
            % {"name": FIRST_ACCOUNT, "password": password}
        )
        self.stdout.write(_("The password is shown only once; change it after the first login."))
