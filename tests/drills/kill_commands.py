"""`kill -9` of exports, backups and restores at random moments.

After the next start nothing is half there.

Run by itself: `python -m tests.drills.kill_commands --rounds 20`, on the database server of
DATABASE_URL (a database of its own is made there), SQLite without it. The system has two states,
each with rows and evidence of its own; a restore leads from one to the other. The test suite runs
the same code with fewer rounds; saves and imports have drills of their own.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.drills.lost_updates import ROOT, database

KINDS = ("export", "backup", "restore")
TASKS = 200
FILES = 20
STATES = ("first", "second")
STAYS = {"lock", "restore-lock", "reserve"}  # locks and the reserve: no leftovers


@dataclass
class Result:
    """How many rounds of one kind were done before they were killed, and all that must be none."""

    done: int = 0
    lost: int = 0
    half: int = 0
    leftovers: int = 0


class System:
    """A system in a folder, with what its commands write beside it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.data, self.out, self.backups = folder / "data", folder / "out", folder / "backups"
        for path in (self.data, self.out, self.backups):
            path.mkdir()
        own = {
            "DATABASE_URL": url,
            "DATA_DIR": str(self.data),
            "PYTHONWARNINGS": "ignore",
            "DEBUG": "",
            "PRODUCTION": "",
        }
        self.environment = {**os.environ, **own}

    def part(self, *words: str) -> str:
        """Run a part of the drill, or a command, to its end."""
        done = subprocess.run(
            words, env=self.environment, cwd=ROOT, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stderr[-1000:]}")
        return done.stdout

    def role(self, *words: str) -> str:
        return self.part(sys.executable, "-m", "tests.drills.kill_commands", "--role", *words)

    def start(self) -> None:
        """Load the program as gunicorn does: the next start after a kill."""
        self.part(sys.executable, "-c", "import tracker.wsgi")

    def command(self, kind: str, number: int) -> list[str]:
        """Return the command of a kind; a restore leads to the other state."""
        words = {
            "export": ["export_ledger", "--policy", "rise", "--out", str(self.out / "ledger.xlsx")],
            "backup": ["backup", str(self.backups / f"{number}.tar")],
            "restore": [
                "restore",
                str(self.backups.parent / f"{STATES[number % 2]}.tar"),
                "--force",
            ],
        }
        return [sys.executable, "manage.py", *words[kind]]

    def kill(self, words: list[str], seconds: float) -> bool:
        """Run a command and kill it with all its processes after a time.

        Say whether it was done before.
        """
        quiet = subprocess.DEVNULL
        victim = subprocess.Popen(
            words,
            env=self.environment,
            cwd=ROOT,
            start_new_session=True,
            stdout=quiet,
            stderr=quiet,
        )
        try:
            return victim.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            os.killpg(victim.pid, signal.SIGKILL)
            victim.wait()
            return False

    def leftovers(self) -> int:
        """Count what a killed process has left."""
        working = [path.name for path in (self.data / "working").iterdir()]
        beside = [path.name for folder in (self.out, self.backups) for path in folder.glob(".*")]
        return len(
            [name for name in working if name not in STAYS and not name.startswith("export-")]
        ) + len(beside)


def drill(rounds: int, url: str = "") -> dict[str, Result]:
    """Kill each kind of command so many times; after each kill start, and look at what is there."""
    dice, results = random.Random(rounds), {}
    with database(url) as own, tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder), own)
        for state in STATES:
            system.role("set_up", "--state", state)
            system.part(sys.executable, "manage.py", "backup", f"{folder}/{state}.tar")
        for kind in KINDS:
            begin = time.perf_counter()
            system.part(*system.command(kind, rounds))
            longest = time.perf_counter() - begin
            results[kind] = result = Result()
            for number in range(rounds):
                done = system.kill(system.command(kind, number), dice.uniform(0.2, 1.1) * longest)
                system.start()
                result.done += done
                result.leftovers += system.leftovers()
                _look(kind, system, number, done, result)
    return results


def _look(kind: str, system: System, number: int, done: bool, result: Result) -> None:
    """Count what is lost or half there after a round."""
    state, files = system.role("state").split()
    whole = state in STATES and files == f"{FILES}{state}"
    if kind == "restore":
        result.half += not whole
        result.lost += done and state != STATES[number % 2]
        return
    result.half += not whole or not _all_whole(system)
    if kind == "backup":
        result.lost += done and not (system.backups / f"{number}.tar").exists()
    else:
        result.lost += not (system.out / "ledger.xlsx").exists()


def _all_whole(system: System) -> bool:
    """Say whether every file that stands under its name can be read to its end."""
    for path in system.out.glob("*.xlsx"):
        with zipfile.ZipFile(path) as book:
            if book.testzip():
                return False
    for path in system.backups.glob("*.tar"):
        with tarfile.open(path) as archive:
            manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
            if {*manifest["sums"], "manifest.json"} != set(archive.getnames()):
                return False
    return True


def set_up(state: str) -> None:
    """Make a state: its name stands in a policy, and each file of evidence holds it."""
    from django.conf import settings
    from django.core.management import call_command

    from tests.factories import make_many, make_policy
    from tracker.models import PolicyDocument, User

    call_command("migrate", verbosity=0)
    if not PolicyDocument.objects.exists():
        User.objects.create_superuser("root")
        make_many(make_policy(), TASKS)
    PolicyDocument.objects.update(title=state)
    evidence = Path(settings.MEDIA_ROOT)
    evidence.mkdir(exist_ok=True)
    for number in range(FILES):
        (evidence / str(number)).write_text(state * 10_000)


def print_state() -> None:
    """Print the state that the rows name, and how many files of evidence are of which state."""
    from django.conf import settings

    from tracker.models import PolicyDocument

    texts = [path.read_text() for path in Path(settings.MEDIA_ROOT).iterdir()]
    kinds = {state for state in STATES for text in texts if text == state * 10_000}
    print(PolicyDocument.objects.get().title, f"{len(texts)}{'+'.join(sorted(kinds))}")


def main() -> None:
    """Run the drill, or one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--role", choices=("set_up", "state"))
    parser.add_argument("--state", choices=STATES)
    options = parser.parse_args()
    if not options.role:
        results = drill(options.rounds, os.environ.get("DATABASE_URL", ""))
        for kind, result in results.items():
            print(f"{kind}: {options.rounds} rounds, {asdict(result)}")
        sys.exit(any(result.lost or result.half or result.leftovers for result in results.values()))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django

    django.setup()
    if options.role == "set_up":
        set_up(options.state)
    else:
        print_state()


if __name__ == "__main__":
    main()
