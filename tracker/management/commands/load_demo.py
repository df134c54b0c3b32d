"""Lay a second policy to try things out on: the sample with deadlines, progress and every light.

Made relative to today from a fixed seed. Nothing of it is real, every page says so, and clearing
it touches no other policy.
"""

import base64
import datetime as dt
import random
from collections.abc import Callable, Iterator
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
from tracker.domain.dates import DAY, period_of, today
from tracker.forms.passwords import random_password
from tracker.models import (
    ChecklistItem,
    DeclaredCount,
    Evidence,
    Indicator,
    IndicatorValue,
    Measure,
    Organization,
    PolicyDocument,
    Section,
    Task,
    User,
)

SOURCE = "central-china-rise"
SLUG = "central-china-rise-demo"
SEED = 20241
# A picture of one white point: evidence that proves nothing, as its name says.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
)
FAULTY_TITLE = (
    "3-01"  # ends the code of tasks in which the health check finds a late step and copied words
)
ACCOUNTS = ("demo-supervisor", "demo-leader", "demo-liaison-1", "demo-liaison-2")

DemoFacts = dict[str, Any]
Story = Callable[[random.Random, dt.date], DemoFacts]


def _act() -> workflow.ChangeContext:
    """Mark what this command does in the history."""
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


# How the tasks fare, over and over in this order: mostly well, and every light and reason appears.
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
    """Lay the demonstration policy and its accounts, or take them away."""

    help = "Make the demonstration policy with every light, and accounts for a supervisor, a leader and two liaisons."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--clear", action="store_true", help=_("Take the demonstration away again.")
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        standing = PolicyDocument.objects.filter(slug=SLUG).first()
        if standing and not standing.demo:
            raise CommandError(
                _("“%(slug)s” is a policy of the office; nothing was touched.") % {"slug": SLUG}
            )
        if options["clear"]:
            self._clear(standing)
            return
        if standing:
            raise CommandError(
                _("The demonstration is there already; load_demo --clear takes it away.")
            )
        source = PolicyDocument.objects.filter(slug=SOURCE).first()
        if not source:
            raise CommandError(
                _("Load the sample policy first: loaddata organizations %(slug)s")
                % {"slug": SOURCE}
            )
        demo = _copy(
            source,
            slug=SLUG,
            title=_("%(title)s (demonstration)") % {"title": source.title},
            demo=True,
            state=PolicyState.PUBLISHED,
        )
        _lay_parts(source, demo, today())
        self.stdout.write(
            _("Demonstration policy laid: %(count)d tasks.") % {"count": demo.tasks.count()}
        )
        for user, password in _accounts(demo):
            values = {"name": user.username, "who": user.first_name, "password": password}
            self.stdout.write(
                _("Account %(name)s (%(who)s), password %(password)s, shown this once.") % values
            )

    def _clear(self, demo: PolicyDocument | None) -> None:
        for user in User.objects.filter(username__in=ACCOUNTS, is_active=True):
            user.is_active = False
            workflow.save_object(user, _act())
        if demo:
            for parts in (demo.counts, demo.background, demo.tasks, demo.measures, demo.sections):
                for part in parts.all():
                    for child in _children(part):
                        workflow.delete_object(child, _act())
                    workflow.delete_object(part, _act())
            workflow.delete_object(demo, _act())
        self.stdout.write(_("The demonstration is cleared; its history stays."))


def _children(part: Any) -> Iterator[Any]:
    """Yield what hangs on a task, what hangs on something else first: each leaves its history."""
    if not isinstance(part, Task):
        return
    yield from IndicatorValue.objects.filter(indicator__task=part)
    for name in ("evidence", "requests", "reports", "items", "indicators"):
        yield from getattr(part, name).all()


def _copy(row: Any, **facts: Any) -> Any:
    """Lay a copy of a row with some facts changed."""
    skipped = {"id", "version", "full_text", *facts}
    values = {}
    for field in row._meta.fields:
        if field.name not in skipped:
            values[field.name] = getattr(row, field.name)
    copy = type(row)(**{**values, **facts})
    workflow.save_object(copy, _act())
    return copy


