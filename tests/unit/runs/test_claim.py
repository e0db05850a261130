"""A run's folder has one writer at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vaelab.errors import InputError
from vaelab.runs.claim import LOCK, claimed, free_folder


def test_a_second_writer_is_refused_by_name_until_the_first_is_done(tmp_path):
    folder = tmp_path / "run"
    hold = (
        "import sys; from pathlib import Path; from vaelab.runs.claim import claimed\n"
        f"with claimed(Path({str(folder)!r})): print('mine', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "mine\n"
    with (
        pytest.raises(InputError, match=f"should have one writer at a time, got process {other.pid} on "),
        claimed(folder),
    ):
        pass
    other.communicate("")
    with claimed(folder):
        assert json.loads((folder / LOCK).read_text())["process"] == os.getpid()
    assert not (folder / LOCK).exists()


def test_a_dead_owner_gives_up_its_folder(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    lock = tmp_path / LOCK
    lock.write_text(json.dumps({"process": dead.pid, "host": platform.node(), "since": ""}))
    with claimed(tmp_path):
        assert json.loads(lock.read_text())["process"] == os.getpid()


def test_a_process_that_took_a_dead_owners_number_is_not_the_owner(tmp_path):
    (tmp_path / LOCK).write_text(json.dumps({"process": os.getppid(), "host": platform.node()}))
    with claimed(tmp_path):
        pass


def test_an_owner_on_another_host_is_taken_to_live(tmp_path):
    (tmp_path / LOCK).write_text(json.dumps({"process": 1, "host": "elsewhere", "since": "today"}))
    with pytest.raises(InputError, match="process 1 on elsewhere, since today"), claimed(tmp_path):
        pass


def _count_up(folder: str) -> int:
    """Adds one to a number in a file, as often as the folder can be claimed in 60 tries; how often that was."""
    number, done = Path(folder) / "number", 0
    for _ in range(60):
        try:
            with claimed(Path(folder)):
                value = int(number.read_text())
                time.sleep(0.0005)
                number.write_text(str(value + 1))
                done += 1
        except InputError:
            continue
    return done


def test_two_processes_never_own_a_folder_together_even_where_a_dead_owner_left_its_lock(tmp_path):
    (tmp_path / "number").write_text("0")
    (tmp_path / LOCK).write_text(json.dumps({"process": 1, "host": platform.node(), "since": "long ago"}))
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        counts = pool.map(_count_up, [str(tmp_path)] * 3)
    assert sum(counts) == int((tmp_path / "number").read_text()) > 20


def _take(parent: str) -> str:
    return str(free_folder("digits", parent))


def test_runs_begun_together_never_share_a_folder(tmp_path):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        folders = pool.map(_take, [str(tmp_path)] * 24)
    assert len(set(folders)) == 24
