"""Whether the latent that stays where a factor stays tells which factor it is."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._pairs import IMAGES_PER_VOTE, drawn, vote
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes, Factors
from vaelab.metrics._truth import truth


@metric(
    "FactorVAE score",
    group="factors",
    order=60,
    better="higher",
    source="Kim and Mnih 2018, https://arxiv.org/abs/1802.05983",
)
def factor_vae_score(codes: Codes, factors: Factors) -> list[Score]:
    """How often the latent that varies least, among images that share the value of a factor, tells which factor it is.

    A vote: a factor, a value of it as frequent as it is, up to 64 of the images that have it, and the latent whose
    variance among them is the smallest share of its variance among all. Each latent stands for the factor that most of
    its votes were of; as many votes of the other half of the images judge this. There are as many votes as images, at
    most 800, of each half.

    The published score makes new images for each vote. Here they are drawn from those at hand, so a part of a grid will
    do, and a factor of more than 20 values is cut into bins of as many images each: 20, or fewer where a bin would
    have fewer than 10 images. Where factors depend on each other, holding one holds others, which lowers the score. The
    interval (Wilson's) is over votes: how far others drawn from the same images would move it. Of more than 10,000
    images 10,000 are drawn.

    Args:
        codes: posterior means.
        factors: known numbers, two or more that vary. The null is that of the same codes dealt to
            the images at random: about one factor in so many.

    Raises:
        InputError: Codes and factors do not go together, or a factor is no number.

    *Source*: Kim and Mnih 2018, section 4 (https://arxiv.org/abs/1802.05983).

    >>> y = np.random.default_rng(0).random((500, 3))
    >>> factor_vae_score(y, y)[0].value
    1.0
    """
    known = truth(codes, factors, fewest_factors=2, need_codes=True)
    if known.reason:
        return known.nothing("share of votes")

    def quietest(z: np.ndarray, kinds: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
        having = np.split(np.argsort(kinds, kind="stable"), np.cumsum(np.bincount(kinds))[:-1])
        looks = [
            z[random.permutation(having[kinds[i]])[:IMAGES_PER_VOTE]].var(0).argmin()
            for i in drawn(kinds, count, random)
        ]
        return np.array(looks)

    def learn(latents: np.ndarray, of: np.ndarray):
        votes = np.zeros((latents.max() + 1, of.max() + 1))
        np.add.at(votes, (latents, of), 1)
        stands_for = np.where(votes.any(1), votes.argmax(1), -1)
        return lambda others: np.append(stands_for, -1)[np.minimum(others, len(stands_for))]

    return vote(known, quietest, learn)
