"""The text page: what each passage became, for whom, and the way from a passage to a task."""

import re

import pytest
from django.test import Client

from tests.conftest import TODAY
from tests.factories import make_task
from tests.views.conftest import Browser
from tests.views.test_details import flat
from tests.views.test_pages import read
from tracker.models import BackgroundPassage, Organization, PolicyDocument, User

TEXT = "部分一，总领全文。\n修路五十公里，架桥三座。天气很好，阳光明媚。\n<script>alert(1)</script>种树千亩。"
PAGE = "/policies/rise/text/"


@pytest.fixture
def loaded(policy: PolicyDocument, bureau: Organization) -> PolicyDocument:
    """Lay a text of which a road is the bureau's and a bridge somebody else's."""
    policy.full_text = TEXT
    policy.save()
    policy.sections.filter(number=1).update(anchor="部分一，总领")
    policy.measures.filter(code="A1").update(anchor="修路")
    make_task(policy, "A1-01", title="ROAD", anchor="五十公里", lead_unit=bureau, assigned_on=TODAY)
    make_task(policy, "A1-02", title="BRIDGE", anchor="架桥三座")
    return policy


def test_a_passage_carries_the_light_of_its_task_and_leads_to_it(
    office: Client, loaded: PolicyDocument
) -> None:
    page = read(office, PAGE)
    assert "<mark>修路五十公里，</mark>" in page
    assert 'href="../tasks/A1-01/">● on course A1-01</a>' in page


def test_what_nobody_took_up_is_marked_counted_and_listed(
    office: Client, loaded: PolicyDocument
) -> None:
    page = read(office, PAGE)
    assert "<u>天气很好，阳光明媚。</u>" in page
    assert "of the clauses are accounted for: 4 of 6" in flat(page)


def test_markup_in_a_text_is_text(office: Client, loaded: PolicyDocument) -> None:
    assert "<script>alert" not in read(office, PAGE)


def test_a_passage_is_marked_as_background_in_one_click_with_who_and_when(
    office: Client, supervisor: User, loaded: PolicyDocument
) -> None:
    answer = office.post(PAGE, {"mark": "2", "seen": loaded.version})
    assert answer.status_code == 302
    assert {(mark.marked_by, mark.marked_on) for mark in loaded.background.all()} == {
        (supervisor, TODAY)
    }
    assert '<span class="background">天气很好，阳光明媚。</span>' in read(office, PAGE)


def test_a_mark_is_taken_back(office: Client, loaded: PolicyDocument) -> None:
    mark = BackgroundPassage.objects.create(policy=loaded, anchor="天气很好")
    office.post(PAGE, {"unmark": f"{mark.pk}:{mark.version}"})
    assert not loaded.background.exists()


@pytest.mark.parametrize(
    "asked", [{"mark": "2", "seen": "99"}, {"mark": "999"}, {"mark": "x"}, {"mark": "5-2"}, {}]
)
def test_what_cannot_be_marked_is_said_and_nothing_is_written(
    office: Client, loaded: PolicyDocument, asked: dict[str, str]
) -> None:
    assert office.post(PAGE, {"seen": loaded.version, **asked}).status_code == 302
    assert not loaded.background.exists()


def test_a_sentence_leads_to_a_new_task_with_measure_code_and_anchor(
    office: Client, loaded: PolicyDocument
) -> None:
    page = read(office, f"{PAGE}?at=2")
    measure = loaded.measures.get(code="A1")
    assert (
        f"measure={measure.pk}&amp;code=A1-03&amp;title=%E5%A4%A9%E6%B0%94%E5%BE%88%E5%A5%BD"
        in page
    )


def test_selected_words_become_the_anchor(office: Client, loaded: PolicyDocument) -> None:
    assert "anchor=%E9%98%B3%E5%85%89%E6%98%8E%E5%AA%9A" in read(
        office, f"{PAGE}?at=2&words=阳光明媚"
    )


def test_a_lost_anchor_is_listed_with_its_nearest_place(
    office: Client, loaded: PolicyDocument
) -> None:
    make_task(loaded, "A1-03", anchor="阳光很明媚")
    assert "task A1-03 “阳光很明媚” nearest place: 阳光明媚。" in flat(read(office, PAGE))


def test_a_task_without_an_anchor_is_listed(office: Client, loaded: PolicyDocument) -> None:
    make_task(loaded, "A1-04", title="NOWHERE")
    assert "Tasks without a passage 1 A1-04 NOWHERE" in flat(read(office, PAGE))


def test_the_passage_of_a_cancelled_task_says_so_and_is_not_open(
    office: Client, loaded: PolicyDocument
) -> None:
    loaded.tasks.filter(code="A1-02").update(status="cancelled")
    page = read(office, PAGE)
    assert re.search(r"<mark>架桥三座。</mark><a [^>]*>cancelled A1-02</a>", page)
    assert "Passages of cancelled tasks 1 架桥三座。" in flat(page)
    assert "of the clauses are accounted for: 4 of 6" in flat(page)


def test_a_passage_that_a_live_task_takes_up_too_is_not_one_of_a_cancelled(
    office: Client, loaded: PolicyDocument
) -> None:
    loaded.tasks.filter(code="A1-02").update(status="cancelled")
    make_task(loaded, "A1-03", anchor="架桥三")
    assert "Passages of cancelled tasks 0" in flat(read(office, PAGE))


def test_without_a_text_there_is_the_outline(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", title="ROAD", anchor="五十公里")
    page = flat(read(office, PAGE))
    assert "The full text is not loaded" in page
    assert "A1 Measure A1" in page
    assert "A1-01 ROAD 五十公里" in page


def test_a_liaison_sees_own_tasks_alone_and_no_counts(
    browser: Browser, liaison: User, loaded: PolicyDocument
) -> None:
    page = read(browser(liaison), PAGE)
    assert "A1-01" in page
    assert "A1-02" not in page
    assert "accounted for" not in page
    assert "<u>" not in page
    assert "?at=" not in page


def test_a_leader_reads_and_changes_nothing(
    browser: Browser, leader: User, loaded: PolicyDocument
) -> None:
    page = read(browser(leader), PAGE)
    assert "accounted for" in page
    assert "<button name" not in page
    assert browser(leader).post(PAGE, {"mark": "2"}).status_code == 403
