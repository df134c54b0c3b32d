"""Who may see and do what: the scope of every role, what each may edit, and what nobody may."""

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser, Permission
from django.db.models import Model

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker.domain import permissions
from tracker.domain.choices import PolicyState
from tracker.domain.permissions import EditedBy, VisibilityScope
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Evidence,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
    User,
)

ROLES = ("supervisor", "liaison", "leader", "administrator", "superuser")
OF_POLICIES = (
    PolicyDocument,
    Section,
    Measure,
    Task,
    ChecklistItem,
    DeclaredCount,
    BackgroundPassage,
)


def account(*roles: str, unit: Organization | None = None, active: bool = True) -> User:
    """Make an account in memory; permissions ask nothing of the database."""
    flags = {f"is_{role}": True for role in roles}
    return User(username="x", organization=unit, is_active=active, **flags)


@pytest.fixture
def unit() -> Organization:
    return Organization(pk=7, name="Bureau of Science", short_name="Science")


@pytest.mark.parametrize(
    ("roles", "scope"),
    [
        ((), VisibilityScope.NOTHING),
        (("supervisor",), VisibilityScope.EVERYTHING),
        (("administrator",), VisibilityScope.EVERYTHING),
        (("superuser",), VisibilityScope.EVERYTHING),
        (("leader",), VisibilityScope.PUBLISHED),
        (("liaison",), VisibilityScope.UNIT),
    ],
)
def test_each_role_has_its_scope(
    roles: tuple[str, ...], scope: VisibilityScope, unit: Organization
) -> None:
    assert permissions.visibility_scope(account(*roles, unit=unit)) == scope


@pytest.mark.parametrize(
    ("roles", "scope"),
    [
        (("liaison", "leader"), VisibilityScope.PUBLISHED),
        (("liaison", "supervisor"), VisibilityScope.EVERYTHING),
        (("leader", "administrator"), VisibilityScope.EVERYTHING),
    ],
)
def test_of_several_roles_the_widest_counts(
    roles: tuple[str, ...], scope: VisibilityScope, unit: Organization
) -> None:
    assert permissions.visibility_scope(account(*roles, unit=unit)) == scope


def test_a_liaison_without_a_unit_sees_nothing() -> None:
    assert permissions.visibility_scope(account("liaison")) == VisibilityScope.NOTHING


@pytest.mark.parametrize("role", ROLES)
def test_a_disabled_account_sees_nothing(role: str, unit: Organization) -> None:
    assert (
        permissions.visibility_scope(account(role, unit=unit, active=False))
        == VisibilityScope.NOTHING
    )


def test_a_stranger_sees_nothing() -> None:
    assert permissions.visibility_scope(AnonymousUser()) == VisibilityScope.NOTHING


@pytest.mark.parametrize(
    ("role", "state", "sees"),
    [
        ("supervisor", PolicyState.DRAFT, True),
        ("administrator", PolicyState.DRAFT, True),
        ("superuser", PolicyState.DRAFT, True),
        ("leader", PolicyState.DRAFT, False),
        ("liaison", PolicyState.DRAFT, False),
        ("supervisor", PolicyState.PUBLISHED, True),
        ("leader", PolicyState.PUBLISHED, True),
        ("liaison", PolicyState.PUBLISHED, True),
    ],
)
@pytest.mark.django_db
def test_a_draft_exists_for_the_office_alone(
    role: str, state: str, sees: bool, unit: Organization
) -> None:
    policy = make_policy(state=state)
    assert (policy in PolicyDocument.objects.visible_to(account(role, unit=unit))) is sees


@pytest.mark.django_db
def test_a_published_policy_does_not_exist_for_an_account_without_roles() -> None:
    assert make_policy() not in PolicyDocument.objects.visible_to(account())


def test_only_a_liaison_sees_its_unit_only(unit: Organization) -> None:
    assert permissions.sees_only_unit(account("liaison", unit=unit)) == unit


