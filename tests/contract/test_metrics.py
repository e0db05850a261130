"""What holds for every metric, on a small world of arrays."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from vaelab import metrics
from vaelab.catalogue import functions
from vaelab.evaluation import measure_arrays
from vaelab.metrics import GROUPS, Metric, PerImage, Score
from vaelab.metrics._coranking import co_ranks

METRICS: dict[str, Metric] = functions("vaelab.metrics")
PER_IMAGE = [name for name, metric in METRICS.items() if isinstance(metric, PerImage)]
PIXELS = {"images", "reconstructions"}
OF_PIXELS = [name for name in PER_IMAGE if PIXELS.issuperset(METRICS[name].needs)]
OF_SOME = {"hole_error", "hole_iou", "hole_reach", "hole_against_nearest"}
"""Whose whole is of the images inside a hole."""
OF_FEW = {"dci", "factor_vae_score"}
"""Whose interval is from five fits, or from votes: how wide it is is itself uncertain."""
every = pytest.mark.parametrize("name", METRICS)
COUNT = 60


def made_up() -> dict[str, object]:
    """All that a metric may ask for, of 60 images of two channels whose codes say something of them."""
    random = np.random.default_rng(0)
    factors = random.normal(size=(COUNT, 2))
    labels = np.where(factors[:, 0] > 0, "bright", "dark")
    codes = np.column_stack([factors @ [[1.0, 0.3], [0.2, 1.0]], 1e-3 * random.normal(size=COUNT)])
    codes += 0.1 * random.normal(size=codes.shape) * [1, 1, 0]
    images = random.random((COUNT, 2, 12, 12))
    smooth = np.tanh(factors @ np.random.default_rng(1).normal(size=(2, 288)))
    latent_rates = random.gamma(2.0, size=(COUNT, 3))
    distortions = random.gamma(50.0, 2.0, size=COUNT)
    elbos = -(distortions + latent_rates.sum(1))
    arrays = {
        "codes": codes,
        "scales": 0.1 + 0.2 * random.random(codes.shape),
        "latent_rates": latent_rates,
        "rates": latent_rates.sum(1),
        "distortions": distortions,
        "elbos": elbos,
        "log_evidences": elbos + random.random(COUNT),
        "level_elbos": 3 * elbos,
        "inferred_elbos": elbos + random.random(COUNT) / 2,
        "effective_samples": 1 + 9 * random.random(COUNT),
        "images": images,
        "reconstructions": np.clip(images + 0.1 * random.normal(size=images.shape), 0, 1),
        "factors": factors,
        "pixels": smooth,
        "squared_errors": (0.2 + 0.02 * random.random(COUNT)) * np.where(factors[:, 1] > 0, 3, 1),
        "nearest_errors": 0.8 + 0.1 * random.random(COUNT),
        "reached_errors": 0.1 + 0.02 * random.random(COUNT),
        "latent_moves": random.gamma(4.0, 0.05, size=(COUNT, 3, 2)),
        "overlaps": 0.5 + 0.2 * random.random(COUNT),
        "known_numbers": factors[:, 0],
        "predicted_numbers": 0.9 * factors[:, 0] + 0.1 * factors[:, 1],
    }
    seen = np.tanh(factors @ random.normal(size=(2, 4))) + 0.1 * random.normal(size=(COUNT, 4))
    arrays |= {"image_features": seen, "reconstruction_features": seen + 0.05 * random.normal(size=seen.shape)}
    arrays["sample_features"] = np.roll(seen, 1, 0) + 0.05 * random.normal(size=seen.shape)
    arrays |= made_up_series(arrays["codes"], seen, random)
    ranks = {"image_ranks": co_ranks(codes, smooth), "factor_ranks": co_ranks(codes, factors)}
    names = {"labels": labels, "clusters": (codes[:, 0] > 0.1).astype(int), "groups": np.arange(COUNT) // 10}
    names["drawn"] = np.ones(COUNT, bool)
    inside, on_line = factors[:, 1] > 0, np.arange(COUNT) % 3 == 0
    names["regions"] = np.column_stack([where & side for where in (True, on_line) for side in (inside, ~inside)])
    classes = (factors[:, 0] > 0).astype(int)
    names |= {"image_classes": classes, "reconstruction_classes": np.where(np.arange(COUNT) % 5, classes, 1 - classes)}
    for name, said in (("deleted_classes", "deleted_said"), ("inserted_classes", "inserted_said")):
        names[name] = np.where(arrays[said] > 0.5, classes[:, None, None], 0)  # who is not sure says the first
    sure = 0.6 + 0.3 * np.random.default_rng(2).random(COUNT)
    arrays["class_probabilities"] = np.where(classes[:, None] == [0, 1], sure[:, None], 1 - sure[:, None])
    names["label_classes"] = np.where(np.arange(COUNT) % 9, classes, 1 - classes)
    names["known_classes"] = names["label_classes"]
    facts = {
        "num_samples": 10,
        "num_pixels": 288,
        "num_levels": 256,
        "space": "levels",
        "normalized": True,
        "channels": ("DNA", "actin"),
        "factor_names": ("size", "angle"),
        "region_names": ("inside", "outside", "line", "line, outside"),
        "class_names": ("dark", "bright"),
        "target_names": ("0.1", "0.5", "0.9"),
    }
    return {**{name: array.astype(np.float32) for name, array in arrays.items()}, **ranks, **names, **facts}


def made_up_series(codes: np.ndarray, seen: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Three steps for each of the images."""
    desired = np.tile([0.1, 0.5, 0.9], (COUNT, 1))
    steps = codes[:, None] + 0.2 * (desired[..., None] - 0.5) * codes.std(0)
    nearest = 1 + random.random(COUNT)
    left = np.linspace(1, 0, 11) ** np.array([[3.0], [1.0]])  # sooner by saliency than at random
    deleted = np.clip(left + 0.05 * random.normal(size=(COUNT, 2, 11)), 0, 1)
    return {
        "deleted_said": deleted,
        "inserted_said": 1 - deleted,
        "desired": desired,
        "reached": np.clip(desired + 0.1 * random.normal(size=desired.shape), 0, 1),
        "series_codes": steps,
        "returned_codes": steps + 0.05 * random.normal(size=steps.shape) * codes.std(0),
        "drawn_codes": codes + 0.05 * random.normal(size=codes.shape) * codes.std(0),
        "series_nearest": nearest[:, None] * (1 + random.random((COUNT, 3))),
        "code_nearest": nearest,
        "real_features": seen,
        "series_features": seen[:, None] + 0.2 * random.normal(size=(COUNT, 3, 4)),
        "drawn_features": seen + 0.05 * random.normal(size=seen.shape),
        "step_changes": 0.1 * random.random((COUNT, 2)),
        "changed_shares": 0.3 * random.random((COUNT, 2)),
        "gone": 0.1 + 0.1 * random.random(COUNT),
        "back": 0.05 * random.random(COUNT),
    }


