"""`loaddata`: derived columns and history right at once, nothing lost, faults named."""

import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.translation import override

from tests.conftest import TODAY
from tracker import workflow
from tracker.domain.choices import ChangeSource, Kind, Status
from tracker.models import ChecklistItem, Measure, Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext

BUREAU = {
    "model": "tracker.organization",
    "fields": {"name": "Bureau of Science", "short_name": "Science", "order": 10},
}
COUNTY = {
    "model": "tracker.organization",
    "fields": {"name": "County of the East", "short_name": "East", "order": 20},
}
POLICY = {
    "model": "tracker.policydocument",
    "fields": {"slug": "rise", "title": "Rise", "state": "published"},
}
SECTION = {"model": "tracker.section", "fields": {"policy": ["rise"], "number": 1, "name": "One"}}
MEASURE = {
    "model": "tracker.measure",
    "fields": {
        "policy": ["rise"],
        "section": ["rise", 1],
        "code": "A1",
        "order": 1,
        "name": "First",
    },
}
TASK = {
    "model": "tracker.task",
    "fields": {
        "policy": ["rise"],
        "measure": ["rise", "A1"],
        "code": "A1-01",
        "title": "Build",
        "kind": "qualitative",
        "lead_unit": ["Bureau of Science"],
        "co_units": [["County of the East"]],
        "status": "in_progress",
        "start": "2026-01-01",
        "original_deadline": "2026-07-31",
        "deadline": "2026-07-31",
    },
}
ITEMS = [
    {
        "model": "tracker.checklistitem",
        "fields": {"task": ["rise", "A1-01"], "number": number, "title": "x", **facts},
    }
    for number, facts in ((1, {"weight": 1, "done_on": "2026-05-01"}), (2, {"weight": 2}))
]
ALL = [BUREAU, COUNTY, POLICY, SECTION, MEASURE, TASK, *ITEMS]

pytestmark = pytest.mark.django_db


