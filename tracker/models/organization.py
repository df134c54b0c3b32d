"""Units and accounts."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker.domain import dates, permissions
from tracker.domain.choices import Role
from tracker.domain.folding import fold
from tracker.domain.permissions import EditedBy
from tracker.models.base import History, Natural, NaturalManager, Versioned, text_field


def folded_lines(*texts: str) -> str:
    """Return the lines of some texts, each folded."""
    lines: list[str] = []
    for text in texts:
        lines += text.splitlines()
    return "\n".join(fold(line) for line in lines)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Units, in official order by default."""

    def named(self, text: str) -> "Organization | None":
        """Return the unit of a name, short name or alias; None where no unit or several have it."""
        units = self._with_name(fold(text))
        # A unit that has taken the place of another has its name as an alias.
        units = [unit for unit in units if unit.active] or units
        if len(units) > 1:
            # Older names may differ by capitals alone: the one that is written exactly so.
            units = [unit for unit in units if text.strip() in unit.all_names()]
        if len(units) == 1:
            return units[0]
        return None

    def _with_name(self, folded: str) -> "list[Organization]":
        if not folded:
            return []
        return [unit for unit in self if folded in map(fold, unit.all_names())]

    def folded_names(self) -> dict[int, str]:
        """Return all names of each unit by its key, folded, one a line; one query."""
        rows = self.values_list("pk", "name", "short_name", "aliases")
        found = {}
        for key, *names in rows:
            found[key] = folded_lines(*names)
        return found


class Organization(Versioned, Natural):
    """A bureau, county or office that leads tasks or co-operates in them."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    short_name = models.CharField(_("short name"), max_length=30, unique=True)
    aliases = text_field(_("aliases"), help_text=_("Other names in use, one a line."))
    contact_email = models.EmailField(
        _("contact e-mail"),
        blank=True,
        help_text=_("Gets the reminders where no liaison of the unit has an e-mail."),
    )
    order = models.PositiveIntegerField(_("official order"), default=1000)
    active = models.BooleanField(_("in office"), default=True)

    objects = NaturalManager.from_queryset(OrganizationQuerySet)()
    history = History()
    natural_lookups = ("name",)

    edited_by = EditedBy.UNIT_MANAGERS
    belongs_to_task = None
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        ordering = ("order", "pk")

    def __str__(self) -> str:
        return self.short_name

    def clean(self) -> None:
        # A unit that is out of office keeps its names; the unit in its place has them as aliases.
        others = Organization.objects.none()
        if self.active:
            others = Organization.objects.exclude(pk=self.pk).filter(active=True)
        taken: dict[str, Organization] = {}
        for unit in others:
            for name in unit.all_names():
                taken[fold(name)] = unit
        if self.pk:
            kept = Organization.objects.filter(pk=self.pk).first()
        else:
            kept = None
        for name in self.all_names():
            # A name that the unit has already stays, whatever an earlier release has let in
            # beside it.
            new = kept is None or name not in kept.all_names()
            if new and fold(name) in taken:
                raise ValidationError(
                    _(
                        "“%(name)s” is already a name of the unit %(unit)s; a name can belong to "
                        "only one unit."
                    ),
                    params={"name": name, "unit": taken[fold(name)].name},
                )

    @property
    def label(self) -> str:
        """Return the short name, and beside it that the unit is out of office."""
        if self.active:
            return self.short_name
        return str(_("%(unit)s (inactive)") % {"unit": self.short_name})

    def all_names(self) -> list[str]:
        """Return every name by which people know the unit."""
        aliases = (line.strip() for line in self.aliases.splitlines())
        return [self.name, self.short_name, *(alias for alias in aliases if alias)]


class AccountManager(UserManager):
    """Find accounts by their name."""

    def get_by_natural_key(self, username: str | None) -> Any:
        return self.get(username=username)

    def reporting(self) -> models.QuerySet:
        """Return the accounts that report for a unit."""
        return self.filter(is_active=True, is_liaison=True)

    def reviewing(self) -> models.QuerySet:
        """Return the accounts of the office that reviews."""
        return self.filter(is_active=True, is_supervisor=True)

    def with_excluding_roles(self) -> models.QuerySet:
        """Return the accounts that are supervisor and administrator at once."""
        return self.filter(is_supervisor=True, is_administrator=True)


class User(AbstractUser, Versioned):
    """An account: a person's way in, with roles and, for a liaison, a unit."""

    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="accounts",
        verbose_name=_("unit"),
    )
    is_supervisor = models.BooleanField(Role.SUPERVISOR.label, default=False)
    is_liaison = models.BooleanField(Role.LIAISON.label, default=False)
    is_leader = models.BooleanField(Role.LEADER.label, default=False)
    is_administrator = models.BooleanField(Role.ADMINISTRATOR.label, default=False)
    must_change_password = models.BooleanField(
        _("must choose a new password"),
        default=False,
        help_text=_(
            "Set whenever somebody else sets the password; asked for before anything else."
        ),
    )

    # Who set the password, in words, when it was not the person; empty: the person, or a command.
    password_set_by = models.CharField(
        _("password set by"), max_length=200, blank=True, editable=False
    )
    password_set_at = models.DateTimeField(
        _("password set by somebody else on"), null=True, blank=True, editable=False
    )

    objects: ClassVar[AccountManager] = AccountManager()  # type: ignore[assignment]
    # A log-in is no change of the account, and a password's hash belongs in one place only.
    history = History(excluded_fields=["password", "last_login"])

    edited_by = EditedBy.ACCOUNT_MANAGERS
    belongs_to_task = None
    fixture_policy_lookup = None
    derives_tasks_by = None

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ("username",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(is_liaison=False) | models.Q(organization__isnull=False),
                name="liaison_has_unit",
                violation_error_message=_("A liaison belongs to a unit: choose one."),
            ),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def clean(self) -> None:
        super().clean()
        self.check_roles()

    def check_roles(self) -> None:
        """Raise ValidationError if the account newly gets two roles that exclude each other."""
        if (
            not permissions.roles_exclude_each_other(self)
            or self in User.objects.with_excluding_roles()
        ):
            return
        raise ValidationError(
            _(
                "An account cannot be both supervisor and administrator: account managers must not "
                "edit policies."
            )
        )

    def set_password(self, raw_password: str | None) -> None:
        """Set a password for one log-in; `workflow.choose_password` sets one's own."""
        super().set_password(raw_password)
        self.must_change_password = True
        self.password_set_by = ""
        self.password_set_at = dates.now()

    @property
    def roles(self) -> list[Role]:
        """Return the roles of the account."""
        found = []
        for role in Role:
            if getattr(self, f"is_{role}"):
                found.append(role)
        return found

    def get_absolute_url(self) -> str:
        return reverse("admin:tracker_user_change", args=[self.pk])

    def natural_key(self) -> tuple[Any, ...]:
        """Return what names this account in a fixture."""
        return (self.username,)
