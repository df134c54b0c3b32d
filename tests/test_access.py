"""Who gets which answer: every address of the product, for every role, read and written.

An address that is not listed here fails the test: whoever adds one says who may see it.
"""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker.domain.choices import Kind
from tracker.domain.dates import now
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Evidence,
    ImportBatch,
    Indicator,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    SentReminder,
    Task,
    UnitMove,
    User,
)

ROLES = (
    "anonymous", "lead_liaison", "helping_liaison", "other_liaison", "leader", "supervisor", "administrator",
    "superuser", "disabled",
)  # fmt: skip
OUTSIDE = ("anonymous", "disabled")
OPEN = ("set_language", "large_type")  # need no account and lead back to where one was
READERS = (
    "lead_liaison",
    "helping_liaison",
    "other_liaison",
    "leader",
    "supervisor",
    "administrator",
    "superuser",
)
LIAISONS = ("lead_liaison", "helping_liaison", "other_liaison")
OFFICE = ("supervisor", "superuser")
DESK = ("supervisor", "administrator", "superuser")
KEEPERS = ("administrator", "superuser")
NOBODY = ()

POLICY_MODELS = (
    "policydocument",
    "section",
    "measure",
    "task",
    "declaredcount",
    "backgroundpassage",
    "indicator",
)
EDITORS = {
    **dict.fromkeys(POLICY_MODELS, OFFICE),
    "organization": DESK,
    "user": KEEPERS,
    "sentreminder": NOBODY,
    "unitmove": NOBODY,
}
VIEWERS = {
    **dict.fromkeys((*POLICY_MODELS, "organization", "sentreminder", "unitmove"), DESK),
    "user": KEEPERS,
}

WRITERS = dict.fromkeys(("lead_liaison", "helping_liaison", "supervisor", "superuser"), 200)
TASK = {"slug": "rise", "code": "A1-01"}

Expected = dict[str, dict[str, int]]  # method -> role -> status


def answers(
    allowed: tuple[str, ...], get: int = 200, post: int = 200, refused: int = 403
) -> Expected:
    """Say what each role gets: outsiders the login page, those not allowed `refused`."""

    def code(role: str, status: int) -> int:
        return 302 if role in OUTSIDE else status if role in allowed else refused

    return {
        "GET": {role: code(role, get) for role in ROLES},
        "POST": {role: code(role, post) for role in ROLES},
    }


def concerned(get: int, post: int) -> Expected:
    """Say what each role gets of a task of two units: to a third unit it does not exist."""
    found = answers(READERS, get, post)
    return {**found, "GET": {**found["GET"], "other_liaison": 404}}


def per(get: dict[str, int], post: dict[str, int]) -> Expected:
    """Say it role by role: who is not named is not allowed."""

    def whole(codes: dict[str, int]) -> dict[str, int]:
        return {role: 302 if role in OUTSIDE else codes.get(role, 403) for role in ROLES}

    return {"GET": whole(get), "POST": whole(post)}


def of_lead(get: int, post: dict[str, int]) -> Expected:
    """Say what each role gets of an import of the lead unit.

    It exists for that unit and the office.
    """
    others = dict.fromkeys(("helping_liaison", "other_liaison", "leader"), 404)
    return per({**dict.fromkeys(("lead_liaison", *DESK), get), **others}, {**others, **post})


def same(get: int, post: int) -> Expected:
    return {"GET": dict.fromkeys(ROLES, get), "POST": dict.fromkeys(ROLES, post)}


