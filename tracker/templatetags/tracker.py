"""Small helpers of the templates: lights, numbers with their lists, rates, bars, addresses."""

import datetime as dt
from fractions import Fraction
from typing import Any

from django import template
from django.db.models import Model
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import ngettext, pgettext

from tracker.domain import legend
from tracker.domain.choices import Light
from tracker.models import PolicyDocument, Task
from tracker.models.names import NamedRecord
from tracker.reports import links, task_table, task_texts
from tracker.reports.filters import label_and
from tracker.reports.statistics import Metric, StatRow

register = template.Library()
BAR_HEIGHT = 14


# Tags and filters that are functions of other modules under a name for templates.
register.filter("named", NamedRecord.name_of)
register.filter("sentences", task_table.join_sentences)
register.filter("baseline_text", task_texts.baseline_text)
register.filter("target_text", task_texts.target_text)
register.filter("actual_text", task_texts.actual_text)
register.filter("gap_text", task_texts.gap_text)
register.simple_tag(task_table.light_badge, name="light")
register.simple_tag(task_texts.ticked_steps, name="steps_done")
register.simple_tag(task_texts.amount_text, name="amount")


@register.simple_tag
def light_of(task: Task, on: dt.date) -> SafeString:
    """Show the light of a task on a day."""
    return task_table.light_badge(task.light_on(on), task.status)


@register.simple_tag
def lead(task: Task, on: dt.date) -> str:
    """Name the lead unit of a task, and say where it is only a proposal."""
    return task_texts.lead_text(task, on) or "—"


@register.simple_tag(takes_context=True, name="linked")
def link_to(
    context: Context, thing: Model, words: object, policy: PolicyDocument | None = None
) -> str:
    """Link words to the page of a thing, for the day of the page.

    In the policy of the page where no other is given.
    """
    policy = policy or context.get("policy")
    return links.linked_text(
        thing, words, policy.slug if policy else "", context.get("carried_params") or {}
    )


@register.simple_tag(takes_context=True, name="name_of")
def row_name(context: Context, row: StatRow) -> str:
    """Show the name of a row, which leads to the page of what it counts.

    Across policies to the unit's in each.
    """
    thing = row.of
    if "unit" in context and isinstance(thing, PolicyDocument):
        return links.linked_text(
            context["unit"], row.label, thing.slug, context.get("carried_params") or {}
        )
    if isinstance(thing, Model):
        return link_to(context, thing, row.label)
    return str(row.label)


@register.simple_tag
def light_word(light: str) -> str:
    """Name a light in a word."""
    return str(Light(light).label)


@register.filter(name="whole")
def show_whole(value: float) -> int:
    """Round down, as the sentences do: what is expected is never overstated."""
    return int(value)


@register.filter
def listed(words: list[str]) -> str:
    """Join words as a list of the language."""
    return pgettext("list", ", ").join(words)


@register.filter
def days_since(day: dt.date, on: dt.date) -> str:
    """Say how many days something has waited."""
    days = (on - day).days
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


@register.filter
def labelled(value: Any, label: str) -> str:
    """Put a name before a value as the language does."""
    return label_and(label, value)


@register.filter(name="rate")
def show_rate(value: Fraction | None) -> str:
    """Show a rate in percent with one place; a dash for none.

    Nothing but all is 100.0%, nothing but none is 0.0%.
    """
    if value is None:
        return "—"
    if value in (0, 1):
        tenths = round(value * 1000)
    else:
        tenths = min(999, max(1, int(value * 1000 + Fraction(1, 2))))
    return f"{tenths / 10:.1f}%"


@register.simple_tag(name="number")
def show_number(row: StatRow, name: str, slug: str) -> str:
    """Show a figure of a row as a link to its list.

    A zero, or what is counted across policies, is no link.
    """
    figure = row.figure(name)
    if not figure.value:
        return format_html('<span class="zero">{}</span>', 0)
    if not slug:
        return str(figure.value)
    return format_html('<a href="{}">{}</a>', list_of(figure, slug), figure.value)


@register.simple_tag
def list_of(figure: Metric, slug: str) -> str:
    """Return the address of the list that shows what a figure counts."""
    return f"{reverse('tasks', args=[slug])}?{figure.query}"


@register.simple_tag
def address_of(task: Task, carried: dict[str, str]) -> str:
    """Return the address of a task, with what every link carries on."""
    return links.page_url(task, task.policy.slug, carried)


@register.simple_tag
def query(asked: dict[str, str], *without: str, **changed: Any) -> str:
    """Return a query string with some parameters changed and others left out; “?” for none."""
    params = {}
    for name, value in asked.items():
        if name not in without:
            params[name] = value
    for name, value in changed.items():
        if value not in (None, ""):
            params[name] = value
    return f"?{urlencode(params)}"


@register.inclusion_tag("tracker/partials/_bar.html")
def bar(row: StatRow, width: int = 300) -> dict[str, Any]:
    """Draw the five groups of a row as one stacked bar, with its numbers as text."""
    # A part begins and ends where the sums so far do: the bar is full, whatever is rounded.
    total = row.counts.total or 1
    words = []
    parts = []
    left = 0
    so_far = 0
    for figure in row.groups:
        so_far += figure.value
        right = width * so_far // total
        text = label_and(figure.label, figure.value)
        words.append(text)
        parts.append({"name": figure.name, "words": text, "x": left, "width": right - left})
        left = right
    return {
        "parts": parts,
        "words": words,
        "label": row.label,
        "width": width,
        "height": BAR_HEIGHT,
    }


@register.inclusion_tag("tracker/partials/_rules.html")
def rules(policy: PolicyDocument) -> dict[str, Any]:
    """Print the rules of the lights and figures, with the thresholds of a policy."""
    return {
        "lights": legend.light_rules(policy),
        "while_closing": legend.WHILE_CLOSING,
        "formulas": legend.formulas(),
    }
