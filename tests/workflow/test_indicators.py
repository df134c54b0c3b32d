"""Indicators: the percent by hand, values by report and by the office, and what the percent makes
of them.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils.translation import override

from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.domain import lights, parsing
from tracker.domain.choices import ChangeSource, Cycle, Direction, Kind, ReportState
from tracker.domain.dates import DAY, Period, period_of
from tracker.models import (
    ChecklistItem,
    Indicator,
    IndicatorValue,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.reports import history, task_texts
from tracker.workflow import ChangeContext, StaleVersion

JUNE = period_of(Cycle.MONTHLY, TODAY)
MAY = period_of(Cycle.MONTHLY, dt.date(2026, 5, 1))


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with override("en"):
        yield


@dataclass
class Figure:
    """An indicator as the rules read it."""

    direction: str
    baseline: Decimal | None
    target: Decimal
    actual: Decimal | None


def figure(direction: str, *amounts: str | None) -> Figure:
    return Figure(direction, *(None if each is None else Decimal(each) for each in amounts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("direction", "baseline", "target", "actual", "percent", "gap"),
    [
        ("up", "60", "70", "60", 0, "10"),
        ("up", "60", "70", "65", 50, "5"),
        ("up", "60", "70", "70", 100, "0"),
        ("up", "60", "70", "85", 100, "0"),  # beyond the target
        ("up", "60", "70", "55", 0, "15"),  # behind the baseline
        ("up", "0", "3", "1", 33, "2"),  # a third is rounded down
        ("up", "0", "3", "2", 66, "1"),
        ("up", "0", "1000", "999.9999", 99, "0.0001"),  # nothing but the whole is 100
        ("up", "-5", "5", "0", 50, "5"),
        ("up", "0", "0.3", "0.1", 33, "0.2"),  # no binary fractions
        ("up", "0", "99999999999", "99999999998.9999", 99, "0.0001"),
        ("down", "50", "40", "50", 0, "10"),
        ("down", "50", "40", "47.5", 25, "7.5"),
        ("down", "50", "40", "40", 100, "0"),
        ("down", "50", "40", "12", 100, "0"),
        ("down", "50", "40", "63", 0, "23"),
        ("up", "70", "70", "70", None, "0"),  # no way from the baseline to the target
        ("up", "80", "70", "75", None, "0"),
        ("down", "40", "40", "45", None, "5"),
        ("down", "30", "40", "35", None, "0"),
        ("up", None, "70", "65", None, "5"),
        ("up", "60", "70", None, None, None),
    ],
)
def test_percent_and_gap_are_those_worked_out_by_hand(
    direction: str,
    baseline: str | None,
    target: str,
    actual: str | None,
    percent: int | None,
    gap: str | None,
) -> None:
    found = figure(direction, baseline, target, actual)
    assert lights.achieved_percent(found) == percent
    assert lights.missing_facts(found) == (None if gap is None else Decimal(gap))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("12.5", "12.5"),
        ("１２．５", "12.5"),
        ("1,234.5", "1234.5"),
        ("１，２３４，５６７", "1234567"),
        (" 7 ", "7"),
        ("-3", "-3"),
        ("－3.25", "-3.25"),
        ("66.0000000", "66"),
        ("0", "0"),
        ("66％", "66"),
        ("99999999999.9999", "99999999999.9999"),
    ],
)
def test_an_amount_is_read_as_people_write_it(typed: str, read: str) -> None:
    assert parsing.parse_amount(typed, "%") == Decimal(read)


@pytest.mark.parametrize(
    "typed",
    ["abc", "1e999", "1e3", "NaN", "Infinity", "12,34", "1,2345", "1.23456", "100000000000", "½", "十二", "1 2", "--1",
     "1.", ".5", "0x1", "", "9" * 5000, "1." + "0" * 5000, "٣", "12个"],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_what_is_allowed(typed: str) -> None:
    with pytest.raises(ValueError, match=r"1234\.5.*11.*4"):
        parsing.parse_amount(typed, "%")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("12.5000", "12.5"),
        ("100", "100"),
        ("0.0000", "0"),
        ("-0.5", "-0.5"),
        ("99999999999.0000", "99999999999"),
    ],
)
def test_an_amount_is_written_without_empty_places(amount: str, shown: str) -> None:
    assert parsing.format_decimal(Decimal(amount)) == shown


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization, county: Organization) -> Task:
    task = make_task(
        policy,
        kind=Kind.QUANTIFIED,
        deadline=dt.date(2026, 12, 31),
        lead_unit=bureau,
        assigned_on=dt.date(2026, 5, 1),
        owed_from=dt.date(2026, 5, 1),
    )
    task.co_units.add(county)
    return task


@pytest.fixture
def office(supervisor: User) -> ChangeContext:
    """Act as the office without a reason."""
    return ChangeContext(supervisor, ChangeSource.ADMIN)


def define(task: Task, act: ChangeContext, **facts: Any) -> Indicator:
    """Let the office give a task an indicator."""
    facts = {
        "name": "Forest cover", "unit_of_measure": "%", "baseline": Decimal(60), "target": Decimal(70),
        "target_on": dt.date(2026, 12, 31), "drives_percent": True,
    } | facts  # fmt: skip
    stored = Task.objects.get(pk=task.pk)
    indicator = Indicator(**facts)
    workflow.save_task(stored, act, items=[indicator], today=TODAY)
    return Indicator.objects.get(pk=indicator.pk)


def enter(
    indicator: Indicator, act: ChangeContext, amount: str, day: dt.date = MAY.end, **facts: Any
) -> IndicatorValue:
    """Let the office enter or correct the value of a day."""
    value = indicator.values.filter(day=day).first() or IndicatorValue(day=day)
    value.value = Decimal(amount)
    for name, fact in facts.items():
        setattr(value, name, fact)
    workflow.save_values(Indicator.objects.get(pk=indicator.pk), act, None, [value], today=TODAY)
    return value


def percent() -> int:
    return Task.objects.get().percent


def said(indicator: Indicator, amount: str) -> list[dict[str, Any]]:
    return [
        {
            "indicator": indicator.pk,
            "name": indicator.name,
            "unit": indicator.unit_of_measure,
            "value": amount,
        }
    ]


def hand_in(
    indicator: Indicator, act: ChangeContext, amount: str, period: Period = JUNE, **more: Any
) -> ProgressUpdate:
    task = Task.objects.get()
    report = workflow.open_report(task, task.lead_unit, period)  # type: ignore[arg-type]
    for name, value in {"progress": "planted", "figures": said(indicator, amount), **more}.items():
        setattr(report, name, value)
    workflow.save_draft(report, act, today=TODAY)
    workflow.submit(report, act, TODAY)
    return ProgressUpdate.objects.get(pk=report.pk)


def accept(report: ProgressUpdate, act: ChangeContext) -> None:
    workflow.accept(report, act, report.version, TODAY)


def test_the_percent_follows_where_the_office_says_so(task: Task, office: ChangeContext) -> None:
    enter(define(task, office), office, "65")
    assert (percent(), Task.objects.get().follows_indicator) == (50, True)


def test_the_percent_follows_nothing_unless_it_is_said(task: Task, office: ChangeContext) -> None:
    enter(define(task, office, drives_percent=False), office, "65")
    assert (percent(), Task.objects.get().follows_indicator) == (0, False)


def test_the_latest_value_counts_whenever_it_was_entered(task: Task, office: ChangeContext) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65", MAY.end)
    enter(indicator, office, "62", MAY.start)
    assert percent() == 50


def test_a_checklist_goes_before_an_indicator(task: Task, office: ChangeContext) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65")
    step = ChecklistItem(number=1, title="Plant", done_on=TODAY)
    workflow.save_task(Task.objects.get(), office, items=[step], today=TODAY)
    assert (percent(), Task.objects.get().follows_indicator) == (100, False)


@pytest.mark.parametrize("kind", [Kind.QUALITATIVE, Kind.STANDING])
def test_a_task_without_a_percent_gets_none_from_an_indicator(
    policy: PolicyDocument, bureau: Organization, office: ChangeContext, kind: Kind
) -> None:
    enter(define(make_task(policy, kind=kind, lead_unit=bureau), office), office, "65")
    assert (percent(), Task.objects.get().follows_indicator) == (0, False)


def test_turning_dates_follow_the_percent_of_an_indicator(
    policy: PolicyDocument, bureau: Organization, office: ChangeContext
) -> None:
    task = make_task(
        policy,
        kind=Kind.QUANTIFIED,
        start=TODAY - 10 * DAY,
        deadline=TODAY + 90 * DAY,
        lead_unit=bureau,
    )
    before = task.turns_yellow_on
    enter(define(task, office), office, "65")
    assert Task.objects.get().turns_yellow_on > before  # type: ignore[operator]


def test_another_target_moves_the_percent(
    task: Task, office: ChangeContext, act: ChangeContext
) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65")
    changed = Indicator.objects.get()
    changed.target = Decimal(80)
    workflow.save_task(Task.objects.get(), act, items=[changed], today=TODAY)
    assert percent() == 25


@pytest.mark.parametrize(
    "wrong",
    [
        {"baseline": Decimal(70)},  # equal: no way to go
        {"baseline": Decimal(80)},
        {"baseline": None},
        {"direction": Direction.DOWN},
    ],
)
def test_a_driving_indicator_without_a_way_to_go_is_refused_in_words(
    task: Task, office: ChangeContext, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match="does not reach the target yet"):
        define(task, office, **wrong)


def test_an_indicator_that_is_only_shown_needs_no_baseline(
    task: Task, office: ChangeContext
) -> None:
    indicator = define(task, office, baseline=None, drives_percent=False)
    enter(indicator, office, "65")
    found = Indicator.objects.get()
    assert (task_texts.gap_text(found), lights.achieved_percent(found)) == (
        "5 percentage points to go",
        None,
    )


def test_the_percent_follows_one_indicator_at_most(task: Task, office: ChangeContext) -> None:
    define(task, office)
    with pytest.raises(ValidationError, match="another indicator"):
        define(task, office, name="Lakes")


def test_the_database_itself_keeps_one_driving_indicator(task: Task, office: ChangeContext) -> None:
    define(task, office)
    lakes = define(task, office, name="Lakes", drives_percent=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Indicator.objects.filter(pk=lakes.pk).update(drives_percent=True)


def test_an_indicator_has_one_value_a_day(task: Task, office: ChangeContext) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65")
    twin = IndicatorValue(day=MAY.end, value=Decimal(66))
    with pytest.raises(ValidationError, match="value of this day"):
        workflow.save_values(Indicator.objects.get(), office, None, [twin], today=TODAY)


@pytest.mark.parametrize("who", ["liaison", "leader", "administrator"])
def test_only_the_office_enters_values_directly(
    task: Task, office: ChangeContext, who: str, request: pytest.FixtureRequest
) -> None:
    indicator = define(task, office)
    with pytest.raises(PermissionDenied):
        enter(indicator, ChangeContext(request.getfixturevalue(who), ChangeSource.PAGE), "65")


def test_a_newer_version_of_the_values_is_not_written_over(
    task: Task, office: ChangeContext
) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65")
    with pytest.raises(StaleVersion):
        workflow.save_values(indicator, office, indicator.version, [], today=TODAY)


def test_a_falling_percent_asks_the_office_for_a_reason(task: Task, office: ChangeContext) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65")
    with pytest.raises(ValidationError, match="falls from 50% to 20%"):
        enter(indicator, office, "62")
    assert (percent(), IndicatorValue.objects.get().value) == (50, 65)


def test_a_falling_percent_with_a_reason_is_kept_with_it(
    task: Task, office: ChangeContext, act: ChangeContext
) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65")
    enter(indicator, act, "62")
    assert percent() == 20
    assert Task.history.latest().history_change_reason == "because"


def test_removing_the_value_that_the_percent_stands_on_asks_for_a_reason(
    task: Task, office: ChangeContext, act: ChangeContext
) -> None:
    enter(define(task, office), office, "65")
    with pytest.raises(ValidationError, match="falls from 50% to 0%"):
        workflow.save_values(
            Indicator.objects.get(), office, None, [], IndicatorValue.objects.all(), today=TODAY
        )
    workflow.save_values(
        Indicator.objects.get(), act, None, [], IndicatorValue.objects.all(), today=TODAY
    )
    assert percent() == 0


def test_the_unit_states_no_percent_that_follows_an_indicator(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    indicator = define(task, office)
    assert not workflow.has_own_percent(Task.objects.get())
    with pytest.raises(ValidationError) as caught:
        hand_in(indicator, unit_act, "65", percent=50)
    assert set(caught.value.message_dict) == {"percent"}


def test_a_report_that_waits_moves_no_value(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    hand_in(define(task, office), unit_act, "65")
    assert (percent(), IndicatorValue.objects.count()) == (0, 0)


def test_an_accepted_report_lands_as_a_value_of_the_last_day_of_its_period(
    task: Task, office: ChangeContext, unit_act: ChangeContext, liaison: User
) -> None:
    report = hand_in(define(task, office), unit_act, "65.5")
    accept(report, office)
    value = IndicatorValue.objects.get()
    assert (value.value, value.day, value.report, value.entered_by) == (
        Decimal("65.5"),
        JUNE.end,
        report,
        liaison,
    )
    assert percent() == 55


def test_a_returned_report_moves_no_value(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    report = hand_in(define(task, office), unit_act, "65")
    workflow.send_back(report, office, report.version, "too few", TODAY)
    assert not IndicatorValue.objects.exists()


def test_a_second_accepted_report_of_a_period_corrects_the_value(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    indicator = define(task, office)
    accept(hand_in(indicator, unit_act, "65"), office)
    accept(hand_in(indicator, unit_act, "66"), office)
    assert [value.value for value in IndicatorValue.objects.all()] == [66]
    assert IndicatorValue.history.count() == 2


def test_a_value_that_lowers_the_percent_is_handed_in_with_a_reason_only(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    indicator = define(task, office)
    accept(hand_in(indicator, unit_act, "65", MAY), office)
    with pytest.raises(ValidationError) as caught:
        hand_in(indicator, unit_act, "62")
    assert set(caught.value.message_dict) == {"fall_reason"}


def test_the_reason_of_the_unit_is_that_of_the_fall(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    indicator = define(task, office)
    accept(hand_in(indicator, unit_act, "65", MAY), office)
    report = hand_in(indicator, unit_act, "62", fall_reason="a fire")
    accept(report, office)
    assert percent() == 20
    assert Task.history.latest().history_change_reason == "a fire"


def test_a_value_of_an_earlier_period_lowers_nothing(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    indicator = define(task, office)
    enter(indicator, office, "65", JUNE.end)
    accept(hand_in(indicator, unit_act, "62", MAY), office)
    assert percent() == 50


def test_a_report_whose_percent_has_risen_meanwhile_is_not_accepted_unseen(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    indicator = define(task, office)
    report = hand_in(indicator, unit_act, "62")
    enter(indicator, office, "68", JUNE.start)
    with pytest.raises(ValidationError, match="falls from 80% to 20%"):
        accept(report, office)
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED


def test_what_a_report_says_of_an_indicator_that_is_gone_stays_in_the_report(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    report = hand_in(define(task, office), unit_act, "65")
    workflow.save_task(Task.objects.get(), office, removed=[Indicator.objects.get()], today=TODAY)
    accept(report, office)
    report.refresh_from_db()
    assert [each["name"] for each in report.figures] == ["Forest cover"]


def test_no_change_is_reported_without_a_percent(
    task: Task, office: ChangeContext, unit_act: ChangeContext, bureau: Organization
) -> None:
    accept(hand_in(define(task, office), unit_act, "65", MAY), office)
    report = workflow.open_report(Task.objects.get(), bureau, period_of("monthly", TODAY))
    workflow.submit_unchanged(report, unit_act, TODAY)
    assert (report.percent, report.figures) == (None, [])
    assert percent() == 50


def told(task: Task) -> list[tuple[str, str, str, list[tuple[str, str, str]]]]:
    """Tell what the history says of indicators and their values, the latest first."""
    return [
        (
            event.what,
            event.subject,
            event.way,
            [(c.field, c.before, c.after) for c in event.changes],
        )
        for event in history.history_events(task)
        if "indicator" in event.subject
    ]


def test_history_tells_the_definition_of_an_indicator_and_its_changes(
    task: Task, act: ChangeContext
) -> None:
    define(task, act)
    changed = Indicator.objects.get()
    changed.target = Decimal("75.5")
    workflow.save_task(Task.objects.get(), act, items=[changed], today=TODAY)
    first, second = told(task)
    assert first == ("changed", "indicator Forest cover", "page", [("target", "70", "75.5")])
    assert ("baseline", "", "60") in second[3]


def test_history_tells_values_entered_and_corrected_by_the_office(
    task: Task, act: ChangeContext
) -> None:
    indicator = define(task, act)
    enter(indicator, act, "65")
    enter(indicator, act, "65.4", note="a slip")
    whats = [
        (what, subject, changes)
        for what, subject, _way, changes in told(task)
        if "value" in subject
    ]
    assert whats[0] == (
        "changed",
        "value of an indicator Forest cover 2026-05-31",
        [("indicator value", "65", "65.4"), ("remark", "", "a slip")],
    )
    assert whats[1][0] == "added"


def test_history_tells_what_was_removed_even_of_an_indicator_that_is_gone(
    task: Task, act: ChangeContext
) -> None:
    value = enter(define(task, act), act, "65")
    workflow.save_values(Indicator.objects.get(), act, None, [], [value], today=TODAY)
    workflow.save_task(Task.objects.get(), act, removed=[Indicator.objects.get()], today=TODAY)
    assert {(what, subject.split()[0]) for what, subject, _way, _changes in told(task)} == {
        (what, part) for what in ("added", "deleted") for part in ("indicator", "value")
    }


def test_history_tells_what_a_report_said(
    task: Task, office: ChangeContext, unit_act: ChangeContext
) -> None:
    hand_in(define(task, office), unit_act, "65")
    events = [event for event in history.history_events(task) if "report" in event.subject]
    assert ("indicators", "", "Forest cover 65 %") in [
        (c.field, c.before, c.after) for c in events[0].changes
    ]


def test_history_of_an_accepted_value_names_who_accepted_it(
    task: Task, office: ChangeContext, unit_act: ChangeContext, supervisor: User
) -> None:
    accept(hand_in(define(task, office), unit_act, "65"), office)
    assert IndicatorValue.history.get().history_user == supervisor


@pytest.mark.parametrize(
    ("facts", "amount", "words"),
    [
        ({}, "68.8", "1.2 percentage points to go"),
        ({}, "70", "target reached"),
        ({"unit_of_measure": "parks"}, "68", "2 parks to go"),
        (
            {"direction": "down", "baseline": Decimal(90), "unit_of_measure": "µg"},
            "72",
            "2 µg above the target",
        ),
    ],
)
def test_the_gap_is_said_in_words(
    task: Task, office: ChangeContext, facts: dict[str, Any], amount: str, words: str
) -> None:
    enter(define(task, office, **facts), office, amount)
    assert task_texts.gap_text(Indicator.objects.get()) == words


def test_an_indicator_without_a_value_says_so(task: Task, office: ChangeContext) -> None:
    found = define(task, office)
    assert (task_texts.actual_text(found), task_texts.gap_text(found)) == ("—", "no value yet")


def test_the_target_is_said_with_its_unit_and_day(task: Task, office: ChangeContext) -> None:
    assert task_texts.target_text(define(task, office)) == "≥ 70% by 2026-12-31"


def test_fixtures_carry_indicators_and_the_percent_follows(
    task: Task, office: ChangeContext, tmp_path: Any
) -> None:
    enter(define(task, office), office, "65")
    file = tmp_path / "indicators.json"
    keys = {"use_natural_foreign_keys": True, "use_natural_primary_keys": True}
    call_command("dumpdata", "tracker.indicator", output=str(file), **keys)
    Task.objects.update(percent=3, follows_indicator=False)
    Indicator.objects.all().update(target=Decimal(80))
    call_command("loaddata", str(file), force=True, verbosity=0)
    assert (percent(), Task.objects.get().follows_indicator) == (50, True)


def test_loading_over_an_indicator_that_people_have_edited_is_refused(
    task: Task, office: ChangeContext, tmp_path: Any
) -> None:
    define(task, office)
    file = tmp_path / "indicators.yaml"
    keys = {"use_natural_foreign_keys": True, "use_natural_primary_keys": True, "format": "yaml"}
    call_command("dumpdata", "tracker.indicator", output=str(file), **keys)
    with pytest.raises(Exception, match="has been edited"):
        call_command("loaddata", str(file), verbosity=0)
