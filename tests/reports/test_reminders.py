"""Reminders: who is written to of what, once a day, and never the same twice."""

import datetime as dt
from importlib import import_module
from io import StringIO
from itertools import pairwise
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker import workflow
from tracker.domain.choices import Kind, PolicyState, Reminder, ReportState, RequestKind, Status
from tracker.domain.dates import now
from tracker.models import (
    Organization,
    PolicyDocument,
    ProgressUpdate,
    SentReminder,
    Task,
    TaskRequest,
    User,
)
from tracker.reports import reminders

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def mail_is_on(settings: Any) -> object:
    settings.EMAIL_URL, settings.DEFAULT_FROM_EMAIL, settings.SITE_URL = (
        "smtp://x",
        "office@example.gov",
        "",
    )
    with override("en"):
        yield


@pytest.fixture
def unit(bureau: Organization, liaison: User) -> Organization:
    liaison.email = "liaison@example.gov"
    liaison.save()
    return bureau


def given(
    policy: PolicyDocument, unit: Organization | None, code: str = "A1-01", **facts: Any
) -> Task:
    """Make a task that is handed over and asks for nothing yet."""
    usual = {
        "deadline": TODAY + 90 * DAY,
        "assigned_on": TODAY - 30 * DAY,
        "kind": Kind.QUALITATIVE,
    }
    return make_task(policy, code, lead_unit=unit, **{**usual, **facts})


def report(task: Task, unit: Organization, state: str, **facts: Any) -> ProgressUpdate:
    """Lay a report of May."""
    return ProgressUpdate.objects.create(
        task=task, unit=unit, state=state, period_start=dt.date(2026, 5, 1), period_end=dt.date(2026, 5, 31),
        submitted_on=TODAY, **facts,
    )  # fmt: skip


def send(*words: str) -> str:
    out = StringIO()
    call_command("send_reminders", *words, stdout=out, stderr=out)
    return out.getvalue()


def sent() -> list[tuple[str, str]]:
    """Return who got what since the last look."""
    found = [(to, message.body) for message in mail.outbox for to in message.to]
    mail.outbox.clear()
    return found


def reasons(policy: PolicyDocument, on: dt.date = TODAY) -> list[tuple[Reminder, str]]:
    return [
        (found.reason, found.unit.short_name if found.unit else "office")
        for found in reminders.reminder_matters([policy], on)
    ]


def test_a_task_that_asks_for_nothing_is_no_matter(
    policy: PolicyDocument, unit: Organization
) -> None:
    given(policy, unit)
    assert reasons(policy) == []


@pytest.mark.parametrize(
    ("days", "found"), [(-1, Reminder.OVERDUE), (0, Reminder.DUE_SOON), (7, Reminder.DUE_SOON)]
)
def test_the_deadline_is_a_matter_of_its_unit(
    policy: PolicyDocument, unit: Organization, days: int, found: Reminder
) -> None:
    given(policy, unit, deadline=TODAY + days * DAY)
    assert reasons(policy) == [(found, "Science")]


def test_a_deadline_beyond_the_warning_is_no_matter(
    policy: PolicyDocument, unit: Organization
) -> None:
    given(policy, unit, deadline=TODAY + 8 * DAY)
    assert reasons(policy) == []


def test_a_period_without_report_is_a_matter(policy: PolicyDocument, unit: Organization) -> None:
    given(policy, unit, owed_from=dt.date(2026, 5, 1))
    assert reasons(policy) == [(Reminder.UNREPORTED, "Science")]


def test_a_returned_report_is_a_matter_of_the_unit_that_wrote_it(
    policy: PolicyDocument, unit: Organization, county: Organization
) -> None:
    task = given(policy, unit)
    task.co_units.add(county)
    report(task, county, ReportState.RETURNED, contribution=True, review_note="Say more")
    assert reasons(policy) == [(Reminder.RETURNED, "East")]


def test_a_task_stands_once_under_its_most_pressing_reason(
    policy: PolicyDocument, unit: Organization
) -> None:
    task = given(policy, unit, deadline=TODAY - DAY, owed_from=dt.date(2026, 4, 1))
    report(task, unit, ReportState.RETURNED)
    assert reasons(policy) == [(Reminder.RETURNED, "Science")]


