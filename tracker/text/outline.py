"""Read how a text is built: its head and tail, its tables, and the tree of its numbered parts. Pure, linear in length.

A mark of numbering stands at the start of a line, or inside one after a stop, where its number has to follow
the one before it.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tracker.domain.passages import Span

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "○": 0,
    "两": 2,
}
_ORDER = {"首先": 1, "其次": 2, "再次": 3, "最后": 99}
_ROMAN = {"I": 1, "V": 5, "X": 10}
_CN = "[一二三四五六七八九十百零〇两]"
_NUM = rf"({_CN}{{1,4}}|\d{{1,3}})"
_NO_UNIT = r"(?![年月日个项条万亿元%％倍])"
# How parts are marked, from the outermost to the innermost: name, and the mark itself.
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("part", rf"第\s*{_NUM}\s*(?:编|篇|部分)[：:、]?|Part\s+([IVX\d]{{1,4}}|[A-Z])\b[.:]?"),
    ("chapter", rf"第\s*{_NUM}\s*章|Chapter\s+([IVX\d]{{1,4}})\b[.:]?"),
    ("division", rf"第\s*{_NUM}\s*节"),
    ("line", r"(?!)"),  # a heading without a number: found by what stands around it
    ("roman", r"([IVX]{1,5})[.．、]\s*(?=\S{2})"),
    ("count", rf"({_CN}{{1,4}})(?:、|[.．](?!\d))"),
    ("letter", r"([A-Z])[.．]\s+(?=\S{2})"),
    ("article", rf"第\s*{_NUM}\s*条(?!件|款|例)|Article\s+(\d+)\b[.:]?"),
    ("bracket", rf"[（(]\s*({_CN}{{1,4}})\s*[)）]、?|([㈠-㈩])"),
    ("named", rf"(?:..)?(?:任务|行动|举措|措施|工程)\s*{_NUM}[：:、.．\s]|(?:Action|Task|Measure|Step)\s*(\d+)[:.\s]"),
    ("figure", rf"(\d{{1,3}})(?:[.．](?!\d)|、|[ \u3000]+(?=[\u4e00-\u9fff]){_NO_UNIT})|([⒈-⒛])"),
    ("decimal", rf"\d{{1,2}}[.．](\d{{1,2}})(?![\d.．%％])[.．、]?[ \u3000]*(?=[^\d\s]){_NO_UNIT}"),
    ("decimals", r"\d{1,2}[.．]\d{1,2}[.．](\d{1,2})(?!\d)[.．、]?"),
    ("small", r"[（(]\s*(\d{1,3})\s*[)）]|([⑴-⒇])"),
    ("half", r"(\d{1,2})[)）]"),
    ("circle", r"([①-⑳])"),
    ("latin", r"[（(]?([a-z])[)）]\s*(?=\S{2})"),
    ("first", rf"({_CN}{{1,2}})(?:是(?!否)|要(?!求))|[第其]({_CN}{{1,2}})[，,、是]|(首先|其次|再次|最后)[，,]"),
    ("bullet", r"([-*+•·●◆■▪○–—])(?:[ \t\u3000]+|(?<=[●◆■▪])(?=\S))"),
)  # fmt: skip
_MARKS = [
    (name, 10 * rank, re.compile(rf"[>*_\s]*(?:{mark})\s*"))
    for rank, (name, mark) in enumerate(_FAMILIES, 1)
]
_RANK = {name: rank for name, rank, _mark in _MARKS}
_INSIDE = {"count", "bracket", "figure", "small", "circle", "first"}
_MAY_BEGIN = re.compile(
    r"([。；;！!？?：:，,])[”’」』）)\"']*\s*(?=[（(第其首再最①-⒛㈠-㈩\d一二三四五六七八九十])"
)
HEADINGS = {"part", "chapter", "division", "line", "roman", "count", "letter", "heading"}
_SMALL = {
    "roman",
    "letter",
    "figure",
    "decimal",
    "half",
    "latin",
    "first",
}  # a single one of these marks nothing
_FRAME = "#*□《》 \t\u3000"
_HASHES = re.compile(r"(#{1,6})[ \t\u3000]*(?=\S)")
MOST_HEAD = 40  # lines before the text itself
MOST_ENTRIES = 200  # of a table of contents

_STOP = re.compile(r"[。！？；;]|[.!?](?=\s|$)")
_ABOUT = r"来源|作者|编辑|责任编辑|责编|本报|记者|通讯员|供稿|稿源|信息来源|source|author|editor"
# Lines that say where a text comes from, before it and behind it.
_SOURCE = re.compile(
    rf"^[（(【\[□■>\s]*(?:{_ABOUT}|发布|时间|日期|发文|文号|索引号|主题|成文|公开|浏览|点击|字体|字号|分享|打印|"
    r"https?:|www\.|by |date|published|adopted|approved)"
    r"|[〔\[［(（]\s*(?:19|20)\d\d\s*[〕\]］)）]\s*第?\s*\d+\s*号|^.{1,12}\s*[>›»]\s*.{1,12}",
    re.IGNORECASE,
)
_TAIL = re.compile(
    rf"^[（(【\[]?\s*(?:{_ABOUT}|此件|联系人|联系电话|联系方式|抄送|附件|附[：:]|印发|主办|contact|attachment)"
    r"|^.{2,30}(?:人民政府|办公室|委员会|市委|县委|区委|局|厅|指挥部|领导小组)\s*$|.*日印发$",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"^\s*[（(]?\s*((?:19|20)\d\d|[一二〇○零][一二三四五六七八九〇○零]{3})\s*[年./-]\s*"
    r"(\d{1,2}|[一二三四五六七八九十]{1,2})\s*[月./-]\s*(\d{1,2}|[一二三四五六七八九十]{1,3})\s*日?\s*[)）]?\s*(?:印发)?\s*$"
)
_DATED = re.compile(
    r"(?:时间|日期|date|published)\D{0,4}(\d{4})[-年/.](\d{1,2})[-月/.](\d{1,2})", re.IGNORECASE
)
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
    r"plan|programme|program|policy|notice|strategy",
    re.IGNORECASE,
)
# A table of contents, and what printing adds.
_CONTENTS = re.compile(r"^(?:目\s*[录次]|(?:table of )?contents)$", re.IGNORECASE)
_LEADER = re.compile(r"[.．·…—\-_\s]*\d{0,4}$")
_PAGE = re.compile(r"^(?:[—–\-·]+\s*\d{1,4}\s*[—–\-·]+|第\s*\d+\s*页.{0,12})$")
# What the columns of a table of tasks are headed with.
_COLUMNS = tuple(
    (name, re.compile(words, re.IGNORECASE))
    for name, words in (
        ("number", r"^(?:序号|编号|no\.?|#|号)$"),
        (
            "lead",
            r"(?:牵头|责任|主办|主责|承办|负责)(?!领导|人)|^单位$|owner|lead|responsible|department",
        ),
        ("helps", r"配合|协同|参与|协办|co-?operat|support|partner"),
        ("due", r"时限|时间|期限|进度|节点|deadline|due|^by$|date|timing"),
        ("group", r"类别|领域|板块|分类|方面|^部分|^章节|一级|section|area|category|theme|field"),
        ("task", r"任务|举措|措施|事项|项目|工作|内容|行动|measure|action|task|activity|item|work"),
        ("more", r"目标|标准|要求|成果|说明|备注|target|output|note|remark"),
    )
)


@dataclass
class Node:
    """A marked part: its family and number, where its mark begins and its words begin, and what it holds."""

    family: str
    rank: int
    number: int
    start: int
    body: int
    line_end: int
    inline: bool = False
    end: int = 0
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True)
class TableRow:
    """A row of a table of tasks: its place, its cells by what their column is for, and the place of its name."""

    span: Span
    cells: dict[str, str]
    name: Span


@dataclass
class Outline:
    """How a text is built; `plain` are the lines of its body that are no table."""

    text: str
    title: str
    author: str
    publisher: str
    published: tuple[int, int, int] | None
    source: list[str]
    body: Span
    plain: list[Span]
    roots: list[Node]
    rows: list[TableRow]


def number_of(words: str) -> int:
    """Read a number in Chinese, Arabic, Roman or circled digits up to 999; 0 for what is none."""
    words = unicodedata.normalize("NFKC", words).strip("().")
    if words.isdecimal():
        # `int` refuses thousands of digits, and nothing is numbered by more than nine.
        return int(words) if len(words) < 10 else 0
    if words in _ORDER:
        return _ORDER[words]
    if re.fullmatch("[IVX]+", words):
        values = [_ROMAN[sign] for sign in words]
        return sum(
            -one if one < after else one
            for one, after in zip(values, [*values[1:], 0], strict=True)
        )
    if words.isascii() and words.isalpha() and len(words) == 1:
        return ord(words.lower()) - ord("a") + 1
    total = unit = 0
    for sign in words:
        if sign in "百十":
            total, unit = total + max(unit, 1) * (100 if sign == "百" else 10), 0
        else:
            unit = _DIGITS.get(sign, 0)
    return total + unit


def lines_of(text: str) -> list[Span]:
    """Return the places of the lines that hold anything, without the blanks around."""
    return [
        Span(
            line.start() + len(line[0]) - len(line[0].lstrip()),
            line.start() + len(line[0].rstrip()),
        )
        for line in re.finditer(r"[^\n]+", text)
        if line[0].strip()
    ]


def read_outline(text: str) -> Outline:
    """Read how a text is built."""
    lines = _without_print(text, lines_of(text))
    rows, taken = _tables(text, lines)
    plain = [line for place, line in enumerate(lines) if place not in taken]
    above = sum(line.start < rows[0].span.start for line in plain) if rows else min(len(plain), 1)
    bodies = (n for n, line in enumerate(plain[:MOST_HEAD]) if _is_body(line.of(text)))
    first = min(next(bodies, above), max(above, 1) if rows else MOST_HEAD)
    last = _last(text, plain, first)
    head, ending = (
        [line.of(text) for line in plain[:first]],
        [line.of(text) for line in plain[last:]],
    )
    around = [*head, *ending]
    title, author = _named(head)
    marks = list(_marks(text, plain[first:last]))
    if not any(mark.family in HEADINGS for mark in marks if not mark.inline):
        # Headings without numbers: the first of them may stand right below title and author.
        known = [
            line.strip(_FRAME) in title or line.strip(_FRAME).replace(" ", "") == author
            for line in head
        ]
        below = max((n for n, is_known in enumerate(known, 1) if is_known), default=0)
        bare = list(_marks(text, plain[below:last], bare=True))
        if len(alone := [mark.start for mark in bare if mark.family == "line"]) > 1:
            first, marks = min(first, sum(line.start < alone[0] for line in plain)), bare
    places = [*plain[first:last], *(row.span for row in rows)]
    body = Span(
        min((p.start for p in places), default=len(text)),
        max((p.end for p in places), default=len(text)),
    )
    roots = _grow(marks, body.end)
    while len(roots) == 1 and roots[0].family == "heading" and roots[0].children:
        title = title or text[roots[0].body : roots[0].line_end].strip(" *#")
        roots = roots[0].children
    signed = (line for line in ending if _ORGAN.search(line) and not _SOURCE.search(line))
    days = (_DAY.match(line) or _DATED.search(line) for line in around)
    return Outline(
        text,
        title,
        next((found[1].strip("）)") for line in around if (found := _BY.search(line))), author),
        next((found[1] for line in around if (found := _FROM.search(line))), next(signed, "")),
        next((_day(found) for found in days if found), None),
        list(dict.fromkeys(line for line in around if line.strip(_FRAME) != title)),
        body,
        plain[first:last],
        roots,
        rows,
    )


def _without_print(text: str, lines: list[Span]) -> list[Span]:
    """Leave out the numbers of pages and the table of contents, whose lines all stand in the text once more."""
    kept: list[Span] = []
    entries = 0  # of the table, when inside
    for line in lines:
        words = line.of(text)
        entry = _LEADER.sub("", words) if 0 < entries < MOST_ENTRIES and len(words) < 100 else ""
        again = entry and text.find(entry, line.end) >= 0
        entries = entries + 1 if again else int(bool(_CONTENTS.match(words)))
        if not entries and not _PAGE.match(words):
            kept.append(line)
    return kept


def _is_body(line: str) -> bool:
    """Say whether a line of the text's beginning is no longer its head."""
    if line.startswith("#"):
        return not line.startswith("# ")
    if _SOURCE.search(line) or _DAY.match(line):
        return False
    if mark := _sign(line):
        return mark[0] != "bullet" or len(line) >= 20
    return len(line) > 60 or bool(_STOP.search(line) or line.endswith(("：", ":")))


