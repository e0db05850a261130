"""Posteriors without the encoder: a Gaussian of its own for each image, found by gradient steps on its ELBO."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from vaelab.data.rows import Rows
from vaelab.distributions import Pixelwise, rate
from vaelab.errors import InputError
from vaelab.inference.batches import ImageBatches, Trained, batches, images_at_once, opened
from vaelab.inference.embed import Embedding
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.settings.ranges import AtLeast1, Positive, Settings
from vaelab.shapes import Images

_PIXELS_TOGETHER = 1 << 17
MEMORY = 0.9
"""Of the running mean by which an image's ELBO is followed, about ten steps."""


@dataclass(frozen=True, kw_only=True)
class Search(Settings):
    """How the posterior of each image is searched for."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """How a gradient becomes a step."""
    learning_rate: Positive = 0.05
    """Of each step."""
    num_steps: AtLeast1 = 500
    """Gradient steps at most."""
    patience: AtLeast1 = 50
    """An image is left alone once its ELBO, a running mean over about ten steps, was not at its best for so many."""
    num_samples: AtLeast1 = 1
    """Monte-Carlo samples per step."""
    start: Literal["prior", "encoder"] = "prior"
    """Where it begins. prior: mean drawn from N(0, 1), standard deviation 1; encoder: at the encoder's posterior."""
    covariance: Literal["diag", "full"] = "diag"
    """Whether latents are independent in the posterior, or may depend on each other."""