@pytest.mark.parametrize("state", [ReportState.DRAFT, ReportState.ACCEPTED])
def test_a_report_that_waits_for_nobody_is_no_matter(
    policy: PolicyDocument, unit: Organization, state: str
) -> None:
    report(given(policy, unit), unit, state)
    assert reasons(policy) == []


def test_what_is_handed_in_waits_for_the_office(policy: PolicyDocument, unit: Organization) -> None:
    report(given(policy, unit), unit, ReportState.SUBMITTED)
    assert reasons(policy) == [(Reminder.WAITING, "office")]


def test_a_request_waits_for_the_office(policy: PolicyDocument, unit: Organization) -> None:
    task = given(policy, unit, status=Status.CLOSING, closing_requested_on=TODAY)
    TaskRequest.objects.create(task=task, kind=RequestKind.CLOSE, asked_on=TODAY)
    assert reasons(policy) == [(Reminder.WAITING, "office")]


@pytest.mark.parametrize(
    "facts", [{"assigned_on": None}, {"status": Status.SUSPENDED}, {"status": Status.CANCELLED}]
)
def test_nobody_is_reminded_of_a_task_that_is_not_under_way(
    policy: PolicyDocument, unit: Organization, facts: dict[str, Any]
) -> None:
    given(policy, unit, deadline=TODAY - DAY, **facts)
    assert reasons(policy) == []


@pytest.fixture
def late(policy: PolicyDocument, unit: Organization) -> Task:
    return given(policy, unit, deadline=TODAY - DAY)


def test_the_liaison_is_written_to(late: Task) -> None:
    send()
    ((to, body),) = sent()
    assert to == "liaison@example.gov"
    assert "A1-01 Task A1-01" in body
    assert "1 day overdue" in body


def test_a_mail_comes_from_the_office(late: Task) -> None:
    send()
    assert [(message.from_email, message.subject) for message in mail.outbox] == [
        ("office@example.gov", "Policy tracking: 1 item pending (2026-06-15)")
    ]


def test_the_address_of_the_pages_is_told_where_it_is_known(late: Task, settings: Any) -> None:
    settings.SITE_URL = "https://tracker.example"
    send()
    assert "https://tracker.example" in sent()[0][1]


def test_one_person_gets_one_mail_of_all_units_and_policies(late: Task, unit: Organization) -> None:
    given(late.policy, unit, "A1-02", deadline=TODAY + DAY)
    given(make_policy("other"), unit, deadline=TODAY - DAY)
    send()
    ((_to, body),) = sent()
    assert [body.count(words) for words in ("overdue (2)", "due soon (1)", "Policy other")] == [
        1,
        1,
        1,
    ]


def test_every_liaison_of_the_unit_is_written_to(late: Task, unit: Organization) -> None:
    User.objects.create_user(
        "second", email="second@example.gov", is_liaison=True, organization=unit
    )
    send()
    assert [to for to, _body in sent()] == ["liaison@example.gov", "second@example.gov"]


def test_a_liaison_who_reviews_too_gets_one_mail(
    late: Task, liaison: User, unit: Organization
) -> None:
    liaison.is_supervisor = True
    liaison.save()
    report(late, unit, ReportState.SUBMITTED)
    send()
    assert len(sent()) == 1


@pytest.mark.parametrize(
    ("contact", "office", "to"),
    [
        ("unit@example.gov", "office@example.gov", "unit@example.gov"),
        ("", "office@example.gov", "office@example.gov"),
    ],
)
def test_without_a_liaisons_address_the_units_contact_is_written_to_and_then_the_office(
    late: Task, unit: Organization, liaison: User, settings: Any, contact: str, office: str, to: str
) -> None:
    liaison.is_active = False
    liaison.save()
    Organization.objects.filter(pk=unit.pk).update(contact_email=contact)
    settings.OFFICE_EMAIL = office
    send()
    assert [address for address, _body in sent()] == [to]


def test_what_nobody_can_be_told_is_named(late: Task, liaison: User) -> None:
    User.objects.filter(pk=liaison.pk).update(email="")
    assert "No address for: Science: A1-01" in send()
    assert sent() == []


