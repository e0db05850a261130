"""Codes of the same images by two models, laid over each other, and how far they then agree.

Latents of two trainings have no common order, sign or turn, so that nothing of them is averaged, and no drift is read,
before they are aligned: by a turn, a shift and a scale (Procrustes), or latent by latent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import orthogonal_procrustes
from scipy.optimize import linear_sum_assignment

from vaelab.errors import InputError
from vaelab.metrics._coranking import NUM_NEIGHBOURS, UNRANKED, co_ranks
from vaelab.metrics._truth import standardized

MOST_IMAGES = 2000
"""Of which agreement is measured; of more so many are drawn."""
_NEARLY_1 = 1 - 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class Matched:
    """The latent of other codes that each latent goes with, and how well."""

    latents: np.ndarray
    """(latent,): its partner among the other latents; -1 for none, where those are fewer."""
    correlations: np.ndarray
    """(latent,): their correlation, with its sign; 0 where there is none."""

    def align(self, codes: np.ndarray) -> np.ndarray:
        """(image, latent): the other codes in the order and with the signs of these; 0 for a latent without partner."""
        turned = codes[:, self.latents] * np.where(self.correlations < 0, -1.0, 1.0)
        return np.where(self.latents < 0, 0.0, turned)


@dataclass(frozen=True, eq=False, kw_only=True)
class Agreement:
    """How far two sets of codes of the same images agree."""

    unexplained: float
    """Procrustes: the share of one's variance that the other does not explain when it is turned, mirrored, shifted and
    scaled; 0 to 1, the same both ways."""
    neighbours: float
    """The share of an image's 10 nearest by the one that are among its 10 nearest by the other."""
    chance: float
    """What that share is for codes that have nothing to do with each other."""
    r2: tuple[float, float]
    """The share of the second's variance that a linear map of the first explains of images that it was not fitted to;
    then that of the first by the second. 0 or less: no more than the mean does."""
    matched: float
    """The mean |correlation| of latents matched one to one, each counted by its share of the variance in both."""
    count: int
    """Images."""
    reason: str = ""
    """Why numbers are missing; empty: none is."""


def agreement(one: np.ndarray, other: np.ndarray, seed: int = 0) -> Agreement:
    """How far two sets of codes of the same images agree, measured on 2,000 images at most.

    Args:
        one: (image, latent).
        other: (image, latent), of as many images; the latents need not be as many.
        seed: Of the draw of images.

    Raises:
        InputError: They are not of the same images.

    >>> z = np.random.default_rng(0).normal(size=(300, 2))
    >>> found = agreement(z, 3 * z[:, ::-1] + 1)
    >>> abs(round(found.unexplained, 6)), found.neighbours, round(found.matched, 6)
    (0.0, 1.0, 1.0)
    """
    one, other = _pair(one, other)
    if len(one) > MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).permutation(len(one))[:MOST_IMAGES])
        one, other = one[rows], other[rows]
    count = len(one)
    if reason := _unusable(one, other):
        nan = float("nan")
        return Agreement(
            unexplained=nan, neighbours=nan, chance=nan, r2=(nan, nan), matched=nan, count=count, reason=reason
        )
    matched, shares = match_latents(one, other), [codes.var(0) / codes.var(0).sum() for codes in (one, other)]
    weights = np.where(matched.latents < 0, 0.0, shares[0] + shares[1][matched.latents])
    r2, neighbours = (linear_r2(one, other), linear_r2(other, one)), shared_neighbours(one, other)
    few = "a linear map needs more images than latents" if np.isnan(r2).any() else ""
    return Agreement(
        unexplained=procrustes(one, other)[1],
        neighbours=float(neighbours.mean()) if len(neighbours) else float("nan"),
        chance=NUM_NEIGHBOURS / (count - 1),
        r2=r2,
        matched=float(weights @ np.abs(matched.correlations) / weights.sum()),
        count=count,
        reason=few if len(neighbours) else UNRANKED,
    )


def procrustes(codes: np.ndarray, to: np.ndarray, *, scaled: bool = True) -> tuple[np.ndarray, float]:
    """Codes turned, mirrored, shifted and scaled until they lie as near as they can to others, and what is left.

        min over orthogonal R, scale s and shift t of  ||to - (s codes R + t)||^2 / ||to - mean of to||^2

    Where one has fewer latents, latents of 0 are added.

    Args:
        codes: (image, latent).
        to: (image, latent), where they are to lie.
        scaled: Let them be scaled; otherwise they keep their size, and what is left is still that of scaled ones.

    Returns:
        (image, latent) as many latents as the wider of the two; and the share of `to` that is left, from 0 to 1, which
        is not a number where either is constant.

    Raises:
        InputError: They are not of the same images.

    *Source*: Schonemann 1966, A generalized solution of the orthogonal Procrustes problem.

    >>> z = np.random.default_rng(0).normal(size=(50, 3))
    >>> turned, left = procrustes(2 * z[:, [2, 0, 1]] - 1, z)
    >>> bool(np.allclose(turned, z)), abs(round(left, 9))
    (True, 0.0)
    """
    codes, to = _pair(codes, to)
    width = max(codes.shape[1], to.shape[1])
    (codes, _), (to, middle) = (_centred(each, width) for each in (codes, to))
    sizes = [float(np.linalg.norm(each)) for each in (codes, to)]
    if not all(size > 0 and np.isfinite(size) for size in sizes):
        return codes + middle, float("nan")
    turn, overlap = orthogonal_procrustes(codes / sizes[0], to / sizes[1])
    scale = float(overlap) * sizes[1] / sizes[0] if scaled else 1.0
    return scale * codes @ turn + middle, float(np.clip(1 - overlap**2, 0, 1))


