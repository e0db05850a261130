"""Presets: what they say of their architecture is what is built, and they train."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from vaelab import presets as module
from vaelab.data import prepare
from vaelab.data.feed import Feed
from vaelab.data.sources.folder import FolderSource
from vaelab.errors import InputError
from vaelab.presets import preset, presets
from vaelab.settings.text import override

SHAPES = {
    "mnist": (1, 28, 28),
    "iwae_mnist": (1, 28, 28),
    "cells": (3, 64, 64),
    "images": (2, 50, 70),
    "digits": (1, 8, 8),
    "mnist_vade": (1, 28, 28),
    "cells_info_max": (3, 64, 64),
    "cells_two_stage": (3, 64, 64),
}
SHAPES |= {"rosettes": (1, 256, 256), "rosettes_punctured": (1, 256, 256), "cells_synthetic": (3, 64, 64)}
CELLS = ("cells_info_max", "cells_synthetic", "cells_two_stage")
GENERATED = [*CELLS, "digits", "rosettes", "rosettes_punctured", "sprites"]
NEED_IMAGES = ("mnist", "mnist_vade", "iwae_mnist", "cells", "images")


def make(name):
    """The preset on any images."""
    return preset(name, FolderSource(path="x") if name in NEED_IMAGES else None)


def widths(network, kind):
    """Outputs of every layer of a kind, in order."""
    names = ("out_features", "out_channels")
    layers = [layer for layer in network.modules() if isinstance(layer, kind)]
    return [next(getattr(layer, name) for name in names if hasattr(layer, name)) for layer in layers]


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_builds_trains_a_step_and_says_its_source(name):
    experiment = make(name)
    assert experiment.name == name.replace("_", "-")
    assert "*Source*: " in (presets()[name].__doc__ or "")
    shape = SHAPES.get(name, (1, 64, 64))
    model = experiment.model.build(shape)
    terms = experiment.objective(model, torch.rand(2, *shape).round(), experiment.objective.pretrain_steps)
    terms["loss"].mean().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


@pytest.mark.parametrize("name", GENERATED)
def test_the_data_of_a_generated_preset_can_be_prepared_and_fed(name):
    sizes = dict.fromkeys(CELLS, "300") | {"rosettes": "60", "rosettes_punctured": "60", "sprites": "60"}
    settings = [("data.source.num_images", sizes[name])] if name in sizes else []
    experiment = override(make(name), settings)
    dataset = prepare(experiment.data)
    assert all(len(rows) for rows in (dataset.splits.train, dataset.splits.validation))
    x = Feed(dataset.collection.images, dataset.intensity, experiment.data.binarize)(dataset.splits.train[:4])
    terms = experiment.objective(experiment.model.build(dataset.collection.image_shape), x, 0)
    assert torch.isfinite(terms["loss"]).all()


def test_the_hole_of_the_punctured_rosettes_is_never_trained_on():
    dataset = prepare(
        override(make("rosettes_punctured"), [("data.source.num_images", "400"), ("data.source.size", "16")]).data
    )
    inside = dataset.collection.table["inside_hole"].to_numpy()
    assert inside[dataset.splits.test].any()
    assert not inside[dataset.splits.train].any()
    assert not inside[dataset.splits.validation].any()


def test_sprites_have_the_published_number_of_parameters():
    model = make("sprites").model.build((1, 64, 64))
    assert sum(p.numel() for p in model.parameters()) == 690_517


def test_iwae_mnist_is_784_200_200_50_and_back_with_tanh():
    model = make("iwae_mnist").model.build((1, 28, 28))
    assert widths(model.encoder, torch.nn.Linear) == [200, 200, 100]
    assert widths(model.decoder, torch.nn.Linear) == [200, 200, 784]
    assert sum(isinstance(layer, torch.nn.Tanh) for layer in model.modules()) == 4


def test_cells_synthetic_is_the_first_vae_of_the_cell_study():
    model = make("cells_synthetic").model.build((3, 64, 64))
    assert widths(model.encoder, torch.nn.Conv2d) == [32, 64, 128, 256, 512]
    assert widths(model.encoder, torch.nn.Linear) == [1024, 256, 200]
    assert widths(model.decoder, torch.nn.Linear) == [1024, 2048]
    assert model.decode(torch.zeros(1, 100)).mean.shape == (1, 3, 64, 64)


def test_rosettes_have_a_constant_scale_and_the_weight_of_their_study():
    experiment = make("rosettes")
    model = experiment.model.build((1, 256, 256))
    assert widths(model.encoder, torch.nn.Conv2d) == [64, 64, 128, 128]
    q = model.encode(torch.rand(2, 1, 256, 256))
    np.testing.assert_allclose(q.stddev.detach(), 0.1, rtol=1e-6)
    assert q.mean.shape == (2, 3)
    assert experiment.objective.rate_weight == pytest.approx(0.001 * 256 * 256)


def test_mnist_divides_as_its_name_says(shared_data):
    for name, sizes in (("mnist", (50_000, 10_000, 10_000)), ("iwae-mnist", (60_000, 0, 10_000))):
        splits = prepare(preset(name, shared_data / "mnist").data).splits
        assert tuple(map(len, (splits.train, splits.validation, splits.test))) == sizes


def test_cells_never_divide_a_plate(shared_data):
    dataset = prepare(preset("cells", shared_data / "bbbc021" / "bbbc021_cells64.npz").data)
    plate = dataset.collection.table["plate"].to_numpy()
    parts = [set(plate[rows]) for rows in (dataset.splits.train, dataset.splits.validation, dataset.splits.test)]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_a_name_is_found_with_dashes_and_a_wrong_one_gets_the_nearest():
    assert preset("cells-synthetic") == preset("cells_synthetic")
    with pytest.raises(InputError, match=r"^the preset should be a known name, got 'digts'. .* did you mean digits\?$"):
        preset("digts")


def test_a_preset_that_needs_images_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path))
    for name in ("images", "cells", "mnist"):
        with pytest.raises(InputError, match=r"^--data should be given, got nothing. The preset .* needs "):
            preset(name)
    folder = tmp_path / "downloads" / "mnist"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(b"")
    assert preset("mnist").data.source.path == str(folder)  # pyright: ignore[reportAttributeAccessIssue]


def test_other_images_replace_a_presets_own(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((20, 8, 8), np.uint8))
    experiment = preset("digits", tmp_path / "x.npy")
    assert experiment == dataclasses.replace(
        module.digits(), data=dataclasses.replace(module.digits().data, source=experiment.data.source)
    )
    assert experiment.data.source.path == str(tmp_path / "x.npy")  # pyright: ignore[reportAttributeAccessIssue]


def test_a_preset_is_there_by_its_name_though_its_file_is_called_alike():
    for name, make_it in presets().items():
        assert getattr(module, name) is make_it
