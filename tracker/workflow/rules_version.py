"""Derive all tasks again after a change of the rules, and check whether that is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.utils.translation import gettext as _

from tracker.domain.codes import code_key
from tracker.models import Measure, PolicyDocument, StoredRules, Task
from tracker.workflow.derivation import RULES_VERSION, count_stale, refresh_tasks

APP_LABEL = Task._meta.app_label
CHECKED_TASKS = 2_000  # of which the system check derives; `refresh_lights --dry-run` derives all


@dataclass(frozen=True)
class Refreshed:
    """The outcome of a refresh: version of the rules before, number of tasks, tasks corrected."""

    version: int
    tasks: int
    corrected: int

    @property
    def newer(self) -> bool:
        """Say whether the rules of the program differ from the stored ones."""
        return self.version != RULES_VERSION


def refresh_all() -> Refreshed:
    """Derive every task again and store the version of the rules.

    A transaction for each policy: interrupted, the next run starts again. About 0.5 ms a task.
    """
    before = StoredRules.current()
    corrected = 0
    _refresh_measures()
    for key in PolicyDocument.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            # Locked as by every save of a task: neither derives from outdated facts.
            list(PolicyDocument.objects.select_for_update().filter(pk=key).values_list("pk"))
            corrected += refresh_tasks([key])
    StoredRules.objects.update_or_create(pk=StoredRules.KEY, defaults={"version": RULES_VERSION})
    return Refreshed(before, Task.objects.count(), corrected)


def refresh_due() -> Refreshed | None:
    """Derive every task again where the stored rules are older; return None where they are not."""
    if StoredRules.current() != RULES_VERSION:
        return refresh_all()
    return None


def preview_refresh() -> Refreshed:
    """Return what `refresh_all` would do, without doing it."""
    return Refreshed(StoredRules.current(), Task.objects.count(), count_stale())


@receiver(post_migrate)
def follow_rules(app_config: Any, using: str, **kwargs: Any) -> None:
    """Derive every task again after a migration to this release, and print it.

    Does nothing for an older state, which lacks columns.
    """
    apps: Apps = kwargs.get("apps") or current_apps
    if app_config.label != APP_LABEL or using != DEFAULT_DB_ALIAS or not _knows_every_column(apps):
        return
    done = refresh_due()
    stdout = kwargs.get("stdout")
    if done and done.tasks and stdout and kwargs.get("verbosity", 1) >= 1:
        text = _(
            "The light rules have changed: %(tasks)d tasks recalculated, %(corrected)d corrected."
        )
        stdout.write(text % {"tasks": done.tasks, "corrected": done.corrected})


def _knows_every_column(apps: Apps) -> bool:
    """Say whether the models of a state have all columns of those of today."""

    def columns(known: Apps) -> set[tuple[str, str | None]]:
        if APP_LABEL not in known.app_configs:
            return set()
        result = set()
        for model in known.get_app_config(APP_LABEL).get_models():
            for field in model._meta.local_concrete_fields:
                result.add((model._meta.db_table, field.column))
        return result

    return columns(current_apps) <= columns(apps)


def _migrated() -> bool:
    """Say whether the database has every table and column that the program knows."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    ours = []
    for node in executor.loader.graph.leaf_nodes():
        if node[0] == APP_LABEL:
            ours.append(node)
    return not executor.migration_plan(ours)


def _refresh_measures() -> None:
    changed = []
    for measure in Measure.objects.only("code", "code_key"):
        key = code_key(measure.code)
        if measure.code_key != key:
            measure.code_key = key
            changed.append(measure)
    Measure.objects.bulk_update(changed, ["code_key"], batch_size=500)


@checks.register(checks.Tags.database)
def check_rules(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Find lights that were derived by other rules: `manage.py check --database default`."""
    if DEFAULT_DB_ALIAS not in (databases or []) or not _migrated() or not Task.objects.exists():
        return []
    version = StoredRules.current()
    if version != RULES_VERSION:
        text = (
            f"Lights, percents, orders and search are of rules {version}, "
            f"the program has {RULES_VERSION}."
        )
        hint = "migrate or refresh_lights derives them anew."
        return [checks.Warning(text, hint=hint, id="tracker.W3")]
    if wrong := count_stale(CHECKED_TASKS):
        text = (
            f"Of {CHECKED_TASKS} tasks looked at, {wrong} have a light, percent, order or search "
            "that is stale."
        )
        return [checks.Warning(text, hint="refresh_lights derives them anew.", id="tracker.W4")]
    return []
