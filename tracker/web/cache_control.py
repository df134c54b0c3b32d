"""What browsers may keep of an answer."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

NextHandler = Callable[[HttpRequest], HttpResponseBase]


def no_store(get_response: NextHandler) -> NextHandler:
    """Let no browser keep an answer: after a log-out Back would show it again.

    Static files are answered before this middleware and stay cacheable.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    return middleware
