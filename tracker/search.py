"""Find tasks, measures and units by any part of their words; two characters suffice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.folding import fold, simplify
from tracker.filters import LONGEST_TEXT, Asked
from tracker.models import Measure, Organization, Task
from tracker.models.task import TaskQuerySet, holds

SHORTEST_TEXT = 2
MOST = 50  # hits shown of each kind
TEXT = gettext_lazy("search text")


SEARCHED: dict[Any, tuple[str, ...]] = {
    Measure: ("code", "name"),
    Organization: ("name", "short_name", "aliases"),
}


@dataclass(frozen=True)
class Hits:
    """What was found of one kind: the first rows, and how many there are."""

    rows: list[Any]
    total: int


def text_of(asked: Asked) -> str:
    """Read the text that is searched for; blank where there is none or it cannot be searched for."""
    text = " ".join(asked.take("q", TEXT).split())
    folded = fold(text)
    # Judged as it is searched for: a sign that is not seen is no fault, and quotes alone are no word.
    if text and not (len(folded) >= SHORTEST_TEXT and len(text) <= LONGEST_TEXT and folded.isprintable()):
        allowed = _("%(least)d to %(most)d characters, none of them a control character")
        asked.refuse(TEXT, text, allowed % {"least": SHORTEST_TEXT, "most": LONGEST_TEXT})
        return ""
    asked.query |= {"q": text} if text else {}
    return text


def find(rows: QuerySet[Any], text: str) -> Hits:
    """Find the rows in which each word of a text occurs; at most three queries."""
    found = rows.about(text, {}) if isinstance(rows, TaskQuerySet) else matching(rows, text, SEARCHED[rows.model])
    return Hits(list(found[:MOST]), found.count())


def matching(rows: QuerySet[Any], text: str, names: Sequence[str]) -> QuerySet[Any]:
    """Keep the rows in which each word of a text occurs in one of some columns, both folded.

    Reads these columns of every row in one query: for tables of some thousand rows, such as units
    and measures. Tasks have a column of their own, folded when it is written.
    """
    words = fold(text).split()
    kept = []
    for key, *values in rows.order_by().values_list("pk", *names):
        known = "\n".join(fold(line) for value in values if value for line in str(value).splitlines())
        if all(word in known for word in words):
            kept.append(key)
    return rows.filter(pk__in=kept)


def matching_in_database(rows: QuerySet[Any], text: str, names: Sequence[str]) -> QuerySet[Any]:
    """Keep the rows in which each word of a text occurs in one of some columns, as the database compares.

    For tables of many rows: of their own columns the database folds capitals alone. Columns of the
    task of a row stand for all that the task is about, which is stored folded.
    """
    own = [name for name in names if not name.startswith("task__")]
    for word in simplify(text).split():
        if not fold(word):
            continue
        found = Q(*((f"{name}__icontains", word) for name in own), _connector=Q.OR)
        if len(own) < len(names):
            found |= Q(task__in=Task.objects.filter(holds(word)).order_by().values("pk"))
        rows = rows.filter(found)
    return rows
