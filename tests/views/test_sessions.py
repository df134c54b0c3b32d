"""How long a session lasts, whose password somebody else has set, and that nothing typed is lost."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.test_tasks import JULY, address, typed
from tests.factories import make_task
from tests.views.conftest import Browser
from tests.views.test_login import RIGHT, enter
from tracker import workflow
from tracker.domain.choices import ChangeSource
from tracker.models import PolicyDocument, Task, User
from tracker.web import request_context

NEW = "quite another one"
HALF_AN_HOUR, TWELVE_HOURS = 30 * 60, 12 * 3600


def is_out(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(reverse("login"))


def choose(client: Client, **typed: str) -> HttpResponse:
    words = {"old_password": RIGHT, "new_password1": NEW, "new_password2": NEW} | typed
    return client.post(reverse("password"), words)


@pytest.fixture
def newcomer(stranger: Client, leader: User) -> Client:
    """Log in with a password that somebody else has set."""
    leader.set_password(RIGHT)
    leader.save()
    enter(stranger, RIGHT)
    return stranger


@pytest.mark.parametrize("name", ["home", "search", "kept"])
def test_who_has_a_password_set_by_somebody_else_chooses_one_first(
    newcomer: Client, name: str
) -> None:
    assert newcomer.get(reverse(name))["Location"] == reverse("password")


def test_the_admin_waits_for_a_new_password_too(stranger: Client, administrator: User) -> None:
    administrator.set_password(RIGHT)
    administrator.save()
    stranger.force_login(administrator)
    assert stranger.get(reverse("admin:index"))["Location"] == reverse("password")


@pytest.mark.parametrize("name", ["logout", "set_language", "large_type"])
def test_the_way_out_and_the_language_need_no_new_password(newcomer: Client, name: str) -> None:
    assert newcomer.post(reverse(name), {"language": "en"})["Location"] != reverse("password")


def test_with_a_new_password_the_pages_open(newcomer: Client) -> None:
    assert choose(newcomer)["Location"] == reverse("home")
    assert newcomer.get(reverse("home")).status_code == 200


def test_the_new_password_is_the_one_that_opens(newcomer: Client, leader: User) -> None:
    choose(newcomer)
    leader.refresh_from_db()
    assert (leader.check_password(NEW), leader.must_change_password) == (True, False)


def test_the_change_is_in_the_history_of_the_account(newcomer: Client, leader: User) -> None:
    choose(newcomer)
    row = leader.history.first()
    assert (row.history_user, row.way, row.must_change_password) == (
        leader,
        ChangeSource.PAGE,
        False,
    )


@pytest.mark.parametrize(
    "words",
    [
        {"old_password": "not this one"},
        {"new_password1": RIGHT, "new_password2": RIGHT},
        {"new_password1": "short", "new_password2": "short"},
        {"new_password1": "1234567890", "new_password2": "1234567890"},
        {"new_password2": "something else"},
    ],
    ids=["wrong", "the same", "short", "numbers", "two texts"],
)
def test_a_password_that_will_not_do_is_refused(
    newcomer: Client, leader: User, words: dict[str, str]
) -> None:
    assert choose(newcomer, **words).context["form"].errors
    assert User.objects.get(pk=leader.pk).must_change_password is True


def test_an_account_changed_meanwhile_is_asked_again(
    newcomer: Client, leader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(*_: Any) -> None:
        raise workflow.StaleVersion

    monkeypatch.setattr(workflow, "choose_password", too_late)
    assert choose(newcomer).context["form"].non_field_errors()


def test_a_password_made_in_the_admin_must_be_changed(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    words = {"username": "wang", "usable_password": "true", "password1": NEW, "password2": NEW}
    client.post(reverse("admin:tracker_user_add"), words)
    assert User.objects.get(username="wang").must_change_password is True


def test_a_password_reset_in_the_admin_must_be_changed(
    client: Client, administrator: User, leader: User
) -> None:
    client.force_login(administrator)
    words = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}
    client.post(reverse("admin:auth_user_password_change", args=[leader.pk]), words)
    leader.refresh_from_db()
    assert (leader.check_password(NEW), leader.must_change_password) == (True, True)


def test_a_log_in_is_no_change_of_the_account(stranger: Client, leader: User) -> None:
    before = leader.history.count()
    enter(stranger, RIGHT)
    assert leader.history.count() == before


def test_a_session_lasts_while_it_is_used(
    browser: Browser, leader: User, time_machine: Any
) -> None:
    client = browser(leader)
    for _round in range(20):
        assert client.get("/").status_code == 200
        time_machine.shift(HALF_AN_HOUR - 61)


def test_a_session_ends_after_half_an_hour_without_use(
    browser: Browser, leader: User, time_machine: Any
) -> None:
    client = browser(leader)
    client.get("/")
    time_machine.shift(HALF_AN_HOUR)
    assert is_out(client.get("/"))


def test_a_session_ends_after_twelve_hours_of_use(
    stranger: Client, leader: User, time_machine: Any
) -> None:
    enter(stranger, RIGHT)
    for _round in range(47):
        time_machine.shift(15 * 60)
        assert stranger.get("/").status_code == 200
    time_machine.shift(15 * 60)
    assert is_out(stranger.get("/"))


def test_the_time_counts_from_the_log_in(stranger: Client, leader: User, time_machine: Any) -> None:
    enter(stranger, RIGHT)
    time_machine.shift(HALF_AN_HOUR)
    assert is_out(stranger.get("/"))


def test_an_ended_session_does_not_come_back(
    browser: Browser, leader: User, time_machine: Any
) -> None:
    client = browser(leader)
    client.get("/")
    time_machine.shift(HALF_AN_HOUR)
    client.get("/")
    assert is_out(client.get("/"))


def test_use_is_noted_once_a_minute(browser: Browser, leader: User, time_machine: Any) -> None:
    client, counts = browser(leader), []
    client.get("/")
    for seconds in (1, 58, 1):
        time_machine.shift(seconds)
        with CaptureQueriesContext(connection) as caught:
            client.get("/")
        counts.append(len([query for query in caught if "UPDATE" in query["sql"]]))
    assert counts == [0, 0, 1]


def test_a_disabled_account_is_out_at_its_next_request(browser: Browser, leader: User) -> None:
    client = browser(leader)
    client.get("/")
    User.objects.filter(pk=leader.pk).update(is_active=False)
    assert is_out(client.get("/"))


@pytest.fixture
def desk(browser: Browser, supervisor: User) -> Client:
    return browser(supervisor)


@pytest.fixture
def task(policy: PolicyDocument) -> Task:
    return make_task(policy)


@pytest.fixture
def late(desk: Client, task: Task, time_machine: Any) -> HttpResponse:
    """Send the form of a task an hour after it was opened."""
    words = typed(desk, task, title="typed late")
    time_machine.shift(3600)
    return desk.post(address(task), words)


def log_in(client: Client, name: str = "supervisor") -> None:
    client.post(reverse("login"), {"username": name, "password": RIGHT})


def test_a_form_sent_too_late_leads_to_the_log_in_and_back(late: HttpResponse, task: Task) -> None:
    assert late["Location"] == f"{reverse('login')}?next={address(task)}"


def test_a_form_sent_too_late_saves_nothing(late: HttpResponse, task: Task) -> None:
    task.refresh_from_db()
    assert task.title == "Task A1-01"


def test_the_log_in_says_that_what_was_typed_is_kept(late: HttpResponse, desk: Client) -> None:
    assert "is kept" in desk.get(late["Location"]).content.decode()


def test_the_admins_form_shows_what_was_kept_and_saves_it_when_sent_again(
    late: HttpResponse, desk: Client, task: Task
) -> None:
    log_in(desk)
    form = desk.get(address(task)).context["adminform"].form
    assert (form["title"].value(), Task.objects.get().title) == ("typed late", "Task A1-01")
    desk.post(address(task), typed(desk, task, title=form["title"].value()))
    assert Task.objects.get().title == "typed late"


def test_what_was_kept_is_shown_once(late: HttpResponse, desk: Client, task: Task) -> None:
    log_in(desk)
    titles = [
        desk.get(address(task)).context["adminform"].form["title"].value() for _time in range(2)
    ]
    assert titles == ["typed late", "Task A1-01"]


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [("report", [], "progress"), ("step", ["request_closing"], "reason")],
)
def test_what_a_unit_was_sending_is_in_its_form_again(
    browser: Browser,
    policy: PolicyDocument,
    liaison: User,
    time_machine: Any,
    name: str,
    arguments: list[str],
    field: str,
) -> None:
    make_task(
        policy, deadline=JULY, lead_unit=liaison.organization, assigned_on=dt.date(2026, 5, 1)
    )
    page = reverse(name, args=["rise", "A1-01", *arguments])
    client = browser(liaison)
    assert client.get(page).status_code == 200
    time_machine.shift(3600)
    client.post(page, {field: "typed late", "submit": "1"})
    log_in(client, "liaison")
    shown = client.get(page)
    assert shown.context["form"][field].value() == "typed late"
    assert "it is not saved yet" in shown.content.decode()
    assert client.get(page).context["form"][field].value() != "typed late"
    assert not liaison.organization.reports.exists()


def test_what_somebody_else_saved_meanwhile_is_shown_beside_it(
    late: HttpResponse, desk: Client, task: Task, act: Any
) -> None:
    task.title = "theirs"
    workflow.save_task(task, act, 1, today=dt.date(2026, 6, 15))
    log_in(desk)
    form = desk.get(address(task)).context["adminform"].form
    assert form["title"].value() == "typed late"
    assert "theirs" in str(form.errors["title"])


def test_nobody_else_sees_what_was_kept(
    late: HttpResponse, desk: Client, task: Task, administrator: User
) -> None:
    log_in(desk, "administrator")
    pages = [desk.get(page).content.decode() for page in (address(task), reverse("kept"), "/")]
    assert [
        page for page in pages if "typed late" in page or f'href="{reverse("kept")}"' in page
    ] == []


def test_every_page_leads_to_what_is_kept(late: HttpResponse, desk: Client) -> None:
    log_in(desk)
    assert f'href="{reverse("kept")}"' in desk.get("/").content.decode()
    assert "typed late" in desk.get(reverse("kept")).content.decode()


def test_what_is_kept_can_be_thrown_away(late: HttpResponse, desk: Client) -> None:
    log_in(desk)
    key = desk.get(reverse("kept")).context["forms"][0]["key"]
    desk.post(reverse("kept"), {"key": key})
    assert "typed late" not in desk.get(reverse("kept")).content.decode()


def kept_of(client: Client, **words: str) -> dict[str, Any]:
    return client.session["kept"][0]["data"]


def test_what_is_sent_last_is_kept(late: HttpResponse, desk: Client, task: Task) -> None:
    desk.post(address(task), {"title": "typed later still"})
    assert kept_of(desk) == {"title": ["typed later still"]}


def test_a_form_of_an_earlier_log_in_comes_back_and_saves_nothing(
    supervisor: User, task: Task
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(supervisor)
    answer = client.post(address(task), {"title": "typed before", "csrfmiddlewaretoken": "old"})
    assert answer["Location"] == address(task)
    assert client.get(address(task)).context["adminform"].form["title"].value() == "typed before"
    assert Task.objects.get().title == "Task A1-01"


def test_what_is_kept_outlives_the_session_that_kept_it(
    desk: Client, task: Task, time_machine: Any
) -> None:
    session = desk.session
    session["kept"] = {
        "user": User.objects.get().pk,
        "path": address(task),
        "data": {"title": ["typed"]},
    }
    session.save()
    time_machine.shift(3600)
    desk.get("/")
    log_in(desk)
    assert desk.get(address(task)).context["adminform"].form["title"].value() == "typed"


def test_a_stranger_who_never_was_in_keeps_nothing(stranger: Client, task: Task) -> None:
    stranger.post(address(task), {"title": "x"})
    assert "kept" not in stranger.session


def test_passwords_and_tokens_are_not_kept(desk: Client, time_machine: Any) -> None:
    desk.get("/")
    time_machine.shift(3600)
    desk.post(reverse("search"), {"csrfmiddlewaretoken": "x", "new_password1": "y", "text": "z"})
    assert kept_of(desk) == {"text": ["z"]}


def test_more_than_a_form_holds_is_not_kept(desk: Client, time_machine: Any) -> None:
    desk.get("/")
    time_machine.shift(3600)
    desk.post(reverse("search"), {"short": "a", "long": "b" * 1_000_001})
    assert kept_of(desk) == {"short": ["a"]}


def test_a_form_is_kept_for_the_page_that_showed_it(desk: Client, time_machine: Any) -> None:
    desk.get("/")
    time_machine.shift(3600)
    answer = desk.post(
        reverse("search"),
        {"text": "z"},
        headers={"referer": "http://testserver/policies/rise/?on=x"},
    )
    assert answer["Location"] == f"{reverse('login')}?next=/policies/rise/%3Fon%3Dx"
    assert desk.session["kept"][0]["path"] == "/policies/rise/"


def test_a_stranger_on_the_way_is_no_page_to_go_back_to(desk: Client, time_machine: Any) -> None:
    desk.get("/")
    time_machine.shift(3600)
    answer = desk.post(
        reverse("search"), {"text": "z"}, headers={"referer": "https://elsewhere.example/"}
    )
    assert answer["Location"] == f"{reverse('login')}?next={reverse('search')}"


@pytest.mark.parametrize("who", ["another", "elsewhere", "nobody"])
def test_kept_text_is_handed_out_to_its_owner_on_its_page_alone(who: str) -> None:
    request = RequestFactory().get("/elsewhere/" if who == "elsewhere" else "/here/")
    request.user = {"another": User(pk=8), "nobody": AnonymousUser()}.get(who, User(pk=7))
    request.session = {"kept": {"user": 7, "path": "/here/", "data": {"a": ["b"]}}}
    assert request_context.saved_post(request) is None
    request.user, request.path = User(pk=7), "/here/"
    assert request_context.saved_post(request).getlist("a") == ["b"]
    assert request_context.saved_post(request) is None


def test_a_new_password_says_so(newcomer: Client) -> None:
    answer = choose(newcomer)
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [
        "Your new password is now valid."
    ]
    assert "Your new password is now valid." in newcomer.get("/").content.decode()
