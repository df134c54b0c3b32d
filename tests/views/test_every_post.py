"""Every form that a page sends names what it was shown with, has one effect, and overwrites nothing newer.

The forms are those that the pages show to the accounts that may use them. A form that is not listed
here fails the test: whoever adds one says what it names, or why it needs to name nothing.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test import Client
from django.urls import resolve, reverse

from tests.conftest import TODAY
from tests.factories import make_task
from tests.intake.conftest import as_file, english, fill, fresh, landed, sent
from tests.intake.test_checklist import change, exported, load
from tests.test_odd_values import Fields
from tests.views.conftest import Browser, browser, stranger
from tests.views.test_repeated_posts import accepted
from tests.views.test_texts import TEXT
from tracker import workflow
from tracker.choices import Action, Kind, Status, Way
from tracker.dates import period_of
from tracker.models import BackgroundPassage, ChecklistItem, Organization, PolicyDocument, ProgressUpdate, Task, User
from tracker.models.base import Versioned
from tracker.workflow import Act

__all__ = ["browser", "english", "stranger"]

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
PROOF = {"link": "https://example.gov/proof"}


@dataclass(frozen=True)
class Listed:
    """What a form names of what it was shown with, and what is typed in it; or why it names nothing."""

    names: tuple[str, ...] = ()
    typed: dict[str, Any] = field(default_factory=dict)
    period: bool = False  # named in the address
    why: str = ""


def book() -> Any:
    """Return the workbook that `world` has made, to be sent in as a file."""
    return SimpleUploadedFile("file.xlsx", BOOK["content"])


def proof() -> Any:
    return SimpleUploadedFile("proof.pdf", b"%PDF-1.4 proof")


BOOK: dict[str, bytes] = {}
SEEN = ("seen",)
LATER = {"deadline": "2027-03-31", "reason": "typed reason", "progress": "typed progress"}
REPORT = {"progress": "typed progress", "problems": "typed problems", "next_steps": "typed steps"}
FORMS: dict[str, Listed] = {
    "report submit": Listed(("seen", "follows", "role"), {**REPORT, "proofs": proof}, period=True),
    "report save": Listed(("seen", "follows", "role"), {**REPORT, "proofs": proof}, period=True),
    "report use_last": Listed(period=True, why="fills the empty fields of the form and writes nothing"),
    "report unchanged": Listed(("seen", "repeats", "follows"), period=True),
    "report withdraw": Listed(SEEN, period=True),
    "tick done": Listed(("item", "seen")),
    "step acknowledge": Listed(SEEN),
    "step request_closing": Listed(SEEN, {"reason": "typed reason", "proofs": proof}),
    "step withdraw_closing": Listed(SEEN),
    "step grant_closing": Listed(SEEN, {"rating": "good", "note": "typed note"}),
    "step return_closing": Listed(SEEN, {"note": "typed note"}),
    "step request_extension": Listed(SEEN, LATER),
    "step grant_extension": Listed(SEEN, {"note": "typed note"}),
    "step return_extension": Listed(SEEN, {"note": "typed note"}),
    "step close": Listed(SEEN, {"on": "2026-06-01", "rating": "good", "note": "typed note"}),
    "step suspend": Listed(SEEN, {"reason": "typed reason"}),
    "step cancel": Listed(SEEN, {"reason": "typed reason"}),
    "step resume": Listed(SEEN, {"deadline": "2027-03-31", "reason": "typed reason"}),
    "step reopen": Listed(SEEN, {"deadline": "2027-03-31", "reason": "typed reason"}),
    "step hand_over": Listed(SEEN, {"on": "2026-06-15"}),
    "review accept": Listed(SEEN),
    "review return": Listed(SEEN, {"note": "typed note"}),
    "review withdraw_acceptance": Listed(SEEN, {"reason": "typed reason"}),
    "accept_many all": Listed(why="shows what was picked, each report with its version, and writes nothing"),
    "accept_many": Listed(why="shows what was picked, each report with its version, and writes nothing"),
    "accept_many confirm": Listed(("pick",)),
    "answer": Listed(SEEN, {"answer": "typed answer"}),
    "batch": Listed(SEEN),
    "batch undo": Listed(why="an import is undone once; it is refused where a row was changed since"),
    "imports": Listed(typed={"file": book}, why="the same file of the same account is one batch until it is confirmed"),
    "new": Listed(why="shows a proposal and writes nothing"),
    "new refresh": Listed(why="shows the changed proposal and writes nothing"),
    "new do": Listed(why="shows the changed proposal and writes nothing"),
    "new confirm": Listed(why="makes a new policy; its short address is taken from then on"),
    "text mark": Listed(SEEN),
    "text unmark": Listed(("unmark",)),
    "password": Listed(why="asks for the present password, which is another one afterwards"),
    "login": Listed(why="opens a session and changes nothing that is shown"),
    "logout": Listed(why="ends a session"),
    "set_language language": Listed(why="is of this browser alone"),
    "large_type large": Listed(why="is of this browser alone"),
    "admin:tracker_organization_move confirm": Listed(SEEN, {"reason": "typed reason"}),
    "admin:tracker_unitmove_undo": Listed(
        typed={"reason": "typed reason"}, why="a move is undone once; it is refused where a row was changed since"
    ),
}
WRITES_NOTHING = {
    "report use_last", "accept_many", "accept_many all", "new", "new refresh", "new do", "login", "logout",
    "set_language language", "large_type large", "password",
}  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A form as a page shows it to an account: where it goes, and what it sends beside what is typed."""

    key: str
    user: User
    page: str
    to: str
    fields: tuple[tuple[str, str], ...]


