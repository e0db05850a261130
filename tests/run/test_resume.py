"""A real training process, killed at random moments, resumed, and compared with one that was left in peace."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

FLAGS = [
    "--training.num-steps", "240", "--watching.checkpoint-steps", "7", "--training.validate-every", "20",
    "--watching.log-every", "9", "--machine.threads", "1", "--quiet",
]  # fmt: skip
CODE = "import sys; from vaelab.cli import main; sys.exit(main())"


def listening() -> None:
    """Ctrl-C reaches the process, even where the tests were started in the background, by a shell that ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def vaelab(*arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=listening)


def finish(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def numbers(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "metrics.csv").drop(columns=["images_per_second", "seconds"])


@pytest.fixture(scope="module")
def peaceful(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "peaceful"
    finish(vaelab("train", "digits", "--out", run, *FLAGS))
    return run


def wait_for(path: Path, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("attempt", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_killed_and_resumed_equals_uninterrupted_bit_for_bit(attempt, peaceful, tmp_path):
    chance = random.Random(attempt)
    run = tmp_path / "killed"
    process = vaelab("train", "digits", "--out", run, *FLAGS)
    wait_for(run / "experiment.json", process)
    time.sleep(chance.uniform(0, 0.6))
    process.kill()
    process.communicate()
    for _ in range(2):
        process = vaelab("resume", run, "--quiet")
        wait_for(run / "checkpoints" / "last.safetensors", process)
        time.sleep(chance.uniform(0, 2.5))
        process.kill()
        process.communicate()
    finish(vaelab("resume", run, "--quiet"))
    for name in ("last", "best"):
        killed, whole = (folder / "checkpoints" / f"{name}.safetensors" for folder in (run, peaceful))
        assert killed.read_bytes() == whole.read_bytes(), name
    pd.testing.assert_frame_equal(numbers(run), numbers(peaceful))


def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(peaceful, tmp_path):
    run = tmp_path / "stopped"
    flags = [*FLAGS, "--training.num-steps", "1000000"]
    process = vaelab("train", "digits", "--out", run, *flags)
    wait_for(run / "checkpoints" / "last.safetensors", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"Go on with: vaelab resume {run}" in err
    assert "Traceback" not in err
    assert not [name for name in os.listdir(run / "checkpoints") if name.startswith(".")]


def test_a_finished_run_is_only_read_again(peaceful):
    before = {path: path.stat().st_mtime_ns for path in (peaceful / "checkpoints").iterdir()}
    finish(vaelab("resume", peaceful, "--quiet"))
    assert before == {path: path.stat().st_mtime_ns for path in (peaceful / "checkpoints").iterdir()}
