"""The rate: how many nats the code of an image costs, KL(q(z|x) || p(z))."""

from __future__ import annotations

from torch.distributions import Distribution, Independent, MultivariateNormal, Normal, kl_divergence, register_kl

from vaelab.errors import InputError
from vaelab.shapes import Latents, PerImage

COLLAPSE_RATE = 0.1
"""Nats per image below which a code is called collapsed: it hardly tells one image from another."""


def rate(q: Distribution, prior: Distribution, z: Latents | None = None) -> PerImage:
    """KL(q || prior) in nats per image: in closed form where torch knows one, else from the one sample z.

        rate = E_q[log q(z) - log p(z)]

    Args:
        q: The posterior, a batch of distributions over latents.
        prior: One distribution over latents.
        z: Samples of q, one per image; needed only where there is no closed form.

    Raises:
        InputError: There is no closed form, and no z.

    *Source*: Kingma and Welling 2014, appendix B (https://arxiv.org/abs/1312.6114).

    >>> import torch
    >>> from torch.distributions import Independent, Normal
    >>> q = Independent(Normal(torch.ones(1, 2), torch.ones(1, 2)), 1)
    >>> rate(q, Independent(Normal(torch.zeros(2), torch.ones(2)), 1))
    tensor([1.])
    """
    try:
        return kl_divergence(q, prior)
    except NotImplementedError:
        if z is None:
            raise InputError("rate.z", "be samples of q where the KL has no closed form", None) from None
        return q.log_prob(z) - prior.log_prob(z)


def rate_per_latent(q: Distribution, prior: Distribution) -> Latents:
    """The rate of each latent on its own, in nats, for a posterior and a prior that factorise; sums to `rate`.

    *Source*: Kingma et al. 2016, section 3 and appendix C.8, where it is needed for free bits (https://arxiv.org/abs/1606.04934).
    """
    if not (isinstance(q, Independent) and isinstance(prior, Independent)):
        mend = "Take the standard normal prior, or an objective that needs the whole rate only."
        raise InputError("rate_per_latent.prior", "factorise over the latents", type(prior).__name__, mend)
    return kl_divergence(q.base_dist, prior.base_dist)


@register_kl(MultivariateNormal, Independent)
def _kl_of_full_covariance(q: MultivariateNormal, prior: Independent) -> PerImage:
    """KL(N(m, L L^T) || N(a, s^2)) = sum_j log(s_j / L_jj) + (sum_k L_jk^2 + (m_j - a_j)^2) / (2 s_j^2) - 1/2."""
    base = prior.base_dist
    if not isinstance(base, Normal):
        raise NotImplementedError
    factor = q.scale_tril
    squares = factor.square().sum(-1) + (q.loc - base.loc).square()
    logs = base.scale.log() - factor.diagonal(dim1=-2, dim2=-1).log()
    return (logs + squares / (2 * base.scale.square()) - 0.5).sum(-1)