def key_of(to: str, button: tuple[str, str] | None) -> str:
    """Name a form by its address and its button; a step by what it does."""
    match = resolve(urlsplit(to).path)
    name = match.kwargs["action"] if match.url_name == "step" else button[0] if button else ""
    return f"{match.view_name} {name}".strip()


def forms_on(page: str, html: str, user: User) -> Iterator[Sent]:
    """Yield the POST forms of a page, for each of their buttons that has a name."""
    for form in Fields(html).forms:
        if not form["posts"]:
            continue
        to = urljoin(page, form["action"])
        plain = tuple((name, value) for name, value in form["fields"].items() if value is not None)
        for button in form["buttons"] or [None]:
            yield Sent(key_of(to, button), user, page, to, plain + ((button,) if button else ()))
        if "accept_many" in key_of(to, None) and form["buttons"] == [("all", "1")]:
            yield Sent(key_of(to, None), user, page, to, plain)


@pytest.fixture
def world(
    policy: PolicyDocument, bureau: Organization, county: Organization, supervisor: User, liaison: User,
    administrator: User,
) -> dict[str, Any]:  # fmt: skip
    """Bring a task into each state in which a page shows another form; return the pages by account."""
    office, unit = Act(supervisor, Way.PAGE, "because"), Act(liaison, Way.PAGE)
    PolicyDocument.objects.filter(pk=policy.pk).update(full_text=TEXT)
    tasks = {
        number: make_task(
            policy,
            f"A1-{number:02}",
            kind=Kind.QUALITATIVE,
            deadline=dt.date(2026, 12, 31),
            lead_unit=bureau,
            **({} if number == 8 else {"assigned_on": dt.date(2026, 4, 1), "owed_from": dt.date(2026, 4, 1)}),
        )
        for number in range(1, 13)
    }
    tasks[1].co_units.add(county)
    tasks[1].items.create(number=1, title="to do")
    tasks[1].items.create(number=2, title="done", done_on=TODAY)
    waiting = hand_in(tasks[2], unit, needs_help=True, help_addressee="the office")
    done = accepted(tasks[3], office, unit)

    def take(number: int, action: Action, act: Act, **entered: Any) -> None:
        workflow.perform(Task.objects.get(pk=tasks[number].pk), action, act, TODAY, **entered)

    take(3, Action.ACKNOWLEDGE, unit)
    proofs = [workflow_evidence()]
    take(4, Action.REQUEST_CLOSING, unit, reason="it is done", evidence=proofs)
    take(5, Action.REQUEST_EXTENSION, unit, deadline=dt.date(2027, 1, 31), reason="more time", progress="half")
    take(6, Action.SUSPEND, office, reason="because")
    take(7, Action.CLOSE, office, on=TODAY, rating="good")
    BackgroundPassage.objects.create(policy=policy, anchor="天气很好")
    many = fresh(bureau)
    fill(many, "A1-09", progress="by workbook")
    BOOK["content"] = as_file(many).getvalue()
    batch = sent(many, liaison)
    other = fresh(bureau)
    fill(other, "A1-10", progress="by another workbook")
    landed(done_batch := sent(other, liaison), liaison)
    checklist = exported(policy)
    change(checklist, "Tasks", 2, "remark", "imported remark")
    loaded = load(checklist, supervisor)
    again = exported(policy)
    change(again, "Tasks", 3, "remark", "imported remark")
    read = sent(again, supervisor)
    move = make_move(county, supervisor)
    of_unit = [reverse("my"), reverse("imports"), reverse("password"), *(each.get_absolute_url() for each in (batch, done_batch))]
    of_unit += [f"{reverse('report', args=['rise', f'A1-{number:02}'])}?period={period}" for number, period in ((1, MAY), (2, MAY), (3, MAY))]
    of_unit += [reverse("step", args=["rise", code, action]) for code, action in (
        ("A1-01", "acknowledge"), ("A1-11", "request_closing"), ("A1-04", "withdraw_closing"), ("A1-01", "request_extension"),
    )]
    of_office = [reverse("queue"), reverse("review", args=[waiting.pk]), reverse("review", args=[done.pk]), reverse("answer", args=[waiting.pk])]
    of_office += [each.get_absolute_url() for each in (loaded, read)] + [reverse("new"), f"{reverse('text', args=['rise'])}?at=2"]
    of_office += [reverse("step", args=["rise", code, action]) for code, action in (
        ("A1-04", "grant_closing"), ("A1-04", "return_closing"), ("A1-05", "grant_extension"), ("A1-05", "return_extension"),
        ("A1-01", "close"), ("A1-01", "suspend"), ("A1-01", "cancel"), ("A1-06", "resume"), ("A1-07", "reopen"), ("A1-08", "hand_over"),
    )]
    of_office += [f"{reverse('admin:tracker_organization_move', args=[bureau.pk])}?kind=move&target={county.pk}", reverse("admin:tracker_unitmove_undo", args=[move.pk])]
    of_unit.append(tasks[1].get_absolute_url())
    return {"liaison": (liaison, of_unit), "supervisor": (supervisor, of_office)}
