"""A record of the past calls its unit and its people as they were called then."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.conftest import TODAY
from tests.excel.conftest import english, fill, fresh, handed_over, landed, sent
from tests.views.conftest import browser, office, stranger
from tests.workflow.test_reports import JUNE, accepted, hand_in, helper, task, write
from tracker import workflow
from tracker.domain.choices import Action, ChangeSource
from tracker.models import (
    BackgroundPassage,
    ImportBatch,
    Indicator,
    IndicatorValue,
    Organization,
    PolicyDocument,
    ProgressUpdate,
    Task,
    TaskRequest,
    User,
)
from tracker.workflow import ChangeContext

__all__ = ["browser", "english", "handed_over", "helper", "office", "stranger", "task"]


def rename(unit: Organization, *people: User) -> None:
    """Give a unit and people other names."""
    stored = Organization.objects.get(pk=unit.pk)
    stored.name, stored.short_name = "Renamed Bureau", "Renamed"
    workflow.save_object(stored, ChangeContext(None, ChangeSource.COMMAND))
    for person in people:
        User.objects.filter(pk=person.pk).update(first_name="Somebody", last_name="Else")


def names(record: Any) -> list[str]:
    record = type(record).objects.get(pk=record.pk)
    return [record.name_of(name) for name in record.named]


def page(client: Client, name: str, *arguments: Any) -> str:
    return client.get(reverse(name, args=arguments)).content.decode()


def test_a_report_keeps_the_names_of_unit_author_and_reviewer(
    task: Task,
    unit_act: ChangeContext,
    act: ChangeContext,
    bureau: Organization,
    liaison: User,
    supervisor: User,
) -> None:
    report = accepted(task, unit_act, act)
    rename(bureau, liaison, supervisor)
    assert names(report) == ["Science", "liaison", "supervisor"]


def test_a_report_that_is_accepted_after_a_renaming_keeps_the_name_of_the_day_of_handing_in(
    task: Task, unit_act: ChangeContext, act: ChangeContext, bureau: Organization
) -> None:
    report = hand_in(task, unit_act)
    rename(bureau)
    workflow.accept(report, act, report.version, TODAY)
    assert names(report)[0] == "Science"


def test_a_draft_takes_the_name_of_the_day_on_which_it_is_handed_in(
    task: Task, unit_act: ChangeContext, bureau: Organization
) -> None:
    report = write(task, unit_act)
    rename(bureau)
    workflow.submit(ProgressUpdate.objects.get(pk=report.pk), unit_act, TODAY)
    assert names(report)[0] == "Renamed"


def test_a_report_that_is_handed_in_anew_takes_the_name_of_that_day(
    task: Task, unit_act: ChangeContext, act: ChangeContext, bureau: Organization
) -> None:
    report = hand_in(task, unit_act)
    workflow.send_back(report, act, report.version, "say more", TODAY)
    rename(bureau)
    workflow.submit(ProgressUpdate.objects.get(pk=report.pk), unit_act, TODAY)
    assert names(report)[0] == "Renamed"


def test_a_request_keeps_the_names_of_who_asked_and_who_decided(
    task: Task,
    unit_act: ChangeContext,
    act: ChangeContext,
    bureau: Organization,
    liaison: User,
    supervisor: User,
) -> None:
    later = {"deadline": TODAY.replace(year=2027), "reason": "more", "progress": "half"}
    workflow.execute_transition(task, Action.REQUEST_EXTENSION, unit_act, TODAY, **later)
    workflow.execute_transition(Task.objects.get(), Action.GRANT_EXTENSION, act, TODAY)
    rename(bureau, liaison, supervisor)
    assert names(TaskRequest.objects.get()) == ["liaison", "supervisor"]


def test_an_import_and_its_reports_keep_the_names_of_their_day(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    book = fresh(bureau)
    fill(book, "A1-01", percent_done=0.1, progress="words")
    batch = sent(book, liaison)
    landed(batch, liaison)
    rename(bureau, liaison)
    assert names(ImportBatch.objects.get()) == ["Science", "liaison", ""]
    assert names(ProgressUpdate.objects.get()) == ["Science", "liaison", ""]


def test_the_pages_show_the_names_of_that_day(
    task: Task,
    unit_act: ChangeContext,
    act: ChangeContext,
    bureau: Organization,
    county: Organization,
    helper: User,
    office: Client,
) -> None:
    report = hand_in(task, unit_act)
    other = write(task, ChangeContext(helper, ChangeSource.PAGE), unit=county)
    workflow.submit(other, ChangeContext(helper, ChangeSource.PAGE), TODAY)
    county.name, county.short_name = "Changed County", "Changed"
    county.save()
    rename(bureau)
    found = page(office, "review", report.pk)
    assert "Contribution of East" in " ".join(found.split())
    assert "Renamed" not in found.partition('class="titles"')[2]
    found = page(office, "task", task.policy.slug, task.code)
    reports = found[found.index(f'id="report-{report.pk}"') :]
    assert "· Science" in reports
    assert "Science" in page(office, "queue")


def upgrade() -> None:
    """Take the names away that records keep, and fill them as an upgrade does."""
    for model in (ProgressUpdate, TaskRequest, ImportBatch):
        model.objects.update(names={})
    migration = import_module("tracker.migrations.0019_names_of_their_day")
    migration.fill(apps, SimpleNamespace(connection=connection))


def test_an_upgrade_takes_the_names_of_their_day_from_the_history(
    task: Task,
    unit_act: ChangeContext,
    act: ChangeContext,
    bureau: Organization,
    liaison: User,
    supervisor: User,
) -> None:
    report = accepted(task, unit_act, act)
    later = {"deadline": TODAY.replace(year=2027), "reason": "more", "progress": "half"}
    workflow.execute_transition(
        Task.objects.get(), Action.REQUEST_EXTENSION, unit_act, TODAY, **later
    )
    rename(bureau, liaison, supervisor)
    upgrade()
    assert names(report) == ["Science", "liaison", "supervisor"]
    assert names(TaskRequest.objects.get()) == ["liaison", ""]


def test_an_upgrade_names_what_no_history_tells_as_of_today(
    handed_over: list[Task], bureau: Organization, liaison: User
) -> None:
    batch = sent(fresh(bureau), liaison)
    rename(bureau)
    upgrade()
    assert names(batch) == ["Renamed", "liaison", ""]


def test_a_record_that_was_laid_raw_goes_by_the_names_of_today(
    task: Task, bureau: Organization
) -> None:
    report = ProgressUpdate(task=task, unit=bureau, period_start=JUNE.start, period_end=JUNE.end)
    report.save_base(raw=True)
    rename(bureau)
    assert names(report)[0] == "Renamed"


def enter_value(task: Task, act: ChangeContext, person: User) -> IndicatorValue:
    """Let a person enter the first value of a new indicator."""
    indicator = Indicator.objects.create(task=task, name="figure", unit_of_measure="km", target=9)
    value = IndicatorValue(indicator=indicator, day=TODAY, value=1, entered_by=person)
    workflow.save_values(indicator, act, indicator.version, [value], [], today=TODAY)
    return value


def test_the_value_of_an_indicator_keeps_the_name_of_who_entered_it(
    task: Task, act: ChangeContext, bureau: Organization, supervisor: User, office: Client
) -> None:
    value = enter_value(task, act, supervisor)
    rename(bureau, supervisor)
    assert names(value) == ["supervisor"]
    assert "<td>supervisor</td>" in page(office, "task", task.policy.slug, task.code)


def test_a_mark_on_the_text_keeps_the_name_of_who_marked_it(
    policy: PolicyDocument, bureau: Organization, supervisor: User
) -> None:
    passage = BackgroundPassage.objects.create(policy=policy, anchor="words", marked_by=supervisor)
    rename(bureau, supervisor)
    assert names(passage) == ["supervisor"]


def test_an_upgrade_names_marks_and_values_from_the_history(
    task: Task, act: ChangeContext, bureau: Organization, supervisor: User
) -> None:
    value = enter_value(task, act, supervisor)
    passage = BackgroundPassage(policy=task.policy, anchor="words", marked_by=supervisor)
    workflow.save_object(passage, act)
    rename(bureau, supervisor)
    for model in (IndicatorValue, BackgroundPassage):
        model.objects.update(names={})
    migration = import_module("tracker.migrations.0020_names_of_values_and_marks")
    migration.fill(apps, SimpleNamespace(connection=connection))
    assert names(passage) == ["supervisor"]
    # The history never named who entered a value: the author of its last change.
    assert names(value) == ["supervisor"]
