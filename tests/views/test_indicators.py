"""Indicators on the pages.

Asked for in the report, shown beside it in the review, drawn on the task's page.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override
from openpyxl import load_workbook

from tests.conftest import TODAY
from tests.factories import make_many, make_task
from tests.views.conftest import Browser
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, ReportState
from tracker.excel.indicator_sheet import indicator_sheets
from tracker.models import (
    Indicator,
    IndicatorValue,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.workflow import ChangeContext, refresh_tasks

MAY_31 = dt.date(2026, 5, 31)
FACTS = {
    "name": "Forest cover", "unit_of_measure": "%", "baseline": Decimal(60), "baseline_on": dt.date(2025, 12, 31),
    "target": Decimal(70), "target_on": dt.date(2026, 12, 31), "drives_percent": True,
}  # fmt: skip


@pytest.fixture
def indicator(
    policy: PolicyDocument, bureau: Organization, county: Organization, act: ChangeContext
) -> Indicator:
    task = make_task(
        policy,
        kind=Kind.QUANTIFIED,
        deadline=dt.date(2026, 12, 31),
        lead_unit=bureau,
        assigned_on=dt.date(2026, 6, 1),
        owed_from=dt.date(2026, 6, 1),
    )
    task.co_units.add(county)
    task = Task.objects.get()
    workflow.save_task(task, act, items=[Indicator(**FACTS)], today=TODAY)
    found = Indicator.objects.get()
    workflow.save_values(
        found, act, None, [IndicatorValue(day=MAY_31, value=Decimal(64))], today=TODAY
    )
    return Indicator.objects.get()


@pytest.fixture
def unit(browser: Browser, liaison: User) -> Client:
    return browser(liaison)


def page(name: str = "report") -> str:
    return reverse(name, args=["rise", "A1-01"])


def write(client: Client, typed: str, button: str = "submit", **said: Any) -> Any:
    report = ProgressUpdate.objects.exclude(state=ReportState.ACCEPTED).first()
    name = f"indicator_{Indicator.objects.get().pk}"
    whole = {
        "seen": report.version if report else "",
        "progress": "planted",
        name: typed,
        button: "1",
    }
    return client.post(page(), whole | said)


def errors(answer: Any) -> dict[str, list[str]]:
    return answer.context["form"].errors


def kept() -> list[tuple[str, str]]:
    return [(figure["name"], figure["value"]) for figure in ProgressUpdate.objects.get().figures]


def test_the_report_asks_for_the_value_and_for_no_percent(
    unit: Client, indicator: Indicator
) -> None:
    form = unit.get(page()).context["form"]
    field = form.fields[f"indicator_{indicator.pk}"]
    assert (field.label, "percent" in form.fields) == ("Forest cover (%)", False)
    assert "calculated from this indicator" in field.help_text


@pytest.mark.parametrize("typed", ["65.5", "６５．５", " 65.50 ", "65.5%", "６５．５％"])
def test_a_draft_keeps_the_value_as_a_number(
    unit: Client, indicator: Indicator, typed: str
) -> None:
    write(unit, typed, "save")
    assert kept() == [("Forest cover", "65.5")]
    assert unit.get(page()).context["form"][f"indicator_{indicator.pk}"].value() == "65.5"


def test_groups_of_digits_are_read(unit: Client, indicator: Indicator) -> None:
    write(unit, "1,234.5", "save")
    assert kept() == [("Forest cover", "1234.5")]


@pytest.mark.parametrize(
    "typed", ["abc", "1e999", "NaN", "65.12345", "123456789012", "<b>", "1\x00"]
)
def test_what_is_no_number_is_said_beside_its_field_and_kept_there(
    unit: Client, indicator: Indicator, typed: str
) -> None:
    answer = write(unit, typed)
    name = f"indicator_{indicator.pk}"
    assert list(errors(answer)) == [name]
    assert "1234.5" in errors(answer)[name][0]
    assert answer.context["form"][name].value() == typed
    assert not ProgressUpdate.objects.exists()


def test_a_value_is_not_owed_every_period(unit: Client, indicator: Indicator) -> None:
    write(unit, "")
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED
    assert kept() == []


def test_a_lower_value_asks_for_the_reason_beside_its_field(
    unit: Client, indicator: Indicator
) -> None:
    assert list(errors(write(unit, "61"))) == ["fall_reason"]
    write(unit, "61", fall_reason="a fire")
    assert ProgressUpdate.objects.get().state == ReportState.SUBMITTED


def test_two_windows_show_both_values(unit: Client, indicator: Indicator) -> None:
    write(unit, "65", "save")
    answer = write(unit, "66", "save", seen="")
    assert "65" in errors(answer)[f"indicator_{indicator.pk}"][0]
    assert kept() == [("Forest cover", "65")]


def test_a_percent_of_before_the_indicator_is_forgotten(unit: Client, indicator: Indicator) -> None:
    write(unit, "65", "save")
    ProgressUpdate.objects.update(percent=30)
    write(unit, "65")
    assert ProgressUpdate.objects.get().percent is None


def test_a_co_operating_unit_enters_no_value(
    browser: Browser, county: Organization, indicator: Indicator
) -> None:
    helper = browser(User.objects.create_user("helper", is_liaison=True, organization=county))
    assert f"indicator_{indicator.pk}" not in helper.get(page()).context["form"].fields
    write(helper, "65")
    assert kept() == []


def test_for_another_unit_the_task_and_its_indicators_do_not_exist(
    browser: Browser, indicator: Indicator
) -> None:
    west = Organization.objects.create(name="Office of the West", short_name="West")
    other = browser(User.objects.create_user("other", is_liaison=True, organization=west))
    assert [other.get(page(name)).status_code for name in ("task", "report")] == [404, 404]


def test_the_review_shows_target_last_value_reported_value_and_gap(
    unit: Client, indicator: Indicator, supervisor: User, browser: Browser
) -> None:
    write(unit, "68.8")
    shown = (
        browser(supervisor)
        .get(reverse("review", args=[ProgressUpdate.objects.get().pk]))
        .content.decode()
    )
    for words in (
        "≥ 70% by 2026-12-31",
        "64% on 2026-05-31",
        "68.8% on 2026-06-30",
        "1.2 percentage points to go",
    ):
        assert words in shown


def test_an_accepted_report_moves_value_and_percent(
    unit: Client, indicator: Indicator, supervisor: User, browser: Browser
) -> None:
    write(unit, "68.8")
    report = ProgressUpdate.objects.get()
    browser(supervisor).post(
        reverse("review", args=[report.pk]), {"accept": "1", "seen": report.version}
    )
    assert (Indicator.objects.get().actual, Task.objects.get().percent) == (Decimal("68.8"), 88)


def test_a_fall_that_nobody_explained_is_said_in_the_review(
    unit: Client, indicator: Indicator, supervisor: User, browser: Browser, act: ChangeContext
) -> None:
    write(unit, "65")
    report = ProgressUpdate.objects.get()
    workflow.save_values(
        indicator, act, None, [IndicatorValue(day=TODAY, value=Decimal(69))], today=TODAY
    )
    answer = browser(supervisor).post(
        reverse("review", args=[report.pk]), {"accept": "1", "seen": report.version}
    )
    assert "falls from 90% to 50%" in answer.content.decode()


def test_the_page_of_a_task_shows_target_value_gap_line_and_table(
    unit: Client, indicator: Indicator
) -> None:
    shown = unit.get(page("task")).content.decode()
    for words in (
        "≥ 70% by 2026-12-31",
        "64% on 2026-05-31",
        "6 percentage points to go",
        'class="trend"',
        "<desc>",
    ):
        assert words in shown
    assert "style=" not in shown


def test_the_line_begins_at_the_baseline_and_stays_within_its_frame(
    unit: Client, indicator: Indicator
) -> None:
    ((_indicator, trend),) = unit.get(page("task")).context["indicators"]
    assert [(point.day, point.value) for point in trend.points] == [
        (FACTS["baseline_on"], 60),
        (MAY_31, 64),
    ]
    assert all(0 <= float(point.x[:-1]) <= 100 and 0 <= point.y <= 56 for point in trend.points)
    assert trend.points[0].y > trend.points[1].y > trend.target


def test_the_words_of_an_indicator_are_escaped(unit: Client, indicator: Indicator) -> None:
    Indicator.objects.update(name="<script>alert(1)</script>", unit_of_measure='"><b>')
    write(unit, "66")
    for name in ("task", "report"):
        assert "<script>alert" not in unit.get(page(name)).content.decode()


def test_a_task_without_indicators_says_nothing_of_them(
    unit: Client, indicator: Indicator, act: ChangeContext
) -> None:
    workflow.save_task(Task.objects.get(), act, removed=list(Indicator.objects.all()), today=TODAY)
    assert 'id="indicators"' not in unit.get(page("task")).content.decode()


def test_what_the_ledger_says_is_what_the_page_says(unit: Client, indicator: Indicator) -> None:
    shown = unit.get(page("task"))
    with override("en"):
        (extra,) = indicator_sheets(Task.objects.all())
        (row,) = extra.rows
        said = {name: column.value(row, TODAY) for name, column in extra.columns.items()}
    assert said == {
        "code": "A1-01", "task_title": "Task A1-01", "lead_unit": "Science", "name": "Forest cover",
        "unit_of_measure": "%", "baseline": 60.0, "direction": "no less than", "target": 70.0,
        "target_on": FACTS["target_on"], "actual": 64.0, "actual_on": MAY_31, "gap": 6.0,
        "gap_text": "6 percentage points to go", "achieved": 0.4,
    }  # fmt: skip
    ((found, _trend),) = shown.context["indicators"]
    assert (found.actual, found.actual_on) == (said["actual"], said["actual_on"])
    assert shown.context["task"].percent == said["achieved"] * 100
    assert str(said["gap_text"]) in shown.content.decode()


def test_the_ledger_has_a_sheet_of_real_numbers(
    unit: Client, indicator: Indicator, tmp_path: Any
) -> None:
    file = tmp_path / "ledger.xlsx"
    file.write_bytes(unit.get(reverse("ledger", args=["rise"])).getvalue())
    header, row = load_workbook(file)["Indicators"].iter_rows(values_only=True)
    found = dict(zip(header, row, strict=True))
    assert (found["target"], found["actual value"], found["gap"], found["way done"]) == (
        70,
        64,
        6,
        0.4,
    )
    assert found["to be reached by"] == dt.datetime(2026, 12, 31)


def test_a_list_without_indicators_has_no_such_sheet(
    office: Client, indicator: Indicator, tmp_path: Any
) -> None:
    file = tmp_path / "ledger.xlsx"
    file.write_bytes(office.get(reverse("ledger", args=["rise"]) + "?measure=B1").getvalue())
    assert "Indicators" not in load_workbook(file).sheetnames


def test_the_sheet_of_a_unit_holds_its_own_tasks_alone(
    browser: Browser, indicator: Indicator, policy: PolicyDocument, county: Organization
) -> None:
    other = make_task(policy, "B1-01", lead_unit=county)
    Indicator.objects.create(task=other, **{**FACTS, "name": "CANARY"})
    mine = Task.objects.visible_to(
        User.objects.create_user("x", is_liaison=True, organization=county)
    )
    assert [[row.name for row in extra.rows] for extra in indicator_sheets(mine)] == [
        ["Forest cover"]
    ]


@pytest.mark.parametrize(
    ("name", "limit"), [("task", 20), ("report", 20), ("review", 20), ("ledger", 27)]
)
def test_many_indicators_and_tasks_cost_no_query_more_than_few(
    office: Client, indicator: Indicator, policy: PolicyDocument, name: str, limit: int
) -> None:
    counts = []
    Task.objects.update(status="in_progress")
    report = ProgressUpdate.objects.create(
        task_id=indicator.task_id, unit=policy.tasks.get().lead_unit, period_start=TODAY, period_end=TODAY,
        state="submitted", submitted_on=TODAY, figures=[indicator.figure(Decimal(65))],
    )  # fmt: skip
    address = (
        reverse("review", args=[report.pk])
        if name == "review"
        else reverse("ledger", args=["rise"])
    )
    for many in (3, 300):
        make_many(policy, many)
        found = list(policy.tasks.all())
        facts = {**FACTS, "drives_percent": False}
        rows = [
            Indicator(task=task, **{**facts, "name": f"I{many}-{n}"})
            for task in found
            for n in range(2)
        ]
        Indicator.objects.bulk_create(rows)
        values = [
            IndicatorValue(indicator=row, day=MAY_31 + dt.timedelta(n), value=n)
            for row in rows
            for n in range(1, 4)
        ]
        IndicatorValue.objects.bulk_create(values)
        refresh_tasks([policy.pk])
        office.get(address).getvalue()
        with CaptureQueriesContext(connection) as queries:
            office.get(page(name) if name in ("task", "report") else address).getvalue()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= limit


def test_the_office_reports_for_a_unit(office: Client, indicator: Indicator) -> None:
    write(office, "66")
    assert kept() == [("Forest cover", "66")]
    assert ProgressUpdate.history.get().way == ChangeSource.PAGE
