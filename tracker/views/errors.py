"""What a reader sees when a page cannot be shown: why, and one next step."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that a request could not be read."""
    return _broken("400.html", 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that the account may not do this, and why if somebody said why."""
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page for this account."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that the fault is ours."""
    return _broken("500.html", 500)


def _broken(template: str, status: int) -> HttpResponse:
    """Render without the request.

    Report_context it, or the database behind it, may be what has failed.
    """
    facts = {
        "operator": settings.OPERATOR,
        "contact": settings.CONTACT,
        "version": settings.VERSION,
    }
    return HttpResponse(render_to_string(template, facts), status=status)
