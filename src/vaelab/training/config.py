"""The setting of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vaelab.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Training:
    """How long, how fast and how carefully a model is trained."""

    batch_size: int = 64
    """Images in a step, 1 or more; no more than there are training images."""
    num_epochs: float = 20.0
    """Passes over the training images; the incomplete last batch of a pass is left out."""
    num_steps: int | None = None
    """Optimiser steps; where given, it counts instead of num_epochs."""
    learning_rate: float = 1e-3
    """Adam's step size."""
    adam_epsilon: float = 1e-8
    """Adam's epsilon."""
    critic_learning_rate: float = 5e-4
    """Adam's step size for what the objective learns beside the model, such as critics."""
    critic_steps: int = 1
    """Optimiser steps that critics take for one of the model, on the same codes."""
    schedule: Literal["constant", "cosine", "step"] = "constant"
    """The learning rate over the steps: as it is; down to 0 along half a cosine; times 0.1 at 2/3 and at 5/6."""
    clip_norm: float | None = None
    """Largest norm of the gradient; a longer one is shortened to it. none: no limit."""
    adaptive_clip: bool = False
    """Shorten the penalties' gradient to the norm of the rest's where it is longer (Belghazi et al. 2018, appendix)."""
    patience: int | None = None
    """Validations without a better objective after which training stops. none: it never stops early."""
    weight_column: str | None = None
    """Column of the table by which each image's loss is multiplied. none: all weigh 1."""
    validate_every: int | None = None
    """Steps between validations. none: once a pass."""
    log_every: int = 100
    """Steps over which the terms are averaged for a line of metrics.csv."""
    checkpoint_steps: int | None = None
    """Steps between checkpoints. none: by time only."""
    checkpoint_minutes: float = 1.0
    """Minutes between checkpoints, besides those by steps."""
    snapshot_every: int | None = None
    """Steps between pictures of samples and reconstructions in the run's snapshots folder. none: no pictures."""
    tensorboard: bool = False
    """Write TensorBoard events too (needs the extra `tensorboard`)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto: on the GPU if there is one."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the networks while they train; auto: whichever is faster here. Reported numbers are float32 always."""
    threads: int | None = None
    """Threads inside one operation. none: OMP_NUM_THREADS, else one or all cores, whichever is faster here."""
    tune: bool = True
    """Time memory layouts and kernels on this machine and take the fastest; false: the stock ones."""

    def __post_init__(self):
        for name in ("batch_size", "log_every", "critic_steps"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "be at least 1")
        for name in ("num_steps", "patience", "validate_every", "checkpoint_steps", "snapshot_every", "threads"):
            value = getattr(self, name)
            _check(name, value, value is None or value >= 1, "be at least 1, or none")
        _check("threads", self.threads, self.threads is None or self.threads <= 1024, "be at most 1024, or none")
        for name in ("num_epochs", "learning_rate", "critic_learning_rate", "adam_epsilon", "checkpoint_minutes"):
            value = getattr(self, name)
            _check(name, value, 0 < value < float("inf"), "be positive and finite")
        _check("clip_norm", self.clip_norm, self.clip_norm is None or self.clip_norm > 0, "be positive, or none")

    def steps_per_epoch(self, num_images: int) -> int:
        """Steps in a pass over so many training images."""
        return max(1, num_images // self.batch_size)

    def total_steps(self, num_images: int) -> int:
        """Steps that a training on so many images is to take."""
        return self.num_steps or max(1, round(self.num_epochs * self.steps_per_epoch(num_images)))


def _check(name: str, value: object, ok: bool, should: str) -> None:
    if not ok:
        raise InputError(f"training.{name}", should, value)
