"""One order on both databases: the lists expected here are the same on SQLite and on PostgreSQL."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.conftest import TODAY
from tests.excel.conftest import data, opened
from tests.factories import make_policy, make_task
from tests.reports.test_filters import ask
from tracker.domain.dates import DAY
from tracker.excel import progress_template
from tracker.excel.ledger import LedgerRequest
from tracker.models import Measure, Organization, PolicyDocument, Task, User
from tracker.reports import worklist
from tracker.reports.columns import TASK_COLUMNS, ordering

# What a locale would sort in another way than code points: capitals, accents, signs, Chinese.
TITLES = ["100", "B", "_", "a", "a b", "ab", "b", "é", "中", "安", "（一）"]


@pytest.fixture
def policy(db: None) -> PolicyDocument:
    return make_policy()


@pytest.fixture
def ranked(policy: PolicyDocument) -> PolicyDocument:
    """Lay tasks whose codes need counting, two without a deadline, of units that share an official
    order.
    """
    later = Organization.objects.create(name="Alpha", short_name="Alpha", order=20)
    first = Organization.objects.create(name="Zeta", short_name="Zeta", order=10)
    equal = Organization.objects.create(name="Beta", short_name="Beta", order=20)
    make_task(policy, "A1-10", lead_unit=later, deadline=TODAY)
    make_task(policy, "A1-2", lead_unit=first)
    make_task(policy, "A1-1", lead_unit=equal, deadline=TODAY)
    make_task(policy, "A1-9")
    make_task(policy, "A1-3", lead_unit=later, deadline=TODAY + DAY)
    return policy


def admin_codes(client: Client, column: str) -> list[str]:
    """Return the codes of the admin's list, sorted by a column as a click on its head sorts it."""
    page = client.get(reverse("admin:tracker_task_changelist"))
    names = [*page.context["cl"].list_display]
    place = names.index(column.removeprefix("-"))
    sign = "-" if column.startswith("-") else ""
    sorted_page = client.get(reverse("admin:tracker_task_changelist"), {"o": f"{sign}{place}"})
    return [task.code for task in sorted_page.context["cl"].result_list]


ORDERS = {
    "code": ["A1-1", "A1-2", "A1-3", "A1-9", "A1-10"],
    "-code": ["A1-10", "A1-9", "A1-3", "A1-2", "A1-1"],
    "deadline": ["A1-1", "A1-10", "A1-3", "A1-2", "A1-9"],
    "-deadline": ["A1-3", "A1-1", "A1-10", "A1-2", "A1-9"],
    "lead_unit": ["A1-2", "A1-3", "A1-10", "A1-1", "A1-9"],
    "-lead_unit": ["A1-1", "A1-3", "A1-10", "A1-2", "A1-9"],
}
ADMIN = {"deadline": "deadline_text", "lead_unit": "lead"}


@pytest.mark.parametrize("order", ORDERS)
def test_the_page_orders_by_count_with_empty_values_last(
    ranked: PolicyDocument, order: str
) -> None:
    found = ranked.tasks.order_by(
        *ordering(TASK_COLUMNS[order.removeprefix("-")], order.startswith("-"))
    )
    assert list(found.values_list("code", flat=True)) == ORDERS[order]


@pytest.mark.parametrize("order", ORDERS)
def test_the_admin_orders_as_the_page_does(
    client: Client, ranked: PolicyDocument, supervisor: User, order: str
) -> None:
    client.force_login(supervisor)
    name = order.removeprefix("-")
    assert admin_codes(client, order.replace(name, ADMIN.get(name, name))) == ORDERS[order]


@pytest.mark.parametrize("path", ["/policies/rise/tasks/", "/policies/rise/tasks/?sort=code"])
def test_the_list_counts_codes(
    client: Client, ranked: PolicyDocument, supervisor: User, path: str
) -> None:
    client.force_login(supervisor)
    assert [task.code for task in client.get(path).context["table"].tasks] == ORDERS["code"]


@pytest.mark.parametrize("order", ["title", "-title"])
def test_titles_stand_by_code_points_whatever_the_locale(
    policy: PolicyDocument, order: str
) -> None:
    for number, title in enumerate(TITLES):
        make_task(policy, f"A1-{len(TITLES) - number}", title=title)
    found = policy.tasks.order_by(*ordering(TASK_COLUMNS["title"], order.startswith("-")))
    wanted = sorted(TITLES, reverse=order.startswith("-"))
    assert list(found.values_list("title", flat=True)) == wanted


