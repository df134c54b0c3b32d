"""What is sent after its session has ended is shown again to its own account, and to nobody else."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.admin.test_tasks import address, many, typed
from tests.factories import make_task
from tests.views.test_login import RIGHT
from tracker.domain.dates import now
from tracker.models import ChecklistItem, PolicyDocument, ProgressUpdate, Task, User

JULY = dt.date(2026, 7, 31)
EVIL = "https://evil.example"
AUTOSAVE = {"x-autosave": "1"}


def log_in(client: Client, name: str) -> HttpResponse:
    """Log in by the log-in page, with its token where the client asks for one."""
    token = token_of(client.get(reverse("login")))
    return client.post(
        reverse("login"), {"username": name, "password": RIGHT, "csrfmiddlewaretoken": token}
    )


def token_of(page: HttpResponse) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    return found[1] if found else ""


def path_of(task: Task) -> str:
    return reverse("report", args=[task.policy.slug, task.code])


@pytest.fixture
def strict() -> Client:
    """Open a browser that asks for tokens, as a real one is asked."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def task(policy: PolicyDocument, liaison: User) -> Task:
    return make_task(
        policy, deadline=JULY, lead_unit=liaison.organization, assigned_on=dt.date(2026, 5, 1)
    )


def by_log_out(client: Client, user: User, _time: Any) -> None:
    other = Client()
    other.cookies = client.cookies.copy()
    other.post(reverse("logout"))


def by_idling(client: Client, user: User, time_machine: Any) -> None:
    time_machine.shift(1800)


def by_length(client: Client, user: User, time_machine: Any) -> None:
    session = client.session
    session["began"] = int(now().timestamp()) - 12 * 3600
    session.save()


def by_new_password(client: Client, user: User, _time: Any) -> None:
    user.set_password("another password 7")
    user.must_change_password = False
    user.save()
    user.set_password(RIGHT)
    user.must_change_password = False
    user.save()


def by_disabling(client: Client, user: User, _time: Any) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


ENDS: dict[str, Callable[[Client, User, Any], None]] = {
    "log-out elsewhere": by_log_out,
    "half an hour unused": by_idling,
    "twelve hours": by_length,
    "password changed": by_new_password,
    "account disabled": by_disabling,
}


@pytest.fixture(params=ENDS.values(), ids=ENDS)
def end(request: pytest.FixtureRequest, time_machine: Any) -> Callable[[Client, User], None]:
    return lambda client, user: request.param(client, user, time_machine)


def back_in(client: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=True)
    log_in(client, user.username)


def test_a_report_sent_after_any_end_of_a_session_is_in_its_form_again(
    strict: Client, liaison: User, task: Task, end: Callable[[Client, User], None]
) -> None:
    log_in(strict, "liaison")
    token = token_of(strict.get(path_of(task)))
    end(strict, liaison)
    answer = strict.post(
        path_of(task), {"progress": "typed late", "submit": "1", "csrfmiddlewaretoken": token}
    )
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("login"))
    back_in(strict, liaison)
    assert strict.get(path_of(task)).context["form"]["progress"].value() == "typed late"
    assert not ProgressUpdate.objects.exists()


@pytest.fixture
def desk_words(supervisor: User, task: Task) -> Callable[[str], dict[str, Any]]:
    """Return what a browser sends from each kind of page of the admin."""
    ChecklistItem.objects.create(task=task, number=1, title="Step")

    def words(kind: str) -> dict[str, Any]:
        client = Client()
        client.force_login(supervisor)
        if kind == "bulk":
            return {**many([task], "set_deadline", deadline="2026-09-30"), "reason": "typed late"}
        if kind == "delete":
            return {"post": "yes"}
        words = typed(client, task if kind == "change" else None, title="typed late")
        return words | {"items-0-title": "step typed late", "items-0-number": "1"}

    return words


PLACES = {
    "change": lambda task: address(task),
    "add": lambda task: reverse("admin:tracker_task_add"),
    "bulk": lambda task: reverse("admin:tracker_task_changelist"),
    "delete": lambda task: reverse("admin:tracker_section_delete", args=[task.measure.section_id]),
}


@pytest.fixture
def sent_late(
    strict: Client,
    supervisor: User,
    task: Task,
    desk_words: Any,
    end: Callable[[Client, User], None],
) -> Callable[[str], HttpResponse]:
    """Send a form of the admin after the end of its session, log in again and open the page."""

    def send(kind: str) -> HttpResponse:
        page = PLACES[kind](task)
        log_in(strict, "supervisor")
        token = token_of(strict.get(page))
        words = desk_words(kind)
        end(strict, supervisor)
        strict.post(
            page,
            {**words, "csrfmiddlewaretoken": token},
            headers={"referer": f"http://testserver{page}"},
        )
        back_in(strict, supervisor)
        return strict.get(page)

    return send


