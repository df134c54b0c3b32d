"""The filters of the list of tasks in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tracker.domain.choices import Light
from tracker.domain.dates import today
from tracker.domain.parsing import whole_number
from tracker.models import Measure, Organization, Section

MAX_OFFERED = 60  # choices of a filter


class LightFilter(admin.SimpleListFilter):
    """Filter by the light of today."""

    title = _("light")
    parameter_name = "light"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Light.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        value = self.value()
        if value is None:
            return queryset
        if value not in Light.values:
            raise IncorrectLookupParameters
        return queryset.lit(Light(value), on=today())


def chosen_key(chosen: admin.SimpleListFilter) -> int | None:
    """Return the key that a filter asks for.

    None for none, IncorrectLookupParameters for what is no key.
    """
    if chosen.value() is None:
        return None
    key = whole_number(chosen.value())
    if key is None:
        raise IncorrectLookupParameters
    return key


class OfChosenPolicy(admin.SimpleListFilter):
    """Filter by a part of the policy chosen above; without one there are too many to offer."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        policy = whole_number(request.GET.get("policy__id__exact"))
        if policy is None:
            return []
        # A list of any length would stand beside every page of tasks: the search finds the rest.
        parts = list(self.parts().filter(policy=policy)[: MAX_OFFERED + 1])
        chosen = whole_number(request.GET.get(str(self.parameter_name)))
        if len(parts) > MAX_OFFERED:
            if chosen:
                parts = list(self.parts().filter(policy=policy, pk=chosen))
            else:
                parts = []
        found = []
        for part in parts:
            found.append((str(part.pk), str(part)))
        return found

    def parts(self) -> QuerySet:
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        key = chosen_key(self)
        if key is None:
            return queryset
        return queryset.filter(**{str(self.parameter_name): key})


class SectionFilter(OfChosenPolicy):
    """Filter by section."""

    title = _("section")
    parameter_name = "measure__section"

    def parts(self) -> QuerySet:
        return Section.objects.all()


class MeasureFilter(OfChosenPolicy):
    """Filter by measure."""

    title = _("measure")
    parameter_name = "measure"

    def parts(self) -> QuerySet:
        return Measure.objects.all()


class UnitFilter(admin.SimpleListFilter):
    """Filter by unit, whether it leads or co-operates."""

    title = _("unit")
    parameter_name = "unit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = []
        for unit in Organization.objects.all():
            found.append((str(unit.pk), unit.label))
        return found

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        key = chosen_key(self)
        if key is None:
            return queryset
        return queryset.involving(key)
