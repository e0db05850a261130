"""What moves in the image when one latent does: channels, and features that are measured without the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from vaelab.data.rows import Rows
from vaelab.errors import InputError
from vaelab.explanation.directions import class_directions, latent_directions
from vaelab.explanation.measured_features import measured_features
from vaelab.inference import Embedding, ImageBatches, Trained, batches, decode_mean, images_at_once, opened
from vaelab.inference.decode import as_codes
from vaelab.inference.moved import ends_along, given_rows, moved_to
from vaelab.models import Model, evaluating

Decoder = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From codes (image, latent), and which images (image,) they come from, to images in [0, 1]."""
Masks = Callable[[np.ndarray], np.ndarray]
"""From images (image, channel, height, width) to where their objects are, (image, height, width)."""
Measure = Callable[[np.ndarray], pd.DataFrame]
"""From images to a table with a row for each."""
NUM_IMAGES, FEWEST = 64, 8
ROUNDING = 1e-6
"""Of a feature's largest value: what varies by less over real images does not vary."""
NUM_RESAMPLES = 10_000
NEGLIGIBLE = 0.1
"""In standard deviations of the data: a change that is not shown to be larger is not called a meaning."""
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Meaning:
    """What moves in images when their codes move along directions: latents, or towards a class."""

    directions: tuple[str, ...]
    """Their names, such as ``z3`` or ``taxol``."""
    vectors: np.ndarray
    """(direction, latent), of length 1."""
    ends: np.ndarray
    """(direction, 2): between which places codes are moved, the middle 95 % of the aggregate posterior."""
    features: tuple[str, ...]
    """The channels, then what is measured of the object; see `measured_features`."""
    spread: np.ndarray
    """(feature,): its standard deviation over the real images; not a number where all have the same."""
    changes: np.ndarray
    """(direction, feature): at the upper end less at the lower end, in the mean over images, in spreads; not a number
    where fewer than 8 images have it at both ends, or the real images all have the same."""
    low: np.ndarray
    """(direction, feature): the lower end of its interval; those of all features of a direction hold together with 95 %
    (Bonferroni), by a bootstrap over images."""
    high: np.ndarray
    """(direction, feature): the upper end."""
    rows: np.ndarray
    """(moved image,): which images were moved."""
    least: np.ndarray
    """(direction, image): places of the real images, from the one that lies lowest on the direction."""
    most: np.ndarray
    """(direction, image): from the one that lies highest."""

    @property
    def shown(self) -> np.ndarray:
        """(direction, feature): True where the interval shows a change of more than 0.1 spreads."""
        return (self.low > NEGLIGIBLE) | (self.high < -NEGLIGIBLE)

    def says(self, direction: int) -> str:
        """What a direction means in words: its three largest changes that are shown, or that it means nothing."""
        return in_words(self.features, self.changes[direction], self.shown[direction])


def in_words(features: Sequence[str], changes: np.ndarray, shown: np.ndarray) -> str:
    """The three largest of the changes that are shown, in words; that there is none, else.

    >>> in_words(("red", "area"), np.array([2.04, 0.5]), np.array([True, True]))
    'red +2.0, area +0.5'
    """
    largest = sorted(np.flatnonzero(shown).tolist(), key=lambda feature: -abs(changes[feature]))[:3]
    words = (f"{features[feature]} {changes[feature]:+.1f}".replace("-", MINUS) for feature in largest)
    return ", ".join(words) or "nothing that was measured"


def meaning(
    model: Model | Trained,
    images: ImageBatches | Rows | None = None,
    *,
    labels: Sequence[object] | np.ndarray | None = None,
    reference: object = None,
    latents: Sequence[int] | None = None,
    channels: Sequence[str] = (),
    features: Sequence[str] | None = None,
    masks: Masks | None = None,
    num_images: int = NUM_IMAGES,
    num_extremes: int = 8,
    seed: int = 0,
) -> Meaning:
    """What each latent means, and each class: what its move from end to end changes in images, measured on them.

    A random draw of images is moved, the rest of each code kept, and decoded at both ends of the central 95 % of the
    aggregate posterior. Both are measured, and the paired difference is set beside the spread of the real images.
    The decoder says what a latent does to the images that it draws; whether the encoder uses it is another question.

    Args:
        model: The model, or a run.
        images: Held-out images in [0, 1], or of a run as in `embed`; left out, its held-out part.
        labels: (image,) the class of each: classes are moved along, too, see `class_directions`.
        reference: The class that all others are set against.
        latents: Which; left out, all.
        channels: Their names; left out, those of the run, or numbers.
        features: Which, see `measured_features`; left out, all that can be measured here.
        masks: Finds the object in real and in drawn images; left out, Otsu's threshold does.
        num_images: How many images are moved; 8 or more.
        num_extremes: Of how many real images at either end the places are given.
        seed: Of the draw of images.

    Raises:
        InputError: An argument is out of range, or the images are not such as the model takes.

    >>> import torch
    >>> from vaelab.models import VAEConfig
    >>> found = meaning(VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(20, 1, 8, 8), features=["area"])
    >>> found.directions, found.features, found.changes.shape
    (('z0', 'z1'), ('channel 0', 'area'), (2, 2))
    """
    channels = channels or (() if isinstance(model, Model) else getattr(model, "channels", ()))
    model, images = opened(model, "held_out" if images is None and isinstance(model, Trained) else images)

    def measure(x: np.ndarray) -> pd.DataFrame:
        return measured_features(x, channels, masks and masks(x), features)

    locs, scales, tables = [], [], []
    with evaluating(model):
        for given, x in batches(model, images, images_at_once(model.image_shape)):
            q = given.encode(x)
            locs.append(q.mean.cpu().numpy())
            scales.append(q.stddev.cpu().numpy())
            tables.append(measure(x.cpu().numpy()))
    embedding = Embedding(loc=np.concatenate(locs), scale=np.concatenate(scales))
    directions = latent_directions(model.latent_dim, latents)
    if labels is not None:
        directions |= class_directions(embedding.loc, labels, reference)
    return meaning_of(
        decoder_of(model),
        measure,
        embedding,
        pd.concat(tables, ignore_index=True),
        directions,
        num_images=num_images,
        num_extremes=num_extremes,
        seed=seed,
    )