def _last(text: str, lines: list[Span], first: int) -> int:
    """Return the number of lines without those that only say where the text comes from, and without an annex."""
    last, parts = len(lines), 0
    for place in range(first, last):
        words = lines[place].of(text)
        # After a whole text, an annex repeats or explains; before one, it is the text.
        if parts >= 2 and _ANNEX.match(words):
            last = place
            break
        parts += bool(re.match(rf"{_CN}+、|第{_CN}+[章条]|##", words))
    while last > first + 1:
        words = lines[last - 1].of(text)
        if not (
            _DAY.match(words)
            or (len(words) < 80 and _TAIL.search(words) and not re.search(r"牵头|负责", words))
        ):
            break
        last -= 1
    return last


def _named(head: list[str]) -> tuple[str, str]:
    """Find the title and the author in the lines before the text."""
    kept = [line.strip(_FRAME) for line in head if not (_SOURCE.search(line) or _DAY.match(line))]
    title, best = "", -1.0
    for place, line in enumerate(kept):
        organ = place and _ORGAN.search(kept[place - 1]) and line.startswith("关于")
        told = sum(line != other and line in other for other in kept) if len(line) >= 6 else 0
        score = (
            3 * told
            + 2 * kept.count(line)
            + 4 * bool(_TITLE_WORDS.search(line))
            + min(len(line), 40) / 10
        )
        score -= (
            3 * bool(_PERSON.match(line)) + 3 * bool(_ORGAN.search(line)) + 9 * line.startswith("—")
        )
        if score > best:
            title, best = (kept[place - 1] if organ else "") + line, score
    people = [
        line for line in kept if line != title and _PERSON.match(line) and not _ORGAN.search(line)
    ]
    return title[:200], people[-1].replace(" ", "") if title and people else ""


