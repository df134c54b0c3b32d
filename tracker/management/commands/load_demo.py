"""Make a demonstration policy: the sample with deadlines, progress and every light.

Made relative to today from a fixed seed. Nothing of it is real, every page says so, and clearing
it touches no other policy.
"""

import base64
import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from typing import Any

from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from tracker import workflow
from tracker.domain.choices import (
    Action,
    ChangeSource,
    Cycle,
    Direction,
    Kind,
    PolicyState,
    Rating,
    Status,
)
from tracker.domain.dates import DAY, Period, period_of, today
from tracker.forms.passwords import random_password
from tracker.models import (
    ChecklistItem,
    DeclaredCount,
    Evidence,
    Indicator,
    Measure,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Section,
    Task,
    User,
)
from tracker.models.declarations import declared_lookups, referring_first

SOURCE = "central-china-rise"
SLUG = "central-china-rise-demo"
SEED = 20241
# A picture of one white point: evidence that proves nothing, as its name says.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
)
# Ends the code of tasks in which the health check finds a late step and a repeated text.
FAULTY_TITLE = "3-01"
ACCOUNTS = ("demo-supervisor", "demo-leader", "demo-liaison-1", "demo-liaison-2")

COPIED_FIELDS = (
    "code",
    "title",
    "description",
    "anchor",
    "kind",
    "lead_unit",
    "lead_official",
    "responsible_person",
)

DemoFacts = dict[str, Any]
Story = Callable[[random.Random, dt.date], DemoFacts]


def _context() -> workflow.ChangeContext:
    """Return what the history says of the changes that this command makes."""
    return workflow.ChangeContext(None, ChangeSource.COMMAND, _("demonstration data"))


def _span(on: dt.date, passed: float, days: int) -> DemoFacts:
    """Return start and deadline so that a share of the days between them has passed."""
    start = on - round(days * passed) * DAY
    return {"start": start, "deadline": start + days * DAY}


def _on_course(dice: random.Random, on: dt.date) -> DemoFacts:
    passed = dice.uniform(0.2, 0.7)
    return {
        **_span(on, passed, 300),
        "percent": min(100, round(100 * passed) + dice.randint(-4, 12)),
    }


def _behind(points: int) -> Story:
    def story(dice: random.Random, on: dt.date) -> DemoFacts:
        passed = dice.uniform(0.5, 0.7)
        return {
            **_span(on, passed, 300),
            "percent": round(100 * passed) - points - dice.randint(0, 6),
        }

    return story


def _due_soon(dice: random.Random, on: dt.date) -> DemoFacts:
    left = dice.randint(1, 6)
    return {"start": on - 200 * DAY, "deadline": on + left * DAY, "percent": 95}


def _overdue(dice: random.Random, on: dt.date) -> DemoFacts:
    return {
        "start": on - 200 * DAY,
        "deadline": on - dice.randint(3, 25) * DAY,
        "percent": dice.randint(60, 90),
    }


def _turning(dice: random.Random, on: dt.date) -> DemoFacts:
    return {"start": on - 200 * DAY, "deadline": on + dice.randint(9, 28) * DAY, "percent": 92}


def _unreported(months: int) -> Story:
    def story(dice: random.Random, on: dt.date) -> DemoFacts:
        # The last period reported lies so far back that `months` periods are past their grace.
        day = on - 5 * DAY
        for _month in range(months + 1):
            day = period_of(Cycle.MONTHLY, day).start - DAY
        return {**_on_course(dice, on), "reported_through": day}

    return story


def _closed(late: int) -> Story:
    def story(dice: random.Random, on: dt.date) -> DemoFacts:
        deadline = on - dice.randint(20, 80) * DAY
        closed = deadline + late * DAY
        return {
            "start": on - 220 * DAY,
            "deadline": deadline,
            "status": Status.CLOSED,
            "closed_on": closed,
            "percent": 100,
        }

    return story


def _closing(dice: random.Random, on: dt.date) -> DemoFacts:
    asked = on - dice.randint(2, 9) * DAY
    facts = {"start": on - 200 * DAY, "deadline": asked + 10 * DAY, "percent": 100}
    return {**facts, "status": Status.CLOSING, "closing_requested_on": asked}


def _idle(status: Status) -> Story:
    def story(dice: random.Random, on: dt.date) -> DemoFacts:
        return {
            "start": on + 10 * DAY,
            "deadline": on + dice.randint(150, 320) * DAY,
            "status": status,
            "percent": 0,
        }

    return story


