"""Named people, a small policy, and a day on which the tests live."""

import datetime as dt
from typing import Any

import pytest

from tests.factories import make_policy
from tracker.choices import Way
from tracker.models import Organization, PolicyDocument, User
from tracker.workflow import Act

TODAY = dt.date(2026, 6, 15)


@pytest.fixture(autouse=True)
def settled_day(time_machine: Any) -> None:
    """Let every test live on one morning in Shanghai."""
    time_machine.move_to(dt.datetime(2026, 6, 15, 1, 0, tzinfo=dt.UTC), tick=False)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hash passwords quickly: the strength of a hash is no subject of a test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def own_evidence(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the evidence of tests away from that of the machine."""
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "evidence"


@pytest.fixture
def policy(db: None) -> PolicyDocument:
    return make_policy()


@pytest.fixture
def bureau(db: None) -> Organization:
    return Organization.objects.create(name="Bureau of Science", short_name="Science", order=10, aliases="Sci\nTech")


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
    return User.objects.create_user("administrator", password="a long password", is_administrator=True)


@pytest.fixture
def liaison(bureau: Organization) -> User:
    return User.objects.create_user("liaison", password="a long password", is_liaison=True, organization=bureau)


@pytest.fixture
def act(supervisor: User) -> Act:
    return Act(supervisor, Way.PAGE, "because")