def _lay_parts(source: PolicyDocument, demo: PolicyDocument, on: dt.date) -> None:
    dice = random.Random(SEED)  # noqa: S311 - the same demonstration everywhere, nothing secret
    sections: dict[int, Section] = {
        part.pk: _copy(part, policy=demo) for part in source.sections.all()
    }
    measures: dict[int, Measure] = {
        part.pk: _copy(part, policy=demo, section=sections[part.section_id])
        for part in source.measures.select_related("section")
    }
    stories = cycle(STORIES)
    measured = cycle((True, False, False))
    tasks = {
        task.pk: _lay_task(task, demo, measures[task.measure_id], stories, measured, dice, on)
        for task in source.tasks.prefetch_related("items", "co_units").order_by("measure", "code")
    }
    for count in DeclaredCount.objects.filter(policy=source):
        section = sections.get(count.section_id or 0)
        task = tasks.get(count.task_id or 0)
        _copy(count, policy=demo, section=section, task=task)
    for passage in source.background.all():
        _copy(passage, policy=demo)


def _lay_task(
    task: Task,
    demo: PolicyDocument,
    measure: Measure,
    stories: Iterator[Story],
    measured: Iterator[bool],
    dice: random.Random,
    on: dt.date,
) -> Task:
    told = (
        "code",
        "title",
        "description",
        "anchor",
        "kind",
        "lead_unit",
        "lead_official",
        "responsible_person",
    )
    facts = {
        "status": Status.IN_PROGRESS,
        "assigned_on": on - 210 * DAY,
        # Reported for this month already; the stories of silence say otherwise.
        "reported_through": period_of(Cycle.MONTHLY, on).end,
        **next(stories)(dice, on),
    }
    through = facts.pop("reported_through")
    percent = facts.pop("percent")
    status = facts["status"]
    ended = facts.pop("closed_on", None) or facts.pop("closing_requested_on", None)
    if ended:
        facts["status"] = Status.IN_PROGRESS
    copy = Task(
        policy=demo, measure=measure, **{name: getattr(task, name) for name in told}, **facts
    )
    copy.remark = _("demonstration data")
    if dice.random() < 0.9:
        copy.acknowledged_on = on - 205 * DAY
    if copy.kind == Kind.STANDING:
        copy.deadline = None
    items = [
        ChecklistItem(number=item.number, title=item.title, anchor=item.anchor, weight=item.weight)
        for item in task.items.all()
    ]
    for number, item in enumerate(
        items[: len(items) if ended else round(len(items) * percent / 100)]
    ):
        item.done_on = (ended or on) - (60 - number) * DAY
    if items and copy.deadline and task.code.endswith(FAULTY_TITLE):
        items[-1].due = copy.deadline + 10 * DAY
    if copy.kind == Kind.QUANTIFIED and not items and next(measured):
        indicators = _indicators(copy)
    else:
        indicators = []
    workflow.save_task(
        copy, _act(), co_units=task.co_units.all(), items=[*items, *indicators], today=on
    )
    if copy.status == Status.IN_PROGRESS:
        _report(
            copy,
            percent,
            min(through, period_of(Cycle.MONTHLY, ended).end) if ended else through,
            dice,
            ended or on,
        )
        _end(copy, status, ended, on) if ended else _ask(copy, dice, on)
    return copy


def _indicators(task: Task) -> list[Indicator]:
    """Invent two indicators.

    A hundred steps from baseline to target, so that a percent is a number of steps.
    """
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
    """Say of each indicator how far it is when a task is done to a percent."""
    found = []
    for each in task.indicators.all():
        if each.baseline is not None:
            found.append(each.figure(each.baseline + (each.target - each.baseline) * percent / 100))
    return found