def _day(found: re.Match[str]) -> tuple[int, int, int]:
    year = "".join(sign if sign.isdecimal() else str(_DIGITS.get(sign, 0)) for sign in found[1])
    return int(year), number_of(found[2]), number_of(found[3])


def _marks(text: str, lines: Sequence[Span], *, bare: bool = False) -> Iterator[Node]:
    """Find every mark of numbering, in the order of the text; bare headings where asked for."""
    for line, after in zip(lines, [*lines[1:], Span(0, 0)], strict=False):
        words = line.of(text)
        mark = _mark_at(line, words)
        if mark is None and bare and _is_heading(words, after.of(text)):
            mark = Node("line", _RANK["line"], 0, line.start, line.start, line.end)
        if mark:
            yield mark
        for stop in _MAY_BEGIN.finditer(words, mark.body - line.start - 1 if mark else 0):
            for name, rank, sign in _MARKS:
                inside = name == "first" if stop[1] in "，," else name in _INSIDE
                if inside and (found := sign.match(words, stop.end())):
                    start, body = line.start + stop.end(), line.start + found.end()
                    yield Node(name, rank, _numeral(found), start, body, line.end, inline=True)
                    break


def _numeral(found: re.Match[str]) -> int:
    return number_of(next((group for group in found.groups() if group), ""))


