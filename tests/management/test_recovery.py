"""What the next start finds: a restore that was cut off, uploads that never became a row."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import CommandError

from tests.conftest import TODAY
from tests.factories import make_task
from tracker.domain import scratch
from tracker.management import archive, recovery
from tracker.models import Evidence, PolicyDocument


@pytest.fixture
def data(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the machine a folder of its own, with evidence, and note what would happen to its
    database.
    """
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "evidence"
    settings.WORKING_DIR = tmp_path / "working"
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "old").write_text("old")
    replaced = tmp_path / "replaced"
    monkeypatch.setattr(
        archive, "_replace_database", lambda copy: replaced.write_text(copy.read_text())
    )
    monkeypatch.setattr(archive, "call_command", lambda *words, **options: None)
    return tmp_path


@pytest.fixture
def ready(data: Path) -> Path:
    """Leave a restore that was prepared and not moved to its place."""
    folder = data / "working" / archive.RESTORE_READY
    (folder / "evidence").mkdir(parents=True)
    (folder / "evidence" / "new").write_text("new")
    (folder / "database").write_text("rows")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.django_db
def test_a_restore_that_was_cut_off_is_finished(ready: Path, data: Path) -> None:
    recovery.recover_unfinished()
    assert (names(data / "evidence"), (data / "replaced").read_text()) == (["new"], "rows")
    assert [
        name
        for name in names(data / "working")
        if name.startswith("restore-") and name != "restore-lock"
    ] == []


@pytest.mark.django_db
def test_a_restore_that_was_cut_off_between_two_folders_is_finished(
    ready: Path, data: Path
) -> None:
    (data / "evidence").rename(ready / "replaced")
    recovery.recover_unfinished()
    assert names(data / "evidence") == ["new"]


@pytest.mark.django_db
def test_a_restore_that_was_cut_off_at_its_end_is_tidied_up(data: Path) -> None:
    (data / "working" / archive.RESTORE_DONE / "replaced").mkdir(parents=True)
    recovery.recover_unfinished()
    assert (names(data / "evidence"), archive.RESTORE_DONE in names(data / "working")) == (
        ["old"],
        False,
    )


def refuse(*words: str, **options: Any) -> None:
    raise ValueError("no such column")


@pytest.mark.django_db
def test_a_restore_whose_migration_fails_is_named_and_kept(
    ready: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "call_command", refuse)
    with pytest.raises(CommandError, match=r"no such column.*restore --force"):
        recovery.recover_unfinished()
    assert (ready.exists(), names(data / "evidence")) == (True, ["old"])


@pytest.mark.django_db
def test_a_restore_whose_migration_failed_is_finished_by_the_next_start(
    ready: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(CommandError):
        patch.setattr(archive, "call_command", refuse)
        recovery.recover_unfinished()
    recovery.recover_unfinished()
    assert (names(data / "evidence"), ready.exists()) == (["new"], False)


@pytest.mark.django_db
def test_without_a_restore_nothing_is_touched(data: Path) -> None:
    recovery.recover_unfinished()
    assert (names(data / "evidence"), (data / "replaced").exists()) == (["old"], False)


def test_an_upload_that_became_no_row_is_removed_and_one_that_did_stays(
    data: Path, policy: PolicyDocument
) -> None:
    kept = Evidence(task=make_task(policy), name="kept", added_on=TODAY)
    kept.file.save("kept.pdf", ContentFile(b"%PDF"))
    lost = default_storage.save("lost.pdf", ContentFile(b"%PDF"))
    folder = data / "working" / "process-dead"
    (folder / scratch.PENDING_FILE).mkdir(parents=True)
    for number, name in enumerate((str(kept.file.name), lost)):
        (folder / scratch.PENDING_FILE / str(number)).write_text(name)
    recovery.recover_unfinished()
    assert (default_storage.exists(str(kept.file.name)), default_storage.exists(lost)) == (
        True,
        False,
    )
    assert not folder.exists()
