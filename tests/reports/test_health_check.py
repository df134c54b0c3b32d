"""The health check: each kind of finding where something is wrong, and only there.

The same everywhere it is shown.
"""

import datetime as dt
from collections.abc import Callable
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from openpyxl import Workbook, load_workbook

from tests.conftest import TODAY
from tests.factories import make_many, make_policy, make_task
from tests.sizes import size
from tests.views.conftest import browser, office, stranger
from tracker.domain.choices import Kind, Severity, Status
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Evidence,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.reports.health_check import HealthFinding, run_checkup
from tracker.reports.health_rules import HEALTH_CHECKS, UNFINISHED_STATUSES
from tracker.text.text_view import TextView

__all__ = ["browser", "office", "stranger"]
PAGE, LEDGER = "/policies/rise/health/", "/policies/rise/ledger.xlsx"
WORKDAY, HOLIDAY, SATURDAY_AT_WORK = (
    dt.date(2026, 7, 31),
    dt.date(2026, 10, 1),
    dt.date(2026, 10, 10),
)
TEXT = "第一部分，修路。\n第二部分，架桥。天气很好。"

Make = Callable[..., Task]


@pytest.fixture
def gone(db: None) -> Organization:
    return Organization.objects.create(name="Old Bureau", short_name="Old", order=90, active=False)


@pytest.fixture
def make(policy: PolicyDocument, bureau: Organization) -> Make:
    """Make a task in which nothing is wrong but what a test says."""

    def made(code: str = "A1-01", **facts: Any) -> Task:
        plain = {
            "kind": Kind.QUANTIFIED,
            "start": dt.date(2026, 1, 5),
            "deadline": WORKDAY,
            "lead_unit": bureau,
        }
        return make_task(policy, code, **{**plain, **facts})

    return made


@pytest.fixture
def loaded(policy: PolicyDocument, make: Make) -> PolicyDocument:
    """Lay a text of which every clause is accounted for."""
    policy.full_text = TEXT
    policy.save()
    policy.sections.filter(number=1).update(anchor="第一部分")
    policy.sections.filter(number=2).update(anchor="第二部分")
    policy.measures.filter(code="A1").update(anchor="修路")
    make("B1-01", anchor="架桥")
    BackgroundPassage.objects.create(policy=policy, anchor="天气", marked_on=TODAY)
    return policy


def report(task: Task, month: int, words: str, state: str = "accepted", **facts: Any) -> None:
    """Hand a report in for a month of the year."""
    first = dt.date(2026, month, 1)
    ProgressUpdate.objects.create(
        task=task, unit=task.lead_unit, state=state, progress=words, period_start=first,
        period_end=first.replace(day=28), submitted_on=first, **facts,
    )  # fmt: skip
    task.latest_report = task.reports.filter(state="accepted").first()
    task.save()


def found(policy: PolicyDocument) -> dict[str, list[HealthFinding]]:
    """Return the findings by the name of their kind."""
    return {check.name: findings for check, findings in run_checkup(policy).groups}


def words(policy: PolicyDocument, name: str) -> list[str]:
    """Return what is said in English of one kind, and see that nothing else is found."""
    with override("en"):
        kinds = found(policy)
    assert set(kinds) <= {name}
    return [f"{finding.place}: {finding.what}" for finding in kinds.get(name, [])]


def test_a_task_in_order_is_not_found(policy: PolicyDocument, make: Make) -> None:
    make()
    assert found(policy) == {}


def test_an_empty_policy_has_nothing_to_find(policy: PolicyDocument) -> None:
    assert found(policy) == {}


def test_a_declared_count_that_does_not_hold(policy: PolicyDocument) -> None:
    DeclaredCount.objects.create(
        policy=policy, name="Firsts", number=7, section=policy.sections.first()
    )
    assert words(policy, "count") == ["Firsts: Firsts: declared 7, found 1"]


