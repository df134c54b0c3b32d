"""From a list of tasks to a workbook: one pass over the rows, written to every sheet at once."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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
from tracker.excel.sheets import LIGHT, LedgerBook, Listing, SheetRow
from tracker.models import ChecklistItem, PolicyDocument, Task
from tracker.models.task import TaskQuerySet
from tracker.reports.columns import ITEM_COLUMNS, TASK_COLUMNS, WARNING_COLUMNS, Column, light_label

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

    `tasks` is cut to what the reader may see, filtered and ordered. `filters` says in words what
    was filtered, `unit_scope` names the unit whose tasks are all that the reader sees, `link` gives
    the absolute address of a task, or nothing where none is known. `paper` is that of the sheet to
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
    book = xlsx_writer.new_book()
    try:
        return _fill(book, scope)
    except BaseException:
        _discard(book)
        raise


def save_ledger(scope: LedgerRequest, file: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write the workbook to a path or an open file."""
    book = build_ledger(scope)
    try:
        xlsx_writer.save_book(book, file)
    except BaseException:
        _discard(book)
        raise


def ledger_filename(policy: PolicyDocument, on: dt.date) -> str:
    """Name the file: policy, ledger, day; without what file systems refuse."""
    title = safe_name(policy.title).encode("utf-8", "ignore")[:MAX_FILE_NAME]
    return _("%(policy)s_ledger_as_of_%(day)s.xlsx") % {
        "policy": title.decode("utf-8", "ignore").strip(" ."),
        "day": on.strftime("%Y%m%d"),
    }


def _discard(book: Workbook) -> None:
    """Remove the temporary files of a workbook that will never be saved: they hold what it says."""
    sheet: Any
    for sheet in book.worksheets:
        sheet.rows_file.close()
        if sheet._writer and Path(sheet._writer.out).exists():
            sheet._writer.cleanup()


