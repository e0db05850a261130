"""What was measured: scores, with what they were computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from vaelab.distributions import COLLAPSE_RATE
from vaelab.inference import Embedding
from vaelab.metrics import Score

_COLUMNS = (
    *("metric", "part", "value", "low", "high", "unit", "better", "count"),
    *("null", "ceiling", "stage", "model", "source", "reason"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """The scores of a model on some images, with what they were computed from."""

    scores: tuple[Score, ...]
    """Metric by metric: of the whole, then of its parts; then those of trivial models."""
    per_image: pd.DataFrame
    """One row per image, in their order; a column for each metric that is a mean over images, and where an image has
    several parts one more for each, named as in ``mse/DNA``."""
    rows: np.ndarray
    """(image,): the images' rows in their collection; where that is not known, from 0."""
    arrays: Mapping[str, np.ndarray]
    """What metrics were computed from, by the names that they ask for; see `vaelab.metrics`."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how it was measured, a sentence each, without a full stop."""

    def __repr__(self) -> str:
        return f"<Measured: {len(self.scores)} scores of {len(self.rows):,} images>"

    def _repr_html_(self) -> str:
        return scores_table(self.scores).drop(columns=["source"]).dropna(axis=1, how="all").to_html(index=False)

    def score(self, metric: str, part: str = "", model: str = "") -> Score | None:
        """The score of a metric, of a part of it, or of a trivial model in the model's place; None: not measured."""
        wanted = (metric, part, model)
        return next((score for score in self.scores if (score.metric, score.part, score.model) == wanted), None)

    @property
    def codes(self) -> np.ndarray:
        """(image, latent): the posteriors' means."""
        return self.arrays["codes"]

    @property
    def scales(self) -> np.ndarray:
        """(image, latent): their standard deviations."""
        return self.arrays["scales"]

    @property
    def embedding(self) -> Embedding:
        """The posterior of each image."""
        return Embedding(loc=self.codes, scale=self.scales)

    @property
    def latent_rates(self) -> np.ndarray | None:
        """(latent,): mean rate of each latent, nats; None where posterior or prior doesn't factorise."""
        rates = self.arrays.get("latent_rates")
        return None if rates is None else rates.mean(0)

    @property
    def latent_variances(self) -> np.ndarray:
        """(latent,): variance over images of the posterior mean; a latent above 0.01 is active."""
        return self.codes.var(0)

    @property
    def is_collapsed(self) -> bool:
        """Whether it was found that the code says nothing of the image: no latent is active, or the rate is below 0.1
        nats per image."""
        rate, active = self.score("rate"), self.score("active_units")
        return (rate is not None and rate.value < COLLAPSE_RATE) or (active is not None and not active.value)


def scores_table(scores: Iterable[Score]) -> pd.DataFrame:
    """One row per score, one column per field, and the interval's ends as ``low`` and ``high``.

    >>> scores_table([Score(metric="mse", value=0.1, unit="", count=9, interval=(0.0, 0.2))])["high"].tolist()
    [0.2]
    """
    rows = [asdict(score) for score in scores]
    for row in rows:
        row["low"], row["high"] = row.pop("interval") or (None, None)
        row["reason"] = row["reason"] or None
    return pd.DataFrame({name: [row[name] for row in rows] for name in _COLUMNS})
