"""What a cell can hold of a text, and how tall it stands."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.excel.cell_text import MAX_CELL_TEXT, clean_cell_text, row_height, wrapped_lines


def as_excel_reads(text: str) -> str:
    """Undo escapes as Excel does on opening: _x0041_ is A."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    "text", ["", "plain", "一二三", "①②", "😀", "a\tb\nc", "  spaces  ", "#N/A", "é"]
)
def test_what_a_cell_can_hold_passes_unchanged(text: str) -> None:
    assert clean_cell_text(text) == (text, [])


def test_line_ends_of_every_system_become_those_of_a_cell() -> None:
    assert clean_cell_text("a\r\nb\rc\nd") == ("a\nb\nc\nd", [])


@pytest.mark.parametrize(
    "sign", ["\x00", "\x0b", "\x1f", "\x7f", "\x85", "\ud800", "\udfff", "\ufffe", "\uffff"]
)
def test_what_no_cell_can_hold_is_left_out_and_reported(sign: str) -> None:
    assert clean_cell_text(f"a{sign}b{sign}") == (
        "ab",
        ["2 characters that cannot be stored in a cell were left out"],
    )


def test_a_text_that_just_fits_is_whole() -> None:
    assert clean_cell_text("x" * MAX_CELL_TEXT) == ("x" * MAX_CELL_TEXT, [])


def test_a_text_that_is_too_long_is_cut_and_reported() -> None:
    text, lost = clean_cell_text("x" * 40_000)
    assert text == "x" * MAX_CELL_TEXT
    assert lost == ["truncated: a cell can contain 32767 characters, the text has 40000"]


def test_a_cut_counts_as_excel_counts_and_halves_no_emoji() -> None:
    text, lost = clean_cell_text("😀" * 20_000)
    assert (text, len(lost)) == ("😀" * (MAX_CELL_TEXT // 2), 1)


def test_what_excel_would_take_for_an_escape_is_read_as_it_was_written() -> None:
    text, lost = clean_cell_text("_x0041_ and _x005F_x0041_")
    assert (as_excel_reads(text), lost) == ("_x0041_ and _x005F_x0041_", [])


@given(st.text(st.characters(codec=None)))
def test_any_text_is_read_as_it_was_written_or_reported(text: str) -> None:
    cell, lost = clean_cell_text(text)
    same = as_excel_reads(cell) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert same != bool(lost)
    assert units(cell) <= MAX_CELL_TEXT


def test_a_chinese_character_is_as_wide_as_two_letters() -> None:
    assert wrapped_lines("字" * 10, 11, 10.5) == wrapped_lines("x" * 20, 11, 10.5) == 2


def test_each_line_of_a_text_takes_a_line_at_least() -> None:
    assert wrapped_lines("a\n\nb", 20, 10.5) == 3


def test_larger_letters_need_more_lines() -> None:
    assert wrapped_lines("字" * 10, 21, 10.5) == 1
    assert wrapped_lines("字" * 10, 21, 14) == 2


def test_no_row_is_taller_than_a_row_can_be() -> None:
    assert row_height(1_000, 11) == 409
