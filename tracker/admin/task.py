"""Tasks in the admin: a list that answers questions, a form that loses nothing, changes of many."""

from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import BaseModelFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tracker import workflow
from tracker.admin.base import VersionedAdmin, of_policy
from tracker.admin.parts import PartInline, note_saved_parts
from tracker.admin.task_filters import LightFilter, MeasureFilter, SectionFilter, UnitFilter
from tracker.domain.choices import Status
from tracker.domain.dates import today
from tracker.domain.progress_callback import ProgressCallback
from tracker.excel import ledger
from tracker.forms.editing import (
    BulkForm,
    ChecklistItemForm,
    DeadlineForm,
    HandOverForm,
    IndicatorForm,
    StatusForm,
    TaskForm,
)
from tracker.models import (
    ChecklistItem,
    Indicator,
    Organization,
    PolicyDocument,
    Task,
)
from tracker.reports.task_table import join_sentences
from tracker.reports.task_texts import (
    actual_text,
    lead_text,
    light_text,
    share_text,
)
from tracker.views.exports import Export, answer_busy, ledger_scope, send_export
from tracker.web import request_context
from tracker.web.export_slots import ExportsBusy

MAX_REFUSALS_LISTED = 20  # refused rows named one by one in a message


class ChecklistInline(PartInline, admin.TabularInline):
    """The steps of a task."""

    model = ChecklistItem
    form = ChecklistItemForm
    readonly_fields = ("done_by",)


class IndicatorInline(PartInline, admin.StackedInline):
    """The figures that a task is to reach; their values have a page of their own."""

    model = Indicator
    form = IndicatorForm
    extra = 0
    fields = (
        ("name", "unit_of_measure", "order"),
        ("baseline", "baseline_on"),
        ("direction", "target", "target_on"),
        "drives_percent",
        "values_link",
    )
    readonly_fields = ("values_link",)

    @admin.display(description=_("actual value"))
    def values_link(self, indicator: Indicator) -> str:
        if not indicator.pk:
            return str(_("available after saving"))
        address = reverse("admin:tracker_indicator_change", args=[indicator.pk])
        text = _("enter or correct values")
        return format_html('{} · <a href="{}">{}</a>', actual_text(indicator), address, text)


