"""Accounts and units in the admin: the administrator keeps them, and edits no policy."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin.test_tasks import many
from tests.factories import make_task
from tracker.choices import Way
from tracker.models import Organization, PolicyDocument, Task, User

FLAGS = ("is_liaison", "is_supervisor", "is_leader", "is_administrator")


@pytest.fixture
def desk(client: Client, administrator: User) -> Client:
    client.force_login(administrator)
    return client


def address(user: User) -> str:
    return reverse("admin:tracker_user_change", args=[user.pk])


def change(client: Client, user: User, **facts: Any) -> Any:
    """Send the form of an account as a browser does, with some fields typed anew."""
    flags = {name: "on" for name in ("is_active", *FLAGS) if getattr(user, name)}
    words = {"username": user.username, "organization": user.organization_id or "", **flags, **facts}
    return client.post(address(user), {name: value for name, value in words.items() if value is not None})


def test_an_account_is_disabled_and_stays_in_the_list(desk: Client, leader: User) -> None:
    change(desk, leader, is_active=None)
    assert User.objects.get(pk=leader.pk).is_active is False
    assert "leader" in desk.get(reverse("admin:tracker_user_changelist")).content.decode()


def test_a_role_is_given_and_the_history_says_by_whom(desk: Client, leader: User, administrator: User) -> None:
    change(desk, leader, is_supervisor="on")
    row = leader.history.first()
    assert (row.is_supervisor, row.history_user, row.way) == (True, administrator, Way.ADMIN)


@pytest.mark.parametrize("flag", ["is_supervisor", "is_leader"])
def test_nobody_gives_a_role_to_the_own_account(desk: Client, administrator: User, flag: str) -> None:
    change(desk, administrator, **{flag: "on"})
    administrator.refresh_from_db()
    assert getattr(administrator, flag) is False


def test_a_superuser_does_for_set_up_and_rescue(client: Client, db: None) -> None:
    root = User.objects.create_superuser("root")
    client.force_login(root)
    change(client, root, is_supervisor="on")
    assert User.objects.get(pk=root.pk).is_supervisor is True


def test_nobody_becomes_a_superuser_in_the_admin(desk: Client, leader: User) -> None:
    change(desk, leader, is_superuser="on", is_staff="on")
    leader.refresh_from_db()
    assert (leader.is_superuser, leader.is_staff) == (False, False)


def test_a_superusers_account_is_changed_by_superusers_alone(desk: Client) -> None:
    root = User.objects.create_superuser("root")
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert [change(desk, root, is_active=None).status_code, desk.get(password).status_code] == [403, 403]


def test_a_liaison_without_a_unit_is_refused_in_words(desk: Client, leader: User) -> None:
    page = change(desk, leader, is_liaison="on")
    assert page.context["adminform"].form.errors
    assert User.objects.get(pk=leader.pk).is_liaison is False


@pytest.mark.parametrize("action", ["delete_selected", "delete"])
def test_no_account_is_deleted(desk: Client, leader: User, action: str) -> None:
    words = {"action": action, "_selected_action": [leader.pk], "post": "yes"}
    desk.post(reverse("admin:tracker_user_changelist"), words)
    desk.post(reverse("admin:tracker_user_delete", args=[leader.pk]), {"post": "yes"})
    assert User.objects.filter(pk=leader.pk).exists()


def test_an_administrator_keeps_the_units(desk: Client, bureau: Organization) -> None:
    words = {"name": bureau.name, "short_name": "Anew", "order": 3, "seen": bureau.version}
    desk.post(reverse("admin:tracker_organization_change", args=[bureau.pk]), words)
    assert Organization.objects.get().short_name == "Anew"


@pytest.mark.parametrize("action", ["hand_over", "set_deadline", "set_status"])
def test_an_administrator_changes_no_tasks_at_once(
    desk: Client, policy: PolicyDocument, bureau: Organization, action: str
) -> None:
    task = make_task(policy, lead_unit=bureau)
    before = Task.objects.values().get()
    words = {"on": "2026-06-15", "deadline": "2026-09-30", "status": "suspended"}
    desk.post(reverse("admin:tracker_task_changelist"), many([task], action, **words))
    assert Task.objects.values().get() == before
    assert f'value="{action}"' not in desk.get(reverse("admin:tracker_task_changelist")).content.decode()


@pytest.mark.parametrize("model", ["policydocument", "section", "measure", "declaredcount", "backgroundpassage"])
def test_an_administrator_is_offered_no_new_part_of_a_policy(desk: Client, model: str) -> None:
    page = desk.get(reverse("admin:index")).content.decode()
    assert reverse(f"admin:tracker_{model}_changelist") in page
    assert reverse(f"admin:tracker_{model}_add") not in page


@pytest.mark.parametrize("who", ["leader", "liaison"])
def test_who_only_reads_or_reports_has_no_admin(client: Client, who: str, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("admin:index")).status_code == 403
    assert reverse("admin:index") not in client.get(reverse("home")).content.decode()


def test_a_supervisor_sees_no_accounts(client: Client, supervisor: User) -> None:
    client.force_login(supervisor)
    assert client.get(reverse("admin:tracker_user_changelist")).status_code == 403
    assert reverse("admin:tracker_user_changelist") not in client.get(reverse("admin:index")).content.decode()


def test_the_history_of_an_account_is_read_and_not_written(desk: Client, leader: User) -> None:
    change(desk, leader, is_supervisor="on")
    page = desk.get(reverse("admin:tracker_user_history", args=[leader.pk])).content.decode()
    assert "<form" not in page[page.index('id="content-main"') :]
    assert not [
        model
        for model in desk.get(reverse("admin:index")).context["app_list"][0]["models"]
        if "istor" in model["object_name"]
    ]
