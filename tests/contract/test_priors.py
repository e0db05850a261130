"""What holds for every prior."""

from __future__ import annotations

import pytest
import torch

from vaelab.catalogue import members
from vaelab.priors import Prior


@pytest.fixture(params=members(Prior))
def prior(request):
    return members(Prior)[request.param]()


def test_it_is_one_distribution_over_the_latents(prior):
    p = prior.build(3)()
    assert p.batch_shape == ()
    assert p.event_shape == (3,)
    assert p.sample((5,)).shape == (5, 3)
    assert p.log_prob(torch.zeros(7, 3)).shape == (7,)


def test_it_integrates_to_one(prior):
    p = prior.build(2)()
    side = torch.linspace(-8, 8, 401)
    grid = torch.cartesian_prod(side, side)
    assert p.log_prob(grid).exp().sum().item() * (side[1] - side[0]).item() ** 2 == pytest.approx(1, abs=1e-4)


def test_its_samples_have_its_mean(prior):
    torch.manual_seed(0)
    p = prior.build(2)()
    torch.testing.assert_close(p.sample((20_000,)).mean(0), p.mean, atol=0.05, rtol=0)