def test_what_waits_for_the_office_goes_to_who_reviews(
    policy: PolicyDocument, unit: Organization, supervisor: User, administrator: User
) -> None:
    User.objects.filter(pk=supervisor.pk).update(email="supervisor@example.gov")
    User.objects.filter(pk=administrator.pk).update(email="administrator@example.gov")
    report(given(policy, unit), unit, ReportState.SUBMITTED)
    send()
    assert [to for to, _body in sent()] == ["supervisor@example.gov"]


def test_a_unit_is_told_of_its_own_tasks_alone(late: Task, county: Organization) -> None:
    User.objects.create_user("east", email="east@example.gov", is_liaison=True, organization=county)
    given(late.policy, county, "B1-01", deadline=TODAY - DAY)
    send()
    assert [("A1-01" in body, "B1-01" in body) for _to, body in sorted(sent())] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("hidden", [{"state": PolicyState.DRAFT}, {"demo": True}])
def test_nobody_is_written_to_of_drafts_and_of_the_demonstration(
    late: Task, hidden: dict[str, Any]
) -> None:
    PolicyDocument.objects.update(**hidden)
    send()
    assert sent() == []


def test_the_demonstration_is_tried_when_it_is_named(late: Task) -> None:
    PolicyDocument.objects.update(demo=True)
    send("--policy", "rise")
    assert len(sent()) == 1


def test_a_second_run_of_the_day_sends_nothing(late: Task, unit: Organization) -> None:
    send()
    sent()
    given(late.policy, unit, "A1-02", deadline=TODAY - DAY)
    assert "0 e-mails sent" in send()
    assert sent() == []


def test_the_next_day_the_same_is_not_sent_again(late: Task) -> None:
    send()
    send("--on", "2026-06-16")
    assert len(sent()) == 1


def test_the_next_day_something_new_is_sent(late: Task, unit: Organization) -> None:
    send()
    given(late.policy, unit, "A1-02", deadline=TODAY)
    send("--on", "2026-06-16")
    assert ["A1-02" in body for _to, body in sent()] == [False, True]


def test_after_a_week_the_same_is_said_again(late: Task) -> None:
    days = [(TODAY + n * DAY).isoformat() for n in range(15)]
    for day in days:
        send("--on", day)
    assert list(SentReminder.objects.order_by("day").values_list("day", flat=True)) == [
        TODAY, TODAY + 7 * DAY, TODAY + 14 * DAY,
    ]  # fmt: skip


def test_the_days_of_grace_bring_one_mail_and_the_red_light_another(
    policy: PolicyDocument, unit: Organization
) -> None:
    """May and June are owed; the deadline, of which the sentence counts the days, is far away."""
    policy.grace_days = 10
    policy.save()
    given(policy, unit, owed_from=dt.date(2026, 5, 1), deadline=dt.date(2026, 12, 31))
    workflow.refresh_tasks([policy.pk])
    for day in range(1, 8):
        send("--any-day", "--on", f"2026-06-0{day}")
    assert len(sent()) == 1


def test_a_missing_report_is_mailed_weekly_and_on_the_day_that_it_turns_red(
    policy: PolicyDocument, unit: Organization
) -> None:
    given(policy, unit, owed_from=dt.date(2026, 5, 1), deadline=dt.date(2026, 12, 31))
    red_on = Task.objects.get().turns_red_on
    assert red_on == dt.date(2026, 7, 6)
    for number in range(40):
        send("--any-day", "--on", (dt.date(2026, 6, 1) + number * DAY).isoformat())
    days = list(SentReminder.objects.order_by("day").values_list("day", flat=True))
    assert red_on in days
    gaps = [(after - before).days for before, after in pairwise(days) if after != red_on]
    assert set(gaps) == {7}


def test_a_near_deadline_of_an_unreported_task_brings_one_mail(
    policy: PolicyDocument, unit: Organization
) -> None:
    given(
        policy,
        unit,
        owed_from=dt.date(2026, 5, 1),
        deadline=TODAY + 5 * DAY,
        status=Status.NOT_STARTED,
    )
    for number in range(5):
        send("--any-day", "--on", (TODAY + number * DAY).isoformat())
    assert len(sent()) == 1


