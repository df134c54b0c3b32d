"""One order on every database.

Empty values last, text by code points, units officially, codes naturally.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import F, OrderBy
from django.db.models.functions import Collate

from tracker.models.base import CodeField


def steady_order(model: type[models.Model], keys: Iterable[Any]) -> list[Any]:
    """Return the keys of an order so that every database orders alike.

    Codes of a policy are the last key.

    A key is what `order_by` takes. PostgreSQL puts empty values first or last by the direction and
    sorts text by the locale of the database; SQLite does neither.
    """
    given = list(keys)
    found: list[Any] = []
    for key in given:
        found += _steady(model, key)
    names = {_column_of(key) for key in given}
    if hasattr(model, "code_key") and not names & {"code", "sort_key"}:
        unique = [key for key in found if _column_of(key) == model._meta.pk.name]
        others = [key for key in found if key not in unique]
        return [*others, F("code_key").asc(), *unique]
    return found


def _steady(model: type[models.Model], key: Any) -> Iterator[Any]:
    """Yield the keys that take the place of one; an expression or annotation stays as it is."""
    name = _name_of(key)
    if not name:
        yield key
        return
    path, fields = _path_of(model, name.removeprefix("-"))
    if not fields:
        yield key
        return
    descending = name.startswith("-")
    last = fields[-1]
    if last.is_relation:
        for inner in last.related_model._meta.ordering or ("pk",):
            inner_path = f"{path}__{inner.removeprefix('-')}"
            if descending != inner.startswith("-"):
                inner_path = f"-{inner_path}"
            yield from _steady(model, inner_path)
        return
    expression: Any = F(path)
    if _by_locale(last):
        expression = Collate(expression, settings.CODE_COLLATION)
    # Only where it can be empty: with it a database uses no index.
    empty = any(field.null for field in fields) or None
    yield OrderBy(expression, descending=descending, nulls_last=empty)


def _name_of(key: Any) -> str:
    """Return a key as a name with its direction; "" for what is no plain column."""
    if isinstance(key, str):
        return key
    descending = isinstance(key, OrderBy) and key.descending
    if isinstance(key, OrderBy):
        column: Any = key.expression
    else:
        column = key
    if not isinstance(column, F):
        return ""
    name: str = column.name  # type: ignore[attr-defined]
    if descending:
        return f"-{name}"
    return name


def _column_of(key: Any) -> str:
    return _name_of(key).removeprefix("-")


def _path_of(model: type[models.Model], name: str) -> tuple[str, list[Any]]:
    """Follow a lookup from a model.

    Return it with keys in place of codes, and its fields, none for an annotation.
    """
    parts = name.split("__")
    fields = []
    at: Any = model
    for place, part in enumerate(parts):
        try:
            if part == "pk":
                field = at._meta.pk
            else:
                field = at._meta.get_field(part)
        except FieldDoesNotExist:
            return name, []
        if isinstance(field, CodeField) and hasattr(at, "code_key"):
            field = at._meta.get_field("code_key")
        parts[place] = field.name
        fields.append(field)
        at = field.related_model
    return "__".join(parts), fields


def _by_locale(field: Any) -> bool:
    """Say whether a database would sort a field as its locale does."""
    is_text = isinstance(field, models.CharField | models.TextField)
    return is_text and getattr(field, "db_collation", None) != settings.CODE_COLLATION
