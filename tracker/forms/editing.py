"""Forms of editing, which merge what was typed with what somebody else saved meanwhile."""

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from tracker import workflow
from tracker.domain import parsing
from tracker.domain.choices import Status
from tracker.domain.dates import FIRST_DAY, LAST_DAY, today
from tracker.domain.lengths import MAX_TEXT_LENGTH, same_text
from tracker.models import (
    ChecklistItem,
    DeclaredCount,
    Indicator,
    IndicatorValue,
    Measure,
    Task,
    User,
)
from tracker.models.base import limited_fields, validate_text_length

CLOSED_HELP_TEXT = gettext_lazy(
    "The task is closed: the kind, units, dates and percentage by which it was judged cannot be "
    "changed. To correct a mistake, reopen the task with a reason and close it again; if it is "
    "closed on a day before the reopening, it is judged by the deadline at that time and its light "
    "stays the same."
)
SECRET_FIELDS = gettext_lazy("Do not enter classified information in this system.")
LIMIT_ATTRIBUTE = format_lazy(
    gettext_lazy("At most {most} characters. {secret}"), most=MAX_TEXT_LENGTH, secret=SECRET_FIELDS
)


def mark_limit(field: forms.Field) -> None:
    """Show at a field how long its text may be; a script counts, and no browser cuts it off."""
    field.widget.attrs["data-most"] = MAX_TEXT_LENGTH
    field.help_text = field.help_text or LIMIT_ATTRIBUTE


def long_text(label: Any, *, rows: int = 4, required: bool = False) -> forms.CharField:
    """Make a field for a text of limited length."""
    field = forms.CharField(
        label=label,
        required=required,
        widget=forms.Textarea(attrs={"rows": rows}),
        validators=[validate_text_length],
    )
    mark_limit(field)
    return field


def comparable_value(value: Any) -> Any:
    """Bring a form value, a stored value and a history value to one shape."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, models.Manager | models.QuerySet):
        through = []
        for link in value.all():
            through.append(getattr(link, "organization_id", None) or link.pk)
        return sorted(through)
    if value is None:
        return ""
    return value


def put_values(form: forms.BaseForm, name: str, value: Any) -> None:
    """Replace what a bound form shows in one field."""
    data = cast(QueryDict, form.data).copy()
    key = form.add_prefix(name)
    if isinstance(value, list):
        data.setlist(key, [str(part) for part in value])
    elif value is False:
        data.pop(key, None)
    elif value is True:
        data[key] = "on"
    else:
        data[key] = str(value)
    form.data = data


def merge_values(form: forms.ModelForm, seen: Any, stored: Any) -> None:
    """Merge typed values with the stored row, given the row as the person saw it.

    Untouched fields take what is stored now; fields that both changed keep what was typed and
    show the other text beside it. Nothing typed is lost, nothing stored is overwritten unseen.
    """
    for name in list(form.fields):
        if name not in form.cleaned_data or not hasattr(stored, name):
            continue
        typed = comparable_value(form.cleaned_data[name])
        now = comparable_value(getattr(stored, name))
        # Without the row that the person saw, every difference counts as theirs and is shown.
        known = None
        if seen is not None:
            known = comparable_value(getattr(seen, name, None))
        if typed == now or now == known:
            continue
        if typed == known:
            put_values(form, name, now)
            form.add_error(name, _("Changed by somebody else; this is the new value."))
        else:
            form.add_error(
                name,
                _("Stored value: “%(stored)s”. Your entry is kept here.")
                % {"stored": shown_value(stored, name)},
            )


def shown_value(row: Any, name: str) -> str:
    """Say a stored value as people read it."""
    value = getattr(row, name)
    if isinstance(value, models.Manager):
        return pgettext("list", ", ").join(str(thing) for thing in value.all())
    display = getattr(row, f"get_{name}_display", None)
    if display:
        return str(display())[:500]
    return parsing.format_decimal(value)[:500]


class VersionedForm(forms.ModelForm):
    """Carry the version that the person saw; a newer one shows both texts and loses none."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label=gettext_lazy("reason for the change"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Recorded in the history."),
    )
    # What the write path refused although the form alone was right; set for the second showing.
    refusal: ValidationError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Of a new row nobody has seen a version; of two who save it the second is shown the first.
        self.initial["seen"] = 0
        if self.instance.pk:
            self.initial["seen"] = self.instance.version
        limited = limited_fields(self._meta.model)
        for name, field in self.fields.items():
            if name in limited:
                mark_limit(field)
            elif isinstance(field.widget, forms.Textarea):
                field.help_text = field.help_text or SECRET_FIELDS

    def _get_validation_exclusions(self) -> set[str]:
        """Leave out long texts that nobody has changed.

        One that is too long already can be saved as it is.
        """
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        typed = {}
        for name in limited_fields(self._meta.model):
            if name in self.fields:
                typed[name] = self.cleaned_data.get(name)
        same = set()
        for name, text in typed.items():
            if same_text(text or "", getattr(self.instance, name) or ""):
                same.add(name)
        return excluded | same

    @property
    def seen_version(self) -> int | None:
        """Return the version that the person saw; None for a new row."""
        if self.instance.pk:
            return self.cleaned_data.get("seen")
        return None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk and self.seen_version != self.instance.version:
            self._show_both()
        elif self.refusal:
            self.add_error(None, add_refusal(self, self.refusal))
        return cleaned

    def _show_both(self) -> None:
        history = self.instance.history.select_related("history_user")
        latest = history.first()
        merge_values(self, history.filter(version=self.seen_version).first(), self.instance)
        put_values(self, "seen", self.instance.version)
        # A draft has no history: it was another window of the same unit.
        if latest:
            when = date_format(timezone.localtime(latest.history_date), "DATETIME_FORMAT")
        else:
            when = _("a moment ago")
        self.add_error(
            None,
            _(
                "%(who)s saved this at %(when)s while you were editing. Your entries are not lost, "
                "but they are not saved yet: check the marked fields and save again."
            )
            % {"who": (latest and latest.history_user) or _("Somebody"), "when": when},
        )


