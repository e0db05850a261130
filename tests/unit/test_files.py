"""Files appear whole or not at all, and one room replaces them."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import vaelab
from vaelab import files
from vaelab.errors import InputError


def test_what_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    files.write(path, "before")
    with suppress(ZeroDivisionError), files.replacing(path) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    path = tmp_path / "a.txt"
    code = "import os, sys\nfrom vaelab import files\nwith files.replacing(sys.argv[1]) as part:\n"
    killed = [sys.executable, "-c", code + "    part.write_text('half'); os.kill(os.getpid(), 9)", str(path)]
    for _ in range(2):
        assert subprocess.run(killed).returncode == -9
    assert len(os.listdir(tmp_path)) == 1
    with files.replacing(path) as part:
        part.write_text("first")
        files.write(path, "second")
        assert part.exists()
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_copy_of_a_killed_process_does_not_keep_what_that_one_left(tmp_path):
    code = (
        "import os, sys, time\nfrom pathlib import Path\nfrom vaelab import files\n"
        "with files.being_written(Path(sys.argv[1])):\n"
        "    if copy := os.fork():\n        print(copy, flush=True); os.kill(os.getpid(), 9)\n"
        "    os.close(1); time.sleep(60)\n"
    )
    path = tmp_path / "a.txt"
    copy = subprocess.run([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE).stdout
    try:
        assert len(os.listdir(tmp_path)) == 1
        files.write(path, "whole")
        assert os.listdir(tmp_path) == ["a.txt"]
    finally:
        os.kill(int(copy), signal.SIGKILL)


def test_a_file_takes_the_place_of_another_and_may_be_read_as_any_new_one(tmp_path):
    files.write(tmp_path / "a.txt", "before")
    files.write(tmp_path / "a.txt", b"after", flush=True)
    (tmp_path / "b.txt").touch()
    assert (tmp_path / "a.txt").read_text() == "after"
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == stat.S_IMODE((tmp_path / "b.txt").stat().st_mode)


def test_a_place_that_cannot_be_written_is_refused_by_the_name_that_the_user_gave(tmp_path):
    with pytest.raises(InputError, match=r"^--plot should be a file that can be written, got .*No such file"):
        files.write(tmp_path / "nowhere" / "a.png", b"", "--plot")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").touch()
    with pytest.raises(InputError, match="be a file that can be written"):
        files.write(tmp_path / "folder", "text")
    assert (tmp_path / "folder" / "kept").exists()


def test_a_folder_takes_the_place_of_another(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    files.put(tmp_path / "new", tmp_path / "old")
    assert os.listdir(tmp_path) == ["old"]
    assert os.listdir(tmp_path / "old") == ["new"]


def test_only_one_room_replaces_files():
    root = Path(vaelab.__file__).parent
    word = re.compile(r"os\.(replace|rename)\(|\.rename\(Path|shutil\.move|mkstemp|NamedTemporaryFile")
    found = {path.name for path in root.rglob("*.py") if word.search(path.read_text())}
    assert found == {"files.py"}
