"""The pages of one thing: who finds them, what they say, where their numbers lead."""

import re
from html import unescape

import pytest
from django.test import Client

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tests.reports.test_statistics import scatter
from tests.views.conftest import Browser
from tests.views.test_pages import LIST, codes, links, read
from tracker.domain.choices import Kind, PolicyState, Status
from tracker.domain.dates import DAY
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext, save_object

TASK, MEASURE, UNITS = (
    "/policies/rise/tasks/A1-01/",
    "/policies/rise/measures/A1/",
    "/policies/rise/units/",
)


def unit_page(unit: Organization) -> str:
    return f"{UNITS}{unit.pk}/"


def flat(page: str) -> str:
    """Return the words of a page on one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


@pytest.fixture
def pair(policy: PolicyDocument, bureau: Organization, county: Organization) -> list[Task]:
    """Lay a task that the bureau leads, and one of the county that it helps with."""
    led = make_task(policy, "A1-01", lead_unit=bureau, assigned_on=TODAY, deadline=TODAY - 3 * DAY)
    helped = make_task(
        policy, "A1-02", lead_unit=county, assigned_on=TODAY, deadline=TODAY + 9 * DAY
    )
    helped.co_units.add(bureau)
    return [led, helped]


# A task


def test_a_task_says_its_light_and_why(office: Client, pair: list[Task]) -> None:
    page = flat(read(office, TASK))
    assert "red light 3 days overdue" in page


def test_a_task_shows_what_is_expected_and_what_is_done(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(
        policy, kind=Kind.QUANTIFIED, start=TODAY - 50 * DAY, deadline=TODAY + 50 * DAY, percent=37
    )
    page = read(office, TASK)
    assert "37% percent done 50% expected by now" in flat(page)
    assert '<rect class="expected" x="0.00%" width="50.00%"' in page
    assert "percent done 37%</desc>" in page


def test_the_line_of_a_task_bears_every_day_of_it(office: Client, policy: PolicyDocument) -> None:
    make_task(
        policy,
        start=TODAY - 50 * DAY,
        original_deadline=TODAY + 10 * DAY,
        deadline=TODAY + 50 * DAY,
    )
    page = flat(read(office, TASK))
    for words in (
        "today 2026-06-15", "start 2026-04-26", "original deadline 2026-06-25", "current deadline 2026-08-04",
        "turns yellow on 2026-07-28", "turns red on 2026-08-05",
    ):  # fmt: skip
        assert words in page


def test_a_task_without_a_deadline_has_no_line(office: Client, policy: PolicyDocument) -> None:
    make_task(policy)
    assert 'class="time"' not in read(office, TASK)


def test_a_closed_task_expects_nothing_more(office: Client, policy: PolicyDocument) -> None:
    make_task(
        policy,
        kind=Kind.QUANTIFIED,
        start=TODAY - 9 * DAY,
        deadline=TODAY,
        status=Status.CLOSED,
        closed_on=TODAY,
    )
    page = read(office, TASK)
    assert "</b> expected by now" not in page
    assert "When the light turns" not in page


def test_a_task_shows_its_steps_ticked_or_not(
    browser: Browser, leader: User, policy: PolicyDocument
) -> None:
    task = make_task(policy)
    ChecklistItem.objects.create(task=task, number=1, title="Lay it", done_on=TODAY)
    ChecklistItem.objects.create(task=task, number=2, title="Test it")
    page = flat(read(browser(leader), TASK))
    assert "Checklist 1 of 2 steps done" in page
    assert "✓ 2026-06-15 Lay it" in page
    assert "○ not done yet Test it" in page


def test_a_task_says_where_in_the_text_it_comes_from(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(policy, anchor="三基地一枢纽")
    page = read(office, TASK)
    assert "<q>三基地一枢纽</q>" in page
    assert {f"{LIST}?section=1", MEASURE} <= set(links(page))


def test_a_task_tells_its_changes_in_words(
    office: Client, policy: PolicyDocument, act: ChangeContext
) -> None:
    task = make_task(policy)
    task.title = "New words"
    save_object(task, act)
    assert "Task A1-01 → New words because" in flat(read(office, TASK))


def test_only_an_editor_is_led_to_the_form(
    browser: Browser, supervisor: User, leader: User, policy: PolicyDocument
) -> None:
    task = make_task(policy)
    form = f"/admin/tracker/task/{task.pk}/change/"
    assert form in links(read(browser(supervisor), TASK))
    assert form not in links(read(browser(leader), TASK))


def test_a_task_that_is_not_the_unit_s_does_not_exist_for_it(
    browser: Browser, liaison: User, policy: PolicyDocument, county: Organization
) -> None:
    make_task(policy, "A1-01", lead_unit=county, assigned_on=TODAY)
    assert browser(liaison).get(TASK).status_code == 404


@pytest.mark.parametrize(
    "address", [f"{LIST}A9-99/", "/policies/rise/measures/Z9/", f"{UNITS}999/", "/units/999/"]
)
def test_what_is_unknown_is_not_found(office: Client, policy: PolicyDocument, address: str) -> None:
    assert office.get(address).status_code == 404


def test_a_task_of_another_policy_is_not_found_under_this_one(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(make_policy("other"), "A1-01")
    assert office.get(TASK).status_code == 404


def test_nothing_of_a_draft_is_found_by_a_leader(
    browser: Browser, leader: User, bureau: Organization
) -> None:
    make_task(make_policy(state=PolicyState.DRAFT), "A1-01", lead_unit=bureau)
    client = browser(leader)
    assert [client.get(page).status_code for page in (TASK, MEASURE, UNITS, unit_page(bureau))] == [
        404
    ] * 4
    assert "Policy rise" not in read(client, f"/units/{bureau.pk}/")


# A measure


def test_a_measure_lists_its_own_tasks(office: Client, policy: PolicyDocument) -> None:
    for code in ("B1-01", "A1-02", "A1-01"):
        make_task(policy, code)
    assert codes(read(office, MEASURE)) == ["A1-01", "A1-02"]


def test_a_general_demand_is_called_one(office: Client, policy: PolicyDocument) -> None:
    assert "general demand" not in read(office, MEASURE)
    policy.measures.update(general=True)
    assert "general demand" in read(office, MEASURE)


# Units


def test_the_list_of_units_leads_to_each_unit(
    office: Client, pair: list[Task], bureau: Organization, county: Organization
) -> None:
    assert {unit_page(bureau), unit_page(county)} <= set(links(read(office, UNITS)))


def test_a_unit_parts_what_it_leads_from_what_it_helps_with(
    office: Client, pair: list[Task], bureau: Organization
) -> None:
    leads, helps = read(office, unit_page(bureau)).split("Tasks it co-operates in")
    assert (codes(leads), codes(helps)) == (["A1-01"], ["A1-02"])


def test_a_unit_is_told_what_is_asked_of_it(
    office: Client, policy: PolicyDocument, bureau: Organization
) -> None:
    make_task(policy, "A1-01", lead_unit=bureau, deadline=TODAY - 3 * DAY)
    make_task(policy, "A1-02", lead_unit=bureau, owed_from=TODAY - 50 * DAY)
    make_task(policy, "A1-03", lead_unit=bureau, deadline=TODAY + 9 * DAY)
    page = flat(read(office, unit_page(bureau)))
    assert "Overdue, longest first Days Task Lead unit Why the light is red 3 A1-01" in page
    assert "Reports missing Period Grace ends Task month 5 2026-06-05 A1-02" in page
    assert "in 2 days ▲ warning A1-03" in page


def test_a_liaison_sees_of_another_unit_only_the_common_tasks(
    browser: Browser, liaison: User, pair: list[Task], policy: PolicyDocument, county: Organization
) -> None:
    make_task(policy, "B1-01", lead_unit=county, assigned_on=TODAY)
    page = read(browser(liaison), unit_page(county))
    assert codes(page) == ["A1-02"]
    assert "This unit only" in page


def test_a_unit_without_tasks_says_so(
    office: Client, policy: PolicyDocument, bureau: Organization
) -> None:
    for address in (unit_page(bureau), f"/units/{bureau.pk}/"):
        page = read(office, address)
        assert "It leads no tasks." in page
        assert "It co-operates in no tasks." in page


def test_an_account_without_a_role_finds_no_unit(browser: Browser, bureau: Organization) -> None:
    nobody = User.objects.create_user("nobody", password="a long password")
    assert browser(nobody).get(f"/units/{bureau.pk}/").status_code == 404


def test_across_policies_each_is_named_and_what_is_invented_is_not_added(
    office: Client, pair: list[Task], bureau: Organization
) -> None:
    address = f"/units/{bureau.pk}/"
    make_task(make_policy("second"), "A1-01", lead_unit=bureau)
    page = read(office, address)
    assert {unit_page(bureau), f"/policies/second/units/{bureau.pk}/"} <= set(links(page))
    assert "Sum" in page
    make_task(make_policy("third", demo=True), "A1-01", lead_unit=bureau)
    page = read(office, address)
    assert "Demonstration data" in page
    assert "Sum" not in page


@pytest.mark.parametrize("on", ["", "?on=2026-07-25"])
def test_every_number_of_a_page_leads_to_a_list_of_that_many(
    office: Client, policy: PolicyDocument, bureau: Organization, county: Organization, on: str
) -> None:
    scatter(policy, [bureau, county], 120)
    for task in Task.objects.filter(lead_unit=county)[:20]:
        task.co_units.add(bureau)
    for address in (MEASURE, UNITS, unit_page(bureau), f"/units/{bureau.pk}/"):
        page = read(office, address + on)
        found = re.findall(
            r'<a (?:class="more" )?href="(/policies/rise/tasks/\?[^"]+)">\s*(?:<b>|all )?(\d+)',
            page,
        )
        assert len(found) > 7
        for link, number in dict.fromkeys(found):
            assert re.search(
                rf'<p class="count">\s*{number} tasks? of 120', read(office, unescape(link))
            ), link
