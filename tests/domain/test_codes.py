"""Codes stand in the order in which people count."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.codes import code_key, natural

CODES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9.-]{0,19}\Z")


@pytest.mark.parametrize(
    "codes",
    [
        ["A1-2", "A1-10"],
        ["A1-02", "A1-10", "A2-01", "A10-01"],
        ["A1", "A1-1", "A1-1-1", "A1-2", "A1.1", "A2", "A9", "A10", "A99", "A100"],
        ["a1", "A2", "a3", "B1"],
        ["A1", "A01", "A2", "A002"],
        ["A9999999999999999998", "A9999999999999999999"],
        ["A", "A0", "A00", "A1", "AA"],
        ["A0-01", "A0-02", "A00-01", "A1-01"],
    ],
)
def test_codes_are_ordered_as_people_count(codes: list[str]) -> None:
    mixed = random.Random(1).sample(codes, len(codes))
    assert sorted(mixed, key=code_key) == codes


@given(CODES)
def test_the_key_of_the_longest_code_fits_its_column(code: str) -> None:
    assert len(natural(code)) <= 40
    assert len(code_key(code)) <= 61


@given(CODES, CODES)
def test_no_two_codes_share_a_key(one: str, other: str) -> None:
    assert (code_key(one) == code_key(other)) == (one == other)
