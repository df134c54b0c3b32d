"""A policy in which every text that people type is one run of letters without a break, as long as
its field allows.
"""

import datetime as dt
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import override

from tests.conftest import TODAY
from tests.excel.conftest import as_file
from tests.excel.test_checklist_import import change, exported
from tests.factories import make_policy
from tests.filled import first_task, make_filled
from tracker import workflow
from tracker.domain.choices import ReportState, Status, UnitMoveKind
from tracker.domain.dates import DAY, now
from tracker.excel import workbook_import
from tracker.models import (
    ChecklistItem,
    Evidence,
    ImportBatch,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    TaskRequest,
    UnitMove,
    User,
)
from tracker.workflow import refresh_tasks

LONGEST = 200  # letters of a word, where its field has no limit
TASKS = 8
# Stored words that are not on a form: JSON apart, they are told by `is_typed`.
STORED_IN_WORDS = ("password_set_by",)
APRIL = {
    "period_start": dt.date(2026, 4, 1),
    "period_end": dt.date(2026, 4, 30),
    "submitted_on": TODAY - 40 * DAY,
}


def make_long_policy() -> PolicyDocument:
    """Make a filled policy, with rows of every other kind, and fill each of its texts with a long
    word.
    """
    policy = make_filled(TASKS)
    task = first_task(policy)
    ChecklistItem.objects.create(task=task, number=2, title="step", done_on=TODAY)
    closed = policy.tasks.order_by("-pk")[0]
    Task.objects.filter(pk=closed.pk).update(
        status=Status.CLOSED, closed_on=TODAY, closing_requested_on=None
    )
    _add_reports(task)
    _add_closing(policy.tasks.order_by("pk")[1])
    helper = Organization.objects.exclude(pk=task.lead_unit_id)[0]
    task.co_units.add(helper)
    User.objects.create_user("liaison", is_liaison=True, organization=task.lead_unit)
    _add_unit_move(task.lead_unit, helper)
    make_policy("draft", state="draft")
    ImportBatch.objects.create(
        kind="progress",
        unit=task.lead_unit,
        policy=policy,
        file_name="x",
        read_at=now(),
        state="landed",
    )
    fill_every_text()
    policy.refresh_from_db()
    _add_checklist_import(policy)
    refresh_tasks(list(PolicyDocument.objects.values_list("pk", flat=True)))
    return policy


def _add_reports(task: Task) -> None:
    """Add a returned report that has been written on, and one that was answered.

    Both say something of an indicator.
    """
    figures = [{"indicator": 1, "name": word(100, 1), "unit": word(20, 2), "value": "1" * 20}]
    facts: dict[str, Any] = {
        "task": task,
        "unit": task.lead_unit,
        "percent": 10,
        "figures": figures,
        **APRIL,
    }
    texts = dict.fromkeys(
        ("progress", "problems", "next_steps", "help_addressee", "review_note"), "x"
    )
    helped = {"needs_help": True, "help_answer": "x", "help_answered_on": TODAY}
    ProgressUpdate.objects.create(
        state=ReportState.ACCEPTED, reviewed_on=TODAY, **facts, **texts, **helped
    )
    ProgressUpdate.objects.create(state=ReportState.RETURNED, reviewed_on=TODAY, **facts, **texts)


def _add_closing(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(
        status=Status.CLOSING, closing_requested_on=TODAY, closed_on=None
    )
    TaskRequest.objects.filter(task=task, kind="close").delete()
    ask = TaskRequest.objects.create(
        task=task, kind="close", asked_on=TODAY, reason="x", progress="x"
    )
    Evidence.objects.create(
        task=task, request=ask, link="https://example.gov/", name="x", added_on=TODAY
    )


def _add_unit_move(source: Organization | None, target: Organization) -> None:
    assert source
    entries = [
        {"model": "task", "pk": number, "label": word(LONGEST, number), "version": 1}
        for number in (1, 2)
    ]
    UnitMove.objects.create(
        kind=UnitMoveKind.MOVE, source=source, target=target, source_name="x", target_name="x", entries=entries,
        made_at=now(),
    )  # fmt: skip


def _add_checklist_import(policy: PolicyDocument) -> None:
    """Send in the policy's checklist with a title changed, a unit that nobody knows and a column of
    no use.
    """
    with override("en"):
        book = exported(policy)
        sheet = book["Tasks"]
        change(book, "Tasks", 2, "what is to be done", word(LONGEST, 3))
        change(book, "Tasks", 3, "lead unit", word(LONGEST, 4))
        sheet.cell(1, sheet.max_column + 1).value = word(LONGEST, 5)
        sheet.cell(2, sheet.max_column).value = word(LONGEST, 6)
        workflow.store_batch(
            workbook_import.read_workbook(as_file(book), word(LONGEST - 5, 7) + ".xlsx", None),
            now(),
        )


def word(length: int, number: int) -> str:
    """Return a run of letters of its own for each number."""
    return f"W{number}x".ljust(length, "W")[:length]


def is_typed(field: models.Field) -> bool:
    """Say whether people write the words of a field.

    Codes of the program and what is derived are not typed.
    """
    if (
        not isinstance(field, models.CharField | models.TextField)
        or field.choices
        or field.name == "password"
    ):
        return False
    return field.editable or field.name in STORED_IN_WORDS


def fill_every_text() -> None:
    """Fill each text of each row with a word as long as its field allows.

    The history tells of it.
    """
    for model in apps.get_app_config("tracker").get_models():
        is_history = hasattr(model, "history_type") or model._meta.model_name == "storedrules"
        fields = (
            []
            if is_history
            else [field for field in model._meta.concrete_fields if is_typed(field)]
        )
        if not fields:
            continue
        rows = list(model._default_manager.all())
        for number, row in enumerate(rows):
            for field in fields:
                setattr(row, field.attname, word_for(field, number))
        model._default_manager.bulk_update(rows, [field.name for field in fields])
        _tell_history(model, rows)
    _place_anchors()


def word_for(field: models.Field, number: int) -> str:
    """Return the longest word that a field takes."""
    length = min(getattr(field, "max_length", None) or LONGEST, LONGEST)
    if isinstance(field, models.EmailField):
        return word(64, number) + "@" + ".".join([word(60, number)] * 3)
    if isinstance(field, models.URLField):
        return f"https://{word(60, number)}/{word(400, number)}"
    return word(length, number)


def _tell_history(model: type[models.Model], rows: list[Any]) -> None:
    history = getattr(model, "history", None)
    if history is not None:
        attributes = {"way": "page"}
        history.bulk_history_create(
            rows,
            update=True,
            default_change_reason=word(LONGEST, 8),
            custom_historical_attrs=attributes,
        )


def _place_anchors() -> None:
    """Let every anchor be found in the text of its policy."""
    for policy in PolicyDocument.objects.all():
        parts = (policy.sections, policy.measures, policy.tasks, policy.counts, policy.background)
        anchors = {row.anchor for rows in parts for row in rows.all()}
        paragraphs = [*(f"{anchor}。" for anchor in sorted(anchors)), word(LONGEST, 9)]
        PolicyDocument.objects.filter(pk=policy.pk).update(full_text="\n".join(paragraphs))
