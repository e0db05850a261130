"""What holds for every bound on mutual information."""

from __future__ import annotations

from math import inf

import pytest
import torch

from vaelab.bounds import Bound, Scores
from vaelab.bounds.nwj import NWJ
from vaelab.catalogue import members


@pytest.fixture(params=members(Bound))
def bound(request):
    return members(Bound)[request.param]()


def scores(pairs=6, negatives=4, dtype=torch.float32):
    torch.manual_seed(0)
    return Scores(torch.randn(pairs, dtype=dtype) + 1, torch.randn(pairs, negatives, dtype=dtype))


def test_its_value_is_one_number_and_leaves_the_estimator_as_it_was(bound):
    estimator = bound.build()
    before = {name: value.clone() for name, value in estimator.state_dict().items()}
    value = estimator(scores())
    assert value.shape == ()
    assert estimator(scores()).equal(value)
    assert all(value.equal(before[name]) for name, value in estimator.state_dict().items())


def test_value_and_surrogate_draw_no_random_numbers(bound):
    estimator, given = bound.build(), scores()
    state = torch.get_rng_state()
    estimator(given)
    estimator.surrogate(given)
    assert torch.get_rng_state().equal(state)


def test_the_surrogate_raises_the_scores_of_pairs_and_lowers_those_of_others(bound):
    given = scores()
    joint, marginal = given.joint.requires_grad_(), given.marginal.requires_grad_()
    bound.build().surrogate(Scores(joint, marginal)).backward()
    assert (joint.grad > 0).all()
    assert marginal.grad.sum() < 0


def test_no_value_is_above_the_ceiling(bound):
    estimator = bound.build()
    for negatives in (1, 2, 31):
        ceiling = bound.ceiling(negatives)
        for gap in (0.0, 1.0, 10.0, 30.0, 60.0):
            apart = Scores(torch.full((5,), gap), torch.full((5, negatives), -gap))
            assert estimator(apart).item() <= ceiling + 1e-4
        if ceiling < inf:
            assert estimator(apart).item() == pytest.approx(ceiling, rel=1e-4), "it is reached"


def test_a_critic_that_cannot_tell_finds_nothing(bound):
    """The best constant is 0 where the critic is a log ratio, 1 for NWJ's 1 + log ratio."""
    same = 1.0 if isinstance(bound, NWJ) else 0.0
    value = bound.build()(Scores(torch.full((5,), same), torch.full((5, 3), same)))
    assert value.item() == pytest.approx(0, abs=1e-6)


def test_high_scores_do_not_overflow(bound):
    for joint, marginal in ((80.0, 80.0), (-80.0, 80.0), (80.0, -80.0), (-80.0, -80.0)):
        given = Scores(torch.full((3,), joint).requires_grad_(), torch.full((3, 2), marginal).requires_grad_())
        estimator = bound.build()
        surrogate = estimator.surrogate(given)
        gradients = torch.autograd.grad(surrogate, given)
        assert estimator(given).isfinite()
        assert surrogate.isfinite()
        assert all(gradient.isfinite().all() for gradient in gradients)


def test_it_is_the_same_in_single_and_double_precision(bound):
    given = scores()
    single = bound.build()(given)
    double = bound.build()(Scores(given.joint.double(), given.marginal.double()))
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(double.item(), abs=1e-5)
