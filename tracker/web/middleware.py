"""What happens around every request."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import SimpleTemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _

from tracker.domain import dates
from tracker.web import late_forms
from tracker.web.sessions import is_live

READING_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


def language_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Use Chinese until the reader switches, whatever language the browser asks for."""
    spoken = dict(settings.LANGUAGES)

    def middleware(request: HttpRequest) -> HttpResponse:
        code = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if code not in spoken:
            code = settings.LANGUAGE_CODE
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
    """Require a log-in, for as long as a session lasts.

    An account whose password somebody else has set must choose its own first.
    """

    # The pages of an account that has yet to choose its password.
    FIRST_PAGES = ("password", "logout")

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> Any:
        guarded = getattr(view_func, "login_required", True)
        sent = request.method not in READING_METHODS
        account = None
        if request.user.is_authenticated and not touch_session(request.session):
            account = request.user.pk
            late_forms.end_session(request)
        if guarded and sent and not request.user.is_authenticated:
            return late_forms.refuse_late(request, account or late_forms.account_key(request))
        if guarded and self._needs_password(request):
            return self._ask_for_password(request, sent)
        return super().process_view(request, view_func, view_args, view_kwargs)

    def _needs_password(self, request: HttpRequest) -> bool:
        """Say whether an account has to choose a password before it may open a page."""
        if not request.user.is_authenticated or not request.user.must_change_password:
            return False
        match = request.resolver_match
        return match is None or match.view_name not in self.FIRST_PAGES

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not hasattr(request, "user"):
            return response
        if response.status_code == 405 and request.method == "GET":
            response = answer_button_address(request, response)
        if (
            response.status_code == 302
            and request.method == "POST"
            and request.user.is_authenticated
        ):
            # What is sent again from the page of late forms has arrived.
            late_forms.forget_post_by_key(request, request.POST.get(late_forms.KEY_FIELD, ""))
        late_forms.remember_login(request, response)
        return response

    def _ask_for_password(self, request: HttpRequest, sent: bool) -> HttpResponse:
        if sent:
            late_forms.save_post(request, request.user.pk)
        if late_forms.wants_json(request):
            return late_forms.refuse_in_words(
                _("Choose your own password first; then you can continue on this page.")
            )
        return redirect("password")


def touch_session(session: SessionBase) -> bool:
    """Say whether a session still lasts, and record that it is in use.

    At most once a minute: recording is a write.
    """
    if not is_live(session):
        return False
    now = int(dates.now().timestamp())
    if now - session.get("seen", 0) >= 60:
        session.setdefault("began", now)
        session["seen"] = now
    return True


def answer_button_address(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Redirect from the address of a button to the kept form, or answer 405 as a page."""
    if late_forms.saved_posts(request, request.user.pk):
        return redirect("kept")
    page = render(request, "405.html", status=405)
    page.headers["Allow"] = response.headers.get("Allow", "")
    return page


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show a form that a page of an earlier log-in sent again, to be looked at and sent.

    What another site has sent is not kept; what belongs to another account is kept for that one
    alone.
    """
    match = request.resolver_match
    present = None
    if request.user.is_authenticated and is_live(request.session):
        present = request.user.pk
    account = None
    if match is not None and getattr(match.func, "login_required", True):
        account = late_forms.account_key(request, present)
    if account:
        return _answer_old_page(request, account, present)
    if late_forms.wants_json(request):
        return late_forms.refuse_in_words(
            _("The page is out of date: reload it. Nothing was saved.")
        )
    return render(request, "403_csrf.html", status=403)


def _answer_old_page(request: HttpRequest, account: int, present: int | None) -> HttpResponse:
    """Answer what a page sends that was opened by an account, who may have logged out since."""
    if present is None:
        return late_forms.refuse_late(request, account)
    if account != present:
        answer = late_forms.refuse_other(request, account)
        return answer or render(request, "403_csrf.html", {"other_account": True}, status=403)
    if late_forms.wants_json(request):
        return late_forms.renew_token(request)
    late_forms.save_post(request, account)
    text = _(
        "The page was opened in an earlier session. Nothing is saved yet: check it and submit it "
        "again."
    )
    messages.warning(request, text)
    return redirect(late_forms.return_address(request))
