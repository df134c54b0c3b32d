"""A crowd writes through every door at once.

The admin's form, the report's form, ticks, accepted reports.

Run by itself: `python -m tests.drills.crowd --writers 30 --edits 50`, on the database server of
DATABASE_URL (a database of its own is made there), SQLite without it. A real server with many
threads; a few tasks, so that everybody meets everybody. Who is refused must see both texts, looks,
and sends again. At the end twenty hands press the same button at the same moment, and one effect
must be there. The test suite runs the same code at a smaller size.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drills.kill import Client, served
from tests.drills.lost_updates import ROOT, database

DOORS = ("admin", "report", "tick", "accept")
TASKS = 5
HANDS = 20
TRIES = 500  # of one edit: beyond that it is not the others who are in the way
TOKEN = re.compile(r"w\d+-\d+")


@dataclass(frozen=True)
class Result:
    """What was sent and accepted, what was refused and sent again, and all that must be none."""

    accepted: int
    refused: int
    faults: int  # answers of 500 and more, a locked database among them
    lost: int
    unseen: int  # refusals that did not show both texts
    doubled: int


@dataclass
class Writer:
    """One person at one door of one task."""

    number: int
    client: Client
    facts: dict[str, Any]
    accepted: list[str] = field(default_factory=list)
    known: list[int] = field(
        default_factory=list
    )  # the version on which each accepted form was built
    refused: list[tuple[int, int, str, list[str]]] = field(
        default_factory=list
    )  # seen, then, own, texts shown
    faults: list[str] = field(default_factory=list)

    def work(self, edits: int) -> None:
        """Send some edits until each is accepted.

        Anything that is no answer to an edit is a fault.
        """
        door: Callable[[int], None] = getattr(self, f"_{DOORS[self.number % len(DOORS)]}")
        try:
            for number in range(edits):
                door(number)
        except Exception as error:  # a thread must not end unheard
            self.faults.append(repr(error))

    def _ask(self, path: str, words: dict[str, str] | None = None) -> tuple[int, str]:
        status, page = self.client.ask("POST" if words else "GET", path, words)
        if status >= 400:
            raise RuntimeError(f"{path} answered {status}")
        return status, page

    def _form(self, path: str, own: str, words: Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Send a form again and again, each time with the version that the last answer showed."""
        page = self._ask(path)[1]
        for _try in range(TRIES):
            shown = _values(page)
            seen = int(shown["seen"])
            status, page = self._ask(path, {**words(shown), "seen": str(seen)})
            if status == 302:
                self.accepted.append(own)
                self.known.append(seen)
                return
            self.refused.append((seen, int(_values(page)["seen"]), own, TOKEN.findall(page)))
        raise RuntimeError(f"{path} was refused {TRIES} times, whoever wrote meanwhile")

    def _admin(self, number: int) -> None:
        own, form = f"w{self.number}-{number}", self.facts["form"]
        self._form(
            f"/admin/tracker/task/{self.facts['task']}/change/",
            own,
            lambda shown: {
                **form,
                "remark": own,
                "percent": shown.get("percent", "0"),
                "status": "in_progress",
                "items-0-done_on": shown.get("items-0-done_on", ""),
            },
        )

    def _report(self, number: int) -> None:
        own = f"w{self.number}-{number}"
        self._form(self.facts["report"], own, lambda shown: {"progress": own, "draft": "1"})

    def _tick(self, number: int) -> None:
        shown = _values(self._ask(self.facts["page"])[1])
        words = {"done": str(number % 2), "item": shown["item"], "seen": shown["seen"]}
        status, _page = self._ask(f"{self.facts['page']}tick/1/", words)
        self.accepted.append(str(status))

    def _accept(self, number: int) -> None:
        key = self.facts["reports"][number]
        self._ask(f"/review/reports/{key}/", {"seen": "1", "accept": "1"})
        self.accepted.append(str(key))


def _values(page: str) -> dict[str, str]:
    """Read what the input fields of a page hold."""
    found = {}
    for field_ in re.findall(r"<input\b[^>]*>", page):
        name, value = (re.search(rf'\b{word}="([^"]*)"', field_) for word in ("name", "value"))
        if name and value:
            found.setdefault(name[1], value[1])
    return found


