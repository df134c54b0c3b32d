"""Units: found by every name people use, and by no name that two of them bear."""

import pytest
from django.core.exceptions import ValidationError

from tracker.domain.choices import Role
from tracker.models import Organization, User


@pytest.mark.parametrize(
    "text",
    [
        "Bureau of Science",
        "Science",
        "Sci",
        "Tech",
        "  Tech \n",
        "ＳＣＩ",
        "science",
        "“Tech”",
        "Te\u200bch",
    ],
)
def test_a_unit_is_found_by_name_short_name_and_alias(
    bureau: Organization, county: Organization, text: str
) -> None:
    assert Organization.objects.all().named(text) == bureau


@pytest.mark.parametrize("text", ["Bureau", "Scienc", "Sci\nTech", "", " ", "“”"])
def test_what_is_not_a_whole_name_finds_no_unit(bureau: Organization, text: str) -> None:
    assert Organization.objects.all().named(text) is None


def test_a_name_that_two_units_bear_finds_neither(
    bureau: Organization, county: Organization
) -> None:
    county.aliases = "Tech"
    county.save()
    assert Organization.objects.all().named("Tech") is None


def test_a_unit_whose_alias_repeats_its_name_is_found(bureau: Organization) -> None:
    bureau.aliases = "Science"
    bureau.save()
    assert Organization.objects.all().named("Science") == bureau


def test_units_are_found_among_those_asked_alone(
    bureau: Organization, county: Organization
) -> None:
    assert Organization.objects.filter(pk=county.pk).named("Science") is None


def test_all_names_leaves_blank_lines_out() -> None:
    unit = Organization(name="Bureau", short_name="B", aliases="\n one \r\n\ntwo\n")
    assert unit.all_names() == ["Bureau", "B", "one", "two"]


@pytest.mark.parametrize(
    "facts", [{"name": "Sci"}, {"short_name": "Bureau of Science"}, {"aliases": "East\nTech"}]
)
def test_a_name_in_use_is_refused_and_its_owner_named(
    bureau: Organization, facts: dict[str, str]
) -> None:
    unit = Organization(**{"name": "New bureau", "short_name": "New"} | facts)
    with pytest.raises(ValidationError, match="Bureau of Science"):
        unit.full_clean()


def test_a_unit_may_keep_its_own_names(bureau: Organization) -> None:
    bureau.full_clean()


def test_units_stand_in_official_order(bureau: Organization, county: Organization) -> None:
    first = Organization.objects.create(name="Office", short_name="Office", order=1)
    assert list(Organization.objects.all()) == [first, bureau, county]


def test_an_account_lists_the_roles_it_holds(bureau: Organization) -> None:
    user = User(is_liaison=True, is_administrator=True, organization=bureau)
    assert user.roles == [Role.LIAISON, Role.ADMINISTRATOR]


def test_an_account_is_called_by_its_name_or_else_by_its_login() -> None:
    assert [str(User(username="wang", last_name=name)) for name in ("Wang", "")] == ["Wang", "wang"]
