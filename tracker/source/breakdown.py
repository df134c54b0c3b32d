"""Propose how a policy text breaks down: sections, measures, general demands and tasks, each by a rule that is named.

Pure and by rule: no model, no network. The result is a list of rows in the order of the text, which a
person changes before anything is saved; `draft.py` makes sections, measures and tasks of the rows.
Time is linear in the length of the text: 200,000 characters take a few seconds.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from tracker.source import details, outline, words
from tracker.source.anchors import Span, clauses
from tracker.source.outline import HEADINGS, Node, Outline, within

LONGEST_HEAD = 45  # characters of a first sentence that names what follows
SHORT_HEAD = 30
SLOGAN = 8  # characters of a clause that only rounds off the name before it
LONGEST_NAME = 200
_UNIT_END = re.compile(r"[。！？!?；;\n]+[”’」』）)\"']*|\.(?=\s|$)")
_NAME_END = re.compile(r"[，。；：！？!?;\n]|,(?![0-9])|:(?!\d)|\.(?=\s|$)")
_SENTENCE = re.compile(r"[。！？!?\n]|\.(?=\s|$)")
_OWNER_NOTE = re.compile(
    r"[（(【]\s*(?:牵头|责任|主办|完成|配合|时限|lead|owner)[^）)】]{0,120}[)）】]\s*[。.；;]?\s*$", re.IGNORECASE
)
_TITLED = re.compile(r"[【\[（(]\s*([\u4e00-\u9fff]{2,20})\s*[】\])）]\s*")
_SPACED = re.compile(r"([\u4e00-\u9fff“”、和与]{3,25})[ \u3000]{1,4}(?=[\u4e00-\u9fff])")
_LEFT = re.compile(r"^(?:同时|此外|另外|对此|为此|因此|其中|并|并且|还|且)[，,]?")


class Kind(TextChoices):
    """What a row of a proposal becomes."""

    SECTION = "section", _("section")
    MEASURE = "measure", _("measure")
    GENERAL = "general", _("general demand")
    TASK = "task", _("task")
    JOIN = "join", _("joined to the row above")
    BACKGROUND = "background", _("background, asks for nothing")
    OUT = "out", _("left out")


class Rule(TextChoices):
    """Why a row was proposed."""

    CHAPTER = "chapter", _("heading of a chapter or part")
    NUMBERED = "numbered", _("numbered heading")
    HEADING = "heading", _("heading of its own line")
    THESIS = "thesis", _("opening sentence of a paragraph")
    WHOLE = "whole", _("the text as one section")
    ARTICLE = "article", _("numbered article")
    ITEM = "item", _("item of a numbered list")
    BULLET = "bullet", _("item of a list")
    FIRST = "first", _("row of “firstly, secondly”")
    PARALLEL = "parallel", _("sentences that open alike")
    LEAD = "lead", _("paragraph with a sentence that names it")
    SENTENCE = "sentence", _("sentence that begins with its demand")
    ROW = "row", _("row of a table of tasks")
    ITSELF = "itself", _("section without inner parts, its own measure")
    FRAME = "frame", _("part that says in general what is wanted")
    BEFORE = "before", _("demand that stands before the measures")
    DEMAND = "demand", _("clause that begins with a demand")
    LOOKS_BACK = "looks_back", _("part that looks back or describes")
    HAND = "hand", _("by hand")


_BY_FAMILY = {
    "part": Rule.CHAPTER, "chapter": Rule.CHAPTER, "division": Rule.CHAPTER, "count": Rule.NUMBERED,
    "heading": Rule.HEADING, "line": Rule.HEADING, "article": Rule.ARTICLE, "bracket": Rule.NUMBERED,
    "named": Rule.NUMBERED, "bullet": Rule.BULLET, "first": Rule.FIRST,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
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
    rows: list[Row]

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
    nodes: Sequence[Node] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)


def propose(text: str) -> Proposal:
    """Break a text down; an empty text gives an empty proposal."""
    built = outline.read(text)
    proposal = Proposal(text, built.title, built.author, built.publisher, built.published, built.source, [])
    proposal.rows = list(_Breaker(built).rows())
    return proposal


class _Breaker:
    """Walk the outline of one text."""

    def __init__(self, built: Outline) -> None:
        self.built, self.text = built, built.text
        self.clauses = clauses(self.text)
        self.units = _units(self.text)
        self.lines = outline.lines_of(self.text)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of the text."""
        sections = self._sections()
        if sections:
            yield from self._preamble(sections)
        for section, general in sections:
            if words.LOOKING_BACK.search(section.name) and section.rule != Rule.WHOLE:
                yield Row(Kind.BACKGROUND, section.name, (section.extent,), Rule.LOOKS_BACK)
                continue
            yield Row(Kind.SECTION, section.name, (section.head,), section.rule)
            yield from general
            yield from self._of_section(section)

    # Sections

    def _sections(self) -> list[tuple[_Part, list[Row]]]:
        """Return the sections in order, each with the general demands that stand before it."""
        roots, body = self.built.roots, self.built.body
        if roots and self._are_sections(roots):
            return [(self._part(node), []) for node in roots]
        if roots:
            whole = _Part(
                self.built.title or _first_words(self.text, body), self._title_place(), body, Rule.WHOLE, roots
            )
            return [(whole, [])]
        if self.built.tables:
            return [(part, []) for part in self._table_sections()]
        return [(part, []) for part in self._paragraph_sections()]

    def _are_sections(self, roots: Sequence[Node]) -> bool:
        if roots[0].family in HEADINGS:
            return True
        holding = sum(any(child.family != "first" for child in node.children) for node in roots)
        return roots[0].family not in ("article", "first") and len(roots) > 1 and 2 * holding > len(roots)

    def _part(self, node: Node, *, measure: bool = False) -> _Part:
        head = self._head(node)
        rule = _BY_FAMILY.get(node.family, Rule.ITEM)
        children = node.children
        while children and children[0].family == "division":
            children = [child for division in children for child in (division.children or [division])]
            if any(child.family == "division" for child in children):
                break
        if not measure and children:
            rank = min(child.rank for child in children)
            children = [child for child in children if child.rank == rank]
        return _Part(_clean(head.of(self.text)), head, Span(node.start, node.end), rule, children)

    def _head(self, node: Node) -> Span:
        """Find where the name of a numbered part stands."""
        text, stop = self.text, min(node.line_end, node.end)
        if node.children:
            stop = min(stop, node.children[0].start)
        line = text[node.body : stop]
        if (titled := _TITLED.match(line)) and titled.end() < len(line):
            return Span(node.body + titled.start(1), node.body + titled.end(1))
        note = _OWNER_NOTE.search(line)
        whole = line[: note.start()] if note else line
        if not node.inline and (spaced := _SPACED.match(whole)) and len(whole) > spaced.end() + 8:
            return Span(node.body, node.body + spaced.end(1))
        first = _UNIT_END.search(whole)
        own = first is None or (not whole[first.end() :].strip(" *") and first[0][0] not in "。；;.")
        if (
            own
            and not (node.inline or node.family == "first")
            and (len(whole) <= LONGEST_HEAD or node.family in HEADINGS)
        ):
            colon = re.search(r"[：:]\s*(?=\S{6})", whole)
            return Span(
                node.body,
                node.body + (colon.start() if colon and node.family not in HEADINGS else len(whole.rstrip(" *：:"))),
            )
        goes_on = bool(first and (whole[first.end() :].strip() or text[node.line_end : node.end].strip()))
        if (
            first
            and goes_on
            and first.start() <= LONGEST_HEAD
            and not node.inline
            and node.family not in ("article", "bullet")
        ):
            colon = re.search(r"[：:]", whole[: first.start()])
            return Span(node.body, node.body + (colon.start() if colon else first.start()))
        end = _NAME_END.search(whole, min(len(whole), 2))
        return Span(node.body, node.body + (end.start() if end else len(whole)))

    def _title_place(self) -> Span:
        at = self.text.find(self.built.title) if self.built.title else -1
        return Span(at, at + len(self.built.title)) if at >= 0 else Span(self.built.body.start, self.built.body.start)

    def _table_sections(self) -> list[_Part]:
        """Make a section of each group that a table names, or one of the whole table."""
        parts: list[_Part] = []
        for rows in self.built.tables:
            for row in rows:
                name = row.cells.get("group") or self.built.title or _first_words(self.text, self.built.body)
                if not parts or parts[-1].name != name:
                    at = self.text.find(name, row.span.start, row.span.end) if row.cells.get("group") else -1
                    head = Span(at, at + len(name)) if at >= 0 else Span(row.span.start, row.span.start)
                    rule = Rule.ROW if row.cells.get("group") else Rule.WHOLE
                    parts.append(_Part(name[:LONGEST_NAME], head, row.span, rule))
                parts[-1].extent = Span(parts[-1].extent.start, row.span.end)
        return parts

    def _paragraph_sections(self) -> list[_Part]:
        """Make sections of paragraphs whose opening sentence names them and whose other sentences open alike."""
        paragraphs = within(self.lines, self.built.body)
        found: list[tuple[Span, Span]] = []
        for paragraph in paragraphs:
            units = within(self.units, paragraph)
            if len(units) < 3 or len(units[0].of(self.text)) > LONGEST_HEAD:
                continue
            asking = sum(words.opens_with_verb(unit.of(self.text)) for unit in units[1:])
            if self._alike(units[1:]) or (asking >= 2 and 5 * asking >= 3 * (len(units) - 1)):
                found.append((paragraph, units[0]))
        if len(found) < 2:
            openers = [within(self.units, paragraph)[:1] for paragraph in paragraphs]
            led = [
                (paragraph, units[0])
                for paragraph in paragraphs
                if len(units := within(self.units, paragraph)) >= 3
                and len(units[0].of(self.text)) <= LONGEST_HEAD
                and sum(words.opens_with_verb(unit.of(self.text)) for unit in units[1:]) >= 2
            ]
            alike = self._alike([unit for units in openers for unit in units])
            found = led if len(led) >= 2 and len(alike) < len(led) else []
        if not found:
            whole = _Part(
                self.built.title or _first_words(self.text, self.built.body),
                self._title_place(),
                self.built.body,
                Rule.WHOLE,
            )
            return [whole] if paragraphs else []
        parts = []
        for (paragraph, first), after in zip(found, [*found[1:], None][: len(found)], strict=True):
            end = after[0].start if after else paragraph.end
            name = _clean(first.of(self.text))
            parts.append(_Part(name, _trim(self.text, first), Span(paragraph.start, end), Rule.THESIS))
        return parts

    # General demands

    def _preamble(self, sections: list[tuple[_Part, list[Row]]]) -> Iterator[Row]:
        """Give what the preamble says must be to the first section."""
        first = sections[0][0]
        start = first.nodes[0].start if first.rule == Rule.WHOLE and first.nodes else first.extent.start
        for unit in within(self.units, Span(self.built.body.start, start)):
            inside = within(self.clauses, unit)
            asked = [clause for clause in inside if words.must(clause.of(self.text))]
            if (
                asked
                and not any(words.FORMULA.search(clause.of(self.text)) for clause in inside)
                and first.rule != Rule.WHOLE
            ):
                place = Span(asked[0].start, unit.end)
                sections[0][1].extend(self._general(place, name_of(asked[0].of(self.text)), Rule.BEFORE))
                return
        return
        yield

    def _general(self, place: Span, name: str, rule: Rule) -> Iterator[Row]:
        yield Row(Kind.GENERAL, name, (_until_pause(self.text, place),), rule)
        yield from self._tasks(place, Span(place.start, place.start))

    # Measures

    def _of_section(self, section: _Part) -> Iterator[Row]:
        inner = (
            Span(section.head.end, section.extent.end) if section.rule not in (Rule.WHOLE, Rule.ROW) else section.extent
        )
        frame = words.frames(section.name) and section.rule != Rule.WHOLE
        measures = self._measures(section, inner)
        if frame and not measures:
            place = _trim(self.text, inner)
            if self._asks(place):
                yield from self._general(place, section.name, Rule.FRAME)
            elif place.start < place.end:
                yield Row(Kind.BACKGROUND, section.name, (place,), Rule.FRAME)
            return
        if not measures and section.rule not in (Rule.WHOLE,):
            measures = [_Part(section.name, section.head, section.extent, Rule.ITSELF)]
        if measures and section.rule != Rule.WHOLE and measures[0].rule != Rule.ITSELF:
            yield from self._intro(section, Span(inner.start, measures[0].extent.start))
        behind = Span(measures[-1].extent.end, section.extent.end) if measures else section.extent
        for part in measures:
            kind = Kind.GENERAL if frame or words.frames(part.name) else Kind.MEASURE
            lead, helps = details.units(part.extent.of(self.text)) if not part.cells else ([], [])
            due = next((found.words for found in details.dues(part.extent.of(self.text))), "") if not part.cells else ""
            if kind == Kind.GENERAL and not self._asks(part.extent):
                yield Row(Kind.BACKGROUND, part.name, (part.extent,), Rule.FRAME)
                continue
            yield Row(kind, part.name, (part.head,), Rule.FRAME if kind == Kind.GENERAL else part.rule)
            if part.cells:
                yield self._of_cells(part)
                continue
            tasks = list(self._tasks(part.extent, part.head, part.nodes))
            for task in tasks:
                # What the whole measure says of owner and time holds for each task that says nothing itself.
                noted = (lead and task.lead == "" and _notes(self.text, part.extent)) or len(tasks) == 1
                yield replace(
                    task,
                    lead=task.lead or ("、".join(lead) if noted else ""),
                    helps=task.helps or ("、".join(helps) if noted else ""),
                    due=task.due or (due if noted else ""),
                )

        if measures and measures[-1].rule in (Rule.PARALLEL, Rule.SENTENCE):
            yield from self._intro(section, behind)

    def _asks(self, place: Span) -> bool:
        """Say whether a part asks for anything but that it be read."""
        said = [clause.of(self.text) for clause in within(self.clauses, place)]
        return any(map(words.demands, said)) and not any(map(words.FORMULA.search, said))

    def _intro(self, section: _Part, place: Span) -> Iterator[Row]:
        """Tell general demands from background in what stands between a heading and its first measure."""
        units = [Span(unit.start, min(unit.end, place.end)) for unit in within(self.units, place)]
        units = [unit for unit in units if not any(unit.overlaps(head) for head in self.built.table_heads)]
        asking = [unit for unit in units if outline.asks(self.text, within(self.clauses, unit))]
        plain = [unit for unit in units if unit not in asking]
        if plain:
            yield Row(Kind.BACKGROUND, name_of(plain[0].of(self.text)), tuple(plain), Rule.BEFORE)
        if asking:
            inside = within(self.clauses, Span(asking[0].start, asking[-1].end))
            first = next(clause for clause in inside if words.demands(clause.of(self.text)))
            yield Row(Kind.GENERAL, name_of(first.of(self.text)), (_trim(self.text, first),), Rule.BEFORE)
            for unit in asking:
                yield from self._tasks(unit, Span(unit.start, unit.start))

    def _measures(self, section: _Part, inner: Span) -> list[_Part]:
        """Find the measures of a section by the first rule that holds."""
        nodes = section.nodes
        if nodes:
            if nodes[0].family == "first" and (lines := self._led_lines(nodes)):
                return lines
            return [self._part(node, measure=True) for node in nodes]
        if rows := [row for table in self.built.tables for row in table if inner.start <= row.span.start < inner.end]:
            return [
                _Part(_clean(row.name.of(self.text)), row.name, row.span, Rule.ROW, cells=row.cells) for row in rows
            ]
        paragraphs = [_trim(self.text, span) for span in _meet(self.lines, inner)]
        units = within(self.units, inner)
        if section.rule == Rule.THESIS or section.rule == Rule.WHOLE or len(units) > 1:
            starts = self._alike(units)
            one = (
                any(place.start <= starts[0].start and starts[-1].end <= place.end for place in paragraphs)
                if starts
                else False
            )
            if starts and (len(starts) >= 3 or one):
                return self._run(starts, inner, Rule.PARALLEL)
        led = []
        for paragraph in paragraphs:
            first = within(self.units, paragraph)[:1]
            if first and len(first[0].of(self.text)) <= SHORT_HEAD and first[0].end < paragraph.end:
                led.append(first[0])
        if len(paragraphs) >= 2 and 2 * len(led) > len(paragraphs) and len(led) >= 2:
            return self._run(led, inner, Rule.LEAD, whole=True)
        if starts := self._alike([unit for span in paragraphs for unit in within(self.units, span)[:1]]):
            return self._run(starts, inner, Rule.PARALLEL)
        asking = [unit for unit in units if words.opens_with_verb(unit.of(self.text))]
        if len(asking) >= 2 and 5 * len(asking) >= 3 * len(units):
            return self._run(asking, inner, Rule.SENTENCE)
        return []

    def _led_lines(self, nodes: Sequence[Node]) -> list[_Part]:
        """Make measures of paragraphs that each name something and then go through it, firstly, secondly."""
        groups: dict[int, list[Node]] = {}
        for node in nodes:
            groups.setdefault(node.line_end, []).append(node)
        led: list[_Part] = []
        for end, group in groups.items():
            line = self.lines[bisect_right(self.lines, Span(group[0].start, len(self.text))) - 1]
            start = max(line.start, self.built.body.start)
            first = within(self.units, Span(start, group[0].start))[:1]
            if first and group[0].number == 1 and len(first[0].of(self.text)) <= LONGEST_HEAD:
                head = _until_stop(self.text, first[0])
                led.append(_Part(_clean(head.of(self.text)), head, Span(start, end), Rule.LEAD, group))
        return led if len(led) >= 2 and len(led) == len(groups) else []

    def _run(self, starts: Sequence[Span], inner: Span, rule: Rule, *, whole: bool = False) -> list[_Part]:
        """Make measures that each reach to the next one; a name runs to the first comma or full stop."""
        parts = []
        for unit, after in zip(starts, [*starts[1:], None][: len(starts)], strict=True):
            end = after.start if after else inner.end
            line = self.lines[bisect_right(self.lines, Span(unit.start, 1 << 60)) - 1]
            if not after and line.start < unit.start and len(starts) > 1 and starts[-2].start >= line.start:
                # A row of sentences inside one paragraph ends with it.
                end = min(end, line.end)
            extent = _trim(self.text, Span(unit.start, end))
            head = _until_stop(self.text, unit) if whole else _until_pause(self.text, unit)
            if re.match(r"要(?![求素点闻])", head.of(self.text)):
                head = Span(head.start + 1, head.end)
            parts.append(_Part(_clean(head.of(self.text)), head, extent, rule))
        return parts

    def _alike(self, units: Sequence[Span]) -> list[Span]:
        """Return the sentences that open alike, if enough of them do; those of the most frequent opening."""
        opened: dict[str, list[Span]] = {}
        for unit in units:
            if key := _opening(unit.of(self.text)):
                opened.setdefault(key, []).append(unit)
        if not opened:
            return []
        key = max(opened, key=lambda name: len(opened[name]))
        best = opened[key]
        asking = sum(words.opens_with_verb(unit.of(self.text)) for unit in units)
        enough = len(best) >= 3 or (
            len(best) == 2 and 2 * len(best) >= max(asking, 1) and key in words.OPENING_VERB | {"要"}
        )
        return best if enough else []

    # Tasks

    def _tasks(self, extent: Span, head: Span, nodes: Sequence[Node] = ()) -> Iterator[Row]:
        """Cut a measure into tasks that together are all of it: at inner numbers, else where a demand begins."""
        head_end = head.end
        starts: list[int] = []
        if nodes:
            rank = min(node.rank for node in nodes)
            inner = [node for node in nodes if node.rank == rank]
            starts = [node.start for node in inner]
            before = list(self._starts(Span(extent.start, inner[0].start), head_end))
            behind = self._starts(Span(inner[-1].end, extent.end), inner[-1].end) if inner[-1].end < extent.end else []
            starts = [*before[: 1 if any(s > head_end for s in before) else 0], *starts, *behind]
            bodies = {node.start: node for node in inner}
        else:
            starts, bodies = list(self._starts(extent, head_end)), {}
        starts = sorted(set(starts)) or [extent.start]
        for place, start in enumerate(starts):
            begin = extent.start if place == 0 else start
            span = _trim(self.text, Span(begin, starts[place + 1] if place + 1 < len(starts) else extent.end))
            if span.start >= span.end:
                continue
            node = bodies.get(start)
            name = _clean(self._head(node).of(self.text)) if node else self._task_name(span, head)
            passage = span.of(self.text)
            # Its number and what numbers its measure are no part of a unit's name.
            said = self.text[
                max(span.start, node.body if node else head.start if head.start < span.end else 0) : span.end
            ]
            lead, helps = details.units(said)
            due = next((found.words for found in details.dues(passage)), "")
            yield Row(Kind.TASK, name, (span,), _BY_FAMILY.get(node.family, Rule.ITEM) if node else Rule.DEMAND,
                      "、".join(lead), "、".join(helps), due)  # fmt: skip

    def _starts(self, extent: Span, head_end: int) -> Iterator[int]:
        """Yield where a new demand begins: each clause that opens with a verb, once the task before it has its own."""
        asked = False
        for clause in within(self.clauses, extent):
            if clause.end <= head_end + 1 and not asked:
                # The clause of the name belongs to the first task.
                if clause.start == extent.start or clause.start <= extent.start:
                    yield extent.start
                asked = self.text[head_end : head_end + 1] in "，,"
                continue
            said = clause.of(self.text)
            if _is_note(said):
                continue
            slogan = asked and len(said) <= SLOGAN and clause.start <= head_end + 2
            if not slogan and said[:1] not in "既又" and words.demands(_LEFT.sub("", said)):
                if asked or clause.start <= extent.start:
                    yield clause.start
                asked = True

    def _task_name(self, span: Span, head: Span) -> str:
        """Name a task by the first clause that asks for something, past the name of its measure."""
        head_end = head.end
        inside = [clause for clause in within(self.clauses, span) if not _is_note(clause.of(self.text))]
        after = [clause for clause in inside if clause.start >= head_end] if span.start < head_end else inside
        asking = [clause for clause in after if words.demands(clause.of(self.text))]
        of_head = span.start < head_end and self.text[head_end : head_end + 1] in "，,"
        chosen = (inside if of_head else []) or asking or after or inside
        place = chosen[0] if chosen else span
        # The number of its measure is no part of a task's name.
        return name_of(
            Span(max(place.start, head.start) if place.start < head_end else place.start, place.end).of(self.text)
        )

    def _of_cells(self, part: _Part) -> Row:
        """Make the one task of a table row, with the owner and the deadline that its cells say."""
        cells = part.cells
        lead, *others = [
            name for name in re.split(r"[、,，;；/\s]+|(?<=[局委办厅部会])和", cells.get("lead", "")) if name
        ] or [""]
        helps = "、".join([*others, *([cells["helps"]] if cells.get("helps") else [])])
        return Row(Kind.TASK, part.name, (part.extent,), Rule.ROW, lead, helps, cells.get("due", ""))


