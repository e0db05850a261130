"""Models so small that everything about them is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import Model


class ImagesOf:
    """These images, all of them trained on, as a penalty and an objective get them."""

    def __init__(self, x: Tensor, count: int | None = None, conditions: Tensor | None = None):
        self.x, self.conditions, self.train = x, conditions, np.arange(len(x) if count is None else count)

    def feed(self, rows: np.ndarray) -> Tensor:
        return self.x[torch.from_numpy(rows)]

    def given(self, model: Model, rows: np.ndarray) -> Model:
        return model if self.conditions is None else model.given(self.conditions[torch.from_numpy(rows)])


def around(codes: Tensor, scale: float = 1e-3) -> Independent:
    """Posteriors with these means, (image, latent)."""
    return Independent(Normal(codes, torch.full_like(codes, scale)), 1)


class LinearVAE(Model):
    """Probabilistic PCA with orthogonal axes, so that its exact posterior is a diagonal Gaussian.

        z ~ N(0, I);  x ~ N(W z + m, noise^2 I);  log p(x) = log N(x; m, W W' + noise^2 I)
        p(z|x) = N(S W'(x - m) / noise^2, S),  S = (I + W'W / noise^2)^-1

    `shift` and `stretch` make the posterior wrong: its mean moves by shift * scale, its scale grows by stretch.
    """

    def __init__(self, image_shape=(2, 3, 4), latent_dim=3, noise=0.2, dtype=torch.float64, shift=0.0, stretch=1.0):
        super().__init__()
        random = torch.Generator().manual_seed(3)
        num_pixels = image_shape[0] * image_shape[1] * image_shape[2]
        axes, _ = torch.linalg.qr(torch.randn(num_pixels, latent_dim, generator=random, dtype=torch.float64))
        self.image_shape, self.latent_dim, self.likelihood = image_shape, latent_dim, GaussianLikelihood()
        self.noise, self.shift, self.stretch = noise, shift, stretch
        weight = axes * torch.linspace(1.0, 0.3, latent_dim, dtype=torch.float64)
        self.weight = nn.Parameter(weight.to(dtype))
        self.register_buffer("mean", torch.rand(num_pixels, generator=random, dtype=torch.float64).to(dtype))

    @property
    def prior(self) -> Distribution:
        zero = self.mean.new_zeros(self.latent_dim)
        return Independent(Normal(zero, zero + 1), 1)

    def encode(self, x: Tensor) -> Independent:
        variance = 1 / (1 + self.weight.square().sum(0) / self.noise**2)
        loc = variance * ((x.flatten(1) - self.mean) @ self.weight) / self.noise**2
        scale = variance.sqrt().expand_as(loc)
        return Independent(Normal(loc + self.shift * scale, scale * self.stretch), 1)

    def decode(self, z: Tensor) -> Distribution:
        loc = (z @ self.weight.T + self.mean).view(-1, *self.image_shape)
        return Independent(Normal(loc, self.noise, validate_args=False), 3, validate_args=False)

    def covariance(self) -> Tensor:
        """Of p(x)."""
        return self.weight @ self.weight.T + self.noise**2 * torch.eye(len(self.weight), dtype=self.weight.dtype)


class CurvedVAE(Model):
    """One latent, binary pixels, a decoder that is not linear; log p(x) can be integrated on a line."""

    def __init__(self, prior: Distribution | None = None):
        super().__init__()
        random = torch.Generator().manual_seed(5)
        self.image_shape, self.latent_dim, self.likelihood = (1, 3, 3), 1, BernoulliLikelihood()
        self.slope = nn.Parameter(3 * torch.randn(9, generator=random))
        self.bend = nn.Parameter(torch.randn(9, generator=random))
        self._prior = prior or Independent(Normal(torch.zeros(1), torch.ones(1)), 1)

    @property
    def prior(self) -> Distribution:
        return self._prior

    def encode(self, x: Tensor) -> Independent:
        loc = 0.3 * (x.flatten(1) - 0.5) @ self.slope[:, None]
        return Independent(Normal(loc, torch.ones_like(loc)), 1)

    def decode(self, z: Tensor) -> Distribution:
        logits = (self.slope * z.tanh() + self.bend * z.square()).view(-1, 1, 3, 3)
        return Independent(Bernoulli(logits=logits, validate_args=False), 3, validate_args=False)

    def log_evidence(self, x: Tensor) -> Tensor:
        """log p(x) by the trapezoid rule on 40,001 points from -12 to 12."""
        z = torch.linspace(-12, 12, 40_001)[:, None]
        likelihood = torch.stack([self.decode(z).log_prob(image.expand(len(z), 1, 3, 3)).double() for image in x])
        integrand = (likelihood + self.prior.log_prob(z).double()).exp()
        return torch.trapezoid(integrand, z[:, 0].double(), dim=1).log()
