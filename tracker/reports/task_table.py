"""The task list, sorted and paged by django-tables2.

Its headers and orders are those of `tracker.reports.columns`.

Cells are rendered here, row by row, without the library's bound cells: those inspect a signature
for every cell, which costs five times the rendering itself.
"""

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Iterator
from typing import Any, NamedTuple

import django_tables2 as tables
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from tracker.domain.choices import Light
from tracker.domain.parsing import whole_number
from tracker.models import PolicyDocument, Task
from tracker.models.task import TaskQuerySet
from tracker.reports import columns, links, task_texts
from tracker.reports.filters import QueryReader


class PageSize(NamedTuple):
    """How many rows a page has, and how it is named."""

    rows: int
    name: str | Promise


# By the word of the address. All rows at once are for the printer, within what a browser lays out
# in a moment.
PAGE_SIZES = {
    "25": PageSize(25, "25"),
    "50": PageSize(50, "50"),
    "all": PageSize(250, gettext_lazy("all, to print")),
}
SORT = gettext_lazy("sort")
PAGE = gettext_lazy("page number")
PER_PAGE = gettext_lazy("rows per page")


def light_badge(light: Light, status: str) -> SafeString:
    """Show a light as shape, word and colour."""
    return format_html(
        '<span class="light light-{}"><span aria-hidden="true">{}</span> {}</span>',
        light,
        light.style.symbol,
        task_texts.light_words(light, status),
    )


def join_sentences(reasons: list[str]) -> str:
    """Join the sentences that explain a light."""
    return pgettext("between sentences", "; ").join(reasons)


class TaskFact(tables.Column):
    """A column headed and ordered as `tracker.reports.columns` says."""

    def __init__(self, fact: str | columns.Column, header: str | Promise = "") -> None:
        if isinstance(fact, str):
            self.fact = columns.TASK_COLUMNS[fact]
        else:
            self.fact = fact
        super().__init__(verbose_name=header or self.fact.header, orderable=bool(self.fact.order))

    def shown(self, task: Task, on: dt.date) -> str:
        """Show the value of a task as text, what is empty as a dash."""
        value = self.fact.value(task, on)
        if value in (None, ""):
            return "—"
        if self.fact.format == columns.SHARE_FORMAT:
            return f"{value:.0%}"
        return str(value)

    def order(self, tasks: TaskQuerySet, is_descending: bool) -> tuple[TaskQuerySet, bool]:
        """Order tasks: empty values last in both directions, the code as the last key."""
        return tasks.order_by(*columns.ordering(self.fact, is_descending)), True


class TitleLine(NamedTuple):
    """A row as its cells and as HTML, and the bands that stand above it.

    The section and the measure that begin.
    """

    bands: list[tuple[str, str]]
    cells: list[str]
    html: SafeString


