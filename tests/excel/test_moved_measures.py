"""A measure stays in the policy of its tasks.

A ledger is written even where an earlier release let it go.
"""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_policy, make_task
from tests.views.conftest import browser, office, stranger
from tracker.models import Measure, PolicyDocument, Section, Task

__all__ = ["browser", "office", "stranger"]


@pytest.fixture
def other(policy: PolicyDocument) -> Section:
    """Make another policy, and return a section of it."""
    make_task(policy, "A1-01")
    section = make_policy("other").sections.get(number=2)
    Measure.objects.filter(section=section).delete()
    return section


def form_of(client: Client, address: str, **typed: object) -> dict[str, object]:
    """Return what a form of the admin sends as it is shown, but for what is typed."""
    form = client.get(address).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {
        name: "" if value is None else value
        for name, value in {**shown, **typed}.items()
        if value is not False
    }


def test_a_measure_with_tasks_goes_to_no_section_of_another_policy(
    office: Client, other: Section
) -> None:
    measure = Measure.objects.get(code="A1", policy__slug="rise")
    address = reverse("admin:tracker_measure_change", args=[measure.pk])
    page = office.post(address, form_of(office, address, section=other.pk)).content.decode()
    assert "The tasks of this measure belong to another policy." in page
    assert Measure.objects.get(pk=measure.pk).policy.slug == "rise"


def test_a_section_with_measures_goes_to_no_other_policy(office: Client, other: Section) -> None:
    section = Section.objects.get(policy__slug="rise", number=1)
    address = reverse("admin:tracker_section_change", args=[section.pk])
    page = office.post(
        address, form_of(office, address, policy=other.policy_id, number=9)
    ).content.decode()
    assert "The measures of this section belong to another policy." in page
    assert Section.objects.get(pk=section.pk).policy.slug == "rise"


def test_a_ledger_is_written_where_a_measure_belongs_to_another_policy(
    office: Client, other: Section
) -> None:
    Task.objects.update(
        measure=Measure.objects.create(policy=other.policy, section=other, code="B7", name="moved")
    )
    answer = office.get(reverse("ledger", args=["rise"]))
    assert (answer.status_code, bool(answer.getvalue())) == (200, True)
