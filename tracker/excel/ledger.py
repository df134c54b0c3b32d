"""From a list of tasks to a workbook: one pass over the rows, written to every sheet at once."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from openpyxl import Workbook

from tracker.domain import dates
from tracker.domain.choices import Light
from tracker.domain.progress_callback import ProgressCallback, ignore_progress
from tracker.excel import statistics_sheets, xlsx_writer
from tracker.excel.cell_text import MAX_ROW_HEIGHT, lines_needed, safe_name
from tracker.excel.cover import Cover
from tracker.excel.export_notes import ExportNotes
from tracker.excel.openpyxl_internals import discard_book, new_book, save_book
from tracker.excel.sheets import LIGHT_PLACE, LedgerBook, LedgerHead, Listing, SheetRow
from tracker.models import ChecklistItem, PolicyDocument, Task
from tracker.models.task import TaskQuerySet
from tracker.reports.columns import (
    ITEM_COLUMNS,
    TASK_COLUMNS,
    WARNING_COLUMNS,
    Column,
)
from tracker.reports.task_texts import light_label

# Rows up to which there are merged bands: beyond it merged ranges slow Excel down.
BANDED_SHEETS = 20_000
# Links of one sheet: past 65,530 Excel offers to repair the file.
MAX_LINKS = 65_000
# Tasks fetched at a time: bounds the memory. A ledger of any usual size is one chunk.
LEDGER_CHUNK = 5_000
MAX_FILE_NAME = 180  # bytes of the title in a file name; file systems take 255 for the whole


@dataclass(frozen=True)
class ExtraSheet:
    """One more sheet: its name, what the cover says of it, its columns and the things of its rows.

    `link` gives the absolute address that the code of a row leads to.
    """

    name: object
    about: str
    columns: Mapping[str, Column]
    rows: Sequence[Any]
    table: str
    link: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class LedgerRequest:
    """What a ledger is asked for: exactly these tasks, as of this day.

    `tasks` is what the reader may see, filtered and ordered. `filters` says what was filtered,
    `unit_scope` names the unit whose tasks are all that the reader sees, `link` returns the
    absolute address of a task, or nothing where none is known. `paper` is that of the sheet to
    print, `extras` are further sheets.
    """

    policy: PolicyDocument
    tasks: TaskQuerySet
    on: dt.date
    filters: list[str]
    produced_by: str
    unit_scope: str
    link: Callable[[Task], str]
    paper: int = xlsx_writer.A3
    extras: Sequence[ExtraSheet] = ()
    total: int | None = None  # of tasks, where they have been counted
    tell: ProgressCallback = ignore_progress  # called with the number of tasks that are written


def build_ledger(scope: LedgerRequest) -> Workbook:
    """Return the workbook; its rows stand in temporary files until it is saved, once."""
    book = new_book()
    try:
        return _fill(book, scope)
    except BaseException:
        discard_book(book)
        raise


def save_ledger(scope: LedgerRequest, file: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write the workbook to a path or an open file."""
    book = build_ledger(scope)
    try:
        save_book(book, file)
    except BaseException:
        discard_book(book)
        raise


def ledger_filename(policy: PolicyDocument, on: dt.date) -> str:
    """Name the file: policy, ledger, day; without what file systems refuse."""
    title = safe_name(policy.title).encode("utf-8", "ignore")[:MAX_FILE_NAME]
    return _("%(policy)s_ledger_as_of_%(day)s.xlsx") % {
        "policy": title.decode("utf-8", "ignore").strip(" ."),
        "day": on.strftime("%Y%m%d"),
    }


@dataclass(frozen=True)
class LedgerTexts:
    """The texts that several sheets of a ledger show, as their cells can hold them."""

    title: str
    produced_by: str
    unit: str
    filters: str
    day: str
    count: str

    @property
    def as_of(self) -> str:
        """Return the day and the number of tasks."""
        return _("Data as of %(day)s, %(count)s") % {"day": self.day, "count": self.count}

    @property
    def heading(self) -> str:
        """Return what is printed at the top of every page."""
        return f"{self.title}    {self.as_of}"

    @property
    def reporting_unit(self) -> str:
        """Return who reports, and what part of the tasks the ledger holds."""
        unit = self.unit or settings.OPERATOR or self.produced_by
        parts = [_("Reporting unit: %(unit)s") % {"unit": unit}]
        if self.unit:
            parts.append(_("this unit only"))
        if self.filters:
            parts.append(_("Filtered: %(filters)s") % {"filters": self.filters})
        return "    ".join(parts)


