"""The search: what people type finds what they mean, wherever a task says it, on every way in."""

import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from tests.conftest import TODAY
from tests.factories import make_task
from tests.prepared_rows import store_sample
from tests.reports.test_filters import ask
from tests.views.conftest import Browser
from tests.views.test_pages import links, read
from tracker import workflow
from tracker.models import ChecklistItem, Organization, PolicyDocument, Task, User
from tracker.workflow import ChangeContext, rules_version

TEXT = "开头。\n要构建发展大格局，绘好一张蓝图绘到底，一任接着一任干。\n当好服务企业的金牌“店小二”，提升效能。\n"
# Typed, and as a task has it.
TYPED = [
    ("Ａ１－０１", "Task"),
    ("A1–01", "Task"),
    ("a1\u200b-01", "Task"),
    ("５G", "建设5G基站"),
    ("5G", "建设５Ｇ基站"),
    ("（1）", "(1)类企业"),
    ("(1)", "（1）类企业"),
    ("Ⅲ", "III类水质"),
    ("III", "Ⅲ类水质"),
    ("㎡", "新增100m2绿地"),
    ("100m2", "新增100㎡绿地"),
    ("金牌'店小二'", "当好金牌“店小二”"),
    ("金牌店小二", "当好金牌“店小二”"),
    ("“店小二”", "当好金牌「店小二」"),
    ("caf\u00e9", "Cafe\u0301街区"),
    ("Cafe\u0301", "caf\u00e9街区"),
    ("枢\u200b纽", "建设枢纽"),
    ("枢纽", "建设枢\u00ad纽"),
    ("\ufeff枢纽", "建设枢纽"),
    ("建设\u00a0枢纽", "建设综合枢纽"),
]


def codes(policy: PolicyDocument, text: str) -> list[str]:
    """Return what the list page finds."""
    with translation.override("en"):
        chosen, asked = ask(policy, "")
        assert asked.faults == []
    return list(chosen.with_text(policy.tasks.all(), "text", text).values_list("code", flat=True))


@pytest.mark.parametrize(("typed", "title"), TYPED)
def test_the_list_finds_what_means_the_same(policy: PolicyDocument, typed: str, title: str) -> None:
    make_task(policy, title=title)
    make_task(policy, "B1-07", title="别的")
    assert codes(policy, typed) == ["A1-01"]


@pytest.mark.parametrize(("typed", "title"), TYPED[::3])
def test_the_head_line_finds_what_means_the_same(
    office: Client, policy: PolicyDocument, typed: str, title: str
) -> None:
    make_task(policy, title=title)
    make_task(policy, "B1-07", title="别的")
    found = [link for link in links(read(office, f"/search/?q={typed}")) if "/tasks/" in link]
    assert found == ["/policies/rise/tasks/A1-01/"]


@pytest.mark.parametrize(("typed", "title"), TYPED[::3])
def test_the_admin_finds_what_means_the_same(
    office: Client, policy: PolicyDocument, typed: str, title: str
) -> None:
    task = make_task(policy, title=title)
    other = make_task(policy, "B1-07", title="别的")
    page = office.get("/admin/tracker/task/", {"q": typed}).content.decode()
    assert f"/admin/tracker/task/{task.pk}/change/" in page
    assert f"/admin/tracker/task/{other.pk}/change/" not in page


def test_what_is_stored_stays_as_it_was_typed(policy: PolicyDocument, act: ChangeContext) -> None:
    title = "建设５Ｇ基站，当好金牌“店小二”"
    make_task(policy, title=title)
    assert Task.objects.get().title == title


@pytest.mark.parametrize("typed", ["“”", "\u200b", "'"])
def test_quotes_and_unseen_signs_alone_are_refused_in_words(
    four: PolicyDocument, typed: str
) -> None:
    with translation.override("en"):
        (fault,) = ask(four, f"text={typed}")[1].faults
    assert "at least one letter" in fault


@pytest.fixture
def four(policy: PolicyDocument) -> PolicyDocument:
    make_task(policy)
    return policy


