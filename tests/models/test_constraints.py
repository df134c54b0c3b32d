"""Every invariant twice.

The database refuses what breaks it, and `full_clean` says it beside the field.
"""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import override

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker.domain.choices import Kind, Status
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Evidence,
    Indicator,
    IndicatorValue,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    SentReminder,
    Task,
    TaskRequest,
    User,
)

DAY = dt.timedelta(days=1)
PERIOD = {"period_start": TODAY, "period_end": TODAY}
SENT = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
REMINDER = {"day": TODAY, "sent_at": SENT, "subject": "x", "text": "x", "matters": ["x"]}
HANDED_OVER = {"assigned_on": TODAY, "lead_unit": "unit"}
CLOSED, CLOSING = {"status": Status.CLOSED}, {"status": Status.CLOSING}
DRIVES = {"drives_percent": True, "baseline": 60}
BOTH = {"deadline": TODAY, "original_deadline": TODAY}
# Constraint, model, facts that break it, its words, and the field where `full_clean` says it;
# without a field `clean` brings the facts in line by itself, because what they mean is beyond
# doubt.
BROKEN: list[tuple[str, str, dict[str, Any], str, str]] = [
    (
        "report_at_hand_once",
        "report",
        {"period_start": TODAY - 40 * DAY},
        "report of this period already",
        "__all__",
    ),
    (
        "report_percent_in_range",
        "report",
        {"percent": 101},
        "whole number from 0 to 100",
        "percent",
    ),
    (
        "report_period_in_order",
        "report",
        {"period_end": TODAY - DAY},
        "ends before it begins",
        "__all__",
    ),
    (
        "report_submitted_on_a_day",
        "report",
        {"state": "submitted"},
        "the day on which it was",
        "__all__",
    ),
    (
        "request_open_once",
        "request",
        {"kind": "extend", "new_deadline": TODAY},
        "is waiting already",
        "__all__",
    ),
    (
        "request_decided_on_a_day",
        "request",
        {"decided_on": TODAY},
        "only a decided one has it",
        "__all__",
    ),
    (
        "extension_has_deadline",
        "request",
        {"kind": "extend", "state": "granted", "decided_on": TODAY},
        "names the",
        "__all__",
    ),
    ("evidence_is_file_or_link", "evidence", {"link": ""}, "either a file or a link", "__all__"),
    (
        "reminder_once_a_day",
        "reminder",
        {"address": "a@example.cn"},
        "reminder of the day",
        "__all__",
    ),
    (
        "task_yellow_before_red",
        "task",
        {"turns_red_on": TODAY},
        "yellow before it turns red",
        "__all__",
    ),
    ("task_closed_iff_day", "task", CLOSED, "closed task has the day of its closing", "closed_on"),
    ("task_closed_iff_day", "task", {"closed_on": TODAY}, "only a closed one has it", ""),
    (
        "task_closing_iff_request",
        "task",
        CLOSING,
        "has the day of the request",
        "closing_requested_on",
    ),
    (
        "task_closing_iff_request",
        "task",
        {"closing_requested_on": TODAY},
        "only such a task has it",
        "",
    ),
    (
        "task_closing_iff_request",
        "task",
        {**CLOSED, "closed_on": TODAY, "closing_requested_on": TODAY},
        "only such a task has it",
        "",
    ),
    (
        "task_starts_before_deadline",
        "task",
        {**BOTH, "start": TODAY + DAY},
        "start is after the deadline",
        "start",
    ),
    ("task_both_deadlines_or_none", "task", {"deadline": TODAY}, "both set or both empty", ""),
    (
        "task_both_deadlines_or_none",
        "task",
        {"original_deadline": TODAY},
        "both set or both empty",
        "",
    ),
    (
        "task_both_deadlines_or_none",
        "task",
        {**HANDED_OVER, "original_deadline": TODAY},
        "both set or both empty",
        "deadline",
    ),
    ("task_percent_in_range", "task", {"percent": 101}, "whole number from 0 to 100", "percent"),
    (
        "standing_task_has_no_deadline",
        "task",
        {**BOTH, "kind": Kind.STANDING},
        "standing task has no deadline",
        "deadline",
    ),
    (
        "task_handed_over_has_lead",
        "task",
        {"assigned_on": TODAY},
        "has a lead unit and a kind",
        "lead_unit",
    ),
    (
        "task_handed_over_has_lead",
        "task",
        {**HANDED_OVER, "kind": ""},
        "has a lead unit and a kind",
        "kind",
    ),
    ("task_code_once", "task", {"code": "A1-01"}, "already exists", "__all__"),
    ("policy_gaps_in_range", "policy", {"yellow_gap": 0}, "1 ≤ yellow ≤ red ≤ 100", "yellow_gap"),
    ("policy_gaps_in_range", "policy", {"red_gap": 101}, "1 ≤ yellow ≤ red ≤ 100", "red_gap"),
    (
        "policy_gaps_in_range",
        "policy",
        {"yellow_gap": 31, "red_gap": 30},
        "1 ≤ yellow ≤ red ≤ 100",
        "__all__",
    ),
    ("policy_waits_in_range", "policy", {"warn_days": 367}, "between 0 and 366", "warn_days"),
    ("policy_waits_in_range", "policy", {"grace_days": 367}, "between 0 and 366", "grace_days"),
    ("section_number_once", "section", {"number": 1}, "already exists", "__all__"),
    ("measure_code_once", "measure", {"code": "A1"}, "already exists", "__all__"),
    ("declared_count_once", "count", {"name": "Steps"}, "already exists", "__all__"),
    (
        "declared_count_has_one_object",
        "count",
        {"section": None},
        "either a section or a task",
        "__all__",
    ),
    (
        "declared_count_has_one_object",
        "count",
        {"task": "task"},
        "either a section or a task",
        "__all__",
    ),
    ("background_once", "passage", {"anchor": "fine weather"}, "already exists", "__all__"),
    ("item_number_once", "item", {"number": 1}, "already exists", "__all__"),
    ("item_weight_in_range", "item", {"weight": 0}, "whole number from 1 to 1000", "weight"),
    ("item_weight_in_range", "item", {"weight": 1001}, "whole number from 1 to 1000", "weight"),
    (
        "indicator_name_once",
        "indicator",
        {"name": "Forest cover"},
        "indicator of this name already",
        "__all__",
    ),
    (
        "indicator_drives_once",
        "indicator",
        {"drives_percent": True, "baseline": 60},
        "another indicator of the task",
        "__all__",
    ),
    (
        "indicator_has_way_to_go",
        "free",
        {"drives_percent": True},
        "does not reach the target yet",
        "__all__",
    ),
    (
        "indicator_has_way_to_go",
        "free",
        {**DRIVES, "baseline": 70},
        "does not reach the target yet",
        "__all__",
    ),
    (
        "indicator_has_way_to_go",
        "free",
        {**DRIVES, "direction": "down"},
        "does not reach the target yet",
        "__all__",
    ),
    ("indicator_value_once_a_day", "value", {"day": TODAY}, "value of this day already", "__all__"),
    ("liaison_has_unit", "user", {"is_liaison": True}, "belongs to a unit", "__all__"),
]
KEPT: list[tuple[str, dict[str, Any]]] = [
    # what stands just inside the bounds, and what stays open
    ("task", {"status": Status.CLOSED, "closed_on": TODAY}),
    ("task", {"status": Status.CLOSING, "closing_requested_on": TODAY}),
    ("task", {"start": TODAY, "deadline": TODAY, "original_deadline": TODAY}),
    ("task", {"start": TODAY + DAY}),
    ("task", {"start": None, "deadline": TODAY, "original_deadline": TODAY - DAY}),
    ("task", {"percent": 0}),
    ("task", {"turns_yellow_on": TODAY, "turns_red_on": TODAY}),
    ("task", {"turns_yellow_on": TODAY}),
    ("task", {"percent": 100, "status": Status.NOT_STARTED}),
    ("task", {"kind": Kind.STANDING}),
    ("task", {"kind": ""}),
    ("task", HANDED_OVER),
    ("policy", {"yellow_gap": 1, "red_gap": 1}),
    ("policy", {"yellow_gap": 100, "red_gap": 100}),
    ("policy", {"warn_days": 0, "grace_days": 0}),
    ("policy", {"warn_days": 366, "grace_days": 366}),
    ("count", {"section": None, "task": "task"}),
    ("item", {"weight": 1}),
    ("item", {"weight": 1000}),
    ("user", {"is_liaison": True, "organization": "unit"}),
    ("free", DRIVES),
    ("free", {"drives_percent": True, "baseline": 80, "direction": "down"}),
    ("free", {"baseline": 70}),
]


