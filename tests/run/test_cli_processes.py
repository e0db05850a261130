"""The command line as real processes: Ctrl-C, seeds side by side, a pipe that closes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from safetensors import safe_open

from vaelab.runs import load

VAELAB = [sys.executable, "-m", "vaelab"]
STILL = ["--machine.tune", "false", "--machine.threads", "1", "--quiet"]
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}


def wait_for(path, process, seconds=120):
    """Waits until a file is there."""
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def weights(folder):
    """Every tensor of the last checkpoint."""
    with safe_open(folder / "checkpoints" / "last.safetensors", "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def in_the_background():
    """What a shell does for a command that it starts in the background: Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def in_the_foreground():
    """A terminal's command, however the tests themselves were started."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("started", [in_the_foreground, in_the_background])
@pytest.mark.slow
def test_a_stopped_training_says_how_to_go_on_and_goes_on(started, tmp_path):
    run = tmp_path / "run"
    command = [
        *VAELAB,
        "train",
        "digits",
        "--out",
        str(run),
        "--training.num-steps",
        "900",
        *STILL,
        "--watching.log-every",
        "20",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ALONE, preexec_fn=started)
    wait_for(run / "metrics.csv", process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.rstrip().endswith(f"Go on with: vaelab resume {run}")
    done = subprocess.run(
        [*VAELAB, "resume", str(run), "--quiet"], capture_output=True, text=True, env=ALONE, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert load(run).metrics()["step"].max() == 900


@pytest.mark.slow
def test_seeds_side_by_side_are_the_runs_of_each_alone(tmp_path):
    settings = ["--training.num-steps", "60", *STILL]
    both = subprocess.run(
        [*VAELAB, "train", "digits", "--seeds", "3-4", "--out", str(tmp_path / "both"), *settings],
        capture_output=True, text=True, env=ALONE, timeout=300,
    )  # fmt: skip
    assert both.returncode == 0, both.stderr
    one = [*VAELAB, "train", "digits", "--seed", "4", "--out", str(tmp_path / "one"), *settings]
    subprocess.run(one, check=True, capture_output=True, env=ALONE, timeout=300)
    alone, beside, other = (weights(tmp_path / name) for name in ("one", "both/seed-4", "both/seed-3"))
    assert all((alone[name] == beside[name]).all() for name in alone)
    assert any((alone[name] != other[name]).any() for name in alone)
    assert load(tmp_path / "both" / "seed-3").experiment.seed == 3

    again = subprocess.run(
        [*VAELAB, "train", "digits", "--seeds", "4", "--out", str(tmp_path / "both"), *settings],
        capture_output=True, text=True, env=ALONE, timeout=300,
    )  # fmt: skip
    assert again.returncode == 2
    assert len(again.stderr.splitlines()) == 1

    longer = [*VAELAB, "resume", str(tmp_path / "both"), "--training.num-steps", "70", "--quiet"]
    subprocess.run(longer, check=True, capture_output=True, env=ALONE, timeout=300)
    assert [load(tmp_path / "both" / f"seed-{seed}").metrics()["step"].max() for seed in (3, 4)] == [70, 70]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "started"),
    [(signal.SIGINT, in_the_foreground), (signal.SIGINT, in_the_background), (signal.SIGTERM, in_the_background)],
)
def test_seeds_that_are_stopped_all_save(number, started, tmp_path):
    command = [*VAELAB, "train", "digits", "--seeds", "0", "1", "--out", str(tmp_path), *STILL]
    endless = ["--training.num-steps", "9000000", "--watching.log-every", "20"]
    process = subprocess.Popen(
        [*command, *endless], stderr=subprocess.PIPE, text=True, env=ALONE, start_new_session=True, preexec_fn=started
    )
    try:
        wait_for(tmp_path / "seed-0" / "metrics.csv", process)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.terminate()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "vaelab resume" in said
    assert (tmp_path / "seed-0" / "checkpoints" / "last.safetensors").exists()
    steps = [len((tmp_path / "seed-0" / "metrics.csv").read_text()) for _ in (time.sleep(0), time.sleep(1))]
    assert steps[0] == steps[1], "its processes have ended"


def test_a_refusal_is_one_sentence_of_a_real_process_too(tmp_path):
    done = subprocess.run(
        [*VAELAB, "train", "digits", "--model.latent-dim", "0"], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--model.latent-dim should be at least 1, got 0.\n"
    assert not list(tmp_path.iterdir())


def test_a_reader_that_leaves_early_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m vaelab train digits --help | head -1", shell=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.startswith("usage: vaelab train")