def match_latents(codes: np.ndarray, other: np.ndarray) -> Matched:
    """For each latent of codes the one of others that it goes with, one to one, whatever the signs.

        max over one-to-one maps m of  sum over latents of |correlation of latent i and other latent m(i)|

    found by the Hungarian method.

    Args:
        codes: (image, latent), which give the order and the signs.
        other: (image, latent), of the same images.

    Raises:
        InputError: They are not of the same images.

    *Source*: Duan et al. 2020, Unsupervised model selection for variational disentangled representation learning
    (https://arxiv.org/abs/1905.12614), which compares runs by latents, up to order and sign.

    >>> z = np.random.default_rng(0).normal(size=(50, 2))
    >>> found = match_latents(z, -z[:, ::-1])
    >>> found.latents.tolist(), found.correlations.round(6).tolist()
    ([1, 0], [-1.0, -1.0])
    """
    codes, other = _pair(codes, other)
    table = correlations(codes, other)
    own, theirs = linear_sum_assignment(np.abs(table), maximize=True)
    latents, found = np.full(codes.shape[1], -1), np.zeros(codes.shape[1])
    latents[own], found[own] = theirs, table[own, theirs]
    return Matched(latents=latents, correlations=found)


def correlations(codes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(latent, other latent): Pearson's correlation of each with each; 0 for a latent that is constant.

    Args:
        codes: (image, latent).
        other: (image, other latent), of the same images.
    """
    codes, other = _pair(codes, other)
    return np.clip(standardized(codes).T @ standardized(other) / max(1, len(codes)), -1, 1)


def linear_r2(codes: np.ndarray, other: np.ndarray) -> float:
    """The share of other codes' variance that a linear map of these explains, each image left out of the fit in turn.

        R^2 = 1 - sum of squared errors of images left out / sum of squared distances from the mean

    It takes one fit: the error of an image left out is its residual / (1 - its leverage).

    Args:
        codes: (image, latent), from which the others are told.
        other: (image, latent), of the same images.

    Returns:
        At most 1; not a number where there are no more images than latents and one, or the others are constant.

    Raises:
        InputError: They are not of the same images.

    *Source*: Allen 1974, The relationship between variable selection and data augmentation and a method for prediction.
    """
    codes, other = _pair(codes, other)
    total = float(((other - other.mean(0)) ** 2).sum())
    design = np.column_stack([np.ones(len(codes)), standardized(codes)])
    if len(codes) <= design.shape[1] or not total > 0 or not np.isfinite(total):
        return float("nan")
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, sizes > 1e-10 * sizes[0]]
    leverage = (basis**2).sum(1)
    if leverage.max() > _NEARLY_1:  # without that image its latent says nothing of any other
        return float("nan")
    errors = (other - basis @ (basis.T @ other)) / (1 - leverage)[:, None]
    return 1 - float((errors**2).sum()) / total


def shared_neighbours(one: np.ndarray, other: np.ndarray, num_neighbours: int = NUM_NEIGHBOURS) -> np.ndarray:
    """(image,): the share of an image's 10 nearest by the one that are among its 10 nearest by the other.

    By chance it is 10 / (images - 1). There is nothing, (0,), for fewer than 12 images and for constant codes.

    Args:
        one: (image, latent).
        other: (image, latent), of the same images; 10,000 at most.
        num_neighbours: 1 to 10.
    """
    one, other = _pair(one, other)
    ranks = co_ranks(one, other)[:, :num_neighbours, 0]
    return (ranks <= num_neighbours).mean(1) if ranks.shape[1] else np.zeros(0)


def _pair(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    for name, codes in (("one", one), ("other", other)):
        if codes.ndim != 2 or not codes.shape[1]:
            raise InputError(name, "be codes (image, latent)", f"an array of shape {codes.shape}")
    if len(one) != len(other):
        raise InputError("other", f"be codes of the same {len(one)} images", f"those of {len(other)}")
    return one.astype(np.float64), other.astype(np.float64)


def _unusable(one: np.ndarray, other: np.ndarray) -> str:
    if len(one) < 3:
        return "agreement needs 3 images"
    if not all(np.isfinite(codes).all() for codes in (one, other)):
        return "codes are not finite"
    if any((codes == codes[0]).all() for codes in (one, other)):
        return "codes are the same for all images"
    return ""


def _centred(codes: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """With latents of 0 up to so many, and the mean that was taken away."""
    padded = np.pad(codes, ((0, 0), (0, width - codes.shape[1])))
    middle = padded.mean(0) if len(padded) else np.zeros(width)
    return padded - middle, middle
