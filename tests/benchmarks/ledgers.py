"""The ledger's writing and reading beside its peers.

The same rows, the same cells, the same looks.
"""

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.benchmarks.table import tell

SIZES = (1_000, 10_000, 100_000)
DAYS = dt.datetime(1899, 12, 30)


def best(work: Callable[[], object], runs: int) -> float:
    """Return the least seconds of the processor that some runs took.

    What else the machine does is left out.
    """
    seconds = []
    for _run in range(runs):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def rows_of(policy: Any, on: dt.date) -> list[Any]:
    """Make the rows of the ledger beforehand, so that the writing alone is timed."""
    from tracker.excel.export_notes import ExportNotes
    from tracker.excel.openpyxl_internals import new_book
    from tracker.excel.sheets import Listing
    from tracker.models import Task
    from tracker.reports.columns import TASK_COLUMNS

    notes = ExportNotes()
    listing = Listing(new_book(), "x", TASK_COLUMNS, "", "x")
    tasks = Task.objects.filter(policy=policy).order_by("code").with_related()
    rows = []
    for number, task in enumerate(tasks.iterator(chunk_size=5_000), 1):
        row = listing.row(task, on, notes, task.code, f"http://localhost/{task.code}")
        row.values[0] = number
        rows.append(row)
    return rows


def ours(rows: list[Any], banded: bool) -> None:
    """Write both sheets of the rows as the product does."""
    from tracker.excel import xlsx_writer
    from tracker.excel.openpyxl_internals import new_book
    from tracker.excel.sheets import LedgerBook, LedgerHead, Listing
    from tracker.reports.columns import TASK_COLUMNS

    book = new_book()
    head = LedgerHead("title", "left", "right", demo=False)
    ledger = LedgerBook(book, head, banded=banded, paper=xlsx_writer.A3)
    data = Listing(book, "data", TASK_COLUMNS, "", "tasks")
    for row in rows:
        ledger.add(row)
        data.add(row)
    ledger.close()
    data.close()
    book.save(BytesIO())


def theirs(rows: list[Any], banded: bool) -> None:
    """Let XlsxWriter write the same cells with the same looks."""
    import xlsxwriter

    from tracker.excel.cell_text import row_height
    from tracker.excel.sheets import COLUMN_WIDTHS
    from tracker.reports.columns import TASK_COLUMNS, TEXT

    with xlsxwriter.Workbook(
        BytesIO(), {"constant_memory": not banded, "strings_to_urls": False}
    ) as book:
        common = {
            "font_name": "FangSong",
            "font_size": 11,
            "text_wrap": True,
            "border": 1,
            "valign": "vcenter",
        }
        looks = [book.add_format({**common, "num_format": "0", "align": "center"})]
        for column in TASK_COLUMNS.values():
            centred = column.format != TEXT or column.width < 14
            align = "center" if centred else "left"
            looks.append(book.add_format({**common, "num_format": column.format, "align": align}))
        link = book.add_format({**common, "font_color": "blue", "underline": 1})
        for name in ("ledger", "data"):
            sheet = book.add_worksheet(name)
            sheet.set_landscape()
            sheet.freeze_panes(3, 4)
            for place, width in enumerate(COLUMN_WIDTHS):
                sheet.set_column(place, place, width)
            before: list[Any] = [None, None]
            firsts = [0, 0]
            for number, row in enumerate(rows, 3):
                sheet.set_row(number, row_height(max(row.counts), 11))
                for place, value in enumerate(row.values):
                    if value is None:
                        sheet.write_blank(number, place, None, looks[place])
                    elif isinstance(value, str):
                        if place == 3 and banded:
                            sheet.write_url(number, place, row.link, link, value)
                        else:
                            sheet.write_string(number, place, value, looks[place])
                    elif isinstance(value, dt.date):
                        sheet.write_datetime(number, place, value, looks[place])
                    else:
                        sheet.write_number(number, place, value, looks[place])
                if banded and name == "ledger":
                    for band, place in enumerate((1, 2)):
                        if row.values[place] != before[band]:
                            if number - 1 > firsts[band] > 0:
                                sheet.merge_range(
                                    firsts[band],
                                    place,
                                    number - 1,
                                    place,
                                    before[band],
                                    looks[place],
                                )
                            firsts[band], before[band] = number, row.values[place]


def writing(policy: Any, size: int) -> None:
    """Print our writing beside XlsxWriter's."""
    from tracker.domain.dates import today
    from tracker.excel.ledger import BANDED_SHEETS

    rows, banded = rows_of(policy, today()), size <= BANDED_SHEETS
    runs = 5 if size < 10_000 else 3 if size < 50_000 else 1
    mine, peer = best(lambda: ours(rows, banded), runs), best(lambda: theirs(rows, banded), runs)
    name = f"writing {size:,} tasks x 20 columns x 2 sheets; XlsxWriter the same"
    tell(name, mine, peer, "1.5" if banded else "2.2")


