"""From a list of tasks to a workbook: one pass over the rows, written to every sheet at once."""

import datetime as dt
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from openpyxl import Workbook

from tracker import dates
from tracker.columns import COLUMNS, Native
from tracker.ledger import styles
from tracker.ledger.cover import Cover
from tracker.ledger.sheets import HEADERS, Data, Ledger, row_of
from tracker.ledger.text import TALLEST, clean, needed
from tracker.models import PolicyDocument, Task
from tracker.models.task import TaskQuerySet

# Rows up to which there are merged bands and links: beyond it merged ranges slow Excel down, and
# past 65,530 links it offers to repair the file.
BANDED = 20_000
# Tasks fetched at a time: bounds the memory. A ledger of any usual size is one chunk.
CHUNK = 4_000
MOST_NOTES = 100
LONGEST_NAME = 180  # bytes of the title in a file name; file systems take 255 for the whole


@dataclass(frozen=True)
class Scope:
    """What a ledger is asked for: exactly these tasks, as of this day.

    `tasks` is cut to what the reader may see, filtered and ordered. `filters` says in words what
    was filtered, `unit_scope` names the unit whose tasks are all that the reader sees, `link`
    gives the absolute address of a task, or nothing where none is known.
    """

    policy: PolicyDocument
    tasks: TaskQuerySet
    on: dt.date
    filters: list[str]
    produced_by: str
    unit_scope: str
    link: Callable[[Task], str]


def build(scope: Scope) -> Workbook:
    """Return the workbook; its rows stand in temporary files until it is saved, once."""
    book = styles.new_book()
    try:
        return _fill(book, scope)
    except BaseException:
        _discard(book)
        raise


def save(scope: Scope, file: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write the workbook to a path or an open file."""
    book = build(scope)
    try:
        book.save(file)
    except BaseException:
        _discard(book)
        raise


def filename(policy: PolicyDocument, on: dt.date) -> str:
    """Name the file: policy, ledger, day; without what file systems refuse."""
    title = re.sub(r'[\\/:*?"<>|\x00-\x1f\x7f]', "_", policy.title).encode("utf-8", "ignore")[:LONGEST_NAME]
    return _("%(policy)s_ledger_as_of_%(day)s.xlsx") % {
        "policy": title.decode("utf-8", "ignore").strip(" ."),
        "day": on.strftime("%Y%m%d"),
    }


def _discard(book: Workbook) -> None:
    """Remove the temporary files of a workbook that will never be saved: they hold what it says."""
    sheet: Any
    for sheet in book.worksheets:
        writer = sheet._writer
        if writer and Path(writer.out).exists():
            if not sheet.closed:
                sheet.close()
            writer.cleanup()


class Notes:
    """What cells could not take, in words; the cover prints it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._more = 0

    def text(self, text: str, *place: object) -> str:
        """Return what a cell can hold of a text, and note what it cannot."""
        text, lost = clean(text)
        for words in lost:
            self.say(" ".join(str(name) for name in place), words)
        return text

    def native(self, value: Native, *place: object) -> Native:
        """Return what a cell can hold of a value, and note what it cannot."""
        if isinstance(value, str):
            return self.text(value, *place)
        if isinstance(value, dt.datetime) and value.tzinfo:
            # Excel knows no time zones.
            return value.astimezone(dates.ZONE).replace(tzinfo=None)
        return value

    def say(self, place: str, words: str) -> None:
        """Note a sentence, or count it where there are too many to read."""
        if len(self.said) < MOST_NOTES:
            self.said.append(_("%(place)s: %(words)s") % {"place": clean(place)[0], "words": words})
        else:
            self._more += 1

    def lines(self) -> list[str]:
        """Return the notes, and how many more there were."""
        if not self._more:
            return self.said
        return [*self.said, ngettext("and %(count)d more", "and %(count)d more", self._more) % {"count": self._more}]


def _fill(book: Workbook, scope: Scope) -> Workbook:
    policy, total, notes = scope.policy, scope.tasks.count(), Notes()
    banded = total <= BANDED
    title = notes.text(_("%(policy)s: work ledger") % {"policy": policy.title}, _("title"))
    by = notes.text(scope.produced_by, _("produced by"))
    unit = notes.text(scope.unit_scope, _("unit"))
    filters = notes.text(pgettext("between sentences", "; ").join(scope.filters), _("filters"))
    book.properties.title, book.properties.creator = title, by
    day = _words_of(scope.on)
    count = ngettext("%(count)d task", "%(count)d tasks", total) % {"count": total}
    head = [_("Reporting unit: %(unit)s") % {"unit": unit or settings.OPERATOR or by}]
    if unit:
        head.append(_("this unit only"))
    if filters:
        head.append(_("Filtered: %(filters)s") % {"filters": filters})

    cover = Cover(book)
    ledger = Ledger(
        book,
        title,
        "    ".join(head),
        _("Data as of %(day)s, %(count)s") % {"day": day, "count": count},
        demo=policy.demo,
        banded=banded,
    )
    data = Data(book)
    # The text of the policy, as long as a chapter, would come along with every task.
    tasks = scope.tasks.with_related().defer("policy__full_text")
    for number, task in enumerate(tasks.iterator(chunk_size=CHUNK), 1):
        values = [notes.native(column.value(task, scope.on), task.code, column.header) for column in COLUMNS.values()]
        row = row_of(number, task, values, scope.link(task) if banded else "")
        if needed(most := max(row.counts), styles.SIZE) > TALLEST:
            place = row.counts.index(most)
            notes.say(
                f"{task.code} {HEADERS[place]}", _("too long to be printed whole in one row; the cell holds all of it")
            )
        ledger.add(row)
        data.add(row)
    ledger.close()
    data.close()

    if not banded:
        notes.say(
            str(styles.LEDGER),
            _("with more than %(limit)d tasks, sections and measures are not merged and codes are no links")
            % {"limit": BANDED},
        )
    if scope.on != dates.today():
        day = _("%(day)s; lights as they stand on %(day)s with what is known today") % {"day": day}
    facts = [
        (_("policy"), notes.text(_source(policy), _("policy"))),
        (_("scope"), f"{_within(unit)}{pgettext('between sentences', '; ')}{count}"),
        (_("filters"), filters or _("no filter")),
        (_("data as of"), day),
        (_("produced by"), _("%(name)s, %(moment)s") % {"name": by, "moment": f"{dates.now():%Y-%m-%d %H:%M}"}),
    ]
    contents = [
        (str(styles.LEDGER), _("to print and to send up: A3 landscape, grouped by section and measure")),
        (str(styles.DATA), _("to filter and to compute with: one row a task, real dates and numbers")),
    ]
    cover.write(policy, title, facts, contents, notes.lines())
    return book


def _source(policy: PolicyDocument) -> str:
    """Name the policy with who wrote and published it, and when."""
    known = [policy.title, policy.author, policy.publisher, policy.published_on and _words_of(policy.published_on)]
    return pgettext("list", ", ").join(part for part in known if part)


def _within(unit: str) -> str:
    if unit:
        return _("this unit only: tasks that %(unit)s leads or co-operates in") % {"unit": unit}
    return _("all tasks of the policy")


def _words_of(day: dt.date) -> str:
    """Write a day as official papers do."""
    return _("%(year)d-%(month)02d-%(day)02d") % {"year": day.year, "month": day.month, "day": day.day}
