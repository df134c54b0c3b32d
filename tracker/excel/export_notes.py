"""Notes of an export, which the cover prints: what cells could not hold."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracker.domain import dates
from tracker.excel.cell_text import clean_cell_text
from tracker.reports.columns import NativeValue

MAX_NOTES = 100


class ExportNotes:
    """Collects notes; from MAX_NOTES on they are only counted."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._more = 0

    def text(self, text: str, *place: object) -> str:
        """Return what a cell can hold of a text, and note what it cannot."""
        text, lost = clean_cell_text(text)
        for loss in lost:
            self.say(" ".join(str(name) for name in place), loss)
        return text

    def native(self, value: NativeValue, *place: object) -> NativeValue:
        """Return what a cell can hold of a value, and note what it cannot."""
        if isinstance(value, str):
            text, lost = clean_cell_text(value)
            if lost:
                return self.text(value, *place)
            return text
        if isinstance(value, dt.datetime) and value.tzinfo:
            # Excel knows no time zones.
            return value.astimezone(dates.ZONE).replace(tzinfo=None)
        return value

    def say(self, place: str, text: str) -> None:
        """Note a sentence, or count it where there are too many to read."""
        if len(self._notes) < MAX_NOTES:
            self._notes.append(
                _("%(place)s: %(words)s") % {"place": clean_cell_text(place)[0], "words": text}
            )
        else:
            self._more += 1

    def lines(self) -> list[str]:
        """Return the notes, and how many more there were."""
        if not self._more:
            return self._notes
        return [
            *self._notes,
            ngettext("and %(count)d more", "and %(count)d more", self._more)
            % {"count": self._more},
        ]