@pytest.fixture
def rows(bureau: Organization) -> dict[str, Model]:
    """Make a row of everything for the new ones to lean on or to clash with."""
    policy = make_policy()
    task, other = make_task(policy), make_task(policy, "B1-01")
    section = policy.sections.get(number=1)
    ChecklistItem.objects.create(task=task, number=1, title="Step")
    cover = Indicator.objects.create(
        task=task, name="Forest cover", unit_of_measure="%", target=70, **DRIVES
    )
    IndicatorValue.objects.create(indicator=cover, day=TODAY, value=65)
    DeclaredCount.objects.create(policy=policy, name="Steps", number=1, task=task)
    BackgroundPassage.objects.create(policy=policy, anchor="fine weather")
    ProgressUpdate.objects.create(
        task=task, unit=bureau, period_start=TODAY - 40 * DAY, period_end=TODAY
    )
    SentReminder.objects.create(address="a@example.cn", **REMINDER)
    TaskRequest.objects.create(task=task, kind="extend", asked_on=TODAY, new_deadline=TODAY)
    measure = policy.measures.get(code="A1")
    return {
        "unit": bureau,
        "policy": policy,
        "section": section,
        "measure": measure,
        "task": task,
        "cover": cover,
        "other": other,
    }


def new(rows: dict[str, Model], model: str, facts: dict[str, Any]) -> Model:
    """Make a row in memory that is right but for some facts; text such as `unit` names a row."""
    policy, named = rows["policy"], {name: rows.get(value, value) for name, value in facts.items()}
    whole = {
        "task": (
            Task,
            {
                "policy": policy,
                "measure": rows["measure"],
                "code": "A1-99",
                "title": "x",
                "kind": Kind.QUALITATIVE,
            },
        ),
        "policy": (PolicyDocument, {"slug": "new", "title": "New"}),
        "section": (Section, {"policy": policy, "number": 9, "name": "x"}),
        "measure": (
            Measure,
            {"policy": policy, "section": rows["section"], "code": "A9", "name": "x"},
        ),
        "count": (
            DeclaredCount,
            {"policy": policy, "name": "New", "number": 1, "section": rows["section"]},
        ),
        "passage": (BackgroundPassage, {"policy": policy, "anchor": "new"}),
        "report": (ProgressUpdate, {"task": rows["task"], "unit": rows["unit"], **PERIOD}),
        "request": (TaskRequest, {"task": rows["task"], "kind": "close", "asked_on": TODAY}),
        "evidence": (
            Evidence,
            {"task": rows["task"], "name": "x", "link": "https://example.cn/", "added_on": TODAY},
        ),
        "reminder": (SentReminder, {"address": "b@example.cn", **REMINDER}),
        "item": (ChecklistItem, {"task": rows["task"], "number": 9, "title": "x"}),
        "indicator": (
            Indicator,
            {"task": rows["task"], "name": "Lakes", "unit_of_measure": "x", "target": 70},
        ),
        "free": (
            Indicator,
            {"task": rows["other"], "name": "Lakes", "unit_of_measure": "x", "target": 70},
        ),
        "value": (IndicatorValue, {"indicator": rows["cover"], "day": TODAY - DAY, "value": 64}),
        "user": (User, {"username": "new", "password": "x"}),
    }
    kind, right = whole[model]
    return kind(**right | named)


