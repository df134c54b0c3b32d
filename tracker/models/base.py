"""Versions against lost updates, history of changes, and the fields that models share."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.dispatch import receiver
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from tracker.domain.choices import ChangeSource
from tracker.domain.codes import code_key, natural
from tracker.domain.dates import FIRST_DAY, LAST_DAY, now
from tracker.domain.folding import fold, simplify
from tracker.domain.lengths import MAX_TEXT_LENGTH, text_length

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

StrOrPromise: TypeAlias = "str | _StrPromise"


# What a part belongs to is the same in all rows of its history, and no page tells it. A request is
# called by its kind, which each reader reads in the own language.
UNLABELLED_FIELDS = ("task", "policy", "entered_by", "request")


class HistoryRow(models.Model):
    """What a history row knows beside who, when and why: the way the change came in."""

    way = models.CharField(
        _("by way of"), max_length=10, choices=ChangeSource, default=ChangeSource.COMMAND
    )
    # What the keys of this row were called when it was written: by the name of the field, a list
    # for many.
    labels = models.JSONField(default=dict, editable=False)

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

    def post_save(
        self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any
    ) -> None:
        # A log-in stores its moment alone, and that is no change of the account.
        if not set(kwargs.get("update_fields") or [""]) <= set(self.excluded_fields):
            super().post_save(instance, created, using=using, **kwargs)

    def build_row(self, instance: models.Model, history_type: str) -> models.Model:
        """Return the history row of a change, not saved: `workflow` writes many at once."""
        facts = {
            "history_date": now(),
            "history_user": self.get_history_user(instance),
            "history_change_reason": self.get_change_reason_for_object(
                instance, history_type, None
            ),
        }
        fields = {}
        for field in self.fields_included(instance):
            fields[field.attname] = getattr(instance, field.attname)
        row: models.Model = self.row_model(history_type=history_type, **facts, **fields)
        pre_create_historical_record.send(
            sender=self.row_model, instance=instance, history_instance=row, using=None, **facts
        )
        return row

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        super().finalize(sender, **kwargs)
        if sender is self.cls:
            self.records[sender] = self
            self.row_model = vars(sender)[self.manager_name].model


# In the session: it was opened with a password that somebody else had set.
OPENED_AFTER_RESET = "opened_after_reset"
AFTER_RESET = {
    ChangeSource.PAGE: ChangeSource.PAGE_AFTER_RESET,
    ChangeSource.ADMIN: ChangeSource.ADMIN_AFTER_RESET,
    ChangeSource.IMPORT: ChangeSource.IMPORT_AFTER_RESET,
}


@receiver(pre_create_historical_record)
def stamp_way(instance: models.Model, history_instance: HistoryRow, **kwargs: Any) -> None:
    """Note the way of a change, and the names of its day.

    The way is the one that the change names, else the one that the request tells.
    """
    history_instance.way = way_in_session(getattr(instance, "_way", _way_of_request()))
    history_instance.labels = labels_of(instance, kwargs.get("history_user"))


def way_in_session(way: ChangeSource) -> ChangeSource:
    """Return the source of a change, marked in a session after a password reset."""
    request = getattr(HistoricalRecords.context, "request", None)
    session = getattr(request, "session", {})
    if session.get(OPENED_AFTER_RESET):
        return AFTER_RESET.get(way, way)
    return way


def labels_of(row: models.Model, user: models.Model | None = None) -> dict[str, Any]:
    """Return the names of the rows that a row refers to, and of who changes it.

    At most one query for each field that is not fetched.
    """
    record = History.records[type(row)]
    labels: dict[str, Any] = {}
    if user:
        labels["history_user"] = str(user)
    for field in record.fields_included(row):
        if isinstance(field, models.ForeignKey) and getattr(row, field.attname) is not None:
            label = _label(row, field)
            if label:
                labels[field.name] = label
    for field in record.get_m2m_fields_from_model(type(row)):
        labels[field.name] = []
        if row.pk:
            labels[field.name] = [str(linked) for linked in getattr(row, field.name).all()]
    return labels


def _label(row: models.Model, field: models.ForeignKey) -> str:
    """Return what a foreign key points at, by name; nothing where the row it points at is gone."""
    key = getattr(row, field.attname)
    target = field.remote_field.model
    if field.name in UNLABELLED_FIELDS:
        return ""
    if field.is_cached(row):
        found = field.get_cached_value(row)
    else:
        found = target._base_manager.filter(**{field.target_field.attname: key}).first()
    if found:
        return str(found)
    return ""


def _way_of_request() -> ChangeSource:
    request = getattr(HistoricalRecords.context, "request", None)
    if request is None:
        return ChangeSource.COMMAND
    match = request.resolver_match
    if match and match.app_name == "admin":
        return ChangeSource.ADMIN
    return ChangeSource.PAGE


class Versioned(models.Model):
    """A row that two people may edit at the same time without losing a word."""

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        abstract = True


class CodeField(models.CharField):
    """A code; full-width letters, other dashes and invisible signs are folded to plain ones."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if isinstance(value, str):
            return simplify(value)
        return value

    def deconstruct(self) -> Any:
        # To a database it is any other text.
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class AddressFormField(forms.SlugField):
    """A short address as it is typed."""

    def to_python(self, value: Any) -> Any:
        return simplify(super().to_python(value) or "")