STUDY = Search(optimizer="sgd", learning_rate=0.001)
"""The setting of study 2: plain gradient steps, 500 at most, one sample, patience 50."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Inferred:
    """The posterior that was found for each image."""

    loc: np.ndarray
    """(image, latent): its mean."""
    factor: np.ndarray
    """(image, latent, latent): the lower triangular L of its covariance L L^T; diagonal if latents are independent."""
    num_steps: np.ndarray
    """(image,): steps until it was left alone."""
    curve: np.ndarray
    """(step,): running mean of the ELBO, nats per image, averaged over images; those left alone stay at their best."""

    @property
    def embedding(self) -> Embedding:
        """Means and standard deviations of each latent."""
        return Embedding(loc=self.loc, scale=np.sqrt(np.square(self.factor).sum(-1)))

    def posterior(self, start: int = 0, stop: int | None = None, device: torch.device | str = "cpu") -> Distribution:
        """q(z) of the images from start to stop, a batch of distributions over (latent,)."""
        loc, factor = (torch.from_numpy(each[start:stop]).to(device) for each in (self.loc, self.factor))
        return _gaussian(loc, factor)


def infer(
    model: Model | Trained,
    images: ImageBatches | Rows | None = None,
    search: Search | None = None,
    *,
    visible: np.ndarray | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Inferred:
    """For each image the Gaussian q(z) that makes its ELBO largest, the model left as it is.

        maximise over m, L:  E[log p(x_visible | z)] - KL(N(m, L L^T) || p(z)),  z ~ N(m, L L^T)

    All images of a batch take their steps together, each with a gradient and a stop of its own; those that have stopped
    leave the batch. What is kept is the posterior at the best running mean.

    Args:
        model: The model, or a run.
        images: As in `embed`.
        search: How; left out, Adam with 0.05. `STUDY` is the plain gradient descent of study 2.
        visible: (channel, height, width) or (height, width), True where pixels are known; left out, everywhere.
        seed: Of where it begins and of every draw.
        batch_size: Images that are searched for together; left out, 2,000, by convolutions as many as fit the caches.
        on_step: Called after each step with the number of images that left the batch, and at last with the rest.

    Raises:
        InputError: There are no images, or they are not such as the model takes; or the mask is of another shape.

    *Source*: Cremer, Li and Duvenaud 2018, section 5 (https://arxiv.org/abs/1801.03558); Hjelm et al. 2016.

    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8))
    >>> infer(vae, torch.rand(5, 1, 8, 8).round(), Search(num_steps=3)).loc.shape
    (5, 2)
    """
    search = search or Search()
    model, images = opened(model, images)
    mask = None if visible is None else torch.from_numpy(mask_for(visible, model.image_shape)).to(device_of(model))
    found = []
    with evaluating(model), local_randomness(seed, device_of(model)):
        for given, x in batches(model, images, batch_size or searched_together(model)):
            found.append(_search(given, x, search, mask, on_step))
    steps = max(len(part.curve) for part in found)
    sizes = np.array([len(part.loc) for part in found])
    curves = np.stack([np.pad(part.curve, (0, steps - len(part.curve)), mode="edge") for part in found])
    return Inferred(
        loc=np.concatenate([part.loc for part in found]),
        factor=np.concatenate([part.factor for part in found]),
        num_steps=np.concatenate([part.num_steps for part in found]),
        curve=np.average(curves, axis=0, weights=sizes),
    )


def searched_together(model: Model) -> int:
    """How many images' searches should go through the decoder together: 2,000, by convolutions 32 of 64x64.

    Their activations, at full resolution and with what the gradient needs, leave the caches sooner than those of an
    encoder alone do.
    """
    if not any(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in model.modules()):
        return 8 * images_at_once(model.image_shape)
    return min(2048, max(4, _PIXELS_TOGETHER // math.prod(model.image_shape[1:])))


def mask_for(visible: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """(channel, height, width), True where pixels are known.

    Raises:
        InputError: It is not of the images' shape, not of truth values, or hides or shows all.
    """
    mask = np.asarray(visible)
    if mask.dtype != bool or mask.shape not in (image_shape, image_shape[1:]):
        should = f"be True or False for each pixel, {image_shape[1:]} or {image_shape}"
        raise InputError("visible", should, f"{mask.dtype} of shape {mask.shape}")
    if not mask.any():
        raise InputError("visible", "leave some pixels to see", "none")
    return np.broadcast_to(mask, image_shape).copy()


def log_likelihood(p: Distribution, x: Images, mask: Tensor | None) -> Tensor:
    """log p of the visible pixels, in nats per image.

    Raises:
        InputError: Some are hidden, and the pixels of the likelihood do not stand for themselves.
    """
    if mask is None:
        return p.log_prob(x)
    if not isinstance(p, Pixelwise):
        raise InputError("the likelihood", "be of independent pixels where some are hidden", type(p).__name__)
    return -(p.nats_per_pixel(torch.where(mask, x, 0)) * mask).sum((-3, -2, -1))


def _search(
    model: Model, x: Images, search: Search, mask: Tensor | None, on_step: Callable[[int], None] | None
) -> Inferred:
    """The posteriors of one batch."""
    loc, raw = _started(model, x, search)
    kept_loc, kept_raw = loc.clone(), raw.clone()
    best = torch.full((len(x),), -torch.inf, device=x.device)
    steps, waited, mean = (torch.zeros(len(x), device=x.device) for _ in range(3))
    there, curve = torch.arange(len(x), device=x.device), []
    update = Steps(search)
    for step in range(1, search.num_steps + 1):
        elbos, gradients = _gradients(_of_rows(model, there, len(x)), x[there], loc, raw, search.num_samples, mask)
        fine = (
            torch.isfinite(elbos) & torch.isfinite(gradients[0]).all(1) & torch.isfinite(gradients[1]).flatten(1).all(1)
        )
        mean[there] = torch.where(fine, MEMORY * mean[there] + (1 - MEMORY) * elbos, -torch.inf)
        now = mean[there] / (1 - MEMORY**step)
        better = now > best[there]
        best[there] = torch.where(better, now, best[there])
        waited[there] = torch.where(better, 0, waited[there] + 1)
        kept_loc[there[better]], kept_raw[there[better]] = loc[better], raw[better]
        steps[there] = step
        curve.append(best.mean().item())
        on = fine & (waited[there] < search.patience)
        if not on.all():
            there, loc, raw, gradients = there[on], loc[on], raw[on], tuple(g[on] for g in gradients)
            update.keep(on)
        if on_step:
            on_step(int((~on).sum()))
        if not len(there):
            break
        loc, raw = update((loc, raw), gradients)
    if on_step and len(there):
        on_step(len(there))
    return Inferred(
        loc=kept_loc.cpu().numpy(),
        factor=_factor(kept_raw).cpu().numpy(),
        num_steps=steps.long().cpu().numpy(),
        curve=np.array(curve),
    )


def _started(model: Model, x: Images, search: Search) -> tuple[Tensor, Tensor]:
    """Mean and unconstrained factor of each image's Gaussian: the logs of its diagonal, and what lies below."""
    if search.start == "encoder":
        q = model.encode(x)
        loc, log_scale = q.mean.clone(), q.stddev.log()
    else:
        loc = torch.randn(len(x), model.latent_dim, device=x.device)
        log_scale = torch.zeros_like(loc)
    return loc, log_scale if search.covariance == "diag" else torch.diag_embed(log_scale)


