"""Which passwords everybody here would try first, and which are left alone."""

import random
from base64 import urlsafe_b64encode

import pytest

from tracker.domain.folding import fold
from tracker.domain.passwords import is_guessable, words_in

NAMES = [
    "市科技局",
    "平顶山市科学技术局",
    "Bureau of Science",
    "zhangsan",
    "张三",
    "tracker.pds.gov.cn",
]
WORDS = words_in(NAMES)
UNITS = "\n".join(fold(name) for name in NAMES[:2])


@pytest.mark.parametrize(
    "password",
    [
        "pingdingshan2026",
        "Pingdingshan@2026",
        "P1ngd1ngsh4n!!",
        "ping ding shan 2026",
        "ping-ding-shan-2026",
        "pds123456!!",
        "p.d.s.2.0.2.6..",
        "pds13803751234",
        "yingchengpds01",
        "平顶山平顶山平顶山1",
        "鹰城2026鹰城2026",
        "ｐｉｎｇｄｉｎｇｓｈａｎ２０２６",
        "nahsgnidgnip11",
        "市科技局2026!!!",
        "科技局科技局123",
        "kejiju2026!",
        "scienceBureau1",
        "zhangsanzhangsanzhangsan",
        "zhangsan2026zhangsan",
        "张三张三张三张三张三",
        "zhangsan@pds2026",
        "tracker2026!!",
        "Tr@cker2026!",
        "2026tracker2026",
        "tracker!policy!2026",
        "政策跟踪2026政策",
        "a" * 200,
        "....................",
        "abcabcabcabc",
        "abab2026abab",
        "qwertyuiop1",
        "1qaz2wsx3edc",
        "zaq12wsxcde3",
        "asdfghjkl;'",
        "abcdefghij",
        "!@#$%^&*()",
        "1234567890a",
        "zhang19851203",
        "2026-11-26!!",
        "20261126aaaa",
        "admin@123456",
        "Henan@20261126",
    ],
)
def test_a_password_that_everybody_would_try_is_guessable(password: str) -> None:
    assert is_guessable(password, WORDS, UNITS)


@pytest.mark.parametrize(
    "password",
    [
        "quite another one",
        "Kx7-mountain-42",
        "blue-horse-eats-tracker",
        "w7Rk!mZ2qT",
        "x9abc7k2q8w4pm",
        "春江潮水连海平2026",
        "大河奔流日月同辉",
        "not this one please",
    ],
)
def test_words_that_have_nothing_to_do_with_each_other_are_taken(password: str) -> None:
    assert not is_guessable(password, WORDS, UNITS)


def test_random_passwords_are_taken() -> None:
    # Drawn from a seed: one in some ten thousand looks like a pattern, and is drawn anew in use.
    dice = random.Random(1)
    drawn = [urlsafe_b64encode(dice.randbytes(12)).decode() for _time in range(1000)]
    assert [word for word in drawn if is_guessable(word, WORDS)] == []


def test_a_very_long_password_costs_no_more_than_its_beginning() -> None:
    assert is_guessable("ab" * 500_000, WORDS, UNITS)
    assert not is_guessable("no word of this is known here " + "x;" * 500_000, WORDS, UNITS)
