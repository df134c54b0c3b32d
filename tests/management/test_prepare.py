"""`prepare`: what is absent is laid once, what is there is left alone."""

import os
import re
import sqlite3
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.translation import override

from tests.conftest import TODAY
from tests.factories import make_policy
from tests.management.test_loaddata import dump
from tracker import workflow
from tracker.domain.choices import ChangeSource, PolicyState
from tracker.domain.permissions import VisibilityScope, visibility_scope
from tracker.management.commands import prepare as command
from tracker.models import Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext

ROOT = Path(__file__).resolve().parents[2]
SAMPLE, DEMO = "central-china-rise", "central-china-rise-demo"


def prepare() -> str:
    out = StringIO()
    with override("en"):
        call_command("prepare", stdout=out)
    return out.getvalue()


def slugs() -> set[str]:
    return set(PolicyDocument.objects.values_list("slug", flat=True))


@pytest.fixture
def new_database(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command find a database without tables."""
    none = SimpleNamespace(introspection=SimpleNamespace(table_names=list))
    monkeypatch.setattr(command, "connection", none)


@pytest.mark.django_db
def test_units_the_sample_and_a_first_account_are_laid() -> None:
    prepare()
    assert slugs() == {SAMPLE}
    assert (Organization.objects.count(), User.objects.count()) == (58, 1)


@pytest.mark.django_db
def test_a_second_run_changes_no_row_and_says_nothing() -> None:
    prepare()
    before = dump()
    assert prepare() == ""
    assert dump() == before


@pytest.mark.django_db
def test_the_first_account_may_do_everything_with_the_password_shown() -> None:
    name, password = re.search(r"name (\S+), password (\S+)", prepare()).groups()
    user = User.objects.get(username=name)
    assert user.check_password(password)
    assert (visibility_scope(user), user.is_superuser) == (VisibilityScope.EVERYTHING, True)


@pytest.mark.django_db
def test_the_password_is_shown_once() -> None:
    said = [prepare(), prepare()]
    assert ["password" in text for text in said] == [True, False]


@pytest.mark.django_db
def test_the_first_account_has_a_history() -> None:
    prepare()
    assert [(row.history_type, row.way) for row in User.history.all()] == [
        ("+", ChangeSource.COMMAND)
    ]


def test_where_there_is_an_account_none_is_made(supervisor: User) -> None:
    assert "password" not in prepare()
    assert list(User.objects.all()) == [supervisor]


def test_a_disabled_account_counts_as_one(supervisor: User) -> None:
    supervisor.is_active = False
    supervisor.save()
    prepare()
    assert list(User.objects.all()) == [supervisor]


def delete_the_sample(act: ChangeContext) -> None:
    """Take the sample back into a draft and delete it, as a supervisor may."""
    sample = PolicyDocument.objects.get(slug=SAMPLE)
    sample.state = PolicyState.DRAFT
    workflow.save_object(sample, act)
    workflow.delete_object(sample, act)


def test_a_sample_that_the_office_has_deleted_does_not_come_back(act: ChangeContext) -> None:
    prepare()
    delete_the_sample(act)
    prepare()
    assert slugs() == set()


def test_what_the_office_has_edited_stays(act: ChangeContext) -> None:
    prepare()
    task = Task.objects.get(code="A1-01")
    task.title = "Our own words"
    workflow.save_task(task, act, task.version, today=TODAY)
    before = dump()
    prepare()
    assert dump() == before


def test_a_unit_that_the_office_has_deleted_does_not_come_back(act: ChangeContext) -> None:
    prepare()
    delete_the_sample(act)
    workflow.delete_object(Organization.objects.first(), act)
    prepare()
    assert Organization.objects.count() == 57


def test_an_office_with_its_own_policy_still_gets_the_sample_once(supervisor: User) -> None:
    make_policy("own")
    prepare()
    assert slugs() == {"own", SAMPLE}


def test_a_new_database_gets_the_demonstration(new_database: None) -> None:
    prepare()
    assert slugs() == {SAMPLE, DEMO}


def test_the_demonstration_is_declined_with_demo_0(
    new_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO", "0")
    prepare()
    assert slugs() == {SAMPLE}


@pytest.mark.django_db
def test_a_demonstration_that_was_cleared_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare()
    call_command("load_demo", stdout=StringIO())
    call_command("load_demo", "--clear", stdout=StringIO())
    prepare()
    assert slugs() == {SAMPLE}


@pytest.mark.parametrize(("demo", "expected"), [("", {SAMPLE, DEMO}), ("0", {SAMPLE})])
def test_a_file_that_is_not_there_yet_becomes_a_database(
    tmp_path: Path, demo: str, expected: set[str]
) -> None:
    run(tmp_path, demo)
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        found = {slug for (slug,) in database.execute("SELECT slug FROM tracker_policydocument")}
    database.close()
    assert found == expected


def run(folder: Path, demo: str) -> Any:
    """Run the command as a person at a new machine does."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "DEBUG", "PRODUCTION")
    }
    environment = {**kept, "DATA_DIR": str(folder), "DEMO": demo}
    return subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.mark.django_db
def test_an_office_with_units_of_its_own_goes_without_the_sample() -> None:
    Organization.objects.create(name="Bureau of Tides", short_name="Tides")
    assert "not loaded" in prepare()
    assert slugs() == set()