@pytest.mark.parametrize("kind", ["change", "add"])
def test_a_form_of_the_admin_shows_what_was_sent_late_with_its_parts(
    sent_late: Any, kind: str
) -> None:
    shown = sent_late(kind).content.decode()
    assert 'value="typed late"' in shown
    assert "step typed late" in shown
    assert Task.objects.get().title == "Task A1-01"


def test_a_change_of_many_rows_is_asked_again_with_what_was_typed(sent_late: Any) -> None:
    page = sent_late("bulk")
    assert 'value="2026-09-30"' in page.content.decode()
    assert 'value="typed late"' in page.content.decode()
    assert Task.objects.get().deadline == JULY


def test_a_deletion_sent_late_is_asked_again(sent_late: Any, task: Task) -> None:
    page = sent_late("delete")
    assert page.status_code == 200
    assert "it is not saved yet" in page.content.decode()
    assert Task.objects.exists()


@pytest.mark.parametrize(
    ("name", "arguments"), [("tick", ["rise", "A1-01", 1]), ("accept_many", [])]
)
def test_a_button_pressed_late_leads_to_no_empty_page(
    strict: Client,
    supervisor: User,
    task: Task,
    end: Callable[[Client, User], None],
    name: str,
    arguments: list[Any],
) -> None:
    ChecklistItem.objects.create(task=task, number=1, title="Step")
    button = reverse(name, args=arguments)
    log_in(strict, "supervisor")
    token = token_of(strict.get("/"))
    end(strict, supervisor)
    answer = strict.post(button, {"done": "1", "csrfmiddlewaretoken": token})
    back_in(strict, supervisor)
    wanted = answer["Location"].partition("next=")[2] or button
    page = strict.get(wanted, follow=True)
    assert (page.status_code, page.redirect_chain) == (200, [(reverse("kept"), 302)])
    assert f'action="{button}"' in page.content.decode()
    assert ChecklistItem.objects.get().done_on is None


def test_what_is_kept_can_be_sent_again_from_its_page(
    strict: Client, supervisor: User, task: Task
) -> None:
    item = ChecklistItem.objects.create(task=task, number=1, title="Step")
    button = reverse("tick", args=["rise", "A1-01", 1])
    words = {"done": "1", "item": item.pk, "seen": item.mark}
    log_in(strict, "supervisor")
    token = token_of(strict.get("/"))
    by_log_out(strict, supervisor, None)
    strict.post(button, {**words, "csrfmiddlewaretoken": token})
    log_in(strict, "supervisor")
    again = token_of(strict.get(reverse("kept")))
    strict.post(button, {**words, "csrfmiddlewaretoken": again})
    assert ChecklistItem.objects.get().done_on is not None


def test_the_address_of_a_button_says_so_in_words(strict: Client, leader: User) -> None:
    log_in(strict, "leader")
    page = strict.get(reverse("accept_many"))
    assert page.status_code == 405
    assert "is not a page" in page.content.decode()


@pytest.fixture
def of_another(strict: Client, supervisor: User, leader: User, task: Task) -> HttpResponse:
    """Send a form of the supervisor while the leader is logged in in the same browser."""
    log_in(strict, "supervisor")
    token = token_of(strict.get(address(task)))
    strict.post(reverse("logout"), {"csrfmiddlewaretoken": token})
    log_in(strict, "leader")
    return strict.post(address(task), {"title": "typed late", "csrfmiddlewaretoken": token})


def test_another_accounts_form_is_refused_in_words(of_another: HttpResponse) -> None:
    assert of_another.status_code == 403
    assert "opened by another account" in of_another.content.decode()


@pytest.mark.parametrize("page", ["home", "kept"])
def test_who_logs_in_next_is_not_shown_what_another_was_sending(
    strict: Client, of_another: HttpResponse, page: str
) -> None:
    shown = strict.get(reverse(page)).content.decode()
    assert "typed late" not in shown
    assert f'href="{reverse("kept")}"' not in shown


def test_who_logs_in_next_cannot_throw_it_away(
    strict: Client, of_another: HttpResponse, task: Task
) -> None:
    key = strict.session["kept"][0]["key"]
    strict.post(reverse("kept"), {"key": key, "csrfmiddlewaretoken": token_of(strict.get("/"))})
    assert strict.session["kept"][0]["data"]["title"] == ["typed late"]


