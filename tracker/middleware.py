"""What happens around every request."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import SimpleTemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _

from tracker import dates

KEPT = 1_000_000  # characters of a form that are kept when its session has ended


def language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Speak Chinese until the reader switches; what a browser was installed with does not count."""
    spoken = dict(settings.LANGUAGES)

    def middleware(request: HttpRequest) -> HttpResponse:
        wanted = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        code = wanted if wanted in spoken else settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = code
        with translation.override(code):
            response = get_response(request)
            # Lazy until now: rendered later it would speak the wrong language.
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response.render()
        response.headers.setdefault("Content-Language", code)
        return response

    return middleware


class AccountMiddleware(LoginRequiredMiddleware):
    """Let in who is logged in, for as long as a session lasts; a password of one's own comes first."""

    # What stands open to an account that has yet to choose its password.
    FIRST = ("password", "logout")

    def process_view(self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any) -> Any:
        guarded = getattr(view_func, "login_required", True)
        account = None
        if request.user.is_authenticated and not goes_on(request.session):
            account, before = request.user.pk, request.session.get("kept")
            logout(request)
            if before:
                request.session["kept"] = before
        elif not request.user.is_authenticated and request.method == "POST":
            # A page that saves by itself has told of the end before its reader does.
            account = request.session.get("kept", {}).get("user")
        if account and guarded and request.method == "POST":
            return redirect_to_login(keep(request, account))
        if request.user.is_authenticated and request.user.must_change_password and guarded:
            match = request.resolver_match
            if match is None or match.view_name not in self.FIRST:
                return redirect("password")
        return super().process_view(request, view_func, view_args, view_kwargs)


def goes_on(session: SessionBase) -> bool:
    """Say whether a session still lasts, and note that it is in use: once a minute, for each note is a write."""
    now = int(dates.now().timestamp())
    began, seen = session.get("began", now), session.get("seen", 0)
    if now - began >= settings.SESSION_LONGEST or (seen and now - seen >= settings.SESSION_IDLE):
        return False
    if now - seen >= 60:
        session["began"], session["seen"] = began, now
    return True


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Bring what a page of an earlier log-in sends back to its form, for the reader to look at and send again."""
    match = request.resolver_match
    if not request.user.is_authenticated or match is None or not getattr(match.func, "login_required", True):
        return render(request, "403_csrf.html", status=403)
    messages.warning(
        request, _("The page was from an earlier log-in. Nothing of it is saved yet: look, and send it again.")
    )
    return redirect(keep(request, request.user.pk))


def keep(request: HttpRequest, account: int) -> str:
    """Keep for an account what its ended session has sent; return the address of the form that it came from."""
    left, data = KEPT, {}
    for name, values in request.POST.lists():
        left -= sum(map(len, values))
        if left >= 0 and name != "csrfmiddlewaretoken" and "password" not in name:
            data[name] = values
    sender = urlsplit(request.headers.get("Referer", ""))
    own = sender.netloc == request.get_host()
    if data:
        request.session["kept"] = {"user": account, "path": sender.path if own else request.path, "data": data}
    return sender._replace(scheme="", netloc="").geturl() if own else request.get_full_path()
