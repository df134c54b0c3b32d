"""Read how a text is built: its head and tail, its tables, and the tree of its numbered parts. Pure, linear in length.

A place is where a mark of numbering stands: at the start of a line, or inside one after a stop, where its number
has to follow the one before it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tracker.source.anchors import Span
from tracker.source.words import demands

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九十")} | {"〇": 0, "两": 2}
_CN = "[一二三四五六七八九十百零〇两]"
_NUM = rf"({_CN}{{1,4}}|\d{{1,3}})"
# How parts are marked, from the outermost to the innermost: name, rank, and the mark at the start of a line.
_FAMILIES: tuple[tuple[str, int, str], ...] = (
    ("part", 10, rf"第\s*{_NUM}\s*(?:编|篇|部分)[：:、]?"),
    ("chapter", 20, rf"第\s*{_NUM}\s*章"),
    ("division", 30, rf"第\s*{_NUM}\s*节"),
    ("count", 40, rf"({_CN}{{1,4}})(?:、|[.．](?!\d))"),
    ("article", 50, rf"第\s*{_NUM}\s*条(?!件|款|例)"),
    ("bracket", 60, rf"[（(]\s*({_CN}{{1,4}})\s*[)）]、?"),
    (
        "named",
        65,
        rf"(?:(?:重点|主要|具体)?(?:任务|行动|举措|措施|工程)|Action|Task|Measure|Step)\s*{_NUM}[：:、.．\s]",
    ),
    ("figure", 70, r"(\d{1,3})(?:[.．](?!\d)|、|[ \u3000]+(?=[\u4e00-\u9fff])(?![年月日个项条万亿元]))"),
    ("decimal", 72, r"\d{1,2}[.．](\d{1,2})(?![\d.．%％])[.．、]?[ \u3000]*(?=[^\d\s年月日个项条万亿元倍])"),
    ("decimals", 74, r"\d{1,2}[.．]\d{1,2}[.．](\d{1,2})(?!\d)[.．、]?"),
    ("small", 80, r"[（(]\s*(\d{1,3})\s*[)）]"),
    ("half", 82, r"(\d{1,2})[)）]"),
    ("circle", 84, r"([①-⑳])"),
    (
        "first",
        90,
        rf"(?:({_CN}{{1,2}})(?:是(?!否)|要(?!求))|第({_CN}{{1,2}})[，,、]|其([一二三四五六])[，,、是]|(首先|其次|再次|最后)[，,])",
    ),
    ("bullet", 95, r"([-*+•·●◆■▪○–—])(?:[ \t\u3000]+|(?<=[●◆■▪])(?=\S))"),
)
_AT_LINE = [(name, rank, re.compile(rf"[>*_\s]*(?:{mark})\s*")) for name, rank, mark in _FAMILIES]
_MARKS = {name: mark for name, _rank, mark in _AT_LINE}
_INSIDE = ("count", "bracket", "figure", "small", "circle", "first")
_INLINE = re.compile(
    r"(?<=[。；;！!？?：:])\s*(?:"
    + "|".join(f"(?P<{name}>{mark})" for name, _rank, mark in _FAMILIES if name in _INSIDE)
    + r")|(?<=[，,])\s*(?P<first_>"
    + next(mark for name, _rank, mark in _FAMILIES if name == "first")
    + ")"
)
_RANK = {name: rank for name, rank, _mark in _FAMILIES}
_HASHES = re.compile(r"(#{1,6})[ \t\u3000]*(?=\S)")
MOST_HEAD = 40  # lines before the text itself
HEADINGS = ("part", "chapter", "division", "count", "heading", "line")
_ORDER = {"首先": 1, "其次": 2, "再次": 3, "最后": 99}
_END = re.compile(r"[。！？!?；;…]['\"”’）)]*$")
_STOP = re.compile(r"[。！？；;]|[.!?](?=\s|$)")
_SALUTE = re.compile(r"[：:]$")
_SOURCE = re.compile(
    r"^[（(【\[]?\s*(?:来源|作者|发布|时间|日期|发文|文号|索引号|主题|成文|公开|编辑|责任编辑|责编|浏览|点击|字体|"
    r"字号|分享|打印|稿源|记者|通讯员|供稿|信息来源|https?:|www\.|source|author|by |date|published)|"
    r"[〔\[［(（]\s*(?:19|20)\d\d\s*[〕\]］)）]\s*\d+\s*号|"
    r"^.{1,12}\s*[>›»]\s*.{1,12}",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"^[（(【\[]?\s*(?:来源|作者|责任编辑|责编|编辑|此件|联系人|联系电话|联系方式|抄送|附件|附[：:]|记者|供稿|稿源|信息来源|印发|主办|"
    r"source|author|editor|contact|attachment)"
    r"|^.{2,30}(?:人民政府|办公室|委员会|市委|县委|区委|局|厅|指挥部|领导小组)\s*$",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"^\s*[（(]?\s*((?:19|20)\d\d|[一二〇○零][一二三四五六七八九〇○零]{3})\s*[年./-]\s*"
    r"(\d{1,2}|[一二三四五六七八九十]{1,2})\s*[月./-]\s*(\d{1,2}|[一二三四五六七八九十]{1,3})\s*日?\s*[)）]?"
    r"\s*(?:印发)?\s*$"
)
_DATED = re.compile(r"(?:时间|日期|date|published)\D{0,4}(\d{4})[-年/.](\d{1,2})[-月/.](\d{1,2})", re.IGNORECASE)
_BY = re.compile(
    r"(?:作者|记者|author|by)\s*[：:]\s*([^|）)\s](?:[^|）)\s]|(?<=\w) (?=\w)){1,40})",
    re.IGNORECASE,
)
_FROM = re.compile(r"(?:来源|稿源|source)\s*[：:]\s*([^\s）)】\]|]{2,40})", re.IGNORECASE)
_ANNEX = re.compile(r"^(?:附件|附表|附)\s*[\d一二三四五六]*\s*[：:]?\s*(?:$|[^：:，。；]{2,40}$)")
_ORGAN = re.compile(r"(?:政府|办公室|委员会|市委|县委|省委|局|厅|部)$")
_PERSON = re.compile(r"^(?:[\u4e00-\u9fff]\s?){2,4}$")
_TITLE_WORDS = re.compile(
    r"关于|通知|意见|方案|办法|规划|计划|要点|行动|报告|措施|条例|纲要|决定|细则|规定|分工|清单|"
    r"plan|programme|program|policy|notice",
    re.IGNORECASE,
)
# What the columns of a table of tasks are headed with.
_COLUMNS = (
    ("number", re.compile(r"^(?:序号|编号|no\.?|#|号)$", re.I)),
    ("lead", re.compile(r"牵头|责任|主办|主责|承办|负责|^单位$|owner|lead|responsible|department", re.I)),
    ("helps", re.compile(r"配合|协同|参与|协办|co-?operat|support|partner", re.I)),
    ("due", re.compile(r"时限|时间|期限|进度|节点|deadline|due|^by$|date|timing", re.I)),
    ("group", re.compile(r"类别|领域|板块|分类|方面|^部分|^章节|一级|section|area|category|theme|field", re.I)),
    ("task", re.compile(r"任务|举措|措施|事项|项目|工作|内容|行动|measure|action|task|activity|item|work", re.I)),
    ("more", re.compile(r"目标|标准|要求|成果|说明|备注|target|output|note|remark", re.I)),
)


@dataclass
class Node:
    """A marked part: its family and number, where its mark begins and its words begin, and what it holds."""

    family: str
    rank: float
    number: int
    start: int
    body: int
    line_end: int
    inline: bool = False
    end: int = 0
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True)
class TableRow:
    """A row of a table of tasks: its place, and its cells by what their column is for."""

    span: Span
    cells: dict[str, str]
    name: Span


@dataclass
class Outline:
    """How a text is built."""

    text: str
    title: str
    author: str
    publisher: str
    published: tuple[int, int, int] | None
    source: list[str]
    body: Span
    roots: list[Node]
    tables: list[list[TableRow]]
    table_heads: list[Span]


def number_of(words: str) -> int:
    """Read a number in Chinese or Arabic digits up to 999; 0 for what is none."""
    if words.isdecimal():
        return int(words)
    if words in _ORDER:
        return _ORDER[words]
    if len(words) == 1 and "①" <= words <= "⑳":
        return ord(words) - ord("①") + 1
    total = unit = 0
    for sign in words:
        if sign == "百":
            total, unit = total + max(unit, 1) * 100, 0
        elif sign == "十":
            total, unit = total + max(unit, 1) * 10, 0
        else:
            unit = _DIGITS.get(sign, 0)
    return total + unit


def lines_of(text: str) -> list[Span]:
    """Return the places of the lines that hold anything, without the blanks around."""
    found, start = [], 0
    for line in text.split("\n"):
        bare = line.strip()
        if bare:
            left = start + line.index(bare)
            found.append(Span(left, left + len(bare)))
        start += len(line) + 1
    return found


def read(text: str) -> Outline:
    """Read how a text is built."""
    lines = lines_of(text)
    tables, taken = _tables(text, lines)
    row_starts = {row.span.start for rows in tables for row in rows}
    plain = [line for place, line in enumerate(lines) if place not in taken]
    first = next((n for n, line in enumerate(plain[:MOST_HEAD]) if _is_body(line.of(text))), min(len(plain), 1))
    if taken and (not plain[first:] or lines[min(taken)].start < plain[first].start):
        first = min(sum(line.start < lines[min(taken)].start for line in plain), MOST_HEAD)
    last, ending = _tail(text, plain, first)
    head = [line.of(text) for line in plain[:first]]
    title, author, publisher, day, source = _head(head, ending)
    marks = list(_marks(text, plain[first:last]))
    if not any(mark.family in HEADINGS for mark in marks if not mark.inline):
        # Headings without numbers: the line above the body may be the first of them.
        above = first
        while above and _could_head(head[above - 1], title, author):
            above -= 1
        marks = list(_marks(text, plain[above:last], bare_headings=True))
        if any(mark.family == "line" for mark in marks):
            first = above
    begin = plain[first].start if first < len(plain) else len(text)
    end = plain[last - 1].end if last > first else begin
    for rows in tables:
        begin, end = min(begin, rows[0].span.start), max(end, rows[-1].span.end)
    roots = _grow(marks, end)
    if not title and roots and roots[0].family == "heading" and len(roots) == 1:
        title = text[roots[0].body : roots[0].line_end].strip(" *#")
    while len(roots) == 1 and roots[0].family == "heading" and roots[0].children:
        roots = roots[0].children
    return Outline(
        text,
        title,
        author,
        publisher,
        day,
        source,
        Span(begin, end),
        roots,
        tables,
        [lines[n] for n in sorted(taken) if lines[n].start not in row_starts],
    )


def _is_body(line: str) -> bool:
    """Say whether a line of the text's beginning is no longer its head."""
    if line.startswith("#"):
        return not line.startswith("# ")
    if _SOURCE.search(line) or _DAY.match(line):
        return False
    if any(mark.match(line) for name, _rank, mark in _AT_LINE if name not in ("figure", "decimal", "half")):
        return not (line.startswith(("-", "—", "–", "·")) and len(line) < 20)
    return bool(_STOP.search(line)) or len(line) > 60 or bool(_SALUTE.search(line)) or bool(re.match(r"1[.．、]", line))