def _is_note(clause: str) -> bool:
    """Say whether a clause only says who does it or by when."""
    return bool(details.NOTE.match(clause)) or words.owners(clause)


def _notes(text: str, extent: Span) -> bool:
    """Say whether a measure ends with a note of its owner, for all of it."""
    return bool(
        re.search(
            r"(?:牵头|责任|主办)(?:单位|部门)?\s*[：:]|\b(?:lead|owner)\b\s*[：:]", extent.of(text), re.IGNORECASE
        )
    )


def _units(text: str) -> list[Span]:
    """Cut a text at full stops, semicolons and line ends."""
    found, start = [], 0
    for match in [*_UNIT_END.finditer(text), None]:
        end = match.end() if match else len(text)
        span = _trim(text, Span(start, end))
        if re.search(r"\w", span.of(text)):
            found.append(span)
        start = end
    return found


def _meet(lines: Sequence[Span], inner: Span) -> list[Span]:
    """Return the lines of a stretch; the first may begin inside a line."""
    left = max(bisect_right(lines, Span(inner.start, 1 << 60)) - 1, 0)
    found = []
    for line in lines[left:]:
        if line.start >= inner.end:
            break
        if line.end > inner.start:
            found.append(Span(max(line.start, inner.start), min(line.end, inner.end)))
    return [span for span in found if span.start < span.end]


