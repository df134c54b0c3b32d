"""A liaison's round trip in a real Chromium: download, fill in, upload, look, confirm.

The office accepts.

Once for 20 tasks that the unit leads, once for the contributions of a unit that only co-operates.
"""

import os
from pathlib import Path

import pytest
from django.urls import reverse
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PASSWORD, log_in
from tests.factories import make_policy
from tracker.domain.choices import Kind, ReportState, Status
from tracker.domain.dates import DAY, today
from tracker.models import Organization, ProgressUpdate, Task, User
from tracker.workflow import refresh_tasks

pytestmark = pytest.mark.browser
FILLED = 20


def set_up() -> None:
    """Hand 20 quantified tasks over to a unit with a liaison."""
    policy = make_policy("rise", title="中部崛起")
    unit = Organization.objects.create(name="市科学技术局", short_name="市科技局", order=1)
    User.objects.create_user("liaison", password=PASSWORD, is_liaison=True, organization=unit)
    User.objects.create_user("office", password=PASSWORD, is_supervisor=True)
    day, late = today() - 100 * DAY, today() + 300 * DAY
    Task.objects.bulk_create(
        Task(
            policy=policy, measure=policy.measures.get(code="A1"), code=f"A1-{n:02}", title=f"任务 {n}",
            kind=Kind.QUANTIFIED, status=Status.IN_PROGRESS, lead_unit=unit, start=day, deadline=late,
            original_deadline=late, assigned_on=day, owed_from=day,
        )
        for n in range(FILLED)
    )  # fmt: skip
    refresh_tasks([policy.pk])
    helper = Organization.objects.create(name="市交通运输局", short_name="市交通局", order=2)
    User.objects.create_user("helper", password=PASSWORD, is_liaison=True, organization=helper)
    for task in policy.tasks.all():
        task.co_units.add(helper)


def there_and_back(page: Page, base: str, file: Path, **filled: object) -> None:
    """Fetch the unit's workbook, fill columns of every row in, and send it in as far as the
    preview.
    """
    page.goto(base + reverse("my"))
    with page.expect_download() as download:
        page.click(f"a[href='{reverse('my_fill_in')}']")
    download.value.save_as(file)
    book = load_workbook(file)
    sheet = book.worksheets[0]
    header = next(
        row[0].row for row in sheet.iter_rows() if any(cell.value == "任务编号" for cell in row)
    )
    places = {cell.value: cell.column for cell in sheet[header]}
    for row in range(header + 1, header + 1 + FILLED):
        for name, value in filled.items():
            sheet.cell(row, places[name]).value = (
                f"{value} {row}" if isinstance(value, str) else value
            )
    book.save(file)
    page.goto(base + reverse("imports"))
    page.set_input_files("input[type=file]", file)
    page.click("main form button.strong")


def test_a_workbook_goes_out_comes_home_and_changes_the_overview(
    transactional_db: None, live_server: LiveServer, browser: Browser, tmp_path: Path
) -> None:
    set_up()
    page = browser.new_context(accept_downloads=True, locale="zh-CN").new_page()
    log_in(page, live_server.url, "liaison")
    there_and_back(page, live_server.url, tmp_path / "fill.xlsx", 完成率=0.9, 落实情况="已落实")
    assert page.content().count("已落实 ") == FILLED
    if folder := os.environ.get("PICTURES"):
        for width, height in ((1366, 768), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=f"{folder}/preview-{width}.png")
    assert not ProgressUpdate.objects.exists()
    page.click("main form button.strong")
    assert ProgressUpdate.objects.filter(state=ReportState.SUBMITTED).count() == FILLED

    office = browser.new_context(locale="zh-CN").new_page()
    log_in(office, live_server.url, "office")
    overview = live_server.url + reverse("policy", args=["rise"])
    office.goto(overview)
    before = office.inner_text("main")
    office.goto(live_server.url + reverse("queue"))
    office.click("main form button[name=all]")
    office.click("main button[name=confirm]")
    assert ProgressUpdate.objects.filter(state=ReportState.ACCEPTED).count() == FILLED
    office.goto(overview)
    assert office.inner_text("main") != before


def test_a_co_operating_unit_files_its_contributions_by_its_own_workbook(
    transactional_db: None, live_server: LiveServer, browser: Browser, tmp_path: Path
) -> None:
    set_up()
    page = browser.new_context(accept_downloads=True, locale="zh-CN").new_page()
    log_in(page, live_server.url, "helper")
    there_and_back(page, live_server.url, tmp_path / "help.xlsx", 落实情况="已配合")
    assert "市交通局" in page.inner_text("main")
    page.click("main form button.strong")
    given = ProgressUpdate.objects.filter(
        contribution=True, state=ReportState.SUBMITTED, unit__short_name="市交通局"
    )
    assert given.count() == FILLED

    lead = browser.new_context(locale="zh-CN").new_page()
    log_in(lead, live_server.url, "liaison")
    lead.goto(live_server.url + reverse("report", args=["rise", "A1-00"]))
    assert "已配合" in lead.inner_text("main")
