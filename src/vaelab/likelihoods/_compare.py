"""Which log-likelihoods may be compared, and the scale on which all can be: bits per dimension of the same levels."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from torch.distributions import Distribution

from vaelab.catalogue import name_of
from vaelab.distributions import (
    BernoulliPixels,
    BinnedPixels,
    CategoricalPixels,
    ContinuousBernoulliPixels,
    discretize,
)
from vaelab.distributions.levels import check_num_levels
from vaelab.errors import InputError
from vaelab.likelihoods._base import DataSpace, Likelihood
from vaelab.shapes import Images, PerImage

GREY_LEVELS = 256
"""Of images of 8 bits."""


def bits_per_dim(log_likelihood: PerImage, num_pixels: int, space: DataSpace, num_levels: int) -> PerImage:
    """Bits per pixel and channel that a model spends on images of L grey levels; lower is better.

        "levels", "binary":  -log P(x) / (D log 2)
        "unit":              (-log p(y) + D log L) / (D log 2),  y = dequantize(x)

    Which number is a bound: for levels and binary pixels it is exact, given the log-likelihood. For a density it is, in
    the mean over the noise of `dequantize`, an *upper bound* to the bits per dimension of the levels (by Jensen);
    `discretize(...).log_prob(x)`, read as "levels", gives those exactly where the density can be binned. An ELBO or an
    importance-weighted estimate in place of log p adds its own gap, in the same direction.

    Args:
        log_likelihood: log p in nats per image, of a normalised likelihood; for "unit", on dequantised images.
        num_pixels: D = channels * height * width.
        space: The data space of which the log-likelihood speaks.
        num_levels: L, the levels of the images that are compared, a power of two: 256 for 8 bits. 2 for "binary".

    Raises:
        InputError: D is below 1, L is not a power of two, or the space is binary and L is not 2.

    *Source*: Theis, van den Oord and Bethge 2016, section 3.1 (https://arxiv.org/abs/1511.01844).

    >>> import torch
    >>> bits_per_dim(torch.zeros(1), 64, "unit", 256)
    tensor([8.])
    """
    check_num_levels("bits_per_dim.num_levels", num_levels)
    if num_pixels < 1:
        raise InputError("bits_per_dim.num_pixels", "be at least 1", num_pixels, "It is channels * height * width.")
    if space == "binary" and num_levels != 2:
        raise InputError(
            "bits_per_dim.num_levels", "be 2 in binary space", num_levels, "A Bernoulli says nothing of grey levels."
        )
    nats = -log_likelihood / num_pixels
    return (nats + log(num_levels) if space == "unit" else nats) / log(2)


def speaks_of_levels(likelihood: Likelihood, num_levels: int = GREY_LEVELS) -> bool:
    """Whether `on_levels` can turn what the likelihood gives into probabilities of so many grey levels.

    >>> from vaelab.likelihoods.bernoulli import BernoulliLikelihood
    >>> from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
    >>> speaks_of_levels(BernoulliLikelihood()), speaks_of_levels(GreyBernoulliLikelihood())
    (False, True)
    """
    if likelihood.space == "unit":
        return likelihood.normalized or name_of(likelihood) == "grey_bernoulli"
    return likelihood.space == "levels" and getattr(likelihood, "num_levels", None) == num_levels


def on_levels(distribution: Distribution, num_levels: int = GREY_LEVELS) -> Distribution:
    """The probabilities of grey levels that p(x|z) stands for, so that all likelihoods speak of the same data.

    Levels stay what they are, a density has the mass of each bin, and the cross entropy on grey pixels, which is no
    likelihood, is divided by its integral over [0, 1]: that is the continuous Bernoulli of the same logits.

    Args:
        distribution: p(x|z) of a likelihood that `speaks_of_levels`.
        num_levels: L.

    Raises:
        InputError: The distribution can't give the mass of an interval.

    *Source*: Loaiza-Ganem and Cunningham 2019, section 2 (https://arxiv.org/abs/1907.06845).

    >>> import torch
    >>> on_levels(BernoulliPixels(torch.zeros(1, 1, 1, 1))).log_prob(torch.ones(1, 1, 1, 1)).exp() * 256
    tensor([1.])
    """
    if isinstance(distribution, BinnedPixels | CategoricalPixels):
        return distribution
    if isinstance(distribution, BernoulliPixels):
        distribution = ContinuousBernoulliPixels(distribution.logits)
    return discretize(distribution, num_levels)


def check_comparable(likelihoods: Mapping[str, Likelihood]) -> None:
    """Refuses to set log-likelihoods side by side that speak of different data, or that are none.

    Args:
        likelihoods: By the name under which each is to be shown, such as a run's.

    Raises:
        InputError: Two data spaces or numbers of levels differ, or a likelihood is not normalised.

    >>> from vaelab.likelihoods.bernoulli import BernoulliLikelihood
    >>> check_comparable({"a": BernoulliLikelihood(), "b": BernoulliLikelihood()})
    """
    spaces = {name: describe_space(likelihood) for name, likelihood in likelihoods.items()}
    first = next(iter(spaces), "")
    for name, likelihood in likelihoods.items():
        if not likelihood.normalized:
            raise InputError(
                f"the likelihood of {name}",
                "be normalised for its log-likelihood to be compared",
                name_of(likelihood),
                "Compare errors on the images instead, or train with continuous_bernoulli.",
            )
        if spaces[name] != spaces[first]:
            raise InputError(
                f"the likelihood of {name}",
                f"speak of {spaces[first]}, as that of {first} does",
                spaces[name],
                "Compare bits per dimension of the same levels (dequantize, discretize, bits_per_dim) instead.",
            )


def check_pixels(likelihood: Likelihood, x: Images) -> None:
    """Refuses images on which the likelihood puts no probability.

    Args:
        likelihood: In "binary" space it takes pixels that are 0 or 1 only.
        x: The images to be trained on or evaluated.

    Raises:
        InputError: A pixel is outside [0, 1] or not a number, or grey where the likelihood is binary.
    """
    outside = ~((x >= 0) & (x <= 1))
    if outside.any():
        raise InputError("images", "lie within [0, 1]", x[outside][0].item(), "Scale them first.")
    grey = (x > 0) & (x < 1)
    if likelihood.space == "binary" and grey.any():
        raise InputError(
            "images",
            f"be 0 or 1 for the likelihood {name_of(likelihood)}",
            f"a grey pixel of {x[grey][0].item():.4g}",
            "Binarise them, or take continuous_bernoulli, or grey_bernoulli, which is not normalised.",
        )


def describe_space(likelihood: Likelihood) -> str:
    """The likelihood's data space in words, with the number of levels where there are levels.

    >>> from vaelab.likelihoods.categorical import CategoricalLikelihood
    >>> describe_space(CategoricalLikelihood(num_levels=32))
    'levels space (32 levels)'
    """
    num_levels = getattr(likelihood, "num_levels", None)
    return f"{likelihood.space} space" + (f" ({num_levels} levels)" if num_levels else "")
