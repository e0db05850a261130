"""`vaelab evaluate`: every measure of a run on held-out images, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vaelab import files, screen
from vaelab.cli._options import OnStage
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast1, Seed

if TYPE_CHECKING:
    import numpy as np

    from vaelab.evaluation import Measures, Score
    from vaelab.runs import Run

EXAMPLES = """\
examples:
  vaelab evaluate runs/mnist-1
  vaelab evaluate runs/mnist-1 --num-samples 5000 --num-images 1000     a tight bound on log p(x)
  vaelab evaluate runs/mnist-1 --split validation

Terms are in nats per image; brackets hold 95 % confidence intervals. A mean image and as many principal components as
there are latents are measured likewise. All of it is written to RUN/metrics.json, each image's own to per_image.csv."""


@dataclass(frozen=True, kw_only=True)
class Options(OnStage):
    """Measure a run on held-out images."""

    split: Literal["train", "validation", "test"] | None = None
    """Which images; left out: test, if the run has such."""
    num_samples: AtLeast1 = 100
    """Draws per image for ELBO and log p(x)."""
    num_images: AtLeast1 | None = None
    """A random draw of so many images; left out: all."""
    seed: Seed = 0
    """Of the draws."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.cli._notes import say_collapse

    trained = options.load().at_stage(options.stage)
    split, rows = _rows(trained, options.split, options.num_images, options.seed)
    measures = _measure(trained, rows, options.num_samples, options.seed, progress=not options.quiet)
    facts = {"split": split, "num_images": len(rows), "num_samples": options.num_samples, "seed": options.seed}
    _write(trained, rows, measures, facts)
    _print(measures, facts)
    say_collapse(measures)
    return 0


def _rows(trained: Run, split: str | None, num_images: int | None, seed: int) -> tuple[str, np.ndarray]:
    """The split's name, and rows of it in order."""
    import numpy as np

    split = split or ("test" if len(trained.splits.test) else "validation")
    rows = getattr(trained.splits, split)
    if not len(rows):
        raise InputError("--split", "be one that the run has images in", split, "Held-out parts are set by data.split.")
    if num_images is not None and num_images < len(rows):
        rows = np.sort(np.random.default_rng(seed).choice(rows, num_images, replace=False))
    return split, rows


def _measure(trained: Run, rows: np.ndarray, num_samples: int, seed: int, *, progress: bool) -> Measures:
    import numpy as np
    import torch

    from vaelab.evaluation import evaluate

    torch.manual_seed(seed)  # dynamic binarisation draws from it
    feed, train = trained.feed, trained.splits.train
    some = np.sort(np.random.default_rng(seed).permutation(train)[:5000])
    with screen.Progress("measuring", len(rows), shown=progress) as bar:
        return evaluate(
            trained.given(rows),
            feed.batches(rows),
            num_samples=num_samples,
            channels=trained.channels,
            training_images=feed.batches(some),
            seed=seed,
            on_batch=bar.advance,
        )


def _write(trained: Run, rows: np.ndarray, measures: Measures, facts: Mapping[str, Any]) -> None:
    import json

    numbers = json.dumps({**facts, **measures.to_dict()}, indent=1, allow_nan=False)
    files.write(trained.folder / "metrics.json", numbers)
    files.write(trained.folder / "per_image.csv", measures.per_image.assign(row=rows).to_csv(index=False))


def _print(measures: Measures, facts: Mapping[str, Any]) -> None:
    """One line per measure; those of each latent alone stand in metrics.json only."""
    rows = []
    for name, score in measures.scores.items():
        if not name.startswith("rate_per_latent/"):
            others = [_number(scores.get(name)) for scores in measures.baselines.values()]
            better = "" if score.better == "neither" else score.better
            rows.append([name, _number(score), _interval(score), score.unit, better, *others])
    title = f"{facts['num_images']:,} {facts['split']} images, {facts['num_samples']:,} samples each"
    columns = ["measure", "value", "95 % interval", "unit", "better", *measures.baselines]
    screen.table(title, columns, rows, left=["measure", "unit", "better"])


def _number(score: Score | None) -> str:
    return "" if score is None else f"{score.value:.5g}"


def _interval(score: Score) -> str:
    return "" if score.interval is None else f"[{score.interval[0]:.5g}, {score.interval[1]:.5g}]"
