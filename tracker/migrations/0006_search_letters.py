from functools import reduce
from operator import or_

from django.conf import settings
from django.db import migrations, models

BATCH = 1000
NEW = ['policy', 'sort_key', 'lead_unit', 'letters', 'search']


def fill(apps, schema_editor):
    """Derive the letters of the tasks that are there, as `letters_of` does."""
    tasks = apps.get_model("tracker", "Task").objects.only("search")
    batch = []
    for task in tasks.order_by("pk").iterator(chunk_size=BATCH):
        task.letters = reduce(or_, (1 << ord(letter) % 63 for letter in set(task.search)), 0)
        batch.append(task)
        if len(batch) == BATCH:
            tasks.bulk_update(batch, ["letters"])
            batch = []
    tasks.bulk_update(batch, ["letters"])


class Migration(migrations.Migration):

    dependencies = [
        ('tracker', '0005_import_batch'),
    ]

    operations = [
        migrations.RemoveIndex(model_name='task', name='task_place'),
        migrations.AddField(
            model_name='task',
            name='letters',
            field=models.BigIntegerField(default=0, editable=False, verbose_name='letters of the search text'),
        ),
        *(
            [
                migrations.RemoveIndex(model_name='task', name='task_words'),
                migrations.AddIndex(model_name='task', index=models.Index(fields=NEW, name='task_words')),
            ]
            if settings.SQLITE
            else []
        ),
        # Made anew after it: of two that serve as well SQLite takes the younger.
        migrations.AddIndex(model_name='task', index=models.Index(fields=['policy', 'sort_key'], name='task_place')),
        # Last: PostgreSQL changes no table with rows changed in the same transaction.
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
