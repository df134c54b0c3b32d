"""Tasks and their checklists, and the light as the database sees it."""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Prefetch, Q, Value, When
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import Exact, GreaterThan
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker.domain import lights, permissions
from tracker.domain.choices import (
    GROUP_LIGHTS,
    OPEN_STATUSES,
    RUNNING_STATUSES,
    Cycle,
    Kind,
    Light,
    LightGroup,
    PolicyState,
    Status,
)
from tracker.domain.codes import code_key, natural
from tracker.domain.dates import DAY, period_of
from tracker.domain.folding import fold
from tracker.domain.passages import ClauseFinder
from tracker.domain.permissions import EditedBy
from tracker.models.base import (
    Coded,
    History,
    Natural,
    NaturalManager,
    StrOrPromise,
    Versioned,
    code_field,
    date_field,
    text_field,
)
from tracker.models.organization import Organization
from tracker.models.policy import Measure, PolicyDocument, anchor_field

if TYPE_CHECKING:
    from tracker.domain.permissions import Account

FORECAST_DAYS = 30
# The order of lights in lists: what needs somebody first.
GRAVEST = (Light.RED, Light.YELLOW, Light.GREEN, Light.GREY, Light.PURPLE, Light.BLUE, Light.NONE)

# SQLite searches an index that contains the text several times as fast as the table. PostgreSQL has
# none: a row of an index takes 2.7 kB there, and a long description is longer.
SEARCH_INDEXES: list[models.Index] = []
if settings.SQLITE:
    SEARCH_INDEXES.append(
        models.Index(
            fields=["policy", "sort_key", "lead_unit", "letters", "search"], name="task_words"
        )
    )


def turned_by(column: str, on: dt.date) -> Q:
    """Return the condition that a turning date has passed: by the day, or that of the request."""
    return Q(status__in=RUNNING_STATUSES, **{f"{column}__lte": on}) | Q(
        status=Status.CLOSING, **{f"{column}__lte": F("closing_requested_on")}
    )


def light_is(on: dt.date) -> dict[Light, Q]:
    """Return the condition of each light on stored columns, as `lights.light_on_day` has it."""
    # Yellow never comes after red (`task_yellow_before_red`): yellow alone tells what is on course.
    calm = Q(turns_yellow_on__isnull=True) | Q(turns_yellow_on__gt=_judged_on(on))
    not_red = Q(turns_red_on__isnull=True) | Q(turns_red_on__gt=_judged_on(on))
    return {
        Light.BLUE: Q(status=Status.CLOSED)
        & (Q(deadline__isnull=True) | Q(closed_on__lte=F("deadline"))),
        Light.PURPLE: Q(status=Status.CLOSED, closed_on__gt=F("deadline")),
        Light.RED: turned_by("turns_red_on", on),
        Light.YELLOW: turned_by("turns_yellow_on", on) & not_red,
        Light.GREY: Q(status=Status.SUSPENDED) | (Q(status=Status.NOT_STARTED) & calm),
        Light.GREEN: Q(status__in=(Status.IN_PROGRESS, Status.CLOSING)) & calm,
        Light.NONE: Q(status=Status.CANCELLED),
    }


def _judged_on(on: dt.date) -> Coalesce:
    return Coalesce(F("closing_requested_on"), Value(on, output_field=models.DateField()))


