"""What the page of late forms shows.

Every form that was sent too late, its fields by their labels.
"""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.admin.test_tasks import address
from tests.factories import make_task
from tests.web.test_late_forms import by_log_out, log_in, path_of, strict, task, token_of
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task, User
from tracker.web import form_labels, late_forms

__all__ = ["strict", "task"]
KEPT = reverse("kept")


@pytest.fixture
def send_late(strict: Client, supervisor: User, task: Task) -> Any:
    """Return what sends forms after a log-out in another tab, then logs in again and opens the page
    of late forms.
    """
    log_in(strict, "supervisor")
    token = token_of(strict.get("/"))
    by_log_out(strict, supervisor, None)

    def send(*forms: tuple[str, dict[str, Any]]) -> Any:
        for where, words in forms:
            strict.post(where, {**words, "csrfmiddlewaretoken": token})
        log_in(strict, "supervisor")
        return strict.get(KEPT)

    return send


def test_two_tabs_that_send_late_forms_of_one_page_are_both_shown(
    send_late: Any, task: Task
) -> None:
    page = send_late(
        (path_of(task), {"progress": "first tab"}), (path_of(task), {"progress": "second tab"})
    )
    assert [form["shown"] for form in page.context["forms"]] == [
        [("Progress", "second tab")],
        [("Progress", "first tab")],
    ]


def test_a_button_that_is_pressed_twice_is_kept_once(send_late: Any, task: Task) -> None:
    page = send_late(*[(path_of(task), {"progress": "typed"})] * 2)
    assert len(page.context["forms"]) == 1


def test_the_oldest_form_makes_room_and_the_page_says_so(send_late: Any, task: Task) -> None:
    sent = [
        (path_of(task), {"progress": f"form {number}"})
        for number in range(late_forms.MAX_KEPT_FORMS + 2)
    ]
    page = send_late(*sent)
    assert len(page.context["forms"]) == late_forms.MAX_KEPT_FORMS
    assert "2 earlier forms were discarded" in page.content.decode()
    assert "form 1" not in page.content.decode()


def test_forms_that_are_too_long_together_make_room_too(send_late: Any, task: Task) -> None:
    sent = [(path_of(task), {"progress": f"{number}" * 400_000}) for number in range(1, 4)]
    assert len(send_late(*sent).context["forms"]) == 2


def test_each_form_names_its_own_files(send_late: Any, task: Task) -> None:
    page = send_late(
        (path_of(task), {"progress": "a", "proofs": SimpleUploadedFile("one.pdf", b"%PDF-1.4")}),
        (path_of(task), {"progress": "b", "proofs": SimpleUploadedFile("two.pdf", b"%PDF-1.4")}),
    )
    lost = [form["lost"] for form in page.context["forms"]]
    assert ("two.pdf" in lost[0], "one.pdf" in lost[1], "one.pdf" in lost[0]) == (True, True, False)


def test_one_form_is_thrown_away_and_the_other_stays(
    send_late: Any, strict: Client, task: Task
) -> None:
    page = send_late(
        (path_of(task), {"progress": "first tab"}), (path_of(task), {"progress": "second tab"})
    )
    key = page.context["forms"][0]["key"]
    answer = strict.post(KEPT, {"key": key, "csrfmiddlewaretoken": token_of(page)})
    assert answer["Location"] == KEPT
    assert [form["data"]["progress"] for form in strict.get(KEPT).context["forms"]] == [
        ["first tab"]
    ]


def test_a_form_that_is_sent_again_is_kept_no_longer(
    send_late: Any, strict: Client, task: Task
) -> None:
    ChecklistItem.objects.create(task=task, number=1, title="Step")
    button = reverse("tick", args=["rise", "A1-01", 1])
    page = send_late((button, {"done": "1"}))
    key = page.context["forms"][0]["key"]
    strict.post(button, {"done": "1", "kept_form": key, "csrfmiddlewaretoken": token_of(page)})
    assert strict.get(KEPT).context["forms"] == []


def test_the_admins_fields_have_their_labels_and_units_their_names(
    send_late: Any, task: Task, bureau: Organization
) -> None:
    words = {
        "title": "typed",
        "lead_unit": str(bureau.pk),
        "kind": "qualitative",
        "items-0-title": "step typed",
    }
    hidden = {"seen": "1", "_save": "1", "items-TOTAL_FORMS": "1", "measure": str(task.measure_id)}
    page = send_late((address(task), words | hidden))
    assert page.context["forms"][0]["shown"] == [
        ("task", "typed"),
        ("lead unit", "Bureau of Science"),
        ("kind", "qualitative"),
        ("checklist item 1: step", "step typed"),
    ]


@pytest.mark.parametrize("name", form_labels.PAGE_FORMS)
def test_every_field_of_a_page_that_people_fill_in_has_a_label(name: str) -> None:
    fields = {
        field: each
        for form in form_labels.PAGE_FORMS[name]
        for field, each in form.base_fields.items()
    }
    assert [
        field for field, each in fields.items() if not each.widget.is_hidden and not each.label
    ] == []


def test_an_address_that_is_no_more_shows_its_form_without_fields(supervisor: User) -> None:
    form = {"action": "/gone/", "path": "/gone/", "data": {"a": ["b"]}}
    assert form_labels.shown_fields(form, supervisor) == []


def test_the_indicator_of_a_policy_that_the_reader_does_not_see_is_not_named(
    policy: PolicyDocument, leader: User
) -> None:
    other = make_task(policy, "B1-01")
    indicator = other.indicators.create(name="secret", unit_of_measure="x", target=1)
    PolicyDocument.objects.filter(pk=policy.pk).update(state="draft")
    form = {
        "action": path_of(other),
        "path": path_of(other),
        "data": {f"indicator_{indicator.pk}": ["5"]},
    }
    assert form_labels.shown_fields(form, leader) == []