def _fill(book: Workbook, scope: LedgerRequest) -> Workbook:
    policy = scope.policy
    notes = ExportNotes()
    if scope.total is None:
        total = scope.tasks.count()
    else:
        total = scope.total
    banded = total <= BANDED_SHEETS
    step_count = ChecklistItem.objects.filter(task__in=scope.tasks.order_by().values("pk")).count()
    links_tasks = _may_link(total, xlsx_writer.DATA, notes)
    links_steps = _may_link(step_count, xlsx_writer.STEPS, notes)
    title = notes.text(_("%(policy)s: work ledger") % {"policy": policy.title}, _("title"))
    by = notes.text(scope.produced_by, _("produced by"))
    unit = notes.text(scope.unit_scope, _("unit"))
    filters = notes.text(pgettext("between sentences", "; ").join(scope.filters), _("filters"))
    book.properties.title = title
    book.properties.creator = by
    day = _words_of(scope.on)
    count = ngettext("%(count)d task", "%(count)d tasks", total) % {"count": total}
    head = [_("Reporting unit: %(unit)s") % {"unit": unit or settings.OPERATOR or by}]
    if unit:
        head.append(_("this unit only"))
    if filters:
        head.append(_("Filtered: %(filters)s") % {"filters": filters})
    as_of = _("Data as of %(day)s, %(count)s") % {"day": day, "count": count}

    cover = Cover(book)
    ledger = LedgerBook(
        book, title, "    ".join(head), as_of, demo=policy.demo, banded=banded, paper=scope.paper
    )
    heading = f"{title}    {as_of}"
    data = Listing(book, xlsx_writer.DATA, TASK_COLUMNS, heading, "tasks")
    statistics_sheets.write_statistics(book, scope.tasks, policy, scope.on, heading, notes)
    warned = Listing(book, xlsx_writer.WARNINGS, WARNING_COLUMNS, heading, "warned", data)
    steps = Listing(book, xlsx_writer.STEPS, ITEM_COLUMNS, heading, "steps")
    # Red lights go before yellow ones: these wait.
    waiting: list[SheetRow] = []
    for number, task in enumerate(scope.tasks.bulk_rows(policy, LEDGER_CHUNK), 1):
        address = scope.link(task)
        if links_tasks:
            link = address
        else:
            link = ""
        row = data.row(task, scope.on, notes, task.code, link, number)
        if lines_needed(most := max(row.counts), xlsx_writer.SIZE) > MAX_ROW_HEIGHT:
            place = data.headers[row.counts.index(most)]
            notes.say(
                f"{task.code} {place}",
                _("too long to be printed whole in one row; the cell holds all of it"),
            )
        ledger.add(row)
        data.add(row)
        light = row.values[LIGHT - 1]
        if light == light_label(Light.RED, task.status):
            warned.add(warned.row(task, scope.on, notes, task.code, link, of=row))
        elif light == light_label(Light.YELLOW, task.status):
            waiting.append(warned.row(task, scope.on, notes, task.code, link, of=row))
        for item in task.steps:
            item.task = task
            steps.add(steps.row(item, scope.on, notes, task.code, address if links_steps else ""))
        scope.tell(number)
    for row in waiting:
        warned.add(row)
    ledger.close()
    for listing in (data, warned, steps):
        listing.close()
    for extra in scope.extras:
        listing = Listing(book, extra.name, extra.columns, heading, extra.table)
        if _may_link(len(extra.rows), extra.name, notes):
            leads = extra.link
        else:
            leads = None
        for thing in extra.rows:
            listing.add(
                listing.row(thing, scope.on, notes, str(extra.name), leads(thing) if leads else "")
            )
        listing.close()

    if not banded:
        notes.say(
            str(xlsx_writer.LEDGER),
            _("with more than %(limit)d tasks, sections and measures are not merged")
            % {"limit": BANDED_SHEETS},
        )
    if scope.on != dates.today():
        day = _("%(day)s; lights as they stand on %(day)s with what is known today") % {"day": day}
    within = pgettext("between sentences", "; ").join([_within(unit), count])
    facts = [
        (_("policy"), notes.text(_source(policy), _("policy"))),
        (_("scope"), within),
        (_("filters"), filters or _("no filter")),
        (_("data as of"), day),
        (
            _("produced by"),
            _("%(name)s, %(moment)s") % {"name": by, "moment": f"{dates.now():%Y-%m-%d %H:%M}"},
        ),
    ]
    if scope.paper == xlsx_writer.A3:
        paper = "A3"
    else:
        paper = "A4"
    contents = [
        (
            xlsx_writer.LEDGER,
            _("to print and to send up: %(paper)s landscape, by section and measure")
            % {"paper": paper},
        ),
        (
            xlsx_writer.DATA,
            _("to filter and to compute with: one row a task, real dates and numbers"),
        ),
        (
            xlsx_writer.UNITS,
            _("the figures of each unit that leads, ranked by closing rate, with a chart"),
        ),
        (xlsx_writer.PARTS, _("the figures of each section, with a chart")),
        (xlsx_writer.WARNINGS, _("red, then yellow lights: why, how many days over, who must act")),
        (xlsx_writer.STEPS, _("one row a step of a checklist")),
        *((extra.name, extra.about) for extra in scope.extras),
    ]
    cover.write(
        policy, title, facts, [(str(name), words) for name, words in contents], notes.lines()
    )
    return book


def _may_link(count: int, sheet: object, notes: ExportNotes) -> bool:
    """Say whether so many rows of a sheet may lead to a page, and note it where they may not."""
    if count > MAX_LINKS:
        notes.say(
            str(sheet),
            _("with more than %(limit)d rows, codes are no links") % {"limit": MAX_LINKS},
        )
    return count <= MAX_LINKS


def _source(policy: PolicyDocument) -> str:
    """Name the policy with who wrote and published it, and when."""
    known = [
        policy.title,
        policy.author,
        policy.publisher,
        policy.published_on and _words_of(policy.published_on),
    ]
    return pgettext("list", ", ").join(part for part in known if part)


def _within(unit: str) -> str:
    if unit:
        return _("this unit only: tasks that %(unit)s leads or co-operates in") % {"unit": unit}
    return _("all tasks of the policy")


def _words_of(day: dt.date) -> str:
    """Write a day as official papers do."""
    return _("%(year)d-%(month)02d-%(day)02d") % {
        "year": day.year,
        "month": day.month,
        "day": day.day,
    }
