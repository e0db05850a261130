"""One network that reads both sides."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import nn
from torch.nn.functional import linear

from vaelab.bounds import Scores
from vaelab.critics._base import Critic
from vaelab.errors import InputError
from vaelab.networks._base import ACTIVATIONS, Activation
from vaelab.networks.mlp import layers
from vaelab.settings.ranges import AtLeast1
from vaelab.shapes import Latents, Source


@dataclass(frozen=True, kw_only=True)
class ConcatenatedCritic(Critic):
    """One network on both sides, put one after the other.

        T(a, b) = f([a, b])

    It can say more than a separable critic, but every negative is one more way through it; only its first layer, which
    is a sum W_a a + W_b b, is computed once for each side. A pair's negatives are b's of pairs further along in the
    batch, evenly spread over it and never its own. Images are flattened.

    *Source*: Lotfi Rezaabad and Vishwanath 2020, the InfoMax-VAE's 1000-400-400-1
    (https://arxiv.org/abs/1912.13361).

    >>> joint, marginal = ConcatenatedCritic(negatives=2).build((1, 8, 8), 3)(torch.rand(5, 1, 8, 8), torch.randn(5, 3))
    >>> joint.shape, marginal.shape
    (torch.Size([5]), torch.Size([5, 2]))
    """

    hidden: tuple[AtLeast1, ...] = (1000, 400, 400)
    """Widths of the hidden layers; at least one."""
    activation: Activation = "relu"
    """What follows each hidden layer."""
    negatives: AtLeast1 = 1
    """Negatives a pair; a batch of n pairs has n - 1 for each at most."""

    def __post_init__(self):
        super().__post_init__()
        if not self.hidden:
            raise InputError("hidden", "hold at least one width", self.hidden)

    def build(self, first_shape: tuple[int, ...], second_dim: int) -> nn.Module:
        """See Critic."""
        return _Concatenated(self, prod(first_shape), second_dim)

    def num_negatives(self, num_pairs: int) -> int:
        """See Critic."""
        return min(self.negatives, num_pairs - 1)


class _Concatenated(nn.Module):
    def __init__(self, critic: ConcatenatedCritic, first_dim: int, second_dim: int):
        super().__init__()
        width, *hidden = critic.hidden
        self.first_dim, self.num_negatives = first_dim, critic.num_negatives
        self.first = nn.Linear(first_dim + second_dim, width)
        rest = layers(width, tuple(hidden), critic.activation, 1)
        self.rest = nn.Sequential(ACTIVATIONS[critic.activation](), *rest)

    def forward(self, a: Source, b: Latents) -> Scores:
        weight = self.first.weight
        of_a = linear(a.flatten(1), weight[:, : self.first_dim], self.first.bias)
        of_b = linear(b, weight[:, self.first_dim :])
        pairs, negatives = len(a), self.num_negatives(len(a))
        shifts = [k * pairs // (negatives + 1) for k in range(negatives + 1)]
        candidates = torch.stack([of_b.roll(-shift, 0) for shift in shifts], dim=1)
        scores = self.rest(of_a[:, None] + candidates).squeeze(2)
        return Scores(scores[:, 0], scores[:, 1:])
