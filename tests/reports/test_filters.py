"""The filters: each keeps what it says, says what it keeps, and refuses what it cannot read."""

from collections.abc import Iterator

import pytest
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TODAY
from tests.factories import make_task
from tests.reports.test_statistics import scatter
from tracker.domain.choices import Kind, Light, Status
from tracker.domain.dates import DAY
from tracker.models import Organization, PolicyDocument, Task, User
from tracker.reports.filters import QueryReader, TaskFilter


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def four(policy: PolicyDocument, bureau: Organization, county: Organization) -> PolicyDocument:
    """Lay four tasks that differ in every filter."""
    make_task(policy, "A1-01", title="建设区域枢纽", lead_unit=bureau, deadline=TODAY + 90 * DAY)
    make_task(
        policy, "A1-02", title="Bridges", lead_unit=county, deadline=TODAY - DAY
    ).co_units.add(bureau)
    make_task(
        policy,
        "B1-01",
        title="Roads",
        description="100% of_them",
        kind="",
        owed_from=TODAY - 80 * DAY,
    )
    make_task(policy, "B1-02", title="Rails", status=Status.CANCELLED, deadline=TODAY + 20 * DAY)
    return policy


def ask(policy: PolicyDocument, query: str) -> tuple[TaskFilter, QueryReader]:
    asked = QueryReader(QueryDict(query))
    chosen = TaskFilter(asked, Task.objects.filter(policy=policy), policy, TODAY)
    asked.reject_unknown()
    return chosen, asked


def kept(policy: PolicyDocument, query: str) -> list[str]:
    """Return the codes that a query string keeps; it must be readable."""
    chosen, asked = ask(policy, query)
    assert asked.faults == []
    return sorted(chosen.qs.values_list("code", flat=True))


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", ["A1-01", "A1-02", "B1-01", "B1-02"]),
        ("section=2", ["B1-01", "B1-02"]),
        ("measure=A1", ["A1-01", "A1-02"]),
        ("status=cancelled", ["B1-02"]),
        ("light=red", ["A1-02", "B1-01"]),
        ("light=none", ["B1-02"]),
        ("group=normal", ["A1-01"]),
        ("group=total", ["A1-01", "A1-02", "B1-01"]),
        ("kind=qualitative", ["A1-01", "A1-02", "B1-02"]),
        ("kind=none", ["B1-01"]),
        ("lead=none", ["B1-01", "B1-02"]),
        ("overdue=1", ["A1-02"]),
        ("unreported=1", ["B1-01"]),
        ("turning=1", []),
        ("deadline_from=2026-06-15", ["A1-01", "B1-02"]),
        ("deadline_to=2026-06-14", ["A1-02"]),
        ("deadline_from=2026-06-15&deadline_to=2026-07-31", ["B1-02"]),
        ("section=1&light=red", ["A1-02"]),
        ("light=&section=", ["A1-01", "A1-02", "B1-01", "B1-02"]),
        ("text=枢纽", ["A1-01"]),
        ("text=枢", ["A1-01"]),
        ("text=a1-0", ["A1-01", "A1-02"]),
        ("text=roads", ["B1-01"]),
        ("text=of_t", ["B1-01"]),
        ("text=0%25", ["B1-01"]),
        ("text=East", ["A1-02"]),
        ("text=Sci", ["A1-01", "A1-02"]),
        ("text=Science bridges", ["A1-02"]),
        ("text=%20%20", ["A1-01", "A1-02", "B1-01", "B1-02"]),
        ("text=Rails Roads", []),
    ],
)
def test_a_filter_keeps_what_it_says(four: PolicyDocument, query: str, codes: list[str]) -> None:
    assert kept(four, query) == codes


def test_a_unit_is_found_where_it_leads_and_where_it_co_operates(
    four: PolicyDocument, bureau: Organization
) -> None:
    assert kept(four, f"unit={bureau.pk}") == ["A1-01", "A1-02"]


def test_a_lead_unit_is_found_only_where_it_leads(
    four: PolicyDocument, bureau: Organization
) -> None:
    assert kept(four, f"lead={bureau.pk}") == ["A1-01"]


def test_a_task_with_two_matching_units_is_listed_once(
    four: PolicyDocument, county: Organization
) -> None:
    Task.objects.get(code="A1-01").co_units.add(county)
    assert kept(four, "text=t") == ["A1-01", "A1-02", "B1-01"]