def no_version_words() -> str:
    """Say that a form names no version of what it was shown with."""
    return _(
        "The form does not state which version it is based on; nothing was written. Open the page "
        "again and retry."
    )


def add_refusal(form: forms.BaseForm, refusal: ValidationError) -> ValidationError:
    """Bring a refusal to the fields that the form has; the rest goes on top."""
    if not hasattr(refusal, "error_dict"):
        return refusal
    by_field = {}
    on_top: list[ValidationError] = []
    for name, errors in refusal.error_dict.items():
        if name in form.fields:
            by_field[name] = errors
        else:
            on_top += errors
    if on_top:
        by_field["__all__"] = on_top
    return ValidationError(by_field)


class OfPolicyForm(VersionedForm):
    """A part of a policy, which follows from the section, measure or task that is entered."""

    owners: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in self.owners:
            if cleaned.get(name):
                self.instance.policy = cleaned[name].policy
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # So that a code that is taken in the policy is found here and not by the database.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        if self.instance.policy_id:
            excluded.discard("policy")
        return excluded


class MeasureForm(OfPolicyForm):
    """A measure; its policy is its section's."""

    owners = ("section",)

    class Meta:
        model = Measure
        fields = ("section", "code", "order", "name", "general", "anchor")


def _label_of(unit: Any) -> str:
    return str(unit.label)