def _tail(text: str, lines: list[Span], first: int) -> tuple[int, list[str]]:
    """Return the number of lines without those that only say where the text comes from, and these lines."""
    last = len(lines)
    while last > first + 1:
        line = lines[last - 1].of(text)
        if not (_DAY.match(line) or (len(line) < 80 and _TAIL.search(line) and not re.search(r"牵头|负责", line))):
            break
        last -= 1
    ending = [line.of(text) for line in lines[last:]]
    # After a whole text, an annex repeats or explains; before one, it is the text.
    counted = 0
    for place in range(first, last):
        line = lines[place].of(text)
        if counted >= 2 and _ANNEX.match(line):
            back, more = _tail(text, lines[:place], first)
            return back, more + ending
        counted += bool(re.match(rf"{_CN}+、|第{_CN}+[章条]|##", line))
    return last, ending


def _head(head: list[str], ending: list[str]) -> tuple[str, str, str, tuple[int, int, int] | None, list[str]]:
    """Tell title, author, publisher and day from the lines before and after the text."""
    author = publisher = ""
    day = None
    kept: list[str] = []
    for line in [*head, *ending]:
        if found := _BY.search(line):
            author = author or found[1].strip("）)")
        if found := _FROM.search(line):
            publisher = publisher or found[1]
        if found := _DAY.match(line) or _DATED.search(line):
            day = day or _day(found)
    for line in head:
        if not (_SOURCE.search(line) or _DAY.match(line)):
            kept.append(line.strip("#*《》 \t\u3000"))
    title = _title(kept)
    for line in kept:
        if line != title and _PERSON.match(line) and not _ORGAN.search(line) and title:
            name = line.replace(" ", "")
            # A place or a column stands there too: a person is named once more, or stands alone after the title.
            if any(other.startswith((f"{name}:", f"{name}：")) for other in kept) or kept[-1] == line:
                author = author or name
    if not publisher:
        publisher = next((line for line in ending if _ORGAN.search(line) and not _SOURCE.search(line)), "")
    source = [line for line in [*head, *ending] if line.strip("#*《》 \t\u3000") != title]
    return title, author, publisher, day, list(dict.fromkeys(source))