def test_a_deadline_is_mailed_when_it_nears_and_when_it_has_passed(
    policy: PolicyDocument, unit: Organization
) -> None:
    given(policy, unit, deadline=TODAY)
    for number in range(3):
        send("--any-day", "--on", (TODAY + number * DAY).isoformat())
    assert list(SentReminder.objects.order_by("day").values_list("day", flat=True)) == [
        TODAY,
        TODAY + DAY,
    ]


def test_a_second_mail_tells_the_new_and_counts_the_old(late: Task, unit: Organization) -> None:
    send()
    given(late.policy, unit, "A1-02", deadline=TODAY)
    send("--on", "2026-06-16")
    (_to, _first), (_to, body) = sent()
    assert ("A1-01" in body, "A1-02" in body) == (False, True)
    assert "1 more item from earlier e-mails is still pending." in body


def test_a_report_that_is_returned_again_is_mailed_again(
    policy: PolicyDocument, unit: Organization
) -> None:
    found = report(given(policy, unit), unit, ReportState.RETURNED, reviewed_on=TODAY)
    send()
    ProgressUpdate.objects.filter(pk=found.pk).update(reviewed_on=TODAY + DAY)
    send("--on", "2026-06-16")
    assert len(sent()) == 2


def test_a_returned_report_of_a_former_lead_reminds_nobody(
    policy: PolicyDocument, unit: Organization, county: Organization
) -> None:
    User.objects.create_user("east", email="east@example.gov", is_liaison=True, organization=county)
    Organization.objects.filter(pk=county.pk).update(contact_email="county@example.gov")
    report(given(policy, unit), county, ReportState.RETURNED)
    send()
    assert sent() == []


@pytest.mark.parametrize("lead", ["bureau", "county"])
def test_every_matter_of_every_mail_opens_for_its_reader(
    policy: PolicyDocument, unit: Organization, county: Organization, supervisor: User, lead: str
) -> None:
    """Each unit has returned a report of each task, which one leads and the other has led."""
    User.objects.create_user("east", email="east@example.gov", is_liaison=True, organization=county)
    User.objects.filter(pk=supervisor.pk).update(email="supervisor@example.gov")
    units = {"bureau": unit, "county": county}
    for code, facts in (
        ("A1-01", {}),
        ("A1-02", {"assigned_on": None}),
        ("A1-03", {"deadline": TODAY - DAY}),
    ):
        task = given(policy, units[lead], code, **facts)
        for each in units.values():
            report(task, each, ReportState.RETURNED)
    task = given(policy, units[lead], "B1-01", owed_from=dt.date(2026, 5, 1))
    task.co_units.add(next(each for name, each in units.items() if name != lead))
    waiting = given(policy, units[lead], "B1-02")
    report(waiting, units[lead], ReportState.SUBMITTED)
    TaskRequest.objects.create(task=waiting, kind=RequestKind.CLOSE, asked_on=TODAY)
    post = reminders.reminder_mails(reminders.reminder_matters([policy], TODAY))
    assert {"liaison@example.gov", "east@example.gov", "supervisor@example.gov"} >= post.keys()
    wrong = []
    for address, found in post.items():
        client = Client()
        client.force_login(User.objects.get(email=address))
        wrong += [
            (address, each.path) for each in found if client.get(each.path).status_code != 200
        ]
    assert wrong == []
    assert sum(map(len, post.values())) >= 4


def test_each_line_leads_to_its_page_where_the_address_of_the_pages_is_known(
    late: Task, settings: Any
) -> None:
    settings.SITE_URL = "https://tracker.example"
    send()
    assert f"https://tracker.example{late.get_absolute_url()}" in sent()[0][1]


SPELLINGS = [
    "Liaison@Example.GOV", " liaison@example.gov ", "liaison @ example.gov", "ｌｉａｉｓｏｎ＠ｅｘａｍｐｌｅ．ｇｏｖ",
    "Zhang San <liaison@example.gov>", "mailto:liaison@example.gov", "liaison@example.gov;",
    "liaison@exam\u200bple.gov",
]  # fmt: skip