FieldFaults = dict[str, StrOrPromise]


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks: those that an account may see, with lights of a day, counted by the domain's rules."""

    def visible_to(self, user: "Account") -> "TaskQuerySet":
        """Keep the tasks that exist for an account."""
        scope = permissions.visibility_scope(user)
        if scope == permissions.VisibilityScope.EVERYTHING:
            return self
        published = self.filter(policy__state=PolicyState.PUBLISHED)
        if scope == permissions.VisibilityScope.PUBLISHED:
            return published
        if (
            scope == permissions.VisibilityScope.UNIT
            and user.is_authenticated
            and user.organization_id
        ):
            return self.asked_of(user)
        return self.none()

    def asked_of(self, user: "Account") -> "TaskQuerySet":
        """Keep the tasks that an account acts on for its unit, whatever other roles it has.

        The same as `permissions.acts_for` says of one task; a test compares both.
        """
        unit = permissions.works_for(user)
        if not unit:
            return self.none()
        in_force = self.filter(policy__state=PolicyState.PUBLISHED, assigned_on__isnull=False)
        return in_force.involving(unit)

    def involving(self, unit: int | Organization) -> "TaskQuerySet":
        """Keep the tasks that a unit leads or co-operates in."""
        return self.filter(Q(lead_unit=unit) | cooperating(unit))

    def with_related(self) -> "TaskQuerySet":
        """Fetch what a row shows of other tables: four queries, whatever the number of rows."""
        related = self.select_related("policy", "measure__section", "lead_unit", "latest_report")
        return related.prefetch_related("co_units", "items", "latest_report__evidence")

    def bulk_rows(self, policy: PolicyDocument, chunk_size: int) -> Iterator["Task"]:
        """Yield the tasks of a policy with the same, for thousands of rows.

        Four queries a chunk, and two.

        What many tasks share is fetched once. No foreign key is prefetched: SQLite gets one OR for
        each of its values, and refuses 1,000 of them.
        """
        # By their tasks: a measure of before 0.2 may have gone to another policy without them.
        used = Task.objects.filter(policy=policy).order_by().values("measure")
        measures = {}
        for measure in Measure.objects.filter(pk__in=used).select_related("section"):
            measures[measure.pk] = measure
        units = Organization.objects.in_bulk()
        rows = self.select_related("latest_report").prefetch_related(
            "latest_report__evidence",
            Prefetch("co_units", to_attr="helpers_fetched"),
            Prefetch("items", to_attr="steps_fetched"),
        )
        for task in rows.iterator(chunk_size=chunk_size):
            task.policy = policy
            task.measure = measures[task.measure_id]
            if task.lead_unit_id:
                task.lead_unit = units[task.lead_unit_id]
            else:
                task.lead_unit = None
            yield task

    def with_light(self, on: dt.date) -> "TaskQuerySet":
        """Annotate `light` for a day."""
        cases = []
        for light, condition in light_is(on).items():
            cases.append(When(condition, then=Value(str(light))))
        return self.annotate(light=Case(*cases, output_field=models.CharField()))

    def with_light_rank(self, on: dt.date) -> "TaskQuerySet":
        """Annotate `light_rank` for a day: the gravest light first when sorted."""
        ranks = []
        for light, condition in light_is(on).items():
            ranks.append(When(condition, then=Value(GRAVEST.index(light))))
        return self.annotate(
            light_rank=Case(*ranks, output_field=models.PositiveSmallIntegerField())
        )

    def lit(self, *shown: Light, on: dt.date) -> "TaskQuerySet":
        """Keep the tasks that show one of some lights on a day."""
        conditions = light_is(on)
        wanted = Q(pk__in=[])
        for light in shown:
            wanted |= conditions[light]
        return self.filter(wanted)

    def in_group(self, group: LightGroup, on: dt.date) -> "TaskQuerySet":
        """Keep one of the five groups that add up to the total."""
        return self.lit(*GROUP_LIGHTS[group], on=on)

    def counted(self) -> "TaskQuerySet":
        """Keep what every denominator counts: all but the cancelled."""
        return self.exclude(status=Status.CANCELLED)

    def overdue(self, on: dt.date) -> "TaskQuerySet":
        """Keep open tasks whose day that counts is past the current deadline."""
        return self.filter(overdue(on))

    def unreported(self, on: dt.date) -> "TaskQuerySet":
        """Keep tasks whose first owed period has ended before a day and that are not closing."""
        return self.filter(unreported(on))

    def owing(self, on: dt.date) -> "TaskQuerySet":
        """Keep tasks that owe a report for the period under way on a day, or for an earlier one."""
        return self.filter(unreported(on, current=True))

    def unacknowledged(self, on: dt.date) -> "TaskQuerySet":
        """Keep open tasks that were handed over and whose lead unit has not acknowledged them."""
        return self.filter(unacknowledged())

    def about(self, text: str, names: Mapping[int, str]) -> "TaskQuerySet":
        """Keep tasks that contain each word of a text, or are of a unit with it in its name.

        `names` are the names of every unit by its key, folded.
        """
        found = self
        for word in fold(text).split():
            condition = contains_term(word)
            units = [key for key, known in names.items() if word in known]
            # To compare units where none is named would cost a third more.
            if units:
                helping = Task.co_units.through.objects.filter(organization__in=units)
                condition |= Q(lead_unit__in=units) | Q(pk__in=helping.values("task"))
            found = found.filter(condition)
        return found

    def turning(self, on: dt.date, days: int = FORECAST_DAYS) -> "TaskQuerySet":
        """Keep tasks that turn yellow or red in some days after a day if nothing is reported."""
        soon = (on + DAY, on + days * DAY)
        return self.filter(
            Q(turns_red_on__range=soon) | Q(turns_yellow_on__range=soon),
            status__in=RUNNING_STATUSES,
        )


