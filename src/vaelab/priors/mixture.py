"""A prior of several Gaussians, whose components are clusters of images: VaDE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal
from torch.nn.functional import softplus

from vaelab.distributions.mixture import fit_mixture
from vaelab.priors._base import Encode, LatentPrior, Prior
from vaelab.settings.ranges import AtLeast1, Positive
from vaelab.shapes import Images

_IMAGES_PER_AXIS = 5
"""A component's covariance is fitted in full from so many images for each latent on."""


@dataclass(frozen=True, kw_only=True)
class MixturePrior(Prior):
    """A mixture of Gaussians whose weights, means and covariances are learnt; with it, a VAE is VaDE.

        c ~ Categorical(weight);  z ~ N(loc_c, cov_c);  p(z) = sum over c of weight_c N(z; loc_c, cov_c)

    The paper's components are diagonal. An autoencoder's clusters lie along any axes, so that full covariances, and
    equal weights where the clusters are about equally large, find many more of them: see the preset mnist-vade.

    The rate has no closed form; it is log q(z|x) - log p(z) on the sample, and with it the ELBO is that of VaDE, whose
    posterior is q(z, c|x) = q(z|x) p(c|z). For any z,

        sum over c of p(c|z) [log p(z|c) + log p(c) - log p(c|z)] = sum over c of p(c|z) log p(z) = log p(z)

    since p(z|c) p(c) / p(c|z) = p(z), so that

        E_q[log p(x|z) + log p(z|c) + log p(c) - log q(z|x) - log p(c|z)] = E_q[log p(x|z) + log p(z) - log q(z|x)]

    The paper's q(c|x) = E_q(z|x)[p(c|z)] gives a bound that is lower by E_q(z|x) KL(q(c|x) || p(c|z)), its equation 14.
    From one sample, as it is trained there, that difference is 0; but the paper then takes the mean of log p(z|c) over
    q(z|x) in closed form, with the weights p(c|z) of the sample, so its values are not exactly these.
    `vaelab.distributions.mixture.responsibilities` gives p(c|z).

    Fresh components lie at random; `start` fits them to codes. Codes of an encoder that has learnt nothing have no
    clusters, and then most components end unused, so train as the paper does: first as an autoencoder
    (objective.autoencoder_steps), after which the prior starts from the codes that were found.

    *Source*: Jiang et al. 2017, Variational Deep Embedding, sections 3.1 to 3.3 (https://arxiv.org/abs/1611.05148).

    >>> prior = MixturePrior(num_components=3).build(2, (1, 8, 8))(encode=None)
    >>> prior.mixture_distribution.probs.shape, prior.log_prob(torch.zeros(5, 2)).shape
    (torch.Size([3]), torch.Size([5]))
    """

    has_clusters: ClassVar[bool] = True
    known_as: ClassVar[str] = "VaDE"

    num_components: AtLeast1 = 10
    """Gaussians. `vaelab clusters` says how many the codes of a trained run ask for."""
    covariance_type: Literal["diag", "full"] = "diag"
    """A component's axes: the latents' own (diag), or any (full)."""
    equal_weights: bool = False
    """Hold the components' weights equal, in the fit that they begin from and while they are trained."""
    min_scale: Positive = 0.01
    """No component becomes narrower than this standard deviation; full: in a latent, given those before it."""

    def build(self, latent_dim: int, image_shape: tuple[int, int, int]) -> LatentPrior:
        """See Prior."""
        return _Mixture(self, latent_dim)


class _Mixture(LatentPrior):
    logits: Tensor

    def __init__(self, config: MixturePrior, latent_dim: int):
        super().__init__()
        self.config, self.min_scale = config, config.min_scale
        num_components = config.num_components
        if config.equal_weights:
            self.register_buffer("logits", torch.zeros(num_components))
        else:
            self.logits = nn.Parameter(torch.zeros(num_components))
        self.loc = nn.Parameter(torch.randn(num_components, latent_dim))
        self.raw_scale = nn.Parameter(self._raw(torch.ones(num_components, latent_dim)))
        if config.covariance_type == "full":
            self.lower = nn.Parameter(torch.zeros(num_components, latent_dim, latent_dim))

    def forward(self, encode: Encode | None) -> MixtureSameFamily:
        scale = self.min_scale + softplus(self.raw_scale)
        if self.config.covariance_type == "full":
            scale_tril = self.lower.tril(-1) + scale.diag_embed()
            components = MultivariateNormal(self.loc, scale_tril=scale_tril, validate_args=False)
        else:
            components = Independent(Normal(self.loc, scale, validate_args=False), 1, validate_args=False)
        return MixtureSameFamily(Categorical(logits=self.logits, validate_args=False), components, validate_args=False)

    @torch.no_grad()
    def start(self, images: Images, q: Independent, seed: int) -> None:
        """Fits the mixture to the posteriors; see `vaelab.distributions.mixture.fit_mixture`.

        Which images belong together is found among the posteriors' means: there an autoencoder's clusters stand apart,
        which draws would blur. They lie along any axes, so the fit is by full covariances where images are enough. A
        component then takes the mean and the covariance (diag: the variances), over its images, of a draw: that of the
        means plus the mean of the posteriors' own. Scales begin at twice `min_scale` or above, where their gradient is
        not lost.

        Raises:
            InputError: There are fewer different means than components, or one is not finite.
        """
        loc, variance = (values.numpy(force=True).astype(float) for values in (q.mean, q.variance))
        num_components, latent_dim = self.loc.shape
        enough = len(loc) >= _IMAGES_PER_AXIS * num_components * latent_dim
        equal = self.config.equal_weights
        fitted = fit_mixture(loc, num_components, seed, "full" if enough else "diag", equal_weights=equal)
        shares = fitted.predict_proba(loc)
        shares /= shares.sum(0).clip(np.finfo(float).tiny)  # a component may be nobody's
        between, within = torch.as_tensor(np.asarray(fitted.covariances_)), torch.as_tensor(shares.T @ variance)
        covariance = (between if enough else between.diag_embed()) + within.diag_embed()
        self.logits.copy_(torch.as_tensor(fitted.weights_).log())
        self.loc.copy_(torch.as_tensor(fitted.means_))
        if self.config.covariance_type == "full":
            scale_tril = torch.linalg.cholesky(covariance)
            self.lower.copy_(scale_tril.tril(-1))
            self.raw_scale.copy_(self._raw(scale_tril.diagonal(dim1=1, dim2=2)))
        else:
            self.raw_scale.copy_(self._raw(covariance.diagonal(dim1=1, dim2=2).sqrt()))

    def _raw(self, scale: Tensor) -> Tensor:
        """What softplus and the floor turn into this scale."""
        above = (scale - self.min_scale).clamp(min=self.min_scale)
        return above + (-torch.expm1(-above)).log()
