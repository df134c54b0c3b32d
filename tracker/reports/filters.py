"""What a query string asks for: read once, said back in words, and no value trusted.

What cannot be read is never guessed: a page leaves that one filter out and says so, an export
refuses.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django_filters import CharFilter, ChoiceFilter, Filter, FilterSet

from tracker.domain import dates
from tracker.domain.choices import Kind, Light, LightGroup, Status
from tracker.domain.folding import fold
from tracker.models import Organization, PolicyDocument, Task
from tracker.models.organization import folded_lines
from tracker.models.task import TaskQuerySet, cooperating

MAX_FILTER_TEXT = 100
MAX_SHOWN_VALUE = 40  # characters of a value that cannot be read
MAX_ENUMERATED = 12  # so many choices are named one by one
FIRST_FILTERS = ("text", "unit", "light", "status")  # the filters of every day
NO_VALUE = "none"  # asks for what is not set
TOTAL_METRIC = "total"

# Every figure of the report pages: its name, and the filter of the list that shows what it counts.
METRICS: dict[str, tuple[str | Promise, dict[str, str]]] = {
    TOTAL_METRIC: (gettext_lazy("total"), {"group": TOTAL_METRIC}),
    **{str(group): (group.label, {"group": str(group)}) for group in LightGroup},
    "on_time": (Light.BLUE.label, {"light": str(Light.BLUE)}),
    "overdue": (gettext_lazy("overdue"), {"overdue": "1"}),
    "unreported": (gettext_lazy("report missing"), {"unreported": "1"}),
}


class QueryReader:
    """A query string being read: `query` keeps what was understood, `faults` says what was not."""

    def __init__(self, data: QueryDict) -> None:
        self._left = dict(data.lists())
        self.query: dict[str, str] = {}
        self.faults: list[str] = []

    def pop(self, name: str, place: str | Promise) -> str:
        """Return the value of a parameter; a blank one is none, two different ones are a fault."""
        values = dict.fromkeys(value.strip() for value in self._left.pop(name, []) if value.strip())
        if len(values) > 1:
            self.refuse(place, " ".join(values), _("one value only"))
            return ""
        return next(iter(values), "")

    def day(self, name: str, place: str | Promise) -> dt.date | None:
        """Read a day."""
        text = self.pop(name, place)
        if not text:
            return None
        try:
            return dates.parse_day(text)
        except ValueError as error:
            self.fault(place, str(error))
            return None

    def choice(self, name: str, place: str | Promise, allowed: Collection[str]) -> str:
        """Read one of some values; blank where none is asked for or it cannot be read."""
        value = self.pop(name, place)
        if value and value not in allowed:
            self.refuse(place, value, ", ".join(allowed))
            return ""
        return value

    def refuse(self, place: str | Promise, value: str, allowed: str) -> None:
        """Note that a value cannot be read, and what is allowed instead."""
        self.fault(
            place,
            _("“%(value)s” is not understood; allowed: %(allowed)s")
            % {"value": shorten_value(value), "allowed": allowed},
        )

    def fault(self, place: str | Promise, words: str) -> None:
        """Note a fault and its place."""
        self.faults.append(label_and(place, words))

    def reject_unknown(self, *passed_over: str) -> None:
        """Note the parameters that nobody asked for; a mistyped filter must not count as none."""
        for name in list(self._left):
            values = self._left.pop(name)
            if name not in passed_over and any(values):
                self.fault(shorten_value(name), _("this page has no such filter"))


def shorten_value(text: str) -> str:
    """Shorten a value that was typed to what fits in a message, without control characters."""
    plain = "".join(sign if sign.isprintable() else "�" for sign in text[: MAX_SHOWN_VALUE + 1])
    if len(plain) <= MAX_SHOWN_VALUE:
        return plain
    return f"{plain[:MAX_SHOWN_VALUE]}…"


def label_and(label: str | Promise, value: Any) -> str:
    """Join a name and a value as the language does."""
    return _("%(label)s: %(value)s") % {"label": label, "value": value}


class DayField(forms.CharField):
    """A day, as the rest of the program reads days."""

    widget = forms.DateInput(attrs={"type": "date"})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return dates.parse_day(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class DayFilter(Filter):
    """Compare a column with a day; empty days are on neither side."""

    field_class = DayField


class TextQueryField(forms.CharField):
    """Words to search for: quotes and signs that are not seen are none."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text and not fold(text):
            raise ValidationError(
                _("at least one letter, digit or symbol other than a quote"), code="no_words"
            )
        return text


class TextQueryFilter(CharFilter):
    """Search for the words of a text."""

    field_class = TextQueryField


class PlainSelect(forms.Select):
    """A plain list of choices, written in one go.

    Django renders a template for each single choice.
    """

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = {str(each) for each in self.format_value(value)}
        parts: list[SafeString] = []
        grouped = groupby(self.choices, key=lambda choice: not isinstance(choice[1], list))
        for single, run in grouped:
            if single:
                parts.append(_options(run, chosen))
                continue
            for label, inside in run:
                options = _options(inside, chosen)
                parts.append(format_html('<optgroup label="{}">{}</optgroup>', label, options))
        head = flatatt(self.build_attrs({"name": name, **self.attrs}, attrs))
        options = format_html_join("", "{}", ((part,) for part in parts))
        return format_html("<select{}>{}</select>", head, options)


