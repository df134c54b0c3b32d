"""Load fixtures as Django does, then bring derived columns and history in line.

Django saves fixtures raw: no `save()`, no `workflow`, no history. So the same transaction ends
with `workflow.adopt`. Rows that already stand as the fixture says are left alone, and what people
have edited is not overwritten without --force.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist, ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import loaddata
from django.core.serializers.base import DeserializationError, DeserializedObject
from django.db import DatabaseError, IntegrityError, models, transaction
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain.choices import ChangeSource
from tracker.domain.codes import code_key
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Indicator,
    Measure,
    Organization,
    PolicyDocument,
    Section,
    Task,
)
from tracker.models.base import Coded, Natural, UniqueFolded

LOADED_MODELS = {"way": ChangeSource.COMMAND, "history_change_reason": "loaddata"}
# What a fixture does not carry; a row that stands keeps its own.
KEPT_FIELDS = (*workflow.DERIVED, "version")
# How the history of each part of a policy leads to the policy.
CHECKED_PARTS = {
    PolicyDocument: "id",
    Section: "policy_id",
    Measure: "policy_id",
    Task: "policy_id",
    ChecklistItem: "task__policy_id",
    Indicator: "task__policy_id",
    DeclaredCount: "policy_id",
    BackgroundPassage: "policy_id",
}


class Command(loaddata.Command):
    """Refuse to overwrite people's edits; say where a faulty fixture is wrong."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--force", action="store_true", help=_("Overwrite what people have edited.")
        )

    def handle(self, *labels: str, **options: Any) -> None:
        self.force = options["force"]
        self.laid: list[tuple[type[models.Model], Any, bool]] = []
        self.known: set[tuple[type[models.Model], tuple[Any, ...]]] = set()
        try:
            super().handle(*labels, **options)
        except (DatabaseError, DeserializationError) as error:
            # Django has put the file's name in front.
            raise CommandError(str(error)) from error

    def loaddata(self, fixture_labels: Sequence[str]) -> None:
        super().loaddata(fixture_labels)
        workflow.after_fixture_load(
            self.laid,
            workflow.ChangeContext(
                None, ChangeSource.COMMAND, LOADED_MODELS["history_change_reason"]
            ),
        )

    def load_label(self, fixture_label: str) -> None:
        for path, _directory, _name in self.find_fixtures(fixture_label):
            if path.endswith((".yaml", ".yml")):
                self._inspect(Path(path))
        super().load_label(fixture_label)

    def save_obj(self, obj: DeserializedObject) -> bool:
        row = obj.object
        try:
            row.clean_fields(
                exclude=[field.name for field in row._meta.fields if field.remote_field]
            )
            if isinstance(row, UniqueFolded):
                row.refuse_twin()
        except ValidationError as error:
            raise DeserializationError(f"{_title(row)}: {error.message_dict}") from error
        if row.pk:
            stored = type(row)._default_manager.filter(pk=row.pk).first()
        else:
            stored = None
        if stored:
            for name in KEPT_FIELDS:
                if hasattr(row, name):
                    setattr(row, name, getattr(stored, name))
            if _same(obj, stored):
                return True
            if (
                isinstance(stored, Organization)
                and stored.history.exclude(**LOADED_MODELS).exists()
            ):
                self._refuse(_title(stored))
            if hasattr(row, "version"):
                row.version += 1
        if isinstance(row, Task):
            self._check_task(row, stored, obj.m2m_data or {})
        if isinstance(row, Coded):
            # Saved raw: no field looks after itself.
            row.code_key = code_key(row.code)
        row.skip_history_when_saving = True  # type: ignore[attr-defined]
        try:
            with transaction.atomic(self.using):
                saved = super().save_obj(obj)
        except IntegrityError as error:
            raise DeserializationError(
                f"{_title(row)}: {' '.join(workflow.explain_violation(row, error).messages)}"
            ) from error
        if saved:
            self.laid.append((type(row), row.pk, stored is None))
        return saved

    def _check_task(self, task: Task, stored: Any, linked: dict[str, Any]) -> None:
        """Refuse what no other way may do.

        Judged facts of a closed task, drafts, units out of office.
        """
        keys = set()
        for value in linked.get("co_units", ()):
            keys.add(getattr(value, "pk", value))
        if stored:
            known = set(stored.co_units.values_list("pk", flat=True))
        else:
            known = set()
        try:
            workflow.check_task(
                task, stored, list(Organization.objects.filter(pk__in=keys)), keys - known
            )
        except ValidationError as error:
            raise DeserializationError(f"{_title(task)}: {error.message_dict}") from error

    def _inspect(self, path: Path) -> None:
        """Refuse a fixture with a wrong key, and one that lies over what people have edited."""
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}") from error
        faults = []
        for entry in entries:
            for fault in self._faults(entry):
                faults.append(f"{path}: {fault}")
        if faults:
            raise CommandError("\n".join(faults))
        # The key of every part of a policy begins with the policy's own.
        slugs = set()
        for model, key in self.known:
            if model in CHECKED_PARTS:
                slugs.add(key[0])
        for policy in PolicyDocument.objects.filter(slug__in=slugs):
            if _edited(policy):
                self._refuse(policy.slug)

    def _refuse(self, what: str) -> None:
        if not self.force:
            raise CommandError(
                _(
                    "%(what)s has been edited since it was loaded. Nothing was loaded; --force "
                    "overwrites."
                )
                % {"what": what}
            )

    def _faults(self, entry: dict[str, Any]) -> Iterator[str]:
        """Name the object and the field of everything that does not resolve in one entry."""
        try:
            model = apps.get_model(entry["model"])
        except (KeyError, LookupError, ValueError, TypeError):
            yield _("unknown model: %(entry)s") % {"entry": str(entry)[:80]}
            return
        fields = entry.get("fields") or {}
        key = _key(model, fields)
        self.known.add((model, key))
        place = f"{model._meta.label_lower} {list(key)}"
        for name in _key_fields(model):
            if name not in fields:
                missing = _("missing")
                yield f"{place}: {name}: {missing}"
        for name, value in fields.items():
            try:
                field = model._meta.get_field(name)
            except FieldDoesNotExist:
                unknown = _("no such field")
                yield f"{place}: {name}: {unknown}"
                continue
            for fault in self._wrong(field, value):
                yield f"{place}: {name}: {fault}"

    def _wrong(self, field: Any, value: Any) -> Iterator[str]:
        """Say what is wrong with the value of a field."""
        if not field.remote_field:
            try:
                field.clean(value, None)
            except ValidationError as error:
                yield from error.messages
            return
        for named in value if field.many_to_many and isinstance(value, list) else [value]:
            # A number names a row as Django does; text alone is no key.
            if isinstance(named, list):
                key = tuple(named)
            else:
                key = None
            if isinstance(named, str) or (
                key is not None and not self._exists(field.remote_field.model, key)
            ):
                yield _("%(value)s is no key of a row that exists or stands before it") % {
                    "value": named
                }

    def _exists(self, model: type[models.Model], key: tuple[Any, ...]) -> bool:
        try:
            if (model, key) in self.known:
                return True
            model._default_manager.get_by_natural_key(*key)  # type: ignore[attr-defined]
        except (ObjectDoesNotExist, TypeError, ValueError):
            return False
        self.known.add((model, key))
        return True


