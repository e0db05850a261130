"""What holds for every critic."""

from __future__ import annotations

import pytest
import torch

from vaelab.catalogue import members
from vaelab.critics import Critic
from vaelab.critics.concatenated import ConcatenatedCritic
from vaelab.critics.separable import SeparableCritic
from vaelab.errors import InputError


@pytest.fixture(params=members(Critic))
def critic(request):
    return members(Critic)[request.param]()


@pytest.mark.parametrize("first_shape", [(3, 8, 10), (7,)], ids=["images", "vectors"])
@pytest.mark.parametrize("pairs", [2, 3, 8])
def test_it_scores_each_pair_and_its_negatives(critic, first_shape, pairs):
    network = critic.build(first_shape, 4)
    joint, marginal = network(torch.rand(pairs, *first_shape), torch.randn(pairs, 4))
    assert joint.shape == (pairs,)
    assert marginal.shape == (pairs, critic.num_negatives(pairs))
    assert critic.num_negatives(pairs) >= 1


@pytest.mark.parametrize("negatives", [1, 2, 3, 6, 40])
@pytest.mark.parametrize("kind", [SeparableCritic, ConcatenatedCritic])
def test_every_score_is_that_of_the_pair_alone_and_no_negative_is_the_pair_itself(kind, negatives):
    """A pair (a_i, b_j) is scored alone in a batch (a_i, b_j), (a_i, b_j); b_j is known again by its score."""
    torch.manual_seed(0)
    critic = ConcatenatedCritic(hidden=(9, 5), negatives=negatives) if kind is ConcatenatedCritic else kind(hidden=(9,))
    network = critic.build((3,), 2).double()
    a, b = torch.randn(7, 3).double(), torch.randn(7, 2).double()
    joint, marginal = network(a, b)
    for i in range(7):
        alone = torch.stack([network(a[[i, i]], b[[j, j]]).joint[0] for j in range(7)])
        torch.testing.assert_close(joint[i], alone[i])
        found = [(alone - score).abs().argmin().item() for score in marginal[i]]
        torch.testing.assert_close(marginal[i], alone[found])
        assert len({*found}) == len(found) == critic.num_negatives(7)
        assert i not in found


def test_all_its_weights_move(critic):
    network = critic.build((1, 8, 8), 3)
    joint, marginal = network(torch.rand(6, 1, 8, 8), torch.randn(6, 3))
    (joint.sum() - marginal.exp().sum()).backward()
    assert all((p.grad != 0).any() for p in network.parameters())


def test_concatenated_is_one_network_on_both_sides_put_together():
    torch.manual_seed(0)
    network = ConcatenatedCritic(hidden=(6, 5)).build((1, 2, 2), 3)
    a, b = torch.rand(4, 1, 2, 2), torch.randn(4, 3)
    whole = torch.nn.Sequential(network.first, network.rest)
    torch.testing.assert_close(network(a, b).joint, whole(torch.cat([a.flatten(1), b], dim=1)).squeeze(1))


def test_concatenated_is_the_papers():
    network = ConcatenatedCritic().build((1, 28, 28), 10)
    widths = [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, torch.nn.Linear)]
    assert widths == [(794, 1000), (1000, 400), (400, 400), (400, 1)]


def test_a_concatenated_critic_needs_a_width():
    with pytest.raises(InputError, match=r"^hidden should hold at least one width, got \(\)"):
        ConcatenatedCritic(hidden=())
