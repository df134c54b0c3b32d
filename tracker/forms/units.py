"""What a merge or a move of units asks for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from tracker.domain.choices import UnitMoveKind
from tracker.models import Organization


class UnitMoveForm(forms.Form):
    """Where the tasks of a unit go, and whether the unit goes too."""

    kind = forms.ChoiceField(
        label=gettext_lazy("type of change"), choices=UnitMoveKind.choices, widget=forms.RadioSelect
    )
    target = forms.ModelChoiceField(Organization.objects.none(), label=gettext_lazy("new unit"))

    def __init__(self, source: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = Organization.objects.filter(active=True).exclude(pk=source.pk)
        self.fields["target"].queryset = offered  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why units are merged, tasks moved, or both taken back."""

    reason = forms.CharField(label=gettext_lazy("reason"), max_length=500)