def test_a_declared_count_that_holds_is_not_found(policy: PolicyDocument, make: Make) -> None:
    DeclaredCount.objects.create(
        policy=policy, name="Firsts", number=1, section=policy.sections.first()
    )
    task = make()
    ChecklistItem.objects.create(task=task, number=1, title="Base one")
    DeclaredCount.objects.create(policy=policy, name="Bases", number=1, task=task, match="Base")
    assert found(policy) == {}


def test_a_text_that_is_accounted_for_has_no_findings(loaded: PolicyDocument) -> None:
    assert found(loaded) == {}


def test_a_passage_without_a_task_is_found_with_its_sentence(
    loaded: PolicyDocument, make: Make
) -> None:
    loaded.background.all().delete()
    make("A1-09", anchor="第一部分，修路")
    assert words(loaded, "passage") == ["sentence 3: unaccounted for: 天气很好。"]


def test_a_passage_whose_only_task_is_cancelled_is_settled_as_on_the_text_page(
    loaded: PolicyDocument, make: Make
) -> None:
    make("A1-09", anchor="天气很好。")
    loaded.tasks.filter(code="B1-01").update(status=Status.CANCELLED)
    assert "passage" not in found(loaded)
    assert TextView(loaded, loaded.tasks.all(), whole=True).opens == []


def test_without_a_text_no_passage_and_no_anchor_is_looked_for(
    policy: PolicyDocument, make: Make
) -> None:
    make(anchor="nowhere")
    assert found(policy) == {}


def test_an_anchor_that_is_lost(loaded: PolicyDocument, make: Make) -> None:
    make(anchor="造船")
    assert words(loaded, "lost") == ["A1-01: not found: task A1-01 “造船”"]


def test_a_lost_mark_of_background(loaded: PolicyDocument) -> None:
    BackgroundPassage.objects.create(policy=loaded, anchor="海风", marked_on=TODAY)
    assert words(loaded, "lost") == ["background passage: not found: background passage “海风”"]


def test_an_anchor_that_occurs_twice(loaded: PolicyDocument, make: Make) -> None:
    ChecklistItem.objects.create(task=make(), number=1, title="Part", anchor="部分")
    assert words(loaded, "repeated") == ["A1-01/1: found 2 times: checklist item A1-01/1 “部分”"]


def test_a_step_later_than_its_task(policy: PolicyDocument, make: Make) -> None:
    ChecklistItem.objects.create(task=make(), number=3, title="Late", due=dt.date(2026, 8, 1))
    assert words(policy, "late_step") == [
        "A1-01: step 3 is due on 2026-08-01, the task on 2026-07-31"
    ]


@pytest.mark.parametrize(
    "facts",
    [{"due": WORKDAY}, {"due": None}, {"due": dt.date(2026, 8, 1), "done_on": TODAY}],
    ids=str,
)
def test_a_step_in_time_or_done_is_not_found(
    policy: PolicyDocument, make: Make, facts: dict[str, Any]
) -> None:
    ChecklistItem.objects.create(task=make(kind=Kind.QUALITATIVE), number=1, title="Step", **facts)
    assert found(policy) == {}


def test_a_step_of_a_task_without_a_deadline_is_not_late(
    policy: PolicyDocument, make: Make
) -> None:
    ChecklistItem.objects.create(
        task=make(kind=Kind.STANDING, deadline=None), number=1, title="x", due=WORKDAY
    )
    assert found(policy) == {}


def test_a_lead_unit_that_is_no_longer_in_office(
    policy: PolicyDocument, make: Make, gone: Organization
) -> None:
    make(lead_unit=gone)
    assert words(policy, "lead_gone") == ["A1-01: Old is no longer active"]


def test_a_co_operating_unit_that_is_no_longer_in_office(
    policy: PolicyDocument, make: Make, gone: Organization, county: Organization
) -> None:
    make().co_units.add(gone, county)
    assert words(policy, "helper_gone") == ["A1-01: Old is no longer active"]


