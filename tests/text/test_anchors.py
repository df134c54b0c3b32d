"""Anchors: looked for as people retype them; texts cut as people read them; nothing overlooked."""

from collections.abc import Callable

import pytest
import yaml
from django.conf import settings

from tracker.domain.anchors import Anchor, coverage
from tracker.domain.passages import Span, find_passage, normalise, split_clauses, split_sentences
from tracker.text.file_reader import clean_policy_text

TEXT = """城市工作要点
序言说明来由。

一是修路，二是架桥；三是通水、通电。天气很好。
四是种树，五是养花。

(来源:某报)
"""


def task(text: str, name: str = "A1-01") -> Anchor:
    return Anchor("task", name, text)


def background(text: str) -> Anchor:
    return Anchor("background passage", "", text)


def cut(spans: list[Span], text: str) -> list[str]:
    return [span.of(text) for span in spans]


def test_blanks_and_line_ends_do_not_count() -> None:
    assert normalise("一 二\n三\u3000四\u200b五").text == "一二三四五"


def test_half_and_full_width_characters_are_one() -> None:
    assert normalise("，；：！？（）％Ａ７。").text == normalise(",;:!?()%A7.").text


def test_all_quotes_are_one() -> None:
    assert normalise("“甲”「乙」‘丙’").text == normalise('"甲""乙"\'丙\'').text


def test_the_enumeration_comma_is_no_comma() -> None:
    assert normalise("甲、乙").text != normalise("甲,乙").text


def test_offsets_lead_back_to_the_original() -> None:
    text = " 甲 ，乙"
    assert normalise(text).original(0, 3) == Span(1, 5)


def test_an_anchor_is_found_where_it_stands() -> None:
    assert [span.of(TEXT) for span in find_passage("架桥", TEXT)] == ["架桥"]


def test_an_anchor_is_found_across_a_line_end() -> None:
    assert find_passage("大桥", "架大\n桥") == [Span(1, 4)]


def test_an_anchor_with_a_full_width_comma_finds_a_half_width_one() -> None:
    assert find_passage("修路，二是", "一是修路,二是架桥") == [Span(2, 7)]


def test_an_anchor_is_found_at_every_place() -> None:
    assert len(find_passage("是", "一是甲，二是乙")) == 2


def test_places_that_overlap_are_both_found() -> None:
    assert len(find_passage("一步一步", "一步一步一步")) == 2


def test_an_anchor_that_is_not_there_has_no_place() -> None:
    assert find_passage("造船", TEXT) == []


def test_an_empty_anchor_has_no_place() -> None:
    assert find_passage(" ", TEXT) == []


def test_signs_of_patterns_are_plain_text() -> None:
    assert find_passage("(.*)", "甲(.*)乙") == [Span(1, 5)]


def test_a_text_normalised_once_serves_many_anchors() -> None:
    norm = normalise(TEXT)
    assert find_passage("架桥", norm) == find_passage("架桥", TEXT)


def test_a_line_end_ends_a_sentence() -> None:
    assert cut(split_sentences("标题\n正文。"), "标题\n正文。") == ["标题", "正文。"]


def test_a_closing_quote_belongs_to_its_sentence() -> None:
    text = "他说：“好。”大家也说好！"
    assert cut(split_sentences(text), text) == ["他说：“好。”", "大家也说好！"]


def test_commas_and_semicolons_cut_clauses() -> None:
    text = "修路，架桥,通水；通电;种树。"
    assert cut(split_clauses(text), text) == ["修路，", "架桥,", "通水；", "通电;", "种树。"]


def test_the_enumeration_comma_cuts_no_clause() -> None:
    assert len(split_clauses("通水、通电、通气。")) == 1


def test_a_number_is_not_cut() -> None:
    assert len(split_clauses("产值1,000元增长5.5%。")) == 1


def test_a_piece_without_a_word_is_no_clause() -> None:
    assert split_clauses("，。……\n\n") == []


def test_blanks_around_a_clause_stay_outside() -> None:
    text = "  修路，  架桥。"
    assert cut(split_clauses(text), text) == ["修路，", "架桥。"]


def test_the_sections_begin_at_their_opening_and_end_with_the_paragraph_of_the_last_anchor() -> (
    None
):
    found = coverage(TEXT, [task("养花")], opening="一是修路")
    assert found.within.of(TEXT).startswith("一是修路，")
    assert found.within.of(TEXT).endswith("五是养花。")


def test_sentences_and_clauses_of_the_sections_are_counted() -> None:
    found = coverage(TEXT, [task("养花")], opening="一是修路")
    assert (len(found.sentences), len(found.clauses)) == (3, 6)


def test_without_an_opening_the_sections_begin_with_the_text() -> None:
    assert coverage(TEXT, [task("养花")]).within.start == 0


def test_without_an_anchor_the_whole_text_is_open() -> None:
    assert len(coverage(TEXT, []).open) == len(split_clauses(TEXT))


