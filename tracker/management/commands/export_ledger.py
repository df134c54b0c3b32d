"""Write the ledger of a policy to a file."""

import datetime as dt
from argparse import ArgumentParser
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.domain import dates, scratch
from tracker.domain.parsing import MAX_COMPARED
from tracker.excel import ledger
from tracker.excel.health_sheet import health_sheets
from tracker.excel.indicator_sheet import indicator_sheets
from tracker.excel.xlsx_writer import PAPER_SIZES
from tracker.models import Organization, PolicyDocument, Task
from tracker.reports.filters import QueryReader, TaskFilter

OFFERED = 5  # names offered in place of one that is not known


class Command(BaseCommand):
    """Export all tasks of a policy, or of one unit, with the rights of the office."""

    help = "Write the Excel ledger of a policy, whole or of one unit, with the lights of a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--policy", required=True, metavar="SLUG", help=_("Short address of the policy.")
        )
        parser.add_argument(
            "--out", required=True, metavar="FILE", help=_("File to write; replaced if it exists.")
        )
        parser.add_argument(
            "--unit", metavar="NAME", help=_("Only tasks that this unit leads or co-operates in.")
        )
        parser.add_argument(
            "--filter",
            default="",
            metavar="QUERY",
            help=_("As in the address of the list: light=red&section=2"),
        )
        parser.add_argument(
            "--paper",
            choices=PAPER_SIZES,
            default="a3",
            help=_("Paper size of the sheet to print."),
        )
        parser.add_argument(
            "--on", metavar="DATE", help=_("Day of the lights, YYYY-MM-DD; today by default.")
        )
        parser.add_argument(
            "--site",
            metavar="URL",
            default=settings.SITE_URL,
            help=_(
                "Base address for the links on codes; SITE_URL by default, no links without it."
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        policy = policy_option(options["policy"])
        on = day_option(options["on"])
        tasks = Task.objects.filter(policy=policy)
        unit = None
        if options["unit"] is not None:
            unit = unit_option(options["unit"])
            tasks = tasks.involving(unit)
        query_reader = QueryReader(QueryDict(options["filter"]))
        chosen = TaskFilter(query_reader, tasks, policy, on)
        query_reader.reject_unknown()
        if query_reader.faults:
            raise CommandError("\n".join(query_reader.faults))
        unit_scope = ""
        extras = indicator_sheets(chosen.qs)
        if unit:
            unit_scope = unit.name
        elif not chosen.data:
            # The health check speaks of the whole policy, not of a filtered list.
            extras += health_sheets(policy, partial(absolute, options["site"]))
        request = ledger.LedgerRequest(
            policy=policy,
            tasks=chosen.qs,
            on=on,
            filters=chosen.words(),
            paper=PAPER_SIZES[options["paper"]],
            produced_by=_("the office, by command"),
            unit_scope=unit_scope,
            link=lambda task: absolute(options["site"], task.get_absolute_url()),
            extras=extras,
        )
        self._save(request, options["out"])
        self.stdout.write(options["out"])

    def _save(self, request: ledger.LedgerRequest, out: str) -> None:
        # Beside the target, so that it is renamed in one step and nobody opens half a file.
        try:
            with scratch.replacing(Path(out)) as half:
                ledger.save_ledger(request, half)
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(error)s") % {"file": out, "error": error}
            ) from error


def absolute(site: str, path: str) -> str:
    """Return the address of a page; nothing where that of the tracker is not known."""
    if site:
        return site.rstrip("/") + path
    return ""


def policy_option(slug: str) -> PolicyDocument:
    """Find a policy, or say which there are."""
    policy = PolicyDocument.objects.filter(slug=slug).first()
    if not policy:
        raise unknown(
            _("policy"), slug, list(PolicyDocument.objects.values_list("slug", flat=True))
        )
    return policy


def unit_option(name: str) -> Organization:
    """Find a unit by any of its names, or say which come near."""
    unit = Organization.objects.all().named(name)
    if not unit:
        units = list(Organization.objects.all())
        names: list[str] = []
        for each in units:
            names += each.all_names()
        near = get_close_matches(name[:MAX_COMPARED], names, OFFERED)
        raise unknown(_("unit"), name, near or [each.short_name for each in units])
    return unit


def day_option(text: str | None) -> dt.date:
    """Read a day; none given is today."""
    try:
        if text is None:
            return dates.today()
        return dates.parse_day(text)
    except ValueError as error:
        raise CommandError(str(error)) from None


def unknown(what: str, value: str, known: list[str]) -> CommandError:
    """Say that a name is not known, and what would be."""
    names = pgettext("list", ", ").join(known[:OFFERED]) or _("none")
    if len(known) > OFFERED:
        names += " …"
    return CommandError(
        _("%(what)s: “%(value)s” is not known; allowed: %(known)s")
        % {"what": what, "value": value, "known": names}
    )
