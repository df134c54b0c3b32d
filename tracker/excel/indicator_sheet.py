"""The sheet of indicators: what the pages of the tasks show of them."""

from django.utils.translation import gettext as _

from tracker.excel import xlsx_writer
from tracker.excel.ledger import ExtraSheet
from tracker.models import Indicator
from tracker.models.task import TaskQuerySet
from tracker.reports.columns import INDICATOR_COLUMNS


def indicator_sheets(tasks: TaskQuerySet) -> list[ExtraSheet]:
    """Return the sheet of the indicators of some tasks; none where there is no indicator.

    One query.
    """
    rows = list(Indicator.objects.of(tasks))
    about = _("one row per indicator: baseline, target, actual value, gap")
    if rows:
        return [
            ExtraSheet(xlsx_writer.INDICATORS_SHEET, about, INDICATOR_COLUMNS, rows, "indicators")
        ]
    return []
