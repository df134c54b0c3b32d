"""Log-in, log-out and passwords, the language of the pages and the size of their type."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from tracker import workflow
from tracker.domain import dates, permissions
from tracker.forms.editing import PasswordForm
from tracker.models import User
from tracker.models.base import OPENED_AFTER_RESET
from tracker.reports import history
from tracker.web import form_labels, late_forms, login_limits, request_context

ONE_YEAR = 365 * 24 * 3600  # seconds
RESETS_SHOWN = 3

set_language_page = login_not_required(set_language)


class Logout(LogoutView):
    """Log out; the forms that are kept for other accounts of this browser stay."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        others = late_forms.saved_for_others(request)
        answer = super().post(request, *args, **kwargs)
        late_forms.restore_posts(request, others)
        return answer


class Login(LoginView):
    """Log in; a liaison starts on the page of the unit's work.

    The time of the session is counted from here.
    """

    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        works = permissions.works_for(self.request.user)
        if works and permissions.sees_only_unit(self.request.user):
            return reverse("my")
        return reverse("home")

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        found = late_forms.all_saved_posts(self.request)
        answer = super().form_valid(form)
        late_forms.restore_posts(self.request, found)
        now = int(dates.now().timestamp())
        self.request.session["began"] = now
        self.request.session["seen"] = now
        return answer


class Password(PasswordChangeView):
    """Let everybody choose a password.

    Those whose password somebody else has set must do so before anything else.
    """

    form_class = PasswordForm
    template_name = "registration/password.html"
    success_url = reverse_lazy("home")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": User.objects.get(pk=self.request.user.pk)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Whoever has found an open session tries passwords here as well.
        refusal = login_limits.refusal(request, request_context.current_user(request))
        return refusal or super().post(request, *args, **kwargs)

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        if form.has_error("old_password", "password_incorrect"):
            login_limits.count_failure(self.request, request_context.current_user(self.request))
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = request_context.current_user(self.request)
        resets = []
        if user.must_change_password:
            resets = history.password_resets(user)[:RESETS_SHOWN]
        return super().get_context_data(resets=resets, contact=settings.CONTACT, **kwargs)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        was_reset = request_context.current_user(self.request).must_change_password
        try:
            answer = super().form_valid(form)
        except workflow.StaleVersion:
            form.add_error(
                None, _("This account was just changed by somebody else. Submit the form again.")
            )
            return self.form_invalid(form)
        if was_reset:
            self.request.session[OPENED_AFTER_RESET] = True
        login_limits.forget_failures(self.request, request_context.current_user(self.request))
        messages.success(self.request, _("Your new password is now valid."))
        return answer


@request_context.require_get_or_post
def kept_forms_page(request: HttpRequest) -> HttpResponse:
    """Show what was typed when a session had ended, until the reader discards it."""
    if request.method == "POST":
        late_forms.forget_post_by_key(request, request.POST.get("key", ""))
        if late_forms.saved_posts(request, request.user.pk):
            return redirect("kept")
        return redirect("home")
    found = late_forms.saved_posts(request, request.user.pk)
    forms = []
    for form in found:
        sent_at = None
        if "sent_at" in form:
            sent_at = dt.datetime.fromisoformat(form["sent_at"])
        forms.append(
            {
                **form,
                "sent_at": sent_at,
                "subject": form_labels.subject_of(form),
                "shown": form_labels.shown_fields(form, request_context.current_user(request)),
                "lost": late_forms.lost_words(form),
                "resendable": late_forms.is_whole(form),
            }
        )
    return render(
        request, "tracker/kept.html", {"forms": forms, "dropped": late_forms.dropped_words(found)}
    )


@login_not_required
@require_POST
def large_type(request: HttpRequest) -> HttpResponse:
    """Remember the size of type that a browser asks for, and go back to where it was asked for."""
    answer = request_context.redirect_back(request, "home")
    if request.POST.get("large") == "1":
        secure = settings.SESSION_COOKIE_SECURE
        answer.set_cookie(
            settings.LARGE_TYPE_COOKIE_NAME,
            "1",
            max_age=ONE_YEAR,
            httponly=True,
            samesite="Lax",
            secure=secure,
        )
    else:
        answer.delete_cookie(settings.LARGE_TYPE_COOKIE_NAME, samesite="Lax")
    return answer
