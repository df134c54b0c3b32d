"""Tasks that went from one unit to another as one change: a merge of two units, or a move."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker.domain.choices import UnitMoveKind
from tracker.domain.permissions import EditedBy
from tracker.models.organization import Organization
from tracker.models.progress import person_field


class UnitMove(models.Model):
    """A merge or move of units; `entries` has what it changed and what undoing it needs.

    Its number is its key.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=UnitMoveKind)
    source = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", verbose_name=_("former unit")
    )
    target = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", verbose_name=_("new unit")
    )
    source_name = models.CharField(_("former unit"), max_length=80)
    target_name = models.CharField(_("new unit"), max_length=80)
    reason = models.CharField(_("reason"), max_length=500)
    entries = models.JSONField(_("what it changed"), encoder=DjangoJSONEncoder, default=list)
    made_by = person_field(_("made by"))
    made_by_name = models.CharField(_("made by"), max_length=150, blank=True)
    made_at = models.DateTimeField(_("made at"))
    undone_by = person_field(_("undone by"))
    undone_by_name = models.CharField(_("undone by"), max_length=150, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    edited_by = EditedBy.NOBODY
    belongs_to_task = None
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("merge or move of units")
        verbose_name_plural = _("merges and moves of units")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.pk}: {self.source_name} → {self.target_name}"

    def get_absolute_url(self) -> str:
        return reverse("admin:tracker_unitmove_change", args=[self.pk])