class TaskForm(OfPolicyForm):
    """A task as the office edits it; `workflow.validate_change` checks it once more."""

    owners = ("measure",)

    class Meta:
        model = Task
        fields = (
            "measure",
            "code",
            "title",
            "description",
            "anchor",
            "remark",
            "kind",
            "lead_unit",
            "lead_is_proposed",
            "co_units",
            "lead_official",
            "responsible_person",
            "start",
            "deadline",
            "original_deadline",
            "status",
            "percent",
            "closing_requested_on",
            "closed_on",
            "assigned_on",
            "owed_from",
            "reported_through",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "measure" in self.fields:
            offered = Measure.objects.select_related("policy").filter(
                policy=self.instance.policy_id
            )
            cast(forms.ModelChoiceField, self.fields["measure"]).queryset = offered
        for name in ("lead_unit", "co_units"):
            if name in self.fields:
                choice: Any = self.fields[name]
                choice.label_from_instance = _label_of
        if self.instance.pk and self.instance.status == Status.CLOSED and "reason" in self.fields:
            self.fields["reason"].help_text = CLOSED_HELP_TEXT


class CountForm(OfPolicyForm):
    """A declared count; its policy is that of the section or task it counts."""

    owners = ("section", "task")

    class Meta:
        model = DeclaredCount
        fields = ("name", "number", "anchor", "section", "task", "match", "note")


class PartFormSet(BaseInlineFormSet):
    """The parts under a row, such as the checklist under a task.

    The version of the row guards them too.
    """

    def clean(self) -> None:
        super().clean()
        seen = parsing.whole_number(self.data.get("seen"))
        if not self.instance.pk or seen is None or seen == self.instance.version:
            return
        # The parts as they were until the first save that the person has not seen.
        newer = self.instance.history.filter(version__gt=seen).last()
        parts = cast(type[models.Model], self.model)._default_manager.filter(
            **{self.fk.name: self.instance}
        )
        stored = {}
        for part in parts:
            stored[part.pk] = part
        for form in self.initial_forms:
            if newer and form.instance.pk in stored and hasattr(form, "cleaned_data"):
                known = form.instance.history.filter(history_date__lt=newer.history_date).first()
                merge_values(form, known, stored[form.instance.pk])


class ChecklistItemForm(forms.ModelForm):
    """One step of a checklist."""

    class Meta:
        model = ChecklistItem
        fields = ("number", "title", "anchor", "weight", "due", "done_on")


class AmountField(forms.Field):
    """A number as people write it: full-width digits, grouped by commas, its unit after it."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "size": 12})

    def __init__(self, *, unit: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.unit = unit

    def to_python(self, value: Any) -> Decimal | None:
        if not isinstance(value, str):
            return cast("Decimal | None", value)
        try:
            if value.strip():
                return parsing.parse_amount(value, self.unit)
            return None
        except ValueError as allowed:
            raise ValidationError(
                _("“%(value)s” cannot be read; write %(allowed)s.")
                % {"value": value.strip()[:40], "allowed": allowed}
            ) from None

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return parsing.format_decimal(value)
        return value


class IndicatorForm(forms.ModelForm):
    """What a task is to reach, under its task."""

    baseline = AmountField(label=gettext_lazy("baseline"), required=False)
    target = AmountField(label=gettext_lazy("target"))

    class Meta:
        model = Indicator
        fields = (
            "order",
            "name",
            "unit_of_measure",
            "direction",
            "baseline",
            "baseline_on",
            "target",
            "target_on",
            "drives_percent",
        )


class ValueForm(forms.ModelForm):
    """A value of an indicator on a day."""

    value = AmountField(label=gettext_lazy("indicator value"))

    class Meta:
        model = IndicatorValue
        fields = ("day", "value", "note")


def deadline_input(label: Any, **options: Any) -> forms.DateField:
    """Make a field for a day within the years that the models take."""
    bounds = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    return forms.DateField(label=label, validators=bounds, **options)


class BulkForm(forms.Form):
    """What a change of many tasks asks for."""

    reason = forms.CharField(
        label=gettext_lazy("reason for the change"), required=False, max_length=500
    )


class HandOverForm(BulkForm):
    """The day of the hand-over."""

    on = deadline_input(gettext_lazy("handed over on"), initial=today)


class DeadlineForm(BulkForm):
    """A new deadline."""

    deadline = deadline_input(gettext_lazy("current deadline"))


class StatusForm(BulkForm):
    """A new status, with the day on which a closing or a request counts."""

    status = forms.ChoiceField(label=gettext_lazy("status"), choices=Status.choices)
    on = deadline_input(gettext_lazy("day of the change"), initial=today)


class PasswordForm(PasswordChangeForm):
    """A password of one's own; the one that somebody else knows does not do again."""

    user: User

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("old_password") and cleaned["old_password"] == cleaned.get("new_password1"):
            self.add_error("new_password1", _("This is your current password: choose another one."))
        return cleaned

    def save(self, commit: bool = True) -> User:
        workflow.choose_password(self.user, self.cleaned_data["new_password1"])
        return self.user