@admin.register(Task)
class TaskAdmin(VersionedAdmin):
    """Tasks: the list with its lights, the form, and changes of many at once."""

    index_position = 10
    form = TaskForm
    inlines = (ChecklistInline, IndicatorInline)
    list_display = (
        "code",
        "title",
        "measure_code",
        "lead",
        "kind",
        "status",
        "light",
        "reason_text",
        "deadline_text",
        "percent_text",
    )
    list_display_links = ("code", "title")
    list_filter = (
        of_policy(),
        SectionFilter,
        MeasureFilter,
        UnitFilter,
        LightFilter,
        "status",
        "kind",
    )
    search_fields = (
        "code",
        "title",
        "description",
        "measure__name",
        "lead_unit__name",
        "lead_unit__short_name",
        "lead_unit__aliases",
    )
    autocomplete_fields = ("measure", "lead_unit", "co_units")
    actions = ("hand_over", "set_deadline", "set_status", "export_ledger")
    readonly_fields = ("light_now", "turns_yellow_on", "turns_red_on")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "light_now",
                    "measure",
                    "code",
                    "title",
                    "description",
                    "remark",
                    "anchor",
                )
            },
        ),
        (
            _("Owners"),
            {
                "fields": (
                    "kind",
                    "lead_unit",
                    "lead_is_proposed",
                    "co_units",
                    "lead_official",
                    "responsible_person",
                )
            },
        ),
        (
            _("Time"),
            {
                "fields": (
                    ("start", "deadline", "original_deadline"),
                    ("turns_yellow_on", "turns_red_on"),
                )
            },
        ),
        (
            _("State"),
            {"fields": (("status", "percent"), ("closing_requested_on", "closed_on"))},
        ),
        (
            _("Reporting"),
            {"fields": (("assigned_on", "owed_from", "reported_through"),)},
        ),
        (_("This change"), {"fields": ("reason", "seen")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Task.objects.visible_to(request.user).with_related().with_light_rank(today())

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet, bool]:
        # As the list page searches: what the task is about, and the names of its units.
        return queryset.about(search_term, Organization.objects.all().folded_names()), False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        # Codes repeat between policies: unless one is chosen, each row names its own.
        if "policy__id__exact" in request.GET:
            return self.list_display
        return (*self.list_display, "policy")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found:
            found.was_handed_over = bool(found.assigned_on)
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Before the hand-over one deadline fills both fields. A form that is shown again with its
        # faults has changed the task by then: what was stored counts.
        handed_over = obj is not None and getattr(obj, "was_handed_over", bool(obj.assigned_on))
        if handed_over:
            return self.readonly_fields
        return (*self.readonly_fields, "original_deadline")

    @admin.display(description=_("measure"), ordering="measure__code")
    def measure_code(self, task: Task) -> str:
        return format_html('<span title="{}">{}</span>', task.measure.name, task.measure.code)

    @admin.display(description=_("lead unit"), ordering="lead_unit")
    def lead(self, task: Task) -> str:
        return lead_text(task, today()) or "—"

    @admin.display(description=_("light"), ordering="light_rank")
    def light(self, task: Task) -> str:
        on = today()
        return format_html(
            '<span class="light light-{}" title="{}">{}</span>',
            task.light_on(on),
            join_sentences(task.reasons_on(on)),
            light_text(task, on),
        )

    @admin.display(description=_("why"))
    def reason_text(self, task: Task) -> str:
        return task.reasons_on(today())[0]

    @admin.display(description=_("deadline"), ordering="deadline")
    def deadline_text(self, task: Task) -> str:
        if task.deadline:
            return task.deadline.isoformat()
        return "—"

    @admin.display(description=_("percent done"), ordering="percent")
    def percent_text(self, task: Task) -> str:
        if share_text(task, today()) is not None:
            return f"{task.percent}%"
        return "—"

    @admin.display(description=_("light today"))
    def light_now(self, task: Task) -> str:
        if not task.pk:
            return "—"
        # As stored: after a fault the form has put what was typed on the task.
        stored = Task.objects.with_related().get(pk=task.pk)
        return format_html("{} {}", self.light(stored), join_sentences(stored.reasons_on(today())))

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        """Leave the writing to `save_related`: task, units and items are one change."""

    def save_related(
        self, request: HttpRequest, form: Any, formsets: list[BaseModelFormSet], change: bool
    ) -> None:
        changed = []
        removed = []
        for formset in formsets:
            changed += formset.save(commit=False)
            removed += formset.deleted_objects
        for item in changed:
            if not isinstance(item, ChecklistItem):
                continue
            if item.done_on:
                item.done_by = item.done_by or request_context.current_user(request)
            else:
                item.done_by = None
        workflow.save_task(
            form.instance,
            self.act(request, form.cleaned_data["reason"]),
            form.seen_version,
            co_units=form.cleaned_data["co_units"],
            items=changed,
            removed=removed,
            today=today(),
        )
        note_saved_parts(formsets)

    @admin.action(description=_("Hand over to the lead units"), permissions=["change"])
    def hand_over(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        def change(form: HandOverForm, act: workflow.ChangeContext) -> Callable[[Task, int], None]:
            return lambda task, seen: workflow.hand_over(task, act, seen, form.cleaned_data["on"])

        return self._change_many(request, queryset, HandOverForm, change)

    @admin.action(description=_("Set the deadline"), permissions=["change"])
    def set_deadline(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        def change(form: DeadlineForm, act: workflow.ChangeContext) -> Callable[[Task, int], None]:
            day = form.cleaned_data["deadline"]
            return lambda task, seen: workflow.set_deadline(task, act, seen, day, today())

        return self._change_many(request, queryset, DeadlineForm, change)

    @admin.action(description=_("Set the status"), permissions=["change"])
    def set_status(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        def change(form: StatusForm, act: workflow.ChangeContext) -> Callable[[Task, int], None]:
            status = Status(form.cleaned_data["status"])
            day = form.cleaned_data["on"]
            return lambda task, seen: workflow.set_status(task, act, seen, status, day, today())

        return self._change_many(request, queryset, StatusForm, change)

    @admin.action(description=_("Export the ledger of these tasks"))
    def export_ledger(self, request: HttpRequest, queryset: QuerySet) -> HttpResponseBase | None:
        policies = list(
            PolicyDocument.objects.filter(pk__in=queryset.order_by().values("policy"))[:2]
        )
        if len(policies) != 1:
            self.message_user(
                request,
                _("A ledger is of one policy: choose one in the filter first."),
                messages.ERROR,
            )
            return None
        tasks = Task.objects.visible_to(request.user).filter(pk__in=queryset.values("pk"))
        keys = list(tasks.order_by("pk").values_list("pk", flat=True))
        total = len(keys)
        chosen = ngettext(
            "%(count)d task selected manually", "%(count)d tasks selected manually", total
        )
        scope = ledger_scope(request, policies[0], tasks, today(), [chosen % {"count": total}])

        def write(file: IO[bytes], tell: ProgressCallback) -> None:
            ledger.save_ledger(replace(scope, tell=tell), file)

        try:
            return send_export(
                request,
                Export(
                    ledger.ledger_filename(policies[0], today()), total, write, chosen=str(keys)
                ),
            )
        except ExportsBusy:
            return answer_busy(request)

    def _change_many(
        self,
        request: HttpRequest,
        queryset: QuerySet,
        form_class: type[BulkForm],
        change: Callable[[Any, workflow.ChangeContext], Callable[[Task, int], None]],
    ) -> HttpResponse | None:
        """Ask once with every row and its version, then change what is still as it was shown."""
        applying = "apply" in request.POST
        form = form_class()
        if applying or getattr(request, "is_shown_again", False):
            form = form_class(request.POST)
        tasks = list(queryset.order_by("policy", "sort_key"))
        if not (applying and form.is_valid()):
            return self._ask_once(request, form, tasks)
        act = self.act(request, form.cleaned_data["reason"])
        # A row without the version that was shown counts as changed by somebody else.
        outcome = workflow.apply_to_each(
            [(task, seen_version(request, task)) for task in tasks], change(form, act)
        )
        self._tell_outcome(request, outcome)
        if outcome.refused and not outcome.changed:
            # What was typed is kept, beside the rows as they are now.
            tasks = list(queryset.all().order_by("policy", "sort_key"))
            return self._ask_once(request, form, tasks)
        return None

    def _tell_outcome(self, request: HttpRequest, outcome: workflow.BulkOutcome) -> None:
        """Say how many tasks were changed, and which were refused."""
        if outcome.changed:
            done = len(outcome.changed)
            text = ngettext("%(count)d task changed.", "%(count)d tasks changed.", done)
            self.message_user(request, text % {"count": done}, messages.SUCCESS)
        for task, why in outcome.refused[:MAX_REFUSALS_LISTED]:
            text = _("Refused: %(task)s. %(why)s") % {"task": task, "why": why}
            self.message_user(request, text, messages.WARNING)
        more = len(outcome.refused) - MAX_REFUSALS_LISTED
        if more > 0:
            text = ngettext("%(count)d more refused.", "%(count)d more refused.", more)
            self.message_user(request, text % {"count": more}, messages.WARNING)

    def _ask_once(self, request: HttpRequest, form: BulkForm, tasks: list[Task]) -> HttpResponse:
        """Show every row with its version, and what is to be done with all of them."""
        context = {
            **self.admin_site.each_context(request),
            "title": self.get_action(request.POST["action"])[2],  # type: ignore[index]
            "action": request.POST["action"],
            "form": form,
            "tasks": tasks,
            "opts": self.opts,
            "today": date_format(today()),
        }
        return TemplateResponse(request, "admin/change_many.html", context)


def seen_version(request: HttpRequest, task: Task) -> int:
    """Return the version of a row that the confirmation page showed.

    0, which none has, where it showed none.
    """
    return request_context.read_number(request.POST.get(f"seen-{task.pk}"))
