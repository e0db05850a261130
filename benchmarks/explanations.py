"""Every method of explanation by every measure, with its cost, and whether confounders and poor models are seen.

    python -m benchmarks.explanations [cells|mnist|bbbc021|poor ...] [--out FOLDER] [--quick]

    cells    synthetic cells, treated ones larger than others on the whole: by a classifier of the treatment that a
             planted colour confounds and by one that it does not, three seeds, every method; beside the measures how
             far each method moves the colour, and how far where the classifier learnt from balanced data
    mnist    threes as eights and fours as nines, with the areas of the deletion tests
    bbbc021  cells without a drug as cells under microtubule stabilisers, the classifier divided by plate
    poor     threes as eights by a VAE of two latents after one pass: its series obey, and the gate must refuse it

Seconds are of one core, for all images and ten targets, what `conditional` has to learn included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import latent_meaning, ledger
from benchmarks.many_runs import train
from benchmarks.published import default_data
from vaelab import presets
from vaelab.data import Data, ImageCollection, Split
from vaelab.data.sources.cells_synthetic import cell_table, render_cells
from vaelab.data.sources.npz import NpzSource, save_npz
from vaelab.metrics import Score
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.runs import Run, load
from vaelab.runs.classify import classify
from vaelab.runs.confounded import confounders
from vaelab.runs.explaining import METHODS, Explanation, explain_run

ALL = (*METHODS, "geodesic", "conditional")
SIZE, STEPS, NUM_CELLS = 16, 3000, 12000
HUE = 0.24
"""How far red is above and green below the mean, or the reverse; the standard deviation of each is half of it."""
RADIUS, LARGER, SPREAD = 0.24, 0.04, 0.03
"""In sides of the image: of a cell on average, how much larger treated ones are, and the standard deviation of each."""


def lines(case: str, seed: int, found: Explanation) -> Iterator[dict[str, object]]:
    """A line for each method, and one for each saliency: the gate, seconds, and every measure with its interval."""
    gate = _shown(found.fidelity.agreement) or _shown(found.fidelity.correlation)
    head = {"case": case, "seed": seed, "gate": gate, "warned": bool(found.fidelity.warning)}
    for method, measured in found.measured.items():
        whole = {score.metric: _shown(score) for score in measured.scores if not score.part and not score.model}
        yield {**head, "method": method, "seconds": round(found.explained.series[method].seconds, 1), **whole}
    for saliency, curves in found.curves.items():
        areas = {f"{score.metric} {score.part}".strip(): _shown(score) for score in curves.measured.scores}
        yield {**head, "method": f"{found.best}, {saliency}", **areas}


def planted(folder: Path, num_cells: int) -> Path:
    """Writes the cells, unless they are there, and says where.

    Colour is independent of the treatment, and by the size 75 % can be told. Whether a cell was treated is known in two
    columns, of half the cells each: in `independent` of any, in `confounded` of those whose colour tells 95 %. Size and
    colour change by degrees: where colours are pure red or green, no gradient leads from one to the other.
    """
    path = folder / f"cells-{num_cells}.npz"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    random, table = np.random.default_rng(0), cell_table(num_cells)
    is_treated, is_red = random.random(num_cells) < 0.5, random.random(num_cells) < 0.5
    hue = HUE * (np.where(is_red, 1, -1) + random.standard_normal(num_cells) / 2)
    radius = RADIUS + LARGER * (is_treated - 0.5) + SPREAD * random.standard_normal(num_cells)
    table = table.assign(
        red=np.clip(0.55 + hue, 0, 1), green=np.clip(0.55 - hue, 0, 1), blue=0.4, radius=np.clip(radius, 0.12, 0.36)
    )
    said = pd.DataFrame({"colour": np.where(is_red, "red", "green")})
    for name, share in (("independent", 0.5), ("confounded", np.where(is_treated == is_red, 0.95, 0.05))):
        treatment = pd.Series(np.where(is_treated, "treated", "untreated"), dtype=object)
        said[name] = treatment.where(random.random(num_cells) < share, None)
    save_npz(ImageCollection(images=drawn(table), table=said, channels=("r", "g", "b")), path)
    return path


def drawn(table: pd.DataFrame) -> np.ndarray:
    """Cells of 64x64 pixels in means of 4x4, without the textures that a short training of a VAE loses."""
    images = render_cells(table, 4 * SIZE)
    return images.reshape(*images.shape[:2], SIZE, 4, SIZE, 4).mean((3, 5)).round().astype(np.uint8)


def cells(out: Path, quick: bool) -> Iterator[dict[str, object]]:
    """Two classifiers, three seeds, every method; as many at a time as there are cores."""
    steps, count, seeds = (100, 2000, (0,)) if quick else (STEPS, NUM_CELLS, (0, 1, 2))
    base, split = latent_meaning.experiment(32, steps, count), Split(validation=0.05, test=0.25)
    networks = {"encoder": ConvEncoder(widths=(32, 64, 128), dense=(256,)), "decoder": ConvDecoder(widths=(64, 32, 16))}
    model = replace(base.model, **networks)
    source = NpzSource(path=str(planted(out, count)))
    (runs,) = train({"cells": replace(base, data=Data(source=source, split=split), model=model)}, seeds, out).values()
    jobs = [(column, run.folder, _images(quick)) for column in ("confounded", "independent") for run in runs]
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for rows in pool.map(_cells, *zip(*jobs, strict=True)):
            yield from rows


def _cells(column: str, folder: Path, num_images: int) -> list[dict[str, object]]:
    """Lines of a classifier, with how far each method moves the colour."""
    torch.set_num_threads(1)
    run = load(folder)
    seed = run.experiment.seed
    found = explain_run(run, column, to="treated", num_images=num_images, methods=ALL, seed=seed)
    (colour,) = confounders(found, ["colour"], seed=seed)
    rows = list(lines(f"cells, {column}", seed, found))
    for row in rows:
        drag = colour.drags.get(str(row["method"]))
        if drag is not None:
            moved = {"moved": drag.moved, "by balanced data": drag.baseline_moved, "difference": drag.difference}
            row |= {f"colour {name}": _shown(score) for name, score in moved.items()}
            row["reached"] = " / ".join(f"{span:.2f}" for span in colour.reached[str(row["method"])])
            row["verdict"] = colour.verdict(str(row["method"]))
    return rows


def mnist(out: Path, quick: bool) -> Iterator[dict[str, object]]:
    """Threes as eights, fours as nines."""
    base = presets.mnist(default_data())
    experiment = replace(base, training=replace(base.training, num_steps=50 if quick else 2000, patience=None))
    (run,) = train({"mnist": experiment}, [0], out)["mnist"]
    for of, to in (("3", "8"), ("4", "9")):
        found = explain_run(run, "label", to=to, rows=_held_out(run, "label", of, _images(quick)), methods=ALL)
        yield from lines(f"MNIST {of} to {to}", 0, found)


def bbbc021(out: Path, quick: bool) -> Iterator[dict[str, object]]:
    """Cells without a drug as under stabilisers of microtubules."""
    drugs = ("DMSO", "Microtubule stabilizers")
    base = presets.cells(default_data().parent / "bbbc021" / "bbbc021_cells64.npz")
    data = replace(base.data, only=tuple(f"moa={drug}" for drug in drugs))
    experiment = replace(
        base, data=data, training=replace(base.training, num_steps=50 if quick else 1000, patience=None)
    )
    (run,) = train({"bbbc021": experiment}, [0], out)["bbbc021"]
    classified = classify(run, "moa", group="plate")
    for score in classified.scores:
        print(f"  {score.metric}: {_shown(score)}")
    rows = _held_out(run, "moa", drugs[0], _images(quick) // 2)
    found = explain_run(run, "moa", to=drugs[1], rows=rows, classifier=classified.path, methods=ALL)
    for score in found.measured[found.best].scores:
        if score.metric == "series_proximity" and score.part:
            print(f"  {found.best} moves {score.part}: {_shown(score)}")
    yield from lines("bbbc021 DMSO to stabilisers", 0, found)


def poor(out: Path, quick: bool) -> Iterator[dict[str, object]]:
    """A VAE that loses what the classifier looks at."""
    base = presets.mnist(default_data())
    assert isinstance(base.model, VAEConfig)
    training = replace(base.training, num_epochs=0.1 if quick else 1, patience=None)
    (run,) = train({"poor": replace(base, model=replace(base.model, latent_dim=2), training=training)}, [0], out)[
        "poor"
    ]
    rows = _held_out(run, "label", "3", _images(quick))
    yield from lines("MNIST 3 to 8, two latents, one pass", 0, explain_run(run, "label", to="8", rows=rows))


CASES: dict[str, Callable[[Path, bool], Iterator[dict[str, object]]]] = {
    each.__name__: each for each in (cells, mnist, bbbc021, poor)
}


def _images(quick: bool) -> int:
    return 8 if quick else 32


def _held_out(run: Run, column: str, value: str, count: int) -> np.ndarray:
    """Rows of held-out images of a class."""
    rows = run.splits.test
    rows = rows[run.dataset.collection.table[column].iloc[rows].astype(str).to_numpy() == value]
    return np.sort(np.random.default_rng(0).permutation(rows)[:count])


def _shown(score: Score | None) -> str:
    if score is None or score.value is None or not np.isfinite(score.value):
        return ""
    ends = f" ({score.interval[0]:.3g} to {score.interval[1]:.3g})" if score.interval else ""
    return f"{score.value:.3g}{ends}"


def main() -> None:
    """Trains, explains and keeps the table of each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="[all]")
    parser.add_argument("--out", type=Path, default=Path("runs/explanations"), help="where runs stand")
    parser.add_argument("--quick", action="store_true", help="few images and steps, not kept")
    args = parser.parse_args()
    for case in args.cases or CASES:
        rows = list(CASES[case](args.out, args.quick))
        keys = dict.fromkeys(key for row in rows for key in row)
        table = [{key: row.get(key, "") for key in keys} for row in rows]
        ledger.show(f"Explanations: {case}", table)
        ledger.keep("explanations", table, quick=args.quick)


if __name__ == "__main__":
    main()
