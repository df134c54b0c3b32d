"""Move tasks from one unit to another: shown first, all or nothing, and undone the same way."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tracker.domain import permissions
from tracker.domain.choices import ReportState, Status, UnitMoveKind
from tracker.models import Organization, ProgressUpdate, Task, UnitMove, User
from tracker.models.base import Versioned
from tracker.models.task import cooperating
from tracker.workflow.rows import ChangeContext, StaleVersion, bump_version, save_row
from tracker.workflow.tasks import TaskParts, lock_task, write_task

# A task that has ended keeps the unit of its day.
MAX_REASON = 1000  # signs that a history row keeps of a reason
ENDED_FOR_GOOD = (Status.CLOSED, Status.CANCELLED)


@dataclass
class UnitMovePlan:
    """What a merge or a move changes, and what it leaves."""

    kind: UnitMoveKind
    source: Organization
    target: Organization
    led: list[Task] = field(default_factory=list)
    helped: list[Task] = field(default_factory=list)
    drafts: list[ProgressUpdate] = field(default_factory=list)
    # Handed in and waiting for the office, or drafts of a period in which the new unit has a report
    # of its own.
    staying: list[ProgressUpdate] = field(default_factory=list)
    accounts: list[User] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)

    @property
    def merges(self) -> bool:
        """Say whether the former unit goes out of office."""
        return self.kind == UnitMoveKind.MERGE

    @property
    def spans_policies(self) -> bool:
        """Say whether the tasks are of several policies, so that a code alone names none."""
        return len({task.policy_id for task in (*self.led, *self.helped)}) > 1

    def policy_to_say(self, task: Task) -> str:
        """Return the policy of a task where it is to be said."""
        if self.spans_policies:
            return str(task.policy)
        return ""

    @property
    def digest(self) -> str:
        """Return a mark of all that is shown: who confirms it sends it back."""
        rows: list[Versioned] = [
            self.source,
            self.target,
            *self.led,
            *self.helped,
            *self.drafts,
            *self.staying,
            *self.accounts,
        ]
        seen = [self.kind, *(f"{row._meta.model_name} {row.pk} {row.version}" for row in rows)]
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()


def plan_move(kind: UnitMoveKind, source: Organization, target: Organization) -> UnitMovePlan:
    """Work out what a merge or a move changes; six queries.

    Raises ValidationError where it makes no sense.
    """
    if source.pk == target.pk:
        raise ValidationError(_("Choose a unit other than the one whose tasks are moved."))
    if not target.active:
        raise ValidationError(_("%(unit)s is inactive.") % {"unit": target.name})
    plan = UnitMovePlan(kind, source, target)
    under_way = (
        Task.objects.exclude(status__in=ENDED_FOR_GOOD).with_related().defer("policy__full_text")
    )
    plan.led = list(under_way.filter(lead_unit=source))
    plan.helped = list(under_way.filter(cooperating(source)).exclude(lead_unit=source))
    _sort_reports(plan)
    if plan.merges:
        plan.accounts = list(User.objects.filter(organization=source))
        plan.aliases = []
        for name in source.all_names():
            if name not in target.all_names():
                plan.aliases.append(name)
    return plan


def _sort_reports(plan: UnitMovePlan) -> None:
    """Sort the open reports of the former unit: those that the new one continues, and the rest."""
    tasks = [task.pk for task in (*plan.led, *plan.helped)]
    at_hand = ProgressUpdate.objects.filter(task__in=tasks).exclude(state=ReportState.ACCEPTED)
    at_hand = at_hand.select_related("task__policy", "unit").defer("task__policy__full_text")
    of_target = [report for report in at_hand if report.unit_id == plan.target.pk]
    taken = {(report.task_id, report.period_start, report.period_end) for report in of_target}
    for report in at_hand:
        if report.unit_id != plan.source.pk:
            continue
        key = (report.task_id, report.period_start, report.period_end)
        if report.is_open and key not in taken:
            plan.drafts.append(report)
        else:
            plan.staying.append(report)


def make_move(plan: UnitMovePlan, act: ChangeContext, seen: str, now: dt.datetime) -> UnitMove:
    """Execute a plan, all or nothing.

    `seen` is the digest of the plan that the person saw; raises StaleVersion where it differs.
    """
    _check_right(act)
    if not act.reason.strip():
        raise ValidationError({"reason": _("Give a reason.")})
    with transaction.atomic():
        keys = [plan.source.pk, plan.target.pk]
        list(Organization.objects.select_for_update().filter(pk__in=keys))
        source = Organization.objects.get(pk=plan.source.pk)
        target = Organization.objects.get(pk=plan.target.pk)
        plan = plan_move(plan.kind, source, target)
        if plan.digest != seen:
            raise StaleVersion(source)
        move = UnitMove.objects.create(
            kind=plan.kind,
            source=source,
            target=target,
            source_name=source.name,
            target_name=target.name,
            reason=act.reason,
            made_by=act.user,
            made_by_name=str(act.user or ""),
            made_at=now,
        )
        act = _signed(move, act)
        for task in (*plan.led, *plan.helped):
            move.entries.append(_move_task(plan, task, act, now.date()))
        for report in plan.drafts:
            move.entries.append(_move_draft(plan, report, act))
        if plan.merges:
            move.entries += _merge(plan, act)
        move.save()
    return move


def undo_move(move: UnitMove, act: ChangeContext, now: dt.datetime) -> None:
    """Take a merge or a move back, all or nothing.

    Refused with the names of the rows that were changed since.
    """
    _check_right(act)
    with transaction.atomic():
        move = UnitMove.objects.select_for_update(of=("self",)).get(pk=move.pk)
        if move.undone_at:
            raise ValidationError(_("It was already undone."))
        rows = [(entry, _row_of(entry)) for entry in move.entries]
        changed = []
        for entry, row in rows:
            if row is None or row.version != entry["version"]:
                changed.append(entry["label"])
        if changed:
            text = _("These have been changed since; nothing was undone: %(rows)s.")
            raise ValidationError(text % {"rows": pgettext("list", ", ").join(changed)})
        act = _signed(move, act)
        for entry, row in reversed(rows):
            _restore(entry, row, act, now.date())
        move.undone_by = act.user
        move.undone_by_name = str(act.user or "")
        move.undone_at = now
        move.save()


def _check_right(act: ChangeContext) -> None:
    # Moving tasks is editing policies: domain section 1.
    if act.user and not permissions.may_edit_policies(act.user):
        raise PermissionDenied


def _signed(move: UnitMove, act: ChangeContext) -> ChangeContext:
    """Name the batch in the reason that each history row keeps."""
    reason = _("batch %(number)d, %(source)s → %(target)s: %(reason)s") % {
        "number": move.pk,
        "source": move.source_name,
        "target": move.target_name,
        "reason": act.reason,
    }
    return replace(act, reason=reason[:MAX_REASON])


def _entry(row: Any, before: dict[str, Any], policy: str = "") -> dict[str, Any]:
    label = str(row)
    if policy:
        label = f"{row} — {policy}"
    return {
        "model": row._meta.model_name,
        "pk": row.pk,
        "version": row.version,
        "label": label,
        "before": before,
    }


def _row_of(entry: dict[str, Any]) -> Any:
    model = apps.get_model("tracker", entry["model"])
    return model._default_manager.filter(pk=entry["pk"]).first()


def _move_task(
    plan: UnitMovePlan, task: Task, act: ChangeContext, today: dt.date
) -> dict[str, Any]:
    helpers = list(task.co_units.all())
    known = {
        "lead_unit": task.lead_unit_id,
        "co_units": [unit.pk for unit in helpers],
        "acknowledged_on": task.acknowledged_on,
        "lead_is_proposed": task.lead_is_proposed,
    }
    before = lock_task(task, None)
    units = []
    for unit in helpers:
        if unit.pk != plan.source.pk:
            units.append(unit)
    if task.lead_unit_id == plan.source.pk:
        task.lead_unit = plan.target
        units = [unit for unit in units if unit.pk != plan.target.pk]
    elif task.lead_unit_id != plan.target.pk and plan.target not in units:
        units.append(plan.target)
    write_task(task, before, act, today, TaskParts(co_units=units), by_request=True)
    return _entry(task, known, plan.policy_to_say(task))


def _move_draft(plan: UnitMovePlan, report: ProgressUpdate, act: ChangeContext) -> dict[str, Any]:
    known = {"unit": report.unit_id, "contribution": report.contribution}
    lead = Task.objects.values_list("lead_unit", flat=True).get(pk=report.task_id)
    _save_draft_of(report, plan.target, lead != plan.target.pk, act)
    return _entry(report, known, plan.policy_to_say(report.task))


def _save_draft_of(
    report: ProgressUpdate, unit: Organization, contribution: bool, act: ChangeContext
) -> None:
    report.unit = unit
    report.contribution = contribution
    bump_version(report, None)
    if report.state == ReportState.RETURNED:
        save_row(report, act, False)
    else:
        # Nothing of a draft enters the history before it is handed in.
        save_row(report)


def _merge(plan: UnitMovePlan, act: ChangeContext) -> list[dict[str, Any]]:
    """Move accounts and names of the former unit to the new one, and close the former unit."""
    entries = []
    for account in plan.accounts:
        account.organization = plan.target
        bump_version(account, None)
        save_row(account, act, False)
        entries.append(_entry(account, {"organization": plan.source.pk}))
    known = {"aliases": plan.target.aliases}
    lines = [*plan.target.aliases.splitlines(), *plan.aliases]
    plan.target.aliases = "\n".join(line for line in lines if line.strip())
    bump_version(plan.target, None)
    save_row(plan.target, act, False)
    entries.append(_entry(plan.target, known))
    in_office = plan.source.active
    plan.source.active = False
    bump_version(plan.source, None)
    save_row(plan.source, act, False)
    return [*entries, _entry(plan.source, {"active": in_office})]


def _restore(entry: dict[str, Any], row: Any, act: ChangeContext, today: dt.date) -> None:
    known = entry["before"]
    if isinstance(row, Task):
        _restore_task(row, known, act, today)
    elif isinstance(row, ProgressUpdate):
        _save_draft_of(row, Organization.objects.get(pk=known["unit"]), known["contribution"], act)
    else:
        for name, value in known.items():
            setattr(row, row._meta.get_field(name).attname, value)
        bump_version(row, None)
        save_row(row, act, False)


def _restore_task(task: Task, known: dict[str, Any], act: ChangeContext, today: dt.date) -> None:
    before = lock_task(task, None)
    task.lead_unit = Organization.objects.filter(pk=known["lead_unit"]).first()
    task.lead_is_proposed = known["lead_is_proposed"]
    units = list(Organization.objects.filter(pk__in=known["co_units"]))
    write_task(task, before, act, today, TaskParts(co_units=units), by_request=True)
    acknowledged_on = known["acknowledged_on"]
    if acknowledged_on and not task.acknowledged_on:
        # Another lead unit acknowledges anew; the former one had done so.
        task.acknowledged_on = dt.date.fromisoformat(str(acknowledged_on))
        bump_version(task, None)
        save_row(task, act, False)