def _trim(text: str, span: Span) -> Span:
    words_ = span.of(text)
    left = len(words_) - len(words_.lstrip(" \t\n\r\u3000。；，、：.;,:*"))
    return Span(span.start + min(left, len(words_)), span.start + max(len(words_.rstrip()), min(left, len(words_))))


def _until_pause(text: str, unit: Span) -> Span:
    found = _NAME_END.search(text, min(unit.start + 2, unit.end), unit.end)
    return Span(unit.start, found.start() if found else unit.end)


def _until_stop(text: str, unit: Span) -> Span:
    found = _UNIT_END.search(text, unit.start, unit.end)
    return Span(unit.start, found.start() if found else unit.end)


def _opening(unit: str) -> str:
    """Return what a sentence opens with, as far as others may open alike; blank where it asks for nothing so."""
    unit = unit.lstrip("“\"‘'* \u3000")
    if unit[:1] in "要须应" and unit[:2] not in ("要求", "要素", "应急", "应用", "应对"):
        return unit[0]
    if found := re.match(r"(在)[^，。]{2,20}上(?:下功夫|求|见|做|抓|用|聚|发力|出|有|实现|持续|[，,])", unit):
        return found[1]
    if found := re.match(r"(以)[^，。]{2,20}(?:为|促|带|引|推|助|赋|筑|铸|聚|强|固|提|激|建|塑|破|抓)", unit):
        return found[1]
    key = unit[:2]
    if key in words.NO_OPENING or not re.fullmatch(r"[\u4e00-\u9fff]{2}", key):
        return ""
    first = re.split(r"[，,。；;]", unit, maxsplit=1)[0]
    named = re.match(r"[\u4e00-\u9fff]{1,5}[省市县区]", unit)
    return key if key in words.OPENING_VERB or words.demands(first) or (len(first) <= 20 and not named) else ""


def _clean(name: str) -> str:
    """Bring a name to one line without marks and the stop at its end."""
    name = re.sub(r"\s+", " ", re.sub(r"\*\*|__", "", name)).strip(" *#_\u3000")
    name = _OWNER_NOTE.sub("", name)
    return name.rstrip("。；;，,：:.、 ")[:LONGEST_NAME]


def name_of(clause: str) -> str:
    """Name a demand: its clause without what links it to the sentence before, and without its subject."""
    name = _clean(_OWNER_NOTE.sub("", clause))
    name = words.without_subject(_LEFT.sub("", name))
    name = re.sub(r"^(?:一是|二是|三是|四是|五是|要|须|应当|应)(?=[\u4e00-\u9fff]{3})", "", name)
    return name or _clean(clause) or clause[:LONGEST_NAME]


def _first_words(text: str, body: Span) -> str:
    return _clean(_NAME_END.split(body.of(text).strip(), maxsplit=1)[0])[:60]


def tally(rows: Sequence[Row]) -> Counter[str]:
    """Count the rows of a proposal by kind."""
    return Counter(row.kind for row in rows)
