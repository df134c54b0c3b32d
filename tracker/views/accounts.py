"""The way in and out, and the language of the pages."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.views.i18n import set_language

login = LoginView.as_view(redirect_authenticated_user=True)
logout = LogoutView.as_view()
language = login_not_required(set_language)
