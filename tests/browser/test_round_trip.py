"""A liaison's round trip in a real Chromium: download, fill 20 tasks in, upload, look, confirm; the office accepts."""

import os
from pathlib import Path

import pytest
from django.urls import reverse
from openpyxl import load_workbook
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PASSWORD, log_in
from tests.factories import make_policy
from tracker.choices import Kind, ReportState, Status
from tracker.dates import DAY, today
from tracker.models import Organization, ProgressUpdate, Task, User
from tracker.workflow import refresh

pytestmark = pytest.mark.browser
FILLED = 20


def lay() -> None:
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
    refresh([policy.pk])


def test_a_workbook_goes_out_comes_home_and_changes_the_overview(
    transactional_db: None, live_server: LiveServer, browser: Browser, tmp_path: Path
) -> None:
    lay()
    page = browser.new_context(accept_downloads=True, locale="zh-CN").new_page()
    log_in(page, live_server.url, "liaison")
    page.goto(live_server.url + reverse("my"))
    with page.expect_download() as download:
        page.click(f"a[href='{reverse('my_fill_in')}']")
    file = tmp_path / "fill.xlsx"
    download.value.save_as(file)
    book = load_workbook(file)
    sheet = book.worksheets[0]
    places = {cell.value: cell.column for cell in sheet[4]}
    for row in range(5, 5 + FILLED):
        sheet.cell(row, places["完成率"]).value = 0.9
        sheet.cell(row, places["落实情况"]).value = f"已落实 {row}"
    book.save(file)
    page.goto(live_server.url + reverse("imports"))
    page.set_input_files("input[type=file]", file)
    page.click("main form button.strong")
    assert f"已落实 {4 + FILLED}" in page.content()
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