@pytest.fixture
def rich(policy: PolicyDocument, act: ChangeContext) -> Task:
    """A task that says something different in each of its parts."""
    measure = policy.measures.get(code="A1")
    measure.name, measure.anchor = "名为举措", "发展大格局"
    workflow.save_object(measure, act)
    task = make_task(
        policy, title="名为任务", description="要求甲", remark="备注乙", anchor="绘到底，一任"
    )
    step = ChecklistItem(number=1, title="步骤丙", anchor="店小二")
    workflow.save_task(task, act, items=[step], today=TODAY)
    return task


@pytest.mark.parametrize(
    "typed",
    ["A1-01", "名为任务", "要求甲", "备注乙", "绘到底", "名为举措", "大格局", "步骤丙", "店小二"],
)
def test_each_part_of_what_a_task_is_about_is_searched(rich: Task, typed: str) -> None:
    assert codes(rich.policy, typed) == ["A1-01"]


@pytest.mark.parametrize("typed", ["一张蓝图", "一任接着一任干", "要构建", "金牌", "服务企业"])
def test_with_the_text_loaded_the_whole_clause_is_searched(
    rich: Task, act: ChangeContext, typed: str
) -> None:
    before = codes(rich.policy, typed)
    policy = PolicyDocument.objects.get()
    policy.full_text = TEXT
    workflow.save_object(policy, act)
    assert (before, codes(policy, typed)) == ([], ["A1-01"])


def test_clauses_that_no_part_is_anchored_to_are_not_searched(
    rich: Task, act: ChangeContext
) -> None:
    policy = PolicyDocument.objects.get()
    policy.full_text = TEXT
    workflow.save_object(policy, act)
    assert codes(policy, "提升效能") == codes(policy, "开头") == []


def test_another_text_takes_the_place_of_the_words_of_the_first(
    rich: Task, act: ChangeContext
) -> None:
    policy = PolicyDocument.objects.get()
    policy.full_text = TEXT
    workflow.save_object(policy, act)
    policy.full_text = "新文从头绘到底，一任换一任。"
    workflow.save_object(policy, act)
    assert (codes(policy, "一张蓝图"), codes(policy, "从头")) == ([], ["A1-01"])


def test_a_task_saved_after_the_text_finds_its_clause(
    policy: PolicyDocument, act: ChangeContext
) -> None:
    policy.full_text = TEXT
    workflow.save_object(policy, act)
    task = make_task(policy)
    task.anchor = "绘到底，一任"
    workflow.save_task(Task.objects.get(), act, today=TODAY)
    task.version = 2
    workflow.save_task(task, act, today=TODAY)
    assert codes(policy, "一张蓝图") == ["A1-01"]


def test_a_measure_of_another_name_is_found_by_the_new_one_alone(
    rich: Task, act: ChangeContext
) -> None:
    measure = rich.policy.measures.get(code="A1")
    measure.name = "改称"
    workflow.save_object(measure, act)
    assert (codes(rich.policy, "名为举措"), codes(rich.policy, "改称")) == ([], ["A1-01"])


def test_a_measure_anchored_elsewhere_is_found_by_the_new_words_alone(
    rich: Task, act: ChangeContext
) -> None:
    measure = rich.policy.measures.get(code="A1")
    measure.anchor = "别处"
    workflow.save_object(measure, act)
    assert (codes(rich.policy, "大格局"), codes(rich.policy, "别处")) == ([], ["A1-01"])


def test_a_step_of_another_title_is_found_by_the_new_one_alone(
    rich: Task, act: ChangeContext
) -> None:
    step = rich.items.get()
    step.title = "改步"
    workflow.save_task(Task.objects.get(), act, items=[step], today=TODAY)
    assert (codes(rich.policy, "步骤丙"), codes(rich.policy, "改步")) == ([], ["A1-01"])


def test_a_step_that_is_taken_away_is_found_no_more(rich: Task, act: ChangeContext) -> None:
    workflow.save_task(Task.objects.get(), act, removed=[rich.items.get()], today=TODAY)
    assert codes(rich.policy, "步骤丙") == []


