"""Computes what a report shows, within a stated budget."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import torch

from vaelab.errors import InputError
from vaelab.evaluation import evaluate
from vaelab.inference import Embedding, reconstruct, sample, traverse
from vaelab.models import Model, TwoStage, TwoStageConfig, local_randomness
from vaelab.plots import shrink
from vaelab.priors import Prior
from vaelab.report.components import draw_components
from vaelab.report.conditioned import in_words, swap_conditions, usual_condition
from vaelab.report.evidence import Evidence, Pairs, Plane
from vaelab.report.labels import label_column, labels_of
from vaelab.report.measures import Measures
from vaelab.runs import Run
from vaelab.screen import Progress
from vaelab.shapes import Images

MOST_IMAGES, PIXEL_BUDGET, DRAW_BUDGET, BASELINE_BUDGET = 2000, 20_000_000, 110_000_000, 20_000_000
"""Images measured at most; and how many pixels may be measured, drawn by the decoder and given to the baselines."""
FEWEST_IMAGES, FEWEST_DRAWS, MOST_DRAWS = 200, 3, 64
NUM_PAIRS, NUM_ODD, NUM_SAMPLES, NUM_WALKS, NUM_STEPS, SMALL = 33, 11, 64, 48, 15, 32


def gather(
    run: Run, *, max_images: int | None = None, num_samples: int | None = None, seed: int = 0, progress: bool = False
) -> Evidence:
    """Measures a run on held-out images and collects the pictures.

    Args:
        run: The run.
        max_images: Held-out images to measure at most, a random draw; None: 2,000, fewer where images are large.
        num_samples: Draws of the posterior per image; None: 64, fewer where images are large.
        seed: Of every draw.
        progress: Show a progress bar.

    Raises:
        InputError: A number is out of range, or the run's images are not there any more.
    """
    start = time.monotonic()
    for name, value in (("max_images", max_images), ("num_samples", num_samples)):
        if value is not None and value < 1:
            raise InputError(f"report.{name}", "be at least 1", value)
    split, rows = _held_out(run, max_images, seed)
    pixels = int(np.prod(run.model.image_shape))
    num_samples = num_samples or int(np.clip(DRAW_BUDGET // (len(rows) * pixels), FEWEST_DRAWS, MOST_DRAWS))
    with local_randomness(seed, torch.device("cpu")):
        x = run.feed(rows)
    model = run.given(rows)
    measures = _measure(run, model, x, num_samples, seed, progress)
    first = (
        _measure(run, model.stages()["first"], x, num_samples, seed, progress) if "first" in model.stages() else None
    )
    fits = measures.per_image["fit"].to_numpy()
    order = np.argsort(fits, kind="stable")
    shuffled = np.random.default_rng(seed).permutation(len(rows))

    def pairs(chosen: np.ndarray) -> Pairs:
        images, own = x[torch.from_numpy(chosen)], run.given(rows[chosen])
        return Pairs(
            rows=rows[chosen],
            fits=fits[chosen],
            originals=images.numpy(),
            reconstructions=reconstruct(own, images),
            first=reconstruct(own.first, images) if isinstance(own, TwoStage) else None,
        )

    some = shuffled[:NUM_SAMPLES]
    collection, real = run.dataset.collection, x[torch.from_numpy(some)].numpy()
    held = usual_condition(run)
    fixed = run.under(held) if held else run.model
    importance = measures.latent_rates if measures.latent_rates is not None else measures.latent_variances
    return Evidence(
        folder=run.folder,
        experiment=run.experiment,
        environment=_environment(run),
        metrics=_metrics(run),
        planned_steps=run.experiment.training.total_steps(len(run.splits.train)),
        counts={name: len(getattr(run.splits, name)) for name in ("train", "validation", "test")},
        split=split,
        image_shape=run.model.image_shape,
        channels=run.channels,
        stored=_stored(run),
        content_hash=run.facts.content_hash,
        left_out=run.facts.left_out,
        white=_white(real),
        num_parameters=sum(p.numel() for p in run.model.parameters()),
        normalized=run.model.likelihood.normalized,
        space=run.model.likelihood.space,
        num_samples=num_samples,
        measures=measures,
        per_image=_per_image(measures, rows, collection.table),
        pairs=pairs(shuffled[:NUM_PAIRS]),
        real=real,
        samples=sample(run.given(rows[some]), len(real), seed),
        walks=traverse(fixed, measures.embedding, NUM_STEPS, latents=np.argsort(-importance)[:NUM_WALKS].tolist()),
        plane=_plane(measures.embedding, x, collection.table.iloc[rows], collection.factors),
        worst=pairs(order[:NUM_ODD]),
        best=pairs(order[::-1][:NUM_ODD].copy()),
        conditions=tuple(held),
        held_condition=in_words(held),
        first=first,
        swaps=swap_conditions(run, rows[shuffled], seed),
        components=draw_components(fixed, _prior(run), measures.embedding, seed),
        seconds=time.monotonic() - start,
    )


def _held_out(run: Run, max_images: int | None, seed: int) -> tuple[str, np.ndarray]:
    """The split to judge by, and rows of it: all, or a random draw within the budget."""
    parts = [name for name in ("test", "validation", "train") if len(getattr(run.splits, name))]
    rows = getattr(run.splits, parts[0])
    fit_in = max(FEWEST_IMAGES, min(MOST_IMAGES, PIXEL_BUDGET // int(np.prod(run.model.image_shape))))
    most = max_images or fit_in
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return parts[0], rows


def _measure(run: Run, model: Model, x: Images, num_samples: int, seed: int, progress: bool) -> Measures:
    most = max(2, BASELINE_BUDGET // int(np.prod(run.model.image_shape)))
    some = np.sort(np.random.default_rng(seed).permutation(run.splits.train)[: min(5000, most)])
    with local_randomness(seed, torch.device("cpu")), Progress("measuring", len(x), shown=progress) as bar:
        found = evaluate(
            model,
            x,
            num_samples=num_samples,
            channels=run.channels,
            training_images=run.feed.batches(some) if len(some) > 1 else None,
            seed=seed,
            on_batch=bar.advance,
        )
    return Measures.of(found)


def _prior(run: Run) -> Prior | None:
    """The setting of the prior of the model's latents."""
    config = run.experiment.model
    if isinstance(config, TwoStageConfig):
        config = config.second if isinstance(run.model, TwoStage) else config.first
    return getattr(config, "prior", None)