def cooperating(unit: int | Organization) -> Q:
    """Return the condition that a unit co-operates in a task.

    A subquery, because a join would double rows; it is evaluated once and not for each row, which
    costs eight times as much.
    """
    return Q(pk__in=Task.co_units.through.objects.filter(organization=unit).values("task"))


def contains_term(word: str) -> Q:
    """Return the condition that the search text of a task contains a word, both folded."""
    folded = fold(word)
    letters = letter_mask(folded)
    # Most rows lack one of the letters: to see that costs a tenth of reading their words. SQLite
    # takes half as long to look for the place of a Chinese word as for LIKE, which folds capitals
    # once more.
    return Q(Exact(F("letters").bitand(letters), letters)) & Q(
        GreaterThan(StrIndex(F("search"), Value(folded)), 0)
    )


def letter_mask(text: str) -> int:
    """Return the letters of a text as 63 bits, several letters sharing one.

    The bits of a word are among those of its text.
    """
    return reduce(or_, (1 << ord(letter) % 63 for letter in set(text)), 0)


def unacknowledged() -> Q:
    """Return the condition that an open task was handed over and is not acknowledged."""
    return Q(assigned_on__isnull=False, acknowledged_on__isnull=True, status__in=OPEN_STATUSES)


def overdue(on: dt.date) -> Q:
    """Return the condition that the day that counts is past the current deadline."""
    return Q(status__in=RUNNING_STATUSES, deadline__lt=on) | Q(
        status=Status.CLOSING, deadline__lt=F("closing_requested_on")
    )


def unreported(on: dt.date, current: bool = False) -> Q:
    """Return the condition that the first owed period has ended before a day, or has begun.

    `current` asks for periods that have begun. Each cycle has its own last period.
    """
    owed = Q(pk__in=[])
    for cycle in (Cycle.WEEKLY, Cycle.MONTHLY, Cycle.QUARTERLY):
        if current:
            start = period_of(cycle, on).start
        else:
            start = lights.last_complete(cycle, on).start
        owed |= Q(policy__cycle=cycle, owed_from__lte=start) & (
            Q(reported_through__isnull=True) | Q(reported_through__lt=start)
        )
    return owed & Q(status__in=RUNNING_STATUSES)


