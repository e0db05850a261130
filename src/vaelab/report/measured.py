"""What is measured of one stage of a run's model: every score by metric, part and model, and what each image got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from vaelab.evaluation import Score, evaluate
from vaelab.evaluation.active_units import ACTIVE_VARIANCE
from vaelab.evaluation.fit import BAD_FIT
from vaelab.inference import Embedding, ImageBatches
from vaelab.models import Model
from vaelab.shapes import Images

__all__ = ["ACTIVE_VARIANCE", "BAD_FIT", "Measured", "NamedScore", "Score", "measure"]


@dataclass(frozen=True, kw_only=True)
class NamedScore(Score):
    """A score that says what it is of."""

    metric: str
    """The metric's name."""
    part: str = ""
    """The channel or latent; empty: all together."""
    model: str = ""
    """The baseline; empty: the model itself."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """The scores of one stage, with what they were computed from."""

    scores: tuple[NamedScore, ...]
    """All of them."""
    per_image: pd.DataFrame
    """One row per image: its measures."""
    embedding: Embedding
    """The posterior of each image."""
    latent_rates: np.ndarray | None
    """(latent,): mean rate of each latent, nats; None where posterior or prior doesn't factorise."""
    latent_variances: np.ndarray
    """(latent,): variance over images of the posterior mean."""
    is_collapsed: bool
    """Whether the code says nothing of the image."""

    def score(self, metric: str, part: str = "", model: str = "") -> NamedScore | None:
        """One of them, or None."""
        wanted = (metric, part, model)
        return next((s for s in self.scores if (s.metric, s.part, s.model) == wanted), None)


def measure(
    model: Model,
    images: Images,
    *,
    num_samples: int,
    channels: tuple[str, ...],
    training_images: ImageBatches | None,
    batch_size: int,
    seed: int,
    on_batch: Callable[[int], None],
) -> Measured:
    """Measures the model on these images; see `vaelab.evaluation.evaluate`."""
    found = evaluate(
        model,
        images,
        num_samples=num_samples,
        channels=channels,
        training_images=training_images,
        batch_size=batch_size,
        seed=seed,
        on_batch=on_batch,
    )
    scores = []
    for of, each in {"": found.scores, **found.baselines}.items():
        for name, score in each.items():
            metric, _, part = name.partition("/")
            scores.append(NamedScore(**asdict(score), metric=metric, part=part, model=of))
    return Measured(
        scores=tuple(scores),
        per_image=found.per_image,
        embedding=found.embedding,
        latent_rates=found.latent_rates,
        latent_variances=found.latent_variances,
        is_collapsed=found.is_collapsed,
    )
