"""Probabilities of grey levels from a density: each level gets the density's mass in its bin."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from vaelab.distributions.levels import LevelConstraint, check_num_levels, quantize
from vaelab.distributions.pixelwise import Density, Pixels, Pixelwise
from vaelab.errors import InputError

FAR = 1e6
"""Where the outer edges of the first and the last bin lie: so far out that no mass is beyond, yet finite, for the
gradients' sake."""


class BinnedPixels(Pixelwise):
    """Independent pixels on L levels; each has the mass of its bin, and the first and the last take the tails.

        P(l) = integral of the density over [l/L, (l+1)/L];  P(0) from -infinity;  P(L-1) to +infinity

    Args:
        density: Distribution of the underlying grey value.
        num_levels: L, a power of two.

    *Source*: Kingma et al. 2016 (https://arxiv.org/abs/1606.04934); Salimans et al. 2017, section 2.1
    (https://arxiv.org/abs/1701.05517).
    """

    def __init__(self, density: Density, num_levels: int):
        self.density, self.num_levels = density, num_levels
        super().__init__(density.batch_shape + density.event_shape)

    @property
    def support(self) -> constraints.Constraint:
        """The levels."""
        return LevelConstraint(self.num_levels)

    @property
    def mean(self) -> Pixels:
        """The expected grey value: a sum over all levels."""
        weighted = (mass * (level / (self.num_levels - 1)) for level, mass in self._masses())
        return sum(weighted, start=torch.zeros_like(self.density.mean))

    @property
    def mode(self) -> Pixels:
        """The likeliest level: a search through all levels."""
        masses = self._masses()
        _, best = next(masses)
        mode = torch.zeros_like(best)
        for level, mass in masses:
            better = mass > best
            mode = torch.where(better, level / (self.num_levels - 1), mode)
            best = torch.where(better, mass, best)
        return mode

    def nats_per_pixel(self, x: Pixels) -> Pixels:
        """See Pixelwise."""
        return -self._log_mass(quantize(x, self.num_levels).to(x.dtype))

    def draw(self, shape: torch.Size) -> Pixels:
        """See Pixelwise. Draws of the density, moved to their level."""
        x = self.density.draw(shape)
        return quantize(x, self.num_levels).to(x.dtype) / (self.num_levels - 1)

    def _log_mass(self, level: Tensor) -> Tensor:
        lower = torch.where(level == 0, -FAR, level / self.num_levels)
        upper = torch.where(level == self.num_levels - 1, FAR, (level + 1) / self.num_levels)
        return self.density.log_interval(lower, upper)

    def _masses(self) -> Iterator[tuple[int, Tensor]]:
        for level in range(self.num_levels):
            yield level, self._log_mass(self.density.mean.new_full((), level)).exp()


def discretize(distribution: Distribution, num_levels: int) -> BinnedPixels:
    """The exact distribution over grey levels that a density implies, to compare likelihoods on the same data.

    Its log P is at least the mean over u of log p(dequantize(x)) - D log L, for the same bins.

    Args:
        distribution: p(x|z) of a likelihood in "unit" space.
        num_levels: L, as many as the data have (256 for 8 bits).

    Raises:
        InputError: The distribution can't give the mass of an interval: it is no density.

    >>> from vaelab.distributions.continuous_bernoulli import ContinuousBernoulliPixels
    >>> uniform = ContinuousBernoulliPixels(torch.zeros(1, 1, 1, 1))
    >>> discretize(uniform, 4).log_prob(torch.ones(1, 1, 1, 1)).exp()
    tensor([0.2500])
    """
    check_num_levels("discretize.num_levels", num_levels)
    if not isinstance(distribution, Density):
        raise InputError(
            "discretize.distribution",
            "be a density with a known distribution function (Gaussian, Laplace, logistic, Beta, continuous Bernoulli)",
            type(distribution).__name__,
        )
    return BinnedPixels(distribution, num_levels)
