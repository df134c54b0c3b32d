"""Named people, a small policy, and a day on which the tests live."""

import datetime as dt
import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from django.apps import apps
from django.db import connection
from django.test import TransactionTestCase

from tests.factories import make_policy
from tests.sizes import size
from tracker.domain.choices import ChangeSource
from tracker.models import Organization, PolicyDocument, User, history_triggers
from tracker.web import jobs
from tracker.workflow import ChangeContext

# No test is timed, and none depends on what an earlier run has kept.
hypothesis.settings.register_profile(
    "sized", max_examples=size("EXAMPLES"), deadline=None, database=None
)
hypothesis.settings.load_profile("sized")

TODAY = dt.date(2026, 6, 15)
MORNING = dt.datetime(2026, 6, 15, 1, 0, tzinfo=dt.UTC)


def is_left_out(item: pytest.Item) -> bool:
    """Tell whether a test holds on another database alone, or reads an article that nobody has
    named.
    """
    other = "sqlite" if connection.vendor == "postgresql" else "postgresql"
    return bool(
        item.get_closest_marker(other)
        or (item.get_closest_marker("article") and "ARTICLE" not in os.environ)
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses the database, and leave out what does not hold here.

    Nothing of it is to be skipped.
    """
    for item in items:
        if item.get_closest_marker("django_db") or {"db", "transactional_db"} & {
            *getattr(item, "fixturenames", ())
        }:
            item.add_marker("database")
    if left_out := [item for item in items if is_left_out(item)]:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over thousands of tests, which live to the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let a skip fail in CI, where everything that a test needs has been installed."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome, report.longrepr = (
            "failed",
            f"skipped, which nothing may be in CI: {report.longrepr}",
        )
    return report


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the database go at the end, even where the last request of a browser that has left still
    holds it.
    """
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def flushing() -> Iterator[None]:
    """Let tests that really write empty the database.

    Take the guard of the history away and set it up again.
    """
    empty = TransactionTestCase._fixture_teardown

    def without_guard(test: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            for table in history_triggers.history_tables():
                for end in history_triggers.TRIGGERS[connection.vendor]:
                    of = f" ON {table}" if connection.vendor == "postgresql" else ""
                    cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{end}{of}")
        empty(test)
        history_triggers.make_triggers(apps.get_app_config("tracker"), "default")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", without_guard)
        yield


class Inline:
    """A thread that has ended as soon as it is started, in the transaction of the test."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._work = lambda: target(*args)

    def start(self) -> None:
        self._work()

    def join(self, _seconds: float) -> None:
        pass


@pytest.fixture(scope="session", autouse=True)
def long_work_at_once() -> Iterator[None]:
    """Let work that runs beside the pages see what a test has not committed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "Thread", Inline)
        patch.setattr(jobs, "_close_connections", lambda: None)
        yield


@pytest.fixture(autouse=True)
def settled_day(time_machine: Any) -> None:
    """Let every test live on one morning in Shanghai."""
    time_machine.move_to(MORNING, tick=False)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hash passwords quickly: the strength of a hash is no subject of a test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def own_evidence(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the evidence of tests away from that of the machine."""
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "evidence"
    settings.WORKING_DIR = tmp_path_factory.getbasetemp() / "working"


@pytest.fixture
def policy(db: None) -> PolicyDocument:
    return make_policy()


@pytest.fixture
def bureau(db: None) -> Organization:
    return Organization.objects.create(
        name="Bureau of Science", short_name="Science", order=10, aliases="Sci\nTech"
    )


@pytest.fixture
def county(db: None) -> Organization:
    return Organization.objects.create(name="County of the East", short_name="East", order=20)


@pytest.fixture
def supervisor(db: None) -> User:
    return User.objects.create_user("supervisor", password="a long password", is_supervisor=True)


@pytest.fixture
def leader(db: None) -> User:
    return User.objects.create_user("leader", password="a long password", is_leader=True)


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_user(
        "administrator", password="a long password", is_administrator=True
    )


@pytest.fixture
def liaison(bureau: Organization) -> User:
    return User.objects.create_user(
        "liaison", password="a long password", is_liaison=True, organization=bureau
    )


@pytest.fixture
def act(supervisor: User) -> ChangeContext:
    return ChangeContext(supervisor, ChangeSource.PAGE, "because")


@pytest.fixture
def unit_act(liaison: User) -> ChangeContext:
    return ChangeContext(liaison, ChangeSource.PAGE)