def decoder_of(model: Model) -> Decoder:
    """From codes of some of the images that a model was given the conditions of, to the means of p(x|z)."""

    def decode(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        given = given_rows(model, rows)
        return decode_mean(given, as_codes(given, codes), images_at_once(model.image_shape))

    return decode


def meaning_of(
    decode: Decoder,
    measure: Measure,
    embedding: Embedding,
    measured: pd.DataFrame,
    directions: Mapping[str, np.ndarray],
    *,
    num_images: int = NUM_IMAGES,
    num_extremes: int = 8,
    seed: int = 0,
) -> Meaning:
    """The same of any decoder and anything that can be measured, of codes from anywhere.

    Args:
        decode: From codes to images.
        measure: From images to a row of numbers for each.
        embedding: The posteriors of the real images.
        measured: What `measure` gives of the real images.
        directions: Name -> (latent,), of length 1.
        num_images: How many images are moved; 8 or more.
        num_extremes: Of how many real images at either end the places are given.
        seed: Of the draw of images.

    Raises:
        InputError: There are fewer than 8 images, not a row of `measured` for each, or codes are not finite.
    """
    if (count := min(num_images, len(embedding))) < FEWEST:
        raise InputError("the images whose codes are moved", f"be at least {FEWEST}", count, "Intervals need them.")
    if len(measured) != len(embedding):
        raise InputError("measured", f"have a row for each of {len(embedding)} images", len(measured))
    if not (np.isfinite(embedding.loc).all() and np.isfinite(embedding.scale).all()):
        raise InputError("codes", "be finite", "others")
    rows = np.sort(np.random.default_rng(seed).permutation(len(embedding))[:num_images])
    vectors = np.stack([*directions.values()])
    ends = ends_along(embedding, vectors)
    numbers = measured.to_numpy(float)
    spread = numbers.std(0)
    spread = np.where(spread > ROUNDING * np.abs(numbers).max(0), spread, np.nan)
    codes, found = embedding.loc[rows], []
    for vector, (start, end) in zip(vectors, ends, strict=True):
        before, after = (
            measure(decode(moved_to(codes, vector, place), rows)).to_numpy(float) for place in (start, end)
        )
        found.append(mean_changes((after - before) / spread, seed))
    changes, low, high = (np.stack(each) for each in zip(*found, strict=True))
    order = np.argsort(embedding.loc @ vectors.T, axis=0, kind="stable").T
    return Meaning(
        directions=tuple(directions),
        vectors=vectors,
        ends=ends,
        features=tuple(map(str, measured.columns)),
        spread=spread,
        changes=changes,
        low=low,
        high=high,
        rows=rows,
        least=order[:, :num_extremes],
        most=order[:, ::-1][:, :num_extremes],
    )


def mean_changes(differences: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(feature,) each: means over images, and the ends of intervals that all hold together with 95 %.

    The percentile bootstrap over images, 10,000 resamples, at 1 - 0.05 / features (Bonferroni). Images in which a
    feature could not be measured are left out of its mean; with fewer than 8 left there is none.

    Args:
        differences: (image, feature), paired; not a number where one end could not be measured.
        seed: Of the resampling.

    *Source*: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13; Dunn 1961, Multiple comparisons
    among means.

    >>> means, low, high = mean_changes(np.tile([[1.0, 2.0], [3.0, 2.0]], (5, 1)))
    >>> means.tolist(), bool(1 < low[0] < 2 < high[0] < 3), low[1], high[1]
    ([2.0, 2.0], True, np.float64(2.0), np.float64(2.0))
    """
    count, num_features = differences.shape
    there = np.isfinite(differences)
    enough = there.sum(0) >= FEWEST
    values, weights = np.where(there & enough, differences, 0.0), (there & enough).astype(float)
    draws = _draws(count, seed)
    with np.errstate(invalid="ignore"):
        means, resampled = values.sum(0) / weights.sum(0), (draws @ values) / (draws @ weights)
    tail = 0.025 / num_features
    low, high = np.nanquantile(np.where(enough, resampled, 0), [tail, 1 - tail], axis=0)
    return means, np.where(enough, low, np.nan), np.where(enough, high, np.nan)


@lru_cache(maxsize=1)
def _draws(count: int, seed: int) -> np.ndarray:
    """(resample, image): how often each image is drawn into each resample."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), NUM_RESAMPLES).astype(float)
