"""How the decoder bends the latent space: its pull-back metric, and shortest curves between codes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaelab.errors import InputError
from vaelab.inference.batches import Trained, images_at_once, model_of
from vaelab.inference.infer import Search, Steps
from vaelab.models import Model, evaluating
from vaelab.settings.ranges import AtLeast1, Positive, Settings
from vaelab.shapes import Latents

Ends = Float[Tensor, "pair latent"]
Others = Float[Tensor, "other latent"]
Curves = Float[Tensor, "pair point latent"]
_FINER = 4
"""Times as many pieces while a curve is measured as while it is searched for."""


@dataclass(frozen=True, kw_only=True)
class Bending(Settings):
    """How a shortest curve is searched for."""

    num_pieces: AtLeast1 = 16
    """Straight pieces of which the curve is made while it is searched for."""
    num_waves: AtLeast1 = 6
    """Half waves of which its deviation from the straight line is made up, in each latent."""
    num_steps: AtLeast1 = 200
    """Steps of Adam; all pairs take them together."""
    learning_rate: Positive = 0.03
    """Of the first step, in distances of the pair; it falls to 0 along half a cosine."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Geodesics:
    """Curves between pairs of codes. Lengths and distances are of the images: root mean squares over pixels."""

    points: np.ndarray
    """(pair, point, latent): the curves, their points at equal times, both ends included."""
    lengths: np.ndarray
    """(pair,): of the curves, in the images."""
    straight: np.ndarray
    """(pair,): of the straight lines between the same codes, in the images."""
    chords: np.ndarray
    """(pair,): the distance between the two images, below which no curve's length can be."""
    energies: np.ndarray
    """(step, pair): of the curve as it was searched for."""

    @property
    def ratios(self) -> np.ndarray:
        """(pair,): how long the curve is, the straight line being 1; at most 1. Where nothing moves it is 1."""
        return np.divide(self.lengths, self.straight, out=np.ones_like(self.lengths), where=self.straight > 0)


def pullback_metric(model: Model | Trained, z: Latents, batch_size: int | None = None) -> np.ndarray:
    """How far the image moves with the code, in each direction of the latent space.

        G(z) = J(z)^T J(z) / D,   J the derivative of the mean of p(x|z) by z, D its pixels times channels

    So sqrt(dz^T G dz) is the root mean square over pixels of how the image changes, 1 being from black to white.

    Args:
        model: The model, or a run; given conditions, of each code, or of as many as come again and again.
        z: Codes, on the model's device.
        batch_size: Codes that go through the network at once; left out, 256, fewer where images are large.

    Returns:
        (image, latent, latent), float64, symmetric, without negative eigenvalues but for rounding.

    *Source*: Arvanitidis, Hansen and Hauberg 2018, section 2 (https://arxiv.org/abs/1710.11379); Shao, Kumar and
    Fletcher 2018 (https://arxiv.org/abs/1711.08014).

    >>> from vaelab.models import VAEConfig
    >>> pullback_metric(VAEConfig(latent_dim=2).build((1, 8, 8)), torch.zeros(5, 2)).shape
    (5, 2, 2)
    """
    model = model_of(model)
    batch_size = batch_size or images_at_once(model.image_shape)
    found = []
    with evaluating(model):
        for start in range(0, len(z), batch_size):
            some = z[start : start + batch_size]
            jacobian = _jacobian(_given(model, start, start + len(some), len(z)), some).double()
            found.append((jacobian.mT @ jacobian / jacobian.shape[1]).cpu().numpy())
    return np.concatenate(found)


