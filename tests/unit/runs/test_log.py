"""metrics.csv: a line for each step, split and stage, whose cells are the objective's terms."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from vaelab import presets
from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.dip import DIP
from vaelab.runs import load, train
from vaelab.training import Machine, State, Training, Watching
from vaelab.training.listeners import CSVLog

VAE = VAEConfig(
    latent_dim=2,
    encoder=MLPEncoder(hidden=(8,)),
    decoder=MLPDecoder(hidden=(8,)),
    likelihood=ContinuousBernoulliLikelihood(),
)
BOTH = TwoStageConfig(first=replace(VAE, latent_dim=4), second=VAE)
OBJECTIVE = TwoStageObjective(first=ELBO(penalties=(DIP(weight=3.0),)), second=ELBO(), first_weight=0.5)
BEFORE, AFTER = ["step", "epoch", "split", "stage"], ["learning_rate", "images_per_second", "seconds"]


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """Trains for six steps, and gives the log of it as it stands in the file, every cell a text."""
    place = tmp_path_factory.mktemp("logged")
    np.savez(place / "images.npz", images=np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8))

    def log(name, model, objective, **training):
        experiment = replace(
            presets.digits(),
            data=Data(source=NpzSource(path=str(place / "images.npz")), split=Split(validation=0.2, test=0.2)),
            model=model,
            objective=objective,
            training=Training(batch_size=8, num_steps=6, validate_every=3, **training),
            machine=Machine(tune=False, threads=1),
            watching=Watching(log_every=2),
        )
        train(experiment, place / name, progress=False)
        with (place / name / "metrics.csv").open(newline="") as file:
            return list(csv.DictReader(file)), place / name

    return log


@pytest.fixture(scope="module")
def two_stage(logged):
    return logged("two", BOTH, OBJECTIVE)


def test_two_stages_have_a_line_each_and_one_for_the_whole_at_each_step_and_split(two_stage):
    rows, _ = two_stage
    expected = [("2", "train"), ("3", "validation"), ("4", "train"), ("6", "train"), ("6", "validation")]
    found = [(row["step"], row["split"], row["stage"]) for row in rows]
    assert found == [(*at, stage) for at in expected for stage in ("", "first", "second")]


def test_the_cells_of_a_line_are_the_terms_of_its_stage(two_stage):
    rows, _ = two_stage
    terms = ["loss", "penalty", "elbo", "distortion", "rate", "dip_off_diagonal", "dip_diagonal"]
    assert list(rows[0]) == [*BEFORE, *terms, *AFTER]
    own = {
        "": {"loss", "penalty"},
        "first": set(terms),
        "second": {"loss", "elbo", "distortion", "rate"},
    }
    for row in rows:
        assert {name for name in terms if row[name]} == own[row["stage"]]


def test_the_whole_is_the_second_stage_and_the_weighted_first(two_stage):
    rows, _ = two_stage
    for whole, first, second in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        assert float(whole["loss"]) == pytest.approx(float(second["loss"]) + 0.5 * float(first["loss"]), rel=1e-5)
        assert float(whole["penalty"]) == pytest.approx(0.5 * float(first["penalty"]), rel=1e-5)
        cost = float(first["dip_off_diagonal"]) + 10 * float(first["dip_diagonal"])
        assert float(first["penalty"]) == pytest.approx(3 * cost, rel=1e-4)
        for stage, penalty in ((first, float(first["penalty"])), (second, 0.0)):
            minus_elbo = float(stage["distortion"]) + float(stage["rate"])
            assert float(stage["elbo"]) == pytest.approx(-minus_elbo, rel=1e-5)
            assert float(stage["loss"]) == pytest.approx(minus_elbo + penalty, rel=1e-5)


def test_while_the_first_stage_is_trained_alone_the_whole_is_the_weighted_first(logged):
    rows, _ = logged("alone", BOTH, replace(OBJECTIVE, first_alone_steps=4))
    sums = {}
    for whole, first, second in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        both = float(second["loss"]) + 0.5 * float(first["loss"])
        alone = 0.5 * float(first["loss"])
        here = float(whole["loss"])
        sums[whole["step"], whole["split"]] = [here == pytest.approx(value, rel=1e-5) for value in (alone, both)]
    while_alone, after = [True, False], [False, True]
    assert sums == {
        ("2", "train"): while_alone,
        ("3", "validation"): after,  # which is judged as at the end of every schedule
        ("4", "train"): while_alone,
        ("6", "train"): after,
        ("6", "validation"): after,
    }


@pytest.mark.parametrize(
    ("objective", "more"),
    [(ELBO(), []), (ELBO(penalties=(DIP(),)), ["penalty", "dip_off_diagonal", "dip_diagonal"])],
    ids=["elbo", "dip"],
)
def test_one_stage_has_one_line_whose_stage_is_empty(objective, more, logged):
    rows, _ = logged(f"one{len(more)}", VAE, objective)
    assert [(row["step"], row["split"]) for row in rows] == [
        ("2", "train"), ("3", "validation"), ("4", "train"), ("6", "train"), ("6", "validation"),
    ]  # fmt: skip
    assert {row["stage"] for row in rows} == {""}
    assert list(rows[0]) == [*BEFORE, "loss", "elbo", "distortion", "rate", *more, *AFTER]
    for row in rows:
        assert all(row[name] for name in ("loss", "elbo", "distortion", "rate", *more, "learning_rate", "seconds"))
        assert bool(row["images_per_second"]) == (row["split"] == "train")


def test_terms_of_one_stage_only_leave_the_others_cells_empty(logged):
    rows, _ = logged("bound", BOTH, replace(OBJECTIVE, first=ImportanceWeighted(num_samples=2)))
    assert {row["stage"] for row in rows if row["importance_bound"]} == {"first"}
    assert "penalty" not in rows[0], "no stage has any"


def test_read_back_the_whole_has_an_empty_name_and_missing_terms_are_no_numbers(two_stage):
    _, folder = two_stage
    table = load(folder).metrics()
    assert list(table["stage"].unique()) == ["", "first", "second"]
    assert table.loc[table["stage"] == "", "rate"].isna().all()
    assert table.loc[table["stage"] != "", "rate"].notna().all()


def test_a_log_from_before_stages_is_that_of_the_whole(two_stage, tmp_path):
    _, folder = two_stage
    run = load(folder)
    pd.DataFrame({"step": [1], "split": ["train"], "loss": [3.0]}).to_csv(tmp_path / "metrics.csv", index=False)
    assert list(replace(run, folder=tmp_path).metrics()["stage"]) == [""]


def at(step, terms):
    """A training's state with nothing but what the log reads."""
    state = object.__new__(State)
    state.step, state.steps_per_epoch, state.terms, state.validation = step, 1, {"": terms}, None
    state.optimizer = SimpleNamespace(param_groups=[{"lr": 1e-3}])
    return state


def test_a_term_that_comes_later_gets_its_column_in_the_lines_before_too(tmp_path):
    log = CSVLog(tmp_path / "metrics.csv", batch_size=4)
    for step, terms in ((1, {"loss": 2.0}), (2, {"loss": 1.0, "ceiling": 3.5}), (3, {"loss": 0.5})):
        log(at(step, terms))
    table = pd.read_csv(tmp_path / "metrics.csv")
    assert list(table.columns) == [*BEFORE, "loss", "ceiling", *AFTER]
    assert list(table["loss"]) == [2, 1, 0.5]
    assert list(table["ceiling"].fillna(0)) == [0, 3.5, 0]


def test_a_full_disk_is_one_sentence(tmp_path):
    log = CSVLog(tmp_path / "metrics.csv", batch_size=4)
    log(at(1, {"loss": 1.0}))
    log.path = Path("/dev/full")
    with pytest.raises(InputError, match=r"/dev/full should be .*, got No space left on device"):
        log(at(1, {"loss": 1.0}))
