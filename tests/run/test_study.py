"""Studies as real processes: what is done, failed, stopped, killed, changed."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vaelab.cli import main
from vaelab.runs import load
from vaelab.runs.claim import LOCK

STILL = {"training.num_steps": 60, "machine.tune": False, "watching.checkpoint_steps": 5, "watching.log_every": 5}


def write(path: Path, latents=(2, 3), **changes) -> str:
    """A study of an experiment for each number of latents."""
    settings = {**STILL, **{name.replace("__", "."): value for name, value in changes.items()}}
    entries = [{"experiment": "digits", "name": f"d{k}", "settings": {"model.latent_dim": k}} for k in latents]
    path.write_text(json.dumps({"name": "s", "experiments": entries, "settings": settings}))
    return str(path)


def started(*words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "vaelab", "study", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def states(out: str) -> list[list[str]]:
    """Run, state and steps of each line of the table of runs."""
    return [row[:3] for row in map(str.split, out.splitlines()) if row and "/seed-" in row[0]]


def last(folder: Path, name: str) -> bytes:
    return (folder / name / "seed-0" / "checkpoints" / "last.safetensors").read_bytes()


@pytest.fixture(scope="module")
def peaceful(tmp_path_factory) -> Path:
    """The folder of a study that was left in peace."""
    place = tmp_path_factory.mktemp("study")
    assert main(["study", write(place / "s.json"), "-o", str(place / "all"), "--quiet"]) == 0
    return place / "all"


def test_every_run_is_the_run_of_its_experiment_alone_and_is_not_run_again(peaceful, tmp_path, capsys):
    study, trained = write(tmp_path / "s.json"), [*peaceful.rglob("*.csv"), *peaceful.rglob("*.safetensors")]
    times = {path: path.stat().st_mtime_ns for path in trained if path.parent != peaceful}
    assert {line.partition(",")[0] for line in (peaceful / "comparison.csv").read_text().splitlines()[1:]} >= {
        "d2",
        "d3",
    }
    assert main(["study", study, "-o", str(peaceful), "--quiet"]) == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert states(capsys.readouterr().out) == [["d2/seed-0", "done", "60"], ["d3/seed-0", "done", "60"]]
    assert main(["study", study, "-o", str(peaceful), "--plan"]) == 0
    assert capsys.readouterr().out == ""

    flags = [f"--{path}={str(value).lower()}" for path, value in STILL.items()]
    alone = ["train", "digits", "--out", str(tmp_path / "d3" / "seed-0"), "--model.latent-dim=3", "--quiet", *flags]
    assert main(alone) == 0
    assert last(tmp_path, "d3") == last(peaceful, "d3")


def test_the_plan_has_a_command_for_each_run_that_does_it_and_does_it_once(peaceful, tmp_path, capsys):
    study = write(tmp_path / "s.json", latents=(2,))
    assert main(["study", study, "-o", str(tmp_path / "all"), "--seeds", "0,7", "--plan"]) == 0
    commands = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert [words[-2:] for words in commands] == [["--only", "d2/seed-0"], ["--only", "d2/seed-7"]]
    for _ in range(2):
        assert main([*commands[0][1:], "--quiet"]) == 0
        assert last(tmp_path / "all", "d2") == last(peaceful, "d2")
    assert [path.name for path in (tmp_path / "all" / "d2").iterdir()] == ["seed-0"]


@pytest.mark.slow
def test_a_failure_is_said_with_its_setting_its_log_is_kept_and_the_rest_goes_on(peaceful, tmp_path, capfd):
    study = write(tmp_path / "s.json", latents=(2, 3))
    record = json.loads(Path(study).read_text())
    bad = {"experiment": "digits", "name": "bad", "settings": {"model.likelihood": "bernoulli"}}
    record["experiments"].insert(0, bad)
    Path(study).write_text(json.dumps(record))
    folder = tmp_path / "all"
    assert main(["study", study, "-o", str(folder), "--jobs", "1", "--stop", "--quiet"]) == 1
    said = capfd.readouterr()
    assert "Failed: bad/seed-0 (model.latent_dim 4, model.likelihood bernoulli): " in said.err
    log = folder / "bad" / "seed-0.log"
    assert f"Its log: {log}" in said.err
    assert "should be 0 or 1 for the likelihood bernoulli" in log.read_text()
    assert not (folder / "d3" / "seed-0").exists()

    assert main(["study", study, "-o", str(folder), "--jobs", "2", "--quiet"]) == 1
    said = capfd.readouterr()
    assert said.err.endswith("1 of 3 runs failed; the same command tries them again.\n")
    assert [row[1] for row in states(said.out)] == ["failed", "done", "done"]
    assert last(folder, "d3") == last(peaceful, "d3")


def test_a_study_that_no_longer_fits_its_folder_says_what_changed(peaceful, tmp_path, capsys):
    study = write(tmp_path / "s.json", objective__rate_weight=2, model__likelihood="gaussian")
    for more in ([], ["--plan"], ["--only", "d2/seed-0"]):
        assert main(["study", study, "-o", str(peaceful), "--quiet", *more]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"{peaceful} should hold runs with the study's settings, got d2/seed-0, where ")
        assert "objective.rate_weight is 1, in the study 2" in said
        assert "model.likelihood is continuous_bernoulli, in the study gaussian" in said
        assert ("d3/seed-0, where" in said) == (more != ["--only", "d2/seed-0"])
        assert len(said.splitlines()) == 1


@pytest.mark.slow
def test_ctrl_c_saves_every_run_and_the_same_command_goes_on(peaceful, tmp_path):
    study, folder = write(tmp_path / "s.json", training__num_steps=1_000_000), tmp_path / "all"
    process = started(study, "-o", str(folder), "--jobs", "2", "--quiet")
    logs = [folder / name / "seed-0" / "metrics.csv" for name in ("d2", "d3")]
    wait_for(lambda: all(log.exists() for log in logs), process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (130, "Stopped; every run has saved. The same command goes on.\n")
    assert not list(folder.rglob(LOCK))
    lengths = [len(log.read_text()) for log in logs]
    assert all(lengths)
    assert load(folder / "d2" / "seed-0").metrics()["step"].max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_is_lost_where_the_study_and_runs_are_killed(seed, peaceful, tmp_path):
    """Once the study alone, whose children live on and are waited for; then the study and one of them."""
    chance, study, folder = random.Random(seed), write(tmp_path / "s.json"), tmp_path / "all"
    for kill_a_child in (False, True):
        process = started(study, "-o", str(folder), "--jobs", "2", "--quiet")
        wait_for(lambda: (folder / "d2" / "seed-0" / "experiment.json").exists(), process)
        time.sleep(chance.uniform(0, 1.5))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
        for child in children[:1] if kill_a_child else []:
            os.kill(int(child), 9)
        process.communicate()
    again = started(study, "-o", str(folder), "--jobs", "2", "--quiet")
    out, said = again.communicate(timeout=240)
    assert again.returncode == 0, said
    assert [row[1:] for row in states(out)] == [["done", "60"]] * 2
    assert [last(folder, name) == last(peaceful, name) for name in ("d2", "d3")] == [True, True]


@pytest.mark.slow
def test_a_run_that_another_process_trains_is_waited_for(peaceful, tmp_path, capfd):
    """Its command holds the folder; the study's own neither refuses nor trains it a second time."""
    study, folder = write(tmp_path / "s.json", latents=(2,), training__num_steps=1500), tmp_path / "all"
    first = started(study, "-o", str(folder), "--only", "d2/seed-0", "--quiet")
    wait_for(lambda: (folder / "d2" / "seed-0" / "checkpoints" / "last.safetensors").exists(), first)
    assert main(["study", study, "-o", str(folder), "--quiet"]) == 0
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert f"is trained by process {first.pid} on" in (folder / "d2" / "seed-0.log").read_text()
    assert load(folder / "d2" / "seed-0").metrics()["step"].max() == 1500


def wait_for(is_there, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 200
    while not is_there():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