# What happens to the tasks, repeated in this order: mostly well, and every light and cause appears.
STORIES: tuple[Story, ...] = (
    _on_course,
    _closed(-9),
    _behind(12),
    _on_course,
    _overdue,
    _turning,
    _on_course,
    _closed(6),
    _due_soon,
    _on_course,
    _unreported(1),
    _idle(Status.NOT_STARTED),
    _on_course,
    _behind(31),
    _closed(-20),
    _closing,
    _on_course,
    _unreported(2),
    _idle(Status.SUSPENDED),
    _turning,
    _closed(-2),
    _on_course,
    _idle(Status.CANCELLED),
)


class Command(BaseCommand):
    """Make the demonstration policy and its accounts, or take them away."""

    help = (
        "Make the demonstration policy with every light, and accounts for a supervisor, a leader "
        "and two liaisons."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--clear", action="store_true", help=_("Remove the demonstration data.")
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        standing = PolicyDocument.objects.filter(slug=SLUG).first()
        if standing and not standing.demo:
            raise CommandError(
                _("“%(slug)s” is a policy of the office; nothing was changed.") % {"slug": SLUG}
            )
        if options["clear"]:
            self._clear(standing)
            return
        if standing:
            raise CommandError(
                _("The demonstration data already exists; load_demo --clear removes it.")
            )
        source = PolicyDocument.objects.filter(slug=SOURCE).first()
        if not source:
            raise CommandError(
                _("Load the sample policy first: loaddata organizations %(slug)s")
                % {"slug": SOURCE}
            )
        demo = _copy_row(
            source,
            slug=SLUG,
            title=_("%(title)s (demonstration)") % {"title": source.title},
            demo=True,
            state=PolicyState.PUBLISHED,
        )
        _copy_parts(source, demo, today())
        self.stdout.write(
            _("Demonstration policy created: %(count)d tasks.") % {"count": demo.tasks.count()}
        )
        for user, password in _accounts(demo):
            values = {"name": user.username, "who": user.first_name, "password": password}
            self.stdout.write(
                _("Account %(name)s (%(who)s), password %(password)s, shown only once.") % values
            )

    def _clear(self, demo: PolicyDocument | None) -> None:
        for user in User.objects.filter(username__in=ACCOUNTS, is_active=True):
            user.is_active = False
            workflow.save_object(user, _context())
        if demo:
            for part in _parts_of(demo):
                workflow.delete_object(part, _context())
            workflow.delete_object(demo, _context())
        self.stdout.write(_("The demonstration data was removed; its history is kept."))


def _parts_of(policy: PolicyDocument) -> Iterator[Any]:
    """Yield the parts of a policy, each after those that refer to it: each leaves its history."""
    lookups = declared_lookups("fixture_policy_lookup")
    models = [model for model, lookup in lookups.items() if lookup == "policy_id"]
    for model in referring_first(models):
        for part in model.objects.filter(policy=policy):
            if isinstance(part, Task):
                yield from _parts_of_task(part)
            yield part


def _parts_of_task(task: Task) -> Iterator[Any]:
    lookups = declared_lookups("belongs_to_task")
    for model in referring_first(list(lookups)):
        yield from model._default_manager.filter(**{lookups[model]: task})


def _copy_row(row: Any, **changes: Any) -> Any:
    """Save a copy of a row with some fields changed."""
    skipped = {"id", "version", "full_text", *changes}
    values = {}
    for field in row._meta.fields:
        if field.name not in skipped:
            values[field.name] = getattr(row, field.name)
    copy = type(row)(**values, **changes)
    workflow.save_object(copy, _context())
    return copy


def _copy_parts(source: PolicyDocument, demo: PolicyDocument, on: dt.date) -> None:
    sections: dict[int, Section] = {}
    for section in source.sections.all():
        sections[section.pk] = _copy_row(section, policy=demo)
    measures: dict[int, Measure] = {}
    for measure in source.measures.select_related("section"):
        section = sections[measure.section_id]
        measures[measure.pk] = _copy_row(measure, policy=demo, section=section)
    tasks: dict[int, Task] = {}
    task_maker = _TaskMaker(demo, on)
    for task in source.tasks.prefetch_related("items", "co_units").order_by("measure", "code"):
        tasks[task.pk] = task_maker.copy_task(task, measures[task.measure_id])
    for count in DeclaredCount.objects.filter(policy=source):
        targets = {
            "section": sections.get(count.section_id or 0),
            "task": tasks.get(count.task_id or 0),
        }
        _copy_row(count, policy=demo, **targets)
    for passage in source.background.all():
        _copy_row(passage, policy=demo)


@dataclass
class _TaskHistory:
    """What a story says of a task: how far it is, until when it was reported, how it ended."""

    percent: int
    reported_through: dt.date
    status: Status
    ended_on: dt.date | None


class _TaskMaker:
    """Copies tasks into the demonstration, and gives each the next story."""

    def __init__(self, demo: PolicyDocument, on: dt.date) -> None:
        self._demo = demo
        self._on = on
        # The same demonstration everywhere, nothing secret.
        self._dice = random.Random(SEED)  # noqa: S311
        self._stories = cycle(STORIES)
        self._measured = cycle((True, False, False))

    def copy_task(self, task: Task, measure: Measure) -> Task:
        """Save a copy of a task with the checklist, reports and requests of the next story."""
        facts = {
            "status": Status.IN_PROGRESS,
            "assigned_on": self._on - 210 * DAY,
            # Reported for this month already; the stories of missing reports say otherwise.
            "reported_through": period_of(Cycle.MONTHLY, self._on).end,
            **next(self._stories)(self._dice, self._on),
        }
        history = _TaskHistory(
            percent=facts.pop("percent"),
            reported_through=facts.pop("reported_through"),
            status=facts["status"],
            ended_on=facts.pop("closed_on", None) or facts.pop("closing_requested_on", None),
        )
        if history.ended_on:
            facts["status"] = Status.IN_PROGRESS
        copy = Task(policy=self._demo, measure=measure, **facts)
        for name in COPIED_FIELDS:
            setattr(copy, name, getattr(task, name))
        copy.remark = _("demonstration data")
        if self._dice.random() < 0.9:
            copy.acknowledged_on = self._on - 205 * DAY
        if copy.kind == Kind.STANDING:
            copy.deadline = None
        self._save(task, copy, history)
        if copy.status == Status.IN_PROGRESS:
            self._report(copy, history)
            self._request(copy, history)
        return copy

    def _save(self, task: Task, copy: Task, history: _TaskHistory) -> None:
        """Save a copied task with its checklist and, some of them, with indicators."""
        parts: list[Any] = self._items(task, copy, history)
        if copy.kind == Kind.QUANTIFIED and not parts and next(self._measured):
            parts = _indicators(copy)
        units = task.co_units.all()
        workflow.save_task(copy, _context(), co_units=units, items=parts, today=self._on)

    def _items(self, task: Task, copy: Task, history: _TaskHistory) -> list[ChecklistItem]:
        """Return copies of the steps of a task, ticked as far as its percent says."""
        items = []
        for step in task.items.all():
            item = ChecklistItem(number=step.number, title=step.title)
            item.anchor = step.anchor
            item.weight = step.weight
            items.append(item)
        ticked = len(items)
        if not history.ended_on:
            ticked = round(len(items) * history.percent / 100)
        last_day = history.ended_on or self._on
        for number, item in enumerate(items[:ticked]):
            item.done_on = last_day - (60 - number) * DAY
        if items and copy.deadline and task.code.endswith(FAULTY_TITLE):
            items[-1].due = copy.deadline + 10 * DAY
        return items

    def _report(self, task: Task, history: _TaskHistory) -> None:
        """Report the two latest periods, the last one with every outcome of a review."""
        last_day = history.ended_on or self._on
        through = history.reported_through
        if history.ended_on:
            through = min(through, period_of(Cycle.MONTHLY, last_day).end)
        latest = period_of(Cycle.MONTHLY, through)
        earlier = period_of(Cycle.MONTHLY, latest.start - DAY)
        # What is closed has been reviewed; what was not reported for long has been too.
        outcome = "accept"
        if last_day == today() and latest.start <= last_day <= latest.end:
            outcome = self._dice.choices(("accept", "wait", "return"), (7, 3, 1))[0]
        report = _draft(task, earlier, history.percent, max(0, history.percent - 2))
        if task.code.endswith(FAULTY_TITLE):
            report.progress = _progress_text(task, latest)
        self._submit(report, "accept", min(earlier.end, last_day))
        report = _draft(task, latest, history.percent, history.percent)
        self._submit(report, outcome, min(latest.end, last_day))

    def _submit(self, report: ProgressUpdate, outcome: str, day: dt.date) -> None:
        """Hand a report in, and review it unless it is to wait."""
        if outcome == "wait" and self._dice.random() < 0.4:
            report.problems = _("Demonstration: land for the project is not yet approved.")
            report.needs_help = True
            report.help_addressee = _("the supervision office")
        evidence = []
        if self._dice.random() < 0.5:
            evidence.append(_evidence())
        workflow.save_draft(report, _context(), evidence=evidence, today=day)
        workflow.submit(report, _context(), day)
        report.refresh_from_db()
        if outcome == "return":
            note = _("Demonstration: figures and dates are missing.")
            workflow.send_back(report, _context(), report.version, note, day)
        elif outcome == "accept":
            workflow.accept(report, _context(), report.version, day)

    def _request(self, task: Task, history: _TaskHistory) -> None:
        """Request closing or more time, as the story of a task says."""
        if not history.ended_on:
            self._request_more_time(task)
        elif task.kind != Kind.STANDING:
            self._request_closing(task, history.status, history.ended_on)
        elif history.status == Status.CLOSED:
            day = history.ended_on
            facts: DemoFacts = {"on": day, "rating": Rating.GOOD, "note": _closing_text()}
            workflow.execute_transition(task, Action.CLOSE, _context(), day, **facts)

    def _request_closing(self, task: Task, status: Status, day: dt.date) -> None:
        """Request the closing of a task, and grant it some days later where it ends closed."""
        facts: DemoFacts = {"reason": _closing_text(), "evidence": [_evidence()]}
        workflow.execute_transition(task, Action.REQUEST_CLOSING, _context(), day, **facts)
        if status == Status.CLOSED:
            day = min(day + 3 * DAY, self._on)
            facts = {"rating": Rating.GOOD, "note": _closing_text()}
            workflow.execute_transition(task, Action.GRANT_CLOSING, _context(), day, **facts)

    def _request_more_time(self, task: Task) -> None:
        """Request more time for some tasks, and grant it to most of these."""
        luck = self._dice.random()
        if not task.deadline or task.deadline < self._on or luck > 0.15:
            return
        granted = luck < 0.1
        day = self._on
        if granted:
            day = self._on - 10 * DAY
        facts: DemoFacts = {
            "deadline": task.deadline + 45 * DAY,
            "reason": _("Demonstration: heavy rain delayed the work."),
            "progress": _("Demonstration: well under way."),
        }
        workflow.execute_transition(task, Action.REQUEST_EXTENSION, _context(), day, **facts)
        if granted:
            day = self._on - 8 * DAY
            workflow.execute_transition(task, Action.GRANT_EXTENSION, _context(), day)


def _indicators(task: Task) -> list[Indicator]:
    """Return two invented indicators, not saved; a percent is a round value of both."""
    term: DemoFacts = {"baseline_on": task.start, "target_on": task.deadline}
    rising = Indicator(
        name=_("Demonstration: projects finished"),
        unit_of_measure=_("projects"),
        baseline=Decimal(20),
        target=Decimal(120),
        drives_percent=True,
        **term,
    )
    falling = Indicator(
        name=_("Demonstration: average time to approve a project"),
        unit_of_measure=_("days"),
        direction=Direction.DOWN,
        baseline=Decimal(30),
        target=Decimal(20),
        order=2,
        **term,
    )
    return [rising, falling]


def _figures(task: Task, percent: int) -> list[DemoFacts]:
    """Return the figure of each indicator at which its task is done to a percent."""
    figures = []
    for indicator in task.indicators.all():
        if indicator.baseline is not None:
            way = indicator.target - indicator.baseline
            figures.append(indicator.figure(indicator.baseline + way * percent / 100))
    return figures


def _draft(task: Task, period: Period, percent: int, figures_percent: int) -> ProgressUpdate:
    """Return a report of a period, not saved; its figures are those of `figures_percent`."""
    report = workflow.open_report(task, task.lead_unit, period)  # type: ignore[arg-type]
    report.percent = None
    if workflow.has_own_percent(task):
        report.percent = percent
    report.figures = _figures(task, figures_percent)
    report.progress = _progress_text(task, period)
    report.next_steps = _("Demonstration: the next step follows in the coming month.")
    return report


def _progress_text(task: Task, period: Period) -> str:
    return _("Demonstration: %(task)s continues as planned in %(month)s.") % {
        "task": task.title,
        "month": period.start.strftime("%Y-%m"),
    }


def _closing_text() -> str:
    return _("Demonstration: all requirements are met.")


def _evidence() -> Evidence:
    return Evidence(name=_("demonstration.png"), file=ContentFile(PIXEL, "pixel"), size=len(PIXEL))


def _accounts(demo: PolicyDocument) -> Iterator[tuple[User, str]]:
    """Save accounts of a supervisor, a leader and liaisons of the two busiest units.

    Yields each with its password.
    """
    units = (
        Organization.objects.filter(led_tasks__policy=demo)
        .annotate(n=Count("led_tasks"))
        .order_by("-n", "order")
    )
    for name, unit in zip(ACCOUNTS, (None, None, *units[:2]), strict=False):
        user = User.objects.filter(username=name).first() or User(username=name)
        user.organization = unit
        user.is_liaison = bool(unit)
        user.is_active = True
        user.is_supervisor = name == "demo-supervisor"
        user.is_leader = name == "demo-leader"
        user.first_name = _account_name(user)
        password = random_password()
        user.set_password(password)
        workflow.save_object(user, _context())
        yield user, password


def _account_name(user: User) -> str:
    """Return the name of an account of the demonstration."""
    if user.organization:
        return _("liaison of %(unit)s (demo)") % {"unit": user.organization}
    if user.is_supervisor:
        return _("supervisor (demo)")
    return _("leader (demo)")
