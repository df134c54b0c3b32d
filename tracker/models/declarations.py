"""Lists computed from what each model declares about itself.

`edited_by`: who edits its rows. `belongs_to_task`: the lookup from a row to the task that it
belongs to. `fixture_policy_lookup`: for what fixtures load, the lookup from a row, and from a row
of its history, to the key of its policy. `derives_tasks_by`: the lookup from a task to the rows
that its derived columns come from; `derivation_inputs` names the fields of a row that these read.
A model that has nothing to declare says None.
"""

from collections.abc import Sequence
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db import models

DECLARATIONS = ("edited_by", "belongs_to_task", "fixture_policy_lookup", "derives_tasks_by")

Lookups = dict[type[models.Model], str]


@cache
def declared_lookups(name: str) -> Lookups:
    """Return the models that declare a lookup of this name, each with its lookup."""
    lookups = {}
    for model in apps.get_app_config("tracker").get_models():
        lookup = getattr(model, name, None)
        if lookup:
            lookups[model] = lookup
    return lookups


def parts_of_task() -> list[Any]:
    """Return the models whose rows have a foreign key to their task, in the order of the models."""
    lookups = declared_lookups("belongs_to_task")
    return [model for model, lookup in lookups.items() if lookup == "task"]


def referring_first(kinds: Sequence[type[models.Model]]) -> list[Any]:
    """Sort models so that each comes before the models that its foreign keys point at."""
    sorter: TopologicalSorter[Any] = TopologicalSorter()
    for model in kinds:
        sorter.add(model)
        for field in model._meta.concrete_fields:
            if field.related_model in kinds:
                sorter.add(field.related_model, model)
    return list(sorter.static_order())
