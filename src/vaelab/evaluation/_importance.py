"""Importance weights: what a model gives an image, by many draws of its posterior."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor
from torch.distributions import Distribution

from vaelab.errors import InputError
from vaelab.inference import ImageBatches, batches
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.shapes import Images

Draws = Float64[Tensor, "sample image"]


def draws(model: Model, q: Distribution, x: Images, num_samples: int, batch_size: int) -> Iterator[tuple[Draws, Draws]]:
    """log p(x|z) and log p(z) - log q(z|x), in nats, for samples z of q; some samples at a time.

    The networks compute in the model's precision, what is summed over samples is float64, on the CPU.
    """
    at_once, prior = max(1, batch_size // len(x)), model.prior
    for start in range(0, num_samples, at_once):
        z = q.sample(torch.Size([min(at_once, num_samples - start)]))
        ratio = prior.log_prob(z) - q.log_prob(z)
        p = model.decode(z.flatten(0, 1))
        likelihood = p.log_prob(x.expand(len(z), *x.shape).flatten(0, 1)).view(len(z), len(x))
        yield likelihood.cpu().double(), ratio.cpu().double()


class ImportanceSums:
    """Running sums over importance weights, for any number of samples per image.

        log_evidences:      log (1/K) sum_k w_k,           w_k = p(x|z_k) p(z_k) / q(z_k|x)
        effective_samples:  (sum_k w_k)^2 / sum_k w_k^2

    Args:
        num_images: How many images' weights are summed.

    >>> sums = ImportanceSums(1)
    >>> sums.add(torch.zeros(3, 1).double())
    >>> sums.log_evidences.tolist(), sums.effective_samples.tolist()
    ([0.0], [3.0])
    """

    def __init__(self, num_images: int):
        self._log_sum = torch.full((num_images,), -torch.inf, dtype=torch.float64)
        self._log_sum_of_squares = self._log_sum.clone()
        self._num_samples = 0

    def add(self, log_weights: Draws) -> None:
        """Takes more weights of the same images."""
        self._log_sum = torch.logaddexp(self._log_sum, log_weights.logsumexp(0))
        self._log_sum_of_squares = torch.logaddexp(self._log_sum_of_squares, (2 * log_weights).logsumexp(0))
        self._num_samples += len(log_weights)

    @property
    def log_evidences(self) -> Tensor:
        """(image,): the estimate of log p(x), in nats."""
        return self._log_sum - np.log(self._num_samples)

    @property
    def effective_samples(self) -> Tensor:
        """(image,): how many equal weights would be as good; from 1 to K."""
        return (2 * self._log_sum - self._log_sum_of_squares).exp().clamp(1, self._num_samples)


def importance_weights(
    model: Model, images: ImageBatches, num_samples: int, *, batch_size: int = 256, seed: int = 0
) -> np.ndarray:
    """The logarithm of every importance weight, all of them in memory.

        log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x),  z_k ~ q(z|x)

    Args:
        model: The model.
        images: In [0, 1]; a tensor or a stream of batches.
        num_samples: K, draws per image; 1 or more.
        batch_size: Images, or draws, that go through the networks at once.
        seed: Of the draws.

    Returns:
        (image, sample), float64, in nats.

    *Source*: Burda et al. 2016, section 3 (https://arxiv.org/abs/1509.00519).

    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8))
    >>> importance_weights(vae, torch.rand(5, 1, 8, 8).round(), num_samples=3).shape
    (5, 3)
    """
    check_num_samples(num_samples)
    rows = []
    with evaluating(model), local_randomness(apart(seed), device_of(model)):
        for given, x in batches(model, images, batch_size):
            parts = draws(given, given.encode(x), x, num_samples, batch_size)
            rows.append(torch.cat([likelihood + ratio for likelihood, ratio in parts]).T.numpy())
    return np.concatenate(rows)


def apart(seed: int) -> int:
    """Another seed, so that the draws don't repeat the noise of images that were binarised with the same one."""
    return seed ^ 0x5EED_D2A3


def check_num_samples(num_samples: int) -> None:
    """Refuses fewer than one."""
    if num_samples < 1:
        raise InputError("num_samples", "be at least 1", num_samples, "100 takes seconds; 5000 is what papers report.")
