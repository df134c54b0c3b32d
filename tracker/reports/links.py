"""Where each thing has its page: a measure, a unit, a policy, the tasks of a section."""

from collections.abc import Mapping

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from tracker.models import ChecklistItem, Measure, Organization, PolicyDocument, Section, Task


def page_url(thing: Model, slug: str, carried: Mapping[str, str]) -> str:
    """Return the address of a thing within a policy, with what every link carries on.

    A unit has one across too.
    """
    if isinstance(thing, Section):
        query = urlencode({**carried, "section": str(thing.number)})
        return f"{reverse('tasks', args=[slug])}?{query}"
    if isinstance(thing, Task | Measure):
        address = reverse(thing._meta.model_name or "", args=[slug, thing.code])
    elif isinstance(thing, Organization):
        if slug:
            address = reverse("unit", args=[slug, thing.pk])
        else:
            address = reverse("unit_everywhere", args=[thing.pk])
    elif isinstance(thing, PolicyDocument):
        address = thing.get_absolute_url()
    else:
        raise TypeError(f"{thing!r} has no page")
    if carried:
        return f"{address}?{urlencode(carried)}"
    return address


def form_url(row: Model) -> str:
    """Return where a row is edited; a step with its task."""
    owner: Model = row
    if isinstance(row, ChecklistItem):
        owner = row.task
    return reverse(f"admin:tracker_{owner._meta.model_name}_change", args=[owner.pk])


def linked_text(thing: Model, words: object, slug: str, carried: Mapping[str, str]) -> str:
    """Show words that lead to the page of a thing."""
    return format_html('<a href="{}">{}</a>', page_url(thing, slug, carried), words)
