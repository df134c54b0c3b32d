"""What may be handed in as evidence.

No macros, no programs, nothing that costs more than it says.
"""

import io
import zipfile
from collections.abc import Mapping

import pytest
from django.utils.translation import override

from tests.domain.test_zip_guard import DOCUMENT, directory_of, zipped
from tracker.domain import evidence
from tracker.excel.reader import WorkbookReader, WorkbookRefused
from tracker.text.file_reader import ValidationError, read_text_file


def refusal_of(name: str, content: bytes) -> str:
    """Return the words in which a file is refused."""
    with override("en"), pytest.raises(ValueError) as refusal:
        evidence.check_evidence(name, len(content), io.BytesIO(content))
    return str(refusal.value)


def document(parts: Mapping[str, bytes]) -> bytes:
    return zipped({**DOCUMENT, **parts}).getvalue()


def test_a_document_of_180_000_entries_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZipFile", None)  # its directory is not read
    assert "parts" in refusal_of("a.docx", directory_of(180_000).getvalue())


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        ("word/vbaProject.bin", b"x", "macros (word/vbaProject.bin)"),
        ("Basic/Standard/Module1.xml", b"x", "macros (Basic/Standard/Module1.xml)"),
        ("word/media/run.exe", b"x", "program (word/media/run.exe)"),
        ("word/media/image1.png", b"MZ\x90\x00", "program (word/media/image1.png)"),
        ("word/media/more.zip", b"PK\x05\x06", "cannot be inspected (word/media/more.zip)"),
    ],
)
def test_what_a_document_must_not_hold_is_named(part: str, content: bytes, words: str) -> None:
    assert words in refusal_of("a.docx", document({part: content}))


@pytest.mark.parametrize(
    ("name", "word"), [("a.doc", "_VBA_PROJECT"), ("a.wps", "_VBA_PROJECT_CUR")]
)
def test_macros_in_a_document_of_the_older_kind_are_refused(name: str, word: str) -> None:
    assert "macros" in refusal_of(
        name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + word.encode("utf-16-le")
    )


def test_a_plain_document_is_taken() -> None:
    content = document({"word/media/image1.png": b"\x89PNG\r\n\x1a\n"})
    assert evidence.check_evidence("a.docx", len(content), io.BytesIO(content)) is None


def test_a_policy_text_of_180_000_entries_is_refused_before_its_directory_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zipfile, "ZipFile", None)
    monkeypatch.setattr("tracker.text.file_reader.MAX_TEXT_FILE_BYTES", 20_000_000)
    with pytest.raises(ValidationError):
        read_text_file(directory_of(180_000).getvalue(), "a.docx")


def test_a_workbook_that_hides_its_entries_is_refused_before_its_directory_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tracker.excel.reader.ZipFile", None)
    file = directory_of(10_000).getvalue()
    with pytest.raises(WorkbookRefused):
        WorkbookReader(io.BytesIO(file[:-14] + b"\x05\x00\x05\x00" + file[-10:]))