def drill(writers: int, edits: int, url: str = "") -> Result:
    """Let the crowd work, then the hands; count what is there."""
    with database(url) as own, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": own,
            "DATA_DIR": folder,
            "PYTHONWARNINGS": "ignore",
        }
        run = [
            sys.executable,
            "-m",
            "tests.drills.crowd",
            "--writers",
            str(writers),
            "--edits",
            str(edits),
        ]
        made = _part([*run, "--role", "set_up"], environment)
        with served(
            environment, "--workers=2", f"--threads={max(writers, HANDS) // 2 + 1}", "--timeout=300"
        ) as port:
            crowd = [
                Writer(number, Client(port, 0, {}, dict(made["cookies"])), facts)
                for number, facts in enumerate(made["writers"])
            ]
            _at_once([lambda each=each: each.work(edits) for each in crowd])
            faults = [fault for each in crowd for fault in each.faults]
            hands = [Client(port, 0, {}, dict(made["cookies"])) for _hand in range(HANDS)]
            for press in made["buttons"]:
                answers: list[int] = []
                _at_once(
                    [
                        lambda hand=hand, p=press, a=answers: a.append(
                            hand.ask("POST", p[0], p[1])[0]
                        )
                        for hand in hands
                    ]
                )
                faults += [f"{press[0]} answered {answer}" for answer in answers if answer >= 400]
        if faults:
            told = re.findall(
                r"^\w+(?:\.\w+)*(?:Error|Exception|Stale).*",
                (Path(folder) / "log").read_text(),
                re.MULTILINE,
            )
            print(f"faults: {faults[:5]} {dict(Counter(told))}", file=sys.stderr)
        done = [
            (
                DOORS[each.number % len(DOORS)],
                each.facts["task"],
                each.accepted,
                each.refused,
                each.known,
            )
            for each in crowd
        ]
        found = _part([*run, "--role", "count"], environment, json.dumps(done))
    accepted, refused = (sum(len(each[n]) for each in done) for n in (2, 3))
    return Result(accepted, refused, len(faults), **found)


