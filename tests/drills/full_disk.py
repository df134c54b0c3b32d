"""A disk that fills up: what is read goes on, what is sent is given back, nothing is half there.

Run by itself, as root: `python -m tests.drills.full_disk`. Mounts a small file system in memory,
serves from it by gunicorn as documented, fills it to the last byte and works on as a liaison does.
SQLite, for the database lies on the same disk. No part of the test suite: that has no right to
mount.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.drills.kill import PASSWORD, Client, served
from tests.drills.load import SERVER
from tests.drills.lost_updates import ROOT

SIZE = "96m"
TYPED = "typed while the disk was full"
PDF = b"%PDF-1.4" + bytes(4_000_000)
TASK = "/policies/rise/tasks/A1-01/"
PAGES = ("/", "/my/", "/policies/rise/", "/policies/rise/tasks/", TASK, "/search/?q=Task")


@contextmanager
def small_disk() -> Iterator[Path]:
    """Mount a file system of a few megabytes in memory."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    """Write zeros until nothing goes in any more."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def upload(client: Client, path: str, fields: dict[str, str], content: bytes) -> tuple[int, str]:
    """Send a form with a file."""
    mark, parts = "----drill", []
    for name, value in {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"]}.items():
        parts.append(
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        )
    head = f'--{mark}\r\nContent-Disposition: form-data; name="proofs"; filename="a.pdf"\r\n'
    parts.append(
        f"{head}Content-Type: application/pdf\r\n\r\n".encode()
        + content
        + f"\r\n--{mark}--\r\n".encode()
    )
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    headers = {"Cookie": cookies, "Content-Type": f"multipart/form-data; boundary={mark}"}
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=120)
    try:
        connection.request("POST", path, b"".join(parts), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def drill() -> list[str]:
    """Fill the disk, work on, make room, work on; return what went wrong."""
    faults: list[str] = []

    def expect(what: str, found: Any, wanted: Any) -> None:
        print(f"{what}: {found}")
        if found != wanted:
            faults.append(f"{what}: {found}, not {wanted}")

    with small_disk() as folder:
        environment = {
            **os.environ,
            "DATA_DIR": str(folder),
            "PYTHONWARNINGS": "ignore",
            "MIN_FREE_MB": "1",
        }
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "tests.drills.full_disk", "--set-up"]
        subprocess.run(command, env=environment, cwd=ROOT, check=True)
        with served(environment, *SERVER) as port:
            client = Client(port, 0, {})
            client.log_in()
            page = client.ask("GET", f"{TASK}report/")[1]
            report = f"{TASK}report/?{re.findall('period=[0-9-]+', page)[0]}"
            first = upload(client, report, {"progress": "before", "seen": "0"}, b"%PDF-1.4")
            expect("report kept before", first[0], 302)
            fill(folder / "ballast")
            expect("free bytes", os.statvfs(folder).f_bavail, 0)
            for page in PAGES:
                expect(f"read {page}", client.ask("GET", page)[0], 200)
            for content, size in (
                (b"%PDF-1.4" + bytes(1000), "a small file"),
                (PDF, "a large file"),
            ):
                status, page = upload(client, report, {"progress": TYPED, "seen": "1"}, content)
                expect(f"report with {size} at 0 bytes", (status, TYPED in page), (507, True))
            status, page = client.ask("POST", report, {"progress": TYPED, "seen": "1"})
            expect("report without a file at 0 bytes", (status, TYPED in page), (507, True))
            stranger = Client(port, 0, {})
            stranger.ask("GET", "/login/")
            status, _page = stranger.ask(
                "POST", "/login/", {"username": "root", "password": PASSWORD}
            )
            expect("log-in at 0 bytes", status, 507)
            status, said = client.ask("GET", "/healthz")
            expect("healthz", (status, json.loads(said)["disk"]), (503, "fault"))
        with served(environment, *SERVER) as port:
            # All processes are new: the files of SQLite are made anew, in the room of the reserve.
            client.port = port
            for page in PAGES:
                expect(f"read {page} after a start at 0 bytes", client.ask("GET", page)[0], 200)
            (folder / "ballast").unlink()
            expect(
                "report after", client.ask("POST", report, {"progress": TYPED, "seen": "1"})[0], 302
            )
        expect("files of evidence", len(list((folder / "evidence").iterdir())), 1)
    return faults


def set_up() -> None:
    """Make an account of everything and a task that is reported on."""
    from django.core.management import call_command

    from tests.factories import make_policy, make_task
    from tracker.domain.dates import today
    from tracker.models import Organization, User

    call_command("migrate", verbosity=0)
    unit = Organization.objects.create(name="Bureau of Science", short_name="Science")
    User.objects.create_user("root", password=PASSWORD, is_liaison=True, organization=unit)
    day = today().replace(day=1)  # one period is owed
    make_task(
        make_policy(), "A1-01", kind="qualitative", lead_unit=unit, assigned_on=day, owed_from=day
    )


def main() -> None:
    """Run the drill, or make its rows in a process of its own."""
    if "--set-up" in sys.argv:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
        import django

        django.setup()
        set_up()
        return
    faults = drill()
    print(f"faults: {len(faults)} {faults}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
