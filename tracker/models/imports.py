"""What came in by workbook: a log of batches, each with the rows that were read."""

from typing import TYPE_CHECKING

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker.domain import permissions
from tracker.domain.choices import BatchKind, BatchState
from tracker.domain.permissions import EditedBy
from tracker.models.names import NamedRecord
from tracker.models.organization import Organization
from tracker.models.policy import PolicyDocument
from tracker.models.progress import person_field

if TYPE_CHECKING:
    from tracker.domain.permissions import Account


class BatchQuerySet(models.QuerySet["ImportBatch"]):
    """Batches, cut to what an account may see."""

    def visible_to(self, user: "Account") -> "BatchQuerySet":
        """Keep all for the office, and for a unit what its own liaisons have sent."""
        if permissions.may_read_reviews(user):
            return self
        unit = permissions.works_for(user)
        if unit:
            return self.filter(unit=unit)
        return self.none()


class ImportBatch(NamedRecord):
    """A workbook that was read: its rows, whether they were confirmed, and what they made.

    `rows` is what was typed, as `excel` reads it; `reading_notes` says what of the file was not
    read, `made` is what undoing it needs. The file itself is not kept.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=BatchKind)
    policy = models.ForeignKey(
        PolicyDocument,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("policy"),
    )
    unit = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("unit"),
    )
    file_name = models.CharField(_("file"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=BatchState, default=BatchState.READ)
    rows = models.JSONField(_("rows"), encoder=DjangoJSONEncoder, default=list)
    reading_notes = models.JSONField(
        _("notes on the reading"), encoder=DjangoJSONEncoder, default=list
    )
    made = models.JSONField(_("what it made"), encoder=DjangoJSONEncoder, default=list)
    read_by = person_field(_("sent by"))
    read_at = models.DateTimeField(_("sent at"))
    landed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    undone_by = person_field(_("undone by"))
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    objects = models.Manager.from_queryset(BatchQuerySet)()
    named = ("unit", "read_by", "undone_by")

    edited_by = EditedBy.NOBODY
    belongs_to_task = None
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.file_name} {self.read_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("batch", args=[self.pk])
