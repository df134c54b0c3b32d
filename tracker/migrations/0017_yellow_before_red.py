from django.db import migrations, models
from django.db.models import F, Q


def order(apps, schema_editor):
    """Let a task be yellow from the day on which it is red, at the latest, as `rules.Turn` does."""
    wrong = Q(turns_yellow_on__isnull=True) | Q(turns_yellow_on__gt=F("turns_red_on"))
    tasks = apps.get_model("tracker", "Task").objects.filter(wrong, turns_red_on__isnull=False)
    tasks.update(turns_yellow_on=F("turns_red_on"))


class Migration(migrations.Migration):

    dependencies = [
        ('tracker', '0016_natural_order_and_rules'),
    ]

    operations = [
        migrations.RunPython(order, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('turns_red_on__isnull', True), models.Q(('turns_yellow_on__isnull', False), ('turns_yellow_on__lte', models.F('turns_red_on'))), _connector='OR'), name='task_yellow_before_red', violation_error_message='A task turns yellow before it turns red, or on the same day.'),
        ),
    ]
