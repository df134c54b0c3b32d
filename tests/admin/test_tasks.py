"""The office's desk: the list, the form that loses nothing, changes of many."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, Light, Status
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext

LIST = "admin:tracker_task_changelist"
JULY = dt.date(2026, 7, 31)


@pytest.fixture
def desk(client: Client, supervisor: User) -> Client:
    client.force_login(supervisor)
    return client


@pytest.fixture
def task(policy: PolicyDocument, bureau: Organization) -> Task:
    return make_task(policy, deadline=JULY, lead_unit=bureau)


def address(task: Task) -> str:
    return reverse("admin:tracker_task_change", args=[task.pk])


def typed(client: Client, task: Task | None, **changes: Any) -> dict[str, Any]:
    """Return what a browser would send for the form as it stands, with some fields typed anew."""
    page = client.get(address(task) if task else reverse("admin:tracker_task_add"))
    form = page.context["adminform"].form
    data: dict[str, Any] = {}
    sets = [each.formset for each in page.context["inline_admin_formsets"]]
    for bound in [
        *form,
        *(field for each in sets for f in each.forms for field in f),
        *(field for each in sets for field in each.management_form),
    ]:
        value = bound.value()
        if isinstance(value, list):
            data[bound.html_name] = [getattr(part, "pk", part) for part in value]
        elif value is not None and value is not False:
            data[bound.html_name] = value
    return {**data, **changes}


def inline(page: Any) -> Any:
    return page.context["inline_admin_formsets"][0].formset


def test_the_list_answers_who_until_when_and_why(desk: Client, task: Task) -> None:
    page = desk.get(reverse(LIST)).content.decode()
    assert "Science" in page
    assert "2026-07-31" in page
    assert task.reasons_on(TODAY)[0] in page


def test_the_list_is_searched_by_chinese_words(desk: Client, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", title="培育产业集群")
    make_task(policy, "A1-02", title="其他")
    page = desk.get(reverse(LIST), {"q": "集群"})
    assert [t.code for t in page.context["cl"].result_list] == ["A1-01"]


@pytest.mark.parametrize("light", list(Light))
def test_the_list_filters_by_light(desk: Client, policy: PolicyDocument, light: Light) -> None:
    make_task(policy, "A1-01", deadline=TODAY - dt.timedelta(days=1))
    make_task(policy, "A1-02", deadline=JULY)
    shown = desk.get(reverse(LIST), {"light": light}).context["cl"].result_list
    assert {t.light_on(TODAY) for t in shown} <= {light}
    assert len(shown) == (light in (Light.RED, Light.GREEN))


def test_the_list_filters_by_units_that_lead_or_cooperate(
    desk: Client, policy: PolicyDocument, task: Task, bureau: Organization, county: Organization
) -> None:
    helped = make_task(policy, "A1-02", lead_unit=county)
    helped.co_units.add(bureau)
    make_task(policy, "A1-03", lead_unit=county)
    shown = desk.get(reverse(LIST), {"unit": bureau.pk}).context["cl"].result_list
    assert [t.code for t in shown] == ["A1-01", "A1-02"]


@pytest.mark.parametrize(
    "query", [{"unit": "x"}, {"light": "x"}, {"measure__section": "'"}, {"q": "\x00"}, {"p": "99"}]
)
def test_a_filter_that_cannot_be_read_does_no_harm(
    desk: Client, task: Task, query: dict[str, str]
) -> None:
    assert desk.get(reverse(LIST), query).status_code in (200, 302)


def test_the_list_asks_the_database_the_same_number_of_times_at_three_and_three_hundred(
    desk: Client, policy: PolicyDocument, bureau: Organization, county: Organization
) -> None:
    counts = []
    for many in (3, 300):
        for n in range(policy.tasks.count(), many):
            task = Task(
                policy=policy,
                measure=policy.measures.get(code="A1"),
                code=f"A1-{n:03}",
                title="t",
                lead_unit=bureau,
            )
            task.save()
            task.co_units.add(county)
            ChecklistItem.objects.create(task=task, number=1, title="x")
        desk.get(reverse(LIST))  # the first request of a session notes that it is in use
        with CaptureQueriesContext(connection) as queries:
            desk.get(reverse(LIST))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


def test_the_form_asks_the_database_at_most_twenty_times(desk: Client, task: Task) -> None:
    for n in range(5):
        ChecklistItem.objects.create(task=task, number=n, title="x")
    with CaptureQueriesContext(connection) as queries:
        desk.get(address(task))
    assert len(queries) <= 20


def test_an_edit_lands_with_its_reason_and_its_way(
    desk: Client, task: Task, supervisor: User
) -> None:
    desk.post(address(task), typed(desk, task, title="anew", reason="asked for"))
    row = Task.objects.get().history.first()
    assert (row.title, row.history_user, row.way) == ("anew", supervisor, ChangeSource.ADMIN)
    assert row.history_change_reason == "asked for"


def test_an_edit_writes_one_history_row(desk: Client, task: Task, county: Organization) -> None:
    before = task.history.count()
    desk.post(address(task), typed(desk, task, title="anew", co_units=[county.pk]))
    assert task.history.count() == before + 1


def test_a_version_that_somebody_else_changed_shows_both_texts(
    desk: Client, task: Task, act: ChangeContext
) -> None:
    mine = typed(desk, task, title="mine")
    task.title = "theirs"
    workflow.save_task(task, act, 1, today=TODAY)
    page = desk.post(address(task), mine)
    assert page.status_code == 200
    assert page.context["adminform"].form["title"].value() == "mine"
    assert "theirs" in str(page.context["adminform"].form.errors["title"])
    assert Task.objects.get().title == "theirs"


def test_after_a_conflict_a_second_save_is_a_conscious_one(
    desk: Client, task: Task, act: ChangeContext
) -> None:
    mine = typed(desk, task, title="mine")
    task.title = "theirs"
    workflow.save_task(task, act, 1, today=TODAY)
    page = desk.post(address(task), mine)
    version = page.context["adminform"].form["seen"].value()
    assert desk.post(address(task), {**mine, "seen": version}).status_code == 302
    assert Task.objects.get().title == "mine"


def test_a_field_that_only_the_other_changed_takes_the_new_value(
    desk: Client, task: Task, act: ChangeContext
) -> None:
    mine = typed(desk, task, title="mine")
    task.remark = "their remark"
    workflow.save_task(task, act, 1, today=TODAY)
    form = desk.post(address(task), mine).context["adminform"].form
    assert (form["title"].value(), form["remark"].value()) == ("mine", "their remark")


def test_a_checklist_that_somebody_else_ticked_keeps_the_tick(
    desk: Client, task: Task, act: ChangeContext, time_machine: Any
) -> None:
    item = ChecklistItem.objects.create(task=task, number=1, title="step")
    mine = typed(desk, task, title="mine")
    time_machine.shift(60)
    workflow.tick_item(item, act, TODAY, TODAY)
    page = desk.post(address(task), mine)
    assert inline(page).forms[0]["done_on"].value() == TODAY.isoformat()


def test_two_texts_for_one_step_are_both_shown(
    desk: Client, task: Task, act: ChangeContext, time_machine: Any
) -> None:
    item = ChecklistItem.objects.create(task=task, number=1, title="step")
    mine = typed(desk, task, **{"items-0-title": "my step"})
    time_machine.shift(60)
    item.title = "their step"
    workflow.save_task(Task.objects.get(), act, 1, items=[item], today=TODAY)
    form = inline(desk.post(address(task), mine)).forms[0]
    assert form["title"].value() == "my step"
    assert "their step" in str(form.errors)


def test_a_code_that_is_taken_is_refused_in_words(desk: Client, task: Task) -> None:
    other = make_task(task.policy, "A1-02")
    page = desk.post(address(other), typed(desk, other, code="A1-01"))
    assert page.status_code == 200
    assert page.context["adminform"].form.errors


def test_what_the_write_path_refuses_is_shown_beside_its_field(desk: Client, task: Task) -> None:
    page = desk.post(address(task), typed(desk, task, status=Status.CLOSED))
    assert "closed_on" in page.context["adminform"].form.errors
    assert Task.objects.get().status == Status.IN_PROGRESS


def test_a_year_beyond_the_calendar_is_refused(desk: Client, task: Task) -> None:
    page = desk.post(address(task), typed(desk, task, deadline="9999-12-31"))
    assert "deadline" in page.context["adminform"].form.errors


def test_the_measures_offered_are_those_of_the_policy(desk: Client, task: Task) -> None:
    make_policy("other")
    form = desk.get(address(task)).context["adminform"].form
    assert {measure.policy_id for measure in form.fields["measure"].queryset} == {task.policy_id}


def test_a_new_task_belongs_to_the_policy_of_its_measure(
    desk: Client, policy: PolicyDocument
) -> None:
    other = make_policy("other")
    data = typed(
        desk, None, code="B1-01", title="by hand", measure=other.measures.get(code="B1").pk
    )
    assert desk.post(reverse("admin:tracker_task_add"), data).status_code == 302
    assert Task.objects.get().policy == other


def test_a_tick_in_the_form_remembers_who_and_moves_the_percent(
    desk: Client, task: Task, supervisor: User
) -> None:
    for n in (1, 2):
        ChecklistItem.objects.create(task=task, number=n, title="x")
    desk.post(address(task), typed(desk, task, **{"items-0-done_on": "2026-06-01"}))
    assert Task.objects.get().percent == 50
    assert ChecklistItem.objects.get(number=1).done_by == supervisor


def test_a_step_added_in_the_form_is_saved(desk: Client, task: Task) -> None:
    data = typed(
        desk, task, **{"items-0-number": "1", "items-0-title": "new step", "items-0-weight": "1"}
    )
    desk.post(address(task), data)
    assert ChecklistItem.objects.get().title == "new step"


def test_a_step_deleted_in_the_form_is_gone_and_remembered(desk: Client, task: Task) -> None:
    item = ChecklistItem.objects.create(task=task, number=1, title="x")
    desk.post(address(task), typed(desk, task, **{"items-0-DELETE": "on"}))
    assert not ChecklistItem.objects.exists()
    assert ChecklistItem.history.filter(id=item.pk).first().history_type == "-"


def many(tasks: list[Task], action: str, **fields: Any) -> dict[str, Any]:
    seen = {f"seen-{task.pk}": task.version for task in tasks}
    return {
        "action": action,
        "_selected_action": [task.pk for task in tasks],
        "apply": "1",
        **seen,
        **fields,
    }


def test_a_change_of_many_asks_first_and_carries_every_version(desk: Client, task: Task) -> None:
    page = desk.post(reverse(LIST), {"action": "hand_over", "_selected_action": [task.pk]})
    assert f'name="seen-{task.pk}" value="1"' in page.content.decode()
    assert Task.objects.get().assigned_on is None


def test_the_hand_over_of_many_hands_over_what_it_can_and_names_the_rest(
    desk: Client, task: Task
) -> None:
    orphan = make_task(task.policy, "A1-02")
    page = desk.post(reverse(LIST), many([task, orphan], "hand_over", on="2026-06-10"), follow=True)
    assert Task.objects.get(code="A1-01").assigned_on == dt.date(2026, 6, 10)
    assert any("A1-02" in str(message) for message in page.context["messages"])


def test_a_row_changed_since_the_question_is_left_alone(
    desk: Client, task: Task, act: ChangeContext
) -> None:
    data = many([task], "set_deadline", deadline="2026-09-30")
    workflow.save_task(task, act, 1, today=TODAY)
    desk.post(reverse(LIST), data)
    assert Task.objects.get().deadline == JULY


def test_deadlines_of_many_are_set(desk: Client, task: Task) -> None:
    desk.post(reverse(LIST), many([task], "set_deadline", deadline="2026-09-30"))
    assert Task.objects.get().deadline == dt.date(2026, 9, 30)


def test_a_day_that_cannot_be_read_asks_again(desk: Client, task: Task) -> None:
    page = desk.post(reverse(LIST), many([task], "set_deadline", deadline="2026-13-45"))
    assert page.context["form"].errors


def test_the_status_of_many_is_set(desk: Client, task: Task) -> None:
    desk.post(reverse(LIST), many([task], "set_status", status=Status.CLOSED, on="2026-06-01"))
    assert Task.objects.get().closed_on == dt.date(2026, 6, 1)


def test_chosen_tasks_are_exported(desk: Client, task: Task) -> None:
    page = desk.post(reverse(LIST), {"action": "export_ledger", "_selected_action": [task.pk]})
    page.getvalue()
    assert page["Content-Type"].endswith("spreadsheetml.sheet")


def test_a_task_that_is_handed_over_cannot_be_deleted(
    desk: Client, task: Task, act: ChangeContext
) -> None:
    workflow.hand_over(task, act, 1, TODAY)
    assert (
        desk.post(reverse("admin:tracker_task_delete", args=[task.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert Task.objects.exists()


def test_the_history_page_says_from_what_to_what(desk: Client, task: Task) -> None:
    desk.post(address(task), typed(desk, task, title="anew", kind=Kind.QUANTIFIED))
    page = desk.get(reverse("admin:tracker_task_history", args=[task.pk])).content.decode()
    assert "Task A1-01" in page
    assert "anew" in page


@pytest.mark.parametrize(
    ("who", "status"), [("leader", 403), ("liaison", 403), ("administrator", 200)]
)
def test_the_list_opens_by_role(
    client: Client, task: Task, who: str, status: int, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse(LIST), follow=True).status_code == status


def test_an_administrator_reads_tasks_and_changes_none(
    client: Client, task: Task, administrator: User
) -> None:
    client.force_login(administrator)
    assert client.get(address(task)).status_code == 200
    assert client.post(address(task), {"title": "x"}).status_code == 403


def test_a_hand_over_with_a_fault_shows_the_form_again(desk: Client, task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(assigned_on=None, owed_from=None)
    task.refresh_from_db()
    page = desk.post(address(task), typed(desk, task, assigned_on="2026-06-15", title=""))
    assert page.status_code == 200
    assert list(page.context["adminform"].form.errors) == ["title"]


@pytest.mark.parametrize("seen", ["²", "9" * 30, "x", ""])
def test_a_version_that_cannot_be_read_saves_nothing(desk: Client, task: Task, seen: str) -> None:
    answer = desk.post(address(task), typed(desk, task, title="New", seen=seen))
    assert answer.status_code == 200
    assert Task.objects.get(pk=task.pk).title != "New"
