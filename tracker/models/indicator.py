"""Indicators: the figures that a task is to reach, and their values over time."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from tracker.domain import parsing
from tracker.domain.choices import Direction
from tracker.domain.dates import FIRST_DAY, LAST_DAY
from tracker.domain.permissions import EditedBy
from tracker.models.base import (
    History,
    Natural,
    NaturalManager,
    StrOrPromise,
    Versioned,
    date_field,
)
from tracker.models.names import NamedRecord
from tracker.models.progress import ProgressUpdate, person_field
from tracker.models.task import Task, TaskQuerySet


def amount_field(text: StrOrPromise, **options: Any) -> models.DecimalField:
    """Make a field for an amount of any unit."""
    digits = parsing.WHOLE_DIGITS + parsing.PLACES
    return models.DecimalField(text, max_digits=digits, decimal_places=parsing.PLACES, **options)


class IndicatorQuerySet(models.QuerySet["Indicator"]):
    """Indicators, each with its latest value."""

    def with_actual(self) -> "IndicatorQuerySet":
        """Annotate the latest value as `actual` and the day of it as `actual_on`."""
        latest = IndicatorValue.objects.filter(indicator=OuterRef("pk")).order_by("-day")
        return self.annotate(
            actual=Subquery(latest.values("value")[:1]),
            actual_on=Subquery(latest.values("day")[:1]),
        )

    def of(self, tasks: TaskQuerySet) -> "IndicatorQuerySet":
        """Keep the indicators of some tasks, in the order of the text."""
        found = self.filter(task__in=tasks.order_by().values("pk")).select_related(
            "task__lead_unit"
        )
        return found.order_by("task__policy", "task__sort_key", "order", "pk")


_Manager = NaturalManager.from_queryset(IndicatorQuerySet)


class IndicatorManager(_Manager):
    """Fetch each indicator with its latest value."""

    def get_queryset(self) -> Any:
        return IndicatorQuerySet(self.model, using=self._db).with_actual()


class Indicator(Versioned, Natural):
    """A figure that a task is to reach; saved with its task and under the task's version."""

    task = models.ForeignKey(
        Task, models.CASCADE, related_name="indicators", verbose_name=_("task")
    )
    order = models.PositiveSmallIntegerField(_("order"), default=1)
    name = models.CharField(_("indicator"), max_length=100)
    unit_of_measure = models.CharField(_("unit of measure"), max_length=20)
    direction = models.CharField(
        _("direction"), max_length=4, choices=Direction, default=Direction.UP
    )
    baseline = amount_field(_("baseline"), null=True, blank=True)
    baseline_on = date_field(_("day of the baseline"))
    target = amount_field(_("target"))
    target_on = date_field(_("to be reached by"))
    drives_percent = models.BooleanField(
        _("the percent follows it"),
        default=False,
        help_text=_(
            "For a quantified task without a checklist: the way done from the baseline to the "
            "target."
        ),
    )

    objects = IndicatorManager()
    history = History()
    natural_lookups = ("task__policy__slug", "task__code", "name")
    actual: Decimal | None = None
    actual_on: dt.date | None = None

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = "task"
    fixture_policy_lookup = "task__policy_id"
    derives_tasks_by = "indicators"

    class Meta:
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        ordering = ("task_id", "order", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["task", "name"],
                name="indicator_name_once",
                violation_error_message=_("The task has an indicator of this name already."),
            ),
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(drives_percent=True),
                name="indicator_drives_once",
                violation_error_message=_(
                    "The percent follows another indicator of the task: take that mark away first."
                ),
            ),
            models.CheckConstraint(
                condition=Q(drives_percent=False)
                | Q(direction=Direction.UP, baseline__isnull=False, baseline__lt=F("target"))
                | Q(direction=Direction.DOWN, baseline__isnull=False, baseline__gt=F("target")),
                name="indicator_has_way_to_go",
                violation_error_message=_(
                    "For the percent to follow, the indicator needs a baseline that does not "
                    "reach the target yet."
                ),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def figure(self, value: Decimal) -> dict[str, Any]:
        """Return what a report keeps of the indicator, in `ProgressUpdate.figures`."""
        known = {"indicator": self.pk, "name": self.name, "unit": self.unit_of_measure}
        return {**known, "value": parsing.format_decimal(value)}


class IndicatorValue(NamedRecord):
    """What an indicator was on a day, by an accepted report or the office.

    Its indicator's version guards it.
    """

    indicator = models.ForeignKey(
        Indicator,
        models.CASCADE,
        db_index=False,
        related_name="values",
        verbose_name=_("indicator"),
    )
    day = models.DateField(
        _("day of the value"),
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
    )
    value = amount_field(_("indicator value"))
    note = models.CharField(_("remark"), max_length=200, blank=True)
    report = models.ForeignKey(
        ProgressUpdate,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("progress report"),
    )
    entered_by = person_field(_("entered by"))

    history = History(excluded_fields=["report", "names"])
    named = ("entered_by",)

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = "indicator__task"
    fixture_policy_lookup = None
    derives_tasks_by = "indicators__values"

    class Meta:
        verbose_name = _("value of an indicator")
        verbose_name_plural = _("values of an indicator")
        ordering = ("indicator_id", "day")
        constraints = (
            models.UniqueConstraint(
                fields=["indicator", "day"],
                name="indicator_value_once_a_day",
                violation_error_message=_(
                    "There is a value of this day already: correct that one."
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {parsing.format_decimal(self.value)}"
