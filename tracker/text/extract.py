"""What a passage says beside its demand: numbers to check, deadlines, units. Pure."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tracker.domain.passages import Span
from tracker.text.lexicon import VERBS, bare
from tracker.text.outline import number_of

_CN = "[一二三四五六七八九十]"
_LEAD = re.compile(
    r"(?:牵头|责任|主办|主责|承办)(?:单位|部门)?\s*[：:]\s*(?P<listed>[^；;。）)\n]+)"
    r"|由(?P<by>[^，。；、（）()\n]{2,20}?)(?:牵头|负责|会同|组织|承担)"
    r"|(?:^|[，。；（(、：\n])(?P<plain>[^，。；（）()、：\n]{2,16}(?:局|委|办|厅|部|院|中心|公司|集团|政府|室|会))(?:牵头|负责)"
    r"|(?:lead|owner|responsible)(?: unit)?\s*[：:]\s*(?P<owner>[^;.)\n]+)|\bled by (?P<led>[^,;.)\n]+)",
    re.IGNORECASE,
)
_HELPS = re.compile(
    r"(?:配合|协办|协同|参与)(?:单位|部门)?\s*[：:]\s*(?P<listed>[^；;。）)\n]+)"
    r"|[，；,]\s*(?P<plain>[^，。；（）()\n]{2,60}?)(?:等(?:部门|单位)?)?(?:配合|参与)(?=[，。；）)\n]|$)"
    r"|\bsupport(?:ed by|:)\s*(?P<owner>[^;.)\n]+)",
    re.IGNORECASE,
)
_NAMES = re.compile(r"[、,，/;；]|\band\b|(?<=[局委办厅部会])和(?=[市县区省])")
NOTE = re.compile(
    r"\s*[（(【]?\s*(?:牵头|责任|主办|主责|承办|配合|协办|协同|完成|办结|时限|进度|完成时间|lead|owner|deadline|due|responsible|support)"
    r"(?:单位|部门|领导|人|时限|时间|要求| unit)?\s*[：:]",
    re.IGNORECASE,
)
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = r"(?P<year>20\d\d)\s*年"
_BEFORE = r"(?:之?前|以前|内)?"
_DUES = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        rf"(?:{_YEAR}|(?P<now>今年|本年度?|当年|明年))?(?P<month>\d{{1,2}})\s*月(?:(?P<day>\d{{1,2}})\s*日|底|末|上旬|中旬|下旬)?"
        r"(?:之?前|以前|完成)",
        rf"{_YEAR}(?P<month>\d{{1,2}})\s*月(?:(?P<day>\d{{1,2}})\s*日|底|末)",
        r"(?<!\d)(?P<month>\d{1,2})\s*月(?:底|末)",
        rf"(?:{_YEAR})?第?(?P<quarter>[一二三四1-4])季度(?:末|底|前|完成|结束前)",
        rf"(?:{_YEAR})?(?P<half>上半年)",
        rf"(?P<year>20\d\d)\s*年?年?(?:底|末){_BEFORE}",
        rf"(?:到|至|截至|力争){_YEAR}(?!\s*\d){_BEFORE}",
        rf"{_YEAR}(?:之?前|以前)",
        rf"(?P<now>今年|本年|明年)?年(?:底|末){_BEFORE}",
        r"\bby (?:the )?(?:end of )?(?:(?P<word>[A-Z][a-z]{2,8}) )?(?P<year>20\d\d)\b",
        r"(?P<iso>20\d\d-\d\d-\d\d)",
    )
)
LONG_TERM_PATTERN = re.compile(
    r"长期|常态化|持续推进|持续坚持|每年|每月|ongoing|standing|continuous", re.IGNORECASE
)
# A number of things that can be listed: digits or numerals, a measure word, and the thing.
_SOME = re.compile(
    rf"(?<![第\d.．{'一二三四五六七八九十百千万'}年])(?P<number>[2-9]|[1-3]\d|[二三四五六七八九两]|十{_CN}?|{_CN}十{_CN}?)\s*"
    r"(?:大类?|个|项|条|类|种|方面|张|支)(?P<thing>(?!以来|精神|报告|会|百分|月|小时|工作日|季度|年|点|以上|以内|左右|多)[\u4e00-\u9fffA-Za-z]{2,8})"
)
_QUOTED = re.compile(r"[“\"‘「『《][^“”\"‘’「」『』《》\n]{2,24}[”\"’」』》]")
_LADDER = re.compile(r"[十百千万亿]{3,5}")
_PAIRED = re.compile(rf"({_CN}|\d)([\u4e00-\u9fff]{{1,4}}?)(?={_CN}|\d|$)")
# A mechanism that names its parts: “健全甲、乙、丙的机制”.
_PARTS = re.compile(
    r"(?:健全|建立|完善|构建|形成|打造|建成)(?P<parts>[^，。；：、\n]{2,30}(?:、[^，。；：、\n]{2,30}){1,7}?)的"
    r"(?P<thing>[^，。；：、\n的]{0,8}(?:机制|体系|格局|模式|制度|网络))"
)
_THING_END = re.compile(
    r"(?:方面|以上|左右|的|和|与|等|为|是|在|中|要|并|建设|发展|任务落实|全面|协同|整体|深度).*$"
)


@dataclass(frozen=True)
class Number:
    """A number that the text states about things: how many of what, where, and those that it names."""

    name: str
    number: int
    thing: str
    span: Span
    named: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Due:
    """A deadline in the words of the text; the day, where the words and the year of the text give one."""

    words: str
    span: Span
    day: dt.date | None


def find_unit_notes(passage: str) -> tuple[list[str], list[str]]:
    """Return the names of who leads and of who helps as the passage writes them; of several the first leads."""
    leading = _listed(_LEAD, passage)
    helping = _listed(_HELPS, passage)
    return leading[:1], [
        name for name in dict.fromkeys(leading[1:] + helping) if name not in leading[:1]
    ]


def _listed(pattern: re.Pattern[str], passage: str) -> list[str]:
    found: list[str] = []
    for match in pattern.finditer(passage):
        words = next(group for group in match.groups() if group)
        found += [
            name
            for part in _NAMES.split(words)
            if (name := part.strip(" 　。等；;（()）\t").removeprefix("由"))
        ]
    return list(dict.fromkeys(name[:60] for name in found))


def find_deadlines(passage: str, start: int = 0, year: int | None = None) -> list[Due]:
    """Return the deadlines of a passage that begins at `start`; `year` is what "the end of the year" means."""
    found: list[Due] = []
    for pattern in _DUES:
        for match in pattern.finditer(passage):
            place = Span(start + match.start(), start + match.end())
            if not any(place.overlaps(due.span) for due in found):
                found.append(Due(match[0], place, _day(match, year)))
    return sorted(found, key=lambda due: due.span)


def _day(match: re.Match[str], year: int | None) -> dt.date | None:
    got = {name: value for name, value in match.groupdict().items() if value}
    try:
        if "iso" in got:
            return dt.date.fromisoformat(got["iso"])
        named = int(got["year"]) if "year" in got else year
        if named is None:
            return None
        if "year" not in got:
            named += got.get("now") == "明年"
        if "quarter" in got:
            return _last_day(named, 3 * number_of(got["quarter"]))
        if "half" in got:
            return _last_day(named, 6)
        word = got.get("word", "dec")[:3].lower()
        month = (
            int(got["month"]) if "month" in got else _MONTHS.index(word) if word in _MONTHS else 12
        )
        if "day" in got:
            return dt.date(named, month, int(got["day"]))
        part = next((last for words, last in (("上旬", 10), ("中旬", 20)) if words in match[0]), 0)
        return dt.date(named, month, part) if part else _last_day(named, month)
    except ValueError:
        return None


def _last_day(year: int, month: int) -> dt.date:
    after = dt.date(year + month // 12, month % 12 + 1, 1)
    return after - dt.timedelta(days=1)


def find_counts(passage: str, start: int = 0) -> list[Number]:
    """Return the numbers of a passage that can be checked by counting: clusters, tiers, parts of a mechanism.

    A single number inside quotes is somebody's name for something, and no count.
    """
    found: list[Number] = []
    quoted = [match.span() for match in _QUOTED.finditer(passage)]
    for left, right in quoted:
        found += _of_name(passage[left + 1 : right - 1], start + left + 1)
    for match in _SOME.finditer(passage):
        if any(left <= match.start() < right for left, right in quoted):
            continue
        thing = _THING_END.sub("", match["thing"])
        number = number_of(match["number"])
        if len(thing) >= 2 and 2 <= number <= 39:
            place = Span(
                start + match.start(), start + match.end("thing") - len(match["thing"]) + len(thing)
            )
            listed = tuple(_before(passage, match.start(), start))
            found.append(
                Number(passage[match.start() : place.end - start], number, thing, place, listed)
            )
    for match in _PARTS.finditer(passage):
        if match["parts"].count("、") >= 2:
            at = start + match.start("parts")
            parts = []
            for part in match["parts"].split("、"):
                parts.append(Span(at, at + len(part)))
                at += len(part) + 1
            place = Span(start + match.start("thing"), start + match.end("thing"))
            found.append(Number(match["thing"], len(parts), match["thing"], place, tuple(parts)))
    return sorted(found, key=lambda number: number.span)


def _of_name(name: str, start: int) -> Iterator[Number]:
    """Read a quoted name: each pair of number and thing counts, where there are two; tiers count by their signs."""
    if _LADDER.fullmatch(name):
        yield Number(name, len(name), "", Span(start, start + len(name)))
        return
    pairs = list(_PAIRED.finditer(name))
    if len(pairs) >= 2 and "".join(pair[0] for pair in pairs) == name:
        for pair in pairs:
            yield Number(
                pair[0], number_of(pair[1]), pair[2], Span(start + pair.start(), start + pair.end())
            )


def _before(passage: str, place: int, start: int) -> Iterable[Span]:
    """Return the places of what is listed right before a number: “甲、乙、丙等7大…”."""
    far = max(place - 200, 0)
    left = max(passage.rfind(sign, far, place) for sign in "，。；：,;\n") + 1 or far
    words = passage[left:place]
    if "、" not in words or not words.endswith("等"):
        return
    at = start + left
    for part in words.removesuffix("等").split("、"):
        # The first one stands behind its verb: “加快培育甲、乙”.
        own = part if (stripped := bare(part))[:2] not in VERBS else stripped[2:]
        yield Span(at + len(part) - len(own), at + len(part))
        at += len(part) + 1
