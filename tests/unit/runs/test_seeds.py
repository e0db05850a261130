"""Seeds begun together and gone on with in one process: each has the numbers that it has alone."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from vaelab import presets
from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.runs import interleaved, is_finished, load, read, train
from vaelab.runs.entries import entries_of, find_runs, load_all
from vaelab.runs.seeds import begin_seeds, resume_seeds, seed_folders
from vaelab.training import Machine, Training, Watching


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    file = tmp_path_factory.mktemp("seeds") / "images.npz"
    np.savez(file, images=np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8))
    net = {"encoder": MLPEncoder(hidden=(8,)), "decoder": MLPDecoder(hidden=(8,))}
    digits = presets.digits()
    return replace(
        digits,
        data=Data(source=NpzSource(path=str(file)), split=Split(validation=0.2, test=0.2)),
        model=VAEConfig(latent_dim=2, likelihood=ContinuousBernoulliLikelihood(), **net),
        training=Training(batch_size=8, num_steps=12, validate_every=4),
        machine=Machine(tune=False, threads=1, device="cpu"),
        watching=Watching(log_every=2),
    )


@pytest.fixture(scope="module")
def alone(experiment, tmp_path_factory):
    """The last weights of seed 1, trained alone."""
    return weights(train(replace(experiment, seed=1), tmp_path_factory.mktemp("alone") / "run", progress=False).folder)


def weights(folder):
    return load(folder).model.state_dict()


def equal(one, other):
    return all((one[name] == other[name]).all() for name in one)


def together(folders, **more):
    return interleaved.interleaved(folders, progress=False, farewell="all have saved.", **more)


def test_a_step_of_each_in_turn_gives_the_numbers_of_each_alone(experiment, alone, tmp_path, monkeypatch):
    fed = []
    real = interleaved.batches_of
    monkeypatch.setattr(interleaved, "batches_of", lambda *of: fed.append(of) or real(*of))
    folders = begin_seeds(experiment, (0, 1, 10), tmp_path / "seeds", progress=False)
    assert seed_folders(tmp_path / "seeds") == folders
    assert together(folders) == {}
    assert len(fed) == 1, "images are shared"
    assert all(is_finished(read(folder)) for folder in folders)
    assert equal(weights(folders[1]), alone)
    assert not equal(weights(folders[0]), alone)
    (entry,) = entries_of(load_all(find_runs([tmp_path / "seeds"])[0]))
    assert [run.experiment.seed for run in entry.runs] == [0, 1, 10]
    assert resume_seeds(folders, progress=False) == dict.fromkeys(folders, (0, "")), "nothing is left to do"


def test_stopped_seeds_have_saved_and_go_on_as_if_they_had_not_been(experiment, alone, tmp_path, monkeypatch):
    asked, steps, real = [], [], interleaved.going_on

    @contextmanager
    def interrupts():
        yield asked

    def going_on(run, **how):
        going = real(run, **how)
        while True:
            try:
                state = next(going)
            except StopIteration as end:
                return end.value
            steps.append(state.step)
            asked.extend([2] * (len(steps) == 9))
            yield state

    folders = begin_seeds(experiment, (0, 1), tmp_path, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(interleaved, "interrupts", interrupts)
        patch.setattr(interleaved, "going_on", going_on)
        with pytest.raises(KeyboardInterrupt, match=r"^Stopped; all have saved\.$"):
            together(folders)
    assert max(steps) == 5
    assert all((folder / "checkpoints" / "last.safetensors").exists() for folder in folders)
    assert together(folders) == {}
    assert equal(weights(folders[1]), alone)


def test_one_that_fails_holds_up_no_other(experiment, alone, tmp_path):
    folders = begin_seeds(experiment, (0, 1), tmp_path, progress=False)
    (folders[0] / "checkpoints" / "last.safetensors").write_bytes(b"no checkpoint")
    failed = together(folders)
    assert list(failed) == folders[:1]
    assert "should be a checkpoint of vaelab" in failed[folders[0]]
    assert equal(weights(folders[1]), alone)


def test_all_train_longer(experiment, tmp_path):
    folders = begin_seeds(experiment, (0, 1), tmp_path, progress=False)
    together(folders)
    together(folders, changes=[("training.num-steps", "15")])
    assert [load(folder).metrics()["step"].max() for folder in folders] == [15, 15]


def test_a_folder_holds_seeds_of_one_experiment(experiment, tmp_path):
    begin_seeds(experiment, (0,), tmp_path, progress=False)
    other = replace(experiment, training=replace(experiment.training, batch_size=4))
    with pytest.raises(InputError, match=r"hold seeds of one experiment, got others in seed-0: training\.batch_size\."):
        begin_seeds(other, (1,), tmp_path, progress=False)
    with pytest.raises(InputError, match="be a new folder"):
        begin_seeds(experiment, (1, 0), tmp_path, progress=False)
    assert [folder.name for folder in seed_folders(tmp_path)] == ["seed-0"], "nothing was begun"
    longer = replace(experiment, training=replace(experiment.training, num_steps=20))
    assert begin_seeds(longer, (1,), tmp_path, progress=False) == [tmp_path / "seed-1"]
