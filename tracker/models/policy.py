"""The policy text and its parts: sections, measures, declared counts, background passages."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker.domain import permissions
from tracker.domain.choices import Cycle, PolicyState
from tracker.domain.dates import today
from tracker.domain.permissions import EditedBy
from tracker.models.base import (
    AddressField,
    Coded,
    History,
    Natural,
    NaturalManager,
    UniqueFolded,
    Versioned,
    code_field,
    date_field,
)
from tracker.models.names import NamedRecord

if TYPE_CHECKING:
    from tracker.domain.permissions import Account

LONGEST_WAIT = 366  # days; a longer warning or grace is a slip of the keyboard


def anchor_field() -> models.CharField:
    """Make a field for the short phrase that finds a passage in the policy's text."""
    return models.CharField(
        _("anchor"),
        max_length=30,
        blank=True,
        help_text=_(
            "A short phrase of the text, exactly as it stands there, that occurs only once."
        ),
    )


class PolicyQuerySet(models.QuerySet["PolicyDocument"]):
    """Policies, cut to what an account may see."""

    def visible_to(self, user: "Account") -> "PolicyQuerySet":
        """Keep the policies that exist for an account."""
        scope = permissions.visibility_scope(user)
        if scope == permissions.VisibilityScope.NOTHING:
            return self.none()
        if scope == permissions.VisibilityScope.EVERYTHING:
            return self
        return self.filter(state=PolicyState.PUBLISHED)