def _report(
    task: Task, percent: int, through: dt.date, dice: random.Random, last_day: dt.date
) -> None:
    """Report the two latest periods, the last one with every outcome of a review."""
    latest = period_of(Cycle.MONTHLY, through)
    own = workflow.has_own_percent(task)
    # What is closed has been reviewed; what was silent for long has too.
    current = last_day == today() and latest.start <= last_day <= latest.end
    if current:
        outcome = dice.choices(("accept", "wait", "return"), (7, 3, 1))[0]
    else:
        outcome = "accept"
    for period in (period_of(Cycle.MONTHLY, latest.start - DAY), latest):
        day = min(period.end, last_day)
        report = workflow.open_report(task, task.lead_unit, period)  # type: ignore[arg-type]
        if own:
            report.percent = percent
        else:
            report.percent = None
        report.figures = _figures(task, percent if period is latest else max(0, percent - 2))
        if task.code.endswith(FAULTY_TITLE):
            month = latest
        else:
            month = period
        report.progress = _("Demonstration: %(task)s goes on as planned in %(month)s.") % {
            "task": task.title,
            "month": month.start.strftime("%Y-%m"),
        }
        report.next_steps = _("Demonstration: the next step follows in the coming month.")
        if period is latest and outcome == "wait" and dice.random() < 0.4:
            report.problems = _("Demonstration: land for the project is not yet approved.")
            report.needs_help = True
            report.help_addressee = _("the supervision office")
        proof = Evidence(
            name=_("demonstration.png"), file=ContentFile(PIXEL, "pixel"), size=len(PIXEL)
        )
        workflow.save_draft(
            report, _act(), evidence=[proof] if dice.random() < 0.5 else (), today=day
        )
        workflow.submit(report, _act(), day)
        report.refresh_from_db()
        if period is latest and outcome == "return":
            note = _("Demonstration: figures and dates are missing.")
            workflow.send_back(report, _act(), report.version, note, day)
        elif period is not latest or outcome == "accept":
            workflow.accept(report, _act(), report.version, day)


def _end(task: Task, status: Status, day: dt.date, on: dt.date) -> None:
    """Close a task as its story says: asked for by its unit, and granted some days later."""
    rating = Rating.GOOD
    words = _("Demonstration: all that was asked for is done.")
    if task.kind == Kind.STANDING:
        if status == Status.CLOSED:
            workflow.execute_transition(
                task, Action.CLOSE, _act(), day, on=day, rating=rating, note=words
            )
        return
    proof = Evidence(name=_("demonstration.png"), file=ContentFile(PIXEL, "pixel"), size=len(PIXEL))
    workflow.execute_transition(
        task, Action.REQUEST_CLOSING, _act(), day, reason=words, evidence=[proof]
    )
    if status == Status.CLOSED:
        workflow.execute_transition(
            task, Action.GRANT_CLOSING, _act(), min(day + 3 * DAY, on), rating=rating, note=words
        )


def _ask(task: Task, dice: random.Random, on: dt.date) -> None:
    """Let some tasks have got more time, and some ask for it."""
    luck = dice.random()
    if not task.deadline or task.deadline < on or luck > 0.15:
        return
    words = _("Demonstration: heavy rain delayed the work.")
    later = task.deadline + 45 * DAY
    if luck < 0.1:
        day = on - 10 * DAY
    else:
        day = on
    workflow.execute_transition(
        task,
        Action.REQUEST_EXTENSION,
        _act(),
        day,
        deadline=later,
        reason=words,
        progress=_("Demonstration: well under way."),
    )
    if luck < 0.1:
        workflow.execute_transition(task, Action.GRANT_EXTENSION, _act(), on - 8 * DAY)


def _accounts(demo: PolicyDocument) -> Iterator[tuple[User, str]]:
    """Make or wake the accounts of a supervisor, a leader and the liaisons of the two busiest
    units.
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
        workflow.save_object(user, _act())
        yield user, password


def _account_name(user: User) -> str:
    """Say whom an account of the demonstration stands for."""
    if user.organization:
        return _("liaison of %(unit)s (demo)") % {"unit": user.organization}
    if user.is_supervisor:
        return _("supervisor (demo)")
    return _("leader (demo)")
