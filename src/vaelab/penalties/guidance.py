"""A few images held near points of latent space that someone has chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from vaelab.errors import InputError
from vaelab.models import Model, ModelConfig, in_evaluation_mode
from vaelab.penalties._base import Charge, Encoded, Penalty, Term, TrainingImages
from vaelab.schedules import Time
from vaelab.settings.ranges import AtLeast0, Finite, Positive
from vaelab.shapes import Images, Numbers


@dataclass(frozen=True, kw_only=True)
class Guidance(Penalty):
    """The squared distance of chosen images' codes from the places that a person gave them.

        cost = sum_i delta_i * ||mu_i - anchor_i||^2,   mu_i = E[z] under q(z|x_i)

    The chosen images are encoded anew in every step, whichever images are in the batch, as `embed` would encode them:
    batch normalisation goes by its running statistics, not by these few.

    *Source*: "Human guidance" in meeting notes on an InfoMax VAE of cell images, 2020.

    >>> Guidance(rows=(3, 8), anchors=((0.0, 1.0), (2.0, 0.0))).weight
    1.0
    """

    known_as: ClassVar[str] = "guided"
    words: ClassVar = {
        "anchor_distance": Term(
            "Distance from the anchors", "of the chosen images' codes", "units of the latents", "Penalties"
        ),
    }

    rows: tuple[AtLeast0, ...] = ()
    """Row numbers of the chosen images in the collection."""
    anchors: tuple[tuple[Finite, ...], ...] = ()
    """Where each is to be: a number for each latent."""
    deltas: tuple[Positive, ...] = ()
    """The weight of each image; left out: 1 for all."""

    def __post_init__(self):
        super().__post_init__()
        if len(set(self.rows)) < len(self.rows):
            raise InputError("rows", "be different row numbers", list(self.rows))
        if len(self.anchors) != len(self.rows):
            raise InputError("anchors", f"be one for each of {len(self.rows)} rows", len(self.anchors))
        if len({len(anchor) for anchor in self.anchors}) > 1:
            raise InputError("anchors", "be of one length", "others")
        if len(self.deltas) not in (0, len(self.rows)):
            raise InputError("deltas", "be one for each row, or none at all", list(self.deltas))

    def check(self, model: ModelConfig) -> None:
        """See Penalty."""
        latent_dim = getattr(model, "latent_dim", None)
        for anchor in self.anchors[:1]:
            if latent_dim is not None and len(anchor) != latent_dim:
                raise InputError("anchors", f"have {latent_dim} numbers, one for each latent", len(anchor))

    def build(self, model: Model, images: TrainingImages, source_shape: tuple[int, ...]) -> nn.Module:
        """The chosen images, with their conditions. See Penalty."""
        rows = np.array(self.rows, np.int64)
        return _Anchors(self, images.feed(rows), images.given(model, rows).conditions)

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty."""
        assert isinstance(companion, _Anchors)
        if not len(companion.deltas):
            return Charge(cost=encoded.z.new_zeros(()), reports={"anchor_distance": 0.0})
        with in_evaluation_mode(model):
            codes = model.given(companion.conditions).encode(companion.x).mean
        squares = (codes - companion.anchors).square().sum(1)
        return Charge(
            cost=(companion.deltas * squares).sum(), reports={"anchor_distance": squares.detach().sqrt().mean()}
        )


class _Anchors(nn.Module):
    x: Tensor
    conditions: Tensor | None
    anchors: Tensor
    deltas: Tensor

    def __init__(self, guidance: Guidance, x: Images, conditions: Numbers | None):
        super().__init__()
        deltas = guidance.deltas or (1.0,) * len(guidance.rows)
        values = {
            "x": x.clone(),
            "conditions": conditions,
            "anchors": torch.tensor(guidance.anchors, dtype=torch.float32),
            "deltas": torch.tensor(deltas, dtype=torch.float32),
        }
        for name, value in values.items():
            self.register_buffer(name, value, persistent=False)
