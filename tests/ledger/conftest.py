"""Ledgers of a small policy: asked for, saved, and opened again."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.utils.translation import override
from openpyxl import Workbook, load_workbook

from tests.conftest import TODAY
from tracker import ledger
from tracker.ledger import Scope
from tracker.models import PolicyDocument, Task

Ask = Callable[..., Scope]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Speak English, so that tests name sheets and headers as the code does."""
    with override("en"):
        yield


@pytest.fixture
def ask(policy: PolicyDocument) -> Ask:
    """Ask for the ledger of the policy; what a test does not say is plain."""

    def asked(**facts: Any) -> Scope:
        plain = {
            "policy": policy,
            "tasks": Task.objects.filter(policy=policy),
            "on": TODAY,
            "filters": [],
            "produced_by": "the office",
            "unit_scope": "",
            "link": lambda task: f"https://tracker.example/tasks/{task.code}",
        }
        return Scope(**(plain | facts))

    return asked


def saved(scope: Scope) -> BytesIO:
    """Save a ledger to memory."""
    file = BytesIO()
    ledger.save(scope, file)
    file.seek(0)
    return file


def opened(scope: Scope) -> Workbook:
    """Save a ledger and read it back."""
    return load_workbook(saved(scope))


def cover_text(book: Workbook) -> str:
    """Return all words of the cover."""
    return "\n".join(str(cell) for row in book["Cover"].iter_rows(values_only=True) for cell in row if cell)


def data(book: Workbook) -> list[dict[str, Any]]:
    """Return the cells of the data sheet, row by row, under their headers."""
    header, *rows = book["Data"].iter_rows()
    return [{head.value: cell for head, cell in zip(header, row, strict=True)} for row in rows]