def test_a_task_without_a_lead_unit(policy: PolicyDocument, make: Make) -> None:
    make(lead_unit=None)
    assert words(policy, "lead") == ["A1-01: no lead unit"]


def test_a_task_without_a_kind(policy: PolicyDocument, make: Make) -> None:
    make(kind="")
    assert words(policy, "kind") == ["A1-01: kind not set"]


def test_a_task_without_a_deadline(policy: PolicyDocument, make: Make) -> None:
    make(deadline=None)
    assert words(policy, "deadline") == ["A1-01: no deadline"]


def test_a_standing_task_needs_neither_deadline_nor_start(
    policy: PolicyDocument, make: Make
) -> None:
    make(kind=Kind.STANDING, deadline=None, start=None)
    assert found(policy) == {}


def test_a_quantified_task_without_a_start(policy: PolicyDocument, make: Make) -> None:
    make(start=None)
    assert words(policy, "start") == ["A1-01: no start"]


def test_a_qualitative_task_needs_no_start(policy: PolicyDocument, make: Make) -> None:
    make(kind=Kind.QUALITATIVE, start=None)
    assert found(policy) == {}


def test_a_task_at_100_percent_that_is_not_closed(policy: PolicyDocument, make: Make) -> None:
    make(percent=100)
    assert words(policy, "unclosed") == ["A1-01: 100%, closing not requested"]


def test_a_task_at_99_percent_or_for_which_closing_is_asked_is_not_found(
    policy: PolicyDocument, make: Make
) -> None:
    make(percent=99)
    make("A1-02", percent=100, status=Status.CLOSING, closing_requested_on=TODAY)
    assert found(policy) == {}


def test_a_closed_task_without_evidence(policy: PolicyDocument, make: Make) -> None:
    make(status=Status.CLOSED, closed_on=TODAY, percent=100)
    assert words(policy, "unproved") == ["A1-01: no file or link"]


def test_a_closed_task_with_evidence_is_not_found(policy: PolicyDocument, make: Make) -> None:
    task = make(status=Status.CLOSED, closed_on=TODAY, percent=100)
    Evidence.objects.create(task=task, link="https://example.gov/", name="proof", added_on=TODAY)
    assert found(policy) == {}


def test_the_same_words_in_several_periods(policy: PolicyDocument, make: Make) -> None:
    task = make()
    for month in (3, 4, 5):
        report(task, month, "Goes on as planned.")
    assert words(policy, "same_text") == ["A1-01: the same text in 3 periods"]


def test_words_handed_in_again_and_not_yet_reviewed_are_found(
    policy: PolicyDocument, make: Make
) -> None:
    task = make()
    report(task, 4, "Goes on.")
    report(task, 5, "Goes on.", "submitted")
    assert words(policy, "same_text") == ["A1-01: the same text in 2 periods"]


def test_new_words_end_the_repetition(policy: PolicyDocument, make: Make) -> None:
    task = make()
    for month, said in ((3, "Goes on."), (4, "Goes on."), (5, "The bridge stands.")):
        report(task, month, said)
    assert found(policy) == {}


@pytest.mark.parametrize(
    "second",
    [{"unchanged": True}, {"state": "returned"}, {"contribution": True}, {"state": "draft"}],
    ids=str,
)
def test_an_honest_no_change_and_what_does_not_stand_are_not_found(
    policy: PolicyDocument, make: Make, second: dict[str, Any]
) -> None:
    task = make()
    report(task, 4, "Goes on.")
    report(task, 5, "Goes on.", **second)
    assert found(policy) == {}


def test_reports_without_words_are_not_the_same_words(policy: PolicyDocument, make: Make) -> None:
    task = make()
    report(task, 4, "")
    report(task, 5, "")
    assert found(policy) == {}