def listed() -> dict[str, tuple[dict[str, Any], Expected]]:
    """List every address with its arguments and what it answers."""
    table: dict[str, tuple[dict[str, Any], Expected]] = {
        "home": ({}, answers(READERS, 200, 405)),
        "policy": ({"slug": "rise"}, answers(READERS, 200, 405)),
        "tasks": ({"slug": "rise"}, answers(READERS, 200, 405)),
        "task": ({"slug": "rise", "code": "A1-01"}, concerned(200, 405)),
        "report": (
            TASK,
            per(
                {
                    "lead_liaison": 200,
                    "helping_liaison": 200,
                    "supervisor": 200,
                    "superuser": 200,
                    "other_liaison": 404,
                },
                {
                    "lead_liaison": 200,
                    "helping_liaison": 200,
                    "supervisor": 200,
                    "superuser": 200,
                    "other_liaison": 404,
                },
            ),
        ),
        "step": (
            {**TASK, "action": "acknowledge"},
            per(
                {"lead_liaison": 200, "other_liaison": 404},
                {"lead_liaison": 200, "other_liaison": 404},
            ),
        ),
        "tick": (
            {**TASK, "number": 1},
            per(
                dict.fromkeys(READERS, 405),
                {"lead_liaison": 302, "supervisor": 302, "superuser": 302, "other_liaison": 404},
            ),
        ),
        "evidence": ({"pk": "proof"}, concerned(200, 405)),
        # An export exists for the one who has started it: here nobody has.
        "work": ({"name": "export-0-x"}, answers(READERS, 404, 405)),
        "made": ({"name": "export-0-x"}, answers(READERS, 404, 405)),
        "my": ({}, per(dict.fromkeys(LIAISONS, 200), dict.fromkeys(READERS, 405))),
        "queue": ({}, per(dict.fromkeys(DESK, 200), dict.fromkeys(READERS, 405))),
        "review": ({"pk": "report"}, per(dict.fromkeys(DESK, 200), dict.fromkeys(OFFICE, 200))),
        "accept_many": ({}, per(dict.fromkeys(READERS, 405), dict.fromkeys(OFFICE, 302))),
        "answer": ({"pk": "report"}, answers(OFFICE)),
        "measure": ({"slug": "rise", "code": "A1"}, answers(READERS, 200, 405)),
        "units": ({"slug": "rise"}, answers(READERS, 200, 405)),
        "unit": ({"slug": "rise", "pk": "organization"}, answers(READERS, 200, 405)),
        "unit_everywhere": ({"pk": "organization"}, answers(READERS, 200, 405)),
        "ledger": ({"slug": "rise"}, answers(READERS, 200, 405)),
        # The unit of this address is the third one: its own liaison and the office get its
        # workbook.
        "fill_in": (
            {"slug": "rise", "pk": "organization"},
            per(dict.fromkeys(("other_liaison", *OFFICE), 200), dict.fromkeys(READERS, 405)),
        ),
        "fill_ins": (
            {"slug": "rise"},
            per(dict.fromkeys(OFFICE, 200), dict.fromkeys(READERS, 405)),
        ),
        "checklist": (
            {"slug": "rise"},
            per(dict.fromkeys(OFFICE, 200), dict.fromkeys(READERS, 405)),
        ),
        "empty_checklist": ({}, per(dict.fromkeys(OFFICE, 200), dict.fromkeys(READERS, 405))),
        "my_fill_in": ({}, per(dict.fromkeys(LIAISONS, 200), dict.fromkeys(READERS, 405))),
        "imports": (
            {},
            per(dict.fromkeys((*LIAISONS, *DESK), 200), dict.fromkeys((*LIAISONS, *OFFICE), 200)),
        ),
        "batch": ({"pk": "batch"}, of_lead(200, {**dict.fromkeys(("lead_liaison", *OFFICE), 200)})),
        "batch_progress": ({"pk": "batch"}, of_lead(200, dict.fromkeys(READERS, 405))),
        "marked": ({"pk": "batch"}, of_lead(200, dict.fromkeys(READERS, 405))),
        "new": ({}, answers(OFFICE)),
        # Marking reads a passage of the text: without one it leads back to it.
        "text": (
            {"slug": "rise"},
            {"GET": answers(READERS)["GET"], "POST": answers(OFFICE, post=302)["POST"]},
        ),
        "health": ({"slug": "rise"}, per(dict.fromkeys(DESK, 200), dict.fromkeys(READERS, 405))),
        "search": ({}, answers(READERS, 200, 405)),
        "large_type": ({}, same(405, 302)),
        "healthz": ({}, same(200, 405)),
        "login": (
            {},
            {
                "GET": {role: 200 if role in OUTSIDE else 302 for role in ROLES},
                "POST": {role: 200 if role in OUTSIDE else 302 for role in ROLES},
            },
        ),
        "logout": ({}, answers(READERS, 405, 302)),
        "password": ({}, answers(READERS)),
        "kept": ({}, answers(READERS, 200, 302)),
        "set_language": ({}, same(302, 302)),
        "admin:index": ({}, answers(DESK)),
        "admin:login": ({}, answers(DESK, 302, 302)),
        "admin:logout": ({}, answers(DESK, 405, 302)),
        "admin:password_change": ({}, answers(DESK, 302, 302)),
        "admin:password_change_done": ({}, answers(DESK, 200, 405)),
        "admin:jsi18n": ({}, answers(DESK, 200, 405)),
        "admin:autocomplete": ({}, answers(DESK, 403, 405)),
        "admin:view_on_site": ({"content_type_id": 0, "object_id": 0}, answers(DESK, 404, 404)),
        "admin:app_list": ({"app_label": "tracker"}, answers(DESK)),
        # Administrators read what a merge would change; to move tasks is to edit policies.
        "admin:tracker_organization_move": (
            {"pk": "organization"},
            {"GET": answers(DESK)["GET"], "POST": answers(OFFICE)["POST"]},
        ),
        "admin:tracker_unitmove_undo": (
            {"pk": "unitmove"},
            {"GET": answers(DESK)["GET"], "POST": answers(OFFICE)["POST"]},
        ),
        "admin:auth_user_password_change": ({"id": "user"}, answers(KEEPERS)),
    }
    for model, editors in EDITORS.items():
        viewers, row = VIEWERS[model], {"object_id": model}
        fixed = model in ("user", "indicator")  # disabled, or taken away with its task
        table |= {
            f"admin:tracker_{model}_changelist": ({}, answers(viewers)),
            f"admin:tracker_{model}_add": (
                {},
                answers(NOBODY if model == "indicator" else editors),
            ),
            f"admin:tracker_{model}_history": (row, answers(viewers)),
            f"admin:tracker_{model}_delete": (row, answers(NOBODY if fixed else editors)),
            f"admin:tracker_{model}_change": (row, _read_or_edit(viewers, editors)),
        }
    return table