class TaskSheets:
    """The sheets with a row for each task or step, all written in one pass over the tasks."""

    def __init__(
        self,
        book: Workbook,
        scope: LedgerRequest,
        texts: LedgerTexts,
        notes: ExportNotes,
        *,
        banded: bool,
        linked: set[str],
    ) -> None:
        """Create the sheets in their order; `linked` names those whose rows lead to a page."""
        self._scope = scope
        self._notes = notes
        self._links_tasks = str(xlsx_writer.DATA) in linked
        self._links_steps = str(xlsx_writer.STEPS) in linked
        heading = texts.heading
        self._ledger = LedgerBook(
            book,
            LedgerHead(texts.title, texts.reporting_unit, texts.as_of, scope.policy.demo),
            banded=banded,
            paper=scope.paper,
        )
        self._data = Listing(book, xlsx_writer.DATA, TASK_COLUMNS, heading, "tasks")
        statistics_sheets.write_statistics(
            book, scope.tasks, scope.policy, scope.on, heading, notes
        )
        self._warnings = Listing(book, xlsx_writer.WARNINGS, WARNING_COLUMNS, heading, "warned")
        self._warnings.share_values_with(self._data)
        self._steps = Listing(book, xlsx_writer.STEPS, ITEM_COLUMNS, heading, "steps")
        self._yellow_rows: list[SheetRow] = []

    def write(self) -> None:
        """Write all rows and close the sheets."""
        tasks = self._scope.tasks.bulk_rows(self._scope.policy, LEDGER_CHUNK)
        for number, task in enumerate(tasks, 1):
            self._write_task(task, number)
            self._scope.tell(number)
        for row in self._yellow_rows:
            self._warnings.add(row)
        self._ledger.close()
        for listing in (self._data, self._warnings, self._steps):
            listing.close()

    def _write_task(self, task: Task, number: int) -> None:
        address = self._scope.link(task)
        link = ""
        if self._links_tasks:
            link = address
        row = self._data.row(task, self._scope.on, self._notes, task.code, link)
        row.values[0] = number
        self._note_height(task, row)
        self._ledger.add(row)
        self._data.add(row)
        self._write_warning(task, row, link)
        self._write_steps(task, address)

    def _note_height(self, task: Task, row: SheetRow) -> None:
        """Note a row that is too tall to be printed whole."""
        most_lines = max(row.counts)
        if lines_needed(most_lines, xlsx_writer.FONT_SIZE) > MAX_ROW_HEIGHT:
            header = self._data.headers[row.counts.index(most_lines)]
            self._notes.say(
                f"{task.code} {header}",
                _("too long to print in full in one row; the cell contains the full text"),
            )

    def _write_warning(self, task: Task, row: SheetRow, link: str) -> None:
        """Write the row of a red light, and keep that of a yellow one: all red ones go first."""
        light = row.values[LIGHT_PLACE - 1]
        is_red = light == light_label(Light.RED, task.status)
        if not is_red and light != light_label(Light.YELLOW, task.status):
            return
        warning = self._warnings.row(task, self._scope.on, self._notes, task.code, link, of=row)
        if is_red:
            self._warnings.add(warning)
        else:
            self._yellow_rows.append(warning)

    def _write_steps(self, task: Task, address: str) -> None:
        link = ""
        if self._links_steps:
            link = address
        for item in task.steps:
            item.task = task
            self._steps.add(self._steps.row(item, self._scope.on, self._notes, task.code, link))


def _fill(book: Workbook, scope: LedgerRequest) -> Workbook:
    """Write all sheets: the cover first, whose content is known last."""
    notes = ExportNotes()
    total = scope.total
    if total is None:
        total = scope.tasks.count()
    banded = total <= BANDED_SHEETS
    linked = _linked_sheets(scope, total, notes)
    texts = _texts(scope, total, notes)
    book.properties.title = texts.title
    book.properties.creator = texts.produced_by
    cover = Cover(book)
    TaskSheets(book, scope, texts, notes, banded=banded, linked=linked).write()
    for extra in scope.extras:
        _write_extra(book, extra, scope.on, texts.heading, notes)
    if not banded:
        notes.say(
            str(xlsx_writer.LEDGER),
            _("with more than %(limit)d tasks, sections and measures are not merged")
            % {"limit": BANDED_SHEETS},
        )
    facts = _facts(scope, texts, notes)
    cover.write(scope.policy, texts.title, facts, _contents(scope), notes.lines())
    return book


