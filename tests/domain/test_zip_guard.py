"""What is read of a stranger's zip: its end record first, then no more than a document holds."""

import io
import struct
import zipfile
from collections.abc import Mapping

import pytest

from tracker.domain import zip_guard
from tracker.domain.zip_guard import BrokenZip, Danger, DangerousEntry, TooManyEntries

TYPES = "[Content_Types].xml"
DOCUMENT = {TYPES: b"<Types/>", "word/document.xml": b"<w/>"}
RECORD = b"PK\x01\x02" + bytes(24) + struct.pack("<3H", 1, 0, 0) + bytes(12) + b"x"


def zipped(parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """Pack parts into a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


def end_record(count: int, length: int) -> bytes:
    """Write the end record of a zip by hand."""
    return struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, min(count, 65535), min(count, 65535), length, 4, 0
    )


def directory_of(count: int) -> io.BytesIO:
    """Write a zip that is a directory of so many records and nothing else."""
    return io.BytesIO(b"PK\x03\x04" + RECORD * count + end_record(count, len(RECORD) * count))


def danger_of(parts: Mapping[str, bytes]) -> Danger:
    with pytest.raises(DangerousEntry) as refusal:
        zip_guard.read_names(zipped(parts))
    return refusal.value.danger


def test_a_directory_of_a_document_is_read() -> None:
    assert zip_guard.read_names(zipped(DOCUMENT)) == set(DOCUMENT)


def test_a_zip_with_a_comment_is_read() -> None:
    file = zipped(DOCUMENT)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"a comment"
    assert zip_guard.read_names(file) == set(DOCUMENT)


def test_a_directory_of_many_entries_is_refused_before_zipfile_sees_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zip_guard, "ZipFile", None)
    with pytest.raises(TooManyEntries):
        zip_guard.read_names(directory_of(180_000))


def test_an_end_record_that_tells_of_fewer_entries_than_there_are_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zip_guard, "ZipFile", None)
    many = RECORD * 20_000
    with pytest.raises(BrokenZip):
        zip_guard.read_names(io.BytesIO(b"PK\x03\x04" + many + end_record(3, len(many))))


def test_a_large_directory_under_a_small_count_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_guard, "ZipFile", None)
    many = RECORD * 100_000
    with pytest.raises(TooManyEntries):
        zip_guard.read_names(io.BytesIO(b"PK\x03\x04" + many + end_record(3, len(many))))


def test_the_end_record_for_large_files_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_guard, "ZipFile", None)
    many = RECORD * 100_000
    large = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 100_000, 100_000, len(many), 4
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 4 + len(many), 1)
    with pytest.raises(TooManyEntries):
        zip_guard.read_names(io.BytesIO(b"PK\x03\x04" + many + large + locator + end_record(1, 51)))


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"PK\x03\x04 broken", b"PK\x03\x04" + end_record(1, 51)]
)
def test_what_has_no_directory_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenZip):
        zip_guard.read_names(io.BytesIO(content))


def test_a_zip_that_is_cut_off_is_broken() -> None:
    with pytest.raises(BrokenZip):
        zip_guard.read_names(io.BytesIO(zipped(DOCUMENT).getvalue()[:-30]))


@pytest.mark.parametrize(
    "name",
    ["word/vbaProject.bin", "xl/VBAPROJECT.BIN", "word/vbaData.xml", "xl/macrosheets/sheet1.xml",
     "Basic/Standard/M.xml", "Scripts/python/x.txt"],
)  # fmt: skip
def test_macros_are_known_by_their_names(name: str) -> None:
    assert danger_of({**DOCUMENT, name: b"x"}) == Danger.MACRO


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_macros_under_another_name_are_known_by_the_list_of_kinds(encoding: str) -> None:
    kinds = '<Override ContentType="application/vnd.ms-office.vbaProject"/>'
    assert danger_of({**DOCUMENT, TYPES: kinds.encode(encoding)}) == Danger.MACRO


@pytest.mark.parametrize(
    "name", ["word/x.exe", "Attachs/RUN.BAT", "x.js", "a.pdf.scr", "word/x.exe "]
)
def test_programs_are_known_by_their_names(name: str) -> None:
    assert danger_of({**DOCUMENT, name: b"x"}) == Danger.EXECUTABLE


@pytest.mark.parametrize(
    "start", [b"MZ\x90\x00", b"\x7fELF\x02", b"#!/bin/sh\n", b"\xcf\xfa\xed\xfe"]
)
def test_programs_are_known_by_their_first_bytes(start: bytes) -> None:
    assert danger_of({**DOCUMENT, "word/media/image1.png": start + bytes(100)}) == Danger.EXECUTABLE


@pytest.mark.parametrize(
    ("name", "content"),
    [("word/x.bin", b"Rar!\x1a\x07\x00"), ("word/x.bin", b"7z\xbc\xaf\x27\x1c"), ("word/x.zip", b"x"),
     ("word/x.bin", b"\x1f\x8b\x08"), ("word/x.xlsx", zipped({"a.txt": b"x"}).getvalue())],
)  # fmt: skip
def test_archives_inside_are_refused(name: str, content: bytes) -> None:
    assert danger_of({**DOCUMENT, name: content}) == Danger.ARCHIVE


def test_the_workbook_of_a_chart_is_no_archive() -> None:
    inner = zipped({TYPES: b"<Types/>", "xl/workbook.xml": b"<x/>"}).getvalue()
    assert "word/embeddings/x.xlsx" in zip_guard.read_names(
        zipped({**DOCUMENT, "word/embeddings/x.xlsx": inner})
    )


def test_a_drawing_that_office_packs_is_no_archive() -> None:
    assert zip_guard.read_names(zipped({**DOCUMENT, "word/media/image1.emz": b"\x1f\x8b\x08"}))


def test_macros_in_a_document_within_the_document_are_found() -> None:
    inner = zipped({TYPES: b"<Types/>", "xl/vbaProject.bin": b"x"}).getvalue()
    assert danger_of({**DOCUMENT, "word/embeddings/x.xlsm": inner}) == Danger.MACRO


def test_a_document_within_a_document_within_the_document_is_refused() -> None:
    innermost = zipped({TYPES: b"<Types/>"}).getvalue()
    inner = zipped({TYPES: b"<Types/>", "xl/embeddings/y.docx": innermost}).getvalue()
    assert danger_of({**DOCUMENT, "word/embeddings/x.xlsx": inner}) == Danger.ARCHIVE


def test_an_embedded_document_that_unpacks_to_more_than_any_is_refused() -> None:
    bomb = zipped(
        {
            **DOCUMENT,
            "word/embeddings/x.bin": zip_guard.OLE_START + bytes(zip_guard.MAX_NESTED_BYTES),
        }
    )
    with pytest.raises(BrokenZip):
        zip_guard.read_names(bomb)


@pytest.mark.parametrize(
    ("word", "danger"), [("_VBA_PROJECT", Danger.MACRO), ("\x01Ole10Native", Danger.ARCHIVE)]
)
def test_an_object_of_the_older_kind_is_looked_into(word: str, danger: Danger) -> None:
    content = zip_guard.OLE_START + bytes(600) + word.encode("utf-16-le")
    assert danger_of({**DOCUMENT, "word/embeddings/oleObject1.bin": content}) == danger


def test_an_entry_under_a_password_is_refused() -> None:
    content = bytearray(zipped({"word/document.xml": b"x"}, zipfile.ZIP_STORED).getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DangerousEntry) as refusal:
        zip_guard.read_names(io.BytesIO(bytes(content)))
    assert refusal.value.danger == Danger.ENCRYPTED


def test_a_way_of_packing_that_no_document_has_is_refused() -> None:
    with pytest.raises(BrokenZip):
        zip_guard.read_names(zipped(DOCUMENT, zipfile.ZIP_LZMA))


def test_a_broken_entry_is_refused() -> None:
    content = bytearray(zipped({"word/document.xml": b"abc" * 100}).getvalue())
    content[30 + len("word/document.xml")] = 0xFF
    with pytest.raises(BrokenZip):
        zip_guard.read_names(io.BytesIO(bytes(content)))
