"""Every form that a page sends names what it was shown with, has one effect, and overwrites nothing
newer.

The forms are those that the pages show to the accounts that may use them. A form that is not listed
here fails the test: whoever adds one says what it names, or why it needs to name nothing.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test import Client
from django.urls import resolve, reverse

from tests.conftest import TODAY
from tests.excel.conftest import as_file, english, fill, fresh, landed, sent
from tests.excel.test_checklist_import import change, exported, load
from tests.factories import make_task
from tests.test_odd_values import Fields
from tests.views.conftest import browser, stranger
from tests.views.listed_forms import BOOK, FORMS, LEADS_ON, OF_OFFICE, OF_UNIT, Listed
from tests.views.test_repeated_posts import accepted
from tests.views.test_texts import TEXT
from tracker import workflow
from tracker.domain.choices import Action, ChangeSource, Kind, UnitMoveKind
from tracker.domain.dates import now, period_of
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    Evidence,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    User,
)
from tracker.models.base import Versioned
from tracker.workflow import ChangeContext

__all__ = ["browser", "english", "stranger"]

MAY = dt.date(2026, 5, 1)
TEMPLATES = settings.BASE_DIR / "templates"
# Shown where nothing could be written: they send again what another form has sent, with its
# version.
SENT_AGAIN = {"tracker/kept.html", "tracker/disk_full.html"}


@dataclass(frozen=True)
class Form:
    """A form as a page shows it to an account.

    Where it goes, and what it sends beside what is typed.
    """

    key: str
    client: Client
    to: str
    shown: dict[str, str]
    cookies: dict[str, str]

    def send(self, without: tuple[str, ...] = ()) -> Any:
        """Send it as the account would, and follow where the answer leads."""
        data = FORMS[self.key].data(self.shown)
        kept = {
            name: value for name, value in data.items() if not name.startswith(without or ("\0",))
        }
        if "unmark" in without:
            kept["unmark"] = data["unmark"].partition(":")[0]
        if "pick" in without:
            kept["pick"] = data["pick"].partition(":")[0]
        # Whoever has logged out is logged in again for the next form.
        self.client.cookies = SimpleCookie(self.cookies)
        answer = self.client.post(self.to, kept, follow=True)
        answer.getvalue()
        return answer


def key_of(to: str, button: str) -> str:
    """Name a form by its address and its button; a step by what it does."""
    match = resolve(urlsplit(to).path)
    name = match.kwargs["action"] if match.url_name == "step" else button
    return f"{match.view_name} {name}".strip()


def forms_of(client: Client, page: str, html: str) -> Iterator[Form]:
    """Yield the forms of a page that write, for each of their buttons."""
    for form in Fields(html).forms:
        to = urljoin(page, form["action"])
        shown = {name: value for name, value in form["fields"].items() if value is not None}
        named = [
            (name, value)
            for name, value in form["buttons"]
            if name not in ("_addanother", "_continue", "action")
        ]
        # A button without a name stands beside those of the queue.
        buttons = [*named, ("", "")] if not named or "accept_many" in key_of(to, "") else named
        for name, value in buttons if form["posts"] else ():
            sent_along = {**shown, name: value} if name else shown
            cookies = {name: morsel.value for name, morsel in client.cookies.items()}
            yield Form(key_of(to, name), client, to, sent_along, cookies)


@dataclass
class World:
    """The forms of all pages, and the templates that they were shown by."""

    forms: dict[tuple[Any, ...], Form] = field(default_factory=dict)
    templates: set[str] = field(default_factory=set)

    def look(self, client: Client, page: str, data: dict[str, Any] | None = None) -> None:
        """Note the forms of a page, and of the one that its own leads on to."""
        answer = client.get(page) if data is None else client.post(page, data)
        assert answer.status_code == 200, page
        self.templates |= {template.name for template in answer.templates}
        for form in forms_of(client, page, answer.content.decode()):
            shared = "/" not in form.key and not FORMS.get(form.key, Listed()).writes
            self.forms.setdefault(
                (form.key, "" if shared else (form.to, *form.shown.items())), form
            )
            if form.key in LEADS_ON and data is None:
                self.look(client, form.to, {**form.shown, **LEADS_ON[form.key]})


def hand_in(task: Task, act: ChangeContext, submit: bool = True, **said: Any) -> ProgressUpdate:
    """Write a report of May, and hand it in."""
    stored = Task.objects.get(pk=task.pk)
    assert stored.lead_unit
    report = workflow.open_report(stored, stored.lead_unit, period_of("monthly", MAY))
    for name, value in {"progress": "the ground is bought", **said}.items():
        setattr(report, name, value)
    workflow.save_draft(report, act, today=TODAY)
    if submit:
        workflow.submit(report, act, TODAY)
    return report


def make_tasks(policy: PolicyDocument, bureau: Organization) -> list[Task]:
    """Make tasks that are handed over, the eighth not yet; by their numbers, from 1 on."""
    facts = {"kind": Kind.QUALITATIVE, "deadline": dt.date(2026, 12, 31), "lead_unit": bureau}
    given = {"assigned_on": dt.date(2026, 4, 1), "owed_from": dt.date(2026, 4, 1)}
    made = [
        make_task(policy, f"A1-{n:02}", **facts, **({} if n in (8, 13) else given))
        for n in range(1, 14)
    ]
    return [made[0], *made]


@pytest.fixture
def world(
    policy: PolicyDocument,
    bureau: Organization,
    county: Organization,
    supervisor: User,
    liaison: User,
) -> World:
    """Bring tasks into each state in which a page shows another form, and look at the pages."""
    office, unit = (
        ChangeContext(supervisor, ChangeSource.PAGE, "because"),
        ChangeContext(liaison, ChangeSource.PAGE),
    )
    PolicyDocument.objects.filter(pk=policy.pk).update(full_text=TEXT)
    BackgroundPassage.objects.create(policy=policy, anchor="天气很好")
    tasks = make_tasks(policy, bureau)
    tasks[1].items.create(number=1, title="to do")
    tasks[1].items.create(number=2, title="done", done_on=TODAY)
    waiting = hand_in(tasks[2], unit, needs_help=True, help_addressee="the office")
    done = accepted(tasks[3], office, unit)
    hand_in(tasks[12], unit, submit=False)

    def take(number: int, action: Action, act: ChangeContext, **entered: Any) -> None:
        workflow.execute_transition(
            Task.objects.get(pk=tasks[number].pk), action, act, TODAY, **entered
        )

    evidence = [Evidence(link="https://example.gov/proof", name="proof")]
    take(4, Action.REQUEST_CLOSING, unit, reason="it is done", evidence=evidence)
    take(
        5,
        Action.REQUEST_EXTENSION,
        unit,
        deadline=dt.date(2027, 1, 31),
        reason="more time",
        progress="half",
    )
    take(6, Action.SUSPEND, office, reason="because")
    take(7, Action.CLOSE, office, on=TODAY, rating="good")
    batches = [*workbooks(policy, bureau, supervisor, liaison)]
    west = Organization.objects.create(name="Office of the West", short_name="West")
    make_task(policy, "B1-01", lead_unit=west, kind=Kind.STANDING)
    plan = workflow.plan_move(UnitMoveKind.MOVE, west, county)
    move = workflow.make_move(plan, office, plan.digest, now())
    found = World()
    visit(
        found,
        liaison,
        [*map(address_of, OF_UNIT), *(each.get_absolute_url() for each in batches[:2])],
    )
    pages = [*map(address_of, OF_OFFICE), *(each.get_absolute_url() for each in batches[2:])]
    pages += [reverse("review", args=[waiting.pk]), reverse("review", args=[done.pk])]
    pages += [
        reverse("answer", args=[waiting.pk]),
        reverse("admin:tracker_unitmove_undo", args=[move.pk]),
    ]
    pages.append(
        f"{reverse('admin:tracker_organization_move', args=[bureau.pk])}?kind=move&target={county.pk}"
    )
    pages.append(reverse("admin:tracker_organization_change", args=[county.pk]))
    pages += [
        reverse(f"admin:tracker_task_{page}", args=[tasks[13].pk]) for page in ("change", "delete")
    ]
    client = visit(found, supervisor, pages)
    picked = {"action": "hand_over", ACTION_CHECKBOX_NAME: tasks[8].pk}
    found.look(client, reverse("admin:tracker_task_changelist"), picked)
    found.look(speaking_english(), reverse("login"))
    return found


def workbooks(
    policy: PolicyDocument, bureau: Organization, supervisor: User, liaison: User
) -> Iterator[Any]:
    """Yield of each kind of workbook a batch that waits and one that is confirmed."""
    for code, words in (("A1-09", "said"), ("A1-09", "sent in"), ("A1-10", "confirmed")):
        book = fresh(bureau)
        fill(book, code, progress=words)
        BOOK[words] = as_file(book).getvalue()
        if words != "sent in":
            batch = sent(book, liaison)
            if words == "confirmed":
                landed(batch, liaison)
            yield batch
    BOOK["content"] = BOOK["sent in"]
    book = exported(policy)
    change(book, "Tasks", 2, "remark", "imported remark")
    yield load(book, supervisor)
    book = exported(policy)
    change(book, "Tasks", 3, "remark", "imported remark")
    yield sent(book, supervisor)


def address_of(page: tuple[str, list[str], str]) -> str:
    name, arguments, query = page
    return reverse(name, args=arguments) + query


def speaking_english() -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def visit(world: World, user: User, pages: list[str]) -> Client:
    """Look at pages with the account of a person."""
    client = speaking_english()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for page in pages:
        world.look(client, page)
    return client


def everything() -> dict[str, list[Any]]:
    """Return the rows of all tables of the product, histories too."""
    models = apps.get_app_config("tracker").get_models(include_auto_created=True)
    return {
        model.__name__: list(model._base_manager.order_by("pk").values_list()) for model in models
    }


def changed(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> list[str]:
    return [name for name, rows in after.items() if rows != before[name]]


def meanwhile(unit: ChangeContext) -> None:
    """Let somebody else change everything that a page has shown, and begin the reports that were
    not there.
    """
    for model in apps.get_app_config("tracker").get_models():
        if issubclass(model, Versioned):
            model._base_manager.update(version=F("version") + 1)
    ChecklistItem.objects.update(title=Concat("title", Value("!")))
    for code in ("A1-01", "A1-03"):
        hand_in(Task.objects.get(code=code), unit, submit=False, progress="of another window")


def said_by(answer: Any) -> list[str]:
    """Return what a page says beside what it shows: its messages and the faults of its forms."""
    context = answer.context or {}
    found = [str(message) for message in context.get("messages") or ()]
    for name in ("form", "withdrawal", "reason", "errors"):
        thing = context.get(name)
        faults = thing if name == "errors" else getattr(thing, "errors", None)
        found += [str(fault) for fault in faults or ()]
    return found


def tried(world: World, wanted: Any, attempt: Any) -> list[Any]:
    """Try some forms, each in a transaction that is rolled back; return what is wrong."""
    found = []
    for form in world.forms.values():
        if wanted(FORMS[form.key]):
            with transaction.atomic():
                wrong = attempt(form)
                transaction.set_rollback(True)
            if wrong:
                found.append((form.key, form.to, wrong))
    return found


def test_every_form_is_listed_and_every_listed_one_is_shown(world: World) -> None:
    assert {form.key for form in world.forms.values()} == set(FORMS)


def test_every_template_with_a_form_was_looked_at(world: World) -> None:
    posting = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if re.search(r'<form[^>]*\smethod="post"', path.read_text(encoding="utf-8"))
    }
    assert posting - world.templates == SENT_AGAIN


def test_every_form_names_what_it_was_shown_with_or_says_why_not(world: World) -> None:
    lacking = []
    for form in world.forms.values():
        listed = FORMS[form.key]
        lacking += [
            (form.key, name)
            for name in listed.names
            if not any(each.startswith(name) for each in form.shown)
        ]
        if form.key.startswith("report") and "period=" not in form.to:
            lacking.append((form.key, "period"))
        if not listed.names and not listed.why:
            lacking.append((form.key, "why"))
    assert lacking == []


def test_a_form_that_is_sent_twice_has_one_effect(world: World) -> None:
    def twice(form: Form) -> list[str]:
        before = everything()
        answers = [form.send()]
        between = everything()
        answers.append(form.send())
        wrong = [f"wrote {name} again" for name in changed(between, everything())]
        wrong += [
            f"answered {answer.status_code}" for answer in answers if answer.status_code >= 400
        ]
        if FORMS[form.key].writes != bool(changed(before, between)):
            wrong.append(f"wrote {changed(before, between)}: {said_by(answers[0])}")
        return wrong

    assert tried(world, lambda listed: True, twice) == []


def test_a_form_writes_nothing_over_what_was_changed_since_and_keeps_what_was_typed(
    world: World, unit_act: ChangeContext
) -> None:
    def late(form: Form) -> list[str]:
        meanwhile(unit_act)
        before = everything()
        answer = form.send()
        wrong = [f"wrote {name}" for name in changed(before, everything())]
        html = answer.content.decode()
        typed = [
            value for value in FORMS[form.key].typed.values() if str(value).startswith("typed")
        ]
        wrong += [f"lost “{value}”" for value in typed if value not in html]
        if not said_by(answer):
            wrong.append("says nothing")
        return wrong

    # Those that name nothing and write are held against the rows that they change.
    wanted = lambda listed: listed.writes and (listed.names or "changed since" in listed.why)  # noqa: E731
    assert tried(world, wanted, late) == []


def test_a_form_without_what_it_was_shown_with_writes_nothing(world: World) -> None:
    def nameless(form: Form) -> list[str]:
        before = everything()
        answer = form.send(without=FORMS[form.key].names)
        wrong = [f"wrote {name}" for name in changed(before, everything())]
        return wrong if said_by(answer) else [*wrong, "says nothing"]

    assert tried(world, lambda listed: listed.writes and listed.names, nameless) == []