def _plane(embedding: Embedding, x: Images, table: pd.DataFrame, factors: tuple[str, ...]) -> Plane:
    name = label_column(table, factors)
    points, axes, how = _project(embedding)
    return Plane(
        points=points,
        axes=axes,
        how=how,
        label_name=name,
        labels=labels_of(pd.Series(table[name])) if name else None,
        images=shrink(x.numpy(), SMALL)[0],
    )


def _project(embedding: Embedding) -> tuple[np.ndarray, tuple[str, str], str]:
    """Points of the plane, what its axes are, and how it was made."""
    loc = embedding.loc.astype(np.float64)
    if embedding.latent_dim == 1:
        points = np.stack([loc[:, 0], embedding.scale[:, 0]], axis=1)
        return points, ("z0", "scale of z0"), "The posterior mean of the one latent, against the posterior's scale."
    if embedding.latent_dim == 2:
        return loc, ("z0", "z1"), "The two latents themselves: the posterior mean of each held-out image."
    centered = loc - loc.mean(0)
    _, sizes, directions = np.linalg.svd(centered, full_matrices=False)
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-30)
    first = directions[:2] * np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(1)])[:, None]
    how = (
        f"The posterior mean of each held-out image, projected from {embedding.latent_dim} latents to the first two "
        f"principal components, which hold {shares[:2].sum():.0%} of the variance. Images that are near each other "
        "here may be far apart in the code."
    )
    return centered @ first.T, (f"component 1 ({shares[0]:.0%})", f"component 2 ({shares[1]:.0%})"), how


def _per_image(measures: Measures, rows: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    """Row, measures, and the table's columns, those of a measure's name with `table.` before it."""
    own = table.iloc[rows].reset_index(drop=True)
    taken = {"row", *measures.per_image.columns}
    own.columns = [f"table.{name}" if name in taken else name for name in map(str, own.columns)]
    return pd.concat([pd.DataFrame({"row": rows}), measures.per_image, own], axis=1)


def _white(images: np.ndarray) -> float:
    """1, or where the brightest thousandth of pixels begins if that is much darker, to two digits upward."""
    bright = float(np.quantile(images, 0.999))
    return 1.0 if bright > 0.6 or bright <= 0 else float(np.ceil(bright * 100) / 100)


def _stored(run: Run) -> str:
    intensity, facts = run.intensity, run.facts
    ranges = [f"{lo:g} to {hi:g}" for lo, hi in zip(intensity.lo, intensity.hi, strict=True)]
    same = len(set(ranges)) == 1
    named = ranges[0] if same else "; ".join(f"{name} {one}" for name, one in zip(run.channels, ranges, strict=True))
    words = f"stored as {facts.dtype}; {named} {'became' if same else 'each became'} 0 to 1"
    words += ", then its square root" if intensity.square_root else ""
    drawn = {"threshold": "1 above 0.5, else 0", "dynamic": "drawn with the pixel's value as the probability of a 1"}
    how = drawn.get(run.experiment.data.binarize)
    return words + (f", then 0 or 1 ({how})" if how else "")


def _metrics(run: Run) -> pd.DataFrame:
    try:
        return run.metrics()
    except (OSError, pd.errors.EmptyDataError):
        return pd.DataFrame()


def _environment(run: Run) -> dict:
    try:
        return json.loads((run.folder / "environment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"environment.json": "not in the run's folder"}
