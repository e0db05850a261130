"""What torch.distributions lacks: the rate, distributions over images, and grey levels."""

from __future__ import annotations

from vaelab.distributions.bernoulli import BernoulliPixels
from vaelab.distributions.beta import BetaPixels
from vaelab.distributions.binned import BinnedPixels, discretize
from vaelab.distributions.continuous_bernoulli import ContinuousBernoulliPixels
from vaelab.distributions.levels import CategoricalPixels, dequantize, quantize
from vaelab.distributions.location_scale import GaussianPixels, LaplacePixels, LogisticPixels
from vaelab.distributions.pixelwise import Pixelwise
from vaelab.distributions.rate import COLLAPSE_RATE, rate, rate_per_latent
from vaelab.distributions.sampling import sample_with

__all__ = [
    "COLLAPSE_RATE",
    "BernoulliPixels",
    "BetaPixels",
    "BinnedPixels",
    "CategoricalPixels",
    "ContinuousBernoulliPixels",
    "GaussianPixels",
    "LaplacePixels",
    "LogisticPixels",
    "Pixelwise",
    "dequantize",
    "discretize",
    "quantize",
    "rate",
    "rate_per_latent",
    "sample_with",
]
