"""What units report and ask for, and what proves it."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tracker.domain.choices import (
    EDITABLE_REPORT_STATES,
    STANDING_REPORT_STATES,
    Rating,
    ReportState,
    RequestKind,
    RequestState,
)
from tracker.domain.dates import Period, name_between, period_between
from tracker.domain.permissions import EditedBy
from tracker.models.base import History, StrOrPromise, Versioned, text_field
from tracker.models.names import NamedRecord
from tracker.models.organization import Organization
from tracker.models.task import ChecklistItem, Task, TaskQuerySet


def person_field(text: StrOrPromise) -> models.ForeignKey:
    """Make a field for the account that did something; accounts are disabled, never deleted."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=text,
    )


class ReportQuerySet(models.QuerySet["ProgressUpdate"]):
    """Reports: those that count, those that wait for a review."""

    def standing(self) -> "ReportQuerySet":
        """Keep the reports of lead units that count as handed in."""
        return self.filter(contribution=False, state__in=STANDING_REPORT_STATES)

    def waiting(self) -> "ReportQuerySet":
        """Keep the reports that wait for the office, the oldest first."""
        return self.filter(contribution=False, state=ReportState.SUBMITTED).order_by(
            "submitted_on", "pk"
        )

    def of(self, tasks: TaskQuerySet) -> "ReportQuerySet":
        """Keep the reports of some tasks."""
        return self.filter(task__in=tasks.order_by().values("pk"))

    def asking_for_help(self) -> "ReportQuerySet":
        """Keep the reports that ask somebody for help and have no answer yet, the oldest first."""
        return self.filter(
            needs_help=True,
            help_answered_on=None,
            state__in=(*STANDING_REPORT_STATES, ReportState.RETURNED),
        ).order_by("submitted_on", "pk")


