"""The breakdown assistant: structure by hand-made answers, tasks that leave no clause out, details, rules."""

import datetime as dt
import json
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.text.quality import TEXTS, measure
from tracker.domain.anchors import Anchor, coverage
from tracker.domain.passages import Span, find_passage, split_clauses
from tracker.text.breakdown import Proposal, ProposalKind, ProposedRow, Rule, propose_breakdown
from tracker.text.draft import Draft, draft_policy
from tracker.text.extract import find_counts, find_deadlines, find_unit_notes
from tracker.text.outline import number_of

NAMES = sorted(path.stem for path in TEXTS.glob("*.txt"))
PLAIN = """示范区的三件事

筑牢根基，让产业更强。产业是根基。坚持创新驱动，培育甲、乙、丙等7大产业集群，实施“十百千万”行动。坚持绿色发展，由市环保局牵头，2026年底前关停8家企业。
补齐短板，让民生更暖。民生无小事。破解上学难，新建学校3所。破解就医难，健全首诊在基层、大病到县里、康复回乡里的分级诊疗机制。
"""


def read(name: str) -> str:
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


def made(text: str) -> Draft:
    return draft_policy(propose_breakdown(text))


def accounted(text: str, proposed: Draft) -> list[str]:
    """Return the clauses of the sections that no anchor of a proposal touches."""
    anchors = [
        *(section.anchor for section in proposed.sections),
        *(part.anchor for part in proposed.measures),
        *(task.anchor for task in proposed.tasks),
        *(step.anchor for task in proposed.tasks for step in task.steps),
    ]
    asked = [Anchor("", "", anchor) for anchor in anchors if anchor]
    found = coverage(
        text,
        asked,
        [Anchor("", "", anchor) for anchor in proposed.background],
        proposed.sections[0].anchor,
    )
    assert found.missing == []
    assert found.repeated == []
    return [clause.span.of(text) for clause in found.open]


@pytest.mark.parametrize("name", NAMES)
def test_sections_and_measures_are_those_of_the_answers_made_by_hand(name: str) -> None:
    found = measure(TEXTS / f"{name}.txt")
    least = 0.95 if found.kind == "numbered" else 0.9
    assert min(*found.sections, *found.measures) >= least, found.wrong


@pytest.mark.parametrize("name", NAMES)
def test_every_clause_of_a_measure_is_inside_one_of_its_tasks(name: str) -> None:
    text, rows = read(name), propose_breakdown(read(name)).rows
    taken = [span for row in rows if row.kind != ProposalKind.SECTION for span in row.spans]
    sections = [span for row in rows if row.kind == ProposalKind.SECTION for span in row.spans]
    first = next(row for row in rows if row.kind == ProposalKind.MEASURE).spans[0].start
    last = max(span.end for span in taken)
    left = [
        clause.of(text)
        for clause in split_clauses(text)
        if first <= clause.start < last
        and not any(clause.overlaps(span) for span in taken + sections)
    ]
    assert [said for said in left if "序号" not in said] == []


@pytest.mark.parametrize("name", ["notice", "report", "essay", "parts", "headings"])
def test_the_anchors_of_a_proposal_account_for_every_clause(name: str) -> None:
    proposed = made(read(name))
    known = {section.row.name for section in proposed.sections}
    assert [
        said for said in accounted(read(name), proposed) if not any(name in said for name in known)
    ] == []


def test_an_anchor_occurs_once_and_is_short() -> None:
    text = read("notice")
    anchors = [task.anchor for task in made(text).tasks]
    assert all(
        len(find_passage(anchor, text)) == 1 and 4 <= len(anchor) <= 30 for anchor in anchors
    )


def test_other_punctuation_and_line_ends_make_no_difference() -> None:
    text = read("essay")
    other = text.replace("，", ",").replace("。", "。 ").replace("\n\n", "\r\n\r\n")
    assert [row.name.replace(",", "，") for row in propose_breakdown(other).rows] == [
        row.name for row in propose_breakdown(text).rows
    ]


def test_numbers_that_the_text_states_become_counts() -> None:
    counts = [(count.name, count.number) for count in made(PLAIN).counts]
    assert counts == [("7大产业集群", 7), ("十百千万", 4), ("分级诊疗机制", 3)]


def test_what_is_listed_before_a_number_becomes_steps() -> None:
    titles = [step.title for task in made(PLAIN).tasks for step in task.steps]
    assert {"产业集群：甲", "产业集群：乙", "产业集群：丙"} <= set(titles)


@pytest.mark.parametrize(
    ("passage", "found"),
    [
        ("落实“三基地一枢纽”定位", [("三基地", 3), ("一枢纽", 1)]),
        ("对标“两个确保”“十大战略”部署", []),
        ("在实施20周年之际，弘扬“四下基层”作风，抓好一号工程", []),
        ("推进5项改革、三类试点", [("5项改革", 5), ("三类试点", 3)]),
        ("党的十八大以来", []),
        ("增长5.5个百分点，新增300个岗位", []),
    ],
)
def test_names_and_figures_are_no_counts(passage: str, found: list[tuple[str, int]]) -> None:
    assert [(number.name, number.number) for number in find_counts(passage)] == found


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2026年6月30日前", dt.date(2026, 6, 30)),
        ("6月底前", dt.date(2025, 6, 30)),
        ("年底前", dt.date(2025, 12, 31)),
        ("到2027年", dt.date(2027, 12, 31)),
        ("2024年2月底", dt.date(2024, 2, 29)),
        ("第三季度末", dt.date(2025, 9, 30)),
        ("2026年2月30日前", None),
        ("by June 2027", dt.date(2027, 6, 30)),
    ],
)
def test_a_deadline_in_words_is_a_day(words: str, day: dt.date | None) -> None:
    assert [due.day for due in find_deadlines(f"，{words} 完成", year=2025)] == [day]


