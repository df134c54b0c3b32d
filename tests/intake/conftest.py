"""Fill-in workbooks that go out, are filled in as people do, and come back."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.utils.translation import override
from openpyxl import Workbook, load_workbook

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import intake, workflow
from tracker.choices import Kind
from tracker.dates import DAY, now
from tracker.intake import progress
from tracker.ledger import fillin
from tracker.models import ImportBatch, Organization, PolicyDocument, Task, User


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Speak English, so that tests name sheets and headers as the code does."""
    with override("en"):
        yield


@pytest.fixture
def handed_over(policy: PolicyDocument, bureau: Organization) -> list[Task]:
    """Hand three tasks over to the bureau: two quantified ones, and one with a checklist."""
    facts: dict[str, Any] = {"lead_unit": bureau, "assigned_on": TODAY - 60 * DAY, "owed_from": TODAY - 60 * DAY}
    late = TODAY + 200 * DAY
    tasks = [
        make_task(policy, f"A1-0{number}", kind=Kind.QUANTIFIED, start=TODAY - 60 * DAY, deadline=late, **facts)
        for number in (1, 2)
    ]
    listed = make_task(policy, "B1-01", kind=Kind.QUALITATIVE, deadline=late, **facts)
    for number in (1, 2):
        listed.items.create(number=number, title=f"step {number}")
    return [*tasks, listed]


def fresh(unit: Organization) -> Workbook:
    """Export the fill-in workbook of a unit and open it as people do."""
    file = BytesIO()
    fillin.save(fillin.scope_of(unit, Task.objects.all(), TODAY), file)
    return load_workbook(file)


def headers(book: Workbook, name: str = "Fill in") -> dict[str, int]:
    """Return the columns of a sheet by their headers."""
    row = next(row for row in book[name].iter_rows() if any(cell.value == "task code" for cell in row))
    return {" ".join(str(cell.value).split()): cell.column for cell in row}


def row_of(book: Workbook, code: str, name: str = "Fill in", step: int | None = None) -> int:
    """Return the row of a task, or of one of its steps."""
    places = headers(book, name)
    for row in book[name].iter_rows():
        if row[places["task code"] - 1].value == code and (step is None or row[places["step no."] - 1].value == step):
            return row[0].row
    raise LookupError(code)


def fill(book: Workbook, code: str, step: int | None = None, **values: object) -> None:
    """Fill cells of a task in, by the names of their headers with low dashes."""
    name = "Fill in" if step is None else "Steps"
    places = headers(book, name)
    for header, value in values.items():
        book[name].cell(row_of(book, code, name, step), places[header.replace("_", " ")]).value = value


def as_file(book: Workbook) -> BytesIO:
    file = BytesIO()
    book.save(file)
    file.seek(0)
    return file


def sent(book: Workbook, user: User | None) -> ImportBatch:
    """Send a workbook in; it is read and kept, and nothing has landed."""
    batch = intake.read(as_file(book), "file.xlsx", user)
    batch = workflow.keep(batch, now())
    batch.refresh_from_db()
    return batch


def landed(batch: ImportBatch, user: User | None) -> progress.Preview:
    """Confirm a batch as it is previewed; return what was seen."""
    seen = progress.preview(batch, user, TODAY)
    assert progress.confirm(batch, user, seen.digest, now()) is None
    return seen
