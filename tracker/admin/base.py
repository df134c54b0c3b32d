"""What every page of the admin has: rights, versions, history in words."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker import history, permissions, workflow
from tracker.choices import Way
from tracker.domain.folding import simplify
from tracker.forms.editing import VersionedForm
from tracker.models.ordering import steady_order
from tracker.search import matching
from tracker.views import edge

KEPT = gettext_lazy("Look it through and save it again.")


class SteadyChangeList(ChangeList):
    """A list of the admin in the same order on every database."""

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet) -> list[Any]:
        return steady_order(self.model, super().get_ordering(request, queryset))


class RoleAdmin(admin.ModelAdmin):
    """Ask `permissions` alone who may see and edit."""

    # More rows than these are compared by the database, which folds nothing that is stored.
    FOLDED_ROWS = 5_000
    # The stock deletion of many rows carries no versions; one row at a time asks first.
    actions: Any = None
    list_per_page = 50

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # No changing and deleting of other rows from inside a form: a slip there costs too much.
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SteadyChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet, search_term: str
    ) -> tuple[models.QuerySet, bool]:
        names = [name.lstrip("^=@") for name in self.get_search_fields(request)]
        if not search_term or queryset.count() > self.FOLDED_ROWS:
            return super().get_search_results(request, queryset, simplify(search_term))
        return matching(queryset, search_term, names), False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return permissions.may_open_admin(request.user)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return permissions.may_open_admin(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may_edit(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return permissions.may_delete(request.user, obj) if obj else self._may_edit(request)

    def _may_edit(self, request: HttpRequest) -> bool:
        return permissions.may_edit(request.user, self.opts.model_name or "")


class VersionedAdmin(RoleAdmin):
    """Save through `workflow`; show both texts when somebody else was faster."""

    form = VersionedForm
    save_on_top = True

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"refusal": getattr(request, "refusal", None)})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        # A reader's page has no form, so what only the form knows stays away.
        own = {"reason", "seen", "text_file"}
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field not in own]})
            for name, options in fieldsets
        ]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        typed = edge.kept(request) if issubclass(self.form, VersionedForm) and request.method == "GET" else None
        if typed:
            # Shown as a form that was refused: nobody has sent it in this session.
            request.method, request.POST = "POST", typed  # type: ignore[assignment]
            request.refusal = ValidationError(KEPT)  # type: ignore[attr-defined]
        try:
            return super().changeform_view(request, *args, **kwargs)
        except workflow.Stale:
            # Saved by another between our check and our write: the form now sees the newer version.
            pass
        except ValidationError as error:
            request.refusal = error  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)

    def act(self, request: HttpRequest, reason: str = "") -> workflow.Act:
        """Name who acts, here, and why."""
        return workflow.Act(request.user, Way.ADMIN, reason)  # type: ignore[arg-type]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        workflow.save(obj, self.act(request, form.cleaned_data.get("reason", "")), getattr(form, "seen_version", None))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        workflow.delete(obj, self.act(request))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None:
            return redirect("admin:index")
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Change history: %(object)s") % {"object": obj},
            "events": history.events(obj),
            "object": obj,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/object_history.html", context)


def of_policy(name: str = "policy") -> tuple[str, type[admin.FieldListFilter]]:
    """Make a filter by policy that offers the policies in use."""
    return (name, admin.RelatedOnlyFieldListFilter)
