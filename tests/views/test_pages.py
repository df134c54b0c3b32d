"""The report pages: who sees what, what they say, where their numbers lead, what they cost."""

import datetime as dt
import re
from html import unescape
from pathlib import Path

import pytest
from django.conf.global_settings import LANGUAGE_COOKIE_NAME
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.factories import make_many, make_policy, make_task
from tests.reports.test_filters import NAMES, VALUES
from tests.reports.test_statistics import scatter
from tests.views.conftest import Browser
from tracker.domain.choices import LIGHT_STYLES, Light, PolicyState, ReportState, Status
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.reports.task_table import PAGE_SIZES, TaskTable

OVERVIEW, LIST = "/policies/rise/", "/policies/rise/tasks/"
MEASURE, UNITS = "/policies/rise/measures/A1/", "/policies/rise/units/"
PAGES = ("/", OVERVIEW, LIST, MEASURE, UNITS)


def read(client: Client, address: str, status: int = 200) -> str:
    """Return a page as text."""
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def codes(page: str) -> list[str]:
    """Return the codes of the rows of a list, in their order."""
    return re.findall(r'<td class="col-code"[^>]*>([^<]+)</td>', page)


def links(page: str) -> list[str]:
    """Return every address that a page links to."""
    return [unescape(address) for address in re.findall(r'<a [^>]*?href="([^"]+)"', page)]


@pytest.fixture
def scattered(policy: PolicyDocument, bureau: Organization, county: Organization) -> PolicyDocument:
    scatter(policy, [bureau, county], 120)
    return policy


# Who sees what


@pytest.mark.parametrize("address", [OVERVIEW, LIST])
def test_a_leader_finds_no_draft(browser: Browser, leader: User, address: str) -> None:
    make_policy(state=PolicyState.DRAFT)
    assert browser(leader).get(address).status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_a_supervisor_sees_a_draft_named_as_one(office: Client, address: str) -> None:
    make_policy(state=PolicyState.DRAFT)
    assert "Draft" in read(office, address)


@pytest.mark.parametrize("address", ["/policies/nothing/", "/policies/nothing/tasks/", "/nowhere/"])
def test_an_unknown_address_says_so_and_leads_home(office: Client, address: str) -> None:
    page = read(office, address, 404)
    assert "There is no such page" in page
    assert reverse("home") in links(page)


def test_an_unknown_address_tells_a_stranger_so_too(stranger: Client, db: None) -> None:
    assert "There is no such page" in read(stranger, "/nowhere/", 404)


def test_a_liaison_sees_only_the_tasks_of_the_unit(
    browser: Browser,
    liaison: User,
    policy: PolicyDocument,
    bureau: Organization,
    county: Organization,
) -> None:
    make_task(policy, "A1-01", lead_unit=bureau, assigned_on=TODAY)
    make_task(policy, "A1-02", lead_unit=county, assigned_on=TODAY).co_units.add(bureau)
    make_task(policy, "A1-03", lead_unit=county, assigned_on=TODAY)
    make_task(policy, "A1-04", lead_unit=bureau)
    assert codes(read(browser(liaison), LIST)) == ["A1-01", "A1-02"]


@pytest.mark.parametrize("address", [OVERVIEW, LIST])
def test_the_figures_of_a_liaison_say_whose_they_are(
    browser: Browser, liaison: User, policy: PolicyDocument, address: str
) -> None:
    assert "This unit only" in read(browser(liaison), address)


def test_a_liaison_sees_no_ranking_made_of_a_part_of_the_tasks(
    browser: Browser, liaison: User, policy: PolicyDocument
) -> None:
    assert "Rank" not in read(browser(liaison), OVERVIEW)


def test_a_liaison_without_tasks_is_told_why(
    browser: Browser, liaison: User, policy: PolicyDocument
) -> None:
    assert "Nothing has been handed over to your unit yet." in read(browser(liaison), LIST)


def test_an_account_without_a_role_is_told_whom_to_ask(
    browser: Browser, policy: PolicyDocument
) -> None:
    nobody = User.objects.create_user("nobody", password="a long password")
    assert "Your account has no role yet" in read(browser(nobody), "/")


def test_without_a_policy_a_leader_is_told_to_wait(browser: Browser, leader: User) -> None:
    assert "No policy has been published yet." in read(browser(leader), "/")


def test_without_a_policy_a_supervisor_is_led_to_enter_one(office: Client) -> None:
    assert "/admin/tracker/policydocument/" in links(read(office, "/"))


