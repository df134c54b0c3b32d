"""The way in and out, the language of the pages, and the size of their type."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from tracker import permissions
from tracker.views import edge

YEAR = 365 * 24 * 3600


class Login(LoginView):
    """Let people in; a liaison begins with what is asked of the unit."""

    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        works = permissions.works_for(self.request.user)
        return reverse("my") if works and permissions.sees_only_unit(self.request.user) else reverse("home")


login = Login.as_view()
logout = LogoutView.as_view()
language = login_not_required(set_language)


@login_not_required
@require_POST
def large_type(request: HttpRequest) -> HttpResponse:
    """Remember the size of type that a browser asks for, and go back to where it was asked for."""
    answer = edge.back(request, "home")
    if request.POST.get("large") == "1":
        secure = settings.SESSION_COOKIE_SECURE
        answer.set_cookie(
            settings.LARGE_TYPE_COOKIE_NAME, "1", max_age=YEAR, httponly=True, samesite="Lax", secure=secure
        )
    else:
        answer.delete_cookie(settings.LARGE_TYPE_COOKIE_NAME, samesite="Lax")
    return answer
