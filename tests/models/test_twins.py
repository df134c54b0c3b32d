"""Codes and short addresses that differ by capitals alone.

New ones are refused, those of before kept and named.
"""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.models import Measure, PolicyDocument, Section, Task, User
from tracker.models.twins import check_twins, find_twins
from tracker.workflow import ChangeContext

SAME = ["a1-01", "Ａ1-01", "A1\u201301", "A1-0\u200b1"]


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


def raw_task(policy: PolicyDocument, code: str) -> Task:
    """Lay a task as an earlier release let it in."""
    return Task.objects.create(
        policy=policy, measure=policy.measures.get(code="A1"), code=code, title="x"
    )


@pytest.mark.parametrize("code", SAME)
def test_a_task_whose_code_differs_by_signs_alone_is_refused(
    policy: PolicyDocument, act: ChangeContext, code: str
) -> None:
    make_task(policy)
    new = Task(policy=policy, measure=policy.measures.get(code="A1"), code=code, title="x")
    with pytest.raises(ValidationError):
        new.full_clean()


def test_the_write_path_refuses_it_too_and_names_the_other(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    make_task(policy)
    new = Task(policy=policy, measure=policy.measures.get(code="A1"), code="a1-01", title="x")
    with pytest.raises(ValidationError, match="“A1-01” already exists"):
        workflow.save_task(new, act, today=TODAY)


def test_a_task_may_not_take_the_code_of_another_in_other_capitals(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    make_task(policy)
    other = make_task(policy, "A1-02")
    other.code = "a1-01"
    with pytest.raises(ValidationError, match="A1-01"):
        workflow.save_task(other, act, today=TODAY)


def test_a_task_may_change_the_capitals_of_its_own_code(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    task = make_task(policy)
    task.code = "a1-01"
    workflow.save_task(task, act, today=TODAY)
    assert Task.objects.get().code == "a1-01"


def test_the_same_code_in_another_policy_is_no_twin(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    make_task(policy)
    make_task(make_policy("other"), "B1-01")
    new = Task(policy=policy, measure=policy.measures.get(code="B1"), code="b1-01", title="x")
    workflow.save_task(new, act, today=TODAY)
    assert Task.objects.count() == 3


def test_codes_that_differ_by_a_zero_are_two(policy: PolicyDocument, act: ChangeContext) -> None:
    make_task(policy)
    new = Task(policy=policy, measure=policy.measures.get(code="A1"), code="A1-1", title="x")
    workflow.save_task(new, act, today=TODAY)
    assert list(Task.objects.values_list("code", flat=True)) == ["A1-1", "A1-01"]


def test_tasks_of_before_that_differ_by_capitals_are_kept_and_edited(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    one = make_task(policy)
    raw_task(policy, "a1-01")
    one.title = "still edited"
    one.full_clean()
    workflow.save_task(one, act, today=TODAY)
    assert sorted(Task.objects.values_list("code", "title")) == [
        ("A1-01", "still edited"),
        ("a1-01", "x"),
    ]


def test_a_measure_whose_code_differs_by_capitals_alone_is_refused(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    new = Measure(policy=policy, section=Section.objects.first(), code="a1", name="x")
    with pytest.raises(ValidationError, match="“A1” already exists"):
        workflow.save_object(new, act)


@pytest.mark.parametrize("slug", ["Rise", "ＲＩＳＥ", "ri\u200bse"])
def test_a_policy_whose_address_differs_by_signs_alone_is_refused(
    policy: PolicyDocument, act: ChangeContext, slug: str
) -> None:
    with pytest.raises(ValidationError):
        PolicyDocument(slug=slug, title="x").full_clean()


def test_the_admin_says_it_beside_the_field(
    client: Client, policy: PolicyDocument, supervisor: User
) -> None:
    client.force_login(supervisor)
    typed = {"title": "x", "slug": "RISE", "state": "draft", "seen": "0", "cycle": "monthly"}
    numbers = {"warn_days": "7", "yellow_gap": "10", "red_gap": "30", "grace_days": "5"}
    answer = client.post("/admin/tracker/policydocument/add/", typed | numbers)
    assert list(answer.context["adminform"].form.errors) == ["slug"]


def test_full_width_letters_of_a_new_code_are_stored_as_plain_ones(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    new = Task(policy=policy, measure=policy.measures.get(code="A1"), code="Ａ１–０９", title="x")
    new.full_clean()
    workflow.save_task(new, act, today=TODAY)
    assert Task.objects.get().code == "A1-09"


def test_loading_a_fixture_refuses_it_and_loads_nothing(
    policy: PolicyDocument, tmp_path: Path
) -> None:
    make_task(policy)
    fixture = tmp_path / "twin.yaml"
    fixture.write_text(
        "- model: tracker.task\n  fields: {policy: [rise], measure: [rise, A1], code: a1-01, "
        "title: x}\n",
        encoding="utf-8",
    )
    with pytest.raises(CommandError, match="“A1-01” already exists"):
        call_command("loaddata", fixture, verbosity=0, force=True)
    assert Task.objects.count() == 1


def test_what_is_there_already_is_named_by_a_check(policy: PolicyDocument) -> None:
    make_task(policy)
    raw_task(policy, "a1-01")
    PolicyDocument.objects.create(slug="RISE", title="x")
    Measure.objects.create(policy=policy, section=policy.sections.first(), code="b1", name="x")
    (warning,) = check_twins(databases=["default"])
    assert list(find_twins()) == [
        "policydocument RISE", "policydocument rise", "measure rise B1", "measure rise b1", "task rise A1-01",
        "task rise a1-01",
    ]  # fmt: skip
    assert "task rise a1-01" in warning.msg


def test_where_nothing_differs_by_capitals_alone_the_check_is_silent(
    policy: PolicyDocument,
) -> None:
    make_task(policy)
    assert check_twins(databases=["default"]) == []


def test_the_health_check_of_the_policy_names_such_tasks(policy: PolicyDocument) -> None:
    make_task(policy)
    raw_task(policy, "a1-01")
    out = StringIO()
    with translation.override("en"):
        call_command("check_policy", policy.slug, stdout=out)
    assert "tasks whose codes differ only in case" in out.getvalue()