def _mark_at(line: Span, words: str) -> Node | None:
    hashes = _HASHES.match(words)
    found = _sign(words, hashes.end() if hashes else 0)
    if hashes:
        sign = found[2] if found and found[0] != "bullet" else None
        body = line.start + (sign or hashes).end()
        return Node(
            "heading", len(hashes[1]), _numeral(sign) if sign else 0, line.start, body, line.end
        )
    return found and Node(
        found[0], found[1], _numeral(found[2]), line.start, line.start + found[2].end(), line.end
    )


def _sign(words: str, begin: int = 0) -> tuple[str, int, re.Match[str]] | None:
    """Return family, rank and match of the mark that a line begins with; behind it stands something."""
    found = ((name, rank, mark.match(words, begin)) for name, rank, mark in _MARKS)
    return next(
        ((name, rank, sign) for name, rank, sign in found if sign and sign.end() < len(words)), None
    )


def _is_heading(words: str, following: str) -> bool:
    """Say whether a line without a number is a heading: short, without a stop, before a line that has one."""
    bare = words.strip("*# ")
    return (
        2 <= len(bare) <= 36
        and re.match(r"[\w“\"《].*\w", bare) is not None
        and not re.search(r"[。！？；：，,.:;]$", bare)
        and not _STOP.search(bare[:-1])
        and bool(_STOP.search(following) or _sign(following))
        and not any(other.search(bare) for other in (_SOURCE, _DAY, _TAIL))
    )