def test_a_lead_unit_among_its_own_co_operating_units(
    policy: PolicyDocument, make: Make, bureau: Organization
) -> None:
    make().co_units.add(bureau)
    assert words(policy, "own_helper") == ["A1-01: the lead unit is also listed as co-operating"]


def test_a_task_under_a_measure_of_another_policy(policy: PolicyDocument, make: Make) -> None:
    make(measure=make_policy("other").measures.get(code="A1"))
    assert words(policy, "foreign") == ["A1-01: measure of another policy"]


def test_a_lead_unit_that_is_only_a_proposal(policy: PolicyDocument, make: Make) -> None:
    make(lead_is_proposed=True)
    assert words(policy, "proposed") == ["A1-01: only a proposal"]


def test_a_deadline_on_a_holiday(policy: PolicyDocument, make: Make) -> None:
    make(deadline=HOLIDAY)
    assert words(policy, "day_off") == ["A1-01: 2026-10-01 is a day off"]


def test_a_deadline_on_a_saturday_that_is_worked_is_not_found(
    policy: PolicyDocument, make: Make
) -> None:
    make(deadline=SATURDAY_AT_WORK)
    assert found(policy) == {}


def test_a_weekend_beyond_the_official_calendar_is_said_to_be_a_guess(
    policy: PolicyDocument, make: Make
) -> None:
    make(deadline=dt.date(2040, 6, 30))
    (said,) = words(policy, "day_off")
    assert "not known yet" in said


def everything_wrong(code: str, policy: PolicyDocument, gone: Organization, **facts: Any) -> Task:
    """Make a task with as much wrong as can be at once."""
    wrong = {
        "kind": Kind.QUANTIFIED,
        "deadline": HOLIDAY,
        "lead_unit": gone,
        "lead_is_proposed": True,
        "percent": 100,
    }
    task = make_task(policy, code, **{**wrong, **facts})
    task.co_units.add(gone)
    ChecklistItem.objects.create(task=task, number=1, title="x", due=HOLIDAY + dt.timedelta(days=1))
    Task.objects.filter(pk=task.pk).update(percent=100)
    return task


OF_UNITS = {"lead_gone", "helper_gone", "own_helper", "proposed"}
OF_DAYS = {"late_step", "start", "unclosed", "day_off"}


@pytest.mark.parametrize(
    ("status", "facts", "asked"),
    [
        (Status.NOT_STARTED, {}, OF_UNITS | OF_DAYS),
        (Status.IN_PROGRESS, {}, OF_UNITS | OF_DAYS),
        (Status.CLOSING, {"closing_requested_on": TODAY}, OF_UNITS),
        (Status.SUSPENDED, {}, OF_UNITS),
        (Status.CLOSED, {"closed_on": TODAY}, {"unproved"}),
        (Status.CANCELLED, {}, set()),
    ],
)
def test_a_status_is_asked_only_for_what_still_matters(
    policy: PolicyDocument,
    gone: Organization,
    status: Status,
    facts: dict[str, Any],
    asked: set[str],
) -> None:
    everything_wrong("A1-01", policy, gone, status=status, **facts)
    assert set(found(policy)) == asked


def test_every_kind_says_why_it_matters_and_cancelled_tasks_are_asked_for_nothing() -> None:
    assert all(check.why and check.label for check in HEALTH_CHECKS)
    assert not any(Status.CANCELLED in check.statuses for check in HEALTH_CHECKS)
    assert len({check.name for check in HEALTH_CHECKS}) == len(HEALTH_CHECKS)
    assert Status.CANCELLED not in UNFINISHED_STATUSES


def test_the_gravest_come_first() -> None:
    severities = [list(Severity).index(check.severity) for check in HEALTH_CHECKS]
    assert severities == sorted(severities)


@pytest.fixture
def faulty(
    loaded: PolicyDocument, make: Make, gone: Organization, supervisor: User
) -> PolicyDocument:
    """Make findings of many kinds, on tasks and on the text."""
    loaded.background.all().delete()
    make(anchor="造船", start=None)
    everything_wrong("A1-02", loaded, gone)
    everything_wrong("A1-03", loaded, gone)
    DeclaredCount.objects.create(
        policy=loaded, name="Firsts", number=7, section=loaded.sections.first()
    )
    return loaded