def _day(found: re.Match[str]) -> tuple[int, int, int]:
    year, month, day = found.group(1), found.group(2), found.group(3)
    whole = year if year.isdecimal() else "".join(str(_DIGITS.get(sign, 0)) for sign in year.replace("○", "〇"))
    return int(whole), number_of(month), number_of(day)


def _title(lines: list[str]) -> str:
    best, most = "", -1.0
    for place, line in enumerate(lines):
        whole = line
        if place and _ORGAN.search(lines[place - 1]) and line.startswith("关于"):
            whole = lines[place - 1] + line
        told = sum(line != other and line in other for other in lines) if len(line) >= 6 else 0
        said = sum(line == other for other in lines) - 1
        score = 3 * told + 2 * said + 4 * bool(_TITLE_WORDS.search(line)) + min(len(line), 40) / 10
        score -= 3 * bool(_PERSON.match(line)) + 3 * (_ORGAN.search(line) is not None)
        if score > most:
            best, most = whole, score
    return best[:200]


def _could_head(line: str, title: str, author: str) -> bool:
    bare = line.strip("#* ")
    return (
        4 <= len(bare) <= 40
        and re.match(r"\w|[“\"《]", bare) is not None
        and not (bare in title or title in bare or _SOURCE.search(bare) or _DAY.match(bare))
        and not (_PERSON.match(bare) or _ORGAN.search(bare))
        and bare != author
    )


