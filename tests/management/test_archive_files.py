"""A backup that anybody may have made: what does not fit is refused in words, whatever it is."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.utils.translation import override

from tracker.management import archive_files
from tracker.management.archive_files import unpack

MEMBERS = {"database": b"rows", "evidence/abc": b"proof", "secret_key": b"key"}


def manifest(members: Mapping[str, bytes] = MEMBERS, **changes: Any) -> bytes:
    facts: dict[str, Any] = {
        "database": "sqlite",
        "version": "0.1.0",
        "made": "2026-06-15",
        "migrations": ["a.1"],
    }
    facts["sums"] = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    return json.dumps(facts | changes).encode()


def packed(path: Path, members: Mapping[str, bytes], *more: tarfile.TarInfo) -> Path:
    """Write a tar of some members, and of some that hold nothing."""
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            head = tarfile.TarInfo(name)
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))
        for head in more:
            archive.addfile(head)
    return path


def backup(path: Path, *more: tarfile.TarInfo) -> Path:
    return packed(path, {"manifest.json": manifest(), **MEMBERS}, *more)


def refusal(path: Path, folder: Path) -> str:
    with override("en"), pytest.raises(CommandError) as refused:
        unpack(path, folder)
    return str(refused.value)


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.type, head.linkname = kind, target
    return head


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_a_backup_is_unpacked_whole(tmp_path: Path, folder: Path) -> None:
    assert unpack(backup(tmp_path / "x"), folder)["version"] == "0.1.0"
    assert {
        str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()
    } == MEMBERS


@pytest.mark.parametrize(
    "head",
    [
        special("evidence/link", tarfile.SYMTYPE, "/etc/passwd"),
        special("evidence/hard", tarfile.LNKTYPE, "database"),
        special("evidence/pipe", tarfile.FIFOTYPE),
        special("evidence/device", tarfile.CHRTYPE),
        special("evidence", tarfile.DIRTYPE),
        special("evidence/../../outside", tarfile.REGTYPE),
        special("/outside", tarfile.REGTYPE),
        special("other", tarfile.REGTYPE),
        special("database", tarfile.REGTYPE),
    ],
    ids=lambda head: head.name,
)
def test_what_does_not_belong_into_a_backup_is_named(
    tmp_path: Path, folder: Path, head: tarfile.TarInfo
) -> None:
    assert f"“{head.name}” does not belong" in refusal(backup(tmp_path / "x", head), folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["into", "x"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.3])
def test_a_backup_that_was_cut_off_is_refused(tmp_path: Path, folder: Path, share: float) -> None:
    path = backup(tmp_path / "x")
    os.truncate(path, int(path.stat().st_size * share))
    assert "backup" in refusal(path, folder)


@pytest.mark.parametrize(
    "changes",
    [{"sums": []}, {"sums": {"database": 1}}, {"migrations": None}, {"migrations": [1]}, {"version": None}, {"made": 1},
     {"database": ["sqlite"]}],
    ids=str,
)  # fmt: skip
def test_a_manifest_of_another_shape_is_damaged(
    tmp_path: Path, folder: Path, changes: dict[str, Any]
) -> None:
    path = packed(tmp_path / "x", {"manifest.json": manifest(**changes), **MEMBERS})
    assert "manifest.json" in refusal(path, folder)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000], ids=lambda text: str(text[:3])
)
def test_a_manifest_that_cannot_be_read_is_refused(
    tmp_path: Path, folder: Path, text: bytes
) -> None:
    assert "backup" in refusal(packed(tmp_path / "x", {"manifest.json": text, **MEMBERS}), folder)


def test_a_tar_without_a_manifest_is_no_backup(tmp_path: Path, folder: Path) -> None:
    assert "manifest.json is missing" in refusal(packed(tmp_path / "x", MEMBERS), folder)


@pytest.mark.parametrize("name", ["database", "evidence/abc"])
def test_a_missing_member_is_named(tmp_path: Path, folder: Path, name: str) -> None:
    rest = {each: content for each, content in MEMBERS.items() if each != name}
    assert name in refusal(packed(tmp_path / "x", {"manifest.json": manifest(), **rest}), folder)


def test_a_member_that_was_changed_is_named(tmp_path: Path, folder: Path) -> None:
    path = packed(
        tmp_path / "x", {"manifest.json": manifest(), **MEMBERS, "evidence/abc": b"forged"}
    )
    assert "evidence/abc" in refusal(path, folder)


def test_what_the_disk_has_no_room_for_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = archive_files.shutil.disk_usage(folder)._replace(free=archive_files.SPARE_BYTES + 2)
    monkeypatch.setattr(archive_files.shutil, "disk_usage", lambda path: free)
    assert "needs 1 MB, and 0 MB are free" in refusal(backup(tmp_path / "x"), folder)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"x" * 2000, b"SQLite format 3\x00" + bytes(5000)]
)
def test_a_file_of_another_kind_is_no_backup(tmp_path: Path, folder: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    assert str(path) in refusal(path, folder)


def test_a_folder_is_no_backup(tmp_path: Path, folder: Path) -> None:
    assert str(tmp_path) in refusal(tmp_path, folder)
