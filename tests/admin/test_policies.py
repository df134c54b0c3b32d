"""Policies, measures, units and accounts are as usable as tasks."""

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import make_task
from tracker.models import Measure, Organization, PolicyDocument, Section, Task, User


@pytest.fixture
def desk(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


def post_new(client: Client, model: str, **data: Any) -> int:
    return client.post(reverse(f"admin:tracker_{model}_add"), data).status_code


POLICY = {
    "title": "第二份", "slug": "second", "state": "draft", "warn_days": 7, "yellow_gap": 10, "red_gap": 30,
    "cycle": "monthly", "grace_days": 5,
}  # fmt: skip


def test_a_second_policy_is_entered_by_hand(desk: Client) -> None:
    assert post_new(desk, "policydocument", **POLICY) == 302
    policy = PolicyDocument.objects.get()
    assert post_new(desk, "section", policy=policy.pk, number=1, name="一") == 302
    assert (
        post_new(desk, "measure", section=Section.objects.get().pk, code="A1", order=1, name="举措")
        == 302
    )
    assert Measure.objects.get().policy == policy


def test_thresholds_out_of_order_are_refused_in_words(desk: Client) -> None:
    page = desk.post(reverse("admin:tracker_policydocument_add"), {**POLICY, "yellow_gap": 40})
    assert page.context["adminform"].form.errors
    assert not PolicyDocument.objects.exists()


def test_a_change_of_thresholds_in_the_admin_moves_the_lights(
    desk: Client, policy: PolicyDocument
) -> None:
    task = make_task(policy, deadline=dt.date(2026, 7, 31))
    data = {**POLICY, "slug": policy.slug, "state": "published", "seen": 1, "warn_days": 60}
    desk.post(reverse("admin:tracker_policydocument_change", args=[policy.pk]), data)
    assert Task.objects.get().turns_yellow_on < task.turns_yellow_on


def test_an_older_version_of_a_policy_is_not_saved(desk: Client, policy: PolicyDocument) -> None:
    data = {**POLICY, "slug": policy.slug, "seen": 1}
    url = reverse("admin:tracker_policydocument_change", args=[policy.pk])
    desk.post(url, data)
    page = desk.post(url, {**data, "title": "theirs"})
    assert page.status_code == 200
    assert PolicyDocument.objects.get().title == "第二份"


def test_a_name_that_another_unit_bears_is_refused(desk: Client, bureau: Organization) -> None:
    typed = {"name": "New", "short_name": "N", "aliases": "Tech", "order": 1, "active": "on"}
    page = desk.post(reverse("admin:tracker_organization_add"), typed)
    assert page.context["adminform"].form.errors
    assert Organization.objects.count() == 1


def test_units_are_offered_while_typing(desk: Client, bureau: Organization) -> None:
    query = {"term": "Sci", "app_label": "tracker", "model_name": "task", "field_name": "lead_unit"}
    found = desk.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [row["text"] for row in found] == ["Science"]


def test_an_administrator_makes_an_account_with_roles(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    data = {
        "username": "new",
        "usable_password": "true",
        "password1": "long enough 1",
        "password2": "long enough 1",
    }
    assert post_new(client, "user", **data, is_leader="on") == 302
    made = User.objects.get(username="new")
    assert made.is_leader
    assert made.history.first().history_user == administrator


def test_a_liaison_without_a_unit_is_refused(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    data = {
        "username": "new",
        "usable_password": "true",
        "password1": "long enough 1",
        "password2": "long enough 1",
    }
    assert post_new(client, "user", **data, is_liaison="on") == 200
    assert not User.objects.filter(username="new").exists()


def test_a_supervisor_sees_no_accounts(desk: Client) -> None:
    assert desk.get(reverse("admin:tracker_user_changelist")).status_code == 403


def test_an_account_is_never_deleted(client: Client, administrator: User, leader: User) -> None:
    client.force_login(administrator)
    assert (
        client.post(
            reverse("admin:tracker_user_delete", args=[leader.pk]), {"post": "yes"}
        ).status_code
        == 403
    )


def test_an_administrator_does_not_touch_a_superuser(client: Client, administrator: User) -> None:
    root = User.objects.create_superuser("root", password="a long password")
    client.force_login(administrator)
    url = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.post(url, {"password1": "x", "password2": "x"}).status_code == 403


def test_the_text_of_a_policy_comes_from_a_file(
    client: Client, supervisor: User, policy: PolicyDocument
) -> None:
    client.force_login(supervisor, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("admin:tracker_policydocument_change", args=[policy.pk])
    form = client.get(address).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value not in (None, "")}
    file = SimpleUploadedFile("text.txt", "一、修路\u202e".encode("gbk", "ignore"))
    client.post(address, {**data, "seen": policy.version, "text_file": file})
    policy.refresh_from_db()
    assert policy.full_text == "一、修路"


def test_a_file_that_is_no_text_is_said(
    client: Client, supervisor: User, policy: PolicyDocument
) -> None:
    client.force_login(supervisor, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("admin:tracker_policydocument_change", args=[policy.pk])
    answer = client.post(
        address, {"seen": policy.version, "text_file": SimpleUploadedFile("a.docx", b"PK\x03\x04")}
    )
    assert "text_file" in answer.context["adminform"].form.errors