def _key_fields(model: type[models.Model]) -> list[str]:
    """Return the fields that make up the natural key of a model."""
    return list(
        dict.fromkeys(lookup.split("__")[0] for lookup in getattr(model, "natural_lookups", ()))
    )


def _key(model: type[models.Model], fields: dict[str, Any]) -> tuple[Any, ...]:
    """Return the natural key of an entry: what its foreign keys name, then its own values."""
    values = []
    for name in _key_fields(model):
        values.append(fields.get(name))
    return tuple(
        part for value in values for part in (value if isinstance(value, list) else [value])
    )


def _title(row: models.Model) -> str:
    if isinstance(row, Natural):
        key = list(row.natural_key())
    else:
        key = row.pk
    return f"{row._meta.label_lower} {key}"


def _same(obj: DeserializedObject, stored: models.Model) -> bool:
    """Say whether a stored row already stands as the fixture has it."""
    columns = all(
        getattr(obj.object, field.attname) == getattr(stored, field.attname)
        for field in stored._meta.concrete_fields
    )
    return columns and all(
        {getattr(value, "pk", value) for value in values}
        == {other.pk for other in getattr(stored, name).all()}
        for name, values in (obj.m2m_data or {}).items()
    )


def _edited(policy: PolicyDocument) -> bool:
    """Say whether anything but a fixture has ever written a part of a policy."""
    return any(
        model.history.filter(**{owner: policy.pk}).exclude(**LOADED_MODELS).exists()  # type: ignore[attr-defined]
        for model, owner in CHECKED_PARTS.items()
    )
