"""The office's desk for indicators.

Defined under their task, their values on a page of their own.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.test_tasks import address, typed
from tests.conftest import TODAY
from tests.factories import make_task
from tracker import workflow
from tracker.admin.indicator import IndicatorAdmin
from tracker.domain.choices import ChangeSource, Kind
from tracker.models import Indicator, IndicatorValue, Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext

MAY_31 = dt.date(2026, 5, 31)


@pytest.fixture
def desk(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    return make_task(policy, kind=Kind.QUANTIFIED, lead_unit=bureau)


@pytest.fixture
def indicator(task: Task, act: ChangeContext) -> Indicator:
    facts = {
        "name": "Forest cover",
        "unit_of_measure": "%",
        "baseline": Decimal(60),
        "target": Decimal(70),
    }
    workflow.save_task(
        Task.objects.get(), act, items=[Indicator(**facts, drives_percent=True)], today=TODAY
    )
    return Indicator.objects.get()


@pytest.mark.parametrize("rows", [0, 5_000])
@pytest.mark.parametrize("term", ["5G", "５Ｇ 基站", "forest", "forest 基\u200b站"])
def test_an_indicator_is_found_by_its_name_and_the_folded_words_of_its_task(
    desk: Client,
    indicator: Indicator,
    act: ChangeContext,
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    term: str,
) -> None:
    task = Task.objects.get()
    task.title = "建设５Ｇ基站"
    workflow.save_task(task, act, today=TODAY)
    monkeypatch.setattr(IndicatorAdmin, "FOLDED_ROWS", rows)
    page = desk.get(reverse("admin:tracker_indicator_changelist"), {"q": term})
    assert list(page.context["cl"].result_list) == [indicator]
    other = desk.get(reverse("admin:tracker_indicator_changelist"), {"q": f"{term} 无此"})
    assert list(other.context["cl"].result_list) == []


def define(client: Client, task: Task, **facts: Any) -> Any:
    """Add an indicator under its task."""
    new = {
        "indicators-TOTAL_FORMS": "1", "indicators-0-order": "1", "indicators-0-name": "Forest cover",
        "indicators-0-unit_of_measure": "%", "indicators-0-direction": "up", "indicators-0-baseline": "６０",
        "indicators-0-target": "1,070.5",
    }  # fmt: skip
    return client.post(
        address(task),
        typed(client, task, **new | {f"indicators-0-{k}": v for k, v in facts.items()}),
    )


def values(client: Client, indicator: Indicator, *rows: tuple[str, str], **more: Any) -> Any:
    """Post the page of values as a browser does.

    Those that stand, changed where a row is given, and new ones.
    """
    page = client.get(reverse("admin:tracker_indicator_change", args=[indicator.pk]))
    stored = list(indicator.values.all())
    data: dict[str, Any] = {
        "seen": page.context["adminform"].form["seen"].value(), "values-TOTAL_FORMS": str(len(rows)),
        "values-INITIAL_FORMS": str(len(stored)), "reason": "",
    }  # fmt: skip
    for n, (day, value) in enumerate(rows):
        data |= {f"values-{n}-day": day, f"values-{n}-value": value, f"values-{n}-note": ""}
        data |= {
            f"values-{n}-id": stored[n].pk if n < len(stored) else "",
            f"values-{n}-indicator": indicator.pk,
        }
    return client.post(reverse("admin:tracker_indicator_change", args=[indicator.pk]), data | more)


def faults(answer: Any) -> str:
    return str(answer.context["errors"]) if answer.context else ""


def test_an_indicator_is_defined_under_its_task(desk: Client, task: Task) -> None:
    assert define(desk, task).status_code == 302
    found = Indicator.objects.get()
    assert (found.baseline, found.target) == (60, Decimal("1070.5"))
    assert (found.history.get().way, found.history.get().history_user.username) == (
        ChangeSource.ADMIN,
        "supervisor",
    )


@pytest.mark.parametrize("wrong", ["abc", "1e999", "1.23456"])
def test_a_target_that_is_no_number_is_said_in_words(desk: Client, task: Task, wrong: str) -> None:
    assert "1234.5" in faults(define(desk, task, target=wrong))
    assert not Indicator.objects.exists()


def test_a_driving_indicator_that_has_reached_its_target_is_refused(
    desk: Client, task: Task
) -> None:
    assert faults(define(desk, task, target="60", drives_percent="on"))
    assert not Indicator.objects.exists()


def test_an_indicator_changed_meanwhile_shows_both(
    desk: Client, indicator: Indicator, act: ChangeContext
) -> None:
    data = typed(desk, indicator.task, **{"indicators-0-target": "80"})
    changed = Indicator.objects.get()
    changed.target = Decimal(90)
    workflow.save_task(Task.objects.get(), act, items=[changed], today=TODAY)
    assert "90" in faults(desk.post(address(indicator.task), data))
    assert Indicator.objects.get().target == 90


def test_values_are_entered_and_the_percent_follows(
    desk: Client, indicator: Indicator, supervisor: User
) -> None:
    assert values(desk, indicator, ("2026-05-31", "６５．５")).status_code == 302
    value = IndicatorValue.objects.get()
    assert (value.value, value.entered_by, value.history.get().way) == (
        Decimal("65.5"),
        supervisor,
        ChangeSource.ADMIN,
    )
    assert Task.objects.get().percent == 55


def test_a_value_is_corrected_and_the_history_tells(desk: Client, indicator: Indicator) -> None:
    values(desk, indicator, ("2026-05-31", "65"))
    values(desk, indicator, ("2026-05-31", "66"))
    assert [value.value for value in IndicatorValue.history.order_by("history_id")] == [65, 66]


def test_a_lower_value_asks_for_the_reason_and_keeps_what_was_typed(
    desk: Client, indicator: Indicator
) -> None:
    values(desk, indicator, ("2026-05-31", "65"))
    answer = values(desk, indicator, ("2026-05-31", "62"))
    assert "reason" in answer.context["adminform"].form.errors
    assert 'value="62"' in answer.content.decode()
    assert values(desk, indicator, ("2026-05-31", "62"), reason="measured anew").status_code == 302
    assert Task.objects.get().percent == 20


def test_a_second_value_of_a_day_is_refused(desk: Client, indicator: Indicator) -> None:
    assert values(desk, indicator, ("2026-05-31", "65"), ("2026-05-31", "66")).status_code == 200
    assert not IndicatorValue.objects.exists()


def test_values_entered_by_two_at_once_are_not_lost(
    desk: Client, indicator: Indicator, act: ChangeContext
) -> None:
    values(desk, indicator, ("2026-05-31", "65"))
    answer = values(desk, indicator, ("2026-05-31", "67"), seen="1")
    assert answer.status_code == 200
    assert IndicatorValue.objects.get().value == 65


def test_a_value_is_removed_with_a_reason(desk: Client, indicator: Indicator) -> None:
    values(desk, indicator, ("2026-05-31", "65"))
    values(desk, indicator, ("2026-05-31", "65"), reason="a slip", **{"values-0-DELETE": "on"})
    assert not IndicatorValue.objects.exists()
    assert IndicatorValue.history.latest().history_change_reason == "a slip"


@pytest.mark.parametrize("typed", ["1e999", "x"])
def test_a_value_that_is_no_number_is_said_in_words(
    desk: Client, indicator: Indicator, typed: str
) -> None:
    assert "1234.5" in faults(values(desk, indicator, ("2026-05-31", typed)))


def test_an_administrator_reads_values_and_enters_none(
    client: Client, administrator: User, indicator: Indicator
) -> None:
    client.force_login(administrator)
    page = client.get(reverse("admin:tracker_indicator_change", args=[indicator.pk]))
    assert page.status_code == 200
    assert "values-0-value" not in page.content.decode()


def test_the_list_of_indicators_says_how_far_each_is(desk: Client, indicator: Indicator) -> None:
    values(desk, indicator, ("2026-05-31", "65"))
    page = desk.get(reverse("admin:tracker_indicator_changelist")).content.decode()
    assert "65%（2026-05-31）" in page


@pytest.mark.parametrize(("name", "limit"), [("changelist", 15), ("change", 20)])
def test_many_indicators_cost_no_query_more_than_few(
    desk: Client, indicator: Indicator, policy: PolicyDocument, name: str, limit: int
) -> None:
    counts = []
    address = reverse(
        f"admin:tracker_indicator_{name}", args=[indicator.pk] if name == "change" else []
    )
    for many in (3, 45):
        names = [f"I{many}-{n}" for n in range(many)]
        Indicator.objects.bulk_create(
            Indicator(task_id=indicator.task_id, name=each, unit_of_measure="x", target=1)
            for each in names
        )
        days = [MAY_31 - dt.timedelta(many * 50 + n) for n in range(many)]
        IndicatorValue.objects.bulk_create(
            IndicatorValue(indicator=indicator, day=day, value=1) for day in days
        )
        desk.get(address)
        with CaptureQueriesContext(connection) as queries:
            desk.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= limit