@pytest.mark.parametrize("other", SPELLINGS)
def test_one_address_in_two_spellings_gets_one_mail_with_each_line_once(
    late: Task, unit: Organization, supervisor: User, other: str
) -> None:
    User.objects.create_user("second", email="x", is_liaison=True, organization=unit)
    User.objects.filter(username="second").update(email=other)
    User.objects.filter(pk=supervisor.pk).update(email=other)
    report(late, unit, ReportState.SUBMITTED)
    send()
    ((to, body),) = sent()
    assert to == "liaison@example.gov"
    assert (body.count("1 day overdue"), body.count("report of")) == (1, 1)
    send("--on", "2026-06-16")
    assert sent() == []


@pytest.mark.parametrize("email", ["x", "a@b", "a@" + "b" * 70 + ".gov", "two words"])
def test_an_address_that_is_none_is_named_and_stops_nobody_else(
    late: Task, liaison: User, email: str
) -> None:
    User.objects.filter(pk=liaison.pk).update(email=email)
    assert "No address for: Science: A1-01" in send()


def test_two_addresses_of_the_office_get_a_mail_each(
    late: Task, liaison: User, settings: Any
) -> None:
    User.objects.filter(pk=liaison.pk).update(email="")
    settings.OFFICE_EMAIL = "Office <office@example.gov>, second@example.gov"
    send()
    assert sorted(to for to, _body in sent()) == ["office@example.gov", "second@example.gov"]


# A Saturday, the Dragon Boat Festival on a Friday; the Sunday before National Day is worked.
@pytest.mark.parametrize(
    ("day", "mails"), [("2026-06-13", 0), ("2026-06-19", 0), ("2026-09-20", 1), ("2026-06-15", 1)]
)
def test_on_days_off_nothing_is_sent(late: Task, day: str, mails: int) -> None:
    Task.objects.update(deadline=dt.date(2026, 6, 1), original_deadline=dt.date(2026, 6, 1))
    workflow.refresh_tasks([late.policy_id])
    said = send("--on", day)
    assert len(sent()) == mails
    assert ("is a day off" in said) == (not mails)


def test_on_a_day_off_mails_are_sent_when_asked_for(late: Task) -> None:
    send("--any-day", "--on", "2026-06-20")
    assert len(sent()) == 1


@pytest.mark.parametrize(
    ("day", "mails"), [("2031-06-16", 1), ("2031-06-14", 0), ("2999-12-31", 1), ("1900-01-06", 0)]
)
def test_of_a_year_that_the_calendar_does_not_know_monday_to_friday_are_worked(
    late: Task, day: str, mails: int
) -> None:
    assert "official calendar" in send("--on", day)
    assert len(sent()) == mails


def test_a_dry_run_prints_and_sends_nothing(late: Task, settings: Any) -> None:
    settings.EMAIL_URL = ""
    said = send("--dry-run")
    assert "liaison@example.gov" in said
    assert "A1-01" in said
    assert (sent(), SentReminder.objects.count()) == ([], 0)


def test_without_a_mail_server_it_says_what_to_set(late: Task, settings: Any) -> None:
    settings.EMAIL_URL = ""
    with pytest.raises(CommandError, match="EMAIL_URL"):
        send()


@pytest.mark.parametrize(
    "words", [["--on", "2026-13-01"], ["--on", "today"], ["--policy", "nothing"]]
)
def test_what_cannot_be_read_is_refused_in_words(late: Task, words: list[str]) -> None:
    with pytest.raises(CommandError, match=words[1]):
        send(*words)


def test_what_was_sent_is_kept(late: Task) -> None:
    send()
    row = SentReminder.objects.get()
    assert (row.address, row.day, row.text) == ("liaison@example.gov", TODAY, sent()[0][1])