def test_its_own_account_finds_it_after_the_other_has_left(
    strict: Client, of_another: HttpResponse, task: Task
) -> None:
    strict.post(reverse("logout"), {"csrfmiddlewaretoken": token_of(strict.get("/"))})
    log_in(strict, "supervisor")
    assert strict.get(address(task)).context["adminform"].form["title"].value() == "typed late"


def test_a_token_that_nobody_was_given_belongs_to_nobody(
    strict: Client, leader: User, task: Task
) -> None:
    log_in(strict, "leader")
    strict.post(address(task), {"title": "x", "csrfmiddlewaretoken": "a" * 64})
    assert "kept" not in strict.session


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL, "referer": f"{EVIL}/"},
        {"origin": EVIL},
        {"origin": "null"},
        {"referer": f"{EVIL}/"},
        {"origin": "http://testserver.evil.example"},
        {"referer": "http://testserver@evil.example/"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://testserver"},
        {"origin": "https://testserver"},
        {"origin": "http://[broken"},
    ],
    ids=str,
)
@pytest.mark.parametrize("state", ["logged in", "ended"])
def test_what_another_site_sends_is_neither_kept_nor_prefilled(
    strict: Client, supervisor: User, task: Task, headers: dict[str, str], state: str
) -> None:
    log_in(strict, "supervisor")
    strict.get(address(task))
    if state == "ended":
        by_log_out(strict, supervisor, None)
    strict.post(address(task), {"title": "of an attacker"}, headers=headers)
    assert "kept" not in strict.session
    if state == "ended":
        log_in(strict, "supervisor")
    assert "of an attacker" not in strict.get(address(task)).content.decode()


@pytest.mark.parametrize(
    "sender",
    [
        "http://testserver//evil.example/x",
        "http://testserver///evil.example/x",
        "http://testserver/\\evil.example/x",
        "//evil.example/x",
        "http://testserver//evil.example/?next=//evil.example",
        "javascript:alert(1)",
        "http://[broken",
    ],
)
def test_no_page_that_a_form_came_from_leads_to_another_site(
    browser: Any, supervisor: User, time_machine: Any, sender: str
) -> None:
    client = browser(supervisor)
    client.get("/")
    time_machine.shift(3600)
    answer = client.post(reverse("search"), {"text": "z"}, headers={"referer": sender})
    assert answer["Location"] == f"{reverse('login')}?next={reverse('search')}"


@pytest.mark.parametrize("name", ["set_language", "large_type", "login"])
@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x"]
)
def test_no_page_to_go_back_to_is_another_site(
    stranger: Client, leader: User, name: str, target: str
) -> None:
    words = {
        "next": target,
        "language": "en",
        "large": "1",
        "username": "leader",
        "password": RIGHT,
    }
    answer = stranger.post(reverse(name), words, headers={"referer": f"http://testserver{target}"})
    where = urljoin("http://testserver/", answer["Location"])
    assert urlsplit(where)[:2] == ("http", "testserver")


def test_files_passwords_and_what_is_too_long_are_named(
    strict: Client, liaison: User, task: Task
) -> None:
    log_in(strict, "liaison")
    token = token_of(strict.get(path_of(task)))
    by_log_out(strict, liaison, None)
    proof = SimpleUploadedFile("proof.pdf", b"%PDF-1.4 " + b"x" * 100_000)
    words = {
        "progress": "typed late",
        "problems": "y" * 1_000_001,
        "new_password1": "x",
        "proofs": proof,
    }
    strict.post(path_of(task), {**words, "csrfmiddlewaretoken": token})
    log_in(strict, "liaison")
    page = strict.get(path_of(task))
    told = (
        " ".join(str(message) for message in get_messages(page.wsgi_request))
        + page.content.decode()
    )
    assert "the files proof.pdf" in told
    assert "passwords" in told
    assert "too long: problems" in told


def test_another_form_of_the_same_page_does_not_empty_the_report(
    strict: Client, liaison: User, task: Task
) -> None:
    log_in(strict, "liaison")
    token = token_of(strict.get(path_of(task)))
    by_log_out(strict, liaison, None)
    strict.post(path_of(task), {"unchanged": "1", "csrfmiddlewaretoken": token})
    log_in(strict, "liaison")
    assert not strict.get(path_of(task)).context["form"].is_bound


def test_an_account_form_sent_late_is_shown_again(
    strict: Client, administrator: User, leader: User, end: Callable[[Client, User], None]
) -> None:
    page = reverse("admin:tracker_user_change", args=[leader.pk])
    log_in(strict, "administrator")
    token = token_of(strict.get(page))
    end(strict, administrator)
    words = {
        "username": "leader",
        "first_name": "typed late",
        "is_leader": "on",
        "csrfmiddlewaretoken": token,
    }
    strict.post(page, words)
    back_in(strict, administrator)
    assert strict.get(page).context["adminform"].form["first_name"].value() == "typed late"
    assert User.objects.get(pk=leader.pk).first_name == ""


