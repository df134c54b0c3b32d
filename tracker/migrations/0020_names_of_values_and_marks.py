"""Keep on values of indicators and on marks by what names their people went; on moves of units, who undid them.

Filled from the report that a value came with, else from the history; where neither knows a name, with
the one of the upgrade.
"""

from django.db import migrations, models

CHUNK = 500


def fill(apps, schema_editor):
    database = schema_editor.connection.alias
    users = _names_of_today(apps, database)
    _fill_values(apps, database, users)
    _fill_marks(apps, database, users)
    for move in _rows(apps, "unitmove", database).exclude(undone_by=None).only("undone_by_id"):
        move.undone_by_name = users[move.undone_by_id][:150]
        move.save(update_fields=["undone_by_name"])


def _fill_values(apps, database, users):
    known = _names_in_history(apps, database, "indicatorvalue", "entered_by", "history_user")
    values = _rows(apps, "indicatorvalue", database).exclude(entered_by=None)
    changed = []
    for value in values.select_related("report").iterator(chunk_size=2000):
        key = value.entered_by_id
        reported = (value.report.names if value.report else {}).get("submitted_by", [None, ""])
        name = reported[1] if reported[0] == key else known.get((value.pk, key), users[key])
        value.names = {"entered_by": [key, name]}
        changed.append(value)
    values.model._base_manager.using(database).bulk_update(changed, ["names"], batch_size=CHUNK)


def _fill_marks(apps, database, users):
    known = _names_in_history(apps, database, "backgroundpassage", "marked_by", "marked_by")
    marks = list(_rows(apps, "backgroundpassage", database).exclude(marked_by=None))
    for mark in marks:
        key = mark.marked_by_id
        mark.names = {"marked_by": [key, known.get((mark.pk, key), users[key])]}
    _rows(apps, "backgroundpassage", database).bulk_update(marks, ["names"], batch_size=CHUNK)


def _names_in_history(apps, database, model, field, label):
    """Return what the history called the person in a field when the key was entered, by row and key."""
    rows = _rows(apps, f"historical{model}", database).exclude(history_type="-").order_by("history_id")
    found = {}
    for row, key, person, labels in rows.values_list("id", f"{field}_id", f"{label}_id", "labels"):
        if key is not None and key == person and labels.get(label):
            found.setdefault((row, key), labels[label])
    return found


def _names_of_today(apps, database):
    rows = _rows(apps, "user", database).values_list("pk", "username", "first_name", "last_name")
    return {key: f"{first} {last}".strip() or name for key, name, first, last in rows}


def _rows(apps, model, database):
    return apps.get_model("tracker", model)._base_manager.using(database)


class Migration(migrations.Migration):
    dependencies = [("tracker", "0019_names_of_their_day")]

    operations = [
        migrations.AddField(
            model_name="indicatorvalue", name="names", field=models.JSONField(default=dict, editable=False)
        ),
        migrations.AddField(
            model_name="backgroundpassage", name="names", field=models.JSONField(default=dict, editable=False)
        ),
        migrations.AddField(
            model_name="unitmove",
            name="undone_by_name",
            field=models.CharField(blank=True, max_length=150, verbose_name="undone by"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
