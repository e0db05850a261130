"""Real commands in several processes: one is killed, an input is refused, and each time one sentence says so."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ranked import environments, free_port
from vaelab.training.checkpoint import read_numbers

FLAGS = [
    "--training.num-steps", "1000000", "--training.batch-size", "48", "--watching.log-every", "5",
    "--machine.threads", "1", "--machine.tune", "false", "--quiet",
]  # fmt: skip


def vaelab(count: int, *arguments: object) -> list[subprocess.Popen]:
    """So many ranks of a command."""
    command = [sys.executable, "-m", "vaelab", *map(str, arguments)]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return [subprocess.Popen(command, env=each, **output) for each in environments(count)]


def ends(processes: list[subprocess.Popen]) -> tuple[list[int], list[str]]:
    """Their codes, and the lines that they said in all."""
    said = [line for process in processes for part in process.communicate(timeout=300) for line in part.splitlines()]
    return [process.returncode for process in processes], [line for line in said if line.strip()]


def wait_for(path: Path, processes: list[subprocess.Popen]) -> None:
    deadline = time.monotonic() + 240
    while not path.exists():
        assert time.monotonic() < deadline
        assert all(process.poll() is None for process in processes), ends(processes)
        time.sleep(0.05)


@pytest.mark.parametrize("lost", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_a_rank_that_dies_ends_all_in_one_sentence_and_what_was_done_is_saved(lost, tmp_path):
    run = tmp_path / "run"
    processes = vaelab(2, "train", "digits", "--out", run, *FLAGS)
    wait_for(run / "metrics.csv", processes)
    processes[lost].kill()
    codes, said = ends(processes)
    assert codes[1 - lost] == 130
    assert len(said) == 1
    step = re.fullmatch(
        rf"Stopped after step ([\d,]+) of 1,000,000; another rank is gone\. Go on with: vaelab resume {run}", said[0]
    )
    done = int(step[1].replace(",", ""))
    assert abs(read_numbers(run / "checkpoints" / "last.safetensors")["step"] - done) <= 1
    assert not (run / ".owner.json").exists() or lost == 0

    end = (done // 5 + 2) * 5
    codes, said = ends(vaelab(1, "resume", run, "--training.num-steps", end, "--quiet"))
    assert codes == [0], said
    log = pd.read_csv(run / "metrics.csv").query("split == 'train'")
    assert log["step"].tolist() == list(range(5, end + 1, 5))


@pytest.mark.slow
def test_asked_to_stop_they_stop_after_the_same_step(tmp_path):
    run = tmp_path / "run"
    processes = vaelab(2, "train", "digits", "--out", run, *FLAGS)
    wait_for(run / "metrics.csv", processes)
    processes[1].send_signal(signal.SIGTERM)
    codes, said = ends(processes)
    assert codes == [130, 130]
    assert len(said) == 1
    assert said[0].endswith(f"; saved. Go on with: vaelab resume {run}")
    assert f"{read_numbers(run / 'checkpoints' / 'last.safetensors')['step']:,}" in said[0]


@pytest.mark.parametrize(
    ("count", "arguments", "refusal"),
    [
        (2, ["train", "digits", "--out", "RUN", "--training.batch-size", "49"],
         "--training.batch-size should be a multiple of the 2 ranks, got 49. Take 48 or 50, or another number of "
         "ranks."),
        pytest.param(3, ["train", "digits", "--out", "RUN", "--training.batch-size", "2"],
         "the number of ranks should be at most the 2 images of a batch, got 3. Start fewer, or take a larger batch.",
         marks=pytest.mark.slow),
        (2, ["evaluate", "RUN"],
         "vaelab evaluate should run in one process, got several, by torchrun. They can train and resume together."),
        pytest.param(2, ["train", "digits", "--seeds", "0", "1"],
         "seeds should be left out under torchrun, got 0 1.", marks=pytest.mark.slow),
    ],
    ids=["batch", "without images", "evaluate", "seeds"],
)  # fmt: skip
def test_what_is_refused_is_said_once_and_leaves_nothing(count, arguments, refusal, tmp_path):
    given = [str(tmp_path / "run") if each == "RUN" else each for each in arguments]
    codes, said = ends(vaelab(count, *given))
    assert said == [refusal]
    assert codes == [2] * count
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("hosts", [1, 2])
def test_torchrun_starts_them_on_one_host_and_on_several(hosts, tmp_path):
    """A torchrun for each host, which find each other by an address; here both are this machine."""
    flags = [*FLAGS, "--training.num-steps", "20"]
    assert ends(vaelab(1, "train", "digits", "--out", tmp_path / "alone", *flags))[0] == [0]
    torchrun = [Path(sys.executable).parent / "torchrun", "--nnodes", str(hosts), "--nproc-per-node", str(2 // hosts),
                "--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free_port()}"]  # fmt: skip
    command = [*torchrun, "-m", "vaelab", "train", "digits", "--out", tmp_path / "run", *flags]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    codes, said = ends([subprocess.Popen(command, **output) for _ in range(hosts)])
    assert codes == [0] * hosts, said
    log, alone = (pd.read_csv(tmp_path / name / "metrics.csv") for name in ("run", "alone"))
    assert log["step"].tolist() == alone["step"].tolist()
    np.testing.assert_allclose(log["loss"], alone["loss"], rtol=1e-4)
