"""A full disk: what was sent is shown again to be sent once more, and reading goes on."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from tracker.domain.disk import is_disk_full
from tracker.web import sqlite_files

DISK_FULL_STATUS = 507  # insufficient storage
UNSHOWN_FIELDS = ("csrfmiddlewaretoken",)
disk_logger = logging.getLogger("django.tracker")


class DiskFullMiddleware:
    """Answer in words, with all that was typed, where a full disk kept a page from writing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sqlite_files.keep_open()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Stop before a view whose upload did not find room."""
        # Which files there are says only the body, read to its end.
        missing = (
            request.method == "POST"
            and request.FILES is not None
            and getattr(request, "upload_without_room", False)
        )
        if missing:
            return disk_full_response(request)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for a view that met a full disk."""
        if not is_disk_full(error):
            return None
        disk_logger.error("The disk is full: %s answered without writing.", request.path)
        return disk_full_response(request)


def disk_full_response(request: HttpRequest) -> HttpResponse:
    """Say that nothing was saved, and give back what was typed, to be sent again."""
    text = _("The server disk is full. Nothing was saved; call the administrator.")
    if request.headers.get("X-Autosave"):
        return JsonResponse({"faults": [text]}, status=DISK_FULL_STATUS)
    typed = []
    for name, values in request.POST.lists():
        if name not in UNSHOWN_FIELDS and "password" not in name:
            typed += [(name, value) for value in values]
    files = []
    for _name, uploads in request.FILES.lists():
        files += [upload.name for upload in uploads]
    lost = bool(files) or getattr(request, "upload_without_room", False)
    context = {
        "words": text,
        "typed": typed,
        "files": files,
        "lost": lost,
        "sent": request.method == "POST",
    }
    return render(request, "tracker/disk_full.html", context, status=DISK_FULL_STATUS)
