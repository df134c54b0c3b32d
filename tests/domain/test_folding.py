"""Texts are compared folded.

What looks the same, and what a keyboard writes for the same, is the same.
"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.folding import fold, simplify


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("Ａ１－０１", "a1-01"),
        ("５Ｇ", "5g"),
        ("（1）", "(1)"),
        ("Ⅲ", "iii"),
        ("㎡", "m2"),
        ("①", "1"),
        ("e\u0301", "é"),
        ("E\u0301", "é"),
        ("e\u200b\u0301", "é"),
        ("A1\u200b-\ufeff01", "a1-01"),
        ("安\u00ad全\u2060生\u202e产\u200f", "安全生产"),
        ("A1\u00a0\u3000 01", "a1 01"),
        ("\u3000市发展改革委\u00a0", "市发展改革委"),
        ("STRASSE", "straße"),
        ("100％", "100%"),
        ("\u2f00张蓝图", "一张蓝图"),
        ("〇", "〇"),
        ("李·明", "李•明"),
        ("6～8", "6〜8"),
    ],
)
def test_what_means_the_same_folds_to_the_same(typed: str, plain: str) -> None:
    assert fold(typed) == fold(plain)


@pytest.mark.parametrize(
    "dash", [*map(chr, range(0x2010, 0x2016)), "\u2212", "－", "﹣", "﹘", "─"]
)
def test_every_dash_is_a_hyphen(dash: str) -> None:
    assert fold(f"A1{dash}01") == "a1-01"


@pytest.mark.parametrize(
    "quoted",
    [
        "金牌“店小二”",
        "金牌‘店小二’",
        '金牌"店小二"',
        "金牌'店小二'",
        "金牌＂店小二＂",
        "金牌＇店小二＇",
        "金牌「店小二」",
        "金牌『店小二』",
        "金牌﹁店小二﹂",
        "金牌«店小二»",
        "金牌‹店小二›",
        "金牌〝店小二〞",
        "金牌„店小二‟",
        "金牌《店小二》",
        "金牌〈店小二〉",
        "金牌`店小二´",
        "金牌‘‘店小二’’",
    ],
)
def test_a_phrase_is_the_same_in_quotes_of_any_kind_and_in_none(quoted: str) -> None:
    assert fold(quoted) == "金牌店小二"


@pytest.mark.parametrize("text", ["市发展改革委", "a1-01", "是、否。", "2026年6月30日", ""])
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert fold(text) == text


def test_simplified_texts_keep_capitals_and_quotes() -> None:
    assert simplify(" Ａ１\u200b–０１　“x”") == "A1-01 “x”"


def test_every_sign_is_folded_once_for_all() -> None:
    # All but the Chinese and Korean signs, 100,000 of which have no other form.
    ranges = (range(0x3400), range(0xA000, 0xAC00), range(0xF900, 0x11000), range(0x1D000, 0x1F300))
    signs = (chr(code) for codes in ranges for code in codes)
    assert [hex(ord(sign)) for sign in signs if fold(once := fold(f"a{sign}b")) != once] == []


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_folded_text_folds_to_itself(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.sampled_from("aé市1-“ⅢßＡ㎡ "), max_size=20))
def test_a_text_folds_alike_however_its_accents_are_stored(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
