"""`vaelab evaluate`: every measure of a run on held-out images, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vaelab.errors import InputError, unknown_name

if TYPE_CHECKING:
    import numpy as np

    from vaelab.evaluation import Measures, Score
    from vaelab.runs import Run

_EXAMPLES = """\
examples:
  vaelab evaluate runs/mnist-1
  vaelab evaluate runs/mnist-1 --num-samples 5000 --num-images 1000     a tight bound on log p(x)
  vaelab evaluate runs/mnist-1 --split validation

Terms are in nats per image; brackets hold 95 % confidence intervals. A mean image and as many principal components as
there are latents are measured likewise. All of it is written to RUN/metrics.json, each image's own to per_image.csv."""

_SPLITS = ("train", "validation", "test")


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("evaluate", help="measure a run on held-out images", epilog=_EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--split", metavar="NAME", help="train, validation or test [test, if the run has one]")
    parser.add_argument("--stage", metavar="STAGE", help="first or second, of a two-stage model [second]")
    parser.add_argument("--num-samples", metavar="K", default="100", help="draws per image for ELBO and log p(x) [100]")
    parser.add_argument("--num-images", metavar="N", default="none", help="a random draw of so many images [all]")
    parser.add_argument("--seed", metavar="SEED", default="0", help="of the draws [0]")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args) -> int:
    """Does it."""
    from vaelab.settings.text import parse_value

    num_samples = parse_value(int, args.num_samples, "--num-samples")
    num_images = parse_value(int | None, args.num_images, "--num-images")
    seed = parse_value(int, args.seed, "--seed")
    for flag, value, least in (("--num-samples", num_samples, 1), ("--num-images", num_images, 1), ("--seed", seed, 0)):
        if value is not None and not least <= value < 2**32:
            raise InputError(flag, f"be at least {least}", value)
    if args.split is not None and args.split not in _SPLITS:
        raise unknown_name("--split", args.split, _SPLITS)

    from vaelab.cli._notes import say_collapse
    from vaelab.runs import load

    trained = load(args.run).at_stage(args.stage)
    split, rows = _rows(trained, args.split, num_images, seed)
    measures = _measure(trained, rows, num_samples, seed, progress=not args.quiet)
    facts = {"split": split, "num_images": len(rows), "num_samples": num_samples, "seed": seed}
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
    from vaelab.screen import Progress

    torch.manual_seed(seed)  # dynamic binarisation draws from it
    feed, train = trained.feed, trained.splits.train
    some = np.sort(np.random.default_rng(seed).permutation(train)[:5000])
    with Progress("measuring", len(rows), shown=progress) as bar:
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

    texts = {
        "metrics.json": json.dumps({**facts, **measures.to_dict()}, indent=1, allow_nan=False),
        "per_image.csv": measures.per_image.assign(row=rows).to_csv(index=False),
    }
    for name, text in texts.items():
        part = trained.folder / f".{name}.part"
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(trained.folder / name)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise InputError(
                str(part.parent), "be a folder that can be written", error.strerror or str(error)
            ) from None


def _print(measures: Measures, facts: Mapping[str, Any]) -> None:
    """One line per measure; those of each latent alone stand in metrics.json only."""
    from rich.console import Console
    from rich.table import Table

    title = f"{facts['num_images']:,} {facts['split']} images, {facts['num_samples']:,} samples each"
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    table.add_column("measure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("better", no_wrap=True)
    for name in measures.baselines:
        table.add_column(name, justify="right", no_wrap=True)
    for name, score in measures.scores.items():
        if not name.startswith("rate_per_latent/"):
            others = [_number(scores.get(name)) for scores in measures.baselines.values()]
            better = "" if score.better == "neither" else score.better
            table.add_row(name, _number(score), _interval(score), score.unit, better, *others)
    Console(width=Console(width=999).measure(table).maximum).print(table)


def _number(score: Score | None) -> str:
    return "" if score is None else f"{score.value:.5g}"


def _interval(score: Score) -> str:
    return (
        "" if score.interval is None else f"[{score.interval[0]:.5g}, {score.interval[1]:.5g}]".replace("[", r"\[", 1)
    )
