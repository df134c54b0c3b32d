"""What every page of the admin has: rights, versions, history in words."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import (
    AutocompleteSelect,
    AutocompleteSelectMultiple,
    RelatedFieldWidgetWrapper,
)
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tracker import workflow
from tracker.domain import permissions
from tracker.domain.choices import ChangeSource
from tracker.domain.parsing import whole_number
from tracker.forms.accounts import RefusableForm
from tracker.forms.editing import VersionedForm
from tracker.models.ordering import steady_order
from tracker.reports import history
from tracker.reports.search import matching, matching_in_database
from tracker.web import request_context

LOOK_THROUGH_TEXT = gettext_lazy("Review it and save it again.")
MAX_SEARCH_LENGTH = 100
MAX_DELETED_SHOWN = 50  # rows that a deletion page names
# What a filter of a list adds to the name of its field.
FILTER_LOOKUPS = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt")


class SearchForm(forms.Form):
    """The search of a list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = forms.CharField(
            label=_("search text"), required=False, max_length=MAX_SEARCH_LENGTH
        )
        self.fields[SEARCH_VAR] = field


def readable_keys(keys: Iterable[Any]) -> list[str]:
    """Keep what can be the key of a row, and what stands for none."""
    found = []
    for key in keys:
        if str(key) == "" or whole_number(str(key)) is not None:
            found.append(key)
    return found


def has_rows(rows: Any, value: Any) -> bool:
    """Say whether all keys of a value name rows that may be chosen."""
    values = value
    if not isinstance(value, list):
        values = [value]
    keys = set(values)
    known = [key for key in keys if whole_number(key) is not None]
    return rows.filter(pk__in=known).count() == len(keys)


class KeySelect(AutocompleteSelect):
    """A row chosen while typing; what is no key is shown as nothing."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, readable_keys(value), attr)


class KeySelectMultiple(AutocompleteSelectMultiple):
    """Some rows chosen while typing; what is no key is shown as nothing."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, readable_keys(value), attr)


class KeyMultipleChoiceField(forms.ModelMultipleChoiceField):
    """Some rows; a key beyond 64 bits is refused as any other that names none."""

    def _check_values(self, value: Any) -> Any:
        for key in set(value) - set(readable_keys(value)):
            raise ValidationError(
                self.error_messages["invalid_pk_value"], "invalid_pk_value", {"pk": key}
            )
        return super()._check_values(value)  # type: ignore[misc]


def as_posted(request: HttpRequest, typed: QueryDict) -> HttpRequest:
    """Return a copy of a request in which a form that was kept has just been sent.

    Django's admin shows a bound form only for a POST.
    """
    posted = copy_request(request)
    # Without its files the request would be parsed once more, and the form be lost for the parts.
    posted._files = MultiValueDict()  # type: ignore[attr-defined]
    posted.method = "POST"
    posted.POST = typed  # type: ignore[assignment]
    return posted


def copy_request(request: HttpRequest) -> HttpRequest:
    """Copy a request; `copy.copy` would leave out what cannot be pickled."""
    copied = type(request).__new__(type(request))
    copied.__dict__.update(request.__dict__)
    return copied


class RoleChangeList(ChangeList):
    """A list of the admin in the same order on every database, whose search is bounded."""

    search_form_class = SearchForm

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet) -> list[Any]:
        return steady_order(self.model, super().get_ordering(request, queryset))


class PolicyPartField(forms.ModelChoiceField):
    """Choose a section, measure or task.

    Its policy is named, because codes repeat between policies.
    """

    def label_from_instance(self, obj: Any) -> str:
        return label_with_policy(obj)


def label_with_policy(row: models.Model) -> str:
    """Name a row to choose; a part of a policy with its policy."""
    policy = getattr(row, "policy", None)
    if policy:
        return f"{row} — {policy}"
    return str(row)


