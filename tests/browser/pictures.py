"""Take pictures of the pages of a demonstration (needs Chromium).

`python -m tests.browser.pictures` takes those of the README and the user guide; with a folder,
every page in two sizes, to look at; with names of pages behind the folder, those alone.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from openpyxl import load_workbook
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"
POLICY = "/policies/central-china-rise-demo/"

# The pages that the README and the user guide show.
DOCUMENTED_PAGES = ("overview", "admin-tasks", "review", "my", "report")
SIZES = ((1366, 768), (390, 844))
ADMIN = "/admin/tracker/"
# Name, and address or the links that lead there from an address.
EVERY_PAGE: dict[str, tuple[str, ...]] = {
    "login": ("/login/",),
    "home": ("/",),
    "overview": (POLICY,),
    "my": ("/my/",),
    "tasks": (f"{POLICY}tasks/",),
    "task": (f"{POLICY}tasks/?status=in_progress", "td.col-title a"),
    "report": ("/my/", "td.do a"),
    "request": ("/review/requests/", "main th a"),
    "queue": ("/review/",),
    "requests": ("/review/requests/",),
    "help": ("/review/help/",),
    "silent": ("/review/silent/",),
    "review": ("/review/", "main th a"),
    "units": (f"{POLICY}units/",),
    "text": ("/policies/central-china-rise/text/",),
    "health": ("/policies/central-china-rise/health/",),
    "search": ("/search/?q=%E4%BC%81%E4%B8%9A",),
    "new": ("/policies/new/",),
    "imports": ("/imports/",),
    "password": ("/password/",),
    "admin": ("/admin/",),
    "admin-tasks": (f"{ADMIN}task/",),
    "admin-task": (f"{ADMIN}task/?light=red", "#result_list tbody th a"),
    "admin-task-history": (f"{ADMIN}task/?light=red", "#result_list tbody th a", "a.historylink"),
    "admin-units": (f"{ADMIN}organization/",),
    "admin-unit": (f"{ADMIN}organization/", "#result_list tbody th a"),
    "admin-users": (f"{ADMIN}user/",),
    "admin-user": (f"{ADMIN}user/add/",),
    "admin-policy": (f"{ADMIN}policydocument/", "#result_list tbody th a"),
    "admin-counts": (f"{ADMIN}declaredcount/add/",),
}


# The account that takes the pictures reports for the unit that leads most, so that it opens every
# page.
LIAISON = """
from django.db.models import Count
from tracker.models import Organization, User
unit = Organization.objects.annotate(tasks=Count("led_tasks")).order_by("-tasks")[0]
User.objects.filter(username="office").update(is_liaison=True, organization=unit, must_change_password=False)
"""


def main(folder_of_all: str = "", *names: str) -> None:
    """Lay a demonstration in a scratch folder, serve it, and take each picture."""
    password = secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {**os.environ, "DATA_DIR": folder, "DJANGO_SUPERUSER_PASSWORD": password}
        environment.pop("DATABASE_URL", None)

        def manage(*words: str) -> list[str]:
            return [sys.executable, "manage.py", *words]

        for words in (
            ("migrate", "--verbosity=0"),
            ("loaddata", "organizations", "central-china-rise", "--verbosity=0"),
            ("load_demo",),
            ("createsuperuser", "--noinput", "--username=office", "--email=office@example.org"),
            ("shell", "-c", LIAISON),
        ):
            subprocess.run(
                manage(*words), cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
            )
        server = subprocess.Popen(
            manage("runserver", f"127.0.0.1:{port}", "--noreload"),
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _take(f"http://127.0.0.1:{port}", password, folder_of_all, names)
        finally:
            server.terminate()
            server.wait()


def _take(url: str, password: str, folder_of_all: str, names: tuple[str, ...]) -> None:
    for _attempt in range(100):
        try:
            urllib.request.urlopen(f"{url}/login/", timeout=5).close()  # noqa: S310 - our own server
            break
        except OSError:
            time.sleep(0.1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(
            viewport={"width": 1366, "height": 768}, locale="zh-CN"
        ).new_page()
        page.goto(f"{url}/login/")
        _log_in(page, password)
        if folder_of_all:
            _take_all(page, url, Path(folder_of_all), names)
            _take_late_form(page, url, password, Path(folder_of_all))
        else:
            FOLDER.mkdir(exist_ok=True)
            for name in DOCUMENTED_PAGES:
                _open(page, url, name)
                page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


def _log_in(page: Page, password: str) -> None:
    page.fill("[name=username]", "office")
    page.fill("[name=password]", password)
    page.click("main button[type=submit]")


def _take_all(page: Page, url: str, folder: Path, names: tuple[str, ...]) -> None:
    """Take every page in both sizes, then the pages that only a button leads to."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in EVERY_PAGE:
        if names and name not in names:
            continue
        _open(page, url, name)
        _take_sizes(page, folder, name)
    _take_unit_move(page, url, folder)
    _take_import(page, url, folder)


