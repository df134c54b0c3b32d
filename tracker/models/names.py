"""What records of the past call the units and people that they point at."""

from typing import Any, ClassVar

from django.db import models


class NamesField(models.JSONField):
    """Names that are noted whenever their record is saved."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "default": dict, "editable": False})

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        instance.note_names()  # type: ignore[attr-defined]
        return super().pre_save(instance, add)

    def deconstruct(self) -> Any:
        # To a database it is any other JSON.
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs


class NamedRecord(models.Model):
    """A record that keeps the names that its units and people had on its day.

    `names` has for each foreign key in `named` the key and the name when it was entered: a later
    renaming changes no record.
    """

    named: ClassVar[tuple[str, ...]]
    names = NamesField()

    class Meta:
        abstract = True

    @property
    def is_draft(self) -> bool:
        """Say whether the record is a draft, which takes the names of the day when it is saved."""
        return False

    def note_names(self) -> None:
        """Note the name of each key that is another one than was noted.

        A query for one that is not at hand.
        """
        for name in self.named:
            key = getattr(self, f"{name}_id")
            if key is None:
                self.names.pop(name, None)
            elif self.is_draft or self.names.get(name, [None])[0] != key:
                self.names[name] = [key, str(getattr(self, name))]

    def name_of(self, name: str) -> str:
        """Return the name that a unit or a person had; today's for rows that were saved raw."""
        key, label = self.names.get(name, (None, ""))
        if key is not None and key == getattr(self, f"{name}_id"):
            return str(label)
        return str(getattr(self, name) or "")
