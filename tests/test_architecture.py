"""The house: arrows run one way, and what only one place may know is known there alone."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Each part may import parts of the lines above it, and its own modules; parts of one line stand
# side by side.
LAYERS = (
    ("settings", "apps", "formats", "gunicorn"),
    ("domain",),
    ("models",),
    ("workflow",),
    ("forms",),
    ("reports",),
    ("excel", "text"),
    ("web",),
    ("views", "templatetags"),
    ("admin", "management"),
    ("urls", "wsgi"),
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
# Below the pages nothing has heard of requests and responses.
BELOW_THE_PAGES = ["domain", "models", "workflow", "reports", "excel", "text"]
# A filter of the task list reads the query string.
READS_QUERIES = {"tracker.reports.filters"}
CHINESE = re.compile(
    r"[\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
PUNCTUATION = re.compile(r"[\u3000-\u303f\uff01-\uff65]")
# They read texts and cells, and know the words that stand in them.
READERS = {
    "tracker.domain.cells",
    "tracker.domain.parsing",
    "tracker.domain.number_formats",
    "tracker.domain.passages",
    "tracker.domain.unit_names",
    "tracker.domain.written_days",
}
ROLES = {"is_supervisor", "is_liaison", "is_leader", "is_administrator"}
CLOCKS = {"today", "now", "utcnow", "localdate", "time", "time_ns"}
CLOCK_HOUSES = {"date", "datetime", "dt", "timezone", "time"}
BULK = {"bulk_create", "bulk_update", "get_or_create", "update_or_create"}


class Module(NamedTuple):
    """A module of the product: dotted name, text and tree."""

    name: str
    text: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """Return the part of the house it belongs to: `models` for `tracker.models.task`."""
        return self.name.split(".")[1] if "." in self.name else ""


def read(path: Path) -> Module:
    """Read one file as a module."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    text = path.read_text(encoding="utf-8")
    return Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), text, ast.parse(text))


FILES = sorted(path for path in (ROOT / "tracker").rglob("*.py") if "migrations" not in path.parts)
MODULES = {module.name: module for module in map(read, FILES)}
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))


def imports(module: Module, *, functions_only: bool = False) -> Iterator[str]:
    """Name every module of the product that a module imports at run time."""
    for node in _nodes(module.tree, inside=not functions_only):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{module.name}:{node.lineno} imports by dots: write the full name"
            )
            # `from tracker.domain import lights` names a module; from `tracker.domain.lights` comes
            # a thing in one.
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name if name in MODULES else str(node.module) for name in whole]
        else:
            continue
        yield from (name for name in found if name.split(".")[0] == "tracker")


def _nodes(node: ast.AST, inside: bool) -> Iterator[ast.AST]:
    """Walk a tree past what only type checkers read.

    With `inside` False, what functions hold alone.
    """
    if inside:
        yield node
    inside |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    skips = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    for child in node.orelse if skips else ast.iter_child_nodes(node):
        yield from _nodes(child, inside)


def of(node: ast.AST) -> list[str]:
    """List every name that an expression is made of.

    `Task.objects.filter` is Task, objects, filter.
    """
    return [
        getattr(part, "attr", getattr(part, "id", ""))
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute | ast.Name)
    ]


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """List every call with the last name of what is called."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node, getattr(node.func, "attr", getattr(node.func, "id", ""))


def literals(module: Module) -> Iterator[ast.Constant]:
    """List every text of a module but its docstrings."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node


def test_the_house_has_modules_and_templates_to_look_at() -> None:
    assert {"tracker.models.task", "tracker.workflow", "tracker.views.pages"} <= MODULES.keys()
    assert any(path.name == "base.html" for path in TEMPLATES)


def test_every_module_stands_in_a_layer() -> None:
    assert {module.part for module in MODULES.values()} - LEVEL.keys() == {""}


def test_every_layer_stands_for_something() -> None:
    assert LEVEL.keys() - {module.part for module in MODULES.values()} == set()


def test_arrows_run_one_way() -> None:
    wrong = [
        f"{module.name} -> {other}"
        for module in MODULES.values()
        for other in imports(module)
        if other != "tracker"
        and (part := other.split(".")[1]) != module.part
        and LEVEL[part] >= LEVEL[module.part]
    ]
    assert wrong == []


