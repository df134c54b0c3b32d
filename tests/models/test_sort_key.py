"""The order of the text in one column: right on every way in, and no edit of the task."""

from tests.conftest import TODAY
from tests.factories import make_task
from tests.prepared_rows import store_sample
from tracker import workflow
from tracker.models import Measure, PolicyDocument, Task
from tracker.workflow import ChangeContext


def codes() -> list[str]:
    return list(Task.objects.values_list("code", flat=True))


def test_a_saved_task_stands_where_the_text_has_it(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    for code in ("B1-01", "A1-10", "A1-02"):
        measure = policy.measures.get(code=code[:2])
        workflow.save_task(
            Task(policy=policy, measure=measure, code=code, title="x"), act, today=TODAY
        )
    assert codes() == ["A1-02", "A1-10", "B1-01"]


def test_tasks_follow_a_section_that_gets_another_number(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    make_task(policy, "A1-01")
    make_task(policy, "B1-01")
    section = policy.sections.get(number=1)
    section.number = 3
    workflow.save_object(section, act)
    assert codes() == ["B1-01", "A1-01"]


def test_tasks_follow_a_measure_to_another_place(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    first = policy.measures.get(code="A1")
    other = Measure.objects.create(
        policy=policy, section=first.section, code="A2", order=2, name="x"
    )
    make_task(policy, "A1-01")
    make_task(policy, "A2-01", measure=other)
    first.order = 3
    workflow.save_object(first, act)
    assert codes() == ["A2-01", "A1-01"]


def test_a_new_place_is_no_edit_of_the_task(policy: PolicyDocument, act: ChangeContext) -> None:
    task = make_task(policy)
    version, rows = task.version, task.history.count()
    section = policy.sections.get(number=1)
    section.number = 3
    workflow.save_object(section, act)
    task.refresh_from_db()
    assert (task.version, task.history.count(), task.sort_key) == (
        version,
        rows,
        "00003-00001-a110-a110-111 A1-01",
    )
    assert "sort_key" not in {field.name for field in Task.history.model.tracked_fields}


def test_loaded_tasks_stand_in_the_order_of_the_text(db: None) -> None:
    store_sample()
    joined = Task.objects.order_by("policy", "measure__section__number", "measure__order", "code")
    assert codes() == list(joined.values_list("code", flat=True))
    assert all(
        task.sort_key == task.place for task in Task.objects.select_related("measure__section")
    )