def test_a_step_that_is_deleted_by_itself_leaves_nothing_stale(
    rich: Task, act: ChangeContext
) -> None:
    workflow.delete_object(rich.items.get(), act)
    assert (codes(rich.policy, "步骤丙"), rules_version.preview_refresh().corrected) == ([], 0)


@pytest.mark.parametrize(
    "typed", ["市ＤＲＣ", "市drc", "发展\u200b改革委", "“双十”办", "双十办", "５Ｇ专班", "发改委"]
)
def test_units_are_found_by_what_means_their_names(
    office: Client, policy: PolicyDocument, typed: str
) -> None:
    unit = Organization.objects.create(
        name="市发展改革委", short_name="市DRC", aliases="发改委\n「双十」办\n5G专班", order=1
    )
    task = make_task(policy, lead_unit=unit)
    make_task(policy, "B1-01")
    assert f"/units/{unit.pk}/" in links(read(office, f"/search/?q={typed}"))
    assert codes(policy, typed) == ["A1-01"]
    found = office.get("/admin/tracker/organization/", {"q": typed}).content.decode()
    assert f"/admin/tracker/organization/{unit.pk}/change/" in found
    assert (
        f"/admin/tracker/task/{task.pk}/change/"
        in office.get("/admin/tracker/task/", {"q": typed}).content.decode()
    )


def test_the_autocompletion_of_units_folds_what_is_typed(
    office: Client, bureau: Organization
) -> None:
    asked = {
        "app_label": "tracker",
        "model_name": "task",
        "field_name": "lead_unit",
        "term": "ＳＣＩ",
    }
    found = office.get("/admin/autocomplete/", asked).json()["results"]
    assert [each["text"] for each in found] == ["Science"]


@pytest.mark.parametrize(
    ("kind", "stored", "typed"), [("measure", "５Ｇ工程", "5g工程"), ("section", "“双碳”", "双碳")]
)
def test_every_list_of_the_admin_folds_what_is_stored(
    office: Client, policy: PolicyDocument, kind: str, stored: str, typed: str
) -> None:
    row = getattr(policy, f"{kind}s").first()
    type(row).objects.filter(pk=row.pk).update(name=stored)
    page = office.get(f"/admin/tracker/{kind}/", {"q": typed}).content.decode()
    assert f"/admin/tracker/{kind}/{row.pk}/change/" in page


def test_a_new_name_that_differs_from_another_units_by_signs_alone_is_refused(
    bureau: Organization,
) -> None:
    with (
        translation.override("en"),
        pytest.raises(Exception, match="is already a name of the unit"),
    ):
        Organization(name="ＳＣＩＥＮＣＥ", short_name="New").full_clean()


# What the text of the sample says, in the words of the fixture.
@pytest.mark.parametrize(
    "term", ["双向奔赴", "保就业", "以工促农", "一级抓一级", "选人用人", "安全生产责任制", "店小二"]
)
def test_the_words_that_tasks_and_steps_are_anchored_to_find_them_without_the_text(
    db: None, term: str
) -> None:
    store_sample()
    assert codes(PolicyDocument.objects.get(), term)


@pytest.mark.article
def test_with_the_article_loaded_its_terms_find_their_tasks(db: None) -> None:
    store_sample()
    call_command("load_text", "central-china-rise", Path(os.environ["ARTICLE"]))
    policy = PolicyDocument.objects.get()
    terms = {
        "融圈进群": "A3-03", "一张蓝图": "D4-05", "双向奔赴": "B1-03", "保就业": "B5-03", "以工促农": "B4-04",
        "一级抓一级": "D2-03", "选人用人": "D3-01", "安全生产责任制": "B6-04", "金牌": "C3-03",
    }  # fmt: skip
    assert {term: code for term, code in terms.items() if code not in codes(policy, term)} == {}


def test_a_liaison_finds_by_the_words_of_steps_only_the_tasks_of_the_unit(
    browser: Browser, rich: Task, liaison: User
) -> None:
    assert not [
        link for link in links(read(browser(liaison), "/search/?q=步骤丙")) if "/tasks/" in link
    ]