def test_a_new_account_sent_late_is_not_made(strict: Client, administrator: User) -> None:
    page = reverse("admin:tracker_user_add")
    log_in(strict, "administrator")
    token = token_of(strict.get(page))
    by_log_out(strict, administrator, None)
    words = {
        "username": "wang",
        "usable_password": "false",
        "is_leader": "on",
        "csrfmiddlewaretoken": token,
    }
    strict.post(page, words)
    log_in(strict, "administrator")
    assert strict.get(page).context["adminform"].form["username"].value() == "wang"
    assert not User.objects.filter(username="wang").exists()


def test_a_review_sent_late_is_shown_again(
    strict: Client, supervisor: User, task: Task, liaison: User
) -> None:
    report = ProgressUpdate.objects.create(
        task=task, unit=liaison.organization, state="submitted", submitted_on=JULY, submitted_by=liaison,
        period_start=JULY, period_end=JULY,
    )  # fmt: skip
    page = reverse("review", args=[report.pk])
    log_in(strict, "supervisor")
    token = token_of(strict.get(page))
    by_log_out(strict, supervisor, None)
    strict.post(
        page, {"note": "typed late", "return": "1", "seen": "1", "csrfmiddlewaretoken": token}
    )
    log_in(strict, "supervisor")
    assert strict.get(page).context["form"]["note"].value() == "typed late"


def test_what_is_sent_while_a_new_password_is_asked_for_is_kept(
    browser: Any, supervisor: User, task: Task
) -> None:
    client = browser(supervisor)
    User.objects.filter(pk=supervisor.pk).update(must_change_password=True)
    assert client.post(address(task), {"title": "typed late"})["Location"] == reverse("password")
    assert client.session["kept"][0]["data"] == {"title": ["typed late"]}


def test_a_draft_that_saves_itself_is_told_of_the_log_out_in_words(
    strict: Client, liaison: User, task: Task, end: Callable[[Client, User], None]
) -> None:
    log_in(strict, "liaison")
    token = token_of(strict.get(path_of(task)))
    end(strict, liaison)
    answer = strict.post(
        path_of(task), {"progress": "x", "csrfmiddlewaretoken": token}, headers=AUTOSAVE
    )
    assert (answer.status_code, answer.json()["stopped"]) == (401, True)
    assert "You are logged out" in answer.json()["faults"][0]


@pytest.fixture
def in_again(strict: Client, liaison: User, task: Task) -> str:
    """Open the form, log in again in another tab; return the token of the form."""
    log_in(strict, "liaison")
    token = token_of(strict.get(path_of(task)))
    strict.post(reverse("logout"), {"csrfmiddlewaretoken": token})
    log_in(strict, "liaison")
    return token


def test_a_draft_goes_on_after_a_new_log_in(strict: Client, in_again: str, task: Task) -> None:
    words = {"progress": "written on", "seen": "0"}
    first = strict.post(path_of(task), {**words, "csrfmiddlewaretoken": in_again}, headers=AUTOSAVE)
    fresh = first.json()["token"]
    answer = strict.post(path_of(task), {**words, "csrfmiddlewaretoken": fresh}, headers=AUTOSAVE)
    assert answer.status_code == 200
    assert ProgressUpdate.objects.get().progress == "written on"


def test_a_draft_that_saves_itself_lays_no_warnings(
    strict: Client, in_again: str, task: Task
) -> None:
    for _round in range(3):
        strict.post(
            path_of(task), {"progress": "x", "csrfmiddlewaretoken": in_again}, headers=AUTOSAVE
        )
    assert "earlier session" not in strict.get("/").content.decode()


def test_a_draft_of_another_account_is_told_so_and_gets_no_token(
    strict: Client, liaison: User, leader: User, task: Task
) -> None:
    log_in(strict, "liaison")
    token = token_of(strict.get(path_of(task)))
    strict.post(reverse("logout"), {"csrfmiddlewaretoken": token})
    log_in(strict, "leader")
    answer = strict.post(
        path_of(task), {"progress": "x", "csrfmiddlewaretoken": token}, headers=AUTOSAVE
    )
    assert answer.status_code == 409
    assert (answer.json()["stopped"], "token" in answer.json()) == (True, False)


def test_another_site_gets_no_token(strict: Client, in_again: str, task: Task) -> None:
    answer = strict.post(
        path_of(task), {"csrfmiddlewaretoken": in_again}, headers={**AUTOSAVE, "origin": EVIL}
    )
    assert "token" not in answer.json()
