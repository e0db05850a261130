"""How much of what is known of the images can be read off their codes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaelab.errors import InputError
from vaelab.evaluation._bootstrap import interval
from vaelab.evaluation._score import Score

Probe = Literal["linear", "neighbours"]


def probe_r2(
    codes: np.ndarray,
    targets: np.ndarray,
    held_out_codes: np.ndarray,
    held_out_targets: np.ndarray,
    probe: Probe = "linear",
    num_neighbours: int = 10,
) -> Score:
    """R^2 with which a probe, fitted to some images' codes, predicts known numbers of other images.

        1 - sum_images (y - prediction)^2 / sum_images (y - mean of y)^2

    Linear: least squares, which finds what lies along straight axes. Neighbours: the mean of the nearest codes, each
    latent standardised, which also finds what is bent. 1 is perfect, 0 no better than the mean, below 0 worse.

    Args:
        codes: (image, latent), to fit on.
        targets: (image,) numbers to predict.
        held_out_codes: (image, latent) of other images.
        held_out_targets: (image,) of those; not all the same.
        probe: Which probe.
        num_neighbours: Of the second probe; 1 or more.

    Raises:
        InputError: Images and numbers do not go together, or the held-out numbers are all the same.

    *Source*: Alain and Bengio 2017 (https://arxiv.org/abs/1610.01644).

    >>> z = np.random.default_rng(0).normal(size=(200, 2))
    >>> probe_r2(z[:100], z[:100, 0], z[100:], z[100:, 0]).value
    1.0
    """
    for name, rows, values in (("codes", codes, targets), ("held_out_codes", held_out_codes, held_out_targets)):
        if len(rows) != len(values) or not len(rows):
            raise InputError(f"probe_r2.{name}", f"be one for each of {len(values)} numbers", len(rows))
    y = np.asarray(held_out_targets, np.float64)
    spread = (y - y.mean()) ** 2
    if not spread.sum() > 0:
        raise InputError("probe_r2.held_out_targets", "differ from each other", "one number for all")
    if probe == "linear":
        model = LinearRegression()
    else:
        model = make_pipeline(StandardScaler(), KNeighborsRegressor(min(num_neighbours, len(codes))))
    model.fit(codes, targets)
    errors = (y - model.predict(held_out_codes)) ** 2
    return Score(
        value=float(1 - errors.sum() / spread.sum()),
        unit="R^2",
        better="higher",
        count=len(y),
        interval=interval(np.stack([errors, spread], 1), lambda means: 1 - means[:, 0] / means[:, 1]),
        ceiling=1.0,
        source="Alain and Bengio 2017",
    )