def _jacobian(model: Model, z: Latents) -> Tensor:
    """(image, pixel, latent): forward slopes from two backward ones, so that it takes a pass for each latent."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        images = model.decode(z).mean.flatten(1)
        weights = torch.zeros_like(images, requires_grad=True)
        (pulled,) = torch.autograd.grad(images, z, weights, create_graph=True)
        axes = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
        slopes = [torch.autograd.grad(pulled, weights, axis.expand_as(z), retain_graph=True)[0] for axis in axes]
    return torch.stack(slopes, 2)


def log_magnification(metric: np.ndarray) -> np.ndarray:
    """(image,): log sqrt(det G), how much more the images change in a unit of latent volume; -inf where a latent is
    without effect.

    Args:
        metric: (image, latent, latent), as `pullback_metric` gives it.

    *Source*: Bishop, Svensen and Williams 1997, Magnification factors for the GTM algorithm.

    >>> log_magnification(4 * np.eye(3)[None]).round(6)
    array([2.079442])
    """
    sizes = np.linalg.eigvalsh(metric).clip(0)
    with np.errstate(divide="ignore"):
        return np.log(sizes).sum(1) / 2


def geodesics(
    model: Model | Trained, z: Ends, z_other: Others, how: Bending | None = None, *, num_points: int = 9
) -> Geodesics:
    """Between pairs of codes, curves that are as short as can be found by what happens to the image along them.

        minimise over c:  sum over pieces |f(c(t + dt)) - f(c(t))|^2 / dt,   c(0) = z,  c(1) = z',  f the decoder's mean
        c(t) = (1 - t) z + t z' + sum over k of a_k sin(pi k t) / k

    A curve of least energy is a shortest one that moves at even speed. The search begins at the straight line, so it
    finds a shortest curve near that; one that goes round the other way stays unseen. It knows nothing of where
    images lie: a hole in the aggregate posterior is crossed wherever the decoder is flat there. Lengths are measured on
    four times as many pieces; a curve that turns out longer than the straight line is given up for it.

    Args:
        model: The model, or a run; given conditions, of each pair.
        z: (pair, latent), where each curve begins, on the model's device.
        z_other: Where it ends.
        how: How it is searched for; left out, 200 steps of Adam.
        num_points: Of the curves that are given back, both ends included; 2 or more.

    Raises:
        InputError: There are not as many codes on both sides, or num_points is too small.

    *Source*: Shao, Kumar and Fletcher 2018, The Riemannian geometry of deep generative models, algorithm 1
    (https://arxiv.org/abs/1711.08014); Chen et al. 2018, Metrics for deep generative models
    (https://arxiv.org/abs/1711.01204).

    >>> from vaelab.models import VAEConfig
    >>> vae, z = VAEConfig(latent_dim=2).build((1, 8, 8)), torch.eye(2)
    >>> geodesics(vae, z, z.flip(0), Bending(num_steps=3)).points.shape
    (2, 9, 2)
    """
    how = how or Bending()
    if z.shape != z_other.shape:
        raise InputError("z_other", f"hold codes as z does, {tuple(z.shape)}", tuple(z_other.shape))
    if num_points < 2:
        raise InputError("num_points", "be at least 2", num_points, "The two ends are counted.")
    model = model_of(model)
    with evaluating(model):
        waves, energies = _searched(model, z, z_other, how)
        lengths = _lengths(model, _curve(z, z_other, waves, _FINER * how.num_pieces))
        straight = _lengths(model, _curve(z, z_other, 0 * waves, _FINER * how.num_pieces))
        waves = torch.where((lengths < straight)[:, None, None], waves, 0)
        points = _curve(z, z_other, waves, num_points - 1)
        chords = _lengths(model, torch.stack([z, z_other], 1))
    lengths, straight, chords = (each.cpu().numpy() for each in (lengths.minimum(straight), straight, chords))
    return Geodesics(
        points=points.cpu().numpy(), lengths=lengths, straight=straight, chords=chords, energies=energies.cpu().numpy()
    )


def _searched(model: Model, z: Ends, z_other: Ends, how: Bending) -> tuple[Tensor, Tensor]:
    """(pair, wave, latent) of least energy, and (step, pair) the energies."""
    apart = (z_other - z).norm(dim=1).view(-1, 1, 1)
    waves = torch.zeros(len(z), how.num_waves, z.shape[1], dtype=z.dtype, device=z.device)
    best, kept, energies, adam = torch.full_like(apart[:, 0, 0], torch.inf), waves.clone(), [], Steps(Search())
    for step in range(how.num_steps + 1):
        with torch.enable_grad():
            waves = waves.detach().requires_grad_()
            moves = _moves(model, _curve(z, z_other, apart * waves, how.num_pieces))
            energy = moves.square().mean(2).sum(1) * how.num_pieces
            (slope,) = torch.autograd.grad(energy.sum(), waves)
        energy = energy.detach()
        better = energy < best
        best = torch.where(better, energy, best)
        kept[better] = waves.detach()[better]
        energies.append(energy)
        if step < how.num_steps:
            adam.rate = how.learning_rate * (1 + math.cos(math.pi * step / how.num_steps)) / 2
            (waves,) = adam((waves,), (-slope,))
    return apart * kept, torch.stack(energies)


def _curve(z: Ends, z_other: Ends, waves: Tensor, num_pieces: int) -> Curves:
    """Points of the curves at equal times, both ends included."""
    t = torch.linspace(0, 1, num_pieces + 1, dtype=z.dtype, device=z.device)
    k = torch.arange(1, waves.shape[1] + 1, dtype=z.dtype, device=z.device)
    bent = torch.sin(math.pi * t[1:-1, None] * k) / k
    bent = torch.nn.functional.pad(bent, (0, 0, 1, 1))
    return z[:, None] + t.view(-1, 1) * (z_other - z)[:, None] + bent @ waves


def _moves(model: Model, curves: Curves) -> Tensor:
    """(pair, piece, pixel): how the image changes along each piece."""
    pairs, points, _ = curves.shape
    flat = curves.transpose(0, 1).flatten(0, 1)
    given = model if model.conditions is None else model.given(model.conditions_of(len(flat)))
    images = given.decode(flat).mean.flatten(1).view(points, pairs, -1)
    return images.diff(dim=0).transpose(0, 1)


def _lengths(model: Model, curves: Curves) -> Tensor:
    """(pair,), float64: sum over pieces of the root mean square over pixels."""
    pairs = range(len(curves))
    found = [_moves(_given(model, i, i + 1, len(curves)), curves[i : i + 1]) for i in pairs]
    return torch.cat([moves.double().square().mean(2).sqrt().sum(1) for moves in found])


def _given(model: Model, start: int, stop: int, count: int) -> Model:
    """The model for some of so many codes."""
    conditions = model.conditions_of(count)
    return model if conditions is None else model.given(conditions[start:stop])
