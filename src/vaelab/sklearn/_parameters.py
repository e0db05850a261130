"""An estimator's parameters, checked: scikit-learn wants that done by `fit`, and not before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Lt

from vaelab.errors import InputError
from vaelab.likelihoods import Likelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.machine import Device
from vaelab.models import VAEConfig
from vaelab.networks import Decoder, Encoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.settings.ranges import AtLeast1, NotNegative, Positive, Settings
from vaelab.settings.record import from_record
from vaelab.training.config import Machine, Training


@dataclass(frozen=True, kw_only=True)
class Parameters(Settings):
    """The plain ones with their ranges; `VAEEmbedding` says what they mean."""

    n_components: AtLeast1
    image_shape: tuple[AtLeast1, ...] | None
    value_range: tuple[float, float] | None
    rate_weight: NotNegative
    num_epochs: Positive
    batch_size: AtLeast1
    learning_rate: Positive
    validation_fraction: Annotated[float, Ge(0), Lt(1)]
    patience: AtLeast1 | None
    num_samples: AtLeast1
    device: Device

    def __post_init__(self):
        super().__post_init__()
        low, high = self.value_range or (0.0, 1.0)
        if not -np.inf < low < high < np.inf:
            raise InputError("value_range", "be two finite numbers, the smaller one first", self.value_range)

    @property
    def training(self) -> Training:
        """How long and how fast."""
        return Training(
            num_epochs=self.num_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            patience=self.patience,
        )

    @property
    def machine(self) -> Machine:
        """Without timing: the same numbers each time, and no file is written."""
        return Machine(device=self.device, precision="float32", tune=False)


def checked(given: dict[str, Any]) -> Parameters:
    """The plain parameters among all that are given; numpy's numbers as Python's.

    Raises:
        InputError: One is of the wrong type, or out of range.
    """
    return from_record(Parameters, {name: _plain(given[name]) for name in Parameters.__dataclass_fields__})


def model_config(given: dict[str, Any]) -> VAEConfig:
    """The model of these parameters.

    Raises:
        InputError: One of its parts is no such part.
    """
    for name, contract in (("encoder", Encoder), ("decoder", Decoder), ("likelihood", Likelihood)):
        if not isinstance(given[name], contract | None):
            room = contract.__module__.rpartition(".")[0]
            raise InputError(name, f"be a setting of {room}, or None", repr(given[name]))
    return VAEConfig(
        latent_dim=checked(given).n_components,
        encoder=given["encoder"] or MLPEncoder(),
        decoder=given["decoder"] or MLPDecoder(),
        likelihood=given["likelihood"] or GaussianLikelihood(loc="identity"),
    )


def _plain(value: Any) -> Any:
    """As a record holds it."""
    value = value.item() if isinstance(value, np.generic) else value
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
