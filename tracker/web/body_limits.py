"""Which bodies are read: who asks and how much is sent is checked before a form is parsed.

Files are parsed for those who are logged in alone. Of a form whose session has ended the text is
kept, and its files are read past without being stored.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from tracker.domain import evidence
from tracker.domain.disk import MEGABYTE
from tracker.excel.guard import MAX_WORKBOOK_BYTES
from tracker.text.file_reader import MAX_TEXT_FILE_BYTES
from tracker.web import late_forms
from tracker.web.sessions import is_live

GetResponse = Callable[[HttpRequest], HttpResponseBase]
STRANGERS_BYTES = 64 * 1024  # a log-in, a choice of language
FORM_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
EVIDENCE_BYTES = FORM_BYTES + evidence.MAX_EVIDENCE_FILES * evidence.MAX_EVIDENCE_BYTES
TEXT_BYTES = FORM_BYTES + MAX_TEXT_FILE_BYTES
# Name of an address -> how much one request may send there; everywhere else a form without files.
UPLOAD_BYTES = {
    "imports": FORM_BYTES + MAX_WORKBOOK_BYTES,
    "report": EVIDENCE_BYTES,
    "step": EVIDENCE_BYTES,
    "new": TEXT_BYTES,
    "admin:tracker_policydocument_add": TEXT_BYTES,
    "admin:tracker_policydocument_change": TEXT_BYTES,
}


class DiscardHandler(FileUploadHandler):
    """Read a file past without storing it; only its name is kept."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Drop a piece of the file."""

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        name = self.file_name
        kind = self.content_type
        return InMemoryUploadedFile(BytesIO(), self.field_name, name, kind, 0, self.charset)


def limit_bodies(get_response: GetResponse) -> GetResponse:
    """Refuse a body that is too large or sent by a stranger, before it is read."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return get_response(request)
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
            text = _("The browser did not say how large the request is.")
            return refuse_body(request, text, 411)
        is_member = request.user.is_authenticated and is_live(request.session)
        most = allowed_bytes(request, is_member)
        if length.isascii() and length.isdigit() and int(length) > most:
            return refuse_body(request, _words_of(most, is_member), 413)
        if not is_member:
            request.upload_handlers = [DiscardHandler(request)]  # type: ignore[assignment]
        return get_response(request)

    return middleware


def allowed_bytes(request: HttpRequest, is_member: bool) -> int:
    """Return how large the body of a request may be, by its address and by who sends it."""
    if not is_member and not late_forms.has_remembered_login(request):
        return STRANGERS_BYTES
    try:
        name = resolve(request.path_info).view_name
    except Resolver404:
        return STRANGERS_BYTES
    return UPLOAD_BYTES.get(name, FORM_BYTES)


def refuse_body(request: HttpRequest, text: str, status: int) -> HttpResponse:
    """Answer a request whose body is not read."""
    if late_forms.wants_json(request):
        return late_forms.refuse_in_words(text, status)
    # What is left unread is the server's to deal with: a header of the connection is not a page's
    # to set.
    context: dict[str, Any] = {"words": text}
    return render(request, "413.html", context, status=status)


def _words_of(most: int, is_member: bool) -> str:
    if not is_member:
        return _("Log in first: only logged-in users can upload files.")
    return _("A request may contain at most %(most)d MB here.") % {"most": most // MEGABYTE}