@pytest.mark.parametrize(
    ("query", "place", "allowed"),
    [
        ("light=purpel", "light", "purple (closed late)"),
        ("status=open", "status", "in_progress (in progress)"),
        ("section=9", "section", "1 (A Section A), 2 (B Section B)"),
        ("measure=Z9", "measure", "B1 (B1 Measure B1)"),
        ("unit=0", "unit (lead or co-operating)", "allowed"),
        ("unit=1%00", "unit (lead or co-operating)", "allowed"),
        ("lead=x", "lead unit", "none (no lead unit)"),
        ("kind=sort of", "kind", "standing"),
        ("group=all", "figure", "total"),
        ("overdue=yes", "overdue", "allowed: 1"),
        ("turning=0", "turns in the next 30 days", "allowed: 1"),
        ("deadline_from=30.6.2026", "deadline from", "YYYY-MM-DD"),
        ("deadline_to=9999-99-99", "deadline to", "YYYY-MM-DD"),
        ("deadline_to=%00", "deadline to", "YYYY-MM-DD"),
        (f"text={'x' * 101}", "search text", "at most 100 characters"),
        ("text=a%00b", "search text", "control character"),
        ("light=red&light=blue", "light", "one value only"),
        ("lihgt=red", "lihgt", "no such filter"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place_and_what_is_allowed(
    four: PolicyDocument, query: str, place: str, allowed: str
) -> None:
    (fault,) = ask(four, query)[1].faults
    assert fault.startswith(f"{place}: ")
    assert allowed in fault


def test_what_cannot_be_read_leaves_the_other_filters_in_force(four: PolicyDocument) -> None:
    chosen, _asked = ask(four, "light=purpel&section=2")
    assert sorted(task.code for task in chosen.qs) == ["B1-01", "B1-02"]


def test_what_cannot_be_read_is_kept_in_no_link(four: PolicyDocument) -> None:
    assert ask(four, "light=purpel&section=2")[1].query == {"section": "2"}


def test_what_cannot_be_read_does_not_stand_in_the_form(four: PolicyDocument) -> None:
    assert ask(four, "text=a%00b")[0].form["text"].value() is None


def test_a_long_value_is_cut_in_the_message(four: PolicyDocument) -> None:
    assert len(ask(four, f"light={'x' * 10_000}")[1].faults[0]) < 400


def test_the_same_value_twice_is_one_value(four: PolicyDocument) -> None:
    assert kept(four, "light=red&light=red") == ["A1-02", "B1-01"]


def test_the_filters_in_force_are_said_in_words(four: PolicyDocument, bureau: Organization) -> None:
    chosen, _asked = ask(
        four, f"text=bridges&unit={bureau.pk}&overdue=1&deadline_to=2026-06-30&measure=A1&light=bad"
    )
    assert chosen.words() == [
        "search text: bridges",
        "unit (lead or co-operating): Science",
        "measure: A1 Measure A1",
        "deadline to: 2026-06-30",
        "overdue",
    ]


def test_more_filters_stand_open_when_one_of_them_is_in_force(four: PolicyDocument) -> None:
    assert [
        ask(four, query)[0].more_in_force for query in ("light=red", "light=red&overdue=1")
    ] == [False, True]


def test_the_lights_of_the_filter_are_those_of_the_rule(four: PolicyDocument) -> None:
    for light in Light:
        assert kept(four, f"light={light}") == [
            task.code for task in four.tasks.order_by("code") if task.light_on(TODAY) == light
        ]


def test_filtering_costs_the_same_queries_for_any_filter(
    policy: PolicyDocument,
    bureau: Organization,
    django_assert_num_queries: type[CaptureQueriesContext],
) -> None:
    scatter(policy, [bureau], 50)
    with django_assert_num_queries(3 + 1):
        ask(
            policy,
            f"text=a b c&unit={bureau.pk}&light=red&group=red&kind={Kind.STANDING}&overdue=1",
        )[0].qs.count()


NAMES = st.sampled_from([*TaskFilter.base_filters, "on", "sort", "page", "x"])
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            "0",
            "1",
            "-1",
            "none",
            "total",
            "red",
            "closed",
            "A1",
            "2026-06-30",
            "\x00",
            "%",
            "x" * 10_000,
        ]
    ),
)


@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_string_is_filtered_by_or_refused_in_words(
    four: PolicyDocument, pairs: list[tuple[str, str]]
) -> None:
    data = QueryDict(mutable=True)
    for name, value in pairs:
        data.appendlist(name, value)
    asked = QueryReader(data)
    chosen = TaskFilter(asked, Task.objects.all(), four, TODAY)
    asked.reject_unknown()
    assert len(list(chosen.qs)) <= 4
    assert len(chosen.words()) == len(chosen.data)
    assert all(isinstance(fault, str) for fault in asked.faults)


@pytest.mark.parametrize("name", ["owing", "unacknowledged"])
def test_the_list_shows_where_nothing_was_heard(
    client: Client, policy: PolicyDocument, supervisor: User, bureau: Organization, name: str
) -> None:
    silent = {
        "lead_unit": bureau,
        "assigned_on": TODAY.replace(day=1),
        "owed_from": TODAY.replace(day=1),
    }
    make_task(policy, "A1-01", **silent)
    make_task(
        policy, "A1-02", **silent, acknowledged_on=TODAY, reported_through=TODAY.replace(day=30)
    )
    client.force_login(supervisor)
    table = client.get(reverse("tasks", args=["rise"]) + f"?{name}=1").context["table"]
    assert [task.code for task in table.tasks] == ["A1-01"]