def _marks(text: str, lines: Sequence[Span], *, bare_headings: bool = False) -> Iterator[Node]:
    """Find every mark of numbering, in the order of the text."""
    for place, line in enumerate(lines):
        words = line.of(text)
        mark = _mark_at(line, words)
        if (
            mark is None
            and bare_headings
            and _is_heading(words, lines[place + 1].of(text) if place + 1 < len(lines) else "")
        ):
            mark = Node("line", 35, 0, line.start, line.start, line.end)
        if mark:
            yield mark
        for found in _INLINE.finditer(words, mark.body - line.start if mark else 0):
            name = (found.lastgroup or "").rstrip("_")
            whole = next(group for group in (name, f"{name}_") if found.groupdict().get(group))
            signs = _MARKS[name].match(found[whole])
            numeral = next((group for group in signs.groups() if group), "") if signs else ""
            start = line.start + found.start(whole)
            # Where the marker ends with its own blanks the words begin.
            yield Node(name, _RANK[name], number_of(numeral), start, line.start + found.end(), line.end, inline=True)


def _mark_at(line: Span, words: str) -> Node | None:
    hashes = _HASHES.match(words)
    skip = hashes.end() if hashes else 0
    for name, rank, mark in _AT_LINE:
        found = mark.match(words, skip)
        if found and found.end() < len(words):
            numeral = next((group for group in found.groups() if group), "")
            body = line.start + found.end()
            if hashes and name != "bullet":
                return Node("heading", len(hashes[1]), number_of(numeral), line.start, body, line.end)
            if not hashes:
                return Node(name, rank, 0 if name == "bullet" else number_of(numeral), line.start, body, line.end)
    if hashes:
        return Node("heading", len(hashes[1]), 0, line.start, line.start + skip, line.end)
    return None


