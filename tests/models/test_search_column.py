"""What is searched in one column: right on every way in, and no edit of the task."""

from importlib import import_module

from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.factories import make_task
from tests.prepared_rows import store_sample
from tracker import workflow
from tracker.models import PolicyDocument, Task
from tracker.models.task import contains_term, letter_mask
from tracker.workflow import ChangeContext, rules_version


def found(word: str) -> list[str]:
    return list(Task.objects.filter(contains_term(word)).values_list("code", flat=True))


def test_a_saved_task_is_found_by_its_new_words_alone(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    task = make_task(policy, title="建设枢纽", description="STRASSE Äther")
    assert found("枢纽") == found("a1-0") == found("äther") == found("ÄTHER") == ["A1-01"]
    task.title = "三条高铁"
    workflow.save_task(task, act, today=TODAY)
    assert (found("枢纽"), found("高铁")) == ([], ["A1-01"])


def test_letters_that_stand_apart_are_no_word(policy: PolicyDocument) -> None:
    make_task(policy, title="建设枢纽")
    assert (found("建纽"), found("枢纽")) == ([], ["A1-01"])


@given(st.text(max_size=40), st.text(max_size=5), st.text(max_size=40))
def test_the_letters_of_a_word_are_among_those_of_every_text_that_holds_it(
    left: str, word: str, right: str
) -> None:
    assert letter_mask(word) & letter_mask(left + word + right) == letter_mask(word) < 2**63


def test_no_word_spans_the_end_of_one_field_and_the_beginning_of_the_next(
    policy: PolicyDocument,
) -> None:
    make_task(policy, title="建设", description="枢纽")
    assert found("设枢") == []


def test_what_is_searched_is_no_edit_and_not_in_the_history(policy: PolicyDocument) -> None:
    make_task(policy)
    assert not {"search", "letters"} & {field.name for field in Task.history.model.tracked_fields}


def test_a_long_description_is_searched_to_its_end(policy: PolicyDocument) -> None:
    make_task(
        policy, description="".join(chr(0x4E00 + n % 20000) for n in range(0, 30000, 7)) + "尾声"
    )
    assert found("尾声") == ["A1-01"]


def test_loaded_tasks_are_found(db: None) -> None:
    store_sample()
    assert len(found("枢纽")) > 0
    assert rules_version.preview_refresh().corrected == 0


def test_tasks_that_were_there_before_the_column_are_found(policy: PolicyDocument) -> None:
    make_task(policy, title="建设枢纽")
    Task.objects.update(search="", letters=0)
    import_module("tracker.migrations.0003_search_column").fill(apps, None)
    import_module("tracker.migrations.0006_search_letters").fill(apps, None)
    assert found("枢纽") == ["A1-01"]
