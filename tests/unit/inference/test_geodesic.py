"""Geodesics against surfaces on which their length is known."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from toy_models import LinearVAE
from vaelab.errors import InputError
from vaelab.inference import Bending, geodesics, log_magnification, pullback_metric
from vaelab.models import Model, VAEConfig


class Surface(Model):
    """A decoder that is a surface in three pixels."""

    def __init__(self, surface: Callable[[Tensor], Tensor]):
        super().__init__()
        self.surface, self.image_shape, self.latent_dim = surface, (1, 1, 3), 2
        self.scale = nn.Parameter(torch.ones(3, dtype=torch.float64))

    @property
    def prior(self) -> Distribution:
        return Independent(Normal(torch.zeros(2), torch.ones(2)), 1)

    def encode(self, x: Tensor) -> Independent:
        raise NotImplementedError

    def decode(self, z: Tensor) -> Distribution:
        return Independent(Normal((self.scale * self.surface(z)).view(-1, 1, 1, 3), 1.0), 3)


def sphere(z: Tensor) -> Tensor:
    """Of radius 1, by longitude and latitude."""
    longitude, latitude = z.T
    return torch.stack([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], 1)


def swiss_roll(z: Tensor) -> Tensor:
    """By angle and height; flat once it is unrolled."""
    angle, height = z.T
    return torch.stack([angle * angle.cos(), height, angle * angle.sin()], 1)


def points(*values: tuple[float, float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_on_a_sphere_it_is_a_great_circle():
    z, other = points((0, 1), (0, 0.5), (0, 0), (0.3, -1)), points((pi / 2, 1), (2, 0.5), (1, 0), (1, 1.2))
    found = geodesics(Surface(sphere), z, other, Bending(num_steps=80))
    ends = sphere(z), sphere(other)
    angles = torch.arccos((ends[0] * ends[1]).sum(1)).numpy()
    np.testing.assert_allclose(found.lengths, angles / 3**0.5, rtol=5e-4)
    np.testing.assert_allclose(found.chords, (ends[0] - ends[1]).norm(dim=1).numpy() / 3**0.5, rtol=1e-9)
    np.testing.assert_allclose(found.straight[0], np.cos(1) * pi / 2 / 3**0.5, rtol=1e-3)  # along the parallel
    assert found.ratios[2] == pytest.approx(1, abs=1e-6)  # along the equator
    assert (found.ratios <= 1).all()
    middle = sphere(torch.from_numpy(found.points[:, 4]))  # half way, as the angle goes
    np.testing.assert_allclose(torch.arccos((ends[0] * middle).sum(1)), angles / 2, rtol=0.01)


def test_on_a_swiss_roll_it_is_straight_once_unrolled():
    z, other = points((2, 0), (1, 0), (1, 0)), points((6, 6), (9, 10), (9, 50))
    found = geodesics(Surface(swiss_roll), z, other, Bending(num_steps=80))
    unrolled = [(angle * (1 + angle**2).sqrt() + angle.asinh()) / 2 for angle in (z[:, 0], other[:, 0])]
    expected = torch.hypot(unrolled[1] - unrolled[0], other[:, 1] - z[:, 1]) / 3**0.5
    np.testing.assert_allclose(found.lengths, expected, rtol=2e-3)
    assert found.ratios[2] < 0.98


def test_behind_a_linear_decoder_the_straight_line_is_shortest():
    model, random = LinearVAE(), torch.Generator().manual_seed(0)
    z, other = torch.randn(2, 5, 3, generator=random, dtype=torch.float64)
    found = geodesics(model, z, other, Bending(num_steps=20))
    expected = ((other - z) @ model.weight.detach().T).square().mean(1).sqrt()
    for lengths in (found.lengths, found.straight, found.chords):
        np.testing.assert_allclose(lengths, expected, rtol=1e-6)
    line = z[:, None] + torch.linspace(0, 1, 9)[:, None] * (other - z)[:, None]
    np.testing.assert_allclose(found.points, line, atol=0.02)


def test_the_metric_of_a_linear_decoder_and_of_a_sphere():
    model = LinearVAE()
    metric = pullback_metric(model, torch.zeros(2, 3, dtype=torch.float64))
    expected = (model.weight.T @ model.weight / len(model.weight)).detach().numpy()
    np.testing.assert_allclose(metric, np.stack([expected, expected]), atol=1e-12)
    np.testing.assert_allclose(log_magnification(metric), np.log(np.linalg.det(expected)) / 2)
    at = points((0.4, 0.3), (2, -1))
    expected = np.stack([np.diag([np.cos(latitude) ** 2, 1]) / 3 for latitude in (0.3, -1)])
    np.testing.assert_allclose(pullback_metric(Surface(sphere), at, batch_size=1), expected, atol=1e-12)


def test_the_metric_of_a_network_is_that_of_small_steps():
    torch.manual_seed(0)
    vae = VAEConfig(latent_dim=3).build((2, 8, 8)).double().eval()
    z, step = torch.randn(4, 3, dtype=torch.float64), 1e-5
    with torch.no_grad():
        slopes = [
            (vae.decode(z + e).mean - vae.decode(z - e).mean).flatten(1) / (2 * step) for e in step * torch.eye(3)
        ]
    jacobian = torch.stack(slopes, 2).numpy()
    np.testing.assert_allclose(pullback_metric(vae, z), jacobian.swapaxes(1, 2) @ jacobian / 128, rtol=1e-4, atol=1e-12)


def test_a_flat_decoder_and_equal_ends_have_no_length():
    flat = Surface(lambda z: 0 * sphere(z))
    found = geodesics(flat, points((0, 0), (1, 1)), points((1, 0), (1, 1)), Bending(num_steps=3))
    assert found.lengths.tolist() == [0, 0]
    assert found.ratios.tolist() == [1, 1]
    assert np.isneginf(log_magnification(pullback_metric(flat, points((0, 0))))).all()


def test_conditions_are_those_of_each_pair():
    torch.manual_seed(0)
    vae = VAEConfig(latent_dim=2).build((1, 8, 8), num_conditions=1)
    z, other, c = torch.randn(3, 2), torch.randn(3, 2), torch.tensor([[0.0], [1.0], [-2.0]])
    together = geodesics(vae.given(c), z, other, Bending(num_steps=4))
    for i in range(3):
        alone = geodesics(vae.given(c[i : i + 1]), z[i : i + 1], other[i : i + 1], Bending(num_steps=4))
        np.testing.assert_allclose(together.lengths[i], alone.lengths[0], rtol=1e-4)
    metric = pullback_metric(vae.given(c), z, batch_size=2)
    np.testing.assert_allclose(metric[2], pullback_metric(vae.given(c[2:]), z[2:])[0], rtol=1e-4)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match=r"z_other should hold codes as z does, \(2, 3\), got \(1, 3\)"):
        geodesics(LinearVAE(), torch.zeros(2, 3), torch.zeros(1, 3))
    with pytest.raises(InputError, match="num_points should be at least 2, got 1"):
        geodesics(LinearVAE(), torch.zeros(2, 3), torch.zeros(2, 3), num_points=1)
