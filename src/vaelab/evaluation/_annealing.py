"""log p(x) by annealed importance sampling: the reference that needs no posterior."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from vaelab.errors import InputError
from vaelab.evaluation._importance import apart
from vaelab.inference import ImageBatches, batches
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.shapes import Images, Latents, PerImage

LEAPFROG_STEPS = 10
ACCEPTED = 0.65
"""The share of moves that is aimed at by making steps longer or shorter."""


def annealed(
    model: Model,
    images: ImageBatches,
    *,
    num_temperatures: int = 500,
    num_chains: int = 16,
    codes: np.ndarray | None = None,
    batch_size: int = 64,
    seed: int = 0,
) -> np.ndarray:
    """(image,): an estimate of log p(x), in nats, by annealing from the prior to the posterior.

        log p(x) ~ log mean over chains of exp(sum over t of (b_t - b_(t-1)) log p(x|z_(t-1)))
        z_t: a Hamiltonian move that leaves p(z) p(x|z)^b_t as it is,  b from 0 to 1 along a sigmoid

    It is a lower bound of log p(x) on average. From the codes that made the images, annealed backward, comes an upper
    bound; the true value lies between the two, so that together they say how good both are.

    Args:
        model: The model.
        images: In [0, 1]; a tensor or a stream of batches.
        num_temperatures: Steps from prior to posterior; time grows with it, and the bound closes.
        num_chains: For each image.
        codes: (image, latent) from which each image was drawn by the model; left out, the lower bound.
        batch_size: Images whose chains run together.
        seed: Of every draw.

    Raises:
        InputError: A number is below 1, or there are other codes than images.

    *Source*: Neal 2001 (https://arxiv.org/abs/physics/9803008); Wu et al. 2017 (https://arxiv.org/abs/1611.04273), with
    the bidirectional check of Grosse, Ancha and Roy 2016 (https://arxiv.org/abs/1606.02275).
    """
    for name, value in (("num_temperatures", num_temperatures), ("num_chains", num_chains)):
        if value < 1:
            raise InputError(name, "be at least 1", value)
    found, start = [], 0
    with evaluating(model), local_randomness(apart(seed), device_of(model)):
        for given, x in batches(model, images, batch_size):
            own = None
            if codes is not None:
                own = torch.from_numpy(codes[start : start + len(x)]).to(x)
                if own.shape != (len(x), model.latent_dim):
                    raise InputError("codes", f"be one row of {model.latent_dim} for each image", codes.shape)
            found.append(_chains(given, x, own, num_temperatures, num_chains))
            start += len(x)
    return np.concatenate(found)


def schedule(num_temperatures: int) -> Tensor:
    """(temperature,): from 0 to 1 along a sigmoid, slow at both ends."""
    ends = torch.linspace(-4, 4, num_temperatures + 1, dtype=torch.float64).sigmoid()
    return (ends - ends[0]) / (ends[-1] - ends[0])


def _chains(model: Model, x: Images, codes: Latents | None, num_temperatures: int, num_chains: int) -> np.ndarray:
    """The estimates of one batch; forward from the prior, or backward from the codes."""
    many = x.expand(num_chains, *x.shape).flatten(0, 1)
    if codes is None:
        powers, z = schedule(num_temperatures), model.prior.sample(torch.Size([len(many)]))
    else:
        powers, z = schedule(num_temperatures).flip(0), codes.expand(num_chains, *codes.shape).flatten(0, 1)
    weights = torch.zeros(len(many), dtype=torch.float64, device=x.device)
    size = torch.full((len(many),), 0.1, device=x.device)
    likelihood = model.decode(z).log_prob(many)
    for before, now in zip(powers[:-1].tolist(), powers[1:].tolist(), strict=True):
        weights += (now - before) * likelihood.double()
        z, likelihood, size = _move(model, many, z, likelihood, now, size)
    estimate = weights.view(num_chains, len(x)).logsumexp(0) - math.log(num_chains)
    return (estimate if codes is None else -estimate).cpu().numpy()


def _move(
    model: Model, x: Images, z: Latents, likelihood: PerImage, power: float, size: PerImage
) -> tuple[Latents, PerImage, PerImage]:
    """One Hamiltonian move that leaves p(z) p(x|z)^power as it is; the next steps' size follows what is accepted."""

    def slope(z: Latents) -> tuple[Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            likelihood = model.decode(z).log_prob(x)
            target = model.prior.log_prob(z) + power * likelihood
            return likelihood.detach(), target.detach(), torch.autograd.grad(target.sum(), z)[0]

    momentum = torch.randn_like(z)
    began = likelihood, *slope(z)[1:]
    at, push, step = z, momentum + size[:, None] / 2 * began[2], size[:, None]
    ended = began
    for leap in range(LEAPFROG_STEPS):
        at = at + step * push
        ended = slope(at)
        push = push + step * ended[2] * (0.5 if leap == LEAPFROG_STEPS - 1 else 1.0)
    energy = ended[1] - began[1] - (push.square() - momentum.square()).sum(1) / 2
    accepted = torch.rand_like(energy).log() < energy
    z = torch.where(accepted[:, None], at, z)
    grown = torch.where(accepted, 1.02, 1.02 ** (-ACCEPTED / (1 - ACCEPTED)))
    return z, torch.where(accepted, ended[0], likelihood), (size * grown).clamp(1e-4, 0.5)
