"""Refuse null characters before a view reads them.

PostgreSQL stores none, and a query that holds one fails there.
"""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


class NullCharacterMiddleware:
    """Answer 404 to an address with a null character, and read none from headers and cookies.

    A header's are read as spaces, as RFC 9110 (5.5) says. A cookie may hold one as an escape: it is
    passed over. Forms and query strings are read by fields that refuse null characters in words.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name, value in request.META.items():
            if name.startswith("HTTP_") and isinstance(value, str) and "\0" in value:
                request.META[name] = value.replace("\0", " ")
        for name in [name for name, value in request.COOKIES.items() if "\0" in name + value]:
            del request.COOKIES[name]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: dict[str, Any]
    ) -> None:
        """Raise Http404 where a part of the address that names something holds a null character."""
        if "\0" in request.path:
            raise Http404
