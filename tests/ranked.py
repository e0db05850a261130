"""Small trainings that one process can do, or several together; run as a script, this is one of several ranks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from vaelab import ranks
from vaelab.catalogue import members
from vaelab.data import Intensity
from vaelab.data.feed import Feed
from vaelab.models import Model, ModelConfig, TwoStageConfig, VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives import Objective
from vaelab.objectives.capacity import Capacity
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties import Penalty
from vaelab.penalties.factor import Factor
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.priors import mixture
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.vamp import VampPrior
from vaelab.training import Batches, Choices, State, Training, begin, train
from vaelab.training.checkpoint import load_checkpoint, save_checkpoint

PLAIN = Choices(threads=1)
TRAINING = Training(batch_size=12, num_steps=6, validate_every=3, learning_rate=1e-2, adam_epsilon=1e-3)
"""A large epsilon: where a gradient is nearly 0, its sign, on which Adam's step depends, is a matter of rounding."""
SLOW = replace(TRAINING, learning_rate=1e-3)
"""Where rounding grows from step to step: with batch normalisation, and where a mixture is fitted on the way."""
MLP = VAEConfig(latent_dim=3, encoder=MLPEncoder(hidden=(8,)), decoder=MLPDecoder(hidden=(8,)))
CONV = VAEConfig(latent_dim=2, encoder=ConvEncoder(widths=(4, 4)), decoder=ConvDecoder(widths=(4, 4)))
PLAIN_ELBO = ELBO()
BOTH = TwoStageConfig(first=replace(MLP, latent_dim=5), second=MLP)
CRITICS = ELBO(penalties=(MutualInformation(), Factor(hidden=(8,)), TotalCorrelation()))


@dataclass
class Case:
    """What is trained."""

    config: ModelConfig = MLP
    objective: Objective = PLAIN_ELBO
    training: Training = TRAINING
    binarize: str = "no"
    conditions: bool = False
    weights: bool = False
    later: bool = False

    def batches(self) -> Batches:
        """Random images, of two kinds, more to validate on than go at once."""
        random = np.random.default_rng(0)
        kinds = random.integers(2, size=320)
        images = random.integers(0, 160, (320, 1, 8, 8), dtype=np.uint8) + 90 * kinds[:, None, None, None].astype(
            np.uint8
        )
        feed = Feed(images, Intensity(lo=(0.0,), hi=(255.0,), square_root=False), self.binarize)  # pyright: ignore
        return Batches(
            feed=feed,
            train=np.arange(60),
            validation=np.arange(60, 320),
            conditions=np.eye(2, dtype=np.float32)[kinds] if self.conditions else None,
            weights=random.uniform(0, 2, 320) if self.weights else None,
            later=np.arange(20) if self.later else None,
            later_step=4 if self.later else None,
        )

    def begun(self) -> tuple[State, Batches]:
        """At step 0."""
        batches = self.batches()
        torch.manual_seed(0)
        model: Model = self.config.build((1, 8, 8), 2 if self.conditions else 0)
        return begin(model, self.objective, batches, self.training), batches


def _cases() -> dict[str, Case]:
    settings = {"guidance": {"rows": (2, 7), "anchors": ((0.0, 1.0, 2.0), (1.0, 0.0, 0.0))}, "factor": {"hidden": (8,)}}
    penalties = {name: kind(**settings.get(name, {})) for name, kind in members(Penalty).items()}
    clipped = replace(TRAINING, adaptive_clip=True, clip_norm=5.0, critic_steps=2)
    return {
        **{name: Case(objective=ELBO(penalties=(penalty,))) for name, penalty in penalties.items()},
        "free bits": Case(objective=ELBO(free_bits=0.185, warm_up_steps=2)),
        "capacity": Case(objective=Capacity(num_steps=9, weight=3.0)),
        "several samples": Case(objective=ImportanceWeighted(num_samples=3)),
        "convolutions": Case(config=CONV, training=SLOW, binarize="dynamic"),
        "vamp": Case(config=replace(CONV, prior=VampPrior(num_components=5)), training=SLOW),
        "mixture": Case(
            config=replace(MLP, prior=MixturePrior(num_components=2)),
            objective=ELBO(autoencoder_steps=3),
            training=SLOW,
        ),
        "conditions": Case(
            objective=ELBO(penalties=(penalties["guidance"], TotalCorrelation())), conditions=True, weights=True
        ),
        "clipped": Case(objective=CRITICS, training=clipped),
        "double": Case(config=BOTH, objective=TwoStageObjective(first=CRITICS, second=CRITICS), later=True),
        "single": Case(
            config=replace(BOTH, embed="single"),
            objective=TwoStageObjective(first=ELBO(free_bits=0.01), second=CRITICS, first_alone_steps=2),
        ),
    }


CASES = _cases()
RESUMED = ("convolutions", "clipped")


def trained(case: Case, stop_at: int = 0, path: Path | None = None, choices: Choices = PLAIN) -> dict:
    """The whole training's weights and terms; or it is stopped, saved by the first rank, and gone on with anew."""
    state, batches = case.begun()
    said: list = []

    def go_on() -> None:
        for _ in train(state, batches, case.training, choices, 3, 3):
            said.append((state.terms, state.validation))
            if state.step == stop_at:
                return

    go_on()
    if path is not None:
        ranks.first(lambda: save_checkpoint(state, path))
        state, batches = case.begun()
        load_checkpoint(state, path)
        stop_at = 0
        go_on()
    return {"weights": dict(state.computes.state_dict()), "said": said}


def free_port() -> int:
    """One at which nobody listens yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def environments(count: int) -> list[dict[str, str]]:
    """Of so many ranks, as torchrun sets them; here the first keeps the store, whose loss torch laments at length."""
    everywhere = {
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "TORCH_CPP_LOG_LEVEL": "ERROR",
    }
    return [os.environ | everywhere | {"RANK": str(k), "LOCAL_RANK": str(k)} for k in range(count)]


def together(count: int, folder: Path) -> list[dict]:
    """What each of so many ranks finds: of every case, and ``resumed`` of some, stopped on the way."""
    command = [sys.executable, "-W", "error", __file__, str(folder)]
    started = [subprocess.Popen(command, env=each) for each in environments(count)]
    assert [process.wait(300) for process in started] == [0] * count
    return [torch.load(folder / f"{number}.pt", weights_only=False) for number in range(count)]


def _main(folder: Path) -> None:
    mixture.fit_mixture = partial(mixture.fit_mixture, n_init=4)  # as in the tests
    with ranks.joined():
        found: dict = {name: trained(case) for name, case in CASES.items()}
        found["resumed"] = {name: trained(CASES[name], 4, folder / f"{name}.safetensors") for name in RESUMED}
        torch.save(found, folder / f"{ranks.number()}.pt")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