def _is_heading(words: str, following: str) -> bool:
    """Say whether a line without a number is a heading: short, without a stop, before a line that has one."""
    bare = words.strip("*# ")
    return (
        2 <= len(bare) <= 36
        and re.search(r"\w{2}", bare) is not None
        and not re.search(r"[。！？；：，,.:;]$", bare)
        and not _STOP.search(bare[:-1])
        and bool(_STOP.search(following) or any(mark.match(following) for _name, _rank, mark in _AT_LINE))
        and not (_SOURCE.search(bare) or _DAY.match(bare) or _TAIL.search(bare))
    )


def _grow(marks: list[Node], end: int) -> list[Node]:
    """Make the tree of the marks that belong to a row of numbers; each part ends where the next one begins."""
    kept = _in_order(marks)
    lonely = _lonely(_nest(kept))
    if lonely:
        kept = _in_order([mark for mark in marks if id(mark) not in lonely])
    roots = _nest(kept)
    _close(roots, end)
    top = min((root.rank for root in roots), default=0)
    # What stands before the first part of the outermost kind belongs to the preamble.
    return [root for root in roots if root.rank == top]


def _in_order(marks: list[Node]) -> list[Node]:
    """Keep the marks whose number follows: inside a line it must, at the start of one it should."""
    kept: list[Node] = []
    stack: list[tuple[Node, dict[str, int]]] = []
    top: dict[str, int] = {}
    for mark in marks:
        depth = len(stack)
        while depth and stack[depth - 1][0].rank >= mark.rank:
            depth -= 1
        numbers = stack[depth - 1][1] if depth else top
        before = numbers.get(mark.family, 0)
        last_word = mark.number == 99 and before
        if mark.inline and not (mark.number == 1 or mark.number == before + 1 or last_word):
            continue
        del stack[depth:]
        numbers[mark.family] = mark.number
        stack.append((mark, {}))
        kept.append(mark)
    return kept


def _nest(marks: list[Node]) -> list[Node]:
    roots: list[Node] = []
    stack: list[Node] = []
    for mark in marks:
        mark.children = []
        while stack and stack[-1].rank >= mark.rank:
            stack.pop()
        (stack[-1].children if stack else roots).append(mark)
        stack.append(mark)
    return roots


def _lonely(roots: list[Node]) -> set[int]:
    """Find the marks inside lines, and the small ones, that no second one follows."""
    found: set[int] = set()
    todo = [roots]
    while todo:
        level = todo.pop()
        for place, node in enumerate(level):
            todo.append(node.children)
            alike = [
                other
                for other in level[max(place - 1, 0) : place + 2]
                if other.family == node.family
                and (abs(other.number - node.number) == 1 or 99 in (other.number, node.number))
                and other is not node
            ]
            if (node.inline or node.family in ("first", "figure", "half", "decimal")) and not alike:
                found.add(id(node))
    return found


