"""The way in and out, the language of the pages, and the size of their type."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

YEAR = 365 * 24 * 3600

login = LoginView.as_view(redirect_authenticated_user=True)
logout = LogoutView.as_view()
language = login_not_required(set_language)


@login_not_required
@require_POST
def large_type(request: HttpRequest) -> HttpResponse:
    """Remember the size of type that a browser asks for, and go back to where it was asked for."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    answer = redirect(wanted if safe else "home")
    if request.POST.get("large") == "1":
        secure = settings.SESSION_COOKIE_SECURE
        answer.set_cookie(
            settings.LARGE_TYPE_COOKIE_NAME, "1", max_age=YEAR, httponly=True, samesite="Lax", secure=secure
        )
    else:
        answer.delete_cookie(settings.LARGE_TYPE_COOKIE_NAME, samesite="Lax")
    return answer
