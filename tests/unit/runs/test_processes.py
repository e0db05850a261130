"""Commands side by side: seats, cores of their own, what a process said."""

from __future__ import annotations

import os

import pytest
import torch

from vaelab.presets import digits
from vaelab.runs import processes
from vaelab.runs.processes import Job, run_all, seats_for


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "cache"))


def job(folder, *command):
    folder.mkdir(parents=True, exist_ok=True)
    return Job(folder=folder, command=list(command), log=folder / "log")


def run(jobs, seats, **more):
    run_all(jobs, seats, progress=False, farewell="bye", **more)


def test_there_is_a_seat_for_each_core_or_gpu_and_no_more_than_asked_for(monkeypatch):
    assert seats_for([digits()]) == [""] * len(os.sched_getaffinity(0))
    assert seats_for([digits()], 3) == ["", "", ""]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert seats_for([digits()]) == ["0", "1"]
    assert seats_for([digits()], 3) == ["0", "1", "0"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    assert seats_for([digits()]) == ["5", "7"]


def test_a_core_is_held_until_its_process_ends_and_no_longer(monkeypatch):
    monkeypatch.setattr(processes, "_cores", lambda: [0, 1])
    held = [processes._free_core() for _ in range(3)]
    assert [core for core, _ in held] == [0, 1, None]
    os.close(held[0][1])
    assert processes._free_core()[0] == 0


def test_a_process_is_on_its_core_alone_and_keeps_the_lock_when_its_parent_lets_go(tmp_path):
    waits = job(tmp_path / "a", "--version")
    waits.start("")
    own = next(iter(os.sched_getaffinity(0)))
    try:
        assert waits.code is not None or len(os.sched_getaffinity(waits.process.pid)) == 1
    finally:
        assert waits.process.wait(60) == 0
    assert processes._free_core()[0] == own
    assert waits.text().startswith("vaelab ")


def test_a_machine_without_a_place_for_locks_runs_them_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "file"))
    one = job(tmp_path / "a", "--version")
    run([one], [""])
    assert one.code == 0


def test_a_failure_is_told_at_once_with_what_was_said_and_can_end_it_all(tmp_path):
    jobs, told = [job(tmp_path / name, "nowhere") for name in "ab"], []

    def ended(job, lines):
        told.append((job.folder.name, job.code, job.text().split(" should")[0]))
        return False

    run(jobs, [""], ended=ended)
    assert told == [("a", 2, "the command")]
    assert jobs[1].process is None


def test_a_second_try_adds_to_the_log_and_tells_its_own_words_alone(tmp_path):
    for _ in range(2):
        again = job(tmp_path / "a", "nowhere")
        run([again], [""])
        assert len(again.text().splitlines()) == 1
    assert len((tmp_path / "a" / "log").read_text().splitlines()) == 2


def test_of_many_those_that_run_are_shown_and_the_others_counted(tmp_path):
    jobs = [job(tmp_path / str(k), "--version") for k in range(14)]
    run(jobs[:1], [""])
    assert processes.shown(jobs) == ["done 1, failed 0, waiting 13"]
    assert [line.rsplit(": ")[1] for line in processes.shown(jobs[:2])] == ["done", "waits for a core"]