class Task(Versioned, Natural, Coded):
    """What is done to carry out a measure: owners, a deadline, a status, and the two turning dates.

    Written by `workflow` alone. `turns_yellow_on`, `turns_red_on`, the sort keys, `search`,
    `follows_indicator` and the percent of a checklist or an indicator are derived there from the
    facts.
    """

    # Several indexes of the table begin with the policy, one with the lead unit: none for either
    # alone.
    policy = models.ForeignKey(
        PolicyDocument,
        models.CASCADE,
        db_index=False,
        related_name="tasks",
        verbose_name=_("policy"),
    )
    measure = models.ForeignKey(
        Measure, models.RESTRICT, related_name="tasks", verbose_name=_("measure")
    )
    code = code_field(_("task code"))
    # Sorted by, with an index, and so by bytes on every database.
    title = models.CharField(_("task"), max_length=200, db_collation=settings.CODE_COLLATION)
    description = text_field(_("what is to be done"))
    remark = text_field(_("remark"))
    anchor = anchor_field()
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, blank=True)
    lead_unit = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="led_tasks",
        verbose_name=_("lead unit"),
    )
    lead_is_proposed = models.BooleanField(
        _("lead unit is a proposal"),
        default=False,
        help_text=_("Cleared when the task is handed over."),
    )
    co_units = models.ManyToManyField(
        Organization, blank=True, related_name="co_tasks", verbose_name=_("co-operating units")
    )
    lead_official = models.CharField(_("lead official"), max_length=100, blank=True)
    responsible_person = models.CharField(_("person responsible"), max_length=100, blank=True)
    start = date_field(_("start"))
    original_deadline = date_field(_("original deadline"))
    deadline = date_field(_("current deadline"))
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.NOT_STARTED
    )
    percent = models.PositiveSmallIntegerField(
        _("percent done"), default=0, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    assigned_on = date_field(_("handed over on"))
    owed_from = date_field(_("reports owed from"))
    reported_through = date_field(_("reported through"))
    closing_requested_on = date_field(_("closing requested on"))
    closed_on = date_field(_("closed on"))
    acknowledged_on = models.DateField(_("acknowledged on"), null=True, blank=True, editable=False)
    latest_report = models.ForeignKey(
        "ProgressUpdate",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("latest report"),
    )
    # Of every row that asks whether a unit states the percent: to look for it would be one more
    # query.
    follows_indicator = models.BooleanField(
        _("the percent follows an indicator"), default=False, editable=False
    )
    turns_yellow_on = models.DateField(_("turns yellow on"), null=True, editable=False)
    turns_red_on = models.DateField(_("turns red on"), null=True, editable=False)
    # The order of the text in one column: sorting by two joined tables would read every row for a
    # page of 25.
    sort_key = models.CharField(
        _("sort"),
        max_length=120,
        blank=True,
        default="",
        editable=False,
        db_collation=settings.CODE_COLLATION,
    )
    # What is searched, folded and in one column: a word costs one comparison a row instead of ten
    # and a join.
    search = models.TextField(_("search text"), blank=True, default="", editable=False)
    letters = models.BigIntegerField(_("letters of the search text"), default=0, editable=False)

    objects = NaturalManager.from_queryset(TaskQuerySet)()
    # Derived columns stay out: a change of thresholds is no change of the task.
    history = History(
        excluded_fields=[
            "follows_indicator",
            "turns_yellow_on",
            "turns_red_on",
            "sort_key",
            "code_key",
            "search",
            "letters",
            "latest_report",
        ],
        m2m_fields=[co_units],
    )
    natural_lookups = ("policy__slug", "code")

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = None
    fixture_policy_lookup = "policy_id"
    derives_tasks_by = "pk"

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ("policy", "sort_key")
        constraints = (
            models.UniqueConstraint(fields=["policy", "code"], name="task_code_once"),
            models.CheckConstraint(
                condition=Q(status=Status.CLOSED, closed_on__isnull=False)
                | (~Q(status=Status.CLOSED) & Q(closed_on__isnull=True)),
                name="task_closed_iff_day",
                violation_error_message=_(
                    "A closed task has the day of its closing, and only a closed one has it."
                ),
            ),
            models.CheckConstraint(
                condition=Q(status=Status.CLOSING, closing_requested_on__isnull=False)
                | (~Q(status=Status.CLOSING) & Q(closing_requested_on__isnull=True)),
                name="task_closing_iff_request",
                violation_error_message=_(
                    "A task for which closing is requested has the day of the request, and only "
                    "such a task has it."
                ),
            ),
            models.CheckConstraint(
                condition=Q(start__isnull=True)
                | Q(deadline__isnull=True)
                | Q(start__lte=F("deadline")),
                name="task_starts_before_deadline",
                violation_error_message=_("The start is after the deadline."),
            ),
            models.CheckConstraint(
                condition=Q(original_deadline__isnull=True, deadline__isnull=True)
                | Q(original_deadline__isnull=False, deadline__isnull=False),
                name="task_both_deadlines_or_none",
                violation_error_message=_(
                    "Original and current deadline are both set or both empty."
                ),
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100),
                name="task_percent_in_range",
                violation_error_message=_("A percent is a whole number from 0 to 100."),
            ),
            models.CheckConstraint(
                condition=~Q(kind=Kind.STANDING) | Q(deadline__isnull=True),
                name="standing_task_has_no_deadline",
                violation_error_message=_("A standing task has no deadline."),
            ),
            models.CheckConstraint(
                condition=Q(assigned_on__isnull=True) | (Q(lead_unit__isnull=False) & ~Q(kind="")),
                name="task_handed_over_has_lead",
                violation_error_message=_("A task that is handed over has a lead unit and a kind."),
            ),
            # So the groups add up: what is red was yellow before, or turns both on one day.
            models.CheckConstraint(
                condition=Q(turns_red_on__isnull=True)
                | Q(turns_yellow_on__isnull=False, turns_yellow_on__lte=F("turns_red_on")),
                name="task_yellow_before_red",
                violation_error_message=_(
                    "A task turns yellow before it turns red, or on the same day."
                ),
            ),
        )
        indexes = (
            *SEARCH_INDEXES,
            # After the wide one: of two that serve as well SQLite takes the younger.
            models.Index(fields=["policy", "sort_key"], name="task_place"),
            # The figures of a policy, and of a unit, without touching the table: all that their
            # conditions compare, what they count by, and what a list is sorted by.
            models.Index(
                fields=[
                    *(
                        "policy",
                        "status",
                        "turns_red_on",
                        "turns_yellow_on",
                        "deadline",
                        "closed_on",
                    ),
                    *("closing_requested_on", "owed_from", "reported_through"),
                    *("measure", "lead_unit", "kind", "lead_is_proposed", "percent", "code_key"),
                ],
                name="task_policy_figures",
            ),
            models.Index(
                fields=[
                    *(
                        "lead_unit",
                        "status",
                        "turns_red_on",
                        "turns_yellow_on",
                        "deadline",
                        "closed_on",
                    ),
                    *("closing_requested_on", "owed_from", "reported_through", "policy", "percent"),
                ],
                name="task_unit_figures",
            ),
            models.Index(fields=["policy", "deadline", "code_key"], name="task_due"),
            models.Index(fields=["policy", "title", "code_key"], name="task_title"),
            models.Index(fields=["policy", "code_key"], name="task_code"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    def clean(self) -> None:
        """Bring the facts in line with each other; what is missing is said beside its field."""
        if self.status == Status.CLOSED:
            # When the office agrees to a request, the day of the request is the day that counts.
            self.closed_on = self.closed_on or self.closing_requested_on
        else:
            self.closed_on = None
        if self.status != Status.CLOSING:
            self.closing_requested_on = None
        if not self.assigned_on:
            # Before the hand-over nothing was promised to anybody: one deadline, in both fields.
            self.original_deadline = self.deadline
        elif self.deadline and not self.original_deadline:
            self.original_deadline = self.deadline
        faults = {
            **self._measure_faults(),
            **self._closing_faults(),
            **self._deadline_faults(),
            **self._hand_over_faults(),
        }
        if faults:
            raise ValidationError(faults)

    def _measure_faults(self) -> FieldFaults:
        if self.measure_id and self.policy_id and self.measure.policy_id != self.policy_id:
            return {"measure": _("The measure belongs to another policy.")}
        return {}

    def _closing_faults(self) -> FieldFaults:
        if self.status == Status.CLOSED and not self.closed_on:
            return {"closed_on": _("Enter the day on which the task was done.")}
        if self.status == Status.CLOSING and not self.closing_requested_on:
            return {"closing_requested_on": _("Enter the day of the request for closing.")}
        return {}

    def _deadline_faults(self) -> FieldFaults:
        faults: FieldFaults = {}
        if self.original_deadline and not self.deadline:
            faults["deadline"] = _("A task that was handed over with a deadline must keep one.")
        if self.kind == Kind.STANDING and self.deadline:
            faults["deadline"] = _("A standing task has no deadline.")
        if self.start and self.deadline and self.start > self.deadline:
            faults["start"] = _("The start is after the deadline.")
        return faults

    def _hand_over_faults(self) -> FieldFaults:
        faults: FieldFaults = {}
        if self.assigned_on and not self.lead_unit_id:
            faults["lead_unit"] = _("A task needs a lead unit to be handed over.")
        if self.assigned_on and not self.kind:
            faults["kind"] = _("A task needs a kind to be handed over.")
        return faults

    def get_absolute_url(self) -> str:
        return reverse("task", args=[self.policy.slug, self.code])

    @property
    def is_in_force(self) -> bool:
        """Say whether the task is handed over, and so cannot be deleted."""
        return self.assigned_on is not None

    @property
    def place(self) -> str:
        """Return the sort key of the task in its policy: section, measure, code."""
        measure = self.measure
        place = f"{measure.section.number:05}-{measure.order:05}-{natural(measure.code)}"
        return f"{place}-{code_key(self.code)}"

    def words(self, items: "Iterable[ChecklistItem]", text: ClauseFinder) -> str:
        """Return what the task is about, folded to be searched.

        Code, title, requirement, remark, measure and steps, and the words of the policy's text that
        they are anchored to: their whole clauses where the text is loaded, else the anchors. Folded
        words contain no line break, so none spans two of these.
        """
        measure = self.measure
        steps = list(items)
        names = [
            self.code,
            self.title,
            self.description,
            self.remark,
            measure.name,
            *(item.title for item in steps),
        ]
        anchors = [self.anchor, measure.anchor, *(item.anchor for item in steps)]
        passages = []
        for anchor in anchors:
            passages.append(text.clauses_of(anchor) or anchor)
        return "\n".join(dict.fromkeys(fold(part) for part in (*names, *passages) if part))

    @property
    def has_percent(self) -> bool:
        """Say whether a percent means something: it does for quantified tasks and checklists."""
        return self.kind == Kind.QUANTIFIED or bool(self.steps)

    @property
    def steps(self) -> "Collection[ChecklistItem]":
        """Return the checklist, as it was fetched."""
        found: list[ChecklistItem] | None = self.__dict__.get("steps_fetched")
        if found is None:
            return self.items.all()
        return found

    @property
    def helpers(self) -> Collection[Organization]:
        """Return the co-operating units in official order, as they were fetched."""
        found: list[Organization] | None = self.__dict__.get("helpers_fetched")
        if found is None:
            return self.co_units.all()
        return found

    def keep_fetched(self) -> None:
        """Keep checklist and co-operating units, once fetched, as lists.

        Each use of a manager costs more.
        """
        self.__dict__["steps_fetched"] = list(self.items.all())
        self.__dict__["helpers_fetched"] = list(self.co_units.all())

    def light_on(self, on: dt.date) -> Light:
        """Return the light on a day by the pure rule."""
        return lights.light_on_day(self, self.policy, on)

    def reasons_on(self, on: dt.date) -> list[str]:
        """Return the sentences that explain the light on a day."""
        return lights.light_reasons(self, self.policy, on)


class ChecklistItem(Natural):
    """A step of a task that is ticked off. Its task's version guards it."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="items", verbose_name=_("task"))
    number = models.PositiveSmallIntegerField(_("number"))
    title = models.CharField(_("step"), max_length=200)
    anchor = anchor_field()
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    due = date_field(_("due"))
    done_on = date_field(_("done on"))
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="ticked_items",
        verbose_name=_("ticked by"),
    )

    objects = NaturalManager()
    history = History()
    natural_lookups = ("task__policy__slug", "task__code", "number")

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = "task"
    fixture_policy_lookup = "task__policy_id"
    derives_tasks_by = "items"

    class Meta:
        verbose_name = _("checklist item")
        verbose_name_plural = _("checklist items")
        ordering = (
            "task_id",
            "number",
        )  # by the key alone: by the task would join it and its policy
        constraints = (
            models.UniqueConstraint(fields=["task", "number"], name="item_number_once"),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=1000),
                name="item_weight_in_range",
                violation_error_message=_("A weight is a whole number from 1 to 1000."),
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def mark(self) -> str:
        """Return a digest of what a page shows of the step: its title and its tick."""
        return hashlib.sha256(f"{self.title}\n{self.done_on}".encode()).hexdigest()
