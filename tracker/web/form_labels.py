"""The fields of a kept form by the labels that its page shows, for reading and copying."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.forms.forms import BaseForm
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.parsing import whole_number
from tracker.forms import editing, progress, units
from tracker.models import Indicator, Organization, Task, User
from tracker.text.proposing import NewPolicyForm, TextForm

# The forms behind each address; the labels of the admin's fields are those of the models.
PAGE_FORMS: dict[str, tuple[type[BaseForm], ...]] = {
    "report": (progress.ReportForm,),
    "step": (progress.StepForm,),
    "review": (progress.ReviewForm, progress.WithdrawAcceptanceForm),
    "answer": (progress.AnswerForm,),
    "new": (TextForm, NewPolicyForm),
}
ADMIN_FORMS: tuple[type[BaseForm], ...] = (
    editing.VersionedForm,
    editing.HandOverForm,
    editing.DeadlineForm,
    editing.StatusForm,
    units.UnitMoveForm,
)
# Of each row of a policy that is being made from its text.
ROW_LABELS = {
    "n": gettext_lazy("name"),
    "lead": gettext_lazy("lead unit"),
    "helps": gettext_lazy("co-operating units"),
    "due": gettext_lazy("current deadline"),
}
ROW = re.compile(r"(n|lead|helps|due)(\d{1,4})")
INLINE = re.compile(r"(\w+)-(\d{1,4})-(\w+)")
INDICATOR = re.compile(r"indicator_(\d+)")

FormColumn = models.Field | forms.Field


def shown_fields(form: dict[str, Any], user: User) -> list[tuple[str, str]]:
    """Return label and words of each field that has a label; what pages send unseen has none."""
    match = _match_of(form)
    shown = []
    for name, values in form["data"].items():
        if match is None:
            continue
        label, column = _named(match, name, user)
        texts = [_text_of(column, value) for value in values]
        text = "\n".join(text for text in texts if text)
        if label and text:
            shown.append((label, text))
    return shown


def _match_of(form: dict[str, Any]) -> ResolverMatch | None:
    try:
        return resolve(str(form.get("action", form["path"])).partition("?")[0])
    except Resolver404:
        return None


def _named(match: ResolverMatch, name: str, user: User) -> tuple[str, FormColumn | None]:
    """Return the label of a field, and the field where the program knows it."""
    if match.app_name == "admin":
        return _of_admin(match.url_name or "", name)
    if match.url_name == "report":
        found = INDICATOR.fullmatch(name)
        if found:
            return _indicator_name(found[1], user), None
    if match.url_name == "new":
        found = ROW.fullmatch(name)
        if found:
            words = {"number": int(found[2]) + 1, "field": ROW_LABELS[found[1]]}
            return _("Row %(number)s: %(field)s") % words, None
    return _of_forms(PAGE_FORMS.get(match.url_name or "", ()), name)


def _indicator_name(key: str, user: User) -> str:
    """Name an indicator that exists for an account; empty for another."""
    tasks = Task.objects.visible_to(user)
    indicator = Indicator.objects.filter(task__in=tasks, pk=whole_number(key)).first()
    if indicator is None:
        return ""
    return indicator.name


def _of_forms(classes: tuple[type[BaseForm], ...], name: str) -> tuple[str, FormColumn | None]:
    for each in classes:
        field = each.base_fields.get(name)  # type: ignore[attr-defined]
        if field is not None and not field.widget.is_hidden:
            return str(field.label or ""), field
    return "", None


def _of_admin(url_name: str, name: str) -> tuple[str, FormColumn | None]:
    model = _admin_model(url_name)
    if model is None:
        return "", None
    part = INLINE.fullmatch(name)
    if part:
        return _of_inline(model, part)
    field = _column(model, name)
    if field:
        return str(field.verbose_name), field
    return _of_forms(ADMIN_FORMS, name)


def _admin_model(url_name: str) -> Any:
    """Return the model that an address of the admin names; None where it names none."""
    for model in apps.get_models():
        if f"_{model._meta.model_name}_" in f"{url_name}_":
            return model
    return None


def _of_inline(model: Any, part: re.Match[str]) -> tuple[str, FormColumn | None]:
    """Return the label of a field of a row inside the form of another."""
    for related in model._meta.related_objects:
        if related.get_accessor_name() == part[1]:
            row = related.related_model
            field = _column(row, part[3])
            if field is None:
                return "", None
            name = f"{row._meta.verbose_name} {int(part[2]) + 1}: {field.verbose_name}"
            return name, field
    return "", None


def _column(model: Any, name: str) -> models.Field | None:
    """Return a field of a model that people fill in; None for others and for keys."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    if isinstance(field, models.Field) and field.editable and not field.primary_key:
        return field
    return None


def _text_of(column: FormColumn | None, value: str) -> str:
    """Return what a value says to a reader.

    A key of a row is told by a unit's name, or not at all.
    """
    if isinstance(column, models.ForeignKey | models.ManyToManyField | forms.ModelChoiceField):
        if _offered_model(column) is not Organization:
            return ""
        unit = Organization.objects.filter(pk=whole_number(value) or 0).first()
        if unit is None:
            return ""
        return unit.name
    if isinstance(column, models.BooleanField | forms.BooleanField):
        if value:
            return _("yes")
        return ""
    choices = dict(_flat(getattr(column, "choices", None) or ()))
    return str(choices.get(value, value))


def _flat(choices: Any) -> Iterator[tuple[str, Any]]:
    return ((str(key), text) for key, text in choices)


def _offered_model(column: Any) -> Any:
    """Return the model whose rows a field offers."""
    if isinstance(column, models.Field):
        return column.related_model
    return column.queryset.model


def subject_of(form: dict[str, Any]) -> str:
    """Name what a form was about: the code of its task, or nothing."""
    match = _match_of(form)
    if match:
        return str(match.kwargs.get("code", ""))
    return ""
