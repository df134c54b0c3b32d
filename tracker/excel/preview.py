"""What confirming an import would do, row by row; shown before anything is written."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import pgettext

from tracker.domain.parsing import tick_mark
from tracker.excel.import_feedback import Fault, ReadingNote, notes_as_json, notes_from

MAX_SHOWN_TYPED = 200  # characters of a typed value that a preview repeats
NOTHING = "—"  # in place of a value that is empty


@dataclass
class PreviewField:
    """One field of a row: its value when the file was made, now, and as the row has it."""

    header: str
    then: str
    now: str
    new: str


@dataclass
class PreviewRow:
    """A row as the preview shows it.

    Changed, unchanged, stale, another unit's by now, or at fault.
    """

    sheet: str
    row: int
    code: str
    state: str
    title: str = ""
    fields: list[PreviewField] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass
class Preview:
    """All rows of a batch, the changes that confirming it saves, and notes on what is not read."""

    entries: list[PreviewRow] = field(default_factory=list)
    changes: list[Any] = field(default_factory=list)
    notes: list[ReadingNote] = field(default_factory=list)

    @property
    def faults(self) -> list[Fault]:
        """Return all faults, in the order of the rows."""
        faults = []
        for entry in self.entries:
            faults += entry.faults
        return faults

    @property
    def counts(self) -> Counter[str]:
        """Count the rows of each state."""
        return Counter(entry.state for entry in self.entries)

    @property
    def digest(self) -> str:
        """Return a hash of what a person sees: that is what is confirmed."""
        return hashlib.sha256(repr(self.entries).encode("utf-8", "replace")).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """Return what a page shows of it; of the changes their number alone."""
        return {
            "entries": [asdict(entry) for entry in self.entries],
            "changes": len(self.changes),
            "notes": notes_as_json(self.notes),
        }


def preview_from(stored: Mapping[str, Any]) -> Preview:
    """Make the preview that a page shows of what was stored of it."""
    entries = []
    for entry in stored["entries"]:
        fields = [PreviewField(**each) for each in entry["fields"]]
        faults = [Fault(**each) for each in entry["faults"]]
        entries.append(PreviewRow(**{**entry, "fields": fields, "faults": faults}))
    return Preview(entries, list(range(stored["changes"])), notes_from(stored["notes"]))


def join_names(names: Iterable[str]) -> str:
    """Return names as a list in one line; a dash for none."""
    return pgettext("list", ", ").join(names) or NOTHING


def preview_text(value: object) -> str:
    """Return a value as the preview shows it; a dash for none."""
    if isinstance(value, bool):
        return tick_mark(value)
    if value is None or value == "":
        return NOTHING
    return str(value)