class PolicyDocument(Versioned, Natural, UniqueFolded):
    """A text that is carried out, with the thresholds of its lights and its reporting cycle."""

    slug = AddressField(
        _("short address"), max_length=60, unique=True, db_collation=settings.CODE_COLLATION
    )
    title = models.CharField(_("title"), max_length=200)
    author = models.CharField(_("author"), max_length=100, blank=True)
    publisher = models.CharField(_("publisher"), max_length=100, blank=True)
    published_on = date_field(_("published on"))
    source_note = models.CharField(_("note on the source"), max_length=200, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=PolicyState, default=PolicyState.DRAFT
    )
    demo = models.BooleanField(_("demonstration data"), default=False, editable=False)
    warn_days = models.PositiveSmallIntegerField(
        _("days of warning before the deadline"),
        default=7,
        validators=[MaxValueValidator(LONGEST_WAIT)],
    )
    yellow_gap = models.PositiveSmallIntegerField(
        _("points behind schedule for yellow"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    red_gap = models.PositiveSmallIntegerField(
        _("points behind schedule for red"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    cycle = models.CharField(
        _("reporting cycle"), max_length=10, choices=Cycle, default=Cycle.MONTHLY
    )
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace for a report"), default=5, validators=[MaxValueValidator(LONGEST_WAIT)]
    )
    full_text = models.TextField(
        _("full text"),
        blank=True,
        help_text=_(
            "Loaded by the office that owns a copy. Secret matters must not be entered in this "
            "system."
        ),
    )

    objects = NaturalManager.from_queryset(PolicyQuerySet)()
    history = History()
    natural_lookups = ("slug",)
    folded_name = "slug"

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = None
    fixture_policy_lookup = "id"
    derives_tasks_by = "policy"
    derivation_inputs = ("warn_days", "yellow_gap", "red_gap", "cycle", "grace_days", "full_text")

    class Meta:
        verbose_name = _("policy document")
        verbose_name_plural = _("policy documents")
        ordering = ("demo", "slug")
        constraints = (
            models.CheckConstraint(
                condition=Q(yellow_gap__gte=1, red_gap__lte=100, yellow_gap__lte=F("red_gap")),
                name="policy_gaps_in_range",
                violation_error_message=_("The gaps need 1 ≤ yellow ≤ red ≤ 100 points."),
            ),
            models.CheckConstraint(
                condition=Q(warn_days__lte=LONGEST_WAIT, grace_days__lte=LONGEST_WAIT),
                name="policy_waits_in_range",
                violation_error_message=_("Days of warning and of grace are between 0 and 366."),
            ),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("policy", args=[self.slug])

    @property
    def is_in_force(self) -> bool:
        """Say whether the policy is published, and so cannot be deleted."""
        return self.state == PolicyState.PUBLISHED

    def beside(self) -> PolicyQuerySet:
        return PolicyDocument.objects.all()


class Section(Versioned, Natural):
    """A part of the text; its letter begins the codes of its measures."""

    policy = models.ForeignKey(
        PolicyDocument, models.CASCADE, related_name="sections", verbose_name=_("policy")
    )
    number = models.PositiveSmallIntegerField(
        _("number"), validators=[MinValueValidator(1), MaxValueValidator(26)]
    )
    name = models.CharField(_("name"), max_length=200)
    anchor = anchor_field()

    objects = NaturalManager()
    history = History()
    natural_lookups = ("policy__slug", "number")

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = None
    fixture_policy_lookup = "policy_id"
    derives_tasks_by = "measure__section"
    derivation_inputs = ("number",)

    class Meta:
        verbose_name = _("section")
        verbose_name_plural = _("sections")
        ordering = ("policy", "number")
        constraints = (
            models.UniqueConstraint(fields=["policy", "number"], name="section_number_once"),
        )

    def __str__(self) -> str:
        return f"{self.letter} {self.name}"

    def clean(self) -> None:
        if not self.pk:
            return
        measures: Any = self.measures  # type: ignore[attr-defined]
        if measures.exclude(policy=self.policy_id).exists():
            raise ValidationError(
                {"policy": _("The measures of this section belong to another policy.")}
            )

    @property
    def letter(self) -> str:
        """Return the letter that begins the codes of this section: A for the first."""
        return chr(ord("A") + self.number - 1)


class Measure(Versioned, Natural, Coded):
    """One measure of the text in its own official words, or a general demand of a section."""

    policy = models.ForeignKey(
        PolicyDocument, models.CASCADE, related_name="measures", verbose_name=_("policy")
    )
    section = models.ForeignKey(
        Section, models.CASCADE, related_name="measures", verbose_name=_("section")
    )
    code = code_field(_("code"))
    order = models.PositiveSmallIntegerField(_("order in the section"), default=0)
    name = models.CharField(_("name"), max_length=200)
    general = models.BooleanField(
        _("general demand"),
        default=False,
        help_text=_("A general demand is outside every count of measures."),
    )
    anchor = anchor_field()

    objects = NaturalManager()
    history = History(excluded_fields=["code_key"])
    natural_lookups = ("policy__slug", "code")

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = None
    fixture_policy_lookup = "policy_id"
    derives_tasks_by = "measure"
    derivation_inputs = ("section_id", "order", "code", "name", "anchor")

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        ordering = ("section__number", "order", "code_key")
        constraints = (
            models.UniqueConstraint(fields=["policy", "code"], name="measure_code_once"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def clean(self) -> None:
        if self.section_id and self.policy_id and self.section.policy_id != self.policy_id:
            raise ValidationError({"section": _("The section belongs to another policy.")})
        if not self.pk:
            return
        tasks: Any = self.tasks  # type: ignore[attr-defined]
        if tasks.exclude(policy=self.policy_id).exists():
            raise ValidationError(
                {"section": _("The tasks of this measure belong to another policy.")}
            )


class DeclaredCount(Versioned, Natural):
    """A number that the text states, with what is counted against it.

    Counted are the measures of a section without its general demands, or the checklist items of a
    task whose title contains `match`.
    """

    policy = models.ForeignKey(
        PolicyDocument, models.CASCADE, related_name="counts", verbose_name=_("policy")
    )
    name = models.CharField(_("name"), max_length=60)
    number = models.PositiveSmallIntegerField(_("number"))
    anchor = anchor_field()
    section = models.ForeignKey(
        Section, models.CASCADE, null=True, blank=True, verbose_name=_("section")
    )
    task = models.ForeignKey("Task", models.CASCADE, null=True, blank=True, verbose_name=_("task"))
    match = models.CharField(
        _("word in the items"),
        max_length=30,
        blank=True,
        help_text=_("Count only items whose title contains it."),
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = NaturalManager()
    history = History()
    natural_lookups = ("policy__slug", "name")

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = None
    fixture_policy_lookup = "policy_id"
    derives_tasks_by = None

    class Meta:
        verbose_name = _("declared count")
        verbose_name_plural = _("declared counts")
        ordering = ("policy", "pk")
        constraints = (
            models.UniqueConstraint(fields=["policy", "name"], name="declared_count_once"),
            models.CheckConstraint(
                condition=Q(section__isnull=True) ^ Q(task__isnull=True),
                name="declared_count_has_one_object",
                violation_error_message=_("Say what is counted: either a section or a task."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        for name in ("section", "task"):
            counted = getattr(self, name)
            if counted and self.policy_id and counted.policy_id != self.policy_id:
                raise ValidationError({name: _("It belongs to another policy.")})

    def found(self) -> int:
        """Count what the number speaks of."""
        if self.section:
            return sum(not measure.general for measure in self.section.measures.all())
        if self.task:
            return sum(self.match in item.title for item in self.task.items.all())
        return 0


class BackgroundPassage(NamedRecord, Versioned, Natural):
    """A passage that asks for nothing, marked so by somebody on some day."""

    policy = models.ForeignKey(
        PolicyDocument, models.CASCADE, related_name="background", verbose_name=_("policy")
    )
    anchor = anchor_field()
    note = models.CharField(_("note"), max_length=200, blank=True)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("marked by")
    )
    marked_on = models.DateField(_("marked on"), default=today)

    objects = NaturalManager()
    history = History(excluded_fields=["names"])
    named = ("marked_by",)
    natural_lookups = ("policy__slug", "anchor")

    edited_by = EditedBy.POLICY_EDITORS
    belongs_to_task = None
    fixture_policy_lookup = "policy_id"
    derives_tasks_by = None

    class Meta:
        verbose_name = _("background passage")
        verbose_name_plural = _("background passages")
        ordering = ("policy", "pk")
        constraints = (
            models.UniqueConstraint(fields=["policy", "anchor"], name="background_once"),
        )

    def __str__(self) -> str:
        return self.anchor