def frozen(there: dict[str, object]) -> dict[str, object]:
    """The same, its arrays written on by nobody."""
    for value in there.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return there


WORLD = frozen(made_up())


def permuted(there: dict[str, object], order: np.ndarray) -> dict[str, object]:
    """The same images in another order."""
    return {name: value[order] if isinstance(value, np.ndarray) else value for name, value in there.items()}


def taken(name: str, there: dict[str, object] = WORLD) -> dict[str, object]:
    """What a metric takes of what is there."""
    metric = METRICS[name]
    missing = set(metric.needs) - there.keys()
    assert not missing, (
        f"{name} asks for {missing}, which no provider knows: explain it in vaelab.metrics, and make it up"
    )
    return {name: there[name] for name in metric.takes if name in there}


def scores(name: str, there: dict[str, object] = WORLD) -> tuple[Score, ...]:
    """What a metric says of a world."""
    return METRICS[name](**taken(name, there))


def test_there_are_metrics_of_every_group_each_by_a_title_of_its_own():
    words = [metric.words for metric in METRICS.values()]
    assert {word.group for word in words} == set(GROUPS)
    assert len({word.title for word in words}) == len(words)


def test_importing_all_of_them_imports_no_torch():
    code = (
        "from vaelab.catalogue import functions; found = functions('vaelab.metrics')\n"
        "import sys; print(len(found), *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    number, *loaded = done.stdout.split()
    assert int(number) == len(METRICS)
    assert "numpy" in loaded
    assert "torch" not in loaded


@every
def test_it_says_what_it_is_and_where_it_comes_from(name):
    metric = METRICS[name]
    assert metric.name == name
    assert metric.words.title[0].isupper()
    assert not metric.words.title.endswith(".")
    assert metric.words.source
    assert metric.__doc__.splitlines()[0].endswith((".", ":"))
    assert "*Source*" in metric.__doc__
    assert ">>> " in metric.__doc__


@every
def test_what_it_asks_for_is_explained_where_metrics_are(name):
    explained = set(re.findall(r"\w+", metrics.__doc__))
    assert METRICS[name].needs
    assert set(METRICS[name].needs) <= explained


@every
def test_its_scores_are_finite_numbers_with_all_that_is_needed_to_read_them(name):
    found = scores(name)
    assert found
    assert found[0].part == "", "of the whole first"
    assert len({score.part for score in found}) == len(found)
    words = METRICS[name].words
    for score in found:
        assert (score.metric, score.better, score.source) == (name, words.better, words.source)
        assert np.isfinite(score.value)
        assert isinstance(score.value, float)
        assert score.unit
        assert score.unit == found[0].unit
        assert 0 < score.count <= COUNT, "a part may be of some images"
        assert found[0].count == COUNT or name in OF_SOME
        assert (score.stage, score.model) == ("", "")


@every
def test_its_interval_holds_its_value(name):
    for score in scores(name):
        low, high = score.interval
        assert np.isfinite([low, high]).all()
        assert low <= score.value <= high
        assert high - low < 10 * (abs(score.value) + 1)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in OF_FEW])
