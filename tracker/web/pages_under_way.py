"""How many pages this process makes at the moment: long work makes room for them."""

import threading
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase


class _Count:
    number = 0
    changing = threading.Lock()


def count_pages(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Count each request from its beginning to its answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        _change(1)
        try:
            return get_response(request)
        finally:
            _change(-1)

    return middleware


def any_page() -> bool:
    """Say whether a page is being made."""
    return _Count.number > 0


def _change(by: int) -> None:
    with _Count.changing:
        _Count.number += by
