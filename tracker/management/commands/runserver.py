"""Serve on this machine, and say in the last line where to look and as whom to log in."""

from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.management.commands import load_demo
from tracker.management.commands.prepare import FIRST_ACCOUNT
from tracker.models import User


class Command(Runserver):
    """The development server with one more line."""

    addr: str
    _raw_ipv6: bool

    def on_bind(self, server_port: Any) -> None:
        super().on_bind(server_port)
        if self._raw_ipv6:
            host = f"[{self.addr}]"
        else:
            host = self.addr
        values = {
            "address": f"http://{host}:{server_port}/",
            "names": pgettext("list", ", ").join(offered_accounts()),
        }
        if not values["names"]:
            self.stdout.write(_("Open %(address)s") % values)
            return
        self.stdout.write(
            _(
                "Passwords were shown once, when the accounts were created; to set a new one: "
                "manage.py changepassword NAME"
            )
        )
        self.stdout.write(_("Open %(address)s and log in as one of: %(names)s") % values)


def offered_accounts() -> list[str]:
    """Return the active accounts of the demonstration and the first account, in this order."""
    names = [*load_demo.ACCOUNTS, FIRST_ACCOUNT]
    try:
        found = set(
            User.objects.filter(username__in=names, is_active=True).values_list(
                "username", flat=True
            )
        )
    except DatabaseError:
        return []
    result = []
    for name in names:
        if name in found:
            result.append(name)
    return result