def whole(policy: Any, size: int) -> None:
    """Print the whole export beside those of both Django packages, of the same tasks and columns."""
    from django_tables2 import Column, Table
    from django_tables2.export import TableExport
    from import_export import fields, resources

    from tracker.domain.dates import today
    from tracker.excel import ledger
    from tracker.models import Task
    from tracker.reports.columns import TASK_COLUMNS

    on = today()
    tasks = Task.objects.filter(policy=policy).order_by("code")
    scope = ledger.LedgerRequest(
        policy, tasks, on, [], "bench", "", lambda task: f"http://localhost/{task.code}"
    )

    def make(column: Any) -> Any:
        return lambda self, task: column.value(task, on)

    def shown(column: Any) -> Any:
        return lambda self, record: column.value(record, on)

    resource_class = type(
        "TaskResource",
        (resources.Resource,),
        {
            column.name: fields.Field(column_name=str(column.header))
            for column in TASK_COLUMNS.values()
        }
        | {f"dehydrate_{column.name}": make(column) for column in TASK_COLUMNS.values()},
    )
    table_class = type(
        "TaskSheet",
        (Table,),
        {
            column.name: Column(verbose_name=str(column.header), empty_values=())
            for column in TASK_COLUMNS.values()
        }
        | {f"value_{column.name}": shown(column) for column in TASK_COLUMNS.values()},
    )
    runs = 3 if size <= 10_000 else 1
    mine = best(lambda: ledger.save_ledger(scope, BytesIO()), runs)
    peers = {
        "django-import-export": lambda: (
            resource_class().export(queryset=tasks.with_related()).export("xlsx")
        ),
        "django-tables2's export": lambda: TableExport(
            "xlsx", table_class(tasks.with_related())
        ).export(),
    }
    for name, work in peers.items():
        tell(
            f"whole ledger of {size:,} tasks, 7 sheets; {name}, 1 sheet",
            mine,
            best(work, runs),
            "below 1",
        )


def memory(policy: Any, size: int) -> None:
    """Print how much memory an export of so many rows takes above the start, in a process of its
    own.
    """
    script = (
        "import re, django; django.setup()\n"
        "def peak(): return int(re.search(r'VmHWM:\\s+(\\d+)', "
        "open('/proc/self/status').read())[1])\n"
        "from tracker.excel import ledger; from tracker.domain.dates import today\n"
        "from tracker.models import PolicyDocument, Task\n"
        f"policy = PolicyDocument.objects.get(pk={policy.pk})\n"
        "tasks = Task.objects.filter(policy=policy)\n"
        "def scope(tasks): return ledger.LedgerRequest(policy, tasks, today(), [], 'bench', '', lambda "
        "task: '')\n"
        "ledger.save_ledger(scope(tasks.filter(pk__in=[])), '/dev/null')\n"
        "start = peak()\n"
        "ledger.save_ledger(scope(tasks), '/dev/null')\n"
        "print((peak() - start) / 1000)\n"
    )
    root = Path(__file__).resolve().parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, check=True, capture_output=True, text=True
    )
    tell(
        f"memory of an export of {size:,} tasks above the start", float(done.stdout), 0, "150", "MB"
    )


def reading(size: int) -> None:
    """Print the reading of a fill-in workbook, preview and all, beside a bare pass of openpyxl over
    the file.
    """
    from openpyxl import load_workbook

    from tests.factories import make_many, make_policy
    from tracker.domain.choices import Status
    from tracker.domain.dates import today
    from tracker.excel import progress_template, workbook_import
    from tracker.excel.progress_rows import states_percent
    from tracker.models import Organization, Task

    policy, on = make_policy("bench-reading"), today()
    make_many(policy, size)
    unit, tasks = Organization.objects.first(), Task.objects.filter(policy=policy)
    tasks.update(
        lead_unit=unit, status=Status.IN_PROGRESS, closed_on=None, closing_requested_on=None
    )
    # A unit that leads a task does not help in it: such a task would stand in the workbook twice,
    # as a fault.
    Task.co_units.through.objects.filter(task__policy=policy, organization=unit).delete()
    scope = progress_template.scope_of(unit, tasks, on)
    for number, row in enumerate(scope.rows):
        row.typed = {"progress": f"done so much {number}"}
        if states_percent(row):
            row.typed["percent"] = 0.5
    file = BytesIO()
    progress_template.save_progress_template(scope, file)

    def mine() -> None:
        workbook_import.preview_batch(workbook_import.read_workbook(file, "x", None), None, on)

    assert not workbook_import.preview_batch(
        workbook_import.read_workbook(file, "x", None), None, on
    ).faults

    def bare() -> None:
        file.seek(0)
        for sheet in load_workbook(file, read_only=True).worksheets:
            for _row in sheet.iter_rows(values_only=True):
                pass

    tell(
        f"reading {size:,} rows with preview; a bare pass of openpyxl",
        best(mine, 2),
        best(bare, 2),
        "2",
    )


def run() -> None:
    """Print everything; one policy grows from size to size."""
    from tests.factories import make_many, make_policy

    policy = make_policy("bench-ledger")
    for size in SIZES:
        make_many(policy, size)
        writing(policy, size)
        whole(policy, size)
    memory(policy, SIZES[-1])
    reading(10_000)
