"""Units and accounts in the admin."""

from copy import copy
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from tracker import workflow
from tracker.admin import unit_moves
from tracker.admin.base import RoleAdmin, VersionedAdmin
from tracker.domain import permissions
from tracker.forms.accounts import AccountForm, NewAccountForm, ResetPasswordForm
from tracker.models import Organization, SentReminder, UnitMove, User
from tracker.reports import history
from tracker.web.account_mail import tell_of_reset

# Rights come from roles; groups would be a second, silent source of them.
admin.site.unregister(Group)
ROLE_FIELDS = ("organization", "is_liaison", "is_supervisor", "is_leader", "is_administrator")


@admin.register(Organization)
class OrganizationAdmin(VersionedAdmin):
    """Units in official order."""

    index_position = 80
    list_display = ("name", "short_name", "order", "active")
    list_filter = ("active",)
    search_fields = ("name", "short_name", "aliases")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        found, doubled = super().get_search_results(request, queryset, search_term)
        # What is chosen there is given tasks or accounts: none of a unit that is out of office.
        match = request.resolver_match
        if match is not None and match.url_name == "autocomplete":
            found = found.filter(active=True)
        return found, doubled

    fields = (
        "name",
        "short_name",
        "aliases",
        "contact_email",
        "order",
        "active",
        "move_link",
        "reason",
        "seen",
    )
    readonly_fields = ("move_link",)

    @admin.display(description=_("all its tasks"))
    def move_link(self, unit: Organization) -> str:
        if not unit.pk:
            return "—"
        address = reverse("admin:tracker_organization_move", args=[unit.pk])
        return format_html(
            '<a href="{}">{}</a>', address, _("merge it into another unit, or move its open tasks")
        )

    def get_urls(self) -> list[Any]:
        move = path(
            "<int:pk>/move/",
            self.admin_site.admin_view(unit_moves.move_view),
            name="tracker_organization_move",
        )
        return [move, *super().get_urls()]


@admin.register(User)
class AccountAdmin(VersionedAdmin, UserAdmin):
    """Accounts; they are disabled, never deleted, because history names them."""

    index_position = 90
    form = AccountForm  # type: ignore[misc, assignment]
    add_form = NewAccountForm
    actions = None
    list_display = (
        "username",
        "first_name",
        "organization",
        "role_names",
        "is_active",
        "last_login",
    )
    list_filter = ("is_active", "is_supervisor", "is_liaison", "is_leader", "is_administrator")
    list_select_related = ("organization",)
    autocomplete_fields = ("organization",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "email")}),
        (_("Roles"), {"fields": ROLE_FIELDS}),
        (
            _("State"),
            {"fields": ("is_active", "must_change_password", "last_login", "date_joined")},
        ),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "usable_password", "password1", "password2"),
            },
        ),
        (_("Roles"), {"fields": ROLE_FIELDS}),
    )
    readonly_fields = ("last_login", "date_joined")

    @admin.display(description=_("roles"))
    def role_names(self, user: User) -> str:
        return pgettext("list", ", ").join(str(role.label) for role in user.roles)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Nobody gives roles to the own account, a superuser excepted.
        names = super().get_readonly_fields(request, obj)
        if obj == request.user and not request.user.is_superuser:
            return (*names, *ROLE_FIELDS)
        return names

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.password_set_by = str(request.user)
        super().save_model(request, obj, form, change)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        # A copy, because the form is told who acts and this object serves all requests.
        copied: Any = copy(self)
        copied.change_password_form = partial(ResetPasswordForm, act=self.act(request))
        try:
            return UserAdmin.user_change_password(copied, request, id, form_url)
        except workflow.StaleVersion:
            messages.error(
                request, _("This account was just changed by somebody else. Submit the form again.")
            )
            return redirect(request.path)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        match = request.resolver_match
        if match and match.url_name == "auth_user_password_change" and obj.password_set_at:
            tell_of_reset(obj, obj.password_set_by, obj.password_set_at)
        return super().log_change(request, obj, message)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer = super().history_view(request, object_id, extra_context)
        if isinstance(answer, TemplateResponse):
            context: dict[str, Any] = answer.context_data or {}
            context["followed"] = history.after_resets(context["object"])
        return answer

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Whoever may set a superuser's password is a superuser.
        return super().has_change_permission(request, obj) and (
            obj is None or not obj.is_superuser or request.user.is_superuser
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return permissions.may_manage_accounts(request.user)

    has_module_permission = has_view_permission


@admin.register(UnitMove)
class UnitMoveAdmin(RoleAdmin):
    """Merges and moves of units; to read, and to take back."""

    index_position = 100
    # Its address leads to this very page.
    view_on_site = False
    list_display = (
        "number",
        "source_name",
        "target_name",
        "kind",
        "made_by_name",
        "made_at",
        "undone_at",
    )
    list_display_links = ("number", "source_name")
    fields = (
        "kind",
        "source_name",
        "target_name",
        "reason",
        "made_by_name",
        "made_at",
        "undone_by_name",
        "undone_at",
        "changed",
        "undo_link",
    )
    readonly_fields = ("changed", "undo_link")

    @admin.display(description=_("batch"), ordering="pk")
    def number(self, move: UnitMove) -> int:
        return move.pk

    @admin.display(description=_("what it changed"))
    def changed(self, move: UnitMove) -> str:
        return format_html_join("", "{}<br>", ((entry["label"],) for entry in move.entries))

    @admin.display(description=_("undo"))
    def undo_link(self, move: UnitMove) -> str:
        if move.undone_at:
            return "—"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:tracker_unitmove_undo", args=[move.pk]), _("undo")
        )

    def get_urls(self) -> list[Any]:
        undo = path(
            "<int:pk>/undo/",
            self.admin_site.admin_view(unit_moves.undo_view),
            name="tracker_unitmove_undo",
        )
        return [undo, *super().get_urls()]


@admin.register(SentReminder)
class ReminderAdmin(RoleAdmin):
    """What `send_reminders` has sent; to read."""

    index_position = 110
    list_display = ("day", "address", "subject")
    list_filter = ("day",)
    search_fields = ("address", "text")
    fields = ("day", "address", "sent_at", "subject", "text")