def test_modules_import_one_another_in_no_circle() -> None:
    # A package's own face, `tracker.models`, is not one of the modules it shows.
    graph = {
        name: {other for other in imports(module) if other != name}
        for name, module in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_function_imports_a_module_of_the_product() -> None:
    assert {
        name: list(imports(module, functions_only=True)) for name, module in MODULES.items()
    } == {name: [] for name in MODULES}


def test_what_only_type_checkers_read_is_no_arrow() -> None:
    tree = ast.parse(
        "if TYPE_CHECKING:\n    from tracker.urls import x\nelse:\n    import "
        "tracker.domain.dates\n"
    )
    assert list(imports(Module("tracker.domain.lights", "", tree))) == ["tracker.domain.dates"]


def test_an_import_in_a_function_is_found() -> None:
    tree = ast.parse(
        "import tracker.domain.dates\ndef light():\n    if True:\n        from tracker.domain "
        "import lights\n"
    )
    assert list(imports(Module("tracker.models", "", tree), functions_only=True)) == [
        "tracker.domain.lights"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "tracker.domain.dates",
        "tracker.domain.lights",
        "tracker.domain.permissions",
        "tracker.domain.parsing",
        "tracker.domain.folding",
        "tracker.domain.passages",
        "tracker.domain.anchors",
        "tracker.text.outline",
        "tracker.text.extract",
    ],
)
def test_what_is_pure_knows_no_database(name: str) -> None:
    assert "django.db" not in _run_time_text(MODULES[name])


@pytest.mark.parametrize("part", BELOW_THE_PAGES)
def test_what_lies_below_the_pages_knows_no_request(part: str) -> None:
    pages = re.compile(r"django\.(http|shortcuts|contrib\.(admin|messages)|views|template)\b")
    below = [module for name, module in MODULES.items() if name not in READS_QUERIES]
    assert [m.name for m in below if m.part == part and pages.search(_run_time_text(m))] == []


def _run_time_text(module: Module) -> str:
    """Return the import lines of a module that are carried out."""
    return "\n".join(
        ast.unparse(node)
        for node in _nodes(module.tree, inside=True)
        if isinstance(node, ast.Import | ast.ImportFrom)
    )


def test_the_product_speaks_english_and_is_translated() -> None:
    found = [
        f"{module.name}:{node.lineno} {node.value[:40]!r}"
        for module in MODULES.values()
        # How a language writes days, and what is read in it.
        if module.part != "formats"
        for node in literals(module)
        # Reading a Chinese text takes its words and its punctuation apart.
        if module.part != "text"
        and module.name not in READERS
        and (CHINESE.search(node.value) or PUNCTUATION.search(node.value))
    ]
    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_speak_english_and_are_translated(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert CHINESE.findall(text) + PUNCTUATION.findall(text) == []


def test_no_python_text_is_marked_safe() -> None:
    marks = {"mark_safe", "SafeString", "SafeText"}
    assert [
        f"{m.name}:{call.lineno}"
        for m in MODULES.values()
        for call, name in calls(m)
        if name in marks
    ] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_switches_escaping_off(path: Path) -> None:
    assert (
        re.findall(r"\|\s*safe(?:seq)?\b|autoescape\s+off", path.read_text(encoding="utf-8")) == []
    )


def test_every_form_is_guarded_against_forged_requests() -> None:
    assert [m.name for m in MODULES.values() if "csrf_exempt" in m.text] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_posted_form_carries_its_token(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    forms = re.findall(
        r"<form\b[^>]*\bmethod=[\"']?post\b.*?</form>", text, re.DOTALL | re.IGNORECASE
    )
    assert [form[:80] for form in forms if "csrf_token" not in form] == []


def clock_readings(module: Module) -> Iterator[int]:
    """Find the lines that ask the machine for the time: `date.today()`, or an imported `now`."""
    for call, name in calls(module):
        if (
            name in CLOCKS
            and isinstance(call.func, ast.Attribute)
            and CLOCK_HOUSES & set(of(call.func.value))
        ):
            yield call.lineno
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "django.utils.timezone"):
            yield from (node.lineno for alias in node.names if alias.name in CLOCKS)


def test_the_clock_is_read_in_one_place() -> None:
    found = {
        name: list(clock_readings(module))
        for name, module in MODULES.items()
        if name != "tracker.domain.dates"
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "dt.date.today()",
        "datetime.now(ZONE)",
        "timezone.localdate()",
        "time.time()",
        "from django.utils.timezone import now",
        "from time import time",
    ],
)
def test_reading_the_clock_would_be_found(line: str) -> None:
    assert list(clock_readings(Module("x", line, ast.parse(line)))) == [1]


