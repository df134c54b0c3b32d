"""Ledgers and fill-in workbooks of a small policy: made, filled in as people do, and read back."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.utils.translation import override
from openpyxl import Workbook, load_workbook

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import Kind
from tracker.domain.dates import DAY, now
from tracker.excel import ledger, progress_import, progress_template, workbook_import
from tracker.excel.ledger import LedgerRequest
from tracker.models import ImportBatch, Organization, PolicyDocument, Task, User


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Speak English, so that tests name sheets and headers as the code does."""
    with override("en"):
        yield


@pytest.fixture
def handed_over(policy: PolicyDocument, bureau: Organization) -> list[Task]:
    """Hand three tasks over to the bureau: two quantified ones, and one with a checklist."""
    facts: dict[str, Any] = {
        "lead_unit": bureau,
        "assigned_on": TODAY - 60 * DAY,
        "owed_from": TODAY - 60 * DAY,
    }
    late = TODAY + 200 * DAY
    tasks = [
        make_task(
            policy,
            f"A1-0{number}",
            kind=Kind.QUANTIFIED,
            start=TODAY - 60 * DAY,
            deadline=late,
            **facts,
        )
        for number in (1, 2)
    ]
    listed = make_task(policy, "B1-01", kind=Kind.QUALITATIVE, deadline=late, **facts)
    for number in (1, 2):
        listed.items.create(number=number, title=f"step {number}")
    return [*tasks, listed]


def fresh(unit: Organization) -> Workbook:
    """Export the fill-in workbook of a unit and open it as people do."""
    file = BytesIO()
    progress_template.save_progress_template(
        progress_template.scope_of(unit, Task.objects.all(), TODAY), file
    )
    return load_workbook(file)


def headers(book: Workbook, name: str = "Fill in") -> dict[str, int]:
    """Return the columns of a sheet by their headers."""
    row = next(
        row for row in book[name].iter_rows() if any(cell.value == "task code" for cell in row)
    )
    return {" ".join(str(cell.value).split()): cell.column for cell in row}


def row_of(book: Workbook, code: str, name: str = "Fill in", step: int | None = None) -> int:
    """Return the row of a task, or of one of its steps."""
    places = headers(book, name)
    for row in book[name].iter_rows():
        if row[places["task code"] - 1].value == code and (
            step is None or row[places["step no."] - 1].value == step
        ):
            return row[0].row
    raise LookupError(code)


def fill(book: Workbook, code: str, step: int | None = None, **values: object) -> None:
    """Fill cells of a task in, by the names of their headers with low dashes."""
    name = "Fill in" if step is None else "Steps"
    places = headers(book, name)
    for header, value in values.items():
        book[name].cell(
            row_of(book, code, name, step), places[header.replace("_", " ")]
        ).value = value


def as_file(book: Workbook) -> BytesIO:
    file = BytesIO()
    book.save(file)
    file.seek(0)
    return file


def sent(book: Workbook, user: User | None) -> ImportBatch:
    """Send a workbook in; it is read and kept, and nothing has landed."""
    batch = workbook_import.read_workbook(as_file(book), "file.xlsx", user)
    batch = workflow.store_batch(batch, now())
    batch.refresh_from_db()
    return batch


def landed(batch: ImportBatch, user: User | None) -> progress_import.Preview:
    """Confirm a batch as it is previewed; return what was seen."""
    seen = progress_import.preview_progress(batch, user, TODAY)
    assert workbook_import.confirm_batch(batch, user, seen.digest, now()) is None
    return seen


Ask = Callable[..., LedgerRequest]


@pytest.fixture
def ask(policy: PolicyDocument) -> Ask:
    """Ask for the ledger of the policy; what a test does not say is plain."""

    def asked(**facts: Any) -> LedgerRequest:
        plain = {
            "policy": policy,
            "tasks": Task.objects.filter(policy=policy),
            "on": TODAY,
            "filters": [],
            "produced_by": "the office",
            "unit_scope": "",
            "link": lambda task: f"https://tracker.example/tasks/{task.code}",
        }
        return LedgerRequest(**(plain | facts))

    return asked


def saved(scope: LedgerRequest) -> BytesIO:
    """Save a ledger to memory."""
    file = BytesIO()
    ledger.save_ledger(scope, file)
    file.seek(0)
    return file


def opened(scope: LedgerRequest) -> Workbook:
    """Save a ledger and read it back."""
    return load_workbook(saved(scope))


def cover_text(book: Workbook) -> str:
    """Return all words of the cover."""
    return "\n".join(
        str(cell) for row in book["Cover"].iter_rows(values_only=True) for cell in row if cell
    )


def data(book: Workbook) -> list[dict[str, Any]]:
    """Return the cells of the data sheet, row by row, under their headers."""
    header, *rows = book["Data"].iter_rows()
    return [{head.value: cell for head, cell in zip(header, row, strict=True)} for row in rows]
