"""Find tasks, measures and units by any part of their words; two characters suffice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.domain.folding import fold, simplify
from tracker.models import Measure, Organization, Task
from tracker.models.task import TaskQuerySet, contains_term
from tracker.reports.filters import MAX_FILTER_TEXT, QueryReader

MIN_SEARCH_LENGTH = 2
MAX_SEARCH_HITS = 50  # hits shown of each kind
SEARCH_PARAM = gettext_lazy("search text")


SEARCHED: dict[Any, tuple[str, ...]] = {
    Measure: ("code", "name"),
    Organization: ("name", "short_name", "aliases"),
}


@dataclass(frozen=True)
class Hits:
    """What was found of one kind: the first rows, and how many there are."""

    rows: list[Any]
    total: int


def search_text(asked: QueryReader) -> str:
    """Read the text that is searched for.

    Blank where there is none or it cannot be searched for.
    """
    text = " ".join(asked.pop("q", SEARCH_PARAM).split())
    folded = fold(text)
    # Judged as it is searched for: a sign that is not seen is no fault, and quotes alone are no
    # word.
    if text and not (
        len(folded) >= MIN_SEARCH_LENGTH and len(text) <= MAX_FILTER_TEXT and folded.isprintable()
    ):
        allowed = _("%(least)d to %(most)d characters, without control characters")
        asked.refuse(
            SEARCH_PARAM, text, allowed % {"least": MIN_SEARCH_LENGTH, "most": MAX_FILTER_TEXT}
        )
        return ""
    if text:
        asked.query["q"] = text
    return text


def find_everything(rows: QuerySet[Any], text: str) -> Hits:
    """Find the rows in which each word of a text occurs; at most three queries."""
    found: QuerySet[Any]
    if isinstance(rows, TaskQuerySet):
        found = rows.about(text, {})
    else:
        found = matching(rows, text, SEARCHED[rows.model])
    return Hits(list(found[:MAX_SEARCH_HITS]), found.count())


def matching(rows: QuerySet[Any], text: str, names: Sequence[str]) -> QuerySet[Any]:
    """Keep the rows in which each word of a text occurs in one of some columns, both folded.

    Reads these columns of every row in one query: for tables of some thousand rows, such as units
    and measures. Tasks have a column of their own, folded when it is written.
    """
    words = fold(text).split()
    kept = []
    for key, *values in rows.order_by().values_list("pk", *names):
        lines = []
        for value in values:
            if value:
                lines += [fold(line) for line in str(value).splitlines()]
        known = "\n".join(lines)
        if all(word in known for word in words):
            kept.append(key)
    return rows.filter(pk__in=kept)


def matching_in_database(rows: QuerySet[Any], text: str, names: Sequence[str]) -> QuerySet[Any]:
    """Keep the rows in which each word of a text occurs in a column, compared by the database.

    For tables of many rows: of their own columns the database folds capitals alone. Columns of the
    task of a row stand for all that the task is about, which is stored folded.
    """
    own = [name for name in names if not name.startswith("task__")]
    for word in simplify(text).split():
        if not fold(word):
            continue
        found = Q(*((f"{name}__icontains", word) for name in own), _connector=Q.OR)
        if len(own) < len(names):
            found |= Q(task__in=Task.objects.filter(contains_term(word)).order_by().values("pk"))
        rows = rows.filter(found)
    return rows
