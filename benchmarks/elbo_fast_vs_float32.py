"""Held-out ELBO after equal steps: fast settings (bfloat16 networks, tuned kernels) against plain float32, three seeds.

    python -m benchmarks.elbo_fast_vs_float32 [--quick]

The same seed gives the same first weights, order and noise. The difference of the means should lie inside the spread of
the seeds. bfloat16 is asked for by name, also where `auto` would not choose it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import mean

from benchmarks import ledger
from benchmarks.vaelab_side import vaelab
from vaelab import presets
from vaelab.data import Data, Split
from vaelab.experiment import Experiment, write
from vaelab.training import Machine

SEEDS = (0, 1, 2)
WAYS = {"fast": Machine(precision="bfloat16"), "float32": Machine(precision="float32", tune=False)}


def cases(num_steps: int) -> dict[str, Experiment]:
    """A convolutional and a fully connected VAE."""
    sprites, digits = presets.sprites(), presets.digits()
    data = Data(source=replace(sprites.data.source, num_images=6000), split=Split(validation=0.1, test=0.2))
    sprites = replace(sprites, data=data, training=replace(sprites.training, learning_rate=1e-3))
    return {
        experiment.name: replace(
            experiment,
            training=replace(experiment.training, num_steps=num_steps, validate_every=num_steps, batch_size=64),
        )
        for experiment in (sprites, digits)
    }


def held_out_elbo(experiment: Experiment, folder: Path) -> float:
    """Mean ELBO on the test images after training, in nats per image, computed in float32."""
    folder.mkdir()
    write(experiment, folder / "experiment.json")
    vaelab("train", str(folder / "experiment.json"), "--out", str(folder / "run"), "--quiet")
    vaelab("evaluate", str(folder / "run"), "--metrics", "elbo", "--num-samples", "20", "--quiet")
    (result,) = (folder / "run" / "results").glob("*/scores.json")
    (score,) = json.loads(result.read_text())["scores"]
    return score["value"]


def compare(name: str, experiment: Experiment) -> dict[str, object]:
    """Both ways, each seed."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as workplace:
        for seed in SEEDS:
            for way, machine in WAYS.items():
                seeded = replace(experiment, seed=seed, machine=machine)
                found[way].append(held_out_elbo(seeded, Path(workplace) / f"{way}-{seed}"))
                print(f"  {name}, seed {seed}, {way}: {found[way][-1]:.3f}", file=sys.stderr, flush=True)
    difference = mean(found["fast"]) - mean(found["float32"])
    spread = max(found["float32"]) - min(found["float32"])
    return {
        "model": name,
        "steps": experiment.training.num_steps,
        "fast": round(mean(found["fast"]), 3),
        "float32": round(mean(found["float32"]), 3),
        "difference": round(difference, 3),
        "seeds' spread": round(spread, 3),
        "inside": abs(difference) <= spread,
        "each": found,
    }


def main() -> None:
    """Measures both models and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps, not kept")
    args = parser.parse_args()
    rows = [compare(name, experiment) for name, experiment in cases(200 if args.quick else 2000).items()]
    shown = [{key: value for key, value in row.items() if key != "each"} for row in rows]
    ledger.show("Held-out ELBO after equal steps, nats per image (means over seeds)", shown)
    ledger.keep("elbo_fast_vs_float32", rows, quick=args.quick)


if __name__ == "__main__":
    main()
