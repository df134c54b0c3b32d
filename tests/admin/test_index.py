"""The index of the admin: every model stands where its admin class says."""

from django.contrib import admin
from django.test import Client

from tracker.admin.base import RoleAdmin
from tracker.models import User


def own_admins() -> list[RoleAdmin]:
    return [each for each in admin.site._registry.values() if isinstance(each, RoleAdmin)]


def test_every_admin_class_declares_its_position_in_the_index() -> None:
    assert [each for each in own_admins() if each.index_position is None] == []


def test_no_two_admin_classes_declare_the_same_position() -> None:
    positions = [each.index_position for each in own_admins()]
    assert sorted(positions) == sorted(set(positions))


def test_the_index_lists_the_models_by_their_positions(administrator: User, client: Client) -> None:
    client.force_login(administrator)
    response = client.get("/admin/")
    [app] = [each for each in response.context["app_list"] if each["app_label"] == "tracker"]
    names = [model["object_name"] for model in app["models"]]
    declared = sorted(own_admins(), key=lambda each: each.index_position or 0)
    order = [each.model._meta.object_name for each in declared]
    assert names == [name for name in order if name in names]
    assert names[:2] == ["Task", "Indicator"]
