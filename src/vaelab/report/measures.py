"""The scores as the report's sections look them up: by one text for metric and part, such as ``mse/DNA``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from vaelab.evaluation import Measured
from vaelab.inference import Embedding
from vaelab.metrics import Score


@dataclass(frozen=True, eq=False, kw_only=True)
class Measures:
    """What was measured, in that form."""

    scores: Mapping[str, Score]
    per_image: pd.DataFrame
    embedding: Embedding
    latent_rates: np.ndarray | None
    latent_variances: np.ndarray
    is_collapsed: bool
    baselines: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)

    @classmethod
    def of(cls, measured: Measured) -> Measures:
        """The same scores."""
        models: dict[str, dict[str, Score]] = {"": {}}
        for score in measured.scores:
            name = f"{score.metric}/{score.part}" if score.part else score.metric
            models.setdefault(score.model, {})[name] = score
        return cls(
            scores=models.pop(""),
            per_image=measured.per_image,
            embedding=measured.embedding,
            latent_rates=measured.latent_rates,
            latent_variances=measured.latent_variances,
            is_collapsed=measured.is_collapsed,
            baselines=models,
        )

    def to_dict(self) -> dict:
        """Every score, with all its fields, as values that JSON can hold."""
        return {
            "scores": {name: _plain(score) for name, score in self.scores.items()},
            "baselines": {n: {name: _plain(s) for name, s in scores.items()} for n, scores in self.baselines.items()},
        }


def _plain(score: Score) -> dict:
    values = asdict(score)
    low_high = values["interval"] and [_finite(end) for end in values["interval"]]
    return values | {"value": _finite(score.value), "interval": low_high, "ceiling": _finite(score.ceiling)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
