"""Does the map of what latents mean agree with the generators of synthetic cells and of sprites?

    python -m benchmarks.latent_meaning [cells|sprites ...] [--steps N] [--seeds 0 1 2] [--size 32] [--out FOLDER]
                                        [--quick]

Cells: a VAE is trained on cells whose factors are known. Its map says how far each latent moves channels and features
of the images that the decoder draws. The true map never sees the decoder: by linear regression on held-out images draws
of the codes say how far a cell's factors (its point in the plane, place, size, elongation) move with the latent, and
the generator draws the cell with its factors moved so. Beside the correlation of both maps over latents and features
(interval: bootstrap over latents) stands that with the true rows dealt to other latents.

Sprites: a VAE with a penalty on total correlation is trained on sprites of 64x64. The latent of a factor is that which
has most information on it (scikit-learn's estimate, by nearest neighbours), and its name the feature that the map says
it moves most: of scale the area, of orientation how upright or tilted it is, of shape its eccentricity or solidity. The
factor of a latent is named rightly where the latent is more about it than about any other factor and has its name.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from benchmarks import ledger
from benchmarks.factors import experiments
from benchmarks.many_runs import train
from vaelab import presets
from vaelab.data import Data, Split
from vaelab.data.sources.cells_synthetic import CellsSyntheticSource, cell_look, render_cells
from vaelab.data.sources.sprites import FACTORS
from vaelab.experiment import Experiment
from vaelab.explanation import Meaning, meaning, meaning_of, measured_features
from vaelab.explanation.directions import latent_directions
from vaelab.explanation.meaning import decoder_of
from vaelab.inference import Embedding, embed
from vaelab.metrics import interval
from vaelab.metrics.active_units import ACTIVE_VARIANCE
from vaelab.models import VAEConfig
from vaelab.runs import Run

NAMES = ("area", "intensity", "y", "x", "eccentricity", "upright", "tilt")
"""What the factors move; outlines and textures are each cell's own."""
_DRAWS = 16
NAMED = {"x": "x", "y": "y", "area": "scale", "intensity": "scale", "channel": "scale", "upright": "orientation",
         "tilt": "orientation", "eccentricity": "shape", "solidity": "shape"}  # fmt: skip
"""Feature -> the factor of sprites that it tells of."""


def experiment(size: int, steps: int, num_images: int) -> Experiment:
    """The cell study's first VAE, with 16 latents and a higher rate."""
    base = presets.cells_synthetic()
    assert isinstance(base.model, VAEConfig)
    source = CellsSyntheticSource(num_images=num_images, size=size)
    training = replace(base.training, num_steps=steps, validate_every=steps, learning_rate=1e-3, patience=None)
    return replace(
        base,
        data=Data(source=source, split=Split(validation=0.05, test=0.25)),
        model=replace(base.model, latent_dim=16),
        training=training,
    )


def factors_of(table: pd.DataFrame) -> np.ndarray:
    """(image, factor): numbers that stand for the cell, none of them an angle."""
    stretch, turn = np.log(table["elongation"]), 2 * table["rotation"]
    plain = table[["x", "y", "center_x", "center_y"]].to_numpy(float)
    return np.column_stack([plain, np.log(table["radius"]), stretch * np.cos(turn), stretch * np.sin(turn)])


def with_factors(table: pd.DataFrame, factors: np.ndarray) -> pd.DataFrame:
    """The same cells with other factors, as far as the generator can draw them."""
    x, y, center_x, center_y, log_radius, along, across = factors.T
    x, y = np.clip(x, 0, 1), np.clip(y, 0, 1)
    stretch = np.exp(np.hypot(along, across))
    where = {"center_x": center_x, "center_y": center_y, "radius": np.exp(log_radius)}
    return table.assign(**cell_look(x, y), **where, elongation=stretch, rotation=np.arctan2(across, along) / 2)


