"""Find codes and short addresses of earlier releases that differ by capitals alone.

New ones are refused.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import connections
from django.db.models import Count
from django.db.models.functions import Lower

from tracker.models.base import UniqueFolded
from tracker.models.policy import Measure, PolicyDocument
from tracker.models.task import Task

# Each kind with its name and what it is a part of. Names are of plain letters: the database folds
# them.
TWIN_MODELS: tuple[tuple[type[UniqueFolded], str, tuple[str, ...]], ...] = (
    (PolicyDocument, "slug", ()),
    (Measure, "code", ("policy__slug",)),
    (Task, "code", ("policy__slug",)),
)
NAME_FIELDS = 20  # names in one message


def find_twins(alias: str = "default") -> Iterator[str]:
    """Yield "task rise A1-01" for every name that another beside it repeats in other capitals."""
    for model, name, within in TWIN_MODELS:
        rows = model._default_manager.using(alias).order_by()
        folded = rows.annotate(folded=Lower(name)).values_list("folded", *within)
        for small, *scope in (
            folded.annotate(number=Count("pk")).filter(number__gt=1).values_list("folded", *within)
        ):
            alike = rows.annotate(folded=Lower(name)).filter(
                folded=small, **dict(zip(within, scope, strict=True))
            )
            for found in alike.order_by(name).values_list(name, flat=True):
                yield " ".join([str(model._meta.model_name), *scope, found])


@checks.register(checks.Tags.database)
def check_twins(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Name what differs by capitals alone: `manage.py check --database default`."""
    found: list[str] = []
    for alias in databases or []:
        tables = connections[alias].introspection.table_names()
        if Task._meta.db_table in tables:
            found += find_twins(alias)
    if not found:
        return []
    named = ", ".join(found[:NAME_FIELDS])
    if len(found) > NAME_FIELDS:
        named += f" and {len(found) - NAME_FIELDS} more"
    text = f"Codes or short addresses differ by capitals alone: {named}."
    hint = "They are kept; give each of them another code."
    return [checks.Warning(text, hint=hint, id="tracker.W2")]
