"""Mixtures of Gaussians: fitted to codes, and which component a code belongs to."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, MixtureSameFamily

from vaelab.errors import InputError
from vaelab.shapes import Latents

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

Responsibilities = Float[Tensor, "image component"]
"""The probability of each component of a mixture, for each image; a row sums to 1."""

_MOST_ITERATIONS = 1000
_START_CODES, _SHARED_TOLERANCE = 500, 1e-4
_NOTHING = 1e-10
"""A principal axis with so little of the largest one's variance is left as it is."""


def responsibilities(prior: Distribution, z: Latents) -> Responsibilities:
    """p(c|z): how probable it is that a code came from each component of a mixture.

        p(c|z) = weight_c p(z|c) / sum over k of weight_k p(z|k)

    Args:
        prior: A mixture over latents, such as the `prior` of a model that was built with one.
        z: Codes; the posteriors' means for one assignment per image.

    Raises:
        InputError: The prior has no components.

    *Source*: Jiang et al. 2017, equation 16 (https://arxiv.org/abs/1611.05148).

    >>> import torch
    >>> from torch.distributions import Categorical, Independent, Normal
    >>> sides = Independent(Normal(torch.tensor([[-2.0], [2.0]]), torch.ones(2, 1)), 1)
    >>> responsibilities(MixtureSameFamily(Categorical(torch.ones(2)), sides), torch.tensor([[0.0], [5.0]]))
    tensor([[5.0000e-01, 5.0000e-01],
            [2.0612e-09, 1.0000e+00]])
    """
    if not isinstance(prior, MixtureSameFamily):
        mend = "Train with --model.prior mixture."
        raise InputError("the prior", "be a mixture, to have components", type(prior).__name__, mend)
    weights = prior.mixture_distribution.logits.log_softmax(-1)
    return (weights + prior.component_distribution.log_prob(z.unsqueeze(1))).softmax(-1)


def fit_mixture(
    codes: np.ndarray,
    num_components: int,
    seed: int = 0,
    covariance_type: Literal["diag", "full"] = "diag",
    *,
    equal_weights: bool = False,
    n_init: int = 48,
) -> GaussianMixture:
    """scikit-learn's mixture of Gaussians, fitted to codes by expectation maximisation in float64.

    It is the likeliest of several fits, each begun from k-means. Full covariances are fitted along the codes' principal
    axes, each at unit variance, in two steps: fits of one covariance that all components share, each begun from k-means
    of 500 different codes drawn at random; then the likeliest third of these, with a covariance for each component. The
    likelihood of an autoencoder's codes has several modes, and k-means of all codes begins near the same few of them
    each time. With free weights the likeliest mode cuts a wide cluster in two and joins others, so hold the weights
    equal where the clusters are about equally large.

    Args:
        codes: (image, latent).
        num_components: 1 or more.
        seed: Of k-means.
        covariance_type: Whether a component's axes are the latents' (diag) or lie anyhow (full).
        equal_weights: Hold all weights equal.
        n_init: Starts, of which the likeliest is taken; 1 or more.

    Raises:
        InputError: There are fewer different codes than components, or only one, or one is not finite.

    *Source*: https://scikit-learn.org/stable/modules/mixture.html#gaussian-mixture.

    >>> fit_mixture(np.array([[0.0], [0.2], [9.8], [10.0]]), 2).weights_.round(3).tolist()
    [0.5, 0.5]
    """
    # here, because it takes as long to import as the rest together
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    from vaelab.distributions._equal_weights import EqualWeights

    if num_components < 1:
        raise InputError("components", "be at least 1", num_components)
    if not np.isfinite(codes).all():
        raise InputError("the codes", "be finite numbers", "others", "The encoder may have diverged.")
    if len(codes) < 2:
        raise InputError("the codes", "be those of at least 2 images", len(codes))
    if num_components > 1:
        num_codes = len(np.unique(codes, axis=0))
        if num_codes < num_components:
            mend = "Take fewer components, or more images."
            raise InputError("the codes", f"be at least {num_components}, one for each component", num_codes, mend)
    kind = EqualWeights if equal_weights else GaussianMixture
    mixture = kind(
        num_components,
        covariance_type=covariance_type,
        n_init=n_init,
        max_iter=_MOST_ITERATIONS,
        random_state=seed % 2**32,
    )
    codes = codes.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _fit_whitened(mixture, codes) if covariance_type == "full" else mixture.fit(codes)


def _fit_whitened(mixture: GaussianMixture, codes: np.ndarray) -> GaussianMixture:
    """The mixture of full covariances, fitted along the codes' principal axes at unit variance and then mapped back.

    Its likelihood follows every linear map of the codes; k-means, from which it begins, does not.
    """
    center = codes.mean(0)
    variances, axes = np.linalg.eigh(np.cov(codes, rowvar=False, ddof=0).reshape(len(codes.T), -1))
    scales = np.sqrt(np.where(variances > _NOTHING * variances.max(), variances, 1.0))
    _fit_from_shared(mixture, (codes - center) @ axes / scales)
    back = scales[:, None] * axes.T
    mixture.means_ = center + mixture.means_ @ back
    mixture.covariances_ = back.T @ mixture.covariances_ @ back
    mixture.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(mixture.covariances_)).transpose(0, 2, 1)
    mixture.lower_bound_ -= np.log(scales).sum()
    return mixture


def _fit_from_shared(mixture: GaussianMixture, codes: np.ndarray) -> None:
    """Fits with one covariance for all components; the likeliest third go on with one for each."""
    from sklearn.cluster import KMeans

    def fit(**how: object) -> GaussianMixture:
        settings: dict[str, Any] = {**mixture.get_params(), "n_init": 1} | how
        return type(mixture)(**settings).fit(codes)

    random, num_components = np.random.RandomState(mixture.random_state), mixture.n_components
    different, floor, shared = np.unique(codes, axis=0), mixture.reg_covar * np.eye(len(codes.T)), []
    for _ in range(mixture.n_init):
        some = different[random.permutation(len(different))[: max(_START_CODES, num_components)]]
        start = KMeans(num_components, n_init=1, random_state=random).fit(some)  # pyright: ignore[reportArgumentType]
        within = some - start.cluster_centers_[start.labels_]
        shared.append(
            fit(
                covariance_type="tied",
                tol=_SHARED_TOLERANCE,
                weights_init=np.full(num_components, 1 / num_components),
                means_init=start.cluster_centers_,
                precisions_init=np.linalg.inv(within.T @ within / len(some) + floor),
            )
        )
    shared.sort(key=lambda each: each.lower_bound_, reverse=True)
    fitted = [
        fit(
            weights_init=one.weights_,
            means_init=one.means_,
            precisions_init=np.repeat(one.precisions_[None], num_components, axis=0),
        )
        for one in shared[: math.ceil(mixture.n_init / 3)]
    ]
    vars(mixture).update(vars(max(fitted, key=lambda each: each.lower_bound_)))
