"""How many clusters codes ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
import pandas as pd

from vaelab.distributions.mixture import fit_mixture


def compare_components(
    codes: np.ndarray,
    components: Iterable[int],
    seed: int = 0,
    on_fit: Callable[[int], None] | None = None,
    *,
    covariance_type: Literal["diag", "full"] = "full",
    equal_weights: bool = False,
) -> pd.DataFrame:
    """Mixtures of so many Gaussians, each the likeliest of three fits to codes, and what each is worth.

        log_likelihood = sum over images of log p(z)
        BIC = parameters * ln(images) - 2 log_likelihood
        AIC = parameters * 2          - 2 log_likelihood

    A component has a mean, variances (diag) or a covariance (full), and, where they are not held equal, a weight, of
    which the last follows from the others.

    Lower is better for both. Where the codes are a mixture of Gaussians, BIC finds how many they are, given enough
    images; AIC finds what predicts further codes best, which is more. Codes are seldom a mixture, and then both rise
    with the images: a cluster that is not Gaussian is fitted with several.

    Args:
        codes: (image, latent), such as posterior means.
        components: Numbers of components to try, each 1 or more.
        seed: Of the fits; see `vaelab.distributions.mixture.fit_mixture`.
        on_fit: Called with 1 after each fit, to show progress.
        covariance_type: Whether a component's axes are the latents' (diag) or lie anyhow (full).
        equal_weights: Hold the weights of a mixture equal.

    Returns:
        One row per number of components, in their order: components, parameters, log_likelihood (nats), bic, aic, and
        chosen, true for the lowest BIC.

    Raises:
        InputError: There are fewer different codes than components, or one is not finite.

    *Source*: Schwarz 1978, Estimating the dimension of a model; Akaike 1974, A new look at the statistical model
    identification; Bouveyron et al. 2019, chapter 2, on mixtures.

    >>> codes = np.random.default_rng(0).normal(size=(300, 1)) + np.repeat([[-9.0], [0.0], [9.0]], 100, axis=0)
    >>> table = compare_components(codes, range(1, 6))
    >>> table.loc[table["chosen"], "components"].item()
    3
    """
    latent_dim = codes.shape[1]
    spread = latent_dim if covariance_type == "diag" else latent_dim * (latent_dim + 1) // 2
    each = latent_dim + spread + (not equal_weights)
    rows = []
    for count in components:
        fitted = fit_mixture(codes, count, seed, covariance_type, equal_weights=equal_weights, n_init=3)
        rows.append(
            {
                "components": count,
                "parameters": count * each - (not equal_weights),
                "log_likelihood": float(fitted.score_samples(codes).sum()),
                "bic": float(fitted.bic(codes)),
                "aic": float(fitted.aic(codes)),
            }
        )
        if on_fit:
            on_fit(1)
    table = pd.DataFrame(rows)
    return table.assign(chosen=table.index == table["bic"].idxmin())