def _grow(marks: list[Node], end: int) -> list[Node]:
    """Make the tree of the marks that belong to a row of numbers; each part ends where the next one begins."""
    kept = _in_order(marks)
    lonely = _lonely(_nest(kept))
    roots = _nest(_in_order([mark for mark in marks if id(mark) not in lonely]) if lonely else kept)
    _close(roots, end)
    top = min((root.rank for root in roots), default=0)
    # What stands before the first part of the outermost kind belongs to the preamble.
    return [root for root in roots if root.rank == top]


def _in_order(marks: list[Node]) -> list[Node]:
    """Keep the marks at the start of a line, and those inside one whose number begins a row or follows in it."""
    kept: list[Node] = []
    last: dict[str, int] = {}
    for mark in marks:
        before = last.get(mark.family, 0)
        if not mark.inline or mark.number in (1, before + 1) or (mark.number == 99 and before):
            last[mark.family] = mark.number
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


def _lonely(level: list[Node]) -> set[int]:
    """Find the marks inside lines, and the small ones, that no second one follows."""
    found: set[int] = set()
    for place, node in enumerate(level):
        beside = [*level[max(place - 1, 0) : place], *level[place + 1 : place + 2]]
        alike = [
            other for other in beside
            if other.family == node.family
            and (abs(other.number - node.number) == 1 or 99 in (other.number, node.number))
        ]  # fmt: skip
        if (node.inline or node.family in _SMALL) and not alike:
            found.add(id(node))
        found |= _lonely(node.children)
    return found


def _close(nodes: list[Node], end: int) -> None:
    for node, after in zip(nodes, [*(node.start for node in nodes[1:]), end], strict=False):
        node.end = min(after, node.line_end) if node.inline else after
        _close(node.children, node.end)


def _cells(text: str, line: Span) -> list[str]:
    """Cut a line into the cells of a table; the first ones may be empty."""
    words = text[text.rfind("\n", 0, line.start) + 1 : line.end]
    if words.count("|") >= 2:
        return [cell.strip(" *") for cell in words.strip().strip("|").split("|")]
    if "\t" in words:
        return [cell.strip() for cell in words.split("\t")]
    parts = re.split(r"\s{2,}|\u3000+", words.strip())
    return parts if len(parts) >= 3 else []


