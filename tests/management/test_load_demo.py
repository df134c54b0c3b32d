"""`load_demo`: every light and reason on any day, marked as what it is, and gone without a trace
but its history.
"""

import datetime as dt
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tests.prepared_rows import store_demonstration
from tracker.domain import lights
from tracker.domain.choices import ChangeSource, Kind, Light, LightCause, Status
from tracker.domain.dates import today
from tracker.management.commands.load_demo import ACCOUNTS, SLUG
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Indicator,
    IndicatorValue,
    Measure,
    Organization,
    PolicyDocument,
    Section,
    Task,
    User,
)

PARTS = (Section, Measure, Task, DeclaredCount, BackgroundPassage)

# Numbers of the database, and what a code names better.
SKIPPED = ("id", "policy", "measure", "latest_report")
pytestmark = pytest.mark.django_db


@pytest.fixture
def source(bureau: Organization, county: Organization) -> PolicyDocument:
    """Make a small sample policy: two units lead, and there is something of every part."""
    policy = make_policy("central-china-rise", full_text="The whole text.")
    for number, kind in enumerate((Kind.QUANTIFIED, Kind.QUALITATIVE, Kind.STANDING), 1):
        task = make_task(
            policy, f"A1-0{number}", kind=kind, lead_unit=bureau, lead_is_proposed=True
        )
        task.co_units.add(county)
    first = make_task(policy, "B1-01", kind=Kind.QUALITATIVE, lead_unit=county, anchor="bridge")
    for number in (1, 2, 3):
        ChecklistItem.objects.create(
            task=first, number=number, title=f"Step {number}", weight=number
        )
    DeclaredCount.objects.create(policy=policy, name="Steps", number=3, task=first)
    DeclaredCount.objects.create(
        policy=policy, name="First", number=1, section=policy.sections.get(number=1)
    )
    BackgroundPassage.objects.create(policy=policy, anchor="fine weather")
    return policy


def load(*options: str) -> str:
    out = StringIO()
    with override("en"):
        call_command("load_demo", *options, stdout=out)
    return out.getvalue()


def clear() -> str:
    return load("--clear")


def demo() -> PolicyDocument:
    return PolicyDocument.objects.get(slug=SLUG)


def told() -> list[dict[str, Any]]:
    """Return all that the demonstration says of its tasks, but for the numbers of the database."""
    names = [field.name for field in Task._meta.concrete_fields if field.name not in SKIPPED]
    rows = Task.objects.filter(policy=demo()).order_by("code")
    steps = {
        row.code: list(row.items.values_list("number", "title", "weight", "done_on"))
        for row in rows
    }
    units = {row.code: sorted(unit.name for unit in row.co_units.all()) for row in rows}
    return [
        {**row, "steps": steps[row["code"]], "units": units[row["code"]]}
        for row in rows.values(*names, "measure__code")
    ]


# Each day costs a load of the sample and of the demonstration.
OTHER_DAYS = [
    pytest.param(day, marks=pytest.mark.large)
    for day in ("2026-01-01", "2026-03-06", "2026-10-31", "2028-02-29")
]


@pytest.mark.parametrize("day", ["2026-06-15", *OTHER_DAYS])
def test_every_light_appears_and_every_reason_in_both_colours(day: str, time_machine: Any) -> None:
    time_machine.move_to(dt.datetime.fromisoformat(f"{day}T04:00:00+00:00"), tick=False)
    store_demonstration()
    on, policy = today(), demo()
    tasks = Task.objects.filter(policy=policy).with_light(on)
    assert on.isoformat() == day
    assert {task.light for task in tasks} == set(Light.values)
    assert {
        (turn.cause, turn.light(on))
        for task in tasks
        for turn in lights.light_changes(task, policy)
        if turn.light(on)
    } == {(cause, light) for cause in LightCause for light in (Light.YELLOW, Light.RED)}


def test_every_status_appears() -> None:
    store_demonstration()
    assert {task.status for task in Task.objects.filter(policy=demo())} == set(Status.values)


