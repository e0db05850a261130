"""A run as a report sees it: held-out images, what was measured of them, and what drawing them may cost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd
import torch

from vaelab.data.columns import label_column
from vaelab.data.conditions import Condition, as_words
from vaelab.errors import InputError, unknown_name
from vaelab.evaluation import Measured
from vaelab.inference import Embedding, decode_mean, images_at_once, operations
from vaelab.metrics import Score
from vaelab.metrics.active_units import ACTIVE_VARIANCE
from vaelab.models import Model, device_of, evaluating, local_randomness
from vaelab.report.words import number
from vaelab.runs import Run
from vaelab.runs.question import Question, ask, rows_of
from vaelab.runs.results import measure
from vaelab.shapes import Images

T = TypeVar("T")

MOST_IMAGES, FEWEST_IMAGES, MOST_DRAWS, FEWEST_DRAWS = 2000, 100, 100, 3
"""Images that are measured, and draws of the posterior for each, where nobody asks for other numbers."""
BUDGET, COST_OF_PIXEL = 1e12, 5e3
"""What measuring may cost, in floating-point operations of the decoder, and what each pixel that it draws adds."""
PIXELS_KEPT = 20_000_000
"""Pixels of measured images that are held at most."""


@dataclass(frozen=True, eq=False)
class Shade:
    """How images of a run are coloured."""

    run: Run
    """Whose images they are."""
    white: float
    """What is shown at full brightness, in [0, 1]."""

    @classmethod
    def of(cls, run: Run, images: np.ndarray) -> Shade:
        """White is 1, or where the brightest thousandth of these images' pixels begins if that is much darker, to two
        digits upward. A photograph is shown as it is."""
        bright = float(np.quantile(images, 0.999))
        dark = 0 < bright <= 0.6 and not cls(run, 1.0).is_photograph
        return cls(run, float(np.ceil(bright * 100) / 100) if dark else 1.0)

    @property
    def is_photograph(self) -> bool:
        """Whether colours are shown as stored, since each channel was scaled by itself."""
        run = self.run
        return run.experiment.data.binarize == "no" and run.intensity.distorts(run.channels, run.facts.dtype)


class Look:
    """Everything of a run that parts of a report share, each computed when it is first asked for, and once.

    Args:
        run: The run.
        num_images: Held-out images to measure at most, a random draw; None: 2,000, fewer where drawing them is dear.
        num_samples: Draws of the posterior per image; None: 100, fewer where drawing is dear.
        label: Column of the images' table that says their classes; None: the likeliest.
        seed: Of every draw.
        progress: Show a progress bar.

    Raises:
        InputError: A number is out of range, or there is no such column.
    """

    def __init__(
        self,
        run: Run,
        *,
        num_images: int | None = None,
        num_samples: int | None = None,
        label: str | None = None,
        seed: int = 0,
        progress: bool = False,
    ):
        for name, value in (("num_images", num_images), ("num_samples", num_samples)):
            if value is not None and value < 1:
                raise InputError(name, "be at least 1", value)
        if label is not None and label not in (columns := run.dataset.collection.table.columns):
            raise unknown_name("label", label, map(str, columns))
        self.run, self.seed, self.progress, self.asked_label = run, seed, progress, label
        self.num_images, self.asked_samples = num_images, num_samples
        self.began, self._done = time.monotonic(), {}

    def once(self, key: object, compute: Callable[[], T]) -> T:
        """What `compute` gives, the first time; then that again."""
        if key not in self._done:
            self._done[key] = compute()
        return self._done[key]

    @property
    def seconds(self) -> float:
        """Since the look began."""
        return time.monotonic() - self.began

    # The images

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels' names."""
        return self.run.channels

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channel, height, width)."""
        return self.run.model.image_shape

    @property
    def num_pixels(self) -> int:
        """Pixels times channels of one image."""
        return int(np.prod(self.image_shape))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Split -> images."""
        return {name: len(rows) for name, rows in self.run.splits.named().items()}

    @property
    def split(self) -> str:
        """Whose images are measured and shown: test, or validation (or train) where there is no such part."""
        return self.run.splits.held_out

    @cached_property
    def rows(self) -> np.ndarray:
        """(image,): the measured images' rows in the collection, in order."""
        most = self.num_images or self._affordable_images
        return rows_of(self.run, ask(self.run, split=self.split, num_images=most, seed=self.seed))

    @cached_property
    def x(self) -> Images:
        """The measured images, in [0, 1]: where they are drawn from their pixels, the same draw as was measured."""
        with local_randomness(self.seed, torch.device("cpu")):
            return torch.cat([batch.cpu().clone() for batch in self.run.feed.batches(self.rows)])

    def originals(self, places: np.ndarray) -> np.ndarray:
        """(image, channel, height, width): those at these places among the measured images."""
        return self.x.numpy()[places]

    @cached_property
    def table(self) -> pd.DataFrame:
        """What the collection's table says of the measured images, a row for each."""
        return self.run.dataset.collection.table.iloc[self.rows].reset_index(drop=True)

    def label(self, *factors: str) -> str:
        """The column of their classes: what was asked for, else the likeliest, or an empty name."""
        return self.asked_label or label_column(self.table, factors)

    @cached_property
    def shuffled(self) -> np.ndarray:
        """(image,): places among the measured images in random order, of which the first are shown."""
        return np.random.default_rng(self.seed).permutation(len(self.rows))

    @cached_property
    def shade(self) -> Shade:
        """How images are coloured."""
        return Shade.of(self.run, self.originals(self.shuffled[:64]))

    # What it may cost

    @cached_property
    def cost(self) -> float:
        """Floating-point operations that drawing one image costs."""
        return operations(self.fixed) + COST_OF_PIXEL * self.num_pixels

    def affords(self, most: int, share: float, least: int = 1) -> int:
        """How many images may be drawn: at most so many, for that share of what measuring may cost."""
        return int(np.clip(share * BUDGET // self.cost, least, most))

    @property
    def _affordable_images(self) -> int:
        num_stages, draws = len(self.stages), 1 + (self.asked_samples or FEWEST_DRAWS)
        most = max(FEWEST_IMAGES, min(MOST_IMAGES, PIXELS_KEPT // self.num_pixels))
        return self.affords(most, 1 / num_stages / draws, FEWEST_IMAGES)

    @cached_property
    def num_samples(self) -> int:
        """Draws of the posterior per image."""
        affordable = self.affords(MOST_DRAWS + 1, 1 / len(self.stages) / len(self.rows), FEWEST_DRAWS + 1) - 1
        return self.asked_samples or affordable

    @property
    def is_cut(self) -> bool:
        """Whether fewer images or draws are measured than usual, because drawing is dear."""
        fewer = not self.num_images and len(self.rows) < min(MOST_IMAGES, self.counts[self.split])
        return fewer or (not self.asked_samples and self.num_samples < MOST_DRAWS)

    @property
    def batch_size(self) -> int:
        """Images that go through the networks at once."""
        return images_at_once(self.image_shape)

    # The model, and what it makes of the images

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the model's stages, in the order in which an image passes them; the last is the model."""
        return self.run.stages

    def measured(self, stage: str = "", metrics: tuple[str, ...] | None = None) -> Measured:
        """What is measured of one stage (left out: of the model): all of it, or some metrics with what they need."""
        stage = stage or self.stages[-1]
        whole = ("measured", stage, None)
        key = whole if whole in self._done else ("measured", stage, metrics)
        return self.once(key, lambda: measure(self.run, self._question(stage), metrics, self.progress))

    def _question(self, stage: str) -> Question:
        return ask(
            self.run, stage=stage, split=self.split, num_images=len(self.rows), num_samples=self.num_samples,
            seed=self.seed,
        )  # fmt: skip

    def _codes(self, stage: str = "") -> Measured:
        """With the codes of the images; nothing needs to be drawn for them."""
        return self.measured(stage, ("active_units",))

    def score(self, metric: str, part: str = "", stage: str = "", model: str = "") -> Score | None:
        """One score, or None where there is none."""
        return self.measured(stage).score(metric, part, model)

    def value(self, metric: str, stage: str = "", model: str = "") -> float:
        """One score's value; not a number where there is none."""
        score = self.score(metric, stage=stage, model=model)
        return float("nan") if score is None else score.value

    @property
    def embedding(self) -> Embedding:
        """The posterior of each measured image."""
        return self._codes().embedding

    @property
    def latent_dim(self) -> int:
        """Latents."""
        return self.run.model.latent_dim

    @property
    def latent_rates(self) -> np.ndarray | None:
        """(latent,): mean rate of each, nats; None where posterior or prior doesn't factorise."""
        return self._codes().latent_rates

    @property
    def by_importance(self) -> np.ndarray:
        """(latent,): those first that carry most, or vary most where rates cannot be told apart."""
        rates = self.latent_rates
        return np.argsort(-(self._codes().latent_variances if rates is None else rates))

    @property
    def active(self) -> np.ndarray:
        """(latent,), True where the posterior mean varies over images."""
        return self.active_in("")

    def active_in(self, stage: str) -> np.ndarray:
        """(latent,), True where the posterior mean of that stage varies over images."""
        return self._codes(stage).latent_variances > ACTIVE_VARIANCE

    @property
    def fits(self) -> np.ndarray:
        """(image,): how well each is fitted against the others."""
        return self.measured("", ("fit",)).per_image["fit"].to_numpy(float)

    def reconstruct(self, places: np.ndarray, stage: str = "") -> np.ndarray:
        """(image, channel, height, width): what one stage makes of measured images, from their codes."""
        model = self.run.given(self.rows[places]).stages()[stage or self.stages[-1]]
        return self.decode(model, self._codes(stage).embedding.loc[places])

    def decode(self, model: Model, codes: np.ndarray) -> np.ndarray:
        """(image, channel, height, width): the mean of p(x|z) of each code."""
        z = torch.from_numpy(np.ascontiguousarray(codes, np.float32)).to(device_of(model))
        return decode_mean(model, z, self.batch_size)

    def draw(self, model: Model, count: int) -> np.ndarray:
        """(code, latent): so many draws of the prior."""
        with evaluating(model), local_randomness(self.seed, device_of(model)):
            return model.prior.sample(torch.Size([count])).numpy(force=True)

    # Conditions

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The columns under which the model sees images."""
        return self.run.facts.conditions

    @cached_property
    def usual(self) -> dict[str, object]:
        """By column, the most frequent category of the training images, or the mean of their numbers."""
        return {c.column: self.by_frequency(c)[0] if c.categories else c.mean for c in self.conditions}

    @property
    def usual_words(self) -> str:
        """That condition in words; empty: the model takes none."""
        words = {name: number(v) if isinstance(v, float) else str(v) for name, v in self.usual.items()}
        return ", ".join(f"{name} = {value}" for name, value in words.items())

    @cached_property
    def fixed(self) -> Model:
        """The model under the usual condition, if it takes any."""
        return self.run.under(self.usual) if self.conditions else self.run.model

    def by_frequency(self, condition: Condition) -> Sequence[str]:
        """Categories, those of most training images first."""
        column = self.run.dataset.collection.table[condition.column]
        counts = Counter(as_words(column.iloc[self.run.splits.train]))
        return sorted(condition.categories, key=lambda category: -counts[category])

    # Training

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """The terms as training went, a row for each step, split and stage; empty where they are not there."""
        return self.run.metrics()

    @property
    def steps_taken(self) -> int:
        """Optimiser steps; 0 where it is not known."""
        return int(self.metrics["step"].max()) if len(self.metrics) else 0

    @property
    def num_weights(self) -> int:
        """Trained numbers of the model."""
        return sum(weights.numel() for weights in self.run.model.parameters())
