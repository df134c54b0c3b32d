"""The words of a policy text as its page shows them.

Written here and not in a template: each piece is there thousands of times, and so is each blank.
"""

from collections.abc import Iterator

from django import template
from django.template import Context
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tracker import links
from tracker.columns import light_label
from tracker.source.reading import Paragraph, Run

register = template.Library()
register.simple_tag(links.form_of, name="mend_of")
MARKS = {"asked": "<mark>{}</mark>", "open": "<u>{}</u>", "background": '<span class="background">{}</span>'}


@register.simple_tag(takes_context=True)
def runs(context: Context, paragraph: Paragraph) -> SafeString:
    """Show a paragraph: each passage with the lights of its tasks, and what can be done with a sentence."""
    says = (_("no task"), _("mark as background"))
    return format_html_join("", "{}", ((piece,) for run in paragraph.runs for piece in _pieces(context, run, says)))


def _pieces(context: Context, run: Run, says: tuple[str, str]) -> Iterator[str]:
    if run.begins is not None and context["edits"]:
        # The number leads to what can be done with its sentence, without a script.
        yield format_html('<a href="?at={}">{}</a>', run.begins, run.begins + 1)
    words = format_html(MARKS[run.state], run.words) if run.state else conditional_escape(run.words)
    yield format_html('<b class="chosen">{}</b>', words) if run.chosen else words
    slug, keep, on = context["policy"].slug, context["keep"], context["on"]
    for measure in run.measures:
        yield format_html('<a class="of" href="{}">{}</a>', links.page_of(measure, slug, keep), measure.code)
    for task in run.tasks:
        light = task.light_on(on)
        yield format_html(
            '<a class="light light-{}" href="{}">{} {}</a>',
            light,
            links.page_of(task, slug, keep),
            light_label(light, task.status),
            task.code,
        )
    if run.marks:
        yield format_html("<i>{}</i>", says[0])
        if context["edits"]:
            yield format_html('<button name="mark" value="{}">{}</button>', run.marks, says[1])
