"""Keep on reports, requests and imports by what names their units and people went.

Filled from the history, which knows the names of each day since 0008; where it knows none, with the
names of the upgrade.
"""

from django.db import migrations, models

NAMED = {
    "progressupdate": ("unit", "submitted_by", "reviewed_by"),
    "taskrequest": ("asked_by", "decided_by"),
    "importbatch": ("unit", "read_by", "undone_by"),
}
CHUNK = 500


def fill(apps, schema_editor):
    database = schema_editor.connection.alias
    units = dict(_rows(apps, "organization", database).values_list("pk", "short_name"))
    users = {
        key: f"{first} {last}".strip() or name
        for key, name, first, last in _rows(apps, "user", database).values_list(
            "pk", "username", "first_name", "last_name"
        )
    }
    for model, fields in NAMED.items():
        today = {name: units if name == "unit" else users for name in fields}
        known = _known(apps, model, fields, database) if model != "importbatch" else {}
        _store(_rows(apps, model, database), fields, today, known)


def _known(apps, model, fields, database):
    """Return what the history called the keys of each record when they were entered."""
    found = {}
    columns = [f"{name}_id" for name in fields]
    rows = _rows(apps, f"historical{model}", database).exclude(history_type="-").order_by("history_id")
    states = {}
    for key, state, labels, *keys in rows.values_list("id", "state", "labels", *columns).iterator(chunk_size=2000):
        names = found.setdefault(key, {})
        if state == "submitted" and states.get(key) != state:
            # Handed in anew: the unit is called as on that day.
            names.pop("unit", None)
        states[key] = state
        for name, value in zip(fields, keys):
            if value is not None and labels.get(name) and names.get(name, [None])[0] != value:
                names[name] = [value, labels[name]]
    return found


def _store(rows, fields, today, known):
    changed = []
    for row in rows.only("pk", *(f"{name}_id" for name in fields)).iterator(chunk_size=2000):
        held = known.get(row.pk, {})
        for name in fields:
            key = getattr(row, f"{name}_id")
            if key is not None:
                noted = held.get(name, [None, ""])
                row.names[name] = [key, noted[1] if noted[0] == key else today[name].get(key, "")]
        if row.names:
            changed.append(row)
        if len(changed) == CHUNK:
            rows.bulk_update(changed, ["names"])
            changed = []
    rows.bulk_update(changed, ["names"])


def _rows(apps, model, database):
    return apps.get_model("tracker", model)._base_manager.using(database)


class Migration(migrations.Migration):
    dependencies = [("tracker", "0018_reminder_keys")]

    operations = [
        *(
            migrations.AddField(
                model_name=model, name="names", field=models.JSONField(default=dict, editable=False)
            )
            for model in NAMED
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
