"""What people write into cells: read as they mean it, or refused in words; never guessed."""

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sizes import size
from tracker.domain.cells import CLEAR, Cell
from tracker.domain.choices import Kind, Status
from tracker.domain.parsing import (
    parse_choice,
    parse_code,
    parse_date,
    parse_names,
    parse_percent,
    parse_prose,
    parse_tick,
    parse_whole,
    whole_number,
)
from tracker.reports.columns import text_of_value

REFUSED = "refused"
GENERATED = size("GENERATED_CELLS")  # values; every one goes through every reader

# What is written, as people write it, and the percent that it means; a bar parts the ways of
# writing one.
PERCENTS = {
    0: "0|0%|00%|0.0%|０|０％|0 %|0.00",
    1: "1%|1 %|１％|1.0%|01%|1﹪",
    5: "5|5%|５|５％|5.0|05|5.00%",
    7: "7|7%|７％|7.0| 7 ",
    29: "29|29%|29.0|２９％|29.00%",
    33: "33|33%|３３%|33.0%",
    50: (
        "50|50%|50\u200b%|\ufeff50%|50\u00a0%|50%\u200e|5\u00ad0%|50\u2009%|\u206650%\u2069|５０％|５０|"
        "50.0|50.00%| 50% |50　%|50 ％|050%"
    ),
    58: "58|58%|５８％|58.0",
    99: "99|99%|９９％|99.0%",
    100: "100|100%|１００％|100.0|100.00%|１００| 100 %",
    REFUSED: (
        "0.5|1|１|0.50|1.0|0.05|0.99|.5|50.|50.5|50.5%|0.5%|33.3%|-5|-5%|101|101%|1000%|5000%|1e1|1E1|+50|+50%|50%%|"
        "%50|%|五十|百分之五十|50个百分点|约50%|50%左右|50以上|>50%|≥50%|50-60%|50~60|50/100|1/2|½|①|50，0|1,000|5 0|"
        "50% 完成|完成50%|完成|已完成|未完成|无|/|—|-|--|N/A|#N/A|nan|inf|50％％|٥٠|٥٠%|५०|50‰|半|一半|过半|0x32|"
        '一|百|全部|99.9%|100.1|100.5%|1O0|l00|5O%|50%.|（50%）|[50]|"50%"|50pct|50 '
        "percent|TRUE|是|=50%|2026-06-30"
    ),
}
DAYS: dict[object, str] = {
    dt.date(2026, 6, 30): (
        "2026-6-30|2026-06-30\u200b|\ufeff2026-06-30|2026-06-30\u00a0|2026\u00ad-06-30|"
        "2026\u200e年6月30日|2026.6.30|2026.06.30|2026/6/30|2026/06/30|20260630|２０２６０６３０|２０２６－６－３０|"
        "２０２６．６．３０|２０２６／６／３０|2026年6月30日|2026年06月30日|２０２６年６月３０日|2026 年 6 月 30 日|"
        "2026年6月30号|2026年6月30|2026年6月底|2026年06月底|2026年6月末|2026年上半年|2026年6月30日前|2026年6月底前|"
        "2026年6月30日以前|2026年6月30日之前|2026年上半年前|2026-06-30 00:00:00|2026-06-30T00:00:00| 2026-06-30 "
    ),
    dt.date(2026, 12, 31): (
        "2026-12-31|2026.12.31|20261231|2026年12月31日|2026年内|2026年全年|2026年12月底前完成|2026年底|2026年年底|2026年末|2026年年末|2026年下半年|"
        "2026年12月底|2026年底前|2026年年底前|2026年年底之前"
    ),
    dt.date(2024, 2, 29): "2024-2-29|2024年2月29日|2024年2月底|2024年2月末|20240229",
    dt.date(2026, 2, 28): "2026-2-28|2026年2月底|2026年2月末前",
    dt.date(2000, 1, 1): "2000-1-1|2000年1月1日",
    dt.date(2999, 12, 31): "2999-12-31|2999年底",
    dt.date(2026, 9, 30): "2026年第三季度|2026年三季度末|2026年3季度|2026年第3季度底前",
    dt.date(2026, 10, 10): "2026年10月上旬",
    dt.date(2026, 10, 20): "2026年10月中旬|2026年10月中旬前",
    dt.date(2026, 10, 31): "2026年10月下旬|2026年10月底前完成|2026年10月31日前完成",
    CLEAR: "【清空】|[清空]|\u200b【清空】",
    REFUSED: (
        "2026|2026年|2026年6月|2026-6|2026.6|2026/6|202606|6月30日|6-30|6.30|06/30|6月底|上半年|下半年|年底|月底|"
        "26-6-30|26.6.30|260630|26年6月30日|6/30/2026|30-6-2026|30.6.2026|30/6/2026|2026-13-01|2026-00-10|2026-06-31|"
        "2026-02-30|2025-02-29|2026年13月1日|2026年13月底|2026年0月底|2026年2月30日|20261301|20260631|2026-6.30|"
        "2026.6-30|2026/6-30|2026--6-30|2026-6-30-|-2026-6-30|2026-6-30.|2026年6月中|"
        "2026年第五季度|2026年0季度|第二季度|2026年春节前|2026年7月初|长期|长期坚持|二〇二六年六月三十日|2026年六月|"
        "今年底|明年6月|本月底|下月|十四五末|近期|持续|常态化|待定|尽快|无|/|—|-|N/A|46203|46203.5|1|0|50%|1899-12-31|1999-12-31|"
        "3000-01-01|0001-01-01|9999-12-31|2026-06-30 14:00|2026-06-30 "
        "23:59:59|2026-06-30Z|2026-06-30+08:00|2026-W26|"
        "2026-181|June 30, 2026|30 Jun 2026|2026年6月30日至7月5日|2026-06-30,2026-07-01|2026.6.30/7.1|"
        "2026年6月30日后|2026年6月30日左右|约2026年6月|民国115年6月30日|٢٠٢٦-٠٦-٣٠|２０２６年６月|2026年6月30日日|true"
    ),
}
CODES: dict[object, str] = {
    "A1-02": "A1-02|A1\u200b-02|\ufeffA1-02|A1-\u00ad02|A1-02\u200f|\u2060A1-02\u00a0|Ａ１－０２|"
    "A1－02| A1-02 |A1–02|A1—02|A1‑02|A1−02|Ａ1-02",
    "a1-02": "a1-02|ａ１-０２",
    "B0": "B0|Ｂ０",
    "A1 02": "A1 02",
    "①": "①",
}
STATES: dict[object, str] = {
    "not_started": "未启动|未开始|not started",
    "in_progress": "推进中|进行中|正在推进|in progress| 推进中 ",
    "closing": "申请办结|closing requested",
    "closed": "已办结|办结|已销号|closed",
    "suspended": "暂缓|suspended",
    "cancelled": "终止|cancelled",
    REFUSED: (
        "完成|已完成|基本完成|100%|1|0|是|√|推进|启动|开始|未|办|closed!|Closed|逾期|正常|红灯|延期|已办结？|推进中，顺利|"
        "未启动/推进中|办结销号|停|暂停|—|?|in_progress|not started yet|已经办结|未办结|没有办结|部分办结|null|None"
    ),
}
KINDS: dict[object, str] = {
    "quantified": "定量|quantified",
    "qualitative": "定性|qualitative",
    "standing": "长期坚持|长期|standing",
    REFUSED: "量化|质|定|定量定性|定量/定性|长|坚持|long|1",
}
TICKS: dict[object, str] = {
    True: "✓|√|✔|是|已完成",
    False: "○|×|否|未完成",
    REFUSED: "完成中|基本完成|部分完成|半|1|0|y|Y|yes|x|X|对|错|✗|?|50%|完成|100%|不是|推进中|TRUE了",
}
WHOLES: dict[object, str] = {
    3: "3|３|03| 3 ",
    0: "0|０",
    CLEAR: "【清空】",
    REFUSED: "-1|1.5|3.0.0|三|①|1e3|0x1|一个|1,000|٣|9999999999|3%",
}

