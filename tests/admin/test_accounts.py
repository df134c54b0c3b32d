"""Accounts and units in the admin: the administrator keeps them, and edits no policy."""

from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.admin.test_tasks import many
from tests.factories import make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource
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
    words = {
        "username": user.username,
        "organization": user.organization_id or "",
        **flags,
        **facts,
    }
    return client.post(
        address(user), {name: value for name, value in words.items() if value is not None}
    )


def test_the_form_of_a_new_account_promises_no_further_options(desk: Client) -> None:
    page = desk.get(reverse("admin:tracker_user_add")).content.decode()
    assert "more user options" not in page


def test_an_account_is_disabled_and_stays_in_the_list(desk: Client, leader: User) -> None:
    change(desk, leader, is_active=None)
    assert User.objects.get(pk=leader.pk).is_active is False
    assert "leader" in desk.get(reverse("admin:tracker_user_changelist")).content.decode()


def test_a_role_is_given_and_the_history_says_by_whom(
    desk: Client, leader: User, administrator: User
) -> None:
    change(desk, leader, is_supervisor="on")
    row = leader.history.first()
    assert (row.is_supervisor, row.history_user, row.way) == (
        True,
        administrator,
        ChangeSource.ADMIN,
    )


@pytest.mark.parametrize("flag", ["is_supervisor", "is_leader"])
def test_nobody_gives_a_role_to_the_own_account(
    desk: Client, administrator: User, flag: str
) -> None:
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
    assert [change(desk, root, is_active=None).status_code, desk.get(password).status_code] == [
        403,
        403,
    ]


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
    assert (
        f'value="{action}"'
        not in desk.get(reverse("admin:tracker_task_changelist")).content.decode()
    )


@pytest.mark.parametrize(
    "model", ["policydocument", "section", "measure", "declaredcount", "backgroundpassage"]
)
def test_an_administrator_is_offered_no_new_part_of_a_policy(desk: Client, model: str) -> None:
    page = desk.get(reverse("admin:index")).content.decode()
    assert reverse(f"admin:tracker_{model}_changelist") in page
    assert reverse(f"admin:tracker_{model}_add") not in page


@pytest.mark.parametrize("who", ["leader", "liaison"])
def test_who_only_reads_or_reports_has_no_admin(
    client: Client, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("admin:index")).status_code == 403
    assert reverse("admin:index") not in client.get(reverse("home")).content.decode()


def test_a_supervisor_sees_no_accounts(client: Client, supervisor: User) -> None:
    client.force_login(supervisor)
    assert client.get(reverse("admin:tracker_user_changelist")).status_code == 403
    assert (
        reverse("admin:tracker_user_changelist")
        not in client.get(reverse("admin:index")).content.decode()
    )


def test_the_history_of_an_account_is_read_and_not_written(desk: Client, leader: User) -> None:
    change(desk, leader, is_supervisor="on")
    page = desk.get(reverse("admin:tracker_user_history", args=[leader.pk])).content.decode()
    assert "<form" not in page[page.index('id="content-main"') :]
    assert not [
        model
        for model in desk.get(reverse("admin:index")).context["app_list"][0]["models"]
        if "istor" in model["object_name"]
    ]


def test_nobody_becomes_supervisor_and_administrator(desk: Client, leader: User) -> None:
    page = change(desk, leader, is_supervisor="on", is_administrator="on")
    assert page.context["adminform"].form.non_field_errors()
    leader.refresh_from_db()
    assert (leader.is_supervisor, leader.is_administrator) == (False, False)


def test_no_supervisor_becomes_administrator(desk: Client, supervisor: User) -> None:
    change(desk, supervisor, is_administrator="on")
    assert User.objects.get(pk=supervisor.pk).is_administrator is False


def test_no_new_account_gets_both_roles(desk: Client) -> None:
    words = {
        "username": "wang",
        "usable_password": "false",
        "is_supervisor": "on",
        "is_administrator": "on",
    }
    desk.post(reverse("admin:tracker_user_add"), words)
    assert not User.objects.filter(username="wang").exists()


def test_no_other_path_gives_both_roles(db: None, supervisor: User) -> None:
    supervisor.is_administrator = True
    with pytest.raises(workflow.writes.ValidationError):
        workflow.save_object(supervisor, workflow.ChangeContext(None, ChangeSource.COMMAND))


def test_who_has_both_roles_keeps_them(desk: Client) -> None:
    both = User.objects.create_user("both", is_supervisor=True, is_administrator=True)
    change(desk, both, first_name="Anew")
    both.refresh_from_db()
    assert (both.first_name, both.is_supervisor, both.is_administrator) == ("Anew", True, True)


def test_both_roles_are_given_where_the_setting_allows_it(
    desk: Client, leader: User, settings: Any
) -> None:
    settings.SEPARATE_ROLES = False
    change(desk, leader, is_supervisor="on", is_administrator="on")
    leader.refresh_from_db()
    assert (leader.is_supervisor, leader.is_administrator) == (True, True)


def test_a_check_names_who_has_both_roles(db: None, capsys: Any, settings: Any) -> None:
    User.objects.create_user("both", is_supervisor=True, is_administrator=True)
    User.objects.create_user("one", is_supervisor=True)
    call_command("check", databases=["default"])
    told = capsys.readouterr().err
    assert "at once: both." in told
    settings.SEPARATE_ROLES = False
    call_command("check", databases=["default"])
    assert "at once" not in capsys.readouterr().err


