"""The whole clause of a phrase: what a task is about in the words of its text."""

import pytest

from tracker.domain.passages import ClauseFinder

TEXT = "第一句，绘好一张蓝图绘到底，一任接着干。\n第二段，重实干、重实效的导向；重复，重复。\n"


@pytest.mark.parametrize(
    ("anchor", "clause"),
    [
        ("绘到底", "绘好一张蓝图绘到底，"),
        ("绘到底，一任", "绘好一张蓝图绘到底，一任接着干。"),
        ("重 实干", "重实干、重实效的导向；"),
        ("第一句", "第一句，"),
        ("重复", ""),
        ("没有", ""),
        ("", ""),
    ],
)
def test_a_phrase_that_stands_once_has_the_clauses_it_touches(anchor: str, clause: str) -> None:
    assert ClauseFinder(TEXT).clauses_of(anchor) == clause


def test_in_no_text_nothing_is_found() -> None:
    assert ClauseFinder("").clauses_of("绘到底") == ""
