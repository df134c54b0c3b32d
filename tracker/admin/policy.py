"""Policies and their parts in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from tracker.admin.base import VersionedAdmin, of_policy
from tracker.domain.dates import today
from tracker.forms.editing import CountForm, MeasureForm, VersionedForm
from tracker.models import BackgroundPassage, DeclaredCount, Measure, PolicyDocument, Section
from tracker.text import file_reader


class PolicyForm(VersionedForm):
    """A policy, whose text is pasted or taken from a file."""

    text_file = forms.FileField(
        label=_("a text file or Word document"),
        required=False,
        help_text=_("Replaces the text below."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        upload = cleaned.get("text_file")
        try:
            if upload:
                cleaned["full_text"] = file_reader.read_text_file(
                    upload.read(file_reader.MAX_TEXT_FILE_BYTES + 1), upload.name
                )
            elif "full_text" in self.changed_data and "full_text" in cleaned:
                cleaned["full_text"] = file_reader.clean_policy_text(cleaned["full_text"])
        except ValidationError as error:
            self.add_error("text_file" if upload else "full_text", error)
        return cleaned


@admin.register(PolicyDocument)
class PolicyAdmin(VersionedAdmin):
    """Policies: what they are, and how their lights are judged."""

    index_position = 30
    form = PolicyForm
    list_display = ("title", "slug", "state", "measure_count", "task_count", "cycle", "demo")
    list_filter = ("state", "demo")
    search_fields = ("title", "slug", "author", "publisher")
    readonly_fields = ("demo",)
    prepopulated_fields = {"slug": ("title",)}
    fieldsets = (
        (None, {"fields": ("title", "slug", "state", "demo")}),
        (_("Source"), {"fields": ("author", "publisher", "published_on", "source_note")}),
        (
            _("How lights and reports are judged"),
            {"fields": ("warn_days", ("yellow_gap", "red_gap"), ("cycle", "grace_days"))},
        ),
        (_("Text"), {"fields": ("text_file", "full_text")}),
        (_("This change"), {"fields": ("reason", "seen")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        queryset = super().get_queryset(request)
        return queryset.annotate(
            measures_=Count("measures", Q(measures__general=False), distinct=True),
            tasks_=Count("tasks", distinct=True),
        )

    @admin.display(description=_("measures"), ordering="measures_")
    def measure_count(self, policy: Any) -> int:
        return policy.measures_

    @admin.display(description=_("tasks"), ordering="tasks_")
    def task_count(self, policy: Any) -> int:
        return policy.tasks_


@admin.register(Section)
class SectionAdmin(VersionedAdmin):
    """Sections of the texts."""

    index_position = 40
    list_display = ("letter", "name", "policy")
    list_display_links = ("name",)
    list_filter = (of_policy(),)
    list_select_related = ("policy",)
    search_fields = ("name",)
    fields = ("policy", "number", "name", "anchor", "reason", "seen")


@admin.register(Measure)
class MeasureAdmin(VersionedAdmin):
    """Measures in the words of the text."""

    index_position = 50
    form = MeasureForm
    autocomplete_fields = ("section",)
    list_display = ("code", "name", "section", "general", "task_links")
    list_display_links = ("code", "name")
    list_filter = (of_policy(), "general")
    list_select_related = ("section__policy", "policy")
    search_fields = ("code", "name")
    fields = ("section", "code", "order", "name", "general", "anchor", "reason", "seen")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(tasks_=Count("tasks"))

    @admin.display(description=_("tasks"), ordering="tasks_")
    def task_links(self, measure: Any) -> str:
        chosen = urlencode({"policy__id__exact": measure.policy_id, "measure": measure.pk})
        return format_html('<a href="../task/?{}">{}</a>', chosen, measure.tasks_)


@admin.register(DeclaredCount)
class CountAdmin(VersionedAdmin):
    """Numbers that the text states."""

    index_position = 60
    form = CountForm
    autocomplete_fields = ("section", "task")
    list_display = ("name", "number", "section", "task", "policy")
    list_filter = (of_policy(),)
    list_select_related = ("policy", "section", "task")
    fields = ("name", "number", "anchor", "section", "task", "match", "note", "reason", "seen")


@admin.register(BackgroundPassage)
class BackgroundAdmin(VersionedAdmin):
    """Passages that ask for nothing; whoever marks one is remembered."""

    index_position = 70
    list_display = ("anchor", "note", "marked_by_name", "marked_on", "policy")
    list_filter = (of_policy(),)
    list_select_related = ("policy", "marked_by")
    search_fields = ("anchor", "note")
    readonly_fields = ("marked_by_name", "marked_on")
    fields = ("policy", "anchor", "note", "marked_by_name", "marked_on", "reason", "seen")

    @admin.display(description=_("marked by"))
    def marked_by_name(self, passage: BackgroundPassage) -> str:
        return passage.name_of("marked_by") or "—"

    def save_model(
        self, request: HttpRequest, obj: BackgroundPassage, form: Any, change: bool
    ) -> None:
        if not change:
            obj.marked_by = request.user  # type: ignore[assignment]
            obj.marked_on = today()
        super().save_model(request, obj, form, change)