class TaskTable(tables.Table):
    """Tasks of a policy, a page at a time."""

    code = TaskFact("code")
    title = TaskFact("title", gettext_lazy("task"))
    measure = TaskFact("measure")
    lead_unit = TaskFact("lead_unit")
    kind = TaskFact(
        columns.Column("kind", gettext_lazy("kind"), task_texts.kind_text, order=("kind",))
    )
    deadline = TaskFact("deadline", gettext_lazy("deadline"))
    percent = TaskFact("percent")
    status = TaskFact("status")
    light = TaskFact("light", gettext_lazy("light and reason"))
    size: str  # a key of PAGE_SIZES, once a page is open

    def __init__(
        self,
        policy: PolicyDocument,
        tasks: TaskQuerySet,
        asked: QueryReader,
        on: dt.date,
        hidden: Collection[str] = (),
        banded: bool = False,
    ) -> None:
        """Read the order from `asked`, and the day that every link carries on.

        Bands go with the order of the text.
        """
        self.policy = policy
        self.on = on
        self.carried_params = {name: value for name, value in asked.query.items() if name == "on"}
        allowed = []
        for name in self.base_columns:
            if name not in hidden:
                for sign in ("", "-"):
                    allowed.append(sign + name)
        self.sort = asked.choice("sort", SORT, allowed)
        self.banded = banded and not self.sort
        self._written: dict[Hashable, str] = {}
        asked.query |= {"sort": self.sort} if self.sort else {}
        ordered = tasks.order_by(*columns.ordering(columns.TASK_COLUMNS["measure"]))
        super().__init__(
            ordered,
            order_by=self.sort or None,
            exclude=("measure",) if self.banded else tuple(hidden),
        )

    @property
    def tasks(self) -> TaskQuerySet:
        """Return all tasks of the table in its order."""
        return self.data.data

    @property
    def page_numbers(self) -> Iterator[int | str]:
        """Return the numbers of pages worth a link."""
        return self.paginator.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)

    def turn_to(self, asked: QueryReader) -> None:
        """Open the page that is asked for; beyond the last one is the last."""
        size = asked.choice("per_page", PER_PAGE, PAGE_SIZES)
        asked.query |= {"per_page": size} if size else {}
        self.size = size or next(iter(PAGE_SIZES))
        wanted = asked.pop("page", PAGE)
        number = whole_number(wanted) or 0
        if wanted and number < 1:
            asked.refuse(PAGE, wanted, _("whole numbers from 1"))
        self.paginate(per_page=PAGE_SIZES[self.size].rows)
        self.page = self.paginator.page(min(max(number, 1), self.paginator.num_pages))

    def lines(self) -> Iterator[TitleLine]:
        """Render the rows of the open page."""
        facts = []
        for column in self.columns:
            facts.append((column.name, column.column))
        special = {
            "title": self.render_title,
            "measure": self.render_measure,
            "lead_unit": self.render_lead_unit,
            "light": self.render_light,
        }
        # The frame of a row with a place for each cell: written once, filled for each row.
        heads = ((column.name, str(column.header)) for column in self.columns)
        frame = format_html_join("", '<td class="col-{}" data-label="{}">{{}}</td>', heads)
        before = None
        for task in self._rows():
            cells = []
            for name, fact in facts:
                cells.append(special[name](task) if name in special else fact.shown(task, self.on))
            yield TitleLine(
                self._bands(task, before) if self.banded else [], cells, format_html(frame, *cells)
            )
            before = task

    def _rows(self) -> list[Task]:
        """Fetch the tasks of the open page by their keys.

        To sort keys alone costs a fifth of sorting whole rows.
        """
        # Nothing is counted already: a search that finds nothing need not read all tasks twice.
        if self.paginator.count:
            keys = list(self.page.object_list.data.values_list("pk", flat=True))
        else:
            keys = []
        shown = Task.objects.select_related("measure__section", "lead_unit").prefetch_related(
            "items"
        )
        found = shown.order_by().in_bulk(keys)
        tasks = []
        for key in keys:
            if key in found:
                tasks.append(found[key])
        for task in tasks:
            task.policy = self.policy
        return tasks

    def render_title(self, task: Task) -> str:
        """Show the title, which leads to the page of the task."""
        return links.linked_text(task, task.title, self.policy.slug, self.carried_params)

    def render_measure(self, task: Task) -> str:
        """Show the measure, which leads to its page."""
        return self._link(task.measure, task.measure)

    def render_lead_unit(self, task: Task) -> str:
        """Show the lead unit, which leads to its page."""
        text = task_texts.lead_text(task, self.on)
        if task.lead_unit:
            return self._link(task.lead_unit, text)
        return "—"

    def render_light(self, task: Task) -> str:
        """Show the light and the sentences that explain it."""
        reason = join_sentences(task.reasons_on(self.on))
        light = task.light_on(self.on)
        shown = self._once((light, task.status), light_badge, light, task.status)
        return format_html('{} <span class="reason">{}</span>', shown, reason)

    def _bands(self, task: Task, before: Task | None) -> list[tuple[str, str]]:
        """Name the section and the measure where they begin, on every page anew."""
        section = task.measure.section
        measure = task.measure
        if before and before.measure == measure:
            bands = []
        else:
            bands = [("measure", self.render_measure(task))]
        if not before or before.measure.section != section:
            bands.insert(0, ("section", self._link(section, section)))
        return bands

    def _link(self, thing: Model, text: object) -> str:
        """Link words to the page of a thing."""
        key = (type(thing), thing.pk, str(text))
        return self._once(
            key, links.linked_text, thing, text, self.policy.slug, self.carried_params
        )

    def _once(self, key: Hashable, write: Callable[..., str], *facts: Any) -> str:
        """Write what many rows show once: a page speaks of few lights, units and measures."""
        if key not in self._written:
            self._written[key] = write(*facts)
        return self._written[key]

    def order_light(self, tasks: TaskQuerySet, is_descending: bool) -> tuple[TaskQuerySet, bool]:
        """Order by how grave a light is; only this order pays for the rank."""
        return self.columns["light"].column.order(tasks.with_light_rank(self.on), is_descending)