def _read_or_edit(viewers: tuple[str, ...], editors: tuple[str, ...]) -> Expected:
    return {"GET": answers(viewers)["GET"], "POST": answers(editors)["POST"]}


def walk(patterns: list[Any], space: str = "", route: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and route of every address of the URLconf."""
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(
                pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else space, here
            )
        elif isinstance(pattern, URLPattern):
            yield (space + pattern.name if pattern.name else ""), here


TABLE = listed()


def test_every_address_is_listed_and_every_listed_one_exists() -> None:
    walked = list(walk(get_resolver().url_patterns))
    names = {name for name, _route in walked if name}
    assert names == set(TABLE)
    for name, route in walked:
        assert name or route.startswith("admin/"), route


def test_more_than_nine_hundred_answers_are_listed() -> None:
    assert (
        sum(len(codes) for _arguments, expected in TABLE.values() for codes in expected.values())
        >= 900
    )


@pytest.fixture
def cast(
    db: None, policy: PolicyDocument, bureau: Organization, county: Organization, supervisor: User, leader: User,
    administrator: User,
) -> dict[str, Any]:  # fmt: skip
    """Return the people by role, and one object of each model that may be deleted."""
    other = Organization.objects.create(name="Office of the West", short_name="West", order=30)

    def liaison(name: str, unit: Organization) -> User:
        return User.objects.create_user(name, is_liaison=True, organization=unit)

    task = make_task(policy, "A1-01", kind=Kind.QUALITATIVE, lead_unit=bureau, assigned_on=TODAY)
    task.co_units.add(county)
    ChecklistItem.objects.create(task=task, number=1, title="Step")
    report = ProgressUpdate.objects.create(
        task=task, unit=bureau, state="submitted", submitted_on=TODAY, period_start=TODAY, period_end=TODAY,
        needs_help=True, help_addressee="everybody",
    )  # fmt: skip
    proof = Evidence(task=task, report=report, name="proof.pdf", added_on=TODAY)
    proof.file.save("proof.pdf", ContentFile(b"%PDF-1.4"))
    draft = make_policy("draft", state="draft")
    section = draft.sections.get(number=1)
    free = make_task(draft, "A1-09", kind=Kind.QUALITATIVE)
    ChecklistItem.objects.create(task=free, number=1, title="x")
    return {
        "lead_liaison": liaison("lead", bureau),
        "helping_liaison": liaison("help", county),
        "other_liaison": liaison("other", other),
        "leader": leader,
        "supervisor": supervisor,
        "administrator": administrator,
        "superuser": User.objects.create_superuser("root"),
        "disabled": User.objects.create_user("gone", is_supervisor=True),
        "objects": {
            "report": report.pk,
            "proof": proof.pk,
            "batch": ImportBatch.objects.create(
                kind="progress", unit=bureau, file_name="x.xlsx", read_at=now()
            ).pk,
            "policydocument": draft.pk,
            "section": Section.objects.create(policy=draft, number=9, name="x").pk,
            "measure": Measure.objects.create(
                policy=draft, section=section, code="A9", name="x"
            ).pk,
            "task": free.pk,
            "indicator": Indicator.objects.create(
                task=free, name="x", unit_of_measure="x", target=1
            ).pk,
            "declaredcount": DeclaredCount.objects.create(
                policy=draft, name="x", number=1, section=section
            ).pk,
            "backgroundpassage": BackgroundPassage.objects.create(policy=draft, anchor="x").pk,
            "organization": other.pk,
            "user": leader.pk,
            "unitmove": UnitMove.objects.create(
                kind="move", source=other, target=county, made_at=now()
            ).pk,
            "sentreminder": SentReminder.objects.create(
                address="x@example.gov", day=TODAY, subject="x", text="x"
            ).pk,
        },
    }


class Seen(NamedTuple):
    """What an address answered."""

    status: int
    leads_to: str
    kept: bool


Answers = dict[str, Seen]


def ask_all(cast: dict[str, Any], role: str, method: str) -> Answers:
    """Ask every address as somebody who has logged in once.

    Whatever a request writes is taken back.
    """
    client, found = Client(), {}
    if role != "anonymous":
        client.force_login(cast[role])
    if role == "disabled":
        # Shut out while the session lives: the very next request is an outsider's.
        User.objects.filter(pk=cast[role].pk).update(is_active=False)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    for name, (arguments, _expected) in TABLE.items():
        client.cookies = SimpleCookie(cookies)
        filled = {key: cast["objects"].get(value, value) for key, value in arguments.items()}
        with transaction.atomic():
            answer = client.generic(method, reverse(name, kwargs=filled))
            answer.getvalue()  # reads a file to its end, which closes it
            transaction.set_rollback(True)
        kept = "no-store" not in answer.headers.get("Cache-Control", "")
        found[name] = Seen(answer.status_code, answer.headers.get("Location", ""), kept)
    return found


@pytest.fixture(scope="session")
def asked() -> dict[tuple[str, str], Answers]:
    """Keep what the addresses answered: several tests look at the same answers."""
    return {}


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["GET", "POST"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen(
    cast: dict[str, Any], role: str, method: str, asked: dict[tuple[str, str], Answers]
) -> Answers:
    """Return what every address answers a role."""
    if (role, method) not in asked:
        asked[role, method] = ask_all(cast, role, method)
    return asked[role, method]


def test_every_address_answers_every_role_as_listed(seen: Answers, role: str, method: str) -> None:
    listed = {name: expected[method][role] for name, (_arguments, expected) in TABLE.items()}
    assert {name: answer.status for name, answer in seen.items()} == listed


@pytest.mark.parametrize("role", OUTSIDE)
def test_an_outsider_is_led_to_a_login_page(seen: Answers, role: str, method: str) -> None:
    led = {
        name: seen[name].leads_to
        for name, (_arguments, expected) in TABLE.items()
        if expected[method][role] == 302 and name not in OPEN
    }
    # The admin's own login page only leads on to the one login page.
    pages = (reverse("login"), reverse("admin:login"))
    assert led
    assert {name: address for name, address in led.items() if not address.startswith(pages)} == {}


def test_no_address_lets_a_browser_keep_its_answer(seen: Answers) -> None:
    assert [name for name, answer in seen.items() if answer.kept] == []


@pytest.mark.parametrize("page", ["policy", "tasks", "units", "ledger"])
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("supervisor", 200),
        ("administrator", 200),
        ("superuser", 200),
        ("leader", 404),
        ("lead_liaison", 404),
    ],
)
def test_a_draft_exists_for_the_office_alone(
    cast: dict[str, Any], page: str, role: str, status: int
) -> None:
    client = Client()
    client.force_login(cast[role])
    answer = client.get(reverse(page, args=["draft"]))
    answer.getvalue()
    assert answer.status_code == status


@pytest.mark.parametrize("page", ["policy", "tasks", "units", "ledger"])
def test_an_unknown_policy_is_not_found(cast: dict[str, Any], page: str) -> None:
    client = Client()
    client.force_login(cast["supervisor"])
    assert client.get(reverse(page, args=["nothing"])).status_code == 404


@pytest.mark.parametrize(
    ("role", "sees"), [("lead_liaison", True), ("helping_liaison", True), ("other_liaison", False)]
)
def test_the_words_of_a_task_reach_only_the_units_concerned(
    cast: dict[str, Any], role: str, sees: bool
) -> None:
    Task.objects.filter(code="A1-01").update(title="CANARY")
    client = Client()
    client.force_login(cast[role])
    pages = [
        client.get(reverse(name, args=["rise"])).content.decode() for name in ("policy", "tasks")
    ]
    assert ("CANARY" in pages[1]) == sees
    assert sees or "CANARY" not in pages[0]
