"""Take the pictures of the README: `python -m tests.browser.pictures` (needs Chromium)."""

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

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "pictures"
POLICY = "/policies/central-china-rise-demo/"
PAGES = {"overview": POLICY}


def main() -> None:
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
        ):
            subprocess.run(manage(*words), cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen(
            manage("runserver", f"127.0.0.1:{port}", "--noreload"),
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _take(f"http://127.0.0.1:{port}", password)
        finally:
            server.terminate()
            server.wait()


def _take(url: str, password: str) -> None:
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
        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        page.goto(f"{url}/login/")
        page.fill("[name=username]", "office")
        page.fill("[name=password]", password)
        page.click("main button[type=submit]")
        for name, address in PAGES.items():
            page.goto(url + address)
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
