"""Long work makes room for the pages of its process, and only for them."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from tracker.web import jobs, pages_under_way


def test_a_page_is_under_way_from_its_request_to_its_answer() -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(pages_under_way.any_page())
        return HttpResponse()

    pages_under_way.count_pages(view)(HttpRequest())
    assert (seen, pages_under_way.any_page()) == ([True], False)


def test_a_page_that_fails_is_under_way_no_more() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError):
        pages_under_way.count_pages(view)(HttpRequest())
    assert not pages_under_way.any_page()


@pytest.mark.parametrize(("busy", "pauses"), [(True, 2), (False, 0)])
def test_work_pauses_after_each_row_while_a_page_is_made(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: bool, pauses: int
) -> None:
    settings.WORKING_DIR = tmp_path
    slept: list[float] = []
    monkeypatch.setattr(jobs.time, "sleep", slept.append)
    monkeypatch.setattr(pages_under_way, "any_page", lambda: busy)

    def work(tell: jobs.ProgressCallback) -> str:
        tell(1)
        tell(2)
        return ""

    jobs.start_job("x", 2, work)
    assert len(slept) == pauses