@pytest.mark.postgresql  # SQLite sorts by code points
def test_titles_have_the_collation_of_code_points_whatever_the_database_has(db: None) -> None:
    """A database whose own locale sorts by code points would hide that the column has none of its
    own.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT collation_name FROM information_schema.columns"
            " WHERE table_name = 'tracker_task' AND column_name = 'title'"
        )
        assert cursor.fetchone() == ("C",)


@pytest.fixture
def sorted_by_locale(db: None) -> None:
    """Let PostgreSQL sort names as a locale does.

    Capitals beside small letters, accents beside none.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for table in ("tracker_organization", "tracker_measure"):
            cursor.execute(
                f'ALTER TABLE {table} ALTER COLUMN name TYPE varchar(200) COLLATE "und-x-icu"'
            )


@pytest.mark.parametrize(("kind", "made"), [("organization", Organization), ("measure", Measure)])
def test_names_in_the_admin_stand_by_code_points_too(
    sorted_by_locale: None,
    client: Client,
    policy: PolicyDocument,
    supervisor: User,
    kind: str,
    made: type,
) -> None:
    client.force_login(supervisor)
    names = ["B", "_x", "a", "é", "中"]
    for number, name in enumerate(names):
        if made is Organization:
            Organization.objects.create(name=name, short_name=f"U{number}", order=9 - number)
        else:
            Measure.objects.create(
                policy=policy,
                section=policy.sections.get(number=1),
                code=f"A{9 - number}",
                name=name,
            )
    address = reverse(f"admin:tracker_{kind}_changelist")
    place = [*client.get(address).context["cl"].list_display].index("name")
    rows = client.get(address, {"o": str(place)}).context["cl"].result_list
    assert [row.name for row in rows if row.name in names] == names


def test_measures_of_one_place_stand_by_count(policy: PolicyDocument) -> None:
    section = policy.sections.get(number=1)
    for code in ("A10", "A2"):
        Measure.objects.create(policy=policy, section=section, code=code, order=1, name="x")
    assert [measure.code for measure in policy.measures.all()] == ["A1", "A2", "A10", "B1"]


def test_tasks_of_measures_of_one_place_stand_together(policy: PolicyDocument) -> None:
    section = policy.sections.get(number=1)
    measures = [
        Measure.objects.create(policy=policy, section=section, code=code, order=1, name="x")
        for code in ("A10", "A2")
    ]
    for code, measure in (("A1-1", measures[0]), ("A1-2", measures[1]), ("A1-3", measures[0])):
        make_task(policy, code, measure=measure)
    assert list(policy.tasks.values_list("code", flat=True)) == ["A1-2", "A1-1", "A1-3"]


def test_the_longest_code_of_many_numbers_is_sorted(policy: PolicyDocument) -> None:
    make_task(policy, "A1-10", title="last")
    measure = policy.measures.get(code="A1")
    long = Task.objects.create(
        policy=policy, measure=measure, code="a1b2c3d4e5f6g7h8i9j0", title="x"
    )
    assert len(long.code_key) < 64
    make_task(policy, "A1-2")
    long.refresh_from_db()
    assert len(long.sort_key) < 120


def test_what_is_asked_of_a_unit_ends_with_what_has_no_deadline(ranked: PolicyDocument) -> None:
    unit = Organization.objects.get(name="Zeta")
    tasks = ranked.tasks.all()
    tasks.update(lead_unit=unit, assigned_on=TODAY, kind="quantified")
    (group,) = [
        each
        for each in worklist.work_groups(tasks, unit, TODAY)
        if each.call.name == "unacknowledged"
    ] or [None]
    assert group is not None
    shown = [line.task.code for line in group.lines]
    assert shown[-2:] == ["A1-2", "A1-9"]


def test_the_ledger_counts_codes(ranked: PolicyDocument) -> None:
    with translation.override("en"):
        scope = LedgerRequest(
            policy=ranked, tasks=ranked.tasks.all(), on=TODAY, filters=[], produced_by="x", unit_scope="",
            link=lambda task: "",
        )  # fmt: skip
        assert [row["task code"].value for row in data(opened(scope))] == ORDERS["code"]


def test_the_fill_in_workbook_counts_codes(ranked: PolicyDocument) -> None:
    unit = Organization.objects.get(name="Zeta")
    ranked.tasks.update(lead_unit=unit, assigned_on=TODAY, kind="qualitative")
    rows = progress_template.scope_of(unit, ranked.tasks.all(), TODAY).rows
    assert [row.task.code for row in rows] == ORDERS["code"]


def test_no_filter_changes_the_order(ranked: PolicyDocument) -> None:
    chosen, _asked = ask(ranked, "text=A1")
    assert list(chosen.qs.values_list("code", flat=True)) == ORDERS["code"]