def edited(entry: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {**entry, "fields": {**entry["fields"], **facts}}


@pytest.fixture
def fixture(tmp_path: Path) -> Path:
    return tmp_path / "rise.yaml"


def load(file: Path, entries: Any = ALL, *options: str) -> None:
    """Write a fixture and load it."""
    file.write_text(
        entries if isinstance(entries, str) else yaml.safe_dump(entries), encoding="utf-8"
    )
    with override("en"):
        call_command("loaddata", str(file), *options, verbosity=0, stdout=StringIO())


def refusal(file: Path, entries: Any, *options: str) -> str:
    """Load a fixture that is refused; say why, and see that nothing of it stays."""
    before = dump()
    with pytest.raises(CommandError) as caught:
        load(file, entries, *options)
    assert dump() == before
    return str(caught.value)


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    with connection.cursor() as cursor:
        found = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found


def test_the_dump_sees_every_table() -> None:
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert names <= dump().keys()


def test_derived_columns_are_right_after_the_load(fixture: Path) -> None:
    load(fixture)
    task = Task.objects.get()
    assert (task.percent, task.turns_yellow_on, task.turns_red_on) == (
        33,
        dt.date(2026, 7, 24),
        dt.date(2026, 8, 1),
    )


def test_derived_columns_follow_when_only_the_policy_is_loaded_again(fixture: Path) -> None:
    load(fixture)
    load(fixture, [edited(POLICY, warn_days=3)])
    assert Task.objects.get().turns_yellow_on == dt.date(2026, 7, 28)


def test_derived_columns_follow_when_only_an_item_is_loaded_again(fixture: Path) -> None:
    load(fixture)
    load(fixture, [edited(ITEMS[1], done_on="2026-06-01")])
    assert Task.objects.get().percent == 100


def test_the_turning_dates_of_other_policies_stay(fixture: Path) -> None:
    load(fixture)
    Task.objects.update(turns_yellow_on=TODAY, turns_red_on=TODAY)
    load(fixture, [edited(POLICY, slug="other")])
    assert Task.objects.get(policy__slug="rise").turns_red_on == TODAY


@pytest.mark.parametrize("model", [Organization, PolicyDocument, Measure, Task, ChecklistItem])
def test_one_history_row_is_written_for_each_object(fixture: Path, model: Any) -> None:
    load(fixture)
    rows = model.history.all()
    assert [row.id for row in rows] == [row.pk for row in model.objects.order_by("-pk")]
    assert {(row.history_type, row.way, row.history_change_reason) for row in rows} == {
        ("+", ChangeSource.COMMAND, "loaddata")
    }


def test_the_history_of_a_new_task_knows_its_units_and_its_percent(fixture: Path) -> None:
    load(fixture)
    row = Task.history.get()
    assert [unit.organization.short_name for unit in row.co_units.all()] == ["East"]
    assert row.percent == 33


def test_loading_twice_changes_no_row_at_all(fixture: Path) -> None:
    load(fixture)
    before = dump()
    load(fixture)
    assert dump() == before


def test_loading_the_fixtures_of_the_product_twice_changes_no_row_at_all() -> None:
    call_command("loaddata", "organizations", "central-china-rise", verbosity=0)
    before = dump()
    call_command("loaddata", "organizations", "central-china-rise", verbosity=0)
    assert dump() == before


def test_a_changed_entry_makes_one_history_row_and_raises_one_version(fixture: Path) -> None:
    load(fixture)
    load(fixture, [*ALL[:5], edited(TASK, title="Build more"), *ITEMS])
    assert [row.history_type for row in Task.history.all()] == ["~", "+"]
    assert list(Task.objects.values_list("title", "version")) == [("Build more", 2)]
    assert list(Measure.objects.values_list("version", flat=True)) == [1]


def test_a_changed_list_of_units_is_a_change(fixture: Path) -> None:
    load(fixture)
    load(fixture, [edited(TASK, co_units=[])])
    assert (Task.objects.get().co_units.count(), Task.history.count()) == (0, 2)


def test_what_a_fixture_leaves_out_is_not_taken_away(fixture: Path) -> None:
    load(fixture)
    load(fixture, [*ALL[:6]])
    assert ChecklistItem.objects.count() == 2


def test_a_derived_column_of_a_row_that_stands_is_not_reset(fixture: Path) -> None:
    quantified = edited(TASK, kind="quantified")
    load(fixture, [*ALL[:5], quantified])
    Task.objects.update(percent=40)
    load(fixture, [edited(quantified, title="Build more")])
    assert Task.objects.get().percent == 40


def edit(row: Any, act: ChangeContext, **facts: Any) -> None:
    """Change a row as a person does."""
    for name, value in facts.items():
        setattr(row, name, value)
    if isinstance(row, Task):
        workflow.save_task(row, act, row.version, today=TODAY)
    else:
        workflow.save_object(row, act, row.version)


EDITS = {
    "policy": lambda act: edit(PolicyDocument.objects.get(), act, warn_days=5),
    "measure": lambda act: edit(Measure.objects.get(), act, name="Renamed"),
    "task": lambda act: edit(Task.objects.get(), act, title="Renamed"),
    "item": lambda act: workflow.tick_item(ChecklistItem.objects.last(), act, TODAY, TODAY),
    "deleted task": lambda act: workflow.delete_object(Task.objects.get(), act),
    "deleted item": lambda act: workflow.delete_object(ChecklistItem.objects.first(), act),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_policy_that_people_have_edited_is_not_loaded_over(
    fixture: Path, act: ChangeContext, what: str
) -> None:
    load(fixture)
    EDITS[what](act)
    assert "rise has been edited since it was loaded" in refusal(fixture, ALL)


def test_an_edit_by_another_command_counts_as_an_edit(fixture: Path) -> None:
    load(fixture)
    edit(Task.objects.get(), ChangeContext(None, ChangeSource.COMMAND), title="Renamed")
    assert "edited" in refusal(fixture, ALL)


@pytest.mark.parametrize("entries", [[TASK], [MEASURE], ITEMS], ids=["task", "measure", "items"])
def test_a_part_alone_is_not_loaded_over_an_edited_policy_either(
    fixture: Path, act: ChangeContext, entries: list[dict[str, Any]]
) -> None:
    load(fixture)
    edit(Task.objects.get(), act, title="Renamed")
    edit(Measure.objects.get(), act, name="Renamed")
    workflow.tick_item(ChecklistItem.objects.last(), act, TODAY, TODAY)
    assert "rise has been edited" in refusal(fixture, entries)


def test_force_overwrites_and_raises_the_version(fixture: Path, act: ChangeContext) -> None:
    load(fixture)
    edit(Task.objects.get(), act, title="Renamed")
    load(fixture, ALL, "--force")
    assert list(Task.objects.values_list("title", "version")) == [("Build", 3)]


def test_force_is_told_by_the_history(fixture: Path, act: ChangeContext) -> None:
    load(fixture)
    edit(Task.objects.get(), act, title="Renamed")
    load(fixture, ALL, "--force")
    assert [(row.title, row.version, row.way) for row in Task.history.all()] == [
        ("Build", 3, ChangeSource.COMMAND),
        ("Renamed", 2, ChangeSource.PAGE),
        ("Build", 1, ChangeSource.COMMAND),
    ]


def test_an_edited_policy_does_not_stand_in_the_way_of_another(
    fixture: Path, act: ChangeContext
) -> None:
    load(fixture)
    edit(Task.objects.get(), act, title="Renamed")
    load(fixture, [edited(POLICY, slug="other")])
    assert PolicyDocument.objects.filter(slug="other").exists()


def test_a_unit_that_people_have_edited_is_not_loaded_over(
    fixture: Path, act: ChangeContext
) -> None:
    load(fixture)
    edit(Organization.objects.get(short_name="East"), act, order=5)
    assert "['County of the East'] has been edited" in refusal(
        fixture, [edited(BUREAU, order=1), COUNTY]
    )


def test_force_overwrites_a_unit(fixture: Path, act: ChangeContext) -> None:
    load(fixture)
    edit(Organization.objects.get(short_name="East"), act, order=5)
    load(fixture, [COUNTY], "--force")
    assert list(Organization.objects.filter(short_name="East").values_list("order", "version")) == [
        (20, 3)
    ]


def test_an_edited_unit_that_stands_as_the_fixture_says_is_no_obstacle(
    fixture: Path, act: ChangeContext
) -> None:
    load(fixture)
    edit(Organization.objects.get(short_name="East"), act, order=5)
    load(fixture, [edited(COUNTY, order=5)])
    assert Organization.objects.get(short_name="East").version == 2


def test_accounts_are_left_alone(fixture: Path, supervisor: User) -> None:
    before = User.history.count()
    load(fixture)
    assert User.history.count() == before


FAULTS = [
    # what is wrong, entries, what the refusal names beside the file
    ("model", [POLICY, {"model": "tracker.tusk", "fields": {}}], ["unknown model", "tracker.tusk"]),
    ("no model", [POLICY, {"fields": {}}], ["unknown model"]),
    ("no entry", [POLICY, "task"], ["unknown model", "task"]),
    ("no list", {"policy": "rise"}, ["unknown model", "policy"]),
    (
        "field",
        [*ALL[:5], edited(TASK, titel="x")],
        ["tracker.task ['rise', 'A1-01']", "titel", "no such field"],
    ),
    (
        "unit",
        [*ALL[:5], edited(TASK, lead_unit=["Bureau of Magic"])],
        ["tracker.task ['rise', 'A1-01']", "lead_unit", "Bureau of Magic"],
    ),
    (
        "co-operating unit",
        [*ALL[:5], edited(TASK, co_units=[["Bureau of Magic"]])],
        ["tracker.task ['rise', 'A1-01']", "co_units", "Bureau of Magic"],
    ),
    (
        "unit as text",
        [*ALL[:5], edited(TASK, lead_unit="Science")],
        ["['rise', 'A1-01']", "lead_unit", "Science"],
    ),
    (
        "measure",
        [*ALL[:5], edited(TASK, measure=["rise", "Z9"])],
        ["['rise', 'A1-01']", "measure", "Z9"],
    ),
    ("half a key", [*ALL[:5], edited(TASK, measure=["rise"])], ["['rise', 'A1-01']", "measure"]),
    (
        "task",
        [*ALL, edited(ITEMS[0], task=["rise", "A1-99"])],
        ["['rise', 'A1-99', 1]", "task", "A1-99"],
    ),
    (
        "kind",
        [*ALL[:5], edited(TASK, kind="quantative")],
        ["['rise', 'A1-01']", "kind", "quantative"],
    ),
    (
        "day",
        [*ALL[:5], edited(TASK, deadline="2026-06-31")],
        ["['rise', 'A1-01']", "deadline", "2026-06-31"],
    ),
    ("percent", [*ALL[:5], edited(TASK, percent="half")], ["['rise', 'A1-01']", "percent", "half"]),
    ("range", [*ALL[:5], edited(TASK, percent=101)], ["['rise', 'A1-01']", "percent", "100"]),
    (
        "code",
        [*ALL[:5], edited(TASK, code="1=1")],
        ["['rise', '1=1']", "code", "A code begins with a letter"],
    ),
    ("empty title", [*ALL[:5], edited(TASK, title="")], ["['rise', 'A1-01']", "title", "blank"]),
    (
        "constraint",
        [*ALL[:5], edited(TASK, start="2026-08-01")],
        ["['rise', 'A1-01']", "start is after the deadline"],
    ),
    ("clean", [*ALL[:5], edited(POLICY, yellow_gap=50)], ["['rise']", "1 ≤ yellow ≤ red ≤ 100"]),
    ("no fields", [{"model": "tracker.policydocument"}], ["tracker.policydocument", "slug"]),
]


@pytest.mark.parametrize(
    ("entries", "named"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_fault_is_refused_with_file_object_and_field(
    fixture: Path, entries: Any, named: list[str]
) -> None:
    said = refusal(fixture, entries)
    assert [part for part in [str(fixture), *named] if part not in said] == []


def test_every_fault_of_a_file_is_listed_at_once(fixture: Path) -> None:
    said = refusal(fixture, [*ALL[:5], edited(TASK, titel="x", lead_unit=["nobody"])])
    assert len(said.splitlines()) == 2


def test_a_slip_in_the_syntax_is_refused_with_file_and_line(fixture: Path) -> None:
    said = refusal(fixture, "- model: tracker.task\n  fields: {code: [A1\n")
    assert str(fixture) in said
    assert "line 3" in said


def test_a_file_in_another_encoding_is_refused(fixture: Path) -> None:
    fixture.write_bytes("- model: 任务\n".encode("gb18030"))
    with pytest.raises(CommandError, match=r"rise\.yaml.*utf-8"):
        call_command("loaddata", str(fixture), verbosity=0)


def test_an_unknown_fixture_is_refused() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("loaddata", "nowhere", verbosity=0)


def test_a_row_names_only_what_stands_before_it(fixture: Path) -> None:
    said = refusal(fixture, [COUNTY, POLICY, SECTION, MEASURE, TASK, BUREAU])
    assert (
        "lead_unit: ['Bureau of Science'] is not the key of an existing row or of one before it"
        in said
    )


def test_the_loaded_task_stands_as_the_fixture_says(fixture: Path) -> None:
    load(fixture)
    task = Task.objects.get()
    assert (task.kind, task.status, task.version) == (Kind.QUALITATIVE, Status.IN_PROGRESS, 1)
