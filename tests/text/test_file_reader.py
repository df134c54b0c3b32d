"""Texts from files: encodings, Word, and what no text is."""

import io
import zipfile
from pathlib import Path

import docx
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from tracker.domain.choices import ChangeSource
from tracker.models import PolicyDocument
from tracker.text.file_reader import (
    MAX_POLICY_TEXT,
    MAX_TEXT_FILE_BYTES,
    clean_policy_text,
    read_text_file,
)


def word(*lines: str, style: str = "Normal", rows: list[list[str]] | None = None) -> bytes:
    """Make a Word document of paragraphs and perhaps a table."""
    document = docx.Document()
    for line in lines:
        document.add_paragraph(line, style=style)
    if rows:
        table = document.add_table(len(rows), len(rows[0]))
        for row, cells in zip(table.rows, rows, strict=True):
            for cell, value in zip(row.cells, cells, strict=True):
                cell.text = value
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def packed(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_text_is_read_in_the_encodings_in_use(encoding: str) -> None:
    assert read_text_file("一、加快建设\n".encode(encoding), "a.txt") == "一、加快建设"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValidationError, match="neither UTF-8 nor GB18030"):
        read_text_file(b"\xff\xff\xff", "a.txt")


def test_paragraphs_of_a_word_document_are_lines() -> None:
    assert read_text_file(word("一、总体要求", "二、任务"), "a.docx") == "一、总体要求\n二、任务"


def test_rows_of_a_table_have_tabs_between_their_cells() -> None:
    raw = word("任务分工", rows=[["任务", "单位"], ["修路", "市交通局"]])
    assert read_text_file(raw, "a.docx") == "任务分工\n任务\t单位\n修路\t市交通局"


def test_a_heading_that_word_numbers_keeps_a_mark() -> None:
    assert read_text_file(word("总体要求", style="Heading 1"), "a.docx") == "## 总体要求"


def test_an_item_that_word_counts_keeps_a_mark() -> None:
    assert read_text_file(word("修路", style="List Bullet"), "a.docx") == "- 修路"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "contains no text"),
        (b" \n ", "contains no text"),
        (b"x" * (MAX_TEXT_FILE_BYTES + 1), "at most"),
        (b"PK\x03\x04 broken", "damaged"),
        (packed({"a.txt": b"x"}), "damaged"),
        (packed({"word/document.xml": b"0" * 70_000_000}), "too large for a policy text"),
        (packed({"word/document.xml": b"<not-xml"}), "damaged"),
        (b"\x01\x02\x03\x04" * 100, "control characters"),
    ],
    ids=["empty", "blank", "large", "broken", "no-word", "bomb", "no-xml", "binary"],
)
def test_what_is_no_text_is_refused_in_words(raw: bytes, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        read_text_file(raw, "a.docx" if raw[:2] == b"PK" else "a.txt")


def test_an_entity_bomb_in_a_word_document_stays_unexpanded() -> None:
    with zipfile.ZipFile(io.BytesIO(word("x"))) as package:
        whole = {name: package.read(name) for name in package.namelist()}
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = whole["word/document.xml"].replace(
        b"<w:document", f'<!DOCTYPE x [<!ENTITY a0 "x">{entities}]><w:document'.encode(), 1
    )
    bomb = bomb.replace(b">x<", b">&a9;<")
    try:
        assert len(read_text_file(packed({**whole, "word/document.xml": bomb}), "a.docx")) < 1000
    except ValidationError as error:
        assert "text" in str(error) or "damaged" in str(error)


def test_steering_characters_are_dropped_and_line_ends_made_alike() -> None:
    assert clean_policy_text("甲\u202e乙\x07\r\n丙\u2028丁") == "甲乙\n丙\n丁"


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most 500,000"):
        clean_policy_text("x" * (MAX_POLICY_TEXT + 1))


def test_the_command_loads_a_text_and_says_so_in_the_history(
    policy: PolicyDocument, tmp_path: Path
) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("一、加快建设".encode("gbk"))
    call_command("load_text", "rise", str(path))
    policy.refresh_from_db()
    assert policy.full_text == "一、加快建设"
    latest = policy.history.first()
    assert (latest.way, latest.history_change_reason) == (
        ChangeSource.COMMAND,
        "text loaded from text.txt",
    )


def test_the_command_knows_the_policies(tmp_path: Path, db: None) -> None:
    with pytest.raises(CommandError, match="no policy"):
        call_command("load_text", "nothing", str(tmp_path))