def test_the_demonstration_is_marked_and_named_as_one(source: PolicyDocument) -> None:
    load()
    assert (demo().demo, demo().title) == (True, "Policy central-china-rise (demonstration)")


@pytest.mark.parametrize("model", PARTS, ids=lambda model: model.__name__)
def test_every_part_of_the_sample_is_copied(source: PolicyDocument, model: Any) -> None:
    load()
    of = {policy: model.objects.filter(policy=policy) for policy in (source, demo())}
    keys = [sorted(row.natural_key()[1:] for row in rows) for rows in of.values()]
    assert keys[0] == keys[1] != []


def test_what_a_count_counts_is_the_copy(source: PolicyDocument) -> None:
    load()
    assert {count.name: (count.number, count.found()) for count in demo().counts.all()} == {
        "Steps": (3, 3),
        "First": (1, 1),
    }
    assert demo().counts.get(name="Steps").task.policy == demo()


def test_a_task_stands_under_the_copy_of_its_measure(source: PolicyDocument) -> None:
    load()
    assert {task.measure.policy.slug for task in demo().tasks.all()} == {SLUG}


def test_the_text_is_not_copied(source: PolicyDocument) -> None:
    load()
    assert demo().full_text == ""


def test_every_task_is_handed_over(source: PolicyDocument) -> None:
    load()
    assert {
        (bool(task.assigned_on), bool(task.owed_from), task.lead_is_proposed)
        for task in demo().tasks.all()
    } == {(True, True, False)}


def test_the_sample_itself_stays_as_it_was(source: PolicyDocument) -> None:
    before = [list(model.objects.filter(policy=source).order_by("pk").values()) for model in PARTS]
    load()
    assert [
        list(model.objects.filter(policy=source).order_by("pk").values()) for model in PARTS
    ] == before


def test_the_turning_dates_are_those_of_the_rules(source: PolicyDocument) -> None:
    load()
    tasks = list(demo().tasks.select_related("policy"))
    assert [(task.turns_yellow_on, task.turns_red_on) for task in tasks] == [
        lights.turning_dates(task, task.policy) for task in tasks
    ]


def test_the_same_day_gives_the_same_demonstration(source: PolicyDocument) -> None:
    load()
    first = told()
    clear()
    load()
    assert told() == first != []


def test_another_day_gives_another_one(source: PolicyDocument, time_machine: Any) -> None:
    load()
    first = told()
    clear()
    time_machine.move_to(dt.datetime(2026, 8, 1, tzinfo=dt.UTC), tick=False)
    load()
    assert told() != first


def test_no_percent_is_invented_where_none_means_anything(source: PolicyDocument) -> None:
    load()
    assert {
        task.percent
        for task in demo().tasks.filter(items__isnull=True).exclude(kind=Kind.QUANTIFIED)
    } == {0}


def test_nothing_was_done_after_today(source: PolicyDocument) -> None:
    load()
    days = [
        day
        for task in demo().tasks.all()
        for day in (task.closed_on, task.closing_requested_on, task.assigned_on)
    ]
    days += ChecklistItem.objects.filter(task__policy=demo()).values_list("done_on", flat=True)
    assert max(day for day in days if day) <= TODAY


def test_there_are_accounts_for_a_supervisor_a_leader_and_the_liaisons_of_the_two_busiest_units(
    source: PolicyDocument, bureau: Organization, county: Organization
) -> None:
    load()
    assert [
        (user.is_leader, user.is_liaison, user.organization) for user in map(account, ACCOUNTS)
    ] == [
        (False, False, None),
        (True, False, None),
        (False, True, bureau),
        (False, True, county),
    ]


def account(name: str) -> User:
    return User.objects.get(username=name)


def passwords(said: str) -> dict[str, str]:
    return dict(re.findall(r"Account (\S+) .*password (\S+), shown only once", said))


def test_each_account_is_named_with_a_password_that_opens_it(source: PolicyDocument) -> None:
    shown = passwords(load())
    assert list(shown) == list(ACCOUNTS)
    assert all(account(name).check_password(password) for name, password in shown.items())