def _at_once(deeds: list[Callable[[], Any]]) -> None:
    """Do things at the same moment, and wait until all are done."""
    gate = threading.Barrier(len(deeds))

    def start(deed: Callable[[], Any]) -> None:
        gate.wait()
        deed()

    threads = [threading.Thread(target=start, args=[deed], daemon=True) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _part(words: list[str], environment: dict[str, str], told: str = "") -> Any:
    done = subprocess.run(
        words, env=environment, cwd=ROOT, check=True, input=told, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


def set_up(writers: int, edits: int) -> None:
    """Make tasks with a step each and reports to accept.

    Print what each writer needs, and a session for all.
    """
    import datetime as dt

    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client as Browser

    from tests.factories import make_policy, make_task
    from tracker.domain.dates import today
    from tracker.domain.lights import cycle_of, reportable
    from tracker.models import ChecklistItem, Organization, ProgressUpdate, User

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver", *settings.ALLOWED_HOSTS]
    policy, now = make_policy(), today()
    unit = Organization.objects.create(name="Bureau of Science", short_name="Science")
    root = User.objects.create_superuser("root", is_liaison=True, organization=unit)
    tasks = []
    for number in range(TASKS + 1):
        task = make_task(
            policy, f"A1-{number:02}", kind="qualitative", lead_unit=unit, deadline=now + dt.timedelta(days=90),
            assigned_on=now - dt.timedelta(days=90), owed_from=now - dt.timedelta(days=90),
        )  # fmt: skip
        tasks.append(task)
    period = reportable(tasks[0], policy, now)[0].key(cycle_of(policy))
    facts = []
    for number in range(writers):
        task = tasks[(number // len(DOORS)) % TASKS]
        item, _made = ChecklistItem.objects.get_or_create(
            task=task, number=1, defaults={"title": "Step"}
        )
        reports = []
        if DOORS[number % len(DOORS)] == "accept":
            for edit in range(edits):
                day = dt.date(2000, 1, 1) + dt.timedelta(days=number * edits + edit)
                report = ProgressUpdate.objects.create(
                    task=task, unit=unit, period_start=day, period_end=day, state="submitted", submitted_on=now,
                    progress="done",
                )  # fmt: skip
                reports.append(report.pk)
        counts = {"TOTAL": 1, "INITIAL": 1, "MIN_NUM": 0, "MAX_NUM": 1000}
        form = {
            **{f"items-{name}_FORMS": str(value) for name, value in counts.items()},
            **{f"indicators-{name}_FORMS": "0" for name in counts},
            **{"items-0-id": str(item.pk), "items-0-task": str(task.pk), "items-0-number": "1"},
            **{"items-0-title": "Step", "items-0-weight": "1", "lead_unit": str(unit.pk)},
            **{
                "measure": str(task.measure_id),
                "code": task.code,
                "title": task.title,
                "kind": task.kind,
            },
            **{
                name: str(getattr(task, name))
                for name in ("deadline", "original_deadline", "assigned_on", "owed_from")
            },
            **{"reason": "drill"},
        }
        facts.append(
            {
                "task": task.pk,
                "page": task.get_absolute_url(),
                "report": f"{task.get_absolute_url()}report/?period={period}",
                "form": form,
                "reports": reports,
            }
        )
    last = tasks[-1]
    page, later = last.get_absolute_url(), (now + dt.timedelta(days=200)).isoformat()
    buttons = [
        (f"{page}do/acknowledge/", {"seen": str(last.version)}),
        (f"{page}report/?period={period}", {"progress": "once", "seen": "0", "submit": "1"}),
        (
            f"{page}do/request_extension/",
            {
                "deadline": later,
                "reason": "once",
                "progress": "half",
                "seen": str(last.version + 2),
            },
        ),
    ]
    browser = Browser()
    browser.force_login(root)
    browser.get("/login/")
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    cookies["csrftoken"] = "x" * 32
    print(json.dumps({"writers": facts, "buttons": buttons, "cookies": cookies}))


def count() -> None:
    """Read what was accepted and refused; print what is lost, not shown, or there twice."""
    from tracker.models import ProgressUpdate, Task

    lost = unseen = 0
    saves: dict[int, set[str]] = {}
    bases: dict[int, list[int]] = {}
    for door, key, accepted, refused, known in json.load(sys.stdin):
        history = {row.version: row for row in Task.history.filter(id=key)}
        if door == "admin":
            lost += len(set(accepted) - {row.remark for row in history.values()})
        elif door == "report":
            saves.setdefault(key, set()).update(accepted)
            bases.setdefault(key, []).extend(known)
        elif door == "accept":
            stand = ProgressUpdate.objects.filter(pk__in=accepted, state="accepted")
            lost += len(accepted) - sum(
                report.history.filter(state="accepted").count() == 1 for report in stand
            )
        for seen, then, own, shown in refused:
            theirs = (
                history[then].remark
                if door == "admin" and history[then].remark != history[seen].remark
                else ""
            )
            others = set(shown) - {own}
            unseen += (
                own not in shown
                or (bool(theirs) and theirs not in others)
                or (door == "report" and not others)
            )
    for task in Task.objects.all():
        versions = sorted(task.history.values_list("version", flat=True))
        # One row for each version: every save knew the one before it.
        lost += versions != list(range(1, task.version + 1))
    for key, texts in saves.items():
        draft = ProgressUpdate.objects.get(task=key, state="draft")
        # Each was built on what the one before it had left.
        lost += (sorted(bases[key]) != list(range(draft.version))) + (draft.progress not in texts)
    last = Task.objects.order_by("pk").last()
    if last is None:
        raise RuntimeError("no tasks")
    one = [
        last.version - len(("made", "acknowledged", "reported", "asked for more time")) + 1,
        last.reports.count(),
        ProgressUpdate.history.filter(task=last, history_type="+").count(),
        last.requests.count(),
    ]
    print(
        json.dumps(
            {"lost": lost, "unseen": unseen, "doubled": sum(abs(number - 1) for number in one)}
        )
    )


def main() -> None:
    """Run the drill, or one part of it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=30)
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--role", choices=("set_up", "count"))
    options = parser.parse_args()
    if not options.role:
        result = drill(options.writers, options.edits, os.environ.get("DATABASE_URL", ""))
        print(
            f"{result.accepted} edits accepted, {result.refused} refused and sent again: "
            f"{result.lost} lost,"
        )
        print(
            f"{result.unseen} refused without both texts, {result.doubled} done twice, "
            f"{result.faults} faults"
        )
        sys.exit(bool(result.lost or result.unseen or result.doubled or result.faults))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    import django

    django.setup()
    {"set_up": lambda: set_up(options.writers, options.edits), "count": count}[options.role]()


if __name__ == "__main__":
    main()
