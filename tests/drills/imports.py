"""`kill -9` of a process that confirms an import: every report of the batch lands, or none.

Run by itself: `python -m tests.drills.imports --rounds 50`.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.drills.lost_updates import database

ROOT = Path(__file__).resolve().parents[2]
TASKS = 40


@dataclass
class Result:
    """How many rounds were killed before anything landed, how many after all had, and how many
    half-way.
    """

    none: int = 0
    whole: int = 0
    half: int = 0


def drill(rounds: int, url: str = "") -> Result:
    """Kill an import at a random moment, again and again; finish it at the end."""
    result, dice = Result(), random.Random(rounds)
    with database(url) as own:
        environment = {**os.environ, "DATABASE_URL": own, "PYTHONWARNINGS": "ignore"}
        run = [sys.executable, "-m", "tests.drills.imports", "--role"]

        def part(role: str) -> str:
            done = subprocess.run(
                [*run, role], env=environment, cwd=ROOT, check=True, capture_output=True, text=True
            )
            return done.stdout

        part("set_up")
        for _round in range(rounds):
            victim = subprocess.Popen(
                [*run, "land"], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            if victim.stdout:
                victim.stdout.readline()  # it has read the file and begins to write
            time.sleep(dice.random() * 3)
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
            reports, landed = (int(word) for word in part("count").split())
            if (reports, landed) == (0, 0):
                result.none += 1
            elif (reports, landed) == (TASKS, 1):
                result.whole += 1
                part("undo")
            else:
                result.half += 1
    return result


def set_up() -> None:
    """Make a unit with tasks, and a workbook that is filled in for all of them, read and kept."""
    import datetime as dt

    from django.core.management import call_command

    from tests.factories import make_policy
    from tracker import workflow
    from tracker.domain.choices import BatchKind, Kind, Status
    from tracker.domain.dates import now, today
    from tracker.excel.progress_template import fill_in_rows
    from tracker.models import ImportBatch, Organization, Task

    call_command("migrate", verbosity=0)
    policy, unit = make_policy(), Organization.objects.create(name="Unit", short_name="U")
    day = today() - dt.timedelta(days=70)
    facts = {
        "policy": policy,
        "title": "t",
        "status": Status.IN_PROGRESS,
        "kind": Kind.QUALITATIVE,
        "lead_unit": unit,
        "assigned_on": day,
        "owed_from": day,
    }
    Task.objects.bulk_create(
        Task(measure=policy.measures.first(), code=f"A1-{n}", **facts) for n in range(TASKS)
    )
    rows = [
        {"sheet": "s", "row": n, "key": row.key, "code": row.task.code, "step": "", "then": {}, "typed": {},
         "faults": {}, "values": {"progress": "done so much"}}
        for n, row in enumerate(fill_in_rows(Task.objects.all(), today()))
    ]  # fmt: skip
    workflow.store_batch(ImportBatch(kind=BatchKind.PROGRESS, file_name="x", rows=rows), now())


def land() -> None:
    """Confirm the batch as it is previewed."""
    from tracker.domain.dates import now, today
    from tracker.excel import workbook_import
    from tracker.models import ImportBatch

    batch = ImportBatch.objects.get()
    seen = workbook_import.preview_batch(batch, None, today())
    print("begins", flush=True)
    workbook_import.confirm_batch(batch, None, seen.digest, now())


def undo() -> None:
    """Take the batch back; what is stale in its rows is brought up to date, for the next round."""
    from tracker.domain.dates import now
    from tracker.excel import workbook_import
    from tracker.models import ImportBatch, Task

    batch = ImportBatch.objects.get()
    workbook_import.undo_batch(batch, None, now())
    versions = dict(Task.objects.values_list("code", "version"))
    for row in batch.rows:
        slug, code, _version, start = row["key"].split("/")
        row["key"] = f"{slug}/{code}/{versions[code]}/{start}"
    ImportBatch.objects.filter(pk=batch.pk).update(state="read", rows=batch.rows, made=[])


def count() -> None:
    """Print how many reports are handed in, and whether the batch says that it has landed."""
    from tracker.models import ImportBatch, ProgressUpdate

    print(ProgressUpdate.objects.count(), int(ImportBatch.objects.get().state == "landed"))


def main() -> None:
    """Run the drill, or one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--role", choices=("set_up", "land", "undo", "count"))
    options = parser.parse_args()
    if not options.role:
        result = drill(options.rounds, os.environ.get("DATABASE_URL", ""))
        print(
            f"imports killed: nothing landed {result.none}, all landed {result.whole}, half "
            f"{result.half}"
        )
        sys.exit(bool(result.half))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django

    django.setup()
    {"set_up": set_up, "land": land, "undo": undo, "count": count}[options.role]()


if __name__ == "__main__":
    main()