Reader = Callable[[Cell], Any]
READERS: dict[str, tuple[Reader, dict[Any, str]]] = {
    "percent": (parse_percent, PERCENTS),
    "day": (parse_date, DAYS),
    "code": (parse_code, CODES),
    "status": (lambda cell: parse_choice(lambda: text_of_value(Status), cell), STATES),
    "kind": (lambda cell: parse_choice(lambda: text_of_value(Kind), cell), KINDS),
    "tick": (parse_tick, TICKS),
    "whole": (parse_whole, WHOLES),
}
LABELLED = [
    pytest.param(reader, text, meaning, id=f"{name}-{number}")
    for name, (reader, table) in READERS.items()
    for number, (text, meaning) in enumerate(
        (text, meaning) for meaning, row in table.items() for text in row.split("|")
    )
]


def read(reader: Reader, value: object, **look: bool) -> object:
    """Read a cell; what is refused is refused in words."""
    try:
        return reader(Cell(value, **look))  # type: ignore[arg-type]
    except ValueError as error:
        assert len(str(error)) > 5
        return REFUSED


def test_there_are_three_hundred_labelled_strings() -> None:
    assert len(LABELLED) >= 300


@pytest.mark.parametrize(("reader", "text", "meaning"), LABELLED)
def test_a_labelled_string_is_read_as_it_is_meant(
    reader: Reader, text: str, meaning: object
) -> None:
    found = read(reader, text)
    assert found == meaning and type(found) is type(meaning)


