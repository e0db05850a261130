"""The settings of a training: how it learns, which decides the numbers; on what machine, and how it is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from vaelab.machine import Device
from vaelab.settings.ranges import Added, AtLeast1, Positive, Settings


@dataclass(frozen=True, kw_only=True)
class Training(Settings):
    """How long, how fast and how carefully a model is trained."""

    batch_size: AtLeast1 = 64
    """Images in a step; no more than there are training images."""
    num_epochs: Positive = 20.0
    """Passes over the training images; the incomplete last batch of a pass is left out."""
    num_steps: AtLeast1 | None = None
    """Optimiser steps; where given, it counts instead of num_epochs."""
    learning_rate: Positive = 1e-3
    """Adam's step size."""
    adam_epsilon: Positive = 1e-8
    """Adam's epsilon."""
    critic_learning_rate: Positive = 5e-4
    """Adam's step size for what the objective learns beside the model, such as critics."""
    critic_steps: AtLeast1 = 1
    """Optimiser steps that critics take for one of the model, on the same codes."""
    schedule: Literal["constant", "cosine", "step"] = "constant"
    """The learning rate over the steps: as it is; down to 0 along half a cosine; times 0.1 at 2/3 and at 5/6."""
    clip_norm: Positive | None = None
    """Largest norm of the gradient; a longer one is shortened to it. none: no limit."""
    adaptive_clip: bool = False
    """Shorten the penalties' gradient to the norm of the rest's where it is longer (Belghazi et al. 2018, appendix)."""
    patience: AtLeast1 | None = None
    """Validations without a better objective after which training stops. none: it never stops early."""
    validate_every: AtLeast1 | None = None
    """Steps between validations. none: once a pass."""
    weight_column: str | None = None
    """Column of the table by which each image's loss is multiplied. none: all weigh 1."""
    later: Annotated[tuple[str, ...], Added()] = ()
    """Training images that the model does not see before `later_step`, such as ``label=8``: those that have one of the
    values of each column that is named. Empty: none."""
    later_step: Annotated[AtLeast1 | None, Added()] = None
    """The step after which images of `later` are trained on too; the best weights, and patience, count from there.
    none: never."""

    order: Annotated[Literal["auto", "exact", "chunks"], Added()] = "auto"
    """In which order images of a pass come. exact: any anywhere. chunks: in chunks of neighbours of which 32 are
    shuffled together, for a disk that is slow at random. auto: exact, unless the images take over half of the free
    memory and lie where reading at random was measured to be slow; the run records it."""

    def steps_per_epoch(self, num_images: int) -> int:
        """Steps in a pass over so many training images."""
        return max(1, num_images // self.batch_size)

    def total_steps(self, num_images: int) -> int:
        """Steps that a training on so many images is to take."""
        return self.num_steps or max(1, round(self.num_epochs * self.steps_per_epoch(num_images)))


@dataclass(frozen=True, kw_only=True)
class Machine(Settings):
    """How a training is computed: it changes numbers by rounding only."""

    device: Device = "auto"
    """Where to compute; auto: on the GPU if there is one."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the networks while they train; auto: whichever is faster here. Reported numbers are float32 always."""
    threads: Annotated[int, Ge(1), Le(1024)] | None = None
    """Threads inside one operation. none: OMP_NUM_THREADS, else one or all cores, whichever is faster here."""
    tune: bool = True
    """Time memory layouts and kernels on this machine and take the fastest, and on a GPU capture the step as one graph;
    false: the stock ones, and no graph."""


@dataclass(frozen=True, kw_only=True)
class Watching(Settings):
    """What is written while a training goes on."""

    log_every: AtLeast1 = 100
    """Steps over which the terms are averaged for a line of metrics.csv."""
    tensorboard: bool = False
    """Write TensorBoard events too (needs the extra `tensorboard`)."""
    snapshot_every: AtLeast1 | None = None
    """Steps between pictures of samples and reconstructions in the run's snapshots folder. none: no pictures."""
    checkpoint_steps: AtLeast1 | None = None
    """Steps between checkpoints. none: by time only."""
    codes_every: AtLeast1 | None = None
    """Steps between files of the codes of held-out images in the run's codes folder, from which the report draws how
    they came about. none: no files."""
    checkpoint_minutes: Positive = 1.0
    """Minutes between checkpoints, besides those by steps."""