@pytest.mark.parametrize("role", ["supervisor", "administrator", "leader", "superuser"])
def test_a_wider_role_lifts_the_liaison_out_of_its_unit(role: str, unit: Organization) -> None:
    assert permissions.sees_only_unit(account("liaison", role, unit=unit)) is None


@pytest.mark.parametrize(
    ("role", "policies", "units", "accounts", "admin"),
    [
        ("supervisor", True, True, False, True),
        ("administrator", False, True, True, True),
        ("superuser", True, True, True, True),
        ("leader", False, False, False, False),
        ("liaison", False, False, False, False),
    ],
)
def test_each_role_edits_what_is_its_own(
    role: str, policies: bool, units: bool, accounts: bool, admin: bool, unit: Organization
) -> None:
    user = account(role, unit=unit)
    assert (
        permissions.may_edit_policies(user),
        permissions.may_manage_units(user),
        permissions.may_manage_accounts(user),
        permissions.may_open_admin(user),
    ) == (policies, units, accounts, admin)


@pytest.mark.parametrize(
    "predicate",
    [
        permissions.may_edit_policies,
        permissions.may_manage_units,
        permissions.may_manage_accounts,
        permissions.may_open_admin,
    ],
)
@pytest.mark.parametrize("who", ["disabled", "stranger"])
def test_disabled_accounts_and_strangers_may_do_nothing(predicate: object, who: str) -> None:
    disabled = account("supervisor", "administrator", "superuser", active=False)
    assert predicate(disabled if who == "disabled" else AnonymousUser()) is False


def test_roles_add_up() -> None:
    user = account("supervisor", "administrator")
    edited = [model for model in apps.get_models() if hasattr(model, "edited_by")]
    edited = [model for model in edited if model.edited_by != EditedBy.NOBODY]
    assert edited
    assert all(permissions.may_edit(user, model) for model in edited)


@pytest.mark.parametrize("model", OF_POLICIES)
def test_policies_and_their_parts_are_the_supervisors(model: type[Model]) -> None:
    editors = [role for role in ROLES if permissions.may_edit(account(role), model)]
    assert editors == ["supervisor", "superuser"]


def test_units_are_the_supervisors_and_the_administrators() -> None:
    editors = [role for role in ROLES if permissions.may_edit(account(role), Organization)]
    assert editors == ["supervisor", "administrator", "superuser"]


def test_accounts_are_the_administrators() -> None:
    editors = [role for role in ROLES if permissions.may_edit(account(role), User)]
    assert editors == ["administrator", "superuser"]


@pytest.mark.parametrize(
    "model",
    [
        Task.history.model,
        User.history.model,
        AccessAttempt,
        LogEntry,
        Permission,
        ProgressUpdate,
        Evidence,
    ],
)
def test_what_declares_no_editors_is_edited_by_nobody(model: type[Model]) -> None:
    assert [role for role in ROLES if permissions.may_edit(account(role), model)] == []


def test_a_task_that_is_handed_over_is_not_deleted(policy: object, bureau: Organization) -> None:
    task = make_task(policy, lead_unit=bureau, assigned_on=TODAY)
    assert permissions.may_delete(account("superuser"), task) is False


def test_a_task_that_nobody_was_asked_to_do_is_deleted_by_the_supervisor(policy: object) -> None:
    task = make_task(policy)
    assert [role for role in ROLES if permissions.may_delete(account(role), task)] == [
        "supervisor",
        "superuser",
    ]


def test_a_published_policy_is_not_deleted(policy: object) -> None:
    assert permissions.may_delete(account("superuser"), policy) is False


@pytest.mark.django_db
def test_a_draft_is_deleted_by_the_supervisor() -> None:
    draft = make_policy(state=PolicyState.DRAFT)
    assert [role for role in ROLES if permissions.may_delete(account(role), draft)] == [
        "supervisor",
        "superuser",
    ]
