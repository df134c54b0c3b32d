"""Forms of the admin for accounts and their passwords."""

from typing import Any

from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError

from tracker import workflow
from tracker.forms.editing import add_refusal
from tracker.models import User


class RefusableForm:
    """A form that can be shown with a refusal that it did not find itself."""

    refusal: ValidationError | None = None

    def clean(self) -> dict[str, Any]:
        form: Any = self
        cleaned: dict[str, Any] = super().clean() or form.cleaned_data  # type: ignore[misc]
        if self.refusal:
            form.add_error(None, add_refusal(form, self.refusal))
        return cleaned


class AccountForm(RefusableForm, UserChangeForm):
    """An account that exists."""


class NewAccountForm(RefusableForm, AdminUserCreationForm):
    """A new account with its first password."""


class ResetPasswordForm(AdminPasswordChangeForm):
    """The password of somebody else, set by whoever the act names."""

    def __init__(self, *args: Any, act: workflow.ChangeContext, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.act = act

    def save(self, commit: bool = True) -> User:
        if self.cleaned_data["set_usable_password"]:
            password = self.cleaned_data["password1"]
        else:
            password = None
        workflow.reset_password(self.user, password, self.act)
        return self.user
