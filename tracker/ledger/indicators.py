"""The sheet of indicators: what the pages of the tasks show of them."""

from django.utils.translation import gettext as _

from tracker.columns import INDICATOR_COLUMNS
from tracker.ledger import styles
from tracker.ledger.writer import Extra
from tracker.models import Indicator
from tracker.models.task import TaskQuerySet


def sheets(tasks: TaskQuerySet) -> list[Extra]:
    """Return the sheet of the indicators of some tasks; none where there is no indicator. One query."""
    rows = list(Indicator.objects.of(tasks))
    about = _("one row an indicator: baseline, target, actual value, gap")
    return [Extra(styles.INDICATORS, about, INDICATOR_COLUMNS, rows, "indicators")] if rows else []
