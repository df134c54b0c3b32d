"""Tell April's report from that of the second quarter: they begin on one day."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tracker', '0008_history_labels'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='progressupdate',
            name='report_at_hand_once',
        ),
        migrations.AddConstraint(
            model_name='progressupdate',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'accepted'), _negated=True), fields=('task', 'unit', 'period_start', 'period_end'), name='report_at_hand_once', violation_error_message='There is a report of this period already: open it again.'),
        ),
    ]