def ids(case: tuple[Any, ...]) -> str:
    """Name a case by its model and its facts."""
    at = 1 if len(case) > 2 else 0
    return f"{case[at]} {', '.join(f'{name} {value}' for name, value in case[at + 1].items())}"


def test_every_constraint_of_the_product_is_tried_here() -> None:
    names = {
        constraint.name
        for model in apps.get_app_config("tracker").get_models()
        for constraint in model._meta.constraints
    }
    assert names == {case[0] for case in BROKEN}


@pytest.mark.parametrize("case", BROKEN, ids=ids)
def test_the_database_refuses_what_breaks_a_rule(
    rows: dict[str, Model], case: tuple[Any, ...]
) -> None:
    name, model, facts, _words, _field = case
    row = new(rows, model, facts)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        row.save()
    # SQLite names the columns of a unique constraint, not the constraint.
    assert name in str(caught.value) or str(caught.value).startswith("UNIQUE")


@pytest.mark.parametrize("case", BROKEN, ids=ids)
def test_a_constraint_speaks_in_words(rows: dict[str, Model], case: tuple[Any, ...]) -> None:
    name, model, facts, words, _field = case
    with override("en"), pytest.raises(ValidationError, match=words) as caught:
        new(rows, model, facts).validate_constraints()
    assert name not in str(caught.value)


