"""Keep beside each history row what its keys were called: rows of before are named as of the upgrade."""

from collections import defaultdict

from django.db import migrations, models

HISTORIES = (
    "historicalbackgroundpassage",
    "historicalchecklistitem",
    "historicaldeclaredcount",
    "historicalevidence",
    "historicalindicator",
    "historicalindicatorvalue",
    "historicalmeasure",
    "historicalorganization",
    "historicalpolicydocument",
    "historicalprogressupdate",
    "historicalsection",
    "historicaltask",
    "historicaltaskrequest",
    "historicaluser",
)
# What a part hangs on is told by no page.
UNNAMED = ("task", "policy", "entered_by", "request", "history_user")
CHUNK = 500
TRIGGERS = ("kept_unchanged", "kept", "kept_whole")


def add_labels():
    return [
        migrations.AddField(
            model_name=name, name="labels", field=models.JSONField(default=dict, editable=False)
        )
        for name in HISTORIES
    ]


def name_rows(apps, schema_editor):
    database = schema_editor.connection.alias
    named = {}

    def names_of(model):
        if model not in named:
            named[model] = _names(apps, model, database)
        return named[model]

    for name in HISTORIES:
        history = apps.get_model("tracker", name)
        _allow_updates(schema_editor, history._meta.db_table)
        fields = [
            field
            for field in history._meta.concrete_fields
            if isinstance(field, models.ForeignKey) and field.name not in UNNAMED
        ]
        names = {field.name: names_of(field.remote_field.model._meta.model_name) for field in fields}
        names["history_user"] = names_of("user")
        linked = _co_units(apps, database, names_of("organization")) if name == "historicaltask" else {}
        _fill(history.objects.using(database), names, linked)


def _fill(rows, names, linked):
    alike = defaultdict(list)
    columns = [f"{name}_id" for name in names]
    for key, *values in rows.values_list("history_id", *columns).iterator(chunk_size=2000):
        labels = [(name, names[name][value]) for name, value in zip(names, values) if value in names[name]]
        alike[tuple(labels), tuple(linked.get(key, ()))].append(key)
    for (labels, units), keys in alike.items():
        value = {**dict(labels), **({"co_units": list(units)} if units else {}), "as_of": "upgrade"}
        for first in range(0, len(keys), CHUNK):
            rows.filter(history_id__in=keys[first : first + CHUNK]).update(labels=value)


def _names(apps, model, database):
    """Return what each row of a model is called today."""
    rows = apps.get_model("tracker", model).objects.using(database)
    if model == "organization":
        return dict(rows.values_list("pk", "short_name"))
    if model == "user":
        return {
            key: f"{first} {last}".strip() or name
            for key, name, first, last in rows.values_list("pk", "username", "first_name", "last_name")
        }
    if model == "measure":
        return {key: f"{code} {name}" for key, code, name in rows.values_list("pk", "code", "name")}
    if model == "section":
        return {
            key: f"{chr(ord('A') + number - 1)} {name}"
            for key, number, name in rows.values_list("pk", "number", "name")
        }
    if model == "progressupdate":
        found = rows.values_list("pk", "task__code", "period_start", "unit__short_name")
        return {key: f"{code} {start:%Y-%m-%d} {unit}" for key, code, start, unit in found.iterator()}
    if model == "checklistitem":
        return dict(rows.values_list("pk", "title"))
    if model == "indicator":
        return dict(rows.values_list("pk", "name"))
    return {}


def _co_units(apps, database, units):
    """Return the names of the co-operating units at each history row of a task."""
    linked = defaultdict(list)
    links = apps.get_model("tracker", "HistoricalTask_co_units").objects.using(database)
    for row, unit in links.order_by("pk").values_list("history_id", "organization_id").iterator():
        if unit in units:
            linked[row].append(units[unit])
    return linked


def _allow_updates(schema_editor, table):
    """Take the guard of a history away; it is set up again after the last migration."""
    quote = schema_editor.connection.ops.quote_name
    for end in TRIGGERS:
        of = f" ON {quote(table)}" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {quote(f'{table}_{end}')}{of}")


class Migration(migrations.Migration):
    dependencies = [("tracker", "0007_indicators")]

    operations = [*add_labels(), migrations.RunPython(name_rows, migrations.RunPython.noop)]
