"""Make a policy of a draft: the rows that the write path saves, in an order in which each finds what it hangs on."""

from django.utils.translation import gettext as _

from tracker.domain.choices import Kind
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Measure,
    Organization,
    PolicyDocument,
    Section,
    Task,
    User,
)
from tracker.models.base import Versioned
from tracker.text.draft import Draft, DraftTask

NewRows = tuple[list[Versioned], dict[str, list[ChecklistItem]]]


def rows_for(policy: PolicyDocument, made: Draft, user: User | None) -> NewRows:
    """Return the policy and all its parts, unsaved and in order, and the steps of each task by its code.

    A unit that the text names becomes a proposal if it is known by one of its names; what is not
    known, and a deadline in words alone, stay in the remark.
    """
    known = {
        name: unit for unit in Organization.objects.filter(active=True) for name in unit.all_names()
    }
    rows: list[Versioned] = [policy]
    steps: dict[str, list[ChecklistItem]] = {}
    tasks: dict[str, Task] = {}
    for number, part in enumerate(made.sections, 1):
        section = Section(
            policy=policy, number=number, name=part.row.name[:200], anchor=part.anchor
        )
        rows.append(section)
        for order, piece in enumerate(part.measures, 1):
            measure = Measure(
                policy=policy, section=section, code=piece.code, order=order, name=piece.row.name[:200],
                general=piece.general, anchor=piece.anchor,
            )  # fmt: skip
            rows.append(measure)
            for draft in piece.tasks:
                task = tasks[draft.code] = _task(policy, measure, draft, known)
                rows.append(task)
                numbered = enumerate(draft.steps, 1)
                steps[draft.code] = [
                    ChecklistItem(number=n, title=s.title, anchor=s.anchor) for n, s in numbered
                ]
    for count in made.counts:
        facts = {
            "name": count.name,
            "number": count.number,
            "anchor": count.anchor,
            "match": count.match,
        }
        rows.append(DeclaredCount(policy=policy, task=tasks[count.task], **facts))
    rows += [
        BackgroundPassage(policy=policy, anchor=anchor, marked_by=user)
        for anchor in made.background
    ]
    return rows, steps


def _task(
    policy: PolicyDocument, measure: Measure, draft: DraftTask, known: dict[str, Organization]
) -> Task:
    lead = known.get(draft.row.lead)
    remarks = []
    if draft.row.lead and not lead:
        remarks.append(_("Lead unit in the text: %(unit)s") % {"unit": draft.row.lead})
    if draft.row.helps:
        remarks.append(_("Co-operating units in the text: %(units)s") % {"units": draft.row.helps})
    if draft.row.due and not draft.day:
        remarks.append(_("Deadline in the text: %(words)s") % {"words": draft.row.due})
    return Task(
        policy=policy,
        measure=measure,
        code=draft.code,
        title=draft.row.name[:200],
        anchor=draft.anchor,
        kind=draft.kind,
        lead_unit=lead,
        lead_is_proposed=lead is not None,
        deadline=draft.day if draft.kind != Kind.STANDING else None,
        remark="\n".join(remarks),
    )
