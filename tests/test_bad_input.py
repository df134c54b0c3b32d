"""Query strings of every kind on the report pages: a page or “not found”, never a fault of ours."""

from urllib.parse import quote, urlencode

import pytest
from django.conf import settings as product
from django.test import Client
from django.urls import URLPattern, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.factories import make_task
from tests.sizes import size
from tracker.domain.choices import Light, Status
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, User
from tracker.reports.filters import TaskFilter
from tracker.reports.task_table import TaskTable
from tracker.urls import urlpatterns

UNIT = "the unit"
# Every report page, with what its address names. A new page is one line here.
PAGES: dict[str, list[str]] = {
    "home": [],
    "policy": ["rise"],
    "tasks": ["rise"],
    "task": ["rise", "A1-01"],
    "measure": ["rise", "A1"],
    "text": ["rise"],
    "health": ["rise"],
    "units": ["rise"],
    "unit": ["rise", UNIT],
    "unit_everywhere": [UNIT],
    "search": [],
    "queue": [],
    "ledger": ["rise"],
}
STRINGS = size("QUERY_STRINGS")
# A page answers and says what it left out; an export refuses.
ANSWERS = {"ledger": {200, 400}}

KNOWN = [*TaskFilter.base_filters, "on", "q", "sort", "page", "per_page"]
NAMES = st.one_of(st.sampled_from(KNOWN), st.sampled_from(KNOWN), st.text(max_size=8))
READABLE = [
    *(
        "",
        "0",
        "1",
        "-1",
        "25",
        "50",
        "999999999",
        "9" * 40,
        "1e3",
        "٣",
        "none",
        "total",
        "A1",
        "1,2",
        "2026-06-30",
    ),
    *(
        "0001-01-01",
        "9999-12-31",
        "2999-12-31",
        "1900-01-01",
        "2026-02-30",
        "\x00",
        "%",
        "_",
        "\\",
        "'",
        "x" * 10_000,
    ),
    *(
        "<script>",
        "{{ 7 }}",
        "../..",
        "\ud800".encode("utf-8", "replace").decode(),
        "‮",
        "重点",
        "red",
        "warning",
        "all",
    ),
    *TaskTable.base_columns,
    *(f"-{name}" for name in TaskTable.base_columns),
    *Light,
    *Status,
]
VALUES = st.one_of(
    st.sampled_from(READABLE), st.dates().map(str), st.integers().map(str), st.text(max_size=12)
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=5).map(
    lambda pairs: urlencode(pairs, errors="replace"),
)
# Not even pairs: broken escapes, bytes that are no text, signs without names.
RAW = st.lists(
    st.sampled_from(
        ["=", "&", ";", "%", "%ff", "%00", "%e4%b8", "+", "on", "sort", "page", "a", "[]", "-", "?"]
    ),
    max_size=12,
).map("".join)
BYTES = st.binary(max_size=20).map(lambda raw: "text=" + quote(raw))


@pytest.fixture
def reader(policy: PolicyDocument, bureau: Organization, supervisor: User) -> Client:
    """Lay a task of either sort and open the browser of the supervisor."""
    make_task(policy, "A1-01", lead_unit=bureau, deadline=TODAY - DAY)
    make_task(policy, "B1-01", kind="")
    client = Client()  # raises what a page raises
    client.force_login(supervisor, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies[product.LANGUAGE_COOKIE_NAME] = "en"
    return client


def address_of(name: str) -> str:
    """Return the address of a report page."""
    unit = Organization.objects.get()
    return reverse(name, args=[unit.pk if word == UNIT else word for word in PAGES[name]])


@pytest.mark.parametrize("name", PAGES)
def test_any_query_string_is_answered(reader: Client, name: str) -> None:
    address = address_of(name)

    @settings(
        max_examples=-(-STRINGS // len(PAGES)),
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(query=st.one_of(PAIRS, PAIRS, RAW, BYTES))
    def ask(query: str) -> None:
        answer = reader.get(address, QUERY_STRING=query)
        answer.getvalue()  # reads a file to its end, which closes it
        assert answer.status_code in ANSWERS.get(name, {200, 404}), query

    ask()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "query", ["mistyped=1", "on=tomorrow", "on=2026-06-30&on=2026-07-01", "sort=nonsense%00"]
)
def test_what_is_left_out_is_said(reader: Client, name: str, query: str) -> None:
    answer = reader.get(address_of(name), QUERY_STRING=query)
    if name in ANSWERS:
        assert answer.status_code == 400
    else:
        assert 'role="alert"' in answer.content.decode()


def test_an_unknown_sort_leaves_the_default_order(reader: Client) -> None:
    address = reverse("tasks", args=["rise"])
    found = [reader.get(address + query).context["table"] for query in ("", "?sort=nonsense")]
    assert [task.pk for task in found[0].tasks] == [task.pk for task in found[1].tasks]


def test_a_page_beyond_the_last_shows_the_last(reader: Client, policy: PolicyDocument) -> None:
    for number in range(2, 30):
        make_task(policy, f"A1-{number:02}")
    answer = reader.get(reverse("tasks", args=["rise"]) + "?page=99999999")
    assert answer.context["table"].page.number == 2


def test_every_report_page_is_asked() -> None:
    # Workbooks and their log take nothing from the address.
    others = {
        "fill_in",
        "fill_ins",
        "my_fill_in",
        "imports",
        "batch",
        "marked",
        "checklist",
        "empty_checklist",
    }
    others |= {"batch_progress", "work", "made", "healthz"}
    others |= {"new", "login", "logout", "set_language", "large_type", "password", "kept"}
    # Work on one thing; the first two ask who works for a unit.
    others |= {"my", "report", "step", "tick", "evidence", "review", "accept_many", "answer"}
    assert {
        pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)
    } - others == PAGES.keys()