def test_no_column_asks_django_for_the_time() -> None:
    # As a default the clock is named and not called.
    assert [
        m.name for m in MODULES.values() if re.search(r"timezone\.now\b|auto_now", m.text)
    ] == []


def test_below_the_edge_the_day_is_an_argument() -> None:
    below = {"tracker.domain.lights", "tracker.domain.permissions", "tracker.models.task"}
    reports = {
        f"tracker.reports.{name}"
        for name in ("columns", "filters", "history", "statistics", "task_table")
    }
    found = [
        f"{module.name}:{call.lineno}"
        for module in MODULES.values()
        if module.part == "workflow" or module.name in below | reports
        for call, name in calls(module)
        if name in ("today", "now")
    ]
    assert found == []


def test_only_permissions_judge_by_roles() -> None:
    home = {
        "tracker.domain.permissions",
        "tracker.models.organization",
        "tracker.admin.organization",
    }
    found = [
        f"{module.name}:{node.lineno}"
        for module in MODULES.values()
        if module.name not in home and not module.name.startswith("tracker.management.")
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ROLES)
        or (isinstance(node, ast.keyword) and node.arg in ROLES)
        or (isinstance(node, ast.Constant) and node.value in ROLES)
    ]
    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_judges_by_roles(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [name for name in (*ROLES, "is_superuser", "is_staff", "perms.") if name in text] == []


def writings(module: Module) -> Iterator[str]:
    """Find the calls that write rows.

    `save(commit=False)` writes none, `update` of no names is a dictionary's.
    """
    for call, name in calls(module):
        if not isinstance(call.func, ast.Attribute):
            continue
        owner, names = of(call.func.value), {word.arg for word in call.keywords}
        by_hand = owner != ["workbook"] and "commit" not in names
        if (
            name in BULK
            or (name == "update" and (names or "objects" in owner))
            or (name in ("create", "delete", "save") and by_hand)
        ):
            yield f"{module.name}:{call.lineno} {ast.unparse(call)[:60]}"


def test_rows_are_written_by_the_workflow_alone() -> None:
    # What `excel` saves is a workbook.
    others = [module for module in MODULES.values() if module.part not in ("workflow", "excel")]
    # What the store of sessions saves is a session.
    others = [module for module in others if module.name != "tracker.web.sessions"]
    assert [line for module in others for line in writings(module)] == []


@pytest.mark.parametrize(
    "line",
    [
        "Task.objects.filter(pk=1).update(percent=3)",
        "Task.objects.update(**facts)",
        "policy.tasks.update(status=x)",
        "Task.objects.bulk_update(tasks, names)",
        "Task.objects.create(code=code)",
        "task.save()",
        "queryset.delete()",
        "formset.save()",
    ],
)
def test_a_write_past_the_workflow_would_be_found(line: str) -> None:
    assert len(list(writings(Module("x", line, ast.parse(line))))) == 1


# Names that a framework looks for in each module of a kind.
CONVENTIONAL = {
    "Command", "urlpatterns", "logger", "register", "app_name", "Meta",
    "DATE_FORMAT", "SHORT_DATE_FORMAT", "DATETIME_FORMAT", "SHORT_DATETIME_FORMAT", "DATE_INPUT_FORMATS",
}  # fmt: skip


def _assigned_names(target: ast.expr) -> set[str]:
    """Return the names that an assignment to a name or a tuple of names sets."""
    if isinstance(target, ast.Name):
        return {target.id}
    names: set[str] = set()
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            names |= _assigned_names(part)
    return names


def public_names(module: Module) -> set[str]:
    """Return the public names that a module defines at its top."""
    found: set[str] = set()
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                found |= _assigned_names(target)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return {name for name in found if not name.startswith("_")} - CONVENTIONAL


def test_no_public_name_is_defined_in_two_modules() -> None:
    homes: dict[str, list[str]] = {}
    for module in MODULES.values():
        for name in public_names(module):
            homes.setdefault(name, []).append(module.name)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_a_public_name_of_each_kind_is_found() -> None:
    text = "LIMIT = 1\nSIZE: int = 2\ndef read(): ...\nclass Row: ...\n_own = 3\nregister = 4\nTOP, LOW = 5, 6\n"
    names = {"LIMIT", "SIZE", "read", "Row", "TOP", "LOW"}
    assert public_names(Module("x", text, ast.parse(text))) == names