def _open(page: Page, url: str, name: str) -> None:
    """Open a page by its address and the links that lead on from there."""
    address, *links = EVERY_PAGE[name]
    page.goto(url + address)
    for link in links:
        if not page.locator(link).count():
            print(f"{name}: no {link} on {page.url}")
            break
        page.locator(link).first.click()


def _take_sizes(page: Page, folder: Path, name: str) -> None:
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


def _take_unit_move(page: Page, url: str, folder: Path) -> None:
    """Take the preview of a merge of two units, what it has done, and its undoing."""
    page.goto(f"{url}{ADMIN}organization/")
    page.locator("#result_list tbody th a").nth(3).click()
    page.click("a[href$='/move/']")
    page.locator("[name=kind]").first.check()
    page.select_option("[name=target]", index=2)
    page.click("main button.default, .submit-row button.default")
    _take_sizes(page, folder, "move-preview")
    page.fill("[name=reason]", "机构改革")
    page.click("[name=confirm]")
    _take_sizes(page, folder, "move-done")
    page.click("a[href$='/undo/']")
    _take_sizes(page, folder, "move-undo")


def _take_import(page: Page, url: str, folder: Path) -> None:
    """Take the preview of a checklist with changes, then with faults and columns that are not read."""
    with page.expect_download() as download:
        page.goto(f"{url}/imports/")
        page.evaluate(f"window.location = '{POLICY}checklist.xlsx'")
    file = folder / "checklist.xlsx"
    download.value.save_as(file)
    for name, faulty in (("batch", False), ("batch-faults", True)):
        book = load_workbook(file)
        sheet = book["任务"]
        places = {str(cell.value): cell.column for cell in sheet[1]}
        for row in range(2, 6):
            sheet.cell(
                row, places["备注"]
            ).value = "按七月例会要求补充：每月二十五日前报送，附佐证材料。"
        if faulty:
            sheet.cell(2, places["牵头单位"]).value = "市没有这个局"
            sheet.cell(3, sheet.max_column + 1).value = "没有表头的一列"
            sheet.cell(1, sheet.max_column + 1).value = "联系电话"
            sheet.cell(2, sheet.max_column).value = "0375-1234567"
        book.save(folder / f"{name}.xlsx")
        page.goto(f"{url}/imports/")
        page.set_input_files("main input[type=file]", folder / f"{name}.xlsx")
        page.click("main form button.strong")
        page.wait_for_load_state()
        _take_sizes(page, folder, name)


def _take_late_form(page: Page, url: str, password: str, folder: Path) -> None:
    """Take the page that shows two forms that were sent after a log-out in another tab."""
    page.goto(f"{url}/my/")
    report = page.locator("td.do a").first.get_attribute("href")
    tabs = [page.context.new_page() for _number in range(2)]
    for tab in tabs:
        tab.goto(f"{url}{report}")
    page.goto(f"{url}/password/")
    page.click("header form[action='/logout/'] button")
    for number, tab in enumerate(tabs, start=1):
        tab.fill("[name=progress]", f"第{number}个窗口：已完成两条道路的招标，开工建设。")
        tab.set_input_files(
            "[name=proofs]",
            {"name": "开工令.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"},
        )
        tab.click("[name=submit]")
        tab.wait_for_url("**/login/**")
    page.goto(f"{url}/login/?next=/kept/")
    _log_in(page, password)
    _take_sizes(page, folder, "kept")


if __name__ == "__main__":
    main(*sys.argv[1:])
