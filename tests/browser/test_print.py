"""What comes out of the printer, and what a keyboard, a narrow window and a browser without scripts
make of a page.
"""

import datetime as dt
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import log_in
from tests.browser.test_every_page import DEMO, report_pages
from tests.factories import make_many, make_policy
from tracker.domain import dates
from tracker.domain.choices import Light
from tracker.models import PolicyDocument, Task, User
from tracker.reports import task_texts

pytestmark = pytest.mark.browser

ROWS = 200
MARGIN = 25  # points; the style asks for 12 mm
# Widths of the brief, and 1366x768 zoomed to 200 %.
WINDOWS = [(360, 800, 1), (768, 1024, 1), (1366, 768, 1), (1920, 1080, 1), (683, 384, 2)]
FOCUSED = """() => {
  const on = document.activeElement;
  if (!on || on === document.body) return null;
  const style = getComputedStyle(on);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return [Number(on.dataset.stop ?? -1), ring || style.boxShadow !== "none"];
}"""
# Every link and button that shows, numbered.
STOPS = """() => [...document.querySelectorAll("a[href], button, input, select, summary")]
  .filter((stop) => stop.type !== "hidden" && stop.checkVisibility())
  .map((stop, number) => { stop.dataset.stop = number; return stop.outerHTML.slice(0, 120); })"""


class Paper(NamedTuple):
    """A printed page: its text without spaces, and the words that leave the printable part."""

    text: str
    outside: list[str]


def printed(page: Page, folder: Path) -> list[Paper]:
    """Print a page as the browser does, and read the paper."""
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext (poppler-utils) on this machine")
    path = folder / "printed.pdf"
    page.pdf(path=path, prefer_css_page_size=True, print_background=True)
    layout = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True
    ).stdout
    boxes = subprocess.run(
        ["pdftotext", "-bbox", path, "-"], capture_output=True, check=True, text=True
    ).stdout
    pages = []
    for text, found in zip(
        layout.split("\f"), re.findall(r"<page .*?</page>", boxes, re.DOTALL), strict=False
    ):
        width, height = map(
            float, re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', found)[0]
        )
        words = re.findall(
            r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>',
            found,
        )
        outside = [
            word
            for left, top, right, bottom, word in words
            if float(left) < MARGIN
            or float(right) > width - MARGIN
            or float(top) < MARGIN
            or float(bottom) > height - MARGIN
        ]
        pages.append(Paper("".join(text.split()), outside))
    return pages


@pytest.fixture
def many(transactional_db: None) -> PolicyDocument:
    """Lay a list of 200 tasks; each title begins and ends with a word of its own."""
    policy = make_policy("printed")
    make_many(policy, ROWS)
    for number, task in enumerate(Task.objects.filter(policy=policy)):
        title = f"b{number:03}e 落实重点事项并按期报送进展情况，细化举措、明确责任、按期推进 e{number:03}b"
        Task.objects.filter(pk=task.pk).update(title=title)
    User.objects.create_superuser("office", password="a long password")
    return policy


def test_a_printed_list_of_200_rows_loses_nothing(
    browser: Browser,
    live_server: LiveServer,
    many: PolicyDocument,
    tmp_path: Path,
) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}{reverse('tasks', args=[many.slug])}?sort=code")
    page.click(".tools a[href*='per_page=all']")
    headers = [
        "".join(text.split()) for text in page.locator("table.tasks thead th").all_text_contents()
    ]
    papers = printed(page, tmp_path)
    page.close()
    text = "".join(paper.text for paper in papers)
    on, tasks = dates.today(), list(Task.objects.filter(policy=many).select_related("policy"))
    assert len(papers) > 2
    # The last sheet may hold the foot of the page alone.
    sheets = [paper.text for paper in papers if any(task.code in paper.text for task in tasks)]
    assert [
        number for number, sheet in enumerate(sheets) if not all(word in sheet for word in headers)
    ] == []
    assert {task.code: text.count(task.code) for task in tasks} == {task.code: 1 for task in tasks}
    assert lights_in(text, tasks, on) == Counter(
        "".join(task_texts.light_text(task, on).split()) for task in tasks
    )
    torn = [
        task.code
        for task in tasks
        for sheet in sheets
        if len({part in sheet for part in (task.code, *task.title.split()[::2])}) > 1
    ]
    assert torn == []
    assert [paper.outside for paper in papers if paper.outside] == []


def lights_in(text: str, tasks: list[Task], on: dt.date) -> Counter[str]:
    """Count the lights of a text: shape and word."""
    lights = {"".join(task_texts.light_text(task, on).split()) for task in tasks}
    return Counter({light: text.count(light) for light in lights})


@pytest.mark.parametrize(("slug", "ahead"), [("central-china-rise", 0), (DEMO, 0), (DEMO, 40)])
def test_a_printed_overview_takes_two_pages_at_most(
    browser: Browser, live_server: LiveServer, office: User, tmp_path: Path, slug: str, ahead: int
) -> None:
    # Forty days ahead ten tasks and more are overdue: as many as the overview lists.
    day = dates.today() + ahead * dates.DAY
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}{reverse('policy', args=[slug])}?on={day}")
    papers = printed(page, tmp_path)
    page.close()
    assert len(papers) <= 2
    assert [paper.outside for paper in papers if paper.outside] == []


@pytest.mark.parametrize(("width", "height", "scale"), WINDOWS)
def test_no_page_scrolls_sideways(
    browser: Browser, live_server: LiveServer, office: User, width: int, height: int, scale: int
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    page = context.new_page()
    log_in(page, live_server.url)
    faults = []
    for address in report_pages():
        page.goto(live_server.url + address)
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if wide > 0:
            faults.append(f"{address}: by {wide}")
    context.close()
    assert faults == []


@pytest.mark.parametrize("name", ["policy", "tasks"])
def test_every_link_and_button_is_reached_by_keyboard_and_shows_it(
    browser: Browser, live_server: LiveServer, office: User, name: str
) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    log_in(page, live_server.url)
    page.goto(live_server.url + reverse(name, args=[DEMO]))
    stops = page.evaluate(STOPS)
    # A field for a day has several stops of its own, one of them a button that rings itself.
    reached, ringed = set(), set()
    for _press in range(2 * len(stops) + 20):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:
            if reached:
                break
            continue
        number, visible = at
        reached.add(number)
        if visible:
            ringed.add(number)
    page.close()
    assert len(stops) > 20
    assert [stop for number, stop in enumerate(stops) if number not in reached] == []
    assert [stop for number, stop in enumerate(stops) if number not in ringed] == []


def test_numbers_and_rows_are_there_without_scripts(
    browser: Browser, live_server: LiveServer, office: User
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url)
    tasks = Task.objects.filter(policy__slug=DEMO)
    page.goto(live_server.url + reverse("policy", args=[DEMO]))
    overview = page.text_content("main") or ""
    page.goto(live_server.url + reverse("tasks", args=[DEMO]))
    rows = page.locator("table.tasks td.col-code").all_text_contents()
    page.goto(live_server.url + reverse("tasks", args=[DEMO]) + "?light=red")
    red = page.text_content(".count") or ""
    context.close()
    assert str(tasks.counted().count()) in re.findall(r"\d+", overview)
    assert rows == list(tasks.values_list("code", flat=True)[:25])
    assert str(tasks.lit(Light.RED, on=dates.today()).count()) in re.findall(r"\d+", red)
