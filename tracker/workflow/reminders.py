"""Reminders: what goes out is kept, what cannot be sent is not."""

import datetime as dt
from collections.abc import Callable

from tracker.models import SentReminder
from tracker.workflow.rows import save_row


def send_once(reminder: SentReminder, send: Callable[[], object], moment: dt.datetime) -> None:
    """Send a reminder and store that it was sent.

    Raises ValidationError where its address has been sent one that day. The row is saved first, so
    that of two runs only one sends; no lock is kept while the mail server answers.
    """
    save_row(reminder)
    try:
        send()
    except Exception:
        reminder.delete()
        raise
    reminder.sent_at = moment
    save_row(reminder)
