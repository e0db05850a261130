"""The contract of every model: prior, encode, decode."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaelab.errors import InputError
from vaelab.likelihoods import Likelihood
from vaelab.settings.ranges import Settings
from vaelab.shapes import Images, Latents, Numbers

M = TypeVar("M", bound="Model")
Conditions = Numbers
"""What an image's table says of it, as numbers: `vaelab.data.conditions` makes them."""


class Model(nn.Module, ABC):
    """A latent-variable model of images. All that vaelab computes is a function of these three.

    q = model.encode(x); z = q.rsample(); elbo = model.decode(z).log_prob(x) - rate(q, model.prior, z)

    A model that is built for conditions is all of this *given* them: p(z), q(z|x, c), p(x|z, c).
    """

    image_shape: tuple[int, int, int]
    """(channel, height, width) of one image."""
    latent_dim: int
    """Latents per image."""
    likelihood: Likelihood
    """Of which `decode` gives the distribution."""
    num_conditions: int = 0
    """Numbers in the condition of an image; 0 for a model that takes none."""
    has_clusters: bool = False
    """Whether the components of its prior are meant as clusters of images."""
    conditions: Conditions | None = None
    """Those that it is given."""
    network_dtype: torch.dtype = torch.float32
    """Precision inside the networks. Only training lowers it, for its own time; likelihood and rate stay float32."""

    @property
    @abstractmethod
    def prior(self) -> Distribution:
        """p(z), one distribution over (latent,)."""

    @abstractmethod
    def encode(self, x: Images) -> Independent:
        """q(z|x), one distribution over (latent,) per image; x in [0, 1]."""

    @abstractmethod
    def decode(self, z: Latents) -> Distribution:
        """p(x|z), one distribution over (channel, height, width) per image."""

    @property
    def coded_shape(self) -> tuple[int, ...]:
        """Of what one image's latents are a code of: the image itself, or what a stage before made of it."""
        return self.image_shape

    def stages(self) -> dict[str, Model]:
        """The model's stages, each a model, in the order in which an image passes them; the last is this model.

        A model of one stage has it under an empty name.
        """
        return {"": self}

    @property
    def learns_prior(self) -> bool:
        """Whether the prior has weights."""
        return False

    def start_prior(self, images: Images, seed: int) -> None:
        """Lets a prior that learns begin from the codes of training images; nothing for one that does not.

        Args:
            images: Some training images, in random order, in [0, 1].
            seed: Of what is drawn.
        """

    def given(self: M, conditions: Conditions | None) -> M:
        """The same model with the same weights, for images under these conditions, in the images' order.

        One condition goes for all images. A model that takes none is given None.

        Raises:
            InputError: The model takes other conditions, or none.
        """
        wanted = self.num_conditions
        found = 0 if conditions is None else conditions.shape[1]
        if found != wanted:
            mend = "Build it for them with data.condition." if not wanted else "See data.condition of the run."
            raise InputError("conditions", f"be {wanted} numbers per image for this model", found, mend)
        if conditions is None:
            return self
        other = copy.copy(self)
        other.conditions = conditions
        return other

    def part(self: M, start: int, stop: int) -> M:
        """Given the conditions of many images, the model for the images from start to stop; else itself."""
        if self.conditions is None or len(self.conditions) == 1:
            return self
        if len(self.conditions) < stop:
            raise InputError("conditions", "be one for all images, or one for each", len(self.conditions))
        return self.given(self.conditions[start:stop])

    def conditions_of(self, num_rows: int) -> Conditions | None:
        """A condition for each of so many rows, which go through the images once or several times; None: it has none.

        Raises:
            InputError: The model takes conditions, and was given none, or others.
        """
        if not self.num_conditions:
            return None
        if self.conditions is None:
            mend = "Say model.given(conditions)."
            raise InputError("the model", "be given the conditions of its images", "none", mend)
        times, rest = divmod(num_rows, len(self.conditions))
        if rest:
            raise InputError("conditions", f"be one for all {num_rows} images, or one for each", len(self.conditions))
        return self.conditions.repeat(times, 1)

    def run_network(self, network: nn.Module, inputs: Tensor) -> Tensor:
        """What a network of this model gives, as float32, computed in `network_dtype`."""
        if self.network_dtype == torch.float32:
            return network(inputs)
        with torch.autocast(inputs.device.type, self.network_dtype):
            return network(inputs).float()

    def set_network_dtype(self, dtype: torch.dtype) -> None:
        """Sets the precision inside the networks, of every stage."""
        for model in models_in(self):
            model.network_dtype = dtype


def models_in(module: nn.Module) -> list[Model]:
    """Every model in a module, itself included; a classifier has none, a two-stage VAE holds two besides itself."""
    return [part for part in module.modules() if isinstance(part, Model)]


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Settings, ABC):
    """The setting of a model."""

    known_as: ClassVar[str] = ""
    """What kind of model it is, in words that follow "a"."""

    def stages(self) -> dict[str, ModelConfig]:
        """The settings of the model's stages, as `Model.stages` names them."""
        return {"": self}

    @abstractmethod
    def build(self, image_shape: tuple[int, int, int], num_conditions: int = 0) -> Model:
        """The model, with fresh weights from torch's global random generator.

        Args:
            image_shape: (channel, height, width).
            num_conditions: Numbers in the condition of an image; 0: it takes none.
        """
