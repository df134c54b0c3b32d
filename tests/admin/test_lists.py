"""The lists and add pages of the admin read their addresses and their forms without a fault."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.factories import make_task
from tracker.models import ChecklistItem, Measure, Organization, PolicyDocument, Task, User


@pytest.fixture
def desk(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


ADDRESSES = [
    ("task", "policy__id__exact=%C2%B2"),
    ("task", "policy__id__exact=" + "9" * 30),
    ("task", "measure__section=%C2%B2"),
    ("task", "measure=" + "9" * 30),
    ("task", "unit=%C2%B2"),
    ("task", "unit=" + "9" * 30),
    ("task", "light=%C2%B2"),
    ("task", "p=99999999999"),
    ("task", "title__regex=((("),
    ("task", "percent__in=" + "9" * 30),
    ("task", "status__exact=%00"),
    ("sentreminder", "day__year=99999999999"),
]


@pytest.mark.parametrize(("model", "query"), ADDRESSES)
def test_a_filter_that_cannot_be_read_is_said_and_the_whole_list_shown(
    desk: Client, policy: PolicyDocument, model: str, query: str
) -> None:
    make_task(policy)
    answer = desk.get(reverse(f"admin:tracker_{model}_changelist") + f"?{query}", follow=True)
    assert answer.status_code == 200
    if answer.redirect_chain:
        assert answer.redirect_chain[-1][0] == reverse(f"admin:tracker_{model}_changelist")
        assert len(list(answer.context["messages"])) == 1


@pytest.mark.parametrize(
    "query", ["lead_unit=" + "9" * 30, "lead_unit=%C2%B2", "co_units=1%2C%C2%B2", "measure=x"]
)
def test_a_first_value_that_names_nothing_is_left_out(desk: Client, query: str) -> None:
    assert desk.get(reverse("admin:tracker_task_add") + f"?{query}&title=Kept").context["adminform"].form.initial == {
        "title": "Kept", "seen": 0,
    }  # fmt: skip


@pytest.mark.parametrize("value", ["%C2%B2", "9" * 30, "true"])
def test_a_unit_that_is_none_is_refused_by_the_form(
    desk: Client, policy: PolicyDocument, value: str
) -> None:
    sent = f"measure={policy.measures.first().pk}&code=A1-01&title=x&lead_unit={value}&co_units={value}"
    kind = "application/x-www-form-urlencoded"
    answer = desk.generic("POST", reverse("admin:tracker_task_add"), sent, kind)
    assert answer.status_code == 200
    assert {"lead_unit", "co_units"} <= answer.context["adminform"].form.errors.keys()


@pytest.mark.parametrize(
    "sent",
    [
        {"_selected_action": "²"},
        {"_selected_action": "9" * 30},
        {"index": "²"},
        {"action": ["hand_over", ""], "index": "7"},
    ],
)
def test_an_action_that_cannot_be_read_changes_nothing(
    desk: Client, policy: PolicyDocument, sent: dict[str, Any]
) -> None:
    task = make_task(policy)
    usual = {"action": "hand_over", "index": "0", "_selected_action": str(task.pk)}
    answer = desk.post(reverse("admin:tracker_task_changelist"), {**usual, **sent}, follow=True)
    assert answer.status_code == 200
    assert len(list(answer.context["messages"])) == 1
    assert Task.objects.get().assigned_on is None


@pytest.mark.parametrize("term", ["%00", "a+" * 3000])
def test_a_search_while_typing_that_cannot_be_read_finds_nothing(
    desk: Client, bureau: Organization, term: str
) -> None:
    field = "app_label=tracker&model_name=task&field_name=lead_unit"
    assert desk.get(reverse("admin:autocomplete") + f"?{field}&term={term}").json()["results"] == []


def test_the_tasks_of_a_measure_are_one_click_away(desk: Client, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01")
    make_task(policy, "B1-01")
    measure = Measure.objects.get(code="A1")
    page = desk.get(reverse("admin:tracker_measure_changelist")).content.decode()
    query = f"policy__id__exact={policy.pk}&amp;measure={measure.pk}"
    assert query in page
    shown = desk.get(reverse("admin:tracker_task_changelist") + "?" + query.replace("&amp;", "&"))
    assert [task.code for task in shown.context["cl"].result_list] == ["A1-01"]


def test_a_model_that_the_order_of_work_does_not_know_comes_last(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Open(admin.ModelAdmin):
        def has_module_permission(self, request: Any) -> bool:
            return True

        def has_view_permission(self, request: Any, obj: Any = None) -> bool:
            return True

    monkeypatch.setitem(admin.site._registry, ChecklistItem, Open(ChecklistItem, admin.site))
    answer = desk.get(reverse("admin:index"))
    assert answer.status_code == 200
    assert [model["object_name"] for model in answer.context["app_list"][0]["models"]][
        -1
    ] == "ChecklistItem"
