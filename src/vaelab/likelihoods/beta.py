"""Grey pixels in [0, 1] with a Beta density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Lt
from torch import Tensor

from vaelab.distributions import BetaPixels
from vaelab.likelihoods._base import Likelihood
from vaelab.likelihoods._scale import positive

MIN_SHAPE = 0.01
INITIAL_SHAPE = 1.0


@dataclass(frozen=True, kw_only=True)
class BetaLikelihood(Likelihood):
    """Grey pixels with a Beta density, its two shape parameters from the decoder.

        y = margin + (1 - 2 margin) x,  y ~ Beta(a, b),  a, b = 0.01 + softplus(raw + ln(e - 1)), which begin at 1.01
        log p(x|z) = sum (a - 1) log y + (b - 1) log(1 - y) - log B(a, b) + log(1 - 2 margin)

    The Beta's density is 0 or infinite at its ends, where black and white pixels would lie; hence the margin. The last
    term (the change of variable) keeps it a density of x: it integrates to one over the stretched interval
    [-margin / (1 - 2 margin), 1 + margin / (1 - 2 margin)], just as a Gaussian's reaches beyond [0, 1].

    *Source*: Johnson, Kotz and Balakrishnan 1995, Continuous Univariate Distributions 2, chapter 25.

    >>> import torch
    >>> p = BetaLikelihood()(torch.zeros(1, 2, 8, 8), {})
    >>> p.mean.unique()
    tensor([0.5000])
    """

    space = "unit"

    margin: Annotated[float, Gt(0), Lt(0.5)] = 0.005
    """How far black and white pixels are kept off the ends of the Beta's interval; 0.005 is a little over one 8-bit
    level."""

    @property
    def planes(self) -> int:
        """See Likelihood."""
        return 2

    def __call__(self, raw: Tensor, free: Mapping[str, Tensor]) -> BetaPixels:
        """See Likelihood."""
        a, b = (positive(plane, MIN_SHAPE, INITIAL_SHAPE) for plane in self.split(raw))
        return BetaPixels(a, b, self.margin)