def _close(nodes: list[Node], end: int) -> None:
    for node, after in zip(nodes, [*nodes[1:], None][: len(nodes)], strict=True):
        node.end = min(after.start if after else end, node.line_end if node.inline else end)
        _close(node.children, node.end)


def _cells(line: str) -> list[str]:
    if "|" in line and line.count("|") >= 2:
        return [cell.strip(" *") for cell in line.strip().strip("|").split("|")]
    if "\t" in line:
        return [cell.strip() for cell in line.split("\t")]
    parts = re.split(r"\s{2,}|\u3000+", line.strip())
    return parts if len(parts) >= 3 else []


def _columns(cells: list[str]) -> dict[int, str]:
    """Say what the columns of a header row are for; nothing where it heads no tasks."""
    found: dict[int, str] = {}
    for place, cell in enumerate(cells):
        if len(cell) > 20:
            return {}
        name = next((name for name, words in _COLUMNS if words.search(cell)), "")
        if name == "task" and "task" in found.values():
            name = "more"
        if name and (name not in found.values() or name == "more"):
            found[place] = name
    roles = set(found.values())
    if "task" not in roles and "group" in roles and len(found) >= 3:
        found = {place: "task" if name == "group" else name for place, name in found.items()}
        roles = set(found.values())
    return (
        found
        if "task" in roles and len(roles & {"lead", "due", "number", "helps", "group", "more"}) >= 1 and len(found) >= 2
        else {}
    )


def _tables(text: str, lines: list[Span]) -> tuple[list[list[TableRow]], set[int]]:
    """Find the tables of tasks; return their rows, and the lines that they take."""
    tables: list[list[TableRow]] = []
    taken: set[int] = set()
    place = 0
    while place < len(lines):
        cells = _cells(lines[place].of(text)) if lines[place].end - lines[place].start < 400 else []
        columns = _columns(cells) if len(cells) >= 2 else {}
        if not columns:
            place += 1
            continue
        rows, at = [], place + 1
        held: dict[str, str] = {}
        while at < len(lines):
            found = _cells(lines[at].of(text))
            if found and all(re.fullmatch(r":?-{2,}:?|", cell) for cell in found):
                at += 1
                continue
            if len(found) < 2:
                break
            row: dict[str, str] = {}
            for column, name in columns.items():
                value = found[column] if column < len(found) else ""
                # A merged cell is filled once: what stands below it means the same.
                if name == "group":
                    value = held[name] = value or held.get(name, "")
                row[name] = f"{row[name]}；{value}" if row.get(name) and value else row.get(name) or value
            if row.get("task"):
                left = text.index(row["task"].split("；")[0], lines[at].start)
                rows.append(TableRow(lines[at], row, Span(left, left + len(row["task"]))))
            at += 1
        if rows:
            tables.append(rows)
            taken.update(range(place, at))
        place = at
    return tables, taken


def within(spans: Sequence[Span], outer: Span) -> list[Span]:
    """Return the places of a sorted list that begin inside another place."""
    left = bisect_left(spans, Span(outer.start, 0))
    right = bisect_left(spans, Span(outer.end, 0))
    return list(spans[left:right])


def meeting(spans: Sequence[Span], outer: Span) -> list[Span]:
    """Return the places of a sorted list that share a character with another place."""
    left = max(bisect_left(spans, Span(outer.start, 0)) - 1, 0)
    return [span for span in spans[left : bisect_left(spans, Span(outer.end, 0))] if span.overlaps(outer)]


def asks(text: str, spans: Sequence[Span]) -> bool:
    """Say whether any of some clauses asks for something."""
    return any(demands(span.of(text)) for span in spans)