def test_its_interval_is_narrower_where_there_are_more_images(name):
    """Six times the same images, in groups of their own: it shrinks by about the root of six, unless it is a point."""
    many = permuted(WORLD, np.tile(np.arange(COUNT), 6)) | {"groups": np.arange(6 * COUNT) // 10}
    for one, more in zip(scores(name), scores(name, many), strict=True):
        few, lots = (score.interval[1] - score.interval[0] for score in (one, more))
        assert more.count == 6 * one.count
        assert lots < 0.75 * few or few == lots == 0


@every
def test_its_null_and_its_ceiling_are_where_it_says(name):
    for score in scores(name):
        assert score.ceiling is None or score.value <= score.ceiling
        if score.null is not None and score.ceiling is not None:
            assert score.null <= score.ceiling
        if score.null is not None and score.better != "neither":
            assert (score.value > score.null) == (score.better == "higher"), "these codes say something"


@every
def test_the_order_of_the_images_does_not_matter(name):
    """To rounding for what is a number of each image; else within what the draws of an estimator may do."""
    order = np.random.default_rng(1).permutation(COUNT)
    for one, other in zip(scores(name), scores(name, permuted(WORLD, order)), strict=True):
        assert replace(one, value=0, interval=None, null=None) == replace(other, value=0, interval=None, null=None)
        slack = 0.0 if name in PER_IMAGE else (one.interval[1] - one.interval[0]) / 2
        assert other.value == pytest.approx(one.value, rel=1e-6, abs=max(slack, 1e-9))
        assert other.null == pytest.approx(one.null, rel=1e-6) if one.null else other.null == one.null


@every
def test_it_says_the_same_twice(name):
    assert scores(name) == scores(name)


@every
def test_evaluation_finds_it_where_its_arrays_are_there(name):
    given = taken(name)
    measured = measure_arrays(given)
    assert [score for score in measured.scores if score.metric == name] == list(scores(name))
    for need in METRICS[name].needs:
        without = measure_arrays({key: value for key, value in given.items() if key != need})
        assert name not in {score.metric for score in without.scores}


@pytest.mark.parametrize("name", PER_IMAGE)
def test_a_number_of_each_image_goes_with_its_image(name):
    metric, order = METRICS[name], np.random.default_rng(1).permutation(COUNT)
    values = metric.values(**taken(name))
    assert values.shape[0] == COUNT
    assert values.ndim in (1, 2)
    moved = metric.values(**taken(name, permuted(WORLD, order)))
    np.testing.assert_allclose(moved, values[order], rtol=1e-5, atol=1e-7)
    columns = metric.columns(values, WORLD)
    assert list(columns) == [score.part for score in scores(name)]
    assert all(column.shape == (COUNT,) for column in columns.values())
    assert metric.scores(values, WORLD) == scores(name)


@pytest.mark.parametrize("name", OF_PIXELS)
def test_what_looks_at_pixels_can_be_asked_some_images_at_a_time(name):
    metric = METRICS[name]
    pieces = [metric.values(**taken(name, permuted(WORLD, rows))) for rows in np.array_split(np.arange(COUNT), 7)]
    np.testing.assert_allclose(np.concatenate(pieces), metric.values(**taken(name)), rtol=1e-6)
    assert len(scores(name)) == 3, "the whole, and each channel"


def test_some_look_at_pixels():
    assert OF_PIXELS