def _options(pairs: Iterable[tuple[Any, Any]], chosen: Collection[str]) -> SafeString:
    texts = tuple((str(value), str(label)) for value, label in pairs)
    return _written(texts, frozenset(value for value, _label in texts if value in chosen))


@lru_cache(maxsize=128)
def _written(pairs: tuple[tuple[str, str], ...], chosen: frozenset[str]) -> SafeString:
    """Write choices; all pages offer the same units, three times each."""
    marked = ((value, " selected" if value in chosen else "", label) for value, label in pairs)
    return format_html_join("", '<option value="{}"{}>{}</option>', marked)


class TickInput(forms.CheckboxInput):
    """A box that asks for “1”, so that anything else can be refused in words."""

    def format_value(self, value: Any) -> str:
        return "1"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name)


def flag_filter(label: str | Promise) -> ChoiceFilter:
    """Make a filter that is either in force or not."""
    return ChoiceFilter(label=label, choices=[("1", "1")], widget=TickInput, method="is_so")


@dataclass(frozen=True)
class FilterChip:
    """A filter in force, in words, and its name in the query string."""

    name: str
    words: str


class TaskFilter(FilterSet):
    """The filters of the task list; page, workbook and figures use the same conditions.

    Reads `asked` and leaves there what it understood, and what not. Three queries for the choices.
    """

    text = TextQueryFilter(
        label=gettext_lazy("search text"),
        max_length=MAX_FILTER_TEXT,
        method="with_text",
        strip=True,
    )
    unit = ChoiceFilter(label=gettext_lazy("unit (lead or co-operating)"), method="of_unit")
    light = ChoiceFilter(label=gettext_lazy("light"), choices=Light.choices, method="with_light")
    status = ChoiceFilter(label=gettext_lazy("status"), choices=Status.choices)
    section = ChoiceFilter(label=gettext_lazy("section"), field_name="measure__section__number")
    measure = ChoiceFilter(label=gettext_lazy("measure"), field_name="measure__code")
    lead = ChoiceFilter(label=gettext_lazy("lead unit"), method="led_by")
    helping = ChoiceFilter(label=gettext_lazy("co-operating unit"), method="helped_by")
    kind = ChoiceFilter(label=gettext_lazy("kind"), method="of_kind")
    group = ChoiceFilter(label=gettext_lazy("figure"), method="in_group")
    deadline_from = DayFilter(
        label=gettext_lazy("deadline from"), field_name="deadline", lookup_expr="gte"
    )
    deadline_to = DayFilter(
        label=gettext_lazy("deadline to"), field_name="deadline", lookup_expr="lte"
    )
    overdue = flag_filter(METRICS["overdue"][0])
    unreported = flag_filter(METRICS["unreported"][0])
    turning = flag_filter(gettext_lazy("turns in the next 30 days"))
    owing = flag_filter(gettext_lazy("report of this period missing"))
    unacknowledged = flag_filter(gettext_lazy("not acknowledged yet"))

    class Meta:
        model = Task
        fields = ()

    def __init__(
        self, asked: QueryReader, tasks: TaskQuerySet, policy: PolicyDocument, on: dt.date
    ) -> None:
        super().__init__(queryset=tasks)
        self.on = on
        self.is_bound = True
        self.data = {}
        self._offer(policy)
        for name, each in self.filters.items():
            value = asked.pop(name, each.label)
            if value:
                self.data[name] = value
        for name in list(self.form.errors):
            self._refuse(asked, name, self.data.pop(name))
        asked.query |= self.data

    @property
    def chips(self) -> list[FilterChip]:
        """Return the filters in force."""
        chips = []
        for name, value in self.data.items():
            chips.append(FilterChip(name, self._say(name, value)))
        return chips

    @property
    def first(self) -> list[forms.BoundField]:
        """Return the fields that are always shown."""
        return [self.form[name] for name in FIRST_FILTERS]

    @property
    def more(self) -> list[forms.BoundField]:
        """Return the fields behind “more filters”, the boxes apart."""
        fields = []
        for field in self.form:
            if field.name not in FIRST_FILTERS and not isinstance(field.field.widget, TickInput):
                fields.append(field)
        return fields

    @property
    def ticks(self) -> list[forms.BoundField]:
        """Return the boxes."""
        return [field for field in self.form if isinstance(field.field.widget, TickInput)]

    @property
    def more_in_force(self) -> bool:
        """Say whether a field behind “more filters” is in force."""
        return not set(FIRST_FILTERS).issuperset(self.data)

    def words(self) -> list[str]:
        """Say the filters in force in words, for print and workbook."""
        return [chip.words for chip in self.chips]

    def with_text(self, tasks: TaskQuerySet, name: str, text: str) -> TaskQuerySet:
        """Keep tasks that each word of a text is about, or whose unit has it in its name."""
        return tasks.about(text, self._names)

    def of_unit(self, tasks: TaskQuerySet, name: str, value: str) -> TaskQuerySet:
        """Keep tasks that a unit leads or co-operates in."""
        return tasks.involving(int(value))

    def led_by(self, tasks: TaskQuerySet, name: str, value: str) -> TaskQuerySet:
        """Keep tasks that a unit leads, or that no unit leads."""
        if value == NO_VALUE:
            return tasks.filter(lead_unit=None)
        return tasks.filter(lead_unit=int(value))

    def helped_by(self, tasks: TaskQuerySet, name: str, value: str) -> TaskQuerySet:
        """Keep tasks that a unit co-operates in."""
        return tasks.filter(cooperating(int(value)))

    def of_kind(self, tasks: TaskQuerySet, name: str, value: str) -> TaskQuerySet:
        """Keep tasks of a kind, or those whose kind is not set."""
        if value == NO_VALUE:
            return tasks.filter(kind="")
        return tasks.filter(kind=value)

    def with_light(self, tasks: TaskQuerySet, name: str, value: str) -> TaskQuerySet:
        """Keep tasks that show a light."""
        return tasks.lit(Light(value), on=self.on)

    def in_group(self, tasks: TaskQuerySet, name: str, value: str) -> TaskQuerySet:
        """Keep what one of the six figures counts."""
        if value == TOTAL_METRIC:
            return tasks.counted()
        return tasks.in_group(LightGroup(value), self.on)

    def is_so(self, tasks: TaskQuerySet, name: str, value: str) -> TaskQuerySet:
        """Keep overdue, unreported or turning tasks.

        The filter is named as the method of the tasks.
        """
        return getattr(tasks, name)(self.on)

    def _offer(self, policy: PolicyDocument) -> None:
        """Fill in the choices that the database or the other modules know."""
        found = Organization.objects.values_list("pk", "short_name", "name", "aliases")
        self._names = {}
        units = []
        for key, *names in found:
            self._names[key] = folded_lines(*names)
            units.append((str(key), names[0]))
        # All of one policy: their own order would sort by the policy first, and join it.
        sections = {part.pk: part for part in policy.sections.order_by("number")}
        measures: dict[int, list[tuple[str, str]]] = {}
        for measure in policy.measures.all():
            measures.setdefault(measure.section_id, []).append((measure.code, str(measure)))
        offered: dict[str, list[Any]] = {
            "unit": units,
            "helping": units,
            "lead": [*units, (NO_VALUE, _("no lead unit"))],
            "section": [(str(part.number), str(part)) for part in sections.values()],
            "measure": [(str(sections[key]), pairs) for key, pairs in measures.items()],
            "kind": [*Kind.choices, (NO_VALUE, _("kind not set"))],
            "group": [(str(name), METRICS[name][0]) for name in (TOTAL_METRIC, *LightGroup)],
        }
        self._set_choices(offered)

    def _set_choices(self, offered: dict[str, list[Any]]) -> None:
        for name, choices in offered.items():
            self.filters[name].extra["choices"] = choices
        for each in self.filters.values():
            if isinstance(each, ChoiceFilter):
                each.extra["empty_label"] = _("all")
                each.extra.setdefault("widget", PlainSelect)

    def _choices(self, name: str) -> dict[str, str]:
        """Return values and words of a filter, groups undone."""
        pairs: dict[str, str] = {}
        for value, label in self.filters[name].extra["choices"]:
            group = [(value, label)]
            if isinstance(label, list):
                group = label
            for key, text in group:
                pairs[str(key)] = str(text)
        return pairs

    def _say(self, name: str, value: str) -> str:
        each = self.filters[name]
        if each.extra.get("widget") is TickInput:
            return str(each.label)
        text = value
        if isinstance(each, ChoiceFilter):
            text = self._choices(name)[value]
        return label_and(each.label, text)

    def _refuse(self, asked: QueryReader, name: str, value: str) -> None:
        each = self.filters[name]
        if isinstance(each, ChoiceFilter):
            choices = self._choices(name)
            asked.refuse(each.label, value, enumerate_choices(choices.items()))
        elif isinstance(each, DayFilter):
            asked.fault(each.label, self.form.errors[name][0])
        elif self.form.has_error(name, "no_words"):
            asked.refuse(each.label, value, self.form.errors[name][0])
        else:
            allowed = _("at most %(count)d characters, without control characters") % {
                "count": MAX_FILTER_TEXT
            }
            asked.refuse(each.label, value, allowed)


def enumerate_choices(choices: Iterable[tuple[str, str]]) -> str:
    """Name the allowed values with their words, or say where they are listed."""
    pairs = []
    for value, label in choices:
        if value == label:
            pairs.append(value)
        else:
            pairs.append(f"{value} ({label})")
    if len(pairs) <= MAX_ENUMERATED:
        return pgettext("list", ", ").join(pairs)
    return _("one of the options on the page")
