"""Every page in a real Chromium: no console error, no breach of the policy, no sideways scroll."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models import Count
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PASSWORD, log_in
from tracker.models import (
    BackgroundPassage,
    DeclaredCount,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
    User,
)

pytestmark = pytest.mark.browser

SIZES = [(1366, 768), (390, 844)]
DEMO = "central-china-rise-demo"
GRAVE = ("serious", "critical")
WEIGHT = 300 * 1024  # bytes that a page may weigh, with everything it loads


def task_codes() -> list[str]:
    """Return a task of each status and kind."""
    found = {(task.status, task.kind): task.code for task in Task.objects.filter(policy__slug=DEMO)}
    return sorted(found.values())


def busiest_units() -> list[Organization]:
    """Return the unit that leads most, and one that leads nothing."""
    ordered = Organization.objects.annotate(leads=Count("led_tasks")).order_by("-leads", "pk")
    return [ordered[0], ordered.reverse()[0]]


def work_pages() -> list[str]:
    """List the pages of those who write: lists of what to do, reports, reviews, steps."""
    waiting = ProgressUpdate.objects.waiting().first()
    closing = Task.objects.filter(policy__slug=DEMO, status="closing").first()
    running = Task.objects.filter(
        policy__slug=DEMO, status="in_progress", latest_report__isnull=False
    ).first()
    return [
        reverse("my"),
        reverse("queue"),
        *(reverse("queue", args=[name]) for name in ("requests", "help", "silent")),
        reverse("review", args=[waiting.pk]),
        reverse("answer", args=[ProgressUpdate.objects.asking_for_help().first().pk]),
        *(reverse("report", args=[DEMO, code]) for code in (running.code, measured().code)),
        reverse("step", args=[DEMO, running.code, "close"]),
        reverse("step", args=[DEMO, running.code, "suspend"]),
        reverse("step", args=[DEMO, closing.code, "grant_closing"]),
        reverse("password"),
        reverse("new"),
    ]


def measured() -> Task:
    """Return a task whose percent follows an indicator with values."""
    found = Task.objects.filter(
        policy__slug=DEMO, status="in_progress", indicators__values__isnull=False
    )
    return found.filter(follows_indicator=True).distinct()[0]


def report_pages() -> list[str]:
    """List the report pages, also filtered, sorted, empty and for another day."""
    tasks, units = reverse("tasks", args=[DEMO]), busiest_units()
    return [
        reverse("home"),
        reverse("policy", args=["central-china-rise"]),
        reverse("policy", args=[DEMO]),
        reverse("policy", args=[DEMO]) + "?on=2027-06-30",
        reverse("policy", args=[DEMO]) + "?on=nonsense",
        tasks,
        tasks + "?light=red&sort=-deadline&per_page=50",
        *(reverse("task", args=[DEMO, code]) for code in (*task_codes(), measured().code)),
        reverse("measure", args=[DEMO, "A1"]),
        reverse("measure", args=["central-china-rise", "B0"]),
        reverse("units", args=[DEMO]),
        reverse("imports"),
        *(reverse("unit", args=[DEMO, unit.pk]) for unit in units),
        reverse("unit_everywhere", args=[units[0].pk]) + "?on=2027-06-30",
        reverse("text", args=["central-china-rise"]),
        *(reverse("health", args=[slug]) for slug in ("central-china-rise", DEMO)),
        reverse("health", args=["central-china-rise"]) + "?kind=deadline",
        reverse("search"),
        reverse("search") + "?q=%E4%BC%81%E4%B8%9A",
        reverse("search") + "?q=x",
        tasks + "?text=nothing-has-this",
        tasks + "?light=nonsense&page=99",
        *work_pages(),
    ]


def admin_pages() -> Iterator[str]:
    """List the admin's pages: of each model the list, a new one, one, its history, its deletion."""
    yield reverse("admin:index")
    yield reverse("admin:password_change")
    yield reverse("admin:tracker_indicator_changelist")
    for page in ("change", "history"):
        yield reverse(f"admin:tracker_indicator_{page}", args=[measured().indicators.first().pk])
    yield reverse("admin:tracker_task_change", args=[measured().pk])
    for model in (
        Task,
        PolicyDocument,
        Section,
        Measure,
        DeclaredCount,
        BackgroundPassage,
        Organization,
        User,
    ):
        # The first task is not handed over yet, so that its deletion has a page; a published policy
        # has none.
        name, row = model._meta.model_name, model.objects.order_by("pk").first()
        yield reverse(f"admin:tracker_{name}_changelist")
        yield reverse(f"admin:tracker_{name}_add")
        for page in ("change", "history", *([] if model in (User, PolicyDocument) else ["delete"])):
            yield reverse(f"admin:tracker_{name}_{page}", args=[row.pk])


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param[0], "height": request.param[1]})
    page = context.new_page()
    page.faults = []  # type: ignore[attr-defined]
    page.weight = [0]  # type: ignore[attr-defined]
    page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    context.close()


