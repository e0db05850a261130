"""The factor penalties against sums written out, NumPy, and what they say of known dependences."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from toy_models import ImagesOf
from vaelab.errors import InputError
from vaelab.models import VAEConfig
from vaelab.penalties import Encoded
from vaelab.penalties.dip import DIP, covariance
from vaelab.penalties.entanglement import Entanglement
from vaelab.penalties.factor import Factor, permuted
from vaelab.penalties.hsic import HSIC, hsic
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.schedules import time_of

MODEL = VAEConfig(latent_dim=4).build((1, 4, 4))
IMAGES = ImagesOf(torch.zeros(0, 1, 4, 4), 50)


def encoded_as(loc, scale=None, z=None):
    scale = torch.ones_like(loc) if scale is None else scale
    return Encoded(torch.zeros(len(loc), 1), Independent(Normal(loc, scale), 1), loc if z is None else z, MODEL.prior)


def charge_of(penalty, encoded):
    return penalty(MODEL, encoded, penalty.build(MODEL, IMAGES, (1,)), time_of(0))


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


# DIP


def test_covariances_are_those_of_numpy(random):
    loc, scale = (torch.randn(50, 4, generator=random, dtype=torch.float64) for _ in range(2))
    q = Independent(Normal(loc, scale.abs()), 1)
    of_means = np.cov(loc.T.numpy(), bias=True)
    np.testing.assert_allclose(covariance(q, "I"), of_means, rtol=1e-10)
    torch.manual_seed(0)
    draws = q.sample((20_000,)).flatten(0, 1)
    np.testing.assert_allclose(covariance(q, "II"), np.cov(draws.T.numpy(), bias=True), atol=0.01)
    np.testing.assert_allclose(covariance(q, "II"), of_means + np.diag((scale**2).mean(0)), rtol=1e-10)


@pytest.mark.parametrize("variant", ["I", "II"])
def test_dip_by_a_double_loop(variant, random):
    loc, scale = (torch.randn(20, 4, generator=random) for _ in range(2))
    encoded = encoded_as(loc, scale.abs())
    matrix = covariance(encoded.q, variant)
    off_diagonal = sum(matrix[i, j] ** 2 for i in range(4) for j in range(4) if i != j)
    diagonal = sum((matrix[i, i] - 1) ** 2 for i in range(4))
    charge = charge_of(DIP(variant=variant, diagonal_ratio=3), encoded)
    torch.testing.assert_close(charge.cost, off_diagonal + 3 * diagonal)
    torch.testing.assert_close(charge.reports["dip_off_diagonal"], off_diagonal)
    torch.testing.assert_close(charge.reports["dip_diagonal"], diagonal)


def test_dip_is_0_where_the_covariance_is_the_identity():
    corners = torch.tensor([[a, b, a * b, 0.0] for a in (-1.0, 1.0) for b in (-1.0, 1.0)])
    assert charge_of(DIP(variant="I"), encoded_as(corners)).cost == 10, "the last latent, of variance 0"
    spread = torch.tensor([1e-9, 1e-9, 1e-9, 1.0]).expand(4, 4)
    assert charge_of(DIP(variant="II"), encoded_as(corners, spread)).cost == 0


def test_dip_of_independent_latents_falls_with_the_batch(random):
    for batch_size in (20, 200):
        batches = torch.randn(2000, batch_size, 4, generator=random)
        costs = [charge_of(DIP(variant="I", diagonal_ratio=0), encoded_as(loc)).cost for loc in batches[:400]]
        assert torch.stack(costs).mean() == pytest.approx(12 / batch_size, rel=0.15)


# HSIC


def gretton(x, y, kernel):
    """The criterion of two latents as a sum over all quadruples of images."""
    size = range(len(x))
    k = [[kernel(x, i, j) for j in size] for i in size]
    m = [[kernel(y, i, j) for j in size] for i in size]
    pairs = sum(k[i][j] * m[i][j] for i in size for j in size) / len(x) ** 2
    apart = sum(k[i][j] * m[q][r] for i in size for j in size for q in size for r in size) / len(x) ** 4
    mixed = sum(k[i][j] * m[i][q] for i in size for j in size for q in size) / len(x) ** 3
    return pairs + apart - 2 * mixed


@pytest.mark.parametrize("bandwidth", [1.0, 0.4])
def test_hsic_by_sums_over_quadruples(bandwidth, random):
    z = torch.randn(7, 4, generator=random, dtype=torch.float64)

    def kernel(latent, i, j):
        return np.exp(-((latent[i] - latent[j]) ** 2) / (2 * bandwidth**2 * np.var(latent)))

    columns = z.T.numpy()
    expected = sum(gretton(columns[i], columns[j], kernel) for i, j in combinations(range(4), 2))
    assert charge_of(HSIC(bandwidth=bandwidth), encoded_as(z)).cost.item() == pytest.approx(expected, rel=1e-9)


def test_hsic_of_independent_latents_is_its_stated_bias(random):
    """Of normal latents the mean of the kernel at bandwidth 1 is 1/sqrt(3)."""
    for batch_size in (50, 400):
        values = [hsic(torch.randn(batch_size, 2, generator=random))[0, 1] for _ in range(60)]
        assert torch.stack(values).mean() == pytest.approx((1 - 3**-0.5) ** 2 / batch_size, rel=0.2)


def test_hsic_sees_what_a_covariance_does_not(random):
    x = torch.randn(300, 1, generator=random)
    curved = torch.cat([x, x**2 + 0.1 * torch.randn(300, 1, generator=random)], 1)
    apart = torch.randn(300, 2, generator=random)
    assert hsic(curved)[0, 1] > 20 * hsic(apart)[0, 1]


def test_hsic_does_not_change_with_shift_and_scale_so_no_latent_is_drawn_to_zero(random):
    z = torch.randn(40, 4, generator=random, dtype=torch.float64)
    z[:, 1] += z[:, 0]
    z.requires_grad_()
    cost = charge_of(HSIC(), encoded_as(z)).cost
    moved = z.detach() * torch.tensor([0.01, 3, 1, 100]) + 5
    assert charge_of(HSIC(), encoded_as(moved)).cost.item() == pytest.approx(cost.item(), rel=1e-6)
    cost.backward()
    assert z.grad.abs().max() > 1e-4
    torch.testing.assert_close((z.grad * z).sum(0), torch.zeros(4, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(z.grad.sum(0), torch.zeros(4, dtype=torch.float64), atol=1e-12, rtol=0)


def test_hsic_of_collapsed_latents_is_0_with_a_finite_gradient():
    z = torch.zeros(6, 4, requires_grad=True)
    cost = charge_of(HSIC(), encoded_as(z)).cost
    cost.backward()
    assert cost == 0
    assert z.grad.isfinite().all()


# Entanglement


def test_entanglement_by_a_double_loop(random):
    loc = torch.randn(6, 4, generator=random)
    charge = charge_of(Entanglement(), encoded_as(loc))
    for mu, cost in zip(loc, charge.cost, strict=True):
        total = sum(abs(mu[i] * mu[j]) for i in range(4) for j in range(i + 1, 4))
        assert cost.item() == pytest.approx(2 / (4 * 3) * total.item(), rel=1e-5)
    assert charge.reports["entanglement"].item() == pytest.approx(charge.cost.mean().item())


def test_entanglement_is_no_covariance():
    """Latents that are independent of each other cost as much as those that are not."""
    independent = torch.tensor([[a, b, 0.0, 0.0] for a in (1.0, 3.0) for b in (1.0, 3.0)])
    assert charge_of(DIP(variant="I", diagonal_ratio=0), encoded_as(independent)).cost == 0
    assert charge_of(Entanglement(), encoded_as(independent)).cost.mean() == pytest.approx(4 / 6)


def test_entanglement_is_of_the_means_not_of_the_draws(random):
    loc = torch.randn(6, 4, generator=random)
    charges = [charge_of(Entanglement(), encoded_as(loc, z=z)).cost for z in (loc, torch.zeros(6, 4))]
    assert torch.equal(*charges)


# FactorVAE


def test_each_latent_is_permuted_on_its_own(random):
    torch.manual_seed(1)
    z = torch.randn(5000, 3, generator=random)
    z[:, 1] = z[:, 0]
    mixed = permuted(z)
    torch.testing.assert_close(mixed.sort(0).values, z.sort(0).values, rtol=0, atol=0)
    assert not torch.equal(mixed, z)
    correlations = torch.corrcoef(mixed.T)
    assert (correlations - torch.eye(3)).abs().max() < 0.06
    assert (torch.corrcoef(torch.stack([z[:, 0], mixed[:, 0]]))[0, 1]).abs() < 0.06


def test_the_discriminator_is_that_of_the_paper():
    layers = list(Factor().build(MODEL, IMAGES, (1,)))
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [1000] * 6 + [2]
    assert linear[0].in_features == 4
    assert [layer.negative_slope for layer in layers if isinstance(layer, nn.LeakyReLU)] == [0.2] * 6


class Known(nn.Module):
    """Gives q(z) the logit of the first latent and the product that of the second."""

    def forward(self, z):
        return torch.stack([z[:, 1], z[:, 0]], 1)


def test_factor_by_hand(random):
    z = torch.randn(9, 4, generator=random)
    charge = Factor()(MODEL, encoded_as(z), Known(), time_of(0))
    density = torch.sigmoid(z[:, 0] - z[:, 1])
    torch.testing.assert_close(charge.cost, density.log() - (1 - density).log(), rtol=1e-4, atol=1e-5)
    torch.manual_seed(0)
    loss = Factor().critic_loss(encoded_as(z), Known())
    torch.manual_seed(0)
    mixed = permuted(z)
    of_mixed = torch.sigmoid(mixed[:, 0] - mixed[:, 1])
    torch.testing.assert_close(loss, -(density.log().mean() + (1 - of_mixed).log().mean()) / 2)


# What is refused


@pytest.mark.parametrize("penalty", [Entanglement(), Factor(), HSIC(), TotalCorrelation()])
def test_one_latent_depends_on_no_other(penalty):
    penalty.check(VAEConfig(latent_dim=2))
    sentence = "model.latent_dim should be 2 or more, noise latents not counted, with the .* penalty, got 1"
    for model in (VAEConfig(latent_dim=1), VAEConfig(latent_dim=3, noise_latents=2)):
        with pytest.raises(InputError, match=sentence):
            penalty.check(model)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: DIP(diagonal_ratio=-1), "^diagonal_ratio should be 0 or more and finite, got -1"),
        (lambda: HSIC(bandwidth=0), "^bandwidth should be positive and finite, got 0"),
        (lambda: Factor(hidden=(10, 0)), "^hidden\\[1\\] should be at least 1, got 0"),
    ],
)
def test_settings_out_of_range(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


@pytest.mark.parametrize(("penalty", "field"), [(TotalCorrelation(), "estimator"), (DIP(), "variant")])
def test_unknown_names(penalty, field):
    """Set past the type checker, which a user doesn't run."""
    object.__setattr__(penalty, field, "mws")
    with pytest.raises(InputError, match=f"^{field} should be a known name, got 'mws'"):
        penalty.__post_init__()
