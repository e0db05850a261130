"""Whether the differences of pairs that share a factor tell which factor it is."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaelab.metrics._metric import metric
from vaelab.metrics._pairs import IMAGES_PER_VOTE, drawn, vote
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors
from vaelab.metrics._truth import truth


@metric(
    "Beta-VAE score",
    group="factors",
    order=70,
    better="higher",
    source="Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl",
)
def beta_vae_score(codes: Codes, factors: Factors) -> list[Score]:
    """How often a linear classifier tells, from how far pairs of images differ, which factor they share.

        looks at  1/64 sum over 64 pairs of |code - code of the other|,   each pair sharing a value of the same factor

    The classifier is a logistic regression, fitted to as many such means as there are images, at most 800, of half of
    the images, and judged by as many of the other half. It may weigh several latents, so it is kinder than FactorVAE's
    score to factors that are spread over some. The latents are standardised, which a linear classifier hardly minds.

    The published score makes new images for each pair. Here they are drawn from those at hand, so a part of a grid will
    do, and a factor of more than 20 values is cut into bins of as many images each: 20, or fewer where a bin would
    have fewer than 10 images. The interval (Wilson's) is over those that judge: how far others drawn from the same
    images would move it. Of more than 10,000 images 10,000 are drawn.

    Args:
        codes: posterior means.
        factors: known numbers, two or more that vary. The null is that of the same codes dealt to
            the images at random: about one factor in so many.

    Raises:
        InputError: Codes and factors do not go together, or a factor is no number.

    *Source*: Higgins et al. 2017, section 3 (https://openreview.net/forum?id=Sy2fzU9gl).

    >>> y = np.random.default_rng(0).random((500, 3))
    >>> beta_vae_score(y, y)[0].value
    1.0
    """
    known = truth(codes, factors, fewest_factors=2, need_codes=True)
    if known.reason:
        return known.nothing("share of votes")

    def differences(z: np.ndarray, kinds: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
        sizes = np.bincount(kinds)
        starts, order = np.cumsum(sizes) - sizes, np.argsort(kinds, kind="stable")
        place = np.argsort(order)
        one = drawn(kinds, count * IMAGES_PER_VOTE, random)
        size, start = sizes[kinds[one]], starts[kinds[one]]
        other = order[start + (place[one] - start + random.integers(1, size)) % size]
        return np.abs(z[one] - z[other]).reshape(count, IMAGES_PER_VOTE, -1).mean(1)

    def learn(looks: np.ndarray, of: np.ndarray):
        return make_pipeline(StandardScaler(), LogisticRegression(C=100, max_iter=1000)).fit(looks, of).predict

    return vote(known, differences, learn)