def test_an_anchor_touches_the_clause_that_it_stands_in() -> None:
    found = coverage(TEXT, [task("架桥")], opening="一是修路")
    assert cut([clause.span for clause in found.touched], TEXT) == ["二是架桥；"]


def test_an_anchor_over_a_comma_touches_both_clauses() -> None:
    found = coverage(TEXT, [task("修路，二是")], opening="一是修路")
    assert cut([clause.span for clause in found.touched], TEXT) == ["一是修路，", "二是架桥；"]


def test_a_background_passage_accounts_for_its_clause() -> None:
    found = coverage(TEXT, [task("养花")], [background("天气很好")], opening="一是修路")
    assert cut([clause.span for clause in found.background], TEXT) == ["天气很好。"]


def test_a_clause_that_is_acted_on_is_not_background() -> None:
    found = coverage(TEXT, [task("养花")], [background("五是养花")], opening="一是修路")
    assert found.background == []


def test_a_clause_that_nothing_touches_is_open() -> None:
    asked = [task("修路"), task("架桥"), task("通水"), task("种树")]
    found = coverage(TEXT, asked, [background("天气")], opening="一是修路")
    assert cut([clause.span for clause in found.open], TEXT) == ["五是养花。"]


def test_every_clause_is_touched_background_or_open() -> None:
    found = coverage(TEXT, [task("架桥")], [background("养花")], opening="一是修路")
    assert len(found.touched) + len(found.background) + len(found.open) == len(found.clauses)


def test_a_clause_knows_its_anchors() -> None:
    found = coverage(TEXT, [task("通水", "A1-01"), task("通电", "A1-02")], opening="一是修路")
    names = [[place.anchor.name for place in clause.anchors] for clause in found.touched]
    assert names == [["A1-01", "A1-02"]]


def test_an_anchor_that_is_not_found_is_named_with_its_owner() -> None:
    missing = coverage(TEXT, [task("造船")]).missing
    assert [anchor.owner for anchor in missing] == ["task A1-01"]


def test_an_anchor_that_is_found_twice_is_named_with_its_places() -> None:
    [(anchor, spans)] = coverage(TEXT, [task("通")]).repeated
    assert (anchor.text, len(spans)) == ("通", 2)


def test_an_anchor_that_is_found_twice_touches_nothing() -> None:
    assert coverage(TEXT, [task("通")]).touched == []


def test_faults_of_background_passages_are_found_too() -> None:
    found = coverage(TEXT, [], [background("造船"), background("通")])
    assert [anchor.text for anchor in [*found.missing, found.repeated[0][0]]] == ["造船", "通"]


def phrases() -> list[str]:
    """Return the anchors of the sample policy; a phrase that stands inside another is left out."""
    rows = yaml.safe_load(
        (settings.BASE_DIR / "fixtures" / "central-china-rise.yaml").read_text(encoding="utf-8")
    )
    found = dict.fromkeys(row["fields"].get("anchor") for row in rows)
    whole = [phrase for phrase in found if phrase]
    return [phrase for phrase in whole if sum(phrase in other for other in whole) == 1]


def invented() -> str:
    """Make a text in which each anchor of the sample policy has a clause of its own, a fifth of them in quotes."""
    said = [
        f"推进“{phrase}”" if n % 5 == 0 else f"推进{phrase}" for n, phrase in enumerate(phrases())
    ]
    return "\n".join(
        f"{said[n]}；{'，'.join(said[n + 1 : n + 12])}。" for n in range(0, len(said) - 1, 12)
    )


def wrapped(text: str) -> str:
    return "\n".join(
        line[at : at + 40] for line in text.split("\n") for at in range(0, len(line), 40)
    )


@pytest.mark.parametrize(
    "retyped",
    [
        lambda text: text,
        lambda text: text.replace("，", ", ").replace("。", ".").replace("；", ";"),
        lambda text: text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
        lambda text: text.replace("“", '"').replace("”", '"'),
        lambda text: text.replace("“", "「").replace("”", "」"),
        lambda text: text.replace("“", "‘").replace("”", "’"),
        lambda text: text.replace("“", "'").replace("”", "'"),
        lambda text: text.replace("\n", "\r\n\r\n\u3000\u3000"),
        lambda text: text.replace("；", "；\n").replace("进", "进 "),
        wrapped,
        lambda text: wrapped(text.replace("“", "『").replace("”", "』").replace("，", ",")),
    ],
    ids=[
        *(
            "as-is",
            "half-width",
            "full-width",
            "straight",
            "corner",
            "single",
            "apostrophe",
            "indent",
            "blanks",
        ),
        *("wrapped", "wrapped-corner"),
    ],
)
def test_however_a_text_is_retyped_all_anchors_are_found_and_no_clause_is_left(
    retyped: Callable[[str], str],
) -> None:
    found = coverage(clean_policy_text(retyped(invented())), [task(phrase) for phrase in phrases()])
    assert (found.missing, found.repeated, found.open) == ([], [], [])
    assert len(found.touched) >= len(phrases()) > 150
