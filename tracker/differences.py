"""What two texts have in common and where they differ, clause by clause. Pure."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

CLAUSES = re.compile(r"\w+|\W+")  # words and Chinese clauses end at punctuation
MOST = 4000  # clauses compared; a longer text is shown as replaced


def differences(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield pieces of text with `same`, `del` or `ins`, in reading order."""
    before, after = CLAUSES.findall(old), CLAUSES.findall(new)
    if max(len(before), len(after)) > MOST:
        yield from ((kind, text) for kind, text in (("del", old), ("ins", new)) if text)
        return
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", "".join(before[a:b])
            continue
        if b > a:
            yield "del", "".join(before[a:b])
        if d > c:
            yield "ins", "".join(after[c:d])