def test_without_a_year_the_end_of_the_year_is_no_day() -> None:
    assert [due.day for due in find_deadlines("年底前完成")] == [None]


@pytest.mark.parametrize(
    ("passage", "lead", "helps"),
    [
        ("由市发改委牵头，市财政局、市科技局配合。", ["市发改委"], ["市财政局", "市科技局"]),
        ("（牵头单位：市工信局；配合单位：市财政局）", ["市工信局"], ["市财政局"]),
        ("责任单位：市住建局、市水利局", ["市住建局"], ["市水利局"]),
        ("改善营商环境。", [], []),
    ],
)
def test_units_are_read_as_the_text_names_them(
    passage: str, lead: list[str], helps: list[str]
) -> None:
    assert find_unit_notes(passage) == (lead, helps)


def test_a_row_of_a_table_brings_its_owner_and_its_deadline() -> None:
    task = made(read("table")).tasks[1]
    assert (task.row.name, task.row.lead, task.row.helps) == (
        "建设东湖科创走廊",
        "区科技局",
        "区发改局、区财政局",
    )
    assert task.day == dt.date(2025, 12, 31)


def test_what_goes_on_for_ever_is_standing() -> None:
    assert made(read("table")).tasks[-1].kind == "standing"


def test_general_demands_stand_apart() -> None:
    general = [part.code for part in made(read("notice")).measures if part.general]
    assert general == ["A0"]


def test_a_part_that_looks_back_is_background() -> None:
    rows = propose_breakdown(read("report")).rows
    assert rows[0].kind == ProposalKind.BACKGROUND
    assert rows[0].rule == Rule.LOOKS_BACK


def test_title_author_and_source_are_told_apart() -> None:
    found = propose_breakdown(read("notice"))
    assert found.title == "临江市人民政府办公室关于印发临江市优化营商环境行动方案的通知"
    assert found.publisher == "临江市人民政府办公室"
    assert found.published == (2025, 3, 12)
    assert "临政办〔2025〕18号" in found.source


def test_every_row_says_where_it_comes_from_and_why() -> None:
    text = read("notice")
    assert all(
        row.passage(text) and row.rule in Rule.values for row in propose_breakdown(text).rows
    )


def test_rows_moved_by_a_person_make_another_draft() -> None:
    proposal = propose_breakdown(PLAIN)
    task = ProposedRow(ProposalKind.TASK, "甲", (Span(0, 3),), Rule.HAND)
    found = draft_policy(
        proposal,
        [
            ProposedRow(ProposalKind.SECTION, "部分", (), Rule.HAND),
            ProposedRow(ProposalKind.MEASURE, "举措", (), Rule.HAND),
            task,
        ],
    )
    assert [one.code for one in found.tasks] == ["A1-01"]


def test_a_task_without_a_measure_above_gets_one() -> None:
    found = draft_policy(
        Proposal(PLAIN, "", "", "", None, [], []),
        [ProposedRow(ProposalKind.TASK, "甲", (Span(0, 3),), Rule.HAND)],
    )
    assert [part.code for part in found.measures] == ["A1"]


def test_beyond_26_sections_the_rest_becomes_measures_and_a_note_says_so() -> None:
    text = "\n".join(
        f"第{n}章 事项{n}号\n第{n}条 推进工程{n}号建设，完成全部任务。" for n in range(1, 31)
    )
    found = made(text)
    assert len(found.sections) == 26
    assert "26" in found.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "x" * 100_000,
        "一是推进，" * 5_000,
        "（一）" * 5_000,
        "|任务|单位|\n" * 500,
        "<script>x</script>",
    ],
    ids=range(7),
)
def test_any_text_is_answered(text: str) -> None:
    assert made(text) is not None


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("十二", 12),
        ("二十", 20),
        ("一百零三", 103),
        ("7", 7),
        ("③", 3),
        ("首先", 1),
        ("XIV", 14),
        ("㈢", 3),
        ("b", 2),
    ],
)
def test_numerals_are_read(words: str, number: int) -> None:
    assert number_of(words) == number


def test_the_command_prints_the_structure(tmp_path: Path) -> None:
    out = StringIO()
    call_command("propose_breakdown", str(TEXTS / "notice.txt"), stdout=out)
    assert "B2 降低企业经营成本  [numbered heading]" in out.getvalue()
    assert "市财政局  市金融局  2025年9月底前" in out.getvalue()


def test_the_command_prints_json(tmp_path: Path) -> None:
    out = StringIO()
    call_command("propose_breakdown", str(TEXTS / "notice.txt"), "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert [len(section["measures"]) for section in found["sections"]] == [0, 4, 3]
    task = found["sections"][1]["measures"][1]["tasks"][0]
    assert (task["due"], task["day"], task["rule"]) == ("2025年9月底前", "2025-09-30", "demand")
    assert task["passage"].startswith("（二）降低企业经营成本")


def test_the_command_says_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("propose_breakdown", str(tmp_path / "nothing.txt"))


@pytest.mark.article
def test_the_article_breaks_down_into_its_twenty_measures() -> None:
    text = Path(os.environ["ARTICLE"]).read_text(encoding="utf-8")
    found = made(text)
    assert [sum(not part.general for part in section.measures) for section in found.sections] == [
        7,
        6,
        3,
        4,
    ]
    assert {"三基地", "一枢纽", "7大产业集群", "十百千万"} <= {count.name for count in found.counts}
    assert accounted(text, found) == []
