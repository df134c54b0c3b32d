"""A changed rule reaches what is stored.

By migrating, by hand, and a check says when it has not.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests.conftest import TODAY
from tests.domain.test_lights import CASES, FACTS, REQUESTS, THRESHOLDS, native
from tests.factories import make_task
from tracker import workflow
from tracker.domain import lights
from tracker.domain.codes import code_key
from tracker.domain.dates import DAY
from tracker.domain.folding import fold
from tracker.domain.passages import ClauseFinder
from tracker.models import Measure, PolicyDocument, Section, StoredRules, Task
from tracker.models.task import letter_mask
from tracker.workflow import derivation, rules_version

TEXTS = ("Ａ１－０１ “５Ｇ”", "caf\u00e9 Ⅲ㎡ （1）", "STRASSE ß", "枢\u200b纽、一张蓝图")
# The values that the rules of each version give; a new version gets a new line, an old one is never
# changed.
DIGESTS = {1: "92e87879fef6f036"}


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def task(policy: PolicyDocument) -> Task:
    found = make_task(policy, deadline=TODAY + 30 * DAY)
    rules_version.refresh_all()
    return found


def said(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def checked() -> list[str]:
    return [str(message.id) for message in rules_version.check_rules(databases=["default"])]


def turns_a_day_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change a rule as a release would: the deadline is red from its own day."""
    plain = lights._deadline

    def earlier(task: Any, policy: Any) -> Any:
        turn = plain(task, policy)
        return turn and lights.LightChange(turn.cause, turn.yellow_on, turn.red_on - DAY)

    monkeypatch.setattr(lights, "_deadline", earlier)
    monkeypatch.setattr(derivation, "RULES_VERSION", derivation.RULES_VERSION + 1)
    monkeypatch.setattr(rules_version, "RULES_VERSION", derivation.RULES_VERSION)


def test_migrating_corrects_the_lights_that_older_rules_have_stored(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns_a_day_earlier(monkeypatch)
    before = task.turns_red_on
    words = said("migrate")
    task.refresh_from_db()
    assert (before, task.turns_red_on) == (task.deadline + DAY, task.deadline)
    assert "1 tasks recalculated, 1 corrected" in words


def test_migrating_is_no_edit_of_a_task(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    turns_a_day_earlier(monkeypatch)
    before = (task.version, task.history.count())
    call_command("migrate", verbosity=0)
    assert (Task.objects.get().version, task.history.count()) == before


def test_migrating_by_the_same_rules_derives_nothing(task: Task) -> None:
    Task.objects.update(search="wrong on purpose")
    with CaptureQueriesContext(connection) as queries:
        assert rules_version.refresh_due() is None
    assert (len(queries), Task.objects.get().search) == (1, "wrong on purpose")


def test_migrating_a_new_database_stores_the_version(db: None) -> None:
    StoredRules.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert StoredRules.current() == derivation.RULES_VERSION


def test_an_older_state_of_the_database_is_left_alone(task: Task) -> None:
    class Older:
        app_configs = {"tracker": None}

        @staticmethod
        def get_app_config(label: str) -> Any:
            return Older

        @staticmethod
        def get_models() -> list[Any]:
            return [Section]

    StoredRules.objects.all().delete()
    rules_version.follow_rules(apps.get_app_config("tracker"), "default", apps=Older)
    assert StoredRules.current() == 0


def test_a_check_says_that_the_stored_rules_are_older(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns_a_day_earlier(monkeypatch)
    assert checked() == ["tracker.W3"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"turns_yellow_on": None, "turns_red_on": None},
        {"percent": 7},
        {"search": ""},
        {"sort_key": "x"},
        {"code_key": "x"},
        {"letters": 1},
        {"follows_indicator": True},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_stale_column_is_found_by_the_check_and_corrected_by_hand(
    task: Task, wrong: dict[str, Any]
) -> None:
    Task.objects.update(**wrong)
    before = checked()
    words = [said("refresh_lights", "--dry-run"), said("refresh_lights")]
    assert (before, checked()) == (["tracker.W4"], [])
    assert words == ["1 tasks, 1 to correct.\n", "1 tasks, 1 corrected.\n"]


def test_a_dry_run_changes_nothing_and_names_both_versions(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns_a_day_earlier(monkeypatch)
    words = said("refresh_lights", "--dry-run")
    assert words == "Rules: version 1 stored, version 2 in the program.\n1 tasks, 1 to correct.\n"
    assert (StoredRules.current(), Task.objects.get().turns_red_on) == (1, task.turns_red_on)


def test_measures_get_their_order_too(policy: PolicyDocument) -> None:
    Measure.objects.update(code_key="")
    said("refresh_lights")
    assert {measure.code_key for measure in Measure.objects.all()} == {
        code_key("A1"),
        code_key("B1"),
    }


def test_where_nothing_is_stale_the_check_is_silent(task: Task) -> None:
    assert checked() == []


def test_a_database_without_tasks_is_not_stale(db: None) -> None:
    StoredRules.objects.all().delete()
    assert checked() == []


def test_a_rule_that_gives_other_values_raises_the_version() -> None:
    # Where this fails a rule has changed: raise RULES_VERSION in workflow/derivation.py and add
    # its line to DIGESTS.
    assert _digest() == DIGESTS[derivation.RULES_VERSION]


def _digest() -> str:
    """Return a digest of what the rules make of all cases of the light, and of some texts and
    codes.
    """
    found: list[Any] = []
    found += [_dates_of(case) for case in CASES]
    found += [[fold(text), letter_mask(fold(text))] for text in TEXTS]
    found += [code_key(code) for code in ("A1-2", "a10.3-X", "B1-002")]
    task = Task(
        code="A1-2", title="名", description="要求", remark="备注", anchor="蓝图",
        measure=Measure(code="A1", order=1, name="举措", section=Section(number=1)),
    )  # fmt: skip
    found += [task.place, task.words([], ClauseFinder("一张蓝图绘到底，别的。"))]
    return hashlib.sha256(json.dumps(found, ensure_ascii=False).encode()).hexdigest()[:16]


def _dates_of(case: dict[str, str]) -> list[str]:
    task = SimpleNamespace(**native(case, FACTS + REQUESTS))
    return [
        str(day) for day in lights.turning_dates(task, SimpleNamespace(**native(case, THRESHOLDS)))
    ]


@pytest.mark.parametrize("yellow", [None, TODAY + DAY])
def test_the_migration_orders_the_dates_of_a_filled_database(task: Task, yellow: Any) -> None:
    with unconstrained():
        Task.objects.update(turns_yellow_on=yellow, turns_red_on=TODAY)
    import_module("tracker.migrations.0017_yellow_before_red").order(apps, None)
    assert Task.objects.values_list("turns_yellow_on").get() == (TODAY,)


@contextmanager
def unconstrained() -> Iterator[None]:
    """Let rows in that a constraint refuses, as an earlier release did."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Until the test is rolled back.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else what is pending forbids it
            cursor.execute("ALTER TABLE tracker_task DROP CONSTRAINT task_yellow_before_red")
            yield
            return
        cursor.execute("PRAGMA ignore_check_constraints = 1")
        yield
        cursor.execute("PRAGMA ignore_check_constraints = 0")


def test_the_version_is_of_what_one_save_derives(task: Task) -> None:
    assert set(workflow.DERIVED) >= {
        "percent",
        "turns_yellow_on",
        "turns_red_on",
        "search",
        "sort_key",
        "code_key",
    }
