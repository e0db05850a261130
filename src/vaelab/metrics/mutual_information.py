"""What the codes say of the images."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from scipy.stats import norm

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score
from vaelab.metrics._shapes import Codes

MOST_IMAGES = 10_000
SHARES = (1.0, 0.1, 0.01)
"""The alpha that are tried."""
_CHUNK = 2_500_000
"""Densities that are held at once."""


@metric(
    "Mutual information",
    group="code",
    order=30,
    better="neither",
    source="Poole et al. 2019, https://arxiv.org/abs/1905.06922 (a lower bound)",
)
def mutual_information(codes: Codes, scales: Codes) -> Score:
    """A lower bound to I(x; z), the mutual information of images and their codes, z ~ q(z|x).

        I >= 1 + E[log r] - E[r'],   r = q(z|x) / (alpha m(z) + (1 - alpha) c s(z))
        m(z): mean of q(z|x) over K images, that of z among them;  r': the same of a z from none of the K

    The density q(z|x) is known, so no critic is trained. s is the normal distribution with the codes' means
    and variances. alpha = 1 is the InfoNCE-type bound, at most log K; below 1 it is the interpolated bound I_alpha, at
    most 1 + log(K / alpha). The images are parted at random into two halves; which alpha of 1, 0.1 and 0.01, which
    level c and which s, is fitted on one half and the bound computed on the other, so it holds on average; then the
    other way round. K is half the images, less one. The ceiling is that of alpha = 0.01: a value near it says only that
    I is at least as large. The `rate` is an upper bound to I.

    Of more than 10,000 images 10,000 are drawn; fewer than 4 show nothing, which is 0 nats. Posteriors that
    are not finite, or have no width, give no number.

    Args:
        codes: the posteriors' means.
        scales: their standard deviations, above 0.

    *Source*: Poole et al. 2019, section 2, "Nonlinearly interpolated lower bounds" and the bounds with a known
    conditional density (https://arxiv.org/abs/1905.06922).

    >>> codes = np.repeat([[-9.0], [0.0], [9.0]], 200, axis=0)
    >>> score = mutual_information(codes, np.ones((600, 1)))[0]
    >>> bool(abs(score.value - np.log(3)) < 0.05)
    True
    """
    random = np.random.default_rng(0)
    rows = random.permutation(len(codes))[:MOST_IMAGES]
    half = len(rows) // 2
    if half < 2:
        return _score(np.zeros(len(rows)), 0.0)
    ceiling = 1 + log((half - 1) / min(SHARES))
    means, scales = codes[rows].astype(np.float64), scales[rows].astype(np.float64)
    if not (np.isfinite(means + scales).all() and (scales > 0).all()):
        return _score(np.full(len(rows), np.nan), ceiling)
    means -= means.mean(0)
    draws = means + scales * random.standard_normal(means.shape)
    first, second = slice(0, half), slice(half, len(rows))
    densities = {part.start: _densities(draws[part], means[part], scales[part]) for part in (first, second)}
    values = []
    for own, other in ((first, second), (second, first)):
        moments = means[other].mean(0), np.sqrt(means[other].var(0) + (scales[other] ** 2).mean(0))
        alpha, level = _fit(densities[other.start], norm.logpdf(draws[other], *moments).sum(1))
        values.append(_values(densities[own.start], norm.logpdf(draws[own], *moments).sum(1) + level, alpha))
    return _score(np.concatenate(values), ceiling)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Densities:
    """Of each draw z, in logs, (image,)."""

    own: np.ndarray
    """q(z|x) of its own image."""
    with_own: np.ndarray
    """Its mean over K images, its own among them."""
    without_own: np.ndarray
    """Its mean over K images, its own not among them."""


def _densities(draws: np.ndarray, means: np.ndarray, scales: np.ndarray) -> _Densities:
    count, latent_dim = draws.shape
    precisions = 1 / scales**2
    constants = (means**2 * precisions).sum(1) + 2 * np.log(scales).sum(1) + latent_dim * log(2 * np.pi)
    columns = []
    for start in range(0, count, max(1, _CHUNK // count)):
        z = draws[start : start + max(1, _CHUNK // count)]
        here = np.arange(len(z))
        logs = -0.5 * (z**2 @ precisions.T - 2 * z @ (means * precisions).T + constants)
        own = logs[here, start + here].copy()
        logs[here, start + here] = -np.inf
        top = logs.max(1)
        others = np.exp(logs - top[:, None])
        with np.errstate(divide="ignore"):
            without_own = top + np.log(others.sum(1))
            others[here, (start + here + 1) % count] = 0
            with_own = np.logaddexp(own, top + np.log(others.sum(1)))
        columns.append((own, with_own, without_own))
    own, with_own, without_own = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return _Densities(own=own, with_own=with_own - log(count - 1), without_own=without_own - log(count - 1))


def _values(of: _Densities, log_normal: np.ndarray, alpha: float) -> np.ndarray:
    """(image,): what each contributes to the bound."""
    if alpha == 1:
        return of.own - of.with_own
    rest = log(1 - alpha) + log_normal
    log_ratio = of.own - np.logaddexp(log(alpha) + of.with_own, rest)
    of_others = np.exp(of.without_own - np.logaddexp(log(alpha) + of.without_own, rest))
    return 1 + log_ratio - of_others


def _fit(of: _Densities, log_normal: np.ndarray) -> tuple[float, float]:
    """The alpha and the log of the level with the highest bound."""
    gaps = np.concatenate([of.with_own - log_normal, of.without_own - log_normal])
    levels = np.quantile(gaps[np.isfinite(gaps)], np.linspace(0, 1, 33))

    def bound(level: float, alpha: float) -> float:
        return float(_values(of, log_normal + level, alpha).mean())

    tried = []
    for alpha in SHARES:
        best = int(np.argmax([bound(level, alpha) for level in levels]))
        near = np.linspace(levels[max(best - 1, 0)], levels[min(best + 1, len(levels) - 1)], len(levels))
        tried += [(bound(level, alpha), alpha, level) for level in near]
    _, alpha, level = max(tried)
    return alpha, level


def _score(values: np.ndarray, ceiling: float) -> Score:
    return mean_score(values, "nats per image", null=0.0, ceiling=ceiling)