def _factor(raw: Tensor) -> Tensor:
    """(image, latent, latent), lower triangular, its diagonal positive."""
    if raw.ndim == 2:
        return torch.diag_embed(raw.exp())
    return raw.tril(-1) + torch.diag_embed(raw.diagonal(dim1=-2, dim2=-1).exp())


def _gaussian(loc: Tensor, factor: Tensor) -> Distribution:
    """Independent latents where the factor is diagonal, for their closed forms."""
    diagonal = factor.diagonal(dim1=-2, dim2=-1)
    if not factor.tril(-1).any():
        return Independent(Normal(loc, diagonal, validate_args=False), 1, validate_args=False)
    return MultivariateNormal(loc, scale_tril=factor, validate_args=False)


def _gradients(
    model: Model, x: Images, loc: Tensor, raw: Tensor, num_samples: int, mask: Tensor | None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """An estimate of each image's ELBO, and its slope in mean and factor."""
    with torch.enable_grad():
        loc, raw = loc.detach().requires_grad_(), raw.detach().requires_grad_()
        if raw.ndim == 2:
            q: Distribution = Independent(Normal(loc, raw.exp(), validate_args=False), 1, validate_args=False)
        else:
            q = MultivariateNormal(loc, scale_tril=_factor(raw), validate_args=False)
        z = q.rsample(torch.Size([num_samples]))
        many = x.expand(num_samples, *x.shape).flatten(0, 1)
        likelihood = log_likelihood(model.decode(z.flatten(0, 1)), many, mask).view(num_samples, len(x)).mean(0)
        elbos = likelihood - _rate(q, model.prior, z)
        return elbos.detach(), torch.autograd.grad(elbos.sum(), (loc, raw))


def _rate(q: Distribution, prior: Distribution, z: Tensor) -> Tensor:
    try:
        return rate(q, prior)
    except InputError:  # no closed form
        return (q.log_prob(z) - prior.log_prob(z)).mean(0)


def _of_rows(model: Model, rows: Tensor, count: int) -> Model:
    """The model for some of its images."""
    given = model.conditions
    if given is None or len(given) == 1 or len(rows) == count:
        return model
    return model.given(given[rows])


class Steps:
    """Steps upward of several tensors with one row per image; rows may leave.

    *Source*: Kingma and Ba 2015 (https://arxiv.org/abs/1412.6980).
    """

    def __init__(self, search: Search):
        self.rate, self.adaptive, self.count = search.learning_rate, search.optimizer == "adam", 0
        self.moments: list[tuple[Tensor, Tensor]] = []

    def __call__(self, values: tuple[Tensor, ...], gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not self.adaptive:
            return tuple(value + self.rate * gradient for value, gradient in zip(values, gradients, strict=True))
        self.count += 1
        self.moments = self.moments or [(torch.zeros_like(g), torch.zeros_like(g)) for g in gradients]
        self.moments = [
            (0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g)
            for (first, second), g in zip(self.moments, gradients, strict=True)
        ]
        first_share, second_share = 1 - 0.9**self.count, 1 - 0.999**self.count
        return tuple(
            value + self.rate * (first / first_share) / ((second / second_share).sqrt() + 1e-8)
            for value, (first, second) in zip(values, self.moments, strict=True)
        )

    def keep(self, rows: Tensor) -> None:
        """Forgets all other rows."""
        self.moments = [(first[rows], second[rows]) for first, second in self.moments]
