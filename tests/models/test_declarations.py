"""What each model declares about itself, and the lists that are computed from it."""

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.db import models

from tracker.models import (
    ChecklistItem,
    Evidence,
    Indicator,
    IndicatorValue,
    Measure,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
    TaskRequest,
)
from tracker.models.declarations import (
    DECLARATIONS,
    declared_lookups,
    parts_of_task,
    referring_first,
)

MODELS = [
    model
    for model in apps.get_app_config("tracker").get_models()
    if not model._meta.model_name.startswith("historical")
]


def undeclared(model: type) -> list[str]:
    """Return the declarations that a model does not make."""
    return [name for name in DECLARATIONS if not hasattr(model, name)]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_makes_its_declarations(model: type[models.Model]) -> None:
    assert undeclared(model) == []


def test_a_forgotten_declaration_is_found() -> None:
    class Forgetful:
        edited_by = None
        belongs_to_task = None
        derives_tasks_by = None

    assert undeclared(Forgetful) == ["fixture_policy_lookup"]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_with_a_foreign_key_to_a_task_declares_whether_it_belongs_to_it(
    model: type[models.Model],
) -> None:
    keys = [field for field in model._meta.concrete_fields if field.related_model is Task]
    optional = any(field.null for field in keys)
    assert bool(keys) == (model.belongs_to_task == "task") or optional


@pytest.mark.parametrize("name", ["belongs_to_task", "fixture_policy_lookup"])
def test_declared_lookups_lead_from_a_row(name: str) -> None:
    for model, lookup in declared_lookups(name).items():
        try:
            model._default_manager.filter(**{lookup: 1})
        except FieldError as error:
            pytest.fail(f"{model.__name__}.{name}: {error}")


def test_tasks_lead_to_what_their_derived_columns_come_from() -> None:
    for model, lookup in declared_lookups("derives_tasks_by").items():
        assert str(Task.objects.filter(**{f"{lookup}__in": [1]}).query), model


def test_derivation_inputs_are_fields() -> None:
    for model in declared_lookups("derives_tasks_by"):
        columns = {field.attname for field in model._meta.concrete_fields}
        assert set(getattr(model, "derivation_inputs", ())) <= columns


def test_the_parts_of_a_task_are_these() -> None:
    assert set(parts_of_task()) == {
        ChecklistItem, ProgressUpdate, TaskRequest, Evidence, Indicator,
    }  # fmt: skip


def test_what_refers_to_others_comes_first() -> None:
    assert referring_first([PolicyDocument, Section, Measure]) == [Measure, Section, PolicyDocument]
    assert referring_first([Indicator, IndicatorValue]) == [IndicatorValue, Indicator]