@pytest.mark.parametrize("case", [case for case in BROKEN if case[-1]], ids=ids)
def test_a_broken_rule_is_said_beside_the_field(
    rows: dict[str, Model], case: tuple[Any, ...]
) -> None:
    _name, model, facts, _words, field = case
    with pytest.raises(ValidationError) as caught:
        new(rows, model, facts).full_clean()
    assert list(caught.value.message_dict) == [field]


@pytest.mark.parametrize("case", [case for case in BROKEN if not case[-1]], ids=ids)
def test_what_is_beyond_doubt_is_brought_in_line(
    rows: dict[str, Model], case: tuple[Any, ...]
) -> None:
    row = new(rows, *case[1:3])
    row.full_clean()
    row.save()
    assert row.pk


@pytest.mark.parametrize("case", KEPT, ids=ids)
def test_what_keeps_the_rules_is_taken(rows: dict[str, Model], case: tuple[Any, ...]) -> None:
    row = new(rows, *case)
    row.full_clean()
    row.save()
    assert row.pk


@pytest.mark.parametrize(
    ("model", "facts"),
    [("policy", {"slug": "rise"}), ("user", {"username": "liaison"})],
)
def test_an_address_or_a_login_is_taken_once(
    rows: dict[str, Model], liaison: User, model: str, facts: dict[str, str]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        new(rows, model, facts).save()
    with override("en"), pytest.raises(ValidationError, match="already exists"):
        new(rows, model, facts).full_clean()


@pytest.mark.parametrize("facts", [{"name": "Bureau of Science"}, {"short_name": "Science"}])
def test_a_name_of_a_unit_is_taken_once(bureau: Organization, facts: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.create(**{"name": "New bureau", "short_name": "New"} | facts)


@pytest.mark.parametrize("code", ["1-01", "-A", "A_1", "A 1", "A1\n2", "任务", "A1+2", "=A1", ""])
def test_a_code_that_a_spreadsheet_would_misread_is_refused(
    rows: dict[str, Model], code: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        new(rows, "task", {"code": code}).full_clean()
    assert "code" in caught.value.message_dict


@pytest.mark.parametrize("code", ["A", "A1-02", "B1.2", "x" * 20])
def test_a_code_of_letters_digits_dot_and_dash_is_taken(rows: dict[str, Model], code: str) -> None:
    new(rows, "task", {"code": code}).full_clean()


@pytest.mark.parametrize("day", [dt.date(1899, 12, 31), dt.date(3000, 1, 1)])
def test_a_year_that_no_calendar_of_ours_has_is_refused(
    rows: dict[str, Model], day: dt.date
) -> None:
    with pytest.raises(ValidationError) as caught:
        new(rows, "task", {"start": day}).full_clean()
    assert "start" in caught.value.message_dict


@pytest.mark.parametrize(
    ("model", "facts", "field"),
    [
        ("task", {"measure": "foreign measure"}, "measure"),
        ("measure", {"section": "foreign section"}, "section"),
        ("count", {"section": "foreign section"}, "section"),
        ("count", {"section": None, "task": "foreign task"}, "task"),
    ],
)
def test_what_belongs_to_another_policy_is_refused(
    rows: dict[str, Model], model: str, facts: dict[str, Any], field: str
) -> None:
    other = make_policy("other")
    rows |= {
        "foreign section": other.sections.first(),
        "foreign measure": other.measures.first(),
        "foreign task": make_task(other),
    }
    with override("en"), pytest.raises(ValidationError, match="another policy") as caught:
        new(rows, model, facts).full_clean()
    assert list(caught.value.message_dict) == [field]


def test_codes_are_ordered_by_bytes(policy: PolicyDocument) -> None:
    for code in ("a1", "B1", "A1-2", "A1-10", "A1.2"):
        Task.objects.create(policy=policy, code=code, title="x", measure=policy.measures.first())
    found = Task.objects.order_by("code").values_list("code", flat=True)
    assert list(found) == ["A1-10", "A1-2", "A1.2", "B1", "a1"]