def _columns(cells: list[str]) -> dict[int, str]:
    """Say what the columns of a header row are for; nothing where it heads no tasks."""
    found: dict[int, str] = {}
    for place, cell in enumerate(cells):
        name = next(
            (name for name, words in _COLUMNS if len(cell) <= 20 and words.search(cell)), ""
        )
        name = "more" if name == "task" and name in found.values() else name
        if name and (name == "more" or name not in found.values()):
            found[place] = name
    if "task" not in found.values() and len(found) >= 3:
        found = {place: "task" if name == "group" else name for place, name in found.items()}
    return (
        found if "task" in found.values() and len(found) >= 2 and max(map(len, cells)) <= 20 else {}
    )


def _standing_cells(text: str, lines: list[Span], place: int) -> list[str]:
    """Return the header of a table that was pasted cell by cell: a number's column first, then the others."""
    cells: list[str] = []
    for line in lines[place : place + 9]:
        if not any(
            words.search(line.of(text)) and line.end - line.start <= 12 for _name, words in _COLUMNS
        ):
            break
        cells.append(line.of(text))
    return (
        cells
        if len(cells) >= 3 and _columns([*cells[:1], "任务"]) == {0: "number", 1: "task"}
        else []
    )


def _tables(text: str, lines: list[Span]) -> tuple[list[TableRow], set[int]]:
    """Find the tables of tasks; return their rows, and the lines that they take."""
    found: list[TableRow] = []
    taken: set[int] = set()
    at = 0
    while at < len(lines):
        begin, made, group, number = at, len(found), "", 0
        header = _cells(text, lines[at]) or _standing_cells(text, lines, at)
        columns = _columns(header) if len(header) >= 2 else {}
        standing = bool(columns) and not _cells(text, lines[at])
        at += len(header) if standing else 1
        while columns and at < len(lines):
            cells, until = _cells(text, lines[at]), at + 1
            if standing:
                number += 1
                if lines[at].of(text) != str(number):
                    break
                until = min(at + len(header), len(lines))
                cells = [line.of(text) for line in lines[at:until]]
            elif (
                not cells
                and at + 1 < len(lines)
                and len(_cells(text, lines[at + 1])) == len(header)
            ):
                # A line of its own among the rows heads those below it.
                cells = [lines[at].of(text)]
            if not cells:
                break
            said = [cell for cell in cells if cell]
            row = {
                name: cells[place] if place < len(cells) else "" for place, name in columns.items()
            }
            if cells == header or all(re.fullmatch(r":?-{2,}:?", cell) for cell in said):
                pass
            elif len(set(said) - {row.get("number", "")} or set(said)) == 1 and _heads(cells, row):
                group = _bare(said[-1])
            elif row["task"]:
                # A merged cell is filled once: what stands below it means the same.
                group = row["group"] = row.get("group") or group
                left = text.index(row["task"], lines[at].start)
                span = Span(lines[at].start, lines[until - 1].end)
                found.append(TableRow(span, row, Span(left, left + len(row["task"]))))
            at = until
        if len(found) > made:
            taken.update(range(begin, at))
        elif at > begin + 1:
            at = begin + 1
    return found, taken


def _heads(cells: list[str], row: dict[str, str]) -> bool:
    """Say whether a row of a table that says a single thing heads the rows below: a task has a number, or an owner."""
    number = row.get("number", "")
    return (
        len(cells) == 1
        or cells[-1] == cells[0]
        or (bool(number) and not number.isdecimal())
        or not row["task"]
    )


def _bare(words: str) -> str:
    """Return the words of a heading without its number."""
    found = _sign(words)
    return words[found[2].end() :] if found else words


def starting_in(spans: Sequence[Span], outer: Span) -> list[Span]:
    """Return the places of a sorted list that begin inside another place."""
    return list(
        spans[bisect_left(spans, Span(outer.start, 0)) : bisect_left(spans, Span(outer.end, 0))]
    )


def overlapping(spans: Sequence[Span], outer: Span) -> list[Span]:
    """Return the places of a sorted list that share a character with another place."""
    left = max(bisect_left(spans, Span(outer.start, 0)) - 1, 0)
    return [
        span
        for span in spans[left : bisect_left(spans, Span(outer.end, 0))]
        if span.overlaps(outer)
    ]
