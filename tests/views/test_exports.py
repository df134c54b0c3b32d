"""The ledger as a download: exactly the list of the page, or an answer in words."""

from html import unescape
from io import BytesIO
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tests.reports.test_filters import NAMES, VALUES
from tests.reports.test_statistics import scatter
from tests.views.conftest import Browser
from tracker.domain import legend
from tracker.domain.choices import PolicyState
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, Task, User

LEDGER = "/policies/rise/ledger.xlsx"


def fetch(client: Client, query: str = "") -> Workbook:
    response = client.get(LEDGER + query)
    assert response.status_code == 200
    return load_workbook(BytesIO(b"".join(response.streaming_content)))


def codes(book: Workbook) -> list[str]:
    """Return the codes of the sheet of bare data, in their order."""
    rows = [list(row) for row in book.worksheets[2].iter_rows(values_only=True)]
    place = next(row.index("task code") for row in rows if "task code" in row)
    return [row[place] for row in rows if row[place] and row[place] != "task code"]


def cover(book: Workbook) -> str:
    return "\n".join(
        str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row if cell
    )


@pytest.fixture
def scattered(policy: PolicyDocument, bureau: Organization, county: Organization) -> PolicyDocument:
    scatter(policy, [bureau, county], 60)
    return policy


def test_the_ledger_holds_every_task_and_not_one_page(
    office: Client, scattered: PolicyDocument
) -> None:
    assert len(codes(fetch(office))) == 60


def test_the_ledger_holds_the_tasks_of_the_filter(
    office: Client, scattered: PolicyDocument
) -> None:
    expected = Task.objects.filter(measure__code="A1").overdue(TODAY).order_by("code")
    assert codes(fetch(office, "?section=1&overdue=1")) == [task.code for task in expected]


def test_the_ledger_stands_in_the_order_of_the_page(office: Client, policy: PolicyDocument) -> None:
    make_task(policy, "A1-01", deadline=TODAY + DAY)
    make_task(policy, "A1-02", deadline=TODAY)
    make_task(policy, "B1-01", deadline=TODAY + 2 * DAY)
    assert codes(fetch(office, "?sort=-deadline&page=7&per_page=1000")) == [
        "B1-01",
        "A1-01",
        "A1-02",
    ]


def test_the_ledger_says_its_filters_in_words(office: Client, policy: PolicyDocument) -> None:
    make_task(policy)
    assert "section: A Section A" in cover(fetch(office, "?section=1"))


def test_the_ledger_says_who_made_it(office: Client, policy: PolicyDocument) -> None:
    make_task(policy)
    assert "supervisor" in cover(fetch(office))


def test_page_and_workbook_explain_lights_and_figures_in_the_same_words(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(policy)
    page, front = unescape(office.get("/policies/rise/").text), cover(fetch(office))
    with override("en"):
        rules = [rule for _light, _status, rule in legend.light_rules(policy)]
        rules += [words for _name, words in legend.formulas()]
    assert [rule for rule in rules if rule not in page or rule not in front] == []


def test_the_ledger_shows_the_lights_of_the_day_asked_for(
    office: Client, policy: PolicyDocument
) -> None:
    make_task(policy, deadline=TODAY + DAY)
    cells = [
        cell
        for row in fetch(office, "?on=2026-06-18").worksheets[2].iter_rows(values_only=True)
        for cell in row
    ]
    assert "■ red light" in cells


def test_the_ledger_is_named_for_the_policy_and_the_day(
    office: Client, policy: PolicyDocument
) -> None:
    response = office.get(LEDGER + "?on=2026-07-01")
    list(response.streaming_content)
    assert "20260701.xlsx" in unquote(response.headers["Content-Disposition"])


def test_the_ledger_of_a_liaison_holds_only_the_tasks_of_the_unit(
    browser: Browser,
    liaison: User,
    policy: PolicyDocument,
    bureau: Organization,
    county: Organization,
) -> None:
    make_task(policy, "A1-01", lead_unit=bureau, assigned_on=TODAY)
    make_task(policy, "A1-02", lead_unit=county, assigned_on=TODAY)
    book = fetch(browser(liaison))
    assert codes(book) == ["A1-01"]
    assert "this unit only" in cover(book)


def test_a_leader_fetches_no_ledger_of_a_draft(browser: Browser, leader: User) -> None:
    make_policy(state=PolicyState.DRAFT)
    assert browser(leader).get(LEDGER).status_code == 404


def test_an_unknown_policy_has_no_ledger(office: Client) -> None:
    assert office.get("/policies/nothing/ledger.xlsx").status_code == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?on=tomorrow", "is not a date; write it as YYYY-MM-DD"),
        ("?light=purpel", "light: “purpel” is not understood; allowed: blue"),
        ("?sort=colour", "sort: “colour” is not understood"),
        ("?lihgt=red", "lihgt: this page has no such filter"),
        ("?text=a%00b", "search text"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words_and_without_a_file(
    office: Client, policy: PolicyDocument, query: str, words: str
) -> None:
    response = office.get(LEDGER + query)
    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "Content-Disposition" not in response.headers
    assert words in response.content.decode()


def test_the_page_offers_the_ledger_of_its_own_list(office: Client, policy: PolicyDocument) -> None:
    page = office.get(
        "/policies/rise/tasks/?section=1&sort=code&on=2026-07-01&per_page=50&page=2"
    ).content.decode()
    assert f'href="{LEDGER}?on=2026-07-01&amp;section=1&amp;sort=code"' in page


def test_the_ledger_costs_the_same_queries_for_3_and_300_tasks(
    office: Client, policy: PolicyDocument, bureau: Organization, county: Organization
) -> None:
    counts = []
    for size in (3, 300):
        Task.objects.all().delete()
        scatter(policy, [bureau, county], size)
        Task.objects.order_by("pk").last().co_units.add(bureau)
        with CaptureQueriesContext(connection) as queries:
            list(office.get(LEDGER).streaming_content)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 27


@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_string_gives_a_file_or_a_refusal(
    office: Client, scattered: PolicyDocument, pairs: list[tuple[str, str]]
) -> None:
    response = office.get(LEDGER, pairs)
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        list(response.streaming_content)


def test_the_sheet_to_print_comes_on_a4_where_it_is_asked_for(
    policy: PolicyDocument, office: Client
) -> None:
    papers = [
        fetch(office, query).worksheets[1].page_setup.paperSize for query in ("", "?paper=a4")
    ]
    assert [int(paper) for paper in papers] == [8, 9]
