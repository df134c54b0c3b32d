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
from tracker.reports.columns import light_label
from tracker.templatetags.tracker import lead, light_of, link_to
from tracker.text.text_view import Paragraph, Run, TextView

register = template.Library()
RUN_MARKS = {
    "asked": "<mark>{}</mark>",
    "cancelled": "<mark>{}</mark>",
    "open": "<u>{}</u>",
    "background": '<span class="background">{}</span>',
}


@register.simple_tag(takes_context=True)
def shown_paragraph(context: Context, paragraph: Paragraph) -> SafeString:
    """Show a paragraph: each passage with its lights and what can be done with a sentence, the
    tasks beside it.
    """
    says = (_("no task"), _("mark as background"))
    words = format_html_join(
        "", "{}", ((piece,) for run in paragraph.runs for piece in _pieces(context, run, says))
    )
    beside = format_html_join(
        "", "<li>{} {}{}</li>", (_beside(context, task) for task in paragraph.tasks)
    )
    tasks = ""
    if beside:
        tasks = format_html("<ul>{}</ul>", beside)
    return format_html('<div><p id="p{}">{}</p>{}</div>\n', paragraph.number, words, tasks)


def _beside(context: Context, task: Task) -> tuple[str, str, str]:
    on = context["on"]
    off = task.status == Status.CANCELLED
    if off:
        light = format_html('<span class="light light-none">{}</span>', task.get_status_display())
    else:
        light = None
    if task.lead_unit:
        unit = lead(task, on)
    else:
        unit = ""
    return (
        light or light_of(task, on),
        link_to(context, task, task),
        unit and format_html(" <small>{}</small>", unit),
    )


def _pieces(context: Context, run: Run, says: tuple[str, str]) -> Iterator[str]:
    if run.begins and context["edits"]:
        # The number leads to what can be done with its sentence, without a script.
        yield format_html('<a href="?at={}">{}</a>', run.sentence, run.sentence + 1)
    if run.state:
        words = format_html(RUN_MARKS[run.state], run.words)
    else:
        words = conditional_escape(run.words)
    yield format_html('<b class="chosen">{}</b>', words) if run.chosen else words
    if not (run.measures or run.tasks or run.marks):
        return
    slug = context["policy"].slug
    carried = context["carried_params"]
    on = context["on"]
    here = reverse(
        "policy", args=[slug]
    )  # one step up; said in full it would weigh a fiftieth of a long page

    def address(row: Measure | Task) -> str:
        return links.page_url(row, slug, carried).replace(here, "../", 1)

    for measure in run.measures:
        yield format_html('<a class="of" href="{}">{}</a>', address(measure), measure.code)
    for task in run.tasks:
        light = task.light_on(on)
        yield format_html(
            '<a class="light light-{}" href="{}">{} {}</a>',
            light,
            address(task),
            light_label(light, task.status) if light != Light.NONE else task.get_status_display(),
            task.code,
        )
    if run.marks:
        yield format_html("<i>{}</i>", says[0])
        if context["edits"]:
            yield format_html('<button name="mark" value="{}">{}</button>', run.marks, says[1])


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
    if context["edits"]:
        asked = "?at={}"
    else:
        asked = ""
    opens = [
        CoverageFinding(places=[(f"{asked.format(n)}#p{at}", words)]) for n, at, words in view.opens
    ]
    bare = []
    for task in view.without_passage:
        bare.append(
            CoverageFinding(
                task.code,
                [(links.page_url(task, slug, carried), task.title)],
                mend=f"{links.form_url(task)}#id_anchor",
            )
        )
    lost = [
        CoverageFinding(
            f"{one.anchor.owner} “{one.anchor.text}”",
            [(f"#p{at}", words) for at, words in one.near],
            _("nearest place:") if one.near else _("Nothing in the text comes near it."),
            links.form_url(one.row),
        )
        for one in view.lost
    ]
    off = []
    for at, words in view.cancelled:
        off.append(CoverageFinding(places=[(f"#p{at}", words)]))
    marked = []
    for one in view.passages:
        marked.append(
            CoverageFinding(
                f"“{one.anchor}”",
                note=f"{one.name_of('marked_by')} {one.marked_on or ''} {one.note}".strip(),
            )
        )
    return [
        Findings(_("Passages without a task"), opens, urgent=True),
        Findings(_("Tasks without a passage"), bare, mend=_("Enter an anchor")),
        Findings(
            _("Anchors that are not found exactly once"), lost, urgent=True, mend=_("Correct it")
        ),
        Findings(_("Passages of cancelled tasks"), off),
        Findings(_("Marked as background"), marked),
    ]