GIVEN, OWN = "given out by the desk", "chosen by myself alone"


def reset(client: Client, user: User) -> HttpResponse:
    words = {"password1": GIVEN, "password2": GIVEN, "usable_password": "true", "set-password": "1"}
    return client.post(reverse("admin:auth_user_password_change", args=[user.pk]), words)


@pytest.fixture
def after_reset(desk: Client, supervisor: User) -> Client:
    """Log in with a password that the administrator has set."""
    reset(desk, supervisor)
    client = Client()
    client.cookies["django_language"] = "en"
    client.post(reverse("login"), {"username": "supervisor", "password": GIVEN})
    return client


def choose(client: Client) -> HttpResponse:
    words = {"old_password": GIVEN, "new_password1": OWN, "new_password2": OWN}
    return client.post(reverse("password"), words)


def test_a_reset_is_in_the_history_with_who_and_when(
    desk: Client, supervisor: User, administrator: User
) -> None:
    reset(desk, supervisor)
    row = supervisor.history.first()
    assert (row.history_user, row.way, row.password_set_by) == (
        administrator,
        ChangeSource.ADMIN,
        "administrator",
    )
    assert row.password_set_at == row.history_date
    page = desk.get(reverse("admin:tracker_user_history", args=[supervisor.pk])).content.decode()
    assert "administrator" in page
    assert "2026" in page


def test_a_second_reset_is_in_the_history_too(
    desk: Client, supervisor: User, time_machine: Any
) -> None:
    reset(desk, supervisor)
    time_machine.shift(60)
    before = supervisor.history.count()
    reset(desk, supervisor)
    assert supervisor.history.count() == before + 1


def test_a_reset_password_opens_nothing_but_the_page_that_changes_it(after_reset: Client) -> None:
    assert after_reset.get("/")["Location"] == reverse("password")


def test_a_person_is_told_at_the_log_in_who_set_the_password_and_when(after_reset: Client) -> None:
    page = after_reset.get(reverse("password")).content.decode()
    assert "2026-06-15 09:00 · administrator" in page
    assert "tell the supervision office" in page


def test_a_person_is_told_by_mail(desk: Client, supervisor: User, settings: Any) -> None:
    settings.EMAIL_URL = "console:"
    User.objects.filter(pk=supervisor.pk).update(email="sup@example.gov")
    reset(desk, supervisor)
    (sent,) = mail.outbox
    assert sent.to == ["sup@example.gov"]
    assert "administrator" in sent.body
    assert GIVEN not in sent.body


@pytest.mark.parametrize(("address", "url"), [("", "console:"), ("sup@example.gov", "")])
def test_without_an_address_or_a_server_no_mail_goes_out(
    desk: Client, supervisor: User, settings: Any, address: str, url: str
) -> None:
    settings.EMAIL_URL = url
    User.objects.filter(pk=supervisor.pk).update(email=address)
    assert reset(desk, supervisor).status_code == 302
    assert mail.outbox == []


def test_a_mail_server_that_fails_stops_no_reset(
    desk: Client, supervisor: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("refused")

    settings.EMAIL_URL = "console:"
    User.objects.filter(pk=supervisor.pk).update(email="sup@example.gov")
    monkeypatch.setattr("tracker.web.account_mail.send_mail", fail)
    assert reset(desk, supervisor).status_code == 302
    supervisor.refresh_from_db()
    assert supervisor.check_password(GIVEN)


@pytest.fixture
def acted(after_reset: Client, policy: PolicyDocument) -> Client:
    """Change a policy in the session that the reset password opened."""
    choose(after_reset)
    page = reverse("admin:tracker_section_change", args=[policy.sections.first().pk])
    words = {
        "policy": policy.pk,
        "number": 1,
        "name": "Anew",
        "anchor": "",
        "seen": 1,
        "reason": "no reason",
    }
    assert after_reset.post(page, words).status_code == 302
    return after_reset


def test_what_follows_a_reset_is_marked_in_its_history(
    acted: Client, policy: PolicyDocument
) -> None:
    assert policy.sections.first().history.first().way == ChangeSource.ADMIN_AFTER_RESET


def test_what_follows_a_reset_stands_beside_it(
    acted: Client, desk: Client, supervisor: User
) -> None:
    page = desk.get(reverse("admin:tracker_user_history", args=[supervisor.pk]))
    assert [(event.reason, "Anew" in event.subject) for event in page.context["followed"]] == [
        ("no reason", True)
    ]
    assert "no reason" in page.content.decode()


def test_a_session_of_ones_own_password_is_not_marked(
    acted: Client, policy: PolicyDocument
) -> None:
    client = Client()
    client.post(reverse("login"), {"username": "supervisor", "password": OWN})
    section = policy.sections.last()
    page = reverse("admin:tracker_section_change", args=[section.pk])
    client.post(page, {"policy": policy.pk, "number": 2, "name": "Anew", "anchor": "", "seen": 1})
    assert section.history.first().way == ChangeSource.ADMIN


def test_an_administrator_resets_no_superuser(desk: Client) -> None:
    root = User.objects.create_superuser("root", password="a long password")
    assert reset(desk, root).status_code == 403
    root.refresh_from_db()
    assert root.check_password("a long password")
