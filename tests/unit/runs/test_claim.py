"""A run's folder has one writer at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import subprocess
import sys

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
    lock.write_text(json.dumps({"process": dead.pid, "started": "1", "host": platform.node(), "since": ""}))
    with claimed(tmp_path):
        assert json.loads(lock.read_text())["process"] == os.getpid()


def test_a_process_that_took_a_dead_owners_number_is_not_the_owner(tmp_path):
    (tmp_path / LOCK).write_text(json.dumps({"process": os.getppid(), "started": "-1", "host": platform.node()}))
    with claimed(tmp_path):
        pass


def test_an_owner_on_another_host_is_taken_to_live(tmp_path):
    (tmp_path / LOCK).write_text(json.dumps({"process": 1, "started": "1", "host": "elsewhere", "since": "today"}))
    with pytest.raises(InputError, match="process 1 on elsewhere, since today"), claimed(tmp_path):
        pass


def _take(parent: str) -> str:
    return str(free_folder("digits", parent))


def test_runs_begun_together_never_share_a_folder(tmp_path):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        folders = pool.map(_take, [str(tmp_path)] * 24)
    assert len(set(folders)) == 24
