"""Which rules the derived columns were last set by."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from tracker.domain.permissions import EditedBy


class StoredRules(models.Model):
    """The version of the rules that derived all tasks: one row, none in a new database."""

    KEY = 1

    version = models.PositiveIntegerField(_("version of the rules"))

    edited_by = EditedBy.NOBODY
    belongs_to_task = None
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("rules of the derived columns")
        verbose_name_plural = _("rules of the derived columns")

    def __str__(self) -> str:
        return str(self.version)

    @classmethod
    def current(cls) -> int:
        """Return the stored version; 0 where none is."""
        row: Any = cls.objects.filter(pk=cls.KEY).first()
        if row:
            return row.version
        return 0
