"""Everything that a report shows, computed before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaelab.experiment import Experiment
from vaelab.inference import Traversal
from vaelab.likelihoods import DataSpace
from vaelab.metrics.active_units import ACTIVE_VARIANCE
from vaelab.plots import Classes
from vaelab.report.measures import Measures


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """Held-out images with their reconstructions."""

    rows: np.ndarray
    """(pair,), the images' rows in the collection."""
    fits: np.ndarray
    """(pair,), how well each is fitted against the others."""
    originals: np.ndarray
    """(pair, channel, height, width) in [0, 1]."""
    reconstructions: np.ndarray
    """The same shape: the mean of p(x|z) at the posterior's mean."""
    first: np.ndarray | None = None
    """The same of the first stage, in a two-stage run."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """The embedding seen in two dimensions."""

    points: np.ndarray
    """(image, 2)."""
    axes: tuple[str, str]
    """What they are, with a principal component's share of the variance."""
    how: str
    """How the plane was made."""
    label_name: str = ""
    """The table's column that gives the colours; empty: none."""
    labels: Classes | np.ndarray | None = None
    """Per image: classes, or numbers."""
    images: np.ndarray
    """(image, channel, height, width) in [0, 1], small: the images at the points."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Swaps:
    """The same codes decoded under each category of one condition, the other conditions kept."""

    column: str
    """The condition."""
    categories: tuple[str, ...]
    """Those shown, the most frequent ones."""
    total: int
    """Categories that there are."""
    own: tuple[str, ...]
    """The category of each image."""
    originals: np.ndarray
    """(image, channel, height, width) in [0, 1], held out."""
    images: np.ndarray
    """(image, category, channel, height, width): their posteriors' means, decoded."""
    samples: np.ndarray
    """(sample, category, channel, height, width): draws of the prior, decoded, each under all categories."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Components:
    """Images from each component of a mixture prior, the heaviest first."""

    numbers: np.ndarray
    """(component,), which of the prior's components it is, from 0."""
    weights: np.ndarray
    """(component,), its probability."""
    counts: np.ndarray
    """(component,), measured images whose posterior's mean comes from it most probably."""
    samples: np.ndarray
    """(component, sample, channel, height, width): the mean of p(x|z) at draws of it."""
    total: int
    """Components that the prior has."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """What `render` turns into a page."""

    folder: Path
    """The run's."""
    experiment: Experiment
    """The record of the run."""
    environment: Mapping[str, Any]
    """Versions and hardware, as the run wrote them down."""
    metrics: pd.DataFrame
    """Every term by step and split; may be empty."""
    planned_steps: int
    """Optimiser steps that the experiment asks for."""
    counts: Mapping[str, int]
    """Split -> images."""
    split: str
    """Whose images were measured and shown: test, or validation (or train) where there is no such part."""
    image_shape: tuple[int, int, int]
    """(channel, height, width)."""
    channels: tuple[str, ...]
    """Their names."""
    stored: str
    """How pixels are stored, and how they were scaled, in words."""
    content_hash: str
    """Of all pixels and the table."""
    left_out: tuple[tuple[str, str], ...]
    """(file, reason)."""
    white: float
    """The value in the model's scale [0, 1] that pictures show at full brightness."""
    num_parameters: int
    """Trained numbers of the model."""
    normalized: bool
    """Whether exp(log p(x|z)) sums to one."""
    space: DataSpace
    """What the likelihood puts its probability on."""
    num_samples: int
    """Draws of the posterior per image."""
    measures: Measures
    """Of the held-out images."""
    per_image: pd.DataFrame
    """One row per measured image: its row in the collection, its measures, its line of the table."""
    pairs: Pairs
    """Drawn at random, by a seed, from the measured images."""
    real: np.ndarray
    """(image, channel, height, width) in [0, 1]: held-out images, as many as samples."""
    samples: np.ndarray
    """(image, channel, height, width) in [0, 1]: the mean of p(x|z) at draws from the prior."""
    walks: Traversal
    """By falling rate."""
    plane: Plane
    """The embedding in two dimensions."""
    worst: Pairs
    """The worst-fitted first."""
    best: Pairs
    """The best-fitted first."""
    seconds: float
    """What computing all this took."""
    conditions: tuple[str, ...] = ()
    """Columns of the table under which the model sees images."""
    held_condition: str = ""
    """The condition of the traversals and the components' samples, in words; empty: the model takes none."""
    first: Measures | None = None
    """Of the first stage on the same images, in a two-stage run; all else is the second's."""
    swaps: Swaps | None = None
    """Of a run under conditions with categories."""
    components: Components | None = None
    """Of a run with a mixture prior."""

    @property
    def stages(self) -> dict[str, Measures]:
        """The measures by stage; a model that has but one has no name for it."""
        return {"first stage": self.first, "second stage": self.measures} if self.first else {"": self.measures}

    @property
    def latent_dim(self) -> int:
        """Latents."""
        return self.measures.embedding.latent_dim

    @property
    def active(self) -> np.ndarray:
        """(latent,), True where the posterior mean varies over images."""
        return active_in(self.measures)

    @property
    def rate(self) -> float:
        """Nats per image that the code carries."""
        return self.measures.scores["rate"].value


def active_in(measures: Measures) -> np.ndarray:
    """(latent,), True where the posterior mean varies over images."""
    return measures.latent_variances > ACTIVE_VARIANCE