def true_decoder(table: pd.DataFrame, points: Embedding, size: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The generator in the decoder's place: it moves a cell's factors as its code moves, along the regression.

    Draws of the posteriors are what tells of the factors, as they are what the decoder sees: a latent whose draws are
    noise tells of none, though its means may.
    """
    factors, codes = factors_of(table), points.loc
    noise = np.random.default_rng(0).normal(size=(_DRAWS, *codes.shape))
    draws = (codes + points.scale * noise).reshape(-1, codes.shape[1])
    design = np.column_stack([np.ones(len(draws)), draws])
    slopes = np.linalg.lstsq(design, np.tile(factors, (_DRAWS, 1)), rcond=None)[0][1:]

    def decode(moved: np.ndarray, rows: np.ndarray) -> np.ndarray:
        changed = factors[rows] + (moved - codes[rows]) @ slopes
        return render_cells(with_factors(table.iloc[rows], changed), size) / np.float32(255)

    return decode


def maps(run: Run, num_moved: int) -> tuple[Meaning, Meaning]:
    """What the active latents mean by the decoder, and by the generator."""
    rows = run.splits.test
    table = run.dataset.collection.table.iloc[rows].reset_index(drop=True)
    images, embedding = run.feed(rows).numpy().copy(), embed(run, rows)
    active = np.flatnonzero(embedding.loc.var(0) > ACTIVE_VARIANCE)

    def measure(x: np.ndarray) -> pd.DataFrame:
        return measured_features(x, run.channels, names=NAMES)

    points = Embedding(loc=embedding.loc.astype(float), scale=embedding.scale.astype(float))
    directions = latent_directions(embedding.latent_dim, active.tolist())
    decoders = decoder_of(run.model), true_decoder(table, points, images.shape[-1])
    ours, true = (meaning_of(d, measure, points, measure(images), directions, num_images=num_moved) for d in decoders)
    return ours, true


def agreement(run: Run, num_moved: int) -> dict[str, object]:
    """One line of the table of cells."""
    ours, true = maps(run, num_moved)

    def correlation(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

    low, high = interval(correlation, ours.changes, true.changes) or (np.nan, np.nan)
    random, count = np.random.default_rng(0), len(true.changes)
    dealt = [correlation(ours.changes, true.changes[random.permutation(count)]) for _ in range(200)]
    each = {name: round(correlation(ours.changes[:, i], true.changes[:, i]), 2) for i, name in enumerate(ours.features)}
    return {
        "seed": run.experiment.seed,
        "latents": count,
        "mean nothing": int((~ours.shown.any(1)).sum()),
        "correlation": f"{correlation(ours.changes, true.changes):.3f} ({low:.3f} to {high:.3f})",
        "dealt": f"{np.mean(dealt):.2f} ±{np.std(dealt):.2f}",
        **each,
    }


def namings(run: Run, num_moved: int) -> list[dict[str, object]]:
    """A line for each factor of sprites."""
    rows = run.splits.test
    table, codes = run.dataset.collection.table.iloc[rows], embed(run, rows).loc
    shares = pd.DataFrame()
    for factor in FACTORS:
        values = table[f"{factor}_class"].to_numpy()
        entropy = mutual_info_score(values, values)
        shares[factor] = mutual_info_classif(codes, values, random_state=0) / entropy
    found, lines = meaning(run, num_images=num_moved), []
    for factor in FACTORS:
        latent = int(shares[factor].argmax())
        about = str(shares.iloc[latent].idxmax())
        moves = found.says(latent).split(", ")[0]
        right = factor == about == NAMED.get(moves.split(" ")[0])
        lines.append(
            {"seed": run.experiment.seed, "factor": factor, "latent": f"z{latent}",
             "share of the factor": round(shares[factor][latent], 2), "most about": about,
             "moves": found.says(latent), "named rightly": right}
        )  # fmt: skip
    return lines


def cells(steps: int, seeds: Sequence[int], size: int, out: Path, quick: bool) -> list[dict[str, object]]:
    """The map of cells by that of the generator."""
    name = f"{steps} steps at {size}"
    runs = train({name: experiment(size, steps, 800 if quick else 7387)}, seeds, out)[name]
    return [{"training": name, **agreement(run, 16 if quick else 64)} for run in runs]


def sprites(steps: int, seeds: Sequence[int], size: int, out: Path, quick: bool) -> list[dict[str, object]]:
    """The names of the latents of sprites, which are of 64x64 whatever the size of cells."""
    name = f"sprites, {steps} steps"
    runs = train({name: experiments("sprites", steps)["total correlation 5"]}, seeds, out)[name]
    return [{"training": name, **line} for run in runs for line in namings(run, 16 if quick else 64)]


def main() -> None:
    """Trains, compares and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", nargs="*", choices=["cells", "sprites", []], help="[both]")
    parser.add_argument("--steps", type=int, default=2000, help="of training [2000]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the trainings [0 1 2]")
    parser.add_argument("--size", type=int, default=32, help="sides of the cells [32]")
    parser.add_argument("--out", type=Path, default=Path("runs/latent-meaning"), help="where runs stand")
    parser.add_argument("--quick", action="store_true", help="one seed, 100 steps, not kept")
    args = parser.parse_args()
    steps, seeds = (100, [0]) if args.quick else (args.steps, args.seeds)
    for images in args.images or ("cells", "sprites"):
        rows = {"cells": cells, "sprites": sprites}[images](steps, seeds, args.size, args.out, args.quick)
        ledger.show(f"What latents of {images} mean, by their generator", rows)
        ledger.keep("latent_meaning", rows, quick=args.quick)


if __name__ == "__main__":
    main()
