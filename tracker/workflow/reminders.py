"""Reminders: what goes out is kept, what cannot be sent is not."""

import datetime as dt
from collections.abc import Callable

from tracker.models import SentReminder
from tracker.workflow.rows import save_row


def send_once(reminder: SentReminder, send: Callable[[], object], moment: dt.datetime) -> None:
    """Send a reminder and keep that it was sent.

    Raise ValidationError where its address has had that day's.

    The row comes first, so that of two runs only one sends; no lock is held while the mail server
    is spoken to.
    """
    save_row(reminder)
    try:
        send()
    except Exception:
        reminder.delete()
        raise
    reminder.sent_at = moment
    save_row(reminder)
