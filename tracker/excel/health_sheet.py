"""The findings of the health check as a sheet of the ledger."""

import datetime as dt
from collections.abc import Callable

from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from tracker.excel.ledger import ExtraSheet
from tracker.models import PolicyDocument
from tracker.reports.columns import LEAD_COLUMN, Column, columns_by_name
from tracker.reports.health_check import HealthFinding, run_checkup
from tracker.reports.task_texts import lead_text

# Beyond that the ledger does without its sheet: it is bounded in memory, an examination is not.
MAX_EXAMINED_TASKS = 10_000
HEALTH_SHEET = pgettext_lazy("sheet", "Health check")


def _title(finding: HealthFinding, on: dt.date) -> str:
    if finding.task:
        return finding.task.title
    return ""


def _lead_unit(finding: HealthFinding, on: dt.date) -> str:
    if finding.task:
        return lead_text(finding.task, on)
    return ""


HEALTH_COLUMNS = columns_by_name(
    (
        Column("severity", gettext_lazy("severity"), lambda each, on: each.check.severity.words, 8),
        Column("code", gettext_lazy("where"), lambda each, on: each.place, 14),
        Column("title", gettext_lazy("task"), _title, 30),
        Column("lead_unit", LEAD_COLUMN.header, _lead_unit, 20),
        Column("kind", gettext_lazy("kind of finding"), lambda each, on: str(each.check.label), 26),
        Column("what", gettext_lazy("finding"), lambda each, on: each.what, 36),
        Column("why", gettext_lazy("why it matters"), lambda each, on: str(each.check.why), 56),
    )
)


def health_sheets(policy: PolicyDocument, site: Callable[[str], str]) -> list[ExtraSheet]:
    """Return the sheet of findings, none for a policy that is too large.

    `site` makes an address absolute.
    """
    if policy.tasks.count() > MAX_EXAMINED_TASKS:
        return []
    found = run_checkup(policy).findings
    about = ngettext(
        "the health check of the whole policy: %(count)d finding, why it matters, and where to fix "
        "it",
        "the health check of the whole policy: %(count)d findings, why they matter, and where to "
        "fix them",
        len(found),
    ) % {"count": len(found)}
    return [
        ExtraSheet(
            HEALTH_SHEET,
            about,
            HEALTH_COLUMNS,
            found,
            "health",
            lambda finding: site(finding.page(policy.slug)),
        )
    ]
