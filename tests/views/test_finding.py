"""The head line: the search, the switch between policies, large type."""

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import TODAY
from tests.factories import make_many, make_policy, make_task
from tests.views.conftest import Browser
from tests.views.test_details import flat
from tests.views.test_pages import links, read
from tracker.domain.choices import PolicyState
from tracker.models import Organization, PolicyDocument, User

TASK = "/policies/rise/tasks/A1-01/"


# The search


@pytest.mark.parametrize("words", ["枢纽", "建设 枢纽", "建设\u3000枢纽", "a1-01", "条高铁"])
def test_a_task_is_found_by_code_title_and_description(
    office: Client, policy: PolicyDocument, words: str
) -> None:
    make_task(policy, title="建设区域枢纽", description="三条高铁")
    make_task(policy, "B1-01", title="别的")
    found = links(read(office, f"/search/?q={words}"))
    assert TASK in found
    assert "/policies/rise/tasks/B1-01/" not in found


def test_measures_and_units_are_found(
    office: Client, policy: PolicyDocument, bureau: Organization
) -> None:
    policy.measures.filter(code="A1").update(name="坚持城乡融合")
    assert "/policies/rise/measures/A1/" in links(read(office, "/search/?q=城乡"))
    for words in ("Bureau of", "Science", "Tech"):
        assert f"/units/{bureau.pk}/" in links(read(office, f"/search/?q={words}"))


@pytest.mark.parametrize("words", ["x", "枢", "9" * 101, "a%00b", "%20x%20"])
def test_a_text_that_cannot_be_searched_for_says_what_is_allowed(
    office: Client, policy: PolicyDocument, words: str
) -> None:
    assert "allowed: 2 to 100 characters" in read(office, f"/search/?q={words}")


@pytest.mark.parametrize("words", ["", "%", "__", "100%25", "';--", "“”"])
def test_signs_of_a_database_are_mere_signs(
    office: Client, policy: PolicyDocument, words: str
) -> None:
    make_task(policy)
    assert TASK not in links(read(office, f"/search/?q={words}"))


def test_nothing_found_says_so(office: Client, policy: PolicyDocument) -> None:
    assert "Nothing visible to you contains these words." in read(office, "/search/?q=nothing")


def test_the_first_fifty_are_shown_and_the_total_is_said(
    office: Client, policy: PolicyDocument
) -> None:
    make_many(policy, 60)
    page = read(office, "/search/?q=任务")
    assert "the first 50 of 60; add words to narrow the search" in flat(page)
    assert len([link for link in links(page) if "/tasks/" in link]) == 50


def test_a_draft_is_found_by_the_office_alone(
    browser: Browser, supervisor: User, leader: User
) -> None:
    policy = make_policy(state=PolicyState.DRAFT)
    policy.measures.update(name="CANARY")
    make_task(policy, title="CANARY")
    assert read(browser(supervisor), "/search/?q=CANARY").count("CANARY") > 3
    page = read(browser(leader), "/search/?q=CANARY")
    assert "Nothing visible to you contains these words." in page


def test_a_liaison_finds_only_the_tasks_of_the_unit(
    browser: Browser,
    liaison: User,
    policy: PolicyDocument,
    bureau: Organization,
    county: Organization,
) -> None:
    make_task(policy, "A1-01", lead_unit=bureau, assigned_on=TODAY, title="一件大事")
    make_task(policy, "A1-02", lead_unit=county, assigned_on=TODAY, title="一件大事")
    make_task(policy, "A1-03", lead_unit=bureau, title="一件大事")
    assert [
        link for link in links(read(browser(liaison), "/search/?q=大事")) if "/tasks/" in link
    ] == [TASK]


def test_an_account_without_a_role_finds_nothing(
    browser: Browser, policy: PolicyDocument, bureau: User
) -> None:
    make_task(policy)
    nobody = User.objects.create_user("nobody", password="a long password")
    assert "Nothing visible to you contains these words." in read(
        browser(nobody), "/search/?q=Science"
    )


def test_the_search_keeps_the_day(office: Client, policy: PolicyDocument) -> None:
    make_task(policy)
    page = read(office, "/search/?q=Task&on=2026-07-01")
    assert f"{TASK}?on=2026-07-01" in links(page)
    assert '<input type="hidden" name="on" value="2026-07-01">' in page


# The switch


def test_the_switch_offers_the_policies_that_one_may_see(
    browser: Browser, leader: User, supervisor: User
) -> None:
    for slug in ("one", "two"):
        make_policy(slug)
    make_policy("three", state=PolicyState.DRAFT)
    for user, offered in ((leader, {"one", "two"}), (supervisor, {"one", "two", "three"})):
        switch = (
            read(browser(user), "/policies/one/")
            .split('<details class="switch">')[1]
            .split("</details>")[0]
        )
        assert set(links(switch)) == {f"/policies/{slug}/" for slug in offered}


def test_who_sees_one_policy_needs_no_switch(office: Client, policy: PolicyDocument) -> None:
    assert 'class="switch"' not in read(office, "/policies/rise/")


def test_the_head_line_costs_one_query_whatever_it_offers(
    office: Client, policy: PolicyDocument
) -> None:
    counts = []
    for number in range(2):
        make_policy(f"more-{number}")
        with CaptureQueriesContext(connection) as queries:
            read(office, "/search/")
        counts.append(len(queries))
    assert counts == [3, 3]  # session, account, policies


# Large type


def test_large_type_is_remembered_and_taken_back(office: Client, policy: PolicyDocument) -> None:
    assert 'class="large"' not in read(office, "/policies/rise/")
    answer = office.post("/large-type/", {"large": "1", "next": "/policies/rise/?on=2026-07-01"})
    assert answer["Location"] == "/policies/rise/?on=2026-07-01"
    assert 'class="large"' in read(office, "/policies/rise/")
    office.post("/large-type/", {"large": "0"})
    assert 'class="large"' not in read(office, "/policies/rise/")


@pytest.mark.parametrize(
    "wanted", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:1", ""]
)
def test_large_type_leads_nobody_elsewhere(office: Client, wanted: str) -> None:
    assert office.post("/large-type/", {"large": "1", "next": wanted})["Location"] == "/"


def test_large_type_needs_no_account_but_a_token(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/large-type/", {"large": "1"}).status_code == 403
    token = client.get("/login/").context["csrf_token"]
    client.post("/large-type/", {"large": "1", "csrfmiddlewaretoken": str(token)})
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert 'class="large"' in read(client, "/login/")
