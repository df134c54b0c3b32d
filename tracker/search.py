"""Find tasks, measures and units by any part of their words; two characters suffice."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.filters import LONGEST_TEXT, Asked
from tracker.models import Measure, Organization, Task
from tracker.models.task import holds

SHORTEST_TEXT = 2
MOST = 50  # hits shown of each kind
TEXT = gettext_lazy("search text")


def _any_of(*names: str) -> Callable[[str], Q]:
    return lambda word: reduce(or_, (Q(**{f"{name}__icontains": word}) for name in names))


HOLDS: dict[Any, Callable[[str], Q]] = {
    Task: holds,
    Measure: _any_of("code", "name"),
    Organization: _any_of("name", "short_name", "aliases"),
}


@dataclass(frozen=True)
class Hits:
    """What was found of one kind: the first rows, and how many there are."""

    rows: list[Any]
    total: int


def text_of(asked: Asked) -> str:
    """Read the text that is searched for; blank where there is none or it cannot be searched for."""
    text = " ".join(asked.take("q", TEXT).split())
    if text and not (SHORTEST_TEXT <= len(text) <= LONGEST_TEXT and text.isprintable()):
        allowed = _("%(least)d to %(most)d characters, none of them a control character")
        asked.refuse(TEXT, text, allowed % {"least": SHORTEST_TEXT, "most": LONGEST_TEXT})
        return ""
    asked.query |= {"q": text} if text else {}
    return text


def find(rows: QuerySet[Any], text: str) -> Hits:
    """Find the rows in which each word of a text occurs; two queries."""
    for word in text.split():
        rows = rows.filter(HOLDS[rows.model](word))
    return Hits(list(rows[:MOST]), rows.count())