def _linked_sheets(scope: LedgerRequest, total: int, notes: ExportNotes) -> set[str]:
    """Return the names of the sheets of tasks and steps whose rows may lead to a page."""
    tasks = scope.tasks.order_by().values("pk")
    counts = {
        str(xlsx_writer.DATA): total,
        str(xlsx_writer.STEPS): ChecklistItem.objects.filter(task__in=tasks).count(),
    }
    return {sheet for sheet, count in counts.items() if _may_link(count, sheet, notes)}


def _texts(scope: LedgerRequest, total: int, notes: ExportNotes) -> LedgerTexts:
    title = _("%(policy)s: work ledger") % {"policy": scope.policy.title}
    filters = pgettext("between sentences", "; ").join(scope.filters)
    return LedgerTexts(
        title=notes.text(title, _("title")),
        produced_by=notes.text(scope.produced_by, _("produced by")),
        unit=notes.text(scope.unit_scope, _("unit")),
        filters=notes.text(filters, _("filters")),
        day=_written_day(scope.on),
        count=ngettext("%(count)d task", "%(count)d tasks", total) % {"count": total},
    )


def _write_extra(
    book: Workbook, extra: ExtraSheet, on: dt.date, heading: str, notes: ExportNotes
) -> None:
    listing = Listing(book, extra.name, extra.columns, heading, extra.table)
    may_link = _may_link(len(extra.rows), extra.name, notes)
    for thing in extra.rows:
        link = ""
        if extra.link and may_link:
            link = extra.link(thing)
        listing.add(listing.row(thing, on, notes, str(extra.name), link))
    listing.close()


def _facts(scope: LedgerRequest, texts: LedgerTexts, notes: ExportNotes) -> list[tuple[str, str]]:
    """Return what the cover says of the ledger: labels and texts."""
    day = texts.day
    if scope.on != dates.today():
        day = _("%(day)s; lights on %(day)s, based on what is known today") % {"day": day}
    tasks = [_tasks_in_scope(texts.unit), texts.count]
    values = {"name": texts.produced_by, "moment": f"{dates.now():%Y-%m-%d %H:%M}"}
    return [
        (_("policy"), notes.text(_source(scope.policy), _("policy"))),
        (_("scope"), pgettext("between sentences", "; ").join(tasks)),
        (_("filters"), texts.filters or _("no filter")),
        (_("data as of"), day),
        (_("produced by"), _("%(name)s, %(moment)s") % values),
    ]


def _contents(scope: LedgerRequest) -> list[tuple[str, str]]:
    """Return the names of the sheets, and what each is for."""
    paper = "A4"
    if scope.paper == xlsx_writer.A3:
        paper = "A3"
    ledger = _("for printing and submission: %(paper)s landscape, by section and measure")
    contents: list[tuple[object, str]] = [
        (xlsx_writer.LEDGER, ledger % {"paper": paper}),
        (
            xlsx_writer.DATA,
            _("for filtering and calculation: one row per task, real dates and numbers"),
        ),
        (
            xlsx_writer.UNITS,
            _("the figures of each lead unit, ranked by closing rate, with a chart"),
        ),
        (xlsx_writer.PARTS, _("the figures of each section, with a chart")),
        (xlsx_writer.WARNINGS, _("red, then yellow lights: why, how many days over, who must act")),
        (xlsx_writer.STEPS, _("one row per checklist step")),
    ]
    for extra in scope.extras:
        contents.append((extra.name, extra.about))
    return [(str(name), text) for name, text in contents]


def _may_link(count: int, sheet: object, notes: ExportNotes) -> bool:
    """Say whether so many rows of a sheet may lead to a page, and note it where they may not."""
    if count <= MAX_LINKS:
        return True
    notes.say(
        str(sheet), _("with more than %(limit)d rows, codes are not links") % {"limit": MAX_LINKS}
    )
    return False


def _source(policy: PolicyDocument) -> str:
    """Name the policy with who wrote and published it, and when."""
    parts = [policy.title, policy.author, policy.publisher]
    if policy.published_on:
        parts.append(_written_day(policy.published_on))
    return pgettext("list", ", ").join(filter(None, parts))


def _tasks_in_scope(unit: str) -> str:
    """Say whose tasks the ledger holds."""
    if unit:
        return _("this unit only: tasks that %(unit)s leads or co-operates in") % {"unit": unit}
    return _("all tasks of the policy")


def _written_day(day: dt.date) -> str:
    """Write a day as official papers do."""
    return _("%(year)d-%(month)02d-%(day)02d") % {
        "year": day.year,
        "month": day.month,
        "day": day.day,
    }
