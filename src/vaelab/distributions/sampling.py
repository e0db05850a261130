"""A sample from noise that is given."""

from __future__ import annotations

from torch import Tensor
from torch.distributions import Independent


def sample_with(q: Independent, noise: Tensor) -> Tensor:
    """The samples of independent normals that standard normal noise makes: mean + scale * noise.

    As `rsample`, whose noise is torch's own; here whoever calls decides it, so that an image's noise can follow from
    its place in a batch that several processes share.

    Args:
        q: A batch of independent normals over (latent,).
        noise: (..., image, latent).

    *Source*: Kingma and Welling 2014, section 2.4 (https://arxiv.org/abs/1312.6114).

    >>> import torch
    >>> from torch.distributions import Normal
    >>> sample_with(Independent(Normal(torch.ones(1, 2), torch.tensor(3.0)), 1), torch.tensor([[0.0, 1.0]]))
    tensor([[1., 4.]])
    """
    return q.base_dist.mean + noise * q.base_dist.stddev
