"""What every editable row has: a version against lost updates, and a history of who changed what."""

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from tracker.choices import Way
from tracker.dates import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

StrOrPromise: TypeAlias = "str | _StrPromise"


class HistoryRow(models.Model):
    """What a history row knows beside who, when and why: the way the change came in."""

    way = models.CharField(_("by way of"), max_length=10, choices=Way, default=Way.COMMAND)

    class Meta:
        abstract = True


class History(HistoricalRecords):
    """Keep a history whose rows can also be written once for a whole change.

    `workflow` saves an object, its units and its items, then records each of them once; a save
    on any other path is recorded by itself.
    """

    records: ClassVar[dict[type[models.Model], "History"]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__(bases=[HistoryRow], verbose_name=_("history"), **options)

    def post_save(self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any) -> None:
        # A log-in stores its moment alone, and that is no change of the account.
        if not set(kwargs.get("update_fields") or [""]) <= set(self.excluded_fields):
            super().post_save(instance, created, using=using, **kwargs)

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        super().finalize(sender, **kwargs)
        if sender is self.cls:
            self.records[sender] = self


# In the session: it was opened with a password that somebody else had set.
OPENED_AFTER_RESET = "opened_after_reset"
AFTER_RESET = {
    Way.PAGE: Way.PAGE_AFTER_RESET,
    Way.ADMIN: Way.ADMIN_AFTER_RESET,
    Way.IMPORT: Way.IMPORT_AFTER_RESET,
}


@receiver(pre_create_historical_record)
def stamp_way(instance: models.Model, history_instance: HistoryRow, **kwargs: Any) -> None:
    """Note the way of a change: the one it names, else the one that the request tells."""
    history_instance.way = way_in_session(getattr(instance, "_way", _way_of_request()))


def way_in_session(way: Way) -> Way:
    """Return the way of a change as the history names it, marked in a session after a password reset."""
    request = getattr(HistoricalRecords.context, "request", None)
    session = getattr(request, "session", {})
    return AFTER_RESET.get(way, way) if session.get(OPENED_AFTER_RESET) else way


def _way_of_request() -> Way:
    request = getattr(HistoricalRecords.context, "request", None)
    if request is None:
        return Way.COMMAND
    match = request.resolver_match
    return Way.ADMIN if match and match.app_name == "admin" else Way.PAGE


class Versioned(models.Model):
    """A row that two people may edit at the same time without losing a word."""

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        abstract = True


def code_field(text: StrOrPromise, **options: Any) -> models.CharField:
    """Make a field for a code: letters, digits, dot and dash, ordered by bytes on every database."""
    validator = RegexValidator(
        r"\A[A-Za-z][A-Za-z0-9.-]*\Z",
        _("A code begins with a letter and has only letters A-Z a-z, digits, “.” and “-”."),
    )
    usual: dict[str, Any] = {"max_length": 20, "db_collation": settings.CODE_COLLATION, "validators": [validator]}
    return models.CharField(text, **{**usual, **options})


def day_field(text: StrOrPromise, **options: Any) -> models.DateField:
    """Make a field for a day that may be open; years that no calendar of ours has are refused."""
    bounds = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    return models.DateField(text, null=True, blank=True, validators=bounds, **options)


class NaturalManager(models.Manager):
    """Find rows by their natural key: a tuple of the lookups that `Model.natural_lookups` names."""

    def get_by_natural_key(self, *key: Any) -> models.Model:
        lookups = self.model.natural_lookups  # type: ignore[attr-defined]
        return self.get(**dict(zip(lookups, key, strict=True)))


def natural_value(instance: models.Model, lookup: str) -> Any:
    """Follow a lookup such as `policy__slug` from an object to its value."""
    value: Any = instance
    for name in lookup.split("__"):
        value = getattr(value, name)
    return value


class Natural(models.Model):
    """A row that fixtures name by what people call it, never by a number of the database."""

    natural_lookups: ClassVar[tuple[str, ...]]

    class Meta:
        abstract = True

    def natural_key(self) -> tuple[Any, ...]:
        """Return what names this row in a fixture."""
        return tuple(natural_value(self, lookup) for lookup in self.natural_lookups)
