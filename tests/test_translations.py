"""Words: everything the product says is said in Chinese too, with the same values in it."""

import ast
import gettext
import os
import re
import shlex
import shutil
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "tracker" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
TOOLS = ("xgettext", "msgmerge", "msguniq", "msgattrib", "msgfmt")
PLACEHOLDER = re.compile(r"%(\(\w+\))?[0-9.]*([a-z%])|(\{\w*\})")


class Message(NamedTuple):
    """One entry of a .po file."""

    context: str
    text: str
    plural: str
    said: tuple[str, ...]
    fuzzy: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells the message from all others."""
        return self.context, self.text, self.plural


def messages(path: Path) -> list[Message]:
    """Read a .po file without its head; what is commented out as obsolete is no message."""
    return [message for message in _entries(path.read_text(encoding="utf-8")) if message.text]


def _entries(text: str) -> Iterator[Message]:
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        for line in block.splitlines():
            if match := re.match(r'(msg\w+(?:\[\d\])?) (".*")$', line):
                name = match[1]
                parts[name] = literal_eval(match[2])
            elif line.startswith('"'):
                parts[name] += literal_eval(line)
        if parts:
            said = tuple(
                value for name, value in sorted(parts.items()) if name.startswith("msgstr")
            )
            fuzzy = bool(re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE))
            yield Message(
                parts.get("msgctxt", ""), parts["msgid"], parts.get("msgid_plural", ""), said, fuzzy
            )


MESSAGES = messages(PO)


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (block,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    return [line.strip() for line in block.splitlines()]


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """Copy what the messages are gathered from.

    Without the tools there is nothing to gather with.
    """
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        pytest.skip(f"gettext is not installed: {', '.join(missing)} missing")
    shutil.copy(ROOT / "manage.py", tmp_path)
    for name in ("tracker", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def make_messages(product: Path) -> list[Message]:
    """Run `make messages` in a copy of the product and read what it wrote."""
    environment = {**os.environ, "DATA_DIR": str(product / "data")}
    environment.pop("DATABASE_URL", None)
    for line in recipe("messages"):
        words = shlex.split(line.replace("$(PY)", sys.executable))
        subprocess.run(
            words, cwd=product, env=environment, check=True, capture_output=True, text=True
        )
    return messages(product / PO.relative_to(ROOT))


def test_everything_the_product_says_stands_in_the_catalogue(product: Path) -> None:
    found = {message.key for message in make_messages(product)}
    known = {message.key for message in MESSAGES}
    assert {"missing": found - known, "no longer said": known - found} == {
        "missing": set(),
        "no longer said": set(),
    }


def test_a_new_word_of_a_module_and_of_a_page_would_be_found(product: Path) -> None:
    (product / "tracker" / "views" / "new.py").write_text(
        'from x import gettext as _\n_("Word of a module")\n'
    )
    (product / "templates" / "new.html").write_text(
        '{% load i18n %}{% translate "Word of a page" %}\n'
    )
    found = {message.text for message in make_messages(product)}
    assert {"Word of a module", "Word of a page"} <= found


def test_no_word_is_asked_for_within_an_f_string_where_the_tools_do_not_find_it() -> None:
    found = []
    for path in sorted((ROOT / "tracker").rglob("*.py")):
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = ast.walk(text) if isinstance(text, ast.JoinedStr) else ()
            names = {getattr(part.func, "id", "") for part in parts if isinstance(part, ast.Call)}
            if names & {"_", "gettext", "gettext_lazy", "ngettext", "pgettext", "npgettext"}:
                found.append(f"{path.relative_to(ROOT)}:{text.lineno}")
    assert found == []


def test_words_of_tests_and_libraries_are_not_ours(product: Path) -> None:
    for folder in ("tests", ".venv/lib"):
        (product / folder).mkdir(parents=True)
        (product / folder / "new.py").write_text(
            'from x import gettext as _\n_("Word of somebody else")\n'
        )
    assert "Word of somebody else" not in {message.text for message in make_messages(product)}


def test_the_catalogue_speaks_of_the_whole_product() -> None:
    texts = {message.text for message in MESSAGES}
    # A model's, a rule's, a command's, a page's.
    assert {"closed on time", "due today", "No errors.", "lead unit"} <= texts
    assert len(MESSAGES) > 200


def test_every_message_is_translated() -> None:
    assert [message.text for message in MESSAGES if not message.said or not all(message.said)] == []


def test_no_translation_is_a_guess() -> None:
    assert [message.text for message in MESSAGES if message.fuzzy] == []


def test_no_message_is_kept_that_is_no_longer_said() -> None:
    assert "\n#~" not in PO.read_text(encoding="utf-8")


def values(text: str) -> set[tuple[str, ...]]:
    """Return the places of a text that are filled in, with the kind of value, whatever the width."""
    return set(PLACEHOLDER.findall(text))


def test_a_translation_carries_the_same_values() -> None:
    wrong = [
        (message.text, said)
        for message in MESSAGES
        for said in message.said
        if values(said) != values(message.plural or message.text)
    ]
    assert wrong == []


def test_a_translation_begins_and_ends_its_lines_alike() -> None:
    wrong = [
        message.text
        for message in MESSAGES
        for said in message.said
        if (message.text[0] == "\n", message.text[-1] == "\n")
        != (said[0] == "\n", said[-1] == "\n")
    ]
    assert wrong == []


def test_no_message_is_listed_twice() -> None:
    keys = [message.key for message in MESSAGES]
    assert [key for key in set(keys) if keys.count(key) > 1] == []


def test_the_compiled_catalogue_is_in_step() -> None:
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    written = {}
    for message in MESSAGES:
        text = f"{message.context}\x04{message.text}" if message.context else message.text
        written |= (
            {(text, n): said for n, said in enumerate(message.said)}
            if message.plural
            else {text: message.said[0]}
        )
    del compiled[""]
    assert compiled == written


def test_the_catalogue_lies_where_the_settings_look_for_it() -> None:
    assert PO.parents[2] in [Path(path) for path in settings.LOCALE_PATHS]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('msgid "a"\nmsgstr "b"', Message("", "a", "", ("b",), False)),
        ('#, fuzzy, python-format\nmsgid "a"\nmsgstr ""', Message("", "a", "", ("",), True)),
        (
            'msgctxt "c"\nmsgid ""\n"a "\n"b\\n"\nmsgstr "d"',
            Message("c", "a b\n", "", ("d",), False),
        ),
        ('msgid "a"\nmsgid_plural "as"\nmsgstr[0] "b"', Message("", "a", "as", ("b",), False)),
    ],
    ids=["plain", "fuzzy", "context", "plural"],
)
def test_a_catalogue_is_read(entry: str, message: Message) -> None:
    assert list(_entries(entry)) == [message]


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("%(a)s of %(b)d", "%(b)d / %(a)s", True),
        ("%(month)02d", "%(month)d", True),
        ("%(a)s", "%(a)d", False),
        ("%(a)s", "%(b)s", False),
        ("%(a)d%%", "%(a)d", False),
        ("{name}", "{nam}", False),
        ("%s", "s", False),
    ],
)
def test_values_are_told_apart(text: str, other: str, same: bool) -> None:
    assert (values(text) == values(other)) is same