def look(page: Page, url: str) -> list[str]:
    """Open a page and list what is wrong with it."""
    page.faults.clear()  # type: ignore[attr-defined]
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    answer = page.goto(url)
    page.wait_for_load_state("networkidle")
    faults = [f"{url}: {fault}" for fault in page.faults]  # type: ignore[attr-defined]
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    if wide > 0:
        faults.append(f"{url}: scrolls sideways by {wide}")
    if not answer or answer.status != 200:
        faults.append(f"{url}: answered {answer and answer.status}")
    if sum(sizes) > WEIGHT and "/admin/" not in url:
        faults.append(f"{url}: weighs {sum(sizes)} bytes")
    return faults


def test_the_report_pages_are_clean(page: Page, live_server: LiveServer, office: User) -> None:
    faults = look(page, f"{live_server.url}/login/")
    log_in(page, live_server.url)
    for address in report_pages():
        faults += look(page, live_server.url + address)
    assert faults == []


def test_the_admin_pages_are_clean(page: Page, live_server: LiveServer, office: User) -> None:
    log_in(page, live_server.url)
    faults = []
    for address in admin_pages():
        faults += look(page, live_server.url + address)
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_pages_have_no_grave_fault_for_assistive_technology(
    browser: Browser, live_server: LiveServer, office: User, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    log_in(page, live_server.url)
    faults = []
    for address in report_pages():
        page.goto(live_server.url + address)
        found = Axe().run(page).response["violations"]
        faults += [
            (address, fault["id"], fault["nodes"][0]["html"])
            for fault in found
            if fault["impact"] in GRAVE
        ]
    context.close()
    assert faults == []


def test_the_admin_is_legible_in_the_dark_theme_too(
    browser: Browser, live_server: LiveServer, office: User
) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    log_in(page, live_server.url)
    task, faults = Task.objects.filter(policy__slug=DEMO).first(), []
    for name, key in (("changelist", []), ("change", [task.pk]), ("history", [task.pk])):
        page.goto(live_server.url + reverse(f"admin:tracker_task_{name}", args=key))
        found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
        faults += [
            (name, node["html"], node["failureSummary"])
            for fault in found
            for node in fault["nodes"]
        ]
    context.close()
    assert faults == []


def test_a_supervisor_edits_a_task_and_units_are_offered_while_typing(
    browser: Browser, live_server: LiveServer, office: User
) -> None:
    task = Task.objects.filter(policy__slug="central-china-rise").first()
    page = browser.new_page()
    log_in(page, live_server.url)
    page.goto(live_server.url + reverse("admin:tracker_task_change", args=[task.pk]))
    page.click("#id_lead_unit + .select2 .select2-selection")
    page.fill(".select2-dropdown .select2-search__field", "市科技局")
    page.click(".select2-results__option--highlighted:has-text('市科技局')")
    with page.expect_navigation():
        page.click("input[name=_save] >> nth=0")
    page.close()
    assert Task.objects.get(pk=task.pk).lead_unit.short_name == "市科技局"


def test_five_wrong_passwords_lock_the_account_and_say_so(
    browser: Browser, live_server: LiveServer, office: User
) -> None:
    page = browser.new_page()
    page.goto(f"{live_server.url}/login/")
    for _attempt in range(5):
        page.fill("[name=username]", "office")
        page.fill("[name=password]", PASSWORD + "!")
        page.click("main button[type=submit]")
    text = page.inner_text("main")
    page.close()
    assert "30" in text
