"""Say whether a password is guessable: what is left of it without known words. Pure."""

import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

from tracker.domain.folding import fold

MIN_STRENGTH = 6  # letters left; a Chinese character counts as two
MIN_LETTERS_LEFT = 4  # where a known word shows in the letters alone
MIN_LATIN_WORD = 3
MIN_CHINESE_WORD = 2
KEYBOARD_ROWS = (
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)
MAX_READ = 256  # characters; a longer password is judged by its beginning
MIN_SEQUENCE = 3  # characters in a row that count as a sequence
# Characters that stand for a letter.
LOOKALIKES = str.maketrans("@4301!5$78", "aaeoiisstb")
YEAR_PATTERN = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])?)?")
WORDS_FILE = Path(__file__).with_name("guessable_words.txt")
GAP_PATTERN = "\0"  # where something was cut out, so that what it parted does not join


@cache
def known_words() -> frozenset[str]:
    """Return the words of the file beside this module, folded."""
    words: set[str] = set()
    for line in WORDS_FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            words.update(map(fold, line.split()))
    return frozenset(words)


def words_in(texts: Iterable[str]) -> set[str]:
    """Return the words of names, addresses and titles that are long enough to be known by."""
    found: set[str] = set()
    for text in texts:
        folded = fold(text)
        words = [_plain(folded), *re.findall(r"[^\W_]+", folded)]
        found.update(filter(_is_word, words))
    return found


def is_guessable(password: str, words: Collection[str], names: str = "") -> bool:
    """Say whether too little is left of a password without known words, repeats, rows and years.

    `words` are cut out whole; of `names`, folded names of units a line each, every part of two
    Chinese characters or more.
    """
    folded = fold(password[:MAX_READ])
    if _strength(_core(folded)) < MIN_STRENGTH:
        return True
    known = set()
    for word in (*words, *known_words()):
        for step in (1, -1):
            known.add(word[::step])
    for text in {_plain(folded), _plain(folded.translate(LOOKALIKES))}:
        rest = _without_known(text, known, names)
        if rest != text and _strength(_core(rest)) < MIN_STRENGTH:
            return True
    letters = "".join(sign for sign in folded if sign.isalpha())
    rest = _without_known(letters, known, names)
    return rest != letters and _strength(rest) < MIN_LETTERS_LEFT


def common_forms(password: str) -> set[str]:
    """Return the forms of a password that a list of common ones may hold: without decorations."""
    folded = fold(password[:MAX_READ])
    return {_core(folded), _core(folded.translate(LOOKALIKES)), _core(folded).translate(LOOKALIKES)}


def _plain(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


def _is_word(word: str) -> bool:
    if word.isascii():
        return len(word) >= MIN_LATIN_WORD
    return len(word) >= MIN_CHINESE_WORD


def _core(text: str) -> str:
    """Return a text from its first letter to its last."""
    letters = []
    for place, sign in enumerate(text):
        if sign.isalpha():
            letters.append(place)
    if letters:
        return text[letters[0] : letters[-1] + 1]
    return ""


def _strength(text: str) -> int:
    letters = text.replace(GAP_PATTERN, "")
    wide = [letter for letter in letters if not letter.isascii()]
    return len(letters) + len(wide)


def _without_known(text: str, known: Collection[str], names: str) -> str:
    """Cut known parts out until nothing more is found."""
    before = ""
    while text != before:
        before = text
        text = _once(text)
        for word in sorted(known, key=len, reverse=True):
            text = text.replace(word, GAP_PATTERN)
        text = _without_names(YEAR_PATTERN.sub(GAP_PATTERN, text), names)
        text = _without_rows(text)
    return text


def _once(text: str) -> str:
    """Return what a text repeats, such as `abc` for `abcabcabc`.

    Of a character that is repeated only one is left.
    """
    text = re.sub(r"(.)\1{2,}", r"\1", text)
    repeated = re.fullmatch(r"(.+?)\1+", text, re.DOTALL)
    if repeated:
        return repeated[1]
    return text


def _without_names(text: str, names: str) -> str:
    for run in re.findall(r"[^\x00-\x7f]{2,}", text):
        for length in range(len(run), 1, -1):
            parts = set()
            for start in range(len(run) - length + 1):
                parts.add(run[start : start + length])
            for part in parts:
                if part in names:
                    text = text.replace(part, GAP_PATTERN)
    return text


def _without_rows(text: str) -> str:
    """Cut out what runs along a row of the keyboard or the alphabet, in either direction."""
    backwards = [row[::-1] for row in KEYBOARD_ROWS]
    for row in [*KEYBOARD_ROWS, *backwards]:
        for start in range(len(row) - MIN_SEQUENCE + 1):
            longest = 0
            for length in range(MIN_SEQUENCE, len(row) - start + 1):
                if row[start : start + length] not in text:
                    break
                longest = length
            if longest:
                text = text.replace(row[start : start + longest], GAP_PATTERN)
    return text
