"""Whether a classifier says the same of reconstructions as of images; else no explanation by the model is of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaelab.errors import InputError
from vaelab.metrics import Score, interval_of_means
from vaelab.metrics._numbers import units_of

GATE = 0.85
"""Below it, explanations carry a warning."""


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How alike a classifier's answers are to images and to their reconstructions."""

    agreement: Score | None
    """Share of images whose reconstruction is put into the same class; None of a number."""
    correlation: Score
    """Pearson's, of what it says of images and of reconstructions."""

    @property
    def value(self) -> float:
        """The lower of the two, which the gate looks at; not a number where one of them is none."""
        values = [score.value for score in (self.agreement, self.correlation) if score]
        return float(np.min(values))

    @property
    def warning(self) -> str:
        """What every explanation has to carry, a sentence; empty where the gate is passed."""
        if self.value >= GATE:
            return ""
        if np.isnan(self.value):
            found = self.correlation.reason
        else:
            parts = {"agreement": self.agreement, "correlation": self.correlation}
            found = " and ".join(f"{name} {score.value:.2f}" for name, score in parts.items() if score)
        return (
            f"The classifier does not say the same of reconstructions as of images ({found}; at least {GATE} is asked "
            "of both), so what follows explains the model's pictures and not the classifier's decisions on images."
        )


def fidelity(of_images: np.ndarray, of_reconstructions: np.ndarray, groups: np.ndarray | None = None) -> Fidelity:
    """Agreement and correlation of f(reconstruction) with f(image), with 95 % intervals.

    The correlation of probabilities is that of all classes together, each about its own mean:

        sum_classes cov(x, y) / sqrt(sum_classes var(x) * sum_classes var(y))

    so rare classes count for little. Of two classes it is that of one. Who always says the commonest class has none.

    Args:
        of_images: (image, class) probabilities, or (image, 1) or (image,) numbers.
        of_reconstructions: The same of the reconstructions.
        groups: (image,) which images belong together; intervals are then over groups.

    Raises:
        InputError: The two are not of the same shape, there is no image, or a value is not finite.

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.4, 0.6]])
    >>> found = fidelity(p, p[:, ::-1])
    >>> found.agreement.value, round(found.correlation.value, 6), found.warning[:47]
    (0.0, -1.0, 'The classifier does not say the same of reconst')
    """
    x, y = (np.asarray(each, np.float64) for each in (of_images, of_reconstructions))
    x, y = (each[:, None] if each.ndim == 1 else each for each in (x, y))
    if x.shape != y.shape or not len(x):
        raise InputError("of_reconstructions", f"be of the shape of of_images, {x.shape}, and not empty", y.shape)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("what the classifier says", "be finite", "NaN or infinity")
    units = units_of(groups, len(x))
    agreement = None
    if x.shape[1] > 1:
        same = x.argmax(1) == y.argmax(1)
        ends = interval_of_means(_sums(units, same[:, None]), lambda means: means[:, 0] / means[:, -1])
        agreement = Score(
            metric="agreement", value=float(same.mean()), unit="share of images", better="higher", count=len(x),
            interval=ends, ceiling=1.0,
        )  # fmt: skip
    return Fidelity(agreement=agreement, correlation=_correlation(x, y, units))


def _correlation(x: np.ndarray, y: np.ndarray, units: np.ndarray) -> Score:
    """That of all columns together, each about its own mean."""
    a, b = x - x.mean(0), y - y.mean(0)
    tiny = 1e-9 * max(1.0, float(np.abs(x).max()), float(np.abs(y).max()))
    varies = all(np.abs(each).max() > tiny for each in (a, b))
    reason = "" if varies else "what it says of the images or of the reconstructions does not vary"
    value, ends = float("nan"), None
    if varies:
        products = [(p * q).sum(1) for p, q in ((a, a), (b, b), (a, b))]
        sums = _sums(units, np.column_stack([a, b, *products]))
        value = float(_pearson(sums.mean(0, keepdims=True))[0])
        ends = interval_of_means(sums, _pearson)
    return Score(
        metric="correlation", value=value, unit="correlation", better="higher", count=len(x), interval=ends,
        null=0.0, ceiling=1.0, reason=reason,
    )  # fmt: skip


def _pearson(means: np.ndarray) -> np.ndarray:
    """(resample,): from means of a, b, |a|^2, |b|^2, a b and 1; a resample in which nothing varies has 0."""
    *columns, aa, bb, ab = (means[:, :-1] / means[:, -1:]).T
    a, b = np.split(np.stack(columns, 1), 2, axis=1)
    spread = np.sqrt(np.maximum(aa - (a * a).sum(1), 0) * np.maximum(bb - (b * b).sum(1), 0))
    there = spread > 1e-12 * spread.max(initial=0)
    return np.where(there, (ab - (a * b).sum(1)) / np.where(there, spread, 1), 0)


def _sums(units: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(unit, column and 1): the sums over the images of each unit, and how many these are."""
    sums = np.zeros((units.max() + 1, columns.shape[1] + 1))
    np.add.at(sums, units, np.column_stack([columns, np.ones(len(columns))]))
    return sums
