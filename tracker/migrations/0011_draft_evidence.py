"""Tell evidence that was handed in from that of drafts, and keep what is written after a return apart."""

from django.db import migrations, models
from django.db.models import Exists, OuterRef


def mark_drafts(apps, schema_editor):
    database = schema_editor.connection.alias
    evidence = apps.get_model("tracker", "Evidence").objects.using(database)
    evidence.filter(report__state="draft").update(handed_in=False)
    # Added after its report was returned: the last row of the report's history is older.
    added = apps.get_model("tracker", "HistoricalEvidence").objects.using(database)
    reports = apps.get_model("tracker", "HistoricalProgressUpdate").objects.using(database)
    after = reports.filter(id=OuterRef("report_id"), history_date__gte=OuterRef("history_date"))
    unsent = added.filter(history_type="+", report_id__isnull=False).exclude(Exists(after))
    evidence.filter(report__state="returned", pk__in=unsent.values("id")).update(handed_in=False)


class Migration(migrations.Migration):
    dependencies = [("tracker", "0010_import_reading_notes")]

    operations = [
        migrations.AddField("evidence", "handed_in", models.BooleanField(default=True, editable=False)),
        migrations.AddField("progressupdate", "rework", models.JSONField(blank=True, default=dict, editable=False)),
        migrations.RunPython(mark_drafts, migrations.RunPython.noop),
    ]
