from django.conf import settings
from django.db import migrations, models

BATCH = 1000


def fill(apps, schema_editor):
    """Derive the words of the tasks that are there, as `Task.words` does."""
    tasks = apps.get_model("tracker", "Task").objects.only("code", "title", "description")
    batch = []
    for task in tasks.order_by("pk").iterator(chunk_size=BATCH):
        task.search = "\n".join((task.code, task.title, task.description)).casefold()
        batch.append(task)
        if len(batch) == BATCH:
            tasks.bulk_update(batch, ["search"])
            batch = []
    tasks.bulk_update(batch, ["search"])


class Migration(migrations.Migration):

    dependencies = [
        ('tracker', '0002_progress'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='checklistitem',
            options={'ordering': ('task_id', 'number'), 'verbose_name': 'checklist item', 'verbose_name_plural': 'checklist items'},
        ),
        migrations.RemoveIndex(
            model_name='task',
            name='task_place',
        ),
        migrations.AddField(
            model_name='task',
            name='search',
            field=models.TextField(blank=True, default='', editable=False, verbose_name='search text'),
        ),
        *(
            [
                migrations.AddIndex(
                    model_name='task',
                    index=models.Index(fields=['policy', 'sort_key', 'lead_unit', 'search'], name='task_words'),
                ),
            ]
            if settings.SQLITE
            else []
        ),
        # Made anew after it: of two that serve as well SQLite takes the younger.
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['policy', 'sort_key'], name='task_place'),
        ),
        # Last: PostgreSQL changes no table with rows changed in the same transaction.
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
