"""What is written together with its task or indicator: rows inside their form."""

from typing import Any

from django.contrib.admin.options import InlineModelAdmin
from django.forms import BaseModelFormSet
from django.http import HttpRequest

from tracker.forms.editing import PartFormSet
from tracker.models import Task


class PartInline(InlineModelAdmin):
    """Parts of a task, written by whoever writes the task."""

    formset = PartFormSet
    extra = 1

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site._registry[Task].has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site._registry[Task].has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


def note_saved_parts(formsets: list[BaseModelFormSet]) -> None:
    """Tell the admin, which writes a log of its own, that parts were saved."""
    for formset in formsets:
        formset.new_objects = []
        formset.changed_objects = []
        for form in formset.initial_forms:
            formset.changed_objects.append((form.instance, []))
