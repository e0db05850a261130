"""Votes of images that share the value of a factor, for the scores of FactorVAE and beta-VAE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest

from vaelab.metrics._score import Score
from vaelab.metrics._truth import NUM_BINS, Truth, groups_of_values

IMAGES_PER_VOTE = 64
MOST_VOTES = 800
_IMAGES_PER_BIN = 10
_NUM_SHUFFLES = 5
Shared = Callable[[np.ndarray, np.ndarray, int, np.random.Generator], np.ndarray]
"""From codes (image, latent), (image,) numbers of values, how many votes, and randomness, to what the votes look at."""


def vote(known: Truth, shared: Shared, learn: Callable[[np.ndarray, np.ndarray], Callable]) -> list[Score]:
    """The share of votes of which a classifier tells the factor whose value the images share.

    Votes of half of the images teach it, as many of the other half judge it; every factor has as many as any other.
    The null is that of the same codes dealt to the images at random, in the mean over five times.

    Args:
        known: Images, with two factors or more.
        shared: What the votes of one factor look at.
        learn: From what votes look at, and their factors (vote,), to the classifier.
    """
    num_images = len(known.codes)
    kinds = groups_of_values(known.factors, max(2, min(NUM_BINS, num_images // _IMAGES_PER_BIN)))
    each = -(-min(MOST_VOTES, num_images) // kinds.shape[1])
    of = np.repeat(np.arange(kinds.shape[1]), each)
    halves = (slice(num_images // 2), slice(num_images // 2, None))
    if not all(_sharing(column[half]).any() for half in halves for column in kinds.T):
        return known.without("too few images share the value of a factor").nothing("share of votes")

    def correct(z: np.ndarray) -> np.ndarray:
        random = np.random.default_rng(2)
        looks = [np.concatenate([shared(z[half], column[half], each, random) for column in kinds.T]) for half in halves]
        return learn(looks[0], of)(looks[1]) == of

    z, shuffle = known.codes[:, known.codes.any(0)], np.random.default_rng(1)
    own = correct(z)
    interval = binomtest(int(own.sum()), len(own)).proportion_ci(method="wilson")
    return [
        Score(
            value=float(own.mean()),
            unit="share of votes",
            count=num_images,
            interval=(float(interval.low), float(interval.high)),
            null=float(np.mean([correct(shuffle.permutation(z)) for _ in range(_NUM_SHUFFLES)])),
            ceiling=1.0,
        )
    ]


def drawn(kinds: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """(draw,) images at random, of those that share their value with another."""
    return random.choice(np.flatnonzero(_sharing(kinds)), count)


def _sharing(kinds: np.ndarray) -> np.ndarray:
    return np.bincount(kinds)[kinds] > 1