def test_one_account_supervises_and_none_administers(source: PolicyDocument) -> None:
    load()
    accounts = [account(name) for name in ACCOUNTS]
    assert [user.username for user in accounts if user.is_supervisor] == ["demo-supervisor"]
    assert {(u.is_administrator, u.is_superuser, u.is_staff) for u in accounts} == {
        (False, False, False)
    }


def test_passwords_are_random(source: PolicyDocument) -> None:
    first = passwords(load())
    clear()
    second = passwords(load())
    assert set(first.values()) & set(second.values()) == set()
    assert len(set(first.values())) == 4


def test_clearing_takes_every_row_of_the_demonstration(source: PolicyDocument) -> None:
    load()
    clear()
    left = [row for model in PARTS for row in model.objects.exclude(policy=source)]
    assert left + list(ChecklistItem.objects.exclude(task__policy=source)) == []
    assert list(PolicyDocument.objects.all()) == [source]


def test_clearing_leaves_every_other_row(source: PolicyDocument) -> None:
    make_task(make_policy("own"))

    def rows() -> list[Any]:
        models = (PolicyDocument, *PARTS, ChecklistItem, Organization)
        return [list(model.objects.order_by("pk").values()) for model in models]

    before = rows()
    load()
    clear()
    assert rows() == before


def test_clearing_leaves_the_history_and_it_says_what_it_is(source: PolicyDocument) -> None:
    load()
    keys = list(demo().tasks.values_list("pk", flat=True))
    clear()
    history = Task.history.filter(id__in=keys)
    assert (
        history.filter(history_type="+").count()
        == history.filter(history_type="-").count()
        == len(keys)
    )
    words = {(row.way, re.split("[: ]", row.history_change_reason.lower())[0]) for row in history}
    assert words == {(ChangeSource.COMMAND, "demonstration")}


def test_a_percent_follows_an_invented_indicator_that_is_named_as_one(
    source: PolicyDocument,
) -> None:
    load()
    task = demo().tasks.get(follows_indicator=True)
    driver = task.indicators.get(drives_percent=True)
    assert (driver.name.split(":")[0], task.percent) == ("Demonstration", driver.actual - 20)


@pytest.mark.parametrize(
    "model",
    [
        *(PolicyDocument, Section, Measure, ChecklistItem, DeclaredCount, BackgroundPassage),
        *(Indicator, IndicatorValue),
    ],
)
def test_every_part_that_is_cleared_leaves_its_history(source: PolicyDocument, model: Any) -> None:
    before = model.objects.count()
    load()
    made = model.objects.count() - before
    clear()
    assert model.history.filter(history_type="-").count() == made > 0


def test_clearing_disables_the_accounts_and_deletes_none(source: PolicyDocument) -> None:
    load()
    clear()
    assert [account(name).is_active for name in ACCOUNTS] == [False, False, False, False]


def test_loading_again_wakes_the_accounts(source: PolicyDocument) -> None:
    load()
    clear()
    load()
    assert [account(name).is_active for name in ACCOUNTS] == [True, True, True, True]


def test_clearing_where_nothing_is_does_nothing(source: PolicyDocument) -> None:
    before = PolicyDocument.history.count()
    clear()
    assert PolicyDocument.history.count() == before


def test_a_second_load_is_refused_and_changes_nothing(source: PolicyDocument) -> None:
    load()
    before = told(), [user.password for user in map(account, ACCOUNTS)]
    with pytest.raises(CommandError, match="already exists; load_demo --clear removes it"):
        load()
    assert (told(), [user.password for user in map(account, ACCOUNTS)]) == before


@pytest.mark.parametrize("options", [[], ["--clear"]])
def test_a_policy_of_the_office_under_that_address_is_not_touched(
    source: PolicyDocument, options: list[str]
) -> None:
    own = make_policy(SLUG)
    with pytest.raises(CommandError, match="is a policy of the office"):
        load(*options)
    assert own.measures.count() == 2


def test_without_the_sample_there_is_nothing_to_copy() -> None:
    with pytest.raises(CommandError, match="Load the sample policy first"):
        load()
