"""What is known of a run's images, and codes that took no training, beside its own."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from vaelab.data.sources.cells_synthetic import CellsSyntheticSource
from vaelab.errors import InputError
from vaelab.evaluation import all_metrics, clusters_of, measure_arrays, trivial_codes
from vaelab.evaluation.known import hand_made
from vaelab.models import VAEConfig
from vaelab.presets import find
from vaelab.runs import train
from vaelab.runs.question import Question, ask
from vaelab.runs.results import folder_of, list_results, measure
from vaelab.settings.record import digest


def test_moments_by_hand():
    x = torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    found = hand_made(x).numpy().reshape(2, 5, 3)
    down, right = np.meshgrid((np.arange(6) + 0.5) / 6, (np.arange(8) + 0.5) / 8, indexing="ij")
    for image, numbers in zip(x.numpy(), found, strict=True):
        for channel, (mean, area, *moments) in zip(image, numbers.T, strict=True):
            together = np.cov(down.ravel(), right.ravel(), aweights=channel.ravel(), ddof=0)
            assert mean == pytest.approx(channel.mean(), rel=1e-5)
            assert area == pytest.approx((channel > channel.max() / 2).mean())
            assert moments == pytest.approx([together[0, 0], together[1, 1], together[0, 1]], abs=1e-5)


def test_codes_that_took_no_training():
    torch.manual_seed(0)
    model, images, training = VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(30, 1, 8, 8), torch.rand(40, 1, 8, 8)
    factors = np.arange(30.0)[:, None]
    codes = trivial_codes(images, training, model, factors)
    assert {name: array.shape for name, array in codes.items()} == {
        **{"untrained": (30, 2), "hand-made": (30, 5), "PCA": (30, 2), "true factors": (30, 1)},
    }
    by = PCA(2, random_state=0).fit(training.flatten(1).numpy()).transform(images.flatten(1).numpy())
    np.testing.assert_allclose(codes["PCA"], by, atol=1e-4)
    np.testing.assert_allclose(codes["untrained"], model.eval().encode(images).mean.detach(), atol=1e-5)
    assert "PCA" not in trivial_codes(images, None, model)


def test_there_are_no_more_clusters_than_codes_that_differ():
    labels = np.arange(12) % 3
    assert set(clusters_of(np.zeros((12, 2)), labels)) == {0}
    assert len(set(clusters_of(np.eye(3)[labels] * 50, labels))) == 3


def test_a_question_without_columns_has_the_name_that_it_always_had():
    asked = {"stage": "", "split": "test", "num_images": 9, "num_samples": 5, "seed": 0, "checkpoint": "ab"}
    assert Question(**asked).name == f"test-9-images-5-samples-{digest(asked)[:8]}"
    names = {Question(**asked, **more).name for more in ({}, {"labels": "a"}, {"groups": "a"}, {"factors": ("a",)})}
    assert len(names) == 4


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A run of one step on cells, whose table holds factors, kinds and wells."""
    preset = find("digits")
    split = replace(preset.data.split, stratify=None)
    data = replace(preset.data, source=CellsSyntheticSource(num_images=300, size=16), split=split)
    preset = replace(preset, data=data, training=replace(preset.training, num_epochs=1))
    return train(preset, tmp_path_factory.mktemp("runs") / "cells", progress=False)


def test_a_run_is_measured_against_columns_of_its_table_under_a_question_of_its_own(cells):
    plain = measure(cells, ask(cells, num_samples=2))
    asked = ask(cells, num_samples=2, labels="process", factors=["x", "y"], groups="well")
    found = measure(cells, asked)
    assert found.score("mcc", "x") is not None
    assert plain.score("mcc") is None
    assert {score.model for score in found.scores if score.metric == "sap"} == {
        *("", "untrained", "PCA", "hand-made", "true factors"),
    }
    assert found.score("sap", model="true factors").value == pytest.approx(found.score("sap").ceiling)
    table = cells.dataset.collection.table.iloc[found.rows]
    there = {"codes": found.codes, "factors": table[["x", "y"]].to_numpy(float), "groups": table["well"].to_numpy()}
    direct = measure_arrays(there, all_metrics(["sap"]).values())
    assert found.score("sap").value == pytest.approx(direct.score("sap").value)
    assert [s for s in found.scores if s.metric == "mse"] == [s for s in plain.scores if s.metric == "mse"]
    assert measure(cells, asked).scores == found.scores
    assert folder_of(cells, asked) != folder_of(cells, ask(cells, num_samples=2))
    kept = {result.question: result.scores for result in list_results(cells)}
    assert kept[asked] == found.scores
    assert asdict(asked)["factors"] == ("x", "y")


def test_columns_that_are_not_there_or_not_numbers_are_refused(cells):
    with pytest.raises(InputError, match="labels should be a known name, got 'nope'"):
        ask(cells, labels="nope")
    cells.dataset.collection.table["name"] = "a"
    with pytest.raises(InputError, match="factors should be columns of finite numbers, got others in 'name'"):
        ask(cells, factors=["name"])
