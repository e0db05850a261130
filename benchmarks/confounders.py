"""Is a planted confounder seen in the explanation of a classifier that follows it, and only there?

    python -m benchmarks.confounders [--steps N] [--seeds 0 1 2] [--size 32] [--out FOLDER] [--quick]

Synthetic cells, round or ragged (irregularity below or above the median), red or green. In one collection colour and
shape are independent, in the other 95 % of the ragged cells are red and as many of the round ones green. Of each a VAE
and a classifier of the shape are trained, the classifier is explained, and an oracle says how far the colour moves with
the series, beside those of a classifier that is trained on balanced data.

As much as 2,000 steps at 32x32 is not enough where colour and shape are independent: the outline is lost, and the gate
says 0.02. Large cells against small ones don't do either: no classifier of the size follows the colour.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import latent_meaning, ledger
from benchmarks.many_runs import train
from vaelab import files
from vaelab.data import Data, Split
from vaelab.data.sources.cells_synthetic import cell_table, render_cells
from vaelab.data.sources.npz import NpzSource
from vaelab.experiment import Experiment
from vaelab.metrics import Score
from vaelab.runs import Run
from vaelab.runs.confounded import confounders
from vaelab.runs.explaining import explain_run

SHARES = (0.5, 0.95)
"""Of ragged cells that are red, and of round ones that are green."""
STEPS, SIZE, NUM_IMAGES, SEEDS = 2000, 32, 7387, (0, 1, 2)
COLOURS = {"red": (0.9, 0.35, 0.4), "green": (0.35, 0.9, 0.4)}


def planted(folder: Path, share: float, num_images: int, size: int) -> Path:
    """Writes the cells, unless they are there, and says where."""
    path = folder / f"cells-{share}-{num_images}-{size}.npz"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    table = cell_table(num_images)
    is_ragged = (table["irregularity"] > table["irregularity"].median()).to_numpy()
    is_red = is_ragged == (np.random.default_rng(0).random(num_images) < share)
    look = np.where(is_red[:, None], COLOURS["red"], COLOURS["green"])
    table = table.assign(**dict(zip(("red", "green", "blue"), look.T, strict=True)))
    shape, colour = np.where(is_ragged, "ragged", "round"), np.where(is_red, "red", "green")
    with files.replacing(path) as part, part.open("wb") as file:
        np.savez(
            file, images=render_cells(table, size), shape=shape, colour=colour, channels=np.array([*"rgb"])
        )  # fmt: skip
    return path


def experiment(path: Path, size: int, steps: int, num_images: int) -> Experiment:
    """A VAE of 16 latents, of these images."""
    source = NpzSource(path=str(path), layout="channels_first")
    split = Split(validation=0.05, test=0.25)
    return replace(latent_meaning.experiment(size, steps, num_images), data=Data(source=source, split=split))


def trained(out: Path, size: int, steps: int, num_images: int, seeds: Sequence[int]) -> dict[float, list[Run]]:
    """Of each share a run for each seed."""
    experiments = {
        f"{share} red, {steps} steps at {size}": experiment(
            planted(out, share, num_images, size), size, steps, num_images
        )
        for share in SHARES
    }
    return dict(zip(SHARES, train(experiments, seeds, out).values(), strict=True))


def rows(run: Run, share: float, num_images: int) -> list[dict[str, object]]:
    """A line for each method."""
    seed = run.experiment.seed
    found = explain_run(run, "shape", to="ragged", num_images=num_images, seed=seed)
    (colour,) = confounders(found, ["colour"], seed=seed)
    return [
        {
            "red if ragged": share,
            "seed": seed,
            "method": method,
            "gate": round(found.fidelity.value, 2),
            "moves": shown(drag.moved),
            "by balanced data": shown(drag.baseline_moved),
            "difference": shown(drag.difference),
            "spans": " / ".join(f"{span:.2f}" for span in colour.reached[method]),
            "oracle": shown(colour.oracle),
            "balanced classifier": shown(colour.baseline),
            "verdict": colour.verdict(method),
        }
        for method, drag in colour.drags.items()
    ]


def shown(score: Score | None) -> str:
    """The value with its interval."""
    if score is None:
        return ""
    ends = f" ({score.interval[0]:.2f} to {score.interval[1]:.2f})" if score.interval else ""
    return f"{score.value:.2f}{ends}"


def main() -> None:
    """Trains, explains and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS, help="of training [2000]")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the trainings [0 1 2]")
    parser.add_argument("--size", type=int, default=SIZE, help="sides of the images [32]")
    parser.add_argument("--out", type=Path, default=Path("runs/confounders"), help="where runs stand")
    parser.add_argument("--quick", action="store_true", help="one seed, 100 steps at 32x32, not kept")
    args = parser.parse_args()
    size, steps, images, seeds = (32, 100, 1200, [0]) if args.quick else (args.size, args.steps, NUM_IMAGES, args.seeds)
    found = [
        row
        for share, runs in trained(args.out, size, steps, images, seeds).items()
        for run in runs
        for row in rows(run, share, 8 if args.quick else 32)
    ]
    ledger.show("How far the colour moves with the explanation of a classifier of the shape", found)
    ledger.keep("confounders", found, quick=args.quick)


if __name__ == "__main__":
    main()
