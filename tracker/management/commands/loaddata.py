"""Load fixtures as Django does, then bring derived columns and history in line.

Django saves fixtures raw: no `save()`, no `workflow`, no history. So the same transaction ends
with `workflow.after_fixture_load`. Rows that are already as the fixture says are left alone, and
what people have edited is not overwritten without --force.
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
    Organization,
    PolicyDocument,
    Task,
)
from tracker.models.base import Coded, Natural, UniqueFolded
from tracker.models.declarations import declared_lookups

BY_FIXTURE = {"way": ChangeSource.COMMAND, "history_change_reason": "loaddata"}
# What a fixture does not carry; a stored row keeps its own.
KEPT_FIELDS = (*workflow.DERIVED, "version")


class Command(loaddata.Command):
    """Refuse to overwrite people's edits; say where a faulty fixture is wrong."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--force", action="store_true", help=_("Overwrite manual edits."))

    def handle(self, *labels: str, **options: Any) -> None:
        self.force = options["force"]
        self.loaded: list[tuple[type[models.Model], Any, bool]] = []
        self.known: set[tuple[type[models.Model], tuple[Any, ...]]] = set()
        try:
            super().handle(*labels, **options)
        except (DatabaseError, DeserializationError) as error:
            # Django has put the file's name in front.
            raise CommandError(str(error)) from error

    def loaddata(self, fixture_labels: Sequence[str]) -> None:
        super().loaddata(fixture_labels)
        workflow.after_fixture_load(
            self.loaded,
            workflow.ChangeContext(None, ChangeSource.COMMAND, BY_FIXTURE["history_change_reason"]),
        )

    def load_label(self, fixture_label: str) -> None:
        for path, _directory, _name in self.find_fixtures(fixture_label):
            if path.endswith((".yaml", ".yml")):
                self._inspect(Path(path))
        super().load_label(fixture_label)

    def save_obj(self, obj: DeserializedObject) -> bool:
        row = obj.object
        self._check_fields(row)
        stored = _stored_row(row)
        if stored:
            _keep_fields(row, stored)
            if _same(obj, stored):
                return True
            self._check_unit(stored)
            if hasattr(row, "version"):
                row.version += 1
        if isinstance(row, Task):
            self._check_task(row, stored, obj.m2m_data or {})
        if isinstance(row, Coded):
            # Saved raw: no `pre_save` of the field sets it.
            row.code_key = code_key(row.code)
        row.skip_history_when_saving = True  # type: ignore[attr-defined]
        try:
            with transaction.atomic(self.using):
                saved = super().save_obj(obj)
        except IntegrityError as error:
            messages = workflow.explain_violation(row, error).messages
            raise DeserializationError(f"{_title(row)}: {' '.join(messages)}") from error
        if saved:
            self.loaded.append((type(row), row.pk, stored is None))
        return saved

    def _check_fields(self, row: models.Model) -> None:
        relations = [field.name for field in row._meta.fields if field.remote_field]
        try:
            row.clean_fields(exclude=relations)
            if isinstance(row, UniqueFolded):
                row.refuse_twin()
        except ValidationError as error:
            raise DeserializationError(f"{_title(row)}: {error.message_dict}") from error

    def _check_unit(self, stored: models.Model) -> None:
        """Refuse to overwrite a unit that people have edited."""
        if isinstance(stored, Organization) and _was_edited(stored.history):
            self._refuse(_title(stored))

    def _check_task(self, task: Task, stored: Any, linked: dict[str, Any]) -> None:
        """Refuse what the other forms refuse: closed tasks, drafts, units out of office."""
        keys = {getattr(value, "pk", value) for value in linked.get("co_units", ())}
        known = set()
        if stored:
            known = set(stored.co_units.values_list("pk", flat=True))
        units = list(Organization.objects.filter(pk__in=keys))
        try:
            workflow.check_task(task, stored, units, keys - known)
        except ValidationError as error:
            raise DeserializationError(f"{_title(task)}: {error.message_dict}") from error

    def _inspect(self, path: Path) -> None:
        """Refuse a fixture with a wrong key, and one that overwrites what people have edited."""
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
            if model in declared_lookups("fixture_policy_lookup"):
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
        keys = [value]
        if field.many_to_many and isinstance(value, list):
            keys = value
        for key in keys:
            if not self._names_row(field.remote_field.model, key):
                text = _("%(value)s is not the key of an existing row or of one before it")
                yield text % {"value": key}

    def _names_row(self, model: type[models.Model], key: Any) -> bool:
        """Say whether a value may name a row: a natural key that exists, or a primary key."""
        if isinstance(key, list):
            return self._exists(model, tuple(key))
        # A number names a row as Django does; text alone is no key.
        return not isinstance(key, str)

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
    names = [lookup.split("__")[0] for lookup in getattr(model, "natural_lookups", ())]
    return list(dict.fromkeys(names))


def _key(model: type[models.Model], fields: dict[str, Any]) -> tuple[Any, ...]:
    """Return the natural key of an entry: what its foreign keys name, then its own values."""
    key: list[Any] = []
    for name in _key_fields(model):
        value = fields.get(name)
        if isinstance(value, list):
            key += value
        else:
            key.append(value)
    return tuple(key)


def _title(row: models.Model) -> str:
    key = row.pk
    if isinstance(row, Natural):
        key = list(row.natural_key())
    return f"{row._meta.label_lower} {key}"


def _same(obj: DeserializedObject, stored: models.Model) -> bool:
    """Say whether a stored row is already as the fixture has it."""
    for field in stored._meta.concrete_fields:
        if getattr(obj.object, field.attname) != getattr(stored, field.attname):
            return False
    for name, values in (obj.m2m_data or {}).items():
        keys = {getattr(value, "pk", value) for value in values}
        if keys != {other.pk for other in getattr(stored, name).all()}:
            return False
    return True


def _keep_fields(row: models.Model, stored: models.Model) -> None:
    for name in KEPT_FIELDS:
        if hasattr(row, name):
            setattr(row, name, getattr(stored, name))


def _stored_row(row: models.Model) -> Any:
    """Return the row that a fixture overwrites, None where it brings a new one."""
    if row.pk is None:
        return None
    return type(row)._default_manager.filter(pk=row.pk).first()


def _was_edited(history: Any) -> bool:
    """Say whether anything but a fixture has written some history rows."""
    return history.exclude(**BY_FIXTURE).exists()


def _edited(policy: PolicyDocument) -> bool:
    """Say whether anything but a fixture has ever written a part of a policy."""
    for model, lookup in declared_lookups("fixture_policy_lookup").items():
        history = model.history.filter(**{lookup: policy.pk})  # type: ignore[attr-defined]
        if _was_edited(history):
            return True
    return False
