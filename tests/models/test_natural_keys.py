"""Natural keys: fixtures name rows as people do, and the same name leads back to the same row."""

import datetime as dt

import pytest
from django.apps import apps
from django.core import serializers
from django.db.models import Model

from tests.conftest import TODAY
from tests.factories import make_policy, make_task
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Indicator,
    Organization,
    User,
)
from tracker.models.base import Natural

NATURAL = [
    model for model in apps.get_app_config("tracker").get_models() if issubclass(model, Natural)
]


@pytest.fixture(autouse=True)
def rows(bureau: Organization, county: Organization, supervisor: User) -> None:
    """Make two rows of everything: the same codes and numbers in two policies."""
    for slug in ("rise", "other"):
        policy = make_policy(slug)
        task = make_task(
            policy, lead_unit=bureau, assigned_on=TODAY, start=dt.date(2026, 1, 1), percent=0
        )
        task.co_units.add(county)
        ChecklistItem.objects.create(
            task=task, number=1, title="Step", done_on=TODAY, done_by=supervisor
        )
        Indicator.objects.create(task=task, name="Forest cover", unit_of_measure="%", target=70)
        DeclaredCount.objects.create(policy=policy, name="Steps", number=1, task=task)
        BackgroundPassage.objects.create(policy=policy, anchor="fine weather", marked_by=supervisor)


def facts(row: Model) -> dict[str, object]:
    return {
        field.name: field.value_from_object(row)
        for field in row._meta.get_fields()
        if hasattr(field, "attname")
    }


def test_every_row_that_a_fixture_may_carry_has_a_natural_key() -> None:
    assert {model.__name__ for model in NATURAL} == {
        "BackgroundPassage",
        "ChecklistItem",
        "DeclaredCount",
        "Indicator",
        "Measure",
        "Organization",
        "PolicyDocument",
        "Section",
        "Task",
    }


@pytest.mark.parametrize("model", [*NATURAL, User], ids=lambda model: model.__name__)
def test_a_natural_key_leads_back_to_its_row(model: type[Model]) -> None:
    rows = list(model.objects.all())
    assert rows
    assert [model.objects.get_by_natural_key(*row.natural_key()) for row in rows] == rows


@pytest.mark.parametrize("model", NATURAL, ids=lambda model: model.__name__)
def test_no_two_rows_have_one_natural_key(model: type[Model]) -> None:
    keys = [row.natural_key() for row in model.objects.all()]
    assert len(set(keys)) == len(keys) >= 2


@pytest.mark.parametrize("model", NATURAL, ids=lambda model: model.__name__)
def test_what_is_written_by_natural_keys_is_read_back_as_the_same_row(model: type[Model]) -> None:
    row = model.objects.order_by("pk").last()
    text = serializers.serialize(
        "yaml", [row], use_natural_foreign_keys=True, use_natural_primary_keys=True
    )
    (read,) = serializers.deserialize("yaml", text)
    assert "pk:" not in text
    assert (read.object.pk, facts(read.object)) == (row.pk, facts(row))


def test_the_cooperating_units_are_written_by_their_names() -> None:
    task = apps.get_model("tracker.task").objects.first()
    text = serializers.serialize("yaml", [task], use_natural_foreign_keys=True)
    (read,) = serializers.deserialize("yaml", text)
    assert "County of the East" in text
    assert read.m2m_data == {"co_units": [unit.pk for unit in task.co_units.all()]}


def test_a_key_with_a_part_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        apps.get_model("tracker.task").objects.get_by_natural_key("rise")
