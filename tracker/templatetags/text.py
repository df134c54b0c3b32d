"""The words of a policy text as its page shows them.

Written here and not in a template: each piece is there thousands of times, and so is each blank.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tracker.domain.choices import Light, Status
from tracker.models import Measure, Task
from tracker.reports import links
from tracker.reports.task_texts import light_label
from tracker.templatetags.tracker import lead, light_of, link_to
from tracker.text.text_view import Lost, Paragraph, Run, TextView

register = template.Library()
RUN_MARKS = {
    "asked": "<mark>{}</mark>",
    "cancelled": "<mark>{}</mark>",
    "open": "<u>{}</u>",
    "background": '<span class="background">{}</span>',
}


@register.simple_tag(takes_context=True)
def shown_paragraph(context: Context, paragraph: Paragraph) -> SafeString:
    """Show a paragraph, with the tasks of its passages beside it."""
    pieces: list[str] = []
    for run in paragraph.runs:
        pieces += _pieces(context, run)
    text = format_html_join("", "{}", ((piece,) for piece in pieces))
    beside = format_html_join(
        "", "<li>{} {}{}</li>", (_beside(context, task) for task in paragraph.tasks)
    )
    tasks = ""
    if beside:
        tasks = format_html("<ul>{}</ul>", beside)
    return format_html('<div><p id="p{}">{}</p>{}</div>\n', paragraph.number, text, tasks)


def _beside(context: Context, task: Task) -> tuple[str, str, str]:
    """Return the light, the link and the lead unit of a task beside its paragraph."""
    on = context["on"]
    if task.status == Status.CANCELLED:
        light = format_html('<span class="light light-none">{}</span>', task.get_status_display())
    else:
        light = light_of(task, on)
    unit = ""
    if task.lead_unit:
        unit = format_html(" <small>{}</small>", lead(task, on))
    return light, link_to(context, task, task), unit


def _pieces(context: Context, run: Run) -> Iterator[str]:
    """Yield the parts of a run: its words, its measures and tasks, and what can be done with it."""
    if run.begins and context["edits"]:
        # The number leads to what can be done with its sentence, without a script.
        yield format_html('<a href="?at={}">{}</a>', run.sentence, run.sentence + 1)
    text = conditional_escape(run.words)
    if run.state:
        text = format_html(RUN_MARKS[run.state], run.words)
    if run.chosen:
        text = format_html('<b class="chosen">{}</b>', text)
    yield text
    if run.measures or run.tasks:
        yield from _links_of(context, run)
    if run.marks:
        yield format_html("<i>{}</i>", _("no task"))
        if context["edits"]:
            label = _("mark as background")
            yield format_html('<button name="mark" value="{}">{}</button>', run.marks, label)


def _links_of(context: Context, run: Run) -> Iterator[str]:
    """Yield links to the measures and tasks of a run, the tasks with their lights."""
    slug = context["policy"].slug
    carried = context["carried_params"]
    # One step up: full addresses would be a fiftieth of a long page.
    here = reverse("policy", args=[slug])

    def address(row: Measure | Task) -> str:
        return links.page_url(row, slug, carried).replace(here, "../", 1)

    for measure in run.measures:
        yield format_html('<a class="of" href="{}">{}</a>', address(measure), measure.code)
    for task in run.tasks:
        light = task.light_on(context["on"])
        label = task.get_status_display()
        if light != Light.NONE:
            label = light_label(light, task.status)
        yield format_html(
            '<a class="light light-{}" href="{}">{} {}</a>', light, address(task), label, task.code
        )


@dataclass
class CoverageFinding:
    """A row of a list of what is wrong with a text.

    Words, note, places that it leads to, and where it is mended.
    """

    words: str = ""
    places: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""
    mend: str = ""


@dataclass
class Findings:
    """A list of what is wrong with a text; an urgent one stands open."""

    name: str
    rows: list[CoverageFinding]
    urgent: bool = False
    mend: str = ""


@register.simple_tag(takes_context=True)
def findings(context: Context, view: TextView) -> list[Findings]:
    """Return what the coverage leaves open, list by list."""
    slug = context["policy"].slug
    carried = context["carried_params"]
    opens = []
    for number, at, text in view.opens:
        address = f"#p{at}"
        if context["edits"]:
            address = f"?at={number}#p{at}"
        opens.append(CoverageFinding(places=[(address, text)]))
    bare = []
    for task in view.without_passage:
        places = [(links.page_url(task, slug, carried), task.title)]
        bare.append(CoverageFinding(task.code, places, mend=f"{links.form_url(task)}#id_anchor"))
    off = []
    for at, text in view.cancelled:
        off.append(CoverageFinding(places=[(f"#p{at}", text)]))
    marked = []
    for one in view.passages:
        note = f"{one.name_of('marked_by')} {one.marked_on or ''} {one.note}".strip()
        marked.append(CoverageFinding(f"“{one.anchor}”", note=note))
    lost = [_lost_anchor(one) for one in view.lost]
    return [
        Findings(_("Passages without a task"), opens, urgent=True),
        Findings(_("Tasks without a passage"), bare, mend=_("Enter an anchor")),
        Findings(
            _("Anchors that are not found exactly once"), lost, urgent=True, mend=_("Correct it")
        ),
        Findings(_("Passages of cancelled tasks"), off),
        Findings(_("Marked as background"), marked),
    ]


def _lost_anchor(lost: Lost) -> CoverageFinding:
    """Return the finding of an anchor that is not found once, with the places that come near it."""
    note = _("Nothing in the text is similar.")
    if lost.near:
        note = _("nearest place:")
    return CoverageFinding(
        words=f"{lost.anchor.owner} “{lost.anchor.text}”",
        places=[(f"#p{at}", words) for at, words in lost.near],
        note=note,
        mend=links.form_url(lost.row),
    )
