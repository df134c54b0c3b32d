"""Write what reminders have said by cause, task and period: sentences that count days told nothing twice."""

import datetime as dt
from typing import Any

from django.db import migrations

from tracker.domain import lights
from tracker.domain.dates import today


def new_keys(old: str, tasks: dict[int, Any], periods: dict[int, dt.date]) -> list[str]:
    """Return what `tracker.reports.reminders` keeps today for a key that 0.1.0 wrote; one that it writes too stays."""
    cause, _blank, rest = old.partition(" ")
    pk, _blank, rest = rest.partition(" ")
    task = tasks.get(int(pk)) if cause in ("returned", "overdue", "due_soon", "unreported") else None
    if task is None:
        return [old]
    if cause == "returned":
        report, _blank, reviewed_on = rest.partition(" ")
        key = f"returned {pk} {periods.get(int(report))}"
        return [key, f"{key} {reviewed_on}"]
    if cause == "unreported":
        owed = lights.first_owed(task, task.policy)
        key = f"unreported {pk} {owed.start if owed else None}"
    else:
        key = f"deadline {pk} {rest}"
    # An overdue task was red when it was told of; of the others today's light is the nearest that is known.
    red = cause == "overdue" or (task.turns_red_on and task.turns_red_on <= today())
    return [key, f"{key} red"] if red else [key]


def write_keys(apps: Any, schema_editor: Any) -> None:
    """Rewrite the keys of the mails of the last days; older ones are compared with nothing."""
    reminders = apps.get_model("tracker", "SentReminder").objects
    since = today() - dt.timedelta(days=14)
    mails = list(reminders.filter(day__gte=since))
    if not mails:
        return
    tasks = apps.get_model("tracker", "Task").objects.select_related("policy").defer("policy__full_text")
    known = {task.pk: task for task in tasks.filter(assigned_on__isnull=False)}
    reports = apps.get_model("tracker", "ProgressUpdate").objects.filter(state="returned")
    periods = dict(reports.values_list("pk", "period_start"))
    for mail in mails:
        mail.matters = sorted({key for old in mail.matters for key in new_keys(old, known, periods)})
        mail.save(update_fields=["matters"])


class Migration(migrations.Migration):
    dependencies = [("tracker", "0017_yellow_before_red")]

    operations = [migrations.RunPython(write_keys, migrations.RunPython.noop)]