class RoleAdmin(admin.ModelAdmin):
    """Ask `permissions` alone who may see and edit."""

    # Where the model stands in the index of the admin; steps of ten leave room between two.
    index_position: int | None = None
    # More rows than these are compared by the database, which folds no column but the search text
    # of tasks.
    FOLDED_ROWS = 5_000
    # The stock deletion of many rows carries no versions; one row at a time asks first.
    actions: Any = None
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RoleChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        if ERROR_FLAG in request.GET:
            text = _(
                "The address contains a filter or page that cannot be read. The list shows "
                "everything."
            )
            self.message_user(request, text, messages.WARNING)
            return redirect(request.path)
        return super().changelist_view(request, extra_context)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        for _name, values in request.GET.lists():
            if any("\0" in value for value in values):
                raise IncorrectLookupParameters
        try:
            return super().get_changelist_instance(request)
        except (DisallowedModelAdminLookup, OverflowError) as error:
            raise IncorrectLookupParameters from error

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow what the filters of the list ask for.

        Any other lookup can be bent into a fault of the database.
        """
        for declared in self.get_list_filter(request):
            name = filter_name(declared)
            if lookup.startswith(name) and lookup.removeprefix(name) in FILTER_LOOKUPS:
                return True
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if "\0" in search_term or len(search_term) > MAX_SEARCH_LENGTH:
            return queryset.none(), False
        names = [name.lstrip("^=@") for name in self.get_search_fields(request)]
        if not search_term or not names:
            return queryset, False
        if queryset.count() <= self.FOLDED_ROWS:
            return matching(queryset, search_term, names), False
        return matching_in_database(queryset, search_term, names), False

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet
    ) -> Any:
        picked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        asked = request.POST.getlist("action")
        index = whole_number(request.POST.get("index", "0"))
        if index is None or index >= len(asked) or any(whole_number(key) is None for key in picked):
            self.message_user(
                request, _("The form cannot be read: nothing was changed."), messages.ERROR
            )
            return redirect(request.get_full_path())
        # A page may offer its actions twice: from here on there is the one whose button was
        # pressed.
        data = request.POST.copy()
        data["action"] = asked[index]
        data["index"] = "0"
        request.POST = data  # type: ignore[assignment]
        return super().response_action(request, queryset)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # Django takes an empty `_to_field` of the address for the name of a field.
        return super().get_object(request, object_id, from_field or None)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Take the first values of a new row from the address.

        What names no row that may be chosen is left out.
        """
        initial = super().get_changeform_initial_data(request)
        for name, value in list(initial.items()):
            choices = self._choices_of(name, request)
            if choices is not None and not has_rows(choices.queryset, value):
                del initial[name]
        return initial

    def _choices_of(self, name: str, request: HttpRequest) -> forms.ModelChoiceField | None:
        """Return the form field of a field that names rows; None for another field."""
        for field in self.opts.get_fields():
            if field.name == name and isinstance(field, models.Field):
                choices = self.formfield_for_dbfield(field, request)
                if isinstance(choices, forms.ModelChoiceField):
                    return choices
        return None

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # No changing and deleting of other rows from inside a form: a slip there costs too much.
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", KeySelect(db_field, self.admin_site))
        target = db_field.remote_field.model
        if any(field.name == "policy" for field in target._meta.get_fields()):
            rows = target._default_manager.select_related("policy").defer("policy__full_text")
            kwargs = {"form_class": PolicyPartField, "queryset": rows, **kwargs}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", KeySelectMultiple(db_field, self.admin_site))
        return super().formfield_for_manytomany(
            db_field, request, form_class=KeyMultipleChoiceField, **kwargs
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return permissions.may_open_admin(request.user)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return permissions.may_open_admin(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may_edit(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        if obj:
            return permissions.may_delete(request.user, obj)
        return self._may_edit(request)

    def _may_edit(self, request: HttpRequest) -> bool:
        return permissions.may_edit(request.user, self.model)


class VersionedAdmin(RoleAdmin):
    """Save through `workflow`; show both texts when somebody else was faster."""

    form = VersionedForm
    save_on_top = True

    class Media:
        js = ("tracker/count.js",)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"refusal": getattr(request, "refusal", None)})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        # A reader's page has no form, so what only the form knows stays away.
        own = {"reason", "seen", "text_file"}
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        shown = []
        for name, options in fieldsets:
            fields = [field for field in options["fields"] if field not in own]
            shown.append((name, {**options, "fields": fields}))
        return shown

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        is_refusable = issubclass(self.form, VersionedForm | RefusableForm)
        if is_refusable and request.method == "GET":
            typed = request_context.saved_post(request)
            if typed:
                # Shown as a form that was refused: nobody has sent it in this session.
                request = as_posted(request, typed)
                request.refusal = ValidationError(LOOK_THROUGH_TEXT)  # type: ignore[attr-defined]
        try:
            return super().changeform_view(request, *args, **kwargs)
        except workflow.StaleVersion:
            # Saved by another between our check and our write: the form now sees the newer version.
            pass
        except ValidationError as error:
            request.refusal = error  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # What was typed for a change of many rows is asked again: `apply` alone would carry it out.
        if request.method == "GET":
            typed = request_context.saved_post(request, ["apply"])
            if typed:
                del typed["apply"]
                request = as_posted(request, typed)
                request.is_shown_again = True  # type: ignore[attr-defined]
        return super().changelist_view(request, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET":
            request_context.saved_post(request, ["post"])  # says that nothing is deleted yet
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ValidationError, workflow.StaleVersion) as refusal:
            self.message_user(request, request_context.refusal_text(refusal), messages.ERROR)
            return redirect(request.get_full_path())

    def act(self, request: HttpRequest, reason: str = "") -> workflow.ChangeContext:
        """Name who acts, here, and why."""
        user = request_context.current_user(request)
        return workflow.ChangeContext(user, ChangeSource.ADMIN, reason)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        workflow.save_object(
            obj,
            self.act(request, form.cleaned_data.get("reason", "")),
            getattr(form, "seen_version", None),
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, ...]:
        """Name the first rows that go with a deletion.

        How many there are of each kind stands above them.
        """
        rows, *others = super().get_deleted_objects(objs, request)
        return (cut_rows(rows), *others)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        workflow.delete_object(obj, self.act(request), request_context.seen_version_of(request))

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
            "events": history.history_events(obj),
            "object": obj,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/object_history.html", context)


def cut_rows(rows: list[Any]) -> list[Any]:
    """Cut a nested list to its first rows at each level, and say that there are more."""
    shown: list[Any] = []
    for row in rows[:MAX_DELETED_SHOWN]:
        if isinstance(row, list):
            shown.append(cut_rows(row))
        else:
            shown.append(row)
    more = len(rows) - len(shown)
    if more > 0:
        shown.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
    return shown


def filter_name(declared: Any) -> str:
    """Return the parameter or the field that an entry of `list_filter` asks for."""
    if isinstance(declared, tuple | list):
        return str(declared[0])
    return str(getattr(declared, "parameter_name", declared))


def of_policy(name: str = "policy") -> tuple[str, type[admin.FieldListFilter]]:
    """Make a filter by policy that offers the policies in use."""
    return (name, admin.RelatedOnlyFieldListFilter)