@pytest.mark.parametrize(
    ("value", "in_percent", "meaning"),
    [
        (0.5, True, 50), (1, True, 100), (1.0, True, 100), (0, True, 0), (0.29, True, 29), (0.57, True, 57),
        (0.07, True, 7), (0.505, True, REFUSED), (50, True, REFUSED), (70.0, True, REFUSED), (100, True, REFUSED),
        (1.5, True, REFUSED), (101, True, REFUSED), (-0.1, True, REFUSED), (1.01, True, REFUSED),
        (50, False, 50), (50.0, False, 50), (100, False, 100), (0, False, 0), (0.5, False, REFUSED),
        (1, False, REFUSED), (1.0, False, REFUSED), (50.5, False, REFUSED), (101, False, REFUSED),
        (True, False, REFUSED), (False, False, REFUSED), (dt.datetime(2026, 1, 2), False, REFUSED),
        (float("nan"), False, REFUSED), (float("inf"), True, REFUSED), (10**40, False, REFUSED),
    ],
)  # fmt: skip
def test_a_number_in_a_percent_cell_is_a_share_and_elsewhere_a_percent(
    value: object, in_percent: bool, meaning: object
) -> None:
    assert read(parse_percent, value, percent=in_percent) == meaning


def test_seventy_in_a_percent_cell_is_asked_about_and_never_called_seven_thousand() -> None:
    cell = Cell(70, percent=True)
    with (
        override("en"),
        pytest.raises(ValueError, match=r"70%, if that is what you mean") as refusal,
    ):
        parse_percent(cell)
    assert "7000" not in f"{refusal.value} {cell}"


def test_a_bare_half_is_asked_about() -> None:
    with pytest.raises(ValueError, match=r"0\.5%.*50%"):
        parse_percent(Cell(0.5))


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (dt.datetime(2026, 6, 30), dt.date(2026, 6, 30)), (dt.datetime(2026, 6, 30, 14, 5), dt.date(2026, 6, 30)),
        (dt.date(2026, 6, 30), dt.date(2026, 6, 30)), (20260630, dt.date(2026, 6, 30)),
        (20260630.0, dt.date(2026, 6, 30)), (46203, REFUSED), (46203.5, REFUSED), (True, REFUSED),
        (dt.datetime(1899, 12, 31), REFUSED), (0.5, REFUSED),
    ],
)  # fmt: skip
def test_a_real_day_is_that_day_and_a_number_is_none(value: object, meaning: object) -> None:
    assert read(parse_date, value) == meaning


@pytest.mark.parametrize("value", [1, 1.5, dt.datetime(2026, 1, 2), True])
def test_of_a_number_nobody_knows_which_code_was_typed(value: object) -> None:
    assert read(parse_code, value) == REFUSED


@pytest.mark.parametrize("text", ["①②", "５０％", "Ａ１", "一、", "  two  ", "a\nb", "2026年6月底"])
def test_prose_stays_as_it_stands(text: str) -> None:
    assert parse_prose(Cell(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2026, "2026"),
        (3.0, "3"),
        (0.1, "0.1"),
        (dt.datetime(2026, 6, 30), "2026-06-30"),
        (True, "TRUE"),
        (False, "FALSE"),
        (410400199001.0, "410400199001"),
        (0.30000000000000004, "0.3"),
        (1e-05, "0.00001"),
        (4.104e17, REFUSED),
    ],
)
def test_a_number_in_prose_is_written_out(value: object, text: str) -> None:
    assert read(parse_prose, value) == text


def test_one_word_erases_prose() -> None:
    assert parse_prose(Cell(" 【清空】 ")) is CLEAR


def test_names_are_parted_by_every_usual_mark() -> None:
    assert parse_names(Cell("甲局、乙局，丙局; 丁局；戊局\n己局, 甲局")) == [
        "甲局",
        "乙局",
        "丙局",
        "丁局",
        "戊局",
        "己局",
    ]


SIGNS = st.text(
    st.sampled_from(
        "0123456789０５９%％.．-－/年月日底前末上下半长期完成办结推进中未启动 　\n=+①½٣六是否√"
    ),
    max_size=14,
)
PIECES = st.lists(
    st.sampled_from(
        [
            "2026",
            "２０２６",
            "年",
            "6",
            "06",
            "月",
            "30",
            "日",
            "底",
            "前",
            "-",
            ".",
            "/",
            "%",
            "％",
            "0.5",
            "1",
            " ",
        ]
    ),
    max_size=8,
).map("".join)
CELLS = st.one_of(
    SIGNS,
    PIECES,
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.datetimes(),
    st.dates().map(lambda found: f"{found.year}年{found.month}月{found.day}日"),
    st.integers(-10, 120).map(lambda number: f"{number}%"),
)


