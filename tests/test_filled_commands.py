"""Every command runs once on a database with many tasks in which every kind of row occurs.

The commands run as a person at the machine runs them, in a database and a folder of their own.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.lost_updates import ROOT, database
from tests.filled import LONG_TEXT
from tests.management.test_backup import manage, run
from tests.sizes import size

pytestmark = pytest.mark.database

COUNT = size("MANY_TASKS")
FILL = f"""
import django
django.setup()
from tests.filled import make_filled, make_readers
make_readers(make_filled({COUNT}))
"""
# Each with what it needs, in the order in which they run; {folder} is the folder of the results,
# {fill_in} one of the workbooks that `export_fill_in` has put there.
COMMANDS: dict[str, list[str]] = {
    "check_policy": ["filled"],
    "refresh_lights": [],
    "print_steps": [],
    "propose_breakdown": ["{folder}/text.txt"],
    "load_text": ["filled", "{folder}/text.txt"],
    "export_ledger": ["--policy", "filled", "--out", "{folder}/ledger.xlsx"],
    "export_fill_in": ["--policy", "filled", "--out", "{folder}/fill-in"],
    "import_progress": ["{fill_in}", "--apply"],
    "send_reminders": ["--dry-run", "--any-day"],
    "backup": ["{folder}/backup.tar"],
    "restore": ["{folder}/backup.tar", "--force"],
    "prepare": [],
    "loaddata": ["organizations", "central-china-rise"],
    "load_demo": [],
}
# Commands that end in 1 to say that they found something.
FINDING = ("check_policy",)
SERVING = ("runserver",)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Path]]:
    """Make a database with the filled policy; return its environment and a folder for results."""
    folder = tmp_path_factory.mktemp("filled")
    folder.joinpath("text.txt").write_text(LONG_TEXT, encoding="utf-8")
    with database(os.environ.get("DATABASE_URL", "")) as url:
        kept = {
            name: value for name, value in os.environ.items() if name not in ("DEBUG", "PRODUCTION")
        }
        environment = {
            **kept,
            "DATABASE_URL": url,
            "DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "DJANGO_SETTINGS_MODULE": "tracker.settings",
            "PYTHONWARNINGS": "ignore",
        }
        manage(environment, "migrate", "-v0")
        assert run(environment, "-c", FILL).returncode == 0
        yield environment, folder


def test_no_command_is_left_out() -> None:
    files = (ROOT / "tracker" / "management" / "commands").glob("[a-z]*.py")
    assert {file.stem for file in files} == {*COMMANDS, *SERVING}


@pytest.mark.large  # each command has tests of its own at small sizes
def test_every_command_runs_on_many_filled_tasks(filled: tuple[dict[str, str], Path]) -> None:
    environment, folder = filled
    ends = {}
    for name, words in COMMANDS.items():
        fill_in = next(folder.glob("fill-in/*.xlsx"), None)
        arguments = [word.format(folder=folder, fill_in=fill_in) for word in words]
        done = run(environment, "manage.py", name, *arguments)
        failed = done.returncode and name not in FINDING
        ends[name] = done.stderr if failed or "Traceback" in done.stderr else ""
    assert not any(ends.values()), ends
