"""Propose how a policy text breaks down: sections, measures, general demands and tasks, each by a rule that is named.

Pure and by rule: no model, no network. The result is a list of rows in the order of the text, which a
person changes before anything is saved; `draft.py` makes sections, measures and tasks of the rows.
Time is linear in the length of the text: 200,000 characters take a few seconds.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from tracker.domain.passages import Span, piece_at, split_clauses
from tracker.text import extract, lexicon, outline
from tracker.text.outline import HEADINGS, Node, Outline, overlapping, starting_in

LONGEST_HEAD = 45  # characters of a first sentence that names what follows
SHORT_HEAD = 30
SHORT_FIRST = 20  # characters of a first clause that may be a slogan without a verb
SLOGAN = 8  # characters of a clause that only rounds off the name before it
MAX_PROPOSED_NAME = 200
_UNIT_END = re.compile(r"[。！？!?；;\n]+[”’」』）)\"']*|\.(?=\s|$)")
_NAME_END = re.compile(r"[，。；：！？!?;\n]|,(?![0-9])|:(?!\d)|\.(?=\s|$)")
_OWNER_NOTE = re.compile(
    r"[（(【]\s*(?:牵头|责任|主办|完成|配合|时限|lead|owner)[^）)】]{0,120}[)）】]\s*[。.；;]?\s*$",
    re.IGNORECASE,
)
_NOTED = re.compile(
    r"(?:牵头|责任|主办)(?:单位|部门)?\s*[：:]|\b(?:lead|owner)\b\s*[：:]", re.IGNORECASE
)
# What sentences may open alike with: a word that says "must", a frame of two words, or their first two signs.
_OPENING = re.compile(
    r"(须|要(?![求素])|应(?![急用对]))|(在)[^，。]{2,20}上(?:下功夫|求|见|做|抓|用|聚|发力|出|有|实现|持续|[，,])"
    r"|(以)[^，。]{2,20}(?:为|促|带|引|推|助|赋|筑|铸|聚|强|固|提|激|建|塑|破|抓)|([\u4e00-\u9fff]{2})"
)
_TITLED = re.compile(r"[【\[（(]\s*([\u4e00-\u9fff]{2,20})\s*[】\])）]\s*")
_SPACED = re.compile(r"([\u4e00-\u9fff“”、和与]{3,25})[ \u3000]{1,4}(?=[\u4e00-\u9fff])")
_LEFT = re.compile(r"^(?:同时|此外|另外|对此|为此|因此|其中|并|并且|还|且)[，,]?")


class ProposalKind(TextChoices):
    """What a row of a proposal becomes."""

    SECTION = "section", _("section")
    MEASURE = "measure", _("measure")
    GENERAL = "general", _("general demand")
    TASK = "task", _("task")
    JOIN = "join", _("joined to the row above")
    BACKGROUND = "background", _("background, requires nothing")
    OUT = "out", _("left out")


class Rule(TextChoices):
    """Why a row was proposed."""

    CHAPTER = "chapter", _("heading of a chapter or part")
    NUMBERED = "numbered", _("numbered heading")
    HEADING = "heading", _("heading on its own line")
    THESIS = "thesis", _("opening sentence of a paragraph")
    WHOLE = "whole", _("the text as one section")
    ARTICLE = "article", _("numbered article")
    ITEM = "item", _("item of a numbered list")
    BULLET = "bullet", _("item of a list")
    FIRST = "first", _("item of a “firstly, secondly” list")
    PARALLEL = "parallel", _("sentences with the same opening")
    LEAD = "lead", _("paragraph with a summary sentence")
    SENTENCE = "sentence", _("sentence that begins with a demand")
    ROW = "row", _("row of a table of tasks")
    ITSELF = "itself", _("section without subdivisions, used as its own measure")
    FRAME = "frame", _("part with general demands")
    BEFORE = "before", _("demand before the measures")
    DEMAND = "demand", _("clause that begins with a demand")
    LOOKS_BACK = "looks_back", _("part that looks back or describes")
    HAND = "hand", _("added manually")


_BY_FAMILY = {
    "part": Rule.CHAPTER, "chapter": Rule.CHAPTER, "division": Rule.CHAPTER, "count": Rule.NUMBERED,
    "heading": Rule.HEADING, "line": Rule.HEADING, "article": Rule.ARTICLE, "bracket": Rule.NUMBERED,
    "named": Rule.NUMBERED, "bullet": Rule.BULLET, "first": Rule.FIRST,
}  # fmt: skip


@dataclass(frozen=True)
class ProposedRow:
    """A proposed section, measure, general demand or task: its name, its passages, and the rule that made it.

    `lead`, `helps` and `due` are the words of the text.
    """

    kind: str
    name: str
    spans: tuple[Span, ...]
    rule: str
    lead: str = ""
    helps: str = ""
    due: str = ""

    def passage(self, text: str) -> str:
        """Return the words that the row comes from."""
        return " … ".join(span.of(text) for span in self.spans)


@dataclass
class Proposal:
    """What a text is proposed to break down into."""

    text: str
    title: str
    author: str
    publisher: str
    published: tuple[int, int, int] | None
    source: list[str]
    rows: list[ProposedRow]

    @property
    def year(self) -> int | None:
        """Return the year that "the end of the year" means: that of the title, else of the publication."""
        named = re.search(r"(20\d\d)\s*年?", self.title)
        return int(named[1]) if named else self.published[0] if self.published else None


@dataclass
class _Part:
    """A section or measure being made: its name, where that stands, how far it reaches, what it holds."""

    name: str
    head: Span
    extent: Span
    rule: Rule
    nodes: Sequence[Node] = ()
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def inner(self) -> Span:
        """Return what stands behind the name."""
        return Span(max(self.head.end, self.extent.start), self.extent.end)


def propose_breakdown(text: str) -> Proposal:
    """Break a text down; an empty text gives an empty proposal."""
    built = outline.read_outline(text)
    rows = list(_Breaker(built).rows())
    return Proposal(
        text, built.title, built.author, built.publisher, built.published, built.source, rows
    )


class _Breaker:
    """Walk the outline of one text."""

    def __init__(self, built: Outline) -> None:
        self.built, self.text, self.lines = built, built.text, built.plain
        self.clauses = split_clauses(self.text)
        self.units = [unit for line in self.lines for unit in _cut(self.text, line)]

    def rows(self) -> Iterator[ProposedRow]:
        """Yield the rows in the order of the text."""
        sections = self._sections()
        before = self._preamble(sections[0]) if sections else []
        for section in sections:
            if lexicon.LOOKING_BACK.search(section.name) and section.rule != Rule.WHOLE:
                yield ProposedRow(
                    ProposalKind.BACKGROUND, section.name, (section.extent,), Rule.LOOKS_BACK
                )
                continue
            yield ProposedRow(ProposalKind.SECTION, section.name, (section.head,), section.rule)
            yield from before
            yield from self._of_section(section)
            before = []

    # Sections

    def _sections(self) -> list[_Part]:
        roots, rows = self.built.roots, self.built.rows
        if not roots:
            return (self._table_sections() if rows else self._paragraph_sections()) or self._whole()
        parts = [self._part(node) for node in roots]
        # What holds nothing numbered and nothing alike is a measure itself, and the text its section.
        holding = sum(bool(self._holds(part)) for part in parts)
        return parts if len(parts) > 1 and 2 * holding >= len(parts) else self._whole(roots)

    def _holds(self, part: _Part) -> bool:
        """Say whether a part is a section: parts inside it are marked, or more than sentences of its own paragraph."""
        if part.nodes:
            return part.nodes[0].family != "first" or part.nodes[0].number == 1
        run_in = len(overlapping(self.lines, part.extent)) == 1
        measures = self._measures(part)
        return lexicon.frames(part.name) or bool(
            measures and not (run_in and measures[0].rule == Rule.SENTENCE)
        )

    def _whole(self, roots: Sequence[Node] = ()) -> list[_Part]:
        """Make one section of the text, named by its title."""
        body, title = self.built.body, self.built.title
        name = title or _clean(_NAME_END.split(body.of(self.text).strip(), maxsplit=1)[0])[:60]
        at = self.text.find(title) if title else -1
        head = Span(at, at + len(title)) if 0 <= at < body.start else Span(body.start, body.start)
        return [_Part(name, head, body, Rule.WHOLE, roots)] if body.start < body.end else []

    def _part(self, node: Node) -> _Part:
        """Make a part of a node; what it holds are its children of the outermost kind, but no mere divisions."""
        head, children = self._head(node), node.children
        if any(child.family == "division" and child.children for child in children):
            children = [child for division in children for child in division.children or [division]]
        rank = min((child.rank for child in children), default=0)
        nodes = [child for child in children if child.rank == rank]
        return _Part(
            self._words(head),
            head,
            Span(node.start, node.end),
            _BY_FAMILY.get(node.family, Rule.ITEM),
            nodes,
        )

    def _head(self, node: Node) -> Span:
        """Find where the name of a numbered part stands."""
        stop = min([node.line_end, node.end, *(child.start for child in node.children[:1])])
        line = self.text[node.body : stop]
        own_line = not node.inline and node.family != "first"
        if (titled := _TITLED.match(line)) and titled.end() < len(line):
            return Span(node.body + titled.start(1), node.body + titled.end(1))
        whole = _OWNER_NOTE.sub("", line)
        if not node.inline and (spaced := _SPACED.match(whole)) and len(whole) > spaced.end() + 8:
            return Span(node.body, node.body + spaced.end(1))
        first = _UNIT_END.search(whole)
        size = first.start() if first else len(whole.rstrip(" *：:"))
        behind = whole[first.end() :].strip(" *") if first else ""
        heading = own_line and not behind and (not first or first[0][0] not in "。；;.")
        goes_on = first and (behind or self.text[node.line_end : node.end].strip())
        most = LONGEST_HEAD if own_line else SHORT_HEAD
        if (heading and (size <= most or node.family in HEADINGS)) or (
            goes_on and size <= most and node.family not in ("article", "bullet")
        ):
            colon = (
                re.search(r"[：:]\s*(?=\S{6})", whole[:size])
                if node.family not in HEADINGS or goes_on
                else None
            )
            return Span(node.body, node.body + (colon.start() if colon else size))
        end = _NAME_END.search(whole, min(len(whole), 2))
        return Span(node.body, node.body + (end.start() if end else len(whole)))

    def _table_sections(self) -> list[_Part]:
        """Make a section of each group that a table names, or one of the whole table."""
        parts: list[_Part] = []
        for row in self.built.rows:
            group = row.cells["group"]
            if not parts or (group and parts[-1].name != group):
                start = row.span.start
                at = self.text.find(
                    group, parts[-1].extent.end if parts else self.built.body.start, row.span.end
                )
                head = Span(at, at + len(group)) if at >= 0 else Span(start, start)
                if not group:
                    return self._whole()
                parts.append(
                    _Part(
                        group[:MAX_PROPOSED_NAME],
                        head,
                        Span(min(head.start, start), row.span.end),
                        Rule.ROW,
                    )
                )
            parts[-1].extent = Span(parts[-1].extent.start, row.span.end)
        return parts

    def _paragraph_sections(self) -> list[_Part]:
        """Make sections of paragraphs whose opening sentence names them and whose other sentences are demands."""
        led = [
            (paragraph, units[0], units[1:])
            for paragraph in self.lines
            if len(units := starting_in(self.units, paragraph)) >= 3
            and units[0].end - units[0].start <= LONGEST_HEAD
        ]
        alike = [one for one in led if self._alike(one[2])]
        found = [one for one in led if one in alike or self._ask(one[2])]
        if (
            2 * len(alike) <= len(found)
            and len(self._alike([unit for _paragraph, unit, _rest in led])) >= 3
        ):
            # The paragraphs open alike and their sentences do not: they are the measures.
            return []
        if len(found) < 2:
            return []
        ends = [*(paragraph.start for paragraph, _first, _rest in found[1:]), found[-1][0].end]
        return [
            _Part(
                self._words(first), _trim(self.text, first), Span(paragraph.start, end), Rule.THESIS
            )
            for (paragraph, first, _rest), end in zip(found, ends, strict=True)
        ]

    # General demands

    def _preamble(self, first: _Part) -> list[ProposedRow]:
        """Give what the preamble says must be to the first section."""
        for unit in starting_in(self.units, Span(self.built.body.start, first.extent.start)):
            inside = starting_in(self.clauses, unit)
            asked = next((clause for clause in inside if lexicon.must(clause.of(self.text))), None)
            if asked and not any(lexicon.FORMULA.search(clause.of(self.text)) for clause in inside):
                return list(
                    self._general(
                        Span(asked.start, unit.end), short_name_of(asked.of(self.text)), Rule.BEFORE
                    )
                )
        return []

    def _general(self, place: Span, name: str, rule: Rule) -> Iterator[ProposedRow]:
        yield ProposedRow(ProposalKind.GENERAL, name, (self._until(_NAME_END, place),), rule)
        yield from self._tasks(_Part(name, Span(place.start, place.start), place, rule))

    def _around(self, place: Span) -> Iterator[ProposedRow]:
        """Tell general demands from background in what stands before or behind the measures of a section."""
        units = [
            Span(unit.start, min(unit.end, place.end)) for unit in starting_in(self.units, place)
        ]
        asking = {unit: first for unit in units if (first := self._first_demand(unit))}
        if plain := [unit for unit in units if unit not in asking]:
            yield ProposedRow(
                ProposalKind.BACKGROUND,
                short_name_of(plain[0].of(self.text)),
                tuple(plain),
                Rule.BEFORE,
            )
        for number, (unit, first) in enumerate(asking.items()):
            if not number:
                yield ProposedRow(
                    ProposalKind.GENERAL,
                    short_name_of(first.of(self.text)),
                    (_trim(self.text, first),),
                    Rule.BEFORE,
                )
            yield from self._tasks(_Part("", Span(unit.start, unit.start), unit, Rule.BEFORE))

    # Measures

    def _of_section(self, section: _Part) -> Iterator[ProposedRow]:
        inner, measures = section.inner, self._measures(section)
        frame = lexicon.frames(section.name) and section.rule != Rule.WHOLE
        if not measures and frame:
            place = _trim(self.text, inner)
            if self._asks(place):
                yield from self._general(place, section.name, Rule.FRAME)
            elif place.start < place.end:
                yield ProposedRow(ProposalKind.BACKGROUND, section.name, (place,), Rule.FRAME)
            return
        if measures and section.rule != Rule.WHOLE:
            yield from self._around(Span(inner.start, measures[0].extent.start))
        elif not measures and (section.rule != Rule.WHOLE or self._asks(section.extent)):
            measures = [_Part(section.name, section.head, section.extent, Rule.ITSELF)]
        for part in measures:
            if not (frame or lexicon.frames(part.name)):
                yield ProposedRow(ProposalKind.MEASURE, part.name, (part.head,), part.rule)
            elif self._asks(part.extent):
                yield ProposedRow(ProposalKind.GENERAL, part.name, (part.head,), Rule.FRAME)
            else:
                yield ProposedRow(ProposalKind.BACKGROUND, part.name, (part.extent,), Rule.FRAME)
                continue
            yield from self._with_owners(part) if not part.cells else [_of_cells(part)]
        if measures and measures[-1].rule in (Rule.PARALLEL, Rule.SENTENCE):
            yield from self._around(Span(measures[-1].extent.end, section.extent.end))

    def _with_owners(self, part: _Part) -> Iterator[ProposedRow]:
        """Yield the tasks of a measure; what all of it says of owner and time holds for those that say nothing."""
        said, tasks = part.extent.of(self.text), list(self._tasks(part))
        lead, helps, due = _told(said if len(tasks) == 1 or _NOTED.search(said) else "")
        for task in tasks:
            yield replace(
                task, lead=task.lead or lead, helps=task.helps or helps, due=task.due or due
            )

    def _asks(self, place: Span) -> bool:
        """Say whether a part asks for anything but that it be read."""
        said = [clause.of(self.text) for clause in starting_in(self.clauses, place)]
        return any(map(lexicon.demands, said)) and not any(map(lexicon.FORMULA.search, said))

    def _ask(self, units: Sequence[Span]) -> list[Span]:
        """Return the sentences that begin with a demand, if most do."""
        asking = [unit for unit in units if lexicon.opens_with_verb(unit.of(self.text))]
        return asking if len(asking) >= 2 and 5 * len(asking) >= 3 * len(units) else []

    def _first_demand(self, place: Span) -> Span | None:
        inside = starting_in(self.clauses, place)
        return next((clause for clause in inside if lexicon.demands(clause.of(self.text))), None)

    def _measures(self, section: _Part) -> list[_Part]:
        """Find the measures of a section by the first rule that holds."""
        nodes, inner = section.nodes, section.inner
        if nodes:
            return (nodes[0].family == "first" and self._led_lines(nodes)) or [
                self._part(node) for node in nodes
            ]
        if rows := [row for row in self.built.rows if inner.start <= row.name.start < inner.end]:
            return [
                _Part(self._words(r.name), r.name, r.span, Rule.ROW, cells=r.cells) for r in rows
            ]
        paragraphs = [
            _trim(self.text, Span(max(line.start, inner.start), min(line.end, inner.end)))
            for line in overlapping(self.lines, inner)
        ]
        units = starting_in(self.units, inner)
        openers = [
            (place, unit) for place in paragraphs for unit in starting_in(self.units, place)[:1]
        ]
        alike = self._alike(units)
        if len(alike) >= 3 or any(
            alike and p.start <= alike[0].start and alike[-1].end <= p.end for p in paragraphs
        ):
            return self._run(alike, inner, Rule.PARALLEL)
        led = [
            unit
            for place, unit in openers
            if unit.end - unit.start <= SHORT_HEAD and unit.end < place.end
        ]
        if len(led) >= 2 and 2 * len(led) > len(paragraphs):
            return self._run(led, inner, Rule.LEAD)
        return self._run(
            self._alike([unit for _place, unit in openers]), inner, Rule.PARALLEL
        ) or self._run(self._ask(units), inner, Rule.SENTENCE)

    def _led_lines(self, nodes: Sequence[Node]) -> list[_Part]:
        """Make measures of paragraphs that each name something and then go through it, firstly, secondly."""
        groups: dict[int, list[Node]] = {}
        for node in nodes:
            groups.setdefault(node.line_end, []).append(node)
        led: list[_Part] = []
        for end, group in groups.items():
            start = self._line_at(group[0].start).start
            for first in starting_in(self.units, Span(start, group[0].start))[:1]:
                if group[0].number == 1 and first.end - first.start <= LONGEST_HEAD:
                    head = self._until(_UNIT_END, first)
                    led.append(_Part(self._words(head), head, Span(start, end), Rule.LEAD, group))
        return led if len(led) >= 2 and len(led) == len(groups) else []

    def _run(self, starts: Sequence[Span], inner: Span, rule: Rule) -> list[_Part]:
        """Make measures that each reach to the next one; a name runs to the first comma or full stop."""
        parts = []
        for unit, after in zip(starts, [*starts[1:], None], strict=False):
            end = after.start if after else inner.end
            line = self._line_at(unit.start)
            if not after and len(starts) > 1 and line.start <= starts[-2].start:
                # A row of sentences inside one paragraph ends with it.
                end = min(end, line.end)
            head = self._until(_UNIT_END if rule == Rule.LEAD else _NAME_END, unit)
            said = head.of(self.text)
            head = Span(head.end - len(lexicon.without_must(said)), head.end)
            parts.append(
                _Part(self._words(head), head, _trim(self.text, Span(unit.start, end)), rule)
            )
        return parts

    def _alike(self, units: Sequence[Span]) -> list[Span]:
        """Return the sentences that open alike, if enough of them do; those of the most frequent opening."""
        opened: dict[str, list[Span]] = {}
        for unit in units:
            if key := _opening(unit.of(self.text)):
                opened.setdefault(key, []).append(unit)
        key, best = max(opened.items(), key=lambda one: len(one[1]), default=("", []))
        if len(best) == 2 and key in lexicon.VERBS | {"要"}:
            return (
                best
                if sum(lexicon.opens_with_verb(unit.of(self.text)) for unit in units) <= 4
                else []
            )
        return best if len(best) >= 3 else []

    # Tasks

    def _tasks(self, part: _Part) -> Iterator[ProposedRow]:
        """Cut a measure into tasks that together are all of it: at inner numbers, else where a demand begins."""
        extent, head = part.extent, part.head
        nodes = {node.start: node for node in part.nodes}
        starts = list(self._starts(extent, head.end))
        if nodes:
            inner = Span(min(nodes), max(node.end for node in nodes.values()))
            # What stands before the first number is one task at most.
            before = [start for start in starts if start < inner.start]
            starts = before[: any(start > head.end for start in before)]
            starts += [*nodes, *self._starts(Span(inner.end, extent.end), inner.end)]
        starts = [extent.start, *starts[1:]]
        for start, end in zip(starts, [*starts[1:], extent.end], strict=True):
            span, node = _trim(self.text, Span(start, end)), nodes.get(start)
            if span.start >= span.end:
                continue
            name = self._words(self._head(node)) if node else self._task_name(span, head)
            rule = _BY_FAMILY.get(node.family, Rule.ITEM) if node else Rule.DEMAND
            # Its number and what numbers its measure are no part of a unit's name.
            behind = max(span.start, node.body if node else min(head.start, span.end))
            yield ProposedRow(
                ProposalKind.TASK, name, (span,), rule, *_told(self.text[behind : span.end])
            )

    def _starts(self, extent: Span, head_end: int) -> Iterator[int]:
        """Yield where a new demand begins: each clause that opens with a verb, once the task before it has its own."""
        asked = False
        for clause in starting_in(self.clauses, extent):
            said = clause.of(self.text)
            if clause.end <= head_end + 1 and not asked:
                # The clause of the name belongs to the first task.
                if clause.start <= extent.start:
                    yield extent.start
                asked = self.text[head_end : head_end + 1] in "，,"
            elif not is_note(said):
                slogan = asked and len(said) <= SLOGAN and clause.start <= head_end + 2
                if not slogan and said[:1] not in "既又" and lexicon.demands(_LEFT.sub("", said)):
                    if asked or clause.start <= extent.start:
                        yield clause.start
                    asked = True

    def _task_name(self, span: Span, head: Span) -> str:
        """Name a task by the first clause that asks for something, past the name of its measure."""
        inside = [
            clause
            for clause in starting_in(self.clauses, span)
            if not is_note(clause.of(self.text))
        ]
        holds_head = span.start < head.end
        if holds_head and self.text[head.end : head.end + 1] not in "，,":
            inside = [clause for clause in inside if clause.start >= head.end] or inside
        asking = [] if holds_head and inside[:1] and inside[0].start < head.end else [
            clause for clause in inside if lexicon.demands(clause.of(self.text))
        ]  # fmt: skip
        place = (asking or inside or [span])[0]
        # The number of its measure is no part of a task's name.
        return short_name_of(
            self.text[
                max(place.start, head.start) if place.start < head.end else place.start : place.end
            ]
        )

    # Places

    def _words(self, place: Span) -> str:
        return _clean(place.of(self.text))

    def _line_at(self, place: int) -> Span:
        return self.lines[piece_at(self.lines, place)]

    def _until(self, pattern: re.Pattern[str], unit: Span) -> Span:
        """Cut a place at the first stop of a kind."""
        found = pattern.search(self.text, min(unit.start + 2, unit.end), unit.end)
        return Span(unit.start, found.start() if found else unit.end)


def _of_cells(part: _Part) -> ProposedRow:
    """Make the one task of a table row, with the owner and the deadline that its cells say."""
    lead, helps, _due = _told(
        f"牵头：{part.cells.get('lead', '')}；配合：{part.cells.get('helps', '')}"
    )
    return ProposedRow(
        ProposalKind.TASK,
        part.name,
        (part.extent,),
        Rule.ROW,
        lead,
        helps,
        part.cells.get("due", ""),
    )


def _told(passage: str) -> tuple[str, str, str]:
    """Return who leads, who helps and by when, as a passage says it."""
    lead, helps = extract.find_unit_notes(passage)
    return (
        "、".join(lead),
        "、".join(helps),
        next((found.words for found in extract.find_deadlines(passage)), ""),
    )


def is_note(clause: str) -> bool:
    """Say whether a clause only says who does it or by when."""
    return bool(extract.NOTE.match(clause)) or lexicon.owners(clause)


def _cut(text: str, line: Span) -> Iterator[Span]:
    """Cut a line at full stops and semicolons."""
    ends = [found.end() for found in _UNIT_END.finditer(text, line.start, line.end)]
    for start, end in zip([line.start, *ends], [*ends, line.end], strict=True):
        span = _trim(text, Span(start, end))
        if re.search(r"\w", span.of(text)):
            yield span


def _trim(text: str, span: Span) -> Span:
    said = span.of(text).rstrip()
    left = len(said) - len(said.lstrip(" \t\n\r\u3000。；，、：.;,:*"))
    return Span(span.start + left, span.start + len(said))


def _opening(unit: str) -> str:
    """Return what a sentence opens with, as far as others may open alike; blank where it asks for nothing so."""
    unit = re.sub(r"\s+", "", unit[: lexicon.MAX_CLAUSE_LENGTH]).lstrip("“\"‘'*")
    unit = re.sub(r"^(?:我们|各级|各地|各部门)(?=[要须应])", "", unit)
    found = _OPENING.match(unit)
    key = found[found.lastindex or 0] if found else ""
    if len(key) < 2 or key in lexicon.VERBS:
        return key
    first = re.split(r"[，,。；;]", unit, maxsplit=1)[0]
    return (
        key
        if key not in lexicon.NO_OPENING and (lexicon.demands(first) or len(first) <= SHORT_FIRST)
        else ""
    )


def _clean(name: str) -> str:
    """Bring a name to one line without marks and the stop at its end."""
    name = re.sub(r"\s+", " ", re.sub(r"\*\*|__", "", name)).strip(" *#_\u3000")
    name = _OWNER_NOTE.sub("", name)
    return name.rstrip("。；;，,：:.、 ")[:MAX_PROPOSED_NAME]


def short_name_of(clause: str) -> str:
    """Name a demand: its clause without what links it to the sentence before, and without its subject."""
    name = _clean(_OWNER_NOTE.sub("", clause))
    name = lexicon.without_subject(_LEFT.sub("", name))
    name = re.sub(r"^(?:一是|二是|三是|四是|五是|要|须|应当|应)(?=[\u4e00-\u9fff]{3})", "", name)
    return name or _clean(clause) or clause[:MAX_PROPOSED_NAME]


def tally(rows: Sequence[ProposedRow]) -> Counter[str]:
    """Count the rows of a proposal by kind."""
    return Counter(row.kind for row in rows)