def test_the_first_page_lists_every_policy_that_one_sees(browser: Browser, leader: User) -> None:
    for slug in ("one", "two"):
        make_policy(slug)
    make_policy("three", state=PolicyState.DRAFT)
    assert re.findall(
        r">Policy (one|two|three)</a>", read(browser(leader), "/").split("<main")[1]
    ) == ["one", "two"]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_of_demonstration_data_says_so(office: Client, address: str) -> None:
    make_policy(demo=True)
    assert "Demonstration data" in read(office, address)


@pytest.mark.parametrize("address", PAGES)
def test_no_page_of_real_data_is_called_a_demonstration(
    office: Client, policy: PolicyDocument, address: str
) -> None:
    assert "Demonstration data" not in read(office, address)


@pytest.mark.parametrize("address", [OVERVIEW, LIST])
def test_a_task_leads_to_its_page(
    browser: Browser, leader: User, policy: PolicyDocument, address: str
) -> None:
    make_task(policy, deadline=TODAY - DAY)
    page = read(browser(leader), address)
    assert "/policies/rise/tasks/A1-01/" in links(page)
    assert "/admin/" not in page


# What the pages say


@pytest.mark.parametrize("address", PAGES)
def test_the_foot_of_each_page_forbids_secrets(
    office: Client, policy: PolicyDocument, address: str
) -> None:
    assert "Do not enter classified information in this system." in read(office, address)


def test_the_overview_prints_the_thresholds_in_force(office: Client) -> None:
    make_policy(warn_days=3, yellow_gap=12, red_gap=34)
    page = read(office, OVERVIEW)
    assert [
        words in page for words in ("3 days or less", "12 points or more", "34 points or more")
    ] == [True] * 3


