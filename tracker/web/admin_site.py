"""The admin site: opened by role, entered through the one login page."""

from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from tracker.domain import permissions
from tracker.web import late_forms

# Behind all models whose admin says where it stands.
LAST_POSITION = 1_000


class OfferedRows(AutocompleteJsonView):
    """Rows that are offered while typing; a part of a policy is named with its policy."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        text = str(obj)
        policy = getattr(obj, "policy", None)
        if policy:
            text = f"{obj} — {policy}"
        return {"id": str(getattr(obj, to_field_name)), "text": text}

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        has_policy = any(field.name == "policy" for field in rows.model._meta.get_fields())
        if has_policy:
            return rows.select_related("policy").defer("policy__full_text")
        return rows


class TrackerSite(admin.AdminSite):
    """The stock admin, opened by role and entered through the one login page."""

    site_header = gettext_lazy("Policy tracking: administration")
    # The task list needs the width; every page leads back to the index.
    enable_nav_sidebar = False
    site_title = gettext_lazy("administration")
    index_title = gettext_lazy("What would you like to edit?")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """List the models in the order of the work, not of the alphabet.

        Each admin class declares its `index_position`; without one a model comes last.
        """
        apps = super().get_app_list(request, app_label)
        for app in apps:
            # Django has sorted them by name, and that order stays among equal positions.
            app["models"].sort(key=self._index_position)
        return apps

    def _index_position(self, entry: dict[str, Any]) -> int:
        model_admin = self._registry[entry["model"]]
        return getattr(model_admin, "index_position", None) or LAST_POSITION

    def has_permission(self, request: HttpRequest) -> bool:
        return permissions.may_open_admin(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        @wraps(view)
        def opened_by_role(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return opened_by_role

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return OfferedRows.as_view(admin_site=self)(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return redirect("password")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        others = late_forms.saved_for_others(request)
        answer = super().logout(request, extra_context)
        late_forms.restore_posts(request, others)
        return answer

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
