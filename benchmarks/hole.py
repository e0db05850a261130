"""A hole in a known plane of curves: what models draw where they never saw an image, over seeds.

    python -m benchmarks.hole [--steps N] [--seeds 0 1 2] [--only NAME ...] [--out FOLDER] [--quick]

The experiments of the study rosette-hole in its small form, 32x32: `full` is the oracle, which saw the hole; the others
did not. On fresh points inside the hole and outside, and three lines across it: squared error, overlap at 0.5, the
error over that of the nearest training image (below 1 the model knows more than a memory), and whose failure the excess
error is, with codes searched for without the encoder. The rivals are the nearest training image, and the linear blend
of the training images around in the plane. In FOLDER/hole.png stands what each draws along a line.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import ledger
from benchmarks.many_runs import shown, train
from vaelab import files
from vaelab.evaluation import Measured
from vaelab.evaluation.hole import BLEND, NEAREST, who_failed
from vaelab.experiment import Experiment
from vaelab.inference import reconstruct
from vaelab.plots import Tile, picture_png, sheet
from vaelab.runs import Run
from vaelab.runs.differences import over_seeds
from vaelab.runs.hole import rivals
from vaelab.runs.question import ask
from vaelab.runs.results import measure
from vaelab.studies import find

METRICS = ("hole_error", "hole_iou", "hole_ratio", "hole_against_nearest", "hole_reach", "hole_encoder_share")
LINE = "along b"


def experiments(steps: int) -> dict[str, Experiment]:
    """Those of the study in its small form, trained for so many steps."""
    found = find("rosette-hole", quick=True).experiments
    return {base.name: replace(base, training=replace(base.training, num_steps=steps)) for base in found}


def row(name: str, found: list[Measured], model: str = "") -> dict[str, object]:
    """One line of the table: means over seeds with their standard deviations."""
    values = {metric: [s.value for m in found if (s := m.score(metric, "", model))] for metric in METRICS}
    outside = [s.value for m in found if (s := m.score("hole_error", "outside", model))]
    ends = over_seeds(values["hole_against_nearest"]) if values["hole_against_nearest"] else None
    failed = "" if model else " | ".join(dict.fromkeys(who_failed(m.scores).partition(":")[0] for m in found))
    shares = [value for value in values["hole_encoder_share"] if np.isfinite(value)]
    return {
        "model": name,
        "seeds": len(found),
        "error inside": shown(values["hole_error"]),
        "outside": shown(outside),
        "ratio": shown(values["hole_ratio"]),
        "overlap inside": shown(values["hole_iou"]),
        "error over the nearest's": shown(values["hole_against_nearest"]) if not model else None,
        "95 % over seeds": f"{ends[0]:.3g} to {ends[1]:.3g}" if ends else None,
        "at the best code": shown(values["hole_reach"]) if not model else None,
        "the encoder's share": shown(shares) if shares and not model else None,
        "who failed": failed,
    }


def picture(runs: dict[str, Run]) -> bytes:
    """What each draws along one line across the hole, below the images themselves."""
    first = next(iter(runs.values()))
    table = first.dataset.collection.table
    rows = np.flatnonzero(table["transect"].to_numpy(object) == LINE)
    drawn = {"image": first.feed(rows).numpy().copy()}
    drawn |= {name: reconstruct(run.model, run.feed(rows).clone()) for name, run in runs.items()}
    drawn |= rivals(next(run for name, run in runs.items() if name != "full"), rows)
    words = ["hole" if inside else "" for inside in table["inside_hole"].to_numpy()[rows]]
    sheets = []
    for name, images in drawn.items():
        pixels = (images.transpose(0, 2, 3, 1) * 255).astype(np.uint8).repeat(3, -1).repeat(2, 1).repeat(2, 2)
        said = words if name == "image" else [""] * len(rows)
        sheets.append((name, [Tile(*each) for each in zip(pixels, said, strict=True)]))
    return picture_png(sheet(sheets, title=f"Across the hole, {LINE}", gap=2))


def main() -> None:
    """Trains, measures, prints the table and draws the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000, help="of each training [3000]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=None, help="names of experiments [all]")
    parser.add_argument("--out", type=Path, default=Path("runs/hole"), help="where the runs stand [runs/hole]")
    parser.add_argument("--quick", action="store_true", help="two experiments, 30 steps, one seed; not kept")
    args = parser.parse_args()
    chosen = experiments(30 if args.quick else args.steps)
    names = args.only or (["punctured", "full"] if args.quick else list(chosen))
    seeds = args.seeds[:1] if args.quick else args.seeds
    runs = train({name: chosen[name] for name in names}, seeds, args.out / ("quick" if args.quick else ""))
    common = runs[names[0]][0].splits.test
    for group in runs.values():
        for run in group:
            common = np.intersect1d(common, run.splits.test)
    found = {
        name: [measure(run, ask(run, rows=common, num_samples=1), METRICS) for run in group]
        for name, group in runs.items()
    }
    rows = [row(name, measured) for name, measured in found.items()]
    judged = next(iter(name for name in names if not name.startswith("full")), names[0])
    rows += [row(rival, found[judged], rival) for rival in (NEAREST, BLEND)]
    ledger.show("A hole in the plane: mean over seeds ± standard deviation", rows)
    ledger.keep("hole", rows, quick=args.quick)
    files.write(args.out / "hole.png", picture({name: group[0] for name, group in runs.items()}))


if __name__ == "__main__":
    main()
