"""Temporary files: gone with their process, and what a killed one leaves is swept away."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.drills.lost_updates import ROOT
from tracker.domain import scratch

KILLED = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(WORKING_DIR=sys.argv[1])
from tracker.domain import scratch
scratch.note_pending("abc.pdf")
with scratch.replacing(Path(sys.argv[2])) as half:
    half.write_bytes(b"half")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_root(settings: Any, tmp_path: Path) -> None:
    settings.WORKING_DIR = tmp_path / "working"


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Kill a process that has half written a file; return the folder of that file."""
    target = tmp_path / "out" / "x.tar"
    target.parent.mkdir()
    words = [sys.executable, "-c", KILLED, str(tmp_path / "working"), str(target)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)
    return target.parent


def test_what_a_killed_process_has_left_is_swept_away(killed: Path, tmp_path: Path) -> None:
    assert len(list(killed.iterdir())) == 1
    assert scratch.sweep() == 1
    assert list(killed.iterdir()) == []
    assert list((tmp_path / "working").glob("process-*")) == []


def test_a_sweep_hands_on_what_was_pending(killed: Path) -> None:
    found: list[str] = []
    scratch.sweep(lambda path: found.extend(scratch.pending(path)))
    assert found == ["abc.pdf"]


def test_the_folder_of_a_living_process_stays() -> None:
    file = scratch.new_file()
    assert scratch.sweep() == 0
    assert file.exists()


def test_a_file_takes_its_place_whole(tmp_path: Path) -> None:
    with scratch.replacing(tmp_path / "x", 0o600) as half:
        half.write_text("whole")
        assert not (tmp_path / "x").exists()
    assert (tmp_path / "x").read_text() == "whole"
    assert (tmp_path / "x").stat().st_mode & 0o077 == 0


def test_a_fault_leaves_the_older_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    with pytest.raises(OSError), scratch.replacing(tmp_path / "x") as half:
        half.write_text("half")
        raise OSError("disk is full")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["x"]
    assert (tmp_path / "x").read_text() == "old"


def test_the_folder_of_a_process_is_its_own() -> None:
    assert (scratch.folder(), os.getpid()) == (scratch.folder(), scratch._Own.pid)
