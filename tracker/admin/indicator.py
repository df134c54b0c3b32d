"""The values of indicators in the admin."""

from typing import Any

from django.contrib import admin
from django.forms import BaseModelFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tracker import workflow
from tracker.admin.base import VersionedAdmin, of_policy
from tracker.admin.parts import PartInline, note_saved_parts
from tracker.domain.dates import today
from tracker.forms.editing import ValueForm, VersionedForm
from tracker.models import Indicator, IndicatorValue
from tracker.reports.task_texts import (
    actual_text,
    baseline_text,
    gap_text,
    target_text,
)
from tracker.web import request_context


class ValueInline(PartInline, admin.TabularInline):
    """The values of an indicator over time."""

    model = IndicatorValue
    form = ValueForm
    exclude = ("entered_by",)
    readonly_fields = ("entered_by_name",)

    @admin.display(description=_("entered by"))
    def entered_by_name(self, value: IndicatorValue) -> str:
        return value.name_of("entered_by") or "—"


@admin.register(Indicator)
class IndicatorAdmin(VersionedAdmin):
    """The values of an indicator; what it is, is written with its task."""

    index_position = 20
    form = VersionedForm
    inlines = (ValueInline,)
    list_display = ("name", "task", "target_text", "actual_text", "gap_text", "drives_percent")
    list_filter = (of_policy("task__policy"),)
    list_select_related = ("task",)
    search_fields = ("name", "task__code", "task__title")
    readonly_fields = (
        "task",
        "name",
        "baseline_text",
        "target_text",
        "actual_text",
        "gap_text",
        "drives_percent",
    )
    fields = (*readonly_fields, "reason", "seen")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("baseline"))
    def baseline_text(self, indicator: Indicator) -> str:
        return baseline_text(indicator)

    @admin.display(description=_("target"))
    def target_text(self, indicator: Indicator) -> str:
        return target_text(indicator)

    @admin.display(description=_("actual value"))
    def actual_text(self, indicator: Indicator) -> str:
        return actual_text(indicator)

    @admin.display(description=_("gap"))
    def gap_text(self, indicator: Indicator) -> str:
        return gap_text(indicator)

    def save_model(self, request: HttpRequest, obj: Indicator, form: Any, change: bool) -> None:
        """Leave the writing to `save_related`: values and percent are one change."""

    def save_related(
        self, request: HttpRequest, form: Any, formsets: list[BaseModelFormSet], change: bool
    ) -> None:
        values = []
        removed = []
        for formset in formsets:
            values += formset.save(commit=False)
            removed += formset.deleted_objects
        for value in values:
            value.entered_by = request_context.current_user(request)
        workflow.save_values(
            form.instance,
            self.act(request, form.cleaned_data["reason"]),
            form.seen_version,
            values,
            removed,
            today=today(),
        )
        note_saved_parts(formsets)
