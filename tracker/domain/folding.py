"""Fold texts for comparison: what people type for the same thing becomes the same text.

Chinese keyboards, PDF files and WPS write one sign in several ways: full-width letters and digits,
other dashes and quotes, zero-width signs, an accent apart from its letter. Search, codes, names of
units and workbooks compare folded texts. Stored prose stays as it was typed.
"""

import re
import unicodedata

# Signs that are not seen: Default_Ignorable_Code_Point of the Unicode Character Database. Soft
# hyphen, zero-width signs, marks of direction, fillers, variation selectors, byte order mark.
_INVISIBLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_INVISIBLE = re.compile(
    f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in _INVISIBLE_RANGES)}]+"
)

# Hyphens and dashes of every length, the minus sign, the two- and three-em dash, and the line of
# box drawings that Chinese typists draw dashes with.
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0x2500, 0x2501, 0x2E3A, 0x2E3B], "-")
# Middle dots, as in names of people and days, and wave dashes, as in ranges.
_DOTS = dict.fromkeys([0x2022, 0x2027, 0x2219, 0x22C5, 0x30FB, 0xFF65], "\N{MIDDLE DOT}")
_WAVES = dict.fromkeys([0x223C, 0x223F, 0x301C, 0x3030], "~")
# What NFKC makes blanks of stands here for other white space: U+2800 is a blank in every font.
_BLANKS = {0x2800: " "}
_SIGNS = {**_DASHES, **_DOTS, **_WAVES, **_BLANKS}
_ANY_SIGN = re.compile(f"[{''.join(map(chr, _SIGNS))}]")

# Straight, curly, low, full-width and corner quotes, guillemets, primes and accents that stand
# for quotes, and the marks of book titles. They are dropped and not made equal: who looks for a
# slogan types it with quotes of any kind, or with none.
_QUOTE_CODES = (
    *(0x0022, 0x0027, 0x0060, 0x00AB, 0x00B4, 0x00BB, 0x02B9, 0x02BA, 0x02BB, 0x02BC, 0x02BD),
    *range(0x2018, 0x2020),
    *range(0x2032, 0x2038),
    *(0x2039, 0x203A, 0x2057),
    *range(0x275B, 0x2761),
    *range(0x3008, 0x3010),
    *(0x2329, 0x232A, 0x301D, 0x301E, 0x301F),
    *range(0xFE3D, 0xFE45),
    *(0xFF02, 0xFF07, 0xFF40, 0xFF62, 0xFF63),
)
_QUOTES = re.compile(f"[{''.join(map(chr, _QUOTE_CODES))}]+")


def simplify(text: str) -> str:
    """Return a text with one sign for each meaning, capitals and quotes kept.

    Full-width and other compatible signs become their plain twins (NFKC), every dash a hyphen,
    every white space one blank; signs that are not seen are removed, and those around the text.
    """
    if not text.isascii():
        # Before NFKC: an accent joins its letter only where no invisible sign parts them.
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
        # Most texts have none of these; to translate each of their letters costs ten times as much
        # as to look.
        if _ANY_SIGN.search(text):
            text = text.translate(_SIGNS)
    return " ".join(text.split())


def fold(text: str) -> str:
    """Return a text as it is compared: simplified, without capitals and quotes; idempotent."""
    plain = _QUOTES.sub("", simplify(_QUOTES.sub("", text)))
    small = plain.casefold()
    if small == plain or small.isascii():
        return small
    # Once more: a letter without its capital may be decomposed, and have another.
    return simplify(_QUOTES.sub("", simplify(small).casefold()))


def remove_invisible(text: str) -> str:
    """Return a text without the signs that are not seen; everything else stays as it was typed."""
    if text.isascii():
        return text
    return _INVISIBLE.sub("", text)
