"""Who may see and do what. The only file that knows roles.

Everything asks here: pages, admin, exports, workflow. Not visible is a 404, not allowed a 403.
"""

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from django.conf import settings

from tracker.domain.choices import Capacity, PolicyState

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import Model

    from tracker.models import Organization, Task, User

    Account: TypeAlias = User | AnonymousUser


class VisibilityScope(Enum):
    """How much of the policies an account sees."""

    NOTHING = 0
    UNIT = 1  # published policies, handed-over tasks that the unit leads or co-operates in
    PUBLISHED = 2  # everything of published policies
    EVERYTHING = 3  # drafts too


class EditedBy(Enum):
    """Who edits the rows of a model; each model declares one of these as `edited_by`.

    Rows that nobody edits are read-only in the admin: their steps have functions of their own.
    """

    NOBODY = 0
    POLICY_EDITORS = 1
    UNIT_MANAGERS = 2
    ACCOUNT_MANAGERS = 3


def visibility_scope(user: "Account") -> VisibilityScope:
    """Return the widest scope that the roles of an account give."""
    if not user.is_authenticated or not user.is_active:
        return VisibilityScope.NOTHING
    if user.is_superuser or user.is_supervisor or user.is_administrator:
        return VisibilityScope.EVERYTHING
    if user.is_leader:
        return VisibilityScope.PUBLISHED
    if user.is_liaison and user.organization_id:
        return VisibilityScope.UNIT
    return VisibilityScope.NOTHING


def sees_only_unit(user: "Account") -> "Organization | None":
    """Return the unit whose tasks are all that the account sees, for the words “this unit only”."""
    if user.is_authenticated and visibility_scope(user) == VisibilityScope.UNIT:
        return user.organization
    return None


def may_edit_policies(user: "Account") -> bool:
    """Say whether the account edits policies, measures, tasks and owners."""
    return bool(
        user.is_authenticated and user.is_active and (user.is_superuser or user.is_supervisor)
    )


def may_manage_units(user: "Account") -> bool:
    """Say whether the account edits units."""
    return may_edit_policies(user) or may_manage_accounts(user)


def may_manage_accounts(user: "Account") -> bool:
    """Say whether the account makes, changes and disables accounts."""
    return bool(
        user.is_authenticated and user.is_active and (user.is_superuser or user.is_administrator)
    )


def roles_exclude_each_other(user: "User") -> bool:
    """Say whether an account holds the two roles that `SEPARATE_ROLES` keeps apart."""
    return settings.SEPARATE_ROLES and user.is_supervisor and user.is_administrator


def may_open_admin(user: "Account") -> bool:
    """Say whether the account may log in to the admin."""
    return may_edit_policies(user) or may_manage_accounts(user)


def acts_for(user: "Account", task: "Task") -> set[Capacity]:
    """Return the capacities in which an account may act on a task."""
    capacities = set()
    if may_edit_policies(user):
        capacities.add(Capacity.OFFICE)
    of_unit = _capacity_of_unit(user, task)
    if of_unit:
        capacities.add(of_unit)
    return capacities


def _capacity_of_unit(user: "Account", task: "Task") -> Capacity | None:
    """Return how the unit of a liaison takes part in a task.

    None where the task is not handed over, its policy is not published, or the unit has no part.
    """
    if not user.is_authenticated or not user.is_active or not user.is_liaison:
        return None
    # By its key: the unit itself would cost a query.
    unit = user.organization_id
    if not unit or not task.assigned_on or task.policy.state != PolicyState.PUBLISHED:
        return None
    if task.lead_unit_id == unit:
        return Capacity.LEAD
    if unit in [helper.pk for helper in task.co_units.all()]:
        return Capacity.HELPER
    return None


def works_for(user: "Account") -> "Organization | None":
    """Return the unit that the account reports for."""
    if not user.is_authenticated or not user.is_active or not user.is_liaison:
        return None
    return user.organization


def may_review(user: "Account", author: int | None = None) -> bool:
    """Say whether an account reviews what an author has handed in.

    The office does, and nobody their own.
    """
    return may_edit_policies(user) and (author is None or author != user.pk)


def may_read_reviews(user: "Account") -> bool:
    """Say whether an account reads what waits for the office.

    Supervisors, and administrators, who decide nothing.
    """
    return may_edit_policies(user) or may_manage_accounts(user)


def may_import(user: "Account") -> bool:
    """Say whether an account sends workbooks in: the office any, a liaison that of the own unit."""
    return may_edit_policies(user) or works_for(user) is not None


def reads_help(user: "Account") -> bool:
    """Say whether an account reads what units ask help for: all who see every unit's tasks."""
    return visibility_scope(user) in (VisibilityScope.PUBLISHED, VisibilityScope.EVERYTHING)


_EDITOR_CHECKS: dict[EditedBy, Callable[["Account"], bool]] = {
    EditedBy.POLICY_EDITORS: may_edit_policies,
    EditedBy.UNIT_MANAGERS: may_manage_units,
    EditedBy.ACCOUNT_MANAGERS: may_manage_accounts,
}


def may_edit(user: "Account", model: "type[Model]") -> bool:
    """Say whether an account edits the rows of a model, by what the model declares."""
    check = _EDITOR_CHECKS.get(getattr(model, "edited_by", EditedBy.NOBODY))
    return check is not None and check(user)


def may_delete(user: "Account", row: "Model") -> bool:
    """Say whether an account may delete a row; what is in force is cancelled instead."""
    return may_edit(user, type(row)) and not getattr(row, "is_in_force", False)
