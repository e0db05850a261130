"""Two encoders and a dot product."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from torch import nn

from vaelab.bounds import Scores
from vaelab.critics._base import Critic
from vaelab.networks._base import Activation
from vaelab.networks.mlp import layers
from vaelab.settings.ranges import AtLeast1
from vaelab.shapes import Latents, Source


@dataclass(frozen=True, kw_only=True)
class SeparableCritic(Critic):
    """Each side is encoded on its own, into a common space; the score is the dot product there.

        T(a, b) = f(a) . g(b)

    Every a of a batch is scored with every b for little more than the pairs alone: n - 1 negatives a pair. Images are
    flattened.

    *Source*: van den Oord et al. 2018, section 2.2 (https://arxiv.org/abs/1807.03748); against the concatenated critic:
    Poole et al. 2019, section 3 (https://arxiv.org/abs/1905.06922).

    >>> import torch
    >>> joint, marginal = SeparableCritic().build((1, 8, 8), 3)(torch.rand(5, 1, 8, 8), torch.randn(5, 3))
    >>> joint.shape, marginal.shape
    (torch.Size([5]), torch.Size([5, 4]))
    """

    hidden: tuple[AtLeast1, ...] = (256, 256)
    """Widths of the hidden layers of either encoder; may be none."""
    embedding_dim: AtLeast1 = 128
    """Dimensions of the common space."""
    activation: Activation = "relu"
    """What follows each hidden layer."""

    def build(self, first_shape: tuple[int, ...], second_dim: int) -> nn.Module:
        """See Critic."""
        return _Separable(self, prod(first_shape), second_dim)

    def num_negatives(self, num_pairs: int) -> int:
        """See Critic."""
        return num_pairs - 1


class _Separable(nn.Module):
    def __init__(self, critic: SeparableCritic, first_dim: int, second_dim: int):
        super().__init__()
        self.first = nn.Sequential(*layers(first_dim, critic.hidden, critic.activation, critic.embedding_dim))
        self.second = nn.Sequential(*layers(second_dim, critic.hidden, critic.activation, critic.embedding_dim))

    def forward(self, a: Source, b: Latents) -> Scores:
        scores = self.first(a.flatten(1)) @ self.second(b).T
        pairs = len(scores)
        off_diagonal = scores.flatten()[1:].view(pairs - 1, pairs + 1)[:, :-1].reshape(pairs, pairs - 1)
        return Scores(scores.diagonal(), off_diagonal)
