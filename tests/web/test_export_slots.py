"""At most two large exports run at a time; the next one is told so at once."""

from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_task
from tracker.models import PolicyDocument
from tracker.web import export_slots
from tracker.web.export_slots import ExportsBusy, export_slot

ADDRESSES = ["ledger.xlsx", "fill-in.zip", "checklist.xlsx"]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> Any:
    """Let every export count as large, and two of them run."""
    settings.WORKING_DIR = tmp_path
    monkeypatch.setattr(export_slots, "HEAVY_ROWS", 1)
    with ExitStack() as stack:
        for _number in range(2):
            stack.enter_context(export_slot(1))
        yield stack


def test_a_third_large_export_gets_no_slot(busy: ExitStack) -> None:
    with pytest.raises(ExportsBusy), export_slot(1):
        pass


def test_a_slot_is_free_again_after_an_export(busy: ExitStack) -> None:
    busy.close()
    with export_slot(1):
        pass


def test_a_small_export_needs_no_slot(busy: ExitStack) -> None:
    with export_slot(0):
        pass


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_third_export_is_told_to_try_again(
    busy: ExitStack, office: Client, policy: PolicyDocument, name: str
) -> None:
    make_task(policy)
    answer = office.get(f"/policies/rise/{name}?on=2026-07-01")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert f'href="/policies/rise/{name}?on=2026-07-01"' in answer.text


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_large_export_takes_a_free_slot(
    busy: ExitStack, office: Client, policy: PolicyDocument, name: str
) -> None:
    make_task(policy)
    busy.close()
    answer = office.get(f"/policies/rise/{name}")
    answer.getvalue()
    assert answer.status_code == 200