class AddressField(models.SlugField):
    """A short address, read as a code is."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if isinstance(value, str):
            return simplify(value)
        return value

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.SlugField", args, kwargs

    def formfield(self, **options: Any) -> Any:  # type: ignore[override]
        return super().formfield(**{"form_class": AddressFormField, **options})


class CodeKeyField(models.CharField):
    """The sort key of a row by its code; follows the code whenever the row is saved."""

    def __init__(self, *args: Any, **options: Any) -> None:
        fixed = {"max_length": 64, "blank": True, "default": "", "editable": False}
        super().__init__(*args, **{**options, **fixed, "db_collation": settings.CODE_COLLATION})

    def pre_save(self, instance: models.Model, add: bool) -> str:
        key = code_key(instance.code)  # type: ignore[attr-defined]
        setattr(instance, self.attname, key)
        return key

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class UniqueFolded(models.Model):
    """A row whose name differs by more than capitals from those of similar rows.

    No constraint: rows of earlier releases that differ by capitals alone are kept and named by a
    check. `folded_name` is the field that holds the name.
    """

    folded_name: ClassVar[str]

    class Meta:
        abstract = True

    def beside(self) -> models.QuerySet:
        """Return the rows among which the name must be unique, this one included."""
        raise NotImplementedError

    def refuse_twin(self) -> None:
        """Raise ValidationError where a new name differs from another by capitals alone."""
        name = getattr(self, self.folded_name)
        others = {}
        if name:
            others = dict(self.beside().values_list("pk", self.folded_name))
        if others.pop(self.pk, None) == name:
            return
        for other in others.values():
            if other != name and fold(other) == fold(name):
                text = _("“%(twin)s” already exists; a difference in case is not enough.")
                raise ValidationError({self.folded_name: text % {"twin": other}})

    def validate_unique(self, exclude: Any = None) -> None:
        super().validate_unique(exclude)
        self.refuse_twin()


class Coded(UniqueFolded):
    """A part of a policy that has a code."""

    code: Any
    policy_id: Any
    code_key = CodeKeyField(_("sort"))
    folded_name = "code"

    class Meta:
        abstract = True

    def beside(self) -> models.QuerySet:
        # A range of an index: what sorts alike but for capitals, and nothing else.
        key = natural(self.code)
        alike = {"policy": self.policy_id, "code_key__gte": f"{key} ", "code_key__lt": f"{key}!"}
        return type(self)._default_manager.filter(**alike)


def attach_related(
    rows: Collection[models.Model], name: str, related: "models.QuerySet[Any]"
) -> None:
    """Set the object of a foreign key on many rows, with one query.

    In place of `prefetch_related`, which on SQLite writes one OR for each value of a foreign key:
    from 1,000 values on the database refuses that.
    """
    keys = {key for row in rows if (key := getattr(row, f"{name}_id"))}
    found = {row.pk: row for row in related.filter(pk__in=keys)}
    for row in rows:
        key = getattr(row, f"{name}_id")
        if key:
            setattr(row, name, found[key])
        else:
            setattr(row, name, None)


def code_field(text: StrOrPromise, **options: Any) -> CodeField:
    """Make a field for a code of letters, digits, dot and dash, ordered by bytes everywhere."""
    validator = RegexValidator(
        r"\A[A-Za-z][A-Za-z0-9.-]*\Z",
        _("A code begins with a letter and has only letters A-Z a-z, digits, “.” and “-”."),
    )
    usual: dict[str, Any] = {
        "max_length": 20,
        "db_collation": settings.CODE_COLLATION,
        "validators": [validator],
    }
    return CodeField(text, **{**usual, **options})


def validate_text_length(text: str) -> None:
    """Refuse a text that is too long, with the number of signs that it has."""
    length = text_length(text)
    if length > MAX_TEXT_LENGTH:
        words = gettext("At most %(most)d characters; there are %(count)d, %(more)d too many.")
        values = {"most": MAX_TEXT_LENGTH, "count": length, "more": length - MAX_TEXT_LENGTH}
        raise ValidationError(words % values, code="text_too_long")


def text_field(text: StrOrPromise, **options: Any) -> models.TextField:
    """Make a field for a text that people type, of a limited length.

    A longer one that is stored already stays as it is: what is unchanged is not checked again.
    """
    return models.TextField(
        text, **{"blank": True, "validators": [validate_text_length], **options}
    )


def limited_fields(model: type[models.Model]) -> set[str]:
    """Name the texts of a model whose length is limited."""
    fields = model._meta.concrete_fields
    found = set()
    for field in fields:
        if validate_text_length in field.validators:
            found.add(field.name)
    return found


def date_field(text: StrOrPromise, **options: Any) -> models.DateField:
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