def test_a_section_without_tasks_has_a_dash_for_its_rate(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(policy, "A1-01")
    row = re.search(r"B Section B</a>.*?</tr>", read(office, OVERVIEW), re.DOTALL)
    assert row
    assert "—" in row[0]
    assert "%" not in row[0]


def test_a_late_task_stands_on_the_overview_with_its_reason(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(policy, deadline=TODAY - 4 * DAY)
    assert "4 days overdue" in read(office, OVERVIEW)


def test_a_late_task_says_what_its_unit_does_next(
    office: Client, policy: PolicyDocument, bureau: Organization
) -> None:
    task = make_task(policy, deadline=TODAY - DAY, lead_unit=bureau)
    report = ProgressUpdate.objects.create(
        task=task, unit=bureau, period_start=TODAY, period_end=TODAY, state=ReportState.ACCEPTED, submitted_on=TODAY,
        next_steps="Pour the concrete",
    )  # fmt: skip
    Task.objects.update(latest_report=report)
    assert "Next: Pour the concrete" in read(office, OVERVIEW)


def test_a_task_about_to_turn_stands_on_the_overview(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(policy, deadline=TODAY + 9 * DAY)
    page = read(office, OVERVIEW)
    assert '<time datetime="2026-06-17">' in page
    assert "7 days to the deadline" in page


def test_a_proposed_lead_unit_is_called_a_proposal(
    office: Client, policy: PolicyDocument, bureau: Organization
) -> None:
    make_task(policy, lead_unit=bureau, lead_is_proposed=True)
    assert "Science (proposed)" in read(office, LIST)
    assert "The lead unit of 1 task is still only a proposal." in read(office, OVERVIEW)


def test_each_light_is_a_word_a_shape_and_a_colour(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, deadline=TODAY - DAY)
    shape = f'<span aria-hidden="true">{LIGHT_STYLES[Light.RED].symbol}</span>'
    assert f'<span class="light light-red">{shape} red light</span>' in read(office, LIST)


def test_what_people_typed_is_text_and_no_markup(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, title="<script>alert(1)</script>", deadline=TODAY - DAY)
    assert ["<script" in read(office, address) for address in (OVERVIEW, LIST)] == [False, False]


# Numbers and lists


@pytest.mark.parametrize("address", ["/", OVERVIEW])
@pytest.mark.parametrize("on", [None, TODAY + 40 * DAY])
def test_every_number_leads_to_a_list_of_that_many(
    office: Client, scattered: PolicyDocument, address: str, on: dt.date | None
) -> None:
    page = read(office, address + (f"?on={on}" if on else ""))
    numbers = re.findall(r'<a href="(/policies/rise/tasks/\?[^"]+)">(?:<b>)?(\d+)<', page)
    assert len(numbers) > 7
    for link, number in dict.fromkeys(numbers):
        found = read(office, unescape(link))
        assert re.search(rf'<p class="count">\s*{number} tasks? of 120', found), link


def test_the_bar_of_a_section_is_full(office: Client, scattered: PolicyDocument) -> None:
    for bar in re.findall(r'<svg class="bar".*?</svg>', read(office, OVERVIEW), re.DOTALL):
        assert sum(int(width) for width in re.findall(r'<rect x="\d+" width="(\d+)"', bar)) == 300


def test_the_bar_of_nothing_is_empty(office: Client, policy: PolicyDocument) -> None:
    assert re.findall(r"<rect x=", read(office, OVERVIEW)) == []


# The list


def test_tasks_stand_in_the_order_of_the_text(office: Client, policy: PolicyDocument) -> None:
    for code in ("B1-01", "A1-02", "A1-01"):
        make_task(policy, code)
    assert codes(read(office, LIST)) == ["A1-01", "A1-02", "B1-01"]


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("name", TaskTable.base_columns)
def test_the_list_is_sorted_by_each_column(
    office: Client, scattered: PolicyDocument, name: str, sign: str
) -> None:
    page = read(office, f"{LIST}?sort={sign}{name}")
    direction = "descending" if sign else "ascending"
    assert f'class="col-{name}" aria-sort="{direction}"' in page
    assert "not understood" not in page


@pytest.mark.parametrize(
    ("sort", "order"),
    [("deadline", ["A1-02", "A1-01", "A1-03"]), ("-deadline", ["A1-01", "A1-02", "A1-03"])],
)
def test_tasks_without_a_deadline_come_last_in_both_directions(
    office: Client, policy: PolicyDocument, sort: str, order: list[str]
) -> None:
    make_task(policy, "A1-01", deadline=TODAY + 2 * DAY)
    make_task(policy, "A1-02", deadline=TODAY + DAY)
    make_task(policy, "A1-03")
    assert codes(read(office, f"{LIST}?sort={sort}")) == order


def test_sorted_by_light_the_gravest_comes_first(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01")
    make_task(policy, "A1-02", deadline=TODAY - DAY)
    make_task(policy, "A1-03", deadline=TODAY)
    assert codes(read(office, f"{LIST}?sort=light")) == ["A1-02", "A1-03", "A1-01"]


def test_an_unknown_sort_is_named_and_the_default_order_kept(
    office: Client, scattered: PolicyDocument
) -> None:
    page = read(office, f"{LIST}?sort=colour")
    assert "sort: “colour” is not understood" in page
    assert codes(page) == codes(read(office, LIST))


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", 25),
        ("?per_page=50", 50),
        ("?page=5", 20),
        ("?page=99", 20),
        ("?per_page=50&page=3", 20),
    ],
)
def test_a_page_holds_25_or_50_rows_and_beyond_the_last_is_the_last(
    office: Client, scattered: PolicyDocument, query: str, rows: int
) -> None:
    assert len(codes(read(office, LIST + query))) == rows


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=two", "page=%00", "page=" + "9" * 5000, "per_page=1000"]
)
def test_an_unreadable_page_is_named_and_a_page_is_shown(
    office: Client, scattered: PolicyDocument, query: str
) -> None:
    page = read(office, f"{LIST}?{query}")
    assert "is not understood; allowed" in page
    assert len(codes(page)) == 25


def test_all_rows_can_be_printed_at_once_and_what_is_too_long_says_so(
    office: Client, scattered: PolicyDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "?section=1&per_page=all" in links(read(office, f"{LIST}?section=1"))
    page = read(office, f"{LIST}?per_page=all")
    assert (len(codes(page)), "printed at once" in page) == (120, False)
    monkeypatch.setitem(PAGE_SIZES, "all", PAGE_SIZES["all"]._replace(rows=100))
    page = read(office, f"{LIST}?per_page=all")
    assert len(codes(page)) == 100
    assert "100 of 120 tasks can be printed at once" in page


def test_the_longest_page_weighs_less_than_300_kilobytes_with_its_style(
    office: Client, policy: PolicyDocument
) -> None:
    make_many(policy, PAGE_SIZES["all"].rows)
    Task.objects.update(title="推动重点产业集群延链补链强链并按期报送进展情况与存在问题" * 2)
    style = Path("tracker/static/tracker/style.css").stat().st_size
    office.cookies[LANGUAGE_COOKIE_NAME] = "zh-hans"
    answer = office.get(f"{LIST}?per_page=all")
    assert len(codes(answer.content.decode())) == PAGE_SIZES["all"].rows
    assert len(answer.content) + style < 300 * 1024


def test_each_page_of_the_list_links_to_the_next_with_its_filters(
    office: Client, scattered: PolicyDocument
) -> None:
    assert "?section=1&sort=code&page=2" in links(read(office, f"{LIST}?section=1&sort=code&text="))


def test_a_filter_can_be_taken_away_by_itself(office: Client, policy: PolicyDocument) -> None:
    found = links(read(office, f"{LIST}?section=1&light=red&sort=code&page=2"))
    assert {"?section=1&sort=code", "?light=red&sort=code"} <= set(found)


def test_all_filters_can_be_taken_away_at_once(office: Client, policy: PolicyDocument) -> None:
    assert "?sort=code" in links(read(office, f"{LIST}?section=1&light=red&sort=code"))


def test_filters_in_force_are_printed_in_words(office: Client, policy: PolicyDocument) -> None:
    page = re.sub(r"\s+", " ", read(office, f"{LIST}?section=1&overdue=1"))
    assert "Active filters: section: A Section A, overdue." in page


def test_a_list_filtered_to_nothing_says_so_and_leads_back(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(policy)
    page = read(office, f"{LIST}?text=nothing like it")
    assert "No task matches these filters." in page
    assert "?" in links(page)


def test_an_unreadable_filter_is_named_and_left_out(office: Client, policy: PolicyDocument) -> None:
    make_task(policy)
    page = read(office, f"{LIST}?light=purpel")
    assert "light: “purpel” is not understood; allowed: blue (closed on time)" in page
    assert codes(page) == ["A1-01"]


# Another day


@pytest.mark.parametrize("address", PAGES)
def test_another_day_is_announced(office: Client, policy: PolicyDocument, address: str) -> None:
    assert "Lights on 2026-07-01, based on what is known today." in read(
        office, f"{address}?on=2026-07-01"
    )


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("query", ["", "?on=2026-06-15", "?on="])
def test_today_is_not_announced(
    office: Client, policy: PolicyDocument, address: str, query: str
) -> None:
    assert "based on what is known today" not in read(office, address + query)


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize(
    "day", ["tomorrow", "2026-02-30", "20260701", "1800-01-01", "%00", "9" * 10_000]
)
def test_an_unreadable_day_is_named_and_today_is_shown(
    office: Client, policy: PolicyDocument, address: str, day: str
) -> None:
    page = read(office, f"{address}?on={day}")
    assert "is not a date; write it as YYYY-MM-DD" in page
    assert "based on what is known today" not in page


def test_the_lights_are_those_of_the_day(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, deadline=TODAY + DAY)
    assert "2 days overdue" in read(office, f"{LIST}?on=2026-06-18")


@pytest.mark.parametrize("address", PAGES)
def test_links_to_report_pages_keep_the_day(
    office: Client, scattered: PolicyDocument, address: str
) -> None:
    found = [
        link
        for link in links(read(office, f"{address}?on=2026-07-01"))
        if link.startswith("/policies/")
    ]
    # What is written is of today, and so is the health check.
    writing = ("/policies/new/", "/health/", "checklist.xlsx", "fill-in.zip", "fill-in.xlsx")
    assert [
        link for link in found if "on=2026-07-01" not in link and not link.endswith(writing)
    ] == []


@pytest.mark.parametrize("address", [OVERVIEW, LIST])
def test_one_link_leads_back_to_today(office: Client, policy: PolicyDocument, address: str) -> None:
    assert "?" in links(read(office, f"{address}?on=2026-07-01"))


@pytest.mark.parametrize("address", ["/", OVERVIEW])
def test_a_page_without_filters_names_a_filter_as_unknown(
    office: Client, policy: PolicyDocument, address: str
) -> None:
    assert "light: this page has no such filter" in read(office, f"{address}?light=red")


# What the pages cost, and what they withstand


@pytest.mark.parametrize(
    ("address", "most"), [("/", 6), (OVERVIEW, 25), (LIST, 15), (f"{LIST}?sort=-light", 15)]
)
def test_a_page_costs_the_same_queries_for_3_and_300_tasks(
    office: Client,
    policy: PolicyDocument,
    bureau: Organization,
    county: Organization,
    address: str,
    most: int,
) -> None:
    counts = []
    for size in (3, 300):
        Task.objects.all().delete()
        scatter(policy, [bureau, county], size)
        Task.objects.order_by("pk").last().co_units.add(bureau)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read(office, address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= most


def test_pages_carry_no_inline_style_and_no_script(
    office: Client, scattered: PolicyDocument
) -> None:
    for address in PAGES:
        page = read(office, f"{address}?on=2026-07-01&x=1")
        assert re.findall(r"<style|<script|\sstyle=|\son[a-z]+=\"", page) == []


@pytest.mark.parametrize("address", PAGES)
def test_no_page_is_changed_by_posting(
    office: Client, policy: PolicyDocument, address: str
) -> None:
    assert office.post(address).status_code == 405


@given(
    pairs=st.lists(st.tuples(st.one_of(NAMES, st.text(max_size=6)), VALUES), max_size=5),
    place=st.sampled_from(PAGES),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_string_gives_a_page(
    office: Client, scattered: PolicyDocument, pairs: list[tuple[str, str]], place: str
) -> None:
    data = QueryDict(mutable=True)
    for name, value in pairs:
        data.appendlist(name, value)
    assert office.get(f"{place}?{data.urlencode()}").status_code == 200


def test_a_task_without_anything_set_is_listed(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, kind="", status=Status.NOT_STARTED)
    assert codes(read(office, LIST)) == ["A1-01"]


def test_a_fault_of_ours_is_admitted_without_the_database(office: Client) -> None:
    office.raise_request_exception = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tracker.reports.statistics.by_policy", lambda *args: 1 / 0)
        assert "Something went wrong" in office.get("/").content.decode()


def test_what_is_not_allowed_says_so_and_leads_home(browser: Browser, leader: User) -> None:
    page = read(browser(leader), "/admin/", 403)
    assert "Your account may not do this" in page
    assert reverse("home") in links(page)


def test_too_many_parameters_are_refused_in_words(office: Client) -> None:
    page = read(office, "/?" + "&".join(f"a{number}=1" for number in range(20_001)), 400)
    assert "could not be read" in page


# The overview's measures and its forecast


def test_the_overview_counts_measures_without_general_demands(
    office: Client, policy: PolicyDocument
) -> None:
    policy.measures.filter(code="B1").update(general=True)
    page = re.sub(r"\s+", " ", read(office, OVERVIEW))
    assert "1 measure; general demands are not counted among them" in page
    assert page.count("general demand</span>") == 1
    assert {"/policies/rise/measures/A1/", "/policies/rise/measures/B1/"} <= set(links(page))


def test_the_calendar_has_30_days_and_counts_every_turn_once(
    office: Client, scattered: PolicyDocument
) -> None:
    page = read(office, OVERVIEW)
    strip = re.search(r'<ol class="calendar".*?</ol>', page, re.DOTALL)
    assert strip
    days = re.findall(r'<time datetime="([^"]+)">', strip[0])
    assert days == [(TODAY + number * DAY).isoformat() for number in range(1, 31)]
    counts = re.findall(r"</span>(\d+)<span class=\"unseen\"> (red light|warning)</span>", strip[0])
    assert sum(int(count) for count, _light in counts) == Task.objects.turning(TODAY).count() > 0


def test_the_calendar_tells_yellow_from_red(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", deadline=TODAY + 9 * DAY)
    make_task(
        policy, "A1-02", deadline=TODAY + DAY
    )  # yellow since six days, red the day after tomorrow
    strip = re.sub(
        r"<[^>]+>|\s+", " ", read(office, OVERVIEW).split('class="calendar"')[1].split("</ol>")[0]
    )
    assert re.search(r"17\s+■\s+1\s+red light\s+▲\s+1\s+warning\s+18\s+none", strip)


def test_the_list_stands_in_bands_in_the_order_of_the_text_alone(
    office: Client, policy: PolicyDocument
) -> None:
    for code in ("B1-01", "A1-02", "A1-01"):
        make_task(policy, code)
    page = read(office, LIST)
    bands = re.findall(
        r'<tr class="band band-(\w+)"><th scope="rowgroup" colspan="8"><a '
        r'href="([^"]+)">([^<]+)</a>',
        page,
    )
    assert bands == [
        ("section", f"{LIST}?section=1", "A Section A"),
        ("measure", MEASURE, "A1 Measure A1"),
        ("section", f"{LIST}?section=2", "B Section B"),
        ("measure", "/policies/rise/measures/B1/", "B1 Measure B1"),
    ]
    assert "col-measure" not in page
    assert 'class="band' not in read(office, f"{LIST}?sort=code")