def test_what_could_not_be_sent_is_not_kept_and_tried_again(
    late: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> int:
        raise SMTPServerDisconnected("gone")

    with monkeypatch.context() as patch, pytest.raises(CommandError, match="next run"):
        patch.setattr(EmailBackend, "send_messages", broken)
        send()
    assert SentReminder.objects.count() == 0
    send()
    assert len(sent()) == 1


def test_of_two_runs_at_a_time_one_sends(late: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reminders,
        "due_matters",
        lambda post, on: [reminders.reminder_mail(*each, on) for each in post.items()],
    )
    send()
    send()
    assert len(sent()) == 1


def test_a_mail_that_a_crash_cut_off_does_not_count_as_said(late: Task) -> None:
    send()
    SentReminder.objects.update(sent_at=None)
    send("--on", "2026-06-16")
    assert len(sent()) == 2


def test_long_lists_are_cut_and_counted(late: Task, unit: Organization) -> None:
    for number in range(60):
        Task.objects.create(
            policy=late.policy, measure=late.measure, code=f"A1-1{number:02}", title="x", lead_unit=unit,
            assigned_on=TODAY, deadline=TODAY - DAY, original_deadline=TODAY - DAY, status=Status.IN_PROGRESS,
            kind=Kind.QUALITATIVE,
        )  # fmt: skip
    workflow.refresh_tasks([late.policy_id])
    send()
    body = sent()[0][1]
    assert body.count("\n- ") == reminders.MAX_LINES_IN_MAIL
    assert "and 11 more" in body


def test_the_number_of_queries_does_not_depend_on_the_number_of_tasks(
    late: Task, unit: Organization
) -> None:
    counts = []
    for number in (2, 12):
        for n in range(Task.objects.count(), number):
            given(
                late.policy,
                unit,
                f"A1-{n:02}x",
                deadline=TODAY - DAY,
                owed_from=dt.date(2026, 4, 1),
            )
        with CaptureQueriesContext(connection) as caught:
            send("--dry-run")
        counts.append(len(caught))
    assert counts[0] == counts[1]


def test_what_was_mailed_before_the_upgrade_is_not_mailed_again(
    policy: PolicyDocument, unit: Organization, supervisor: User
) -> None:
    """The keys that 0.1.0 kept, for one matter of each cause."""
    User.objects.filter(pk=supervisor.pk).update(email="supervisor@example.gov")
    back = report(
        given(policy, unit, "A1-01"), unit, ReportState.RETURNED, reviewed_on=TODAY - 3 * DAY
    )
    late = given(policy, unit, "A1-02", deadline=TODAY - DAY)
    owing = given(policy, unit, "A1-03", owed_from=dt.date(2026, 4, 1))
    near = given(policy, unit, "A1-04", deadline=TODAY + DAY)
    waits = report(near, unit, ReportState.SUBMITTED)
    keys = [
        f"returned {back.task_id} {back.pk} {back.reviewed_on}", f"overdue {late.pk} "
                                                                 f"{late.deadline}",
        f"unreported {owing.pk} no report for 2 periods in a row", f"due_soon {near.pk} {near.deadline}",
    ]  # fmt: skip
    for address, said in (
        ("liaison@example.gov", keys),
        ("supervisor@example.gov", [f"report {waits.pk} {TODAY}"]),
    ):
        SentReminder.objects.create(
            address=address, day=TODAY - DAY, subject="x", text="x", matters=said, sent_at=now()
        )
    assert (
        len(
            reminders.due_matters(
                reminders.reminder_mails(reminders.reminder_matters([policy], TODAY)), TODAY
            )
        )
        == 1
    )
    import_module("tracker.migrations.0018_reminder_keys").write_keys(apps, None)
    assert (
        reminders.due_matters(
            reminders.reminder_mails(reminders.reminder_matters([policy], TODAY)), TODAY
        )
        == []
    )


@pytest.mark.parametrize(
    ("who", "status"), [("supervisor", 200), ("administrator", 200), ("leader", 403)]
)
def test_the_log_is_read_by_the_office_and_written_by_nobody(
    client: Client, late: Task, who: str, status: int, request: pytest.FixtureRequest
) -> None:
    send()
    client.force_login(request.getfixturevalue(who))
    address = reverse("admin:tracker_sentreminder_change", args=[SentReminder.objects.get().pk])
    page = client.get(address)
    assert page.status_code == status
    assert client.post(address, {"text": "x"}).status_code == 403
    assert status != 200 or "A1-01" in page.content.decode()
