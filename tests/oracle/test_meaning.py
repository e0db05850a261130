"""What latents mean, where it is known: generators in the decoder's place, whose latents are the factors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.latent_meaning import experiment, maps
from toy_models import LinearVAE
from vaelab.data.sources.cells_synthetic import cell_look, cell_table, render_cells
from vaelab.data.sources.sprites import SpritesSource, render_sprites
from vaelab.errors import InputError
from vaelab.explanation import meaning, meaning_of, measured_features, over_seeds
from vaelab.explanation.directions import class_directions, latent_directions
from vaelab.explanation.meaning import mean_changes
from vaelab.inference import Embedding, embed
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.runs import train

COLOURS = ("red", "green", "blue")
SPRITE_FACTORS = ["scale", "x", "y", "orientation"]


def exact(codes: np.ndarray) -> Embedding:
    """Posteriors that are points."""
    return Embedding(loc=codes.astype(float), scale=np.full(codes.shape, 1e-9))


def colour_cells(channels):
    return lambda images: measured_features(images, channels)


@pytest.fixture(scope="module")
def cells():
    """Generated cells whose latents are x, y, the radius, the place across, and one that does nothing."""
    table = cell_table(150)
    codes = table[["x", "y", "radius", "center_x"]].assign(idle=table["rotation"]).to_numpy()

    def decode(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        x, y, radius, center_x, _ = z.T
        changed = table.iloc[rows].assign(**cell_look(x, y), radius=radius, center_x=center_x)
        changed[[*COLOURS, "irregularity"]] = changed[[*COLOURS, "irregularity"]].clip(lower=0)
        return render_cells(changed, 32) / np.float32(255)

    everything = np.arange(len(table))
    real = measured_features(decode(codes, everything), COLOURS)
    found = meaning_of(decode, colour_cells(COLOURS), exact(codes), real, latent_directions(5), num_images=40)
    return found, decode, codes, real


def test_a_generator_in_the_decoders_place_has_its_own_effects_exactly(cells):
    found, decode, codes, real = cells
    assert found.features[:4] == (*COLOURS, "area")
    for latent, ends in enumerate(found.ends):
        wanted = np.quantile(codes[:, latent], [0.025, 0.975], method="inverted_cdf")
        np.testing.assert_allclose(ends, wanted, atol=1e-7)
        before, after = (codes[found.rows].copy() for _ in ends)
        before[:, latent], after[:, latent] = ends
        tables = [measured_features(decode(z, found.rows), COLOURS) for z in (before, after)]
        effect = (tables[1] - tables[0]).mean() / real.std(ddof=0)
        np.testing.assert_allclose(found.changes[latent], effect, atol=1e-9)
        pixels = [decode(z, found.rows).mean((2, 3), dtype=float) for z in (before, after)]
        colours = (pixels[1] - pixels[0]).mean(0) / real[list(COLOURS)].to_numpy().std(0)
        np.testing.assert_allclose(found.changes[latent, :3], colours, atol=1e-9)


def test_each_factor_of_a_cell_moves_what_it_should_and_the_idle_latent_means_nothing(cells):
    found, *_ = cells
    change = {
        (latent, name): found.changes[i, j]
        for i, latent in enumerate(("x", "y", "radius", "center_x", "idle"))
        for j, name in enumerate(found.features)
    }
    shown = dict(zip(change, found.shown.ravel(), strict=True))
    assert change["y", "red"] > 1.5 > 0 > change["x", "green"]
    assert change["x", "green"] < -1.5
    assert not shown["x", "red"]
    assert not shown["y", "green"]
    assert max(change[latent, "area"] for latent in ("x", "y", "center_x")) < 1.5 < change["radius", "area"]
    assert change["center_x", "x"] > 2
    assert not shown["center_x", "y"]
    assert not found.shown[4].any()
    assert found.says(4) == "nothing that was measured"
    assert found.says(3).startswith("x +")


def test_the_real_images_that_lie_lowest_and_highest_are_given(cells):
    found, _, codes, _ = cells
    order = np.argsort(codes[:, 2])
    assert found.least[2].tolist() == order[:8].tolist()
    assert found.most[2].tolist() == order[::-1][:8].tolist()


def test_each_factor_of_a_sprite_has_its_name():
    table = SpritesSource(num_images=200, shapes=("ellipse",), size=32).load().table
    factors = table[SPRITE_FACTORS].assign(orientation=table["orientation"] % (np.pi / 2)).to_numpy(float)

    def decode(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        scale, x, y, orientation = z.T
        kinds = np.ones(len(z), int)
        return render_sprites(kinds, scale, orientation, x.clip(0, 1), y.clip(0, 1), size=32) / np.float32(255)

    real = measured_features(decode(factors, np.arange(200)))
    found = meaning_of(decode, measured_features, exact(factors), real, latent_directions(4), num_images=50)
    leading = [found.says(i).split()[0] for i in range(4)]
    assert leading[1:3] == ["x", "y"]
    assert leading[0] in ("area", "channel"), "the brightness of all of a white shape is its area"
    shown = {(i, name): found.shown[i, j] for i in range(4) for j, name in enumerate(found.features)}
    assert shown[0, "area"]
    assert not any(shown[pair] for pair in ((0, "x"), (0, "y"), (1, "y"), (2, "x"), (3, "area")))
    assert leading[3] == "upright", "a quarter of a turn; a whole one would end where it begins"


def test_of_a_linear_decoder_channels_move_by_the_column_times_the_range():
    model = LinearVAE(image_shape=(2, 6, 6))
    random = torch.Generator().manual_seed(0)
    x = torch.rand(60, 2, 6, 6, generator=random, dtype=torch.float64)
    found = meaning(model, x, channels=("DNA", "actin"), features=[])
    span = np.subtract(*[embed(model, x).aggregate_quantile(p) for p in (0.975, 0.025)])
    columns = model.weight.detach().numpy().reshape(2, 36, 3).mean(1)
    spread = x.numpy().mean((2, 3)).std(0)
    wanted = columns.T * span[:, None] / spread
    assert found.features == ("DNA", "actin")
    np.testing.assert_allclose(found.changes, wanted, rtol=1e-6)
    np.testing.assert_allclose(found.high, wanted, rtol=1e-6)
    assert (found.shown == (np.abs(wanted) > 0.1)).all()


def test_a_class_is_a_direction_from_the_others_and_masks_are_whose_they_are():
    model = LinearVAE(image_shape=(1, 6, 6))
    x = torch.rand(60, 1, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[:30] *= 0.3
    labels = np.repeat(["dim", "bright"], 30)
    whole = lambda images: np.ones((len(images), 6, 6))  # noqa: E731
    found = meaning(model, x, labels=labels, reference="dim", latents=[1], masks=whole)
    assert found.directions == ("z1", "dim to bright")
    codes = embed(model, x).loc
    way = codes[30:].mean(0) - codes[:30].mean(0)
    np.testing.assert_allclose(found.vectors[1], way / np.linalg.norm(way), rtol=1e-9)
    area = found.features.index("area")
    assert np.isnan(found.changes[:, area]).all(), "no real image has another"
    assert not found.shown[:, area].any()
    assert set(found.most[1]) <= set(range(30, 60))


def test_three_classes_are_set_against_the_others_or_a_reference():
    codes = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 3.0]])
    against_others = class_directions(codes, ["a", "b", "c"])
    assert list(against_others) == ["a", "b", "c"]
    assert against_others["c"].tolist() == [0.0, 1.0]
    assert class_directions(codes, ["a", "b", "c"], "b")["b to a"].tolist() == [-1.0, 0.0]


def test_intervals_of_all_features_hold_together_as_often_as_they_say():
    random, held = np.random.default_rng(0), 0
    for _ in range(150):
        _, low, high = mean_changes(random.normal(1.0, 2.0, size=(64, 5)))
        held += bool(((low < 1) & (high > 1)).all())
    assert 132 <= held <= 149, "a percentile bootstrap of 64 images is a little too narrow"


def test_features_that_could_be_measured_in_few_images_have_no_change():
    values = np.column_stack([np.arange(20.0), np.where(np.arange(20) < 7, 1.0, np.nan), np.arange(20.0)])
    values[0, 2] = np.nan
    means, low, high = mean_changes(values)
    assert np.isnan([means[1], low[1], high[1]]).all()
    assert means[[0, 2]].tolist() == [9.5, 10.0]
    assert 5 < low[2] < 10 < high[2] < 15


def test_over_seeds_latents_are_matched_and_a_meaning_of_one_seed_alone_is_marked(cells):
    found, decode, codes, real = cells
    turned = codes[:, [3, 0, 2, 1, 4]] * [-1, 1, 1, -1, 1]
    turned[:, 4] = np.random.default_rng(0).permutation(turned[:, 4])

    def other(z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        back = (z * [-1, 1, 1, -1, 1])[:, [1, 3, 2, 0, 4]]
        back[:, 2] = codes[rows, 2]  # the second seed's decoder does not look at the radius
        return decode(back, rows)

    again = meaning_of(other, colour_cells(COLOURS), exact(turned), real, latent_directions(5), num_images=40)
    both = over_seeds([found, again], [codes, turned])
    np.testing.assert_allclose(both.correlations[:, :4], 1, atol=1e-9)
    np.testing.assert_allclose(both.changes[1, [0, 1, 3]], both.changes[0, [0, 1, 3]], atol=0.1)
    area, red = (both.features.index(name) for name in ("area", "red"))
    assert (both.alone[2, area], both.seeds[2, area]) == (True, 1)
    assert (both.alone[1, red], both.seeds[1, red]) == (False, 2)
    assert not both.alone[4].any()
    with pytest.raises(InputError, match="be those of two seeds or more"):
        over_seeds([found], [codes])
    both_axes = {"x and y": np.array([0.6, 0.8, 0, 0, 0])}
    few = meaning_of(decode, colour_cells(COLOURS), exact(codes), real, both_axes, num_images=8)
    with pytest.raises(InputError, match="be of latents alone"):
        over_seeds([found, few], [codes, codes])


def test_what_cannot_be_explained_is_refused():
    model, random = LinearVAE(image_shape=(1, 4, 4)), torch.Generator().manual_seed(0)
    x = torch.rand(20, 1, 4, 4, generator=random, dtype=torch.float64)
    with pytest.raises(InputError, match=r"images whose codes are moved should be at least 8, got 3"):
        meaning(model, x[:3])
    with pytest.raises(InputError, match=r"latents should be numbers from 0 to 2, got \[3\]"):
        meaning(model, x, latents=[3])
    for labels, match in (
        (["a"] * 20, "labels should be 2 to 50 kinds, got 1"),
        (["a"] * 19 + [None], "labels should have a value for every image, got missing ones"),
        (["a", "b"], "labels should be one for each of 20 images, got 2"),
        (np.arange(60) // 1, "labels should be one for each of 20 images, got 60"),
    ):
        with pytest.raises(InputError, match=match):
            meaning(model, x, labels=labels)
    with pytest.raises(InputError, match=r"reference should be a known name, got 'd'. Known: a, b"):
        meaning(model, x, labels=["a", "b"] * 10, reference="d")
    with pytest.raises(InputError, match="labels should be 2 to 50 kinds, got 60"):
        class_directions(np.zeros((60, 2)), np.arange(60))
    with pytest.raises(InputError, match="differ between classes"):
        class_directions(np.zeros((4, 2)), ["a", "b"] * 2)
    with pytest.raises(InputError, match="codes should be finite"):
        meaning_of(lambda z, rows: z, pd.DataFrame, exact(np.full((9, 1), np.nan)), pd.DataFrame(index=range(9)), {})


@pytest.mark.slow
def test_of_a_trained_model_the_map_is_the_generators(tmp_path):
    run = train(quick_cells(), tmp_path / "run", progress=False)
    ours, true = maps(run, 64)
    correlation = np.corrcoef(ours.changes.ravel(), true.changes.ravel())[0, 1]
    dealt = np.corrcoef(ours.changes.ravel(), np.roll(true.changes, 1, 0).ravel())[0, 1]
    assert correlation > 0.8
    assert abs(dealt) < 0.5


def quick_cells():
    """Cells at 32x32 and a network that learns them in half a minute."""
    base = experiment(32, 900, 2500)
    networks = {
        "encoder": ConvEncoder(widths=(16, 32, 64), dense=(128,)),
        "decoder": ConvDecoder(widths=(64, 32, 16), dense=(128,)),
    }
    training = replace(base.training, batch_size=64, learning_rate=2e-3)
    return replace(
        base,
        model=replace(base.model, latent_dim=12, **networks),
        training=training,
        machine=replace(base.machine, tune=False),
    )
