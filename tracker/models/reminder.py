"""What was sent to whom: the log of reminders."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tracker.domain.permissions import EditedBy


class SentReminder(models.Model):
    """The one mail that an address got on a day, with what it said."""

    address = models.EmailField(_("e-mail"))
    day = models.DateField(pgettext_lazy("of a reminder", "day"))
    sent_at = models.DateTimeField(_("sent at"), null=True)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    matters = models.JSONField(_("matters"), default=list)

    edited_by = EditedBy.NOBODY
    belongs_to_task = None
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("reminder sent")
        verbose_name_plural = _("reminders sent")
        ordering = ("-day", "address")
        constraints = (
            models.UniqueConstraint(
                fields=["address", "day"],
                name="reminder_once_a_day",
                violation_error_message=_("This address has had its reminder of the day."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.address}"
