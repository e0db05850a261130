"""Images per second of training: vaelab against a plain DataLoader + PIL + Adam float32 loop of the same model.

    python -m benchmarks.training_speed [--quick]

Both read the same PNG files. The plain loop runs with no and with two worker processes; the faster one counts. What
each does once before the first step (decoding to the cache, timing the alternatives, starting workers) is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from benchmarks import ledger, pictures, plain, vaelab_side
from benchmarks.ledger import against
from benchmarks.rounds import alternate, medians, quiet_rounds
from vaelab import presets
from vaelab.data import Data, open_source
from vaelab.experiment import Experiment
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood

ROUNDS, SECONDS = 3, 8.0
WORKERS = (0, 2)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network on one kind of image."""

    preset: Callable[[], Experiment]
    """Gives the experiment whose network it is."""
    plain: Callable[[], plain.PlainVAE]
    """The same network by hand."""
    kind: str
    """Of image; see `pictures.make`."""
    num_images: int
    """PNG files."""
    batch_size: int
    """Images in a step."""
    num_steps: int
    """Of vaelab, for some ten seconds."""
    floor: float
    """Times the plain loop that must be reached."""
    aim: float
    """Times that are hoped for."""


CASES = {
    "conv 64x64x1, batch 64": Case(
        preset=presets.sprites, plain=lambda: plain.disentanglement(1), kind="sprites", num_images=6000,
        batch_size=64, num_steps=600, floor=2.5, aim=3,
    ),
    "conv 64x64x3, batch 64": Case(
        preset=presets.sprites, plain=lambda: plain.disentanglement(3), kind="cells_synthetic", num_images=6000,
        batch_size=64, num_steps=500, floor=1.9, aim=2.5,
    ),
    "conv 256x256x1, batch 32": Case(
        preset=presets.rosettes, plain=plain.rosettes, kind="rosettes", num_images=2000,
        batch_size=32, num_steps=60, floor=3.5, aim=5,
    ),
    "MLP 784-200-200-50, batch 256": Case(
        preset=lambda: presets.iwae_mnist(Path(__file__).parent), plain=plain.iwae, kind="digits", num_images=6000,
        batch_size=256, num_steps=1500, floor=2.7, aim=3.5,
    ),
}  # fmt: skip


def main() -> None:
    """Measures every case and prints the table; with ``--contestant``, is one process of one round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two short rounds, not kept")
    parser.add_argument("--only", choices=list(CASES), help="one case")
    parser.add_argument("--contestant", nargs=4, metavar=("CASE", "FOLDER", "WHO", "LENGTH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contestant:
        name, folder, who, length = args.contestant
        print(json.dumps(contestant(CASES[name], Path(folder), who, float(length))))
        return
    with tempfile.TemporaryDirectory() as workplace:
        os.environ["VAELAB_CACHE"] = str(Path(workplace) / "cache")
        names = [args.only] if args.only else CASES
        rows = [compare(name, Path(workplace), quick=args.quick) for name in names]
    ledger.show("Training, images per second (medians of quiet rounds)", rows)
    ledger.keep("training_speed", rows, quick=args.quick)


def compare(name: str, workplace: Path, *, quick: bool) -> dict[str, object]:
    """All rounds of one case."""
    print(name, flush=True)
    case = CASES[name]
    folder = workplace / f"{case.kind}-png"
    pictures.write_png(lambda: pictures.make(case.kind, case.num_images), folder)
    seconds, steps = (3.0, case.num_steps // 4) if quick else (SECONDS, case.num_steps)
    contestants = {f"plain, {w} workers": _arguments(name, folder, f"plain-{w}", seconds) for w in WORKERS}
    contestants["vaelab"] = _arguments(name, folder, "vaelab", steps)
    results = alternate("benchmarks.training_speed", contestants, 2 if quick else ROUNDS)
    speeds = medians(results, "images_per_second")
    return {
        "model": name,
        **{key: round(value, 1) for key, value in speeds.items()},
        **against(speeds["vaelab"], max(speeds[key] for key in speeds if key != "vaelab"), case.floor, case.aim),
        "quiet": f"{len(quiet_rounds(results))} of {len(results['vaelab'])}",
        "bfloat16": bool(results["vaelab"][-1].values["bfloat16"]),
        "threads": int(results["vaelab"][-1].values["threads"]),
    }


def contestant(case: Case, folder: Path, who: str, length: float) -> dict[str, float]:
    """One training: ``plain-<workers>`` for so many seconds, or ``vaelab`` for so many steps."""
    if who != "vaelab":
        workers = int(who.removeprefix("plain-"))
        return {"images_per_second": plain.images_per_second(case.plain, folder, case.batch_size, workers, length)}
    experiment = case.preset()
    model = replace(experiment.model, likelihood=GreyBernoulliLikelihood())
    training = replace(experiment.training, batch_size=case.batch_size, learning_rate=1e-4, schedule="constant")
    experiment = replace(experiment, data=Data(source=open_source(folder)), model=model, training=training)
    ours, theirs = parameters(model.build(_image_shape(folder))), parameters(case.plain())
    if ours != theirs:
        raise RuntimeError(f"the models differ: {ours:,} parameters against {theirs:,}")
    return vaelab_side.train(vaelab_side.timed(experiment, int(length)))


def parameters(model: nn.Module) -> int:
    """How many numbers the model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def _arguments(name: str, folder: Path, who: str, length: float) -> list[str]:
    return ["--contestant", name, str(folder), who, str(length)]


def _image_shape(folder: Path) -> tuple[int, int, int]:
    channels, height, width = plain.PNGFolder(folder)[0].shape
    return channels, height, width


if __name__ == "__main__":
    main()