def wide(text: str) -> str:
    """Write digits and signs as a Chinese keyboard in full-width mode does."""
    return "".join(chr(ord(sign) + 0xFEE0) if sign in "0123456789%.-/" else sign for sign in text)


def generated(dice: Random) -> tuple[str, str, object]:
    """Make a date, a percent or a status word as somebody may write it.

    The reader, the text and its meaning.
    """
    name = dice.choice(("day", "percent", "status"))
    meaning: object
    if name == "day":
        meaning = found = dt.date(2000, 1, 1) + dt.timedelta(dice.randrange(365_000))
        mark = dice.choice("-./")
        text = dice.choice((
            f"{found.year}{mark}{found.month}{mark}{found.day}", found.isoformat(), f"{found:%Y%m%d}",
            f"{found.year}年{found.month}月{found.day}日", f"{found.year}年{found.month:02}月{found.day:02}日前",
        ))  # fmt: skip
    elif name == "percent":
        meaning = number = dice.randrange(101)
        text = dice.choice(
            (f"{number}%", f"{number} %", f"{number}.0%", f"{number:03}%", f"{number or 0}﹪")
        )
    else:
        meaning, words = dice.choice(
            [(value, row) for value, row in STATES.items() if value != REFUSED]
        )
        text = dice.choice(words.split("|"))
    return (
        name,
        dice.choice(("", " ", "　")) + (wide(text) if dice.random() < 0.3 else text),
        meaning,
    )


def spoilt(text: str, dice: Random) -> str:
    """Let somebody slip: a sign too much, too little, or another one."""
    place = dice.randrange(len(text) + 1)
    return (
        text[:place]
        + dice.choice(("", *"0159%％.-/年月日底前半约未已"))
        + text[place + dice.randrange(2) :]
    )


def test_generated_dates_percents_and_status_words_are_read_as_meant_or_refused() -> None:
    dice = Random(5)
    for number in range(GENERATED):
        name, text, meaning = generated(dice)
        if number % 2:
            text = spoilt(text, dice)
        else:
            assert read(READERS[name][0], text) == meaning, text
        in_bounds(text, in_percent=bool(dice.randrange(2)))


@settings(max_examples=max(1, GENERATED // 100))
@given(value=CELLS, in_percent=st.booleans())
def test_any_cell_is_read_or_refused_in_words(value: object, in_percent: bool) -> None:
    in_bounds(value, in_percent)


def in_bounds(value: object, in_percent: bool) -> None:
    """Let every reader read a cell: it is refused in words, or means what such a thing can be."""
    for name, (reader, _table) in READERS.items():
        found = read(reader, value, percent=in_percent)
        if found is REFUSED or found is CLEAR:
            continue
        if name == "percent":
            assert isinstance(found, int) and 0 <= found <= 100, value
        if name == "day":
            assert isinstance(found, dt.date) and 2000 <= found.year <= 2999, value


@given(st.dates(dt.date(2000, 1, 1), dt.date(2999, 12, 31)))
def test_every_way_of_writing_a_day_means_that_day(found: dt.date) -> None:
    year, month, number = f"{found.year}", found.month, found.day
    for text in (
        found.isoformat(), f"{year}.{month}.{number}", f"{year}年{month}月{number}日", f"{found:%Y%m%d}",
    ):  # fmt: skip
        assert parse_date(Cell(text)) == found


@given(st.integers(0, 100))
def test_every_way_of_writing_a_percent_means_that_percent(number: int) -> None:
    assert parse_percent(Cell(f"{number}%")) == parse_percent(Cell(f"{number}％")) == number
    assert parse_percent(Cell(number / 100, percent=True)) == number


NO_NUMBERS = [
    "",
    "²",
    "٣",
    "１２",
    "-1",
    "+1",
    "1.0",
    "1e9",
    "1_0",
    " 1",
    "1\n",
    str(2**63),
    "9" * 5000,
    None,
    7,
]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("01", 1),
        ("12", 12),
        (str(2**63 - 1), 2**63 - 1),
        *((text, None) for text in NO_NUMBERS),
    ],
)
def test_a_whole_number_of_an_address_is_plain_digits_that_a_database_takes(
    text: object, number: int | None
) -> None:
    assert whole_number(text) == number
