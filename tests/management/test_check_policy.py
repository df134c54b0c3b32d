"""`check_policy`: what is a fault, what is merely open, and how both are said."""

import datetime as dt
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from tests.factories import make_policy, make_task
from tests.prepared_rows import store_sample
from tracker.domain.choices import Kind, Status
from tracker.models import (
    BackgroundPassage,
    ChecklistItem,
    DeclaredCount,
    Measure,
    Organization,
    PolicyDocument,
)
from tracker.reports.health_check import run_checkup

TEXT = "标题\n第一部分，修路。天气很好。\n第二部分，架桥。\n(来源)\n"


@pytest.fixture
def anchored(policy: PolicyDocument) -> PolicyDocument:
    """Give every passage of TEXT an anchor or mark it as background."""
    policy.sections.filter(number=1).update(anchor="第一部分")
    policy.sections.filter(number=2).update(anchor="第二部分")
    policy.measures.filter(code="A1").update(anchor="修路")
    make_task(policy, "B1-01", anchor="架桥")
    BackgroundPassage.objects.create(policy=policy, anchor="天气", marked_on=dt.date(2026, 6, 1))
    return policy


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def check(slug: str = "rise", text: Path | None = None) -> str:
    """Run the command in English; its output if it ends well."""
    out = StringIO()
    with override("en"):
        call_command("check_policy", slug, *(["--text", str(text)] if text else []), stdout=out)
    return out.getvalue()


def faults(slug: str = "rise", text: Path | None = None) -> str:
    """Run the command in English; its output if it finds faults."""
    out = StringIO()
    with override("en"), pytest.raises(CommandError, match="Errors"):
        call_command("check_policy", slug, *(["--text", str(text)] if text else []), stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_an_unknown_policy_is_an_error() -> None:
    with pytest.raises(CommandError, match="nowhere"):
        check("nowhere")


def test_measures_are_counted_per_section_and_general_ones_apart(policy: PolicyDocument) -> None:
    Measure.objects.create(
        policy=policy, section=policy.sections.get(number=1), code="A0", name="All", general=True
    )
    assert "Measures: 1 + 1 = 2; general demands, not counted: 1." in check()


def test_a_declared_count_that_holds_is_no_fault(policy: PolicyDocument) -> None:
    DeclaredCount.objects.create(
        policy=policy, name="First", number=1, section=policy.sections.get(number=1)
    )
    assert "ok  First: declared 1, found 1" in check()


def test_a_declared_count_that_does_not_hold_is_a_fault(policy: PolicyDocument) -> None:
    DeclaredCount.objects.create(
        policy=policy, name="First", number=7, section=policy.sections.get(number=1)
    )
    assert "ERROR  First: declared 7, found 1" in faults()


def test_a_declared_count_of_items_counts_those_that_match(policy: PolicyDocument) -> None:
    counted = make_task(policy)
    for number, title in enumerate(("Base one", "Base two", "Hub"), 1):
        ChecklistItem.objects.create(task=counted, number=number, title=title)
    DeclaredCount.objects.create(policy=policy, name="Bases", number=2, task=counted, match="Base")
    assert "ok  Bases: declared 2, found 2" in check()


def test_a_task_without_a_deadline_is_open_and_no_fault(policy: PolicyDocument) -> None:
    make_task(policy, kind=Kind.QUALITATIVE)
    assert "tasks without a deadline: 1 (A1-01)" in check()


def test_a_standing_task_needs_no_deadline(policy: PolicyDocument) -> None:
    make_task(policy, kind=Kind.STANDING)
    assert "without a deadline" not in check()


def test_a_task_without_an_owner_is_open(policy: PolicyDocument) -> None:
    make_task(policy)
    assert "tasks without a lead unit: 1 (A1-01)" in check()


def test_a_task_without_a_kind_is_open(policy: PolicyDocument) -> None:
    make_task(policy, kind="")
    assert "tasks without a kind: 1 (A1-01)" in check()


def test_a_proposed_lead_unit_is_open(policy: PolicyDocument, bureau: Organization) -> None:
    make_task(policy, lead_unit=bureau, lead_is_proposed=True)
    assert "tasks with a lead unit that is only a proposal: 1 (A1-01)" in check()


def test_a_lead_unit_that_cooperates_with_itself_is_listed(
    policy: PolicyDocument, bureau: Organization
) -> None:
    make_task(policy, lead_unit=bureau).co_units.add(bureau)
    assert "among its own co-operating units: 1 (A1-01)" in check()


def test_a_task_under_a_measure_of_another_policy_is_listed(policy: PolicyDocument) -> None:
    make_task(policy, measure=make_policy("other").measures.get(code="A1"))
    assert "under a measure of another policy: 1 (A1-01)" in check()


def test_a_cancelled_task_is_outside_every_count(policy: PolicyDocument) -> None:
    make_task(policy, kind=Kind.QUALITATIVE, status=Status.CANCELLED)
    assert "Open points: none." in check()


def test_a_text_that_is_all_accounted_for_has_no_faults(
    anchored: PolicyDocument, file: Path
) -> None:
    said = check(text=file)
    assert (
        "3 sentences, 5 clauses; covered by an anchor: 4; background: 1; unaccounted for: 0."
        in said
    )
    assert "No errors." in said


def test_what_lies_outside_the_sections_is_counted(anchored: PolicyDocument, file: Path) -> None:
    assert "1 clauses before, 1 after" in check(text=file)


def test_a_text_in_gb18030_is_read(anchored: PolicyDocument, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode("gb18030"))
    assert "No errors." in check(text=path)


def test_a_text_in_another_encoding_is_an_error(anchored: PolicyDocument, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(CommandError, match="neither UTF-8 nor GB18030"):
        check(text=path)


def test_a_text_that_is_not_there_is_an_error(anchored: PolicyDocument, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        check(text=tmp_path / "nothing.txt")


def test_an_anchor_that_is_not_found_is_a_fault_with_its_owner(
    anchored: PolicyDocument, file: Path
) -> None:
    make_task(anchored, anchor="造船")
    assert "not found: task A1-01 “造船”" in faults(text=file)


def test_an_anchor_that_is_found_twice_is_a_fault_with_its_owner(
    anchored: PolicyDocument, file: Path
) -> None:
    item = ChecklistItem(task=make_task(anchored), number=3, title="Part", anchor="部分")
    item.save()
    assert "found 2 times: checklist item A1-01/3 “部分”" in faults(text=file)


def test_a_clause_that_nothing_touches_is_a_fault(anchored: PolicyDocument, file: Path) -> None:
    anchored.background.all().delete()
    assert "unaccounted for: 天气很好。" in faults(text=file)


@pytest.mark.django_db
def test_the_sample_policy_holds_what_the_text_declares() -> None:
    store_sample()
    said = check("central-china-rise")
    assert "Measures: 7 + 6 + 3 + 4 = 20; general demands, not counted: 4." in said
    assert "ERROR" not in said


@pytest.mark.django_db
def test_the_sample_policy_proposes_a_lead_unit_and_a_kind_for_every_task() -> None:
    store_sample()
    found = run_checkup(PolicyDocument.objects.get())
    kinds = {check.name: len(findings) for check, findings in found.groups}
    assert set(kinds) == {"deadline", "start", "proposed"}
    assert kinds["proposed"] == found.tasks


@pytest.mark.django_db
def test_no_two_units_of_the_city_share_a_name() -> None:
    call_command("loaddata", "organizations", verbosity=0)
    names = [name for unit in Organization.objects.all() for name in unit.all_names()]
    assert len(names) == len(set(names))