def opened(client: Client, query: str = "") -> Workbook:
    return load_workbook(BytesIO(client.get(LEDGER + query).getvalue()))


def rows(book: Workbook) -> list[tuple[str, str, str]]:
    """Return kind, place and words of each finding of a workbook."""
    head, *body = book["Health check"].iter_rows(values_only=True)
    places = [head.index(name) for name in ("kind of finding", "where", "finding")]
    return [tuple(row[place] for place in places) for row in body if row[places[0]]]  # type: ignore[misc]


def test_page_sheet_and_command_say_the_same(faulty: PolicyDocument, office: Client) -> None:
    with override("en"):
        findings = run_checkup(faulty).findings
        expected = [(str(each.check.label), each.place, each.what) for each in findings]
        out = StringIO()
        with pytest.raises(CommandError, match="Errors: 7"):
            call_command("check_policy", "rise", stdout=out)
    assert len(expected) > 12
    assert rows(opened(office)) == expected
    page = office.get(PAGE)
    assert [row[0] for _check, _count, group in page.context["groups"] for row in group] == findings
    for check, group in run_checkup(faulty).groups:
        with override("en"):
            label = str(check.label)
        assert f"{label}: {len(group)} " in out.getvalue()
        assert f"{label} <b>{len(group)}</b>" in " ".join(page.text.split())


def test_each_finding_says_why_and_leads_to_where_it_is_mended(
    faulty: PolicyDocument, office: Client
) -> None:
    page = " ".join(office.get(PAGE).text.split())
    task = faulty.tasks.get(code="A1-02")
    count, lost = faulty.counts.get(), faulty.tasks.get(code="A1-01")
    assert "Nobody is responsible for it any more: the successor unit must take it over." in page
    assert f'href="/admin/tracker/task/{task.pk}/change/#id_lead_unit"' in page
    assert f'href="/admin/tracker/task/{lost.pk}/change/#id_anchor"' in page
    assert f'href="/admin/tracker/declaredcount/{count.pk}/change/"' in page
    assert 'href="/policies/rise/text/?at=2"' in page
    assert 'href="/policies/rise/tasks/A1-02/"' in page


def test_every_place_where_something_is_mended_opens(
    faulty: PolicyDocument, office: Client, supervisor: User
) -> None:
    for finding in run_checkup(faulty).findings:
        for address in (finding.page("rise"), finding.mended_at("rise", supervisor)):
            assert not address or office.get(address.split("#")[0]).status_code == 200


def test_an_administrator_is_led_to_the_forms_of_units_and_else_to_the_page(
    faulty: PolicyDocument,
    administrator: User,
    gone: Organization,
    browser: Callable[[User], Client],
) -> None:
    page = browser(administrator).get(PAGE).text
    assert f'href="/admin/tracker/organization/{gone.pk}/change/' in page
    assert page.count("/change/") == page.count("/admin/tracker/organization/") > 0
    assert "?at=" not in page
    assert 'href="/policies/rise/tasks/A1-02/"' in page


@pytest.mark.parametrize("name", ["leader", "liaison"])
def test_who_keeps_no_checklist_has_neither_page_nor_sheet_nor_link(
    faulty: PolicyDocument,
    request: pytest.FixtureRequest,
    browser: Callable[[User], Client],
    name: str,
) -> None:
    client = browser(request.getfixturevalue(name))
    assert client.get(PAGE).status_code == 403
    assert "Health check" not in opened(client).sheetnames
    assert PAGE not in client.get("/policies/rise/").text


