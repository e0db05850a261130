"""Every method of explanation by every measure, with its cost, and whether the gate catches a poor model.

    python -m benchmarks.explanations [cells|mnist|bbbc021|poor ...] [--out FOLDER] [--quick]

    cells    synthetic cells, `ragged` against `round`, by a classifier that a planted colour confounds and by one that
             it does not (with the same `--out` on the runs of `benchmarks.confounders`), three seeds, every method
    mnist    threes as eights and fours as nines, with the areas of the deletion tests
    bbbc021  cells without a drug as cells under microtubule stabilisers, the classifier divided by plate
    poor     threes as eights by a VAE of two latents after one pass: its series obey, and the gate must refuse it

Seconds are of one core, for all images and ten targets, the making of a conditional model included.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import confounders, ledger
from benchmarks.many_runs import train
from benchmarks.published import default_data
from vaelab import presets
from vaelab.metrics import Score
from vaelab.models import VAEConfig
from vaelab.runs import Run
from vaelab.runs.classify import classify
from vaelab.runs.explaining import METHODS, Explanation, explain_run

ALL = (*METHODS, "geodesic", "conditional")


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


def cells(out: Path, quick: bool) -> Iterator[dict[str, object]]:
    """Two collections, three seeds, every method."""
    whole = confounders.SIZE, confounders.STEPS, confounders.NUM_IMAGES, confounders.SEEDS
    for share, runs in confounders.trained(out, *((32, 100, 1200, (0,)) if quick else whole)).items():
        for run in runs:
            found = explain_run(
                run, "shape", to="ragged", num_images=_images(quick) // 2, methods=ALL, seed=run.experiment.seed
            )
            yield from lines(f"cells, {share:.0%} confounded", run.experiment.seed, found)


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
        base, data=data, training=replace(base.training, num_steps=50 if quick else 2000, patience=None)
    )
    (run,) = train({"bbbc021": experiment}, [0], out)["bbbc021"]
    classified = classify(run, "moa", group="plate")
    for score in classified.scores:
        print(f"  {score.metric}: {_shown(score)}")
    rows = _held_out(run, "moa", drugs[0], _images(quick))
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