class ProgressUpdate(NamedRecord, Versioned):
    """What a unit reports of a task for one period; written by `workflow` alone.

    A co-operating unit's is a contribution, in addition to the lead unit's, and not reviewed. A
    draft is its unit's own and enters the history when it is handed in. What was handed in keeps
    the role that its unit had on that day; a draft takes the role of the day on which it is saved.
    """

    task = models.ForeignKey(Task, models.CASCADE, related_name="reports", verbose_name=_("task"))
    unit = models.ForeignKey(
        Organization, models.PROTECT, related_name="reports", verbose_name=_("unit")
    )
    contribution = models.BooleanField(_("contribution"), default=False)
    period_start = models.DateField(_("period from"))
    period_end = models.DateField(_("period to"))
    state = models.CharField(
        pgettext_lazy("report", "state"),
        max_length=10,
        choices=ReportState,
        default=ReportState.DRAFT,
    )
    percent = models.PositiveSmallIntegerField(
        _("percent done"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    fall_reason = models.CharField(_("why the percent falls"), max_length=200, blank=True)
    progress = text_field(_("progress"))
    problems = text_field(_("problems"))
    next_steps = text_field(_("next steps"))
    unchanged = models.BooleanField(_("no change in this period"), default=False)
    # What is said of each indicator (`Indicator.figure`), with its name and unit of that time: a
    # new name rewrites no report.
    figures = models.JSONField(_("indicators"), default=list, blank=True, editable=False)
    needs_help = models.BooleanField(_("needs help"), default=False)
    help_addressee = models.CharField(_("who is asked for help"), max_length=100, blank=True)
    help_answer = text_field(_("answer"))
    help_answered_on = models.DateField(_("answered on"), null=True, blank=True)
    submitted_by = person_field(_("submitted by"))
    submitted_on = models.DateField(_("submitted on"), null=True, blank=True)
    reviewed_by = person_field(_("reviewed by"))
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)
    review_note = text_field(_("why it was returned"))
    # The percent of the task before it was accepted, to be set again when the acceptance is taken
    # back.
    percent_before = models.PositiveSmallIntegerField(null=True, editable=False)
    # What the unit has written since the return, by field: until it is handed in again the report
    # says what was returned, whoever reads it.
    rework = models.JSONField(default=dict, blank=True, editable=False)

    objects = models.Manager.from_queryset(ReportQuerySet)()
    history = History(excluded_fields=["percent_before", "rework", "names"])
    named = ("unit", "submitted_by", "reviewed_by")

    edited_by = EditedBy.NOBODY
    belongs_to_task = "task"
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("progress report")
        verbose_name_plural = _("progress reports")
        ordering = ("-period_start", "-pk")
        constraints = (
            # An accepted one may be followed by another of the same period, and a contribution by
            # the report of the same unit once it leads.
            models.UniqueConstraint(
                # By both days: April and the second quarter begin on one day.
                fields=["task", "unit", "period_start", "period_end", "contribution"],
                condition=Q(state__in=EDITABLE_REPORT_STATES),
                name="report_at_hand_once",
                violation_error_message=_(
                    "There is a report of this period already: open it again."
                ),
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__lte=100),
                name="report_percent_in_range",
                violation_error_message=_("A percent is a whole number from 0 to 100."),
            ),
            models.CheckConstraint(
                condition=Q(period_start__lte=models.F("period_end")),
                name="report_period_in_order",
                violation_error_message=_("The period ends before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(state=ReportState.DRAFT) | Q(submitted_on__isnull=False),
                name="report_submitted_on_a_day",
                violation_error_message=_(
                    "A report that was handed in has the day on which it was."
                ),
            ),
        )
        indexes = (models.Index(fields=["state", "submitted_on"], name="report_queue"),)

    def __str__(self) -> str:
        return f"{self.task.code} {self.period_name} {self.unit}"

    def get_absolute_url(self) -> str:
        return f"{self.task.get_absolute_url()}#report-{self.pk}"

    @property
    def period(self) -> Period:
        """Return the period that is reported.

        A week, a month or a quarter by its days, whatever the cycle is now.
        """
        known = period_between(self.period_start, self.period_end)
        return known or Period(self.task.policy.cycle, self.period_start)

    @property
    def period_name(self) -> str:
        """Return what people call the period that is reported, with its year."""
        return name_between(self.period_start, self.period_end)

    @property
    def shown_evidence(self) -> "list[Evidence]":
        """Return the evidence that has been handed in, as it was fetched."""
        found = []
        for piece in self.evidence.all():
            if piece.handed_in:
                found.append(piece)
        return found

    @property
    def is_draft(self) -> bool:
        """Say whether it is its unit's own."""
        return self.state == ReportState.DRAFT

    @property
    def is_open(self) -> bool:
        """Say whether its unit can still write in it."""
        return self.state in (ReportState.DRAFT, ReportState.RETURNED)


class TaskRequest(NamedRecord, Versioned):
    """A unit's request to the office, closing or more time; also what was granted unasked."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="requests", verbose_name=_("task"))
    kind = models.CharField(
        pgettext_lazy("report", "kind of request"), max_length=10, choices=RequestKind
    )
    state = models.CharField(
        pgettext_lazy("report", "state"),
        max_length=10,
        choices=RequestState,
        default=RequestState.OPEN,
    )
    reason = text_field(_("reason or closing statement"))
    progress = text_field(_("progress so far"))
    old_deadline = models.DateField(_("deadline at that time"), null=True, blank=True)
    # The one above is of the day of the decision, once there is one.
    deadline_when_asked = models.DateField(
        _("deadline when it was asked for"), null=True, blank=True
    )
    new_deadline = models.DateField(_("new deadline"), null=True, blank=True)
    asked_by = person_field(_("asked by"))
    asked_on = models.DateField(_("asked on"))
    decided_by = person_field(_("decided by"))
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    decision_note = text_field(_("reason of the decision"))
    rating = models.CharField(
        pgettext_lazy("of a closing", "rating"), max_length=10, choices=Rating, blank=True
    )

    history = History(excluded_fields=["names"])
    named = ("asked_by", "decided_by")

    edited_by = EditedBy.NOBODY
    belongs_to_task = "task"
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        ordering = ("-asked_on", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=["task", "kind"],
                condition=Q(state=RequestState.OPEN),
                name="request_open_once",
                violation_error_message=_("Such a request is waiting already."),
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.OPEN, decided_on__isnull=True)
                | (~Q(state=RequestState.OPEN) & Q(decided_on__isnull=False)),
                name="request_decided_on_a_day",
                violation_error_message=_(
                    "A decided request has the day of the decision, and only a decided one has it."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(kind=RequestKind.EXTEND) | Q(new_deadline__isnull=False),
                name="extension_has_deadline",
                violation_error_message=_("A request for more time names the new deadline."),
            ),
        )
        indexes = (models.Index(fields=["state", "asked_on"], name="request_queue"),)

    def __str__(self) -> str:
        return f"{self.task.code} {self.get_kind_display()}"


def stored_name(evidence: "Evidence", name: str) -> str:
    """Make up a name for a file: what a person called it never reaches the disk."""
    return uuid.uuid4().hex


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    """Evidence: what has been handed in, and what counts as proof."""

    def handed_in(self) -> "EvidenceQuerySet":
        """Keep what everybody sees who sees the task; the rest is its unit's own."""
        return self.filter(
            Q(report__isnull=True) | ~Q(report__state=ReportState.DRAFT), handed_in=True
        )

    def proving(self) -> "EvidenceQuerySet":
        """Keep what a closing is judged by: no evidence of a report that was returned."""
        return self.handed_in().filter(
            Q(report__isnull=True) | Q(report__state__in=STANDING_REPORT_STATES)
        )


class Evidence(models.Model):
    """A file or a link that proves progress.

    It never changes; while its report is a draft it can be taken away.

    It enters the history when it is handed in with its report.
    """

    task = models.ForeignKey(Task, models.CASCADE, related_name="evidence", verbose_name=_("task"))
    report = models.ForeignKey(
        ProgressUpdate,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="evidence",
        verbose_name=_("progress report"),
    )
    item = models.ForeignKey(
        ChecklistItem,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="evidence",
        verbose_name=_("checklist item"),
    )
    request = models.ForeignKey(
        TaskRequest,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="evidence",
        verbose_name=_("request"),
    )
    file = models.FileField(_("file"), upload_to=stored_name, blank=True, max_length=100)
    link = models.URLField(_("link"), blank=True, max_length=500)
    name = models.CharField(_("name"), max_length=200)
    size = models.PositiveIntegerField(_("size in bytes"), default=0)
    added_by = person_field(_("added by"))
    added_on = models.DateField(_("added on"))
    handed_in = models.BooleanField(default=True, editable=False)

    objects = models.Manager.from_queryset(EvidenceQuerySet)()
    history = History(excluded_fields=["handed_in"])

    edited_by = EditedBy.NOBODY
    belongs_to_task = "task"
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(file="") ^ Q(link=""),
                name="evidence_is_file_or_link",
                violation_error_message=_("Evidence is either a file or a link."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return self.link or reverse("evidence", args=[self.pk])

    def clean(self) -> None:
        if bool(self.file) == bool(self.link):
            raise ValidationError(_("Evidence is either a file or a link."))