def test_a_large_policy_is_exported_without_the_sheet(
    faulty: PolicyDocument, office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.excel.health_sheet.MAX_EXAMINED_TASKS", faulty.tasks.count())
    assert "Health check" in opened(office).sheetnames
    monkeypatch.setattr("tracker.excel.health_sheet.MAX_EXAMINED_TASKS", faulty.tasks.count() - 1)
    assert "Health check" not in opened(office).sheetnames


def test_the_overview_leads_to_the_health_check(office: Client, policy: PolicyDocument) -> None:
    assert f'href="{PAGE}"' in office.get("/policies/rise/").text


def test_a_draft_is_not_found_by_a_leader(
    db: None, leader: User, browser: Callable[[User], Client]
) -> None:
    make_policy("draft", state="draft")
    assert browser(leader).get("/policies/draft/health/").status_code == 404


def test_nothing_found_is_said(office: Client, policy: PolicyDocument) -> None:
    assert "Nothing found" in office.get(PAGE).text


def test_that_no_text_is_loaded_is_said(office: Client, policy: PolicyDocument) -> None:
    assert "The text is not loaded" in office.get(PAGE).text


def test_one_kind_alone_is_shown(faulty: PolicyDocument, office: Client) -> None:
    page = office.get(f"{PAGE}?kind=day_off")
    assert [check.name for check, _count, _rows in page.context["groups"]] == ["day_off"]


def test_a_kind_that_is_not_known_is_said_and_all_are_shown(
    faulty: PolicyDocument, office: Client
) -> None:
    page = office.get(f"{PAGE}?kind=nonsense")
    assert "“nonsense” is not understood" in page.text
    assert len(page.context["groups"]) > 5


def test_many_of_a_kind_are_shown_in_part_and_lead_to_the_rest(
    policy: PolicyDocument, office: Client
) -> None:
    make_many(policy, 200)
    policy.tasks.filter(status=Status.IN_PROGRESS).update(deadline=None, original_deadline=None)
    page = office.get(PAGE).text
    assert "?kind=deadline" in page
    assert len(page) < 150_000


def test_a_filtered_ledger_has_no_health_check(faulty: PolicyDocument, office: Client) -> None:
    assert "Health check" not in opened(office, "?section=1").sheetnames
    assert "Health check" in opened(office, "?sort=-title").sheetnames


def test_a_row_of_the_sheet_leads_to_its_page(faulty: PolicyDocument, office: Client) -> None:
    sheet = opened(office)["Health check"]
    links = {row[2].value: row[2].hyperlink.target for row in sheet.iter_rows(min_row=2)}
    assert links["A1-02"] == "http://testserver/policies/rise/tasks/A1-02/"
    assert links["sentence 3"] == "http://testserver/policies/rise/text/"


def test_the_command_writes_the_sheet_into_the_whole_ledger_alone(
    faulty: PolicyDocument, tmp_path: Any
) -> None:
    with override("en"):
        for number, options in enumerate(({}, {"unit": "Science"}, {"filter": "section=1"})):
            out = tmp_path / f"{number}.xlsx"
            call_command("export_ledger", policy="rise", out=str(out), stdout=StringIO(), **options)
    books = [load_workbook(tmp_path / f"{number}.xlsx").sheetnames for number in range(3)]
    assert ["Health check" in names for names in books] == [True, False, False]


def test_many_tasks_and_a_text_cost_no_query_more_than_three(loaded: PolicyDocument) -> None:
    counts = []
    for many in (3, size("MANY_TASKS")):
        make_many(loaded, many)
        task = loaded.tasks.first()
        number = loaded.counts.count()
        DeclaredCount.objects.create(
            policy=loaded, name=f"x{number}", number=1, task=task, match="步骤"
        )
        DeclaredCount.objects.create(
            policy=loaded, name=f"y{number}", number=1, section=loaded.sections.first()
        )
        with CaptureQueriesContext(connection) as queries:
            assert run_checkup(PolicyDocument.objects.get()).findings
        counts.append(len(queries) - 1)
    assert counts == [14, 14]
